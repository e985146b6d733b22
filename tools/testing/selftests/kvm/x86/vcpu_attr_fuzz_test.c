// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Random calls of all attributes of vCPUs, while their areas, their clock and the
 * memory change under them.  A model of the documentation predicts which runstate is
 * accepted, and what each call may change.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fuzz.h"
#include "fuzz_memslot.h"
#include "vcpu_attr.h"
#include "xen_runstate.h"

#define NR_TYPES	ARRAY_SIZE(xen_attrs)
#define AREA_BYTES	(AREA_PAGES * PAGE_SIZE)

/* Behind the slot of the areas, which this bounds unless that is shrunk. */
#define RO_SLOT		(AREA_SLOT + 1)
#define RO_GPA		(AREA_GPA + AREA_BYTES)

/* As many as a 32-bit guest has. */
#define NR_PORTS	1024

/* A change of the TSC offsets may put the clock back by as much. */
#define CLOCK_SLACK	(NSEC_PER_SEC / 1000)

#define TYPE(type)	KVM_XEN_VCPU_ATTR_TYPE_##type

/* What a call may have changed: an attribute by its type, and these. */
#define CHANGED(type)	BIT_ULL(TYPE(type))
#define CHANGED_TIME	(CHANGED(RUNSTATE_CURRENT) | CHANGED(RUNSTATE_DATA))
#define CHANGED_TOTALS	BIT_ULL(62)
#define CHANGED_TSC	BIT_ULL(63)

#define ERRNO(e)	BIT_ULL(e)

/*
 * The size of the value, which errors a SET of it can give beyond EFAULT, and what
 * it changes.
 */
static const struct {
	size_t size;
	u64 errnos;
	u64 changes;
} types[NR_TYPES] = {
	[TYPE(VCPU_INFO)] = { 8, ERRNO(EINVAL) | ERRNO(ENXIO),
		CHANGED(VCPU_INFO) | CHANGED(VCPU_INFO_HVA) },
	[TYPE(VCPU_INFO_HVA)] = { 8, ERRNO(EINVAL) | ERRNO(ENXIO),
		CHANGED(VCPU_INFO) | CHANGED(VCPU_INFO_HVA) },
	[TYPE(VCPU_TIME_INFO)] = { 8, ERRNO(EINVAL), CHANGED(VCPU_TIME_INFO) },
	[TYPE(RUNSTATE_ADDR)] = { 8, 0, CHANGED(RUNSTATE_ADDR) },
	[TYPE(RUNSTATE_CURRENT)] = { 8, ERRNO(EINVAL), CHANGED_TIME },
	[TYPE(RUNSTATE_DATA)] = { 48, ERRNO(EINVAL), CHANGED_TIME | CHANGED_TOTALS },
	[TYPE(RUNSTATE_ADJUST)] = { 48, ERRNO(EINVAL), CHANGED_TIME | CHANGED_TOTALS },
	[TYPE(VCPU_ID)] = { 4, ERRNO(EINVAL), CHANGED(VCPU_ID) },
	[TYPE(TIMER)] = { 16, ERRNO(EINVAL), CHANGED(TIMER) },
	[TYPE(UPCALL_VECTOR)] = { 1, ERRNO(EINVAL), CHANGED(UPCALL_VECTOR) },
};

/* All that can be got of a vCPU. */
struct snapshot {
	struct kvm_xen_vcpu_attr attr[NR_TYPES];
	u64 tsc_offset;
};

static struct kvm_vm *vm;
static struct snapshot last[FUZZ_VCPUS];

/* What may have changed in each vCPU since that. */
static u64 changes[FUZZ_VCPUS];

/* Written by KVM at an address of this process, which is logged nowhere. */
static char *unlogged;

/* Guards what threads set of the VM. */
static pthread_mutex_t vm_lock = PTHREAD_MUTEX_INITIALIZER;

static bool long_mode = true;
static bool update_flag;

/* The latest that the KVM clock has been. */
static u64 latest_clock;

/* Else KVM changes the TSC offsets by itself. */
static bool tsc_is_stable;

static u64 read_clock(void)
{
	u64 clock = vm_clock(vm);

	latest_clock = max(latest_clock, clock);
	return clock;
}

static const struct kvm_xen_vcpu_attr *runstate_of(const struct kvm_vcpu *vcpu)
{
	return &last[vcpu->id].attr[TYPE(RUNSTATE_DATA)];
}

static u64 area_of(const struct kvm_vcpu *vcpu)
{
	return last[vcpu->id].attr[TYPE(RUNSTATE_ADDR)].u.gpa;
}

static size_t area_size(void)
{
	return long_mode ? sizeof(struct vcpu_runstate_info) :
			   sizeof(struct compat_vcpu_runstate_info);
}

/* True if KVM can write an area at @gpa, or if there is none to write. */
static bool area_is_writable(u64 gpa)
{
	return gpa == KVM_XEN_INVALID_GPA || fuzz_slot_has(gpa, area_size());
}

/* Every attribute that has a value can be got at any time. */
static void take_snapshot(struct kvm_vcpu *vcpu, struct snapshot *now)
{
	const struct kvm_xen_vcpu_attr *runstate = &now->attr[TYPE(RUNSTATE_DATA)];
	const struct kvm_xen_vcpu_attr *current = &now->attr[TYPE(RUNSTATE_CURRENT)];
	int r;

	memset(now, 0, sizeof(*now));
	for (int type = 0; type < NR_TYPES; type++) {
		if (type == TYPE(RUNSTATE_ADJUST))
			continue;
		r = __xen_get_attr(vcpu, type, &now->attr[type]);
		TEST_ASSERT(!r, "GET %s: %s", xen_attrs[type], strerror(-r));
	}
	r = attr_get(vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &now->tsc_offset);
	TEST_ASSERT(!r, "GET KVM_VCPU_TSC_OFFSET: %s", strerror(-r));

	TEST_ASSERT(runstate_adds_up(runstate), "the totals do not add up: %s",
		    runstate_text(runstate).s);
	TEST_ASSERT(runstate->u.runstate.state <= RUNSTATE_offline &&
		    current->u.runstate.state == runstate->u.runstate.state,
		    "RUNSTATE_CURRENT is %llu, not as in %s", current->u.runstate.state,
		    runstate_text(runstate).s);
	TEST_ASSERT(runstate->u.runstate.state_entry_time <= latest_clock + CLOCK_SLACK,
		    "ahead of %lu, the latest clock: %s", latest_clock,
		    runstate_text(runstate).s);
}

static bool value_is_equal(int type, const struct kvm_xen_vcpu_attr *then,
			   const struct kvm_xen_vcpu_attr *now)
{
	struct kvm_xen_vcpu_attr expired = *then;

	if (type == TYPE(TIMER))
		expired.u.timer.expires_ns = 0;
	return !memcmp(&then->u, &now->u, sizeof(now->u)) ||
	       !memcmp(&expired.u, &now->u, sizeof(now->u));
}

/* From the last snapshot of @vcpu on, only what is in changes[] may have happened. */
static void check_vcpu(struct kvm_vcpu *vcpu)
{
	struct snapshot *then = &last[vcpu->id], now;
	const u64 may_change = changes[vcpu->id];

	read_clock();
	take_snapshot(vcpu, &now);
	for (int type = 0; type < NR_TYPES; type++) {
		TEST_ASSERT(may_change & BIT_ULL(type) ||
			    value_is_equal(type, &then->attr[type], &now.attr[type]),
			    "%s of vCPU %u changed, 0x%llx was 0x%llx", xen_attrs[type],
			    vcpu->id, now.attr[type].u.pad[0], then->attr[type].u.pad[0]);
	}
	if (!(may_change & CHANGED_TOTALS))
		runstate_assert_follows(&then->attr[TYPE(RUNSTATE_DATA)],
					&now.attr[TYPE(RUNSTATE_DATA)]);
	TEST_ASSERT(may_change & CHANGED_TSC || !tsc_is_stable ||
		    now.tsc_offset == then->tsc_offset,
		    "the TSC offset of vCPU %u changed, 0x%lx was 0x%lx", vcpu->id,
		    now.tsc_offset, then->tsc_offset);
	*then = now;
	changes[vcpu->id] = 0;
}

/*
 * Payloads
 */

/* Not into the memory that the guest runs in. */
static u64 random_gpa(void)
{
	u64 page = AREA_GPA + fuzz_below(AREA_PAGES) * PAGE_SIZE;

	switch (fuzz_below(8)) {
	case 0:
		return KVM_XEN_INVALID_GPA;
	case 1:
		return fuzz_boundary() | AREA_GPA;
	case 2:
		return RO_GPA + fuzz_below(PAGE_SIZE);
	case 3:
		return AREA_GPA + fuzz_slot.pages * PAGE_SIZE - fuzz_below(64);
	case 4:
		return page + PAGE_SIZE - fuzz_below(64);
	case 5:
		return page + fuzz_below(PAGE_SIZE);
	default:
		return page + fuzz_below(PAGE_SIZE) / 64 * 64;
	}
}

/* One in some is beyond user space. */
static u64 random_hva(void)
{
	return fuzz_one_in(8) ? fuzz_boundary() | BIT_ULL(62) :
	       fuzz_one_in(4) ? (u64)fuzz_self->memory.none :
				(u64)unlogged + fuzz_below(PAGE_SIZE);
}

static u64 random_state(void)
{
	return fuzz_one_in(8) ? fuzz_boundary() : fuzz_below(RUNSTATE_offline + 1);
}

/* Up to some hours, as the clock and the totals are. */
static u64 random_time(void)
{
	return fuzz_magnitude() >> 20;
}

/* Put @rs a few steps off what it is, most of which keep its sum. */
static void mutate_runstate(struct kvm_xen_vcpu_attr *rs, u64 clock)
{
	u64 *entry = (u64 *)&rs->u.runstate.state_entry_time;
	u64 *time = (u64 *)&rs->u.runstate.time_running;

	for (int n = fuzz_below(4); n > 0; n--) {
		u64 x = fuzz_one_in(4) ? fuzz_magnitude() : random_time();
		int i = fuzz_below(4), j = fuzz_below(4);

		switch (fuzz_below(8)) {
		case 0:
			time[i] += x;
			break;
		case 1:
			*entry = fuzz_boundary();
			break;
		case 2:
			time[i] = fuzz_boundary();
			break;
		case 3:
			time[i] += clock - *entry;
			*entry = clock;
			break;
		case 4:
			time[i] -= min(x, time[i]);
			*entry = time[0] + time[1] + time[2] + time[3];
			break;
		case 5:
			time[i] += x;
			*entry += x;
			break;
		default:
			time[i] += x;
			time[j] -= x;
		}
	}
}

static struct kvm_xen_vcpu_attr random_value(int type, struct kvm_vcpu *vcpu, u64 clock)
{
	struct kvm_xen_vcpu_attr attr = { };

	switch (type) {
	case TYPE(RUNSTATE_DATA):
		if (!fuzz_one_in(8))
			attr = *runstate_of(vcpu);
		mutate_runstate(&attr, clock);
		attr.u.runstate.state = random_state();
		break;
	case TYPE(RUNSTATE_ADJUST):
		mutate_runstate(&attr, clock - runstate_of(vcpu)->u.runstate.state_entry_time);
		attr.u.runstate.state = fuzz_one_in(2) ? KVM_XEN_RUNSTATE_KEEP : random_state();
		break;
	case TYPE(RUNSTATE_CURRENT):
		attr.u.runstate.state = random_state();
		break;
	case TYPE(VCPU_INFO_HVA):
		attr.u.hva = random_hva();
		break;
	case TYPE(VCPU_ID):
		attr.u.vcpu_id = fuzz_one_in(2) ? fuzz_boundary() :
				 kvm_check_cap(KVM_CAP_MAX_VCPUS) + fuzz_below(3) - 2;
		break;
	case TYPE(TIMER):
		attr.u.timer.port = fuzz_one_in(4) ? 0 : fuzz_below(NR_PORTS);
		attr.u.timer.priority = fuzz_one_in(4) ? fuzz_boundary() :
					KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL;
		attr.u.timer.expires_ns = fuzz_one_in(2) ? fuzz_boundary() :
					  clock + fuzz_magnitude();
		break;
	case TYPE(UPCALL_VECTOR):
		attr.u.vector = fuzz_magnitude();
		break;
	default:
		attr.u.gpa = random_gpa();
	}
	attr.type = type;
	return attr;
}

/*
 * The model of runstate
 */

/* What @rs will be after a SET of @set, if that is accepted. */
static struct kvm_xen_vcpu_attr runstate_after(const struct kvm_xen_vcpu_attr *rs,
					       const struct kvm_xen_vcpu_attr *set)
{
	struct kvm_xen_vcpu_attr after = *rs;

	if (set->type == TYPE(RUNSTATE_DATA)) {
		after.u = set->u;
		return after;
	}
	if (set->u.runstate.state != KVM_XEN_RUNSTATE_KEEP)
		after.u.runstate.state = set->u.runstate.state;
	after.u.runstate.state_entry_time += set->u.runstate.state_entry_time;
	after.u.runstate.time_running += set->u.runstate.time_running;
	after.u.runstate.time_runnable += set->u.runstate.time_runnable;
	after.u.runstate.time_blocked += set->u.runstate.time_blocked;
	after.u.runstate.time_offline += set->u.runstate.time_offline;
	return after;
}

static bool overflows(u64 value, s64 difference)
{
	u64 sum = value + difference;

	return difference < 0 ? sum > value : sum < value;
}

static bool any_overflows(const struct kvm_xen_vcpu_attr *rs, const struct kvm_xen_vcpu_attr *set)
{
	return overflows(rs->u.runstate.state_entry_time, set->u.runstate.state_entry_time) ||
	       overflows(rs->u.runstate.time_running, set->u.runstate.time_running) ||
	       overflows(rs->u.runstate.time_runnable, set->u.runstate.time_runnable) ||
	       overflows(rs->u.runstate.time_blocked, set->u.runstate.time_blocked) ||
	       overflows(rs->u.runstate.time_offline, set->u.runstate.time_offline);
}

/* True if a vCPU whose runstate is @rs accepts @set at the time @clock. */
static bool runstate_is_valid(const struct kvm_xen_vcpu_attr *rs,
			      const struct kvm_xen_vcpu_attr *set, u64 clock)
{
	struct kvm_xen_vcpu_attr after;

	switch (set->type) {
	case TYPE(RUNSTATE_ADDR):
		return true;
	case TYPE(RUNSTATE_CURRENT):
		return set->u.runstate.state <= RUNSTATE_offline;
	case TYPE(RUNSTATE_DATA):
		clock = max(clock, (u64)rs->u.runstate.state_entry_time);
		break;
	default:
		if (any_overflows(rs, set))
			return false;
	}
	after = runstate_after(rs, set);
	return after.u.runstate.state <= RUNSTATE_offline && runstate_adds_up(&after) &&
	       after.u.runstate.state_entry_time <= clock;
}

static bool is_runstate(int type)
{
	return type >= TYPE(RUNSTATE_ADDR) && type <= TYPE(RUNSTATE_ADJUST);
}

/* Where the area is that a SET of a runstate attribute is to write. */
static u64 area_to_write(const struct kvm_vcpu *vcpu, const struct kvm_xen_vcpu_attr *set)
{
	return set->type == TYPE(RUNSTATE_ADDR) ? set->u.gpa : area_of(vcpu);
}

/*
 * A SET of a runstate attribute gave @r.  It was accepted between the clocks @from
 * and @to, if at all, and was to be accepted if it was valid from the first on.
 */
static void check_runstate_set(struct kvm_vcpu *vcpu, const struct kvm_xen_vcpu_attr *set,
			       u64 from, u64 to, int r)
{
	const struct kvm_xen_vcpu_attr *rs = runstate_of(vcpu);
	const u64 gpa = area_to_write(vcpu, set);
	struct kvm_xen_vcpu_attr now, due;

	if (r) {
		TEST_ASSERT(!area_is_writable(gpa) || !runstate_is_valid(rs, set, from),
			    "refused: %s", strerror(-r));
		return;
	}
	TEST_ASSERT(area_is_writable(gpa), "accepted, but the area cannot be written");
	TEST_ASSERT(runstate_is_valid(rs, set, to + CLOCK_SLACK), "accepted after %s",
		    runstate_text(rs).s);

	now = runstate_get(vcpu);
	if (set->type == TYPE(RUNSTATE_DATA) || set->type == TYPE(RUNSTATE_ADJUST)) {
		due = runstate_after(rs, set);
		TEST_ASSERT(runstate_equal(&now, &due), "is %s\nnot %s", runstate_text(&now).s,
			    runstate_text(&due).s);
	}
	if (gpa != KVM_XEN_INVALID_GPA) {
		due = runstate_read_area(vm, gpa, long_mode);
		TEST_ASSERT(runstate_equal(&now, &due), "the area has %s\nnot %s",
			    runstate_text(&due).s, runstate_text(&now).s);
	}
}

/* Of memory, nothing but an area has changed since it was as @before. */
static void check_memory(char *before, u64 gpa)
{
	if (gpa != KVM_XEN_INVALID_GPA) {
		const u64 offset = gpa - AREA_GPA;
		const size_t size = area_size();

		/* The padding of a 64-bit area is not written. */
		memcpy(before + offset, fuzz_slot.memory + offset, sizeof(u32));
		memcpy(before + offset + size - 5 * sizeof(u64),
		       fuzz_slot.memory + offset + size - 5 * sizeof(u64), 5 * sizeof(u64));
	}
	for (int i = 0; i < AREA_BYTES; i++)
		TEST_ASSERT(fuzz_slot.memory[i] == before[i],
			    "byte 0x%x changed from 0x%02hhx to 0x%02hhx, and is no area's", i,
			    before[i], fuzz_slot.memory[i]);
}

/*
 * Calls of attributes
 */

/* Half of them are of runstate. */
static int random_type(void)
{
	if (fuzz_one_in(16))
		return fuzz_below(BIT(16));
	if (fuzz_one_in(2))
		return TYPE(RUNSTATE_ADDR) + fuzz_below(4);
	return fuzz_below(NR_TYPES);
}

static bool type_is_known(int type)
{
	return type < NR_TYPES;
}

/* Of the type and the value. */
static size_t attr_size(int type)
{
	return offsetof(struct kvm_xen_vcpu_attr, u) + (type_is_known(type) ? types[type].size : 0);
}

/*
 * Errors of bad pointers are not noted as reached: they may belong to the row of one
 * attribute or to that of all, which cannot be distinguished here.
 */
static int call_at_bad_pointer(struct kvm_vcpu *vcpu, unsigned long nr, void *attr)
{
	return ioctl(vcpu->fd, nr, attr) ? -errno : 0;
}

struct xen_set {
	struct kvm_xen_vcpu_attr attr;
	bool bad_pointer;
};

static struct xen_set random_set(struct kvm_vcpu *vcpu, u64 clock)
{
	return (struct xen_set) {
		.attr = random_value(random_type(), vcpu, clock),
		.bad_pointer = fuzz_one_in(8),
	};
}

/* Returns what the call gave, which is documented for the type and the pointer. */
static int do_set(struct kvm_vcpu *vcpu, const struct xen_set *set)
{
	const int type = set->attr.type;
	const bool known = type_is_known(type);
	const u64 errnos = ERRNO(EFAULT) | (known ? types[type].errnos : ERRNO(ENOENT));
	const __u64 *value = set->attr.u.pad;
	const size_t size = attr_size(type);
	void *attr = set->bad_pointer ? fuzz_bad_pointer(&set->attr, size, false) :
					fuzz_good_pointer(&set->attr, size);
	int r;

	fuzz_call("vCPU %u: SET type %d at %p: %llx %llx %llx %llx %llx %llx", vcpu->id, type, attr,
		  value[0], value[1], value[2], value[3], value[4], value[5]);
	if (set->bad_pointer)
		r = call_at_bad_pointer(vcpu, KVM_XEN_VCPU_SET_ATTR, attr);
	else
		r = xen_attr_ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, type, attr);

	TEST_ASSERT(!r || errnos & ERRNO(-r), "undocumented: %s", strerror(-r));
	TEST_ASSERT(r || (known && !set->bad_pointer), "accepted");
	TEST_ASSERT(!known || !set->bad_pointer || r == -EFAULT, "gives %d", r);
	return r;
}

/* What was accepted of @set can be got.  A runstate is checked by the model. */
static void check_value(struct kvm_vcpu *vcpu, const struct kvm_xen_vcpu_attr *set)
{
	struct kvm_xen_vcpu_attr now;

	if (is_runstate(set->type) || set->type == TYPE(TIMER))
		return;
	TEST_ASSERT_EQ(__xen_get_attr(vcpu, set->type, &now), 0);
	TEST_ASSERT(!memcmp(&now.u, &set->u, types[set->type].size), "GET gives 0x%llx",
		    now.u.pad[0]);
}

static void set_xen_attr(struct kvm_vcpu *vcpu)
{
	static char before[AREA_BYTES];
	const u64 from = read_clock();
	const struct xen_set set = random_set(vcpu, from);
	const int type = set.attr.type;
	/* Reading memory always would bring back each page that was dropped. */
	const bool watch = fuzz_one_in(2);
	u64 to;
	int r;

	/* After a switch of LONG_MODE any call writes the area, and so does this. */
	runstate_get(vcpu);
	if (watch)
		memcpy(before, fuzz_slot.memory, AREA_BYTES);
	r = do_set(vcpu, &set);
	to = read_clock();

	if (is_runstate(type) && !set.bad_pointer)
		check_runstate_set(vcpu, &set.attr, from, to, r);
	if (!r)
		check_value(vcpu, &set.attr);
	if (watch)
		check_memory(before, r || !is_runstate(type) ? KVM_XEN_INVALID_GPA :
					area_to_write(vcpu, &set.attr));
	if (!r)
		changes[vcpu->id] |= types[type].changes;
	/* A vCPU without an area goes on with what an area shows that is in use. */
	if (!r && type == TYPE(RUNSTATE_ADDR) && area_of(vcpu) == KVM_XEN_INVALID_GPA)
		changes[vcpu->id] |= CHANGED_TIME | CHANGED_TOTALS;
}

static void race_set_xen_attr(struct kvm_vcpu *vcpu)
{
	const struct xen_set set = random_set(vcpu, vm_clock(vm));

	do_set(vcpu, &set);
}

/* A GET that fails.  All others are part of the checks. */
static void get_xen_attr(struct kvm_vcpu *vcpu)
{
	const int type = random_type();
	const struct kvm_xen_vcpu_attr attr = { .type = type };
	/* Not a pointer that can be read only, where the type is not @type. */
	void *bad = fuzz_bad_pointer(&attr, attr_size(type), false);
	int r;

	fuzz_call("vCPU %u: GET type %d at %p", vcpu->id, type, bad);
	r = call_at_bad_pointer(vcpu, KVM_XEN_VCPU_GET_ATTR, bad);
	TEST_ASSERT(r == -EFAULT || (!type_is_known(type) && r == -ENOENT) ||
		    (type == TYPE(RUNSTATE_ADJUST) && r == -EINVAL), "gives %d", r);
}

static void race_get_runstate(struct kvm_vcpu *vcpu)
{
	const struct kvm_xen_vcpu_attr runstate = runstate_get(vcpu);

	fuzz_call("vCPU %u: GET", vcpu->id);
	TEST_ASSERT(runstate_adds_up(&runstate), "the totals do not add up: %s",
		    runstate_text(&runstate).s);
}

/* Returns the offset that was set, if it was, in @offset. */
static bool do_tsc_call(struct kvm_vcpu *vcpu, u64 *offset)
{
	const enum attr_call call = fuzz_below(NR_ATTR_CALLS);
	const u32 group = fuzz_one_in(4) ? fuzz_boundary() : KVM_VCPU_TSC_CTRL;
	/* Every other one is unknown on hosts that cannot scale their TSC; 1 may be known. */
	const u64 attr = fuzz_one_in(4) ? fuzz_boundary() & ~1ULL : KVM_VCPU_TSC_OFFSET;
	const bool known = group == KVM_VCPU_TSC_CTRL && attr == KVM_VCPU_TSC_OFFSET;
	const bool bad = fuzz_one_in(4);
	int r, due = !known ? -ENXIO : bad && call != ATTR_HAS ? -EFAULT : 0;
	void *addr;

	*offset = fuzz_one_in(2) ? fuzz_boundary() : last[fuzz_below(FUZZ_VCPUS)].tsc_offset;
	addr = bad ? fuzz_bad_pointer(offset, sizeof(*offset), call == ATTR_GET) :
		     fuzz_good_pointer(offset, sizeof(*offset));
	fuzz_call("vCPU %u: %s group %u attribute 0x%lx at %p: %lx", vcpu->id,
		  attr_call_names[call], group, attr, addr, *offset);
	r = attr_call(vcpu, vcpu_attr_calls[call], group, attr, addr);
	TEST_ASSERT(r == due, "gives %d, not %d", r, due);
	return call == ATTR_SET && !r;
}

static void call_tsc_attr(struct kvm_vcpu *vcpu)
{
	u64 offset, now;

	if (!do_tsc_call(vcpu, &offset))
		return;
	TEST_ASSERT_EQ(attr_get(vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &now), 0);
	TEST_ASSERT(now == offset, "GET gives 0x%lx", now);
	changes[vcpu->id] |= CHANGED_TSC;
}

static void race_call_tsc_attr(struct kvm_vcpu *vcpu)
{
	u64 offset;

	do_tsc_call(vcpu, &offset);
}

/* What was got can be set, whatever the clock. */
static void set_what_was_got(struct kvm_vcpu *vcpu)
{
	fuzz_call("vCPU %u: SET RUNSTATE_DATA to what GET gives", vcpu->id);
	if (area_is_writable(area_of(vcpu)))
		runstate_assert_roundtrip(vcpu);
}

/*
 * What else VMMs do
 */

static void do_run(struct kvm_vcpu *vcpu)
{
	const bool at_once = fuzz_one_in(2);

	fuzz_call("vCPU %u: KVM_RUN%s", vcpu->id, at_once ? ", immediate_exit" : "");
	if (at_once)
		run_to_immediate_exit(vcpu);
	else
		runstate_vcpu_run(vcpu);
}

static void run(struct kvm_vcpu *vcpu)
{
	do_run(vcpu);
	TEST_ASSERT_EQ(runstate_get(vcpu).u.runstate.state, RUNSTATE_running);
	changes[vcpu->id] |= CHANGED_TIME;
}

static void set_clock(struct kvm_vcpu *vcpu)
{
	u64 clock, x = random_time();

	pthread_mutex_lock(&vm_lock);
	clock = read_clock();
	if (fuzz_one_in(8))
		clock = x;
	else if (fuzz_one_in(4))
		clock -= min(clock, x);
	else
		clock = min_t(u64, clock + x, BIT_ULL(62));
	fuzz_call("KVM_SET_CLOCK %lu", clock);
	vm_set_clock(vm, clock);
	pthread_mutex_unlock(&vm_lock);
}

/* Runstate follows a clock that is set back. */
static void set_clock_in_turn(struct kvm_vcpu *vcpu)
{
	set_clock(vcpu);
	for (int i = 0; i < FUZZ_VCPUS; i++) {
		changes[i] |= CHANGED_TIME | CHANGED_TOTALS;
		check_vcpu(fuzz_vcpus[i]);
	}
}

static void flip_long_mode(struct kvm_vcpu *vcpu)
{
	pthread_mutex_lock(&vm_lock);
	long_mode = !long_mode;
	fuzz_call("LONG_MODE %d", long_mode);
	xen_set_long_mode(vm, long_mode);
	pthread_mutex_unlock(&vm_lock);
}

static void flip_update_flag(struct kvm_vcpu *vcpu)
{
	pthread_mutex_lock(&vm_lock);
	update_flag = !update_flag;
	fuzz_call("RUNSTATE_UPDATE_FLAG %d", update_flag);
	xen_set_update_flag(vm, update_flag);
	pthread_mutex_unlock(&vm_lock);
}

/*
 * Modes
 */

static const struct fuzz_action turn_actions[] = {
	{ set_xen_attr, 32 },
	{ run, 12 },
	{ get_xen_attr, 4 },
	{ call_tsc_attr, 8 },
	{ set_what_was_got, 4 },
	{ set_clock_in_turn, 4 },
	{ flip_long_mode, 2 },
	{ flip_update_flag, 2 },
	{ fuzz_change_slot, 2 },
	{ fuzz_drop_page, 4 },
	{ fuzz_check_dirty_pages, 2 },
};

static const struct fuzz_action race_actions[] = {
	{ race_set_xen_attr, 24 },
	{ do_run, 24, .owned = true },
	{ get_xen_attr, 4 },
	{ race_get_runstate, 8 },
	{ race_call_tsc_attr, 8 },
	{ set_clock, 2 },
	{ flip_long_mode, 4 },
	{ flip_update_flag, 2 },
	{ fuzz_change_slot, 4 },
	{ fuzz_drop_page, 4 },
	{ fuzz_reap_dirty_pages, 4 },
};

static void check_all(void)
{
	read_clock();
	for (int i = 0; i < FUZZ_VCPUS; i++)
		take_snapshot(fuzz_vcpus[i], &last[i]);
	fuzz_check_dirty_pages(NULL);
}

static void setup(void)
{
	struct kvm_clock_data clock;

	vm = vm_create(FUZZ_VCPUS);
	fuzz_choose_dirty_ring(vm);
	for (int i = 0; i < FUZZ_VCPUS; i++)
		fuzz_vcpus[i] = vm_vcpu_add(vm, i, runstate_guest_code);
	xen_enable_runstate(vm);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, RO_GPA, RO_SLOT, 1,
				    KVM_MEM_READONLY);
	fuzz_take_slot(vm, AREA_SLOT, AREA_GPA, AREA_PAGES);
	unlogged = user_memory_map().rw;

	for (int i = 0; i < FUZZ_VCPUS; i++)
		runstate_vcpu_run(fuzz_vcpus[i]);
	vm_ioctl(vm, KVM_GET_CLOCK, &clock);
	tsc_is_stable = clock.flags & KVM_CLOCK_TSC_STABLE;
	read_clock();
	for (int i = 0; i < FUZZ_VCPUS; i++)
		take_snapshot(fuzz_vcpus[i], &last[i]);
}

static const struct fuzz_mode turns = {
	.name = "in turns",
	.run = fuzz_take_turns,
	.setup = setup,
	.check_vcpu = check_vcpu,
	.actions = turn_actions,
	.nr_actions = ARRAY_SIZE(turn_actions),
};

static const struct fuzz_mode races = {
	.name = "in races",
	.run = fuzz_race,
	.setup = setup,
	.check_all = check_all,
	.actions = race_actions,
	.nr_actions = ARRAY_SIZE(race_actions),
};

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG);

	fuzz_main(argc, argv, &turns, &races);
}
