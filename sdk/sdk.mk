# sdk - the installed headers, the engine, the helpers, the test kit, gost-plugin-check.
# SPDX-License-Identifier: MIT

gostincludedir = $(includedir)/gost
gostinclude_HEADERS = \
	%D%/include/gost/action.h \
	%D%/include/gost/addr.h \
	%D%/include/gost/ask.h \
	%D%/include/gost/base.h \
	%D%/include/gost/component.h \
	%D%/include/gost/host.h \
	%D%/include/gost/http1.h \
	%D%/include/gost/io.h \
	%D%/include/gost/options.h \
	%D%/include/gost/plugin.h \
	%D%/include/gost/policy.h \
	%D%/include/gost/session.h \
	%D%/include/gost/transport.h \
	%D%/testkit/kit.h

lib_LIBRARIES += libgost-engine.a libgost-helpers.a libgost-testkit.a

# The engine, and how plugin files are read and loaded: what the host and the test kit share.
ENGINE_CPPFLAGS = -I$(top_srcdir)/sdk/engine -I$(top_srcdir)/sdk/loader
libgost_engine_a_SOURCES = $(ENGINE_PARTS) $(LOADER_PARTS)
libgost_engine_a_CPPFLAGS = $(AM_CPPFLAGS) $(ENGINE_CPPFLAGS)
ENGINE_PARTS = \
	%D%/engine/action.c \
	%D%/engine/bottom.c \
	%D%/engine/engine.h \
	%D%/engine/host_table.c \
	%D%/engine/inspect.c \
	%D%/engine/inst.c \
	%D%/engine/internal.h \
	%D%/engine/limit.c \
	%D%/engine/options.c \
	%D%/engine/options.h \
	%D%/engine/options_number.c \
	%D%/engine/options_parse.c \
	%D%/engine/parcel.c \
	%D%/engine/pump.c \
	%D%/engine/queue.c \
	%D%/engine/session.c \
	%D%/engine/session_watch.c \
	%D%/engine/session_dgram.c \
	%D%/engine/session_use.c \
	%D%/engine/session_request.c \
	%D%/engine/stack.c \
	%D%/engine/task.c \
	%D%/engine/timer.c \
	%D%/engine/worker.c
LOADER_PARTS = \
	%D%/loader/describe.c \
	%D%/loader/elf.c \
	%D%/loader/load.c \
	%D%/loader/loader.h \
	%D%/loader/man.c \
	%D%/loader/note.c \
	%D%/loader/table.c

libgost_helpers_a_SOURCES = \
	%D%/helpers/addr.c \
	%D%/helpers/age.h \
	%D%/helpers/base64.h \
	%D%/helpers/decoy.c \
	%D%/helpers/decoy.h \
	%D%/helpers/exchange.c \
	%D%/helpers/exchange.h \
	%D%/helpers/exchange_proxy.c \
	%D%/helpers/exchange_proxy.h \
	%D%/helpers/headblock.c \
	%D%/helpers/headblock.h \
	%D%/helpers/http1.c \
	%D%/helpers/http1.h \
	%D%/helpers/http1_body.c \
	%D%/helpers/http1_build.c \
	%D%/helpers/http1_client.c \
	%D%/helpers/http1_client.h \
	%D%/helpers/http1_client_read.c \
	%D%/helpers/http1_exchange.c \
	%D%/helpers/http1_fields.c \
	%D%/helpers/http1_fields.h \
	%D%/helpers/http1_port.c \
	%D%/helpers/http1_port.h \
	%D%/helpers/http1_post.c \
	%D%/helpers/http1_post.h \
	%D%/helpers/inet_socket.c \
	%D%/helpers/policy_text.c \
	%D%/helpers/policy_text.h \
	%D%/helpers/relay_message.c \
	%D%/helpers/relay_message.h \
	%D%/helpers/relay_port.c \
	%D%/helpers/sockaddr.c \
	%D%/helpers/sockaddr.h \
	%D%/helpers/udpframe.c \
	%D%/helpers/udpframe.h \
	%D%/helpers/udpframe_layer.c \
	%D%/helpers/unverified.h

# With fuzz_main.c, the main() of fuzz targets that replay their corpus. The linker takes it only
# where there is no other: neither a test's own nor libFuzzer's.
libgost_testkit_a_SOURCES = \
	%D%/testkit/answer.c \
	%D%/testkit/fuzz.c \
	%D%/testkit/fuzz_main.c \
	%D%/testkit/grade.c \
	%D%/testkit/grade_growth.c \
	%D%/testkit/grade_parts.c \
	%D%/testkit/grade_process.c \
	%D%/testkit/grade_table.c \
	%D%/testkit/kit.c \
	%D%/testkit/kit_internal.h \
	%D%/testkit/play.c \
	%D%/testkit/script.c \
	%D%/testkit/script.h \
	%D%/testkit/transcript.c \
	%D%/testkit/user.c \
	%D%/testkit/values.c \
	%D%/testkit/watch.c \
	%D%/testkit/world.c \
	%D%/testkit/world.h
libgost_testkit_a_CPPFLAGS = $(AM_CPPFLAGS) $(ENGINE_CPPFLAGS)

bin_PROGRAMS += gost-plugin-check
gost_plugin_check_SOURCES = %D%/testkit/names.c %D%/testkit/plugin_check.c
gost_plugin_check_LDFLAGS = $(AM_LDFLAGS) -Wl,--export-dynamic-symbol=getaddrinfo
gost_plugin_check_CPPFLAGS = $(AM_CPPFLAGS) $(ENGINE_CPPFLAGS)
gost_plugin_check_LDADD = $(TEST_LIBS)

# What unit tests and fuzz targets are linked with.
TEST_LIBS = libgost-testkit.a libgost-engine.a libgost-helpers.a $(DL_LIBS) -lm
FUZZ_LIBS = $(TEST_LIBS)

pkgconfig_DATA = gost-host-sdk.pc gost-host-testkit.pc

# What tests of plugins, of the engine and of the host include.
EXTRA_DIST += \
	%D%/testkit/test_capture.h \
	%D%/testkit/test_embed.h \
	%D%/testkit/test_exchange.h \
	%D%/testkit/test_flow.h \
	%D%/testkit/test_layer.h \
	%D%/testkit/test_mux.h \
	%D%/testkit/test_plugin.h \
	%D%/testkit/test_session.h \
	%D%/testkit/test_sides.h \
	%D%/testkit/test_tap.h \
	%D%/testkit/test_task.h \
	%D%/testkit/test_wire.h

EXTRA_DIST += %D%/README.md %D%/testkit/README.md
