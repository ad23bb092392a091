# iscsi-agentx: GNU make, no configure step. `make help` lists the targets.
# SPDX-License-Identifier: BSD-2-Clause

VERSION := 0.1.0
CC      ?= gcc
B       := build
PREFIX  ?= /usr/local

PRIVATE_OID ?= 1.3.6.1.4.1.8072.9999.9999.7147

Q := $(if $(V),,@)

WARN := -Wall -Wextra -Wformat=2 -Wshadow -Wcast-qual -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wvla -Wwrite-strings -Wundef -Werror
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
	-D_FORTIFY_SOURCE=2 -fPIE
CPPFLAGS_ALL := -D_GNU_SOURCE -Isrc -Iagent -I. -DISCSI_AGENTX_VERSION='"$(VERSION)"' $(CPPFLAGS)
CFLAGS  ?= -O2 -g
CFLAGS_ALL := -std=gnu11 $(WARN) $(HARDEN) $(CFLAGS)
LDFLAGS_ALL := -pie -Wl,-z,relro,-z,now,-z,noexecstack $(LDFLAGS)
SNMP_LIBS := -lnetsnmpmibs -lnetsnmpagent -lnetsnmp

# SAN=1 builds everything with AddressSanitizer and UndefinedBehaviorSanitizer below build/san.
ifdef SAN
B := build/san
CFLAGS_ALL := -std=gnu11 $(WARN) -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all
LDFLAGS_ALL := -fsanitize=address,undefined $(LDFLAGS)
endif

SRC_C   := $(wildcard src/*/*.c)
AGENT_C := $(wildcard agent/*.c)
# Files of agent/ that include no net-snmp header: linked into unit tests with libcore.a.
MIB_C   := $(filter agent/mib_% agent/iscsi_mib.c agent/path_mib.c agent/walk.c,$(AGENT_C))

CORE_O  := $(SRC_C:%.c=$B/%.o)
MIB_O   := $(MIB_C:%.c=$B/%.o)
AGENT_O := $(filter-out $(MIB_O),$(AGENT_C:%.c=$B/%.o))

UNIT_C  := $(wildcard tests/unit/test_*.c)
UNIT    := $(UNIT_C:tests/unit/%.c=$B/tests/%)
SUPPORT_O := $(patsubst %.c,$B/%.o,$(wildcard tests/support/*.c))

FUZZ_C  := $(wildcard tests/fuzz/fuzz_*.c)

.PHONY: all units clean
all: $B/iscsi-agentx

$B/iscsi-agentx: $(AGENT_O) $(MIB_O) $B/libcore.a
	@echo "LD    $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(SNMP_LIBS)

$B/libcore.a: $(CORE_O)
	@echo "AR    $@"
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcs $@ $^

$B/libmib.a: $(MIB_O)
	@echo "AR    $@"
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcs $@ $^

$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "CC    $<"
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# A test that defines __wrap_NAME is linked with --wrap=NAME: no list to maintain.
wraps = $(shell grep -oh '__wrap_[a-z0-9_]*' $1 | sort -u | sed 's/__wrap_/-Wl,--wrap=/')

$B/tests/%: tests/unit/%.c $(SUPPORT_O) $B/libmib.a $B/libcore.a
	@mkdir -p $(@D)
	@echo "TEST  $<"
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP $(LDFLAGS_ALL) $(call wraps,$<) \
		-o $@ $< $(SUPPORT_O) $B/libmib.a $B/libcore.a -lcmocka

units: $(UNIT)

clean:
	rm -rf build

-include $(shell find $B -name '*.d' 2>/dev/null)
