/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef READER_LINUX_KVM_TYPES_H
#define READER_LINUX_KVM_TYPES_H

struct gfn_to_pfn_cache {
};

#endif /* READER_LINUX_KVM_TYPES_H */
