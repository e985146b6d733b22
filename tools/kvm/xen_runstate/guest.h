/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Interface between the guest's code (guest.S) and the VMM.
 */
#ifndef XEN_RUNSTATE_GUEST_H
#define XEN_RUNSTATE_GUEST_H

/* Guest physical addresses. */
#define GUEST_CODE		0x1000
#define GUEST_ROUNDS(vcpu)	(0x2000 + 4 * (vcpu))

/* IN: 0 if the guest continues, 1 if it halts. */
#define GUEST_PORT_NEXT		0x10
/* OUT: the guest has woken up. */
#define GUEST_PORT_WOKEN	0x11

#ifndef __ASSEMBLER__
extern const unsigned char guest_code[], guest_code_end[];
#endif

#endif
