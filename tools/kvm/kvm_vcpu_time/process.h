/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * What /proc says of a process or thread.
 */
#ifndef KVM_VCPU_TIME_PROCESS_H
#define KVM_VCPU_TIME_PROCESS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct task_stat {
	char state;		/* a letter, as in proc(5) */
	__u64 born;
};

bool task_read_stat(pid_t task, struct task_stat *stat);

/* The process that @task is a thread of, or 0. */
pid_t task_process(pid_t task);

/* True if @comm is what a virtual machine monitor names the thread of vCPU @id. */
bool comm_is_vcpu(const char *comm, unsigned int *id);

/* The name that the VM was given on the command line, or the program's; always ASCII. */
void process_vm_name(pid_t pid, char *name, size_t size);

#endif
