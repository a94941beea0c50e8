// SPDX-License-Identifier: GPL-2.0-only
/*
 * importer-test BDF: tests that vfio-pci waits for an importer that takes its time,
 * and that nobody else has to. BDF is an edu-plus device bound to vfio-pci; the
 * importer is /dev/importer, whose DMA is that of the device itself, so that peer to
 * peer DMA is possible on any machine. Prints TAP.
 *
 * Each test is a process of its own that opens the device. What has to wait is called
 * in a child, and must not have returned after SETTLE; what must not wait has PROMPT.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "importer.h"

#define __unused	__attribute__((unused))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
/* A register of edu-plus, see QEMU's docs/specs/edu-plus.rst */
#define EDU_SCRATCH	0x10
#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define TIMEOUT		120
/* In milliseconds */
#define SETTLE		1000
#define PROMPT		20000

struct device {
	int fd;
	int iommufd;
	__u64 offset[VFIO_PCI_NUM_REGIONS];
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

/* Return 0, or the errno of binding it, which is what opens the device */
static int try_open_device(struct device *dev)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	char path[300];
	int err;

	dev->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	CHECK(dev->iommufd >= 0);
	cdev_path(path, sizeof(path));
	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK(dev->fd >= 0);
	bind.iommufd = dev->iommufd;
	if (ioctl(dev->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind)) {
		err = errno;
		close(dev->fd);
		close(dev->iommufd);
		return err;
	}
	return 0;
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

static void open_device(struct device *dev)
{
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	unsigned int i;

	CHECK(try_open_device(dev) == 0);
	CHECK(ioctl(dev->iommufd, IOMMU_IOAS_ALLOC, &alloc) == 0);
	attach.pt_id = alloc.out_ioas_id;
	CHECK(ioctl(dev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) == 0);

	for (i = 0; i <= CONFIG; i++) {
		struct vfio_region_info info = { .argsz = sizeof(info), .index = i };

		CHECK(ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &info) == 0);
		dev->offset[i] = info.offset;
	}
	config_write(dev, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void close_device(struct device *dev)
{
	close(dev->fd);
	close(dev->iommufd);
}

static void set_memory(struct device *dev, bool on)
{
	__u16 cmd = config_read(dev, PCI_COMMAND) & ~PCI_COMMAND_MEMORY;

	config_write(dev, PCI_COMMAND, cmd | (on ? PCI_COMMAND_MEMORY : 0));
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

/* What the device itself says, whoever has it open */
static bool memory_decoded(void)
{
	char path[300];
	__u16 cmd;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK(pread(fd, &cmd, sizeof(cmd), PCI_COMMAND) == sizeof(cmd));
	close(fd);
	return cmd & PCI_COMMAND_MEMORY;
}

/* A register of BAR0 that a reset clears, as sysfs has it, whoever has the device open */
static volatile __u32 *map_scratch(void)
{
	volatile __u32 *map;
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0);
	map = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	close(fd);
	return map + EDU_SCRATCH / sizeof(*map);
}

/* A lease of one page of BAR2 */
static int export_page(struct device *dev, unsigned int page)
{
	struct {
		struct vfio_device_feature hdr;
		struct vfio_device_feature_dma_buf dma_buf;
		struct vfio_region_dma_range range;
	} arg = {
		.hdr = { .argsz = sizeof(arg),
			 .flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF },
		.dma_buf = { .region_index = BAR2, .open_flags = O_RDWR | O_CLOEXEC,
			     .nr_ranges = 1 },
		.range = { .offset = page * page_size, .length = page_size },
	};
	int fd = ioctl(dev->fd, VFIO_DEVICE_FEATURE, &arg);

	CHECK(fd >= 0);
	return fd;
}

static volatile __u32 *map_page(int fd, off_t offset)
{
	void *map = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	CHECK(map != MAP_FAILED);
	return map;
}

/* -------- Importer -------- */

static int open_importer(void)
{
	int fd = open("/dev/importer", O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static int importer_ioctl(int importer, unsigned long cmd, int dmabuf, __u32 flags)
{
	struct importer_map map = { .dmabuf_fd = dmabuf, .flags = flags };
	unsigned int dev, fn;

	CHECK(sscanf(bdf, "%x:%x:%x.%x", &map.domain, &map.bus, &dev, &fn) == 4);
	map.devfn = dev << 3 | fn;
	return ioctl(importer, cmd, &map) ? errno : 0;
}

static int try_import(int importer, int dmabuf, __u32 flags)
{
	return importer_ioctl(importer, IMPORTER_MAP, dmabuf, flags);
}

static int import(int dmabuf, __u32 flags)
{
	int importer = open_importer();

	CHECK(try_import(importer, dmabuf, flags) == 0);
	return importer;
}

/* -------- What waits, in a child -------- */

struct op {
	const char *name;
	int (*fn)(struct device *dev, int dmabuf);
	/* Is the memory back when it is over? */
	bool memory;
};

static int op_revoke(struct device *dev, int dmabuf)
{
	struct vfio_pci_dmabuf_revoke revoke = { .argsz = sizeof(revoke), .dmabuf_fd = dmabuf };

	return ioctl(dev->fd, VFIO_DEVICE_PCI_DMABUF_REVOKE, &revoke);
}

static int op_memory_off(struct device *dev, int dmabuf __unused)
{
	set_memory(dev, false);
	return 0;
}

static int op_d3hot(struct device *dev, int dmabuf __unused)
{
	unsigned int pos = find_cap(dev, PCI_CAP_ID_PM) + PCI_PM_CTRL;

	config_write(dev, pos, (config_read(dev, pos) & ~PCI_PM_CTRL_STATE_MASK) | 3);
	return 0;
}

static int op_flr(struct device *dev, int dmabuf __unused)
{
	unsigned int pos = find_cap(dev, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL;

	config_write(dev, pos, config_read(dev, pos) | PCI_EXP_DEVCTL_BCR_FLR);
	return 0;
}

static int op_reset(struct device *dev, int dmabuf __unused)
{
	return ioctl(dev->fd, VFIO_DEVICE_RESET);
}

static int op_hot_reset(struct device *dev, int dmabuf __unused)
{
	struct vfio_pci_hot_reset reset = { .argsz = sizeof(reset) };

	return ioctl(dev->fd, VFIO_DEVICE_PCI_HOT_RESET, &reset);
}

static int op_low_power(struct device *dev, int dmabuf __unused)
{
	struct vfio_device_feature arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
	};

	return ioctl(dev->fd, VFIO_DEVICE_FEATURE, &arg);
}

static const struct op ops[] = {
	{ "memory off", op_memory_off, false },
	{ "D3hot", op_d3hot, false },
	{ "function level reset", op_flr, true },
	{ "VFIO_DEVICE_RESET", op_reset, true },
	{ "VFIO_DEVICE_PCI_HOT_RESET", op_hot_reset, true },
	{ "low power entry", op_low_power, false },
};
static const struct op revoke_op = { "revoke", op_revoke, true };

static pid_t start(const struct op *op, struct device *dev, int dmabuf)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		alarm(0);
		exit(op->fn(dev, dmabuf) ? 2 : 0);
	}
	return pid;
}

/* Return the exit status, or -1 if it is not over after ms */
static int end(pid_t pid, int ms)
{
	struct timespec step = { .tv_nsec = 10 * 1000 * 1000 };
	int status;

	for (; ms > 0; ms -= 10) {
		pid_t ret = waitpid(pid, &status, WNOHANG);

		CHECK(ret >= 0);
		if (ret)
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		nanosleep(&step, NULL);
	}
	return -1;
}

static void check_waits(pid_t pid)
{
	CHECK(end(pid, SETTLE) == -1);
}

static void check_killable(pid_t pid)
{
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(end(pid, PROMPT) == 128 + SIGKILL);
}

/* Nothing of the device is held while somebody waits for an importer */
static void check_others_go_on(struct device *dev, volatile __u32 *lease)
{
	struct {
		struct vfio_pci_hot_reset_info hdr;
		struct vfio_pci_dependent_device devices[8];
	} info = { .hdr.argsz = sizeof(info) };
	volatile __u32 *map;
	__u32 val;

	/* In this process: the alarm of the test ends it if one waits */
	alarm(PROMPT / 1000);
	*lease = 0x1ea5e;
	CHECK(*lease == 0x1ea5e);
	map = map_page(dev->fd, dev->offset[BAR2] + 8 * page_size);
	*map = 0xba2;
	CHECK(*map == 0xba2);
	CHECK(munmap((void *)map, page_size) == 0);
	CHECK(pread(dev->fd, &val, sizeof(val), dev->offset[BAR2] + 8 * page_size) == sizeof(val));
	CHECK(val == 0xba2);
	/* Takes the lock of the set */
	CHECK(ioctl(dev->fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info) == 0);
	close(export_page(dev, 9));
	alarm(TIMEOUT);
}

/* -------- Tests -------- */

static void test_revoke(void)
{
	int lease, other, importer;
	volatile __u32 *map;
	struct device dev;
	pid_t pid, second;

	open_device(&dev);
	lease = export_page(&dev, 1);
	other = export_page(&dev, 2);
	map = map_page(export_page(&dev, 3), 0);
	importer = import(lease, 0);

	/* Only for the one that it has */
	CHECK(end(start(&revoke_op, &dev, other), PROMPT) == 0);

	pid = start(&revoke_op, &dev, lease);
	check_waits(pid);
	check_others_go_on(&dev, map);
	CHECK(ioctl(importer, IMPORTER_INVALIDATED) == 1);
	/* Revoked already, but not before it is over */
	second = start(&revoke_op, &dev, lease);
	check_waits(second);

	CHECK(ioctl(importer, IMPORTER_UNMAP) == 0);
	CHECK(end(pid, PROMPT) == 0);
	CHECK(end(second, PROMPT) == 2);
	CHECK(try_import(importer, lease, 0) == ENODEV);
}

static void test_revoke_killed(void)
{
	struct device dev;
	int lease, importer;
	pid_t pid;

	open_device(&dev);
	lease = export_page(&dev, 1);
	importer = import(lease, 0);

	pid = start(&revoke_op, &dev, lease);
	check_waits(pid);
	check_killable(pid);
	/* It is revoked all the same */
	CHECK(ioctl(importer, IMPORTER_UNMAP) == 0);
	CHECK(try_import(importer, lease, 0) == ENODEV);
}

/* Each way in which the memory goes away waits, with nobody else waiting for that */
static void test_ops(void)
{
	int lease, importer;
	volatile __u32 *map;
	struct device dev;
	unsigned int i;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		printf("# %s\n", ops[i].name);
		open_device(&dev);
		lease = export_page(&dev, 1);
		map = map_page(export_page(&dev, 3), 0);
		importer = import(lease, 0);

		pid = start(&ops[i], &dev, lease);
		check_waits(pid);
		check_others_go_on(&dev, map);
		/* No importer comes in between */
		CHECK(try_import(open_importer(), lease, 0) == ENODEV);

		CHECK(ioctl(importer, IMPORTER_UNMAP) == 0);
		CHECK(end(pid, PROMPT) == 0);
		CHECK(try_import(importer, lease, 0) == (ops[i].memory ? 0 : ENODEV));
		close(importer);
		close(lease);
		munmap((void *)map, page_size);
		close_device(&dev);
	}
}

/* Killed, they leave all as it was */
static void test_ops_killed(void)
{
	int lease, importer, second;
	volatile __u32 *map;
	struct device dev;
	unsigned int i;
	pid_t pid;

	open_device(&dev);
	lease = export_page(&dev, 1);
	map = map_page(export_page(&dev, 3), 0);
	importer = import(lease, 0);

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		printf("# %s\n", ops[i].name);
		pid = start(&ops[i], &dev, lease);
		check_waits(pid);
		check_killable(pid);

		check_others_go_on(&dev, map);
		CHECK(config_read(&dev, PCI_COMMAND) & PCI_COMMAND_MEMORY);
		second = import(lease, 0);
		close(second);
	}
	CHECK(ioctl(importer, IMPORTER_UNMAP) == 0);
	CHECK(try_import(importer, lease, 0) == 0);
}

/* Who unmaps at once is waited for if DMA was started, and only for that */
static void test_fences(void)
{
	struct device dev;
	int lease, importer, late;
	pid_t pid;

	open_device(&dev);
	lease = export_page(&dev, 1);
	importer = import(lease, IMPORTER_PROMPT);
	CHECK(ioctl(importer, IMPORTER_FENCE) == 0);

	pid = start(&ops[0], &dev, lease);
	check_waits(pid);
	/* One that is added now is not of DMA that had been started */
	CHECK(ioctl(importer, IMPORTER_FENCE) == 0);
	CHECK(ioctl(importer, IMPORTER_SIGNAL, 0) == 0);
	CHECK(end(pid, PROMPT) == 0);
	set_memory(&dev, true);

	/* Nor does it count when nobody has it mapped */
	CHECK(end(start(&ops[0], &dev, lease), PROMPT) == 0);
	set_memory(&dev, true);

	/* But for whoever maps it again */
	late = import(lease, IMPORTER_PROMPT);
	pid = start(&revoke_op, &dev, lease);
	check_waits(pid);
	CHECK(ioctl(importer, IMPORTER_SIGNAL, 1) == 0);
	CHECK(end(pid, PROMPT) == 0);
	close(late);
}

/* Closing the device waits for nobody, and the next who opens it meets no importer */
static void test_close(void)
{
	volatile __u32 *scratch = map_scratch();
	struct device dev, next;
	int lease, importer;
	time_t begin;

	open_device(&dev);
	lease = export_page(&dev, 1);
	importer = import(lease, 0);
	*scratch = 0x5ec2e7;

	begin = time(NULL);
	close_device(&dev);
	CHECK(time(NULL) - begin < PROMPT / 1000);
	CHECK(try_open_device(&next) == EBUSY);
	CHECK(ioctl(importer, IMPORTER_INVALIDATED) == 1);
	/* What the importer may still do arrives */
	CHECK(memory_decoded());
	CHECK(*scratch == 0x5ec2e7);

	CHECK(ioctl(importer, IMPORTER_UNMAP) == 0);
	CHECK(try_import(importer, lease, 0) == ENODEV);
	/* The next user does not get what the last one left there: it is reset now */
	for (begin = time(NULL); *scratch; usleep(10000))
		CHECK(time(NULL) - begin < PROMPT / 1000);
	open_device(&next);
	close_device(&next);
}

/* The same when the owner is killed */
static void test_exit(void)
{
	int lease, importer, ready[2], go[2];
	struct device dev;
	time_t begin;
	pid_t pid;
	char c;

	CHECK(pipe(ready) == 0 && pipe(go) == 0);
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		open_device(&dev);
		lease = export_page(&dev, 1);
		importer = import(lease, 0);
		/* The importer goes on in another process */
		pid = fork();
		CHECK(pid >= 0);
		if (!pid) {
			close_device(&dev);
			close(go[1]);
			CHECK(write(ready[1], "", 1) == 1);
			CHECK(read(go[0], &c, 1) == 1);
			exit(ioctl(importer, IMPORTER_UNMAP) != 0);
		}
		pause();
	}
	CHECK(read(ready[0], &c, 1) == 1);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(end(pid, PROMPT) == 128 + SIGKILL);

	CHECK(try_open_device(&dev) == EBUSY);
	CHECK(write(go[1], "", 1) == 1);
	for (begin = time(NULL); try_open_device(&dev) == EBUSY; usleep(10000))
		CHECK(time(NULL) - begin < PROMPT / 1000);
	close_device(&dev);
}

/* Does an access to it raise SIGBUS? */
static bool is_gone(volatile __u32 *map)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		*map;
		exit(0);
	}
	status = end(pid, PROMPT);
	CHECK(status == 0 || status == 128 + SIGBUS);
	return status;
}

/* When an error is reported leases are taken away, by a worker, until it is over */
static void test_error(void)
{
	volatile __u32 *map, *bar;
	int lease, importer, i;
	struct device dev;
	time_t begin;

	open_device(&dev);
	lease = export_page(&dev, 1);
	map = map_page(lease, 0);
	bar = map_page(dev.fd, dev.offset[BAR2] + page_size);
	importer = import(lease, 0);

	for (i = 0; i < 3; i++) {
		*map = i;
		CHECK(importer_ioctl(importer, IMPORTER_ERROR, -1, 0) == 0);
		for (begin = time(NULL); !is_gone(map); usleep(10000))
			CHECK(time(NULL) - begin < PROMPT / 1000);
		CHECK(ioctl(importer, IMPORTER_INVALIDATED) > i);
		CHECK(try_import(open_importer(), lease, 0) == ENODEV);
		CHECK(*bar == (__u32)i);
		/* Not by what the user does, either */
		set_memory(&dev, true);
		CHECK(is_gone(map));

		CHECK(importer_ioctl(importer, IMPORTER_RESUME, -1, 0) == 0);
		for (begin = time(NULL); is_gone(map); usleep(10000))
			CHECK(time(NULL) - begin < PROMPT / 1000);
		CHECK(*map == (__u32)i);
		close(import(lease, 0));
	}

	/* A reset mends it as well */
	CHECK(importer_ioctl(importer, IMPORTER_ERROR, -1, 0) == 0);
	for (begin = time(NULL); !is_gone(map); usleep(10000))
		CHECK(time(NULL) - begin < PROMPT / 1000);
	CHECK(ioctl(importer, IMPORTER_UNMAP) == 0);
	CHECK(ioctl(dev.fd, VFIO_DEVICE_RESET) == 0);
	CHECK(!is_gone(map));
}

/* Who lets go when told does not keep anybody from opening the device */
static void test_prompt(void)
{
	struct device dev;
	int importer, i;

	for (i = 0; i < 5; i++) {
		open_device(&dev);
		importer = import(export_page(&dev, 1), IMPORTER_PROMPT);
		close_device(&dev);
		open_device(&dev);
		close_device(&dev);
		CHECK(ioctl(importer, IMPORTER_INVALIDATED) == 1);
		close(importer);
	}
}

/* A process ends with a lease mapped and the memory off: nobody gives that back */
static void test_exit_with_memory_off(void)
{
	struct device dev;
	int lease, i;
	pid_t pid;

	for (i = 0; i < 8; i++) {
		fflush(stdout);
		pid = fork();
		CHECK(pid >= 0);
		if (!pid) {
			open_device(&dev);
			set_memory(&dev, false);
			lease = export_page(&dev, 1);
			map_page(lease, 0);
			close(lease);
			exit(0);
		}
		CHECK(end(pid, PROMPT) == 0);
		open_device(&dev);
		close_device(&dev);
	}
}

static int op_unbind(struct device *dev __unused, int dmabuf __unused)
{
	char path[300];
	int fd, ret;

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/vfio-pci/unbind");
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -1;
	ret = write(fd, bdf, strlen(bdf)) == (ssize_t)strlen(bdf) ? 0 : -1;
	close(fd);
	return ret;
}

/* The memory of the device is not another driver's before importers let go of it */
static void test_unbind(void)
{
	static const struct op op = { "unbind", op_unbind, false };
	struct device dev;
	int lease, importer, fd;
	pid_t pid;

	open_device(&dev);
	lease = export_page(&dev, 1);
	importer = import(lease, 0);
	close_device(&dev);

	pid = start(&op, NULL, -1);
	check_waits(pid);
	CHECK(ioctl(importer, IMPORTER_UNMAP) == 0);
	CHECK(end(pid, PROMPT) == 0);
	close(importer);
	close(lease);

	fd = open("/sys/bus/pci/drivers/vfio-pci/bind", O_WRONLY);
	CHECK(fd >= 0);
	CHECK(write(fd, bdf, strlen(bdf)) == (ssize_t)strlen(bdf));
	close(fd);
	open_device(&dev);
}

static const struct {
	const char *name;
	void (*fn)(void);
} tests[] = {
	{ "revoke waits for an importer, nobody else does", test_revoke },
	{ "revoke can be killed", test_revoke_killed },
	{ "what takes the memory away waits, nobody else does", test_ops },
	{ "what takes the memory away can be killed", test_ops_killed },
	{ "DMA that was started is waited for", test_fences },
	{ "close does not wait, the next open does", test_close },
	{ "exit does not wait, the next open does", test_exit },
	{ "who lets go at once is in nobody's way", test_prompt },
	{ "exit with the memory off", test_exit_with_memory_off },
	{ "an error takes leases away until it is over", test_error },
	{ "unbind waits", test_unbind },
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
	unsigned int i, failed = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s BDF\n", argv[0]);
		return 2;
	}
	bdf = argv[1];
	page_size = sysconf(_SC_PAGESIZE);
	setvbuf(stdout, NULL, _IOLBF, 0);

	printf("TAP version 13\n1..%zu\n", ARRAY_SIZE(tests));
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		bool ok = run(tests[i].fn);

		failed += !ok;
		printf("%sok %u - %s\n", ok ? "" : "not ", i + 1, tests[i].name);
	}
	return failed != 0;
}
