// How long a cache waits for its page is its caller's choice.
//
// in virt/kvm/pfncache.c: lookup=1 fail=1 refresh=1 look_up=1 activate=1 refresh_gpc=1 refresh_active=1 users=2

@lookup@
typedef kvm_pfn_t, gpa_t;
identifier f = hva_to_pfn_retry;
identifier gpc;
position p;
@@
- static kvm_pfn_t f@p(struct gfn_to_pfn_cache *gpc)
+ static kvm_pfn_t f(struct gfn_to_pfn_cache *gpc, bool interruptible)
  { ... }

@fail@
identifier f = hva_to_pfn_retry;
position p;
@@
  f(...)
  {
  <...
- return@p -EFAULT;
+ return is_sigpending_pfn(new_pfn) ? -EINTR : -EFAULT;
  ...>
  }

@refresh@
identifier f = __kvm_gpc_refresh;
identifier gpc, gpa, uhva;
position p;
@@
- static int f@p(struct gfn_to_pfn_cache *gpc, gpa_t gpa, unsigned long uhva)
+ static int f(struct gfn_to_pfn_cache *gpc, gpa_t gpa, unsigned long uhva, bool interruptible)
  { ... }

@look_up@
expression gpc;
position p;
@@
- hva_to_pfn_retry@p(gpc)
+ hva_to_pfn_retry(gpc, interruptible)

@activate@
identifier f = __kvm_gpc_activate;
identifier gpc, gpa, uhva, len;
position p;
@@
- static int f@p(struct gfn_to_pfn_cache *gpc, gpa_t gpa, unsigned long uhva, unsigned long len)
+ static int f(struct gfn_to_pfn_cache *gpc, gpa_t gpa, unsigned long uhva,
+ 	     unsigned long len, bool interruptible)
  { ... }

@refresh_gpc@
identifier f = kvm_gpc_refresh;
expression gpc, gpa, uhva;
position p;
@@
  f(...)
  {
  <...
- __kvm_gpc_refresh@p(gpc, gpa, uhva)
+ __kvm_gpc_refresh(gpc, gpa, uhva, false)
  ...>
  }

@refresh_active@
identifier f = __kvm_gpc_activate;
expression gpc, gpa, uhva;
position p;
@@
  f(...)
  {
  <...
- __kvm_gpc_refresh@p(gpc, gpa, uhva)
+ __kvm_gpc_refresh(gpc, gpa, uhva, interruptible)
  ...>
  }

@users@
identifier f = {kvm_gpc_activate, kvm_gpc_activate_hva};
expression gpc, gpa, uhva, len;
position p;
@@
  f(...)
  {
  <...
- __kvm_gpc_activate@p(gpc, gpa, uhva, len)
+ __kvm_gpc_activate(gpc, gpa, uhva, len, false)
  ...>
  }
