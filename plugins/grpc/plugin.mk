# grpc - the layer grpc, the listener and dialer grpc.
# SPDX-License-Identifier: MIT

if PLUGIN_GRPC
plugin_PROGRAMS += plugins/grpc.so
%C%_parts = %D%/grpc.c %D%/grpc.h %D%/grpc_frame.c %D%/grpc_layer.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/grpc/test_grpc
%C%_test_grpc_SOURCES = sdk/testkit/test_plugin.h %D%/test_grpc.c $(%C%_parts)
%C%_test_grpc_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/grpc/fuzz_grpc
%C%_fuzz_grpc_SOURCES = %D%/fuzz_grpc.c %D%/grpc.h %D%/grpc_frame.c
%C%_fuzz_grpc_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_grpc_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
