// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The order in which calls of vCPU attributes are checked: it is the same for
 * all attributes, in every state of the VM.  An unknown attribute is ENXIO
 * before anything else is checked, HAS ends there, then come the feature, the
 * irqchip, user memory, the value and at last the state of the VM.
 */
#include "arm_vcpu_attr.h"
#include "page_wait.h"
#include "vcpu_attr_expect.h"

#define IRQCHIP_FOR_GET	BIT(0)
#define IRQCHIP_FOR_SET	BIT(1)

#define NO_BAD_VALUE	0

static const struct order_row {
	struct vcpu_attr_row attr;
	int irqchip;
	u64 good;
	u64 bad;
	/* What a SET is without the feature, if it is the same on all hosts. */
	int absent;
} rows[] = {
	{ { "PMU_V3_IRQ",     PMU, PMU_IRQ,     sizeof(int), true },
	  IRQCHIP_FOR_GET | IRQCHIP_FOR_SET, PMU_PPI, MIN_PPI - 1 },
	{ { "PMU_V3_INIT",    PMU, PMU_INIT,    0, false }, 0, 0, NO_BAD_VALUE, -ENXIO },
	/* The good one denies nothing, the bad one has an action of 2. */
	{ { "PMU_V3_FILTER",  PMU, PMU_FILTER,  sizeof(struct kvm_pmu_event_filter), false },
	  0, (u64)KVM_PMU_EVENT_DENY << 32, 2ULL << 32, -ENODEV },
#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
	/* No PMU has 32. */
	{ { "PMU_V3_SET_NR_COUNTERS", PMU, PMU_NR_COUNTERS, sizeof(unsigned int), false },
	  0, 0, 32, -ENODEV },
#endif
	{ { "PMU_V3_SET_PMU", PMU, PMU_SET_PMU, sizeof(int), false },
	  0, 0, NO_BAD_VALUE, -ENODEV },
	{ { "TIMER_VTIMER",   TIMER, VTIMER,    sizeof(int), true }, IRQCHIP_FOR_SET, 20, MIN_SPI },
	{ { "TIMER_PTIMER",   TIMER, PTIMER,    sizeof(int), true }, IRQCHIP_FOR_SET, 21, MIN_SPI },
	{ { "TIMER_HVTIMER",  TIMER, HVTIMER,   sizeof(int), true }, IRQCHIP_FOR_SET, 22, MIN_SPI },
	{ { "TIMER_HPTIMER",  TIMER, HPTIMER,   sizeof(int), true }, IRQCHIP_FOR_SET, 24, MIN_SPI },
	{ { "PVTIME_IPA",     PVTIME, PVTIME_IPA, sizeof(u64), true }, 0, ST_GPA, ST_GPA + 32 },
};

/* No attributes: their groups or numbers are off by one, by a lot, or by 2^32. */
static const struct {
	u32 group;
	u64 attr;
} unknown[] = {
	{ PMU,		PMU_LAST + 1 },
	{ PMU,		PMU_IRQ | BIT_ULL(32) },
	{ PMU,		UNKNOWN_ATTR },
	{ TIMER,	HPTIMER + 1 },
	{ TIMER,	VTIMER | BIT_ULL(32) },
	{ TIMER,	UNKNOWN_ATTR },
	{ PVTIME,	PVTIME_IPA + 1 },
	{ PVTIME,	PVTIME_IPA | BIT_ULL(32) },
	{ PVTIME,	UNKNOWN_ATTR },
	{ PVTIME + 1,	0 },
	{ UNKNOWN_GROUP, 0 },
};

enum stage {
	NEW_VCPU,		/* before KVM_ARM_VCPU_INIT */
	NO_IRQCHIP,
	VGIC_CREATED,
	VGIC_INITIALIZED,
	PMU_INITIALIZED,	/* if there is one */
	HAS_RUN,
};

FIXTURE(vcpu_attr_order) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_vcpu *other;
	struct user_memory mem;
	bool pmu;
};

FIXTURE_VARIANT(vcpu_attr_order) {
	enum stage stage;
	bool pmu;
};

FIXTURE_VARIANT_ADD(vcpu_attr_order, new_vcpu) { NEW_VCPU, false };
FIXTURE_VARIANT_ADD(vcpu_attr_order, no_pmu_no_irqchip) { NO_IRQCHIP, false };
FIXTURE_VARIANT_ADD(vcpu_attr_order, no_pmu_vgic) { VGIC_INITIALIZED, false };
FIXTURE_VARIANT_ADD(vcpu_attr_order, no_pmu_has_run) { HAS_RUN, false };
FIXTURE_VARIANT_ADD(vcpu_attr_order, no_irqchip) { NO_IRQCHIP, true };
FIXTURE_VARIANT_ADD(vcpu_attr_order, vgic_created) { VGIC_CREATED, true };
FIXTURE_VARIANT_ADD(vcpu_attr_order, vgic_initialized) { VGIC_INITIALIZED, true };
FIXTURE_VARIANT_ADD(vcpu_attr_order, pmu_initialized) { PMU_INITIALIZED, true };
FIXTURE_VARIANT_ADD(vcpu_attr_order, has_run) { HAS_RUN, true };

FIXTURE_SETUP(vcpu_attr_order)
{
	self->mem = user_memory_map();
	self->vm = create_vm_without_vgic(2);
	add_st_slot(self->vm, 0);
	self->pmu = variant->pmu && host_has_pmu();

	if (variant->stage == NEW_VCPU) {
		self->vcpu = add_bare_vcpu(self->vm, 0);
		self->other = add_bare_vcpu(self->vm, 1);
		return;
	}

	self->vcpu = add_vcpu(self->vm, 0, self->pmu, guest_exits);
	self->other = add_vcpu(self->vm, 1, self->pmu, guest_exits);
	if (variant->stage == VGIC_CREATED)
		create_vgic(self->vm);
	if (variant->stage >= VGIC_INITIALIZED)
		add_vgic(self->vm);
	if (variant->stage >= PMU_INITIALIZED && self->pmu) {
		start_pmu(self->vcpu);
		start_pmu(self->other);
	}
	if (variant->stage == HAS_RUN)
		TEST_ASSERT_EQ(run_immediate_exit(self->vcpu), -EINTR);
}

FIXTURE_TEARDOWN(vcpu_attr_order)
{
	kvm_vm_free(self->vm);
	user_memory_unmap(&self->mem);
}

/* True if the VM has what the attribute is about, so that HAS is 0. */
static int offered(const struct order_row *row, bool vcpu_has_pmu)
{
	if (row->attr.group == PMU)
		return vcpu_has_pmu ? 0 : -ENXIO;
	if (row->attr.group == PVTIME)
		return kvm_has_cap(KVM_CAP_STEAL_TIME) ? 0 : -ENXIO;
	return 0;
}

/*
 * The errno of a GET or SET before user memory is read; 0 if it is read in the
 * end.
 */
static int refusal(const struct order_row *row, bool get, enum stage stage, bool vcpu_has_pmu)
{
	bool pmu = row->attr.group == PMU;

	if (!pmu && offered(row, vcpu_has_pmu))
		return -ENXIO;
	if (get && !row->attr.has_value)
		return -ENXIO;
	if (pmu && !vcpu_has_pmu)
		return row->absent ?: host_has_pmu() ? -ENODEV : -ENXIO;
	if (stage < VGIC_CREATED && (row->irqchip & (get ? IRQCHIP_FOR_GET : IRQCHIP_FOR_SET)))
		return -EINVAL;
	if (get && pmu && stage < PMU_INITIALIZED)
		return -ENXIO;
	return 0;
}

TEST_F(vcpu_attr_order, unreadable_kvm_device_attr_is_efault)
{
	expect_unreadable_attr_is_efault(_metadata, self->vcpu, &self->mem);
}

TEST_F(vcpu_attr_order, foreign_process_is_eio)
{
	struct snapshot before = take_snapshot(self->vcpu), after;

	expect_foreign_process_is_eio(_metadata, self->vcpu, 20);
	after = take_snapshot(self->vcpu);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
}

TEST_F(vcpu_attr_order, unknown_is_enxio)
{
	for (int i = 0; i < ARRAY_SIZE(unknown); i++)
		expect_unknown_is_enxio(_metadata, self->vcpu, &self->mem,
					unknown[i].group, unknown[i].attr);
}

TEST_F(vcpu_attr_order, has_does_not_read_addr)
{
	for (int i = 0; i < ARRAY_SIZE(rows); i++)
		expect_has(_metadata, self->vcpu, &self->mem, &rows[i].attr,
			   offered(&rows[i], self->pmu));
}

TEST_F(vcpu_attr_order, get_without_a_value_is_enxio)
{
	const void *const addr[] = { NULL, self->mem.none, self->mem.rw };

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct vcpu_attr_row *row = &rows[i].attr;

		for (int j = 0; !row->has_value && j < ARRAY_SIZE(addr); j++) {
			EXPECT_EQ(-ENXIO, attr_call(self->vcpu, KVM_GET_DEVICE_ATTR,
						    row->group, row->attr, addr[j])) {
				TH_LOG("GET of %s", row->name);
			}
		}
	}
}

/* Each kind of bad payload, unless the call is refused before it is read. */
static void expect_bad_payloads(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
				const struct user_memory *mem, const struct order_row *row,
				bool get, int errno_before)
{
	const struct vcpu_attr_row *attr = &row->attr;
	const u32 size = attr->size ?: sizeof(int);

	for (int kind = 0; kind < NR_BAD_PAYLOADS; kind++) {
		const void *addr = bad_payload(mem, size, get, kind);

		EXPECT_EQ(errno_before ?: -EFAULT,
			  attr_call(vcpu, get ? KVM_GET_DEVICE_ATTR : KVM_SET_DEVICE_ATTR,
				    attr->group, attr->attr, addr)) {
			TH_LOG("%s of %s at %p", get ? "GET" : "SET", attr->name, addr);
		}
	}
}

TEST_F(vcpu_attr_order, get_of_a_bad_payload)
{
	for (int i = 0; i < ARRAY_SIZE(rows); i++)
		expect_bad_payloads(_metadata, self->vcpu, &self->mem, &rows[i], true,
				    refusal(&rows[i], true, variant->stage, self->pmu));
}

TEST_F(vcpu_attr_order, set_of_a_bad_payload)
{
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		int errno_before = refusal(&rows[i], false, variant->stage, self->pmu);

		/* One that has no payload accepts it all. */
		if (rows[i].attr.size || errno_before)
			expect_bad_payloads(_metadata, self->vcpu, &self->mem, &rows[i], false,
					    errno_before);
	}
}

TEST_F(vcpu_attr_order, set_of_a_bad_value)
{
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct vcpu_attr_row *row = &rows[i].attr;
		int expected = refusal(&rows[i], false, variant->stage, self->pmu) ?: -EINVAL;

		if (rows[i].bad == NO_BAD_VALUE)
			continue;
		EXPECT_EQ(expected, attr_set(self->vcpu, row->group, row->attr, &rows[i].bad)) {
			TH_LOG("SET of %s to 0x%lx", row->name, rows[i].bad);
		}
	}
}

/* Whatever is refused, here or on the way, must leave no trace. */
TEST_F(vcpu_attr_order, refused_set_changes_nothing)
{
	struct kvm_vcpu *vcpus[] = { self->vcpu, self->other };
	struct snapshot before[2], after;

	for (int i = 0; i < ARRAY_SIZE(vcpus); i++)
		before[i] = take_snapshot(vcpus[i]);

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct vcpu_attr_row *row = &rows[i].attr;
		int errno_before_value = refusal(&rows[i], false, variant->stage, self->pmu);

		EXPECT_NE(0, attr_set(self->vcpu, row->group, row->attr | BIT_ULL(32),
				      &rows[i].good));
		if (row->size)
			EXPECT_NE(0, attr_set(self->vcpu, row->group, row->attr, self->mem.none));
		if (rows[i].bad != NO_BAD_VALUE)
			EXPECT_NE(0, attr_set(self->vcpu, row->group, row->attr, &rows[i].bad));
		if (errno_before_value)
			EXPECT_NE(0, attr_set(self->vcpu, row->group, row->attr, &rows[i].good));
	}

	for (int i = 0; i < ARRAY_SIZE(vcpus); i++) {
		after = take_snapshot(vcpus[i]);
		EXPECT_EQ(0, memcmp(&before[i], &after, sizeof(after))) {
			TH_LOG("vCPU %d: PMU %d to %d, timers %d %d %d %d to %d %d %d %d", i,
			       before[i].pmu_irq, after.pmu_irq,
			       before[i].timer[0], before[i].timer[1],
			       before[i].timer[2], before[i].timer[3],
			       after.timer[0], after.timer[1], after.timer[2], after.timer[3]);
			TH_LOG("vCPU %d: IPA 0x%lx to 0x%lx", i, before[i].ipa, after.ipa);
		}
	}
}

/* KVM marks a VM as dead when a vCPU is run whose vgic is not initialized. */
TEST(vcpu_attr_of_a_vm_that_was_given_up_is_eio)
{
	struct kvm_vm *vm = create_vm_without_vgic(1);
	struct kvm_vcpu *vcpu = add_vcpu(vm, 0, host_has_pmu(), guest_exits);
	const u64 value = 20;

	create_vgic(vm);
	ASSERT_NE(0, run_immediate_exit(vcpu));
	EXPECT_TRUE(every_attr_is_eio(vcpu, &value));
	/* No ioctl can take its memory away any more. */
	kvm_vm_release(vm);
}

/*
 * What is accepted, on vCPUs that are ready for it
 */

FIXTURE(vcpu_attr_payload) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_vcpu *other;
	struct user_memory mem;
	bool pmu;
	int pmu_type;
};

FIXTURE_SETUP(vcpu_attr_payload)
{
	struct host_pmu pmus[MAX_PMUS];

	self->mem = user_memory_map();
	self->vm = create_vm_without_vgic(2);
	add_st_slot(self->vm, 0);
	self->pmu = host_has_pmu();
	if (self->pmu) {
		ASSERT_LT(0, find_host_pmus(pmus));
		self->pmu_type = pmus[0].type;
	}
	self->vcpu = add_vcpu(self->vm, 0, self->pmu, guest_exits);
	self->other = add_vcpu(self->vm, 1, self->pmu, guest_exits);
	add_vgic(self->vm);
}

FIXTURE_TEARDOWN(vcpu_attr_payload)
{
	kvm_vm_free(self->vm);
	user_memory_unmap(&self->mem);
}

/* Tests go from the last row to the first: SET_PMU wants to come before the others. */
#define LAST_ROW	((int)ARRAY_SIZE(rows) - 1)

static bool is_pmu_row(const struct order_row *row, u64 attr)
{
	return row->attr.group == PMU && row->attr.attr == attr;
}

static u64 good_value(const struct order_row *row, int pmu_type)
{
	return is_pmu_row(row, PMU_SET_PMU) ? pmu_type : row->good;
}

TEST_F(vcpu_attr_payload, is_as_large_as_documented)
{
	for (int i = LAST_ROW; i >= 0; i--) {
		const struct order_row *row = &rows[i];
		u64 value = good_value(row, self->pmu_type);

		if (!row->attr.size || offered(row, self->pmu))
			continue;
		expect_payload_size(_metadata, self->vcpu, &self->mem, &row->attr, &value);
	}
}

/* PMU_V3_INIT has none, so nothing is wrong with any address. */
TEST_F(vcpu_attr_payload, init_has_none)
{
	if (!self->pmu)
		SKIP(return, "no PMU");

	ASSERT_EQ(0, pmu_set_irq(self->vcpu, PMU_PPI));
	EXPECT_EQ(0, attr_set(self->vcpu, PMU, PMU_INIT, self->mem.none));
}

TEST_F(vcpu_attr_payload, flags_are_ignored)
{
	for (int i = LAST_ROW; i >= 0; i--) {
		const struct order_row *row = &rows[i];
		u64 value = good_value(row, self->pmu_type);
		int has, set, get;

		if (offered(row, self->pmu))
			continue;

		has = attr_call_flags(self->vcpu, KVM_HAS_DEVICE_ATTR, ~0, row->attr.group,
				      row->attr.attr, NULL);
		set = attr_call_flags(self->vcpu, KVM_SET_DEVICE_ATTR, ~0, row->attr.group,
				      row->attr.attr, &value);
		get = attr_call_flags(self->vcpu, KVM_GET_DEVICE_ATTR, ~0, row->attr.group,
				      row->attr.attr, self->mem.rw);
		EXPECT_EQ(0, has) {
			TH_LOG("HAS of %s", row->attr.name);
		}
		/* The number of the interrupt is set last. */
		EXPECT_EQ(is_pmu_row(row, PMU_INIT) ? -ENXIO : 0, set) {
			TH_LOG("SET of %s", row->attr.name);
		}
		EXPECT_EQ(row->attr.has_value ? 0 : -ENXIO, get) {
			TH_LOG("GET of %s", row->attr.name);
		}
	}
}

TEST_F(vcpu_attr_payload, filter_padding_is_ignored)
{
	struct kvm_pmu_event_filter filter = {
		.action = KVM_PMU_EVENT_DENY,
		.pad = { 1, 2, 3 },
	};

	if (!self->pmu)
		SKIP(return, "no PMU");

	EXPECT_EQ(0, attr_set(self->vcpu, PMU, PMU_FILTER, &filter));
}

TEST_F(vcpu_attr_payload, may_be_read_only_for_a_set)
{
	u64 *const payload = (u64 *)self->mem.ro;

	for (int i = LAST_ROW; i >= 0; i--) {
		const struct order_row *row = &rows[i];

		if (!row->attr.size || offered(row, self->pmu))
			continue;
		ASSERT_EQ(0, mprotect(payload, self->mem.page, PROT_READ | PROT_WRITE));
		*payload = good_value(row, self->pmu_type);
		ASSERT_EQ(0, mprotect(payload, self->mem.page, PROT_READ));
		EXPECT_EQ(0, attr_set(self->vcpu, row->attr.group, row->attr.attr, payload)) {
			TH_LOG("SET of %s", row->attr.name);
		}
	}
}

/*
 * Locking: a payload may be on a page that takes its time to come.
 */

struct slow_call {
	struct kvm_vcpu *vcpu;
	const struct vcpu_attr_row *attr;
	unsigned long ioctl;
	void *addr;
	int r;
};

static void *make_slow_call(void *arg)
{
	struct slow_call *call = arg;

	call->r = attr_call(call->vcpu, call->ioctl, call->attr->group, call->attr->attr,
			    call->addr);
	return NULL;
}

static void *make_quick_calls(void *arg)
{
	struct kvm_vcpu *vcpu = arg;

	timer_get_irq(vcpu, VTIMER);
	timer_set_irq(vcpu, VTIMER, 27);
	pmu_get_irq(vcpu);
	pmu_set_irq(vcpu, PMU_PPI);
	return NULL;
}

/* While one vCPU's call waits for its payload, those of another go on. */
static void expect_no_lock(struct __test_metadata *_metadata, struct slow_call *call,
			   struct kvm_vcpu *other, u64 value)
{
	const char *name = call->ioctl == KVM_GET_DEVICE_ATTR ? "GET" : "SET";
	struct missing_page page = missing_page_map();
	const struct page_wait wait = {
		.name = call->attr->name,
		.page = &page,
		.content = &value,
		.size = sizeof(value),
		.slow = make_slow_call,
		.slow_arg = call,
		.quick = make_quick_calls,
		.quick_arg = other,
	};

	call->addr = page.addr;
	expect_one_waits(_metadata, &wait);
	EXPECT_EQ(0, call->r) {
		TH_LOG("%s of %s: %s", name, call->attr->name, strerror(-call->r));
	}
	missing_page_unmap(&page);
}

TEST_F(vcpu_attr_payload, is_copied_with_no_lock_of_the_vm)
{
	for (int i = LAST_ROW; i >= 0; i--) {
		const struct order_row *row = &rows[i];
		struct slow_call call = { .vcpu = self->vcpu, .attr = &row->attr };

		if (!row->attr.size || offered(row, self->pmu))
			continue;

		call.ioctl = KVM_SET_DEVICE_ATTR;
		expect_no_lock(_metadata, &call, self->other, good_value(row, self->pmu_type));
		if (!row->attr.has_value)
			continue;
		call.ioctl = KVM_GET_DEVICE_ATTR;
		expect_no_lock(_metadata, &call, self->other, 0);
	}
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(!__kvm_test_create_device(vm_create_barebones(), KVM_DEV_TYPE_ARM_VGIC_V3));

	return test_harness_run(argc, argv);
}
