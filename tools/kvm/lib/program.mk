# SPDX-License-Identifier: GPL-2.0-only
#
# How a program of tools/kvm is made. Its Makefile sets "name" and "sources", and
# "sources-aarch64" and so on, if there are such, then includes this. Some of the
# sources may be in lib/.
#
# make [CC=...] [CFLAGS=...] [OUTPUT=dir] [KHDR_INCLUDES="-isystem .../usr/include"]

ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
endif

machine := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
sources += $(sources-$(machine))

lib := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
vpath %.c $(lib)

CFLAGS ?= -O2 -g
FLAGS := -std=gnu11 -Wall -Wextra -D_GNU_SOURCE -pthread -I. -I$(lib) $(KHDR_INCLUDES) $(CFLAGS)

out := $(if $(OUTPUT),$(OUTPUT:/=)/)
program := $(out)$(name)
objects := $(addprefix $(out),$(addsuffix .o,$(basename $(sources))))

all: $(program)

$(program): $(objects)
	$(CC) $(FLAGS) -static $(LDFLAGS) -o $@ $^

$(out)%.o: %.c
	$(CC) $(FLAGS) -MMD -c -o $@ $<

$(out)%.o: %.S
	$(CC) $(FLAGS) -MMD -c -o $@ $<

clean:
	rm -f $(program) $(objects) $(objects:.o=.d)

-include $(objects:.o=.d)

.PHONY: all clean
