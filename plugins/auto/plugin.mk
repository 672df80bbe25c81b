# auto - SOCKS4, SOCKS5, HTTP and TLS by server name on one port.
# SPDX-License-Identifier: MIT

if PLUGIN_AUTO
plugin_PROGRAMS += plugins/auto.so
%C%_so_SOURCES = \
	%D%/auto.c \
	%D%/auto.h \
	%D%/auto_choose.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/auto/test_auto
%C%_test_auto_SOURCES = %D%/auto.h %D%/auto_choose.c %D%/test_auto.c
%C%_test_auto_LDADD = $(TEST_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/captures
