/* h3_head.c - heads: QPACK without a dynamic table, and what makes a head malformed. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <gost/http1.h>

#include "h3.h"

static struct gost_bytes view_of(nghttp3_rcbuf *b)
{
    nghttp3_vec v = nghttp3_rcbuf_get_buf(b);

    return gost_bytes(v.base, v.len);
}

/*
 * The fields of one field section. GOST_OK: ret_block has them, or is marked too_big; GOST_EPROTO:
 * it is none; GOST_ENOMEM.
 */
int h3_head_decode(nghttp3_qpack_decoder *d, struct gost_bytes b, uint64_t id, size_t max,
                   struct gost_block *ret_block)
{
    nghttp3_qpack_stream_context *ctx;
    nghttp3_qpack_nv nv;
    nghttp3_ssize n;
    uint8_t flags = 0;
    int r = GOST_OK;

    if (nghttp3_qpack_stream_context_new(&ctx, (int64_t)id, nghttp3_mem_default()))
        return GOST_ENOMEM;
    gost_block_begin(ret_block);
    while (!(flags & NGHTTP3_QPACK_DECODE_FLAG_FINAL)) {
        n = nghttp3_qpack_decoder_read_request(d, ctx, &nv, &flags, b.p, b.n, 1);
        if (n < 0 || (flags & NGHTTP3_QPACK_DECODE_FLAG_BLOCKED)) {
            r = n == NGHTTP3_ERR_NOMEM ? GOST_ENOMEM : GOST_EPROTO;
            break;
        }
        if (flags & NGHTTP3_QPACK_DECODE_FLAG_EMIT) {
            gost_block_add(ret_block, view_of(nv.name), view_of(nv.value), max);
            nghttp3_rcbuf_decref(nv.name);
            nghttp3_rcbuf_decref(nv.value);
        }
        b = gost_bytes(b.p + n, b.n - (size_t)n);
    }
    nghttp3_qpack_stream_context_del(ctx);
    return r == GOST_OK && ret_block->no_memory ? GOST_ENOMEM : r;
}

/* ---- rules ---- */

enum { METHOD, SCHEME, AUTHORITY, PATH, PROTOCOL, STATUS, N_PSEUDO };

static int pseudo_of(struct gost_bytes name)
{
    static const char *const names[N_PSEUDO] = {":method", ":scheme",   ":authority",
                                                ":path",   ":protocol", ":status"};
    int i;

    for (i = 0; i < N_PSEUDO; i++)
        if (gost_bytes_eq(name, gost_bytes_str(names[i])))
            return i;
    return -1;
}

static int is_hop_field(struct gost_bytes name)
{
    static const char *const names[] = {"connection", "keep-alive", "proxy-connection",
                                        "transfer-encoding", "upgrade"};
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (gost_bytes_eq(name, gost_bytes_str(names[i])))
            return 1;
    return 0;
}

static const char *check_field(struct gost_bytes name, struct gost_bytes value)
{
    size_t i;

    if (!gost_http1_valid_name(name))
        return "a field name that is none";
    for (i = 0; i < name.n; i++)
        if (name.p[i] >= 'A' && name.p[i] <= 'Z')
            return "a field name in capital letters";
    if (!gost_http1_valid_value(value))
        return "a field value with a control character";
    if (is_hop_field(name))
        return "a field of HTTP/1 connections";
    if (gost_bytes_eq(name, gost_bytes_str("te")) &&
        !gost_bytes_eq(value, gost_bytes_str("trailers")))
        return "a te field that is not trailers";
    return NULL;
}

static const char *check_status(struct gost_bytes v)
{
    size_t i;

    if (v.n != 3 || v.p[0] < '1' || v.p[0] > '9')
        return "a status that is none";
    for (i = 1; i < 3; i++)
        if (v.p[i] < '0' || v.p[i] > '9')
            return "a status that is none";
    return gost_bytes_eq(v, gost_bytes_str("101")) ? "the status 101" : NULL;
}

/* v: the pseudo fields of a request; .p NULL: absent. An empty scheme is what GOST's client sends
 * with extended CONNECT. */
static const char *check_request(const struct gost_bytes *v)
{
    int connect = v[METHOD].p && gost_bytes_eq(v[METHOD], gost_bytes_str("CONNECT"));

    if (v[STATUS].p || !v[METHOD].p || !gost_http1_valid_name(v[METHOD]))
        return "no method";
    if (v[PROTOCOL].p && (!connect || v[PROTOCOL].n == 0))
        return "a protocol without CONNECT";
    if (connect && v[AUTHORITY].n == 0)
        return "CONNECT without authority";
    if (connect && !v[PROTOCOL].p)
        return v[SCHEME].n || v[PATH].n ? "CONNECT with scheme or path" : NULL;
    if (!v[SCHEME].p || v[PATH].n == 0)
        return "no scheme or path";
    return NULL;
}

/* NULL, or what is wrong with the fields of a decoded section. */
const char *h3_head_check(const struct gost_block *b, int is_response, int is_trailers)
{
    struct gost_bytes v[N_PSEUDO] = {{NULL, 0}};
    const char *wrong = NULL;
    int regular = is_trailers;
    uint32_t i;

    for (i = 0; i < b->n_span && !wrong; i++) {
        struct gost_bytes name = gost_bytes(b->text + b->span[i].at, b->span[i].name_n);
        struct gost_bytes value = gost_bytes((const char *)name.p + name.n, b->span[i].value_n);
        int k;

        if (name.n == 0 || name.p[0] != ':') {
            regular = 1;
            wrong = check_field(name, value);
            continue;
        }
        k = pseudo_of(name);
        if (regular || k < 0 || v[k].p || !gost_http1_valid_value(value))
            return "a pseudo field that is unknown, twice there, or out of place";
        v[k] = value;
    }
    if (wrong || is_trailers)
        return wrong;
    if (!is_response)
        return check_request(v);
    for (i = 0; i < STATUS; i++)
        if (v[i].p)
            return "a request's field in a response";
    return check_status(v[STATUS]);
}

/* ---- to the wire ---- */

static uint8_t flags_of(struct gost_bytes name)
{
    return gost_field_secret(name) ? NGHTTP3_NV_FLAG_NEVER_INDEX : NGHTTP3_NV_FLAG_NONE;
}

static int encode(nghttp3_qpack_encoder *e, const struct gost_field_list *l, uint64_t id,
                  nghttp3_buf *prefix, nghttp3_buf *body)
{
    nghttp3_nv *nv = calloc(l->n + 1, sizeof *nv);
    nghttp3_buf instructions;
    size_t i;
    int r;

    if (!nv)
        return GOST_ENOMEM;
    for (i = 0; i < l->n; i++) { /* nghttp3 reads them only */
        nv[i].name = (uint8_t *)(uintptr_t)l->v[i].name.p;
        nv[i].namelen = l->v[i].name.n;
        nv[i].value = (uint8_t *)(uintptr_t)(l->v[i].value.n ? l->v[i].value.p : nv[i].name);
        nv[i].valuelen = l->v[i].value.n;
        nv[i].flags = flags_of(l->v[i].name);
    }
    nghttp3_buf_init(prefix);
    nghttp3_buf_init(body);
    nghttp3_buf_init(&instructions);
    r = nghttp3_qpack_encoder_encode(e, prefix, body, &instructions, (int64_t)id, nv, l->n);
    nghttp3_buf_free(&instructions, nghttp3_mem_default()); /* without a table: empty */
    free(nv);
    if (r == 0)
        return GOST_OK;
    nghttp3_buf_free(prefix, nghttp3_mem_default());
    nghttp3_buf_free(body, nghttp3_mem_default());
    return GOST_ENOMEM;
}

/* The field section of a head, in two parts that the caller frees. What Go's servers add is added.
 */
int h3_head_encode(nghttp3_qpack_encoder *e, const struct gost_head *head, uint64_t id,
                   nghttp3_buf *ret_prefix, nghttp3_buf *ret_body)
{
    char date[GOST_HTTP_DATE];
    struct gost_field more = {gost_bytes_str("date"), gost_bytes(date, 0)};
    uint32_t n_more = 0;
    struct gost_field_list l;
    int r;

    if (head->status >= 200 && !(head->flags & GOST_HEAD_TRAILERS) &&
        !gost_head_has(head, "date")) {
        gost_http_date(date, gost_unix_time() / GOST_S);
        more.value = gost_bytes_str(date);
        n_more = 1;
    }
    if (gost_head_list(head, 0, &more, n_more, &l) != GOST_OK)
        return GOST_ENOMEM;
    r = encode(e, &l, id, ret_prefix, ret_body);
    free(l.v);
    return r;
}
