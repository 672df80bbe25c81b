# limiter - policy indexes: rates of bytes, connections and requests.
# SPDX-License-Identifier: MIT

if PLUGIN_LIMITER
plugin_PROGRAMS += plugins/limiter.so
%C%_so_SOURCES = \
	%D%/limiter.c \
	%D%/limiter.h \
	%D%/limiter_number.c \
	%D%/limiter_number.h \
	%D%/limiter_rules.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/limiter/test_limiter
%C%_test_limiter_SOURCES = %D%/test_limiter.c \
	%D%/limiter_number.c %D%/limiter_rules.c
%C%_test_limiter_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/limiter/fuzz_limiter
%C%_fuzz_limiter_SOURCES = %D%/fuzz_limiter.c \
	%D%/limiter_number.c %D%/limiter_rules.c
%C%_fuzz_limiter_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_limiter_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
