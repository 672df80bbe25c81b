# kcp - the kcp layer, the kcp listener and dialer.
# SPDX-License-Identifier: MIT

if PLUGIN_KCP
plugin_PROGRAMS += plugins/kcp.so
%C%_parts = \
	%D%/kcp.h \
	%D%/kcp_arq.c \
	%D%/kcp_arq.h \
	%D%/kcp_conf.c \
	%D%/kcp_crypt.c \
	%D%/kcp_crypt.h \
	%D%/kcp_fec.c \
	%D%/kcp_fec.h \
	%D%/kcp_fec_dec.c \
	%D%/kcp_object.c \
	%D%/kcp_plugin.c \
	%D%/kcp_rs.h \
	%D%/kcp_snappy.c \
	%D%/kcp_snappy.h \
	%D%/kcp_step.c \
	%D%/kcp_tea.c \
	%D%/kcp_tea.h
%C%_so_SOURCES = $(%C%_parts)
%C%_so_CFLAGS = $(AM_CFLAGS) $(PLUGIN_KCP_CFLAGS)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_KCP_LIBS)

TAP_TESTS += plugins/kcp/test_kcp
%C%_test_kcp_SOURCES = %D%/test_kcp.c $(%C%_parts)
%C%_test_kcp_CFLAGS = $(AM_CFLAGS) $(PLUGIN_KCP_CFLAGS)
%C%_test_kcp_LDADD = $(TEST_LIBS) $(PLUGIN_KCP_LIBS)

FUZZ_TESTS += plugins/kcp/fuzz_kcp
%C%_fuzz_kcp_SOURCES = %D%/fuzz_kcp.c $(%C%_parts)
%C%_fuzz_kcp_CFLAGS = $(AM_CFLAGS) $(PLUGIN_KCP_CFLAGS)
%C%_fuzz_kcp_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_kcp_LDADD = $(FUZZ_LIBS) $(PLUGIN_KCP_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
