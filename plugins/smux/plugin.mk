# smux - the smux layer; listeners and dialers mtcp and mtls.
# SPDX-License-Identifier: MIT

if PLUGIN_SMUX
plugin_PROGRAMS += plugins/smux.so
%C%_so_SOURCES = \
	%D%/smux.c \
	%D%/smux.h \
	%D%/smux_session.c \
	%D%/smux_step.c \
	%D%/smux_wire.c \
	%D%/smux_wire.h
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)
endif

EXTRA_DIST += %D%/README.md
