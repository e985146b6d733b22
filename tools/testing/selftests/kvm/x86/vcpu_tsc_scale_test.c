// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * KVM_VCPU_TSC_SCALE: the factor by which KVM scales the TSC of the host, exactly, and
 * nothing on a host that cannot scale.
 */
#include "kvm_test_harness.h"
#include "vcpu_tsc.h"

static const struct kvm_vcpu_tsc_scale untouched = { 0x0123456789abcdef, ~0ULL };

/* Frequencies of a guest, in percent of the host's. */
static const int percents[] = { 50, 90, 110, 150 };

static bool host_can_scale(void)
{
	return kvm_has_cap(KVM_CAP_TSC_CONTROL);
}

static int get_scale(struct kvm_vcpu *vcpu, struct kvm_vcpu_tsc_scale *scale)
{
	return attr_get(vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_SCALE, scale);
}

FIXTURE(vcpu_tsc_scale) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct user_memory mem;
};

FIXTURE_SETUP(vcpu_tsc_scale)
{
	self->mem = user_memory_map();
	self->vm = vm_create_with_one_vcpu(&self->vcpu, guest_reads_tsc);
}

FIXTURE_TEARDOWN(vcpu_tsc_scale)
{
	kvm_vm_free(self->vm);
	user_memory_unmap(&self->mem);
}

TEST_F(vcpu_tsc_scale, only_hosts_that_scale_have_it)
{
	struct kvm_vcpu_tsc_scale scale = untouched;
	int due = host_can_scale() ? 0 : -ENXIO;

	EXPECT_EQ(due, attr_has(self->vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_SCALE));
	EXPECT_EQ(due, get_scale(self->vcpu, &scale));
	if (due)
		EXPECT_EQ(0, memcmp(&untouched, &scale, sizeof(scale)));
}

TEST_F(vcpu_tsc_scale, cannot_be_set)
{
	const u64 offset = get_offset(self->vcpu);
	const u32 khz = get_khz(self->vcpu);

	EXPECT_EQ(-ENXIO, attr_set(self->vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_SCALE, &untouched));
	EXPECT_EQ(-ENXIO, attr_set(self->vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_SCALE, NULL));
	EXPECT_EQ(offset, get_offset(self->vcpu));
	EXPECT_EQ(khz, get_khz(self->vcpu));
}

TEST_F(vcpu_tsc_scale, bad_payload_is_efault_where_there_is_one)
{
	int due = host_can_scale() ? -EFAULT : -ENXIO;

	for (int kind = 0; kind < NR_BAD_PAYLOADS; kind++)
		EXPECT_EQ(due, attr_call(self->vcpu, KVM_GET_DEVICE_ATTR, KVM_VCPU_TSC_CTRL,
					 KVM_VCPU_TSC_SCALE,
					 bad_payload(&self->mem, sizeof(untouched), true, kind)));
}

static u64 scaled(const struct kvm_vcpu_tsc_scale *scale, u64 tsc)
{
	return ((__uint128_t)tsc * scale->tsc_ratio) >> scale->tsc_frac_bits;
}

TEST_F(vcpu_tsc_scale, guest_tsc_is_the_scaled_host_tsc_plus_the_offset)
{
	const u32 host_khz = get_host_khz(self->vm);
	struct kvm_vcpu_tsc_scale scale;
	u64 before, after, tsc;

	if (!host_can_scale())
		SKIP(return, "the host cannot scale its TSC");

	ASSERT_EQ(0, get_scale(self->vcpu, &scale));
	EXPECT_EQ(1ULL << scale.tsc_frac_bits, scale.tsc_ratio);

	for (int i = 0; i < ARRAY_SIZE(percents); i++) {
		const u32 khz = (u64)host_khz * percents[i] / 100;

		set_khz(self->vcpu, khz);
		ASSERT_EQ(0, get_scale(self->vcpu, &scale));
		EXPECT_EQ((u64)(((__uint128_t)khz << scale.tsc_frac_bits) / host_khz),
			  scale.tsc_ratio);

		before = scaled(&scale, rdtsc());
		tsc = run_and_get_tsc(self->vcpu) - get_offset(self->vcpu);
		after = scaled(&scale, rdtsc());
		EXPECT_LE(before, tsc);
		EXPECT_GE(after, tsc);
	}
}

/*
 * The scaled formula of Documentation/virt/kvm/devices/vcpu.rst, with the factors of both
 * sides: the TSC of the target is that of the source at the same TSC of the host, exactly.
 */
TEST_F(vcpu_tsc_scale, migration_is_exact)
{
	const u32 host_khz = get_host_khz(self->vm);
	struct kvm_vcpu_tsc_scale src, dst;
	struct kvm_vcpu *target;
	struct kvm_vm *vm;
	u64 offset, tsc;

	if (!host_can_scale())
		SKIP(return, "the host cannot scale its TSC");

	for (int i = 0; i < ARRAY_SIZE(percents); i++) {
		set_khz(self->vcpu, (u64)host_khz * percents[i] / 100);
		run_and_get_tsc(self->vcpu);
		ASSERT_EQ(0, get_scale(self->vcpu, &src));

		vm = vm_create_with_one_vcpu(&target, guest_reads_tsc);
		set_khz(target, get_khz(self->vcpu));
		ASSERT_EQ(0, get_scale(target, &dst));
		tsc = rdtsc();
		offset = get_offset(self->vcpu) + scaled(&src, tsc) - scaled(&dst, tsc);
		set_offset(target, offset);
		EXPECT_LE(scaled(&src, tsc) + get_offset(self->vcpu), run_and_get_tsc(target));
		EXPECT_EQ(offset, get_offset(self->vcpu));
		kvm_vm_free(vm);
	}
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_GET_TSC_KHZ));

	return test_harness_run(argc, argv);
}
