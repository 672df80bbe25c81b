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
    SOCKS5_SERVER_MBIND,   /* MUX BIND: the port, ... */
    SOCKS5_SERVER_SESSION, /* ... the session, ... */
    SOCKS5_SERVER_VISITOR, /* ... and for each connection: it, its stream, its flow */
    SOCKS5_SERVER_STREAM,
    SOCKS5_SERVER_CHILD,
    SOCKS5_SERVER_RELAY
};

enum socks5_server_port { SOCKS5_CLIENT = 0, SOCKS5_REMOTE = 1, SOCKS5_OUT = 2, SOCKS5_STREAM = 3 };

/* The request in s is complete: start it. GOST_AGAIN or an error. */
int socks5_command(struct socks5_server *s, const struct socks5_handler_conf *cf,
                   struct gost_io *io);

/* A command's action ended. */
int socks5_result(struct socks5_server *s, const struct socks5_handler_conf *cf, struct gost_io *io,
                  const struct gost_event *ev);

/* MUX BIND (socks5_mbind.c): wait for a visitor; it came; its stream is there; an action failed. */
int socks5_mbind_next(struct socks5_server *s, struct gost_io *io);
int socks5_mbind_visitor(struct socks5_server *s, struct gost_io *io, const struct gost_addr *peer);
int socks5_mbind_stream(struct socks5_server *s, const struct socks5_handler_conf *cf,
                        struct gost_io *io);
int socks5_mbind_failed(struct socks5_server *s, struct gost_io *io, const struct gost_event *ev);

#endif
