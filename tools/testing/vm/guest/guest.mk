# SPDX-License-Identifier: GPL-2.0
# "make guest": a Linux guest under a real VMM, on the kernel of BASE_ONLY=1 or of the
# series. What steal the guest shows is compared with what its vCPUs have waited.

guest	:= $(lab)/guest
guest-parts := $(B)/guest/$(ARCH)
guest-name := $(if $(filter base,$(kind)),stock,test)-guest
guest-limit := 600
.PHONY: guest guest-boot

# Debian's QEMU for ARCH, with all that it loads, and a kernel for the guest if it does
# not boot the host's. Not of the base, so for all of them.
guest-packages := build/packages/$(ARCH)
guest-fetched := $(guest-packages)/$(guest-qemu)/.complete $(if $(guest-kernel),$(guest-packages)/$(guest-kernel)/.complete)

$(guest-packages)/$(guest-qemu)/.complete:
	@$(call step,$(ARCH)-guest-qemu) 'getting QEMU for $(ARCH)' $(lab)/fetch-package --arch $(ARCH) --depends \
		'$(guest-suite)' $(guest-packages) $(guest-qemu)

$(guest-packages)/$(guest-kernel)/.complete:
	@$(call step,$(ARCH)-guest-kernel) 'getting a kernel for $(ARCH)' $(lab)/fetch-package --arch $(ARCH) --depends \
		'' $(guest-packages) $(guest-kernel)

$(parts)/vmm $(parts)/agent: $(parts)/%: $(guest)/%.c | base
	@$(compile)

# The guest has its own kernel and a small initrd as files, for kexec.
guest-image = $(if $(guest-kernel),$$(echo $(guest-packages)/$(guest-kernel)/boot/vmlinuz-*),$(call image,plain,$(kind)))
guest-run = $(call boot,$(guest-name),guest,plain,$(kind)) --kunit off $(parts)/vmm $(parts)/busybox \
	$(guests:%=$(guest)/$(ARCH).%) $(guest-parts)/guest.files
guest-boot: kernel-plain-$(kind) $(parts)/init $(parts)/vmm $(parts)/agent $(parts)/busybox $(guest-fetched)
	@mkdir -p $(guest-parts)
	@$(guest)/pack $(call obj,plain,$(kind))/usr/gen_init_cpio $(guest-parts) $(guest-image) \
		$(parts)/agent > $(guest-parts)/guest.files
	@$(guest)/needed $(CROSS_COMPILE)readelf $(guest-packages)/$(guest-qemu) $(guest-files) >> $(guest-parts)/guest.files
	@printf '$(guest-limit) guest-%s /bin/vmm /bin/$(ARCH).%s %s\n' \
		$(foreach name,$(guests),$(name) $(name) '$(guest-steps-$(name))') > $(parts)/$(guest-name)
	@$(guest-run)
	@$(if $(guest-retry),if grep -qE '$(guest-retry)' $(results)/$(guest-name).ktap; then \
		echo '   once more: that may be the fault of the QEMU that is the machine'; \
		$(guest-run); fi)

# When both kernels have run: it stands in the README.
guest-reports := $(foreach name,stock test,$(results)/$(name)-guest.ktap)
guest-picture = [ ! -e $(firstword $(guest-reports)) ] || [ ! -e $(lastword $(guest-reports)) ] || { \
	$(guest)/curves < $(firstword $(guest-reports)) > $(guest-parts)/base.curves && \
	$(guest)/curves < $(lastword $(guest-reports)) > $(guest-parts)/series.curves && \
	gnuplot -e "base='$(guest-parts)/base.curves'; series='$(guest-parts)/series.curves'; \
		out='$(results)/guest.svg'" $(guest)/steal.gp && echo $(results)/guest.svg; }

guest: guest-boot
	@$(guest-picture)
	@$(guest)/table $(guest-reports)
	@$(totals) $(results)/$(guest-name).ktap$(if $(filter base,$(kind)), || :)
