// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * debugfs has a directory for each VM, and in it one for each vCPU, with the thread's ID.
 * Where it cannot be read, the open files of all processes show their VMs and vCPUs, and
 * the names of threads which vCPU they run. Other users' processes show those names only.
 *
 * A VM may vanish at any time: what can no longer be read is not there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "discover.h"
#include "files.h"
#include "process.h"

static void *grow(void *array, unsigned int nr, size_t size)
{
	/* To the next power of two. */
	if (nr & (nr - 1))
		return array;
	array = realloc(array, (nr ? 2 * nr : 1) * size);
	if (!array)
		die("there is none left", "memory: %s", strerror(errno));

	return array;
}

static struct found_vm *add_vm(struct found *found, pid_t pid, int fd, pid_t creator)
{
	struct task_stat stat;
	struct found_vm *vm;

	if (!task_read_stat(pid, &stat))
		return NULL;
	found->vms = grow(found->vms, found->nr_vms, sizeof(*vm));
	vm = &found->vms[found->nr_vms++];
	memset(vm, 0, sizeof(*vm));
	vm->pid = pid;
	vm->born = stat.born;
	vm->fd = fd;
	vm->creator = creator;
	process_vm_name(pid, vm->name, sizeof(vm->name));

	return vm;
}

static struct found_vcpu *find_vcpu(const struct found_vm *vm, unsigned int id)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		if (vm->vcpus[i].id == id)
			return &vm->vcpus[i];
	}

	return NULL;
}

static struct found_vcpu *add_vcpu(struct found_vm *vm, unsigned int id, pid_t thread)
{
	struct found_vcpu *vcpu = find_vcpu(vm, id);

	if (!vcpu) {
		vm->vcpus = grow(vm->vcpus, vm->nr_vcpus, sizeof(*vcpu));
		vcpu = &vm->vcpus[vm->nr_vcpus++];
		vcpu->id = id;
		vcpu->stats_fd = FD_UNKNOWN;
	}
	vcpu->thread = thread;

	return vcpu;
}

static int compare_vcpus(const void *a, const void *b)
{
	const struct found_vcpu *first = a, *second = b;

	return first->id < second->id ? -1 : first->id > second->id;
}

/* The process of a VM in debugfs; the thread that created it may have ended. */
static pid_t process_of(pid_t creator, int fd)
{
	pid_t pid = task_process(creator);
	struct dirent *entry;
	DIR *dir;

	if (pid)
		return pid;
	dir = file_opendir(DEBUGFS_KVM "/%d-%d", creator, fd);
	while (dir && !pid && (entry = readdir(dir))) {
		__u64 thread;

		if (!strncmp(entry->d_name, "vcpu", 4) &&
		    file_read_u64(&thread, DEBUGFS_KVM "/%d-%d/%s/pid", creator, fd, entry->d_name))
			pid = task_process(thread);
	}
	if (dir)
		closedir(dir);

	return pid;
}

/* Before Linux 6.0 there is no file "pid". */
static void add_vcpus_of_debugfs(struct found_vm *vm)
{
	DIR *dir = file_opendir(DEBUGFS_KVM "/%d-%d", vm->creator, vm->fd);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		long id = strncmp(entry->d_name, "vcpu", 4) ? -1 : parse_number(entry->d_name + 4);
		__u64 thread;

		if (id < 0)
			continue;
		if (!file_read_u64(&thread, DEBUGFS_KVM "/%d-%d/%s/pid", vm->creator, vm->fd,
				   entry->d_name))
			add_vcpu(vm, id, THREAD_UNKNOWN);
		else
			add_vcpu(vm, id, task_process(thread) ? (pid_t)thread : THREAD_NONE);
	}
	if (dir)
		closedir(dir);
}

/* Returns false if debugfs cannot be read, or has no KVM. */
static bool discover_debugfs(struct found *found, pid_t only)
{
	DIR *dir = file_opendir(DEBUGFS_KVM);
	struct dirent *entry;

	if (!dir)
		return false;
	while ((entry = readdir(dir))) {
		struct found_vm *vm;
		pid_t creator, pid;
		int fd, end = 0;

		if (sscanf(entry->d_name, "%d-%d%n", &creator, &fd, &end) != 2 ||
		    entry->d_name[end])
			continue;
		pid = process_of(creator, fd);
		if (!pid || (only && pid != only))
			continue;
		vm = add_vm(found, pid, fd, creator);
		if (vm)
			add_vcpus_of_debugfs(vm);
	}
	closedir(dir);

	return true;
}

enum file_kind {
	FILE_VM,
	FILE_VCPU,
	FILE_VCPU_STATS,
};

/* An open file of KVM. */
struct kvm_file {
	int fd;
	enum file_kind kind;
	unsigned int id;
};

static bool parse_link(const char *link, struct kvm_file *file)
{
	static const char vcpu[] = "anon_inode:kvm-vcpu:", stats[] = "anon_inode:kvm-vcpu-stats:";
	long id = 0;

	if (!strcmp(link, "anon_inode:kvm-vm")) {
		file->kind = FILE_VM;
	} else if (!strncmp(link, vcpu, strlen(vcpu))) {
		file->kind = FILE_VCPU;
		id = parse_number(link + strlen(vcpu));
	} else if (!strncmp(link, stats, strlen(stats))) {
		file->kind = FILE_VCPU_STATS;
		id = parse_number(link + strlen(stats));
	} else {
		return false;
	}
	file->id = id;

	return id >= 0;
}

static int compare_files(const void *a, const void *b)
{
	const struct kvm_file *first = a, *second = b;

	return first->fd - second->fd;
}

/* In the order of their numbers. Returns false if they cannot be read. */
static bool read_files(pid_t pid, struct kvm_file **files, unsigned int *nr)
{
	DIR *dir = file_opendir(PROC "/%d/fd", pid);
	struct dirent *entry;

	*files = NULL;
	*nr = 0;
	if (!dir)
		return errno != EACCES;
	while ((entry = readdir(dir))) {
		long fd = parse_number(entry->d_name);
		struct kvm_file file = { .fd = fd };
		char link[64];

		if (fd < 0 || file_readlink(link, sizeof(link), PROC "/%d/fd/%ld", pid, fd) < 0 ||
		    !parse_link(link, &file))
			continue;
		*files = grow(*files, *nr, sizeof(file));
		(*files)[(*nr)++] = file;
	}
	closedir(dir);
	if (*nr)
		qsort(*files, *nr, sizeof(**files), compare_files);

	return true;
}

static unsigned int count_vms(const struct kvm_file *files, unsigned int nr)
{
	unsigned int vms = 0;

	for (unsigned int i = 0; i < nr; i++)
		vms += files[i].kind == FILE_VM;

	return vms;
}

/* Open files do not show which VM a vCPU is of: the one that was opened last before it. */
static void add_vms_of_files(struct found *found, pid_t pid, const struct kvm_file *files,
			     unsigned int nr)
{
	struct found_vm *vm = NULL;

	for (unsigned int i = 0; i < nr; i++) {
		if (files[i].kind == FILE_VM)
			vm = add_vm(found, pid, files[i].fd, 0);
		else if (files[i].kind == FILE_VCPU && vm)
			add_vcpu(vm, files[i].id, THREAD_UNKNOWN);
	}
}

/* Which of several VMs these are of cannot be seen either, so they are for a single one. */
static void note_stats_files(struct found_vm *vm, const struct kvm_file *files, unsigned int nr)
{
	if (count_vms(files, nr) > 1)
		return;
	for (unsigned int i = 0; i < nr; i++) {
		struct found_vcpu *vcpu = find_vcpu(vm, files[i].id);

		if (files[i].kind == FILE_VCPU_STATS && vcpu)
			vcpu->stats_fd = files[i].fd;
	}
}

/* Calls @fn for each thread of @pid that is named as one of a vCPU. */
static void for_each_named(pid_t pid, void (*fn)(void *arg, unsigned int id, pid_t thread),
			   void *arg)
{
	DIR *dir = file_opendir(PROC "/%d/task", pid);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		long thread = parse_number(entry->d_name);
		unsigned int id;
		char comm[64];

		if (thread > 0 &&
		    file_read(comm, sizeof(comm), PROC "/%d/task/%ld/comm", pid, thread) > 0 &&
		    comm_is_vcpu(comm, &id))
			fn(arg, id, thread);
	}
	if (dir)
		closedir(dir);
}

static void note_thread(void *arg, unsigned int id, pid_t thread)
{
	struct found_vcpu *vcpu = find_vcpu(arg, id);

	if (vcpu && vcpu->thread == THREAD_UNKNOWN)
		vcpu->thread = thread;
}

struct named {
	struct found *found;
	pid_t pid;
	struct found_vm *vm;
};

static void add_named(void *arg, unsigned int id, pid_t thread)
{
	struct named *named = arg;

	if (!named->vm)
		named->vm = add_vm(named->found, named->pid, FD_UNKNOWN, 0);
	if (named->vm)
		add_vcpu(named->vm, id, thread);
}

static void discover_process(struct found *found, pid_t pid)
{
	struct named named = { .found = found, .pid = pid };
	struct kvm_file *files;
	unsigned int nr;

	if (read_files(pid, &files, &nr)) {
		add_vms_of_files(found, pid, files, nr);
	} else {
		unsigned int before = found->nr_vms;

		for_each_named(pid, add_named, &named);
		if (found->nr_vms > before)
			found->fds = false;
	}
	free(files);
}

static void discover_proc(struct found *found, pid_t only)
{
	struct dirent *entry;
	DIR *dir;

	if (only) {
		discover_process(found, only);
		return;
	}
	dir = file_opendir(PROC);
	if (!dir)
		die("mount it", PROC ": %s", strerror(errno));
	while ((entry = readdir(dir))) {
		long pid = parse_number(entry->d_name);

		if (pid > 0)
			discover_process(found, pid);
	}
	closedir(dir);
}

static bool has_unknown_threads(const struct found_vm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		if (vm->vcpus[i].thread == THREAD_UNKNOWN)
			return true;
	}

	return false;
}

static void complete_vm(struct found *found, struct found_vm *vm)
{
	struct kvm_file *files;
	unsigned int nr;

	if (read_files(vm->pid, &files, &nr))
		note_stats_files(vm, files, nr);
	else
		found->fds = false;
	free(files);
	if (has_unknown_threads(vm))
		for_each_named(vm->pid, note_thread, vm);
	if (vm->nr_vcpus)
		qsort(vm->vcpus, vm->nr_vcpus, sizeof(*vm->vcpus), compare_vcpus);
}

struct found discover(pid_t pid)
{
	struct found found = { .fds = true };

	found.debugfs = discover_debugfs(&found, pid);
	if (!found.debugfs)
		discover_proc(&found, pid);
	for (unsigned int i = 0; i < found.nr_vms; i++)
		complete_vm(&found, &found.vms[i]);

	return found;
}

void discover_free(struct found *found)
{
	for (unsigned int i = 0; i < found->nr_vms; i++)
		free(found->vms[i].vcpus);
	free(found->vms);
}
