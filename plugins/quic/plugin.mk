# quic - the quic layer, the quic listener and dialer.
# SPDX-License-Identifier: MIT

if PLUGIN_QUIC
plugin_PROGRAMS += plugins/quic.so
%C%_so_SOURCES = \
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
%C%_so_CFLAGS = $(AM_CFLAGS) $(PLUGIN_QUIC_CFLAGS)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_QUIC_LIBS)
endif

EXTRA_DIST += %D%/README.md
