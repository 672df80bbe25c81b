/* http1_build.c - HTTP/1 text: building heads, basic credentials, hidden target names. */
/* SPDX-License-Identifier: MIT */
#include <gost/http1.h>

#include "base64.h"
#include "http1.h"

static const char base64_std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void gost_http1_put(struct gost_http1_out *out, struct gost_bytes b)
{
    if (out->full || b.n > out->size - out->n) {
        out->full = 1;
        return;
    }
    if (b.n)
        memcpy(out->p + out->n, b.p, b.n);
    out->n += b.n;
}

void gost_http1_put_str(struct gost_http1_out *out, const char *s)
{
    gost_http1_put(out, gost_bytes_str(s));
}

void gost_http1_put_field(struct gost_http1_out *out, struct gost_bytes name,
                          struct gost_bytes value)
{
    gost_http1_put(out, name);
    gost_http1_put_str(out, ": ");
    gost_http1_put(out, value);
    gost_http1_put_str(out, "\r\n");
}

void gost_http1_put_status(struct gost_http1_out *out, uint32_t minor, uint32_t status,
                           struct gost_bytes reason)
{
    char digits[3];

    digits[0] = (char)('0' + status / 100 % 10);
    digits[1] = (char)('0' + status / 10 % 10);
    digits[2] = (char)('0' + status % 10);
    gost_http1_put_str(out, minor ? "HTTP/1.1 " : "HTTP/1.0 ");
    gost_http1_put(out, gost_bytes(digits, sizeof digits));
    gost_http1_put_str(out, " ");
    gost_http1_put(out, reason.n ? reason : gost_bytes_str(gost_http1_reason(status)));
    gost_http1_put_str(out, "\r\n");
}

const char *gost_http1_reason(uint32_t status)
{
    static const struct {
        uint32_t status;
        const char *text;
    } table[] = {
        {100, "Continue"}, {101, "Switching Protocols"}, {102, "Processing"},
        {103, "Early Hints"}, {200, "OK"}, {201, "Created"}, {202, "Accepted"},
        {203, "Non-Authoritative Information"}, {204, "No Content"}, {205, "Reset Content"},
        {206, "Partial Content"}, {207, "Multi-Status"}, {300, "Multiple Choices"},
        {301, "Moved Permanently"}, {302, "Found"}, {303, "See Other"}, {304, "Not Modified"},
        {305, "Use Proxy"}, {307, "Temporary Redirect"}, {308, "Permanent Redirect"},
        {400, "Bad Request"}, {401, "Unauthorized"}, {402, "Payment Required"},
        {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
        {406, "Not Acceptable"}, {407, "Proxy Authentication Required"},
        {408, "Request Timeout"}, {409, "Conflict"}, {410, "Gone"}, {411, "Length Required"},
        {412, "Precondition Failed"}, {413, "Request Entity Too Large"},
        {414, "Request URI Too Long"}, {415, "Unsupported Media Type"},
        {416, "Requested Range Not Satisfiable"}, {417, "Expectation Failed"},
        {418, "I'm a teapot"}, {421, "Misdirected Request"}, {422, "Unprocessable Entity"},
        {423, "Locked"}, {424, "Failed Dependency"}, {425, "Too Early"},
        {426, "Upgrade Required"}, {428, "Precondition Required"}, {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"}, {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"}, {501, "Not Implemented"}, {502, "Bad Gateway"},
        {503, "Service Unavailable"}, {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"}, {507, "Insufficient Storage"},
        {511, "Network Authentication Required"},
    };
    size_t i;

    for (i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].status == status)
            return table[i].text;
    return "";
}

/* Decode text without padding into `to` (room for text.n * 3 / 4 bytes). The bits that are left
 * over must be zero, so that each value has one spelling. */
static int base64_take(uint8_t *to, size_t *ret_n, struct gost_bytes text, const char *alphabet)
{
    uint32_t acc = 0, bits = 0;
    size_t i, n = 0;
    int digit;

    if (text.n % 4 == 1)
        return GOST_EPROTO;
    for (i = 0; i < text.n; i++) {
        digit = gost_base64_digit(text.p[i], alphabet + 62);
        if (digit < 0)
            return GOST_EPROTO;
        acc = (acc << 6 | (uint32_t)digit) & 0xffffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            to[n++] = (uint8_t)(acc >> bits);
        }
    }
    if (acc & ((1u << bits) - 1))
        return GOST_EPROTO;
    *ret_n = n;
    return GOST_OK;
}

int gost_http1_basic_parse(struct gost_bytes value, uint8_t *buf, struct gost_bytes *ret_user,
                           struct gost_bytes *ret_secret)
{
    struct gost_bytes text;
    const uint8_t *colon;
    size_t n;

    if (value.n < 6 || !gost_http1_is(gost_bytes(value.p, 6), "basic "))
        return GOST_EPROTO;
    text = gost_http1_trim(gost_bytes(value.p + 6, value.n - 6));
    if (text.n == 0 || text.n % 4 != 0 || text.n > GOST_HTTP1_BASIC_MAX / 3 * 4)
        return GOST_EPROTO;
    if (text.p[text.n - 1] == '=')
        text.n -= text.p[text.n - 2] == '=' ? 2 : 1;
    if (base64_take(buf, &n, text, base64_std) != GOST_OK)
        return GOST_EPROTO;
    colon = n ? memchr(buf, ':', n) : NULL;
    if (!colon)
        return GOST_EPROTO;
    *ret_user = gost_bytes(buf, (size_t)(colon - buf));
    *ret_secret = gost_bytes(colon + 1, n - ret_user->n - 1);
    return GOST_OK;
}

void gost_http1_put_basic(struct gost_http1_out *out, struct gost_bytes user,
                          struct gost_bytes secret)
{
    uint8_t plain[GOST_HTTP1_BASIC_MAX];
    size_t n = user.n + 1 + secret.n;

    gost_http1_put_str(out, "Basic ");
    if (out->full || n > sizeof plain || gost_base64_size(n) > out->size - out->n) {
        out->full = 1;
        return;
    }
    if (user.n)
        memcpy(plain, user.p, user.n);
    plain[user.n] = ':';
    if (secret.n)
        memcpy(plain + user.n + 1, secret.p, secret.n);
    out->n += gost_base64_put((char *)out->p + out->n, gost_bytes(plain, n), base64_std, 1);
    gost_wipe(plain, sizeof plain);
}

/* CRC-32 of IEEE 802.3. */
static uint32_t crc32_ieee(struct gost_bytes b)
{
    uint32_t crc = 0xffffffffu;
    size_t i;
    int k;

    for (i = 0; i < b.n; i++) {
        crc ^= b.p[i];
        for (k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

size_t gost_http1_target_encode(char *buf, size_t size, struct gost_bytes name)
{
    uint8_t inner[4 + GOST_HTTP1_TARGET_MAX];
    size_t n;

    if (name.n == 0 || gost_base64_size(name.n) > GOST_HTTP1_TARGET_MAX)
        return 0;
    n = 4 + gost_base64_put((char *)inner + 4, name, base64_url, 0);
    if (gost_base64_size(n) > size)
        return 0;
    gost_put32(inner, crc32_ieee(name));
    return gost_base64_put(buf, gost_bytes(inner, n), base64_url, 0);
}

int gost_http1_target_decode(char *buf, size_t size, size_t *ret_n, struct gost_bytes text)
{
    uint8_t inner[4 + GOST_HTTP1_TARGET_MAX];
    size_t n, name_n;

    if (text.n > sizeof inner / 3 * 4 || base64_take(inner, &n, text, base64_url) != GOST_OK)
        return GOST_EPROTO;
    if (n < 6 || (n - 4) * 3 / 4 > size ||
        base64_take((uint8_t *)buf, &name_n, gost_bytes(inner + 4, n - 4), base64_url) != GOST_OK)
        return GOST_EPROTO;
    if (gost_get32(inner) != crc32_ieee(gost_bytes(buf, name_n)))
        return GOST_EPROTO;
    *ret_n = name_n;
    return GOST_OK;
}
