/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * A saved vCPU: all registers that KVM lists, and the address of its stolen time.
 */
#ifndef VCPU_ATTRS_IMAGE_H
#define VCPU_ATTRS_IMAGE_H

#include <linux/types.h>

#include "vcpu.h"

/* The largest register of KVM_GET_ONE_REG. */
#define MAX_REG_SIZE	256

struct image {
	struct kvm_reg_list *list;
	__u8 (*values)[MAX_REG_SIZE];
	__u64 structure;
};

void image_save(struct image *image, const struct vcpu *vcpu);
void image_restore(const struct image *image, const struct vcpu *vcpu);
void image_free(struct image *image);

#endif
