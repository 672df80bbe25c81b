# unix - unix sockets: transport, handler, connector.
# SPDX-License-Identifier: MIT

if PLUGIN_UNIX
plugin_PROGRAMS += plugins/unix.so
%C%_so_SOURCES = \
	%D%/unix.c \
	%D%/unix.h \
	%D%/unix_handler.c \
	%D%/unix_mode.c \
	%D%/unix_transport.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/unix/test_unix
%C%_test_unix_SOURCES = %D%/test_unix.c %D%/unix_mode.c %D%/unix_transport.c
%C%_test_unix_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/unix/fuzz_unix
%C%_fuzz_unix_SOURCES = %D%/fuzz_unix.c %D%/unix_mode.c
%C%_fuzz_unix_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_unix_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/captures %D%/corpus
