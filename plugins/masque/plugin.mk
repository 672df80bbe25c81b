# masque - MASQUE proxy, handler and connector; the dialer h3-masque.
# SPDX-License-Identifier: MIT

if PLUGIN_MASQUE
plugin_PROGRAMS += plugins/masque.so
%C%_parts = \
	%D%/masque.c \
	%D%/masque.h \
	%D%/masque_connector.c \
	%D%/masque_handler.c \
	%D%/masque_path.c \
	%D%/masque_udp.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/masque/test_masque
%C%_test_masque_SOURCES = \
	sdk/testkit/test_mux.h \
	sdk/testkit/test_task.h \
	%D%/test_masque.c \
	$(%C%_parts)
%C%_test_masque_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/masque/fuzz_masque
%C%_fuzz_masque_SOURCES = %D%/fuzz_masque.c %D%/masque.h %D%/masque_path.c
%C%_fuzz_masque_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_masque_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
