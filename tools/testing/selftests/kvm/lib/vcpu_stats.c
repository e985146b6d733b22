// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test_util.h"
#include "vcpu_stats.h"

static void read_at(int fd, void *data, size_t size, off_t offset)
{
	ssize_t r = pread(fd, data, size, offset);

	TEST_ASSERT(r == size, "read %zd of %zu bytes of the statistics", r, size);
}

/* Look up @name; read one value of it, unless @value is NULL. */
static struct kvm_stats_desc read_stat(struct kvm_vcpu *vcpu, const char *name, u64 *value)
{
	struct kvm_stats_header header;
	struct kvm_stats_desc desc;
	char found[256] = "";
	bool match = false;
	size_t size;
	int fd;

	fd = __vcpu_ioctl(vcpu, KVM_GET_STATS_FD, NULL);
	TEST_ASSERT(fd >= 0, KVM_IOCTL_ERROR(KVM_GET_STATS_FD, fd));

	read_at(fd, &header, sizeof(header), 0);
	TEST_ASSERT(header.name_size <= sizeof(found), "names of %u bytes", header.name_size);
	size = sizeof(desc) + header.name_size;

	for (u32 i = 0; i < header.num_desc && !match; i++) {
		off_t at = header.desc_offset + i * size;

		read_at(fd, &desc, sizeof(desc), at);
		read_at(fd, found, header.name_size, at + sizeof(desc));
		match = !strcmp(found, name);
	}
	TEST_ASSERT(match, "a vCPU has no statistic %s", name);

	if (value)
		read_at(fd, value, sizeof(*value), header.data_offset + desc.offset);
	close(fd);
	return desc;
}

struct kvm_stats_desc vcpu_stat_desc(struct kvm_vcpu *vcpu, const char *name)
{
	return read_stat(vcpu, name, NULL);
}

u64 vcpu_stat(struct kvm_vcpu *vcpu, const char *name)
{
	u64 value;

	read_stat(vcpu, name, &value);
	return value;
}

struct path {
	char s[128];
};

static struct path stat_path(struct kvm_vm *vm, const char *name)
{
	struct path path;

	snprintf(path.s, sizeof(path.s), "/sys/kernel/debug/kvm/%d-%d/%s", getpid(), vm->fd, name);
	return path;
}

u64 debugfs_stat(struct kvm_vm *vm, const char *name)
{
	struct path path = stat_path(vm, name);
	FILE *file = fopen(path.s, "r");
	unsigned long long value;

	TEST_ASSERT(file, "%s: %s", path.s, strerror(errno));
	TEST_ASSERT_EQ(fscanf(file, "%llu", &value), 1);
	fclose(file);
	return value;
}

void debugfs_clear_stat(struct kvm_vm *vm, const char *name)
{
	struct path path = stat_path(vm, name);
	FILE *file = fopen(path.s, "w");

	TEST_ASSERT(file, "%s: %s", path.s, strerror(errno));
	TEST_ASSERT(fputs("0", file) != EOF && !fclose(file), "%s: %s", path.s, strerror(errno));
}

bool has_debugfs_stats(struct kvm_vm *vm)
{
	return !access(stat_path(vm, "halt_wait_ns").s, R_OK | W_OK);
}
