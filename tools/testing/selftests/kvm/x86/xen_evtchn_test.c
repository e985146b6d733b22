// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Events of a Xen guest that has nowhere to receive them: the sender gets an error,
 * the kernel logs nothing, and an event that can be delivered later is.
 */
#include <sys/eventfd.h>

#include "kernel_log.h"
#include "kvm_test_harness.h"
#include "xen_runstate.h"

#define PORT			9
#define LAST_PORT_64		4095
#define GSI			32

#define HYPERVISOR_event_channel_op	32
#define EVTCHNOP_send		4
#define EVTCHNSTAT_interdomain	2

/* Enough to hit a window of some instructions. */
#define NR_RACES		20000
#define NR_SWITCHES		1000

#define SHINFO_GPA		AREA_GPA
#define VCPU_INFO_GPA		(AREA_GPA + PAGE_SIZE)

/* The parts that these tests use. */
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

static void set_shared_info(struct kvm_vm *vm, u64 gfn)
{
	struct kvm_xen_hvm_attr attr = {
		.type = KVM_XEN_ATTR_TYPE_SHARED_INFO,
		.u.shared_info.gfn = gfn,
	};

	vm_ioctl(vm, KVM_XEN_HVM_SET_ATTR, &attr);
}

static void set_vcpu_info(struct kvm_vcpu *vcpu, u64 gpa)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO,
		.u.gpa = gpa,
	};

	TEST_ASSERT_EQ(__xen_set_attr(vcpu, &attr), 0);
}

/* Returns 0 or a negative errno. */
static int send_event(struct kvm_vcpu *vcpu, u32 port)
{
	const struct kvm_irq_routing_xen_evtchn event = {
		.port = port,
		.vcpu = vcpu->id,
		.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL,
	};

	return __vm_ioctl(vcpu->vm, KVM_XEN_HVM_EVTCHN_SEND, &event) ? -errno : 0;
}

static void set_expired_timer(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_TIMER,
		.u.timer = {
			.port = PORT,
			.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL,
			.expires_ns = 1,
		},
	};

	TEST_ASSERT_EQ(__xen_set_attr(vcpu, &attr), 0);
}

static struct kvm_xen_vcpu_attr get_timer(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_vcpu_attr attr;

	TEST_ASSERT_EQ(__xen_get_attr(vcpu, KVM_XEN_VCPU_ATTR_TYPE_TIMER, &attr), 0);
	return attr;
}

/* Kernels differ in what it is before it is set. */
static void set_vcpu_id(struct kvm_vcpu *vcpu, u32 id)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID,
		.u.vcpu_id = id,
	};

	TEST_ASSERT_EQ(__xen_set_attr(vcpu, &attr), 0);
}

static u32 get_vcpu_id(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_vcpu_attr attr;

	TEST_ASSERT_EQ(__xen_get_attr(vcpu, KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID, &attr), 0);
	return attr.u.vcpu_id;
}

/* Send an event by an irqfd, and wait for what a workqueue does of it. */
static void send_event_by_irqfd(struct kvm_vcpu *vcpu)
{
	struct kvm_irq_routing *routing = kvm_gsi_routing_create();
	struct kvm_irqfd irqfd = {
		.fd = eventfd(0, 0),
		.gsi = GSI,
	};
	const u64 one = 1;

	routing->nr = 1;
	routing->entries[0] = (struct kvm_irq_routing_entry) {
		.gsi = GSI,
		.type = KVM_IRQ_ROUTING_XEN_EVTCHN,
		.u.xen_evtchn = {
			.port = PORT,
			.vcpu = vcpu->id,
			.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL,
		},
	};
	kvm_gsi_routing_write(vcpu->vm, routing);

	TEST_ASSERT(irqfd.fd >= 0, __KVM_SYSCALL_ERROR("eventfd()", irqfd.fd));
	vm_ioctl(vcpu->vm, KVM_IRQFD, &irqfd);
	TEST_ASSERT_EQ(write(irqfd.fd, &one, sizeof(one)), sizeof(one));
	irqfd.flags = KVM_IRQFD_FLAG_DEASSIGN;
	vm_ioctl(vcpu->vm, KVM_IRQFD, &irqfd);
	close(irqfd.fd);
}

/* Have KVM take the event that the guest sends for one of vCPU 0. */
static void take_events_of_guest(struct kvm_vm *vm)
{
	struct kvm_xen_hvm_attr attr = {
		.type = KVM_XEN_ATTR_TYPE_EVTCHN,
		.u.evtchn = {
			.send_port = PORT,
			.type = EVTCHNSTAT_interdomain,
			.deliver.port = {
				.port = PORT,
				.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL,
			},
		},
	};

	vm_ioctl(vm, KVM_XEN_HVM_SET_ATTR, &attr);
}

static void guest_sends_event(void)
{
	u32 port = PORT;

	__xen_hypercall(HYPERVISOR_event_channel_op, EVTCHNOP_send, &port);
}

struct mode_switcher {
	struct kvm_vm *vm;
	u64 rounds;
	bool stop;
};

static void *switch_modes(void *arg)
{
	struct mode_switcher *switcher = arg;

	while (!READ_ONCE(switcher->stop)) {
		xen_set_long_mode(switcher->vm, false);
		xen_set_long_mode(switcher->vm, true);
		WRITE_ONCE(switcher->rounds, switcher->rounds + 1);
	}
	return NULL;
}

/* KVM delivers what is pending after an exit that it handles by itself. */
static void guest_code(void)
{
	u32 eax, ebx, ecx, edx;

	for (;;) {
		cpuid(0, &eax, &ebx, &ecx, &edx);
		GUEST_SYNC(0);
	}
}

FIXTURE(xen_evtchn) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	int kernel_log;
};

FIXTURE_SETUP(xen_evtchn)
{
	self->vm = vm_create_with_one_vcpu(&self->vcpu, guest_code);
	xen_enable_runstate(self->vm);
	self->kernel_log = kernel_log_open();
}

FIXTURE_TEARDOWN(xen_evtchn)
{
	kernel_log_assert_silent(self->kernel_log);
	close(self->kernel_log);
	kvm_vm_free(self->vm);
}

/*
 * Without a shared_info
 */

TEST_F(xen_evtchn, timer_that_expired_is_over_when_it_is_got)
{
	set_expired_timer(self->vcpu);
	EXPECT_EQ(0, get_timer(self->vcpu).u.timer.expires_ns);
	EXPECT_EQ(PORT, get_timer(self->vcpu).u.timer.port);
}

TEST_F(xen_evtchn, timer_that_expired_lets_the_vcpu_run)
{
	set_expired_timer(self->vcpu);
	runstate_vcpu_run(self->vcpu);
	EXPECT_EQ(0, get_timer(self->vcpu).u.timer.expires_ns);
}

TEST_F(xen_evtchn, event_of_the_vmm_is_einval)
{
	EXPECT_EQ(-EINVAL, send_event(self->vcpu, PORT));
	set_shared_info(self->vm, SHINFO_GPA / PAGE_SIZE);
	EXPECT_EQ(0, send_event(self->vcpu, PORT));
	set_shared_info(self->vm, KVM_XEN_INVALID_GFN);
	EXPECT_EQ(-EINVAL, send_event(self->vcpu, PORT));
}

TEST_F(xen_evtchn, event_of_an_irqfd_is_lost)
{
	send_event_by_irqfd(self->vcpu);
	runstate_vcpu_run(self->vcpu);
}

TEST_F(xen_evtchn, event_of_the_guest_is_for_the_vmm)
{
	vcpu_arch_set_entry_point(self->vcpu, guest_sends_event);
	take_events_of_guest(self->vm);
	vcpu_run(self->vcpu);
	ASSERT_EQ(KVM_EXIT_XEN, self->vcpu->run->exit_reason);
	EXPECT_EQ(HYPERVISOR_event_channel_op, self->vcpu->run->xen.u.hcall.input);
}

/*
 * Without a vcpu_info
 */

TEST_F(xen_evtchn, event_waits_for_the_vcpu_info)
{
	const struct shared_info *shinfo = addr_gpa2hva(self->vm, SHINFO_GPA);
	const struct vcpu_info *vcpu_info = addr_gpa2hva(self->vm, VCPU_INFO_GPA);

	set_shared_info(self->vm, SHINFO_GPA / PAGE_SIZE);
	EXPECT_EQ(0, send_event(self->vcpu, PORT));
	EXPECT_EQ(BIT_ULL(PORT), READ_ONCE(shinfo->evtchn_pending[0]));
	runstate_vcpu_run(self->vcpu);

	set_vcpu_info(self->vcpu, VCPU_INFO_GPA);
	runstate_vcpu_run(self->vcpu);
	EXPECT_EQ(true, READ_ONCE(vcpu_info->evtchn_upcall_pending));
	EXPECT_EQ(BIT_ULL(PORT / 64), READ_ONCE(vcpu_info->evtchn_pending_sel));
}

/* A port that the guest no longer has is not delivered forever. */
TEST_F(xen_evtchn, event_of_a_mode_that_was_left_is_over)
{
	struct vcpu_info *vcpu_info = addr_gpa2hva(self->vm, VCPU_INFO_GPA);

	set_shared_info(self->vm, SHINFO_GPA / PAGE_SIZE);
	EXPECT_EQ(0, send_event(self->vcpu, LAST_PORT_64));

	xen_set_long_mode(self->vm, false);
	set_vcpu_info(self->vcpu, VCPU_INFO_GPA);
	runstate_vcpu_run(self->vcpu);
	WRITE_ONCE(vcpu_info->evtchn_upcall_pending, false);
	runstate_vcpu_run(self->vcpu);
	EXPECT_EQ(false, READ_ONCE(vcpu_info->evtchn_upcall_pending));

	xen_set_long_mode(self->vm, true);
	EXPECT_EQ(0, send_event(self->vcpu, PORT));
	EXPECT_EQ(true, READ_ONCE(vcpu_info->evtchn_upcall_pending));
}

/*
 * The vCPU keeps what it could not deliver, a bit for each word of ports: 64 of a
 * 64-bit guest, but 128 if the words of that are taken for those of a 32-bit one.
 */
TEST_F(xen_evtchn, last_port_is_in_bounds_while_the_mode_changes)
{
	struct mode_switcher switcher = { .vm = self->vm };
	struct shared_info *shinfo = addr_gpa2hva(self->vm, SHINFO_GPA);
	pthread_t thread;

	set_vcpu_id(self->vcpu, 0);
	set_shared_info(self->vm, SHINFO_GPA / PAGE_SIZE);
	ASSERT_EQ(0, pthread_create(&thread, NULL, switch_modes, &switcher));
	for (int i = 0; i < NR_RACES || READ_ONCE(switcher.rounds) < NR_SWITCHES; i++) {
		int r = send_event(self->vcpu, LAST_PORT_64);

		ASSERT_TRUE(!r || r == -EINVAL);
		memset(shinfo->evtchn_pending, 0, sizeof(shinfo->evtchn_pending));
	}
	WRITE_ONCE(switcher.stop, true);
	ASSERT_EQ(0, pthread_join(thread, NULL));

	/* What lies behind these bits. */
	EXPECT_EQ(0, get_vcpu_id(self->vcpu));
	EXPECT_EQ(0, get_timer(self->vcpu).u.timer.port);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_EVTCHN_SEND);

	return test_harness_run(argc, argv);
}
