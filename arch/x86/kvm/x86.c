// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM's clock, the TSC of a vCPU, and its steal time.
 */
#include "xen_runstate.h"

#include <kvm/vcpu_attr.h>

/* A frequency that is rejected changes nothing. */
static int kvm_switch_tsc_khz(struct kvm_vcpu *vcpu, u32 user_tsc_khz, bool scale)
{
	int r = set_tsc_khz(vcpu, user_tsc_khz, scale);

	if (r)
		return r;

	kvm_get_time_scale(user_tsc_khz * 1000LL, NSEC_PER_SEC,
			   &vcpu->arch.virtual_tsc_shift, &vcpu->arch.virtual_tsc_mult);
	vcpu->arch.virtual_tsc_khz = user_tsc_khz;
	return 0;
}

/*
 * The factors that scale TSC cycles to nanoseconds, and the frequency for which they
 * do.  Protected by disabling preemption; interrupts do not read a VM's clock.
 */
struct tsc_scale {
	unsigned long khz;
	u32 mul;
	s8 shift;
};

static DEFINE_PER_CPU(struct tsc_scale, tsc_scale);

static noinline void tsc_scale_update(struct tsc_scale *scale, unsigned long khz)
{
	kvm_get_time_scale(NSEC_PER_SEC, khz * 1000LL, &scale->shift, &scale->mul);
	scale->khz = khz;
}

/*
 * The frequency of the TSC that the VM's clock is read off, or 0 if it is not.
 * Both this and the next function are about the CPU that they are called on.
 */
static unsigned long kvmclock_tsc_khz(const struct kvm_arch *ka)
{
	return ka->use_master_clock ? get_cpu_tsc_khz() : 0;
}

/* The VM's clock when the TSC, of @khz, is at @tsc. */
static __always_inline u64 kvmclock_at(const struct kvm_arch *ka, u64 tsc, unsigned long khz)
{
	struct tsc_scale *scale = this_cpu_ptr(&tsc_scale);

	if (unlikely(scale->khz != khz))
		tsc_scale_update(scale, khz);

	return ka->master_kernel_ns + ka->kvmclock_offset +
	       pvclock_scale_delta(tsc - ka->master_cycle_now, scale->mul, scale->shift);
}

/* The TSC as kvm_get_walltime_and_clockread() finds it, without the wall time. */
static u64 kvmclock_tsc(void)
{
#ifdef CONFIG_X86_64
	if (pvclock_gtod_data.clock.vclock_mode == VDSO_CLOCKMODE_TSC)
		return read_tsc();
#endif
	return rdtsc_ordered();
}

u64 get_kvmclock_ns(struct kvm *kvm)
{
	struct kvm_arch *ka = &kvm->arch;
	unsigned long khz;
	unsigned int seq;
	u64 ns;

	do {
		seq = read_seqcount_begin(&ka->pvclock_sc);

		/* The TSC and its frequency are to be those of the same CPU. */
		preempt_disable();
		khz = kvmclock_tsc_khz(ka);
		if (khz)
			ns = kvmclock_at(ka, kvmclock_tsc(), khz);
		else
			ns = get_kvmclock_base_ns() + ka->kvmclock_offset;
		preempt_enable();
	} while (read_seqcount_retry(&ka->pvclock_sc, seq));

	return ns;
}

/* The clock by a snapshot; 0 if that is out of date. */
u64 kvmclock_read_snapshot(struct kvm *kvm, const struct kvmclock_snapshot *snap)
{
	if (!snap->khz || snap->khz != get_cpu_tsc_khz() ||
	    raw_read_seqcount(&kvm->arch.pvclock_sc) != snap->seq)
		return 0;

	return snap->ns + pvclock_scale_delta(rdtsc_ordered() - snap->tsc, snap->mul, snap->shift);
}

/* Take a snapshot of the clock with @offset.  Without the master clock there is none. */
void kvmclock_take_snapshot(struct kvm *kvm, s64 offset, struct kvmclock_snapshot *snap)
{
	struct tsc_scale *scale = this_cpu_ptr(&tsc_scale);
	struct kvm_arch *ka = &kvm->arch;
	unsigned long khz = kvmclock_tsc_khz(ka);

	snap->khz = 0;
	snap->seq = raw_read_seqcount(&ka->pvclock_sc);
	if (snap->seq & 1 || !khz || ka->kvmclock_offset != offset)
		return;

	if (scale->khz != khz)
		tsc_scale_update(scale, khz);

	snap->tsc = ka->master_cycle_now;
	snap->ns = ka->master_kernel_ns + offset;
	snap->mul = scale->mul;
	snap->shift = scale->shift;
	if (!read_seqcount_retry(&ka->pvclock_sc, snap->seq))
		snap->khz = khz;
}

/* The guest's TSC was set.  Bring what was derived from it up to date. */
void kvm_guest_tsc_moved(struct kvm_vcpu *vcpu)
{
	kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu);
	kvm_lapic_guest_tsc_moved(vcpu);
}

/*
 * Clear the preempted flag and add the pending time to what the guest reads.  If
 * neither changes anything, nothing is written.  Returns false if the page is not
 * there at the moment; what is not written yet is left for the next call.
 *
 * If @flush is set, another vCPU left a TLB flush to this one.  Called with
 * preemption disabled.
 */
static bool kvm_steal_time_write(struct kvm_vcpu *vcpu, struct kvm_steal_time __user *st,
				 bool *flush)
{
	struct gfn_to_hva_cache *ghc = &vcpu->arch.st.cache;
	u64 pending = vcpu->arch.st.pending;
	bool written = false;
	bool done = false;
	u8 preempted = 0;
	u32 version;
	u64 steal;

	/* No signal but a kill would end the wait for a page in a fault here. */
	pagefault_disable();
	if (!user_access_begin(st, sizeof(*st)))
		goto out;

	unsafe_get_user(preempted, &st->preempted, fault);
	if (preempted) {
		/* Another vCPU may be setting KVM_VCPU_FLUSH_TLB. */
		while (!unsafe_try_cmpxchg_user(&st->preempted, &preempted, 0, fault))
			;
		written = true;
	}
	vcpu->arch.st.preempted = 0;

	unsafe_get_user(version, &st->version, fault);
	if (pending || (version & 1)) {
		/* An odd one is that of an update that a fault ended, or junk. */
		version |= 1;
		unsafe_put_user(version, &st->version, fault);
		written = true;
		smp_wmb();	/* A reader that sees the new time sees it odd. */

		unsafe_get_user(steal, &st->steal, fault);
		unsafe_put_user(steal + pending, &st->steal, fault);
		vcpu->arch.st.pending = 0;
		smp_wmb();	/* A reader that sees it even sees the new time. */

		unsafe_put_user(version + 1, &st->version, fault);
	}
	done = true;

fault:
	user_access_end();
out:
	pagefault_enable();

	if (written)
		mark_page_dirty_in_slot(vcpu->kvm, ghc->memslot, gpa_to_gfn(ghc->gpa));

	*flush = false;
	if (guest_pv_has(vcpu, KVM_FEATURE_PV_TLB_FLUSH)) {
		*flush = preempted & KVM_VCPU_FLUSH_TLB;
		trace_kvm_pv_tlb_flush(vcpu->vcpu_id, *flush);
	}

	return done;
}

/*
 * Wait for the page, as for any page of the guest, until it is there or a signal
 * is pending.  Either way the write is repeated before the guest is entered.
 */
static void kvm_steal_time_wait(struct kvm_vcpu *vcpu)
{
	struct gfn_to_hva_cache *ghc = &vcpu->arch.st.cache;
	struct page *page;
	bool writable;
	kvm_pfn_t pfn;

	pfn = __kvm_faultin_pfn(ghc->memslot, gpa_to_gfn(ghc->gpa),
				FOLL_WRITE | FOLL_INTERRUPTIBLE, &writable, &page);
	if (!is_error_noslot_pfn(pfn))
		kvm_release_page_clean(page);
	else if (!is_sigpending_pfn(pfn))
		return;

	kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu);
}

/* Where the guest's structure is in user memory now, or NULL. */
static struct kvm_steal_time __user *kvm_steal_time_hva(struct kvm_vcpu *vcpu)
{
	gpa_t gpa = vcpu->arch.st.msr_val & KVM_STEAL_VALID_BITS;
	struct gfn_to_hva_cache *ghc = &vcpu->arch.st.cache;
	const u32 size = sizeof(struct kvm_steal_time);

	/* MSR_KVM_STEAL_TIME is aligned, so that it never crosses a page. */
	static_assert(!((sizeof(struct kvm_steal_time) - 1) & KVM_STEAL_VALID_BITS));

	if ((ghc->generation != kvm_memslots(vcpu->kvm)->generation || ghc->gpa != gpa ||
	     kvm_is_error_hva(ghc->hva) || !ghc->memslot) &&
	    kvm_gfn_to_hva_cache_init(vcpu->kvm, ghc, gpa, size))
		return NULL;

	if (kvm_is_error_hva(ghc->hva) || !ghc->memslot)
		return NULL;

	return (struct kvm_steal_time __user *)ghc->hva;
}

/* What was stolen is counted for the host even if the guest does not want to know. */
static void kvm_steal_time_take(struct kvm_vcpu *vcpu)
{
	u64 steal = kvm_steal_take(vcpu, &vcpu->arch.st.run_delay, U64_MAX);

	if (vcpu->arch.st.msr_val & KVM_MSR_ENABLED)
		vcpu->arch.st.pending += steal;
}

static void record_steal_time(struct kvm_vcpu *vcpu)
{
	struct kvm_steal_time __user *st;
	bool flush, written;

	/* A Xen guest has its own steal time, as one of its runstates. */
	if (kvm_xen_msr_enabled(vcpu->kvm)) {
		kvm_xen_runstate_sync(vcpu);
		return;
	}

	if (!(vcpu->arch.st.msr_val & KVM_MSR_ENABLED))
		return;

	if (WARN_ON_ONCE(vcpu->kvm->mm != current->mm))
		return;

	/* Otherwise the scheduler's hooks might write in the middle of it. */
	scoped_guard(preempt) {
		kvm_steal_time_take(vcpu);
		st = kvm_steal_time_hva(vcpu);
		if (!st)
			return;

		written = kvm_steal_time_write(vcpu, st, &flush);
	}

	if (flush)
		kvm_vcpu_flush_tlb_guest(vcpu);
	if (!written)
		kvm_steal_time_wait(vcpu);
}

/*
 * Write right away.  A page with dirty logging is left to where KVM_RUN checks its
 * requests, after it has stopped for a full dirty ring.
 */
static bool kvm_steal_time_try_write(struct kvm_vcpu *vcpu)
{
	struct kvm_steal_time __user *st;
	bool flush, written = false;
	int idx;

	idx = srcu_read_lock(&vcpu->kvm->srcu);

	st = kvm_steal_time_hva(vcpu);
	if (st && !kvm_slot_dirty_track_enabled(vcpu->arch.st.cache.memslot)) {
		written = kvm_steal_time_write(vcpu, st, &flush);
		if (flush)
			kvm_make_request(KVM_REQ_TLB_FLUSH_GUEST, vcpu);
	}

	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return written;
}

/* Called when the vCPU is loaded, if it is not a Xen guest's. */
static void kvm_steal_time_load(struct kvm_vcpu *vcpu)
{
	bool enabled = vcpu->arch.st.msr_val & KVM_MSR_ENABLED;

	/* Other ioctls load the vCPU as well, but must not change memory. */
	if (vcpu->wants_to_run) {
		kvm_steal_time_take(vcpu);
		if (!enabled || kvm_steal_time_try_write(vcpu))
			return;
	}

	if (enabled)
		kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu);
}

static int kvm_tsc_get_offset(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			      void *payload)
{
	*(u64 *)payload = vcpu->arch.l1_tsc_offset;
	return 0;
}

/*
 * vCPUs of one frequency and one offset are matched: their TSCs are the same, and
 * the VM may go on using the master clock.
 */
static int kvm_tsc_set_offset(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			      const void *payload)
{
	struct kvm_arch *ka = &vcpu->kvm->arch;
	u64 offset = *(const u64 *)payload;
	u32 khz = vcpu->arch.virtual_tsc_khz;
	unsigned long flags;
	bool matched;
	u64 tsc;

	raw_spin_lock_irqsave(&ka->tsc_write_lock, flags);

	tsc = kvm_scale_tsc(rdtsc(), vcpu->arch.l1_tsc_scaling_ratio) + offset;
	matched = khz && ka->last_tsc_khz == khz && ka->last_tsc_offset == offset;

	__kvm_synchronize_tsc(vcpu, offset, tsc, get_kvmclock_base_ns(), matched, true);

	raw_spin_unlock_irqrestore(&ka->tsc_write_lock, flags);

	/* Kvmclock stays, and a deadline is met at the TSC that it names. */
	kvm_guest_tsc_moved(vcpu);
	return 0;
}

static bool kvm_tsc_can_scale(void)
{
	return kvm_caps.has_tsc_control;
}

static int kvm_tsc_get_scale(struct kvm_vcpu *vcpu, const struct kvm_vcpu_attr *row,
			     void *payload)
{
	struct kvm_vcpu_tsc_scale *scale = payload;

	scale->tsc_ratio = vcpu->arch.l1_tsc_scaling_ratio;
	scale->tsc_frac_bits = kvm_caps.tsc_scaling_ratio_frac_bits;
	return 0;
}

static const struct kvm_vcpu_attr kvm_tsc_attrs[] = {
	[KVM_VCPU_TSC_OFFSET] = {
		.size	= KVM_VCPU_ATTR_SIZE(u64),
		.get	= kvm_tsc_get_offset,
		.set	= kvm_tsc_set_offset,
	},
	[KVM_VCPU_TSC_SCALE] = {
		.size	 = KVM_VCPU_ATTR_SIZE(struct kvm_vcpu_tsc_scale),
		.offered = kvm_tsc_can_scale,
		.get	 = kvm_tsc_get_scale,
	},
};

static const struct kvm_vcpu_attr_group kvm_tsc_group = {
	.rows	= kvm_tsc_attrs,
	.nr	= ARRAY_SIZE(kvm_tsc_attrs),
};

static const struct kvm_vcpu_attr_group *const kvm_x86_attr_groups[] = {
	[KVM_VCPU_TSC_CTRL] = &kvm_tsc_group,
};

const struct kvm_vcpu_attr_table kvm_arch_vcpu_attrs = {
	.groups	= kvm_x86_attr_groups,
	.nr	= ARRAY_SIZE(kvm_x86_attr_groups),
};

/* The thread that calls KVM_RUN is not the one that ran the vCPU before. */
int kvm_arch_vcpu_run_pid_change(struct kvm_vcpu *vcpu)
{
	vcpu->arch.st.run_delay = KVM_STEAL_RESTART;
	kvm_xen_runstate_restart_steal(vcpu);
	return 0;
}
