/* pht_answer.c - what a server says, in the fields and order of GOST. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "pht.h"

#define TEXT_PLAIN "text/plain; charset=utf-8"

static struct gost_field field(const char *name, const char *value)
{
    struct gost_field f = {gost_bytes_str(name), gost_bytes_str(value)};

    return f;
}

static int send_head(struct gost_io *io, uint32_t status, const struct gost_field *f, uint32_t n,
                     uint32_t flags)
{
    struct gost_head h = {
        .size = sizeof h, .status = status, .fields = f, .n_fields = n, .flags = flags};

    return gost_head_send(io, &h);
}

int pht_answer(struct gost_io *io, uint32_t status)
{
    const struct gost_field f = field("content-length", "0");
    int r = send_head(io, status, &f, 1, GOST_HEAD_NO_BODY);

    gost_shut(io);
    return r;
}

static int page(struct gost_io *io, uint32_t status, const struct gost_field *f, uint32_t n,
                struct gost_bytes body)
{
    int r = send_head(io, status, f, n, 0);

    if (r == GOST_OK)
        r = gost_send(io, body.p, body.n);
    gost_shut(io);
    return r;
}

int pht_answer_missing(struct gost_io *io)
{
    const struct gost_field f[] = {field("content-type", TEXT_PLAIN),
                                   field("x-content-type-options", "nosniff"),
                                   field("content-length", "19")};

    return page(io, 404, f, 3, gost_bytes_str("404 page not found\n"));
}

int pht_answer_token_page(struct gost_io *io)
{
    const struct gost_field f[] = {field("content-length", "26"),
                                   field("content-type", TEXT_PLAIN)};
    uint8_t random[12];
    char body[6 + PHT_TOKEN] = {'t', 'o', 'k', 'e', 'n', '='};

    gost_random(random, sizeof random);
    pht_token(body + 6, random);
    return page(io, 200, f, 2, gost_bytes(body, sizeof body));
}

int pht_answer_pull(struct gost_io *io)
{
    const struct gost_field f = field("x-accel-buffering", "no");

    return send_head(io, 200, &f, 1, 0);
}
