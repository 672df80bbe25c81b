/* addr.c - addresses: parsing, printing, comparing, and the SOCKS5 address form. */
/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <gost/addr.h>

#define SOCKS_IP4  1
#define SOCKS_NAME 3
#define SOCKS_IP6  4

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Decimal port, 1 to 5 digits. Returns -1 when it is none. */
static int parse_port(const char *text, size_t n)
{
    int port = 0;
    size_t i;

    if (n == 0 || n > 5)
        return -1;
    for (i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        port = port * 10 + (text[i] - '0');
    }
    return port <= 65535 ? port : -1;
}

/* The zone after '%': a number or the name of an interface. 0: there is no such zone. */
static uint32_t parse_scope(const char *zone)
{
    char *end;
    unsigned long v = strtoul(zone, &end, 10);

    if (end != zone && *end == 0 && v <= UINT32_MAX)
        return (uint32_t)v;
    return if_nametoindex(zone);
}

/* IPv6 literal with an optional zone. Returns 1 when it is one. */
static int parse_ip6(struct gost_addr *addr, char *text)
{
    char *zone = strchr(text, '%');

    if (zone)
        *zone++ = 0;
    if (inet_pton(AF_INET6, text, addr->ip) != 1)
        return 0;
    if (zone) {
        addr->scope = parse_scope(zone);
        if (addr->scope == 0)
            return 0;
    }
    addr->family = GOST_AF_IP6;
    return 1;
}

static int set_text(struct gost_addr *addr, uint8_t family, const char *text, size_t n)
{
    if (n > 255 || memchr(text, 0, n))
        return GOST_EPROTO;
    memset(addr, 0, sizeof *addr);
    addr->family = family;
    addr->len = (uint8_t)n;
    memcpy(addr->name, text, n);
    return GOST_OK;
}

/* IP literal of n bytes, without brackets. Returns 1 when it is one. */
static int parse_ip(struct gost_addr *addr, const char *host, size_t n)
{
    char text[256];

    memset(addr, 0, sizeof *addr);
    if (n > 255 || memchr(host, 0, n))
        return 0;
    memcpy(text, host, n);
    text[n] = 0;
    if (inet_pton(AF_INET, text, addr->ip) == 1) {
        addr->family = GOST_AF_IP4;
        return 1;
    }
    return memchr(host, ':', n) && parse_ip6(addr, text);
}

int gost_addr_set_host(struct gost_addr *ret_addr, const char *host, size_t n, uint16_t port)
{
    struct gost_addr addr;
    int bracketed = n >= 2 && host[0] == '[' && host[n - 1] == ']';

    if (n == 0)
        memset(&addr, 0, sizeof addr);
    else if (!(bracketed ? parse_ip(&addr, host + 1, n - 2) : parse_ip(&addr, host, n)) &&
             set_text(&addr, GOST_AF_NAME, host, n) != GOST_OK)
        return GOST_EPROTO;
    addr.port = port;
    *ret_addr = addr;
    return GOST_OK;
}

/* Length of the host part, which a colon and a port may follow; SIZE_MAX: malformed. */
static size_t host_length(const char *text, size_t n)
{
    const char *colon = n ? memchr(text, ':', n) : NULL;
    const char *bracket;
    size_t at;

    if (n && text[0] == '[') {
        bracket = memchr(text, ']', n);
        if (!bracket)
            return SIZE_MAX;
        at = (size_t)(bracket - text) + 1;
        return at == n || text[at] == ':' ? at : SIZE_MAX;
    }
    if (!colon)
        return n;
    at = (size_t)(colon - text);
    /* two colons: an IPv6 literal without a port */
    return memchr(colon + 1, ':', n - at - 1) ? n : at;
}

int gost_addr_parse(struct gost_addr *ret_addr, const char *text, size_t n, uint16_t default_port)
{
    size_t host_n = host_length(text, n);
    struct gost_addr addr;
    int port = default_port;

    if (host_n == SIZE_MAX)
        return GOST_EPROTO;
    if (host_n + 1 < n) {
        port = parse_port(text + host_n + 1, n - host_n - 1);
        if (port < 0)
            return GOST_EPROTO;
    }
    if (host_n == 2 && text[0] == '[') /* "[]:80" */
        host_n = 0;
    if (gost_addr_set_host(&addr, text, host_n, (uint16_t)port))
        return GOST_EPROTO;
    if (addr.family == GOST_AF_NAME && memchr(addr.name, ':', addr.len))
        return GOST_EPROTO;
    *ret_addr = addr;
    return GOST_OK;
}

void gost_addr_set_ip(struct gost_addr *ret_addr, const uint8_t *ip, size_t n, uint16_t port)
{
    memset(ret_addr, 0, sizeof *ret_addr);
    ret_addr->family = n == 4 ? GOST_AF_IP4 : GOST_AF_IP6;
    memcpy(ret_addr->ip, ip, n == 4 ? 4 : 16);
    ret_addr->port = port;
}

int gost_addr_set_path(struct gost_addr *ret_addr, const char *path, size_t n)
{
    return set_text(ret_addr, GOST_AF_UNIX, path, n);
}

size_t gost_addr_host(const struct gost_addr *addr, char *buf, size_t size)
{
    char ip[INET6_ADDRSTRLEN];
    int n = 0;

    switch (addr->family) {
    case GOST_AF_NAME:
    case GOST_AF_UNIX:
        n = snprintf(buf, size, "%s", addr->name);
        break;
    case GOST_AF_IP4:
        n = snprintf(buf, size, "%s", inet_ntop(AF_INET, addr->ip, ip, sizeof ip));
        break;
    case GOST_AF_IP6:
        (void)inet_ntop(AF_INET6, addr->ip, ip, sizeof ip);
        n = addr->scope ? snprintf(buf, size, "%s%%%u", ip, addr->scope)
                        : snprintf(buf, size, "%s", ip);
        break;
    default:
        if (size)
            buf[0] = 0;
    }
    return (size_t)n;
}

size_t gost_addr_format(const struct gost_addr *addr, char *buf, size_t size)
{
    char host[GOST_ADDR_TEXT];
    size_t n = gost_addr_host(addr, host, sizeof host);

    if (addr->family == GOST_AF_UNIX)
        return (size_t)snprintf(buf, size, "%s", host);
    if (memchr(host, ':', n))
        return (size_t)snprintf(buf, size, "[%s]:%u", host, addr->port);
    return (size_t)snprintf(buf, size, "%s:%u", host, addr->port);
}

static int is_mapped(const struct gost_addr *addr)
{
    return addr->family == GOST_AF_IP6 && memcmp(addr->ip, mapped_prefix, 12) == 0;
}

void gost_addr_unmap(struct gost_addr *addr)
{
    if (!is_mapped(addr))
        return;
    memcpy(addr->ip, addr->ip + 12, 4);
    memset(addr->ip + 4, 0, 12);
    addr->family = GOST_AF_IP4;
    addr->scope = 0;
}

int gost_addr_same_host(const struct gost_addr *a, const struct gost_addr *b)
{
    if (a->family != b->family)
        return 0;
    switch (a->family) {
    case GOST_AF_NAME:
        return a->len == b->len && strncasecmp(a->name, b->name, a->len) == 0;
    case GOST_AF_UNIX:
        return a->len == b->len && memcmp(a->name, b->name, a->len) == 0;
    case GOST_AF_IP4:
        return memcmp(a->ip, b->ip, 4) == 0;
    case GOST_AF_IP6:
        return a->scope == b->scope && memcmp(a->ip, b->ip, 16) == 0;
    default:
        return 1;
    }
}

int gost_addr_equal(const struct gost_addr *a, const struct gost_addr *b)
{
    return a->port == b->port && gost_addr_same_host(a, b);
}

int gost_socks_addr_size(struct gost_bytes in)
{
    if (in.n < 2)
        return in.n == 1 && in.p[0] != SOCKS_IP4 && in.p[0] != SOCKS_NAME && in.p[0] != SOCKS_IP6
                   ? GOST_EPROTO
                   : 0;
    switch (in.p[0]) {
    case SOCKS_IP4:
        return 1 + 4 + 2;
    case SOCKS_IP6:
        return 1 + 16 + 2;
    case SOCKS_NAME:
        return 1 + 1 + in.p[1] + 2;
    default:
        return GOST_EPROTO;
    }
}

int gost_socks_addr_parse(struct gost_addr *ret_addr, struct gost_bytes in)
{
    int size = gost_socks_addr_size(in);
    uint16_t port;

    if (size <= 0)
        return size;
    if (in.n < (size_t)size)
        return 0;
    port = gost_get16(in.p + size - 2);
    if (in.p[0] == SOCKS_NAME) {
        if (gost_addr_set_host(ret_addr, (const char *)in.p + 2, in.p[1], port))
            return GOST_EPROTO;
    } else {
        gost_addr_set_ip(ret_addr, in.p + 1, in.p[0] == SOCKS_IP4 ? 4 : 16, port);
    }
    return size;
}

size_t gost_socks_addr_put(uint8_t *buf, const struct gost_addr *addr)
{
    uint8_t *p = buf;

    if (addr->family == GOST_AF_NAME || addr->family == GOST_AF_UNIX) {
        *p++ = SOCKS_NAME;
        *p++ = addr->len;
        memcpy(p, addr->name, addr->len);
        p += addr->len;
    } else if (addr->family == GOST_AF_IP6 && !is_mapped(addr)) {
        *p++ = SOCKS_IP6;
        memcpy(p, addr->ip, 16);
        p += 16;
    } else {
        *p++ = SOCKS_IP4;
        if (addr->family == GOST_AF_NONE)
            memset(p, 0, 4);
        else
            memcpy(p, addr->family == GOST_AF_IP4 ? addr->ip : addr->ip + 12, 4);
        p += 4;
    }
    return (size_t)(gost_put16(p, addr->port) - buf);
}
