# udp - UDP listener and dialer.
# SPDX-License-Identifier: MIT

if PLUGIN_UDP
plugin_PROGRAMS += plugins/udp.so
%C%_so_SOURCES = \
	%D%/udp.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)
endif

EXTRA_DIST += %D%/README.md
