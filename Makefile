# iscsi-agentx: GNU make, no configure step. `make help` lists the targets.
# SPDX-License-Identifier: BSD-2-Clause

VERSION := 0.9.0
CC      ?= gcc
B       := build

PREFIX     ?= /usr/local
SBINDIR    ?= $(PREFIX)/sbin
MANDIR     ?= $(PREFIX)/share/man
DATADIR    ?= $(PREFIX)/share/iscsi-agentx
SYSCONFDIR ?= /etc
# Where systemd and bash look for files of packages; below PREFIX they look too.
UNITDIR     ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
# The monitoring plug-in, and where Nagios and Icinga look for definitions of commands.
PLUGINDIR   ?= $(PREFIX)/lib/nagios/plugins
NAGIOSDIR   ?= $(SYSCONFDIR)/nagios-plugins/config
# A directory of Nagios's user, where the mode errors keeps its counts.
NAGIOSSTATE ?= /var/lib/nagios4
ICINGADIR   ?= $(PREFIX)/share/icinga2/include

# The root of the private MIB: the agent, its modules and its templates follow it.
PRIVATE_OID ?= 1.3.6.1.4.1.8072.9999.9999.7147
comma := ,

Q := $(if $(V),,@)

# A distribution's compiler may know more warnings than ours: it builds with WERROR=.
WERROR ?= -Werror
WARN := -Wall -Wextra -Wformat=2 -Wshadow -Wcast-qual -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wvla -Wwrite-strings -Wundef $(WERROR)
HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE \
	$(if $(filter x86_64% i%86%,$(shell $(CC) -dumpmachine 2>/dev/null)),-fcf-protection=full) \
	$(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-D_FORTIFY_SOURCE=2)
# Inode numbers and sizes of files have 64 bits also where a long has 32. Only there: elsewhere this
# changes nothing but the names of functions, which tests replace. Not _TIME_BITS: a timeval goes to
# libnetsnmp, which is as its distribution has built it.
LARGE := $(if $(filter 4,$(shell echo __SIZEOF_LONG__ | $(CC) -E -P - 2>/dev/null)),-D_FILE_OFFSET_BITS=64)
CPPFLAGS_ALL := -D_GNU_SOURCE $(LARGE) -Isrc -Iagent -I. -DISCSI_AGENTX_VERSION='"$(VERSION)"' \
	-DISCSI_AGENTX_PRIVATE_OID=$(subst .,$(comma),$(PRIVATE_OID)) $(CPPFLAGS)
CFLAGS  ?= -O2 -g
CFLAGS_ALL := -std=gnu11 $(WARN) $(HARDEN) $(CFLAGS)
LDFLAGS_ALL := -pie -Wl,-z,relro,-z,now,-z,noexecstack $(LDFLAGS)
SNMP_LIBS := -lnetsnmpmibs -lnetsnmpagent -lnetsnmp
# dlopen of the source probe; glibc has it in libc since 2.34
CORE_LIBS := -ldl

# SAN=1 builds everything with AddressSanitizer and UndefinedBehaviorSanitizer below build/san.
ifdef SAN
B := build/san
CFLAGS_ALL := -std=gnu11 $(WARN) -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all
LDFLAGS_ALL := -fsanitize=address,undefined $(LDFLAGS)
endif

# FUZZING=1 builds the targets of tests/fuzz with clang's libFuzzer, below build/fuzzing.
ifdef FUZZING
B := build/fuzzing
CC := clang-14
CFLAGS_ALL := -std=gnu11 -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all \
	-fsanitize=fuzzer-no-link -fsanitize=address,undefined
LDFLAGS_ALL := -fsanitize=address,undefined $(LDFLAGS)
# What a target compares with is not what is looked for, and following it is a third of a run's cost.
$B/tests/support/%.o: CFLAGS_ALL := $(filter-out -fsanitize=fuzzer-no-link,$(CFLAGS_ALL))
endif

SRC_C   := $(wildcard src/*/*.c)
AGENT_C := $(wildcard agent/*.c)
# The files of agent/ that know nothing of net-snmp: unit tests link them.
PURE_C  := $(wildcard agent/mib_*.c agent/*_mib*.c) agent/config.c agent/control.c agent/agentx_wire.c \
	agent/agentx_answer.c agent/agentx_stream.c agent/state.c agent/snmp_access.c
PURE_C  += $(wildcard agent/agentx_write.c agent/agentx_queue.c agent/agentx_retry.c agent/agentx_uptime.c \
	agent/notify*.c)

# The monitoring plug-in: a program of its own, which runs where the monitor does.
PLUGIN_C := $(wildcard plugin/*.c)
# What of it knows nothing of net-snmp.
PLUGIN_PURE_C := $(patsubst %,plugin/%.c,range result sample sample_file pattern)

CORE_O  := $(SRC_C:%.c=$B/%.o)
PURE_O  := $(PURE_C:%.c=$B/%.o)
PLUGIN_O := $(PLUGIN_C:%.c=$B/%.o)
SNMP_O  := $(filter-out $(PURE_O),$(AGENT_C:%.c=$B/%.o))

UNIT      := $(patsubst tests/unit/%.c,$B/tests/%,$(wildcard tests/unit/test_*.c))
SUPPORT_O := $(patsubst %.c,$B/%.o,$(wildcard tests/support/*.c))
FUZZERS   := $(patsubst tests/fuzz/fuzz_%.c,build/fuzzing/fuzz/fuzz_%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAY    := $(patsubst tests/fuzz/fuzz_%.c,build/san/fuzz/replay_%,$(wildcard tests/fuzz/fuzz_*.c))
FAULT     := $(patsubst tests/fault/%.c,$B/tests/%,$(wildcard tests/fault/*.c))
FAULT_SO  := $(patsubst tests/fault/matrix/%.c,$B/tests/%.so,$(wildcard tests/fault/matrix/*.c))

.PHONY: all units faults benchmarks help
all: $B/iscsi-agentx $B/check_iscsi_snmp

help:
	@echo "make           build/iscsi-agentx"
	@echo "make demo      targets, sessions, snmpd and the agent on loopback; prints the tables (KEEP=1 leaves them up)"
	@echo "make check     install what is missing, build, run all tests that need no virtual machine"
	@echo "make check-fault  the fault matrix: what takes longer than make check does (FAULT_LONG=1: even longer)"
	@echo "make check-torture  one allocation, one system call of each process after the other fails (FAULT_LONG=1: all)"
	@echo "make check-vm  the same agent on a real kernel under QEMU"
	@echo "make check-package  deb and rpm: built, judged, installed, purged; the unit in a booted Debian (root)"
	@echo "make check-vm-all  and what takes long: 200 sessions (VM_KERNEL=6.12: another kernel)"
	@echo "make check-nms  the plug-in and the files of conf/ under real monitors: Nagios, Icinga, Zabbix, Prometheus (root)"
	@echo "make check-analyzer  gcc -fanalyzer over every file"
	@echo "make check-slow  long runs: valgrind over 100 polls, 1,000 sessions"
	@echo "make soak      churn, restarts and kills for two hours (SOAK=seconds), judged all the time (root)"
	@echo "make coverage  which lines and branches the tests execute; coverage-corpus: what the fuzz seeds do of the parsers"
	@echo "make bench     what the agent costs, as counts and ratios: docs/PERFORMANCE.md"
	@echo "make lint | format | golden | docs/COVERAGE.md | docs/RELIABILITY.md | conf/snmptt/iscsi-agentx.conf | conf/zabbix | conf/prometheus/snmp.yml | capabilities | fuzz FUZZ=name T=seconds | install | install-plugin | deb | rpm | clean"

$B/iscsi-agentx: $(SNMP_O) $(PURE_O) $B/libcore.a
	@echo "LD    $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(SNMP_LIBS) $(CORE_LIBS)

$B/check_iscsi_snmp: $(PLUGIN_O) $B/libcore.a
	@echo "LD    $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lnetsnmp

$B/libcore.a: $(CORE_O)
$B/libpure.a: $(PURE_O) $(PLUGIN_PURE_C:%.c=$B/%.o)
# An archive, so that a test takes only what it uses of it.
$B/libsupport.a: $(SUPPORT_O)
$B/lib%.a:
	@echo "AR    $@"
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcs $@ $^

$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "CC    $<"
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# The private OID is in the objects: another one makes them anew, or agent and modules would differ.
$B/oid-$(PRIVATE_OID):
	@mkdir -p $(@D)
	@rm -f $B/oid-*
	@touch $@
$(SNMP_O) $(PURE_O) $(PLUGIN_O): $B/oid-$(PRIVATE_OID)

# A test that defines __wrap_NAME is linked with --wrap=NAME: no list to maintain.
wraps = $(shell grep -oh '__wrap_[a-z0-9_]*' $1 | sort -u | sed 's/__wrap_/-Wl,--wrap=/')
# Tests that need net-snmp beside the program say so in a line of theirs: LINK: -lnetsnmp
links = $(shell sed -n 's/.*LINK: \(-l[a-z -]*\).*/\1/p' $1)

# Unit tests of what is not in libpure.a name it here.
$B/tests/test_snmp_value: $B/agent/snmp_value.o
$B/tests/test_agentx_report: $B/agent/agentx_report.o
$B/tests/test_sd_notify: $B/agent/sd_notify.o
$(patsubst %,$B/tests/test_plugin_%,modes doubt parts errors): \
	$(patsubst %,$B/plugin/%.o,mode mode_errors mode_paths mode_summary summary)

$B/tests/%: tests/unit/%.c $B/libsupport.a $B/libpure.a $B/libcore.a
	@mkdir -p $(@D)
	@echo "TEST  $<"
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP $(LDFLAGS_ALL) $(call wraps,$<) \
		-o $@ $< $(filter %.o,$^) $B/libsupport.a $B/libpure.a $B/libcore.a -lcmocka $(CORE_LIBS) \
		$(call links,$<)

# Programs that fault tests run: linked like the agent, with a main of their own.
$B/tests/%: tests/fault/%.c $(filter-out $B/agent/main.o,$(SNMP_O)) $B/libpure.a $B/libcore.a
	@mkdir -p $(@D)
	@echo "FAULT $<"
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP $(LDFLAGS_ALL) $(call wraps,$<) \
		-o $@ $< \
		$(filter-out $B/agent/main.o,$(SNMP_O)) $B/libpure.a $B/libcore.a $(SNMP_LIBS) $(CORE_LIBS)

# What fault tests load into a program before its libraries.
$B/tests/%.so: tests/fault/matrix/%.c
	@mkdir -p $(@D)
	@echo "FAULT $<"
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -fPIC -shared -o $@ $<

# The programs of the benchmark (tests/bench), linked with what their comments say.
BENCH := $(patsubst tests/bench/%.c,$B/bench/%,$(filter-out %/bench.c %_data.c,\
	$(wildcard tests/bench/*.c)))
BENCH_O := $B/tests/bench/bench.o $B/tests/bench/table_data.o
.SECONDARY: $(BENCH_O)
$B/bench/agent_alone: $(filter-out $B/agent/main.o,$(SNMP_O))
$B/bench/%: tests/bench/%.c $(BENCH_O) $B/libpure.a $B/libcore.a
	@mkdir -p $(@D)
	@echo "BENCH $<"
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP $(LDFLAGS_ALL) $(call wraps,$<) \
		-o $@ $(filter %.c %.o,$^) $B/libpure.a $B/libcore.a $(call links,$<) $(CORE_LIBS)

$B/fuzz/replay_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $B/libsupport.a $B/libpure.a $B/libcore.a
	@mkdir -p $(@D)
	@echo "FUZZ  $<"
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< tests/fuzz/replay.c \
		$B/libsupport.a $B/libpure.a $B/libcore.a $(CORE_LIBS) $(call links,$<)

$B/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $B/libsupport.a $B/libpure.a $B/libcore.a
	@mkdir -p $(@D)
	@echo "FUZZ  $<"
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $< \
		$B/libsupport.a $B/libpure.a $B/libcore.a $(CORE_LIBS) $(call links,$<)

$B/iscsi-demo-initiator: $(wildcard tests/e2e/initiator*.c tests/e2e/initiator.h)
	@mkdir -p $(@D)
	@echo "DEMO  $@"
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $(filter %.c,$^) -liscsi

units: $(UNIT)
faults: $(FAULT) $(FAULT_SO)
benchmarks: $(BENCH)

# --- packages, tests -------------------------------------------------------------------------

.PHONY: deps deps-demo deps-deb deps-rpm deps-vm deps-bench demo bench check check-programs check-vm check-vm-all \
	check-slow check-package check-nms check-san check-torture soak lint format golden capabilities fuzz \
	install uninstall install-plugin uninstall-plugin clean check-fault docs/RELIABILITY.md \
	check-analyzer conf/zabbix

deps:
	@tests/support/install_packages.sh build check lint
deps-demo:
	@tests/support/install_packages.sh build check
deps-deb:
	@tests/support/install_packages.sh build deb
deps-rpm:
	@tests/support/install_packages.sh build rpm
deps-bench:
	@tests/support/install_packages.sh build check bench
deps-vm:
	@tests/support/install_packages.sh build check vm

# After deps: make decides at its start which tools there are.
demo: deps-demo
	@$(MAKE) --no-print-directory -j2 $B/iscsi-agentx $B/iscsi-demo-initiator
	@tests/e2e/demo.py

RESULTS := build/results
PY_TESTS := tests/lint.py $(filter-out %/test_valgrind.py %/test_scale.py,\
	$(wildcard tests/mib/test_*.py tests/docs/test_*.py tests/golden/test_*.py \
	tests/support/test_*.py tests/fault/test_*.py tests/bench/test_*.py \
	tests/e2e/test_*.py) \
	$(addprefix tests/package/,test_install.py test_hardening.py test_scripts.py))
PACKAGE_TESTS := $(filter-out %/test_install.py %/test_hardening.py %/test_scripts.py,\
	$(wildcard tests/package/test_*.py))
FAULT_TESTS := $(wildcard tests/fault/matrix/test_*.py)
SLOW_TESTS := $(wildcard tests/e2e/test_valgrind.py tests/e2e/test_scale.py)

check: deps
	@$(MAKE) --no-print-directory -j2 all units faults $(BENCH) $B/iscsi-demo-initiator
	@$(MAKE) --no-print-directory -j2 SAN=1 all units faults $(REPLAY)
	@$(MAKE) --no-print-directory check-programs

check-programs:
	@mkdir -p $(RESULTS)
	@tests/run.py --timeout 1200 --save $(RESULTS)/check --keep $(RESULTS)/tap \
		$(UNIT) $(UNIT:build/%=build/san/%) \
		$(foreach r,$(REPLAY),"$r tests/fuzz/seeds/$(patsubst build/san/fuzz/replay_%,%,$r)") \
		$(PY_TESTS)

# The rows of the fault matrix that take longer, then the whole matrix with what shows each row. Half
# of the time is waiting: two at a time.
check-fault: deps
	@$(MAKE) --no-print-directory -j2 all faults $B/iscsi-demo-initiator
	@$(MAKE) --no-print-directory -j2 SAN=1 all faults
	@mkdir -p $(RESULTS)
	@status=0; tests/run.py -j 2 --timeout $(if $(FAULT_LONG),14400,600) --save $(RESULTS)/$@ \
		--keep $(RESULTS)/tap $(FAULT_TESTS) || status=1; \
		docs/make_reliability.py --show $(RESULTS)/tap $(RESULTS)/$@ || status=1; exit $$status

# What of check-fault lets allocations and system calls of each process fail, alone: some hundreds of them
# in four minutes (FAULT_LONG=1: each one, in hours).
check-torture: deps
	@$(MAKE) --no-print-directory -j2 all faults $B/iscsi-demo-initiator
	@$(MAKE) --no-print-directory -j2 SAN=1 all faults
	@tests/run.py --timeout $(if $(FAULT_LONG),14400,600) $(wildcard tests/fault/matrix/test_torture*.py)

check-slow: deps
	@$(MAKE) --no-print-directory -j2 all $B/iscsi-demo-initiator
	@tests/run.py --timeout 900 $(SLOW_TESTS)

# Half of a machine's time is waiting: two share two processors well.
export VM_AT_ONCE ?= 2
# One line for each scenario whose values were compared, and their sum, are what comes last.
check-vm-all: VM_JOBS := --all
check-vm check-vm-all: deps-vm
	@$(MAKE) --no-print-directory -j2 all $B/iscsi-demo-initiator
	@mkdir -p $(RESULTS)
	@rm -f build/vm/results/compared
	@tests/run.py --timeout $$(tests/vm/test_vm.py --limit $(VM_JOBS)) --save $(RESULTS)/$@ \
		"tests/vm/test_vm.py $(VM_JOBS)"; \
		status=$$?; cat build/vm/results/compared 2>/dev/null; exit $$status

# Prints reports while it runs: no runner in between.
soak: deps-demo
	@$(MAKE) --no-print-directory -j2 all $B/iscsi-demo-initiator
	@SOAK=$(or $(SOAK),7200) tests/soak/soak.py

check-package:
	@tests/support/install_packages.sh build deb rpm package
	@$(MAKE) --no-print-directory -j2 all
	@mkdir -p $(RESULTS)
	@tests/run.py --timeout 1800 --save $(RESULTS)/check-package $(PACKAGE_TESTS)

# Most of it is waiting: two at a time, the longest first. With $CI set, packages that cannot be installed are a
# failure (test_packages.py).
NMS_TESTS := $(wildcard tests/nms/test_zabbix*.py) \
	$(filter-out tests/nms/test_zabbix%,$(wildcard tests/nms/test_*.py))
check-nms:
	@tests/support/install_packages.sh build check
	@for s in nms zabbix; do tests/support/install_packages.sh $$s || \
		echo "check-nms: what needs the packages of [$$s] is skipped"; done
	@$(MAKE) --no-print-directory -j2 all $B/iscsi-demo-initiator
	@mkdir -p $(RESULTS)
	@tests/run.py -j 2 --timeout 1800 --save $(RESULTS)/check-nms --keep $(RESULTS)/tap $(NMS_TESTS)

# Counts and ratios, with the goals and the last results: docs/PERFORMANCE.md. BENCH_OPTIONS=--save
# makes these the results that are compared with.
bench: deps-bench
	@$(MAKE) --no-print-directory -j2 all $(BENCH) $B/iscsi-demo-initiator
	@tests/bench/bench.py $(BENCH_OPTIONS)

lint:
	@tests/lint.py

# gcc's analyzer over every file, some minutes of two processors when all is new. Its search for leaks
# loses sight of memory that a structure or a grown array owns (all of its 15 findings); ASan's search,
# valgrind and clang-tidy look for leaks.
ANALYZED := $(patsubst %.c,$B/analyzed/%.o,$(SRC_C) $(AGENT_C) $(PLUGIN_C))
check-analyzer: $(ANALYZED)
	@echo "gcc -fanalyzer: nothing found in $(words $(ANALYZED)) files"
$B/analyzed/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "ANALYZE $<"
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -fanalyzer -Wno-analyzer-malloc-leak -MMD -MP -c -o $@ $<

format:
	clang-format-14 -i $$(git ls-files '*.c' '*.h')

golden: $B/iscsi-agentx
	UPDATE=1 tests/golden/test_golden.py
	UPDATE=1 tests/fault/test_hostile_trees.py

docs/COVERAGE.md: $B/iscsi-agentx docs/make_coverage.py $(wildcard src/source/*.coverage)
	docs/make_coverage.py $B/iscsi-agentx $(wildcard src/source/*.coverage) > $@.new
	mv $@.new $@

# Runs all tests that the fault matrix names, and writes what they measured.
docs/RELIABILITY.md: deps
	@$(MAKE) --no-print-directory -j2 all units faults $B/iscsi-demo-initiator
	@$(MAKE) --no-print-directory -j2 SAN=1 all faults
	@rm -rf build/results/reliability
	@tests/run.py -j 2 --timeout 600 --keep build/results/reliability \
		$$(docs/make_reliability.py --programs)
	docs/make_reliability.py build/results/reliability > $@.new
	mv $@.new $@

capabilities: $B/iscsi-agentx
	docs/make_capabilities.py $B/iscsi-agentx mibs/ISCSI-AGENTX-CAPABILITIES \
		$(wildcard src/source/*.coverage)

# Wants Debian's prometheus-snmp-generator; both files that snmp_exporter reads.
conf/prometheus/snmp.yml: conf/prometheus/generator.yml conf/prometheus/make_snmp_yml.py $(wildcard mibs/*-MIB)
	conf/prometheus/make_snmp_yml.py

conf/snmptt/iscsi-agentx.conf: $B/iscsi-agentx conf/snmptt/make_snmptt.py $(wildcard mibs/*-MIB)
	conf/snmptt/make_snmptt.py $B/iscsi-agentx > $@.new
	mv $@.new $@

# make fuzz FUZZ=fragment T=60: libFuzzer on one target; what it finds beside the seeds stays below
# build/fuzz. Without FUZZ every target has its turn.
fuzz fuzzers:
	@$(MAKE) --no-print-directory -j2 FUZZING=1 \
		$(if $(FUZZ),build/fuzzing/fuzz/fuzz_$(FUZZ),$(FUZZERS))
	$(if $(filter fuzz,$@),@tests/fuzz/fuzz.py --seconds $(or $(T),60) $(FUZZ))

# Which lines and branches the tests execute; coverage-corpus: what the seeds of the fuzz targets do of
# the parsers. Built and run in a copy below build/coverage.
coverage: deps
	@tests/support/install_packages.sh lint
	@tests/coverage.py $(UNIT) $(COVERAGE_REPLAY) $(filter-out $(COVERAGE_NOT),$(PY_TESTS))
# What judges how the programs were built, or the tools of the tests.
COVERAGE_NOT := %lint.py tests/package/% tests/support/%

coverage-corpus: deps
	@tests/support/install_packages.sh lint
	@tests/coverage.py --corpus $(COVERAGE_REPLAY)
COVERAGE_REPLAY = $(foreach r,$(REPLAY:build/san/%=build/%),"$r \
	tests/fuzz/seeds/$(patsubst build/fuzz/replay_%,%,$r)")

ZABBIX := $(foreach v,6.0 7.0,conf/zabbix/$v/template_app_iscsi_snmp.yaml)
conf/zabbix: $(ZABBIX)
$(ZABBIX): conf/zabbix/%/template_app_iscsi_snmp.yaml: $B/iscsi-agentx $(wildcard conf/zabbix/*.py mibs/*-MIB)
	conf/zabbix/make_zabbix.py $B/iscsi-agentx $* > $@.new
	mv $@.new $@

# --- installation ----------------------------------------------------------------------------

# A file of conf/ with what it must know of this installation.
configured = sed -e 's|@SBINDIR@|$(SBINDIR)|g' -e 's|@PLUGINDIR@|$(PLUGINDIR)|g' \
	-e 's|@NAGIOSDIR@|$(NAGIOSDIR)|g' -e 's|@NAGIOSSTATE@|$(NAGIOSSTATE)|g' \
	-e 's|@PRIVATE_OID@|$(PRIVATE_OID)|g' $1
# $(call put,FILE,PLACE); put_config leaves alone what is there and names what differs, drop_config leaves
# what was changed.
put = install -d $(dir $2) && $(call configured,$1) > $2 && chmod 644 $2
put_config = if ! test -e $2; then $(put); elif ! $(call configured,$1) | cmp -s - $2; then \
	echo "$2 stays as it is, and differs from the new $1: compare them, or move it away and install again"; fi
drop_config = if $(call configured,$1) | cmp -s - $2; then rm -f $2; \
	elif test -e $2; then echo "$2 was changed and stays"; fi

SNMPDIR := $(DESTDIR)$(SYSCONFDIR)/snmp

# What monitors read; with the private OID of this agent in it.
FOR_MONITORS := snmptt/iscsi-agentx.conf grafana/iscsi.json librenms/linux-iscsi.yaml librenms/README.md \
	$(addprefix prometheus/,README.md generator.yml prometheus.yml rules.yml rules_test.yml snmp-0.22.yml snmp.yml) \
	zabbix/README.md $(foreach v,6.0 7.0,zabbix/$v/template_app_iscsi_snmp.yaml)
# Numbers, in Zabbix's trigger without their first arc; and the regular expression of its item for traps.
rooted = install -d $(dir $2) && sed \
	-e 's/\b3\.6\.1\.4\.1\.8072\.9999\.9999\.7147\b/$(PRIVATE_OID:1.%=%)/g' \
	-e 's/\b3\\\.6\\\.1\\\.4\\\.1\\\.8072\\\.9999\\\.9999\\\.7147\b/$(subst .,\\.,$(PRIVATE_OID:1.%=%))/g' \
	$1 > $2 && chmod 644 $2

install: $B/iscsi-agentx
	install -D -m 755 $B/iscsi-agentx $(DESTDIR)$(SBINDIR)/iscsi-agentx
	install -D -m 644 docs/man/iscsi-agentx.8 $(DESTDIR)$(MANDIR)/man8/iscsi-agentx.8
	install -D -m 644 docs/man/iscsi-agentx.conf.5 $(DESTDIR)$(MANDIR)/man5/iscsi-agentx.conf.5
	install -d $(DESTDIR)$(DATADIR)/mibs/base
	install -m 644 $(wildcard mibs/*-*) $(DESTDIR)$(DATADIR)/mibs
	install -m 644 $(wildcard mibs/base/*) $(DESTDIR)$(DATADIR)/mibs/base
	sed -i 's/^\(iscsiAgentx OBJECT IDENTIFIER ::= \).*/\1{ enterprises $(subst ., ,$(PRIVATE_OID:1.3.6.1.4.1.%=%)) }/' \
		$(DESTDIR)$(DATADIR)/mibs/ISCSI-AGENTX-SMI
	@$(foreach f,$(FOR_MONITORS),$(call rooted,conf/$f,$(DESTDIR)$(DATADIR)/$f) &&) true
	$(call put,conf/iscsi-agentx.service,$(DESTDIR)$(UNITDIR)/iscsi-agentx.service)
	$(call put,conf/sysusers.d/iscsi-agentx.conf,$(DESTDIR)$(SYSUSERSDIR)/iscsi-agentx.conf)
	$(call put,conf/completion/iscsi-agentx,$(DESTDIR)$(BASHCOMPDIR)/iscsi-agentx)
	@$(call put_config,conf/iscsi-agentx.conf,$(SNMPDIR)/iscsi-agentx.conf)
	@$(call put_config,conf/snmpd.conf.d/iscsi-agentx.conf,$(SNMPDIR)/snmpd.conf.d/iscsi-agentx.conf)

uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/iscsi-agentx $(DESTDIR)$(MANDIR)/man8/iscsi-agentx.8 \
		$(DESTDIR)$(MANDIR)/man5/iscsi-agentx.conf.5 $(DESTDIR)$(UNITDIR)/iscsi-agentx.service \
		$(DESTDIR)$(SYSUSERSDIR)/iscsi-agentx.conf $(DESTDIR)$(BASHCOMPDIR)/iscsi-agentx
	rm -rf $(DESTDIR)$(DATADIR)
	@$(call drop_config,conf/iscsi-agentx.conf,$(SNMPDIR)/iscsi-agentx.conf)
	@$(call drop_config,conf/snmpd.conf.d/iscsi-agentx.conf,$(SNMPDIR)/snmpd.conf.d/iscsi-agentx.conf)

# The plug-in, on the machine of the monitor.
install-plugin: $B/check_iscsi_snmp
	install -D -m 755 $B/check_iscsi_snmp $(DESTDIR)$(PLUGINDIR)/check_iscsi_snmp
	install -D -m 644 docs/man/check_iscsi_snmp.1 $(DESTDIR)$(MANDIR)/man1/check_iscsi_snmp.1
	$(call put,conf/icinga2/iscsi-snmp.conf,$(DESTDIR)$(ICINGADIR)/iscsi-snmp.conf)
	@$(call put_config,conf/nagios/iscsi-snmp.cfg,$(DESTDIR)$(NAGIOSDIR)/iscsi-snmp.cfg)

uninstall-plugin:
	rm -f $(DESTDIR)$(PLUGINDIR)/check_iscsi_snmp $(DESTDIR)$(MANDIR)/man1/check_iscsi_snmp.1 \
		$(DESTDIR)$(ICINGADIR)/iscsi-snmp.conf
	@$(call drop_config,conf/nagios/iscsi-snmp.cfg,$(DESTDIR)$(NAGIOSDIR)/iscsi-snmp.cfg)

# --- packages --------------------------------------------------------------------------------

PACKAGE_DIR := build/package
TREE := iscsi-agentx-$(VERSION)

.PHONY: dist deb rpm

# What git knows, as it is in this directory; the time of each file is that of the last commit.
dist:
	@mkdir -p $(PACKAGE_DIR)
	git ls-files -z | tar --null --files-from=- --transform='s|^|$(TREE)/|' --sort=name --owner=0 \
		--group=0 --numeric-owner --mtime=@$$(git log -1 --format=%ct) -czf $(PACKAGE_DIR)/$(TREE).tar.gz

# Debian's source and binary packages, in DEB_DIR; DEB_OPTIONS: more of dpkg-buildpackage's.
DEB_DIR := $(PACKAGE_DIR)/deb
deb: deps-deb dist
	rm -rf $(DEB_DIR)
	mkdir -p $(DEB_DIR)
	tar -C $(DEB_DIR) -xf $(PACKAGE_DIR)/$(TREE).tar.gz
	cd $(DEB_DIR)/$(TREE) && dpkg-buildpackage --no-sign $(DEB_OPTIONS)

# RPM packages, in RPM_DIR/RPMS. --nodeps: on Debian no package is known to rpm.
RPM_DIR := $(PACKAGE_DIR)/rpm
rpm: deps-rpm dist
	rm -rf $(RPM_DIR)
	mkdir -p $(RPM_DIR)
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) rpmbuild --nodeps -ba \
		--define '_topdir $(abspath $(RPM_DIR))' \
		--define '_sourcedir $(abspath $(PACKAGE_DIR))' --define '_buildhost localhost' \
		--define 'use_source_date_epoch_as_buildtime 1' \
		--define 'clamp_mtime_to_source_date_epoch 1' rpm/iscsi-agentx.spec

clean:
	rm -rf build

-include $(shell find build \( -path build/package -o -path build/zabbix \) -prune -o -name '*.d' -type f -print 2>/dev/null)
