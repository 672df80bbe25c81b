# quic - the quic layer, the quic listener and dialer.
# SPDX-License-Identifier: MIT

if PLUGIN_QUIC
plugin_PROGRAMS += plugins/quic.so
%C%_parts = \
	%D%/quic.c \
	%D%/quic.h \
	%D%/quic_cert.c \
	%D%/quic_compat.h \
	%D%/quic_conn.c \
	%D%/quic_cred.c \
	%D%/quic_route.c \
	%D%/quic_seal.c \
	%D%/quic_step.c \
	%D%/quic_stream.c \
	%D%/quic_tls.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_CFLAGS = $(AM_CFLAGS) $(PLUGIN_QUIC_CFLAGS)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_QUIC_LIBS)

TAP_TESTS += plugins/quic/test_quic
%C%_test_quic_SOURCES = %D%/test_quic.c %D%/test_world.h $(%C%_parts)
%C%_test_quic_CPPFLAGS = $(AM_CPPFLAGS) $(ENGINE_CPPFLAGS)
%C%_test_quic_CFLAGS = $(AM_CFLAGS) $(PLUGIN_QUIC_CFLAGS)
%C%_test_quic_LDADD = $(TEST_LIBS) $(PLUGIN_QUIC_LIBS)

FUZZ_TESTS += plugins/quic/fuzz_quic
%C%_fuzz_quic_SOURCES = %D%/fuzz_quic.c %D%/test_world.h $(%C%_parts)
%C%_fuzz_quic_CPPFLAGS = $(AM_CPPFLAGS) $(ENGINE_CPPFLAGS)
%C%_fuzz_quic_CFLAGS = $(AM_CFLAGS) $(PLUGIN_QUIC_CFLAGS)
%C%_fuzz_quic_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_quic_LDADD = $(FUZZ_LIBS) $(TEST_LIBS) $(PLUGIN_QUIC_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
