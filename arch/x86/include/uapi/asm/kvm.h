/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */

/*
 * u.runstate.state, with the numbers of Xen's RUNSTATE_*.  A vCPU is offline
 * when it is created.  KVM_RUN makes it running, and runnable while its thread
 * waits for a CPU there.  Userspace sets it to blocked while it is idle, and to
 * offline while it must not run; it may set any of the four.
 */
#define KVM_XEN_RUNSTATE_RUNNING	0
#define KVM_XEN_RUNSTATE_RUNNABLE	1
#define KVM_XEN_RUNSTATE_BLOCKED	2
#define KVM_XEN_RUNSTATE_OFFLINE	3
/* SET of RUNSTATE_ADJUST only: the state does not change */
#define KVM_XEN_RUNSTATE_KEEP		((__u64)-1)

/*
 * In state_entry_time of the guest's area, not of u.runstate: KVM is writing the
 * area.  Available with KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG.
 */
#define KVM_XEN_RUNSTATE_UPDATE		_BITULL(63)
