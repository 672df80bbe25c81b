# sni - relay to the host that a ClientHello or an HTTP head names; handler and connector.
# SPDX-License-Identifier: MIT

if PLUGIN_SNI
plugin_PROGRAMS += plugins/sni.so
%C%_parts = %D%/sni.h %D%/sni_cover.c %D%/sni_handler.c %D%/sni_hello.c %D%/sni_http.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/sni/test_sni plugins/sni/test_sni_flow
%C%_test_sni_SOURCES = %D%/sni.h %D%/sni_hello.c %D%/sni_http.c %D%/test_sni.c
%C%_test_sni_LDADD = $(TEST_LIBS)
%C%_test_sni_flow_SOURCES = %D%/test_sni_flow.c $(%C%_parts)
%C%_test_sni_flow_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/sni/fuzz_sni
%C%_fuzz_sni_SOURCES = %D%/fuzz_sni.c %D%/sni.h %D%/sni_hello.c %D%/sni_http.c
%C%_fuzz_sni_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_sni_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/captures %D%/corpus %D%/transcripts
