# SPDX-License-Identifier: GPL-2.0
# Machines with kernels as Debian built them, and KVM's modules of the series. x86 only:
# elsewhere KVM is built in.

prebuilt := $(lab)/prebuilt
prebuilt-objects = $(parts)/$(release)
.PHONY: test-modules boot-prebuilt refuse-prebuilt

$(parts)/%/usr/gen_init_cpio: | base
	@mkdir -p $(@D)
	@$(HOSTCC) -O2 -o $@ $(src-base)/usr/gen_init_cpio.c

$(parts)/signal_exits_test: $(prebuilt)/signal_exits_test.c | base
	@$(compile)

# $(call boot-release,NAME) PROGRAM... boots the kernel that PREBUILT and RELEASE name, to
# run the lines of $(parts)/NAME.
boot-release = $(prebuilt)/root $(prebuilt-objects)/root $(PREBUILT) $(release) && \
	  $(lab)/boot --objects $(prebuilt-objects) --image $(abspath $(PREBUILT)/boot/vmlinuz-$(release)) \
		--init $(parts)/init --commands $(parts)/$(1) --results $(results)/$(1) --panic splat \
		$(ARCH) $(firstword $(machines)) $(prebuilt-objects)/root $(prebuilt)/package_test

# $(call package-lines,PACKAGE,STAGE...) are those of a machine for stages of package_test.
package-lines = $(foreach stage,$(2),echo '300 package_$(stage) /bin/package_test $(stage) /bin/$(notdir $(1))';)

# The kernel's own modules, the package, the selftests on its modules, the kernel's own again.
boot-prebuilt: modules-package selftests $(parts)/init $(prebuilt-objects)/usr/gen_init_cpio $(parts)/signal_exits_test
	@$(lab)/list-tests $(selftests-dir) $(lab)/$(ARCH).tests > $(parts)/test-modules.tests
	@{ $(call package-lines,$(modules-deb),stock install) \
		echo '60 signal_exits_test /bin/signal_exits_test'; $(call test-lines,test-modules); \
		$(call package-lines,$(modules-deb),remove) } > $(parts)/test-modules
	@$(call boot-release,test-modules) $(modules-deb) $(parts)/signal_exits_test \
		$(call built-tests,test-modules.tests)

# The package for another kernel, BUILT_FOR.
refuse-prebuilt: package = $(call modules-deb-of,$(BUILT_FOR))
refuse-prebuilt: $(parts)/init $(prebuilt-objects)/usr/gen_init_cpio
	@{ $(call package-lines,$(package),refuse) } > $(parts)/test-modules-refuse
	@$(call boot-release,test-modules-refuse) $(package)

# On PREBUILT, or on kernels of Debian's. What the archive has no more is skipped.
test-modules: base
	@mkdir -p $(parts) $(results)
	@rm -f $(results)/test-modules*
	@$(if $(PREBUILT),echo $(release) $(PREBUILT),$(prebuilt)/fetch $(B)/prebuilt \
		$$(env -u MAKEFLAGS make -s -C $(src-base) kernelversion) $(BASE_SUITE)) > $(parts)/prebuilt || [ $$? -eq 4 ]
	@if read -r release folder <&3; then \
		$(MAKE) --no-print-directory boot-prebuilt RELEASE=$$release PREBUILT=$$folder && \
		if read -r other folder <&3; then \
			$(MAKE) --no-print-directory refuse-prebuilt RELEASE=$$other PREBUILT=$$folder \
				BUILT_FOR=$$release; \
		fi \
	else \
		printf '%s\n' 'KTAP version 1' 1..1 'ok 1 - modules # SKIP apt offers no kernel of this version' \
			> $(results)/test-modules.ktap; \
	fi 3< $(parts)/prebuilt
	@$(if $(filter $@,$(MAKECMDGOALS)),$(totals) $(results)/test-modules*.ktap)
