// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
/*
 * KUnit tests of the rows of Xen vCPU attributes.
 */
#include <kvm/vcpu_attr_kunit.h>

#include "xen.h"

static void rows_are_sane(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, kvm_vcpu_attr_group_sane(&kvm_xen_vcpu_attrs));
}

static void every_type_is_there(struct kunit *test)
{
	const struct kvm_vcpu_attr *row;
	u16 type;

	for (type = 0; type <= KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA; type++) {
		row = kvm_vcpu_attr_find(&kvm_xen_vcpu_attrs, type);
		KUNIT_ASSERT_NOT_NULL_MSG(test, row, "type %u", type);
		KUNIT_EXPECT_LE(test, row->size, sizeof_field(struct kvm_xen_vcpu_attr, u));
	}

	KUNIT_EXPECT_NULL(test, kvm_vcpu_attr_find(&kvm_xen_vcpu_attrs, type));
}

/* But RUNSTATE_ADJUST, which has no value. */
static void getters_fill_their_payload(struct kunit *test)
{
	struct kvm_vcpu *vcpu = kvm_vcpu_attr_fake_vcpu(test);

	/* Keeps the VM's clock, which it does not have, from being read. */
	vcpu->arch.xen.runstate.taken_over = true;

	KUNIT_EXPECT_EQ(test, kvm_vcpu_attr_expect_filled(test, vcpu, &kvm_xen_vcpu_attrs),
			kvm_xen_vcpu_attrs.nr - 1);
}

static struct kunit_case attr_cases[] = {
	KUNIT_CASE(rows_are_sane),
	KUNIT_CASE(every_type_is_there),
	KUNIT_CASE(getters_fill_their_payload),
	{}
};

static struct kunit_suite attr_suite = {
	.name = "kvm_xen_vcpu_attr",
	.test_cases = attr_cases,
};

kunit_test_suite(attr_suite);
