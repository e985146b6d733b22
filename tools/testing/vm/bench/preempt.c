// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * What the guest does wakes a thread of higher priority on the only CPU.  The vCPU
 * has to make room for it in the middle of KVM_RUN; the thread goes to sleep at
 * once, and the vCPU goes on.  That round is counted, by the thread.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench.h"
#include "kvm.h"

void set_policy(int policy)
{
	struct sched_param param = { .sched_priority = sched_get_priority_min(policy) };

	if (sched_setscheduler(0, policy, &param))
		kvm_die("sched_setscheduler");
}

static void *run_vcpu(void *arg)
{
	set_policy(SCHED_OTHER);
	vcpu_run(arg);
	return NULL;
}

static void wait_for_guest(const void *arg, unsigned int vcpu)
{
	eventfd_t value;

	(void)vcpu;
	if (eventfd_read(*(const int *)arg, &value))
		kvm_die("eventfd_read");
}

void count_preemption(const struct kind *kind)
{
	struct kvm_ioeventfd access = arch_guest_access;
	int fd = eventfd(0, EFD_CLOEXEC);
	struct vm vm = {};
	pthread_t thread;

	if (fd < 0)
		kvm_die("eventfd");

	vm_create(&vm, kind, 1, 0);
	access.fd = fd;
	kvm_do(vm.fd, KVM_IOEVENTFD, &access);
	errno = pthread_create(&thread, NULL, run_vcpu, &vm.vcpus[0]);
	if (errno)
		kvm_die("pthread_create");

	count_op("preempt", kind->name, 1, wait_for_guest, &fd);

	/* Now the guest's next access makes KVM_RUN return. */
	access.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
	kvm_do(vm.fd, KVM_IOEVENTFD, &access);
	pthread_join(thread, NULL);

	vm_destroy(&vm);
	close(fd);
}
