# ssh - the layers ssh and sshd, their listeners and dialers; handler and connector sshd.
# SPDX-License-Identifier: MIT

if PLUGIN_SSH
plugin_PROGRAMS += plugins/ssh.so
%C%_parts = \
	%D%/ssh.c \
	%D%/ssh.h \
	%D%/ssh_auth_client.c \
	%D%/ssh_auth_server.c \
	%D%/ssh_bcrypt.c \
	%D%/ssh_bcrypt.h \
	%D%/ssh_channel.c \
	%D%/ssh_channel.h \
	%D%/ssh_channel_recv.c \
	%D%/ssh_cipher.c \
	%D%/ssh_conf.c \
	%D%/ssh_kex.c \
	%D%/ssh_kex.h \
	%D%/ssh_kex_secret.c \
	%D%/ssh_key.c \
	%D%/ssh_key.h \
	%D%/ssh_keyfile.c \
	%D%/ssh_packet.c \
	%D%/ssh_request.c \
	%D%/ssh_step.c \
	%D%/ssh_wire.c \
	%D%/ssh_wire.h \
	%D%/sshd.h \
	%D%/sshd_addr.c \
	%D%/sshd_channel.c \
	%D%/sshd_connector.c \
	%D%/sshd_handler.c
%C%_so_SOURCES = $(%C%_parts)
%C%_so_CFLAGS = $(AM_CFLAGS) $(PLUGIN_SSH_CFLAGS)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_SSH_LIBS)

TAP_TESTS += plugins/ssh/test_ssh plugins/ssh/test_ssh_session
%C%_test_ssh_SOURCES = %D%/test_ssh.c %D%/test_world.h $(%C%_parts)
%C%_test_ssh_CFLAGS = $(AM_CFLAGS) $(PLUGIN_SSH_CFLAGS)
%C%_test_ssh_LDADD = $(TEST_LIBS) $(PLUGIN_SSH_LIBS)
%C%_test_ssh_session_SOURCES = %D%/test_ssh_session.c %D%/test_world.h $(%C%_parts)
%C%_test_ssh_session_CFLAGS = $(AM_CFLAGS) $(PLUGIN_SSH_CFLAGS) -DSSH_REKEY_BYTES=200000
%C%_test_ssh_session_LDADD = $(TEST_LIBS) $(PLUGIN_SSH_LIBS)

FUZZ_TESTS += plugins/ssh/fuzz_ssh
%C%_fuzz_ssh_SOURCES = %D%/fuzz_ssh.c %D%/test_world.h $(%C%_parts)
%C%_fuzz_ssh_CFLAGS = $(AM_CFLAGS) $(PLUGIN_SSH_CFLAGS)
%C%_fuzz_ssh_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_ssh_LDADD = $(FUZZ_LIBS) $(PLUGIN_SSH_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus %D%/keys
