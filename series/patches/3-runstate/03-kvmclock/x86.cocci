// KVM_GET_CLOCK and callers that need the clock alone share the conversion from
// the TSC to the clock.
//
// in arch/x86/kvm/x86.c: condition=1 step=1 unused=1

@condition@
expression ka;
position p;
@@
- ka->use_master_clock@p && (\(static_cpu_has(...)\|cpu_feature_enabled(...)\) || __this_cpu_read(cpu_tsc_khz))
+ kvmclock_tsc_khz(ka)

@step@
expression ka, data;
identifier hv_clock;
position p;
@@
- hv_clock.tsc_timestamp@p = ka->master_cycle_now;
- hv_clock.system_time = ka->master_kernel_ns + ka->kvmclock_offset;
- kvm_get_time_scale(...);
- data->clock = __pvclock_read_cycles(&hv_clock, data->host_tsc);
+ data->clock = kvmclock_at(ka, data->host_tsc, get_cpu_tsc_khz());

@unused@
identifier f = __get_kvmclock;
identifier hv_clock;
parameter list ps;
position p;
@@
  static void f@p(ps)
  {
  ...
- struct pvclock_vcpu_time_info hv_clock;
  ... when any
  }
