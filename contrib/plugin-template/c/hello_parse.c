/* hello_parse.c - the request line. */
/* SPDX-License-Identifier: MIT */
#include "hello.h"

/* The next word of the line; empty when there is none. */
static struct gost_bytes word(struct gost_bytes *line)
{
    struct gost_bytes w = {line->p, 0};

    while (w.n < line->n && line->p[w.n] != ' ')
        w.n++;
    line->p += w.n < line->n ? w.n + 1 : w.n;
    line->n -= w.n < line->n ? w.n + 1 : w.n;
    return w;
}

int hello_parse(struct gost_bytes in, struct hello_request *ret_request)
{
    const uint8_t *end = in.n ? (const uint8_t *)memchr(in.p, '\n', in.n) : NULL;
    struct gost_bytes line, target;

    if (!end)
        return in.n >= HELLO_MAX ? GOST_EPROTO : 0;
    line = gost_bytes(in.p, (size_t)(end - in.p));
    if (!gost_bytes_eq(word(&line), gost_bytes("HELLO", 5)))
        return GOST_EPROTO;
    ret_request->user = word(&line);
    ret_request->secret = word(&line);
    target = word(&line);
    if (gost_addr_parse(&ret_request->target, (const char *)target.p, target.n, 0) != GOST_OK ||
        ret_request->target.family == GOST_AF_NONE || ret_request->target.port == 0)
        return GOST_EPROTO;
    return (int)(end - in.p) + 1;
}
