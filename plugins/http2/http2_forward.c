/* http2_forward.c - the request as the upstream gets it. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "http2.h"

/* HTTP/2 cuts a cookie into pieces; others want it whole (RFC 9113 section 8.2.3). */
struct cookie {
    char *text; /* owned; NULL: in one piece, or none */
    size_t n;
};

static int join_cookies(const struct gost_head *h, struct cookie *ret_cookie)
{
    struct gost_bytes name = gost_bytes_str("cookie");
    struct cookie c = {NULL, 0};
    size_t all = 0, pieces = 0;
    uint32_t i;

    for (i = 0; i < h->n_fields; i++) {
        if (!gost_bytes_eq(h->fields[i].name, name))
            continue;
        all += h->fields[i].value.n + 2;
        pieces++;
    }
    if (pieces < 2)
        return GOST_OK;
    c.text = malloc(all);
    if (!c.text)
        return GOST_ENOMEM;
    for (i = 0; i < h->n_fields; i++) {
        struct gost_bytes v = h->fields[i].value;

        if (!gost_bytes_eq(h->fields[i].name, name))
            continue;
        if (c.n) {
            memcpy(c.text + c.n, "; ", 2);
            c.n += 2;
        }
        if (v.n)
            memcpy(c.text + c.n, v.p, v.n);
        c.n += v.n;
    }
    *ret_cookie = c;
    return GOST_OK;
}

/* What the client asked for, without what was for us alone. */
static int pass_on(const struct gost_head *from, struct gost_io *up)
{
    struct gost_field *f = calloc(from->n_fields + 1u, sizeof *f);
    struct cookie cookie = {NULL, 0};
    struct gost_head h = *from;
    uint32_t i;
    int r;

    if (!f || join_cookies(from, &cookie) != GOST_OK) {
        free(f);
        return GOST_ENOMEM;
    }
    h.size = (uint32_t)sizeof h;
    h.fields = f;
    h.n_fields = 0;
    for (i = 0; i < from->n_fields; i++) {
        int is_cookie = gost_bytes_eq(from->fields[i].name, gost_bytes_str("cookie"));

        if (!http2_is_hop_field(from->fields[i].name) && !(is_cookie && cookie.text))
            f[h.n_fields++] = from->fields[i];
    }
    if (cookie.text) {
        f[h.n_fields].name = gost_bytes_str("cookie");
        f[h.n_fields++].value = gost_bytes(cookie.text, cookie.n);
    }
    r = gost_head_send(up, &h);
    free(cookie.text);
    free(f);
    return r;
}

static int ask_page(const struct http2_conf *conf, struct gost_io *up)
{
    struct gost_head h = {.size = sizeof h, .flags = GOST_HEAD_NO_BODY};

    h.method = gost_bytes_str("GET");
    h.scheme = gost_bytes_str(conf->decoy.tls ? "https" : "http");
    h.authority = conf->decoy.authority;
    h.path = conf->decoy.path;
    return gost_head_send(up, &h);
}

int http2_forward(struct http2_state *s, const struct http2_conf *conf, struct gost_io *io)
{
    struct gost_io *up = gost_port(io, HTTP2_UPSTREAM);
    int r = s->page ? ask_page(conf, up) : pass_on(&s->head, up);

    return r == GOST_OK ? GOST_OK : gost_fail(io, r, "the request could not be passed on");
}
