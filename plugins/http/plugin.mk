# http - HTTP/1 proxy, handler and connector.
# SPDX-License-Identifier: MIT

if PLUGIN_HTTP
plugin_PROGRAMS += plugins/http.so
%C%_parts = \
	%D%/http.h \
	%D%/http_connector.c \
	%D%/http_decoy.c \
	%D%/http_exchange.c \
	%D%/http_forward.c \
	%D%/http_handler.c \
	%D%/http_plugin.c \
	%D%/http_reply.c \
	%D%/http_request.c \
	%D%/http_udp.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/http/test_http plugins/http/test_http1 plugins/http/test_http_flow
%C%_test_http_SOURCES = \
	%D%/http.h \
	%D%/http_connector.c \
	%D%/http_decoy.c \
	%D%/http_exchange.c \
	%D%/http_forward.c \
	%D%/http_handler.c \
	%D%/http_reply.c \
	%D%/http_request.c \
	%D%/http_udp.c \
	sdk/testkit/test_capture.h \
	%D%/test_http.c
%C%_test_http_LDADD = $(TEST_LIBS)
%C%_test_http1_SOURCES = sdk/testkit/test_capture.h %D%/test_http1.c
%C%_test_http1_LDADD = $(TEST_LIBS)
%C%_test_http_flow_SOURCES = \
	sdk/testkit/test_capture.h \
	sdk/testkit/test_flow.h \
	%D%/test_http_flow.c \
	$(%C%_parts)
%C%_test_http_flow_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/http/fuzz_http
%C%_fuzz_http_SOURCES = %D%/fuzz_http.c %D%/http.h %D%/http_reply.c %D%/http_request.c
%C%_fuzz_http_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_http_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/captures %D%/corpus %D%/transcripts
