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

# What all machines have. An AMD CPU with SVM; its guests run as nested ones of TCG's.
# One thread: with more, QEMU 7.2 loses state of guests that run on both CPUs at once.
# On an unedited base and without Xen, two vCPUs that exit and compute while a timer
# preempts one hung in 2 of 8 runs of 15 s, and in none of 8 with one thread.
qemu		:= qemu-system-x86_64 -machine q35 -accel tcg,thread=single -smp 2 -m 2G \
		   -device virtio-serial-pci
# TCG's TSC is that of the build machine, and steady. On a busy one the watchdog may
# doubt it, and the kernel's early estimate of its frequency, which KVM takes for the
# truth, was seen to be off by 1800 ppm. Expanded when a machine boots.
tsc-khz		= $(shell $(lab)/tsc_khz)
cmdline		= console=ttyS0 tsc=reliable $(addprefix tsc_early_khz=,$(tsc-khz))

# The machines, and QEMU's options for each. The first runs all tests, others
# those whose names match machine-tests. dts-NAME, if there: what its device
# tree has on top of QEMU's. tests-NAME, if there: the only tests that it runs, which
# no other one does; run-NAME: options of run.py.
machines	:= max
machine-tests	:=
qemu-max	:= -cpu max
