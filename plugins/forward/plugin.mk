# forward - port forwarding.
# SPDX-License-Identifier: MIT

if PLUGIN_FORWARD
plugin_PROGRAMS += plugins/forward.so
%C%_so_SOURCES = %D%/forward.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/captures
