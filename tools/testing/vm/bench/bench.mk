# SPDX-License-Identifier: GPL-2.0
# "make bench": what KVM's ioctls cost, on the base and on the series.

bench	:= $(lab)/bench
bench-parts   := $(B)/bench/$(ARCH)
bench-results := $(results)/bench

# A call for threads to contend in.
bench-contended-x86_64	:= data-get

bench-lib-x86_64	:= kvm_x86.c

# Runs on the base and on the series take turns: where time is measured, that of the
# build machine may change.
pairs	= $(foreach run,$(2),$(1)-base-$(run) $(1)-series-$(run))
counts	:= $(call pairs,count,1 2 3)
contests	:= $(if $(bench-contended-$(ARCH)),$(call pairs,contend,1 2 3 4 5 6 7))
.PHONY: bench bench-program $(counts) $(contests)

# Each has a machine of its own.
$(counts): bench-on := count
$(counts): bench-args := count

$(contests): bench-on := contend
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
	@$(call boot,bench,$(bench-on),plain,$(measured)) --mode show $(bench-parts)/bench \
		> $(bench-results)/$@ || { cat $(bench-results)/$@ >&2; exit 1; }

bench: $(counts) $(contests)
	@$(bench)/report.py --json $(results)/bench.json --code "$(code)" $(bench)/$(ARCH).table \
		$(addprefix $(bench-results)/,$^)
