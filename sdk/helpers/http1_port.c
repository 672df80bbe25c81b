/* http1_port.c - HTTP/1 heads on ports: reading them, passing a response on. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "http1_port.h"

/* Memory for a text of at most size bytes; gost_http1_out_send() frees it. */
int gost_http1_out_new(struct gost_http1_out *out, size_t size)
{
    memset(out, 0, sizeof *out);
    out->p = malloc(size);
    if (!out->p)
        return GOST_ENOMEM;
    out->size = size;
    return GOST_OK;
}

/* Send what was built, wipe and free it. */
int gost_http1_out_send(struct gost_io *io, struct gost_http1_out *out)
{
    int r = out->full ? GOST_EINTERNAL : gost_send(io, out->p, out->n);

    gost_wipe(out->p, out->n);
    free(out->p);
    out->p = NULL;
    return r;
}

/*
 * Parse the head at the front of a port without taking it. GOST_OK; GOST_AGAIN: more is needed and
 * the port has been told so; an error with *ret_why.
 */
int gost_http1_read_head(struct gost_io *io, struct gost_http1_reader *reader, int is_response,
                         struct gost_http1_head *ret_head, const char **ret_why)
{
    size_t n = gost_rx_len(io), end;
    const uint8_t *p;
    int r;

    if (n > GOST_HTTP1_HEAD_MAX)
        n = GOST_HTTP1_HEAD_MAX;
    p = n ? gost_peek(io, n) : NULL;
    if (!p)
        return GOST_AGAIN;
    end = gost_http1_find_end(gost_bytes(p, n), &reader->scanned);
    if (!end && reader->line_ok && n < GOST_HTTP1_HEAD_MAX) {
        gost_want(io, n + 1);
        return GOST_AGAIN;
    }
    r = is_response ? gost_http1_parse_response(ret_head, gost_bytes(p, n), ret_why)
                    : gost_http1_parse_request(ret_head, gost_bytes(p, n), ret_why);
    if (r == GOST_AGAIN) {
        /* Behind an empty line that may lead, a line end means that the first line was fine. */
        reader->line_ok = n > 2 && memchr(p + 2, '\n', n - 2) != NULL;
        gost_want(io, n + 1);
    }
    return r;
}

static int is_any(struct gost_bytes name, const char *const *names)
{
    for (; *names; names++)
        if (gost_http1_is(name, *names))
            return 1;
    return 0;
}

void gost_http1_put_connection(struct gost_http1_out *out, const struct gost_http1_head *head,
                               uint32_t flags)
{
    if (flags & GOST_HTTP1_PUT_UPGRADE) {
        gost_http1_put_str(out, "Connection: Upgrade\r\n");
        gost_http1_put_field(out, gost_bytes_str("Upgrade"), gost_http1_get(head, "upgrade"));
    } else if (flags & GOST_HTTP1_PUT_CLOSE) {
        gost_http1_put_str(out, "Connection: close\r\n");
    } else if (flags & GOST_HTTP1_PUT_KEEP) {
        gost_http1_put_str(out, "Connection: keep-alive\r\n");
    }
}

/* The response for the client, in its version. */
void gost_http1_put_response(struct gost_http1_out *out, const struct gost_http1_head *head,
                             uint32_t minor, uint32_t flags)
{
    static const char *const framing[] = {"transfer-encoding", "trailer", NULL};
    uint32_t i;

    gost_http1_put_status(out, minor, head->status, head->reason);
    gost_http1_put_connection(out, head, flags);
    for (i = 0; i < head->n_fields; i++) {
        if (gost_http1_hop_by_hop(head, i))
            continue;
        if ((flags & GOST_HTTP1_PUT_STRIP) && is_any(head->field[i].name, framing))
            continue;
        gost_http1_put_field(out, head->field[i].name, head->field[i].value);
    }
    gost_http1_put_str(out, "\r\n");
}
