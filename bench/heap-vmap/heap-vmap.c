// SPDX-License-Identifier: GPL-2.0
/*
 * Times the mapping of a DMA-BUF into the kernel for bench/heap-vmap.c, which
 * brings the buffers. For one process at a time, in a guest that does nothing else.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/iosys-map.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/timex.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "heap-vmap.h"

static DEFINE_MUTEX(lock);
/* What is kept between scattered free blocks */
static LIST_HEAD(held);
static unsigned int held_order;

/*
 * The TSC, or CNTVCT_EL0: under QEMU's -icount shift=0 one tick is one instruction.
 * There ktime_get_ns() is the same on a clock source of 1 GHz only, and the guest
 * may have chosen a coarser one.
 */
static u64 now(bool wall)
{
	return wall ? ktime_get_ns() : get_cycles();
}

static int map(struct dma_buf *buf, struct heap_vmap *arg)
{
	struct iosys_map map;
	u64 start = now(arg->wall);
	int ret = dma_buf_vmap_unlocked(buf, &map);

	arg->time = now(arg->wall) - start;
	return ret;
}

static int unmap(struct dma_buf *buf, struct heap_vmap *arg)
{
	struct iosys_map map = buf->vmap_ptr;
	u64 start;

	if (!buf->vmapping_counter)
		return -EINVAL;
	start = now(arg->wall);
	dma_buf_vunmap_unlocked(buf, &map);
	arg->time = now(arg->wall) - start;
	return 0;
}

static int look(struct dma_buf *buf, struct heap_vmap *arg, struct device *dev)
{
	struct dma_buf_attachment *attach;
	unsigned int i, order, first = 0;
	struct scatterlist *sg;
	struct sg_table *table;
	dma_addr_t end = 0;
	int ret = 0;

	arg->joined = 0;
	memset(arg->chunks, 0, sizeof(arg->chunks));
	attach = dma_buf_attach(buf, dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	table = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(table)) {
		ret = PTR_ERR(table);
		goto detach;
	}
	/* The device has no IOMMU: DMA addresses are physical */
	for_each_sgtable_dma_sg(table, sg, i) {
		order = ilog2(sg_dma_len(sg) >> PAGE_SHIFT);
		if (order >= HEAP_VMAP_ORDERS) {
			ret = -ERANGE;
			break;
		}
		arg->chunks[order]++;
		if (!i)
			first = order;
		else if (order == first && sg_dma_address(sg) == end)
			arg->joined++;
		end = sg_dma_address(sg) + sg_dma_len(sg);
	}
	dma_buf_unmap_attachment_unlocked(attach, table, DMA_BIDIRECTIONAL);
detach:
	dma_buf_detach(buf, attach);
	return ret;
}

static void free_blocks(struct list_head *blocks)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, blocks, lru) {
		list_del(&page->lru);
		__free_pages(page, held_order);
		cond_resched();
	}
}

static int scatter(unsigned int order, u64 count)
{
	/* As the heap does it, so that both take from the same free lists */
	gfp_t gfp = GFP_HIGHUSER | __GFP_NOWARN | __GFP_NORETRY;
	struct page *page;
	LIST_HEAD(odd);

	free_blocks(&held);
	if (order > MAX_PAGE_ORDER)
		return -EINVAL;
	if (order)
		gfp |= __GFP_COMP;
	held_order = order;
	while (count) {
		page = alloc_pages(gfp, order);
		if (!page)
			break;
		/* A free block becomes one with its neighbour only if that is free */
		if ((page_to_pfn(page) >> order) & 1) {
			list_add(&page->lru, &odd);
			count--;
		} else {
			list_add(&page->lru, &held);
		}
		cond_resched();
	}
	free_blocks(&odd);
	if (!count)
		return 0;
	free_blocks(&held);
	return -ENOMEM;
}

static struct miscdevice misc;

static int on_buffer(unsigned int cmd, struct heap_vmap *arg)
{
	struct dma_buf *buf = dma_buf_get(arg->fd);
	int ret;

	if (IS_ERR(buf))
		return PTR_ERR(buf);
	switch (cmd) {
	case HEAP_VMAP_MAP:
		ret = map(buf, arg);
		break;
	case HEAP_VMAP_UNMAP:
		ret = unmap(buf, arg);
		break;
	default:
		ret = look(buf, arg, misc.this_device);
	}
	dma_buf_put(buf);
	return ret;
}

static long heap_vmap_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	void __user *user = (void __user *)uarg;
	struct heap_vmap arg = {};
	int ret;

	if (cmd != HEAP_VMAP_PURGE && copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	mutex_lock(&lock);
	switch (cmd) {
	case HEAP_VMAP_MAP:
	case HEAP_VMAP_UNMAP:
	case HEAP_VMAP_LOOK:
		ret = on_buffer(cmd, &arg);
		if (!ret && copy_to_user(user, &arg, sizeof(arg)))
			ret = -EFAULT;
		break;
	case HEAP_VMAP_PURGE:
		vm_unmap_aliases();
		ret = 0;
		break;
	case HEAP_VMAP_SCATTER:
		ret = scatter(arg.order, arg.count);
		break;
	default:
		ret = -ENOTTY;
	}
	mutex_unlock(&lock);
	return ret;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = heap_vmap_ioctl,
};

static struct miscdevice misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "heap-vmap",
	.fops = &fops,
};

static int __init heap_vmap_init(void)
{
	int ret = misc_register(&misc);

	if (ret)
		return ret;
	ret = dma_coerce_mask_and_coherent(misc.this_device, DMA_BIT_MASK(64));
	if (ret)
		misc_deregister(&misc);
	return ret;
}

static void __exit heap_vmap_exit(void)
{
	misc_deregister(&misc);
	free_blocks(&held);
}

module_init(heap_vmap_init);
module_exit(heap_vmap_exit);

MODULE_DESCRIPTION("Benchmark of DMA-BUF mappings in the kernel");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("DMA_BUF");
