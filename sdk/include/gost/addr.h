/* addr.h - addresses: a name, an IP address or a path, with a port. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_ADDR_H
#define GOST_ADDR_H

#include <gost/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum gost_family {
    GOST_AF_NONE = 0, /* nothing known */
    GOST_AF_NAME =
        1, /* host name, not resolved: stays a name until the last hop needs an address */
    GOST_AF_IP4 = 4,
    GOST_AF_IP6 = 6,
    GOST_AF_UNIX = 7 /* path of a unix socket, a serial line or the like */
};

/* One address. Plain data: copy it freely. */
struct gost_addr {
    uint8_t family; /* enum gost_family */
    uint8_t len;    /* bytes used in name (NAME, UNIX), without the final zero */
    uint16_t port;  /* host byte order */
    uint32_t scope; /* IPv6 scope id, 0 when none */
    uint8_t ip[16]; /* IP4: first four bytes; IP6: all; network byte order */
    char name[256]; /* NAME, UNIX: zero-terminated text */
};

static inline int gost_addr_is_ip(const struct gost_addr *addr)
{
    return addr->family == GOST_AF_IP4 || addr->family == GOST_AF_IP6;
}

/* Longest text gost_addr_format() makes, final zero included. */
#define GOST_ADDR_TEXT 272

/*
 * The functions below are in the helpers library (libgost-helpers.a). All are [any], pure.
 */

/* Parse "host:port", "[v6]:port", "host", ":port" or "v6". A missing port is default_port; a
 * missing host gives GOST_AF_NONE with the port set. GOST_OK or GOST_EPROTO. */
int gost_addr_parse(struct gost_addr *ret_addr, const char *text, size_t n, uint16_t default_port);

/* Set from a host (name or IP literal, brackets allowed) and a port. GOST_OK, GOST_EPROTO when the
 * host is longer than 255 bytes or holds a zero byte. An empty host gives GOST_AF_NONE. */
int gost_addr_set_host(struct gost_addr *ret_addr, const char *host, size_t n, uint16_t port);

/* Set from raw IP bytes: n is 4 or 16. An IPv4-mapped address stays IPv6. */
void gost_addr_set_ip(struct gost_addr *ret_addr, const uint8_t *ip, size_t n, uint16_t port);

/* Set a path (GOST_AF_UNIX). GOST_EPROTO when longer than 255 bytes. */
int gost_addr_set_path(struct gost_addr *ret_addr, const char *path, size_t n);

/* "host:port" with brackets for IPv6; a path is given as is. Returns the length, always < size when
 * size >= GOST_ADDR_TEXT. */
size_t gost_addr_format(const struct gost_addr *addr, char *buf, size_t size);

/* The host part alone, without brackets or port. */
size_t gost_addr_host(const struct gost_addr *addr, char *buf, size_t size);

/* Turn ::ffff:a.b.c.d into IPv4; others stay. */
void gost_addr_unmap(struct gost_addr *addr);

/* Same family, bytes (names without regard to case) and port. */
int gost_addr_equal(const struct gost_addr *a, const struct gost_addr *b);

/* Same host, ports not looked at. */
int gost_addr_same_host(const struct gost_addr *a, const struct gost_addr *b);

/*
 * The SOCKS5 address form, shared by socks5, shadowsocks, relay and others (RFC 1928 section 5):
 * ATYP, ADDR, PORT. Parse: bytes used (> 0), 0 when more are needed, GOST_EPROTO for an unknown
 * type. An empty name is accepted and gives GOST_AF_NONE.
 */
int gost_socks_addr_parse(struct gost_addr *ret_addr, struct gost_bytes in);

/* Bytes the ATYP byte and the first length byte promise in total; 0 when in is too short to say,
 * GOST_EPROTO for an unknown type. */
int gost_socks_addr_size(struct gost_bytes in);

/* Append to buf, at most GOST_SOCKS_ADDR_MAX bytes; returns the length. NONE is written as
 * 0.0.0.0; a path as a name. IPv4-mapped addresses are written as IPv4. */
#define GOST_SOCKS_ADDR_MAX 260
size_t gost_socks_addr_put(uint8_t *buf, const struct gost_addr *addr);

#ifdef __cplusplus
}
#endif
#endif
