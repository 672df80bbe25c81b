/* socks5_server.h - between the two files of the handler. */
/* SPDX-License-Identifier: MIT */
#ifndef SOCKS5_SERVER_H
#define SOCKS5_SERVER_H

#include <gost/host.h>

#include "socks5.h"

enum socks5_server_phase {
    SOCKS5_SERVER_PROBE,
    SOCKS5_SERVER_OFFER,
    SOCKS5_SERVER_TLS,
    SOCKS5_SERVER_USERPASS,
    SOCKS5_SERVER_AUTH,
    SOCKS5_SERVER_REQUEST,
    SOCKS5_SERVER_COMMAND, /* all below: negotiation is over */
    SOCKS5_SERVER_DIAL,
    SOCKS5_SERVER_BIND,
    SOCKS5_SERVER_ACCEPT,
    SOCKS5_SERVER_UDP_BIND,
    SOCKS5_SERVER_UDP_CODEC,
    SOCKS5_SERVER_UDP_OUT,
    SOCKS5_SERVER_TUN_OUT,
    SOCKS5_SERVER_TUN_CODEC,
    SOCKS5_SERVER_SNIFF,
    SOCKS5_SERVER_RELAY
};

enum socks5_server_port { SOCKS5_CLIENT = 0, SOCKS5_REMOTE = 1, SOCKS5_OUT = 2 };

/* The request in s is complete: start it. GOST_AGAIN or an error. */
int socks5_command(struct socks5_server *s, const struct socks5_handler_conf *cf,
                   struct gost_io *io);

/* A command's action ended. */
int socks5_result(struct socks5_server *s, const struct socks5_handler_conf *cf, struct gost_io *io,
                  const struct gost_event *ev);

#endif
