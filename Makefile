# SPDX-License-Identifier: GPL-2.0
# The way in: "make help" lists what there is. ./bootstrap TARGET installs what
# make needs, then does the same.

include series/base

ARCH	?= x86_64
FLAVOR	?= plain
COUNT	?= 1
LIMIT	?= 300
JOBS	?= $(shell nproc)

lab	:= tools/testing/vm
arches	:= $(patsubst $(lab)/%.mk,%,$(wildcard $(lab)/*.mk))
flavors	:= plain test

# $(call one-of,VARIABLE,allowed values)
one-of = $(if $(filter-out $(2),$($(1))),$(error $(1)=$($(1)) is not known; one of: $(2)))
$(call one-of,ARCH,$(arches))
$(call one-of,FLAVOR,$(flavors))
include $(lab)/$(ARCH).mk

# All that depends on the base lies in $(B): a tree given by KERNEL= has its own,
# so that no object of one is taken for one of the other.
own	:= $(if $(KERNEL),$(abspath $(KERNEL)))
B	:= build$(if $(own),/$(notdir $(own))-$(firstword $(shell printf %s '$(own)' | cksum)))
results	:= $(B)/results/$(ARCH)
headers	:= $(B)/headers/$(ARCH)
tests	:= $(B)/selftests/$(ARCH)
demo	:= $(B)/demo/$(ARCH)
parts	:= $(B)/vm/$(ARCH)

src-base   := $(B)/base
src-series := $(B)/tree
kind	:= $(if $(filter 1,$(BASE_ONLY)),base,series)

# $(call obj,FLAVOR,KIND) $(call image,FLAVOR,KIND)
obj	= $(B)/obj/$(ARCH)-$(1)-$(2)
image	= $(call obj,$(1),$(2))/$(kernel-image)
step	= $(lab)/step $(B)/log/$(1).log

export KERNEL_ARCH	:= $(kernel-arch)
export CROSS_COMPILE	:= $(cross-compile)
export CCACHE_DIR	?= $(CURDIR)/build/ccache
export FORCE_VERSION LIMIT TESTS
export PYTHONDONTWRITEBYTECODE := 1

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help base tree image headers selftests test test-stock run vm kunit clean distclean

help:
	@echo 'Everyday targets:'
	@echo '  run         boot the series and show Xen runstate accounting at work'
	@echo '  test        KUnit, our selftests and those of the base that concern us, on FLAVOR=test'
	@echo '  test-stock  our selftests on the unedited base: what fails there is what we mend'
	@echo '  vm          a shell in the booted kernel; the test programs are in /bin'
	@echo '  kunit       our KUnit suites by the kernel'\''s kunit.py'
	@echo
	@echo 'What they are made of:'
	@echo '  base        lay out the base kernel ($(BASE_PACKAGE)) in $(B)/base'
	@echo '  tree        compose base and series in $(B)/tree'
	@echo '  image       build a kernel; the last line is the path of its image'
	@echo '  selftests   build the selftests'
	@echo '  clean       remove what was built, but not base and ccache'
	@echo '  distclean   remove build/'
	@echo
	@echo 'Variables:'
	@echo '  ARCH=x86_64   one of: $(arches)'
	@echo '  FLAVOR=plain  or test: lockdep, KASAN, UBSAN, KUnit; a splat is deadly'
	@echo '  BASE_ONLY=1   image, run, vm: the base without the series'
	@echo '  KERNEL=/path  compose onto this Linux $(BASE_SERIES) tree, which stays as it is'
	@echo '  TESTS="a b"   test, test-stock: only these selftests'
	@echo '  COUNT=20      test, test-stock: each selftest so many times'
	@echo '  LIMIT=300     seconds that the demo and each of our selftests may take'
	@echo '  ARGS=...      run: arguments of the demo program; try --help'

base:
	@$(lab)/base $(B)/base $(own)

tree: base
	@series/compose $(src-base) $(src-series) >&2

# $(call build,FLAVOR,KIND)
build	= $(call step,$(ARCH)-$(1)-$(2)-config) 'configuring $(ARCH)-$(1)-$(2)' \
		$(lab)/configure $(src-$(2)) $(call obj,$(1),$(2)) \
		$(abspath $(lab)/$(ARCH).config $(lab)/$(1).config $(fragments)) && \
	  $(call step,$(ARCH)-$(1)-$(2)) 'building $(ARCH)-$(1)-$(2)' \
		$(lab)/kmake $(src-$(2)) $(call obj,$(1),$(2)) -j$(JOBS) $(kernel-target)

# kernel-FLAVOR-KIND
kernel-%-base: base
	@$(call build,$*,base)

kernel-%-series: tree
	@$(call build,$*,series)

# The options of the KUnit suites stand where kunit.py looks for them.
kernel-test-series: fragments = $(wildcard $(kvm-dir)/.kunitconfig)

image: kernel-$(FLAVOR)-$(kind)
	@echo $(abspath $(call image,$(FLAVOR),$(kind)))

$(parts)/init: $(lab)/init.c | base
	@mkdir -p $(@D)
	@$(CROSS_COMPILE)gcc -static -O2 -Wall -Wextra -I$(B)/base/tools/include -o $@ $<

# What user space may include: the tree's own, not those of the build machine.
headers: tree
	@$(call step,headers) 'making headers' $(lab)/kmake $(B)/tree $(headers) headers

selftests: headers
	@mkdir -p $(parts)
	@$(lab)/tests $(selftests-dir) $(lab)/$(ARCH).tests > $(parts)/selftests
	@$(call step,selftests) 'building selftests' \
		$(lab)/selftests $(B)/tree $(headers)/usr/include $(tests) $(parts)/selftests

$(demo)/xen_runstate: headers
	@mkdir -p $(@D)
	@$(call step,demo) 'building $(@F)' \
		env -u MAKEFLAGS make -C tools/kvm/$(@F) OUTPUT=$(abspath $(@D)) \
		CC=$(CROSS_COMPILE)gcc KHDR_INCLUDES='-isystem $(abspath $(headers))/usr/include'

# A machine of NAME, for $(call machine,NAME,FLAVOR,KIND,options of run.py), runs
# the lines of $(parts)/NAME and has the programs of NAME-programs.
machine = $(lab)/initramfs $(call obj,$(2),$(3))/usr/gen_init_cpio $(parts)/$(1).cpio \
		$(parts)/init $(parts)/$(1) $($(1)-programs) && \
	  echo "== booting $(ARCH)-$(2)-$(3)" && \
	  $(lab)/run.py --name $(1) $(4) --qemu '$(qemu)' --append '$(cmdline)' \
		--kernel $(call image,$(2),$(3)) --initrd $(parts)/$(1).cpio \
		--commands $(parts)/$(1) --results $(results)

# $(call list-tests,NAME,table of the base's tests)
list-tests = $(lab)/tests $(selftests-dir) $(2) | awk -v count=$(COUNT) \
	'{ for (i = 1; i <= count; i++) print $$1, $$2 (count > 1 ? "/" i : ""), "/bin/" $$2 }' \
	> $(parts)/$(1)
built-tests = $$(awk '{ print "$(tests)/" $$3 }' $(parts)/selftests)
totals	= $(lab)/totals.py $(src-base)/tools/testing/kunit

test-programs		= $(built-tests)
test-stock-programs	= $(built-tests)
run-programs		= $(demo)/xen_runstate
vm-programs		= $(built-tests) $(demo)/xen_runstate /bin/busybox

# Status 1 of a machine is a splat, 2 a report that is not complete; both are
# worth a summary, an interrupt is not.
test: kernel-test-series selftests $(parts)/init
	@$(call list-tests,$@,$(lab)/$(ARCH).tests)
	@$(call machine,$@,test,series,--panic splat); status=$$?; \
	[ $$status -le 2 ] || exit $$status; \
	$(totals) $(if $(wildcard $(kvm-dir)/.kunitconfig),$(results)/test.kunit.ktap) \
		$(results)/test.ktap $$(ls $(results)/test.splat.ktap 2>/dev/null) && exit $$status

# Splats are part of what the base does.
test-stock: kernel-test-base selftests $(parts)/init
	@$(call list-tests,$@)
	@$(call machine,$@,test,base); status=$$?; \
	[ $$status -le 2 ] || exit $$status; \
	echo "These tests of the series fail on stock Linux:"; \
	$(totals) --failures $(results)/test-stock.ktap && [ $$status -ne 2 ]

run: kernel-plain-$(kind) $(demo)/xen_runstate $(parts)/init
	@echo '$(LIMIT) xen_runstate /bin/xen_runstate $(ARGS)' > $(parts)/$@
	@$(call machine,$@,plain,$(kind),--mode show)

vm: kernel-$(FLAVOR)-$(kind) selftests $(demo)/xen_runstate $(parts)/init
	@: > $(parts)/$@
	@$(call machine,$@,$(FLAVOR),$(kind),--mode shell)

kunit: tree
	@env -u MAKEFLAGS -u MAKELEVEL -u KERNEL_ARCH $(B)/tree/tools/testing/kunit/kunit.py run \
		--arch=$(ARCH) --kunitconfig=$(CURDIR)/$(kvm-dir)/.kunitconfig \
		--build_dir=$(CURDIR)/$(call obj,kunit,series) --jobs=$(JOBS) \
		--make_options=LOCALVERSION= \
		$(if $(shell command -v ccache),--make_options='CC=ccache $(CROSS_COMPILE)gcc')

clean:
	rm -rf $(filter-out build/base build/ccache,$(wildcard build/*))

distclean:
	rm -rf build
