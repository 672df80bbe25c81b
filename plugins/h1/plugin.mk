# h1 - HTTP/1.1 as exchanges, the layer.
# SPDX-License-Identifier: MIT

if PLUGIN_H1
plugin_PROGRAMS += plugins/h1.so
%C%_parts = \
	%D%/h1.c \
	%D%/h1.h \
	%D%/h1_head.c \
	%D%/h1_layer.c \
	%D%/h1_read.c \
	%D%/h1_write.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/h1/test_h1
%C%_test_h1_SOURCES = \
	sdk/testkit/test_capture.h \
	sdk/testkit/test_exchange.h \
	%D%/test_h1.c \
	$(%C%_parts)
%C%_test_h1_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/h1/fuzz_h1
%C%_fuzz_h1_SOURCES = \
	sdk/testkit/test_capture.h \
	sdk/testkit/test_exchange.h \
	%D%/fuzz_h1.c \
	$(%C%_parts)
%C%_fuzz_h1_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_h1_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
