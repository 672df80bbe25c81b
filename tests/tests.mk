# tests - what `make check` runs. tests/run finds the scripts, and gets the programs from here.
# SPDX-License-Identifier: MIT

# make check CHECK_ARGS='-j4 socks5' gives the runner arguments.
CHECK_ARGS =

# Of the host.
TAP_TESTS += tests/unit/test_bridge tests/unit/test_carrier tests/unit/test_conf \
	tests/unit/test_conf_cli tests/unit/test_endpoint tests/unit/test_shared
tests_unit_test_endpoint_SOURCES = %D%/unit/bridge_world.h %D%/unit/mux.h %D%/unit/test_endpoint.c
tests_unit_test_endpoint_CPPFLAGS = $(HOST_CPPFLAGS)
tests_unit_test_endpoint_LDADD = $(HOST_LIBS)
tests_unit_test_shared_SOURCES = %D%/unit/test_shared.c
tests_unit_test_shared_CPPFLAGS = $(HOST_CPPFLAGS)
tests_unit_test_shared_LDADD = $(HOST_LIBS)
tests_unit_test_bridge_SOURCES = %D%/unit/bridge_world.h %D%/unit/mux.h %D%/unit/test_bridge.c
tests_unit_test_bridge_CPPFLAGS = $(HOST_CPPFLAGS)
tests_unit_test_bridge_LDADD = $(HOST_LIBS)
tests_unit_test_carrier_SOURCES = %D%/unit/mux.h %D%/unit/test_carrier.c
tests_unit_test_carrier_CPPFLAGS = $(HOST_CPPFLAGS)
tests_unit_test_carrier_LDADD = $(HOST_LIBS)
tests_unit_test_conf_SOURCES = %D%/unit/test_conf.c
tests_unit_test_conf_LDADD = $(HOST_LIBS)
tests_unit_test_conf_cli_SOURCES = %D%/unit/test_conf_cli.c
tests_unit_test_conf_cli_LDADD = $(HOST_LIBS)

# Of the SDK.
TAP_TESTS += tests/unit/test_addr tests/unit/test_engine tests/unit/test_inspect \
	tests/unit/test_keyed tests/unit/test_kit tests/unit/test_limit tests/unit/test_net \
	tests/unit/test_options tests/unit/test_session tests/unit/test_session_ask \
	tests/unit/test_session_end
tests_unit_test_addr_SOURCES = %D%/unit/test_addr.c
tests_unit_test_addr_LDADD = $(TEST_LIBS)
tests_unit_test_engine_SOURCES = %D%/unit/test_engine.c
tests_unit_test_engine_CPPFLAGS = $(AM_CPPFLAGS) $(ENGINE_CPPFLAGS)
tests_unit_test_engine_LDADD = $(TEST_LIBS)
tests_unit_test_inspect_SOURCES = %D%/unit/test_inspect.c
tests_unit_test_inspect_CPPFLAGS = $(AM_CPPFLAGS) $(ENGINE_CPPFLAGS)
tests_unit_test_inspect_LDADD = $(TEST_LIBS)
tests_unit_test_keyed_SOURCES = %D%/unit/net_world.h %D%/unit/test_keyed.c
tests_unit_test_keyed_CPPFLAGS = $(HOST_CPPFLAGS)
tests_unit_test_keyed_LDADD = $(HOST_LIBS)
tests_unit_test_kit_SOURCES = %D%/unit/test_kit.c
tests_unit_test_kit_LDADD = $(TEST_LIBS)
tests_unit_test_limit_SOURCES = %D%/unit/test_limit.c
tests_unit_test_limit_CPPFLAGS = $(AM_CPPFLAGS) $(ENGINE_CPPFLAGS)
tests_unit_test_limit_LDADD = $(TEST_LIBS)
tests_unit_test_net_SOURCES = %D%/unit/net_world.h %D%/unit/test_net.c
tests_unit_test_net_CPPFLAGS = $(HOST_CPPFLAGS)
tests_unit_test_net_LDADD = $(HOST_LIBS)
tests_unit_test_options_SOURCES = %D%/unit/test_options.c
tests_unit_test_options_LDADD = $(TEST_LIBS)
# It counts allocations and makes them fail.
tests_unit_test_session_SOURCES = %D%/unit/mux.h %D%/unit/mux_world.h %D%/unit/test_session.c
tests_unit_test_session_CPPFLAGS = $(AM_CPPFLAGS) $(ENGINE_CPPFLAGS)
tests_unit_test_session_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc
tests_unit_test_session_LDADD = $(TEST_LIBS)
tests_unit_test_session_ask_SOURCES = %D%/unit/mux.h %D%/unit/mux_world.h \
	%D%/unit/test_session_ask.c
tests_unit_test_session_ask_CPPFLAGS = $(AM_CPPFLAGS) $(ENGINE_CPPFLAGS)
tests_unit_test_session_ask_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc
tests_unit_test_session_ask_LDADD = $(TEST_LIBS)
tests_unit_test_session_end_SOURCES = %D%/unit/mux.h %D%/unit/mux_world.h \
	%D%/unit/test_session_end.c
tests_unit_test_session_end_CPPFLAGS = $(AM_CPPFLAGS) $(ENGINE_CPPFLAGS)
tests_unit_test_session_end_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc
tests_unit_test_session_end_LDADD = $(TEST_LIBS)

# Of parsers that read what others wrote.
FUZZ_TESTS += tests/fuzz/fuzz_conf_json tests/fuzz/fuzz_conf_url tests/fuzz/fuzz_conf_yaml \
	tests/fuzz/fuzz_note
tests_fuzz_fuzz_conf_json_SOURCES = %D%/fuzz/fuzz_conf_json.c
tests_fuzz_fuzz_conf_json_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_conf_json_LDADD = $(FUZZ_LIBS) $(HOST_LIBS)
tests_fuzz_fuzz_conf_url_SOURCES = %D%/fuzz/fuzz_conf_url.c
tests_fuzz_fuzz_conf_url_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_conf_url_LDADD = $(FUZZ_LIBS) $(HOST_LIBS)
tests_fuzz_fuzz_conf_yaml_SOURCES = %D%/fuzz/fuzz_conf_yaml.c
tests_fuzz_fuzz_conf_yaml_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_conf_yaml_LDADD = $(FUZZ_LIBS) $(HOST_LIBS)
tests_fuzz_fuzz_note_SOURCES = %D%/fuzz/fuzz_note.c
tests_fuzz_fuzz_note_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_note_LDADD = $(FUZZ_LIBS)

# The load generator of tests/bench, built when it is asked for.
EXTRA_PROGRAMS = tests/bench/load
tests_bench_load_SOURCES = \
	%D%/bench/load.c \
	%D%/bench/load.h \
	%D%/bench/load_bulk.c \
	%D%/bench/load_conn.c \
	%D%/bench/load_dial.c \
	%D%/bench/load_idle.c \
	%D%/bench/load_packet.c \
	%D%/bench/load_pattern.c \
	%D%/bench/load_rr.c \
	%D%/bench/load_target.c \
	%D%/bench/load_udp.c \
	%D%/bench/load_util.c
CLEANFILES += $(EXTRA_PROGRAMS)

check_PROGRAMS += $(TAP_TESTS) $(FUZZ_TESTS)

check-local: $(bin_PROGRAMS) $(plugin_PROGRAMS)
	@test -n "$(PYTHON3)" || { echo "make check needs python3: install it" >&2; exit 1; }
	@GOST_TAP_TESTS="$(TAP_TESTS)" GOST_FUZZ_TESTS="$(FUZZ_TESTS)" \
	GOST_PLUGINS="$(plugin_PROGRAMS)" GOST_SANITIZERS="$(SANITIZERS)" CC="$(CC)" \
	TOP_BUILDDIR="$(abs_top_builddir)" GOST_HOST="$(abs_top_builddir)/gost-host" \
	GOST_PLUGIN_DIR="$(abs_top_builddir)/plugins" \
	GOST_PLUGIN_CHECK="$(abs_top_builddir)/gost-plugin-check" \
	$(PYTHON3) -B $(srcdir)/tests/run $(CHECK_ARGS)

TEST_ENVIRONMENT = TOP_SRCDIR="$(abs_top_srcdir)" TOP_BUILDDIR="$(abs_top_builddir)" \
	GOST_HOST="$(abs_top_builddir)/gost-host" GOST_PLUGIN_DIR="$(abs_top_builddir)/plugins"

# The long forms of two live tests, by hand: every stack with 1, 2 and 4 workers and 100 MB;
# sessions whose far side dies, again and again.
# make matrix MATRIX_ARGS='relay+h2 relay+quic'; make torture TORTURE_ARGS='--rounds 3 quic'
MATRIX_ARGS =
TORTURE_ARGS = --rounds 10
matrix: $(bin_PROGRAMS) $(plugin_PROGRAMS)
	$(TEST_ENVIRONMENT) $(PYTHON3) -B $(srcdir)/tests/live/test_stacks.py --long $(MATRIX_ARGS)
torture: $(bin_PROGRAMS) $(plugin_PROGRAMS)
	$(TEST_ENVIRONMENT) $(PYTHON3) -B $(srcdir)/tests/live/test_torture.py $(TORTURE_ARGS)

# What the committed corpora reach of each fuzz target's own files, by gcov, in a build of its own.
# make fuzz-coverage FUZZ_TESTS=plugins/tls/fuzz_tls
fuzz-coverage:
	$(PYTHON3) -B $(srcdir)/tests/fuzz/coverage --build fuzz-coverage.dir $(FUZZ_TESTS)
.PHONY: matrix torture fuzz-coverage

clean-local:
	rm -rf tests/results fuzz-coverage.dir

EXTRA_DIST += %D%/run %D%/expected-skips %D%/lint %D%/live %D%/interop %D%/data %D%/bench \
	%D%/bad-plugins %D%/fuzz/corpus %D%/fuzz/coverage \
	%D%/unit/plugin_driver.c %D%/unit/test_bad_plugins.py %D%/unit/test_plugins.py
