# source - policy data from files and web servers.
# SPDX-License-Identifier: MIT

if PLUGIN_SOURCE
plugin_PROGRAMS += plugins/source.so
%C%_so_SOURCES = \
	%D%/source.c \
	%D%/source.h \
	%D%/source_file.c \
	%D%/source_http.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/source/test_source
%C%_test_source_SOURCES = %D%/test_source.c
%C%_test_source_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/source/fuzz_source
%C%_fuzz_source_SOURCES = %D%/fuzz_source.c
%C%_fuzz_source_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_source_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
