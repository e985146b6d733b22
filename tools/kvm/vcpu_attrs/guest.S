/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * The guest queries the address of its stolen time, then reads it in a loop and
 * writes what it read to its mailbox, whose address is in x19.
 */
#include "guest.h"

#define PV_TIME_ST	0xc5000021

	.section .rodata
	.globl guest_code, guest_code_end

guest_code:
	ldr	w0, =PV_TIME_ST
	hvc	#0
	str	x0, [x19, #MAILBOX_STRUCTURE]
	/* SMCCC's NOT_SUPPORTED is negative. */
	tbnz	x0, #63, .

	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	add	x4, x19, #MAILBOX_ROUNDS
1:	ldr	x5, [x0, #STRUCTURE_STOLEN]
	cmp	x5, x1
	cinc	x2, x2, lo
	mov	x1, x5
	str	x1, [x19, #MAILBOX_STOLEN]
	str	x2, [x19, #MAILBOX_BACK]
	add	x3, x3, #1
	stlr	x3, [x4]
	b	1b
	.ltorg
guest_code_end:

	.section .note.GNU-stack, "", @progbits
