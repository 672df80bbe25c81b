# otls - TLS obfuscation, layer, listener and dialer.
# SPDX-License-Identifier: MIT

if PLUGIN_OTLS
plugin_PROGRAMS += plugins/otls.so
%C%_so_SOURCES = \
	%D%/otls.c \
	%D%/otls.h \
	%D%/otls_layer.c \
	%D%/otls_wire.c \
	%D%/otls_wire.h
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)
endif
