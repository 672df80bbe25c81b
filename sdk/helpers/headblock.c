/* headblock.c - heads of exchanges from the fields of a header block, and back. Pure. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "headblock.h"

#define FIELD_COST \
    32u /* what RFC 9113 section 6.5.2 and RFC 9114 section 4.2.2 add to each field */
#define KEEP_MAX 4096u /* memory kept between blocks */

/* ---- blocks ---- */

void gost_block_free(struct gost_block *b)
{
    free(b->text);
    free(b->span);
    memset(b, 0, sizeof *b);
}

void gost_block_begin(struct gost_block *b)
{
    if (b->room > KEEP_MAX || b->span_room > KEEP_MAX / sizeof *b->span)
        gost_block_free(b);
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

static int make_room(struct gost_block *b, size_t n)
{
    size_t spans = b->span_room;
    char *text = grow(b->text, &b->room, b->n + n, 1);
    struct gost_span *span;

    if (text)
        b->text = text;
    span = grow(b->span, &spans, b->n_span + 1u, sizeof *span);
    if (span) {
        b->span = span;
        b->span_room = (uint32_t)spans;
    }
    return text && span;
}

void gost_block_add(struct gost_block *b, struct gost_bytes name, struct gost_bytes value,
                    size_t max)
{
    struct gost_span *f;

    if (b->too_big || b->no_memory)
        return;
    if (b->n_span >= GOST_BLOCK_FIELDS ||
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
 * The head of a complete block: GOST_OK or GOST_ENOMEM. The caller frees *ret_fields. The
 * caller has checked the names, the values and that the pseudo fields belong together.
 */
int gost_block_head(struct gost_block *b, struct gost_head *ret_head,
                    struct gost_field **ret_fields)
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

/* ---- the date ---- */

/* "Mon, 23 Nov 2026 07:20:30 GMT" of seconds since 1970; `to` has room for GOST_HTTP_DATE. */
void gost_http_date(char *to, uint64_t seconds)
{
    static const char days[] = "ThuFriSatSunMonTueWed";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    uint64_t day = seconds / 86400, era, of_era, year, of_year, month;
    unsigned rest = (unsigned)(seconds % 86400);

    /* Years begin in March: the leap day is their last. */
    day += 719468;
    era = day / 146097;
    of_era = day % 146097;
    year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year = of_era - (365 * year + year / 4 - year / 100);
    month = (5 * of_year + 2) / 153;
    day = of_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 2 : month - 10;
    year = (year + era * 400 + (month < 2)) % 10000;
    snprintf(to, GOST_HTTP_DATE, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
             days + seconds / 86400 % 7 * 3, (unsigned)day % 100, months + month * 3,
             (unsigned)year, rest / 3600, rest / 60 % 60, rest % 60);
}

/* ---- lists of fields ---- */

static int is_one_of(struct gost_bytes name, const char *const *names)
{
    for (; *names; names++)
        if (gost_bytes_eq(name, gost_bytes_str(*names)))
            return 1;
    return 0;
}

/* Fields that HTTP/2 and HTTP/3 have no place for (RFC 9113 section 8.2.2). */
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

static void put(struct gost_field_list *l, const char *name, struct gost_bytes value)
{
    if (!value.n)
        return;
    l->v[l->n].name = gost_bytes_str(name);
    l->v[l->n++].value = value;
}

static void put_request(struct gost_field_list *l, const struct gost_head *h, int method_first)
{
    int plain = gost_bytes_eq(h->method, gost_bytes_str("CONNECT")) && !h->protocol.n;
    struct gost_bytes none = gost_bytes(NULL, 0);
    struct gost_bytes scheme = plain ? none : h->scheme, path = plain ? none : h->path;

    if (method_first) {
        put(l, ":method", h->method);
        put(l, ":scheme", scheme);
        put(l, ":path", path);
        put(l, ":authority", h->authority);
    } else {
        put(l, ":authority", h->authority);
        put(l, ":method", h->method);
        put(l, ":path", path);
        put(l, ":scheme", scheme);
    }
    put(l, ":protocol", h->protocol);
}

/* The value of the first field of that (lower-case) name; .p is NULL when there is none. */
struct gost_bytes gost_head_get(const struct gost_head *h, const char *name)
{
    uint32_t i;

    for (i = 0; i < h->n_fields; i++)
        if (gost_bytes_eq(h->fields[i].name, gost_bytes_str(name)))
            return h->fields[i].value;
    return gost_bytes(NULL, 0);
}

/* 1: the head has a field of that name. */
int gost_head_has(const struct gost_head *head, const char *name)
{
    uint32_t i;

    for (i = 0; i < head->n_fields; i++)
        if (gost_bytes_eq(head->fields[i].name, gost_bytes_str(name)))
            return 1;
    return 0;
}

/* 1: other users of the session must not find the value out by the size of what they send. */
int gost_field_secret(struct gost_bytes name)
{
    static const char *const names[] = {"authorization", "proxy-authorization", NULL};

    return is_one_of(name, names);
}

int gost_head_list(const struct gost_head *head, int method_first, const struct gost_field *more,
                   uint32_t n_more, struct gost_field_list *ret_list)
{
    static const char *const digits = "0123456789";
    struct gost_field_list l = {malloc((head->n_fields + n_more + 6u) * sizeof *l.v + 3), 0};
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
        put(&l, ":status", gost_bytes(code, 3));
    } else {
        put_request(&l, head, method_first);
    }
    for (i = 0; i < head->n_fields; i++)
        if (!is_left_out(head, &head->fields[i]))
            l.v[l.n++] = head->fields[i];
    for (i = 0; i < n_more; i++)
        l.v[l.n++] = more[i];
    *ret_list = l;
    return GOST_OK;
}
