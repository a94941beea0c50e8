// SPDX-License-Identifier: GPL-2.0
/*
 * heap-vmap [-w]: what it costs to map buffers of the system heap into the kernel
 * and to unmap them, by heap-vmap.ko. For a guest of 'qemu -icount shift=0 -smp 1',
 * where one tick of the CPU's counter is one instruction; with -w for any, by the
 * wall clock. Prints lines "name<TAB>value<TAB>unit", and '#' lines that tell what
 * the buffers were made of.
 *
 * A name is "what, order, size". "any order" is a buffer as the heap gives it out.
 * Those of "order 8", "4" and "0" have no larger chunks: allocations above that
 * order fail by fault injection. Nor do their chunks adjoin, which they would in a
 * machine that has just booted: the module scatters the free blocks first.
 *
 * "vmap first" is of a buffer that was never mapped, "vmap again" of one that was
 * mapped and unmapped; "close" frees a buffer that was mapped, and what it may
 * have kept. Values are medians: of 7 mappings of one buffer, of 7 buffers up to
 * 32400K, which is 3840x2160 at 4 bytes, of 3 at 256M, and of the only one at 1G,
 * each after one to warm up.
 *
 * Address space is purged before each mapping, so that its page tables are there
 * from an earlier one, as they are in a machine that runs for a while; "memory
 * mapped" is where they are not. "flip" is what two framebuffers cost in turn: map
 * the new, unmap the old, wait; the mean of the last 16 of 32.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/dma-heap.h>

#include "heap-vmap/heap-vmap.h"

#define ROUNDS		7
#define FLIPS		32
#define PAGE		4096ULL
#define FAULTS		"/sys/kernel/debug/fail_page_alloc/"

#define must(ok, ...) do { if (!(ok)) err(1, __VA_ARGS__); } while (0)

static const struct size {
	const char *name;
	uint64_t bytes;
	int buffers;		/* how many are measured, after one to warm up */
} sizes[] = {
	{ "64K", 64 << 10, ROUNDS },
	{ "1M", 1 << 20, ROUNDS },
	{ "8M", 8 << 20, ROUNDS },
	{ "32400K", 3840 * 2160 * 4, ROUNDS },
	{ "256M", 256 << 20, 3 },
	{ "1G", 1 << 30, 1 },
};

static const struct size *const frame = &sizes[3], *const large = &sizes[4];

static const struct mix {
	const char *name;
	int order;		/* -1: as it comes */
} mixes[] = {
	{ "any order", -1 }, { "order 8", 8 }, { "order 4", 4 }, { "order 0", 0 },
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static bool wall;
static int heap, module;

static uint64_t ticks(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	uint64_t v;

	asm volatile("mrs %0, cntvct_el0" : "=r" (v));
	return v;
#endif
}

static uint64_t now(void)
{
	struct timespec t;

	if (!wall)
		return ticks();
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* A loop of 200000 instructions must take as many ticks. */
static void check_clock(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 3; i++) {
		uint64_t n = 100000, t = ticks();

#ifdef __x86_64__
		asm volatile("1: dec %0\n\tjnz 1b" : "+r" (n) : : "cc");
#else
		asm volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r" (n) : : "cc");
#endif
		t = ticks() - t;
		if (t < least)
			least = t;
	}
	if (least < 200000 || least > 200100)
		errx(1, "200000 instructions take %lu ticks: not -icount shift=0?", least);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t median(uint64_t *v, int n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

static void print(const char *what, const struct mix *m, const struct size *s, uint64_t value)
{
	printf("%s, %s, %s\t%lu\t%s\n", what, m->name, s->name, value,
	       wall ? "ns" : "instructions");
}

static void put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	must(fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value), "%s", path);
	close(fd);
}

static void prepare_faults(void)
{
	put(FAULTS "probability", "0");
	put(FAULTS "times", "-1");
	put(FAULTS "verbose", "0");
	put(FAULTS "task-filter", "Y");
	put(FAULTS "ignore-gfp-highmem", "N");
	/* Only what may fail anyhow does, which is all above order 0 in the heap */
	put(FAULTS "ignore-gfp-wait", "Y");
	put("/proc/self/make-it-fail", "1");
}

/* Make the allocations of this process fail that are above 'order', -1: none. */
static void limit(int order)
{
	char min[16];

	snprintf(min, sizeof(min), "%d", order + 1);
	put(FAULTS "min-order", min);
	put(FAULTS "probability", order < 0 ? "0" : "100");
}

static uint64_t timed(unsigned long cmd, const char *name, int fd)
{
	struct heap_vmap arg = { .fd = fd, .wall = wall };

	must(!ioctl(module, cmd, &arg), "%s", name);
	return arg.time;
}

#define op(name, fd) timed(HEAP_VMAP_ ## name, #name, fd)

static void scatter(const struct mix *m, const struct size *s, int buffers)
{
	struct heap_vmap arg = {};

	if (m && m->order >= 0) {
		arg.order = m->order;
		arg.count = buffers * s->bytes / (PAGE << m->order);
		arg.count += arg.count / 16 + 8;
	}
	must(!ioctl(module, HEAP_VMAP_SCATTER, &arg), "SCATTER of order %d", arg.order);
}

/* What the buffer is made of: say it, and end if it is not as asked for. */
static void look(const struct mix *m, const struct size *s, int fd)
{
	struct heap_vmap arg = { .fd = fd };
	uint64_t want;

	must(!ioctl(module, HEAP_VMAP_LOOK, &arg), "LOOK");
	printf("# %s, %s:", m->name, s->name);
	for (int o = HEAP_VMAP_ORDERS - 1; o >= 0; o--)
		if (arg.chunks[o])
			printf(" %u of order %d,", arg.chunks[o], o);
	printf(" %u adjoin\n", arg.joined);
	if (m->order < 0)
		return;
	want = s->bytes / (PAGE << m->order);
	for (int o = m->order + 1; o < HEAP_VMAP_ORDERS; o++)
		if (arg.chunks[o])
			errx(1, "there are chunks above %s", m->name);
	if (arg.chunks[m->order] < want)
		errx(1, "not %lu chunks of %s", want, m->name);
	/* Adjoining ones are cheaper to map: most must not be. */
	if (arg.joined > want / 2)
		errx(1, "the chunks are not scattered");
}

static int alloc(const struct mix *m, const struct size *s, uint64_t *time)
{
	struct dma_heap_allocation_data data = { .len = s->bytes, .fd_flags = O_RDWR | O_CLOEXEC };
	uint64_t start, end;
	int ret;

	limit(m->order);
	start = now();
	ret = ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	end = now();
	must(!ret, "allocation of %s", s->name);
	limit(-1);
	if (time)
		*time = end - start;
	return data.fd;
}

static void bench_size(const struct mix *m, const struct size *s)
{
	/* [0] is of the buffer to warm up, whose mapping may need new page tables */
	uint64_t alloc_time[ROUNDS + 1], first[ROUNDS + 1], release[ROUNDS + 1];
	uint64_t again[ROUNDS], unmap[ROUNDS];

	scatter(m, s, 1);
	for (int i = 0; i <= s->buffers; i++) {
		int fd = alloc(m, s, &alloc_time[i]);

		if (i == s->buffers)
			look(m, s, fd);
		op(PURGE, fd);
		first[i] = op(MAP, fd);
		op(UNMAP, fd);
		for (int r = 0; i == s->buffers && r < ROUNDS; r++) {
			op(PURGE, fd);
			again[r] = op(MAP, fd);
			unmap[r] = op(UNMAP, fd);
		}
		op(PURGE, fd);
		release[i] = now();
		close(fd);
		release[i] = now() - release[i];
	}
	scatter(NULL, NULL, 0);
	print("vmap first", m, s, median(first + 1, s->buffers));
	print("vmap again", m, s, median(again, ROUNDS));
	print("vunmap", m, s, median(unmap, ROUNDS));
	print("close", m, s, median(release + 1, s->buffers));
	/* Not what it takes to fail first */
	if (m->order < 0)
		print("alloc", m, s, median(alloc_time + 1, s->buffers));
}

static void bench_flip(const struct mix *m)
{
	uint64_t time, sum = 0;
	int fd[2];

	scatter(m, frame, 2);
	for (int i = 0; i < 2; i++) {
		fd[i] = alloc(m, frame, NULL);
		look(m, frame, fd[i]);
	}
	op(MAP, fd[0]);
	for (int i = 1; i <= FLIPS; i++) {
		/* Until the next frame, what is done late gets done */
		usleep(16000);
		time = op(MAP, fd[i % 2]);
		time += op(UNMAP, fd[(i - 1) % 2]);
		if (i > FLIPS / 2)
			sum += time;
	}
	op(UNMAP, fd[FLIPS % 2]);
	close(fd[0]);
	close(fd[1]);
	scatter(NULL, NULL, 0);
	print("flip", m, frame, sum / (FLIPS / 2));
}

/* In bytes, with the counters that each CPU keeps for itself added up. */
static long kernel_memory(void)
{
	long kb, sum = 0;
	char line[200];
	FILE *f;

	put("/proc/sys/vm/stat_refresh", "1");
	f = fopen("/proc/meminfo", "r");
	must(f, "/proc/meminfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Slab: %ld", &kb) == 1 ||
		    sscanf(line, "VmallocUsed: %ld", &kb) == 1 ||
		    sscanf(line, "PageTables: %ld", &kb) == 1)
			sum += kb;
	fclose(f);
	return sum * 1024;
}

/*
 * Where nothing was mapped before, so this comes first, and all buffers stay
 * mapped until the last one is.
 */
static void bench_memory(void)
{
	long mapped[COUNT(mixes)], kept;
	int fd[COUNT(mixes)];

	for (unsigned int i = 0; i < COUNT(mixes); i++) {
		scatter(&mixes[i], large, 1);
		fd[i] = alloc(&mixes[i], large, NULL);
		look(&mixes[i], large, fd[i]);
		scatter(NULL, NULL, 0);
		mapped[i] = kernel_memory();
		op(MAP, fd[i]);
		mapped[i] = kernel_memory() - mapped[i];
		printf("memory mapped, %s, %s\t%ld\tbytes\n", mixes[i].name, large->name,
		       mapped[i]);
	}
	for (unsigned int i = 0; i < COUNT(mixes); i++) {
		kept = kernel_memory();
		op(UNMAP, fd[i]);
		op(PURGE, fd[i]);
		kept = mapped[i] + kernel_memory() - kept;
		printf("memory unmapped, %s, %s\t%ld\tbytes\n", mixes[i].name, large->name, kept);
		close(fd[i]);
	}
}

int main(int argc, char **argv)
{
	wall = argc == 2 && !strcmp(argv[1], "-w");
	if (argc > 1 && !wall)
		errx(2, "usage: %s [-w]", argv[0]);
	setlinebuf(stdout);
	if (!wall)
		check_clock();
	module = open("/dev/heap-vmap", O_RDWR | O_CLOEXEC);
	must(module >= 0, "/dev/heap-vmap: is heap-vmap.ko loaded?");
	heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
	must(heap >= 0, "/dev/dma_heap/system");
	prepare_faults();

	if (!wall)
		bench_memory();

	for (const struct mix *m = mixes; m < mixes + COUNT(mixes); m++) {
		for (const struct size *s = sizes; s < sizes + COUNT(sizes); s++)
			if (m->order < 0 || s->bytes >= PAGE << m->order)
				bench_size(m, s);
		bench_flip(m);
	}
	return 0;
}
