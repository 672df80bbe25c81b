/* socks5.h - SOCKS5 messages (RFC 1928, RFC 1929, GOST's extensions), without state. */
/* SPDX-License-Identifier: MIT */
#ifndef SOCKS5_H
#define SOCKS5_H

#include <gost/addr.h>
#include <gost/component.h>

enum socks5_method {
    SOCKS5_NO_AUTH = 0x00,
    SOCKS5_USERPASS = 0x02,
    SOCKS5_TLS = 0x80,      /* GOST: TLS, then no authentication */
    SOCKS5_TLS_AUTH = 0x82, /* GOST: TLS, then RFC 1929 inside */
    SOCKS5_NONE = 0xff
};

enum socks5_command {
    SOCKS5_CONNECT = 0x01,
    SOCKS5_BIND = 0x02,
    SOCKS5_UDP = 0x03,
    SOCKS5_RESOLVE = 0xf0,
    SOCKS5_RESOLVE_PTR = 0xf1,
    SOCKS5_MBIND = 0xf2,
    SOCKS5_UDP_TUN = 0xf3
};

enum socks5_reply {
    SOCKS5_OK = 0,
    SOCKS5_FAILURE = 1,
    SOCKS5_DENIED = 2,
    SOCKS5_NET_UNREACHABLE = 3,
    SOCKS5_HOST_UNREACHABLE = 4,
    SOCKS5_REFUSED = 5,
    SOCKS5_EXPIRED = 6,
    SOCKS5_UNSUPPORTED = 7,
    SOCKS5_BAD_ADDRESS = 8
};

/*
 * Parsers: bytes used (> 0); 0: more are needed; GOST_EPROTO. Views point into the input. [any]
 */

/* "05 NMETHODS METHODS": offered gets one bit per method in 0..255. */
struct socks5_offer {
    uint8_t offered[32];
};
int socks5_parse_offer(struct gost_bytes in, struct socks5_offer *ret_offer);
int socks5_offers(const struct socks5_offer *offer, uint8_t method);

/* "01 ULEN USER PLEN PASSWORD" (RFC 1929). */
int socks5_parse_userpass(struct gost_bytes in, struct gost_bytes *ret_user,
                          struct gost_bytes *ret_password);

/* "05 CMD 00 ATYP ADDR PORT"; a reply has the same shape with REP for CMD. */
int socks5_parse_request(struct gost_bytes in, uint8_t *ret_command, struct gost_addr *ret_addr);

/* Writers return the length. */
#define SOCKS5_REQUEST_MAX (3 + GOST_SOCKS_ADDR_MAX)
size_t socks5_put_request(uint8_t buf[SOCKS5_REQUEST_MAX], uint8_t command,
                          const struct gost_addr *addr);
#define SOCKS5_USERPASS_MAX 513
size_t socks5_put_userpass(uint8_t buf[SOCKS5_USERPASS_MAX], struct gost_bytes user,
                           struct gost_bytes password);

/* What a client is told about an error of ours, and what a reply means to us. */
uint8_t socks5_reply_of(int error);
int socks5_error_of(uint8_t reply);
const char *socks5_reply_text(uint8_t reply);

/* Datagram codec between a UDP socket and packets with addresses: "00 00 00 ATYP ADDR PORT DATA".
 * */
extern const struct gost_layer_ops socks5_udp_layer;
struct socks5_udp_state {
    struct gost_addr peer; /* server: who spoke last; client: the proxy's address stays its own */
    int heard;
};

/* UPGRADE of port 0 to a session, for MUX BIND. */
int socks5_become_session(struct gost_io *io, uint32_t tag, uint32_t role);

extern const struct gost_handler_ops socks5_handler_ops, socks5_visitor_ops;
extern const struct gost_connector_ops socks5_connector_ops;

struct socks5_handler_conf {
    uint64_t read_timeout;
    uint32_t notls, bind, udp, comp, resolve_domain, require_auth, sniffing;
    int64_t port_min, port_max;
    uint64_t buffer_size;
    const char *public_addr, *hash, *user;
    struct gost_addr public_parsed;
};

struct socks5_connector_conf {
    uint64_t timeout, udp_timeout, buffer_size;
    uint32_t notls, relay, bind_plain;
    struct gost_bytes user, password;
};

#define SOCKS5_HANDLER_STATE   sizeof(struct socks5_server)
#define SOCKS5_CONNECTOR_STATE sizeof(struct socks5_client)

struct socks5_server {
    uint8_t phase, method, command, authed;
    struct gost_addr target, bound;
};

struct socks5_client {
    uint8_t phase, method, udp_relay;
    struct gost_addr bound;
};

int socks5_handler_prepare(void *conf, struct gost_prepare *p);

#endif
