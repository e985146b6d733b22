# SPDX-License-Identifier: GPL-2.0
# "make mutants": which test notices which injected bug?

mutants	:= $(lab)/mutants
mutants-list	:= $(mutants)/$(ARCH).list
mutants-tree	:= $(B)/mutants/$(ARCH)
mutants-kernel	:= $(call kernel,test,mutants)
# Machines that mutants ask for, the default one first.
mutants-on	:= $(default) $(sort $(filter-out $(default),$(shell sed -n 's/^on //p' $(mutants-list))))

# What its results hold for.
mutants-state	= $$(git -C $(src-series) rev-parse HEAD:arch HEAD:include HEAD:virt HEAD:tools | \
		git hash-object --stdin)

.PHONY: mutants mutants-tree mutants-image $(mutants-on:%=mutants-tests-%)

mutants-tree: tree
	@mkdir -p $(mutants-tree)
	@$(call step,$(ARCH)-mutants-tree) 'planting mutants' \
		$(mutants)/plant.py $(mutants-list) $(src-series) $(mutants-tree)

# One kernel for all of them.
mutants-image: src-mutants = $(mutants-tree)
mutants-image: fragments = $(suites)
mutants-image: mutants-tree
	@$(call step,$(ARCH)-mutants-seed) 'seeding $(mutants-kernel)' $(mutants)/seed \
		$(src-series) $(call obj,test,series) $(mutants-tree) $(call obj,test,mutants)
	@$(call build,test,mutants)

# What it runs.
$(mutants-on:%=mutants-tests-%): mutants-tests-%: selftests mutants-image
	@$(lab)/list-tests $(selftests-dir) $(lab)/$(ARCH).tests \
		$(if $(filter $(default),$*),,'$(machine-tests)') > $(parts)/mutants-$*.tests
	@echo '120 kmemleak' >> $(parts)/mutants-$*.tests

$(parts)/with_mutant: $(mutants)/with_mutant.c | base
	@$(compile)

mutants: mutants-image selftests $(parts)/init $(parts)/kmemleak $(parts)/with_mutant \
		$(mutants-on:%=mutants-tests-%)
	@$(mutants)/hunt.py --list $(mutants-list) --state "$(mutants-state)" $(if $(KEEP),--keep) $(if $(QUICK),--quick) \
		$(if $(MUTANTS),--only '$(MUTANTS)') --jobs $(JOBS) --results $(results)/mutants \
		$(foreach on,$(mutants-on),--machine $(on) $(parts)/mutants-$(on).tests) \
		--boot '$(call boot-kernel,test,mutants)' --arch $(ARCH) --programs "$$(awk '{ print "$(tests)/" $$3 }' $(parts)/selftests) \
			$(parts)/kmemleak $(parts)/with_mutant"
