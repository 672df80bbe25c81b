/* ssh_channel.h - what the two files of channels share. */
/* SPDX-License-Identifier: MIT */
#ifndef SSH_CHANNEL_H
#define SSH_CHANNEL_H

#include "ssh.h"

int ssh_send_channel(struct ssh_state *s, uint8_t type, uint32_t peer_id);
int ssh_send_close(struct ssh_state *s, struct ssh_channel *c);
/* Our end; remembered where the channel is not open yet. */
int ssh_send_eof(struct ssh_state *s, struct ssh_channel *c);
/* n bytes of the window are free again. */
int ssh_consumed(struct ssh_state *s, struct ssh_channel *c, size_t n);

#endif
