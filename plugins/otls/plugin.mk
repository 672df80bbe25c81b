# otls - TLS obfuscation, layer, listener and dialer.
# SPDX-License-Identifier: MIT

if PLUGIN_OTLS
plugin_PROGRAMS += plugins/otls.so
%C%_parts = %D%/otls.c %D%/otls.h %D%/otls_layer.c %D%/otls_wire.c %D%/otls_wire.h
%C%_so_SOURCES = $(%C%_parts)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/otls/test_otls
%C%_test_otls_SOURCES = \
	sdk/testkit/test_capture.h \
	sdk/testkit/test_layer.h \
	%D%/test_otls.c \
	$(%C%_parts)
%C%_test_otls_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/otls/fuzz_otls
%C%_fuzz_otls_SOURCES = \
	sdk/testkit/test_capture.h \
	sdk/testkit/test_layer.h \
	%D%/fuzz_otls.c \
	$(%C%_parts)
%C%_fuzz_otls_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_otls_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/captures %D%/corpus
