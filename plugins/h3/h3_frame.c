/* h3_frame.c - HTTP/3 on the wire: numbers, frame headers, SETTINGS (RFC 9114). Pure. */
/* SPDX-License-Identifier: MIT */
#include "h3.h"

enum {
    SETTING_MAX_FIELD_SECTION = 0x06,
    SETTING_CONNECT_PROTOCOL = 0x08,
    SETTING_DATAGRAM = 0x33,
    SETTING_WEBTRANSPORT = 0x2b603742,    /* draft-ietf-webtrans-http3-02 */
    SETTING_WT_MAX_SESSIONS = 0x2c7cf000, /* later drafts */
};

size_t h3_varint_get(struct gost_bytes b, uint64_t *ret_value)
{
    uint64_t v;
    size_t n, i;

    if (b.n == 0)
        return 0;
    n = (size_t)1 << (b.p[0] >> 6);
    if (b.n < n)
        return 0;
    v = b.p[0] & 0x3f;
    for (i = 1; i < n; i++)
        v = v << 8 | b.p[i];
    *ret_value = v;
    return n;
}

size_t h3_varint_put(uint8_t *to, uint64_t value)
{
    unsigned log = value < 0x40 ? 0 : value < 0x4000 ? 1 : value < 0x40000000 ? 2 : 3;
    size_t n = (size_t)1 << log, i;

    for (i = 0; i < n; i++)
        to[i] = (uint8_t)(value >> 8 * (n - 1 - i));
    to[0] |= (uint8_t)(log << 6);
    return n;
}

size_t h3_frame_put(uint8_t *to, uint64_t type, uint64_t length)
{
    size_t n = h3_varint_put(to, type);

    return n + h3_varint_put(to + n, length);
}

/* GOST_OK or GOST_AGAIN: more bytes are needed. */
int h3_frame_get(struct gost_bytes b, struct h3_frame *ret_frame)
{
    struct h3_frame f;
    size_t n = h3_varint_get(b, &f.type), m;

    if (n == 0)
        return GOST_AGAIN;
    m = h3_varint_get(gost_bytes(b.p + n, b.n - n), &f.length);
    if (m == 0)
        return GOST_AGAIN;
    f.head = n + m;
    *ret_frame = f;
    return GOST_OK;
}

/* The whole SETTINGS frame. */
size_t h3_settings_put(uint8_t *to, const struct h3_conf *conf, int client)
{
    uint8_t body[H3_SETTINGS_MAX];
    size_t n = 0, head;

    n += h3_varint_put(body + n, SETTING_MAX_FIELD_SECTION);
    n += h3_varint_put(body + n, conf->max_header);
    if (!client && conf->extended_connect) {
        n += h3_varint_put(body + n, SETTING_CONNECT_PROTOCOL);
        n += h3_varint_put(body + n, 1);
    }
    if (conf->datagrams) {
        n += h3_varint_put(body + n, SETTING_DATAGRAM);
        n += h3_varint_put(body + n, 1);
    }
    if (!client && conf->webtransport) {
        n += h3_varint_put(body + n, SETTING_WEBTRANSPORT);
        n += h3_varint_put(body + n, 1);
        n += h3_varint_put(body + n, SETTING_WT_MAX_SESSIONS);
        n += h3_varint_put(body + n, 1);
    }
    head = h3_frame_put(to, H3_SETTINGS, n);
    memcpy(to + head, body, n);
    return head + n;
}

static int take_setting(struct h3_settings *s, uint64_t id, uint64_t value)
{
    if (id >= 2 && id <= 5)
        return H3_SETTINGS_ERROR; /* those of HTTP/2 */
    if ((id == SETTING_CONNECT_PROTOCOL || id == SETTING_DATAGRAM) && value > 1)
        return H3_SETTINGS_ERROR;
    if (id == SETTING_MAX_FIELD_SECTION)
        s->max_field_section = value;
    else if (id == SETTING_CONNECT_PROTOCOL)
        s->connect_protocol = (uint32_t)value;
    else if (id == SETTING_DATAGRAM)
        s->datagram = (uint32_t)value;
    else if (id == SETTING_WEBTRANSPORT || id == SETTING_WT_MAX_SESSIONS)
        s->webtransport |= value != 0;
    return 0;
}

int h3_settings_get(struct gost_bytes b, struct h3_settings *ret_settings)
{
    struct h3_settings s = {0, 0, 0, 0};
    uint64_t id, value;
    size_t n, m;
    int r;

    while (b.n > 0) {
        n = h3_varint_get(b, &id);
        m = n ? h3_varint_get(gost_bytes(b.p + n, b.n - n), &value) : 0;
        if (m == 0)
            return H3_FRAME_ERROR;
        r = take_setting(&s, id, value);
        if (r)
            return r;
        b = gost_bytes(b.p + n + m, b.n - n - m);
    }
    *ret_settings = s;
    return 0;
}
