# h1 - HTTP/1.1 as exchanges, the layer.
# SPDX-License-Identifier: MIT

if PLUGIN_H1
plugin_PROGRAMS += plugins/h1.so
%C%_parts = \
	%D%/h1.c \
	%D%/h1.h \
	%D%/h1_head.c \
	%D%/h1_layer.c \
	%D%/h1_read.c \
	%D%/h1_write.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)
endif

EXTRA_DIST += %D%/README.md
