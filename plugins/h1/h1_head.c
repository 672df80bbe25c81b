/* h1_head.c - heads as they are written and as exchanges have them. Pure. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "h1.h"
#include "headblock.h"

/* Fields that only say how a message is framed or what becomes of the connection. */
static int is_framing(struct gost_bytes name)
{
    static const char *const names[] = {
        "host", "connection", "keep-alive", "proxy-connection", "transfer-encoding",
        "te",   "upgrade"};
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (gost_http1_is(name, names[i]))
            return 1;
    return 0;
}

static struct gost_bytes lower(struct h1_fields *room, struct gost_bytes name)
{
    char *to = room->names + room->used;
    size_t i;

    if (name.n > sizeof room->names - room->used)
        return gost_bytes(NULL, 0);
    for (i = 0; i < name.n; i++)
        to[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + 32) : (char)name.p[i];
    room->used += name.n;
    return gost_bytes(to, name.n);
}

static int copy_fields(const struct gost_http1_head *from, struct gost_head *to,
                       struct h1_fields *room)
{
    uint32_t i;

    room->used = 0;
    to->fields = room->v;
    for (i = 0; i < from->n_fields; i++) {
        struct gost_field *f = &room->v[to->n_fields];

        if (is_framing(from->field[i].name) || gost_http1_hop_by_hop(from, i))
            continue;
        f->name = lower(room, from->field[i].name);
        if (f->name.n == 0)
            return GOST_ETOOBIG;
        f->value = from->field[i].value;
        to->n_fields++;
    }
    return GOST_OK;
}

int h1_request(const struct gost_http1_head *from, struct gost_head *ret_head,
               struct h1_fields *room)
{
    struct gost_head h = {.size = sizeof h, .method = from->method};

    h.authority = gost_http1_get(from, "host");
    if (gost_http1_is(from->method, "CONNECT"))
        h.authority = from->target;
    else
        h.path = from->target;
    *ret_head = h;
    return copy_fields(from, ret_head, room);
}

int h1_response(const struct gost_http1_head *from, struct gost_head *ret_head,
                struct h1_fields *room)
{
    struct gost_head h = {.size = sizeof h, .status = from->status};

    *ret_head = h;
    return copy_fields(from, ret_head, room);
}

/* ---- writing ---- */

static void put_name(struct gost_http1_out *out, struct gost_bytes name)
{
    size_t i;
    int start = 1;

    for (i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];

        if (start && c >= 'a' && c <= 'z')
            c = (uint8_t)(c - 32);
        gost_http1_put(out, gost_bytes(&c, 1));
        start = c == '-';
    }
}

static void put_field(struct gost_http1_out *out, const struct gost_field *f)
{
    put_name(out, f->name);
    gost_http1_put_str(out, ": ");
    gost_http1_put(out, f->value);
    gost_http1_put_str(out, "\r\n");
}

static int is_clean(const struct gost_head *h)
{
    uint32_t i;

    for (i = 0; i < h->n_fields; i++)
        if (!gost_http1_valid_name(h->fields[i].name) ||
            !gost_http1_valid_value(h->fields[i].value))
            return 0;
    return gost_http1_valid_value(h->authority) && gost_http1_valid_value(h->path) &&
           !(h->path.n && memchr(h->path.p, ' ', h->path.n));
}

/* 1: the body's length is told, in *ret_n. */
int h1_length(const struct gost_head *head, uint64_t *ret_n)
{
    uint64_t n = 0;
    uint32_t i;
    size_t k;

    for (i = 0; i < head->n_fields; i++) {
        struct gost_bytes v = head->fields[i].value;

        if (!gost_http1_is(head->fields[i].name, "content-length") || v.n == 0 || v.n > 18)
            continue;
        for (k = 0; k < v.n; k++) {
            if (v.p[k] < '0' || v.p[k] > '9')
                return 0;
            n = n * 10 + (uint64_t)(v.p[k] - '0');
        }
        *ret_n = n;
        return 1;
    }
    return 0;
}

int h1_put_request(struct gost_http1_out *out, const struct gost_head *head)
{
    uint64_t length;
    uint32_t i;

    if (!is_clean(head) || !gost_http1_valid_name(head->method))
        return GOST_EPROTO;
    gost_http1_put(out, head->method);
    gost_http1_put_str(out, " ");
    gost_http1_put(out, head->path.n ? head->path : head->authority);
    gost_http1_put_str(out, " HTTP/1.1\r\nHost: ");
    gost_http1_put(out, head->authority);
    gost_http1_put_str(out, "\r\n");
    for (i = 0; i < head->n_fields; i++)
        if (!is_framing(head->fields[i].name))
            put_field(out, &head->fields[i]);
    if (!(head->flags & GOST_HEAD_NO_BODY) && !h1_length(head, &length))
        gost_http1_put_str(out, "Transfer-Encoding: chunked\r\n");
    gost_http1_put_str(out, "\r\n");
    return out->full ? GOST_ETOOBIG : GOST_OK;
}

static void put_date(struct gost_http1_out *out, uint64_t now)
{
    char text[GOST_HTTP_DATE];

    gost_http_date(text, now);
    gost_http1_put_str(out, "Date: ");
    gost_http1_put_str(out, text);
    gost_http1_put_str(out, "\r\n");
}

/* The order is that of Go: what the user set, the date, the length, then what follows it. */
int h1_put_response(struct gost_http1_out *out, const struct gost_head *head, uint64_t now,
                    int chunked, int close)
{
    int dated = (head->flags & GOST_HEAD_INTERIM) != 0, has_length = 0;
    uint32_t i;

    if (!is_clean(head))
        return GOST_EPROTO;
    for (i = 0; i < head->n_fields; i++)
        dated |= gost_http1_is(head->fields[i].name, "date");
    gost_http1_put_status(out, 1, head->status, gost_bytes(NULL, 0));
    for (i = 0; i < head->n_fields; i++) {
        int length = gost_http1_is(head->fields[i].name, "content-length");

        if (is_framing(head->fields[i].name))
            continue;
        if (length && !dated)
            put_date(out, now);
        dated |= length;
        has_length |= length;
        put_field(out, &head->fields[i]);
    }
    if (!dated)
        put_date(out, now);
    if (!has_length && (head->flags & GOST_HEAD_NO_BODY) && head->status >= 200 &&
        head->status != 204 && head->status != 304)
        gost_http1_put_str(out, "Content-Length: 0\r\n");
    if (chunked)
        gost_http1_put_str(out, "Transfer-Encoding: chunked\r\n");
    if (close)
        gost_http1_put_str(out, "Connection: close\r\n");
    gost_http1_put_str(out, "\r\n");
    return out->full ? GOST_ETOOBIG : GOST_OK;
}
