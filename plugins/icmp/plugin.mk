# icmp - packets in ICMP echo messages, listeners and dialers icmp and icmp6.
# SPDX-License-Identifier: MIT

if PLUGIN_ICMP
plugin_PROGRAMS += plugins/icmp.so
%C%_so_SOURCES = \
	%D%/icmp.c \
	%D%/icmp.h \
	%D%/icmp_frame.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/icmp/test_icmp
%C%_test_icmp_SOURCES = \
	sdk/testkit/test_tap.h \
	%D%/icmp.h \
	%D%/icmp_frame.c \
	%D%/test_icmp.c
%C%_test_icmp_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/icmp/fuzz_icmp
%C%_fuzz_icmp_SOURCES = %D%/fuzz_icmp.c %D%/icmp.h %D%/icmp_frame.c
%C%_fuzz_icmp_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_icmp_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
