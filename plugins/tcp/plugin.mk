# tcp - TCP listener and dialer.
# SPDX-License-Identifier: MIT

if PLUGIN_TCP
plugin_PROGRAMS += plugins/tcp.so
%C%_so_SOURCES = \
	%D%/tcp.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)
endif

EXTRA_DIST += %D%/README.md
