// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/sizes.h>

#include "fault_injection.h"

void require_fault_injection(void)
{
	static const struct {
		const char *name;
		const char *value;
	} knobs[] = {
		{ "failslab/ignore-gfp-wait",		"N" },
		{ "failslab/verbose",			"0" },
		{ "fail_page_alloc/ignore-gfp-wait",	"N" },
		{ "fail_page_alloc/ignore-gfp-highmem",	"N" },
		{ "fail_page_alloc/min-order",		"0" },
		{ "fail_page_alloc/verbose",		"0" },
		{ "fail_usercopy/verbose",		"0" },
	};

	for (int i = 0; i < ARRAY_SIZE(knobs); i++) {
		char path[128];
		int fd;

		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", knobs[i].name);
		fd = open(path, O_WRONLY);
		__TEST_REQUIRE(fd >= 0, "cannot have faults injected, %s: %s", path,
			       strerror(errno));
		TEST_ASSERT_EQ(write(fd, knobs[i].value, 1), 1);
		close(fd);
	}
}

int fail_nth_open(void)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR);

	TEST_ASSERT(fd >= 0, "/proc/thread-self/fail-nth: %s", strerror(errno));
	return fd;
}

void fail_nth_begin(int fd, unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	TEST_ASSERT_EQ(pwrite(fd, text, len, 0), len);
}

bool fail_nth_end(int fd)
{
	char left = '\0';
	bool failed = pread(fd, &left, 1, 0) == 1 && left == '0';

	while (pwrite(fd, "0", 1, 0) != 1)
		TEST_ASSERT_EQ(errno, EFAULT);
	return failed;
}

struct remote_payload remote_payload_create(void)
{
	struct remote_payload payload = { .fd = memfd_create("payload", MFD_CLOEXEC) };
	void *room;

	TEST_ASSERT(payload.fd >= 0, "memfd_create: %s", strerror(errno));
	TEST_ASSERT_EQ(ftruncate(payload.fd, getpagesize()), 0);

	room = mmap(NULL, 2UL * SZ_1G, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	TEST_ASSERT(room != MAP_FAILED, "mmap: %s", strerror(errno));
	TEST_ASSERT_EQ(munmap(room, 2UL * SZ_1G), 0);
	payload.addr = (void *)(((uintptr_t)room + SZ_1G) & ~(SZ_1G - 1UL));
	return payload;
}

void remote_payload_renew(const struct remote_payload *payload, const void *value, size_t size)
{
	const size_t page = getpagesize();

	TEST_ASSERT_EQ(munmap(payload->addr, page), 0);
	TEST_ASSERT_EQ(pwrite(payload->fd, value, size, 0), size);
	TEST_ASSERT(mmap(payload->addr, page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_FIXED_NOREPLACE, payload->fd, 0) == payload->addr,
		    "mmap: %s", strerror(errno));
}

void remote_payload_destroy(const struct remote_payload *payload)
{
	munmap(payload->addr, getpagesize());
	close(payload->fd);
}
