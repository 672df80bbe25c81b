# bypass - policy index: address patterns.
# SPDX-License-Identifier: MIT

if PLUGIN_BYPASS
plugin_PROGRAMS += plugins/bypass.so
%C%_so_SOURCES = \
	%D%/bypass.c \
	%D%/bypass.h \
	%D%/bypass_glob.c \
	%D%/bypass_set.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/bypass/test_bypass
%C%_test_bypass_SOURCES = %D%/test_bypass.c %D%/bypass_set.c %D%/bypass_glob.c
%C%_test_bypass_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/bypass/fuzz_bypass
%C%_fuzz_bypass_SOURCES = %D%/fuzz_bypass.c %D%/bypass_set.c %D%/bypass_glob.c
%C%_fuzz_bypass_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_bypass_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
