/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * The guest, in real mode: compute for less than a millisecond, count the round,
 * and read from the VMM whether to halt.  %ebx is the number of rounds, which is
 * also written to the address in %di.
 */
#include "guest.h"

#define SPINS	1000000

	.section .rodata
	.code16
	.globl guest_code, guest_code_end

guest_code:
	movl	$SPINS, %ecx
1:	decl	%ecx
	jnz	1b

	incl	%ebx
	movl	%ebx, (%di)

	inb	$GUEST_PORT_NEXT, %al
	testb	%al, %al
	jz	guest_code

	hlt
	outb	%al, $GUEST_PORT_WOKEN
	jmp	guest_code
guest_code_end:

	.section .note.GNU-stack, "", @progbits
