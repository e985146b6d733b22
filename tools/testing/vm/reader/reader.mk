# SPDX-License-Identifier: GPL-2.0
# "make test-reader": the writer of the Xen runstate area as a program of this
# machine, without a VM. Part of "make test".

reader	 := $(lab)/reader
reader-parts := $(B)/reader
reader-tests := $(if $(filter x86_64,$(ARCH)),test-reader-orders test-reader-race)
test-reader-orders := checking all orders of reading the runstate area
test-reader-race := racing readers of the runstate area
HOSTCC	?= gcc
.PHONY: test-reader $(reader-tests)

# xen_runstate_core.c is compiled apart from the xen.h beside it, which is a part of the
# kernel's: what it includes is replaced.
reader-flags := -std=gnu11 -O2 -g -Wall -Wextra -Wno-sign-compare -Werror -fno-strict-aliasing \
	-D_GNU_SOURCE -DCONFIG_X86_64 -pthread -I$(reader)/include -Iarch/x86/include \
	-I$(reader-parts) -I$(src-base)/tools/include -I$(src-base)/tools/testing/selftests

ifeq ($(shell uname -m),x86_64)
$(reader-tests): test-reader-%: base
	@mkdir -p $(reader-parts) $(results)
	@cp arch/x86/kvm/xen_runstate_core.[ch] $(reader-parts)
	@$(call step,$@) 'building $(reader)/$*' \
		$(HOSTCC) $(reader-flags) -o $(reader-parts)/$* $(reader)/$*.c
	@$(lab)/step $(results)/$@.ktap '$($@)' $(reader-parts)/$* || :
else
$(reader-tests):
	@mkdir -p $(results)
	@printf 'TAP version 13\n1..1\nok 1 all # SKIP %s is not x86_64\n' \
		"$$(uname -m)" > $(results)/$@.ktap
endif

test-boots: $(if $(whole),$(reader-tests))

test-reader: $(reader-tests)
	@$(totals) $(^:%=$(results)/%.ktap)
