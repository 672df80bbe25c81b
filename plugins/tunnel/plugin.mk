# tunnel - reverse tunnels: handler, connector, ingress.
# SPDX-License-Identifier: MIT

if PLUGIN_TUNNEL
plugin_PROGRAMS += plugins/tunnel.so
%C%_pure = \
	%D%/tunnel.h \
	%D%/tunnel_entry.h \
	%D%/tunnel_http_head.c \
	%D%/tunnel_id.c \
	%D%/tunnel_rules.c
%C%_parts = \
	%D%/tunnel.c \
	%D%/tunnel_connector.c \
	%D%/tunnel_entry.c \
	%D%/tunnel_handler.c \
	%D%/tunnel_http.c \
	%D%/tunnel_ingress.c \
	%D%/tunnel_visit.c \
	$(%C%_pure)
%C%_so_SOURCES = $(%C%_parts)
%C%_so_CFLAGS = $(AM_CFLAGS) $(PLUGIN_TUNNEL_CFLAGS)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_TUNNEL_LIBS)

TAP_TESTS += plugins/tunnel/test_tunnel
%C%_test_tunnel_SOURCES = sdk/testkit/test_capture.h %D%/test_tunnel.c $(%C%_pure)
%C%_test_tunnel_CFLAGS = $(AM_CFLAGS) $(PLUGIN_TUNNEL_CFLAGS)
%C%_test_tunnel_LDADD = $(TEST_LIBS) $(PLUGIN_TUNNEL_LIBS)

FUZZ_TESTS += plugins/tunnel/fuzz_tunnel
%C%_fuzz_tunnel_SOURCES = %D%/fuzz_tunnel.c $(%C%_pure)
%C%_fuzz_tunnel_CFLAGS = $(AM_CFLAGS) $(PLUGIN_TUNNEL_CFLAGS)
%C%_fuzz_tunnel_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_tunnel_LDADD = $(FUZZ_LIBS) $(PLUGIN_TUNNEL_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/captures %D%/corpus %D%/transcripts
