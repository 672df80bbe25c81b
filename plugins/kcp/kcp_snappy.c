/* kcp_snappy.c - the snappy framing format, a chunk at a time. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <isa-l.h>
#include <snappy-c.h>

#include "kcp_arq.h"
#include "kcp_snappy.h"

enum { COMPRESSED = 0x00, PLAIN = 0x01, SKIP_FROM = 0x80, IDENTIFIER = 0xff };

static const uint8_t identifier[10] = {0xff, 6, 0, 0, 's', 'N', 'a', 'P', 'p', 'Y'};

/* CRC-32C, masked so that checksums of checksums are harmless. */
static uint32_t checksum(const uint8_t *p, size_t n)
{
    uint32_t crc = ~crc32_iscsi((uint8_t *)p, (int)n, 0xffffffffu);

    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static uint8_t *put_head(uint8_t *p, uint8_t type, size_t n, uint32_t crc)
{
    *p++ = type;
    *p++ = (uint8_t)n;
    *p++ = (uint8_t)(n >> 8);
    *p++ = (uint8_t)(n >> 16);
    return kcp_put32(p, crc);
}

size_t kcp_snappy_put(uint8_t *out, const uint8_t *p, size_t n, int *began)
{
    uint8_t *at = out;
    size_t used = KCP_SNAPPY_ROOM - 18;

    if (!*began) {
        memcpy(at, identifier, sizeof identifier);
        at += sizeof identifier;
        *began = 1;
    }
    if (snappy_compress((const char *)p, n, (char *)at + 8, &used) == SNAPPY_OK &&
        used < n - n / 8) {
        put_head(at, COMPRESSED, used + 4, checksum(p, n));
    } else {
        memcpy(at + 8, p, n);
        used = n;
        put_head(at, PLAIN, n + 4, checksum(p, n));
    }
    return (size_t)(at - out) + 8 + used;
}

void kcp_snappy_free(struct kcp_snappy *s)
{
    free(s->chunk);
    s->chunk = NULL;
}

static int plain_chunk(const uint8_t *p, size_t n, uint32_t crc,
                       void (*got)(void *arg, const uint8_t *p, size_t n), void *arg)
{
    if (n > KCP_SNAPPY_CHUNK || checksum(p, n) != crc)
        return GOST_EPROTO;
    got(arg, p, n);
    return GOST_OK;
}

static int compressed_chunk(const uint8_t *p, size_t n, uint32_t crc,
                            void (*got)(void *arg, const uint8_t *p, size_t n), void *arg)
{
    size_t plain = 0;
    uint8_t *out;
    int r = GOST_EPROTO;

    if (snappy_uncompressed_length((const char *)p, n, &plain) != SNAPPY_OK ||
        plain > KCP_SNAPPY_CHUNK)
        return GOST_EPROTO;
    out = malloc(plain + 1);
    if (!out)
        return GOST_ENOMEM;
    if (snappy_uncompress((const char *)p, n, (char *)out, &plain) == SNAPPY_OK)
        r = plain_chunk(out, plain, crc, got, arg);
    free(out);
    return r;
}

static int whole_chunk(struct kcp_snappy *s, const uint8_t *c, size_t n,
                       void (*got)(void *arg, const uint8_t *p, size_t n), void *arg)
{
    if (c[0] == IDENTIFIER) {
        if (n != sizeof identifier || memcmp(c, identifier, n) != 0)
            return GOST_EPROTO;
        s->identified = 1;
        return GOST_OK;
    }
    if (!s->identified)
        return GOST_EPROTO;
    if (c[0] >= SKIP_FROM)
        return GOST_OK;
    if (c[0] > PLAIN || n < 8)
        return GOST_EPROTO;
    return c[0] == PLAIN ? plain_chunk(c + 8, n - 8, kcp_get32(c + 4), got, arg)
                         : compressed_chunk(c + 8, n - 8, kcp_get32(c + 4), got, arg);
}

/* How long the chunk is whose first bytes are at c; 0: not known yet, SIZE_MAX: too long. */
static size_t chunk_length(const uint8_t *c, size_t n)
{
    size_t len;

    if (n < 4)
        return 0;
    len = 4 + (c[1] | (size_t)c[2] << 8 | (size_t)c[3] << 16);
    return len > KCP_SNAPPY_ROOM ? SIZE_MAX : len;
}

static int hold(struct kcp_snappy *s, const uint8_t *p, size_t n, size_t len)
{
    size_t room = len ? len : 64;

    if (room > s->room) {
        uint8_t *more = realloc(s->chunk, room);

        if (!more)
            return GOST_ENOMEM;
        s->chunk = more;
        s->room = room;
    }
    memcpy(s->chunk + s->n, p, n);
    s->n += n;
    return GOST_OK;
}

/* Takes what belongs to the chunk that is held. Returns how many bytes, or an error. */
static int64_t go_on(struct kcp_snappy *s, const uint8_t *p, size_t n,
                     void (*got)(void *arg, const uint8_t *p, size_t n), void *arg)
{
    size_t len = chunk_length(s->chunk, s->n), take = len ? len - s->n : 4 - s->n;
    int r;

    if (len == SIZE_MAX)
        return GOST_EPROTO;
    take = take < n ? take : n;
    r = hold(s, p, take, len);
    if (r == GOST_OK && len && s->n == len) {
        r = whole_chunk(s, s->chunk, len, got, arg);
        kcp_snappy_free(s);
        s->n = s->room = 0;
    }
    return r == GOST_OK ? (int64_t)take : r;
}

int kcp_snappy_input(struct kcp_snappy *s, const uint8_t *p, size_t n,
                     void (*got)(void *arg, const uint8_t *p, size_t n), void *arg)
{
    while (n || (s->n >= 4 && chunk_length(s->chunk, s->n) == s->n)) {
        size_t len = s->n ? 0 : chunk_length(p, n);
        int64_t took;

        if (len == SIZE_MAX)
            return GOST_EPROTO;
        if (len && len <= n) { /* whole in what came: no copy */
            took = whole_chunk(s, p, len, got, arg);
            took = took == GOST_OK ? (int64_t)len : took;
        } else {
            took = go_on(s, p, n, got, arg);
        }
        if (took < 0)
            return (int)took;
        p += took;
        n -= (size_t)took;
    }
    return GOST_OK;
}
