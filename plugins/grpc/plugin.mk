# grpc - the layer grpc, the listener and dialer grpc.
# SPDX-License-Identifier: MIT

if PLUGIN_GRPC
plugin_PROGRAMS += plugins/grpc.so
%C%_so_SOURCES = \
	%D%/grpc.c \
	%D%/grpc.h \
	%D%/grpc_frame.c \
	%D%/grpc_layer.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)
endif

EXTRA_DIST += %D%/README.md
