# ohttp - HTTP obfuscation, layer, listener and dialer.
# SPDX-License-Identifier: MIT

if PLUGIN_OHTTP
plugin_PROGRAMS += plugins/ohttp.so
%C%_so_SOURCES = \
	%D%/ohttp.c \
	%D%/ohttp.h \
	%D%/ohttp_head.c \
	%D%/ohttp_layer.c
%C%_so_CFLAGS = $(AM_CFLAGS) $(PLUGIN_OHTTP_CFLAGS)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_OHTTP_LIBS)
endif
