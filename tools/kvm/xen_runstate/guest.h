/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guest's code (guest.S) and the VMM agree upon.
 */
#ifndef XEN_RUNSTATE_GUEST_H
#define XEN_RUNSTATE_GUEST_H

/* Guest physical addresses. */
#define GUEST_CODE		0x1000
#define GUEST_ROUNDS(vcpu)	(0x2000 + 4 * (vcpu))

/* IN: does the guest go on (0) or halt (1)? */
#define GUEST_PORT_NEXT		0x10
/* OUT: it has woken up. */
#define GUEST_PORT_WOKEN	0x11

#ifndef __ASSEMBLER__
extern const unsigned char guest_code[], guest_code_end[];
#endif

#endif
