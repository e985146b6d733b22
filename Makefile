# SPDX-License-Identifier: GPL-2.0
# The way in: "make help" lists what there is. ./bootstrap TARGET installs what
# make needs, then does the same.

# The base is BASE= of series/bases/, or the one that KERNEL= is: if it is none of
# them, the next newer one, or else the newest. "modules" takes that of their kernel.
default-base := 6.12
bases	:= $(shell ls series/bases | sort -V)
own-series := $(if $(KERNEL),$(shell awk '$$1 == "VERSION" { v = $$3 } \
		$$1 == "PATCHLEVEL" { print v "." $$3; exit }' $(KERNEL)/Makefile))
modules-base := $(if $(filter modules,$(MAKECMDGOALS)),$(filter $(bases),$(shell \
		echo $(or $(RELEASE),$$(uname -r)) | cut -d. -f1,2)))
next-base = $(lastword $(shell printf '%s\n' $(bases) $(own-series) | sort -V | grep -x -A1 '$(own-series)'))
BASE	?= $(if $(own-series),$(or $(filter $(own-series),$(bases)),$(filter $(bases),$(next-base)),$(lastword \
		$(bases))),$(or $(modules-base),$(default-base)))
$(if $(filter $(BASE),$(bases)),,$(error BASE=$(BASE) is not known; one of: $(bases)))
include series/bases/$(BASE)/base

# Without ARCH, TESTS and VARIANT, "test" is for all architectures.
every	:= $(if $(ARCH)$(TESTS)$(VARIANT),,x86_64 arm64)
# On the default base it goes on with a part of it on these others.
other-bases := $(filter-out $(default-base),$(bases))
FURTHER	?= $(other-bases)
further	:= $(if $(every),$(if $(MACHINE)$(KERNEL)$(filter 1,$(BASE_ONLY))$(filter $(other-bases),$(BASE)),,$(FURTHER)))
ARCH	?= x86_64
given-flavor := $(FLAVOR)
FLAVOR	?= $(if $(filter soak,$(MAKECMDGOALS)),test,plain)
COUNT	?= 1
LIMIT	?= 900
JOBS	?= $(shell nproc)

lab	:= tools/testing/vm
arches	:= $(patsubst $(lab)/%.mk,%,$(wildcard $(lab)/*.mk))
flavors	:= plain lean test kcsan
# Of the configurations of check-configs those that boot here.
variants := $(filter-out $(shell awk '!/^\#/ { print $$1 }' series/bases/$(BASE)/configs-without 2>/dev/null), \
		$(patsubst series/configs/%.config,%,$(wildcard \
		$(patsubst %,series/configs/%.config,no-* preempt-* modules))))

# $(call one-of,VARIABLE,allowed values)
one-of = $(if $(filter-out $(2),$($(1))),$(error $(1)=$($(1)) is not known; one of: $(2)))
$(call one-of,ARCH,$(arches))
$(call one-of,FLAVOR,$(flavors))
$(call one-of,FURTHER,$(other-bases))
$(call one-of,VARIANT,$(variants))
include $(lab)/$(ARCH).mk
MACHINE	?= $(machines)
$(call one-of,MACHINE,$(machines) $(further-machines))
DEMO	?= $(firstword $(demos))
$(call one-of,DEMO,$(demos))
ARGS	?= $(args-$(DEMO))

# All that depends on the base lies in $(B): each has its own, and so has a tree given
# by KERNEL=, so that no object of one is taken for one of another.
own	:= $(if $(KERNEL),$(abspath $(KERNEL)))
variant	:= $(if $(VARIANT),-$(VARIANT))
B	:= build$(if $(own),/$(notdir $(own))-$(firstword $(shell printf %s '$(own)' | cksum)),$(if \
		$(filter-out $(default-base),$(BASE)),/$(BASE)))
results	:= $(B)/results/$(ARCH)$(variant)
headers	:= $(B)/headers/$(ARCH)
tests	:= $(B)/selftests/$(ARCH)
demos-out := $(B)/demo/$(ARCH)
# $(call tool,NAME...) of tools/kvm, in the folder that its Makefile has for it.
tool	= $(foreach name,$(1),$(demos-out)/$(if $(filter %_test,$(name)),tests,$(name))/$(name))
demo	:= $(call tool,$(DEMO))
vcpu-time := $(call tool,kvm_vcpu_time)
# The same for this machine.
vcpu-time-here := $(B)/tools/kvm_vcpu_time/kvm_vcpu_time
parts	:= $(B)/vm/$(ARCH)

src-base   := $(B)/base
src-series := $(B)/tree
kind	:= $(if $(filter 1,$(BASE_ONLY)),base,series)

# What VARIANT=modules loads before the tests, and removes after them.
modules	:= $(if $(filter modules,$(VARIANT)),$(kvm-modules))
loader	:= $(if $(modules),$(parts)/busybox)

# $(call kernel,FLAVOR,KIND) $(call obj,...) $(call image,...) $(call ko,...)
kernel	= $(ARCH)-$(1)-$(2)$(variant)
obj	= $(B)/obj/$(kernel)
image	= $(call obj,$(1),$(2))/$(kernel-image)
ko	= $(modules:%=$(call obj,$(1),$(2))/%.ko)
step	= $(lab)/step $(B)/log/$(1).log

export KERNEL_ARCH	:= $(kernel-arch)
export CROSS_COMPILE	:= $(cross-compile)
export CCACHE_DIR	?= $(CURDIR)/build/ccache
export BASE FORCE_VERSION LIMIT TESTS
export PYTHONDONTWRITEBYTECODE := 1

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help accept base tree image headers selftests test test-boots test-further boot-further \
	test-stock test-tools run vm \
	kunit htmldocs clean distclean

help:
	@echo 'Everyday targets:'
	@echo '  run         boot the series and show it at work: tools/kvm/$(DEMO); then where the'
	@echo '              time of its vCPUs went by tools/kvm/kvm_vcpu_time: a table, and a plot'
	@echo '  test        KUnit, the selftests of the series, and those of the base that it affects; FLAVOR=test'
	@echo '              (MACHINE=vmx: plain, and a demo); last line: the total, of all architectures'
	@echo '              and of a part on other bases, unless ARCH, TESTS or VARIANT is given'
	@echo '  test-stock  the selftests of the series on the unedited base: the series fixes what fails there'
	@echo '  guest       Linux guests under QEMU on the series: is their steal what they waited?'
	@echo '  vm          a shell in the booted kernel; the test programs are in /bin'
	@echo '  kunit       the KUnit suites of the series by the kernel'\''s kunit.py'
	@echo '  soak        all that races, at once and over and over, for MINUTES=60'
	@echo '  bench       what KVM'\''s ioctls cost, in instructions, on the base and on the series'
	@echo '  mutants     which test notices which injected bug; MUTANTS="a b" picks some; hours'
	@echo
	@echo 'What they are made of:'
	@echo '  base        unpack the base kernel ($(BASE_PACKAGE)) in $(B)/base'
	@echo '  tree        compose base and series in $(B)/tree; edits there stop it: series/scripts/capture'
	@echo '  accept      the same, and record what the series takes away from this base'
	@echo '  image       build a kernel; the last line is the path of its image'
	@echo '  selftests   build the selftests'
	@echo '  test-reader the runstate area, written and read on this machine'\''s CPUs; no VM'
	@echo '  sparse      the warnings of sparse in lines that the base does not have'
	@echo '  test-modules  the package of "modules" and the tests on its modules, on a kernel of Debian'\''s'
	@echo '              BASE_ONLY=1: the tests that fail on its own modules'
	@echo '  test-tools  tools/kvm, built for this machine: its output and man pages; no VM'
	@echo '  htmldocs    build the pages on KVM; a warning about a page of the series is an error'
	@echo '  clean       remove what was built, but not base and ccache'
	@echo '  distclean   remove build/'
	@echo
	@echo 'For others:'
	@echo '  series         the series as mails, and a cover letter, in $(mails)'
	@echo '  check-configs  builds KVM as series/configs/table says, and reports warnings; CONFIGS="a b"'
	@echo '  check-fixes    each fix by itself: its test fails just before it, and passes just after'
	@echo '  check-series   checkpatch, kernel-doc, messages; builds each patch by W=1 and sparse'
	@echo '  index          series/README.md, the list of the patches'
	@echo '  deb            Debian packages of the kernel, configured by CONFIG=FILE'
	@echo '  modules        a Debian package of KVM'\''s modules for the running kernel, or RELEASE=, on x86'
	@echo '  kselftest-tar  the selftests for another machine, with run_kselftest.sh'
	@echo
	@echo 'Variables:'
	@echo '  ARCH=x86_64   one of: $(arches)'
	@echo '  FLAVOR=plain  or lean: KUnit and fault injection as well'
	@echo '                or test: also lockdep, KASAN, UBSAN, kmemleak; panics on a splat'
	@echo '                or kcsan: data races; if not given, soak takes test'
	@echo '  MACHINE=...   one of: $(machines) $(further-machines)'
	@echo '                (test, test-stock: $(machines); others: $(firstword $(machines)))'
	@echo '                all tests: $(whole-machines)'
	@echo '  BASE_ONLY=1   image, test, run, vm, guest: the base without the series'
	@echo '  VARIANT=...   image, test, run, vm: series/configs/VARIANT.config over FLAVOR, one of:'
	@echo '                $(variants); but modules: test, vm, on x86'
	@echo '  BASE=$(default-base)     the kernel that the series is composed onto, one of: $(bases)'
	@echo '  FURTHER=$(FURTHER)   test: a part of it on these bases too; none: FURTHER='
	@echo '  KERNEL=/path  compose onto this Linux tree, which stays as it is; BASE is what it is'
	@echo '  TESTS="a b"   test, test-stock: only these selftests'
	@echo '  COUNT=20      test, test-stock: each selftest so many times'
	@echo '  LIMIT=900     seconds that DEMO and each selftest of the series may take'
	@echo '  SEED=1        soak: the first seed of random calls, otherwise the time of day'
	@echo '  DEMO=$(DEMO)'
	@echo '                run, vm: of tools/kvm, one of: $(demos)'
	@echo '  ARGS=...      run: its arguments; try --help'
	@echo '  RELEASE=...   modules, test-modules: the kernel, as uname -r prints it'
	@echo '  PREBUILT=/path  and a folder that its linux-image and linux-headers are unpacked in'
	@echo '  SET=fixes     series: a set of the series/patches/N-set, which applies without later ones'
	@echo '  REROLL=2      series: version 2; the cover letter must say "Changes since v1"'
	@echo '  RFC=1         series: a request for comments'
	@echo '  SIGNOFF="Name <mail>"  series: the sender, who signs it off'

base:
	@$(lab)/unpack-base $(B)/base $(own)

accept: base
	@series/scripts/compose --accept --rules $(BASE) $(src-base) $(src-series) >&2

tree: base
	@series/scripts/compose --rules $(BASE) $(src-base) $(src-series) >&2

# What the kernel's code in the tree is known by, whatever its pages and tests are.
code = $$(git -C $(src-series) rev-parse HEAD:arch HEAD:include HEAD:virt | git hash-object --stdin)

# $(call build,FLAVOR,KIND)
build	= $(call step,$(kernel)-config) 'configuring $(kernel)' \
		$(lab)/configure $(src-$(2)) $(call obj,$(1),$(2)) \
		$(abspath $(lab)/$(ARCH).config $(lab)/$(1).config \
			$(wildcard $(lab)/$(ARCH).$(1).config) $(fragments) \
			$(VARIANT:%=series/configs/%.config)) && \
	  $(call step,$(kernel)) 'building $(kernel)' \
		$(lab)/kmake $(src-$(2)) $(call obj,$(1),$(2)) -j$(JOBS) $(kernel-target) \
			$(if $(modules),modules)

# kernel-FLAVOR-KIND
kernel-%-base: base
	@$(call build,$*,base)

kernel-%-series: tree
	@$(call build,$*,series)

# The options of the KUnit suites stand where kunit.py looks for them.
suites	:= $(wildcard $(kvm-dir)/.kunitconfig)
kernel-test-series kernel-lean-series: fragments = $(suites)

image: kernel-$(FLAVOR)-$(kind)
	@echo $(abspath $(call image,$(FLAVOR),$(kind)))

# Programs of the laboratory's own, to run in the machine.
compile = mkdir -p $(@D) && \
	  $(CROSS_COMPILE)gcc -static -O2 -Wall -Wextra -I$(B)/base/tools/include \
		-I$(B)/base/tools/testing/selftests -o $@ $<

$(parts)/init $(parts)/kmemleak: $(parts)/%: $(lab)/%.c | base
	@$(compile)

# What user space may include: the tree's own, not those of the build machine.
headers: tree
	@$(call step,$(ARCH)-headers) 'making headers' $(lab)/kmake $(B)/tree $(headers) headers

selftests: headers
	@mkdir -p $(parts)
	@$(lab)/list-tests $(selftests-dir) $(lab)/$(ARCH).tests > $(parts)/selftests
	@$(call step,$(ARCH)-selftests) 'building selftests' \
		$(lab)/selftests $(B)/tree $(headers)/usr/include $(tests) $(parts)/selftests

$(call tool,$(sort $(demos) kvm_vcpu_time $(foreach name,$(machines) $(further-machines),$(demos-$(name))))): headers
	@$(call step,$(ARCH)-demo) 'building $(@F)' \
		env -u MAKEFLAGS make -C tools/kvm OUTPUT=$(abspath $(demos-out)) STATIC=1 WERROR=1 \
		CC=$(CROSS_COMPILE)gcc KHDR_INCLUDES='-isystem $(abspath $(headers))/usr/include' $(@F)

$(parts)/busybox:
	@$(call step,$(ARCH)-busybox) 'getting a shell for $(ARCH)' $(lab)/busybox $(ARCH) $@

# $(call boot,NAME,MACHINE,FLAVOR,KIND) OPTION... PROGRAM... boots the one that runs the
# lines of $(parts)/NAME.
boot-kernel = $(lab)/boot --objects $(call obj,$(1),$(2)) --image $(kernel-image) --init $(parts)/init
boot	= $(call boot-kernel,$(3),$(4)) --commands $(parts)/$(1) --results $(results)/$(1) $(ARCH) $(2)

# The FLAVOR that tests run on, by machine.
flavor-of = $(or $(given-flavor),$(flavor-$(1)),test)

# $(call test-lines,NAME) are those of a machine for the tests that list-tests wrote
# to $(parts)/NAME.tests.
test-lines = awk -v count=$(COUNT) '{ for (i = 1; i <= count; i++) \
		print $$1, $$2 (count > 1 ? "/" i : ""), "/bin/" $$2 }' $(parts)/$(1).tests

# $(call boot-tests,NAME,MACHINE,KIND,table of the base's tests,options of "boot")
boot-tests = $(lab)/list-tests $(selftests-dir) $(4) $(call tests-of,$(2)) > $(parts)/$(1).tests && \
	  { $(call test-lines,$(1)); \
	    $(foreach name,$(call demos-of,$(2)),echo "$(LIMIT) $(name) /bin/$(name) $(args-$(name))";) \
	    echo "$(leak-check)"; } | $(lab)/modules $(notdir $(modules)) > $(parts)/$(1) && \
	  if [ -s $(parts)/$(1).tests ]; then \
		$(call boot,$(1),$(2),$(call flavor-of,$(2)),$(3)) $(run-$(2)) $(5) \
			$(call built-tests,$(1).tests) $(call demo-files,$(call demos-of,$(2))) \
			$(parts)/kmemleak $(call ko,$(call flavor-of,$(2)),$(3)) $(loader); \
	  else echo "== $(ARCH): none of the tests is for $(2)"; fi

# Does it run all tests?
whole-machine = $(filter $(default) $(whole-machines),$(1))

# A pattern, and names that it is not to match.
tests-of = $(if $(tests-$(1)),'$(tests-$(1))',$(if $(whole-machine),'*', \
		'$(machine-tests)' $(if $(TESTS),,$(without-$(1)))) \
		$(foreach machine,$(machines),$(tests-$(machine))))

demos-of = $(if $(TESTS),,$(demos-$(1)))
demo-files = $(call tool,$(1) $(foreach name,$(1),$(needs-$(name))))

default	:= $(firstword $(MACHINE))
# After the tests: what memory have they made KVM lose?
leak-check := 600 kmemleak /bin/kmemleak
built-tests = $$(awk '{ print "$(tests)/" $$3 }' $(parts)/$(1))
totals	= $(lab)/totals.py $(src-base)/tools/testing/kunit
# $(call skipped,NAME,FILE) is a report of what was not tested; the last line of FILE says why.
skipped	= printf 'KTAP version 1\n1..1\nok 1 - %s \043 SKIP %s\n' '$(1)' "$$(tail -n 1 $(2))"

test-ready := $(addprefix ready-for-,$(MACHINE))
test-on	 := $(addprefix test-on-,$(MACHINE))
stock-on := $(addprefix stock-on-,$(MACHINE))
.PHONY: test-ready $(test-ready) $(test-on) $(stock-on)
test-ready: $(test-ready)

# KUnit runs where all tests do. There is none in the base.
kunit-on = $(if $(whole-machine),$$(grep -q '^CONFIG_KVM_VCPU_TIME_KUNIT_TEST=y' \
		$(call obj,$(call flavor-of,$(1)),$(kind))/.config && echo must || echo may),off)

# Which kernel and demos a machine takes.
$(foreach machine,$(MACHINE),$(eval ready-for-$(machine): \
	kernel-$(call flavor-of,$(machine))-$(kind) $(call demo-files,$(call demos-of,$(machine)))))
$(foreach machine,$(MACHINE),$(eval stock-on-$(machine): \
	kernel-$(call flavor-of,$(machine))-base $(call demo-files,$(call demos-of,$(machine)))))

$(test-ready): selftests $(parts)/init $(parts)/kmemleak $(loader)

# READY=1: all that the machines take is there.
$(test-on): test-on-%: $(if $(filter 1,$(READY)),,ready-for-%)
	@$(call boot-tests,test-$*,$*,$(kind),$(lab)/$(ARCH).tests,--panic splat --kunit $(call kunit-on,$*))

# What splats here goes on, and the splat is listed.
$(stock-on): stock-on-%: selftests $(parts)/init $(parts)/kmemleak
	@$(call boot-tests,stock-$*,$*,base,/dev/null)

# What has a row on these pages has been seen when all tests ran on all machines.
errno-pages := devices/vcpu.rst x86/xen-runstate.rst
whole	:= $(if $(TESTS)$(VARIANT)$(filter-out $(MACHINE),$(machines))$(filter base,$(kind)),,yes)

test-boots: $(test-on)
	@$(if $(whole),$(lab)/errnos.py $(addprefix --page Documentation/virt/kvm/,$(errno-pages)) \
		$(addprefix --lacking ,$(wildcard series/bases/$(BASE)/lacks)) \
		$(kernel-arch) $(MACHINE:%=$(results)/test-%.ktap) > $(results)/test-errnos.ktap)

# With the headers of this machine.
test-tools: base
	@mkdir -p $(results)
	@$(lab)/step $(results)/$@.ktap 'testing the programs of tools/kvm' \
		env -u MAKEFLAGS make -s -C tools/kvm check OUTPUT=$(abspath $(B)/tools) WERROR=1 \
		CC=$(HOSTCC) || :
	@$(if $(filter $@,$(MAKECMDGOALS)),$(totals) $(results)/$@.ktap)

test-boots: $(if $(whole),$(if $(filter x86_64,$(ARCH)),test-tools))

reports = $(B)/results/$(1)$(variant)/$(2)-*.ktap

# Where no program may be skipped as a whole: the complete-machines of each architecture,
# unless their kernel lacks what a program needs.
complete-machines-of = $(shell sed -n 's/^complete-machines[[:space:]]*:= //p' $(lab)/$(1).mk)
complete = $(if $(filter no-%,$(VARIANT))$(filter plain kcsan,$(given-flavor)),,\
	$(patsubst %,--complete $(B)/results/$(1)$(variant)/test-%.ktap,$(complete-machines-of)))

test:
	@rm -f $(foreach arch,$(or $(every),$(ARCH)),$(call reports,$(arch),test)) $(patches-report) $(compose-report)
	@$(MAKE) --no-print-directory $(if $(every),-j2 -f $(lab)/everything.mk FURTHER='$(further)',test-boots)
	@$(totals) $(if $(filter no-%,$(VARIANT)),,--subjects) \
		$(foreach arch,$(or $(every),$(ARCH)),$(call complete,$(arch))) \
		$(if $(every),$(patches-report) $(compose-report)) \
		$(foreach arch,$(or $(every),$(ARCH)),$(call reports,$(arch),test)) \
		$(foreach base,$(further),$(call further-reports,build/$(base)))

# A base beside the default one: modules of x86 on a kernel of Debian's. What an archive
# has no more is skipped; all else is "make test BASE=".
further-reports = $(1)/results/x86_64/test-modules*.ktap

test-further:
	@mkdir -p $(B)/log $(results)
	@rm -f $(call further-reports,$(B))
	@$(lab)/further-base $(src-base) $(src-series) > $(B)/log/further; \
	case $$? in \
	0) $(MAKE) --no-print-directory boot-further ;; \
	4) $(call skipped,modules,$(B)/log/further) > $(modules-report).ktap ;; \
	*) exit 1 ;; \
	esac

boot-further: test-modules

test-stock:
	@rm -f $(call reports,$(ARCH),stock)
	@$(MAKE) --no-print-directory $(stock-on)
	@echo "These tests of the series fail on the base kernel:"
	@$(totals) --failures $(call reports,$(ARCH),stock)

$(vcpu-time-here): base
	@$(call step,tools) 'building $(@F) for this machine' \
		env -u MAKEFLAGS make -C tools/kvm OUTPUT=$(abspath $(B)/tools) WERROR=1 CC=$(HOSTCC) $(@F)

# kvm_vcpu_time records what runs in the machine, which has no gnuplot; summed up here. Not
# where instructions are dear.
recorded := $(if $(filter $(further-machines),$(default)),,yes)
recording := $(results)/run.rec
plot	:= $(results)/run.svg
record	:= /bin/kvm_vcpu_time record --interval 0.05 --output /dev/hvc1

# Some programs have no vCPU for long enough to be seen.
show-recording = if grep -qs '^[0-9]' $(recording); then \
		echo && $(vcpu-time-here) report $(recording) && \
		$(vcpu-time-here) plot --output $(plot) $(recording) && echo $(abspath $(plot)); fi

run: kernel-plain-$(kind) $(demo) $(if $(recorded),$(vcpu-time) $(vcpu-time-here)) $(parts)/init
	@rm -f $(recording) $(plot)
	@echo '$(LIMIT) $(DEMO) $(if $(recorded),$(record) )/bin/$(DEMO) $(ARGS)' > $(parts)/$@
	@$(call boot,$@,$(default),plain,$(kind)) --mode show $(if $(recorded),--data $(recording) $(vcpu-time)) \
		$(demo)$(if $(recorded),; status=$$?; $(show-recording) && exit $$status)

vm: kernel-$(FLAVOR)-$(kind) selftests $(demo) $(vcpu-time) $(parts)/busybox $(parts)/init
	@: > $(parts)/$@
	@$(call boot,$@,$(default),$(FLAVOR),$(kind)) --mode shell $(call built-tests,selftests) \
		$(demo) $(vcpu-time) $(call ko,$(FLAVOR),$(kind)) $(parts)/busybox

kunit: tree
	@env -u MAKEFLAGS -u MAKELEVEL -u KERNEL_ARCH $(B)/tree/tools/testing/kunit/kunit.py run \
		--arch=$(ARCH) --kunitconfig=$(CURDIR)/$(kvm-dir)/.kunitconfig \
		--build_dir=$(CURDIR)/$(call obj,kunit,series) --jobs=$(JOBS) \
		$(if $(CROSS_COMPILE),--cross_compile=$(CROSS_COMPILE)) \
		--make_options=LOCALVERSION= \
		$(if $(shell command -v ccache),--make_options='CC=ccache $(CROSS_COMPILE)gcc')

htmldocs: tree
	@$(call step,htmldocs) 'building the pages on KVM' $(lab)/htmldocs $(B)/tree $(B)/htmldocs
	@echo $(abspath $(B)/htmldocs/Documentation/output/virt/kvm/index.html)

include $(lab)/bench/bench.mk
include $(lab)/soak/soak.mk
include $(lab)/reader/reader.mk
include $(lab)/mutants/mutants.mk
include $(lab)/guest/guest.mk
include series/series.mk
include series/modules/modules.mk
include $(lab)/prebuilt/prebuilt.mk

apart	:= $(patsubst %/base,%,$(wildcard build/*/base))

clean:
	rm -rf $(filter-out build/base build/ccache build/packages $(apart),$(wildcard build/*)) \
		$(filter-out %/base,$(wildcard $(addsuffix /*,$(apart))))

distclean:
	rm -rf build
