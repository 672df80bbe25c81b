# hosts - policy index: names with fixed addresses.
# SPDX-License-Identifier: MIT

if PLUGIN_HOSTS
plugin_PROGRAMS += plugins/hosts.so
%C%_so_SOURCES = \
	%D%/hosts.c \
	%D%/hosts.h \
	%D%/hosts_table.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/hosts/test_hosts
%C%_test_hosts_SOURCES = %D%/test_hosts.c %D%/hosts_table.c
%C%_test_hosts_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/hosts/fuzz_hosts
%C%_fuzz_hosts_SOURCES = %D%/fuzz_hosts.c %D%/hosts_table.c
%C%_fuzz_hosts_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_hosts_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
