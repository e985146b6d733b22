# SPDX-License-Identifier: GPL-2.0
# The series as others take it: mails, kernel packages, an archive of selftests.

$(call one-of,SET,$(foreach set,$(wildcard series/patches/*-*),$(lastword $(subst -, ,$(set)))))
# Those of a set have a folder of their own.
mails	:= $(B)/series$(SET:%=-%)
debs	:= $(B)/deb/$(ARCH)
kselftest := $(B)/kselftest/$(ARCH)
benches	:= $(wildcard $(addsuffix /bench.json,$(addprefix $(B)/results/,$(arches))))
export SIGNOFF
.PHONY: mails series index check-fixes check-patches check-compose check-sparse sparse check-builds check-series check-configs deb kselftest-tar

mails: tree
	@series/scripts/write-mails --rules $(BASE) $(src-base) $(src-series) $(mails) $(if $(SIGNOFF),--sender "$$SIGNOFF") \
		$(SET:%=--set %) $(REROLL:%=--reroll %) $(if $(filter 1,$(RFC)),--rfc) \
		$(if $(benches),--code "$(code)" --bench $(benches))

series: mails
	@ls $(mails)/*.patch

# The quick part of check-series, as a report that "test" counts in.
patches-report := $(B)/results/series/patches.ktap

check-patches: mails
	@$(call step,check-patches) 'checking the patches' \
		series/scripts/check-mails $(src-base) $(src-series) $(mails) $(patches-report) $(SET)

index:
	@series/scripts/index > series/README.md

# Compose and capture lose nothing.
compose-report := $(B)/results/series/compose.ktap

check-compose: base
	@$(call step,check-compose) 'checking compose and capture' \
		series/scripts/test-compose $(src-base) $(compose-report)

# What sparse says of lines that the base does not have. For one architecture.
check-sparse: kernel-test-series
	@JOBS=$(JOBS) series/scripts/check-sparse $(src-series) $(call obj,test,series) \
		$(B)/log/$(ARCH)-sparse.log $(results)/test-sparse.ktap

sparse:
	@for arch in $(or $(every),$(ARCH)); do \
		$(MAKE) --no-print-directory ARCH=$$arch check-sparse || exit; \
	done
	@$(totals) $(foreach arch,$(or $(every),$(ARCH)),$(B)/results/$(arch)/test-sparse.ktap)

# For one architecture.
check-builds: tree
	@JOBS=$(JOBS) series/scripts/check-builds $(ARCH) $(src-base) $(src-series) $(B)/check $(B)/log

check-series: check-patches
	@$(totals) $(patches-report)
	@for arch in $(or $(every),$(ARCH)); do \
		$(MAKE) --no-print-directory ARCH=$$arch check-builds || exit; \
	done

# Each fix by itself, for one architecture: PATCHES="02-name 04a-name" for some of them.
fixes-report = $(B)/results/$(ARCH)/fixes.ktap
export PATCHES

check-fixes: selftests $(parts)/init
	@JOBS=$(JOBS) series/scripts/check-fixes --base $(src-base) --tree $(src-series) \
		--work $(B)/check-fixes --log $(B)/log --report $(fixes-report) --arch $(ARCH) \
		--machine $(default) --tests $(tests)/$(selftests-dir) --init $(parts)/init \
		--target $(kernel-target) --image $(kernel-image)
	@$(totals) $(fixes-report)

configs-report := $(B)/results/series/configs.ktap

# A table beside the total; CONFIGS="name ..." for some of them.
check-configs: tree
	@JOBS=$(JOBS) series/scripts/check-configs $(src-base) $(src-series) $(B)/configs $(B)/log \
		$(configs-report) $(CONFIGS)
	@$(totals) $(configs-report)

# LOCALVERSION lets the packages stand beside Debian's own of the same version.
deb: tree
	@[ -f "$(CONFIG)" ] || { echo "deb: which configuration? CONFIG=/boot/config-$$(uname -r)," \
		"for example" >&2; exit 1; }
	@mkdir -p $(debs)/linux
	@cp $(CONFIG) $(debs)/linux/.config
	@rm -f $(debs)/*.deb
	@$(call step,$(ARCH)-deb) 'building packages' $(lab)/kmake $(src-series) $(debs)/linux \
		-j$(JOBS) LOCALVERSION=-kvm-vcpu-time olddefconfig bindeb-pkg
	@ls $(debs)/*.deb

# Static, as nothing is known of the other machine. Parts of KVM's Makefile expect
# the directory of its tools to be there.
kselftest-tar: headers
	@mkdir -p $(kselftest)/kselftest/kvm/tools
	@$(call step,$(ARCH)-kselftest) 'building the archive of selftests' \
		env -u MAKEFLAGS make -C $(src-series)/tools/testing/selftests -j$(JOBS) \
		ARCH=$(kernel-arch) CC=$(CROSS_COMPILE)gcc USERLDFLAGS=-static TARGETS=kvm FORCE_TARGETS=1 \
		O=$(abspath $(kselftest)) KHDR_INCLUDES='-isystem $(abspath $(headers))/usr/include' gen_tar
	@ls $(kselftest)/kselftest/kselftest_install/kselftest-packages/kselftest.tar.gz
