// SPDX-License-Identifier: GPL-2.0
/* heap-fill: allocate a buffer from each DMA-BUF heap, map it and fill it. */
#include <err.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/dma-heap.h>

#define SIZE	(8UL << 20)

static void sync_buffer(int fd, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	if (ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync))
		err(1, "DMA_BUF_IOCTL_SYNC");
}

int main(void)
{
	glob_t g;
	size_t i, j;

	if (glob("/dev/dma_heap/*", 0, NULL, &g))
		errx(1, "no heap in /dev/dma_heap: modprobe system_heap cma_heap?");
	for (i = 0; i < g.gl_pathc; i++) {
		struct dma_heap_allocation_data data = { .len = SIZE, .fd_flags = O_RDWR | O_CLOEXEC };
		int heap = open(g.gl_pathv[i], O_RDWR | O_CLOEXEC);
		uint64_t *p, sum = 0;

		if (heap < 0 || ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data))
			err(1, "%s", g.gl_pathv[i]);
		p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, data.fd, 0);
		if (p == MAP_FAILED)
			err(1, "mmap");
		sync_buffer(data.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
		for (j = 0; j < SIZE / 8; j++) {
			if (p[j])
				errx(1, "%s: the buffer is not zeroed", g.gl_pathv[i]);
			p[j] = j;
		}
		for (j = 0; j < SIZE / 8; j++)
			sum += p[j];
		sync_buffer(data.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
		printf("%s: %lu MiB, zeroed; filled, sum %s\n", g.gl_pathv[i], SIZE >> 20,
		       sum == (SIZE / 8) * (SIZE / 8 - 1) / 2 ? "right" : "WRONG");
		munmap(p, SIZE);
		close(data.fd);
		close(heap);
	}
	return 0;
}
