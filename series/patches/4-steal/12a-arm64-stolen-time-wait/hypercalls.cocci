// in arch/arm64/kvm/hypercalls.c: unused=1

@unused@
typedef gpa_t;
identifier f = kvm_smccc_call_handler;
position p;
@@
  int f(...)
  {
  ...
- gpa_t gpa@p;
  ... when any
  }
