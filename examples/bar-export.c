// SPDX-License-Identifier: GPL-2.0
/*
 * bar-export EXPORTER IMPORTER: export a slice of a PCI device's BAR2 as a DMA-BUF
 * and let a second device write into it, through the IOMMU, without a CPU in
 * between. Both are edu-plus devices bound to vfio-pci, named like 0000:01:00.0.
 *
 * Shows what Linux 7.1 offers: VFIO_DEVICE_FEATURE_DMA_BUF to export, and
 * IOMMU_IOAS_MAP_FILE to map the buffer for another device.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#define SLICE_OFFSET	0x100000UL	/* in BAR2 */
#define SLICE_SIZE	0x10000UL
#define HOST_IOVA	0x10000000UL	/* where the importer sees memory */
#define PEER_IOVA	0x20000000UL	/* where it sees the slice */

/* Registers of edu-plus, see QEMU's docs/specs/edu-plus.rst. */
#define EDU_SERIAL	0x20
#define EDU_DMA_SRC	0x40
#define EDU_DMA_DST	0x48
#define EDU_DMA_LEN	0x50
#define EDU_DMA_COUNT	0x58
#define EDU_DMA_CMD	0x64
#define EDU_DMA_STATUS	0x68

struct device {
	int fd;
	uint32_t ioas;
	volatile uint8_t *regs;
	volatile uint8_t *bar2;
};

static int open_cdev(const char *bdf)
{
	char path[300];
	struct dirent *d;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	dir = opendir(path);
	if (!dir)
		err(1, "%s: is the device there, and bound to vfio-pci?", path);
	while ((d = readdir(dir)) && strncmp(d->d_name, "vfio", 4))
		;
	if (!d)
		errx(1, "%s: no vfio device", path);
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", d->d_name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	closedir(dir);
	return fd;
}

static volatile uint8_t *map_bar(int fd, int bar)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = bar };
	void *p;

	if (ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &info))
		err(1, "VFIO_DEVICE_GET_REGION_INFO of BAR%d", bar);
	p = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, info.offset);
	if (p == MAP_FAILED)
		err(1, "mmap of BAR%d", bar);
	return p;
}

static struct device open_device(int iommufd, const char *bdf)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommufd };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct vfio_region_info config = {
		.argsz = sizeof(config), .index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	uint16_t cmd = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	struct device d = { .fd = open_cdev(bdf) };

	if (ioctl(d.fd, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		err(1, "VFIO_DEVICE_BIND_IOMMUFD");
	if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc))
		err(1, "IOMMU_IOAS_ALLOC");
	d.ioas = alloc.out_ioas_id;
	attach.pt_id = d.ioas;
	if (ioctl(d.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach))
		err(1, "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
	if (ioctl(d.fd, VFIO_DEVICE_GET_REGION_INFO, &config))
		err(1, "VFIO_DEVICE_GET_REGION_INFO of the config space");
	if (pwrite(d.fd, &cmd, sizeof(cmd), config.offset + PCI_COMMAND) != sizeof(cmd))
		err(1, "write of PCI_COMMAND");
	d.regs = map_bar(d.fd, 0);
	d.bar2 = map_bar(d.fd, 2);
	printf("%s: serial number %llu\n", bdf,
	       (unsigned long long)*(volatile uint64_t *)(d.regs + EDU_SERIAL));
	return d;
}

static int export_slice(int fd)
{
	struct {
		struct vfio_device_feature feature;
		struct vfio_device_feature_dma_buf dma_buf;
		struct vfio_region_dma_range range;
	} get = {
		.feature.argsz = sizeof(get),
		.feature.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF,
		.dma_buf.region_index = VFIO_PCI_BAR2_REGION_INDEX,
		.dma_buf.open_flags = O_RDWR | O_CLOEXEC,
		.dma_buf.nr_ranges = 1,
		.range = { .offset = SLICE_OFFSET, .length = SLICE_SIZE },
	};
	int dmabuf = ioctl(fd, VFIO_DEVICE_FEATURE, &get);

	if (dmabuf < 0)
		err(1, "VFIO_DEVICE_FEATURE_DMA_BUF");
	printf("exported BAR2 +0x%lx..0x%lx as DMA-BUF fd %d, %lld bytes\n", SLICE_OFFSET,
	       SLICE_OFFSET + SLICE_SIZE - 1, dmabuf, (long long)lseek(dmabuf, 0, SEEK_END));
	return dmabuf;
}

static void map_file(int iommufd, uint32_t ioas, int fd, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas,
		.fd = fd,
		.length = length,
		.iova = iova,
	};

	if (ioctl(iommufd, IOMMU_IOAS_MAP_FILE, &map))
		err(1, "IOMMU_IOAS_MAP_FILE");
}

int main(int argc, char **argv)
{
	struct device exporter, importer;
	int iommufd, dmabuf, memfd;
	uint32_t *host, status;
	size_t i, bad = 0;

	if (argc != 3)
		errx(2, "usage: %s EXPORTER IMPORTER (PCI addresses of edu-plus devices)", argv[0]);
	iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (iommufd < 0)
		err(1, "/dev/iommu");
	exporter = open_device(iommufd, argv[1]);
	importer = open_device(iommufd, argv[2]);

	dmabuf = export_slice(exporter.fd);
	map_file(iommufd, importer.ioas, dmabuf, PEER_IOVA, SLICE_SIZE);
	printf("the slice is at IOVA 0x%lx of the second device\n", PEER_IOVA);

	memfd = memfd_create("source", MFD_CLOEXEC);
	if (memfd < 0 || ftruncate(memfd, SLICE_SIZE))
		err(1, "memfd");
	host = mmap(NULL, SLICE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (host == MAP_FAILED)
		err(1, "mmap");
	for (i = 0; i < SLICE_SIZE / 4; i++)
		host[i] = 0xed000000 + i;
	map_file(iommufd, importer.ioas, memfd, HOST_IOVA, SLICE_SIZE);

	*(volatile uint64_t *)(importer.regs + EDU_DMA_SRC) = HOST_IOVA;
	*(volatile uint64_t *)(importer.regs + EDU_DMA_DST) = PEER_IOVA;
	*(volatile uint64_t *)(importer.regs + EDU_DMA_LEN) = SLICE_SIZE;
	*(volatile uint64_t *)(importer.regs + EDU_DMA_COUNT) = 1;
	*(volatile uint32_t *)(importer.regs + EDU_DMA_CMD) = 1;
	while ((status = *(volatile uint32_t *)(importer.regs + EDU_DMA_STATUS)) & 1)
		;
	if (status != 2)
		errx(1, "DMA of the second device failed, status 0x%x", status);

	for (i = 0; i < SLICE_SIZE / 4; i++)
		bad += ((volatile uint32_t *)(exporter.bar2 + SLICE_OFFSET))[i] != host[i];
	printf("the second device copied 0x%lx bytes from memory to it; first and last word in the first device's BAR2: 0x%x 0x%x\n",
	       SLICE_SIZE, *(volatile uint32_t *)(exporter.bar2 + SLICE_OFFSET),
	       *(volatile uint32_t *)(exporter.bar2 + SLICE_OFFSET + SLICE_SIZE - 4));
	if (bad)
		errx(1, "%zu words are wrong", bad);
	return 0;
}
