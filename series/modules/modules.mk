# SPDX-License-Identifier: GPL-2.0
# KVM's modules of the series for a kernel that is there already: as it is installed,
# or as PREBUILT, a folder that its linux-image and linux-headers are unpacked in.
# RELEASE is what uname -r prints there.

release	= $(or $(RELEASE),$(shell uname -r))
modules-obj = $(B)/obj/$(ARCH)-modules-$(release)
# $(call modules-deb-of,RELEASE)
modules-deb-of = $(B)/modules/kvm-vcpu-time-$(1)_$(modules-version)_amd64.deb
modules-deb = $(call modules-deb-of,$(release))
# The day and minute of the last change to the series.
modules-version = 1.$(shell TZ=UTC git log -1 --date=format-local:%Y%m%d.%H%M --format=%cd)
.PHONY: modules modules-package

modules-package: tree
	$(if $(filter x86_64,$(ARCH)),,$(error modules: for x86 only; elsewhere KVM is built in))
	@$(call step,modules-$(release)) 'building modules for $(release)' \
		env JOBS=$(JOBS) BASE=$(BASE) BASE_PACKAGE=$(BASE_PACKAGE) series/modules/build $(src-series) \
			$(modules-obj) $(PREBUILT)/usr/src/linux-headers-$(release) $(release)
	@series/modules/package $(modules-obj) $(release) $(modules-version) $(modules-deb)

modules: modules-package
	@if [ -s $(modules-obj)/otherwise ]; then \
		echo 'These options of $(release) came out otherwise, as the tools here differ:'; \
		sed 's/^/    /' $(modules-obj)/otherwise; \
	fi
	@echo 'To use them, without a reboot and while no VM runs:'
	@echo '    sudo apt-get install ./$(modules-deb)'
	@echo '    sudo modprobe -r kvm_intel kvm_amd && sudo modprobe kvm_intel    # or kvm_amd'
	@echo "To have the kernel's own back:"
	@echo '    sudo apt-get remove kvm-vcpu-time-$(release), and the same modprobe'
