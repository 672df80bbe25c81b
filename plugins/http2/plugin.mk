# http2 - HTTP/2 proxy, handler and connector; the listener and dialer http2.
# SPDX-License-Identifier: MIT

if PLUGIN_HTTP2
plugin_PROGRAMS += plugins/http2.so
%C%_parts = \
	%D%/http2.c \
	%D%/http2.h \
	%D%/http2_connector.c \
	%D%/http2_decoy.c \
	%D%/http2_forward.c \
	%D%/http2_handler.c \
	%D%/http2_request.c \
	%D%/http2_upstream.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/http2/test_http2
%C%_test_http2_SOURCES = sdk/testkit/test_task.h %D%/test_http2.c $(%C%_parts)
%C%_test_http2_LDADD = $(TEST_LIBS)
endif

EXTRA_DIST += %D%/README.md
