/* masque_path.c - the target of CONNECT-UDP in the path of a request. Pure. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "masque.h"

static const char prefix[] = "/.well-known/masque/udp/";

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A percent-encoded part without blanks and control characters. Its length, 0: it is none. */
static size_t unescape(char *to, size_t size, struct gost_bytes b)
{
    size_t i, n = 0;

    for (i = 0; i < b.n; i++) {
        uint8_t c = b.p[i];

        if (c == '%') {
            int high = i + 2 < b.n ? hex(b.p[i + 1]) : -1;
            int low = i + 2 < b.n ? hex(b.p[i + 2]) : -1;

            if (high < 0 || low < 0)
                return 0;
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        if (c <= ' ' || c >= 0x7f || c == '/' || n + 1 >= size)
            return 0;
        to[n++] = (char)c;
    }
    return n;
}

static int port_of(struct gost_bytes b)
{
    size_t i;
    int v = 0;

    if (b.n == 0 || b.n > 5)
        return 0;
    for (i = 0; i < b.n; i++) {
        if (b.p[i] < '0' || b.p[i] > '9')
            return 0;
        v = v * 10 + (b.p[i] - '0');
    }
    return v <= 65535 ? v : 0;
}

static int host_of(struct gost_addr *ret_addr, const char *host, size_t n, uint16_t port)
{
    struct gost_addr a;
    int v6 = memchr(host, ':', n) != NULL, brackets = n > 2 && host[0] == '[';

    if (brackets != (host[n - 1] == ']') || (brackets && !v6) ||
        gost_addr_parse(&a, host, n, port) != GOST_OK || a.family == GOST_AF_NONE ||
        a.family == GOST_AF_UNIX || a.port != port || v6 != (a.family == GOST_AF_IP6))
        return GOST_EPROTO;
    *ret_addr = a;
    return GOST_OK;
}

/* "/.well-known/masque/udp/{host}/{port}/", the last slash may be missing. IPv6 may stand in
 * brackets, as GOST wants it, or as RFC 9298 has it. GOST_OK or GOST_EPROTO. */
int masque_path_parse(struct gost_bytes path, struct gost_addr *ret_target)
{
    size_t skip = sizeof prefix - 1, n;
    const uint8_t *slash;
    char host[256];
    int port;

    if (path.n <= skip || memcmp(path.p, prefix, skip) != 0)
        return GOST_EPROTO;
    path = gost_bytes(path.p + skip, path.n - skip);
    if (path.p[path.n - 1] == '/')
        path.n--;
    slash = memchr(path.p, '/', path.n);
    if (!slash)
        return GOST_EPROTO;
    port = port_of(gost_bytes(slash + 1, path.n - (size_t)(slash + 1 - path.p)));
    n = unescape(host, sizeof host, gost_bytes(path.p, (size_t)(slash - path.p)));
    if (port == 0 || n == 0)
        return GOST_EPROTO;
    return host_of(ret_target, host, n, (uint16_t)port);
}

/* The path for a target, with a zero behind it. Its length; 0: no room. */
size_t masque_path_put(char *to, size_t size, const struct gost_addr *target)
{
    char text[GOST_ADDR_TEXT];
    size_t n = gost_addr_format(target, text, sizeof text), i, at = sizeof prefix - 1, host;

    while (n > 0 && text[n - 1] != ':')
        n--;
    if (n < 2 || size < at + 3 * n + 8)
        return 0;
    host = n - 1;
    memcpy(to, prefix, at);
    for (i = 0; i < host; i++) {
        char c = text[i];

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            (c != 0 && strchr("-._~", c)))
            to[at++] = c;
        else
            at += (size_t)snprintf(to + at, size - at, "%%%02X", (unsigned)(uint8_t)c);
    }
    at += (size_t)snprintf(to + at, size - at, "/%u/", (unsigned)target->port);
    return at;
}
