# h2 - the layers h2 and h2tunnel, the listeners and dialers h2 and h2c.
# SPDX-License-Identifier: MIT

if PLUGIN_H2
plugin_PROGRAMS += plugins/h2.so
%C%_parts = \
	%D%/h2.c \
	%D%/h2.h \
	%D%/h2_head.c \
	%D%/h2_recv.c \
	%D%/h2_send.c \
	%D%/h2_session.c \
	%D%/h2_stream.c \
	%D%/h2_tunnel.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_CFLAGS = $(AM_CFLAGS) $(PLUGIN_H2_CFLAGS)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_H2_LIBS)

TAP_TESTS += plugins/h2/test_h2 plugins/h2/test_h2_capture plugins/h2/test_h2_hostile \
	plugins/h2/test_h2_memory
%C%_test_h2_SOURCES = \
	sdk/testkit/test_capture.h \
	sdk/testkit/test_exchange.h \
	%D%/test_h2.c \
	%D%/test_world.h \
	$(%C%_parts)
%C%_test_h2_CFLAGS = $(AM_CFLAGS) $(PLUGIN_H2_CFLAGS)
%C%_test_h2_LDADD = $(TEST_LIBS) $(PLUGIN_H2_LIBS)
%C%_test_h2_capture_SOURCES = \
	sdk/testkit/test_capture.h \
	sdk/testkit/test_exchange.h \
	%D%/test_h2_capture.c \
	%D%/test_peer.h \
	%D%/test_world.h \
	$(%C%_parts)
%C%_test_h2_capture_CFLAGS = $(AM_CFLAGS) $(PLUGIN_H2_CFLAGS)
%C%_test_h2_capture_LDADD = $(TEST_LIBS) $(PLUGIN_H2_LIBS)
%C%_test_h2_hostile_SOURCES = \
	sdk/testkit/test_capture.h \
	sdk/testkit/test_exchange.h \
	%D%/test_h2_hostile.c \
	%D%/test_peer.h \
	%D%/test_world.h \
	$(%C%_parts)
%C%_test_h2_hostile_CFLAGS = $(AM_CFLAGS) $(PLUGIN_H2_CFLAGS)
%C%_test_h2_hostile_LDADD = $(TEST_LIBS) $(PLUGIN_H2_LIBS)
%C%_test_h2_memory_SOURCES = \
	sdk/testkit/test_capture.h \
	sdk/testkit/test_exchange.h \
	%D%/test_h2_memory.c \
	%D%/test_world.h \
	$(%C%_parts)
%C%_test_h2_memory_CFLAGS = $(AM_CFLAGS) $(PLUGIN_H2_CFLAGS)
%C%_test_h2_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
%C%_test_h2_memory_LDADD = $(TEST_LIBS) $(PLUGIN_H2_LIBS)

FUZZ_TESTS += plugins/h2/fuzz_h2
%C%_fuzz_h2_SOURCES = \
	sdk/testkit/test_capture.h \
	sdk/testkit/test_exchange.h \
	%D%/fuzz_h2.c \
	%D%/test_peer.h \
	%D%/test_world.h \
	$(%C%_parts)
%C%_fuzz_h2_CFLAGS = $(AM_CFLAGS) $(PLUGIN_H2_CFLAGS)
%C%_fuzz_h2_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_h2_LDADD = $(FUZZ_LIBS) $(PLUGIN_H2_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/captures %D%/corpus
