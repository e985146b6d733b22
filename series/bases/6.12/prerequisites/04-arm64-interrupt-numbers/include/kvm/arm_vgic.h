/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */

#define irq_is_ppi(k, irq) ((irq) >= VGIC_NR_SGIS && (irq) < VGIC_NR_PRIVATE_IRQS)
#define irq_is_spi(k, irq) ((irq) >= VGIC_NR_PRIVATE_IRQS && \
			    (irq) <= VGIC_MAX_SPI)
