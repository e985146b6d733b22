// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * Checks that each signal which ends KVM_RUN is counted in the vCPU's statistics.
 *
 * Linux before 7.x counts them outside of KVM's modules: they must agree on where the
 * counter is in struct kvm_vcpu.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/compiler.h>
#include <linux/kvm.h>

#define SIGNALS		50
#define PERIOD_US	2000

/* Where a vCPU starts, in the last page below 4 GiB, and "jmp ." */
#define PAGE		4096
#define RESET_PAGE	0xfffff000
#define RESET_OFFSET	0xff0
static const uint8_t endless_loop[] = { 0xeb, 0xfe };

static void __noreturn die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static int checked(int ret, const char *what)
{
	if (ret < 0)
		die(what);
	return ret;
}

static void ignore(int signal __attribute__((unused)))
{
}

static void start_signals(void)
{
	const struct itimerval timer = { { 0, PERIOD_US }, { 0, PERIOD_US } };
	const struct sigaction action = { .sa_handler = ignore };

	checked(sigaction(SIGALRM, &action, NULL), "sigaction");
	checked(setitimer(ITIMER_REAL, &timer, NULL), "setitimer");
}

static void add_code(int vm)
{
	struct kvm_userspace_memory_region slot = {
		.guest_phys_addr = RESET_PAGE,
		.memory_size = PAGE,
	};
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		die("mmap");
	memcpy(page + RESET_OFFSET, endless_loop, sizeof(endless_loop));
	slot.userspace_addr = (uintptr_t)page;
	checked(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "KVM_SET_USER_MEMORY_REGION");
}

static uint64_t statistic(int vcpu, const char *name)
{
	int fd = checked(ioctl(vcpu, KVM_GET_STATS_FD, NULL), "KVM_GET_STATS_FD");
	struct kvm_stats_header header;
	struct kvm_stats_desc *desc;
	uint64_t value = 0;
	size_t size;
	uint32_t i;

	checked(pread(fd, &header, sizeof(header), 0), "statistics");
	size = sizeof(*desc) + header.name_size;
	desc = malloc(size);
	for (i = 0; i < header.num_desc; i++) {
		checked(pread(fd, desc, size, header.desc_offset + i * size), "statistics");
		if (!strcmp(desc->name, name))
			break;
	}
	errno = ENOENT;
	if (i == header.num_desc)
		die(name);
	checked(pread(fd, &value, sizeof(value), header.data_offset + desc->offset), name);
	free(desc);
	close(fd);
	return value;
}

int main(void)
{
	int kvm = checked(open("/dev/kvm", O_RDWR), "/dev/kvm");
	int vm = checked(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	int vcpu = checked(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	int size = checked(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	struct kvm_run *run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	uint64_t counted;
	int i, intr = 0;

	if (run == MAP_FAILED)
		die("mmap");
	add_code(vm);
	start_signals();
	for (i = 0; i < SIGNALS; i++) {
		run->exit_reason = KVM_EXIT_UNKNOWN;
		if (!ioctl(vcpu, KVM_RUN, NULL) || errno != EINTR)
			die("KVM_RUN");
		intr += run->exit_reason == KVM_EXIT_INTR;
	}
	counted = statistic(vcpu, "signal_exits");

	printf("TAP version 13\n1..2\n# of %d signals: %d exits for one, %llu counted\n",
	       SIGNALS, intr, (unsigned long long)counted);
	printf("%s 1 - exit_reason is KVM_EXIT_INTR\n", intr == SIGNALS ? "ok" : "not ok");
	printf("%s 2 - signal_exits counts each\n", counted == SIGNALS ? "ok" : "not ok");
	return intr != SIGNALS || counted != SIGNALS;
}
