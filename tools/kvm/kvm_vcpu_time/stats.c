// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Three places have KVM's statistics, and none of them has all that is wanted:
 *
 * - A file descriptor of KVM_GET_STATS_FD has those of one vCPU. KVM gives one to the
 *   process of the VM only, but QEMU 8.1 and later keep it open for each vCPU, and who may
 *   trace the process can duplicate it. It is closed at once, for it keeps the VM alive.
 * - debugfs below the directory of a vCPU: those that the kernel has there.
 * - debugfs in the directory of the VM has the sum over its vCPUs. This is the ordinary way,
 *   as root, with any VMM.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compute.h"
#include "files.h"
#include "stats.h"

static const struct {
	const char *name;
	enum counter counter;
} stats[] = {
	/* Any Linux from 5.14 on. */
	{ "halt_wait_ns",		COUNTER_HALT_WAIT },
	{ "halt_poll_success_ns",	COUNTER_HALT_POLL_SUCCESS },
	{ "halt_poll_fail_ns",		COUNTER_HALT_POLL_FAIL },

	/* This series. */
	{ "steal_time_ns",		COUNTER_STEAL },
	{ "xen_runstate_running_ns",	COUNTER_XEN_RUNNING },
	{ "xen_runstate_runnable_ns",	COUNTER_XEN_RUNNABLE },
	{ "xen_runstate_blocked_ns",	COUNTER_XEN_BLOCKED },
	{ "xen_runstate_offline_ns",	COUNTER_XEN_OFFLINE },
};

#define STAT_BLOCKING	"blocking"

static void set(struct counters *counters, enum counter counter, __u64 value)
{
	counters->value[counter] = value;
	counters->have |= COUNTER_BIT(counter);
}

static void set_by_name(struct counters *counters, const char *name, __u64 value)
{
	if (!strcmp(name, STAT_BLOCKING))
		counters->blocking = value;
	for (unsigned int i = 0; i < ARRAY_SIZE(stats); i++) {
		if (!strcmp(name, stats[i].name))
			set(counters, stats[i].counter, value);
	}
}

/* The whole of it at once, or NULL. */
static void *read_part(int fd, size_t size, off_t offset)
{
	void *part = malloc(size);

	if (!part || pread(fd, part, size, offset) != (ssize_t)size) {
		free(part);
		return NULL;
	}

	return part;
}

static size_t data_size(const void *descs, size_t desc_size, unsigned int nr)
{
	size_t size = 0;

	for (unsigned int i = 0; i < nr; i++) {
		const struct kvm_stats_desc *desc = descs + i * desc_size;
		size_t end = desc->offset + sizeof(__u64);

		size = end > size ? end : size;
	}

	return size;
}

void stats_read_binary(int fd, struct counters *counters)
{
	struct kvm_stats_header head;
	void *descs, *data = NULL;
	size_t desc_size;

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head) || !head.num_desc ||
	    head.num_desc > 4096 || head.name_size > 4096)
		return;
	desc_size = sizeof(struct kvm_stats_desc) + head.name_size;
	descs = read_part(fd, head.num_desc * desc_size, head.desc_offset);
	if (descs)
		data = read_part(fd, data_size(descs, desc_size, head.num_desc), head.data_offset);

	for (unsigned int i = 0; data && i < head.num_desc; i++) {
		const struct kvm_stats_desc *desc = descs + i * desc_size;
		__u64 value;

		memcpy(&value, data + desc->offset, sizeof(value));
		if (desc->size == 1 && memchr(desc->name, '\0', head.name_size))
			set_by_name(counters, desc->name, value);
	}
	free(data);
	free(descs);
}

static void read_duplicate(pid_t pid, int stats_fd, struct counters *counters)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int fd;

	if (pidfd < 0)
		return;
	fd = syscall(SYS_pidfd_getfd, pidfd, stats_fd, 0);
	close(pidfd);
	if (fd < 0)
		return;
	stats_read_binary(fd, counters);
	close(fd);
}

/* @dir: of the vCPU or of the VM. */
static void read_debugfs(const char *dir, struct counters *counters)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(stats); i++) {
		__u64 value;

		if (!counters_have(counters, COUNTER_BIT(stats[i].counter)) &&
		    file_read_u64(&value, "%s/%s", dir, stats[i].name))
			set(counters, stats[i].counter, value);
	}
}

void stats_read_vm(const struct found_vm *vm, struct counters *counters)
{
	char dir[sizeof(DEBUGFS_KVM) + 32];

	if (!vm->creator)
		return;
	snprintf(dir, sizeof(dir), DEBUGFS_KVM "/%d-%d", vm->creator, vm->fd);
	read_debugfs(dir, counters);
}

void stats_read_vcpu(const struct found_vm *vm, const struct found_vcpu *vcpu,
		     struct counters *counters)
{
	char dir[sizeof(DEBUGFS_KVM) + 64];

	if (files_are_of_this_host() && vcpu->stats_fd >= 0)
		read_duplicate(vm->pid, vcpu->stats_fd, counters);
	if (!vm->creator)
		return;
	snprintf(dir, sizeof(dir), DEBUGFS_KVM "/%d-%d/vcpu%u", vm->creator, vm->fd, vcpu->id);
	read_debugfs(dir, counters);

	/* The sum over one. */
	if (vm->nr_vcpus == 1)
		stats_read_vm(vm, counters);
}
