/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Finds the VMs of the host, their vCPUs, and the threads that run these.
 */
#ifndef KVM_VCPU_TIME_DISCOVER_H
#define KVM_VCPU_TIME_DISCOVER_H

#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

#define VM_NAME_SIZE	64

/* Instead of a file descriptor. */
#define FD_UNKNOWN	-1

struct found_vcpu {
	unsigned int id;
	pid_t thread;
	int stats_fd;		/* of the VM's process */
};

struct found_vm {
	pid_t pid;
	__u64 born;		/* the process, see files_now() */
	int fd;			/* of KVM_CREATE_VM, in the process */
	pid_t creator;		/* thread that created it, or 0 without debugfs */
	char name[VM_NAME_SIZE];
	struct found_vcpu *vcpus;
	unsigned int nr_vcpus;
};

struct found {
	struct found_vm *vms;
	unsigned int nr_vms;
	bool debugfs;		/* it has the VMs */
	bool fds;		/* those of all VMs' processes can be read */
};

/* Searches one process only, unless @pid is 0. */
struct found discover(pid_t pid);
void discover_free(struct found *found);

#endif
