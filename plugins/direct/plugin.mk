# direct - a node that is no proxy: dialer and connector.
# SPDX-License-Identifier: MIT

if PLUGIN_DIRECT
plugin_PROGRAMS += plugins/direct.so
%C%_so_SOURCES = %D%/direct.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)
endif

EXTRA_DIST += %D%/README.md
