/* h2_head.c - heads of exchanges from header blocks, and back. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "h2.h"

#define FIELD_COST 32u   /* what RFC 9113 section 6.5.2 adds to each field */
#define KEEP_MAX   4096u /* memory kept between blocks */

/* ---- blocks ---- */

void h2_block_free(struct h2_block *b)
{
    free(b->text);
    free(b->span);
    memset(b, 0, sizeof *b);
}

void h2_block_begin(struct h2_block *b)
{
    if (b->room > KEEP_MAX || b->span_room > KEEP_MAX / sizeof *b->span)
        h2_block_free(b);
    b->n = 0;
    b->n_span = b->parts = 0;
    b->too_big = b->no_memory = 0;
}

static void *grow(void *p, size_t *room, size_t need, size_t size)
{
    size_t n = *room ? *room : 16;
    void *more;

    while (n < need)
        n *= 2;
    if (n == *room)
        return p;
    more = realloc(p, n * size);
    if (more)
        *room = n;
    return more;
}

static int make_room(struct h2_block *b, size_t n)
{
    size_t spans = b->span_room;
    char *text = grow(b->text, &b->room, b->n + n, 1);
    struct h2_span *span;

    if (text)
        b->text = text;
    span = grow(b->span, &spans, b->n_span + 1u, sizeof *span);
    if (span) {
        b->span = span;
        b->span_room = (uint32_t)spans;
    }
    return text && span;
}

void h2_block_add(struct h2_block *b, struct gost_bytes name, struct gost_bytes value, size_t max)
{
    struct h2_span *f;

    if (b->too_big || b->no_memory)
        return;
    if (b->n_span >= H2_FIELDS_MAX ||
        b->n + name.n + value.n + FIELD_COST * (b->n_span + 1u) > max) {
        b->too_big = 1;
        return;
    }
    if (!make_room(b, name.n + value.n + 1)) {
        b->no_memory = 1;
        return;
    }
    f = &b->span[b->n_span++];
    f->at = (uint32_t)b->n;
    f->name_n = (uint32_t)name.n;
    f->value_n = (uint32_t)value.n;
    memcpy(b->text + b->n, name.p, name.n);
    if (value.n)
        memcpy(b->text + b->n + name.n, value.p, value.n);
    b->n += name.n + value.n;
}

static struct gost_bytes *pseudo(struct gost_head *h, struct gost_bytes name)
{
    static const char *const names[] = {":method", ":scheme", ":authority", ":path", ":protocol"};
    struct gost_bytes *const at[] = {&h->method, &h->scheme, &h->authority, &h->path, &h->protocol};
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (gost_bytes_eq(name, gost_bytes_str(names[i])))
            return at[i];
    return NULL;
}

static uint32_t status_of(struct gost_bytes value)
{
    uint32_t v = 0;
    size_t i;

    for (i = 0; i < value.n && i < 3; i++)
        v = v * 10 + (uint32_t)(value.p[i] - '0');
    return v;
}

/*
 * The head of a complete block: GOST_OK or GOST_ENOMEM. The caller frees *ret_fields. nghttp2 has
 * checked the names, the values and that the pseudo fields are those of a request or a response.
 */
int h2_block_head(struct h2_block *b, struct gost_head *ret_head, struct gost_field **ret_fields)
{
    struct gost_field *f = calloc(b->n_span + 1u, sizeof *f);
    struct gost_head h;
    uint32_t i;

    if (!f)
        return GOST_ENOMEM;
    memset(&h, 0, sizeof h);
    h.size = (uint32_t)sizeof h;
    for (i = 0; i < b->n_span; i++) {
        const char *at = b->text + b->span[i].at;
        struct gost_bytes name = gost_bytes(at, b->span[i].name_n);
        struct gost_bytes value = gost_bytes(at + name.n, b->span[i].value_n);
        struct gost_bytes *p = name.n && name.p[0] == ':' ? pseudo(&h, name) : NULL;

        if (p) {
            *p = value;
        } else if (gost_bytes_eq(name, gost_bytes_str(":status"))) {
            h.status = status_of(value);
        } else {
            if (!h.status && !h.authority.n && gost_bytes_eq(name, gost_bytes_str("host")))
                h.authority = value;
            f[h.n_fields].name = name;
            f[h.n_fields++].value = value;
        }
    }
    h.fields = f;
    *ret_head = h;
    *ret_fields = f;
    return GOST_OK;
}

/* ---- to nghttp2 ---- */

struct nv_list {
    nghttp2_nv *v;
    size_t n;
};

static void put(struct nv_list *l, struct gost_bytes name, struct gost_bytes value, uint8_t flags)
{
    nghttp2_nv *v = &l->v[l->n++];

    /* nghttp2 copies both. */
    v->name = (uint8_t *)(uintptr_t)name.p;
    v->namelen = name.n;
    v->value = (uint8_t *)(uintptr_t)(value.n ? value.p : (const uint8_t *)"");
    v->valuelen = value.n;
    v->flags = flags;
}

static void put_text(struct nv_list *l, const char *name, struct gost_bytes value)
{
    if (value.n)
        put(l, gost_bytes_str(name), value, NGHTTP2_NV_FLAG_NONE);
}

static int is_one_of(struct gost_bytes name, const char *const *names)
{
    for (; *names; names++)
        if (gost_bytes_eq(name, gost_bytes_str(*names)))
            return 1;
    return 0;
}

/* Fields that HTTP/2 has no place for (RFC 9113 section 8.2.2). */
static int is_left_out(const struct gost_head *h, const struct gost_field *f)
{
    static const char *const names[] = {"connection",        "keep-alive", "proxy-connection",
                                        "transfer-encoding", "upgrade",    NULL};

    if (f->name.n == 0 || f->name.p[0] == ':' || is_one_of(f->name, names))
        return 1;
    if (gost_bytes_eq(f->name, gost_bytes_str("te")))
        return !gost_bytes_eq(f->value, gost_bytes_str("trailers"));
    return h->authority.n && gost_bytes_eq(f->name, gost_bytes_str("host"));
}

/* Other users of the session must not find secrets out by the size of what they send. */
static uint8_t flags_of(struct gost_bytes name)
{
    static const char *const names[] = {"authorization", "proxy-authorization", NULL};

    return is_one_of(name, names) ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
}

static void put_request(struct nv_list *l, const struct gost_head *h, uint32_t profile)
{
    int plain = gost_bytes_eq(h->method, gost_bytes_str("CONNECT")) && !h->protocol.n;
    struct gost_bytes none = gost_bytes(NULL, 0);
    struct gost_bytes scheme = plain ? none : h->scheme, path = plain ? none : h->path;

    if (profile == H2_GRPC) {
        put_text(l, ":method", h->method);
        put_text(l, ":scheme", scheme);
        put_text(l, ":path", path);
        put_text(l, ":authority", h->authority);
    } else {
        put_text(l, ":authority", h->authority);
        put_text(l, ":method", h->method);
        put_text(l, ":path", path);
        put_text(l, ":scheme", scheme);
    }
    put_text(l, ":protocol", h->protocol);
}

/* 1: the head has a field of that name. */
int h2_head_has(const struct gost_head *head, const char *name)
{
    uint32_t i;

    for (i = 0; i < head->n_fields; i++)
        if (gost_bytes_eq(head->fields[i].name, gost_bytes_str(name)))
            return 1;
    return 0;
}

/*
 * A head for nghttp2, in the order that the profile's own programs write; `more` fields come last.
 * GOST_OK or GOST_ENOMEM; the caller frees *ret_nv, whose views are those of the arguments.
 */
int h2_head_nv(const struct gost_head *head, uint32_t profile, const struct gost_field *more,
               uint32_t n_more, nghttp2_nv **ret_nv, size_t *ret_n)
{
    static const char *const digits = "0123456789";
    struct nv_list l = {malloc((head->n_fields + n_more + 6u) * sizeof *l.v + 3), 0};
    uint32_t i;

    if (!l.v)
        return GOST_ENOMEM;
    if (head->flags & GOST_HEAD_TRAILERS) {
        /* only fields */
    } else if (head->status) {
        char *code = (char *)(l.v + head->n_fields + n_more + 6);

        code[0] = digits[head->status / 100 % 10];
        code[1] = digits[head->status / 10 % 10];
        code[2] = digits[head->status % 10];
        put_text(&l, ":status", gost_bytes(code, 3));
    } else {
        put_request(&l, head, profile);
    }
    for (i = 0; i < head->n_fields; i++)
        if (!is_left_out(head, &head->fields[i]))
            put(&l, head->fields[i].name, head->fields[i].value, flags_of(head->fields[i].name));
    for (i = 0; i < n_more; i++)
        put(&l, more[i].name, more[i].value, NGHTTP2_NV_FLAG_NONE);
    *ret_nv = l.v;
    *ret_n = l.n;
    return GOST_OK;
}
