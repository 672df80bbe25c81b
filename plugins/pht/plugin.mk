# pht - the plain HTTP tunnel: layer, listeners and dialers.
# SPDX-License-Identifier: MIT

if PLUGIN_PHT
plugin_PROGRAMS += plugins/pht.so
%C%_parts = \
	%D%/pht.c \
	%D%/pht.h \
	%D%/pht_answer.c \
	%D%/pht_client.c \
	%D%/pht_gate.c \
	%D%/pht_line.c \
	%D%/pht_request.c \
	%D%/pht_tunnel.c \
	%D%/pht_wire.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/pht/test_pht
%C%_test_pht_SOURCES = sdk/testkit/test_capture.h %D%/pht.h %D%/pht_wire.c %D%/test_pht.c
%C%_test_pht_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/pht/fuzz_pht
%C%_fuzz_pht_SOURCES = %D%/fuzz_pht.c %D%/pht.h %D%/pht_wire.c
%C%_fuzz_pht_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_pht_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/captures %D%/corpus
