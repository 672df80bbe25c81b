# sdk - the installed headers, the engine, the helpers, the test kit, gost-plugin-check.
# SPDX-License-Identifier: MIT

gostincludedir = $(includedir)/gost
gostinclude_HEADERS = \
	%D%/include/gost/action.h \
	%D%/include/gost/addr.h \
	%D%/include/gost/base.h \
	%D%/include/gost/component.h \
	%D%/include/gost/host.h \
	%D%/include/gost/http1.h \
	%D%/include/gost/io.h \
	%D%/include/gost/options.h \
	%D%/include/gost/plugin.h \
	%D%/include/gost/policy.h \
	%D%/include/gost/session.h \
	%D%/include/gost/transport.h

lib_LIBRARIES += libgost-engine.a libgost-helpers.a

libgost_engine_a_SOURCES = \
	%D%/engine/action.c \
	%D%/engine/bottom.c \
	%D%/engine/engine.h \
	%D%/engine/host_table.c \
	%D%/engine/inst.c \
	%D%/engine/internal.h \
	%D%/engine/options.c \
	%D%/engine/options.h \
	%D%/engine/options_number.c \
	%D%/engine/options_parse.c \
	%D%/engine/pump.c \
	%D%/engine/queue.c \
	%D%/engine/session.c \
	%D%/engine/stack.c \
	%D%/engine/task.c \
	%D%/engine/timer.c \
	%D%/engine/worker.c

libgost_helpers_a_SOURCES = \
	%D%/helpers/addr.c \
	%D%/helpers/http1.c \
	%D%/helpers/http1.h \
	%D%/helpers/http1_body.c \
	%D%/helpers/http1_build.c \
	%D%/helpers/inet_socket.c \
	%D%/helpers/sockaddr.c \
	%D%/helpers/sockaddr.h \
	%D%/helpers/udpframe.c \
	%D%/helpers/udpframe.h \
	%D%/helpers/udpframe_layer.c

# How plugin files are found, read and loaded: for the host and gost-plugin-check.
noinst_LIBRARIES += libgost-loader.a
libgost_loader_a_SOURCES = \
	%D%/loader/describe.c \
	%D%/loader/elf.c \
	%D%/loader/load.c \
	%D%/loader/loader.h \
	%D%/loader/man.c \
	%D%/loader/note.c \
	%D%/loader/table.c
libgost_loader_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/sdk/engine

# What unit tests are linked with.
TEST_LIBS = libgost-engine.a libgost-helpers.a $(DL_LIBS) -lm

pkgconfig_DATA = gost-host-sdk.pc gost-host-testkit.pc
