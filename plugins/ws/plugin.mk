# ws - the WebSocket layer, and the listeners and dialers on it.
# SPDX-License-Identifier: MIT

if PLUGIN_WS
plugin_PROGRAMS += plugins/ws.so
%C%_so_SOURCES = \
	%D%/ws.c \
	%D%/ws.h \
	%D%/ws_answer.c \
	%D%/ws_client.c \
	%D%/ws_deflate.c \
	%D%/ws_frame.c \
	%D%/ws_frame.h \
	%D%/ws_key.c \
	%D%/ws_offer.c \
	%D%/ws_path.c \
	%D%/ws_path.h \
	%D%/ws_read.c \
	%D%/ws_server.c \
	%D%/ws_step.c \
	%D%/ws_write.c
%C%_so_CFLAGS = $(AM_CFLAGS) $(PLUGIN_WS_CFLAGS)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_WS_LIBS)
endif
