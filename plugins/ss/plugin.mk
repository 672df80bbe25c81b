# ss - Shadowsocks, handlers and connectors.
# SPDX-License-Identifier: MIT

ss_crypto_sources = %D%/ss_blake3.c %D%/ss_blake3.h %D%/ss_crypto.c %D%/ss_crypto.h \
	%D%/ss_derive.c
ss_memory_sources = %D%/ss_memory.c %D%/ss_memory.h \
	%D%/ss_replay.c %D%/ss_replay.h %D%/ss_session.c %D%/ss_session.h
ss_packet_sources = $(ss_crypto_sources) $(ss_memory_sources) %D%/ss.h %D%/ss_header.c \
	%D%/ss_header.h %D%/ss_keys.c %D%/ss_keys.h %D%/ss_packet.c %D%/ss_packet.h \
	%D%/ss_packet22.c
ss_sources = $(ss_packet_sources) %D%/ss.c %D%/ss_chunks.c %D%/ss_client.c %D%/ss_connector.c \
	%D%/ss_handler.c %D%/ss_server.c %D%/ss_stream.c %D%/ss_stream.h %D%/ss_upgrade.c \
	%D%/ssu_handler.c
ss_cflags = $(AM_CFLAGS) $(PLUGIN_SS_CFLAGS)

if PLUGIN_SS
plugin_PROGRAMS += plugins/ss.so
%C%_so_SOURCES = $(ss_sources)
%C%_so_CFLAGS = $(ss_cflags)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_SS_LIBS)

TAP_TESTS += plugins/ss/test_ss_blake3 plugins/ss/test_ss_crypto plugins/ss/test_ss_exchange \
	plugins/ss/test_ss_packet plugins/ss/test_ss_stream
%C%_test_ss_blake3_SOURCES = %D%/ss_blake3.c %D%/ss_blake3.h %D%/test_ss_blake3.c \
	sdk/testkit/test_capture.h
%C%_test_ss_blake3_LDADD = $(TEST_LIBS)
%C%_test_ss_crypto_SOURCES = $(ss_packet_sources) %D%/ss_upgrade.c %D%/test_methods.h \
	%D%/test_ss_crypto.c sdk/testkit/test_capture.h
%C%_test_ss_crypto_CFLAGS = $(ss_cflags)
%C%_test_ss_crypto_LDADD = $(TEST_LIBS) $(PLUGIN_SS_LIBS)
%C%_test_ss_exchange_SOURCES = $(ss_sources) %D%/test_ss_exchange.c sdk/testkit/test_capture.h
%C%_test_ss_exchange_CFLAGS = $(ss_cflags)
%C%_test_ss_exchange_LDADD = $(TEST_LIBS) $(PLUGIN_SS_LIBS)
%C%_test_ss_packet_SOURCES = $(ss_packet_sources) %D%/ss_upgrade.c %D%/test_methods.h \
	%D%/test_ss_packet.c sdk/testkit/test_capture.h
%C%_test_ss_packet_CFLAGS = $(ss_cflags)
%C%_test_ss_packet_LDADD = $(TEST_LIBS) $(PLUGIN_SS_LIBS)
%C%_test_ss_stream_SOURCES = $(ss_sources) %D%/test_methods.h %D%/test_ss_stream.c \
	sdk/testkit/test_capture.h sdk/testkit/test_flow.h
%C%_test_ss_stream_CFLAGS = $(ss_cflags)
%C%_test_ss_stream_LDADD = $(TEST_LIBS) $(PLUGIN_SS_LIBS)

FUZZ_TESTS += plugins/ss/fuzz_ss_blake3 plugins/ss/fuzz_ss_header plugins/ss/fuzz_ss_packet \
	plugins/ss/fuzz_ss_stream
%C%_fuzz_ss_blake3_SOURCES = %D%/fuzz_ss_blake3.c %D%/ss_blake3.c %D%/ss_blake3.h
%C%_fuzz_ss_blake3_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_ss_blake3_LDADD = $(FUZZ_LIBS)
%C%_fuzz_ss_header_SOURCES = $(ss_packet_sources) %D%/fuzz_ss_header.c %D%/ss_upgrade.c
%C%_fuzz_ss_header_CFLAGS = $(ss_cflags)
%C%_fuzz_ss_header_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_ss_header_LDADD = $(FUZZ_LIBS) $(PLUGIN_SS_LIBS)
%C%_fuzz_ss_packet_SOURCES = $(ss_packet_sources) %D%/fuzz_ss_packet.c %D%/ss_upgrade.c \
	%D%/test_methods.h
%C%_fuzz_ss_packet_CFLAGS = $(ss_cflags)
%C%_fuzz_ss_packet_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_ss_packet_LDADD = $(FUZZ_LIBS) $(PLUGIN_SS_LIBS)
%C%_fuzz_ss_stream_SOURCES = $(ss_sources) %D%/fuzz_ss_stream.c
%C%_fuzz_ss_stream_CFLAGS = $(ss_cflags)
%C%_fuzz_ss_stream_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_ss_stream_LDADD = $(FUZZ_LIBS) $(PLUGIN_SS_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus %D%/transcripts
