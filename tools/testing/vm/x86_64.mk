# SPDX-License-Identifier: GPL-2.0
# What the Makefile at the top needs for an architecture.

# ARCH=, make target and its file in the kernel's own build
kernel-arch	:= x86
kernel-target	:= bzImage
kernel-image	:= arch/x86/boot/bzImage
cross-compile	:=

# KVM's directory, and the one of its selftests; what of tools/kvm "run" can run,
# its default first. args-NAME, if there: a demo's arguments
kvm-dir		:= arch/x86/kvm
selftests-dir	:= $(SELFTESTS_x86)
demos		:= xen_runstate vcpu_attrs

# KVM=m: what is loaded, in this order.
kvm-modules	:= virt/lib/irqbypass arch/x86/kvm/kvm arch/x86/kvm/kvm-amd

# The machines of x86_64.machines that "test" boots, and further ones that it boots if
# MACHINE= names them, as they take long. Those of whole-machines run all tests,
# and those of complete-machines skip no program; others run those tests whose names match
# machine-tests. tests-NAME, if there: the only tests that it runs, which no other one
# does; without-NAME: those that it leaves out; run-NAME: options of "boot"; flavor-NAME:
# another FLAVOR; demos-NAME: what of tools/kvm it runs after the tests. needs-DEMO: what
# else of tools/kvm that takes.
machines	:= max
further-machines := vmx
whole-machines	:= max vmx
complete-machines := max
machine-tests	:=
demos-max	:= vcpu_time_test
args-vcpu_time_test := /bin/kvm_vcpu_time
needs-vcpu_time_test := kvm_vcpu_time
# Instructions are dear there.
flavor-vmx	:= plain
demos-vmx	:= xen_runstate

# "make guest", see arm64.mk. QEMU 7.2 may lose an interrupt of the timer, so a guest that is
# silent, but not one with wrong figures, has a second try. The guest has a kernel of its own.
guest-suite	:= bookworm-backports
guest-qemu	:= qemu-system-x86
guest-files	:= /usr/bin/qemu-system-x86_64 /usr/share/seabios/bios-256k.bin \
		   /usr/share/qemu/kvmvapic.bin /usr/share/qemu/linuxboot_dma.bin
guest-kernel	:= linux-image-6.12-cloud-amd64
guest-retry	:= has not booted|does not answer|\# timeout
guests		:= xen kvm
guest-steps-xen	:= boot steal query stop
guest-steps-kvm	:= boot steal query stop snapshot migrate kexec reboot
