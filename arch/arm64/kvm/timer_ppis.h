/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __ARM64_KVM_TIMER_PPIS_H
#define __ARM64_KVM_TIMER_PPIS_H

#include <linux/kvm_host.h>

bool kvm_timer_ppis_claimed(struct kvm *kvm);
int kvm_timer_claim_ppis(struct kvm_vcpu *vcpu);
void kvm_timer_release_ppis(struct kvm_vcpu *vcpu);

#endif /* __ARM64_KVM_TIMER_PPIS_H */
