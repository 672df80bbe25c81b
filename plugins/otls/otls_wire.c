/* otls_wire.c - hellos and record heads. */
/* SPDX-License-Identifier: MIT */
#include "otls_wire.h"

#define EXT_SERVER_NAME 0x0000
#define EXT_TICKET      0x0023

/* ---- records ---- */

struct otls_record otls_record_parse(const uint8_t *p)
{
    struct otls_record r = {p[0], gost_get16(p + 1), gost_get16(p + 3)};

    return r;
}

uint8_t *otls_record_put(uint8_t *p, uint32_t type, uint32_t version, uint32_t length)
{
    *p++ = (uint8_t)type;
    p = gost_put16(p, (uint16_t)version);
    return gost_put16(p, (uint16_t)length);
}

static uint8_t *put(uint8_t *p, const void *from, size_t n)
{
    memcpy(p, from, n);
    return p + n;
}

/* type, three bytes of length */
static uint8_t *put_handshake(uint8_t *p, uint32_t type, size_t n)
{
    *p++ = (uint8_t)type;
    *p++ = (uint8_t)(n >> 16);
    return gost_put16(p, (uint16_t)n);
}

static uint8_t *put_ids(uint8_t *p, const struct otls_random *r)
{
    p = gost_put16(p, 0x0303);
    p = put(p, r->random, sizeof r->random);
    *p++ = sizeof r->id;
    return put(p, r->id, sizeof r->id);
}

/* ---- the client's hello ---- */

static const uint8_t suites[] = {
    0x00, 0x38, 0xc0, 0x2c, 0xc0, 0x30, 0x00, 0x9f, 0xcc, 0xa9, 0xcc, 0xa8, 0xcc, 0xaa, 0xc0,
    0x2b, 0xc0, 0x2f, 0x00, 0x9e, 0xc0, 0x24, 0xc0, 0x28, 0x00, 0x6b, 0xc0, 0x23, 0xc0, 0x27,
    0x00, 0x67, 0xc0, 0x0a, 0xc0, 0x14, 0x00, 0x39, 0xc0, 0x09, 0xc0, 0x13, 0x00, 0x33, 0x00,
    0x9d, 0x00, 0x9c, 0x00, 0x3d, 0x00, 0x3c, 0x00, 0x35, 0x00, 0x2f, 0x00, 0xff, 0x01, 0x00};

/* point formats, groups, signature algorithms, encrypt-then-mac, extended master secret */
static const uint8_t last_extensions[] = {
    0x00, 0x0b, 0x00, 0x04, 0x03, 0x01, 0x00, 0x02, 0x00, 0x0a, 0x00, 0x0a, 0x00, 0x08,
    0x00, 0x1d, 0x00, 0x17, 0x00, 0x19, 0x00, 0x18, 0x00, 0x0d, 0x00, 0x20, 0x00, 0x1e,
    0x06, 0x01, 0x06, 0x02, 0x06, 0x03, 0x05, 0x01, 0x05, 0x02, 0x05, 0x03, 0x04, 0x01,
    0x04, 0x02, 0x04, 0x03, 0x03, 0x01, 0x03, 0x02, 0x03, 0x03, 0x02, 0x01, 0x02, 0x02,
    0x02, 0x03, 0x00, 0x16, 0x00, 0x00, 0x00, 0x17, 0x00, 0x00};

size_t otls_hello_begin(uint8_t *to, const struct otls_random *r, size_t payload_n,
                        struct gost_bytes host)
{
    size_t body = OTLS_HELLO_BASE + payload_n + host.n;
    size_t extensions = 4 + payload_n + 9 + host.n + sizeof last_extensions;
    uint8_t *p = otls_record_put(to, OTLS_HANDSHAKE, 0x0301, (uint32_t)body);

    p = put_handshake(p, 1, body - 4);
    p = put_ids(p, r);
    p = put(p, suites, sizeof suites);
    p = gost_put16(p, (uint16_t)extensions);
    p = gost_put16(p, EXT_TICKET);
    p = gost_put16(p, (uint16_t)payload_n);
    return (size_t)(p - to);
}

size_t otls_hello_end(uint8_t *to, struct gost_bytes host)
{
    uint8_t *p = gost_put16(to, EXT_SERVER_NAME);

    p = gost_put16(p, (uint16_t)(host.n + 5));
    p = gost_put16(p, (uint16_t)(host.n + 3));
    *p++ = 0;
    p = gost_put16(p, (uint16_t)host.n);
    p = put(p, host.p, host.n);
    p = put(p, last_extensions, sizeof last_extensions);
    return (size_t)(p - to);
}

/* ---- reading it ---- */

/* Cut n bytes off the front. 1: done. */
static int cut(struct gost_bytes *in, size_t n, struct gost_bytes *ret_part)
{
    if (in->n < n)
        return 0;
    *ret_part = gost_bytes(in->p, n);
    *in = gost_bytes(in->p + n, in->n - n);
    return 1;
}

/* The same with a length of one or two bytes before it. */
static int cut_vector(struct gost_bytes *in, size_t width, struct gost_bytes *ret_part)
{
    struct gost_bytes length;

    if (!cut(in, width, &length))
        return 0;
    return cut(in, width == 1 ? length.p[0] : gost_get16(length.p), ret_part);
}

static const char *read_extensions(struct gost_bytes in, struct gost_bytes *ret_payload)
{
    struct gost_bytes type, value;

    while (in.n > 0) {
        if (!cut(&in, 2, &type) || !cut_vector(&in, 2, &value))
            return "an extension is longer than its place";
        if (gost_get16(type.p) == EXT_TICKET)
            *ret_payload = value;
    }
    return NULL;
}

static const char *read_hello(struct gost_bytes in, struct gost_bytes *ret_payload,
                              struct gost_bytes *ret_id)
{
    struct gost_bytes head, fixed, suites_in, compression, extensions;

    if (!cut(&in, 4, &head) || head.p[0] != 1)
        return "its first record is no ClientHello";
    if (((size_t)head.p[1] << 16 | gost_get16(head.p + 2)) != in.n)
        return "its ClientHello does not fill its record";
    if (!cut(&in, 34, &fixed) || !cut_vector(&in, 1, ret_id) || ret_id->n > OTLS_ID ||
        !cut_vector(&in, 2, &suites_in) || !cut_vector(&in, 1, &compression))
        return "its ClientHello is cut off";
    if (in.n == 0)
        return NULL;
    if (!cut_vector(&in, 2, &extensions))
        return "its extensions are cut off";
    return read_extensions(extensions, ret_payload);
}

int otls_hello_parse(struct gost_bytes body, struct gost_bytes *ret_payload, uint8_t id[OTLS_ID],
                     size_t *ret_id_n, const char **ret_why)
{
    struct gost_bytes payload = {body.p, 0}, session = {body.p, 0};

    *ret_why = read_hello(body, &payload, &session);
    if (*ret_why)
        return GOST_EPROTO;
    memcpy(id, session.p, session.n);
    *ret_id_n = session.n;
    *ret_payload = payload;
    return GOST_OK;
}

/* ---- the server's hello ---- */

void otls_server_put(uint8_t to[OTLS_SERVER_SIZE], const struct otls_random *r)
{
    static const uint8_t rest[] = {0xcc, 0xa8, 0x00, 0x00, 0x0f, 0xff, 0x01, 0x00, 0x01, 0x00,
                                   0x00, 0x17, 0x00, 0x00, 0x00, 0x0b, 0x00, 0x02, 0x01, 0x00};
    uint8_t *p = otls_record_put(to, OTLS_HANDSHAKE, 0x0301, 91);

    p = put_handshake(p, 2, 87);
    p = put_ids(p, r);
    p = put(p, rest, sizeof rest);
    p = otls_record_put(p, OTLS_CHANGE_CIPHER, 0x0303, 1);
    *p = 1;
}
