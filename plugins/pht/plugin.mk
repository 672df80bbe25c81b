# pht - the plain HTTP tunnel: layer, listeners and dialers.
# SPDX-License-Identifier: MIT

if PLUGIN_PHT
plugin_PROGRAMS += plugins/pht.so
%C%_parts = \
	%D%/pht.c \
	%D%/pht.h \
	%D%/pht_answer.c \
	%D%/pht_client.c \
	%D%/pht_gate.c \
	%D%/pht_line.c \
	%D%/pht_request.c \
	%D%/pht_tunnel.c \
	%D%/pht_wire.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)
endif

EXTRA_DIST += %D%/README.md
