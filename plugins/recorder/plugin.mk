# recorder - records into files and to servers.
# SPDX-License-Identifier: MIT

if PLUGIN_RECORDER
plugin_PROGRAMS += plugins/recorder.so
%C%_so_SOURCES = \
	%D%/recorder.c \
	%D%/recorder.h \
	%D%/recorder_file.c \
	%D%/recorder_net.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)
endif

EXTRA_DIST += %D%/README.md
