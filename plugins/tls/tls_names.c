/* tls_names.c - words of a configuration into what TLS uses: versions, suites, names, pins. */
/* SPDX-License-Identifier: MIT */
#include <strings.h>

#include "tls_names.h"

/* ---- versions and suites ---- */

int tls_version_parse(const char *text)
{
    static const char *const prefixes[] = {"Version", "TLS", "v"};
    size_t i, n;

    for (i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        n = strlen(prefixes[i]);
        if (strncasecmp(text, prefixes[i], n) == 0)
            text += n;
    }
    if (text[0] != '1')
        return 0;
    text += text[1] == '.' ? 2 : 1;
    if (text[0] < '0' || text[0] > '3' || text[1] != 0)
        return 0;
    return 0x0301 + (text[0] - '0');
}

static const struct {
    const char *go, *openssl;
} suites[] = {
    {"TLS_AES_128_GCM_SHA256", ""},
    {"TLS_AES_256_GCM_SHA384", ""},
    {"TLS_CHACHA20_POLY1305_SHA256", ""},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256"},
    {"TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", "ECDHE-ECDSA-RC4-SHA"},
    {"TLS_ECDHE_RSA_WITH_RC4_128_SHA", "ECDHE-RSA-RC4-SHA"},
    {"TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "ECDHE-RSA-DES-CBC3-SHA"},
    {"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"},
    {"TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"},
    {"TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256"},
    {"TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"},
    {"TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"},
    {"TLS_RSA_WITH_3DES_EDE_CBC_SHA", "DES-CBC3-SHA"},
    {"TLS_RSA_WITH_RC4_128_SHA", "RC4-SHA"},
};

const char *tls_suite_name(const char *go_name)
{
    size_t i;

    for (i = 0; i < sizeof suites / sizeof suites[0]; i++)
        if (strcasecmp(go_name, suites[i].go) == 0)
            return suites[i].openssl;
    return NULL;
}

/* ---- server names ---- */

static size_t name_length(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && name[n - 1] == '.' ? n - 1 : n;
}

int tls_name_match(const char *pattern, const char *name)
{
    size_t pn = name_length(pattern), nn = name_length(name);
    const char *dot;

    if (pattern[0] == '*' && pattern[1] == '.') {
        dot = memchr(name, '.', nn);
        if (!dot || dot == name)
            return 0;
        pattern++;
        pn--;
        nn -= (size_t)(dot - name);
        name = dot;
    }
    return pn > 1 && pn == nn && strncasecmp(pattern, name, pn) == 0;
}

/* ---- pins ---- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_hex(const char *text, uint8_t pin[TLS_PIN_SIZE])
{
    int i, high, low;

    for (i = 0; i < TLS_PIN_SIZE; i++) {
        if (i && *text == ':')
            text++;
        high = hex_value(text[0]);
        low = high < 0 ? -1 : hex_value(text[1]);
        if (low < 0)
            return GOST_EPROTO;
        pin[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return *text ? GOST_EPROTO : GOST_OK;
}

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int base64_value(char c)
{
    const char *at = c ? strchr(base64, c == '-' ? '+' : c == '_' ? '/' : c) : NULL;

    return at ? (int)(at - base64) : -1;
}

/* 32 bytes are 43 characters, the last one with two bits to spare, and one '=' that may be
 * absent. */
static int parse_base64(const char *text, uint8_t pin[TLS_PIN_SIZE])
{
    size_t n = strlen(text), i, at = 0;
    uint32_t bits = 0;
    int have = 0, v;

    if (n == 44 && text[43] == '=')
        n = 43;
    if (n != 43)
        return GOST_EPROTO;
    for (i = 0; i < n; i++) {
        v = base64_value(text[i]);
        if (v < 0)
            return GOST_EPROTO;
        bits = (bits << 6 | (uint32_t)v) & 0xffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            pin[at++] = (uint8_t)(bits >> have);
        }
    }
    return bits & 3 ? GOST_EPROTO : GOST_OK;
}

int tls_pin_parse(const char *text, uint8_t ret_pin[TLS_PIN_SIZE])
{
    uint8_t pin[TLS_PIN_SIZE];

    if (strncasecmp(text, "sha256", 6) != 0 || (text[6] != '/' && text[6] != ':'))
        return GOST_EPROTO;
    text += 7;
    if (parse_hex(text, pin) != GOST_OK && parse_base64(text, pin) != GOST_OK)
        return GOST_EPROTO;
    memcpy(ret_pin, pin, sizeof pin);
    return GOST_OK;
}

void tls_pin_format(const uint8_t pin[TLS_PIN_SIZE], char buf[TLS_PIN_TEXT])
{
    uint32_t bits = 0;
    int have = 0, i;

    memcpy(buf, "sha256/", 7);
    buf += 7;
    for (i = 0; i < TLS_PIN_SIZE; i++) {
        bits = (bits << 8 | pin[i]) & 0xffff;
        have += 8;
        while (have >= 6) {
            have -= 6;
            *buf++ = base64[bits >> have & 63];
        }
    }
    *buf++ = base64[bits << (6 - have) & 63];
    *buf++ = '=';
    *buf = 0;
}

/* ---- ALPN ---- */

size_t tls_alpn_wire(const struct gost_list *alpn, uint8_t *buf, size_t size, const char **ret_bad)
{
    size_t at = 0, n;
    uint32_t i;

    *ret_bad = NULL;
    for (i = 0; i < alpn->n; i++) {
        n = strlen(alpn->v[i]);
        if (n == 0 || n > 255 || at + 1 + n > size) {
            *ret_bad = alpn->v[i];
            return 0;
        }
        buf[at] = (uint8_t)n;
        memcpy(buf + at + 1, alpn->v[i], n);
        at += 1 + n;
    }
    return at;
}

/* Takes the next name off the list. n 0: the list is over, or malformed. */
static struct gost_bytes next_name(struct gost_bytes *list)
{
    struct gost_bytes name = {NULL, 0};

    if (list->n < 1 || list->p[0] == 0 || list->n - 1 < list->p[0])
        return name;
    name = gost_bytes(list->p + 1, list->p[0]);
    list->p += 1 + name.n;
    list->n -= 1 + name.n;
    return name;
}

static int has_name(struct gost_bytes list, struct gost_bytes name)
{
    struct gost_bytes one;

    while ((one = next_name(&list)).n)
        if (gost_bytes_eq(one, name))
            return 1;
    return 0;
}

int tls_alpn_select(struct gost_bytes ours, struct gost_bytes theirs, struct gost_bytes *ret_name)
{
    struct gost_bytes left = ours, one;

    while ((one = next_name(&left)).n) {
        if (!has_name(theirs, one))
            continue;
        *ret_name = one;
        return GOST_OK;
    }
    if (has_name(ours, gost_bytes_str("h2")) && has_name(theirs, gost_bytes_str("http/1.1")))
        return GOST_END;
    return GOST_EPROTO;
}

/* ---- records ---- */

void tls_records_feed(struct tls_records *r, const uint8_t *p, size_t n)
{
    size_t k;

    while (n > 0) {
        if (r->left > 0) {
            k = n < r->left ? n : r->left;
            r->left -= (uint32_t)k;
            p += k;
            n -= k;
            continue;
        }
        if (r->n == 3)
            r->high = *p;
        if (r->n == 4)
            r->left = (uint32_t)r->high << 8 | *p;
        r->n = (uint8_t)(r->n == 4 ? 0 : r->n + 1);
        p++;
        n--;
    }
}
