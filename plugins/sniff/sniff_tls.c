/* sniff_tls.c - the server name of a TLS ClientHello (RFC 8446 4.1.2, RFC 6066 3). */
/* SPDX-License-Identifier: MIT */
#include <gost/addr.h>

#include "sniff.h"

#define RECORD_HEAD  5
#define RECORD_MAX   16384
#define MESSAGE_HEAD 4

enum { HANDSHAKE = 22, CLIENT_HELLO = 1, SERVER_NAME = 0, HOST_NAME = 0 };

/* A part of the message; n becomes 0 and bad 1 when more is taken than is there. */
struct part {
    const uint8_t *p;
    size_t n;
    int bad;
};

static struct part take(struct part *from, size_t n)
{
    struct part got = {from->p, n, 0};

    if (from->bad || n > from->n) {
        from->bad = got.bad = 1;
        from->n = got.n = 0;
        return got;
    }
    from->p += n;
    from->n -= n;
    return got;
}

static size_t number(struct part *from, size_t bytes)
{
    struct part got = take(from, bytes);
    size_t v = 0;

    for (; got.n > 0; got.p++, got.n--)
        v = v << 8 | *got.p;
    return v;
}

/* A vector with its length in front. */
static struct part vector(struct part *from, size_t length_bytes)
{
    size_t n = number(from, length_bytes);

    return take(from, n);
}

/* Put the handshake bytes of the records one after another, until the message is whole. */
static int gather(struct gost_bytes in, uint8_t *to, size_t *ret_n, size_t *ret_need)
{
    size_t at = 0, n = 0, want = MESSAGE_HEAD, part;

    while (n < want) {
        *ret_need = at + RECORD_HEAD;
        if (in.n < *ret_need)
            return GOST_AGAIN;
        part = gost_get16(in.p + at + 3);
        if (in.p[at] != HANDSHAKE || in.p[at + 1] != 3 || part == 0 || part > RECORD_MAX)
            return GOST_EPROTO;
        *ret_need = at += RECORD_HEAD + part;
        if (in.n < at)
            return GOST_AGAIN;
        memcpy(to + n, in.p + at - part, part);
        n += part;
        if (n < MESSAGE_HEAD)
            continue;
        want = MESSAGE_HEAD + ((size_t)to[1] << 16 | gost_get16(to + 2));
        if (to[0] != CLIENT_HELLO || want > SNIFF_LIMIT)
            return GOST_EPROTO;
    }
    *ret_n = want;
    return GOST_OK;
}

static int read_name(struct part list, char host[SNIFF_HOST_MAX])
{
    struct gost_addr addr;

    while (list.n > 0 && !list.bad) {
        size_t type = number(&list, 1);
        struct part name = vector(&list, 2);

        if (list.bad || type != HOST_NAME)
            continue;
        if (gost_addr_set_host(&addr, (const char *)name.p, name.n, 443) != GOST_OK)
            return GOST_EPROTO;
        gost_addr_format(&addr, host, SNIFF_HOST_MAX);
        return GOST_OK;
    }
    return list.bad ? GOST_EPROTO : GOST_OK;
}

int sniff_tls_host(struct gost_bytes in, size_t *ret_need, char host[SNIFF_HOST_MAX])
{
    uint8_t message[SNIFF_LIMIT + RECORD_MAX + MESSAGE_HEAD];
    struct part hello = {message, 0, 0}, extensions, list;
    int r = gather(in, message, &hello.n, ret_need);

    host[0] = 0;
    if (r != GOST_OK)
        return r;
    take(&hello, MESSAGE_HEAD + 2 + 32); /* version, random */
    vector(&hello, 1);                   /* session */
    vector(&hello, 2);                   /* cipher suites */
    vector(&hello, 1);                   /* compression methods */
    if (hello.n == 0)
        return hello.bad ? GOST_EPROTO : GOST_OK;
    extensions = vector(&hello, 2);
    while (extensions.n > 0 && !extensions.bad && !hello.bad) {
        size_t type = number(&extensions, 2);
        struct part data = vector(&extensions, 2);

        if (type != SERVER_NAME || extensions.bad)
            continue;
        list = vector(&data, 2);
        return data.bad || data.n ? GOST_EPROTO : read_name(list, host);
    }
    return hello.bad || extensions.bad ? GOST_EPROTO : GOST_OK;
}
