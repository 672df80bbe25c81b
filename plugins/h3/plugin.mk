# h3 - the layer h3.
# SPDX-License-Identifier: MIT

if PLUGIN_H3
plugin_PROGRAMS += plugins/h3.so
%C%_parts = \
	%D%/h3.c \
	%D%/h3.h \
	%D%/h3_control.c \
	%D%/h3_frame.c \
	%D%/h3_head.c \
	%D%/h3_recv.c \
	%D%/h3_send.c \
	%D%/h3_session.c \
	%D%/h3_stream.c \
	%D%/wt.h \
	%D%/wt_code.c \
	%D%/wt_connect.c \
	%D%/wt_session.c \
	%D%/wt_stream.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_CFLAGS = $(AM_CFLAGS) $(PLUGIN_H3_CFLAGS)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_H3_LIBS)

TAP_TESTS += plugins/h3/test_h3 plugins/h3/test_wt
%C%_test_h3_SOURCES = sdk/testkit/test_mux.h %D%/test_h3.c %D%/test_world.h $(%C%_parts)
%C%_test_h3_CFLAGS = $(AM_CFLAGS) $(PLUGIN_H3_CFLAGS)
%C%_test_h3_LDADD = $(TEST_LIBS) $(PLUGIN_H3_LIBS)
%C%_test_wt_SOURCES = sdk/testkit/test_mux.h %D%/test_world.h %D%/test_wt.c $(%C%_parts)
%C%_test_wt_CFLAGS = $(AM_CFLAGS) $(PLUGIN_H3_CFLAGS)
%C%_test_wt_LDADD = $(TEST_LIBS) $(PLUGIN_H3_LIBS)

FUZZ_TESTS += plugins/h3/fuzz_h3 plugins/h3/fuzz_wt
%C%_fuzz_h3_SOURCES = \
	sdk/testkit/test_mux.h \
	%D%/fuzz_h3.c \
	%D%/fuzz_world.h \
	%D%/test_world.h \
	$(%C%_parts)
%C%_fuzz_h3_CFLAGS = $(AM_CFLAGS) $(PLUGIN_H3_CFLAGS)
%C%_fuzz_h3_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_h3_LDADD = $(FUZZ_LIBS) $(PLUGIN_H3_LIBS)
%C%_fuzz_wt_SOURCES = \
	sdk/testkit/test_mux.h \
	%D%/fuzz_world.h \
	%D%/fuzz_wt.c \
	%D%/test_world.h \
	$(%C%_parts)
%C%_fuzz_wt_CFLAGS = $(AM_CFLAGS) $(PLUGIN_H3_CFLAGS)
%C%_fuzz_wt_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_wt_LDADD = $(FUZZ_LIBS) $(PLUGIN_H3_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
