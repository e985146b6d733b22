/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef READER_KVM_STEAL_H
#define READER_KVM_STEAL_H

struct kvm_steal_clock {
};

#endif /* READER_KVM_STEAL_H */
