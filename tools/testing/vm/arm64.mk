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

# EL2 is the machine's own, below it TCG runs KVM's guests like any other code.
qemu		:= qemu-system-aarch64 -machine virt,virtualization=on,gic-version=3 \
		   -accel tcg,thread=multi -smp 2 -m 2G -device virtio-serial-device
cmdline		:= console=ttyAMA0

machines	:= max n1 a57 nopmu twopmu many
machine-tests	:= vcpu_attr_*_test
# VHE, PMUv3 with 16-bit events
qemu-max	:= -cpu max
qemu-n1		:= -cpu neoverse-n1
# No VHE, 10-bit events
qemu-a57	:= -cpu cortex-a57
qemu-nopmu	:= -cpu max,pmu=off
# A PMU for each CPU, of different kinds
qemu-twopmu	:= -cpu max
dts-twopmu	:= two-pmus.dts
# For as many vCPUs as make lockdep give up
qemu-many	:= -cpu max
tests-many	:= vcpu_attr_many_test
run-many	:= --many-locks
