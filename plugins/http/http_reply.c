/* http_reply.c - the proxy's own answers, and header fields in gost's order. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "http.h"

void http_put_reply(struct gost_http1_out *out, const struct http_conf *conf, uint32_t minor,
                    uint32_t status, uint32_t flags)
{
    struct gost_http1_list list;
    uint32_t i;

    list.n = 0;
    if (flags & HTTP_REPLY_AGENT)
        gost_http1_list_add(&list, "Proxy-Agent", conf->proxy_agent);
    if (flags & HTTP_REPLY_HEADERS)
        for (i = 0; i < conf->header.n; i++)
            gost_http1_list_add(&list, conf->header.v[i].key, conf->header.v[i].value);
    gost_http1_put_status(out, minor, status, gost_bytes(NULL, 0));
    if (!(flags & HTTP_REPLY_EMPTY))
        gost_http1_put_str(out, "Connection: close\r\n");
    gost_http1_put_list(out, &list);
    gost_http1_put_str(out, flags & HTTP_REPLY_EMPTY ? "Content-Length: 0\r\n\r\n" : "\r\n");
}

void http_put_established(struct gost_http1_out *out, const struct http_conf *conf)
{
    gost_http1_put_status(out, 1, 200, gost_bytes_str("Connection established"));
    gost_http1_put_field(out, gost_bytes_str("Proxy-Agent"), gost_bytes_str(conf->proxy_agent));
    gost_http1_put_str(out, "\r\n");
}

void http_put_407(struct gost_http1_out *out, const struct http_conf *conf, int proxy_connection)
{
    gost_http1_put_status(out, 1, 407, gost_bytes(NULL, 0));
    gost_http1_put_str(out, "Connection: close\r\nProxy-Authenticate: Basic realm=\"");
    gost_http1_put_str(out, conf->realm);
    gost_http1_put_str(out, "\"\r\n");
    if (proxy_connection)
        gost_http1_put_str(out, "Proxy-Connection: close\r\n");
    gost_http1_put_str(out, "\r\n");
}

void http_put_decoy_code(struct gost_http1_out *out, uint32_t status)
{
    gost_http1_put_status(out, 1, status, gost_bytes(NULL, 0));
    gost_http1_put_str(out, "Connection: close\r\n");
    if (status == 200)
        gost_http1_put_str(out, "Connection: keep-alive\r\n");
    gost_http1_put_str(out, "\r\n");
}

void http_put_decoy_file(struct gost_http1_out *out, size_t length)
{
    char text[32];

    snprintf(text, sizeof text, "%zu", length);
    gost_http1_put_status(out, 1, 200, gost_bytes(NULL, 0));
    gost_http1_put_field(out, gost_bytes_str("Content-Length"), gost_bytes_str(text));
    gost_http1_put_str(out, "Connection: keep-alive\r\nContent-Type: text/html\r\n\r\n");
}

/* Send one of our own answers. */
int http_reply(struct gost_io *io, const struct http_conf *conf, uint32_t minor, uint32_t status,
               uint32_t flags)
{
    struct gost_http1_out out;
    int r = gost_http1_out_new(&out, 256 + strlen(conf->proxy_agent) +
                                         gost_http1_map_size(&conf->header));

    if (r != GOST_OK)
        return r;
    http_put_reply(&out, conf, minor, status, flags);
    return gost_http1_out_send(io, &out);
}
