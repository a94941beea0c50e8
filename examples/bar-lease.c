// SPDX-License-Identifier: GPL-2.0
/*
 * bar-lease PCI-DEVICE: lease slices of a PCI device's BAR2 to processes that
 * have no access to the device, and take them back. The device is an edu-plus
 * bound to vfio-pci, named like 0000:01:00.0.
 *
 * A lease is a DMA-BUF fd. Shown are VFIO_DEVICE_FEATURE_DMA_BUF with its memory
 * attributes, mmap() of such a DMA-BUF, and VFIO_DEVICE_PCI_DMABUF_REVOKE.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
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
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#define EDU_PLUS	0x11e91234	/* device and vendor ID */
#define SLICE_SIZE	0x100000UL
#define SLICE_OFFSET(n)	((n) * SLICE_SIZE)	/* of worker n in BAR2: side by side */
#define VALUE(n, pid)	((uint32_t)((n) << 24 | (pid)))	/* what a process writes to slice n */
#define PATCHES		"this needs a kernel with the patches of series/vfio-pci-dmabuf"

enum { LEASE, USE, LOST };	/* what the primary asks a worker to do */
static struct { pid_t pid; int sock; } workers[3];	/* from 1 on */
static char me[16] = "primary";
static size_t page;
static int failed;
static sigjmp_buf on_sigbus;

#define say(fmt, ...)	printf("%s: " fmt "\n", me, ##__VA_ARGS__)
/* Say what was done and seen; if that is not @ok, also what it should have been. */
#define expect(ok, expected, ...) do {			\
	bool _ok = (ok);				\
							\
	say(__VA_ARGS__);				\
	if (!_ok)					\
		say("FAILED, expected %s", expected);	\
	failed |= !_ok;					\
} while (0)

static void sigbus(int sig)
{
	(void)sig;
	siglongjmp(on_sigbus, 1);
}

/* Read or write a word of the BAR, false if that gets a SIGBUS. */
static bool touch(volatile uint8_t *addr, uint32_t *word, bool write)
{
	if (sigsetjmp(on_sigbus, 1))
		return false;
	if (write)
		*(volatile uint32_t *)addr = *word;
	else
		*word = *(volatile uint32_t *)addr;
	__sync_synchronize();	/* nothing stays in a write-combining buffer */
	return true;
}

static void write_slice(volatile uint8_t *slice, uint32_t value)
{
	size_t i;

	for (i = 0; i < SLICE_SIZE && touch(slice + i, &value, true); i += page)
		;
	expect(i == SLICE_SIZE, "no SIGBUS", "writes 0x%08x to each page, %zu pages", value, i / page);
}

static void read_slice(volatile uint8_t *slice, uint32_t value)
{
	size_t i, same = 0;
	uint32_t word = 0;

	for (i = 0; i < SLICE_SIZE && touch(slice + i, &word, false); i += page)
		same += word == value;
	expect(same == SLICE_SIZE / page, "all of them", "reads 0x%08x; %zu of %zu pages have 0x%08x",
	       word, same, SLICE_SIZE / page, value);
}

/* Send or receive a byte, and maybe an fd. If false, EAGAIN tells a timeout from a closed socket. */
static bool message(int sock, bool send_it, char *what, int *fd)
{
	union { struct cmsghdr hdr; char buf[CMSG_SPACE(sizeof(*fd))]; } control = {
		.hdr = { CMSG_LEN(sizeof(*fd)), SOL_SOCKET, SCM_RIGHTS },
	};
	struct iovec iov = { what, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = &control, .msg_controllen = sizeof(control) };

	errno = 0;
	if (send_it) {
		memcpy(CMSG_DATA(&control.hdr), fd, sizeof(*fd));
		if (*fd < 0)
			msg.msg_controllen = 0;
		return sendmsg(sock, &msg, MSG_NOSIGNAL) == 1;
	}
	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1)
		return false;
	if (msg.msg_controllen)
		memcpy(fd, CMSG_DATA(&control.hdr), sizeof(*fd));
	return true;
}

/* ---- What the workers do ---- */

static void show_map(volatile uint8_t *addr)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[500];

	if (!f)
		err(1, "%s: /proc/self/maps", me);
	while (fgets(line, sizeof(line), f))
		if (strtoul(line, NULL, 16) == (uintptr_t)addr)
			printf("%s: %s", me, line);
	fclose(f);
}

static void must_not_map(int dmabuf, unsigned long offset, size_t length, int error)
{
	void *p = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, offset);
	int seen = p == MAP_FAILED ? errno : 0;

	expect(seen == error, strerrorname_np(error), "mmap() of 0x%zx bytes at offset 0x%lx: %s",
	       length, offset, seen ? strerrorname_np(seen) : "success");
}

static void must_sigbus(volatile uint8_t *addr, bool write)
{
	uint32_t word = 0;
	bool alive = touch(addr, &word, write);

	expect(!alive, "a SIGBUS", "%s %p: %s", write ? "writes to" : "reads from",
	       (void *)addr, alive ? "no signal" : "SIGBUS");
}

static void worker(int n, int sock)
{
	volatile uint8_t *slice = NULL;
	int dmabuf = -1, no_fd = -1;
	char what;

	while (message(sock, false, &what, &dmabuf)) {
		switch (what) {
		case LEASE:
			slice = mmap(NULL, SLICE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);
			if (slice == MAP_FAILED)
				err(1, "%s: mmap() of the DMA-BUF (if EINVAL: " PATCHES ")", me);
			say("received fd %d and mapped it", dmabuf);
			show_map(slice);
			read_slice(slice, VALUE(n, getppid()));
			write_slice(slice, VALUE(n, getpid()));
			must_not_map(dmabuf, 0, SLICE_SIZE + page, EINVAL);
			must_not_map(dmabuf, SLICE_SIZE, page, EINVAL);
			break;
		case USE:
			read_slice(slice, VALUE(n, getpid()));
			write_slice(slice, ~VALUE(n, getpid()));
			break;
		case LOST:
			must_sigbus(slice, false);
			must_sigbus(slice + SLICE_SIZE - 4, true);
			must_not_map(dmabuf, 0, SLICE_SIZE, ENODEV);
			break;
		}
		if (!message(sock, true, &what, &no_fd))
			break;
	}
	exit(failed);	/* the primary has closed the socket, or is gone */
}

/* ---- What the primary does ---- */

static void start_worker(int n)
{
	struct timeval timeout = { .tv_sec = 60 };
	int i, sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) ||
	    setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)))
		err(1, "socketpair");
	workers[n].sock = sv[0];
	workers[n].pid = fork();
	if (workers[n].pid < 0)
		err(1, "fork");
	if (!workers[n].pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (i = 1; i <= n; i++)	/* only the primary may hold its ends */
			close(workers[i].sock);
		snprintf(me, sizeof(me), "worker %d", n);
		worker(n, sv[1]);
	}
	close(sv[1]);
	say("worker %d is process %d", n, workers[n].pid);
}

/* Let a worker do something, and wait until it is done. */
static void ask(int n, char what, int dmabuf)
{
	int sock = workers[n].sock;

	if (!message(sock, true, &what, &dmabuf) || !message(sock, false, &what, &dmabuf))
		errx(1, "FAILED: worker %d %s", n, errno == EAGAIN ? "does not answer" : "has died");
}

static uint64_t region_offset(int device, uint32_t index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info))
		err(1, "VFIO_DEVICE_GET_REGION_INFO");
	return info.offset;
}

static int open_device(const char *bdf, int iommufd)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommufd };
	uint16_t cmd = PCI_COMMAND_MEMORY;	/* no DMA, and thus no IOAS */
	uint64_t config;
	char path[300];
	uint32_t id;
	glob_t g;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", bdf);
	if (access(path, F_OK))
		err(1, "%s (see 'ls /sys/bus/pci/devices')", path);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev/vfio*", bdf);
	if (glob(path, 0, NULL, &g))
		errx(1, "%s is not bound to vfio-pci: unbind it from any driver, then\n"
		     "echo vfio-pci >/sys/bus/pci/devices/%s/driver_override\n"
		     "echo %s >/sys/bus/pci/drivers_probe", bdf, bdf, bdf);
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", strrchr(g.gl_pathv[0], '/') + 1);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	if (ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		err(1, "VFIO_DEVICE_BIND_IOMMUFD");
	config = region_offset(fd, VFIO_PCI_CONFIG_REGION_INDEX);
	if (pread(fd, &id, sizeof(id), config + PCI_VENDOR_ID) != sizeof(id) || id != EDU_PLUS)
		errx(1, "%s is not an edu-plus: will not write to its BAR2", bdf);
	if (pwrite(fd, &cmd, sizeof(cmd), config + PCI_COMMAND) != sizeof(cmd))
		err(1, "write of PCI_COMMAND");
	return fd;
}

static int export_slice(int device, int n, uint32_t attr)
{
	static uint64_t buf[8];	/* the three below, one behind the other */
	struct vfio_device_feature *feature = (void *)buf;
	struct vfio_device_feature_dma_buf *get = (void *)feature->data;
	struct vfio_region_dma_range *slice = get->dma_ranges;
	int dmabuf;

	feature->argsz = sizeof(*feature) + sizeof(*get) + sizeof(*slice);
	feature->flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF;
	get->region_index = VFIO_PCI_BAR2_REGION_INDEX;
	get->open_flags = O_RDWR | O_CLOEXEC;
	get->flags = attr << VFIO_DEVICE_FEATURE_DMA_BUF_ATTR_SHIFT;
	get->nr_ranges = 1;
	slice->offset = SLICE_OFFSET(n);
	slice->length = SLICE_SIZE;
	dmabuf = ioctl(device, VFIO_DEVICE_FEATURE, feature);
	if (dmabuf < 0 && errno == EOPNOTSUPP && attr != VFIO_DEVICE_FEATURE_DMA_BUF_ATTR_UC) {
		say("no write-combining on this machine (EOPNOTSUPP): uncached instead");
		return export_slice(device, n, VFIO_DEVICE_FEATURE_DMA_BUF_ATTR_UC);
	}
	if (dmabuf < 0)
		err(1, "VFIO_DEVICE_FEATURE_DMA_BUF (if ENOTTY or EINVAL: " PATCHES ")");
	say("exports BAR2 +0x%lx..0x%lx, %s: DMA-BUF fd %d", SLICE_OFFSET(n), SLICE_OFFSET(n + 1) - 1,
	    attr == VFIO_DEVICE_FEATURE_DMA_BUF_ATTR_WC ? "write-combining" : "uncached", dmabuf);
	return dmabuf;
}

static void revoke_lease(int device, int dmabuf)
{
	struct vfio_pci_dmabuf_revoke revoke = { .argsz = sizeof(revoke), .dmabuf_fd = dmabuf };
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	if (ioctl(device, VFIO_DEVICE_PCI_DMABUF_REVOKE, &revoke))
		err(1, "VFIO_DEVICE_PCI_DMABUF_REVOKE (if ENOTTY: " PATCHES ")");
	clock_gettime(CLOCK_MONOTONIC, &to);
	say("VFIO_DEVICE_PCI_DMABUF_REVOKE of fd %d took %.1f us", dmabuf,
	    (to.tv_sec - from.tv_sec) * 1e6 + (to.tv_nsec - from.tv_nsec) / 1e3);
}

int main(int argc, char **argv)
{
	int iommufd, device, dmabuf[3], n, status, end = 0;
	volatile uint8_t *bar2;

	if (argc == 2)
		sscanf(argv[1], "%*x:%*x:%*x.%*1[0-7]%n", &end);
	if (!end || argv[1][end])
		errx(2, "usage: %s PCI-DEVICE (the address of an edu-plus, like 0000:01:00.0)", argv[0]);
	page = sysconf(_SC_PAGESIZE);
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGBUS, sigbus);

	puts("-- The workers start before the device is opened: they hold no VFIO fd");
	for (n = 1; n <= 2; n++)
		start_worker(n);

	puts("-- The primary opens the device, maps BAR2 and writes to two slices of it");
	iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (iommufd < 0)
		err(1, "/dev/iommu");
	device = open_device(argv[1], iommufd);
	bar2 = mmap(NULL, SLICE_OFFSET(3), PROT_READ | PROT_WRITE, MAP_SHARED, device,
		    region_offset(device, VFIO_PCI_BAR2_REGION_INDEX));
	if (bar2 == MAP_FAILED)
		err(1, "mmap() of BAR2");
	for (n = 1; n <= 2; n++)
		write_slice(bar2 + SLICE_OFFSET(n), VALUE(n, getpid()));

	puts("-- It exports the slices");
	dmabuf[1] = export_slice(device, 1, VFIO_DEVICE_FEATURE_DMA_BUF_ATTR_UC);
	dmabuf[2] = export_slice(device, 2, VFIO_DEVICE_FEATURE_DMA_BUF_ATTR_WC);

	for (n = 1; n <= 2; n++) {
		printf("-- It leases slice %d to worker %d, which cannot map more than that\n", n, n);
		ask(n, LEASE, dmabuf[n]);
	}
	puts("-- It sees in its own mapping of BAR2 what they wrote");
	for (n = 1; n <= 2; n++)
		read_slice(bar2 + SLICE_OFFSET(n), VALUE(n, workers[n].pid));

	puts("-- It revokes the lease of worker 1");
	revoke_lease(device, dmabuf[1]);
	ask(1, LOST, -1);
	puts("-- Worker 2 still has its lease, and the primary has the BAR");
	ask(2, USE, -1);
	read_slice(bar2 + SLICE_OFFSET(1), VALUE(1, workers[1].pid));
	read_slice(bar2 + SLICE_OFFSET(2), ~VALUE(2, workers[2].pid));

	puts("-- It closes the device, which DMA-BUFs do not keep open: worker 2 loses its lease");
	munmap((void *)bar2, SLICE_OFFSET(3));
	close(device);
	close(iommufd);
	ask(2, LOST, -1);

	for (n = 1; n <= 2; n++) {
		close(workers[n].sock);
		if (waitpid(workers[n].pid, &status, 0) < 0)
			err(1, "waitpid");
		failed |= status != 0;
	}
	puts(failed ? "-- FAILED, see above" : "-- All was as expected");
	return failed;
}
