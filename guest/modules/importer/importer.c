// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests: an importer of DMA-BUFs that takes its time. Each open file of
 * /dev/importer can attach to one, map it, and put fences on it. When the exporter
 * wants it back, it stays mapped until user space says so, or until the file is
 * closed; with IMPORTER_PROMPT only the fences take their time.
 *
 * It also plays the part of the PCI core when an error is reported.
 */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "importer.h"

MODULE_IMPORT_NS("DMA_BUF");

#define IMPORTER_FENCES	2

struct importer_fence {
	struct dma_fence base;
	spinlock_t lock;
};

struct importer {
	/* Protects what user space asks for; comes before the reservation lock */
	struct mutex lock;
	struct pci_dev *pdev;
	struct dma_buf_attachment *attach;
	u32 flags;
	atomic_t invalidated;
	unsigned int nr_fences;
	struct dma_fence *fences[IMPORTER_FENCES];
	/* Protected by the reservation lock */
	struct sg_table *sgt;
};

static const char *importer_name(struct dma_fence *fence)
{
	return "importer";
}

static const struct dma_fence_ops importer_fence_ops = {
	.get_driver_name = importer_name,
	.get_timeline_name = importer_name,
};

static void importer_unmap_locked(struct importer *importer)
{
	if (importer->sgt)
		dma_buf_unmap_attachment(importer->attach, importer->sgt, DMA_BIDIRECTIONAL);
	importer->sgt = NULL;
}

static void importer_invalidate(struct dma_buf_attachment *attach)
{
	struct importer *importer = attach->importer_priv;

	atomic_inc(&importer->invalidated);
	if (importer->flags & IMPORTER_PROMPT)
		importer_unmap_locked(importer);
}

static const struct dma_buf_attach_ops importer_attach_ops = {
	.allow_peer2peer = true,
	.invalidate_mappings = importer_invalidate,
};

static void importer_unmap(struct importer *importer)
{
	if (!importer->attach)
		return;
	dma_resv_lock(importer->attach->dmabuf->resv, NULL);
	importer_unmap_locked(importer);
	dma_resv_unlock(importer->attach->dmabuf->resv);
}

static void importer_detach(struct importer *importer)
{
	struct dma_buf *dmabuf;
	unsigned int i;

	for (i = 0; i < importer->nr_fences; i++) {
		dma_fence_signal(importer->fences[i]);
		dma_fence_put(importer->fences[i]);
	}
	importer->nr_fences = 0;

	importer_unmap(importer);
	if (!importer->attach)
		return;
	dmabuf = importer->attach->dmabuf;
	dma_buf_detach(dmabuf, importer->attach);
	dma_buf_put(dmabuf);
	pci_dev_put(importer->pdev);
	importer->attach = NULL;
}

static int importer_map(struct importer *importer, const struct importer_map *map)
{
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;
	struct sg_table *sgt;
	struct pci_dev *pdev;
	int ret;

	/* One that is attached may map it again */
	if (!importer->attach) {
		dmabuf = dma_buf_get(map->dmabuf_fd);
		if (IS_ERR(dmabuf))
			return PTR_ERR(dmabuf);

		pdev = pci_get_domain_bus_and_slot(map->domain, map->bus, map->devfn);
		if (!pdev) {
			dma_buf_put(dmabuf);
			return -ENODEV;
		}

		importer->flags = map->flags;
		attach = dma_buf_dynamic_attach(dmabuf, &pdev->dev, &importer_attach_ops, importer);
		if (IS_ERR(attach)) {
			pci_dev_put(pdev);
			dma_buf_put(dmabuf);
			return PTR_ERR(attach);
		}
		importer->attach = attach;
		importer->pdev = pdev;
	}

	dmabuf = importer->attach->dmabuf;
	ret = dma_resv_lock_interruptible(dmabuf->resv, NULL);
	if (ret)
		return ret;
	if (importer->sgt) {
		ret = -EBUSY;
	} else {
		sgt = dma_buf_map_attachment(importer->attach, DMA_BIDIRECTIONAL);
		if (IS_ERR(sgt))
			ret = PTR_ERR(sgt);
		else
			importer->sgt = sgt;
	}
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

static int importer_fence(struct importer *importer)
{
	struct dma_resv *resv;
	struct importer_fence *fence;
	int ret;

	if (!importer->attach || importer->nr_fences == IMPORTER_FENCES)
		return -EINVAL;

	fence = kzalloc_obj(*fence);
	if (!fence)
		return -ENOMEM;
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &importer_fence_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);

	resv = importer->attach->dmabuf->resv;
	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, 1);
	if (!ret)
		dma_resv_add_fence(resv, &fence->base, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(resv);
	if (ret) {
		dma_fence_put(&fence->base);
		return ret;
	}
	importer->fences[importer->nr_fences++] = &fence->base;
	return 0;
}

static int importer_error(unsigned int cmd, const struct importer_map *map)
{
	const struct pci_error_handlers *handlers;
	struct pci_dev *pdev;
	int ret = -ENODEV;

	pdev = pci_get_domain_bus_and_slot(map->domain, map->bus, map->devfn);
	if (!pdev)
		return -ENODEV;

	device_lock(&pdev->dev);
	handlers = pdev->driver ? pdev->driver->err_handler : NULL;
	if (handlers && handlers->error_detected && handlers->resume) {
		ret = 0;
		if (cmd == IMPORTER_ERROR)
			handlers->error_detected(pdev, pci_channel_io_frozen);
		else
			handlers->resume(pdev);
	}
	device_unlock(&pdev->dev);
	pci_dev_put(pdev);
	return ret;
}

static long importer_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct importer *importer = file->private_data;
	struct importer_map map;

	if (cmd == IMPORTER_INVALIDATED)
		return atomic_read(&importer->invalidated);

	guard(mutex)(&importer->lock);
	switch (cmd) {
	case IMPORTER_MAP:
		if (copy_from_user(&map, (void __user *)arg, sizeof(map)))
			return -EFAULT;
		return importer_map(importer, &map);
	case IMPORTER_ERROR:
	case IMPORTER_RESUME:
		if (copy_from_user(&map, (void __user *)arg, sizeof(map)))
			return -EFAULT;
		return importer_error(cmd, &map);
	case IMPORTER_UNMAP:
		importer_unmap(importer);
		return 0;
	case IMPORTER_FENCE:
		return importer_fence(importer);
	case IMPORTER_SIGNAL:
		if (arg >= importer->nr_fences)
			return -EINVAL;
		dma_fence_signal(importer->fences[arg]);
		return 0;
	default:
		return -ENOTTY;
	}
}

static int importer_open(struct inode *inode, struct file *file)
{
	struct importer *importer = kzalloc_obj(*importer);

	if (!importer)
		return -ENOMEM;
	mutex_init(&importer->lock);
	file->private_data = importer;
	return 0;
}

static int importer_release(struct inode *inode, struct file *file)
{
	importer_detach(file->private_data);
	kfree(file->private_data);
	return 0;
}

static const struct file_operations importer_fops = {
	.owner = THIS_MODULE,
	.open = importer_open,
	.release = importer_release,
	.unlocked_ioctl = importer_ioctl,
};

static struct miscdevice importer_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "importer",
	.fops = &importer_fops,
};
module_misc_device(importer_device);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Importer of DMA-BUFs that takes its time, for tests");
