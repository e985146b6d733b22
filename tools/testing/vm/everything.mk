# SPDX-License-Identifier: GPL-2.0
# "make test" without ARCH and the like: all that it does, two jobs at a time. Machines run
# one after the other, as tests of the base assume that little time passes. Beside them,
# kernels are built and patches checked, also one after the other, and yield to them.

arches	:= x86_64 arm64
front	:= --no-print-directory -f Makefile
.PHONY: all checks $(arches:%=ready-%) $(arches:%=boots-%) $(FURTHER:%=further-%)

all: $(arches:%=boots-%) checks $(FURTHER:%=further-%)

$(arches:%=ready-%): ready-%:
	@nice $(MAKE) $(front) ARCH=$* test-ready

$(arches:%=boots-%): boots-%: ready-%
	@$(MAKE) $(front) ARCH=$* READY=1 test-boots

ready-arm64: ready-x86_64
boots-arm64: boots-x86_64

checks: ready-arm64
	@nice $(MAKE) $(front) check-patches check-compose
	@nice $(MAKE) $(front) ARCH=x86_64 check-sparse
	@nice $(MAKE) $(front) ARCH=arm64 check-sparse

$(FURTHER:%=further-%): further-%: checks
	@nice $(MAKE) $(front) BASE=$* test-further
