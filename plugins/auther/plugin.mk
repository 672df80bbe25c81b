# auther - policy index: user names and passwords.
# SPDX-License-Identifier: MIT

if PLUGIN_AUTHER
plugin_PROGRAMS += plugins/auther.so
%C%_so_SOURCES = \
	%D%/auther.c \
	%D%/auther.h \
	%D%/auther_table.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/auther/test_auther
%C%_test_auther_SOURCES = %D%/test_auther.c %D%/auther_table.c
%C%_test_auther_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/auther/fuzz_auther
%C%_fuzz_auther_SOURCES = %D%/fuzz_auther.c %D%/auther_table.c
%C%_fuzz_auther_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_auther_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
