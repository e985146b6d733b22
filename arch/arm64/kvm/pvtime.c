// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stolen time, as defined by Arm DEN0057A: a structure in guest memory, which shows
 * how long the vCPU was ready to run and did not.
 */
#include <linux/pagemap.h>
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
	struct kvm_memory_slot *slot = gfn_to_memslot(vcpu->kvm, gfn);
	struct page *page;
	unsigned long hva;
	bool writable;
	kvm_pfn_t pfn;

	pfn = __kvm_faultin_pfn(slot, gfn, FOLL_WRITE | FOLL_INTERRUPTIBLE, &writable, &page);
	if (pfn == KVM_PFN_ERR_SIGPENDING)
		return -EINTR;
	if (is_error_noslot_pfn(pfn))
		return -EFAULT;

	kvm_release_page_clean(page);

	/*
	 * Where the CPU does not update the access flag and the dirty state of a page
	 * table entry by itself, an access still faults if they are not set.
	 */
	hva = gfn_to_hva_memslot(slot, gfn) + offset_in_page(vcpu->arch.steal.base);
	return fault_in_safe_writeable((char __user *)hva, sizeof(u64)) ? -EFAULT : 0;
}

/*
 * Take what was stolen.  It is counted for the host even if the guest has no structure.
 * Called with preemption disabled, as the scheduler's hook does the same.
 */
static void take_stolen_time(struct kvm_vcpu *vcpu)
{
	u64 steal = kvm_steal_take(vcpu, &vcpu->arch.steal.run_delay, U64_MAX);

	if (kvm_arm_is_pvtime_enabled(&vcpu->arch))
		vcpu->arch.steal.pending += steal;
}

/*
 * Add what is pending to what the structure at @hva shows, even if userspace wrote that:
 * time continues from memory that was restored.  Does not sleep.  Called with preemption
 * disabled.
 */
static bool add_stolen_time(struct kvm_vcpu *vcpu, unsigned long hva)
{
	__le64 __user *shown = (void __user *)(hva + STOLEN_TIME_OFS);
	__le64 before;
	u64 stolen;
	int r;

	static_assert(STOLEN_TIME_OFS == 8);
	static_assert(sizeof(struct pvclock_vcpu_stolen_time) == 64);

	pagefault_disable();
	r = get_user(before, shown);
	stolen = le64_to_cpu(before) + vcpu->arch.steal.pending;
	if (!r)		/* In one store: the guest may be reading. */
		r = put_user(cpu_to_le64(stolen), shown);
	pagefault_enable();
	if (r)
		return false;

	/* If not KVM's, it is of the kernel that runs, whichever kernel called. */
	if (vcpu->arch.steal.life && le64_to_cpu(before) != vcpu->arch.steal.shown)
		vcpu->arch.steal.life = READ_ONCE(vcpu->kvm->arch.pvtime_life);

	vcpu->arch.steal.shown = stolen;
	vcpu->arch.steal.pending = 0;
	return true;
}

/*
 * Add stolen time when the vCPU is loaded.  A page with dirty logging is left to where
 * KVM_RUN checks its requests, after it has stopped for a full dirty ring, and so is
 * whatever else is special about a memslot.  So is the structure of a CPU that was off,
 * until it asks again: it may be memory that others use.
 */
static bool add_when_loaded(struct kvm_vcpu *vcpu)
{
	struct gfn_to_hva_cache *ghc = &vcpu->arch.steal.cache;
	bool added = false;
	int idx;

	if (vcpu->arch.steal.was_off)
		return false;

	idx = srcu_read_lock(&vcpu->kvm->srcu);

	if (unlikely(ghc->generation != kvm_memslots(vcpu->kvm)->generation))
		kvm_gfn_to_hva_cache_init(vcpu->kvm, ghc, vcpu->arch.steal.base,
					  sizeof(struct pvclock_vcpu_stolen_time));

	if (ghc->memslot && !ghc->memslot->flags && !kvm_is_error_hva(ghc->hva))
		added = add_stolen_time(vcpu, ghc->hva);

	srcu_read_unlock(&vcpu->kvm->srcu, idx);

	return added;
}

/*
 * Called when the vCPU is loaded.  Other ioctls than KVM_RUN load it as well, but must not
 * change memory.
 */
void kvm_arm_load_stolen_time(struct kvm_vcpu *vcpu)
{
	if (likely(vcpu->arch.steal.run_delay == kvm_run_delay() && !vcpu->arch.steal.pending))
		return;

	if (vcpu->wants_to_run) {
		take_stolen_time(vcpu);
		if (!vcpu->arch.steal.pending || add_when_loaded(vcpu))
			return;
	}

	if (kvm_arm_is_pvtime_enabled(&vcpu->arch))
		kvm_make_request(KVM_REQ_RECORD_STEAL, vcpu);
}

/* Returns false if the page is not there at the moment.  Called with SRCU held. */
static bool update_stolen_time(struct kvm_vcpu *vcpu)
{
	gfn_t gfn = gpa_to_gfn(vcpu->arch.steal.base);
	struct kvm_memory_slot *slot = gfn_to_memslot(vcpu->kvm, gfn);
	unsigned long hva = gfn_to_hva_memslot(slot, gfn);

	guard(preempt)();

	take_stolen_time(vcpu);
	if (!vcpu->arch.steal.pending)
		return true;

	if (kvm_is_error_hva(hva) ||
	    !add_stolen_time(vcpu, hva + offset_in_page(vcpu->arch.steal.base)))
		return false;

	mark_page_dirty_in_slot(vcpu->kvm, slot, gfn);
	return true;
}

/*
 * Called in KVM_RUN, where it may sleep, if stolen time is due.  What cannot be
 * added, as the memory is not there or a signal came first, stays pending.
 */
void kvm_update_stolen_time(struct kvm_vcpu *vcpu)
{
	int idx;

	/* A signal, not CPU_ON, has ended its sleep. */
	if (kvm_arm_vcpu_stopped(vcpu))
		return;

	idx = srcu_read_lock(&vcpu->kvm->srcu);

	if (!update_stolen_time(vcpu) && !fault_in_structure(vcpu))
		update_stolen_time(vcpu);

	srcu_read_unlock(&vcpu->kvm->srcu, idx);
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
	u64 pending, stolen = 0;
	bool goes_on;
	int r;

	r = fault_in_structure(vcpu);
	if (r)
		return r;

	if (kvm_read_guest(kvm, vcpu->arch.steal.base, &st, sizeof(st)))
		return -EFAULT;

	scoped_guard(preempt) {
		take_stolen_time(vcpu);
		pending = vcpu->arch.steal.pending;
	}

	/* A kernel takes what it finds at first for stolen since it booted. */
	goes_on = structure_goes_on(vcpu, &st);
	if (goes_on)
		stolen = le64_to_cpu(st.stolen_time) + pending;

	st = (struct pvclock_vcpu_stolen_time) { .stolen_time = cpu_to_le64(stolen) };
	if (kvm_write_guest(kvm, vcpu->arch.steal.base, &st, sizeof(st)))
		return -EFAULT;

	if (!vcpu->arch.steal.was_off)
		begin_life(vcpu);

	/* What was waited since it was read is added later. */
	guard(preempt)();
	vcpu->arch.steal.life = READ_ONCE(kvm->arch.pvtime_life);
	vcpu->arch.steal.was_off = false;
	vcpu->arch.steal.shown = stolen;
	vcpu->arch.steal.pending = goes_on ? vcpu->arch.steal.pending - pending : 0;
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
	/* What was waited before this is not for the guest. */
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
