/* ws_frame.c - frame heads, masks and Close payloads. */
/* SPDX-License-Identifier: MIT */
#include "ws_frame.h"

#define FIN  0x80u
#define RSV1 0x40u
#define RSV2 0x20u
#define RSV3 0x10u
#define MASK 0x80u

static int is_control(uint32_t opcode)
{
    return (opcode & 8) != 0;
}

static const char *check_first(const struct ws_head *h, uint32_t rsv, const struct ws_rules *rules)
{
    if (h->rsv1 && (!rules->rsv1 || is_control(h->opcode) || h->opcode == WS_CONTINUATION))
        return "RSV1 set";
    if (rsv & (RSV2 | RSV3))
        return rsv & RSV2 ? "RSV2 set" : "RSV3 set";
    switch (h->opcode) {
    case WS_CONTINUATION:
        return rules->message ? NULL : "continuation after FIN";
    case WS_TEXT:
    case WS_BINARY:
        return rules->message ? "data before FIN" : NULL;
    case WS_CLOSE:
    case WS_PING:
    case WS_PONG:
        return h->fin ? NULL : "FIN not set on control";
    default:
        return "bad opcode";
    }
}

static const char *check_length(const struct ws_head *h, const struct ws_rules *rules)
{
    if (is_control(h->opcode) && h->length > WS_CONTROL_MAX)
        return "len > 125 for control";
    if (h->length >> 63)
        return "length with its highest bit set";
    return h->masked != rules->masked ? "bad MASK" : NULL;
}

int ws_head_parse(struct ws_head *ret_head, struct gost_bytes in, const struct ws_rules *rules,
                  size_t *ret_need, const char **ret_why)
{
    struct ws_head h;
    size_t extra;

    if (ret_need)
        *ret_need = 2;
    if (in.n < 2)
        return GOST_AGAIN;
    h.fin = (in.p[0] & FIN) != 0;
    h.rsv1 = (in.p[0] & RSV1) != 0;
    h.opcode = in.p[0] & 15;
    h.masked = (in.p[1] & MASK) != 0;
    h.length = in.p[1] & 127u;
    *ret_why = check_first(&h, in.p[0], rules);
    if (!*ret_why && (h.length <= WS_CONTROL_MAX || is_control(h.opcode)))
        *ret_why = check_length(&h, rules);
    if (*ret_why)
        return GOST_EPROTO;
    extra = h.length == 127 ? 8 : h.length == 126 ? 2 : 0;
    h.size = (uint8_t)(2 + extra + (h.masked ? 4 : 0));
    if (ret_need)
        *ret_need = h.size;
    if (in.n < h.size)
        return GOST_AGAIN;
    if (extra == 2)
        h.length = gost_get16(in.p + 2);
    else if (extra == 8)
        h.length = gost_get64(in.p + 2);
    *ret_why = check_length(&h, rules);
    if (*ret_why)
        return GOST_EPROTO;
    memset(h.key, 0, sizeof h.key);
    if (h.masked)
        memcpy(h.key, in.p + 2 + extra, sizeof h.key);
    *ret_head = h;
    return GOST_OK;
}

size_t ws_head_put(uint8_t *to, const struct ws_head *h)
{
    uint8_t *p = to;
    uint32_t mask = h->masked ? MASK : 0;

    *p++ = (uint8_t)((h->fin ? FIN : 0) | (h->rsv1 ? RSV1 : 0) | h->opcode);
    if (h->length <= WS_CONTROL_MAX) {
        *p++ = (uint8_t)(mask | h->length);
    } else if (h->length <= 65535) {
        *p++ = (uint8_t)(mask | 126);
        p = gost_put16(p, (uint16_t)h->length);
    } else {
        *p++ = (uint8_t)(mask | 127);
        p = gost_put64(p, h->length);
    }
    if (h->masked) {
        memcpy(p, h->key, sizeof h->key);
        p += sizeof h->key;
    }
    return (size_t)(p - to);
}

void ws_mask(uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4], size_t at)
{
    uint8_t wide[8];
    uint64_t k, v;
    size_t i;

    for (i = 0; i < sizeof wide; i++)
        wide[i] = key[(at + i) & 3];
    memcpy(&k, wide, sizeof k);
    for (i = 0; n - i >= sizeof v; i += sizeof v) {
        memcpy(&v, from + i, sizeof v);
        v ^= k;
        memcpy(to + i, &v, sizeof v);
    }
    for (; i < n; i++)
        to[i] = from[i] ^ wide[i & 7];
}

/* Codes that may be on the wire (RFC 6455 section 7.4). */
static int is_code(uint32_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

/* How many bytes a UTF-8 sequence has that starts with this byte; 0: none starts so. */
static size_t utf8_size(uint8_t c)
{
    return c < 0x80                ? 1
           : c >= 0xc2 && c < 0xe0 ? 2
           : c >= 0xe0 && c < 0xf0 ? 3
           : c >= 0xf0 && c < 0xf5 ? 4
                                   : 0;
}

static int utf8_follows(const uint8_t *p, size_t n)
{
    size_t i;

    for (i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return !(p[0] == 0xe0 && p[1] < 0xa0) && !(p[0] == 0xed && p[1] >= 0xa0) &&
           !(p[0] == 0xf0 && p[1] < 0x90) && !(p[0] == 0xf4 && p[1] >= 0x90);
}

static int is_utf8(const uint8_t *p, size_t n)
{
    size_t k;

    for (; n > 0; p += k, n -= k) {
        k = utf8_size(*p);
        if (k == 0 || k > n || (k > 1 && !utf8_follows(p, k)))
            return 0;
    }
    return 1;
}

int ws_close_parse(uint32_t *ret_code, struct gost_bytes payload, const char **ret_why)
{
    uint32_t code;

    *ret_why = NULL;
    if (payload.n == 0) {
        *ret_code = WS_CLOSE_NONE;
        return GOST_OK;
    }
    if (payload.n < 2) {
        *ret_why = "bad close payload";
        return GOST_EPROTO;
    }
    code = gost_get16(payload.p);
    if (!is_code(code))
        *ret_why = "bad close code";
    else if (!is_utf8(payload.p + 2, payload.n - 2))
        *ret_why = "invalid utf8 payload in close frame";
    if (*ret_why)
        return GOST_EPROTO;
    *ret_code = code;
    return GOST_OK;
}
