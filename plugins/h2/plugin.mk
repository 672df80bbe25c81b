# h2 - the layers h2 and h2tunnel, the listeners and dialers h2 and h2c.
# SPDX-License-Identifier: MIT

if PLUGIN_H2
plugin_PROGRAMS += plugins/h2.so
%C%_so_SOURCES = \
	%D%/h2.c \
	%D%/h2.h \
	%D%/h2_head.c \
	%D%/h2_recv.c \
	%D%/h2_send.c \
	%D%/h2_session.c \
	%D%/h2_stream.c \
	%D%/h2_tunnel.c
%C%_so_CFLAGS = $(AM_CFLAGS) $(PLUGIN_H2_CFLAGS)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_H2_LIBS)
endif

EXTRA_DIST += %D%/README.md
