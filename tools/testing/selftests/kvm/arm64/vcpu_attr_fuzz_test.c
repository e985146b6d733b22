// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Random calls of all attributes of vCPUs, in VMs that are set up in any order.  A
 * model of the documentation predicts the result of each call and each KVM_RUN.
 */
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "arm_vcpu_attr.h"
#include "fuzz.h"
#include "fuzz_memslot.h"

#define NO_IRQ		0

/* Of the vgic, unless another number is set, and the end of SPIs at most. */
#define DEFAULT_LINES	256
#define END_OF_SPIS	1020

#define ERRNO(e)	BIT_ULL(e)

/* What all SETs of the PMU's group can give. */
#define PMU_ERRNOS	(ERRNO(EBUSY) | ERRNO(ENODEV) | ERRNO(ENXIO))

enum vgic { NO_VGIC, VGIC_CREATED, VGIC_INITIALIZED };

/* The host */
static bool host_pmu;
static bool host_pvtime;
static u32 nr_events = BIT(16);
#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
static u32 max_counters;
#endif
static struct host_pmu pmus[MAX_PMUS];
static int nr_pmus;

static struct {
	bool pmu;			/* a feature of all vCPUs that are inited */
	enum vgic vgic;
	int gic_fd;
	int lines;			/* 0: not known yet */
	int timer[NR_TIMERS];
	int chosen_pmu;			/* index of pmus[] */
	bool pmu_was_chosen;
#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
	u32 nr_counters;
#endif
	bool filtered;
	bool allowed[BIT(16)];		/* by the filters, if it is filtered */
	u64 life;			/* how many kernels have asked for stolen time */
	bool dead;
	bool inited[FUZZ_VCPUS];	/* by KVM_ARM_VCPU_INIT */
	bool ran[FUZZ_VCPUS];
	bool pmu_inited[FUZZ_VCPUS];
	int pmu_irq[FUZZ_VCPUS];
	u64 ipa[FUZZ_VCPUS];
	u64 asked_in[FUZZ_VCPUS];	/* the life in which the guest asked last */
	bool was_off[FUZZ_VCPUS];	/* since then */
	bool lost;			/* memory, so that KVM may take it for restored */
} model;

static struct kvm_vm *vm;

/* Protects what the library has recorded of the VM's memory. */
static pthread_mutex_t vm_lock = PTHREAD_MUTEX_INITIALIZER;

/* KVM gives a VM up if a vCPU is run while this makes the vgic. */
static pthread_rwlock_t vgic_lock = PTHREAD_RWLOCK_INITIALIZER;

/* What PV_TIME_ST returned to the vCPUs; NO_IPA as well if there is no structure. */
static u64 told[FUZZ_VCPUS];

static void guest_code(void)
{
	struct arm_smccc_res res;

	for (;;) {
		smccc_hvc(PV_TIME_ST, 0, 0, 0, 0, 0, 0, 0, &res);
		told[guest_get_vcpuid()] = res.a0;
		GUEST_SYNC(0);
	}
}

/*
 * The model
 */

/* True if it is so for any vCPU. */
static bool any(const bool *of)
{
	for (int i = 0; i < FUZZ_VCPUS; i++) {
		if (of[i])
			return true;
	}
	return false;
}

static bool vcpus_have_pmu(void)
{
	return model.pmu && any(model.inited);
}

static bool is_ppi(int irq)
{
	return irq >= MIN_PPI && irq < MIN_SPI;
}

static bool is_timers(int irq)
{
	return irq == model.timer[VTIMER] || irq == model.timer[PTIMER];
}

static bool irq_is_possible(int irq)
{
	return irq >= MIN_PPI && irq < min(model.lines ?: END_OF_SPIS, END_OF_SPIS);
}

static bool irqs_agree(int a, int b)
{
	return is_ppi(a) == is_ppi(b) && is_ppi(a) == (a == b);
}

/*
 * Each attribute: why a SET of a value that could be read is refused, if it is, and
 * what it does otherwise.
 */

static u64 random_irq(struct kvm_vcpu *vcpu)
{
	if (fuzz_one_in(8))
		return fuzz_boundary();
	if (fuzz_one_in(2))
		return PMU_PPI;
	return MIN_PPI + fuzz_below(fuzz_one_in(2) ? 16 : 128);
}

static int irq_refusal(struct kvm_vcpu *vcpu, int which, u64 value)
{
	const int irq = value;

	if (!irq_is_possible(irq))
		return -EINVAL;
	if (model.pmu_irq[vcpu->id] != NO_IRQ)
		return -EBUSY;
	for (int i = 0; i < FUZZ_VCPUS; i++) {
		const int other = model.pmu_irq[i];

		if (other != NO_IRQ && !irqs_agree(other, irq))
			return -EINVAL;
	}
	return 0;
}

static void accept_irq(struct kvm_vcpu *vcpu, int which, u64 value)
{
	TEST_ASSERT_EQ(model.pmu_irq[vcpu->id], NO_IRQ);
	model.pmu_irq[vcpu->id] = value;
}

static u64 irq_value(struct kvm_vcpu *vcpu, int which)
{
	return model.pmu_irq[vcpu->id];
}

static u64 nothing(struct kvm_vcpu *vcpu)
{
	return 0;
}

static int init_refusal(struct kvm_vcpu *vcpu, int which, u64 value)
{
	const int irq = model.pmu_irq[vcpu->id];

	if (model.pmu_inited[vcpu->id])
		return -EBUSY;
	if (model.vgic == NO_VGIC)
		return 0;
	if (model.vgic == VGIC_CREATED)
		return -ENODEV;
	if (irq == NO_IRQ)
		return -ENXIO;
	if (is_timers(irq))
		return -EEXIST;
	return irq_is_possible(irq) ? 0 : -EINVAL;
}

static void accept_init(struct kvm_vcpu *vcpu, int which, u64 value)
{
	TEST_ASSERT_EQ(model.pmu_inited[vcpu->id], false);
	model.pmu_inited[vcpu->id] = true;
}

/* True if the VM's PMUs can still be configured. */
static int pmus_refusal(void)
{
	return model.vgic == VGIC_CREATED ? -ENODEV : any(model.ran) ? -EBUSY : 0;
}

union filter {
	struct kvm_pmu_event_filter filter;
	u64 value;
};

static u64 random_filter(struct kvm_vcpu *vcpu)
{
	union filter random = { .value = fuzz_random() };

	if (!fuzz_one_in(8))
		random.filter.base_event = fuzz_below(nr_events);
	if (!fuzz_one_in(8))
		random.filter.nevents = fuzz_below(16);
	if (!fuzz_one_in(8))
		random.filter.action = fuzz_below(2);
	return random.value;
}

/* The filters that there are say so already. */
static bool filter_is_set(const struct kvm_pmu_event_filter *filter)
{
	const bool allow = filter->action == KVM_PMU_EVENT_ALLOW;

	for (int i = 0; i < filter->nevents; i++) {
		if (model.allowed[filter->base_event + i] != allow)
			return false;
	}
	return model.filtered;
}

static int filter_refusal(struct kvm_vcpu *vcpu, int which, u64 value)
{
	const union filter set = { .value = value };

	if ((u32)set.filter.base_event + set.filter.nevents > nr_events)
		return -EINVAL;
	if (set.filter.action != KVM_PMU_EVENT_ALLOW && set.filter.action != KVM_PMU_EVENT_DENY)
		return -EINVAL;
	if (pmus_refusal())
		return pmus_refusal();
	return any(model.pmu_inited) && !filter_is_set(&set.filter) ? -EBUSY : 0;
}

static void accept_filter(struct kvm_vcpu *vcpu, int which, u64 value)
{
	const union filter set = { .value = value };
	const bool allow = set.filter.action == KVM_PMU_EVENT_ALLOW;

	if (!model.filtered)
		memset(model.allowed, !allow, sizeof(model.allowed));
	memset(&model.allowed[set.filter.base_event], allow, set.filter.nevents);
	model.filtered = true;
}

static u64 random_pmu(struct kvm_vcpu *vcpu)
{
	return fuzz_one_in(4) || !nr_pmus ? fuzz_boundary() : pmus[fuzz_below(nr_pmus)].type;
}

static int pmu_of_type(int type)
{
	int i = 0;

	while (i < nr_pmus && pmus[i].type != type)
		i++;
	return i;
}

/* True if all CPUs on which the vCPUs can run have the VM's PMU, e.g. the only one. */
static bool is_tied(void)
{
	return model.pmu_was_chosen || nr_pmus == 1;
}

static int set_pmu_refusal(struct kvm_vcpu *vcpu, int which, u64 value)
{
	const int pmu = pmu_of_type(value), refusal = pmus_refusal();

	if (pmu == nr_pmus)
		return -ENXIO;
	if (refusal)
		return refusal;
	if (model.pmu_inited[vcpu->id])
		return -EBUSY;
	/* It changes nothing if this PMU was chosen, and is not just the default of some CPUs. */
	if (model.filtered)
		return pmu == model.chosen_pmu && any(model.pmu_inited) && is_tied() ? 0 : -EBUSY;
	return pmu != model.chosen_pmu && any(model.pmu_inited) ? -EBUSY : 0;
}

static void accept_set_pmu(struct kvm_vcpu *vcpu, int which, u64 value)
{
#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
	if (model.chosen_pmu != pmu_of_type(value))
		model.nr_counters = max_counters;
#endif
	model.chosen_pmu = pmu_of_type(value);
	model.pmu_was_chosen = true;
}

#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
static u64 random_nr_counters(struct kvm_vcpu *vcpu)
{
	return fuzz_one_in(8) ? fuzz_boundary() : fuzz_below(max_counters + 3);
}

static int nr_counters_refusal(struct kvm_vcpu *vcpu, int which, u64 value)
{
	if ((u32)value > max_counters)
		return -EINVAL;
	if (pmus_refusal())
		return pmus_refusal();
	if (model.pmu_inited[vcpu->id])
		return -EBUSY;
	if (any(model.pmu_inited))
		return (u32)value == model.nr_counters ? 0 : -EBUSY;
	return model.filtered ? -EBUSY : 0;
}

static void accept_nr_counters(struct kvm_vcpu *vcpu, int which, u64 value)
{
	model.nr_counters = value;
}

#endif
static u64 random_ppi(struct kvm_vcpu *vcpu)
{
	return fuzz_one_in(8) ? fuzz_boundary() : MIN_PPI + fuzz_below(MIN_SPI - MIN_PPI);
}

static int timer_refusal(struct kvm_vcpu *vcpu, int which, u64 value)
{
	if (!is_ppi(value))
		return -EINVAL;
	return any(model.ran) ? -EBUSY : 0;
}

static void accept_timer(struct kvm_vcpu *vcpu, int which, u64 value)
{
	model.timer[which] = value;
}

static u64 timer_value(struct kvm_vcpu *vcpu, int which)
{
	return model.timer[which];
}

/* Each vCPU has addresses of its own, so that no time of another one is there. */
static u64 random_ipa(struct kvm_vcpu *vcpu)
{
	const u64 structures = fuzz_slot_size() / 64;
	const u64 ipa = ST_GPA + (fuzz_below(structures / FUZZ_VCPUS) * FUZZ_VCPUS + vcpu->id) * 64;

	switch (fuzz_below(8)) {
	case 0:
		return ipa + fuzz_below(64);
	case 1:
		return ipa | BIT_ULL(32 + fuzz_below(32));
	default:
		return ipa;
	}
}

static int ipa_refusal(struct kvm_vcpu *vcpu, int which, u64 ipa)
{
	if (ipa % 64)
		return -EINVAL;
	if (model.ipa[vcpu->id] != NO_IPA)
		return -EEXIST;
	return fuzz_slot_has(ipa, 64) ? 0 : -EINVAL;
}

static void accept_ipa(struct kvm_vcpu *vcpu, int which, u64 ipa)
{
	TEST_ASSERT_EQ(model.ipa[vcpu->id], NO_IPA);
	model.ipa[vcpu->id] = ipa;
}

static u64 ipa_value(struct kvm_vcpu *vcpu, int which)
{
	return model.ipa[vcpu->id];
}

/* @errnos are those of a SET beyond EFAULT; @value is NULL if there is none to get. */
static const struct row {
	u32 group;
	u64 attr;
	size_t size;
	u64 errnos;
	u64 (*random)(struct kvm_vcpu *vcpu);
	int (*refusal)(struct kvm_vcpu *vcpu, int which, u64 value);
	void (*accept)(struct kvm_vcpu *vcpu, int which, u64 value);
	u64 (*value)(struct kvm_vcpu *vcpu, int which);
} rows[] = {
	{ PMU, PMU_IRQ, sizeof(int), PMU_ERRNOS | ERRNO(EINVAL),
	  random_irq, irq_refusal, accept_irq, irq_value },
	{ PMU, PMU_INIT, 0, PMU_ERRNOS | ERRNO(EEXIST) | ERRNO(EINVAL),
	  nothing, init_refusal, accept_init },
	{ PMU, PMU_FILTER, sizeof(struct kvm_pmu_event_filter), PMU_ERRNOS | ERRNO(EINVAL),
	  random_filter, filter_refusal, accept_filter },
	{ PMU, PMU_SET_PMU, sizeof(int), PMU_ERRNOS,
	  random_pmu, set_pmu_refusal, accept_set_pmu },
#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
	{ PMU, PMU_NR_COUNTERS, sizeof(unsigned int), PMU_ERRNOS | ERRNO(EINVAL),
	  random_nr_counters, nr_counters_refusal, accept_nr_counters },
#endif
	{ TIMER, VTIMER, sizeof(int), ERRNO(EBUSY) | ERRNO(EINVAL),
	  random_ppi, timer_refusal, accept_timer, timer_value },
	{ TIMER, PTIMER, sizeof(int), ERRNO(EBUSY) | ERRNO(EINVAL),
	  random_ppi, timer_refusal, accept_timer, timer_value },
	{ TIMER, HVTIMER, sizeof(int), ERRNO(EBUSY) | ERRNO(EINVAL),
	  random_ppi, timer_refusal, accept_timer, timer_value },
	{ TIMER, HPTIMER, sizeof(int), ERRNO(EBUSY) | ERRNO(EINVAL),
	  random_ppi, timer_refusal, accept_timer, timer_value },
	{ PVTIME, PVTIME_IPA, sizeof(u64), ERRNO(EEXIST) | ERRNO(EINVAL) | ERRNO(ENXIO),
	  random_ipa, ipa_refusal, accept_ipa, ipa_value },
};

/*
 * Calls of attributes
 */

/* @row is NULL if there is no such attribute. */
struct call {
	const struct row *row;
	enum attr_call call;
	u32 group;
	u64 attr;
	u64 value;
	bool bad_pointer;
};

static const struct row *find_row(u32 group, u64 attr)
{
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].group == group && rows[i].attr == attr)
			return &rows[i];
	}
	return NULL;
}

static struct call random_call(struct kvm_vcpu *vcpu)
{
	const struct row *row = &rows[fuzz_below(ARRAY_SIZE(rows))];
	struct call call = {
		.call = fuzz_one_in(2) ? ATTR_SET : fuzz_below(NR_ATTR_CALLS),
		.group = row->group,
		.attr = row->attr,
		.bad_pointer = fuzz_one_in(8),
	};

	if (fuzz_one_in(16))
		call.group ^= fuzz_boundary();
	if (fuzz_one_in(16))
		call.attr ^= fuzz_boundary();
	call.row = find_row(call.group, call.attr);
	if (call.row)
		call.value = call.row->random(vcpu);
	return call;
}

/* A vCPU without the feature, on a host that has it or not */
static int absent(const struct row *row)
{
	if (row->attr == PMU_INIT)
		return -ENXIO;
	return row->attr == PMU_IRQ && !host_pmu ? -ENXIO : -ENODEV;
}

/* The errno before user memory is read; 0 if it is read. */
static int early_refusal(const struct row *row, enum attr_call call)
{
	if (model.dead)
		return -EIO;
	if (!row || (row->group == PVTIME && !host_pvtime))
		return -ENXIO;
	if (call == ATTR_GET && !row->value)
		return -ENXIO;
	if (row->group == PMU && !vcpus_have_pmu())
		return call == ATTR_HAS ? -ENXIO : absent(row);
	if (call != ATTR_HAS && model.vgic == NO_VGIC &&
	    (row->value == irq_value || (row->value == timer_value && call == ATTR_SET)))
		return -EINVAL;
	return 0;
}

static bool has_value(const struct row *row, struct kvm_vcpu *vcpu)
{
	return row->value != irq_value || model.pmu_irq[vcpu->id] != NO_IRQ;
}

static int refusal(const struct call *call, struct kvm_vcpu *vcpu)
{
	const struct row *row = call->row;
	const int r = early_refusal(row, call->call);

	if (r || call->call == ATTR_HAS)
		return r;
	if (call->call == ATTR_GET && !has_value(row, vcpu))
		return -ENXIO;
	if (call->bad_pointer && row->size)
		return -EFAULT;
	return call->call == ATTR_SET ? row->refusal(vcpu, row->attr, call->value) : 0;
}

static int do_call(const struct call *call, struct kvm_vcpu *vcpu)
{
	const size_t size = call->row ? call->row->size : sizeof(call->value);
	void *addr = call->bad_pointer && size ?
		     fuzz_bad_pointer(&call->value, size, call->call == ATTR_GET) :
		     fuzz_good_pointer(&call->value, size);
	const u32 flags = fuzz_magnitude();
	int r;

	fuzz_call("vCPU %u: %s of %u:0x%lx at %p: 0x%lx", vcpu->id, attr_call_names[call->call],
		  call->group, call->attr, addr, call->value);
	r = attr_ioctl(vcpu, vcpu_attr_calls[call->call], flags, call->group, call->attr, addr);

	/* What all attributes have in common is documented as an unknown one's. */
	if (r == -EIO)
		note_vcpu_attr_error(vcpu_attr_calls[call->call], UNKNOWN_GROUP, UNKNOWN_ATTR, r);
	else
		note_vcpu_attr_error(vcpu_attr_calls[call->call], call->group, call->attr, r);

	if (!r && call->call == ATTR_SET)
		call->row->accept(vcpu, call->row->attr, call->value);
	return r;
}

static void call_attr(struct kvm_vcpu *vcpu)
{
	const struct call call = random_call(vcpu);
	const int due = refusal(&call, vcpu), r = do_call(&call, vcpu);

	TEST_ASSERT(r == due, "gives %d, not %d", r, due);
}

static void race_call_attr(struct kvm_vcpu *vcpu)
{
	const struct call call = random_call(vcpu);
	const int r = do_call(&call, vcpu);
	u64 errnos;

	if (!call.row)
		errnos = ERRNO(ENXIO);
	else if (call.call == ATTR_HAS)
		errnos = call.row->errnos & ERRNO(ENXIO);
	else
		errnos = call.row->errnos | ERRNO(EFAULT) | (call.row->value ? 0 : ERRNO(ENXIO));
	TEST_ASSERT(r ? errnos & ERRNO(-r) : !!call.row, "gives %d", r);
}

/* All that can be got is what the model says. */
static void check_vcpu(struct kvm_vcpu *vcpu)
{
	if (model.dead)
		return;
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct call get = { .row = &rows[i], .call = ATTR_GET };
		const struct row *row = &rows[i];
		u64 value = 0, due_value = 0;
		int r, due;

		if (!row->value)
			continue;
		due = refusal(&get, vcpu);
		if (!due)
			due_value = row->value(vcpu, row->attr);
		r = attr_get(vcpu, row->group, row->attr, &value);
		TEST_ASSERT(r == due && value == due_value,
			    "GET of %u:%lu of vCPU %u gives %d, 0x%lx, not %d, 0x%lx", row->group,
			    row->attr, vcpu->id, r, value, due, due_value);
	}
}

/*
 * What else VMMs do
 */

/* No ioctl can take the memory of a dead VM away, as kvm_vm_free() wants to. */
static void free_dead_vm(void)
{
	static const u32 slots[] = { 0, ST_SLOT };

	for (int i = 0; i < ARRAY_SIZE(slots); i++) {
		struct userspace_mem_region *region = memslot2region(vm, slots[i]);

		TEST_ASSERT_EQ(munmap(region->mmap_start, region->mmap_size), 0);
	}
	kvm_vm_release(vm);
}

static void free_vm(void)
{
	if (model.vgic != NO_VGIC)
		close(model.gic_fd);
	if (model.dead) {
		free_dead_vm();
	} else {
		fuzz_restore_slot();
		kvm_vm_free(vm);
	}
}

static void make_vm(void)
{
	memset(&model, 0, sizeof(model));
	memcpy(model.timer, default_ppis, sizeof(model.timer));
	model.pmu = host_pmu && !fuzz_one_in(4);
#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
	model.nr_counters = max_counters;
#endif

	vm = create_vm_without_vgic(FUZZ_VCPUS);
	fuzz_choose_dirty_ring(vm);
	for (int i = 0; i < FUZZ_VCPUS; i++) {
		model.ipa[i] = NO_IPA;
		fuzz_vcpus[i] = add_bare_vcpu(vm, i);
	}
	add_st_slot(vm, 0);
	fuzz_take_slot(vm, ST_SLOT, ST_GPA, ST_PAGES);
}

static void next_vm(struct kvm_vcpu *vcpu)
{
	free_vm();
	make_vm();
}

static void init_vcpu(struct kvm_vcpu *vcpu)
{
	if (model.dead)
		return;
	fuzz_call("vCPU %u: KVM_ARM_VCPU_INIT", vcpu->id);
	/* Else the exit that the vCPU is in would be completed by the next KVM_RUN. */
	if (model.ran[vcpu->id])
		TEST_ASSERT_EQ(run_immediate_exit(vcpu), -EINTR);
	pthread_mutex_lock(&vm_lock);
	finish_vcpu(vcpu, model.pmu, guest_code);
	pthread_mutex_unlock(&vm_lock);
	model.inited[vcpu->id] = true;
	model.was_off[vcpu->id] = false;
	model.asked_in[vcpu->id] = model.life;
}

/* The CPU goes offline and comes back, as far as KVM is concerned. */
static void power_cycle(struct kvm_vcpu *vcpu)
{
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_STOPPED };

	if (model.dead)
		return;
	fuzz_call("vCPU %u: off and on", vcpu->id);
	vcpu_mp_state_set(vcpu, &state);
	state.mp_state = KVM_MP_STATE_RUNNABLE;
	vcpu_mp_state_set(vcpu, &state);
	model.was_off[vcpu->id] = true;
}

static void make_vgic(void)
{
	model.gic_fd = __kvm_create_device(vm, KVM_DEV_TYPE_ARM_VGIC_V3);
	if (model.gic_fd >= 0) {
		model.vgic = VGIC_CREATED;
		return;
	}
	/* No vCPU may have run, and none may be in use just now. */
	TEST_ASSERT(errno == EBUSY && (any(model.ran) || fuzz_self->own), "gives %d", errno);
}

static void advance_vgic(struct kvm_vcpu *vcpu)
{
	if (model.dead)
		return;
	pthread_rwlock_wrlock(&vgic_lock);
	fuzz_call("vgic, from state %d", model.vgic);
	if (model.vgic == NO_VGIC) {
		make_vgic();
	} else if (model.vgic == VGIC_CREATED && !model.lines && fuzz_one_in(2)) {
		set_vgic_lines(model.gic_fd);
		model.lines = NR_LINES;
	} else if (model.vgic == VGIC_CREATED) {
		init_vgic(model.gic_fd);
		pthread_mutex_lock(&vm_lock);
		place_vgic(vm, model.gic_fd);
		pthread_mutex_unlock(&vm_lock);
		model.lines = model.lines ?: DEFAULT_LINES;
		model.vgic = VGIC_INITIALIZED;
	}
	pthread_rwlock_unlock(&vgic_lock);
}

/* True if the vCPU can run on this CPU. */
static bool on_cpu_of_pmu(void)
{
	return !model.pmu_was_chosen || pmus[model.chosen_pmu].cpu == pmus[0].cpu;
}

static bool failed_entry(struct kvm_vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	if (run->exit_reason != KVM_EXIT_FAIL_ENTRY)
		return false;
	TEST_ASSERT_EQ(run->fail_entry.hardware_entry_failure_reason,
		       KVM_EXIT_FAIL_ENTRY_CPU_UNSUPPORTED);
	return true;
}

/* Returns 0 or a negative errno; -EINTR is a success. */
static int do_run(struct kvm_vcpu *vcpu)
{
	const bool at_once = fuzz_one_in(2);
	struct ucall uc;

	fuzz_call("vCPU %u: KVM_RUN%s", vcpu->id, at_once ? ", immediate_exit" : "");
	if (at_once)
		return run_immediate_exit(vcpu);
	if (__vcpu_run(vcpu))
		return -errno;
	TEST_ASSERT(failed_entry(vcpu) || get_ucall(vcpu, &uc) == UCALL_SYNC,
		    "vCPU %u left the guest by %s", vcpu->id,
		    exit_reason_str(vcpu->run->exit_reason));
	return 0;
}

/* What keeps a vCPU from its first run. */
static int first_run_refusal(int id)
{
	const int irq = model.pmu_irq[id];

	if (model.vgic == VGIC_CREATED)
		return -ENXIO;
	if (vcpus_have_pmu() && !model.pmu_inited[id])
		return -EINVAL;
	if (model.vgic == NO_VGIC)
		return 0;
	if (vcpus_have_pmu() && (!irq_is_possible(irq) || is_timers(irq)))
		return -EINVAL;
	return model.timer[VTIMER] == model.timer[PTIMER] ? -EINVAL : 0;
}

static int run_refusal(int id)
{
	if (model.dead)
		return -EIO;
	if (!model.inited[id])
		return -ENOEXEC;
	return model.ran[id] ? 0 : first_run_refusal(id);
}

static u64 read_stolen_time(u64 ipa)
{
	u64 stolen = 0;

	if (ipa != NO_IPA && fuzz_slot_has(ipa, 64))
		memcpy(&stolen, fuzz_slot.memory + (ipa - ST_GPA) + 8, sizeof(stolen));
	return stolen;
}

/*
 * The guest has called PV_TIME_ST in a run in which @waited at most was stolen.  The
 * time must go on from what it was, or for another kernel from 0.
 */
static void check_stolen_time(int id, u64 before, u64 waited)
{
	const u64 ipa = model.ipa[id], life = model.asked_in[id];
	const bool there = ipa != NO_IPA && fuzz_slot_has(ipa, 64);
	const bool was_off = model.was_off[id];
	u64 stolen;

	sync_global_from_guest(vm, told);
	TEST_ASSERT(told[id] == (there ? ipa : NO_IPA), "PV_TIME_ST returns 0x%lx", told[id]);
	if (!there)
		return;

	stolen = read_stolen_time(ipa);
	if (!was_off)
		TEST_ASSERT(stolen <= waited, "%lu ns are stolen of %lu", stolen, waited);
	else if (life == model.life && !model.lost)
		TEST_ASSERT(stolen >= before, "stolen time went from %lu to %lu", before, stolen);

	model.life += !was_off && life == model.life;
	model.asked_in[id] = model.life;
	model.was_off[id] = false;
}

static void drop_page(struct kvm_vcpu *vcpu)
{
	fuzz_drop_page(vcpu);
	model.lost = true;
}

static void run(struct kvm_vcpu *vcpu)
{
	const int id = vcpu->id, due = run_refusal(id);
	const u64 stolen = read_stolen_time(model.ipa[id]);
	const long waited = get_run_delay();
	int r;

	/* Not too often, as that is the end of the VM. */
	if (due == -ENXIO && !fuzz_one_in(16))
		return;
	r = do_run(vcpu);
	TEST_ASSERT(r == due || (r == -EINTR && !due), "gives %d, not %d", r, due);
	if (r == -ENXIO) {
		model.dead = true;
		fuzz_abandon_slot();
	}
	model.ran[id] |= !due;
	if (r == -EIO)
		next_vm(vcpu);
	if (r)
		return;
	TEST_ASSERT_EQ(failed_entry(vcpu), !on_cpu_of_pmu());
	if (!failed_entry(vcpu))
		check_stolen_time(id, stolen, get_run_delay() - waited);
}

static void race_run(struct kvm_vcpu *vcpu)
{
	const int id = vcpu->id;
	int r;

	pthread_rwlock_rdlock(&vgic_lock);
	if (model.vgic != VGIC_CREATED) {
		r = do_run(vcpu);
		TEST_ASSERT(!r || r == -EINTR || (r == -EINVAL && !model.ran[id]) ||
			    (r == -ENOEXEC && !model.inited[id]), "gives %d", r);
		model.ran[id] |= !r || r == -EINTR;
	}
	pthread_rwlock_unlock(&vgic_lock);
}

/*
 * Modes
 */

static const struct fuzz_action turn_actions[] = {
	{ call_attr, 48 },
	{ init_vcpu, 8 },
	{ power_cycle, 8 },
	{ advance_vgic, 4 },
	{ run, 16 },
	{ fuzz_change_slot, 2 },
	{ drop_page, 1 },
	{ fuzz_check_dirty_pages, 2 },
	{ next_vm, 1 },
};

/* With a PMU for some CPUs only, a vCPU has the one of where it is made. */
static void setup_turns(void)
{
	if (nr_pmus > 1)
		pin_self_to_cpu(pmus[0].cpu);
	make_vm();
}

static const struct fuzz_action race_actions[] = {
	{ race_call_attr, 40 },
	{ init_vcpu, 8, .owned = true },
	{ advance_vgic, 4 },
	{ race_run, 16, .owned = true },
	{ fuzz_change_slot, 2 },
	{ fuzz_drop_page, 2 },
	{ fuzz_reap_dirty_pages, 2 },
};

/* Whichever thread came first, what it set must be there, and be consistent. */
static void check_all(void)
{
	for (int i = 0; i < NR_TIMERS; i++) {
		model.timer[i] = timer_get_irq(fuzz_vcpus[0], i);
		TEST_ASSERT(is_ppi(model.timer[i]), "timer %d has %d", i, model.timer[i]);
	}
	for (int i = 0; i < FUZZ_VCPUS; i++) {
		const int irq = model.pmu_irq[i];

		check_vcpu(fuzz_vcpus[i]);
		TEST_ASSERT(!model.ran[i] || !first_run_refusal(i), "vCPU %d should not have run",
			    i);
		for (int j = 0; j < i; j++) {
			const int other = model.pmu_irq[j];

			TEST_ASSERT(irq == NO_IRQ || other == NO_IRQ || irqs_agree(irq, other),
				    "PMUs have %d and %d", irq, other);
		}
	}
	fuzz_check_dirty_pages(NULL);
	next_vm(NULL);
}

static const struct fuzz_mode turns = {
	.name = "in turns",
	.run = fuzz_take_turns,
	.setup = setup_turns,
	.check_vcpu = check_vcpu,
	.actions = turn_actions,
	.nr_actions = ARRAY_SIZE(turn_actions),
};

static const struct fuzz_mode races = {
	.name = "in races",
	.run = fuzz_race,
	.setup = make_vm,
	.check_all = check_all,
	.actions = race_actions,
	.nr_actions = ARRAY_SIZE(race_actions),
};

static void read_host(void)
{
	struct kvm_vm *probe = create_vm_without_vgic(1);

	TEST_REQUIRE(!__kvm_test_create_device(probe, KVM_DEV_TYPE_ARM_VGIC_V3));
	host_pvtime = kvm_has_cap(KVM_CAP_STEAL_TIME);
	host_pmu = host_has_pmu();
	if (host_pmu) {
		struct kvm_vcpu *vcpu = add_vcpu(probe, 0, true, guest_code);

		nr_events = nr_pmu_events(vcpu);
#ifdef KVM_ARM_VCPU_PMU_V3_SET_NR_COUNTERS
		max_counters = nr_pmu_counters(vcpu);
#endif
		nr_pmus = find_host_pmus(pmus);
		TEST_ASSERT(nr_pmus > 0, "a host with a PMU has none in sysfs");
	}
	kvm_vm_free(probe);
}

int main(int argc, char *argv[])
{
	read_host();
	fuzz_main(argc, argv, &turns, &races);
}
