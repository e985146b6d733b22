// Activity comes first: before it, a cache has no address.
//
// in virt/kvm/pfncache.c: ask=1 drop=1

@ask@
identifier f = kvm_gpc_refresh;
identifier gpc, len;
expression lock;
position p;
@@
  int f@p(struct gfn_to_pfn_cache *gpc, unsigned long len)
  {
  ...
  guard(mutex)(lock);
+
+ if (!gpc->active)
+ 	return -EINVAL;
  ...
  }

@drop@
identifier f = __kvm_gpc_refresh;
identifier gpc, ret;
parameter list ps;
position p;
@@
  static int f(ps)
  {
  ...
- if (!gpc->active@p) {
- 	ret = -EINVAL;
- 	goto out_unlock;
- }
  ...
  }
