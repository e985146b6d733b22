/* SPDX-License-Identifier: GPL-2.0-only */

#include <kvm/steal.h>

void kvm_guest_tsc_moved(struct kvm_vcpu *vcpu);
