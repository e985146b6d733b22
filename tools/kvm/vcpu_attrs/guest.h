/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Interface between the guest's code (guest.S) and the VMM.
 */
#ifndef VCPU_ATTRS_GUEST_H
#define VCPU_ATTRS_GUEST_H

/* Guest physical addresses. A mailbox or structure has 64 bytes for each vCPU. */
#define GUEST_TABLE		0x0000
#define GUEST_CODE		0x1000
#define GUEST_MAILBOX(vcpu)	(0x2000 + 64 * (vcpu))
#define GUEST_STRUCTURE(vcpu)	(0x4000 + 64 * (vcpu))

/* Offsets in struct mailbox. */
#define MAILBOX_STRUCTURE	0
#define MAILBOX_STOLEN		8
#define MAILBOX_BACK		16
#define MAILBOX_ROUNDS		24

/* Offset in the stolen time structure of Arm DEN0057A. */
#define STRUCTURE_STOLEN	8

#ifndef __ASSEMBLER__
#include <assert.h>
#include <linux/types.h>
#include <stddef.h>

/* Written by a vCPU of the guest, read by the VMM. */
struct mailbox {
	__u64 structure;	/* returned by PV_TIME_ST */
	__u64 stolen;		/* the last time that was read, ns */
	__u64 back;		/* how often it was less than the one before */
	__u64 rounds;		/* how often it was read; written last */
};

static_assert(offsetof(struct mailbox, structure) == MAILBOX_STRUCTURE, "guest.S differs");
static_assert(offsetof(struct mailbox, stolen) == MAILBOX_STOLEN, "guest.S differs");
static_assert(offsetof(struct mailbox, back) == MAILBOX_BACK, "guest.S differs");
static_assert(offsetof(struct mailbox, rounds) == MAILBOX_ROUNDS, "guest.S differs");

extern const unsigned char guest_code[], guest_code_end[];
#endif

#endif
