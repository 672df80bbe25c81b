/* sniff_detect.c - which protocol a connection's first bytes belong to. */
/* SPDX-License-Identifier: MIT */
#include "sniff.h"

#define ENOUGH 5 /* bytes that tell all protocols apart */

static int starts(const uint8_t *p, const char *word)
{
    return memcmp(p, word, strlen(word)) == 0;
}

static int is_http(const uint8_t *p)
{
    static const char *const words[] = {"GET",   "PUT",   "POST",  "HEAD",  "DELET",
                                        "OPTIO", "PATCH", "CONNE", "TRACE", "PRI *"};
    size_t i;

    for (i = 0; i < sizeof words / sizeof words[0]; i++)
        if (starts(p, words[i]))
            return 1;
    return 0;
}

int sniff_detect(struct gost_bytes in, enum sniff_protocol *ret_protocol)
{
    const uint8_t *p = in.p;

    if (in.n > 0 && p[0] && strchr("*+-:$", p[0])) {
        *ret_protocol = SNIFF_REDIS;
        return GOST_OK;
    }
    if (in.n < ENOUGH)
        return GOST_AGAIN;
    if (p[0] == 0x16 && p[1] == 3 && p[2] >= 1 && p[2] <= 4)
        *ret_protocol = SNIFF_TLS;
    else if (is_http(p))
        *ret_protocol = SNIFF_HTTP;
    else if (starts(p, "SSH-2"))
        *ret_protocol = SNIFF_SSH;
    else
        *ret_protocol = SNIFF_UNKNOWN;
    return GOST_OK;
}

const char *sniff_protocol_name(enum sniff_protocol protocol)
{
    static const char *const names[] = {
        [SNIFF_UNKNOWN] = "", [SNIFF_TLS] = "tls",     [SNIFF_HTTP] = "http",
        [SNIFF_SSH] = "ssh",  [SNIFF_REDIS] = "redis",
    };

    return names[protocol];
}
