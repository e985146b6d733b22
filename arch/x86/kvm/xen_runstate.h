/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
#ifndef __KVM_X86_XEN_RUNSTATE_H
#define __KVM_X86_XEN_RUNSTATE_H

#include <linux/kvm_host.h>

#include <kvm/steal.h>
#include <kvm/vcpu_attr.h>

#include "xen.h"
#include "xen_runstate_core.h"

/* Both with preemption disabled. */
u64 kvmclock_read_snapshot(struct kvm *kvm, const struct kvmclock_snapshot *snap);
void kvmclock_take_snapshot(struct kvm *kvm, s64 offset, struct kvmclock_snapshot *snap);

#ifdef CONFIG_KVM_XEN

void kvm_xen_runstate_init_vcpu(struct kvm_vcpu *vcpu);
void kvm_xen_runstate_destroy_vcpu(struct kvm_vcpu *vcpu);

const struct xen_runstate *kvm_xen_runstate_get(struct kvm_vcpu *vcpu);

/* What userspace sets.  A call that fails has changed nothing. */
int kvm_xen_runstate_set_addr(struct kvm_vcpu *vcpu, gpa_t gpa);
int kvm_xen_runstate_set_current(struct kvm_vcpu *vcpu, u32 state);
int kvm_xen_runstate_set_data(struct kvm_vcpu *vcpu, const struct xen_runstate *next);
int kvm_xen_runstate_adjust(struct kvm_vcpu *vcpu, const struct xen_runstate *delta);
/* The callbacks of runstate's rows among the Xen vCPU attributes. */
int xen_set_runstate_addr(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  const void *payload);

int xen_get_runstate_current(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			     void *payload);
int xen_set_runstate_current(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			     const void *payload);

int xen_get_runstate_data(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  void *payload);
int xen_set_runstate_data(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  const void *payload);

int xen_get_runstate_adjust(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			    void *payload);
int xen_set_runstate_adjust(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			    const void *payload);

void kvm_xen_runstate_sync_layout(struct kvm_vcpu *vcpu);

/* The hooks; see xen_runstate.c for where each is called. */
void __kvm_xen_runstate_enter(struct kvm_vcpu *vcpu);
void __kvm_xen_runstate_load(struct kvm_vcpu *vcpu);
void __kvm_xen_runstate_put(struct kvm_vcpu *vcpu);
void kvm_xen_runstate_sync(struct kvm_vcpu *vcpu);

static inline void kvm_xen_runstate_enter(struct kvm_vcpu *vcpu)
{
	if (kvm_xen_msr_enabled(vcpu->kvm))
		__kvm_xen_runstate_enter(vcpu);
}

/* The thread that calls KVM_RUN is not the one that ran the vCPU before. */
static inline void kvm_xen_runstate_restart_steal(struct kvm_vcpu *vcpu)
{
	vcpu->arch.xen.runstate.run_delay = KVM_STEAL_RESTART;
}

/* For leave and load, Xen may have been switched off for the VM since enter. */
static inline void kvm_xen_runstate_leave(struct kvm_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->arch.xen.runstate.in_run, false);
}

static inline void kvm_xen_runstate_load(struct kvm_vcpu *vcpu)
{
	if (vcpu->arch.xen.runstate.in_run)
		__kvm_xen_runstate_load(vcpu);
}

static inline void kvm_xen_runstate_put(struct kvm_vcpu *vcpu)
{
	if (vcpu->arch.xen.runstate.in_run)
		__kvm_xen_runstate_put(vcpu);
}

#else

static inline void kvm_xen_runstate_restart_steal(struct kvm_vcpu *vcpu) { }
static inline void kvm_xen_runstate_enter(struct kvm_vcpu *vcpu) { }
static inline void kvm_xen_runstate_leave(struct kvm_vcpu *vcpu) { }
static inline void kvm_xen_runstate_load(struct kvm_vcpu *vcpu) { }
static inline void kvm_xen_runstate_put(struct kvm_vcpu *vcpu) { }
static inline void kvm_xen_runstate_sync(struct kvm_vcpu *vcpu) { }

#endif /* CONFIG_KVM_XEN */

#endif /* __KVM_X86_XEN_RUNSTATE_H */
