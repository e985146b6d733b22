// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * What attributes of vCPUs do when memory runs out, or cannot be copied: a call that
 * is refused for that changes nothing.
 */
#include "arm_vcpu_attr.h"
#include "vcpu_attr_expect.h"

/*
 * Errors are not noted as reached: the page has separate rows for a struct
 * kvm_device_attr that cannot be read and for a payload that cannot be.
 */
static int make_call(const struct faulty_call *call, void *payload)
{
	return attr_ioctl(call->vcpu, call->ioctl, 0, call->group, call->attr, payload);
}

static void store_snapshot(struct kvm_vcpu *vcpu, void *snapshot)
{
	*(struct snapshot *)snapshot = take_snapshot(vcpu);
}

static const struct faulty_call_ops ops = {
	.make_call = make_call,
	.take_snapshot = store_snapshot,
	.snapshot_size = sizeof(struct snapshot),
};

FIXTURE(vcpu_attr_fault) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	int pmu_type;
};

static struct kvm_vm *create_vm(struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm = create_vm_without_vgic(1);

	add_st_slot(vm, 0);
	*vcpu = add_vcpu(vm, 0, host_has_pmu(), guest_exits);
	add_vgic(vm);
	return vm;
}

FIXTURE_SETUP(vcpu_attr_fault)
{
	struct host_pmu pmus[MAX_PMUS];

	if (host_has_pmu()) {
		ASSERT_LT(0, find_host_pmus(pmus));
		self->pmu_type = pmus[0].type;
	}
	self->vm = create_vm(&self->vcpu);
}

FIXTURE_TEARDOWN(vcpu_attr_fault)
{
	kvm_vm_free(self->vm);
}

TEST_F_TIMEOUT(vcpu_attr_fault, changes_nothing, 120)
{
	static const int pmu_irq = PMU_PPI, timer_irq = 20;
	static const struct kvm_pmu_event_filter filter = { .action = KVM_PMU_EVENT_DENY };
	static const u64 ipa = ST_GPA;
#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
	static const unsigned int nr_counters;
#endif
	/* In the order in which they are accepted; what has a value can be got. */
	const struct {
		struct vcpu_attr_row attr;
		const void *value;
		bool once;
		int no_memory;
	} rows[] = {
		{ { "PMU_V3_SET_PMU", PMU, PMU_SET_PMU, sizeof(int), false }, &self->pmu_type },
#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
		{ { "PMU_V3_SET_NR_COUNTERS", PMU, PMU_NR_COUNTERS, sizeof(unsigned int), false },
		  &nr_counters },
#endif
		{ { "PMU_V3_FILTER", PMU, PMU_FILTER, sizeof(filter), false }, &filter,
		  .no_memory = -ENOMEM },
		{ { "PMU_V3_IRQ", PMU, PMU_IRQ, sizeof(int), true }, &pmu_irq, .once = true },
		{ { "PMU_V3_INIT", PMU, PMU_INIT, 0, false }, NULL, .once = true },
		{ { "TIMER_VTIMER", TIMER, VTIMER, sizeof(int), true }, &timer_irq },
		{ { "TIMER_PTIMER", TIMER, PTIMER, sizeof(int), true }, &timer_irq },
		{ { "TIMER_HVTIMER", TIMER, HVTIMER, sizeof(int), true }, &timer_irq },
		{ { "TIMER_HPTIMER", TIMER, HPTIMER, sizeof(int), true }, &timer_irq },
		{ { "PVTIME_IPA", PVTIME, PVTIME_IPA, sizeof(u64), true }, &ipa, .once = true },
	};
	unsigned int faults = 0;

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct vcpu_attr_row *attr = &rows[i].attr;
		struct faulty_call call = {
			.name = attr->name,
			.vcpu = self->vcpu,
			.ioctl = KVM_HAS_DEVICE_ATTR,
			.group = attr->group,
			.attr = attr->attr,
			.value = rows[i].value,
			.size = attr->size,
		};

		if (attr_has(self->vcpu, attr->group, attr->attr))
			continue;
		faults += expect_faults_change_nothing(_metadata, &ops, &call);

		call.ioctl = KVM_SET_DEVICE_ATTR;
		call.once = rows[i].once;
		call.no_memory = rows[i].no_memory;
		faults += expect_faults_change_nothing(_metadata, &ops, &call);

		if (!attr->has_value)
			continue;
		call.ioctl = KVM_GET_DEVICE_ATTR;
		call.once = false;
		faults += expect_faults_change_nothing(_metadata, &ops, &call);
	}
	EXPECT_LT(0, faults);
	ksft_print_msg("did %u injected faults\n", faults);
}

/* Filters cannot be read, but as long as there is none a PMU can be chosen. */
TEST_F(vcpu_attr_fault, filter_without_memory_is_no_filter)
{
	const int fd = fail_nth_open();
	unsigned int nth = 0;
	bool failed;
	int r;

	if (!host_has_pmu())
		SKIP(return, "no PMU");

	do {
		fail_nth_begin(fd, ++nth);
		r = pmu_filter(self->vcpu, 0, 1, KVM_PMU_EVENT_DENY);
		failed = fail_nth_end(fd);

		/* Something else failed, e.g. a page fault: there is a filter. */
		if (!r && failed) {
			kvm_vm_free(self->vm);
			self->vm = create_vm(&self->vcpu);
		}
	} while (r == -EFAULT || (!r && failed));
	EXPECT_EQ(-ENOMEM, r);
	EXPECT_EQ(0, pmu_set_pmu(self->vcpu, self->pmu_type));

	EXPECT_EQ(0, pmu_filter(self->vcpu, 0, 1, KVM_PMU_EVENT_DENY));
	EXPECT_EQ(-EBUSY, pmu_set_pmu(self->vcpu, self->pmu_type));
	close(fd);
}

/*
 * The first KVM_RUN
 */

struct first_run {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	int gic_fd;
};

/* All is set up, such that the run has everything to claim, the PMU's interrupt included. */
static struct first_run prepare_first_run(void)
{
	struct first_run run = { .vm = create_vm_without_vgic(1) };

	run.vcpu = add_vcpu(run.vm, 0, host_has_pmu(), guest_exits);
	if (host_has_pmu())
		TEST_ASSERT_EQ(pmu_init(run.vcpu), 0);
	run.gic_fd = add_vgic(run.vm);
	if (host_has_pmu())
		TEST_ASSERT_EQ(pmu_set_irq(run.vcpu, PMU_PPI), 0);
	return run;
}

static void expect_nothing_is_claimed(struct __test_metadata *_metadata,
				      const struct first_run *run, unsigned int nth)
{
	for (int i = 0; i < NR_TIMERS; i++) {
		EXPECT_EQ(0, timer_set_irq(run->vcpu, i, default_ppis[i])) {
			TH_LOG("fault %u has frozen the numbers", nth);
		}
		EXPECT_TRUE(i > PTIMER || userspace_drives(run->vm, run->gic_fd, default_ppis[i])) {
			TH_LOG("fault %u: interrupt %d is a timer's", nth, default_ppis[i]);
		}
	}
	EXPECT_TRUE(userspace_drives(run->vm, run->gic_fd, PMU_PPI)) {
		TH_LOG("fault %u: interrupt %d is the PMU's", nth, PMU_PPI);
	}
}

/* Returns whether something failed, and left a VM that can be used. */
static bool fail_first_run(struct __test_metadata *_metadata, unsigned int nth, bool *failed)
{
	const struct first_run run = prepare_first_run();
	const int fd = fail_nth_open();
	bool usable = true;
	int r;

	fail_nth_begin(fd, nth);
	r = run_immediate_exit(run.vcpu);
	*failed = fail_nth_end(fd);
	close(fd);

	if (r != -EINTR) {
		EXPECT_TRUE(*failed && r == -ENOMEM) {
			TH_LOG("fault %u: %s", nth, strerror(-r));
		}
		/* If it is the vgic's, it is the end of the VM, for all calls alike. */
		usable = attr_ioctl(run.vcpu, KVM_HAS_DEVICE_ATTR, 0, TIMER, VTIMER, NULL) != -EIO;
	}
	if (!usable) {
		kvm_vm_release(run.vm);
		return false;
	}

	if (r != -EINTR)
		expect_nothing_is_claimed(_metadata, &run, nth);
	EXPECT_EQ(0, run_to_sync(run.vcpu));
	EXPECT_FALSE(userspace_drives(run.vm, run.gic_fd, default_ppis[VTIMER]));
	close(run.gic_fd);
	kvm_vm_free(run.vm);
	return r != -EINTR;
}

/* With pKVM it is there that memory is needed last, after all was claimed. */
static bool host_is_protected(void)
{
	char cmdline[4096] = {};
	int fd = open("/proc/cmdline", O_RDONLY);

	TEST_ASSERT(fd >= 0 && read(fd, cmdline, sizeof(cmdline) - 1) > 0, "/proc/cmdline: %s",
		    strerror(errno));
	close(fd);
	return strstr(cmdline, "kvm-arm.mode=protected");
}

TEST_F_TIMEOUT(vcpu_attr_fault, first_run_leaves_nothing, 120)
{
	unsigned int nth = 0, undone = 0;
	bool failed;

	do {
		undone += fail_first_run(_metadata, ++nth, &failed);
	} while (failed);
	EXPECT_LT(1, nth);
	ksft_print_msg("%u faults, after %u of which nothing was claimed\n", nth - 1, undone);
	if (host_is_protected())
		EXPECT_LT(0, undone);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(!__kvm_test_create_device(vm_create_barebones(), KVM_DEV_TYPE_ARM_VGIC_V3));
	require_fault_injection();

	return test_harness_run(argc, argv);
}
