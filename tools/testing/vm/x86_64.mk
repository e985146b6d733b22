# SPDX-License-Identifier: GPL-2.0
# What the front door has to know of an architecture.

# ARCH=, make target and its file in the kernel's own build
kernel-arch	:= x86
kernel-target	:= bzImage
kernel-image	:= arch/x86/boot/bzImage
cross-compile	:=

# KVM's directory, and the one of its selftests
kvm-dir		:= arch/x86/kvm
selftests-dir	:= x86_64

# An AMD CPU with SVM; its guests run as nested ones of TCG's.
qemu		:= qemu-system-x86_64 -machine q35 -cpu max -accel tcg,thread=multi -smp 2 -m 2G
# TCG's TSC is steady, but the watchdog may doubt it on a busy host.
cmdline		:= console=ttyS0 tsc=reliable
