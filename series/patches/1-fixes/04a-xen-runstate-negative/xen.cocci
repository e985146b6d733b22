// A clock that was set back, and more steal than time.
//
// in arch/x86/kvm/xen.c: update=1

@update@
identifier f = kvm_xen_update_runstate;
identifier v, vx, state, now, delta_ns, run_delay, steal_ns;
expression waited;
statement S;
position p;
@@
  void f@p(struct kvm_vcpu *v, int state)
  {
  ...
- u64 delta_ns = now - vx->runstate_entry_time;
  u64 run_delay = waited;
+ s64 delta_ns = now - vx->runstate_entry_time;
+ s64 steal_ns = run_delay - vx->last_steal;

  if (unlikely(!vx->runstate_entry_time))
- 	vx->current_runstate = RUNSTATE_offline;
+ 	vx->current_runstate = RUNSTATE_offline;
+
+ /* A clock that was set back enters no time until it has caught up. */
+ if (delta_ns < 0)
+ 	goto update_guest;

  if (vx->current_runstate == RUNSTATE_running
+     && steal_ns > 0
  ) {
- 	u64 steal_ns = run_delay - vx->last_steal;
- 	delta_ns -= steal_ns;
+ 	steal_ns = min(steal_ns, delta_ns);
+ 	delta_ns -= steal_ns;
  	...
  }
- vx->last_steal = run_delay;
- vx->runstate_times[vx->current_runstate] += delta_ns;
- vx->current_runstate = state;
- vx->runstate_entry_time = now;
- if (vx->runstate_cache.active)
+ vx->runstate_times[vx->current_runstate] += delta_ns;
+ vx->runstate_entry_time = now;
+
+ update_guest:
+ vx->current_runstate = state;
+ vx->last_steal = run_delay;
+ if (vx->runstate_cache.active)
  	S
  }
