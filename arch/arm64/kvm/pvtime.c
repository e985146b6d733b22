// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stolen time, as defined by Arm DEN0057A: a structure in guest memory, which shows
 * how long the vCPU was ready to run and did not.
 */
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/kvm_emulate.h>

#include <kvm/steal.h>
#include <kvm/vcpu_attr.h>

#define STOLEN_TIME_OFS	offsetof(struct pvclock_vcpu_stolen_time, stolen_time)

/*
 * Make the structure's page present, and writable.  That may take as long as
 * userspace wants, so any signal ends it, with -EINTR.
 */
static int fault_in_structure(struct kvm_vcpu *vcpu)
{
	gfn_t gfn = gpa_to_gfn(vcpu->arch.steal.base);
	struct page *page;
	bool writable;
	kvm_pfn_t pfn;

	pfn = __kvm_faultin_pfn(gfn_to_memslot(vcpu->kvm, gfn), gfn,
				FOLL_WRITE | FOLL_INTERRUPTIBLE, &writable, &page);
	if (pfn == KVM_PFN_ERR_SIGPENDING)
		return -EINTR;
	if (is_error_noslot_pfn(pfn))
		return -EFAULT;

	kvm_release_page_clean(page);
	return 0;
}

/*
 * Add what is pending to what the structure shows, even if userspace wrote that: time
 * continues from memory that was restored.
 */
static int add_stolen_time(struct kvm_vcpu *vcpu)
{
	gpa_t gpa = vcpu->arch.steal.base + STOLEN_TIME_OFS;
	unsigned long hva = gfn_to_hva(vcpu->kvm, gpa_to_gfn(gpa));
	__le64 __user *shown = (void __user *)(hva + offset_in_page(gpa));
	__le64 before;
	u64 stolen;

	static_assert(STOLEN_TIME_OFS == 8);
	static_assert(sizeof(struct pvclock_vcpu_stolen_time) == 64);

	if (kvm_is_error_hva(hva) || get_user(before, shown))
		return -EFAULT;

	stolen = le64_to_cpu(before) + vcpu->arch.steal.pending;

	/* In one store: the guest may be reading. */
	if (put_user(cpu_to_le64(stolen), shown))
		return -EFAULT;

	mark_page_dirty(vcpu->kvm, gpa_to_gfn(gpa));

	/* If not KVM's, it is of the kernel that runs, whichever kernel called. */
	if (vcpu->arch.steal.life && le64_to_cpu(before) != vcpu->arch.steal.shown)
		vcpu->arch.steal.life = READ_ONCE(vcpu->kvm->arch.pvtime_life);

	vcpu->arch.steal.shown = stolen;
	vcpu->arch.steal.pending = 0;
	return 0;
}

/*
 * True if the vCPU's thread has waited, or if something is left to be written.
 * Called when the vCPU is loaded, to avoid needless accesses to guest memory.
 */
bool kvm_arm_stolen_time_due(struct kvm_vcpu *vcpu)
{
	return vcpu->arch.steal.run_delay != kvm_run_delay() || vcpu->arch.steal.pending;
}

/*
 * Called in KVM_RUN, where it may sleep, if stolen time is due.  What cannot be
 * added, as the memory is not there or a signal came first, stays pending.
 */
void kvm_update_stolen_time(struct kvm_vcpu *vcpu)
{
	u64 steal;
	int idx, r;

	/* Counted for the host even if the guest has no structure. */
	steal = kvm_steal_take(vcpu, &vcpu->arch.steal.run_delay, U64_MAX);
	if (!kvm_arm_is_pvtime_enabled(&vcpu->arch))
		return;

	vcpu->arch.steal.pending += steal;
	if (!vcpu->arch.steal.pending)
		return;

	idx = srcu_read_lock(&vcpu->kvm->srcu);

	pagefault_disable();
	r = add_stolen_time(vcpu);
	pagefault_enable();

	if (r && !fault_in_structure(vcpu))
		add_stolen_time(vcpu);

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
 * True if @st is of the kernel that asks for it.
 *
 * A CPU that was off comes back to the kernel which it had left, unless another
 * CPU has meanwhile begun a new life of the VM.  But also if one has, the memory
 * may have been restored since, and shows what KVM did not write.
 */
static bool structure_goes_on(struct kvm_vcpu *vcpu, const struct pvclock_vcpu_stolen_time *st)
{
	u64 life = vcpu->arch.steal.life;

	if (!vcpu->arch.steal.was_off)
		return false;

	if (st->revision || st->attributes || memchr_inv(st->padding, 0, sizeof(st->padding)))
		return false;

	return life == READ_ONCE(vcpu->kvm->arch.pvtime_life) ||
	       (life && le64_to_cpu(st->stolen_time) != vcpu->arch.steal.shown);
}

/*
 * A CPU that calls again, and has not been off, runs another kernel: one that was
 * started by kexec, or after a reset.  With the first CPU of that kernel a life of
 * the VM begins, which the others are part of when they ask.
 */
static void begin_life(struct kvm_vcpu *vcpu)
{
	u64 life = vcpu->arch.steal.life;

	cmpxchg(&vcpu->kvm->arch.pvtime_life, life, life + 1);
}

static int init_structure(struct kvm_vcpu *vcpu)
{
	struct pvclock_vcpu_stolen_time st;
	struct kvm *kvm = vcpu->kvm;
	u64 stolen = 0;
	int r;

	r = fault_in_structure(vcpu);
	if (r)
		return r;

	if (kvm_read_guest(kvm, vcpu->arch.steal.base, &st, sizeof(st)))
		return -EFAULT;

	/* A kernel takes what it finds at first for stolen since it booted. */
	vcpu->arch.steal.pending += kvm_steal_take(vcpu, &vcpu->arch.steal.run_delay, U64_MAX);
	if (structure_goes_on(vcpu, &st))
		stolen = le64_to_cpu(st.stolen_time) + vcpu->arch.steal.pending;

	st = (struct pvclock_vcpu_stolen_time) { .stolen_time = cpu_to_le64(stolen) };
	if (kvm_write_guest(kvm, vcpu->arch.steal.base, &st, sizeof(st)))
		return -EFAULT;

	if (!vcpu->arch.steal.was_off)
		begin_life(vcpu);

	vcpu->arch.steal.life = READ_ONCE(kvm->arch.pvtime_life);
	vcpu->arch.steal.was_off = false;
	vcpu->arch.steal.shown = stolen;
	vcpu->arch.steal.pending = 0;
	return 0;
}

/* Repeat the guest's call: the PC is past an HVC, but not yet past an SMC. */
static void repeat_call(struct kvm_vcpu *vcpu)
{
	if (vcpu_get_flag(vcpu, INCREMENT_PC))
		vcpu_clear_flag(vcpu, INCREMENT_PC);
	else
		*vcpu_pc(vcpu) -= 4;
}

/* PV_TIME_ST.  Returns 1, as all that handle an exit and go back to the guest. */
int kvm_init_stolen_time(struct kvm_vcpu *vcpu)
{
	unsigned long ret = SMCCC_RET_NOT_SUPPORTED;
	int idx, r = -EFAULT;

	if (vcpu->arch.steal.base != INVALID_GPA) {
		idx = srcu_read_lock(&vcpu->kvm->srcu);
		r = init_structure(vcpu);
		srcu_read_unlock(&vcpu->kvm->srcu, idx);
	}

	if (r == -EINTR) {
		repeat_call(vcpu);
		return 1;
	}

	if (!r)
		ret = vcpu->arch.steal.base;

	smccc_set_retval(vcpu, ret, 0, 0, 0);
	return 1;
}

/*
 * KVM_ARM_VCPU_INIT.  It may be the first step of a restore as well as of a reboot,
 * so what the structure shows is left for PV_TIME_ST to judge.  If a kernel boots
 * it does so on the CPU that is on, and begins a life of the VM when it asks.
 */
void kvm_arm_pvtime_vcpu_reset(struct kvm_vcpu *vcpu, bool off)
{
	vcpu->arch.steal.run_delay = KVM_STEAL_RESTART;
	vcpu->arch.steal.pending = 0;
	vcpu->arch.steal.was_off = off;
	if (!off)
		vcpu->arch.steal.life = READ_ONCE(vcpu->kvm->arch.pvtime_life);
}

/* The thread that calls KVM_RUN is not the one that ran the vCPU before. */
void kvm_arm_pvtime_new_thread(struct kvm_vcpu *vcpu)
{
	vcpu->arch.steal.run_delay = KVM_STEAL_RESTART;
}

static int pvtime_get_ipa(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row, void *payload)
{
	*(u64 *)payload = vcpu->arch.steal.base;
	return 0;
}

static int pvtime_set_ipa(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			  const void *payload)
{
	u64 ipa = *(const u64 *)payload;
	bool writable;
	int idx;

	if (!IS_ALIGNED(ipa, sizeof(struct pvclock_vcpu_stolen_time)))
		return -EINVAL;

	if (vcpu->arch.steal.base != INVALID_GPA)
		return -EEXIST;

	idx = srcu_read_lock(&vcpu->kvm->srcu);
	writable = !kvm_is_error_hva(gfn_to_hva(vcpu->kvm, gpa_to_gfn(ipa)));
	srcu_read_unlock(&vcpu->kvm->srcu, idx);

	if (!writable)
		return -EINVAL;

	vcpu->arch.steal.base = ipa;
	/* Waits before this are in the statistics alone. */
	vcpu->arch.steal.run_delay = KVM_STEAL_RESTART;
	return 0;
}

static const struct kvm_vcpu_attr pvtime_attrs[] = {
	[KVM_ARM_VCPU_PVTIME_IPA] = {
		.size	= KVM_VCPU_ATTR_SIZE(u64),
		.get	= pvtime_get_ipa,
		.set	= pvtime_set_ipa,
	},
};

/* Every host offers it: KVM selects the scheduler's statistics that it takes. */
const struct kvm_vcpu_attr_group kvm_arm_pvtime_attrs = {
	.rows	= pvtime_attrs,
	.nr	= ARRAY_SIZE(pvtime_attrs),
};
