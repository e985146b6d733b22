// The interrupt of a PMU that was initialized without an irqchip.
//
// in arch/arm64/kvm/pmu-emul.c: claim=1
// in include/kvm/arm_pmu.h: late=1

@claim@
identifier f = kvm_arm_pmu_v3_enable;
identifier vcpu, irq;
position p;
@@
  int f(struct kvm_vcpu *vcpu)
  {
  <...
  if (!irq_is_ppi@p(vcpu->kvm, irq) && !vgic_valid_spi(vcpu->kvm, irq))
  	return -EINVAL;
+ pmu_claim_late_irq(vcpu);
  ...>
  }

@late@
position p;
@@
  struct kvm_pmu {
  ...
  bool created@p;
+ /* Initialized without an irqchip: the interrupt is claimed by the first run. */
+ bool claims_irq_late;
  ...
  };
