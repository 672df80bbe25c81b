/* fuzz_http.c - heads, chunked bodies and credentials from arbitrary bytes. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

const struct gost_host *gost_host_; /* never called here */

static void require(int good)
{
    if (!good)
        abort();
}

/* What is passed on must be a head again, without anything meant for us alone. */
static void fuzz_request(struct gost_bytes in)
{
    static uint8_t text[2 * GOST_HTTP1_HEAD_MAX + 4096];
    static struct gost_http1_head head, again;
    struct gost_http1_out out = {text, 0, sizeof text, 0};
    struct http_target t;
    size_t scanned = 0;

    if (gost_http1_parse_request(&head, in, NULL) != GOST_OK)
        return;
    require(head.length <= in.n && gost_http1_find_end(in, &scanned) <= head.length);
    gost_decoy_knocked("a,b.c", http_request_host(&head));
    if (http_target_parse(&t, &head) != GOST_OK)
        return;
    http_put_request(&out, &head, &t, GOST_HTTP1_PUT_CLOSE);
    require(!out.full);
    if (gost_http1_parse_request(&again, gost_bytes(text, out.n), NULL) != GOST_OK) {
        require(head.n_fields + 3 > GOST_HTTP1_FIELDS_MAX || out.n > GOST_HTTP1_HEAD_MAX);
        return;
    }
    require(again.length == out.n);
    require(gost_http1_get(&again, "proxy-authorization").p == NULL);
}

static void fuzz_response(struct gost_bytes in)
{
    static uint8_t text[2 * GOST_HTTP1_HEAD_MAX + 4096];
    static struct gost_http1_head head, again;
    struct gost_http1_out out = {text, 0, sizeof text, 0};
    struct gost_http1_body body;

    if (gost_http1_parse_response(&head, in, NULL) != GOST_OK)
        return;
    if (gost_http1_response_body(&body, &head, gost_bytes_str("GET"), NULL) != GOST_OK)
        return;
    gost_http1_put_response(&out, &head, 1, GOST_HTTP1_PUT_KEEP);
    require(!out.full);
    if (gost_http1_parse_response(&again, gost_bytes(text, out.n), NULL) == GOST_OK)
        require(again.length == out.n && again.status == head.status);
}

/* Bytes a chunked body uses when it is shown in pieces, or a negative code. */
static int run_chunked(struct gost_bytes in, size_t piece)
{
    struct gost_http1_body b = {GOST_HTTP1_CHUNKED, 0, 0, 0, 0};
    size_t at = 0, end;
    uint64_t n;
    int r;

    for (end = piece; at < in.n && !gost_http1_body_done(&b); end += piece) {
        if (end > in.n)
            end = in.n;
        while (at < end && !gost_http1_body_done(&b)) {
            n = gost_http1_body_opaque(&b);
            n = n < end - at ? n : end - at;
            gost_http1_body_pass(&b, n);
            at += (size_t)n;
            r = n ? 0 : gost_http1_body_feed(&b, gost_bytes(in.p + at, end - at));
            if (r < 0)
                return r;
            at += (size_t)r;
        }
    }
    return (int)at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gost_bytes in = gost_bytes(data, size), user, secret;
    uint8_t buf[GOST_HTTP1_BASIC_MAX];
    char name[256];
    size_t n;

    fuzz_request(in);
    fuzz_response(in);
    require(run_chunked(in, size + 1) == run_chunked(in, 1));
    if (gost_http1_basic_parse(in, buf, &user, &secret) == GOST_OK)
        require(user.n + secret.n < sizeof buf);
    if (gost_http1_target_decode(name, sizeof name, &n, in) == GOST_OK)
        require(n <= sizeof name);
    return 0;
}
