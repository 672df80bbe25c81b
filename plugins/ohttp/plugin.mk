# ohttp - HTTP obfuscation, layer, listener and dialer.
# SPDX-License-Identifier: MIT

if PLUGIN_OHTTP
plugin_PROGRAMS += plugins/ohttp.so
%C%_parts = %D%/ohttp.c %D%/ohttp.h %D%/ohttp_head.c %D%/ohttp_layer.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_CFLAGS = $(AM_CFLAGS) $(PLUGIN_OHTTP_CFLAGS)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_OHTTP_LIBS)

TAP_TESTS += plugins/ohttp/test_ohttp
%C%_test_ohttp_SOURCES = \
	sdk/testkit/test_capture.h \
	sdk/testkit/test_layer.h \
	%D%/test_ohttp.c \
	$(%C%_parts)
%C%_test_ohttp_CFLAGS = $(AM_CFLAGS) $(PLUGIN_OHTTP_CFLAGS)
%C%_test_ohttp_LDADD = $(TEST_LIBS) $(PLUGIN_OHTTP_LIBS)

FUZZ_TESTS += plugins/ohttp/fuzz_ohttp
%C%_fuzz_ohttp_SOURCES = \
	sdk/testkit/test_capture.h \
	sdk/testkit/test_layer.h \
	%D%/fuzz_ohttp.c \
	$(%C%_parts)
%C%_fuzz_ohttp_CFLAGS = $(AM_CFLAGS) $(PLUGIN_OHTTP_CFLAGS)
%C%_fuzz_ohttp_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_ohttp_LDADD = $(FUZZ_LIBS) $(PLUGIN_OHTTP_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/captures %D%/corpus
