/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All of the guest, in real mode: compute for less than a millisecond, count
 * the round, ask the VMM what to do next.  %ebx is the number of rounds, %di
 * the address where memory has it too.
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
