# SPDX-License-Identifier: GPL-2.0
# What the Makefile at the top needs for an architecture; x86_64.mk explains it.

kernel-arch	:= arm64
kernel-target	:= Image
kernel-image	:= arch/arm64/boot/Image
cross-compile	:= aarch64-linux-gnu-

kvm-dir		:= arch/arm64/kvm
selftests-dir	:= $(SELFTESTS_arm64)
demos		:= vcpu_attrs
args-vcpu_attrs	:= --table --steal

machines	:= max n1 a57 nopmu twopmu many
whole-machines	:= max
complete-machines := max
machine-tests	:= vcpu_attr_*_test
# What does not depend on the CPU, or on its PMU.
without-nopmu	:= vcpu_attr_pvtime_test vcpu_attr_pvtime_wait_test
without-twopmu	:= $(without-nopmu) vcpu_attr_fault_test vcpu_attr_timer_test
without-n1	:= $(without-twopmu) vcpu_attr_fuzz_test vcpu_attr_order_test
tests-many	:= vcpu_attr_many_test
run-many	:= --many-locks

# "make guest": packages and files of QEMU, the guests, and the steps of each by
# guest/vmm.c. guest/ARCH.GUEST is the command line. kexec is not among them: the new
# kernel begins to boot, and has not reached its first process within 60 s.
guest-qemu	:= qemu-system-arm
guest-files	:= /usr/bin/qemu-system-aarch64
guests		:= kvm
guest-steps-kvm	:= boot steal query stop hotplug pmu snapshot migrate reboot
