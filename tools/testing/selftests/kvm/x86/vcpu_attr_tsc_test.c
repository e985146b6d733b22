// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * KVM_VCPU_TSC_OFFSET: it is what the guest sees, equal offsets leave the VM its
 * master clock, and live migration by the algorithm of
 * Documentation/virt/kvm/devices/vcpu.rst keeps the guest's TSC going.
 */
#include <pthread.h>
#include <sched.h>

#include <asm/pvclock.h>

#include "dead_vm.h"
#include "processor.h"
#include "vcpu_attr_expect.h"
#include "vcpu_tsc.h"

#define NR_VCPUS	2

#define DOWNTIME_USEC	50000

/*
 * How far the TSC of a guest may be off after migration, as frequencies are in kHz
 * and clocks drift.  Added to it is how long KVM_SET_CLOCK takes, which reads two
 * clocks of the host one after the other, and by how much TSC and time drifted apart.
 */
#define MAX_ERROR_NSEC	50000

static const struct vcpu_attr_row tsc_offset = {
	"TSC_OFFSET", KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, sizeof(u64), true,
};

static const u64 offsets[] = {
	0, 1, ONE_HOUR, INT64_MAX, BIT_ULL(63), -ONE_HOUR, -1ULL,
};

/* What a vCPU makes of the host's TSC before the offset is added. */
static u64 scaled(struct kvm_vcpu *vcpu, u64 tsc)
{
	const int n = host_cpu_is_intel ? 48 : 32;
	u64 ratio = ((__uint128_t)get_khz(vcpu) << n) / get_host_khz(vcpu->vm);

	return ((__uint128_t)tsc * ratio) >> n;
}

static struct kvm_clock_data get_clock(struct kvm_vm *vm)
{
	struct kvm_clock_data clock = {};

	vm_ioctl(vm, KVM_GET_CLOCK, &clock);
	return clock;
}

static bool has_master_clock(struct kvm_vm *vm)
{
	return get_clock(vm).flags & KVM_CLOCK_TSC_STABLE;
}

FIXTURE(vcpu_attr_tsc) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[NR_VCPUS];
	struct user_memory mem;
};

FIXTURE_SETUP(vcpu_attr_tsc)
{
	self->mem = user_memory_map();
	self->vm = vm_create_with_vcpus(NR_VCPUS, guest_reads_tsc, self->vcpus);
}

FIXTURE_TEARDOWN(vcpu_attr_tsc)
{
	kvm_vm_free(self->vm);
	user_memory_unmap(&self->mem);
}

static void run_all(struct kvm_vcpu **vcpus)
{
	for (int i = 0; i < NR_VCPUS; i++)
		run_and_get_tsc(vcpus[i]);
}

static void set_all(struct kvm_vcpu **vcpus, u64 offset)
{
	for (int i = 0; i < NR_VCPUS; i++)
		set_offset(vcpus[i], offset);
}

static void expect_guest_tsc(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu, u64 offset)
{
	u64 before = scaled(vcpu, rdtsc()), after, tsc;

	tsc = run_and_get_tsc(vcpu) - offset;
	after = scaled(vcpu, rdtsc());
	EXPECT_LE(before, tsc);
	EXPECT_GE(after, tsc) {
		TH_LOG("offset 0x%lx, vCPU %u", offset, vcpu->id);
	}
}

/*
 * The attribute
 */

TEST_F(vcpu_attr_tsc, unreadable_kvm_device_attr_is_efault)
{
	expect_unreadable_attr_is_efault(_metadata, self->vcpus[0], &self->mem);
}

TEST_F(vcpu_attr_tsc, foreign_process_is_eio)
{
	const u64 offset = get_offset(self->vcpus[0]);

	expect_foreign_process_is_eio(_metadata, self->vcpus[0], offset + ONE_HOUR);
	EXPECT_EQ(offset, get_offset(self->vcpus[0]));
}

TEST(vcpu_attr_tsc_of_a_vm_that_was_given_up_is_eio)
{
	const u64 offset = ONE_HOUR;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = vm_create_with_one_vcpu(&vcpu, guest_reads_tsc);
	have_vm_given_up(vcpu);
	EXPECT_TRUE(every_attr_is_eio(vcpu, &offset));
	kvm_vm_release(vm);
}

TEST_F(vcpu_attr_tsc, unknown_is_enxio)
{
	static const struct {
		u32 group;
		u64 attr;
	} unknown[] = {
		{ KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET + 2 },
		{ KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET | BIT_ULL(32) },
		{ KVM_VCPU_TSC_CTRL, UNKNOWN_ATTR },
		{ KVM_VCPU_TSC_CTRL + 1, KVM_VCPU_TSC_OFFSET },
		{ UNKNOWN_GROUP, KVM_VCPU_TSC_OFFSET },
	};

	for (int i = 0; i < ARRAY_SIZE(unknown); i++)
		expect_unknown_is_enxio(_metadata, self->vcpus[0], &self->mem,
					unknown[i].group, unknown[i].attr);
}

TEST_F(vcpu_attr_tsc, has_does_not_read_addr)
{
	expect_has(_metadata, self->vcpus[0], &self->mem, &tsc_offset, 0);
	run_all(self->vcpus);
	expect_has(_metadata, self->vcpus[0], &self->mem, &tsc_offset, 0);
}

TEST_F(vcpu_attr_tsc, bad_payload_is_efault_and_changes_nothing)
{
	const u64 offset = get_offset(self->vcpus[0]);

	for (int kind = 0; kind < NR_BAD_PAYLOADS; kind++) {
		EXPECT_EQ(-EFAULT, attr_call(self->vcpus[0], KVM_GET_DEVICE_ATTR,
					     KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET,
					     bad_payload(&self->mem, sizeof(u64), true, kind)));
		EXPECT_EQ(-EFAULT, attr_call(self->vcpus[0], KVM_SET_DEVICE_ATTR,
					     KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET,
					     bad_payload(&self->mem, sizeof(u64), false, kind)));
	}
	EXPECT_EQ(offset, get_offset(self->vcpus[0]));
	expect_guest_tsc(_metadata, self->vcpus[0], offset);
}

TEST_F(vcpu_attr_tsc, payload_is_as_large_as_documented)
{
	static const u64 offset = 0x0123456789abcdef;

	expect_payload_size(_metadata, self->vcpus[0], &self->mem, &tsc_offset, &offset);
}

TEST_F(vcpu_attr_tsc, flags_are_ignored)
{
	u64 offset = ONE_HOUR;

	EXPECT_EQ(0, attr_call_flags(self->vcpus[0], KVM_HAS_DEVICE_ATTR, ~0,
				     KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, NULL));
	EXPECT_EQ(0, attr_call_flags(self->vcpus[0], KVM_SET_DEVICE_ATTR, ~0,
				     KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &offset));
	offset = 0;
	EXPECT_EQ(0, attr_call_flags(self->vcpus[0], KVM_GET_DEVICE_ATTR, ~0,
				     KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &offset));
	EXPECT_EQ(ONE_HOUR, offset);
}

TEST_F(vcpu_attr_tsc, get_gives_what_was_set)
{
	for (int i = 0; i < ARRAY_SIZE(offsets); i++) {
		set_offset(self->vcpus[0], offsets[i]);
		EXPECT_EQ(offsets[i], get_offset(self->vcpus[0]));
		run_all(self->vcpus);
		EXPECT_EQ(offsets[i], get_offset(self->vcpus[0]));
	}
}

TEST_F(vcpu_attr_tsc, offset_is_of_its_own_vcpu)
{
	const u64 offset = get_offset(self->vcpus[1]);

	set_offset(self->vcpus[0], offset + ONE_HOUR);
	EXPECT_EQ(offset, get_offset(self->vcpus[1]));
	expect_guest_tsc(_metadata, self->vcpus[0], offset + ONE_HOUR);
	expect_guest_tsc(_metadata, self->vcpus[1], offset);
}

TEST_F(vcpu_attr_tsc, guest_tsc_is_the_host_tsc_plus_the_offset)
{
	expect_guest_tsc(_metadata, self->vcpus[0], get_offset(self->vcpus[0]));
	for (int i = 0; i < ARRAY_SIZE(offsets); i++) {
		set_offset(self->vcpus[0], offsets[i]);
		expect_guest_tsc(_metadata, self->vcpus[0], offsets[i]);
	}
}

/* Frequencies of a guest, in percent of the host's. */
static const int percents[] = { 50, 90, 110, 150 };

TEST_F(vcpu_attr_tsc, guest_tsc_is_the_scaled_host_tsc_plus_the_offset)
{
	const u32 host_khz = get_host_khz(self->vm);

	if (!kvm_has_cap(KVM_CAP_TSC_CONTROL))
		SKIP(return, "the host cannot scale its TSC");

	for (int i = 0; i < ARRAY_SIZE(percents); i++) {
		set_khz(self->vcpus[0], (u64)host_khz * percents[i] / 100);
		for (int j = 0; j < ARRAY_SIZE(offsets); j++) {
			set_offset(self->vcpus[0], offsets[j]);
			expect_guest_tsc(_metadata, self->vcpus[0], offsets[j]);
		}
	}
}

TEST_F(vcpu_attr_tsc, offset_grows_if_the_host_is_too_slow_and_cannot_scale)
{
	u64 offset;

	if (kvm_has_cap(KVM_CAP_TSC_CONTROL))
		SKIP(return, "the host can scale its TSC");

	set_khz(self->vcpus[0], 2 * get_host_khz(self->vm));
	set_offset(self->vcpus[0], 0);
	for (int i = 0; i < 3; i++) {
		offset = get_offset(self->vcpus[0]);
		run_and_get_tsc(self->vcpus[0]);
		EXPECT_LT(offset, get_offset(self->vcpus[0]));
	}
}

/* Under a master clock KVM compares the TSC with the clock only when that is updated. */
TEST_F(vcpu_attr_tsc, offset_stays_if_the_host_is_too_slow_but_has_a_master_clock)
{
	u64 offset;

	if (kvm_has_cap(KVM_CAP_TSC_CONTROL))
		SKIP(return, "the host can scale its TSC");

	for (int i = 0; i < NR_VCPUS; i++)
		set_khz(self->vcpus[i], 2 * get_host_khz(self->vm));
	set_all(self->vcpus, ONE_HOUR);
	run_all(self->vcpus);
	if (!has_master_clock(self->vm))
		SKIP(return, "the host's clock is not its TSC");

	run_all(self->vcpus);
	offset = get_offset(self->vcpus[0]);
	for (int i = 0; i < 3; i++) {
		run_all(self->vcpus);
		EXPECT_EQ(offset, get_offset(self->vcpus[0]));
	}
	EXPECT_TRUE(has_master_clock(self->vm));
}

/*
 * The master clock.  It is checked after runs, as those put it in force.
 */

TEST_F(vcpu_attr_tsc, equal_offsets_keep_the_master_clock)
{
	run_all(self->vcpus);
	if (!has_master_clock(self->vm))
		SKIP(return, "the host's clock is not its TSC");

	for (int i = 0; i < ARRAY_SIZE(offsets); i++) {
		set_all(self->vcpus, offsets[i]);
		run_all(self->vcpus);
		EXPECT_TRUE(has_master_clock(self->vm)) {
			TH_LOG("offset 0x%lx", offsets[i]);
		}
		EXPECT_NE(0, get_clock(self->vm).flags & KVM_CLOCK_HOST_TSC);
	}
}

TEST_F(vcpu_attr_tsc, setting_what_is_shared_already_keeps_the_master_clock)
{
	u64 offset;

	run_all(self->vcpus);
	if (!has_master_clock(self->vm))
		SKIP(return, "the host's clock is not its TSC");

	offset = get_offset(self->vcpus[0]);
	ASSERT_EQ(offset, get_offset(self->vcpus[1]));
	for (int i = NR_VCPUS - 1; i >= 0; i--) {
		set_offset(self->vcpus[i], offset);
		run_all(self->vcpus);
		EXPECT_TRUE(has_master_clock(self->vm)) {
			TH_LOG("vCPU %d", i);
		}
	}
}

TEST_F(vcpu_attr_tsc, differing_offsets_do_no_harm)
{
	u64 last = 0;
	bool stable;

	run_all(self->vcpus);
	stable = has_master_clock(self->vm);

	for (int i = 0; i < ARRAY_SIZE(offsets); i++) {
		u64 now;

		set_offset(self->vcpus[0], offsets[i]);
		set_offset(self->vcpus[1], offsets[i] + ONE_HOUR);
		expect_guest_tsc(_metadata, self->vcpus[0], offsets[i]);
		expect_guest_tsc(_metadata, self->vcpus[1], offsets[i] + ONE_HOUR);
		EXPECT_FALSE(has_master_clock(self->vm));

		now = get_clock(self->vm).clock;
		EXPECT_LT(last, now);
		last = now;
	}

	set_all(self->vcpus, ONE_HOUR);
	run_all(self->vcpus);
	EXPECT_EQ(stable, has_master_clock(self->vm));
}

struct runner {
	struct kvm_vcpu *vcpu;
	u64 runs;
	bool stop;
};

static void *run_until_stopped(void *arg)
{
	struct runner *runner = arg;

	while (!READ_ONCE(runner->stop)) {
		run_and_get_tsc(runner->vcpu);
		WRITE_ONCE(runner->runs, runner->runs + 1);
	}
	return NULL;
}

/* Wait until the vCPU has run since it had done @runs. */
static void wait_for_run_after(struct runner *runner, u64 runs)
{
	while (READ_ONCE(runner->runs) <= runs)
		sched_yield();
}

TEST_F_TIMEOUT(vcpu_attr_tsc, offsets_can_change_under_vcpus_that_run, 120)
{
	u64 runs[NR_VCPUS];
	struct runner runners[NR_VCPUS] = {};
	pthread_t threads[NR_VCPUS];
	bool stable;

	run_all(self->vcpus);
	stable = has_master_clock(self->vm);

	for (int i = 0; i < NR_VCPUS; i++) {
		runners[i].vcpu = self->vcpus[i];
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, run_until_stopped, &runners[i]));
	}
	for (int i = 0; i < 100; i++) {
		for (int j = 0; j < NR_VCPUS; j++)
			runs[j] = READ_ONCE(runners[j].runs);
		set_offset(self->vcpus[0], i * ONE_HOUR);
		set_offset(self->vcpus[1], (i + i % 2) * ONE_HOUR);
		get_clock(self->vm);
		for (int j = 0; j < NR_VCPUS; j++)
			wait_for_run_after(&runners[j], runs[j]);
	}
	for (int i = 0; i < NR_VCPUS; i++) {
		WRITE_ONCE(runners[i].stop, true);
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		ksft_print_msg("did %lu KVM_RUNs\n", runners[i].runs);
	}

	set_all(self->vcpus, 0);
	run_all(self->vcpus);
	EXPECT_EQ(stable, has_master_clock(self->vm));
	expect_guest_tsc(_metadata, self->vcpus[0], 0);
	expect_guest_tsc(_metadata, self->vcpus[1], 0);
}

/*
 * A frequency that is out of reach
 */

TEST_F(vcpu_attr_tsc, refused_frequency_changes_nothing)
{
	const bool can_scale = kvm_has_cap(KVM_CAP_TSC_CONTROL);
	struct kvm_vcpu *vcpu = self->vcpus[0];
	const u32 khz = get_khz(vcpu);

	EXPECT_EQ(-EINVAL, __set_khz(vcpu, can_scale ? UINT32_MAX : khz / 2));
	EXPECT_EQ(khz, get_khz(vcpu));
	expect_guest_tsc(_metadata, vcpu, get_offset(vcpu));
}

/* What KVM computes of the host's TSC when the vCPU does not run. */
static void expect_tsc_of_msr(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu)
{
	const u64 offset = get_offset(vcpu);
	u64 before = rdtsc(), after, tsc;

	tsc = vcpu_get_msr(vcpu, MSR_IA32_TSC) - offset;
	after = rdtsc();
	EXPECT_LE(before, tsc);
	EXPECT_GE(after, tsc);
}

TEST_F(vcpu_attr_tsc, default_below_the_host_leaves_a_working_tsc)
{
	const u32 khz = get_host_khz(self->vm);
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	if (kvm_has_cap(KVM_CAP_TSC_CONTROL))
		SKIP(return, "the host can scale its TSC");

	vm = vm_create_with_khz(&vcpu, khz / 2, guest_reads_tsc);
	/* A VM starts with the kernel's early estimate, which was refined since. */
	EXPECT_GT(khz / 1000, labs((long)khz - get_khz(vcpu)));
	expect_tsc_of_msr(_metadata, vcpu);
	kvm_vm_free(vm);
}

TEST_F(vcpu_attr_tsc, default_above_the_host_leaves_a_working_tsc)
{
	const u32 khz = get_host_khz(self->vm);
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	if (kvm_has_cap(KVM_CAP_TSC_CONTROL))
		SKIP(return, "the host can scale its TSC");

	vm = vm_create_with_khz(&vcpu, 2 * khz, guest_reads_tsc);
	EXPECT_EQ(2 * khz, get_khz(vcpu));
	expect_tsc_of_msr(_metadata, vcpu);
	kvm_vm_free(vm);
}

/*
 * The kvmclock of a guest whose TSC is set
 */

/* By how many cycles the guest is to add to an MSR before it reads its clock. */
static struct {
	u32 msr;
	s64 cycles;
} guest_order;

static void guest_reads_clock(u64 gpa, struct pvclock_vcpu_time_info *info)
{
	unsigned int version;
	u64 clock;

	wrmsr(MSR_KVM_SYSTEM_TIME_NEW, gpa | KVM_MSR_ENABLED);
	for (;;) {
		if (READ_ONCE(guest_order.msr))
			wrmsr(guest_order.msr, rdmsr(guest_order.msr) + guest_order.cycles);
		do {
			version = pvclock_read_begin(info);
			clock = __pvclock_read_cycles(info, rdtsc());
		} while (pvclock_read_retry(info, version));
		GUEST_SYNC_ARGS(0, clock, 0, 0, 0);
	}
}

static void use_guest_clock(struct kvm_vcpu *vcpu)
{
	gva_t info = vm_alloc_page(vcpu->vm);

	vcpu_arch_set_entry_point(vcpu, guest_reads_clock);
	vcpu_args_set(vcpu, 2, addr_gva2gpa(vcpu->vm, info), info);
}

/* By how much the clock that the guest reads is beyond what it can be. */
static s64 run_and_get_clock_error(struct kvm_vcpu *vcpu)
{
	u64 before, after, clock;

	before = get_clock(vcpu->vm).clock;
	clock = run_and_get_tsc(vcpu);
	after = get_clock(vcpu->vm).clock;

	if ((s64)(clock - before) < 0)
		return clock - before;
	return (s64)(clock - after) > 0 ? clock - after : 0;
}

static void set_offset_by(struct kvm_vcpu *vcpu, s64 cycles)
{
	set_offset(vcpu, get_offset(vcpu) + cycles);
}

static void set_tsc_by(struct kvm_vcpu *vcpu, s64 cycles)
{
	vcpu_set_msr(vcpu, MSR_IA32_TSC, vcpu_get_msr(vcpu, MSR_IA32_TSC) + cycles);
}

static void order_guest(struct kvm_vcpu *vcpu, u32 msr, s64 cycles)
{
	guest_order.msr = msr;
	guest_order.cycles = cycles;
	sync_global_to_guest(vcpu->vm, guest_order);
}

static void have_guest_set_tsc_by(struct kvm_vcpu *vcpu, s64 cycles)
{
	order_guest(vcpu, MSR_IA32_TSC, cycles);
}

static void have_guest_adjust_tsc_by(struct kvm_vcpu *vcpu, s64 cycles)
{
	order_guest(vcpu, MSR_IA32_TSC_ADJUST, cycles);
}

/* The guest moves its TSC, and the VMM sets what all vCPUs share again. */
static void set_back_what_guest_adjusts_by(struct kvm_vcpu *vcpu, s64 cycles)
{
	const u64 offset = get_offset(vcpu);

	order_guest(vcpu, MSR_IA32_TSC_ADJUST, -cycles);
	run_and_get_tsc(vcpu);
	order_guest(vcpu, 0, 0);
	TEST_ASSERT_EQ(get_offset(vcpu), offset - cycles);
	set_offset(vcpu, offset);
}

/* Far more than a busy machine holds up the reading of two clocks. */
static const s64 moves[] = { ONE_HOUR, -(s64)ONE_HOUR, 10 * NSEC_PER_SEC, -10LL * NSEC_PER_SEC };

#define MAX_CLOCK_ERROR	NSEC_PER_SEC

static void expect_kvmclock_stays(struct __test_metadata *_metadata, struct kvm_vcpu **vcpus,
				  void (*move)(struct kvm_vcpu *vcpu, s64 cycles))
{
	const u32 khz = get_khz(vcpus[0]);
	bool stable;
	s64 error;

	use_guest_clock(vcpus[0]);
	run_all(vcpus);
	stable = has_master_clock(vcpus[0]->vm);

	for (int master = 0; master <= stable; master++) {
		for (int i = 0; i < ARRAY_SIZE(moves); i++) {
			const u64 offset = nsec_to_cycles(2 * ONE_HOUR, khz);

			set_offset(vcpus[0], offset);
			set_offset(vcpus[1], offset + !master);
			run_all(vcpus);
			ASSERT_EQ(master, has_master_clock(vcpus[0]->vm));

			move(vcpus[0], nsec_to_cycles(moves[i], khz));
			error = run_and_get_clock_error(vcpus[0]);
			order_guest(vcpus[0], 0, 0);
			EXPECT_EQ(move == set_back_what_guest_adjusts_by,
				  offset == get_offset(vcpus[0]));
			EXPECT_LT(llabs(error), MAX_CLOCK_ERROR) {
				TH_LOG("kvmclock moves by %ld ns as the TSC does by %ld ns, %s",
				       error, moves[i],
				       master ? "master clock" : "no master clock");
			}
		}
	}
}

TEST_F(vcpu_attr_tsc, kvmclock_stays_when_the_offset_is_set)
{
	expect_kvmclock_stays(_metadata, self->vcpus, set_offset_by);
}

TEST_F(vcpu_attr_tsc, kvmclock_stays_when_the_offset_is_set_back)
{
	expect_kvmclock_stays(_metadata, self->vcpus, set_back_what_guest_adjusts_by);
}

TEST_F(vcpu_attr_tsc, kvmclock_stays_when_the_msr_is_set)
{
	expect_kvmclock_stays(_metadata, self->vcpus, set_tsc_by);
}

TEST_F(vcpu_attr_tsc, kvmclock_stays_when_the_guest_sets_its_tsc)
{
	expect_kvmclock_stays(_metadata, self->vcpus, have_guest_set_tsc_by);
}

TEST_F(vcpu_attr_tsc, kvmclock_stays_when_the_guest_adjusts_its_tsc)
{
	expect_kvmclock_stays(_metadata, self->vcpus, have_guest_adjust_tsc_by);
}

TEST_F(vcpu_attr_tsc, kvmclock_stays_when_the_frequency_is_set)
{
	s64 error;

	if (!kvm_has_cap(KVM_CAP_TSC_CONTROL))
		SKIP(return, "the host cannot scale its TSC");

	use_guest_clock(self->vcpus[0]);
	run_all(self->vcpus);
	for (int i = 0; i < ARRAY_SIZE(percents); i++) {
		set_khz(self->vcpus[0], (u64)get_host_khz(self->vm) * percents[i] / 100);
		error = run_and_get_clock_error(self->vcpus[0]);
		EXPECT_LT(llabs(error), MAX_CLOCK_ERROR);
	}
}

/*
 * A TSC that is set within a second of what the others have is taken for theirs, if
 * the VMM has set one before: by the offset counts.
 */
TEST_F(vcpu_attr_tsc, tsc_close_to_an_offset_that_was_set_is_matched)
{
	const u32 khz = get_khz(self->vcpus[0]);
	struct kvm_vcpu *vcpus[NR_VCPUS];
	struct kvm_vm *vm;
	u64 tsc, elapsed;

	/* Again if the machine is so busy that the TSC is no longer close. */
	do {
		vm = vm_create_with_vcpus(NR_VCPUS, guest_reads_tsc, vcpus);
		set_offset(vcpus[0], ONE_HOUR);
		tsc = vcpu_get_msr(vcpus[0], MSR_IA32_TSC);
		vcpu_set_msr(vcpus[1], MSR_IA32_TSC, tsc + nsec_to_cycles(NSEC_PER_SEC / 2, khz));
		elapsed = vcpu_get_msr(vcpus[0], MSR_IA32_TSC) - tsc;

		if (elapsed < nsec_to_cycles(NSEC_PER_SEC, khz))
			EXPECT_EQ(ONE_HOUR, get_offset(vcpus[1]));
		kvm_vm_free(vm);
	} while (elapsed >= nsec_to_cycles(NSEC_PER_SEC, khz));
}

/*
 * Migration
 */

/* What goes over the wire in steps 1 to 3; the TSC scaled as the source's vCPUs have it. */
struct tsc_state {
	struct kvm_clock_data clock;
	u64 scaled_tsc;
	u64 offset[NR_VCPUS];
	u32 khz;
};

static struct tsc_state save_tsc(struct kvm_vcpu **vcpus)
{
	struct tsc_state state;

	state.clock = get_clock(vcpus[0]->vm);
	state.scaled_tsc = scaled(vcpus[0], state.clock.host_tsc);
	for (int i = 0; i < NR_VCPUS; i++)
		state.offset[i] = get_offset(vcpus[i]);
	state.khz = get_khz(vcpus[0]);
	return state;
}

/*
 * How many cycles the TSC of this machine has gone on by beyond what the vCPU's frequency
 * makes of the time: KVM may have taken the frequency before the kernel had refined it.
 */
static s64 tsc_drift(struct kvm_vcpu *vcpu, const struct kvm_clock_data *then,
		     const struct kvm_clock_data *now, u32 khz)
{
	s64 cycles = scaled(vcpu, now->host_tsc) - scaled(vcpu, then->host_tsc);

	return cycles - nsec_to_cycles(now->realtime - then->realtime, khz);
}

/*
 * Steps 4 to 7.  Returns the cycles by which the TSC may be off.
 */
static s64 restore_tsc(struct kvm_vcpu **vcpus, const struct tsc_state *state)
{
	const struct kvm_clock_data *src = &state->clock;
	struct kvm_clock_data dst, set = {
		.clock = src->clock,
		.realtime = src->realtime,
		.flags = KVM_CLOCK_REALTIME,
	};
	s64 limit = nsec_to_cycles(MAX_ERROR_NSEC, state->khz);

	limit -= scaled(vcpus[0], rdtsc());
	vm_ioctl(vcpus[0]->vm, KVM_SET_CLOCK, &set);
	limit += scaled(vcpus[0], rdtsc());
	dst = get_clock(vcpus[0]->vm);
	TEST_ASSERT(dst.flags & KVM_CLOCK_HOST_TSC, "no TSC with the clock of the target");
	limit += llabs(tsc_drift(vcpus[0], src, &dst, state->khz));

	for (int i = 0; i < NR_VCPUS; i++)
		set_offset(vcpus[i], state->offset[i] +
			   nsec_to_cycles(dst.clock - src->clock, state->khz) +
			   (state->scaled_tsc - scaled(vcpus[i], dst.host_tsc)));
	return limit;
}

/* A guest's TSC, and its kvmclock before and after that was read. */
struct sample {
	u64 tsc;
	u64 before;
	u64 after;
};

static struct sample take_sample(struct kvm_vcpu *vcpu)
{
	struct sample sample;

	sample.before = get_clock(vcpu->vm).clock;
	sample.tsc = run_and_get_tsc(vcpu);
	sample.after = get_clock(vcpu->vm).clock;
	return sample;
}

/* Between two samples the TSC must go on as the kvmclock does, but for @limit. */
static void expect_same_pace(struct __test_metadata *_metadata, const struct sample *then,
			     const struct sample *now, u32 khz, s64 limit)
{
	s64 least = nsec_to_cycles(now->before - then->after, khz) - limit;
	s64 most = nsec_to_cycles(now->after - then->before, khz) + limit;
	s64 cycles = now->tsc - then->tsc;

	EXPECT_LE(least, cycles);
	EXPECT_GE(most, cycles) {
		TH_LOG("TSC went on by %ld cycles, from %ld to %ld are due", cycles, least, most);
	}
}

/*
 * The TSC that a guest has at a kvmclock of zero, once by each clock: this is what
 * the algorithm is to keep, and can be known better than by asking the guest.
 */
static s64 tsc_at_zero(struct kvm_vcpu *vcpu, u32 khz)
{
	struct kvm_clock_data clock = get_clock(vcpu->vm);

	TEST_ASSERT(clock.flags & KVM_CLOCK_HOST_TSC, "no TSC with the clock");
	return get_offset(vcpu) + scaled(vcpu, clock.host_tsc) - nsec_to_cycles(clock.clock, khz);
}

static void set_all_khz(struct kvm_vcpu **vcpus, u32 khz)
{
	for (int i = 0; i < NR_VCPUS; i++) {
		if (get_khz(vcpus[i]) != khz)
			set_khz(vcpus[i], khz);
	}
}

static void migrate(struct __test_metadata *_metadata, struct kvm_vcpu **vcpus, u64 offset)
{
	struct kvm_vcpu *target[NR_VCPUS];
	struct sample then[NR_VCPUS], now;
	s64 zero[NR_VCPUS], error, limit;
	struct tsc_state state;
	struct kvm_vm *vm;

	set_all(vcpus, offset);
	run_all(vcpus);
	state = save_tsc(vcpus);
	if (!(state.clock.flags & KVM_CLOCK_HOST_TSC) || !(state.clock.flags & KVM_CLOCK_REALTIME))
		SKIP(return, "KVM_GET_CLOCK does not return TSC and time");
	for (int i = 0; i < NR_VCPUS; i++) {
		then[i] = take_sample(vcpus[i]);
		zero[i] = tsc_at_zero(vcpus[i], state.khz);
	}

	usleep(DOWNTIME_USEC);
	vm = vm_create_with_vcpus(NR_VCPUS, guest_reads_tsc, target);
	set_all_khz(target, state.khz);
	limit = restore_tsc(target, &state);

	for (int i = 0; i < NR_VCPUS; i++) {
		now = take_sample(target[i]);
		expect_same_pace(_metadata, &then[i], &now, state.khz, limit);
		EXPECT_LT(then[i].before + DOWNTIME_USEC * 1000, now.before);
	}
	EXPECT_TRUE(has_master_clock(vm));
	EXPECT_EQ(get_offset(target[0]), get_offset(target[1]));
	for (int i = 0; i < NR_VCPUS; i++) {
		error = tsc_at_zero(target[i], state.khz) - zero[i];
		EXPECT_LE(-limit, error);
		EXPECT_GE(limit, error) {
			TH_LOG("the TSC is off by %ld cycles, not %ld at most", error, limit);
		}
	}
	kvm_vm_free(vm);
}

TEST_F(vcpu_attr_tsc, migration_keeps_the_guest_tsc)
{
	migrate(_metadata, self->vcpus, get_offset(self->vcpus[0]));
}

TEST_F(vcpu_attr_tsc, migration_keeps_a_guest_tsc_that_is_ahead)
{
	migrate(_metadata, self->vcpus, ONE_HOUR);
}

TEST_F(vcpu_attr_tsc, migration_keeps_a_guest_tsc_that_is_behind)
{
	migrate(_metadata, self->vcpus, -rdtsc());
}

TEST_F(vcpu_attr_tsc, migration_keeps_a_guest_tsc_that_is_scaled)
{
	const u32 host_khz = get_host_khz(self->vm);

	if (!kvm_has_cap(KVM_CAP_TSC_CONTROL))
		SKIP(return, "the host cannot scale its TSC");

	for (int i = 0; i < ARRAY_SIZE(percents); i++) {
		set_all_khz(self->vcpus, (u64)host_khz * percents[i] / 100);
		migrate(_metadata, self->vcpus, ONE_HOUR);
	}
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_GET_TSC_KHZ));

	return test_harness_run(argc, argv);
}
