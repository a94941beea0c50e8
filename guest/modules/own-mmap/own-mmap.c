// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests: a vfio-pci variant driver that maps BAR2 by itself, with PTEs in VMAs
 * of the device file, in the manner of nvgrace-gpu. Everything else is the core's.
 * Binds through driver_override, to any device.
 */
#include <linux/atomic.h>
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/pci.h>
#include <linux/version.h>
#include <linux/vfio_pci_core.h>

#define OWN_BAR		VFIO_PCI_BAR2_REGION_INDEX
#define OWN_PGOFF_MASK	((1UL << (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT)) - 1)

static bool zap = true;
module_param(zap, bool, 0644);
MODULE_PARM_DESC(zap, "Let the core zap the mappings of this driver. N shows that the test notices.");

static atomic_long_t own_mmap_faults;

static int own_mmap_get_faults(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%ld\n", atomic_long_read(&own_mmap_faults));
}

static const struct kernel_param_ops own_mmap_faults_ops = {
	.get = own_mmap_get_faults,
};

module_param_cb(faults, &own_mmap_faults_ops, NULL, 0444);
MODULE_PARM_DESC(faults, "Faults on mappings of this driver that inserted an entry");

static vm_fault_t own_mmap_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	struct vfio_pci_core_device *vdev = vma->vm_private_data;
	unsigned long addr = ALIGN_DOWN(vmf->address, PAGE_SIZE << order);
	unsigned long pfn = PHYS_PFN(pci_resource_start(vdev->pdev, OWN_BAR)) +
			    (linear_page_index(vma, addr) & OWN_PGOFF_MASK);
	vm_fault_t ret;

	if (!is_aligned_for_order(vma, addr, pfn, order))
		return VM_FAULT_FALLBACK;

	/* Who zaps has it for writing, so nothing is inserted behind the zap */
	scoped_guard(rwsem_read, &vdev->memory_lock)
		ret = vfio_pci_vmf_insert_pfn(vdev, vmf, pfn, order);

	if (ret == VM_FAULT_NOPAGE)
		atomic_long_inc(&own_mmap_faults);
	return ret;
}

static vm_fault_t own_mmap_fault(struct vm_fault *vmf)
{
	return own_mmap_huge_fault(vmf, 0);
}

static const struct vm_operations_struct own_mmap_vm_ops = {
	.fault = own_mmap_fault,
#ifdef CONFIG_ARCH_SUPPORTS_HUGE_PFNMAP
	.huge_fault = own_mmap_huge_fault,
#endif
};

static const struct vfio_device_ops own_mmap_ops;
static struct vfio_device_ops own_mmap_no_zap_ops;

static int own_mmap_mmap(struct vfio_device *core_vdev,
			 struct vm_area_struct *vma)
{
	struct vfio_pci_core_device *vdev =
		container_of(core_vdev, struct vfio_pci_core_device, vdev);
	unsigned int index =
		vma->vm_pgoff >> (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT);
	u64 pgoff = vma->vm_pgoff & OWN_PGOFF_MASK;
	int ret;

	if (index != OWN_BAR)
		return vfio_pci_core_mmap(core_vdev, vma);

	/* vmf_insert_pfn() has a BUG() for copy on write */
	if (!(vma->vm_flags & VM_SHARED) || !vdev->bar_mmap_supported[index])
		return -EINVAL;

	if (pgoff + vma_pages(vma) >
	    pci_resource_len(vdev->pdev, index) >> PAGE_SHIFT)
		return -EINVAL;

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
	ret = vfio_pci_core_setup_barmap(vdev, index);
#else
	ret = PTR_ERR_OR_ZERO(vfio_pci_core_get_iomap(vdev, index));
#endif
	if (ret)
		return ret;

	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_page_prot = pgprot_decrypted(vma->vm_page_prot);
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = vdev;
	vma->vm_ops = &own_mmap_vm_ops;

	/* The core goes by ->mmap: no driver can ask to be left out */
	if (!READ_ONCE(zap))
		core_vdev->ops = &own_mmap_no_zap_ops;
	return 0;
}

static int own_mmap_open_device(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev =
		container_of(core_vdev, struct vfio_pci_core_device, vdev);
	int ret;

	core_vdev->ops = &own_mmap_ops;
	ret = vfio_pci_core_enable(vdev);
	if (ret)
		return ret;

	vfio_pci_core_finish_enable(vdev);
	return 0;
}

static const struct vfio_device_ops own_mmap_ops = {
	.name		= "own-mmap",
	.init		= vfio_pci_core_init_dev,
	.release	= vfio_pci_core_release_dev,
	.open_device	= own_mmap_open_device,
	.close_device	= vfio_pci_core_close_device,
	.ioctl		= vfio_pci_core_ioctl,
	.get_region_info_caps = vfio_pci_ioctl_get_region_info,
	.device_feature	= vfio_pci_core_ioctl_feature,
	.read		= vfio_pci_core_read,
	.write		= vfio_pci_core_write,
	.mmap		= own_mmap_mmap,
	.request	= vfio_pci_core_request,
	.match		= vfio_pci_core_match,
	.match_token_uuid = vfio_pci_core_match_token_uuid,
	.bind_iommufd	= vfio_iommufd_physical_bind,
	.unbind_iommufd	= vfio_iommufd_physical_unbind,
	.attach_ioas	= vfio_iommufd_physical_attach_ioas,
	.detach_ioas	= vfio_iommufd_physical_detach_ioas,
};

static const struct vfio_pci_device_ops own_mmap_pci_ops = {
	.get_dmabuf_phys = vfio_pci_core_get_dmabuf_phys,
};

static int own_mmap_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vfio_pci_core_device *vdev;
	int ret;

	vdev = vfio_alloc_device(vfio_pci_core_device, vdev, &pdev->dev,
				 &own_mmap_ops);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);

	dev_set_drvdata(&pdev->dev, vdev);
	vdev->pci_ops = &own_mmap_pci_ops;
	ret = vfio_pci_core_register_device(vdev);
	if (ret)
		vfio_put_device(&vdev->vdev);
	return ret;
}

static void own_mmap_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *vdev = dev_get_drvdata(&pdev->dev);

	vfio_pci_core_unregister_device(vdev);
	vfio_put_device(&vdev->vdev);
}

static const struct pci_device_id own_mmap_table[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_ANY_ID, PCI_ANY_ID) },
	{}
};

static struct pci_driver own_mmap_driver = {
	.name = "own-mmap",
	.id_table = own_mmap_table,
	.probe = own_mmap_probe,
	.remove = own_mmap_remove,
	.err_handler = &vfio_pci_core_err_handlers,
	.driver_managed_dma = true,
};

static int __init own_mmap_init(void)
{
	own_mmap_no_zap_ops = own_mmap_ops;
	own_mmap_no_zap_ops.mmap = vfio_pci_core_mmap;
	return pci_register_driver(&own_mmap_driver);
}
module_init(own_mmap_init);

static void __exit own_mmap_exit(void)
{
	pci_unregister_driver(&own_mmap_driver);
}
module_exit(own_mmap_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("vfio-pci variant driver with an mmap() of its own, for tests");
