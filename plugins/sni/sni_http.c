/* sni_http.c - hide the real host of an HTTP request behind another one. */
/* SPDX-License-Identifier: MIT */
#include "sni.h"

int sni_http_likely(struct gost_bytes in)
{
    size_t i;

    for (i = 0; i < in.n && i < 20; i++) {
        if (in.p[i] == ' ')
            return i > 0;
        if (in.p[i] < 'A' || in.p[i] > 'Z')
            return 0;
    }
    return i < 20;
}

/* GOST_OK, GOST_AGAIN, GOST_EPROTO, GOST_ETOOBIG; GOST_EUNSUPPORTED: no Host. */
int sni_http_cover(struct gost_http1_out *out, struct gost_bytes in, struct gost_bytes host,
                   size_t *ret_used)
{
    char hidden[GOST_HTTP1_TARGET_MAX];
    struct gost_http1_head head;
    struct gost_bytes real;
    const uint8_t *line;
    size_t n;
    int r;

    r = gost_http1_parse_request(&head, in, NULL);
    if (r != GOST_OK)
        return r;
    real = gost_http1_get(&head, "host");
    if (real.n == 0)
        return GOST_EUNSUPPORTED;
    n = gost_http1_target_encode(hidden, sizeof hidden, real);
    if (n == 0)
        return GOST_ETOOBIG;
    /* The line starts behind the last LF before the value. */
    for (line = real.p; line > in.p && line[-1] != '\n'; line--)
        ;
    gost_http1_put(out, gost_bytes(in.p, (size_t)(line - in.p)));
    gost_http1_put_field(out, gost_bytes_str("Host"), host);
    gost_http1_put_field(out, gost_bytes_str("Gost-Target"), gost_bytes(hidden, n));
    line = (const uint8_t *)memchr(real.p, '\n', in.n - (size_t)(real.p - in.p)) + 1;
    gost_http1_put(out, gost_bytes(line, head.length - (size_t)(line - in.p)));
    *ret_used = head.length;
    return out->full ? GOST_ETOOBIG : GOST_OK;
}
