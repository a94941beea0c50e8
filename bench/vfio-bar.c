// SPDX-License-Identifier: GPL-2.0
/*
 * vfio-bar [-w] PCI-DEVICE: what it costs to map BAR2 of an edu-plus device bound to
 * vfio-pci. For a guest of 'qemu-system-x86_64 -icount shift=0 -smp 1': there one
 * tick of the TSC is one instruction, and CLOCK_MONOTONIC may be coarser. For any
 * guest with -w, by the wall clock. Prints lines "name<TAB>value<TAB>unit"; a value
 * is the median of 7, after one to warm up.
 *
 * "bar" is a mapping through the device's fd, "lease" one of an exported DMA-BUF.
 * What the kernel does not offer is not printed; what goes wrong ends the program.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#define ROUNDS		7
#define RANGES		64		/* of a lease that has many */
#define MAPPINGS	2000UL		/* to see what one costs in memory */
#define SIZE_4K		0x1000UL
#define SIZE_1M		0x100000UL
#define SIZE_2M		0x200000UL
#define SIZE_1G		0x40000000UL

/*
 * Where mappings go, far from everything else: what munmap() costs depends on the
 * page tables that happen to be around.
 */
#define BASE		0x100000000000UL

#define must(ok, ...) do { if (!(ok)) err(1, __VA_ARGS__); } while (0)

struct bar {
	int fd;			/* of the device */
	uint64_t offset, size;	/* in the device's file */
	uint64_t phys;
	uint64_t command;	/* offset of PCI_COMMAND */
};

static const struct level {
	const char *name;
	uint64_t size;
} levels[] = { { "4K", SIZE_4K }, { "2M", SIZE_2M }, { "1G", SIZE_1G } };

static bool wall;

static uint64_t now(void)
{
	struct timespec t;

	if (!wall)
		return __builtin_ia32_rdtsc();
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000UL + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* v[0] is of the round to warm up */
static void print_median(const char *who, const char *what, const char *of, uint64_t *v)
{
	qsort(v + 1, ROUNDS, sizeof(*v), compare);
	printf("%s%s%s\t%lu\t%s\n", who, what, of, v[1 + ROUNDS / 2],
	       wall ? "ns" : "instructions");
}

static int open_cdev(const char *bdf)
{
	char path[300];
	struct dirent *d;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	dir = opendir(path);
	must(dir, "%s: is the device there, and bound to vfio-pci?", path);
	while ((d = readdir(dir)) && strncmp(d->d_name, "vfio", 4))
		;
	if (!d)
		errx(1, "%s: no vfio device", path);
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", d->d_name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	must(fd >= 0, "%s", path);
	closedir(dir);
	return fd;
}

static uint64_t bar2_address(const char *bdf)
{
	char path[300];
	uint64_t start;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", bdf);
	f = fopen(path, "r");
	must(f, "%s", path);
	/* A line for each BAR: start, end, flags */
	if (fscanf(f, "%*[^\n] %*[^\n] %lx", &start) != 1 || !start)
		errx(1, "%s: no address of BAR2", path);
	fclose(f);
	return start;
}

/* Without memory the BAR is taken out of all page tables. */
static uint64_t set_memory(const struct bar *b, bool enable)
{
	uint16_t v = enable ? PCI_COMMAND_MEMORY : 0;
	uint64_t start = now();
	ssize_t ret = pwrite(b->fd, &v, sizeof(v), b->command);
	uint64_t end = now();

	must(ret == sizeof(v), "write of PCI_COMMAND");
	return end - start;
}

static struct bar open_bar(const char *bdf)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct vfio_region_info info = {
		.argsz = sizeof(info), .index = VFIO_PCI_BAR2_REGION_INDEX,
	};
	struct vfio_region_info config = {
		.argsz = sizeof(config), .index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	struct bar b = { .fd = open_cdev(bdf), .phys = bar2_address(bdf) };

	bind.iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	must(bind.iommufd >= 0, "/dev/iommu");
	must(!ioctl(b.fd, VFIO_DEVICE_BIND_IOMMUFD, &bind), "VFIO_DEVICE_BIND_IOMMUFD");
	must(!ioctl(b.fd, VFIO_DEVICE_GET_REGION_INFO, &info), "region info of BAR2");
	must(!ioctl(b.fd, VFIO_DEVICE_GET_REGION_INFO, &config), "region info of config space");
	if (!(info.flags & VFIO_REGION_INFO_FLAG_MMAP) || info.size < SIZE_2M)
		errx(1, "BAR2 of 0x%llx bytes cannot be mapped, or is too small", info.size);
	b.offset = info.offset;
	b.size = info.size;
	b.command = config.offset + PCI_COMMAND;
	set_memory(&b, true);
	return b;
}

/* A DMA-BUF of the whole BAR in n ranges; -1 if the kernel has no such thing. */
static int export_bar(const struct bar *b, uint32_t n)
{
	struct {
		struct vfio_device_feature feature;
		struct vfio_device_feature_dma_buf dma_buf;
		struct vfio_region_dma_range range[RANGES];
	} get = {
		.feature.argsz = sizeof(get),
		.feature.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF,
		.dma_buf.region_index = VFIO_PCI_BAR2_REGION_INDEX,
		.dma_buf.open_flags = O_RDWR | O_CLOEXEC,
		.dma_buf.nr_ranges = n,
	};
	int fd;

	for (uint32_t i = 0; i < n; i++) {
		get.range[i].offset = b->size / n * i;
		get.range[i].length = b->size / n;
	}
	fd = ioctl(b->fd, VFIO_DEVICE_FEATURE, &get);
	must(fd >= 0 || errno == ENOTTY, "VFIO_DEVICE_FEATURE_DMA_BUF of %u ranges", n);
	return fd;
}

/* Congruent to the physical address modulo 'level', and not modulo the next one. */
static char *place(const struct bar *b, uint64_t level)
{
	return (char *)BASE + b->phys % SIZE_1G + (level < SIZE_1G ? level : 0);
}

static void *map(void *at, int fd, uint64_t offset, uint64_t size)
{
	void *p = mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE,
		       fd, offset);

	must(p != MAP_FAILED, "mmap of 0x%lx bytes at %p", size, at);
	return p;
}

static void unmap(void *p, uint64_t size)
{
	must(!munmap(p, size), "munmap of 0x%lx bytes at %p", size, p);
}

/* Reads a byte in each 'step'; returns instructions per fault, of which there is one a step. */
static uint64_t touch(const char *who, volatile char *p, uint64_t size, uint64_t step)
{
	uint64_t start, end, n = size / step;
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	start = now();
	for (uint64_t i = 0; i < size; i += step)
		p[i];
	end = now();
	getrusage(RUSAGE_SELF, &after);
	if ((uint64_t)(after.ru_minflt - before.ru_minflt) != n)
		errx(1, "%s: %ld faults instead of %lu, one each 0x%lx bytes", who,
		     after.ru_minflt - before.ru_minflt, n, step);
	return (end - start) / n;
}

/* Fault in all of the BAR, or of a lease of n ranges, and take it away again. */
static void bench_level(const struct bar *b, const struct level *l, const char *who, uint32_t n)
{
	uint64_t fault[ROUNDS + 1], zap[ROUNDS + 1], revoke[ROUNDS + 1];
	struct vfio_pci_dmabuf_revoke arg = { .argsz = sizeof(arg) };
	bool can_revoke = n;

	for (int r = 0; r <= ROUNDS; r++) {
		int fd = n ? export_bar(b, n) : b->fd;
		char *p = map(place(b, l->size), fd, n ? 0 : b->offset, b->size);

		/* A hint that may not be needed: the number of faults tells */
		if (l->size > SIZE_4K)
			madvise(p, b->size, MADV_HUGEPAGE);
		fault[r] = touch(who, p, b->size, l->size);
		zap[r] = set_memory(b, false);
		set_memory(b, true);
		if (can_revoke) {
			touch(who, p, b->size, l->size);
			arg.dmabuf_fd = fd;
			revoke[r] = now();
			can_revoke = !ioctl(b->fd, VFIO_DEVICE_PCI_DMABUF_REVOKE, &arg);
			revoke[r] = now() - revoke[r];
			must(can_revoke || errno == ENOTTY, "VFIO_DEVICE_PCI_DMABUF_REVOKE");
		}
		unmap(p, b->size);
		if (n)
			close(fd);
	}
	print_median(who, " fault ", l->name, fault);
	print_median(who, " zap ", l->name, zap);
	if (can_revoke)
		print_median(who, " revoke ", l->name, revoke);
}

/* Map 'size' bytes, if any, of the BAR or of a new DMA-BUF, and do not touch them. */
static void bench_mmap(const struct bar *b, const char *name, bool export, uint64_t size)
{
	uint64_t v[ROUNDS + 1];

	for (int r = 0; r <= ROUNDS; r++) {
		uint64_t start = now();
		int fd = export ? export_bar(b, 1) : b->fd;

		if (size)
			unmap(map(place(b, SIZE_4K), fd, export ? 0 : b->offset, size), size);
		if (export)
			close(fd);
		v[r] = now() - start;
	}
	print_median(name, "", "", v);
}

/* In kB. Waits for what is freed late, and for counters that are summed up each second. */
static long kernel_memory(void)
{
	long kb, sum = 0;
	char line[200];
	FILE *f;

	sync();
	sleep(3);
	f = fopen("/proc/meminfo", "r");
	must(f, "/proc/meminfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Slab: %ld", &kb) == 1 ||
		    sscanf(line, "VmallocUsed: %ld", &kb) == 1 ||
		    sscanf(line, "KernelStack: %ld", &kb) == 1 ||
		    sscanf(line, "PageTables: %ld", &kb) == 1)
			sum += kb;
	fclose(f);
	return sum;
}

static void bench_memory(const struct bar *b)
{
	long kb = 0;

	/* The first half fills what is free in the slabs; the second shows the cost */
	for (unsigned long i = 0; i < 2 * MAPPINGS; i++) {
		if (i == MAPPINGS)
			kb = kernel_memory();
		map((char *)BASE + i * SIZE_4K, b->fd, b->offset + i * SIZE_4K % b->size, SIZE_4K);
	}
	kb = kernel_memory() - kb;
	unmap((void *)BASE, 2 * MAPPINGS * SIZE_4K);
	/* What is freed late must not disturb what is measured next */
	sleep(1);
	printf("memory of a bar mapping\t%ld\tbytes\n", kb * 1024 / (long)MAPPINGS);
}

int main(int argc, char **argv)
{
	bool can_lease = false;
	uint64_t v[ROUNDS + 1];
	struct bar b;
	void *p;
	int fd;

	wall = argc == 3 && !strcmp(argv[1], "-w");
	if (argc != 2 + wall)
		errx(2, "usage: %s [-w] PCI-DEVICE (an edu-plus device bound to vfio-pci)", argv[0]);
	setlinebuf(stdout);
	b = open_bar(argv[1 + wall]);

	/* A process has upper page tables: do not measure how they are made */
	p = mmap((char *)BASE - SIZE_1G, SIZE_4K, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0);
	must(p != MAP_FAILED, "mmap below 0x%lx", BASE);

	if (!wall)
		bench_memory(&b);
	bench_mmap(&b, "bar mmap+munmap 1M", false, SIZE_1M);
	bench_mmap(&b, "bar mmap+munmap all", false, b.size);
	fd = export_bar(&b, 1);
	if (fd >= 0) {
		bench_mmap(&b, "export+close", true, 0);
		p = mmap(NULL, b.size, PROT_READ, MAP_SHARED, fd, 0);
		can_lease = p != MAP_FAILED;
		/* EINVAL is what a DMA-BUF says that does not support it */
		must(can_lease || errno == EINVAL, "mmap of a DMA-BUF");
		if (can_lease) {
			unmap(p, b.size);
			bench_mmap(&b, "export+mmap+munmap+close", true, b.size);
		}
		close(fd);
	}
	for (int r = 0; r <= ROUNDS; r++) {
		v[r] = set_memory(&b, false);
		set_memory(&b, true);
	}
	print_median("zap of nothing", "", "", v);
	for (const struct level *l = levels; l < levels + 3 && l->size <= b.size; l++) {
		bench_level(&b, l, "bar", 0);
		if (can_lease)
			bench_level(&b, l, "lease", 1);
	}
	if (can_lease)
		bench_level(&b, levels, "lease of 64 ranges", RANGES);
	return 0;
}
