# SPDX-License-Identifier: GPL-2.0
# "make bench": what KVM's ioctls cost, on the base and on the series.

bench	:= $(lab)/bench
bench-parts   := $(B)/bench/$(ARCH)
bench-results := $(results)/bench

# Where the clock is not one of a nanosecond anyway, and a call for threads to contend in.
bench-clock-arm64	:= -global arm-cpu.cntfrq=1000000000
bench-contended-x86_64	:= data-get

bench-lib-x86_64	:= kvm_x86.c

# Runs on the base and on the series take turns: where time is measured, that of the
# build machine may change.
pairs	= $(foreach run,$(2),$(1)-base-$(run) $(1)-series-$(run))
counts	:= $(call pairs,count,1 2 3)
contests	:= $(if $(bench-contended-$(ARCH)),$(call pairs,contend,1 2 3 4 5 6 7))
.PHONY: bench bench-program $(counts) $(contests)

# A CPU whose clock counts instructions: one a nanosecond.
$(counts): qemu := $(subst thread=multi,thread=single,$(qemu)) $(bench-clock-$(ARCH)) \
	-smp 1 -icount shift=0,sleep=off
$(counts): tsc-khz := 1000000
$(counts): bench-args := count

# Several threads of QEMU do no harm here: no two guests run at once.
$(contests): qemu := $(subst thread=single,thread=multi,$(qemu)) -smp 4
$(contests): bench-args := contend $(bench-contended-$(ARCH))

bench-sources := $(addprefix $(bench)/,bench.c contend.c count.c dirty.c preempt.c vm.c $(ARCH).c) \
	$(addprefix tools/kvm/lib/,host.c kvm.c util.c $(bench-lib-$(ARCH)))

bench-program: headers
	@mkdir -p $(bench-parts)
	@$(call step,$(ARCH)-bench) 'building the bench' \
		$(CROSS_COMPILE)gcc -static -std=gnu11 -O2 -g -Wall -Wextra -Werror -D_GNU_SOURCE \
		-pthread -Itools/kvm/lib -isystem $(headers)/usr/include \
		-o $(bench-parts)/bench $(bench-sources)

# The kernel in the name of such a run.
measured = $(word 2,$(subst -, ,$@))

$(counts) $(contests): kernel-plain-base kernel-plain-series bench-program $(parts)/init
	@mkdir -p $(bench-results)
	@echo '$(LIMIT) bench /bin/bench $(bench-args)' > $(parts)/bench
	@echo '== $@'
	@{ $(call machine,bench,$(default),plain,$(measured),$(bench-parts)/bench,--mode show); } \
		> $(bench-results)/$@ || { cat $(bench-results)/$@ >&2; exit 1; }

bench: $(counts) $(contests)
	@$(bench)/report.py --json $(results)/bench.json --code "$(code)" $(bench)/$(ARCH).table \
		$(addprefix $(bench-results)/,$^)
