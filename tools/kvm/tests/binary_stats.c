// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * kvm_vcpu_time reads statistics in the layout of KVM_GET_STATS_FD from files that are made
 * up here. Prints what is wrong.
 */
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stats.h"
#include "util.h"

#define NAME_SIZE	48
#define DESC_SIZE	(sizeof(struct kvm_stats_desc) + NAME_SIZE)

/* In an order of their own, with a histogram and a name that nobody knows. */
static const struct {
	const char *name;
	__u16 size;
	__u64 value;
} rows[] = {
	{ "unknown",		  1, 1 },
	{ "halt_wait_hist",	  3, 2 },
	{ "steal_time_ns",	  1, 0x123456789abcdef0 },
	{ "halt_wait_ns",	  1, 4 },
	{ "blocking",		  1, 1 },
	{ "halt_poll_success_ns", 2, 5 },	/* not a number but two */
};

static int make_file(struct kvm_stats_header head)
{
	__u32 offset = 0;
	int fd = memfd_create("stats", MFD_CLOEXEC);

	pwrite(fd, &head, sizeof(head), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned char bytes[DESC_SIZE] = { 0 };
		struct kvm_stats_desc *desc = (void *)bytes;

		desc->size = rows[i].size;
		desc->offset = offset;
		strcpy((char *)bytes + sizeof(*desc), rows[i].name);
		pwrite(fd, bytes, sizeof(bytes), head.desc_offset + i * DESC_SIZE);
		for (unsigned int j = 0; j < rows[i].size; j++, offset += sizeof(__u64))
			pwrite(fd, &rows[i].value, sizeof(__u64), head.data_offset + offset);
	}

	return fd;
}

static struct counters read_file(int fd)
{
	struct counters counters = { 0 };

	stats_read_binary(fd, &counters);
	close(fd);

	return counters;
}

int main(void)
{
	const struct kvm_stats_header good = {
		.name_size   = NAME_SIZE,
		.num_desc    = ARRAY_SIZE(rows),
		.desc_offset = 96,
		.data_offset = 4096,
	};
	const unsigned int want = COUNTER_BIT(COUNTER_STEAL) | COUNTER_BIT(COUNTER_HALT_WAIT);
	struct kvm_stats_header bad[] = { good, good, good, good };
	struct counters found = read_file(make_file(good));
	int fd;

	if (found.have != want || !found.blocking ||
	    found.value[COUNTER_STEAL] != 0x123456789abcdef0 || found.value[COUNTER_HALT_WAIT] != 4)
		printf("expected %#x, found %#x with %#llx and %llu, blocking %d\n", want, found.have,
		       found.value[COUNTER_STEAL], found.value[COUNTER_HALT_WAIT], found.blocking);

	bad[0].num_desc = ~0U;
	bad[1].name_size = ~0U;
	bad[2].num_desc = 0;
	bad[3].data_offset = 1U << 30;
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		fd = make_file(good);
		pwrite(fd, &bad[i], sizeof(bad[i]), 0);
		found = read_file(fd);
		if (found.have)
			printf("header %u is taken for a good one: %#x\n", i, found.have);
	}

	fd = make_file(good);
	ftruncate(fd, sizeof(good) + 1);
	found = read_file(fd);
	if (found.have)
		printf("a short file has %#x\n", found.have);

	return 0;
}
