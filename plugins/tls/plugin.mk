# tls - the tls layer, the tls listener and dialer.
# SPDX-License-Identifier: MIT

if PLUGIN_TLS
plugin_PROGRAMS += plugins/tls.so
%C%_parts = \
	%D%/dtls_bio.c \
	%D%/dtls_order.c \
	%D%/dtls_step.c \
	%D%/tls.c \
	%D%/tls.h \
	%D%/tls_bio.c \
	%D%/tls_cert.c \
	%D%/tls_client.c \
	%D%/tls_ctx.c \
	%D%/tls_error.c \
	%D%/tls_names.c \
	%D%/tls_names.h \
	%D%/tls_print.c \
	%D%/tls_server.c \
	%D%/tls_step.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_CFLAGS = $(AM_CFLAGS) $(PLUGIN_TLS_CFLAGS)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_TLS_LIBS)

TAP_TESTS += \
	plugins/tls/test_dtls_order \
	plugins/tls/test_tls \
	plugins/tls/test_tls_print \
	plugins/tls/test_tls_stack
%C%_test_dtls_order_SOURCES = \
	sdk/testkit/test_tap.h \
	%D%/dtls_order.c \
	%D%/test_dtls_order.c \
	%D%/tls.h
%C%_test_dtls_order_CFLAGS = $(AM_CFLAGS) $(PLUGIN_TLS_CFLAGS)
%C%_test_dtls_order_LDADD = $(TEST_LIBS)
%C%_test_tls_SOURCES = \
	%D%/test_certs.h \
	%D%/test_tls.c \
	%D%/tls.h \
	%D%/tls_cert.c \
	%D%/tls_names.c \
	%D%/tls_names.h
%C%_test_tls_CFLAGS = $(AM_CFLAGS) $(PLUGIN_TLS_CFLAGS)
%C%_test_tls_LDADD = $(TEST_LIBS) $(PLUGIN_TLS_LIBS)
%C%_test_tls_print_SOURCES = \
	sdk/testkit/test_tap.h \
	%D%/test_tls_print.c \
	%D%/tls.h \
	%D%/tls_cert.c \
	%D%/tls_names.c \
	%D%/tls_names.h \
	%D%/tls_print.c
%C%_test_tls_print_CFLAGS = $(AM_CFLAGS) $(PLUGIN_TLS_CFLAGS)
%C%_test_tls_print_LDADD = $(TEST_LIBS) $(PLUGIN_TLS_LIBS)
%C%_test_tls_stack_SOURCES = \
	sdk/testkit/test_capture.h \
	sdk/testkit/test_layer.h \
	%D%/test_certs.h \
	%D%/test_tls_stack.c \
	$(%C%_parts)
%C%_test_tls_stack_CFLAGS = $(AM_CFLAGS) $(PLUGIN_TLS_CFLAGS)
%C%_test_tls_stack_LDADD = $(TEST_LIBS) $(PLUGIN_TLS_LIBS)

FUZZ_TESTS += plugins/tls/fuzz_dtls_order plugins/tls/fuzz_tls
%C%_fuzz_dtls_order_SOURCES = %D%/dtls_order.c %D%/fuzz_dtls_order.c %D%/tls.h
%C%_fuzz_dtls_order_CFLAGS = $(AM_CFLAGS) $(PLUGIN_TLS_CFLAGS)
%C%_fuzz_dtls_order_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_dtls_order_LDADD = $(FUZZ_LIBS)
%C%_fuzz_tls_SOURCES = %D%/fuzz_tls.c %D%/tls_names.c %D%/tls_names.h
%C%_fuzz_tls_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_tls_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
