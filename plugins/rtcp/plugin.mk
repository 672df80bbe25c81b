# rtcp - listeners at the other end of a chain.
# SPDX-License-Identifier: MIT

if PLUGIN_RTCP
plugin_PROGRAMS += plugins/rtcp.so
%C%_so_SOURCES = %D%/rtcp.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)
endif

EXTRA_DIST += %D%/README.md
