// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Calls of vCPU attributes, and KVM_RUN, that wait for a page: for that of the value,
 * or for that of an area which they map or write.  No other vCPU waits with them, and
 * a kill ends the wait.  Any signal ends that of KVM_RUN, which waits for no area if it
 * is not to enter the guest.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kvm_test_harness.h"
#include "page_wait.h"
#include "xen_runstate.h"

#define NR_TYPES	ARRAY_SIZE(xen_attrs)
#define TYPE(type)	KVM_XEN_VCPU_ATTR_TYPE_##type

/* The page of the areas that is missing.  Who need not wait has those before it. */
#define MISSING_GPA	(AREA_GPA + 2 * PAGE_SIZE)

struct slow_ioctl {
	int fd;
	unsigned long nr;
	void *arg;
	int r;
};

static void *make_ioctl(void *arg)
{
	struct slow_ioctl *call = arg;

	call->r = ioctl(call->fd, call->nr, call->arg) ? -errno : 0;
	return NULL;
}

/* All attributes of a vCPU, whose areas are there. */
static void *make_quick_calls(void *arg)
{
	struct kvm_vcpu *vcpu = arg;
	u64 offset;

	for (int type = 0; type < NR_TYPES; type++) {
		struct kvm_xen_vcpu_attr attr = xen_good_attr(vcpu->vm, type, AREA_GPA);

		TEST_ASSERT_EQ(__xen_set_attr(vcpu, &attr), 0);
		if (xen_attr_has_value(type))
			TEST_ASSERT_EQ(__xen_get_attr(vcpu, type, &attr), 0);
	}
	vcpu_device_attr_get(vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &offset);
	vcpu_device_attr_set(vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &offset);
	return NULL;
}

static struct kvm_vm *create_vm(struct kvm_vcpu **vcpus, int nr)
{
	struct kvm_vm *vm = vm_create_with_vcpus(nr, runstate_guest_code, vcpus);

	xen_enable_runstate(vm);
	return vm;
}

FIXTURE(xen_runstate_wait) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[2];
};

FIXTURE_SETUP(xen_runstate_wait)
{
	self->vm = create_vm(self->vcpus, ARRAY_SIZE(self->vcpus));
}

FIXTURE_TEARDOWN(xen_runstate_wait)
{
	kvm_vm_free(self->vm);
}

/* The page goes, @call waits for it and @other does not, it comes with @content. */
static void expect_ioctl_waits(struct __test_metadata *_metadata, const char *name,
			       struct slow_ioctl *call, struct kvm_vcpu *other,
			       const struct missing_page *page, const void *content, size_t size)
{
	const struct page_wait wait = {
		.name = name,
		.page = page,
		.content = content,
		.size = size,
		.slow = make_ioctl,
		.slow_arg = call,
		.quick = make_quick_calls,
		.quick_arg = other,
		/* Values are copied, and areas pinned; KVM_RUN is left by any signal. */
		.killable = !size && call->nr != KVM_RUN,
	};

	missing_page_drop(page);
	expect_one_waits(_metadata, &wait);
	EXPECT_EQ(0, call->r) {
		TH_LOG("%s: %s", name, strerror(-call->r));
	}
}

/* The type of the attribute is there, its value is on the page that is missing. */
static struct kvm_xen_vcpu_attr *map_attr(struct missing_page *page)
{
	void *pages = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	TEST_ASSERT(pages != MAP_FAILED, "mmap: %s", strerror(errno));
	*page = missing_page_register(pages + PAGE_SIZE);
	return page->addr - offsetof(struct kvm_xen_vcpu_attr, u);
}

TEST_F(xen_runstate_wait, for_the_value_of_a_xen_attribute)
{
	struct slow_ioctl call = { .fd = self->vcpus[0]->fd };
	struct kvm_xen_vcpu_attr *attr;
	struct missing_page page;

	attr = map_attr(&page);
	call.arg = attr;
	for (int type = 0; type < NR_TYPES; type++) {
		struct kvm_xen_vcpu_attr good = xen_good_attr(self->vm, type, MISSING_GPA);

		attr->type = type;
		call.nr = KVM_XEN_VCPU_SET_ATTR;
		expect_ioctl_waits(_metadata, xen_attrs[type], &call, self->vcpus[1], &page,
				   &good.u, sizeof(good.u));
		if (!xen_attr_has_value(type))
			continue;
		call.nr = KVM_XEN_VCPU_GET_ATTR;
		expect_ioctl_waits(_metadata, xen_attrs[type], &call, self->vcpus[1], &page,
				   &good.u, sizeof(good.u));
	}
}

TEST_F(xen_runstate_wait, for_the_tsc_offset)
{
	struct missing_page page = missing_page_map();
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)page.addr,
	};
	struct slow_ioctl call = { .fd = self->vcpus[0]->fd, .arg = &attr };
	const u64 offset = 12345;

	call.nr = KVM_SET_DEVICE_ATTR;
	expect_ioctl_waits(_metadata, "SET of TSC_OFFSET", &call, self->vcpus[1], &page,
			   &offset, sizeof(offset));
	call.nr = KVM_GET_DEVICE_ATTR;
	expect_ioctl_waits(_metadata, "GET of TSC_OFFSET", &call, self->vcpus[1], &page,
			   &offset, sizeof(offset));
}

/* Those that map an area, and then those that write the area of the runstate. */
TEST_F(xen_runstate_wait, for_an_area)
{
	static const u16 types[] = {
		TYPE(VCPU_INFO), TYPE(VCPU_INFO_HVA), TYPE(VCPU_TIME_INFO), TYPE(RUNSTATE_ADDR),
		TYPE(RUNSTATE_CURRENT), TYPE(RUNSTATE_DATA), TYPE(RUNSTATE_ADJUST),
	};
	struct missing_page page = missing_page_register(addr_gpa2hva(self->vm, MISSING_GPA));
	struct slow_ioctl call = { .fd = self->vcpus[0]->fd, .nr = KVM_XEN_VCPU_SET_ATTR };

	for (int i = 0; i < ARRAY_SIZE(types); i++) {
		struct kvm_xen_vcpu_attr attr = xen_good_attr(self->vm, types[i], MISSING_GPA);

		call.arg = &attr;
		expect_ioctl_waits(_metadata, xen_attrs[types[i]], &call, self->vcpus[1], &page,
				   "", 0);
	}
}

static void expect_area_is_current(struct __test_metadata *_metadata, struct kvm_vcpu *vcpu)
{
	struct kvm_xen_vcpu_attr area = runstate_read_area(vcpu->vm, MISSING_GPA, true);
	struct kvm_xen_vcpu_attr rs = runstate_get(vcpu);

	EXPECT_EQ(RUNSTATE_running, area.u.runstate.state);
	EXPECT_TRUE(runstate_adds_up(&area));
	EXPECT_TRUE(runstate_equal(&area, &rs)) {
		TH_LOG("in the area is %s, and not %s", runstate_text(&area).s,
		       runstate_text(&rs).s);
	}
}

TEST_F(xen_runstate_wait, for_the_area_in_kvm_run)
{
	struct missing_page page = missing_page_register(addr_gpa2hva(self->vm, MISSING_GPA));
	struct slow_ioctl call = { .fd = self->vcpus[0]->fd, .nr = KVM_RUN };

	missing_page_supply(&page, "", 0);
	runstate_set_addr(self->vcpus[0], MISSING_GPA);
	expect_ioctl_waits(_metadata, "KVM_RUN", &call, self->vcpus[1], &page, "", 0);
	expect_area_is_current(_metadata, self->vcpus[0]);
}

/* An area whose page is missing from now on. */
static struct missing_page miss_area(struct kvm_vcpu *vcpu)
{
	struct missing_page page = missing_page_register(addr_gpa2hva(vcpu->vm, MISSING_GPA));

	missing_page_supply(&page, "", 0);
	runstate_set_addr(vcpu, MISSING_GPA);
	missing_page_drop(&page);
	return page;
}

static void signal_comes(int sig)
{
}

/* SIGUSR1 interrupts what waits, and does nothing else. */
static void accept_signals(void)
{
	struct sigaction action = { .sa_handler = signal_comes };

	TEST_ASSERT_EQ(sigaction(SIGUSR1, &action, NULL), 0);
}

/* As post-copy does it: kick the vCPU, supply the page, and run it again. */
TEST_F(xen_runstate_wait, any_signal_ends_that_of_kvm_run)
{
	struct missing_page page = miss_area(self->vcpus[0]);
	struct slow_ioctl call = { .fd = self->vcpus[0]->fd, .nr = KVM_RUN };
	pthread_t thread;
	bool ended;

	accept_signals();
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, make_ioctl, &call));
		ASSERT_TRUE(missing_page_is_wanted(&page));
		ASSERT_EQ(0, pthread_kill(thread, SIGUSR1));

		ended = thread_ends(thread);
		EXPECT_TRUE(ended) {
			TH_LOG("a signal does not end KVM_RUN");
		}
		missing_page_supply(&page, "", 0);
		if (!ended)
			ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_EQ(-EINTR, call.r);

		runstate_vcpu_run(self->vcpus[0]);
		expect_area_is_current(_metadata, self->vcpus[0]);
		missing_page_drop(&page);
	}
}

TEST_F(xen_runstate_wait, immediate_exit_does_not_wait)
{
	struct missing_page page = miss_area(self->vcpus[0]);
	struct slow_ioctl call = { .fd = self->vcpus[0]->fd, .nr = KVM_RUN };
	pthread_t thread;
	bool ended;

	self->vcpus[0]->run->immediate_exit = 1;
	ASSERT_EQ(0, pthread_create(&thread, NULL, make_ioctl, &call));
	ended = thread_ends(thread);
	EXPECT_TRUE(ended) {
		TH_LOG("KVM_RUN waits in spite of immediate_exit");
	}
	missing_page_supply(&page, "", 0);
	if (!ended)
		ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-EINTR, call.r);

	self->vcpus[0]->run->immediate_exit = 0;
	runstate_vcpu_run(self->vcpus[0]);
	expect_area_is_current(_metadata, self->vcpus[0]);
}

/*
 * A signal comes every 10 ms.  The VMM fetches pages between its KVM_RUNs, and has
 * the one of the area after some of them.
 */
TEST_F(xen_runstate_wait, vmm_of_one_thread_supplies_its_own_page)
{
	struct missing_page page = miss_area(self->vcpus[0]);
	const struct itimerspec often = {
		.it_interval.tv_nsec = 10000000,
		.it_value.tv_nsec = 10000000,
	};
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGUSR1,
	};
	int interrupted = 0;
	timer_t timer;

	accept_signals();
	ASSERT_EQ(0, timer_create(CLOCK_MONOTONIC, &event, &timer));
	ASSERT_EQ(0, timer_settime(timer, 0, &often, NULL));

	while (__vcpu_run(self->vcpus[0])) {
		ASSERT_EQ(EINTR, errno);
		if (++interrupted == 3)
			missing_page_supply(&page, "", 0);
	}
	ASSERT_EQ(0, timer_delete(timer));
	EXPECT_LE(3, interrupted);
	expect_area_is_current(_metadata, self->vcpus[0]);
}

/* A thread that sets the shared info page holds the VM's Xen lock while it waits. */
TEST_F(xen_runstate_wait, for_the_shared_info)
{
	struct missing_page page = missing_page_register(addr_gpa2hva(self->vm, MISSING_GPA));
	struct kvm_xen_hvm_attr attr = {
		.type = KVM_XEN_ATTR_TYPE_SHARED_INFO,
		.u.shared_info.gfn = MISSING_GPA / PAGE_SIZE,
	};
	struct slow_ioctl call = {
		.fd = self->vm->fd,
		.nr = KVM_XEN_HVM_SET_ATTR,
		.arg = &attr,
	};

	expect_ioctl_waits(_metadata, "SHARED_INFO", &call, self->vcpus[1], &page, "", 0);
}

static void start_ioctl(struct slow_ioctl *call, const struct missing_page *page)
{
	pthread_t thread;

	missing_page_drop(page);
	TEST_ASSERT_EQ(pthread_create(&thread, NULL, make_ioctl, call), 0);
	TEST_ASSERT(missing_page_is_wanted(page), "nobody waits for the page");
}

static void wait_for_value(void)
{
	static struct slow_ioctl call = { .nr = KVM_XEN_VCPU_SET_ATTR };
	struct kvm_xen_vcpu_attr *attr;
	struct missing_page page;
	struct kvm_vcpu *vcpu;

	create_vm(&vcpu, 1);
	attr = map_attr(&page);
	attr->type = TYPE(RUNSTATE_CURRENT);
	call.fd = vcpu->fd;
	call.arg = attr;
	start_ioctl(&call, &page);
}

static void wait_for_area(unsigned long nr)
{
	static struct kvm_xen_vcpu_attr attr;
	static struct slow_ioctl call;
	struct missing_page page;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = create_vm(&vcpu, 1);
	runstate_set_addr(vcpu, MISSING_GPA);
	page = missing_page_register(addr_gpa2hva(vm, MISSING_GPA));
	attr = xen_good_attr(vm, TYPE(RUNSTATE_CURRENT), 0);
	call.fd = vcpu->fd;
	call.nr = nr;
	call.arg = nr == KVM_RUN ? NULL : &attr;
	start_ioctl(&call, &page);
}

static void wait_for_area_in_attr(void)
{
	wait_for_area(KVM_XEN_VCPU_SET_ATTR);
}

static void wait_for_area_in_run(void)
{
	wait_for_area(KVM_RUN);
}

/* Three VMs more, which take their time where much else goes on. */
TEST_F_TIMEOUT(xen_runstate_wait, ends_by_a_kill, 120)
{
	expect_kill_ends_wait(_metadata, "the wait for a value", wait_for_value);
	expect_kill_ends_wait(_metadata, "the wait for an area", wait_for_area_in_attr);
	expect_kill_ends_wait(_metadata, "the wait of KVM_RUN", wait_for_area_in_run);
}

int main(int argc, char *argv[])
{
	const int caps = KVM_XEN_HVM_CONFIG_RUNSTATE | KVM_XEN_HVM_CONFIG_EVTCHN_SEND |
			 KVM_XEN_HVM_CONFIG_SHARED_INFO_HVA;

	TEST_REQUIRE((kvm_check_cap(KVM_CAP_XEN_HVM) & caps) == caps);

	return test_harness_run(argc, argv);
}
