# relay - handler and connector.
# SPDX-License-Identifier: MIT

if PLUGIN_RELAY
plugin_PROGRAMS += plugins/relay.so
%C%_so_SOURCES = \
	%D%/relay.c \
	%D%/relay.h \
	%D%/relay_bind.c \
	%D%/relay_connector.c \
	%D%/relay_handler.c \
	%D%/relay_lazy.c \
	%D%/relay_request.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/relay/test_relay
%C%_test_relay_SOURCES = %D%/test_relay.c %D%/relay_request.c
%C%_test_relay_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/relay/fuzz_relay
%C%_fuzz_relay_SOURCES = %D%/fuzz_relay.c %D%/relay_request.c
%C%_fuzz_relay_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_relay_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/captures %D%/corpus
