# h3 - the layer h3.
# SPDX-License-Identifier: MIT

if PLUGIN_H3
plugin_PROGRAMS += plugins/h3.so
%C%_parts = \
	%D%/h3.c \
	%D%/h3.h \
	%D%/h3_control.c \
	%D%/h3_frame.c \
	%D%/h3_head.c \
	%D%/h3_recv.c \
	%D%/h3_send.c \
	%D%/h3_session.c \
	%D%/h3_stream.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_CFLAGS = $(AM_CFLAGS) $(PLUGIN_H3_CFLAGS)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_H3_LIBS)
endif

EXTRA_DIST += %D%/README.md
