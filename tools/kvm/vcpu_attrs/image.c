// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "host.h"
#include "image.h"
#include "kvm.h"

static void *allocate(size_t nr, size_t size)
{
	void *memory = calloc(nr, size);

	if (!memory)
		die("free some memory", "no memory to save a vCPU of %zu registers", nr);

	return memory;
}

/* KVM returns the length of the list if it does not fit. */
static struct kvm_reg_list *list_regs(const struct vcpu *vcpu)
{
	struct kvm_reg_list *list, count = { .n = 0 };

	if (!ioctl(vcpu->fd, KVM_GET_REG_LIST, &count) || errno != E2BIG)
		kvm_die("KVM_GET_REG_LIST");

	list = allocate(count.n + 1, sizeof(list->reg[0]));
	list->n = count.n;
	kvm_do(vcpu->fd, KVM_GET_REG_LIST, list);

	return list;
}

/* The vCPU must be stopped. */
void image_save(struct image *image, const struct vcpu *vcpu)
{
	image->list = list_regs(vcpu);
	image->values = allocate(image->list->n, MAX_REG_SIZE);
	for (__u64 i = 0; i < image->list->n; i++) {
		struct kvm_one_reg reg = {
			.id   = image->list->reg[i],
			.addr = (unsigned long)image->values[i],
		};

		kvm_do(vcpu->fd, KVM_GET_ONE_REG, &reg);
	}
	image->structure = vcpu_get_structure(vcpu);
}

/* Memory, which all vCPUs share, must already be restored. */
void image_restore(const struct image *image, const struct vcpu *vcpu)
{
	for (__u64 i = 0; i < image->list->n; i++) {
		struct kvm_one_reg reg = {
			.id   = image->list->reg[i],
			.addr = (unsigned long)image->values[i],
		};

		kvm_do(vcpu->fd, KVM_SET_ONE_REG, &reg);
	}
	vcpu_set_structure(vcpu, image->structure);
}

void image_free(struct image *image)
{
	free(image->list);
	free(image->values);
}
