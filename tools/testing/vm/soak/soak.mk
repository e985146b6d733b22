# SPDX-License-Identifier: GPL-2.0
# "make soak": what races, all at once and over and over, for MINUTES.

MINUTES	?= 60
SEED	?= $(shell date +%s)

soak	:= $(lab)/soak
soak-on	:= soak-$(default)
soak-seconds := $(shell expr $(MINUTES) \* 60)

# How long one round of a test may take when all run, in seconds.
round-limit := 1200

# With more CPUs than tests need, for more to go on at once. A splat makes the kernel panic.
# But data races of the base are not counted: with these the run
# goes on, and is judged when it is over.
soak-splats-plain := --panic splat
soak-splats-test  := --panic splat
soak-splats-kcsan := --ours '$(filter %.c %.h,$(shell cat series/patches/*/*/files))' \
	--decode '$(src-$(kind))/scripts/decode_stacktrace.sh \
		$(call obj,kcsan,$(kind))/vmlinux $(abspath $(src-$(kind)))'

$(parts)/soak: $(soak)/soak.c | base
	@$(compile)

.PHONY: soak
soak: kernel-$(FLAVOR)-$(kind) selftests $(parts)/init $(parts)/soak
	@rm -f $(call reports,$(ARCH),soak)
	@sed '/^#/d; s|^|/bin/|' $(soak)/$(ARCH).list > $(parts)/soak.list
	@TESTS="$$(sed 's|/bin/||; s| .*||' $(parts)/soak.list)" \
		$(lab)/list-tests $(selftests-dir) $(lab)/$(ARCH).tests > $(parts)/$(soak-on).tests
	@echo $$(($(soak-seconds) + $(round-limit))) soak \
		/bin/soak $(soak-seconds) $(SEED) $(round-limit) /bin/soak.list > $(parts)/$(soak-on)
	@$(call boot,$(soak-on),$(default),$(FLAVOR),$(kind)) $(soak-splats-$(FLAVOR)) --kunit off \
		--set cpus=4 $(parts)/soak $(parts)/soak.list $(call built-tests,$(soak-on).tests)
	@sed -n 's/^    \(not \)\{0,1\}ok [0-9]* - \(.*\) # \(.*\)/   \2: \3/p' $(results)/$(soak-on).ktap
	@$(totals) $(call reports,$(ARCH),soak)
