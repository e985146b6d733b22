// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stolen time, as Arm DEN0057A has it: a structure in guest memory, which says
 * how long the vCPU was ready to run and did not.
 */
#include <linux/arm-smccc.h>
#include <linux/kvm_host.h>
#include <linux/sched/stat.h>
#include <linux/string.h>

#include <asm/kvm_mmu.h>
#include <asm/pvclock-abi.h>

#include <kvm/arm_hypercalls.h>
#include <kvm/steal.h>

#define STOLEN_TIME_OFS	offsetof(struct pvclock_vcpu_stolen_time, stolen_time)

static_assert(STOLEN_TIME_OFS == 8);
static_assert(sizeof(struct pvclock_vcpu_stolen_time) == 64);

/*
 * Add what is pending to what the guest reads: the structure moves with its memory
 * when a VM is restored, and the time goes on from there.  It never falls behind
 * what was added here, even if that memory was lost.
 */
static void write_stolen_time(struct kvm_vcpu *vcpu)
{
	gpa_t gpa = vcpu->arch.steal.base + STOLEN_TIME_OFS;
	unsigned long hva = gfn_to_hva(vcpu->kvm, gpa_to_gfn(gpa));
	__le64 __user *told = (void __user *)(hva + offset_in_page(gpa));
	__le64 seen;
	u64 stolen;

	if (kvm_is_error_hva(hva) || get_user(seen, told))
		return;

	stolen = max(le64_to_cpu(seen), vcpu->arch.steal.total) + vcpu->arch.steal.pending;

	/* In one store: the guest may be reading. */
	if (put_user(cpu_to_le64(stolen), told))
		return;

	mark_page_dirty(vcpu->kvm, gpa_to_gfn(gpa));
	vcpu->arch.steal.total += vcpu->arch.steal.pending;
	vcpu->arch.steal.pending = 0;
}

/*
 * Has the vCPU's thread waited, or is something left to be written?  Asked when
 * the vCPU is loaded, to save the guest's memory from being looked at for nothing.
 */
bool kvm_arm_stolen_time_due(struct kvm_vcpu *vcpu)
{
	return vcpu->arch.steal.run_delay != kvm_run_delay() || vcpu->arch.steal.pending;
}

/* Called in KVM_RUN, where it may sleep, if stolen time is due. */
void kvm_update_stolen_time(struct kvm_vcpu *vcpu)
{
	int idx;

	vcpu->arch.steal.pending += kvm_steal_take(vcpu, &vcpu->arch.steal.run_delay, U64_MAX);

	if (!vcpu->arch.steal.pending)
		return;

	idx = srcu_read_lock(&vcpu->kvm->srcu);
	write_stolen_time(vcpu);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
}

long kvm_hypercall_pv_features(struct kvm_vcpu *vcpu)
{
	switch (smccc_get_arg1(vcpu)) {
	case ARM_SMCCC_HV_PV_TIME_FEATURES:
	case ARM_SMCCC_HV_PV_TIME_ST:
		if (vcpu->arch.steal.base != INVALID_GPA)
			return SMCCC_RET_SUCCESS;
		fallthrough;
	default:
		return SMCCC_RET_NOT_SUPPORTED;
	}
}

/*
 * What the structure shows.  Before the guest asks for it for the first time, its
 * memory may hold anything.
 */
static u64 shown_stolen_time(struct kvm_vcpu *vcpu)
{
	struct pvclock_vcpu_stolen_time st;

	if (kvm_read_guest_lock(vcpu->kvm, vcpu->arch.steal.base, &st, sizeof(st)) ||
	    st.revision || st.attributes || memchr_inv(st.padding, 0, sizeof(st.padding)))
		return 0;

	return le64_to_cpu(st.stolen_time);
}

/*
 * PV_TIME_ST.  The guest may ask again, when a CPU comes back online, and the time
 * must not go down then.  But a kernel that boots takes what it finds at first for
 * stolen since then: if the memory is that from before a reset, and not restored
 * since, it starts from what was added since.
 */
gpa_t kvm_init_stolen_time(struct kvm_vcpu *vcpu)
{
	struct pvclock_vcpu_stolen_time init = {};
	u64 total = vcpu->arch.steal.total;
	gpa_t base = vcpu->arch.steal.base;
	u64 stolen;

	if (base == INVALID_GPA)
		return INVALID_GPA;

	stolen = shown_stolen_time(vcpu);
	if (stolen == vcpu->arch.steal.stale + total)
		stolen = total;

	init.stolen_time = cpu_to_le64(max(stolen, total));
	if (kvm_write_guest_lock(vcpu->kvm, base, &init, sizeof(init)))
		return INVALID_GPA;

	vcpu->arch.steal.stale = 0;
	return base;
}

/*
 * KVM_ARM_VCPU_INIT of a vCPU that has run.  It may be the first step of a restore
 * as well as a reboot, so what the structure shows is left for PV_TIME_ST to judge.
 */
void kvm_arm_pvtime_vcpu_reset(struct kvm_vcpu *vcpu)
{
	vcpu->arch.steal.run_delay = KVM_STEAL_RESTART;
	vcpu->arch.steal.stale = shown_stolen_time(vcpu);
	vcpu->arch.steal.pending = 0;
	vcpu->arch.steal.total = 0;
}

/* The thread that calls KVM_RUN is not the one that ran the vCPU before. */
void kvm_arm_pvtime_new_thread(struct kvm_vcpu *vcpu)
{
	vcpu->arch.steal.run_delay = KVM_STEAL_RESTART;
}

bool kvm_arm_pvtime_supported(void)
{
	return sched_info_on();
}
