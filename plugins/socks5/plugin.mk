# socks5 - SOCKS version 5, handler and connector.
# SPDX-License-Identifier: MIT

if PLUGIN_SOCKS5
plugin_PROGRAMS += plugins/socks5.so
%C%_so_SOURCES = %D%/socks5.c %D%/socks5.h %D%/socks5_bind.c %D%/socks5_client.h \
	%D%/socks5_commands.c %D%/socks5_connector.c %D%/socks5_mbind.c \
	%D%/socks5_handler.c %D%/socks5_server.h %D%/socks5_udp.c %D%/socks5_wire.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/socks5/test_socks5
%C%_test_socks5_SOURCES = %D%/test_socks5.c %D%/socks5_wire.c
%C%_test_socks5_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/socks5/fuzz_socks5
%C%_fuzz_socks5_SOURCES = %D%/fuzz_socks5.c %D%/socks5_wire.c
%C%_fuzz_socks5_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_socks5_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/captures %D%/corpus
