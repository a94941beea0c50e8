// SPDX-License-Identifier: GPL-2.0
/*
 * init of the 32-bit guest (tests/i386.sh), and all of its user space: there is no
 * 32-bit libc in the build root, so this is built with the kernel's nolibc.
 *
 * Runs KUnit suites and then tests of BAR mappings, in kselftest's form of TAP, on
 * the channel that guest/init uses.
 *
 * A 32-bit kernel lets no mmap() of a device file begin at 4G or above, see
 * file_mmap_size_max(), and BAR1 is at 1T. So only BAR0 can be mapped. That of
 * edu-plus has registers; for memory there is that of bochs-display.
 */
#include <linux/pci_regs.h>
#include <linux/reboot.h>
#include <linux/vfio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PAGE_SIZE	4096U

/* Registers of edu-plus in BAR0, see its docs/specs; its BAR2 is memory. */
#define EDU_ID		0x00
#define EDU_ID_VALUE	0x2b756465
#define EDU_SCRATCH	0x10
#define EDU_LIVENESS	0x18
#define EDU_BAR0_SIZE	0x10000U
#define EDU_BAR2_SIZE	0x4000000U

#define MEM_SIZE	0x1000000U

typedef volatile uint32_t reg;

static int tap;
static char edu[32], mem[32];	/* PCI addresses */

#define say(...) dprintf(tap, __VA_ARGS__)

/* A test is a process of its own, which this ends. */
#define CHECK(cond) do {							\
	if (!(cond)) {								\
		say("# # line %d: %s; errno %d\n", __LINE__, #cond, errno);	\
		exit(1);							\
	}									\
} while (0)

static bool read_file(const char *path, char *buf, size_t size)
{
	ssize_t n, len = 0;
	int fd;

	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	while ((n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	close(fd);
	buf[len] = 0;
	return n == 0;
}

static bool write_file(const char *path, const char *text)
{
	ssize_t len = strlen(text);
	bool ok;
	int fd;

	fd = open(path, O_WRONLY);
	if (fd < 0)
		return false;
	ok = write(fd, text, len) == len;
	close(fd);
	return ok;
}

/* The first entry of a directory for which @want, if any, says so. */
static bool find(const char *dir, bool (*want)(const char *name, const void *arg),
		 const void *arg, char *name, size_t size)
{
	struct dirent entry, *e;
	bool found = false;
	DIR *d;

	d = opendir(dir);
	if (!d)
		return false;
	while (!readdir_r(d, &entry, &e) && e) {
		if (e->d_name[0] == '.' || (want && !want(e->d_name, arg)))
			continue;
		if (!found || strcmp(e->d_name, name) < 0)
			strlcpy(name, e->d_name, size);
		found = true;
	}
	closedir(d);
	return found;
}

/* -------- The device -------- */

static int container, group, device;

static void open_device(const char *bdf)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[64], link[128] = "", *nr;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	CHECK(syscall(__NR_readlink, path, link, sizeof(link) - 1) > 0);
	nr = strrchr(link, '/') + 1;
	snprintf(path, sizeof(path), "/dev/vfio/%s", nr);

	container = open("/dev/vfio/vfio", O_RDWR);
	CHECK(container >= 0);
	group = open(path, O_RDWR);
	CHECK(group >= 0);
	CHECK(!ioctl(group, VFIO_GROUP_GET_STATUS, &status));
	CHECK(status.flags & VFIO_GROUP_FLAGS_VIABLE);
	CHECK(!ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
	CHECK(!ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	CHECK(device >= 0);
}

static void close_device(void)
{
	CHECK(!close(device));
	CHECK(!close(group));
	CHECK(!close(container));
}

static struct vfio_region_info region(unsigned int index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	CHECK(!ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info));
	return info;
}

static void *map_bar(unsigned int bar, uint32_t offset, size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, device,
		    region(bar).offset + offset);
}

static void *must_map(uint32_t offset, size_t size)
{
	void *map = map_bar(0, offset, size);

	CHECK(map != MAP_FAILED);
	return map;
}

/* By read() and write() of the device, at offsets of 64 bits. */
static int region_read(unsigned int index, uint32_t offset, void *buf, size_t len)
{
	uint64_t pos = region(index).offset + offset;

	return syscall(__NR_pread64, device, buf, len, (uint32_t)pos, (uint32_t)(pos >> 32));
}

static int region_write(unsigned int index, uint32_t offset, const void *buf, size_t len)
{
	uint64_t pos = region(index).offset + offset;

	return syscall(__NR_pwrite64, device, buf, len, (uint32_t)pos, (uint32_t)(pos >> 32));
}

static uint32_t peek(unsigned int bar, uint32_t offset)
{
	uint32_t v;

	CHECK(region_read(bar, offset, &v, sizeof(v)) == sizeof(v));
	return v;
}

static void poke(unsigned int bar, uint32_t offset, uint32_t v)
{
	CHECK(region_write(bar, offset, &v, sizeof(v)) == sizeof(v));
}

static void set_memory(bool on)
{
	uint16_t cmd;

	CHECK(region_read(VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &cmd, 2) == 2);
	cmd = on ? cmd | PCI_COMMAND_MEMORY : cmd & ~PCI_COMMAND_MEMORY;
	CHECK(region_write(VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &cmd, 2) == 2);
}

/* The signal that ended a process, or 256 and more for its exit status, or 0. */
static int end_of(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	return WTERMSIG(status) ?: status;
}

static int signal_of_read(reg *p)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		(void)*p;
		exit(0);
	}
	return end_of(pid);
}

/* -------- Tests -------- */

static void region_info(void)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	const uint32_t flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
			       VFIO_REGION_INFO_FLAG_MMAP;

	open_device(edu);
	CHECK(!ioctl(device, VFIO_DEVICE_GET_INFO, &info));
	CHECK(info.num_regions == VFIO_PCI_NUM_REGIONS);
	CHECK(info.flags & VFIO_DEVICE_FLAGS_RESET);
	CHECK(region(0).flags == flags);
	CHECK(region(0).offset == 0);
	CHECK(region(0).size == EDU_BAR0_SIZE);
	CHECK(region(2).flags == flags);
	CHECK(region(2).offset == 2ULL << 40);
	CHECK(region(2).size == EDU_BAR2_SIZE);
	CHECK(region(1).size == 0);
}

/* Registers are those of the device, by the mapping and by read() and write(). */
static void registers(void)
{
	reg *map;

	open_device(edu);
	map = must_map(0, EDU_BAR0_SIZE);
	CHECK(map[EDU_ID / 4] == EDU_ID_VALUE);
	CHECK(peek(0, EDU_ID) == EDU_ID_VALUE);
	map[EDU_SCRATCH / 4] = 0x12345678;
	CHECK(peek(0, EDU_SCRATCH) == 0x12345678);
	poke(0, EDU_SCRATCH, 0x9abcdef0);
	CHECK(map[EDU_SCRATCH / 4] == 0x9abcdef0);
	map[EDU_LIVENESS / 4] = 0x00ff55aa;
	CHECK(map[EDU_LIVENESS / 4] == ~0x00ff55aaU);
	CHECK(!munmap((void *)map, EDU_BAR0_SIZE));
}

/* Each page of a large mapping is in its place. */
static void memory(void)
{
	uint32_t i;
	reg *map;

	open_device(mem);
	CHECK(region(0).size == MEM_SIZE);
	map = must_map(0, MEM_SIZE);
	for (i = 0; i < MEM_SIZE; i += PAGE_SIZE)
		map[i / 4] = i ^ 0xa5000000;
	for (i = 0; i < MEM_SIZE; i += 64 * PAGE_SIZE)
		CHECK(peek(0, i) == (i ^ 0xa5000000));
	for (i = 0; i < MEM_SIZE; i += 64 * PAGE_SIZE)
		poke(0, i + PAGE_SIZE - 4, i ^ 0x5a000000);
	for (i = 0; i < MEM_SIZE; i += PAGE_SIZE)
		CHECK(map[i / 4] == (i ^ 0xa5000000));
	for (i = 0; i < MEM_SIZE; i += 64 * PAGE_SIZE)
		CHECK(map[(i + PAGE_SIZE) / 4 - 1] == (i ^ 0x5a000000));
}

/* A mapping of a part shows that part; beyond the BAR there is nothing. */
static void offset(void)
{
	static const uint32_t offsets[] = {
		0, PAGE_SIZE, 0x123000, 0x200000, MEM_SIZE - 2 * PAGE_SIZE,
	};
	unsigned int i;
	reg *map;

	open_device(mem);
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		poke(0, offsets[i], 0xc0ffee00 + i);
		poke(0, offsets[i] + 2 * PAGE_SIZE - 4, 0xbeef0000 + i);
		map = must_map(offsets[i], 2 * PAGE_SIZE);
		CHECK(map[0] == 0xc0ffee00 + i);
		CHECK(map[2 * PAGE_SIZE / 4 - 1] == 0xbeef0000 + i);
		map[1] = i;
		CHECK(peek(0, offsets[i] + 4) == i);
		CHECK(!munmap((void *)map, 2 * PAGE_SIZE));
	}
	CHECK(map_bar(0, MEM_SIZE, PAGE_SIZE) == MAP_FAILED && errno == EINVAL);
	CHECK(map_bar(0, MEM_SIZE - PAGE_SIZE, 2 * PAGE_SIZE) == MAP_FAILED && errno == EINVAL);
}

/* What is left of a mapping, or moved, shows what it did. */
static void unmap_and_move(void)
{
	reg *map, *moved;
	unsigned int i;

	open_device(mem);
	for (i = 0; i < 8; i++)
		poke(0, (16 + i) * PAGE_SIZE, 0x1000 + i);
	map = must_map(16 * PAGE_SIZE, 8 * PAGE_SIZE);
	CHECK(map[PAGE_SIZE / 4] == 0x1001);
	CHECK(!munmap((char *)map + 2 * PAGE_SIZE, PAGE_SIZE));
	CHECK(map[PAGE_SIZE / 4] == 0x1001);
	CHECK(signal_of_read(map + 2 * PAGE_SIZE / 4) == SIGSEGV);
	CHECK(map[3 * PAGE_SIZE / 4] == 0x1003);
	moved = must_map(0, 4 * PAGE_SIZE);
	CHECK(mremap((char *)map + 4 * PAGE_SIZE, 4 * PAGE_SIZE, 4 * PAGE_SIZE,
		     MREMAP_MAYMOVE | MREMAP_FIXED, (void *)moved) == (void *)moved);
	for (i = 0; i < 4; i++)
		CHECK(moved[i * PAGE_SIZE / 4] == 0x1004 + i);
}

/* The limit of 32 bits, on any kernel. BAR2 is there all the same. */
static void bar2(void)
{
	open_device(edu);
	CHECK(map_bar(2, 0, PAGE_SIZE) == MAP_FAILED && errno == EOVERFLOW);
	poke(2, EDU_BAR2_SIZE - 4, 0x22222222);
	CHECK(peek(2, EDU_BAR2_SIZE - 4) == 0x22222222);
}

/* Without memory nobody gets at it, however often they had before. */
static void memory_off(void)
{
	int go[2];
	pid_t pid;
	char c;
	reg *map;

	open_device(mem);
	map = must_map(0x40000, 16 * PAGE_SIZE);
	map[0] = 0x600d;
	CHECK(!pipe(go));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		CHECK(map[0] == 0x600d);
		CHECK(read(go[0], &c, 1) == 1);
		(void)map[0];
		exit(0);
	}
	CHECK(!signal_of_read(map));

	set_memory(false);
	CHECK(write(go[1], "", 1) == 1);
	CHECK(end_of(pid) == SIGBUS);
	CHECK(signal_of_read(map) == SIGBUS);
	CHECK(signal_of_read(map + 15 * PAGE_SIZE / 4) == SIGBUS);
	CHECK(region_read(0, 0x40000, &c, 1) == -1 && errno == EIO);

	set_memory(true);
	CHECK(map[0] == 0x600d);
	CHECK(!signal_of_read(map + 15 * PAGE_SIZE / 4));
}

/* The mapping stays, the registers do not. */
static void reset(void)
{
	reg *map;

	open_device(edu);
	map = must_map(0, EDU_BAR0_SIZE);
	map[EDU_SCRATCH / 4] = 0x12345678;
	CHECK(map[EDU_SCRATCH / 4] == 0x12345678);
	CHECK(!ioctl(device, VFIO_DEVICE_RESET, NULL));
	CHECK(map[EDU_SCRATCH / 4] == 0);
	map[EDU_LIVENESS / 4] = 0x00ff55aa;
	CHECK(map[EDU_LIVENESS / 4] == ~0x00ff55aaU);
}

/* A mapping alone keeps the device open. */
static void closed(void)
{
	int go[2];
	pid_t pid;
	char c;
	reg *map;

	open_device(mem);
	map = must_map(PAGE_SIZE, 2 * PAGE_SIZE);
	map[0] = 0xc105ed;
	CHECK(!pipe(go));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		close_device();
		CHECK(read(go[0], &c, 1) == 1);
		CHECK(map[0] == 0xc105ed);
		/* A page that no one had touched */
		map[PAGE_SIZE / 4] = 1;
		CHECK(map[PAGE_SIZE / 4] == 1);
		CHECK(!munmap((void *)map, 2 * PAGE_SIZE));
		exit(0);
	}
	CHECK(!munmap((void *)map, 2 * PAGE_SIZE));
	close_device();
	CHECK(write(go[1], "", 1) == 1);
	CHECK(end_of(pid) == 0);

	/* And nothing else does. */
	open_device(mem);
	map = must_map(PAGE_SIZE, PAGE_SIZE);
	map[0] = 2;
	CHECK(peek(0, PAGE_SIZE) == 2);
}

/* No ZONE_DEVICE, no PCI_P2PDMA, no exported DMA-BUFs. */
static void no_export(void)
{
	union {
		struct vfio_device_feature feature;
		char room[64];
	} u = { .feature.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF };
	struct vfio_device_feature_dma_buf *get = (void *)u.feature.data;
	struct vfio_pci_dmabuf_revoke revoke = { .argsz = sizeof(revoke) };

	open_device(edu);
	u.feature.argsz = sizeof(u.feature) + sizeof(*get) + sizeof(get->dma_ranges[0]);
	get->region_index = 2;
	get->open_flags = O_RDWR | O_CLOEXEC;
	get->nr_ranges = 1;
	get->dma_ranges[0].length = PAGE_SIZE;
	CHECK(ioctl(device, VFIO_DEVICE_FEATURE, &u) == -1 && errno == ENOTTY);
	u.feature.flags |= VFIO_DEVICE_FEATURE_PROBE;
	CHECK(ioctl(device, VFIO_DEVICE_FEATURE, &u) == -1 && errno == ENOTTY);
	revoke.dmabuf_fd = device;
	CHECK(ioctl(device, VFIO_DEVICE_PCI_DMABUF_REVOKE, &revoke) == -1 && errno == ENOTTY);
}

/* /proc/<pid>/maps tells device, function, BAR and offset of a mapping. */
static void name_in_maps(void)
{
	char path[64], name[32], text[96], *line;
	static char maps[8192];
	void *map;

	open_device(mem);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", mem);
	CHECK(find(path, NULL, NULL, name, sizeof(name)));
	map = must_map(0x123000, 2 * PAGE_SIZE);
	CHECK(read_file("/proc/self/maps", maps, sizeof(maps)));

	snprintf(text, sizeof(text), "%08lx-%08lx rw-s 00123000 ", (unsigned long)map,
		 (unsigned long)map + 2 * PAGE_SIZE);
	line = strstr(maps, text);
	CHECK(line);
	*strchr(line, '\n') = 0;
	snprintf(text, sizeof(text), " /dmabuf:%s/%s/BAR0", name, mem);
	CHECK(strlen(line) > strlen(text));
	CHECK(!strcmp(line + strlen(line) - strlen(text), text));
}

/* A mapping can be mapped for DMA: that is how guests see each other's BARs. */
static void dma_map(void)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = 0x10000000,
		.size = 16 * PAGE_SIZE,
	};
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.iova = unmap.iova,
		.size = unmap.size,
	};

	open_device(mem);
	map.vaddr = (uintptr_t)must_map(PAGE_SIZE, map.size);
	CHECK(!ioctl(container, VFIO_IOMMU_MAP_DMA, &map));
	CHECK(ioctl(container, VFIO_IOMMU_MAP_DMA, &map) == -1 && errno == EEXIST);
	CHECK(!ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap));
	CHECK(unmap.size == map.size);
}

/* Whichever allocation of an mmap() fails, nothing is left of it. */
static void fail_nth(void)
{
	int fd, nth, err, failed = 0;
	bool injected = true;
	char buf[16];
	reg *map;

	CHECK(write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N"));
	CHECK(write_file("/sys/kernel/debug/failslab/verbose", "0"));
	open_device(mem);
	fd = open("/proc/self/fail-nth", O_RDWR);
	CHECK(fd >= 0);
	for (nth = 1; injected; nth++) {
		CHECK(nth < 100);
		snprintf(buf, sizeof(buf), "%d", nth);
		CHECK(write(fd, buf, strlen(buf)) > 0);
		map = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
		err = errno;
		/* That itself may be what fails. Then nothing has failed before. */
		injected = syscall(__NR_pread64, fd, buf, 1, 0, 0) == 1 && buf[0] == '0';
		if (write(fd, "0", 1) != 1)
			CHECK(write(fd, "0", 1) == 1);
		if (map == MAP_FAILED) {
			CHECK(injected && err == ENOMEM);
			failed++;
			continue;
		}
		map[0] = nth;
		CHECK(peek(0, 0) == (uint32_t)nth);
		CHECK(!munmap((void *)map, PAGE_SIZE));
	}
	CHECK(failed);
	/* No reference is left, or the group could not be opened again. */
	close_device();
	open_device(mem);
}

static const struct {
	const char *name;
	void (*fn)(void);
} tests[] = {
#define TEST(fn) { #fn, fn }
	TEST(region_info), TEST(registers), TEST(memory), TEST(offset),
	TEST(unmap_and_move), TEST(bar2), TEST(memory_off), TEST(reset), TEST(closed),
	TEST(no_export), TEST(name_in_maps), TEST(dma_map), TEST(fail_nth),
};

/* -------- The programs of the run -------- */

static bool bar_mmap(int nr)
{
	unsigned int i;
	bool all = true;
	pid_t pid;
	int end;

	say("# selftests: i386: bar-mmap\n# 1..%d\n", (int)ARRAY_SIZE(tests));
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		pid = fork();
		if (!pid) {
			tests[i].fn();
			exit(0);
		}
		end = pid > 0 ? end_of(pid) : -1;
		if (end && end < 256)
			say("# # ended by signal %d\n", end);
		all &= !end;
		say("# %s %d %s\n", end ? "not ok" : "ok", i + 1, tests[i].name);
	}
	say("%s %d selftests: i386: bar-mmap\n", all ? "ok" : "not ok", nr);
	return all;
}

/* What guest/kunit does. */
static bool kunit(int nr, const char *suite)
{
	static char results[65536];
	char path[64], *line, *end;
	bool ok = false;

	say("# selftests: kunit: %s\n", suite);
	snprintf(path, sizeof(path), "/sys/kernel/debug/kunit/%s/run", suite);
	write_file(path, "1\n");
	snprintf(path, sizeof(path), "/sys/kernel/debug/kunit/%s/results", suite);
	if (read_file(path, results, sizeof(results))) {
		for (line = results; (end = strchr(line, '\n')); line = end + 1) {
			*end = 0;
			if (!strncmp(line, "    ", 4))
				say("# %s\n", line + 4);
			/* The line for the suite is the last. */
			ok = !strncmp(line, "ok ", 3);
		}
	}
	say("%s %d selftests: kunit: %s\n", ok ? "ok" : "not ok", nr, suite);
	return ok;
}

static bool is_tap(const char *port, const void *arg)
{
	char path[64], name[16];

	snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", port);
	return read_file(path, name, sizeof(name)) && !strcmp(name, "tap\n");
}

static void open_tap(void)
{
	char port[32], path[64] = "/dev/console";
	int i;

	/* The device tells its name some time after it was found. */
	for (i = 0; i < 100; i++) {
		if (find("/sys/class/virtio-ports", is_tap, NULL, port, sizeof(port))) {
			snprintf(path, sizeof(path), "/dev/%s", port);
			break;
		}
		msleep(100);
	}
	tap = open(path, O_WRONLY);
}

static bool has_id(const char *bdf, const void *id)
{
	char path[64], buf[16];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vendor", bdf);
	if (!read_file(path, buf, sizeof(buf)) || strcmp(buf, "0x1234\n"))
		return false;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/device", bdf);
	return read_file(path, buf, sizeof(buf)) && !strcmp(buf, id);
}

static void bind(const char *id, char *bdf, size_t size)
{
	char path[64];

	if (!find("/sys/bus/pci/devices", has_id, id, bdf, size)) {
		say("# no device 1234, %s", id);
		return;
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", bdf);
	if (!write_file(path, "vfio-pci") || !write_file("/sys/bus/pci/drivers_probe", bdf))
		say("# %s: no vfio-pci, errno %d\n", bdf, errno);
}

int main(void)
{
	static const char *const suites[] = { "vfio_pci_dmabuf", "vmap_sgtable" };
	bool ok = true;
	unsigned int i;

	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	open_tap();
	bind("0x11e9\n", edu, sizeof(edu));
	bind("0x1111\n", mem, sizeof(mem));

	say("TAP version 13\n1..%d\n", (int)ARRAY_SIZE(suites) + 1);
	for (i = 0; i < ARRAY_SIZE(suites); i++)
		ok &= kunit(i + 1, suites[i]);
	ok &= bar_mmap(i + 1);
	say("# job: exit %d\n", !ok);
	close(tap);
	syscall(__NR_sync);
	reboot(LINUX_REBOOT_CMD_POWER_OFF);
	return 1;
}
