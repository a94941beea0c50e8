// SPDX-License-Identifier: GPL-2.0-only
/*
 * own-mmap-test BDF: tests that vfio-pci takes BARs away from a variant driver that
 * maps them by itself. BDF is an edu-plus device bound to vfio-pci; the test binds
 * it to own-mmap, which is loaded, and back. Prints TAP.
 *
 * Each test is a process of its own that opens the device. That a mapping was
 * zapped is told by SIGBUS while the memory is off, and else by the driver, which
 * counts the entries that it inserts.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define HUGE		(2UL << 20)
#define TIMEOUT		60

/* A slice of BAR2 for a DMA-BUF, and where the device sees it */
#define SLICE_OFFSET	0x100000UL
#define SLICE_SIZE	0x10000UL
#define SLICE_IOVA	0x20000000UL

/* Registers of edu-plus, see QEMU's docs/specs/edu-plus.rst */
#define EDU_SCRATCH	0x10
#define EDU_DMA_SRC	0x40
#define EDU_DMA_DST	0x48
#define EDU_DMA_LEN	0x50
#define EDU_DMA_COUNT	0x58
#define EDU_DMA_CMD	0x64
#define EDU_DMA_STATUS	0x68
#define DMA_FROM_BAR2	3
#define DMA_BUSY	1
#define DMA_DONE	2

struct device {
	int fd;
	int iommufd;
	__u32 ioas;
	__u64 offset[VFIO_PCI_NUM_REGIONS];
	__u64 size[VFIO_PCI_NUM_REGIONS];
};

static const char *bdf;
static size_t page_size;

#define CHECK(cond) do {						\
	if (!(cond)) {							\
		int _err = errno;					\
									\
		printf("# line %d: %s: errno %d\n", __LINE__, #cond, _err); \
		exit(1);						\
	}								\
} while (0)

/* -------- Accesses that may fault -------- */

static __thread sigjmp_buf touch_env;
static __thread bool touch_armed;

static void touch_handler(int sig)
{
	if (__atomic_exchange_n(&touch_armed, false, __ATOMIC_SEQ_CST))
		siglongjmp(touch_env, sig);
	signal(sig, SIG_DFL);
}

/* Return 0, or the signal that the access got */
static int touch(void *addr, __u32 *val, bool write)
{
	__u32 *at = addr;
	int sig = sigsetjmp(touch_env, 1);

	if (sig)
		return sig;

	__atomic_store_n(&touch_armed, true, __ATOMIC_SEQ_CST);
	if (write)
		__atomic_store_n(at, *val, __ATOMIC_RELAXED);
	else
		*val = __atomic_load_n(at, __ATOMIC_RELAXED);
	__atomic_store_n(&touch_armed, false, __ATOMIC_SEQ_CST);
	return 0;
}

static int touch_read(void *addr, __u32 *val)
{
	return touch(addr, val, false);
}

static int touch_write(void *addr, __u32 val)
{
	return touch(addr, &val, true);
}

#define CHECK_READS(want, addr) do {					\
	__u32 _want = (want), _val = ~_want;				\
									\
	CHECK(touch_read(addr, &_val) == 0);				\
	CHECK(_val == _want);						\
} while (0)

#define CHECK_WRITES(addr, val)	CHECK(touch_write(addr, val) == 0)

#define CHECK_SIGBUS(addr) do {						\
	void *_addr = (addr);						\
	__u32 _val;							\
									\
	CHECK(touch_read(_addr, &_val) == SIGBUS);			\
	CHECK(touch_write(_addr, 0) == SIGBUS);				\
} while (0)

/* -------- sysfs -------- */

/* Write to /sys/bus/pci/<dir>/<name>/<file> */
static int pci_write(const char *dir, const char *name, const char *file, const char *text)
{
	char path[300];
	int fd, ret;

	snprintf(path, sizeof(path), "/sys/bus/pci/%s/%s/%s", dir, name, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
	close(fd);
	return ret;
}

static bool bound_to(const char *driver)
{
	char link[300], path[300];
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", bdf);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return false;
	link[len] = 0;
	return !strcmp(strrchr(link, '/') + 1, driver);
}

static int bind_to(const char *driver)
{
	if (bound_to(driver))
		return 0;
	/* Fails if there is no driver */
	pci_write("devices", bdf, "driver/unbind", bdf);
	if (pci_write("devices", bdf, "driver_override", driver) ||
	    pci_write("drivers", driver, "bind", bdf))
		return -1;
	return bound_to(driver) ? 0 : -1;
}

/* How many entries the driver has inserted */
static long driver_faults(void)
{
	FILE *f = fopen("/sys/module/own_mmap/parameters/faults", "r");
	long n;

	CHECK(f);
	CHECK(fscanf(f, "%ld", &n) == 1);
	fclose(f);
	return n;
}

/* What /proc/self/maps calls the file that is mapped at addr */
static void maps_name(const void *addr, char *name, size_t size)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned long start;
	int pos;

	CHECK(f);
	name[0] = 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%*x %*s %*s %*s %*s %n", &start, &pos) != 1 ||
		    start != (unsigned long)addr)
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(name, size, "%s", line + pos);
	}
	fclose(f);
}

/* -------- Device -------- */

static void cdev_path(char *path, size_t size)
{
	struct dirent *d;
	DIR *dir;

	snprintf(path, size, "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	dir = opendir(path);
	CHECK(dir);
	while ((d = readdir(dir)) && strncmp(d->d_name, "vfio", 4))
		;
	CHECK(d);
	snprintf(path, size, "/dev/vfio/devices/%s", d->d_name);
	closedir(dir);
}

static int bind_iommufd(int fd, int iommufd)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommufd };

	return ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind);
}

static __u16 config_read(struct device *dev, unsigned int reg)
{
	__u16 val;

	CHECK(pread(dev->fd, &val, sizeof(val), dev->offset[CONFIG] + reg) == sizeof(val));
	return val;
}

static void config_write(struct device *dev, unsigned int reg, __u16 val)
{
	CHECK(pwrite(dev->fd, &val, sizeof(val), dev->offset[CONFIG] + reg) == sizeof(val));
}

static void set_memory(struct device *dev, bool on)
{
	__u16 cmd = config_read(dev, PCI_COMMAND) & ~PCI_COMMAND_MEMORY;

	config_write(dev, PCI_COMMAND, cmd | (on ? PCI_COMMAND_MEMORY : 0));
}

static void open_device(struct device *dev)
{
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	char path[300];
	unsigned int i;

	dev->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	CHECK(dev->iommufd >= 0);
	cdev_path(path, sizeof(path));
	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK(dev->fd >= 0);
	CHECK(bind_iommufd(dev->fd, dev->iommufd) == 0);
	CHECK(ioctl(dev->iommufd, IOMMU_IOAS_ALLOC, &alloc) == 0);
	dev->ioas = alloc.out_ioas_id;
	attach.pt_id = dev->ioas;
	CHECK(ioctl(dev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) == 0);

	for (i = 0; i <= CONFIG; i++) {
		struct vfio_region_info info = { .argsz = sizeof(info), .index = i };

		CHECK(ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &info) == 0);
		dev->offset[i] = info.offset;
		dev->size[i] = info.size;
	}
	config_write(dev, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void *map_bar(struct device *dev, int bar, __u64 offset, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd,
			 dev->offset[bar] + offset);

	CHECK(map != MAP_FAILED);
	return map;
}

static unsigned int find_cap(struct device *dev, __u8 id)
{
	unsigned int pos = config_read(dev, PCI_CAPABILITY_LIST) & 0xff;
	int ttl = 48;

	while (pos && ttl--) {
		__u16 head = config_read(dev, pos);

		if ((head & 0xff) == id)
			return pos;
		pos = head >> 8;
	}
	CHECK(!"capability found");
	return 0;
}

static void set_power_state(struct device *dev, __u16 state)
{
	unsigned int pos = find_cap(dev, PCI_CAP_ID_PM) + PCI_PM_CTRL;
	__u16 ctrl = config_read(dev, pos) & ~PCI_PM_CTRL_STATE_MASK;

	config_write(dev, pos, ctrl | state);
	CHECK((config_read(dev, pos) & PCI_PM_CTRL_STATE_MASK) == state);
}

static void low_power(struct device *dev, __u32 feature)
{
	struct vfio_device_feature arg = {
		.argsz = sizeof(arg), .flags = VFIO_DEVICE_FEATURE_SET | feature,
	};

	CHECK(ioctl(dev->fd, VFIO_DEVICE_FEATURE, &arg) == 0);
}

static void device_reset(struct device *dev)
{
	CHECK(ioctl(dev->fd, VFIO_DEVICE_RESET) == 0);
}

static void function_level_reset(struct device *dev)
{
	unsigned int pos = find_cap(dev, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL;

	config_write(dev, pos, config_read(dev, pos) | PCI_EXP_DEVCTL_BCR_FLR);
}

static void hot_reset(struct device *dev)
{
	struct vfio_pci_hot_reset reset = { .argsz = sizeof(reset) };

	CHECK(ioctl(dev->fd, VFIO_DEVICE_PCI_HOT_RESET, &reset) == 0);
}

/* -------- Tests -------- */

static void test_own_mapping(void)
{
	char path[300], name[300];
	struct device dev;
	void *map, *regs;
	__u32 val;

	open_device(&dev);
	map = map_bar(&dev, BAR2, page_size, page_size);
	regs = map_bar(&dev, BAR0, 0, page_size);

	/* That of BAR2 is of the device file, that of BAR0 of the core's DMA-BUF */
	cdev_path(path, sizeof(path));
	maps_name(map, name, sizeof(name));
	printf("# BAR2: %s\n", name);
	CHECK(!strcmp(name, path));
	maps_name(regs, name, sizeof(name));
	printf("# BAR0: %s\n", name);
	CHECK(strstr(name, "/dmabuf:") && strstr(name, bdf));

	CHECK_WRITES(map, 0x600d);
	CHECK_READS(0x600d, map);
	CHECK(pread(dev.fd, &val, sizeof(val), dev.offset[BAR2] + page_size) == sizeof(val));
	CHECK(val == 0x600d);

	CHECK(mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, dev.fd,
		   dev.offset[BAR2]) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, 2 * page_size, PROT_READ, MAP_SHARED, dev.fd,
		   dev.offset[BAR2] + dev.size[BAR2] - page_size) == MAP_FAILED &&
	      errno == EINVAL);
}

static void test_memory_disable(void)
{
	struct device dev;
	__u32 *map;
	long before;
	int i;

	open_device(&dev);
	map = map_bar(&dev, BAR2, 0, page_size);

	for (i = 0; i < 3; i++) {
		CHECK_WRITES(map, 0x100 + i);
		before = driver_faults();
		CHECK_READS(0x100 + i, map);
		CHECK(driver_faults() == before);

		set_memory(&dev, false);
		CHECK_SIGBUS(map);
		CHECK(driver_faults() == before);
		set_memory(&dev, true);

		CHECK_READS(0x100 + i, map);
		CHECK(driver_faults() == before + 1);
	}

	/* It can be mapped meanwhile, too */
	set_memory(&dev, false);
	CHECK(munmap(map, page_size) == 0);
	map = map_bar(&dev, BAR2, 0, page_size);
	CHECK_SIGBUS(map);
	set_memory(&dev, true);
	CHECK_READS(0x102, map);
}

/* Not only what is mapped from the first byte, and in entries of each size */
static void test_all_of_a_mapping(void)
{
	struct device dev;
	__u64 offset, size;
	size_t pos;
	long before, n;
	__u8 *map;

	open_device(&dev);
	offset = dev.size[BAR2] / 2;
	size = dev.size[BAR2] / 4;
	CHECK(size >= 2 * HUGE);

	/* Aligned such that huge entries are possible */
	map = mmap(NULL, size + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(map != MAP_FAILED);
	map = (__u8 *)(((uintptr_t)map + HUGE - 1) & ~(HUGE - 1));
	CHECK(mmap(map, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, dev.fd,
		   dev.offset[BAR2] + offset) == map);
	/* The second of two VMAs begins off the alignment */
	CHECK(munmap(map + HUGE, page_size) == 0);

	before = driver_faults();
	for (pos = 0; pos < 2 * HUGE; pos += page_size) {
		if (pos != HUGE)
			CHECK_WRITES(map + pos, 0xa11 + pos);
	}
	CHECK_WRITES(map + size - page_size, 0xe4d);
	n = driver_faults() - before;
	printf("# %ld entries for %zu pages\n", n, 2 * HUGE / page_size);

	set_memory(&dev, false);
	for (pos = 0; pos < 2 * HUGE; pos += page_size) {
		if (pos != HUGE)
			CHECK_SIGBUS(map + pos);
	}
	CHECK_SIGBUS(map + size - page_size);
	set_memory(&dev, true);

	before = driver_faults();
	for (pos = 0; pos < 2 * HUGE; pos += page_size) {
		if (pos != HUGE)
			CHECK_READS(0xa11 + pos, map + pos);
	}
	CHECK_READS(0xe4d, map + size - page_size);
	CHECK(driver_faults() - before == n);
}

/* A child has its parent's entries, in page tables of its own */
static void test_other_process(void)
{
	struct device dev;
	__u32 *map;
	int down[2], up[2], status;
	pid_t pid;
	char c;

	open_device(&dev);
	map = map_bar(&dev, BAR2, 0, page_size);
	CHECK_WRITES(map, 0xc41d);
	CHECK(pipe(down) == 0 && pipe(up) == 0);

	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
		CHECK_READS(0xc41d, map);
		CHECK(write(up[1], "r", 1) == 1 && read(down[0], &c, 1) == 1);
		CHECK_SIGBUS(map);
		CHECK(write(up[1], "b", 1) == 1 && read(down[0], &c, 1) == 1);
		CHECK_READS(0xc41d, map);
		exit(0);
	}
	close(up[1]);
	CHECK(read(up[0], &c, 1) == 1);
	set_memory(&dev, false);
	CHECK(write(down[1], "o", 1) == 1 && read(up[0], &c, 1) == 1);
	set_memory(&dev, true);
	CHECK(write(down[1], "O", 1) == 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void check_reset(void (*reset)(struct device *dev))
{
	__u32 *map, *regs;
	struct device dev;
	long before;
	int i;

	open_device(&dev);
	map = map_bar(&dev, BAR2, 0, page_size);
	regs = map_bar(&dev, BAR0, 0, page_size);

	for (i = 0; i < 2; i++) {
		CHECK_WRITES(map, 0x200 + i);
		CHECK_WRITES(regs + EDU_SCRATCH / sizeof(*regs), 0x5a5a5a5a);
		before = driver_faults();
		CHECK_READS(0x200 + i, map);
		CHECK(driver_faults() == before);

		reset(&dev);

		/* It was a reset, the entry had gone, and BAR2 keeps what it had */
		CHECK_READS(0, regs + EDU_SCRATCH / sizeof(*regs));
		CHECK_READS(0x200 + i, map);
		CHECK(driver_faults() == before + 1);
		CHECK_READS(0x200 + i, map);
		CHECK(driver_faults() == before + 1);
	}

	/* With memory off it stays off */
	set_memory(&dev, false);
	reset(&dev);
	CHECK_SIGBUS(map);
	set_memory(&dev, true);
	CHECK_READS(0x201, map);
}

static void test_device_reset(void)
{
	check_reset(device_reset);
}

static void test_function_level_reset(void)
{
	check_reset(function_level_reset);
}

static void test_hot_reset(void)
{
	check_reset(hot_reset);
}

static void test_d3hot(void)
{
	struct device dev;
	__u32 *map;
	long before;

	open_device(&dev);
	map = map_bar(&dev, BAR2, 0, page_size);
	CHECK_WRITES(map, 0xd3);
	before = driver_faults();

	set_power_state(&dev, 3);
	CHECK_SIGBUS(map);
	set_power_state(&dev, 0);
	CHECK_READS(0xd3, map);
	CHECK(driver_faults() == before + 1);

	/* Neither of two reasons ends the other */
	set_power_state(&dev, 3);
	set_memory(&dev, false);
	set_power_state(&dev, 0);
	CHECK_SIGBUS(map);
	set_memory(&dev, true);
	CHECK_READS(0xd3, map);

	/* A reset leaves D3hot as well */
	set_power_state(&dev, 3);
	CHECK_SIGBUS(map);
	device_reset(&dev);
	CHECK_READS(0xd3, map);
}

static void test_low_power(void)
{
	struct device dev;
	__u32 *map;
	long before;

	open_device(&dev);
	map = map_bar(&dev, BAR2, 0, page_size);
	CHECK_WRITES(map, 0x10);
	before = driver_faults();

	low_power(&dev, VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY);
	CHECK_SIGBUS(map);
	low_power(&dev, VFIO_DEVICE_FEATURE_LOW_POWER_EXIT);
	CHECK_READS(0x10, map);
	CHECK(driver_faults() == before + 1);
}

static int export_flags(struct device *dev, __u32 flags)
{
	struct {
		struct vfio_device_feature feature;
		struct vfio_device_feature_dma_buf dma_buf;
		struct vfio_region_dma_range range;
	} get = {
		.feature.argsz = sizeof(get),
		.feature.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF,
		.dma_buf.region_index = BAR2,
		.dma_buf.open_flags = O_RDWR | O_CLOEXEC,
		.dma_buf.flags = flags,
		.dma_buf.nr_ranges = 1,
		.range = { .offset = SLICE_OFFSET, .length = SLICE_SIZE },
	};

	return ioctl(dev->fd, VFIO_DEVICE_FEATURE, &get);
}

static int export_slice(struct device *dev, __u32 attr)
{
	return export_flags(dev, attr << VFIO_DEVICE_FEATURE_DMA_BUF_ATTR_SHIFT);
}

static int map_slice(struct device *dev, int fd)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = dev->ioas,
		.fd = fd,
		.length = SLICE_SIZE,
		.iova = SLICE_IOVA,
	};

	return ioctl(dev->iommufd, IOMMU_IOAS_MAP_FILE, &map);
}

static int unmap_slice(struct device *dev)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = dev->ioas,
		.iova = SLICE_IOVA,
		.length = SLICE_SIZE,
	};

	return ioctl(dev->iommufd, IOMMU_IOAS_UNMAP, &unmap);
}

/* The device copies one word of BAR2 into the slice, by way of the IOMMU */
static bool dma_to_slice(struct device *dev, __u64 from)
{
	static const struct {
		unsigned int reg;
		__u64 val;
	} setup[] = {
		{ EDU_DMA_DST, SLICE_IOVA },
		{ EDU_DMA_LEN, sizeof(__u32) },
		{ EDU_DMA_COUNT, 1 },
	};
	__u32 val = DMA_FROM_BAR2;
	unsigned int i;

	CHECK(pwrite(dev->fd, &from, 8, dev->offset[BAR0] + EDU_DMA_SRC) == 8);
	for (i = 0; i < ARRAY_SIZE(setup); i++)
		CHECK(pwrite(dev->fd, &setup[i].val, 8,
			     dev->offset[BAR0] + setup[i].reg) == 8);
	CHECK(pwrite(dev->fd, &val, 4, dev->offset[BAR0] + EDU_DMA_CMD) == 4);
	do {
		CHECK(pread(dev->fd, &val, 4, dev->offset[BAR0] + EDU_DMA_STATUS) == 4);
	} while (val & DMA_BUSY);
	return val & DMA_DONE;
}

/*
 * User space cannot map what such a driver exports; devices can. Memory off is off
 * for both, and for BAR0, which the core maps.
 */
static void test_dmabuf_beside(void)
{
	__u32 *map, *slice, *regs;
	struct device dev;
	long before;
	int fd, i;

	open_device(&dev);
	fd = export_slice(&dev, VFIO_DEVICE_FEATURE_DMA_BUF_ATTR_UC);
	CHECK(fd >= 0);
	CHECK(mmap(NULL, SLICE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED &&
	      errno == EINVAL);
	CHECK(export_slice(&dev, VFIO_DEVICE_FEATURE_DMA_BUF_ATTR_WC) < 0 &&
	      errno == EOPNOTSUPP);
#ifdef VFIO_DEVICE_FEATURE_DMA_BUF_CPU_ONLY
	/* Neither processes nor devices could use it. */
	CHECK(export_flags(&dev, VFIO_DEVICE_FEATURE_DMA_BUF_CPU_ONLY) < 0 &&
	      errno == EOPNOTSUPP);
#endif

	map = map_bar(&dev, BAR2, 0, 2 * SLICE_OFFSET);
	slice = map + SLICE_OFFSET / sizeof(*map);
	regs = map_bar(&dev, BAR0, 0, page_size);

	for (i = 0; i < 2; i++) {
		CHECK(map_slice(&dev, fd) == 0);
		CHECK_WRITES(map, 0xd0 + i);
		CHECK_WRITES(slice, 0);
		CHECK_WRITES(regs + EDU_SCRATCH / sizeof(*regs), 0x600d);
		CHECK(dma_to_slice(&dev, 0));
		CHECK_READS(0xd0 + i, slice);

		before = driver_faults();
		set_memory(&dev, false);
		CHECK_SIGBUS(map);
		CHECK_SIGBUS(slice);
		CHECK_SIGBUS(regs);
		CHECK(map_slice(&dev, fd) < 0);
		set_memory(&dev, true);

		/* What was mapped for the device does not come back by itself */
		CHECK(!dma_to_slice(&dev, 0));
		CHECK(unmap_slice(&dev) == 0);
		CHECK_READS(0xd0 + i, map);
		CHECK_READS(0xd0 + i, slice);
		CHECK(driver_faults() > before);
		CHECK_READS(0x600d, regs + EDU_SCRATCH / sizeof(*regs));
	}
}

static void test_dmabuf_revoke(void)
{
	struct vfio_pci_dmabuf_revoke revoke = { .argsz = sizeof(revoke) };
	struct device dev;
	__u32 *map;
	long before;

	open_device(&dev);
	revoke.dmabuf_fd = export_slice(&dev, VFIO_DEVICE_FEATURE_DMA_BUF_ATTR_UC);
	CHECK(revoke.dmabuf_fd >= 0);
	map = map_bar(&dev, BAR2, SLICE_OFFSET, SLICE_SIZE);
	CHECK_WRITES(map, 0x4e);
	CHECK(map_slice(&dev, revoke.dmabuf_fd) == 0);
	before = driver_faults();

	CHECK(ioctl(dev.fd, VFIO_DEVICE_PCI_DMABUF_REVOKE, &revoke) == 0);
	CHECK(!dma_to_slice(&dev, SLICE_OFFSET));
	CHECK_READS(0x4e, map);
	CHECK(driver_faults() == before);
}

#define RACE_PAGES 16

static bool race_stop;

static void *race_thread(void *arg)
{
	__u8 *map = arg;
	__u32 val;
	int i;

	while (!__atomic_load_n(&race_stop, __ATOMIC_RELAXED)) {
		for (i = 0; i < RACE_PAGES; i++)
			touch_read(map + i * page_size, &val);
	}
	return NULL;
}

/* Memory is off for a thread that faults all the time, too */
static void test_race(void)
{
	struct device dev;
	pthread_t thread;
	__u32 val;
	__u8 *map;
	int i, j, k;

	open_device(&dev);
	map = map_bar(&dev, BAR2, 0, RACE_PAGES * page_size);
	for (j = 0; j < RACE_PAGES; j++)
		CHECK_WRITES(map + j * page_size, 0x4ace + j);
	CHECK(pthread_create(&thread, NULL, race_thread, map) == 0);

	for (i = 0; i < 50; i++) {
		set_memory(&dev, false);
		for (k = 0; k < 2; k++) {
			for (j = 0; j < RACE_PAGES; j++)
				CHECK(touch_read(map + j * page_size, &val) == SIGBUS);
		}
		set_memory(&dev, true);
		for (j = 0; j < RACE_PAGES; j++)
			CHECK_READS(0x4ace + j, map + j * page_size);
		if (i % 10 == 0)
			device_reset(&dev);
	}
	__atomic_store_n(&race_stop, true, __ATOMIC_RELAXED);
	CHECK(pthread_join(thread, NULL) == 0);
}

/* The mapping keeps the device open, as it does for vfio-pci */
static void test_close(void)
{
	struct device dev, again;
	char path[300];
	__u8 *map;
	long before;

	open_device(&dev);
	map = map_bar(&dev, BAR2, 0, 2 * page_size);
	CHECK_WRITES(map, 0xc105e);
	CHECK(close(dev.fd) == 0 && close(dev.iommufd) == 0);

	before = driver_faults();
	CHECK_READS(0xc105e, map);
	CHECK_WRITES(map + page_size, 0xc105e2);
	CHECK_READS(0xc105e2, map + page_size);
	CHECK(driver_faults() == before + 1);

	cdev_path(path, sizeof(path));
	again.iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	again.fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK(again.iommufd >= 0 && again.fd >= 0);
	CHECK(bind_iommufd(again.fd, again.iommufd) < 0);
	CHECK_READS(0xc105e, map);

	CHECK(munmap(map, 2 * page_size) == 0);
	CHECK(bind_iommufd(again.fd, again.iommufd) == 0);
}

/* Removing the driver waits for the mapping */
static void test_unbind(void)
{
	int go[2], status;
	struct device dev;
	__u32 *map;
	pid_t pid;
	char c;

	/* A child that inherits neither the files nor the mapping */
	CHECK(pipe(go) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
		CHECK(read(go[0], &c, 1) == 1);
		CHECK(bind_to("vfio-pci") == 0);
		exit(0);
	}
	open_device(&dev);
	map = map_bar(&dev, BAR2, 0, page_size);
	CHECK(close(dev.fd) == 0 && close(dev.iommufd) == 0);
	CHECK(write(go[1], "u", 1) == 1);
	usleep(500000);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	CHECK_WRITES(map, 0x0b1d);
	CHECK_READS(0x0b1d, map);

	CHECK(munmap(map, page_size) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(bind_to("own-mmap") == 0);
}

/* Left to exit() */
static void test_exit(void)
{
	struct device dev;
	__u32 *map;

	open_device(&dev);
	map = map_bar(&dev, BAR2, 0, page_size);
	CHECK_WRITES(map, 0xe817);
	set_power_state(&dev, 3);
}

static void test_bind(void)
{
	CHECK(bind_to("own-mmap") == 0);
}

static void test_bind_back(void)
{
	struct device dev;
	char name[300];
	__u32 *map;
	long before = driver_faults();

	CHECK(bind_to("vfio-pci") == 0);
	open_device(&dev);
	map = map_bar(&dev, BAR2, 0, page_size);
	maps_name(map, name, sizeof(name));
	CHECK(strstr(name, "/dmabuf:"));
	CHECK_READS(0xe817, map);
	CHECK(driver_faults() == before);
}

static const struct {
	const char *name;
	void (*fn)(void);
} tests[] = {
	{ "bind the driver with its own mmap()", test_bind },
	{ "the mapping is the driver's own", test_own_mapping },
	{ "memory disable zaps it", test_memory_disable },
	{ "memory disable zaps all of it", test_all_of_a_mapping },
	{ "memory disable zaps it in another process", test_other_process },
	{ "memory disable against faults", test_race },
	{ "VFIO_DEVICE_RESET zaps it", test_device_reset },
	{ "function level reset zaps it", test_function_level_reset },
	{ "VFIO_DEVICE_PCI_HOT_RESET zaps it", test_hot_reset },
	{ "D3hot zaps it", test_d3hot },
	{ "low power entry zaps it", test_low_power },
	{ "memory disable takes it and a DMA-BUF beside it", test_dmabuf_beside },
	{ "revoking a DMA-BUF leaves it", test_dmabuf_revoke },
	{ "it outlives the device's file descriptor", test_close },
	{ "unbind waits for it", test_unbind },
	{ "exit with it mapped", test_exit },
	{ "bind vfio-pci again", test_bind_back },
};

static bool run(void (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return false;
	if (!pid) {
		alarm(TIMEOUT);
		fn();
		exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return false;
	if (WIFSIGNALED(status))
		printf("# signal %d\n", WTERMSIG(status));
	return status == 0;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = touch_handler, .sa_flags = SA_NODEFER };
	unsigned int i, failed = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s BDF\n", argv[0]);
		return 2;
	}
	bdf = argv[1];
	page_size = sysconf(_SC_PAGESIZE);
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);

	printf("TAP version 13\n1..%zu\n", ARRAY_SIZE(tests));
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		bool ok = run(tests[i].fn);

		failed += !ok;
		printf("%sok %u - %s\n", ok ? "" : "not ", i + 1, tests[i].name);
	}
	/* Also if a test ended half way */
	if (bind_to("vfio-pci"))
		failed++;
	return failed != 0;
}
