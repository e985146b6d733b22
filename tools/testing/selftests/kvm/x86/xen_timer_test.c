// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * The timer of a Xen vCPU expires by the VM's clock, whenever that is set, and
 * whatever the vCPU does in the meantime.
 */
#include <signal.h>

#include "apic.h"
#include "kvm_test_harness.h"
#include "sched_util.h"
#include "vcpu_tsc.h"
#include "xen_runstate.h"

#define PORT			9
#define OTHER_PORT		10
#define UPCALL_VECTOR		0xed
#define RFLAGS_IF		BIT(9)

/* How far ahead a timer is that is to come; doubled if the machine is too slow. */
#define SOON_NSEC		(NSEC_PER_SEC / 20)

/* Room for a clock that is set back. */
#define FIRST_CLOCK		(10 * ONE_HOUR)

#define SHINFO_GPA		AREA_GPA
#define VCPU_INFO_GPA		(AREA_GPA + PAGE_SIZE)

/* As far as these tests need it. */
struct shared_info {
	u8 vcpu_info[32][64];
	u64 evtchn_pending[64];
	u64 evtchn_mask[64];
};

struct vcpu_info {
	u8 evtchn_upcall_pending;
	u8 evtchn_upcall_mask;
	u64 evtchn_pending_sel;
};

/* The guest halts before it reports, so that it reports when it has an event. */
static bool guest_halts;
static u64 nr_upcalls;

static void upcall_handler(struct ex_regs *regs)
{
	nr_upcalls++;
	x2apic_write_reg(APIC_EOI, 0);
}

static void guest_code(void)
{
	x2apic_enable();

	for (;;) {
		GUEST_SYNC_ARGS(0, READ_ONCE(nr_upcalls), 0, 0, 0);
		if (READ_ONCE(guest_halts))
			asm volatile("sti; hlt; cli" ::: "memory");
		else
			asm volatile("sti; nop; cli" ::: "memory");
	}
}

static void set_attr(struct kvm_vcpu *vcpu, struct kvm_xen_vcpu_attr attr)
{
	TEST_ASSERT_EQ(__xen_set_attr(vcpu, &attr), 0);
}

static void set_timer(struct kvm_vcpu *vcpu, u32 port, u64 expires_ns)
{
	set_attr(vcpu, (struct kvm_xen_vcpu_attr) {
		.type = KVM_XEN_VCPU_ATTR_TYPE_TIMER,
		.u.timer = {
			.port = port,
			.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL,
			.expires_ns = expires_ns,
		},
	});
}

/* When the timer will expire, or 0 if it has, or was not set. */
static u64 get_timer(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_vcpu_attr attr;

	TEST_ASSERT_EQ(__xen_get_attr(vcpu, KVM_XEN_VCPU_ATTR_TYPE_TIMER, &attr), 0);
	return attr.u.timer.expires_ns;
}

struct xen_guest {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct shared_info *shinfo;
	struct vcpu_info *vcpu_info;
};

static struct xen_guest create_guest(void)
{
	struct kvm_xen_hvm_attr shinfo = {
		.type = KVM_XEN_ATTR_TYPE_SHARED_INFO,
		.u.shared_info.gfn = SHINFO_GPA / PAGE_SIZE,
	};
	struct xen_guest guest;

	guest.vm = vm_create_with_one_vcpu(&guest.vcpu, guest_code);
	xen_enable_runstate(guest.vm);
	vm_install_exception_handler(guest.vm, UPCALL_VECTOR, upcall_handler);

	vm_ioctl(guest.vm, KVM_XEN_HVM_SET_ATTR, &shinfo);
	guest.shinfo = addr_gpa2hva(guest.vm, SHINFO_GPA);
	guest.vcpu_info = addr_gpa2hva(guest.vm, VCPU_INFO_GPA);
	set_attr(guest.vcpu, (struct kvm_xen_vcpu_attr) {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO,
		.u.gpa = VCPU_INFO_GPA,
	});
	set_attr(guest.vcpu, (struct kvm_xen_vcpu_attr) {
		.type = KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR,
		.u.vector = UPCALL_VECTOR,
	});

	vm_set_clock(guest.vm, FIRST_CLOCK);
	return guest;
}

FIXTURE(xen_timer) {
	struct xen_guest guest;
};

FIXTURE_SETUP(xen_timer)
{
	self->guest = create_guest();
	runstate_vcpu_run(self->guest.vcpu);
}

FIXTURE_TEARDOWN(xen_timer)
{
	kvm_vm_free(self->guest.vm);
}

/* True if the guest has an event, which is over by that. */
static bool take_event(struct xen_guest *guest, u32 port)
{
	const u64 bit = BIT_ULL(port);

	WRITE_ONCE(guest->vcpu_info->evtchn_upcall_pending, 0);
	WRITE_ONCE(guest->vcpu_info->evtchn_pending_sel, 0);
	return __atomic_fetch_and(&guest->shinfo->evtchn_pending[0], ~bit, __ATOMIC_SEQ_CST) & bit;
}

static bool run_and_take_event(struct xen_guest *guest)
{
	runstate_vcpu_run(guest->vcpu);
	return take_event(guest, PORT);
}

static void move_clock(struct xen_guest *guest, s64 nsec)
{
	vm_set_clock(guest->vm, vm_clock(guest->vm) + nsec);
}

static void have_guest_halt(struct xen_guest *guest, bool halts)
{
	guest_halts = halts;
	sync_global_to_guest(guest->vm, guest_halts);
}

/*
 * The clock is set while the vCPU is out of KVM_RUN
 */

TEST_F(xen_timer, expires_when_the_clock_is_set_past_it)
{
	set_timer(self->guest.vcpu, PORT, vm_clock(self->guest.vm) + ONE_HOUR);
	EXPECT_FALSE(run_and_take_event(&self->guest));

	move_clock(&self->guest, 2 * ONE_HOUR);
	EXPECT_TRUE(run_and_take_event(&self->guest));
	EXPECT_EQ(0, get_timer(self->guest.vcpu));
}

TEST_F(xen_timer, expires_sooner_when_the_clock_is_set_forward)
{
	const u64 expires = vm_clock(self->guest.vm) + ONE_HOUR;

	set_timer(self->guest.vcpu, PORT, expires);
	move_clock(&self->guest, ONE_HOUR - SOON_NSEC);
	have_guest_halt(&self->guest, true);
	EXPECT_TRUE(run_and_take_event(&self->guest));
	EXPECT_LE(expires, vm_clock(self->guest.vm));
}

TEST_F(xen_timer, does_not_expire_when_the_clock_is_set_back)
{
	u64 expires, nsec, then;

	/* Again if it has expired before the clock was set. */
	for (nsec = SOON_NSEC;; nsec *= 2) {
		then = now_ns();
		expires = vm_clock(self->guest.vm) + nsec;
		set_timer(self->guest.vcpu, PORT, expires);
		move_clock(&self->guest, -ONE_HOUR);
		if (!take_event(&self->guest, PORT))
			break;
		move_clock(&self->guest, ONE_HOUR);
	}

	/* Neither outside of KVM_RUN nor there. */
	sleep_until(then + 2 * nsec);
	EXPECT_FALSE(take_event(&self->guest, PORT));
	EXPECT_EQ(expires, get_timer(self->guest.vcpu));
	EXPECT_FALSE(run_and_take_event(&self->guest));
	EXPECT_EQ(expires, get_timer(self->guest.vcpu));

	move_clock(&self->guest, 2 * ONE_HOUR);
	EXPECT_TRUE(run_and_take_event(&self->guest));
}

TEST_F(xen_timer, does_not_expire_in_a_run_after_the_clock_is_set_back)
{
	u64 nsec, then;

	for (nsec = SOON_NSEC;; nsec *= 2) {
		then = now_ns();
		set_timer(self->guest.vcpu, PORT, vm_clock(self->guest.vm) + nsec);
		move_clock(&self->guest, -ONE_HOUR);
		if (!run_and_take_event(&self->guest))
			break;
		move_clock(&self->guest, ONE_HOUR);
	}

	while (now_ns() < then + 2 * nsec)
		EXPECT_FALSE(run_and_take_event(&self->guest));
}

/* Halted when it came out of KVM_RUN, the vCPU does not enter the guest in the next one. */
TEST_F(xen_timer, wakes_a_vcpu_that_was_halted_when_the_clock_was_set)
{
	struct kvm_mp_state halted = { .mp_state = KVM_MP_STATE_HALTED };
	struct kvm_regs regs;

	/* As after "sti; hlt". */
	vcpu_regs_get(self->guest.vcpu, &regs);
	regs.rflags |= RFLAGS_IF;
	vcpu_regs_set(self->guest.vcpu, &regs);

	set_timer(self->guest.vcpu, PORT, vm_clock(self->guest.vm) + ONE_HOUR);
	vcpu_ioctl(self->guest.vcpu, KVM_SET_MP_STATE, &halted);
	move_clock(&self->guest, 2 * ONE_HOUR);
	EXPECT_TRUE(run_and_take_event(&self->guest));
}

TEST_F(xen_timer, expires_though_it_is_got_before)
{
	u64 nsec, then;

	/* Again if it has expired by then. */
	for (nsec = SOON_NSEC;; nsec *= 2) {
		then = now_ns();
		set_timer(self->guest.vcpu, PORT, vm_clock(self->guest.vm) + nsec);
		if (get_timer(self->guest.vcpu))
			break;
		take_event(&self->guest, PORT);
	}

	sleep_until(then + 2 * nsec);
	EXPECT_TRUE(run_and_take_event(&self->guest));
	EXPECT_EQ(0, get_timer(self->guest.vcpu));
}

/*
 * The order of TIMER and clock
 */

enum { CLOCK, TIMER, NR_ORDERS };

/* Set both, in this order. */
static void restore(struct xen_guest *guest, int first, u64 clock, u64 expires)
{
	if (first == CLOCK)
		vm_set_clock(guest->vm, clock);
	set_timer(guest->vcpu, PORT, expires);
	if (first != CLOCK)
		vm_set_clock(guest->vm, clock);
}

static const struct {
	u64 clock;
	u64 expires;
} restored[] = {
	{ 1 * ONE_HOUR, 2 * ONE_HOUR },		/* ahead, and passed by the clock of before */
	{ 2 * ONE_HOUR, 1 * ONE_HOUR },
	{ 20 * ONE_HOUR, 21 * ONE_HOUR },
	{ 20 * ONE_HOUR, 19 * ONE_HOUR },	/* passed, and ahead by the clock of before */
};

TEST_F(xen_timer, can_be_restored_in_place_in_any_order)
{
	for (int i = 0; i < ARRAY_SIZE(restored); i++) {
		for (int first = 0; first < NR_ORDERS; first++) {
			const u64 expires = restored[i].expires;
			const bool ahead = restored[i].clock < expires;
			/* A timer that is set first may expire by the clock of before. */
			const bool event = !ahead || (first != CLOCK && expires < FIRST_CLOCK);

			vm_set_clock(self->guest.vm, FIRST_CLOCK);
			runstate_vcpu_run(self->guest.vcpu);
			take_event(&self->guest, PORT);

			restore(&self->guest, first, restored[i].clock, expires);
			EXPECT_EQ(event, run_and_take_event(&self->guest)) {
				TH_LOG("row %d, %s first", i, first == CLOCK ? "clock" : "timer");
			}
			EXPECT_EQ(event ? 0 : expires, get_timer(self->guest.vcpu));
		}
	}
}

TEST(xen_timer_can_be_restored_after_the_clock_of_a_new_vm)
{
	for (int i = 0; i < ARRAY_SIZE(restored); i++) {
		const u64 expires = restored[i].expires;
		const bool ahead = restored[i].clock < expires;
		struct xen_guest new = create_guest();

		restore(&new, CLOCK, restored[i].clock, expires);
		EXPECT_EQ(!ahead, run_and_take_event(&new));
		EXPECT_EQ(ahead ? expires : 0, get_timer(new.vcpu));
		kvm_vm_free(new.vm);
	}
}

/* The guest's TSC, from which it computes the clock, is set as well. */
TEST_F(xen_timer, can_be_set_after_the_offset_of_the_tsc)
{
	const s64 hour = nsec_to_cycles(ONE_HOUR, get_khz(self->guest.vcpu));
	u64 clock;

	clock = vm_clock(self->guest.vm);
	set_offset(self->guest.vcpu, get_offset(self->guest.vcpu) + 4 * hour);
	set_timer(self->guest.vcpu, PORT, clock + ONE_HOUR);
	EXPECT_FALSE(run_and_take_event(&self->guest));
	EXPECT_EQ(clock + ONE_HOUR, get_timer(self->guest.vcpu));

	set_offset(self->guest.vcpu, get_offset(self->guest.vcpu) - 2 * hour);
	set_timer(self->guest.vcpu, PORT, clock);
	EXPECT_TRUE(run_and_take_event(&self->guest));
}

/*
 * The clock is set while the vCPU is in KVM_RUN
 */

static void *run_until_event(void *arg)
{
	struct xen_guest *guest = arg;

	while (!run_and_take_event(guest))
		;
	return NULL;
}

/* True if the vCPU sleeps in KVM_RUN. */
static bool is_blocking(int stats_fd)
{
	struct kvm_stats_header header;
	struct kvm_stats_desc *all, *desc;
	u64 blocking = 0;

	read_stats_header(stats_fd, &header);
	all = read_stats_descriptors(stats_fd, &header);
	for (u32 i = 0; i < header.num_desc; i++) {
		desc = get_stats_descriptor(all, i, &header);
		if (!strcmp(desc->name, "blocking"))
			read_stat_data(stats_fd, &header, desc, &blocking, 1);
	}
	free(all);
	return blocking;
}

static void set_clock_under_vcpu(struct __test_metadata *_metadata,
				 struct xen_guest *guest, bool halted)
{
	const u64 expires = vm_clock(guest->vm) + ONE_HOUR;
	int stats_fd = vcpu_get_stats_fd(guest->vcpu);
	pthread_t thread;

	set_timer(guest->vcpu, PORT, expires);
	have_guest_halt(guest, halted);
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_until_event, guest));
	while (halted && !is_blocking(stats_fd))
		sched_yield();
	move_clock(guest, 2 * ONE_HOUR);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_LE(expires, vm_clock(guest->vm));
	close(stats_fd);
}

TEST_F(xen_timer, expires_when_the_clock_is_set_under_a_vcpu_that_runs)
{
	set_clock_under_vcpu(_metadata, &self->guest, false);
}

TEST_F(xen_timer, expires_when_the_clock_is_set_under_a_vcpu_that_halts)
{
	set_clock_under_vcpu(_metadata, &self->guest, true);
}

/*
 * TIMER replaces what was set before
 */

TEST_F(xen_timer, that_was_set_before_is_stopped)
{
	static const u32 ports[] = { 0, PORT, OTHER_PORT };
	u64 nsec, then;

	for (int i = 0; i < ARRAY_SIZE(ports); i++) {
		/* Again if the first one has expired before the second one was set. */
		for (nsec = SOON_NSEC;; nsec *= 2) {
			then = now_ns();
			set_timer(self->guest.vcpu, PORT, vm_clock(self->guest.vm) + nsec);
			set_timer(self->guest.vcpu, ports[i], 0);
			if (!take_event(&self->guest, PORT))
				break;
		}
		EXPECT_EQ(0, get_timer(self->guest.vcpu));

		sleep_until(then + 2 * nsec);
		runstate_vcpu_run(self->guest.vcpu);
		EXPECT_FALSE(take_event(&self->guest, PORT));
		EXPECT_FALSE(take_event(&self->guest, OTHER_PORT));
	}
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_EVTCHN_SEND);
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_GET_TSC_KHZ));

	return test_harness_run(argc, argv);
}
