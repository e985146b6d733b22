// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The attribute calls of a Xen vCPU, seen from the VMM: what each of the ten
 * types accepts and gives back, which errno refuses what, and that a refused
 * call changes nothing.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <linux/types.h>
#include <asm/pvclock-abi.h>

#include "attr_util.h"
#include "dead_vm.h"
#include "kvm_test_harness.h"
#include "xen_runstate.h"

#define ONE_HOUR	(3600ULL * NSEC_PER_SEC)
#define TEN_MSEC	(NSEC_PER_SEC / 100)

/* Behind the slot of the areas: a page that is read-only, a hole, a lone page. */
#define RO_SLOT		(AREA_SLOT + 1)
#define RO_GPA		(AREA_GPA + AREA_PAGES * PAGE_SIZE)
#define LONE_SLOT	(AREA_SLOT + 2)
#define LONE_GPA	(RO_GPA + 2 * PAGE_SIZE)
#define HOLE_GPA	(LONE_GPA + PAGE_SIZE)

/* The last page of the areas, which the host does not let KVM write either. */
#define LOCKED_PAGE	(AREA_PAGES - 1)

/* Where the pvclock is in a struct vcpu_info of either layout. */
#define VCPU_INFO_TIME	32

#define UNKNOWN_TYPE	0xffff

struct row {
	const char *name;
	uint64_t state, entry, running, runnable, blocked, offline;
};

static struct kvm_xen_vcpu_attr row_attr(const struct row *row)
{
	return runstate_attr(row->state, row->entry, row->running,
			     row->runnable, row->blocked, row->offline);
}

FIXTURE(xen_runstate_attr) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(xen_runstate_attr)
{
	self->vm = vm_create_with_one_vcpu(&self->vcpu, runstate_guest_code);
	xen_enable_runstate(self->vm);
}

FIXTURE_TEARDOWN(xen_runstate_attr)
{
	kvm_vm_free(self->vm);
}

static uint64_t current_state(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_vcpu_attr attr;
	int r = __xen_get_attr(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT, &attr);

	TEST_ASSERT(!r, "get RUNSTATE_CURRENT: %s", strerror(-r));
	return attr.u.runstate.state;
}

static void runstate_set_data(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr attr)
{
	int r = __runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA, attr);

	TEST_ASSERT(!r, "RUNSTATE_DATA %s: %s", runstate_text(&attr).s, strerror(-r));
}

/* A runstate long past, with room to add and to take away. */
static struct kvm_xen_vcpu_attr set_base(struct kvm_vcpu *vcpu, uint64_t state)
{
	struct kvm_xen_vcpu_attr base = runstate_attr(state, 1000, 400, 300, 200, 100);

	runstate_set_data(vcpu, base);
	return base;
}

/* Each of @rows must be refused with EINVAL, and leave the base as it was. */
static void expect_refused(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
			   uint16_t type, const struct row *rows, int nr)
{
	for (const struct row *row = rows; row < rows + nr; row++) {
		struct kvm_xen_vcpu_attr before = set_base(vcpu, RUNSTATE_blocked);
		struct kvm_xen_vcpu_attr after;

		EXPECT_EQ(-EINVAL, __runstate_set(vcpu, type, row_attr(row))) {
			TH_LOG("accepted: %s", row->name);
		}
		after = runstate_get(vcpu);
		EXPECT_TRUE(runstate_equal(&before, &after)) {
			TH_LOG("after %s: %s", row->name, runstate_text(&after).s);
		}
	}
}

/*
 * Any type
 */

TEST_F(xen_runstate_attr, unknown_type_is_enoent)
{
	static const uint16_t types[] = {
		KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA + 1, 0x7f, 0x100, 0x8000, UNKNOWN_TYPE,
	};

	for (int i = 0; i < ARRAY_SIZE(types); i++) {
		struct kvm_xen_vcpu_attr attr = { .type = types[i] };

		EXPECT_EQ(-ENOENT, __xen_set_attr(self->vcpu, &attr));
		EXPECT_EQ(-ENOENT, __xen_get_attr(self->vcpu, types[i], &attr));
	}
}

TEST_F(xen_runstate_attr, unreadable_type_is_efault)
{
	struct user_memory mem = user_memory_map();
	void *const attrs[] = { NULL, mem.none, user_memory_kernel(&mem) };

	for (int i = 0; i < ARRAY_SIZE(attrs); i++) {
		EXPECT_EQ(-EFAULT, xen_attr_ioctl(self->vcpu, KVM_XEN_VCPU_GET_ATTR,
						  UNKNOWN_TYPE, attrs[i]));
		EXPECT_EQ(-EFAULT, xen_attr_ioctl(self->vcpu, KVM_XEN_VCPU_SET_ATTR,
						  UNKNOWN_TYPE, attrs[i]));
	}
	user_memory_unmap(&mem);
}

/* The type is the last thing in memory, what should follow it is out of bounds. */
TEST_F(xen_runstate_attr, value_out_of_bounds_is_efault)
{
	struct kvm_xen_vcpu_attr before = runstate_get(self->vcpu), after, *attr;
	struct user_memory mem = user_memory_map();

	attr = (void *)mem.none - offsetof(struct kvm_xen_vcpu_attr, u);

	for (int type = 0; type < ARRAY_SIZE(xen_attrs); type++) {
		const bool no_value = type == KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST;

		attr->type = type;
		EXPECT_EQ(-EFAULT, xen_attr_ioctl(self->vcpu, KVM_XEN_VCPU_SET_ATTR,
						  type, attr)) {
			TH_LOG("set %s", xen_attrs[type]);
		}
		EXPECT_EQ(no_value ? -EINVAL : -EFAULT,
			  xen_attr_ioctl(self->vcpu, KVM_XEN_VCPU_GET_ATTR, type, attr)) {
			TH_LOG("get %s", xen_attrs[type]);
		}
	}

	after = runstate_get(self->vcpu);
	EXPECT_TRUE(runstate_equal(&before, &after));
	user_memory_unmap(&mem);
}

/*
 * True if every call of every attribute is refused with EIO.  None of them is what the error
 * is about, so that it is noted as that of an unknown one.
 */
static bool every_attr_is_eio(struct kvm_vcpu *vcpu)
{
	bool eio = true;

	for (int type = 0; type <= ARRAY_SIZE(xen_attrs); type++) {
		struct kvm_xen_vcpu_attr attr = xen_good_attr(vcpu->vm, type, AREA_GPA);

		eio &= xen_attr_ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, UNKNOWN_TYPE, &attr) == -EIO;
		eio &= xen_attr_ioctl(vcpu, KVM_XEN_VCPU_GET_ATTR, UNKNOWN_TYPE, &attr) == -EIO;
	}
	return eio;
}

TEST_F(xen_runstate_attr, foreign_process_is_eio)
{
	struct xen_snapshot before = xen_take_snapshot(self->vcpu), after;
	pid_t child = fork();
	int status;

	ASSERT_LE(0, child);
	if (!child)
		_exit(!every_attr_is_eio(self->vcpu));

	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	after = xen_take_snapshot(self->vcpu);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
}

TEST(xen_runstate_attr_of_a_vm_that_was_given_up_is_eio)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = vm_create_with_one_vcpu(&vcpu, runstate_guest_code);
	xen_enable_runstate(vm);
	have_vm_given_up(vcpu);
	EXPECT_TRUE(every_attr_is_eio(vcpu));
	kvm_vm_release(vm);
}

static const struct {
	const char *name;
	size_t size;
	struct kvm_xen_vcpu_attr attr;
} good[] = {
	{ "VCPU_INFO", sizeof(__u64), {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, .u.gpa = AREA_GPA + 0x40 } },
	{ "no VCPU_INFO", sizeof(__u64), {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, .u.gpa = KVM_XEN_INVALID_GPA } },
	{ "VCPU_TIME_INFO", sizeof(__u64), {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO, .u.gpa = AREA_GPA + 0x80 } },
	{ "no VCPU_TIME_INFO", sizeof(__u64), {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO, .u.gpa = KVM_XEN_INVALID_GPA } },
	{ "RUNSTATE_ADDR", sizeof(__u64), {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR, .u.gpa = AREA_GPA + 0xfff } },
	{ "RUNSTATE_CURRENT running", sizeof(__u64), {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT,
		.u.runstate.state = KVM_XEN_RUNSTATE_RUNNING } },
	{ "RUNSTATE_CURRENT runnable", sizeof(__u64), {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT,
		.u.runstate.state = KVM_XEN_RUNSTATE_RUNNABLE } },
	{ "RUNSTATE_CURRENT blocked", sizeof(__u64), {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT,
		.u.runstate.state = KVM_XEN_RUNSTATE_BLOCKED } },
	{ "RUNSTATE_CURRENT offline", sizeof(__u64), {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT,
		.u.runstate.state = KVM_XEN_RUNSTATE_OFFLINE } },
	{ "RUNSTATE_DATA", 6 * sizeof(__u64), {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA,
		.u.runstate = { RUNSTATE_blocked, 1000, 400, 300, 200, 100 } } },
	{ "VCPU_ID", sizeof(__u32), {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID, .u.vcpu_id = 42 } },
	{ "TIMER", 2 * sizeof(__u32) + sizeof(__u64), {
		.type = KVM_XEN_VCPU_ATTR_TYPE_TIMER,
		.u.timer = { 7, KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL, 1ULL << 60 } } },
	{ "UPCALL_VECTOR 16", sizeof(__u8), {
		.type = KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR, .u.vector = 0x10 } },
	{ "no UPCALL_VECTOR", sizeof(__u8), {
		.type = KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR, .u.vector = 0 } },
	{ "UPCALL_VECTOR 255", sizeof(__u8), {
		.type = KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR, .u.vector = 0xff } },
};

TEST_F(xen_runstate_attr, get_gives_what_was_set)
{
	struct kvm_xen_vcpu_attr attr;

	for (int i = 0; i < ARRAY_SIZE(good); i++) {
		struct kvm_xen_vcpu_attr set = good[i].attr;

		EXPECT_EQ(0, __xen_set_attr(self->vcpu, &set)) {
			TH_LOG("set %s", good[i].name);
		}
		EXPECT_EQ(0, __xen_get_attr(self->vcpu, set.type, &attr)) {
			TH_LOG("get %s", good[i].name);
		}
		EXPECT_EQ(0, memcmp(&attr.u, &good[i].attr.u, good[i].size)) {
			TH_LOG("get %s gives something else", good[i].name);
		}
	}

	EXPECT_EQ(-EINVAL, __xen_get_attr(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
					  &attr));
}

/* Of the structure, bytes that are not the value's stay as userspace left them. */
TEST_F(xen_runstate_attr, get_writes_the_value_only)
{
	const size_t offset = offsetof(struct kvm_xen_vcpu_attr, u);
	union {
		struct kvm_xen_vcpu_attr attr;
		uint8_t byte[sizeof(struct kvm_xen_vcpu_attr)];
	} got;

	for (int i = 0; i < ARRAY_SIZE(good); i++) {
		struct kvm_xen_vcpu_attr set = good[i].attr;
		const size_t end = offset + good[i].size;

		ASSERT_EQ(0, __xen_set_attr(self->vcpu, &set));
		memset(&got, CANARY, sizeof(got));
		got.attr.type = set.type;
		EXPECT_EQ(0, xen_attr_ioctl(self->vcpu, KVM_XEN_VCPU_GET_ATTR, set.type,
					    &got.attr)) {
			TH_LOG("get %s", good[i].name);
		}
		EXPECT_EQ(set.type, got.attr.type);
		EXPECT_EQ(0, memcmp(&got.attr.u, &set.u, good[i].size)) {
			TH_LOG("get %s gives something else", good[i].name);
		}
		EXPECT_TRUE(is_painted(got.byte + sizeof(set.type), offset - sizeof(set.type)) &&
			    is_painted(got.byte + end, sizeof(got) - end)) {
			TH_LOG("get %s writes more than its value", good[i].name);
		}
	}
}

TEST_F(xen_runstate_attr, vcpu_info_is_either_a_gpa_or_an_hva)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA,
		.u.hva = (uintptr_t)addr_gpa2hva(self->vm, AREA_GPA),
	};
	uint64_t hva = attr.u.hva;

	EXPECT_EQ(0, __xen_set_attr(self->vcpu, &attr));
	EXPECT_EQ(0, __xen_get_attr(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA, &attr));
	EXPECT_EQ(hva, attr.u.hva);
	EXPECT_EQ(0, __xen_get_attr(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, &attr));
	EXPECT_EQ(KVM_XEN_INVALID_GPA, attr.u.gpa);

	attr.u.gpa = AREA_GPA;
	EXPECT_EQ(0, __xen_set_attr(self->vcpu, &attr));
	EXPECT_EQ(0, __xen_get_attr(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA, &attr));
	EXPECT_EQ(0, attr.u.hva);

	attr.u.hva = hva;
	EXPECT_EQ(0, __xen_set_attr(self->vcpu, &attr));
	attr.u.hva = 0;
	EXPECT_EQ(0, __xen_set_attr(self->vcpu, &attr));
	EXPECT_EQ(0, __xen_get_attr(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA, &attr));
	EXPECT_EQ(0, attr.u.hva);
}

struct refusal {
	const char *name;
	int errnum;
	struct kvm_xen_vcpu_attr attr;
};

/* After each refusal a get of that type must give what it gave before. */
static void expect_unchanged(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
			     const struct refusal *refusals, int nr)
{
	for (const struct refusal *refusal = refusals; refusal < refusals + nr; refusal++) {
		struct kvm_xen_vcpu_attr attr = refusal->attr;
		struct kvm_xen_vcpu_attr before, after;

		TEST_ASSERT_EQ(__xen_get_attr(vcpu, attr.type, &before), 0);
		EXPECT_EQ(-refusal->errnum, __xen_set_attr(vcpu, &attr)) {
			TH_LOG("%s", refusal->name);
		}
		TEST_ASSERT_EQ(__xen_get_attr(vcpu, attr.type, &after), 0);
		EXPECT_EQ(0, memcmp(&before.u, &after.u, sizeof(before.u))) {
			TH_LOG("%s: 0x%llx was 0x%llx", refusal->name,
			       after.u.pad[0], before.u.pad[0]);
		}
	}
}

TEST_F(xen_runstate_attr, refused_values_change_nothing)
{
	const struct refusal refusals[] = {
		{ "VCPU_INFO at an odd address", ENXIO, {
			.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, .u.gpa = AREA_GPA + 1 } },
		{ "VCPU_INFO at half a word", ENXIO, {
			.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, .u.gpa = AREA_GPA + 2 } },
		{ "VCPU_INFO_HVA at half a word", ENXIO, {
			.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA,
			.u.hva = (uintptr_t)addr_gpa2hva(self->vm, AREA_GPA) + 2 } },
		{ "VCPU_INFO across a page", EINVAL, {
			.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO,
			.u.gpa = AREA_GPA + PAGE_SIZE - 4 } },
		{ "VCPU_INFO_HVA across a page", EINVAL, {
			.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA,
			.u.hva = (uintptr_t)addr_gpa2hva(self->vm, AREA_GPA) + PAGE_SIZE - 4 } },
		{ "VCPU_INFO_HVA in the kernel's half", EINVAL, {
			.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA,
			.u.hva = -8UL * PAGE_SIZE } },
		{ "VCPU_TIME_INFO across a page", EINVAL, {
			.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO,
			.u.gpa = AREA_GPA + PAGE_SIZE - 4 } },
		{ "VCPU_ID one too high", EINVAL, {
			.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID,
			.u.vcpu_id = kvm_check_cap(KVM_CAP_MAX_VCPUS) } },
		{ "VCPU_ID of the invalid kind", EINVAL, {
			.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID, .u.vcpu_id = -1 } },
		{ "TIMER of priority 0", EINVAL, {
			.type = KVM_XEN_VCPU_ATTR_TYPE_TIMER, .u.timer = { 9, 0, 1ULL << 61 } } },
		{ "TIMER of priority 1", EINVAL, {
			.type = KVM_XEN_VCPU_ATTR_TYPE_TIMER, .u.timer = { 9, 1, 1ULL << 61 } } },
		{ "UPCALL_VECTOR 1", EINVAL, {
			.type = KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR, .u.vector = 1 } },
		{ "UPCALL_VECTOR 15", EINVAL, {
			.type = KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR, .u.vector = 15 } },
	};

	for (int i = 0; i < ARRAY_SIZE(good); i++) {
		struct kvm_xen_vcpu_attr attr = good[i].attr;

		TEST_ASSERT_EQ(__xen_set_attr(self->vcpu, &attr), 0);
	}

	expect_unchanged(_metadata, self->vcpu, refusals, ARRAY_SIZE(refusals));
}

static const struct refusal unmappable_infos[] = {
	{ "VCPU_INFO without a memslot", EFAULT, {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, .u.gpa = HOLE_GPA } },
	{ "VCPU_INFO_HVA of no memory", EFAULT, {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA, .u.hva = 0x10 } },
	{ "VCPU_TIME_INFO without a memslot", EFAULT, {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO, .u.gpa = HOLE_GPA } },
};

TEST_F(xen_runstate_attr, infos_that_cannot_be_mapped_change_nothing)
{
	struct kvm_xen_vcpu_attr info = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO,
		.u.gpa = AREA_GPA,
	};
	struct kvm_xen_vcpu_attr time_info = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO,
		.u.gpa = AREA_GPA + 0x40,
	};

	TEST_ASSERT_EQ(__xen_set_attr(self->vcpu, &info), 0);
	TEST_ASSERT_EQ(__xen_set_attr(self->vcpu, &time_info), 0);
	expect_unchanged(_metadata, self->vcpu, unmappable_infos, ARRAY_SIZE(unmappable_infos));
}

TEST_F(xen_runstate_attr, infos_that_cannot_be_mapped_are_not_set)
{
	struct kvm_xen_vcpu_attr attr;

	expect_unchanged(_metadata, self->vcpu, unmappable_infos, ARRAY_SIZE(unmappable_infos));

	EXPECT_EQ(0, __xen_get_attr(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, &attr));
	EXPECT_EQ(KVM_XEN_INVALID_GPA, attr.u.gpa);
	EXPECT_EQ(0, __xen_get_attr(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA, &attr));
	EXPECT_EQ(0, attr.u.hva);
	EXPECT_EQ(0, __xen_get_attr(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO, &attr));
	EXPECT_EQ(KVM_XEN_INVALID_GPA, attr.u.gpa);
}

/* The areas with a pvclock, as xen_good_attr() registers them, and where that is in the page. */
static const struct {
	u16 type;
	size_t pvclock;
} infos[] = {
	{ KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, VCPU_INFO_TIME },
	{ KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA, 0x40 + VCPU_INFO_TIME },
	{ KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO, 0x80 },
};

static void expect_run_writes_pvclock(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu,
				      int info)
{
	struct pvclock_vcpu_time_info *pvclock = addr_gpa2hva(vcpu->vm,
							      AREA_GPA + infos[info].pvclock);

	memset(pvclock, 0, sizeof(*pvclock));
	runstate_vcpu_run(vcpu);
	EXPECT_TRUE(pvclock->version && !(pvclock->version & 1) &&
		    pvclock->tsc_to_system_mul) {
		TH_LOG("%s: the pvclock has version %u, multiplier %u", xen_attrs[infos[info].type],
		       pvclock->version, pvclock->tsc_to_system_mul);
	}
}

TEST_F(xen_runstate_attr, infos_are_written_by_the_next_run)
{
	/* Nothing but the calls is to update the pvclock, such as a move to another CPU. */
	pin_self_to_cpu(sched_getcpu());
	runstate_vcpu_run(self->vcpu);

	for (int i = 0; i < 10 * ARRAY_SIZE(infos); i++) {
		const int info = i % ARRAY_SIZE(infos);
		struct kvm_xen_vcpu_attr attr = xen_good_attr(self->vm, infos[info].type, AREA_GPA);

		ASSERT_EQ(0, __xen_set_attr(self->vcpu, &attr));
		expect_run_writes_pvclock(_metadata, self->vcpu, info);
	}
}

/*
 * Each of the three types against each of the unmappable ones.  A change of the clock
 * makes the next KVM_RUN write the pvclock of every info.
 */
TEST_F(xen_runstate_attr, infos_work_on_after_a_refusal)
{
	for (int i = 0; i < ARRAY_SIZE(infos) * ARRAY_SIZE(unmappable_infos); i++) {
		const struct refusal *refusal = &unmappable_infos[i % ARRAY_SIZE(unmappable_infos)];
		const int info = i / ARRAY_SIZE(unmappable_infos);
		struct kvm_xen_vcpu_attr set, attr;

		set = xen_good_attr(self->vm, infos[info].type, AREA_GPA);
		TEST_ASSERT_EQ(__xen_set_attr(self->vcpu, &set), 0);
		attr = refusal->attr;
		EXPECT_NE(0, __xen_set_attr(self->vcpu, &attr));

		EXPECT_EQ(0, __xen_get_attr(self->vcpu, set.type, &attr));
		EXPECT_EQ(set.u.gpa, attr.u.gpa) {
			TH_LOG("%s, refused %s", xen_attrs[set.type], refusal->name);
		}
		vm_set_clock(self->vm, ONE_HOUR);
		expect_run_writes_pvclock(_metadata, self->vcpu, info);
	}
}

/*
 * RUNSTATE_ADDR
 */

TEST_F(xen_runstate_attr, addr_is_invalid_gpa_while_unset)
{
	struct kvm_xen_vcpu_attr attr;

	EXPECT_EQ(0, __xen_get_attr(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR, &attr));
	EXPECT_EQ(KVM_XEN_INVALID_GPA, attr.u.gpa);

	runstate_set_addr(self->vcpu, AREA_GPA);
	runstate_set_addr(self->vcpu, KVM_XEN_INVALID_GPA);
	EXPECT_EQ(0, __xen_get_attr(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR, &attr));
	EXPECT_EQ(KVM_XEN_INVALID_GPA, attr.u.gpa);
}

static const struct {
	const char *name;
	uint64_t gpa;
} unmappable[] = {
	{ "no memslot",				HOLE_GPA },
	{ "no memslot for the second page",	HOLE_GPA - 1 },
	{ "no memslot for all but the last byte", HOLE_GPA - 47 },
	{ "a read-only memslot",		RO_GPA + 0x100 },
	{ "a read-only second page",		RO_GPA - 8 },
	{ "memory locked by the host",		RO_GPA - PAGE_SIZE },
	{ "a second page locked by the host",	RO_GPA - PAGE_SIZE - 8 },
	{ "the end of guest-physical space",	(1ULL << 52) - 8 },
	{ "the end of all addresses",		-8ULL },
	{ "the address below the invalid one",	KVM_XEN_INVALID_GPA - 1 },
};

static void add_unmappable(struct kvm_vm *vm)
{
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, RO_GPA, RO_SLOT, 1,
				    KVM_MEM_READONLY);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, LONE_GPA, LONE_SLOT, 1, 0);
	TEST_ASSERT_EQ(mprotect(addr_gpa2hva(vm, AREA_GPA + LOCKED_PAGE * PAGE_SIZE),
				PAGE_SIZE, PROT_READ), 0);
}

TEST_F(xen_runstate_attr, addr_that_cannot_be_mapped_is_efault)
{
	uint8_t *pages = addr_gpa2hva(self->vm, AREA_GPA);
	uint8_t *lone;

	memset(pages, CANARY, AREA_PAGES * PAGE_SIZE);
	add_unmappable(self->vm);
	lone = addr_gpa2hva(self->vm, LONE_GPA);
	memset(lone, CANARY, PAGE_SIZE);

	for (int i = 0; i < ARRAY_SIZE(unmappable); i++) {
		EXPECT_EQ(-EFAULT, __runstate_set_addr(self->vcpu, unmappable[i].gpa)) {
			TH_LOG("%s", unmappable[i].name);
		}
	}

	/* What could be mapped of them is not written either. */
	EXPECT_EQ(CANARY, pages[0]);
	EXPECT_EQ(0, memcmp(pages, pages + 1, AREA_PAGES * PAGE_SIZE - 1));
	EXPECT_EQ(CANARY, lone[0]);
	EXPECT_EQ(0, memcmp(lone, lone + 1, PAGE_SIZE - 1));
}

TEST_F(xen_runstate_attr, refused_addr_registers_nothing)
{
	uint8_t *pages = addr_gpa2hva(self->vm, AREA_GPA);
	struct kvm_xen_vcpu_attr attr;

	memset(pages, CANARY, AREA_PAGES * PAGE_SIZE);
	add_unmappable(self->vm);

	for (int i = 0; i < ARRAY_SIZE(unmappable); i++) {
		EXPECT_NE(0, __runstate_set_addr(self->vcpu, unmappable[i].gpa));
		EXPECT_EQ(0, __xen_get_attr(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR,
					    &attr));
		EXPECT_EQ(KVM_XEN_INVALID_GPA, attr.u.gpa) {
			TH_LOG("refused for %s", unmappable[i].name);
		}

		/* There is no area which would have to be written. */
		EXPECT_EQ(0, __runstate_set_current(self->vcpu, RUNSTATE_blocked));
		runstate_vcpu_run(self->vcpu);
	}

	EXPECT_EQ(CANARY, pages[0]);
	EXPECT_EQ(0, memcmp(pages, pages + 1, AREA_PAGES * PAGE_SIZE - 1));
}

TEST_F(xen_runstate_attr, refused_addr_keeps_the_area_before)
{
	struct kvm_xen_vcpu_attr attr, area;

	add_unmappable(self->vm);

	for (int i = 0; i < ARRAY_SIZE(unmappable); i++) {
		runstate_set_addr(self->vcpu, AREA_GPA + PAGE_SIZE - 20);
		__runstate_set_addr(self->vcpu, unmappable[i].gpa);

		EXPECT_EQ(0, __xen_get_attr(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR,
					    &attr));
		EXPECT_EQ(AREA_GPA + PAGE_SIZE - 20, attr.u.gpa) {
			TH_LOG("refused for %s", unmappable[i].name);
		}

		runstate_set_current(self->vcpu, RUNSTATE_blocked);
		area = runstate_read_area(self->vm, AREA_GPA + PAGE_SIZE - 20, true);
		attr = runstate_get(self->vcpu);
		EXPECT_TRUE(runstate_equal(&area, &attr)) {
			TH_LOG("refused for %s, the area is left at %s",
			       unmappable[i].name, runstate_text(&area).s);
		}

		runstate_vcpu_run(self->vcpu);
		area = runstate_read_area(self->vm, AREA_GPA + PAGE_SIZE - 20, true);
		EXPECT_EQ(RUNSTATE_running, area.u.runstate.state);
		EXPECT_TRUE(runstate_adds_up(&area));
	}
}

/*
 * RUNSTATE_CURRENT
 */

TEST_F(xen_runstate_attr, current_beyond_offline_is_einval)
{
	static const uint64_t states[] = {
		RUNSTATE_offline + 1, 1ULL << 32, (1ULL << 32) + 1, 1ULL << 63, ~0ULL,
	};
	struct kvm_xen_vcpu_attr before, after;

	runstate_vcpu_run(self->vcpu);
	runstate_set_current(self->vcpu, RUNSTATE_blocked);
	before = runstate_get(self->vcpu);

	for (int i = 0; i < ARRAY_SIZE(states); i++) {
		EXPECT_EQ(-EINVAL, __runstate_set_current(self->vcpu, states[i])) {
			TH_LOG("state 0x%lx", states[i]);
		}
		after = runstate_get(self->vcpu);
		EXPECT_TRUE(runstate_equal(&before, &after));
		EXPECT_EQ(RUNSTATE_blocked, current_state(self->vcpu));
	}
}

/*
 * RUNSTATE_DATA
 */

TEST_F(xen_runstate_attr, data_that_makes_no_sense_is_einval)
{
	const uint64_t future = vm_clock(self->vm) + ONE_HOUR;
	const struct row rows[] = {
		{ "a state beyond offline",	4,	    1000, 400, 300, 200, 100 },
		{ "a state of 2^32",		1ULL << 32, 1000, 400, 300, 200, 100 },
		{ "the state of ADJUST",	KVM_XEN_RUNSTATE_KEEP, 1000, 400, 300, 200, 100 },
		{ "a sum one short",		0,	    1000, 399, 300, 200, 100 },
		{ "a sum one too much",		0,	    1000, 400, 300, 200, 101 },
		{ "a total above the entry",	0,	    1000, 1001, 0, 0, 0 },
		{ "no totals",			0,	    1000, 0, 0, 0, 0 },
		{ "no entry time",		0,	    0, 400, 300, 200, 100 },
		{ "an entry in the future",	0,	    future, future, 0, 0, 0 },
		{ "an entry at the end of time", 0,	    ~0ULL, 0, 0, ~0ULL, 0 },
	};

	expect_refused(_metadata, self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA,
		       rows, ARRAY_SIZE(rows));
}

TEST_F(xen_runstate_attr, data_that_adds_up_by_wrapping_is_einval)
{
	static const struct row rows[] = {
		{ "a negative total",	     0, 1000, 1001, -1ULL, 0, 0 },
		{ "a total below another",   0, 1000, 0, 0, 2000, -1000ULL },
		{ "two halves of 2^64",	     0, 1000, 1ULL << 63, 1ULL << 63, 900, 100 },
		{ "four quarters of 2^64",   0, 0, 1ULL << 62, 1ULL << 62, 1ULL << 62, 1ULL << 62 },
		{ "a wrap in the last sum",  0, 99, 0, 50, 50, -1ULL },
	};

	expect_refused(_metadata, self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA,
		       rows, ARRAY_SIZE(rows));
}

/* As after a migration to a host where the clock was set back. */
TEST_F(xen_runstate_attr, data_may_be_as_late_as_the_own_entry_time)
{
	struct kvm_xen_vcpu_attr before, later, after;

	/* Nothing but stolen, or the entry time would follow the clock. */
	before = runstate_attr(RUNSTATE_offline, 2 * ONE_HOUR, 0, 0, 0, 2 * ONE_HOUR);
	vm_set_clock(self->vm, 2 * ONE_HOUR);
	EXPECT_EQ(0, __runstate_set(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA, before));
	vm_set_clock(self->vm, ONE_HOUR);

	EXPECT_EQ(0, __runstate_set(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA, before));

	later = before;
	later.u.runstate.state_entry_time++;
	later.u.runstate.time_offline++;
	EXPECT_EQ(-EINVAL, __runstate_set(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA,
					  later));

	after = runstate_get(self->vcpu);
	EXPECT_TRUE(runstate_equal(&before, &after));
}

/*
 * An entry time of 0 is a time like any other: the vCPU has a state since
 * then, and what comes next counts as that state.
 */
static void enter_zero_by_data(struct kvm_vcpu *vcpu)
{
	runstate_set_data(vcpu, runstate_attr(RUNSTATE_blocked, 0, 0, 0, 0, 0));
}

static void enter_zero_by_adjust(struct kvm_vcpu *vcpu)
{
	set_base(vcpu, RUNSTATE_blocked);
	TEST_ASSERT_EQ(__runstate_set(vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
				      runstate_attr(KVM_XEN_RUNSTATE_KEEP, -1000ULL, -400ULL,
						    -300ULL, -200ULL, -100ULL)), 0);
}

static void expect_blocked_since_zero(struct __test_metadata *_metadata,
				      struct kvm_vcpu *vcpu,
				      void (*enter_zero)(struct kvm_vcpu *))
{
	struct kvm_xen_vcpu_attr rs;

	enter_zero(vcpu);
	EXPECT_EQ(RUNSTATE_blocked, current_state(vcpu));
	runstate_set_current(vcpu, RUNSTATE_running);
	rs = runstate_get(vcpu);
	EXPECT_GT(rs.u.runstate.time_blocked, 0);
	EXPECT_EQ(rs.u.runstate.state_entry_time, rs.u.runstate.time_blocked) {
		TH_LOG("RUNSTATE_CURRENT makes it %s", runstate_text(&rs).s);
	}

	enter_zero(vcpu);
	runstate_vcpu_run(vcpu);
	rs = runstate_get(vcpu);
	EXPECT_GT(rs.u.runstate.time_blocked, 0);
	EXPECT_EQ(0, rs.u.runstate.time_offline) {
		TH_LOG("KVM_RUN makes it %s", runstate_text(&rs).s);
	}
}

TEST_F(xen_runstate_attr, data_with_entry_time_zero_keeps_the_state)
{
	expect_blocked_since_zero(_metadata, self->vcpu, enter_zero_by_data);
}

TEST_F(xen_runstate_attr, adjust_to_entry_time_zero_keeps_the_state)
{
	expect_blocked_since_zero(_metadata, self->vcpu, enter_zero_by_adjust);
}

/*
 * RUNSTATE_ADJUST
 */

TEST_F(xen_runstate_attr, adjust_that_makes_no_sense_is_einval)
{
	const uint64_t future = vm_clock(self->vm) + ONE_HOUR;
	const struct row rows[] = {
		{ "a state beyond offline",	4,			0, 0, 0, 0, 0 },
		{ "a state of 2^32",		1ULL << 32,		0, 0, 0, 0, 0 },
		{ "a state of -2",		-2ULL,			0, 0, 0, 0, 0 },
		{ "an entry time on its own",	KVM_XEN_RUNSTATE_KEEP,	1, 0, 0, 0, 0 },
		{ "a total on its own",		KVM_XEN_RUNSTATE_KEEP,	0, 0, 0, 1, 0 },
		{ "a total that goes the other way", KVM_XEN_RUNSTATE_KEEP, 1, -1ULL, 0, 0, 0 },
		{ "an entry below zero",	KVM_XEN_RUNSTATE_KEEP,
		  -1001ULL, -401ULL, -300ULL, -200ULL, -100ULL },
		{ "an entry in the future",	KVM_XEN_RUNSTATE_KEEP,	future, future, 0, 0, 0 },
		{ "a state in the future",	RUNSTATE_running,	future, 0, 0, future, 0 },
	};

	expect_refused(_metadata, self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
		       rows, ARRAY_SIZE(rows));
}

TEST_F(xen_runstate_attr, adjust_of_a_total_below_zero_is_einval)
{
	static const struct row rows[] = {
		{ "running",	   KVM_XEN_RUNSTATE_KEEP, 0, -401ULL, 0, 401, 0 },
		{ "runnable",	   KVM_XEN_RUNSTATE_KEEP, 0, 301, -301ULL, 0, 0 },
		{ "blocked",	   KVM_XEN_RUNSTATE_KEEP, 0, 0, 201, -201ULL, 0 },
		{ "offline",	   KVM_XEN_RUNSTATE_KEEP, 0, 101, 0, 0, -101ULL },
		{ "with a state",  RUNSTATE_running, 0, -401ULL, 0, 401, 0 },
		{ "with a later entry", KVM_XEN_RUNSTATE_KEEP, 1, -401ULL, 0, 402, 0 },
		{ "with an earlier entry", KVM_XEN_RUNSTATE_KEEP, -1ULL, -401ULL, 0, 400, 0 },
		{ "by 2^63", KVM_XEN_RUNSTATE_KEEP, 0, INT64_MAX, -(uint64_t)INT64_MAX, 0, 0 },
		{ "by 2^63 twice", KVM_XEN_RUNSTATE_KEEP, 0, 1ULL << 63, 1ULL << 63, 0, 0 },
	};

	expect_refused(_metadata, self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
		       rows, ARRAY_SIZE(rows));
}

TEST_F(xen_runstate_attr, adjust_moves_time_between_totals)
{
	static const struct row rows[] = {
		{ "nothing",			KVM_XEN_RUNSTATE_KEEP, 0, 0, 0, 0, 0 },
		{ "running into blocked",	KVM_XEN_RUNSTATE_KEEP, 0, -400ULL, 0, 400, 0 },
		{ "the entry forward",		KVM_XEN_RUNSTATE_KEEP, 5, 1, 1, 1, 2 },
		{ "the entry back to zero",	KVM_XEN_RUNSTATE_KEEP, -1000ULL, -400ULL, -300ULL,
		  -200ULL, -100ULL },
	};

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kvm_xen_vcpu_attr delta = row_attr(&rows[i]), sum, rs;

		set_base(self->vcpu, RUNSTATE_blocked);
		EXPECT_EQ(0, __runstate_set(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
					    delta));
		sum = runstate_attr(RUNSTATE_blocked, 1000 + rows[i].entry,
				    400 + rows[i].running, 300 + rows[i].runnable,
				    200 + rows[i].blocked, 100 + rows[i].offline);
		rs = runstate_get(self->vcpu);
		EXPECT_TRUE(runstate_equal(&sum, &rs)) {
			TH_LOG("%s gives %s", rows[i].name, runstate_text(&rs).s);
		}
	}
}

/*
 * A VMM that learns late that its vCPU had blocked says since when; the time
 * from then to the next account is not of the state before.
 */
TEST_F(xen_runstate_attr, adjust_with_a_state_holds_since_the_entry_time)
{
	static const struct row rows[] = {
		{ "running to blocked",	  RUNSTATE_blocked,  0, 0, 0, 0, 0 },
		{ "running to offline",	  RUNSTATE_offline,  0, 0, 0, 0, 0 },
		{ "running to runnable",  RUNSTATE_runnable, 0, 0, 0, 0, 0 },
		{ "blocked since before", RUNSTATE_blocked,  -100ULL, -100ULL, 0, 0, 0 },
		{ "blocked since later",  RUNSTATE_blocked,  77, 77, 0, 0, 0 },
	};

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kvm_xen_vcpu_attr expected, rs;
		uint64_t since;

		set_base(self->vcpu, RUNSTATE_running);
		TEST_ASSERT_EQ(__runstate_set(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
					      row_attr(&rows[i])), 0);
		EXPECT_EQ(rows[i].state, current_state(self->vcpu));

		runstate_set_current(self->vcpu, RUNSTATE_running);
		rs = runstate_get(self->vcpu);
		since = rs.u.runstate.state_entry_time - (1000 + rows[i].entry);

		expected = runstate_attr(RUNSTATE_running, rs.u.runstate.state_entry_time,
					 400 + rows[i].running, 300 + rows[i].runnable,
					 200 + rows[i].blocked, 100 + rows[i].offline);
		expected.u.runstate.time_runnable += rows[i].state == RUNSTATE_runnable ? since : 0;
		expected.u.runstate.time_blocked += rows[i].state == RUNSTATE_blocked ? since : 0;
		expected.u.runstate.time_offline += rows[i].state == RUNSTATE_offline ? since : 0;
		EXPECT_TRUE(runstate_equal(&expected, &rs)) {
			TH_LOG("%s: expected %s", rows[i].name, runstate_text(&expected).s);
			TH_LOG("%s: got %s", rows[i].name, runstate_text(&rs).s);
		}
	}
}

/* The thread that sets up a vCPU has waited for CPUs, its vCPU has not. */
TEST_F(xen_runstate_attr, adjust_before_the_first_run_is_no_steal)
{
	struct kvm_xen_vcpu_attr rs;

	wait_for_run_delay(TEN_MSEC);
	TEST_ASSERT_EQ(__runstate_set(self->vcpu, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
				      runstate_attr(RUNSTATE_running, 1000, 1000, 0, 0, 0)), 0);
	runstate_set_current(self->vcpu, RUNSTATE_blocked);

	rs = runstate_get(self->vcpu);
	EXPECT_EQ(0, rs.u.runstate.time_runnable);
}

/*
 * Before the first KVM_RUN
 */

TEST_F(xen_runstate_attr, never_run_is_offline_since_zero)
{
	struct kvm_xen_vcpu_attr never_run = runstate_attr(RUNSTATE_offline, 0, 0, 0, 0, 0);
	struct kvm_xen_vcpu_attr rs = runstate_get(self->vcpu), area;

	EXPECT_TRUE(runstate_equal(&never_run, &rs)) {
		TH_LOG("%s", runstate_text(&rs).s);
	}
	EXPECT_EQ(RUNSTATE_offline, current_state(self->vcpu));

	runstate_set_addr(self->vcpu, AREA_GPA);
	area = runstate_read_area(self->vm, AREA_GPA, true);
	EXPECT_EQ(RUNSTATE_offline, area.u.runstate.state);
	EXPECT_EQ(area.u.runstate.state_entry_time, area.u.runstate.time_offline);
}

TEST_F(xen_runstate_attr, first_run_ends_the_offline_time)
{
	uint64_t before, after;
	struct kvm_xen_vcpu_attr rs;

	before = vm_clock(self->vm);
	runstate_vcpu_run(self->vcpu);
	after = vm_clock(self->vm);

	rs = runstate_get(self->vcpu);
	EXPECT_TRUE(runstate_adds_up(&rs));
	EXPECT_LE(before, rs.u.runstate.time_offline);
	EXPECT_LE(rs.u.runstate.time_offline, after);
	EXPECT_EQ(0, rs.u.runstate.time_blocked);
}

TEST_F(xen_runstate_attr, first_current_ends_the_offline_time)
{
	uint64_t before, after;
	struct kvm_xen_vcpu_attr rs;

	before = vm_clock(self->vm);
	runstate_set_current(self->vcpu, RUNSTATE_blocked);
	after = vm_clock(self->vm);

	rs = runstate_get(self->vcpu);
	EXPECT_EQ(RUNSTATE_blocked, rs.u.runstate.state);
	EXPECT_LE(before, rs.u.runstate.state_entry_time);
	EXPECT_LE(rs.u.runstate.state_entry_time, after);
	EXPECT_EQ(rs.u.runstate.state_entry_time, rs.u.runstate.time_offline);
}

int main(int argc, char *argv[])
{
	int caps = KVM_XEN_HVM_CONFIG_RUNSTATE | KVM_XEN_HVM_CONFIG_EVTCHN_SEND |
		   KVM_XEN_HVM_CONFIG_SHARED_INFO_HVA;

	TEST_REQUIRE((kvm_check_cap(KVM_CAP_XEN_HVM) & caps) == caps);

	return test_harness_run(argc, argv);
}
