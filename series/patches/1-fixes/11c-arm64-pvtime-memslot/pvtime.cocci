// in arch/arm64/kvm/pvtime.c: init=1

@init@
identifier f = kvm_init_stolen_time;
expression kvm, base, values, size;
position p;
@@
  f(...)
  {
  ... when any
- kvm_write_guest_lock@p(kvm, base, values, size);
+ if (kvm_write_guest_lock(kvm, base, values, size))
+ 	return INVALID_GPA;
  ... when any
  }
