/* ws_answer.c - what a client gets that asks for something else than our WebSocket. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <time.h>

#include "ws.h"

static void put(struct gost_io *io, const char *text)
{
    gost_send(io, text, strlen(text));
}

static void put_field(struct gost_io *io, const char *name, const char *value)
{
    put(io, name);
    put(io, ": ");
    put(io, value);
    put(io, "\r\n");
}

static void put_status(struct gost_io *io, const struct gost_http1_head *head, uint32_t status)
{
    char line[80];

    snprintf(line, sizeof line, "HTTP/1.%u %u %s\r\n", (unsigned)head->minor, (unsigned)status,
             gost_http1_reason(status));
    put(io, line);
}

/* The fields that every answer ends with; 1: another request may follow. */
static int put_last_fields(struct gost_io *io, const struct gost_http1_head *head, size_t length,
                           int body)
{
    time_t now = (time_t)(gost_unix_time() / GOST_S);
    int more = gost_http1_persistent(head) && !body;
    char text[64];
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    put_field(io, "Date", text);
    snprintf(text, sizeof text, "%zu", length);
    put_field(io, "Content-Length", text);
    if (!more && head->minor == 1)
        put_field(io, "Connection", "close");
    put(io, "\r\n");
    return more;
}

int ws_answer(struct gost_io *io, uint32_t status, const struct gost_http1_head *head, int body)
{
    const char *text = status == 404   ? "404 page not found\n"
                       : status == 405 ? "Method Not Allowed\n"
                                       : "Bad Request\n";
    int more;

    put_status(io, head, status);
    put_field(io, "Content-Type", "text/plain; charset=utf-8");
    if (status != 404)
        put_field(io, "Sec-Websocket-Version", "13");
    put_field(io, "X-Content-Type-Options", "nosniff");
    more = put_last_fields(io, head, strlen(text), body);
    if (!gost_http1_is(head->method, "HEAD"))
        put(io, text);
    return more;
}

int ws_answer_no_http(struct gost_io *io, uint32_t status, const char *detail)
{
    char line[160];

    snprintf(line, sizeof line, "%u %s%s%s", (unsigned)status, gost_http1_reason(status),
             detail ? ": " : "", detail ? detail : "");
    put(io, "HTTP/1.1 ");
    snprintf(line, sizeof line, "%u %s\r\n", (unsigned)status, gost_http1_reason(status));
    put(io, line);
    put_field(io, "Content-Type", "text/plain; charset=utf-8");
    put_field(io, "Connection", "close");
    put(io, "\r\n");
    snprintf(line, sizeof line, "%u %s%s%s", (unsigned)status, gost_http1_reason(status),
             detail ? ": " : "", detail ? detail : "");
    put(io, line);
    return gost_fail(io, status == 431 ? GOST_ETOOBIG : GOST_EPROTO,
                     "the client does not speak HTTP/1.1: it was answered %s", line);
}

/* A byte of a path as it stands in Location and in HTML. */
static size_t escaped(char to[8], uint8_t c)
{
    const char *html = c == '&' ? "&amp;" : c == '\'' ? "&#39;" : NULL;

    if (html)
        return (size_t)snprintf(to, 8, "%s", html);
    if (c <= ' ' || c >= 127 || strchr("\"<>\\^`{|}", c))
        return (size_t)snprintf(to, 8, "%%%02X", c);
    to[0] = (char)c;
    return 1;
}

/* Append in the form of a Location field or of HTML; returns the bytes written or counted. */
static size_t put_escaped(struct gost_io *io, struct gost_bytes text, int html)
{
    size_t total = 0, n, i;
    char part[8];

    for (i = 0; i < text.n; i++) {
        n = !html && (text.p[i] == '&' || text.p[i] == '\'') ? (part[0] = (char)text.p[i], 1u)
                                                             : escaped(part, text.p[i]);
        if (io)
            gost_send(io, part, n);
        total += n;
    }
    return total;
}

static size_t put_location(struct gost_io *io, struct gost_bytes path, struct gost_bytes query,
                           int html)
{
    size_t n = put_escaped(io, path, html);

    if (!query.p)
        return n;
    if (io)
        put(io, "?");
    return n + 1 + put_escaped(io, query, html);
}

int ws_answer_redirect(struct gost_io *io, const struct gost_http1_head *head,
                       struct gost_bytes path, struct gost_bytes query, int body)
{
    static const char before[] = "<a href=\"", after[] = "\">Temporary Redirect</a>.\n\n";
    int is_get = gost_http1_is(head->method, "GET"), is_head = gost_http1_is(head->method, "HEAD");
    size_t length = 0;
    int more;

    put_status(io, head, 307);
    if (is_get || is_head) {
        put_field(io, "Content-Type", "text/html; charset=utf-8");
        length = put_location(NULL, path, query, 1) + sizeof before + sizeof after - 2;
    }
    put(io, "Location: ");
    put_location(io, path, query, 0);
    put(io, "\r\n");
    more = put_last_fields(io, head, length, body);
    if (!is_get)
        return more;
    put(io, before);
    put_location(io, path, query, 1);
    put(io, after);
    return more;
}
