# smux - the smux layer; listeners and dialers mtcp and mtls.
# SPDX-License-Identifier: MIT

if PLUGIN_SMUX
plugin_PROGRAMS += plugins/smux.so
%C%_parts = \
	%D%/smux.c \
	%D%/smux.h \
	%D%/smux_session.c \
	%D%/smux_step.c \
	%D%/smux_turns.c \
	%D%/smux_wire.c \
	%D%/smux_wire.h \
	%D%/yamux.h \
	%D%/yamux_session.c \
	%D%/yamux_step.c \
	%D%/yamux_wire.c \
	%D%/yamux_wire.h
%C%_so_SOURCES = $(%C%_parts)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/smux/test_smux plugins/smux/test_yamux
%C%_test_smux_SOURCES = %D%/test_smux.c %D%/test_world.h $(%C%_parts)
%C%_test_smux_LDADD = $(TEST_LIBS)
%C%_test_yamux_SOURCES = %D%/test_yamux.c %D%/test_world.h $(%C%_parts)
%C%_test_yamux_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/smux/fuzz_smux plugins/smux/fuzz_yamux
%C%_fuzz_smux_SOURCES = %D%/fuzz_session.h %D%/fuzz_smux.c %D%/test_world.h $(%C%_parts)
%C%_fuzz_smux_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_smux_LDADD = $(FUZZ_LIBS)
%C%_fuzz_yamux_SOURCES = %D%/fuzz_session.h %D%/fuzz_yamux.c %D%/test_world.h $(%C%_parts)
%C%_fuzz_yamux_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_yamux_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/transcripts %D%/corpus
