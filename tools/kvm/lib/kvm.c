// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#ifdef __x86_64__
#include <cpuid.h>
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "host.h"
#include "kvm.h"

#define CPUID_1_ECX_VMX			0x20
#define CPUID_80000001_ECX_SVM		0x04

void kvm_die(const char *what)
{
	switch (errno) {
	case EACCES:
	case EPERM:
		die("run it as root, or join the group that owns /dev/kvm", "%s: %m", what);
	case EBUSY:
	case EOPNOTSUPP:
		die("another hypervisor may hold the CPU, or firmware may lock it; see dmesg",
		    "%s: %m", what);
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		die("the host is short of memory or files; see ulimit -a", "%s: %m", what);
	default:
		die(kvm_needed, "%s: %m", what);
	}
}

int kvm_do_ioctl(int fd, unsigned long request, const char *name, unsigned long arg)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		kvm_die(name);

	return ret;
}

#ifdef __x86_64__
static bool cpu_has_virtualization(void)
{
	unsigned int eax, ebx, ecx, edx;

	if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & CPUID_1_ECX_VMX))
		return true;

	return __get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) &&
	       (ecx & CPUID_80000001_ECX_SVM);
}

static void __noreturn die_without_kvm(void)
{
	if (!cpu_has_virtualization())
		die("turn on VT-x or AMD-V in firmware; in a VM, nested virtualization on its host",
		    "/dev/kvm: %m, and this CPU offers no virtualization");
	die("load the module: modprobe kvm_intel, or modprobe kvm_amd", "/dev/kvm: %m");
}
#else
static void __noreturn die_without_kvm(void)
{
	die("the kernel needs CONFIG_KVM, and firmware has to start it at EL2; see dmesg",
	    "/dev/kvm: %m");
}
#endif

int kvm_open(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		die_without_kvm();
	kvm_die("/dev/kvm");
}

void *kvm_add_memory(int vm, size_t size, __u32 flags)
{
	struct kvm_userspace_memory_region region = {
		.flags = flags,
		.memory_size = size,
	};
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (mem == MAP_FAILED)
		kvm_die("mmap of the guest's memory");

	region.userspace_addr = (unsigned long)mem;
	kvm_do(vm, KVM_SET_USER_MEMORY_REGION, &region);

	return mem;
}

int kvm_open_stats(int kvm, int vcpu)
{
	if (!kvm_do(kvm, KVM_CHECK_EXTENSION, KVM_CAP_BINARY_STATS_FD))
		return -1;

	return kvm_do(vcpu, KVM_GET_STATS_FD, 0);
}

struct kvm_run *kvm_map_run(int kvm, int vcpu, size_t *size)
{
	void *run;

	*size = kvm_do(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	run = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		kvm_die("mmap of struct kvm_run");

	return run;
}
