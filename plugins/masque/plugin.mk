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
endif

EXTRA_DIST += %D%/README.md
