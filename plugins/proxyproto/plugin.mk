# proxyproto - PROXY protocol layer.
# SPDX-License-Identifier: MIT

if PLUGIN_PROXYPROTO
plugin_PROGRAMS += plugins/proxyproto.so
%C%_so_SOURCES = \
	%D%/proxyproto.c \
	%D%/proxyproto.h \
	%D%/proxyproto_parse.c \
	%D%/proxyproto_put.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/proxyproto/test_proxyproto
%C%_test_proxyproto_SOURCES = %D%/test_proxyproto.c %D%/proxyproto_parse.c %D%/proxyproto_put.c
%C%_test_proxyproto_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/proxyproto/fuzz_proxyproto
%C%_fuzz_proxyproto_SOURCES = %D%/fuzz_proxyproto.c %D%/proxyproto_parse.c %D%/proxyproto_put.c
%C%_fuzz_proxyproto_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_proxyproto_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/captures %D%/corpus
