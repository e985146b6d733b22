/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Threads, clocks and signals of the host.
 */
#ifndef KVM_LIB_HOST_H
#define KVM_LIB_HOST_H

#include <linux/types.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

#include "util.h"

#define NSEC_PER_MSEC	1000000ULL
#define NSEC_PER_SEC	1000000000ULL

/* A thread that keeps a host CPU busy, for others to compete with. */
struct busy {
	pthread_t thread;
	bool stop;
};

void host_catch_signals(void);
int host_wait_for_signal(const sigset_t *set, __u64 deadline);
bool host_wait_until(__u64 deadline);
__u64 host_now(void);

int host_last_cpu(void);
void host_start_thread(pthread_t *thread, int cpu, void *(*fn)(void *), void *arg);

int host_open_schedstat(void);
__u64 host_run_delay(int schedstat);
void host_queue_up(int schedstat, __u64 past);

/* The calling thread gets the name that QEMU gives to that of a vCPU. */
void host_name_vcpu_thread(unsigned int id);

/* A kick makes a thread return from KVM_RUN. */
void host_allow_kicks(void);
void host_kick(pthread_t thread);

void busy_start(struct busy *busy, int cpu);
void busy_stop(struct busy *busy);

#endif
