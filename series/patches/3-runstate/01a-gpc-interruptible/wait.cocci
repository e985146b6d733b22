// in virt/kvm/pfncache.c: wait=1

@wait@
identifier kfp;
position p;
@@
  struct kvm_follow_pfn kfp@p = {
  	.flags =
- 	FOLL_WRITE
+ 	FOLL_WRITE | (interruptible ? FOLL_INTERRUPTIBLE : 0)
  	,
  };
