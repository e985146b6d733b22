// Why the first KVM_RUN of a vCPU fails.
//
// in arch/arm64/kvm/arm.c: vgic=1
// in arch/arm64/kvm/pmu-emul.c: created=1 spi=1 no_irqchip=1

@vgic@
identifier f = kvm_arch_vcpu_run_pid_change;
identifier vcpu, kvm, ret;
position p;
@@
  int f(struct kvm_vcpu *vcpu)
  {
  <...
  ret = kvm_vgic_map_resources@p(kvm);
  if (ret)
- 	return ret;
+ 	return vgic_fails(vcpu, ret);
  ...>
  }

@created@
identifier f = kvm_arm_pmu_v3_enable;
identifier vcpu;
position p;
@@
  int f@p(struct kvm_vcpu *vcpu)
  {
  ... when any
  if (!vcpu->arch.pmu.created)
- 	return -EINVAL;
+ 	return kvm_vcpu_attr_run_fails(vcpu, KVM_ARM_VCPU_PMU_V3_CTRL,
+ 				       KVM_ARM_VCPU_PMU_V3_INIT, -EINVAL,
+ 				       "the PMU is not initialized");
  ... when any
  }

@spi@
identifier f = kvm_arm_pmu_v3_enable;
identifier vcpu, irq;
position p;
@@
  int f(struct kvm_vcpu *vcpu)
  {
  <...
  if (!irq_is_ppi@p(vcpu->kvm, irq) && !vgic_valid_spi(vcpu->kvm, irq))
- 	return -EINVAL;
+ 	return kvm_vcpu_attr_run_fails(vcpu, KVM_ARM_VCPU_PMU_V3_CTRL,
+ 				       KVM_ARM_VCPU_PMU_V3_IRQ, -EINVAL,
+ 				       "the vgic has no such SPI for the PMU");
  ...>
  }

@no_irqchip@
identifier f = kvm_arm_pmu_v3_enable;
identifier vcpu;
position p;
@@
  int f@p(struct kvm_vcpu *vcpu)
  {
  ... when any
  if (irqchip_in_kernel(vcpu->kvm)) {
  ...
  } else if (kvm_arm_pmu_irq_initialized(vcpu)) {
- 	return -EINVAL;
+ 	return kvm_vcpu_attr_run_fails(vcpu, KVM_ARM_VCPU_PMU_V3_CTRL,
+ 				       KVM_ARM_VCPU_PMU_V3_IRQ, -EINVAL,
+ 				       "the PMU has an interrupt, but there is no vgic");
  }
  ... when any
  }
