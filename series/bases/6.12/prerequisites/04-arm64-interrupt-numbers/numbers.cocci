// in arch/arm64/kvm/arch_timer.c: ppi=1
// in arch/arm64/kvm/pmu-emul.c: ppi=3 spi=1
// in arch/arm64/kvm/vgic/vgic.c: ppi=1
// in include/kvm/arm_arch_timer.h: width=1

@ppi@
expression irq;
position p;
@@
- irq_is_ppi@p(irq)
+ irq_is_ppi(vcpu->kvm, irq)

@spi@
expression irq;
position p;
@@
- irq_is_spi@p(irq)
+ irq_is_spi(vcpu->kvm, irq)

@width@
position p;
@@
  struct arch_timer_vm_data {
  ...
- u8 ppi@p[NR_KVM_TIMERS];
+ u32 ppi[NR_KVM_TIMERS];
  };
