// The interrupt of a PMU that was initialized without an irqchip.
//
// in include/kvm/arm_pmu.h: late=1

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
