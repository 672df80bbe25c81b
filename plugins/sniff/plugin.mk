# sniff - finds out what a client speaks and which host it asks for; inspector.
# SPDX-License-Identifier: MIT

if PLUGIN_SNIFF
plugin_PROGRAMS += plugins/sniff.so
%C%_so_SOURCES = \
	%D%/sniff.c \
	%D%/sniff.h \
	%D%/sniff_detect.c \
	%D%/sniff_http.c \
	%D%/sniff_tls.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/sniff/test_sniff
%C%_test_sniff_SOURCES = \
	%D%/sniff.h \
	%D%/sniff_detect.c \
	%D%/sniff_http.c \
	%D%/sniff_tls.c \
	%D%/test_sniff.c
%C%_test_sniff_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/sniff/fuzz_sniff
%C%_fuzz_sniff_SOURCES = \
	%D%/fuzz_sniff.c \
	%D%/sniff.h \
	%D%/sniff_detect.c \
	%D%/sniff_http.c \
	%D%/sniff_tls.c
%C%_fuzz_sniff_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_sniff_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus %D%/transcripts
