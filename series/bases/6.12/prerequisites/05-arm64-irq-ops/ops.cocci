// in arch/arm64/kvm/vgic/vgic.c: map_irq=1 unmap_irq=1 map_phys=1
// in arch/arm64/kvm/arch_timer.c: callers=4 enable=1

@map_irq@
identifier f = kvm_vgic_map_irq;
identifier vcpu, irq, host_irq, ops;
position p;
@@
- static int f@p(struct kvm_vcpu *vcpu, struct vgic_irq *irq, unsigned int host_irq, struct irq_ops *ops)
+ static int f(struct kvm_vcpu *vcpu, struct vgic_irq *irq,
+ 	     unsigned int host_irq)
  {
  ... when any
- irq->ops = ops;
  ... when any
  }

@unmap_irq@
identifier f = kvm_vgic_unmap_irq;
identifier irq;
position p;
@@
  void f(...)
  {
  ...
- irq->ops@p = NULL;
  }

@map_phys@
identifier f = kvm_vgic_map_phys_irq;
identifier vcpu, host_irq, vintid, ops, ret, irq;
position p;
@@
- int f@p(struct kvm_vcpu *vcpu, unsigned int host_irq, u32 vintid, struct irq_ops *ops)
+ int f(struct kvm_vcpu *vcpu, unsigned int host_irq,
+       u32 vintid)
  {
  ... when any
- ret = kvm_vgic_map_irq(vcpu, irq, host_irq, ops);
+ ret = kvm_vgic_map_irq(vcpu, irq, host_irq);
  ... when any
  }

@callers@
expression vcpu, host_irq, vintid;
position p;
@@
- kvm_vgic_map_phys_irq@p(vcpu, host_irq, vintid, &arch_timer_irq_ops)
+ kvm_vgic_map_phys_irq(vcpu, host_irq, vintid)

@enable@
identifier f = kvm_timer_enable;
identifier vcpu, map;
position p;
@@
  int f(struct kvm_vcpu *vcpu)
  {
  ... when any
  get_timer_map@p(vcpu, &map);
+ timer_set_irq_ops(vcpu);
  ... when any
  }
