/* SPDX-License-Identifier: GPL-2.0-only */

typedef vm_vaddr_t gva_t;
