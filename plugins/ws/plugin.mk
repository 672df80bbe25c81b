# ws - the WebSocket layer, and the listeners and dialers on it.
# SPDX-License-Identifier: MIT

if PLUGIN_WS
plugin_PROGRAMS += plugins/ws.so
%C%_parts = \
	%D%/ws.c \
	%D%/ws.h \
	%D%/ws_answer.c \
	%D%/ws_client.c \
	%D%/ws_deflate.c \
	%D%/ws_frame.c \
	%D%/ws_frame.h \
	%D%/ws_key.c \
	%D%/ws_offer.c \
	%D%/ws_path.c \
	%D%/ws_path.h \
	%D%/ws_read.c \
	%D%/ws_server.c \
	%D%/ws_step.c \
	%D%/ws_write.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_CFLAGS = $(AM_CFLAGS) $(PLUGIN_WS_CFLAGS)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_WS_LIBS)

TAP_TESTS += plugins/ws/test_ws plugins/ws/test_ws_stack
%C%_test_ws_SOURCES = \
	sdk/testkit/test_capture.h \
	%D%/test_ws.c \
	%D%/ws.h \
	%D%/ws_frame.c \
	%D%/ws_frame.h \
	%D%/ws_key.c \
	%D%/ws_offer.c \
	%D%/ws_path.c \
	%D%/ws_path.h
%C%_test_ws_CFLAGS = $(AM_CFLAGS) $(PLUGIN_WS_CFLAGS)
%C%_test_ws_LDADD = $(TEST_LIBS) $(PLUGIN_WS_LIBS)
%C%_test_ws_stack_SOURCES = \
	sdk/testkit/test_capture.h \
	sdk/testkit/test_layer.h \
	%D%/test_ws_stack.c \
	$(%C%_parts)
%C%_test_ws_stack_CFLAGS = $(AM_CFLAGS) $(PLUGIN_WS_CFLAGS)
%C%_test_ws_stack_LDADD = $(TEST_LIBS) $(PLUGIN_WS_LIBS)

FUZZ_TESTS += plugins/ws/fuzz_ws_frames plugins/ws/fuzz_ws_handshake
%C%_fuzz_ws_frames_SOURCES = \
	sdk/testkit/test_capture.h \
	sdk/testkit/test_layer.h \
	%D%/fuzz_ws_frames.c \
	$(%C%_parts)
%C%_fuzz_ws_frames_CFLAGS = $(AM_CFLAGS) $(PLUGIN_WS_CFLAGS)
%C%_fuzz_ws_frames_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_ws_frames_LDADD = $(FUZZ_LIBS) $(PLUGIN_WS_LIBS)
%C%_fuzz_ws_handshake_SOURCES = \
	sdk/testkit/test_capture.h \
	sdk/testkit/test_layer.h \
	%D%/fuzz_ws_handshake.c \
	$(%C%_parts)
%C%_fuzz_ws_handshake_CFLAGS = $(AM_CFLAGS) $(PLUGIN_WS_CFLAGS)
%C%_fuzz_ws_handshake_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_ws_handshake_LDADD = $(FUZZ_LIBS) $(PLUGIN_WS_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/captures %D%/corpus
