/* tunnel_id.c - ids of tunnels and of their clients. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <gost/host.h>

#include "tunnel.h"

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether a UUID has a dash before byte i. */
static int dash_before(unsigned i)
{
    return i == 4 || i == 6 || i == 8 || i == 10;
}

int tunnel_id_parse(struct tunnel_id *ret_id, struct gost_bytes text)
{
    struct tunnel_id id;
    size_t at = 0;
    unsigned i;

    memset(&id, 0, sizeof id);
    if (text.n && text.p[0] == '$') {
        id.b[TUNNEL_FLAGS] = TUNNEL_PRIVATE;
        at = 1;
    }
    if (text.n - at != TUNNEL_UUID_TEXT - 1)
        return GOST_EPROTO;
    for (i = 0; i < 16; i++) {
        int high, low;

        if (dash_before(i) && text.p[at++] != '-')
            return GOST_EPROTO;
        high = digit(text.p[at]);
        low = digit(text.p[at + 1]);
        if (high < 0 || low < 0)
            return GOST_EPROTO;
        id.b[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    *ret_id = id;
    return GOST_OK;
}

void tunnel_uuid_text(char text[TUNNEL_UUID_TEXT], const uint8_t uuid[16])
{
    unsigned i;

    for (i = 0; i < 16; i++)
        text += sprintf(text, "%s%02x", dash_before(i) ? "-" : "", uuid[i]);
}

/* Who knows a tunnel's id reaches it: how much of a guess is right does not show. */
int tunnel_id_same(const struct tunnel_id *a, const struct tunnel_id *b)
{
    return CRYPTO_memcmp(a->b, b->b, 16) == 0;
}

int tunnel_id_none(const struct tunnel_id *id)
{
    static const struct tunnel_id none;

    return tunnel_id_same(id, &none);
}

void tunnel_uuid_random(uint8_t uuid[16])
{
    gost_random(uuid, 16);
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

/* GOST's name: MD5, though no secret depends on it. */
int tunnel_name(char name[TUNNEL_NAME], const struct tunnel_id *id)
{
    char text[TUNNEL_UUID_TEXT];
    uint8_t digest[16];
    unsigned i;

    tunnel_uuid_text(text, id->b);
    if (!EVP_Digest(text, strlen(text), digest, NULL, EVP_md5(), NULL))
        return GOST_EUNSUPPORTED;
    for (i = 0; i < 8; i++)
        sprintf(name + 2 * i, "%02x", digest[i]);
    return GOST_OK;
}
