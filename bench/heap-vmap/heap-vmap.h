/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* What bench/heap-vmap.c asks of heap-vmap.ko, through /dev/heap-vmap. */
#ifndef HEAP_VMAP_H
#define HEAP_VMAP_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define HEAP_VMAP_ORDERS	16

struct heap_vmap {
	__s32 fd;		/* of the DMA-BUF */
	__u32 wall;		/* time in ns, not in ticks of the CPU's counter */
	__u64 time;		/* out: of the call alone */
	__u32 order;		/* SCATTER */
	__u32 joined;		/* out of LOOK, see there */
	__u64 count;		/* SCATTER */
	__u32 chunks[HEAP_VMAP_ORDERS];	/* out of LOOK: number of each order */
};

/* dma_buf_vmap_unlocked(), dma_buf_vunmap_unlocked() */
#define HEAP_VMAP_MAP		_IOWR('V', 0, struct heap_vmap)
#define HEAP_VMAP_UNMAP		_IOWR('V', 1, struct heap_vmap)
/*
 * What the buffer is made of. 'joined' is how many chunks of the order that the
 * first one has begin where the chunk before them ends.
 */
#define HEAP_VMAP_LOOK		_IOWR('V', 2, struct heap_vmap)
/* Give back the address space of past mappings, which is done late otherwise. */
#define HEAP_VMAP_PURGE		_IO('V', 3)
/*
 * Leave at least 'count' free blocks of 'order', none next to another, which the
 * next allocations of that order get: take blocks and give back every second.
 * Without a count, give back the rest.
 */
#define HEAP_VMAP_SCATTER	_IOW('V', 4, struct heap_vmap)

#endif
