/* ohttp_head.c - the two heads, as pure functions. */
/* SPDX-License-Identifier: MIT */
#include <time.h>

#include <openssl/evp.h>

#include "ohttp.h"

static const char salt[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

static void add_missing(struct gost_http1_list *list, const char *name, const char *value)
{
    if (!gost_http1_list_has(list, name)) /* a configured field stands instead of ours */
        gost_http1_list_add(list, name, value);
}

static void put_list(struct gost_http1_out *out, const struct gost_http1_list *list)
{
    gost_http1_put_list(out, list);
    gost_http1_put_str(out, "\r\n");
}

size_t ohttp_head_size(const struct ohttp_conf *c)
{
    return 512 + GOST_ADDR_TEXT + (c->host ? strlen(c->host) : 0) + gost_http1_map_size(&c->header);
}

void ohttp_put_request(struct gost_http1_out *out, const struct ohttp_conf *c, const char *host)
{
    const char *agent = gost_http1_map_get(&c->header, "User-Agent");
    const char *own = gost_http1_map_get(&c->header, "Host");
    uint8_t raw[16], key[25];
    struct gost_http1_list list;

    gost_random(raw, sizeof raw);
    EVP_EncodeBlock(key, raw, (int)sizeof raw);
    list.n = 0;
    gost_http1_list_add_rest(&list, &c->header);
    add_missing(&list, "Connection", "Upgrade");
    add_missing(&list, "Sec-Websocket-Key", (const char *)key);
    add_missing(&list, "Upgrade", "websocket");
    gost_http1_put_str(out, "GET / HTTP/1.1\r\n");
    gost_http1_put_field(out, gost_bytes_str("Host"), gost_bytes_str(own ? own : host));
    gost_http1_put_field(out, gost_bytes_str("User-Agent"),
                         gost_bytes_str(agent ? agent : "Go-http-client/1.1"));
    put_list(out, &list);
}

/* As GOST writes it: with the name of the local zone. */
static void put_date(char *buf, size_t size, uint64_t now)
{
    time_t t = (time_t)(now / GOST_S);
    struct tm tm;

    localtime_r(&t, &tm);
    strftime(buf, size, "%a, %d %b %Y %H:%M:%S %Z", &tm);
}

void ohttp_put_answer(struct gost_http1_out *out, const struct ohttp_conf *c,
                      const char accept[OHTTP_ACCEPT], uint64_t now)
{
    char date[64], text[OHTTP_ACCEPT + 1];
    struct gost_http1_list list;

    memcpy(text, accept, OHTTP_ACCEPT);
    text[OHTTP_ACCEPT] = 0;
    put_date(date, sizeof date, now);
    list.n = 0;
    gost_http1_list_add_rest(&list, &c->header);
    add_missing(&list, "Connection", "Upgrade");
    add_missing(&list, "Date", date);
    add_missing(&list, "Sec-Websocket-Accept", text);
    add_missing(&list, "Upgrade", "websocket");
    gost_http1_put_status(out, 1, 101, gost_bytes(NULL, 0));
    put_list(out, &list);
}

void ohttp_put_refusal(struct gost_http1_out *out, uint64_t now)
{
    char date[64];

    put_date(date, sizeof date, now);
    gost_http1_put_status(out, 1, 400, gost_bytes(NULL, 0));
    gost_http1_put_field(out, gost_bytes_str("Date"), gost_bytes_str(date));
    gost_http1_put_str(out, "Content-Length: 0\r\n\r\n");
}

void ohttp_accept(char accept[OHTTP_ACCEPT], struct gost_bytes key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t digest[EVP_MAX_MD_SIZE], text[OHTTP_ACCEPT + 1];
    unsigned n = 0;

    memset(digest, 0, sizeof digest);
    if (ctx && EVP_DigestInit_ex(ctx, EVP_sha1(), NULL) && EVP_DigestUpdate(ctx, key.p, key.n) &&
        EVP_DigestUpdate(ctx, salt, sizeof salt - 1))
        EVP_DigestFinal_ex(ctx, digest, &n);
    EVP_MD_CTX_free(ctx);
    EVP_EncodeBlock(text, digest, 20);
    memcpy(accept, text, OHTTP_ACCEPT);
}

int ohttp_is_request(const struct gost_http1_head *head)
{
    return gost_bytes_eq(head->method, gost_bytes_str("GET")) &&
           gost_bytes_eq(gost_http1_get(head, "Upgrade"), gost_bytes_str("websocket"));
}
