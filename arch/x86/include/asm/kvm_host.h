/* SPDX-License-Identifier: GPL-2.0-only */

#include <asm/kvm_xen_runstate.h>
