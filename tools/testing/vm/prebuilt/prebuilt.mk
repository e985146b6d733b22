# SPDX-License-Identifier: GPL-2.0
# Machines with kernels as Debian built them, and KVM's modules of the series. x86 only:
# elsewhere KVM is built in.

prebuilt := $(lab)/prebuilt
prebuilt-objects = $(parts)/$(release)
.PHONY: test-modules boot-kernels boot-stock boot-prebuilt refuse-prebuilt

$(parts)/%/usr/gen_init_cpio: | base
	@mkdir -p $(@D)
	@$(HOSTCC) -O2 -o $@ $(src-base)/usr/gen_init_cpio.c

$(parts)/signal_exits_test: $(prebuilt)/signal_exits_test.c | base
	@$(compile)

# $(call boot-release,NAME,PANIC) PROGRAM... boots the kernel that PREBUILT and RELEASE name,
# to run the lines of $(parts)/NAME.
boot-release = $(prebuilt)/root $(prebuilt-objects)/root $(PREBUILT) $(release) && \
	  $(lab)/boot --objects $(prebuilt-objects) --image $(abspath $(PREBUILT)/boot/vmlinuz-$(release)) \
		--init $(parts)/init --commands $(parts)/$(1) --results $(results)/$(1) --panic $(2) \
		$(ARCH) $(firstword $(machines)) $(prebuilt-objects)/root $(prebuilt)/package_test

# $(call package-lines,PACKAGE,STAGE...) are those of a machine for stages of package_test.
package-lines = $(foreach stage,$(2),echo '300 package_$(stage) /bin/package_test $(stage) /bin/$(notdir $(1))';)

# The kernel's own modules, the package, the selftests on its modules, the kernel's own again.
boot-prebuilt: modules-package selftests $(parts)/init $(prebuilt-objects)/usr/gen_init_cpio $(parts)/signal_exits_test
	@$(lab)/list-tests $(selftests-dir) $(lab)/$(ARCH).tests > $(parts)/test-modules.tests
	@{ $(call package-lines,$(modules-deb),stock install) \
		echo '60 signal_exits_test /bin/signal_exits_test'; $(call test-lines,test-modules); \
		$(call package-lines,$(modules-deb),remove) } > $(parts)/test-modules
	@$(call boot-release,test-modules,splat) $(modules-deb) $(parts)/signal_exits_test \
		$(call built-tests,test-modules.tests)

# The package for another kernel, BUILT_FOR.
refuse-prebuilt: package = $(call modules-deb-of,$(BUILT_FOR))
refuse-prebuilt: $(parts)/init $(prebuilt-objects)/usr/gen_init_cpio
	@{ $(call package-lines,$(package),refuse) } > $(parts)/test-modules-refuse
	@$(call boot-release,test-modules-refuse,splat) $(package)

# The selftests on the kernel's own modules. Tests of its base need not be repeated.
boot-stock: selftests $(parts)/init $(prebuilt-objects)/usr/gen_init_cpio
	@$(lab)/list-tests $(selftests-dir) /dev/null > $(parts)/stock-modules.tests
	@{ echo '60 load-kvm_amd /bin/modprobe kvm_amd'; $(call test-lines,stock-modules); } > $(parts)/stock-modules
	@$(call boot-release,stock-modules,never) $(call built-tests,stock-modules.tests)

# On PREBUILT, or on kernels of Debian's. What the archive has no more is skipped. With
# BASE_ONLY=1, the tests that fail on the kernel's own modules.
modules-report = $(results)/$(if $(filter base,$(kind)),stock,test)-modules
test-modules: base
	@mkdir -p $(parts) $(results)
	@rm -f $(modules-report)*
	@$(if $(PREBUILT),echo $(release) $(PREBUILT),$(prebuilt)/fetch $(B)/prebuilt \
		$$(env -u MAKEFLAGS make -s -C $(src-base) kernelversion) $(BASE_SUITE)) > $(parts)/prebuilt; \
	case $$? in \
	0) $(MAKE) --no-print-directory boot-kernels ;; \
	4) $(call skipped,modules,$(parts)/prebuilt) > $(modules-report).ktap ;; \
	*) exit 1 ;; \
	esac
	@$(if $(filter $@,$(MAKECMDGOALS)),$(totals) $(if $(filter base,$(kind)),--failures) $(modules-report)*.ktap)

# Each line has a release and its folder: the kernel of the package, and one that it is not for.
boot-kernels:
	@exec 3< $(parts)/prebuilt && read -r release folder <&3 && \
	$(MAKE) --no-print-directory $(if $(filter base,$(kind)),boot-stock,boot-prebuilt) \
		RELEASE=$$release PREBUILT=$$folder && \
	if read -r other folder <&3 $(if $(filter base,$(kind)),&& false); then \
		$(MAKE) --no-print-directory refuse-prebuilt RELEASE=$$other PREBUILT=$$folder BUILT_FOR=$$release; \
	fi
