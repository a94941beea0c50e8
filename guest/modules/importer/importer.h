/* SPDX-License-Identifier: GPL-2.0-only */
/* The interface of /dev/importer, which importer.c describes. */
#ifndef IMPORTER_H
#define IMPORTER_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Unmap as soon as the exporter wants that, like most drivers */
#define IMPORTER_PROMPT		1

struct importer_map {
	__s32 dmabuf_fd;
	__u32 flags;
	/* The PCI device that does the DMA: domain, bus, devfn */
	__u32 domain;
	__u32 bus;
	__u32 devfn;
};

/* Attach to a DMA-BUF and map it */
#define IMPORTER_MAP		_IOW('I', 1, struct importer_map)
/* Unmap it */
#define IMPORTER_UNMAP		_IO('I', 2)
/* Put a fence on it, as for DMA that was started. At most two. */
#define IMPORTER_FENCE		_IO('I', 3)
/* Signal the fence with this number */
#define IMPORTER_SIGNAL		_IO('I', 4)
/* How often the exporter has wanted it to be unmapped */
#define IMPORTER_INVALIDATED	_IO('I', 5)

/* Tell the driver of the device of an error, or that it has recovered, as the PCI core does */
#define IMPORTER_ERROR		_IOW('I', 6, struct importer_map)
#define IMPORTER_RESUME		_IOW('I', 7, struct importer_map)

#endif
