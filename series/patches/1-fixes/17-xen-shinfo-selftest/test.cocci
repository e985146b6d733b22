// Deactivate the shared info by its HVA.
//
// in tools/testing/selftests/kvm/x86/xen_shinfo_test.c: hva=1

@hva@
position p;
@@
  struct kvm_xen_hvm_attr cache_deactivate_hva@p = {
  	.type =
- 	KVM_XEN_ATTR_TYPE_SHARED_INFO
+ 	KVM_XEN_ATTR_TYPE_SHARED_INFO_HVA
  	,
  	.u.shared_info.hva = 0
  };
