// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "host.h"
#include "kvm.h"

#define THREADS		8
#define CALLS		200000

struct caller {
	const struct vcpu *vcpu;
	const struct call *call;
	pthread_barrier_t *line;
	pthread_t thread;
};

static void *repeat_call(void *arg)
{
	const struct caller *caller = arg;
	const struct call *call = caller->call;
	/* Of its own: callers that share no lock share no memory either. */
	__u64 payload[32];
	int i;

	memcpy(payload, call->arg, _IOC_SIZE(call->request));

	pthread_barrier_wait(caller->line);
	for (i = 0; i < CALLS; i++)
		kvm_do_ioctl(caller->vcpu->fd, call->request, call->name,
			     (unsigned long)payload);
	pthread_barrier_wait(caller->line);

	return NULL;
}

/* Calls a second, when each vCPU of a VM has a thread that makes them. */
void time_contended(const struct call *call, const struct kind *kind)
{
	struct caller callers[THREADS];
	pthread_barrier_t line;
	struct vm vm = {};
	__u64 begin, end;
	int i;

	vm_create(&vm, kind, THREADS, 0);
	pthread_barrier_init(&line, NULL, THREADS + 1);
	for (i = 0; i < THREADS; i++) {
		callers[i] = (struct caller) { &vm.vcpus[i], call, &line, 0 };
		errno = pthread_create(&callers[i].thread, NULL, repeat_call, &callers[i]);
		if (errno)
			kvm_die("pthread_create");
	}

	pthread_barrier_wait(&line);
	begin = host_now();
	pthread_barrier_wait(&line);
	end = host_now();

	for (i = 0; i < THREADS; i++)
		pthread_join(callers[i].thread, NULL);
	printf("contend %s %.0f\n", call->name,
	       (double)THREADS * CALLS * NSEC_PER_SEC / (end - begin));
	pthread_barrier_destroy(&line);
	vm_destroy(&vm);
}
