# resolver - remote policy: addresses of names from name servers.
# SPDX-License-Identifier: MIT

if PLUGIN_RESOLVER
plugin_PROGRAMS += plugins/resolver.so
%C%_so_SOURCES = \
	%D%/resolver.c \
	%D%/resolver.h \
	%D%/resolver_server.c \
	%D%/resolver_wire.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/resolver/test_resolver
%C%_test_resolver_SOURCES = %D%/test_resolver.c %D%/resolver_server.c \
	%D%/resolver_wire.c
%C%_test_resolver_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/resolver/fuzz_resolver
%C%_fuzz_resolver_SOURCES = %D%/fuzz_resolver.c %D%/resolver_server.c \
	%D%/resolver_wire.c
%C%_fuzz_resolver_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_resolver_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
