# socks4 - handler and connector.
# SPDX-License-Identifier: MIT

if PLUGIN_SOCKS4
plugin_PROGRAMS += plugins/socks4.so
%C%_so_SOURCES = %D%/socks4.c %D%/socks4.h %D%/socks4_wire.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/socks4/test_socks4
%C%_test_socks4_SOURCES = %D%/test_socks4.c %D%/socks4_wire.c
%C%_test_socks4_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/socks4/fuzz_socks4
%C%_fuzz_socks4_SOURCES = %D%/fuzz_socks4.c %D%/socks4_wire.c
%C%_fuzz_socks4_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_socks4_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/captures %D%/corpus
