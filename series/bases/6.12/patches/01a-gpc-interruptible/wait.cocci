// in virt/kvm/pfncache.c: wait=1

@wait@
identifier f = hva_to_pfn_retry;
expression e1, e2, e3, e4, e5;
position p;
@@
  f(...)
  {
  <...
  hva_to_pfn@p(e1, e2,
- 	     false
+ 	     interruptible
  	     , e3, e4, e5)
  ...>
  }
