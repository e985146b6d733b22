/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
#ifndef READER_LINUX_KVM_TYPES_H
#define READER_LINUX_KVM_TYPES_H

struct gfn_to_pfn_cache {
};

#endif /* READER_LINUX_KVM_TYPES_H */
