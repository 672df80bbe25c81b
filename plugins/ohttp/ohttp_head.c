/* ohttp_head.c - the two heads, as pure functions. */
/* SPDX-License-Identifier: MIT */
#include <strings.h>
#include <time.h>

#include <openssl/evp.h>

#include "ohttp.h"

static const char salt[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/* Fields in the order of their names, as GOST sends them. */
struct list {
    struct gost_pair v[OHTTP_FIELDS_MAX];
    uint32_t n;
};

/* A configured field stands instead of ours. */
static int is_there(const struct list *list, const char *name)
{
    uint32_t i;

    for (i = 0; i < list->n; i++)
        if (strcasecmp(list->v[i].key, name) == 0)
            return 1;
    return 0;
}

static void add(struct list *list, const char *name, const char *value)
{
    uint32_t i;

    if (list->n == OHTTP_FIELDS_MAX) /* prepare() has counted them */
        return;
    for (i = list->n; i > 0 && strcasecmp(list->v[i - 1].key, name) > 0; i--)
        list->v[i] = list->v[i - 1];
    list->v[i].key = name;
    list->v[i].value = value;
    list->n++;
}

static void add_missing(struct list *list, const char *name, const char *value)
{
    if (!is_there(list, name))
        add(list, name, value);
}

static void add_map(struct list *list, const struct gost_map *map)
{
    uint32_t i;

    for (i = 0; i < map->n; i++)
        if (strcasecmp(map->v[i].key, "Host") != 0 && strcasecmp(map->v[i].key, "User-Agent") != 0)
            add(list, map->v[i].key, map->v[i].value);
}

/* "x-a-b" as "X-A-B". */
static void put_name(struct gost_http1_out *out, const char *name)
{
    int start = 1;
    char c;

    for (; *name; name++) {
        c = *name;
        if (start && c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        else if (!start && c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        gost_http1_put(out, gost_bytes(&c, 1));
        start = c == '-';
    }
}

static void put_list(struct gost_http1_out *out, const struct list *list)
{
    uint32_t i;

    for (i = 0; i < list->n; i++) {
        put_name(out, list->v[i].key);
        gost_http1_put_str(out, ": ");
        gost_http1_put_str(out, list->v[i].value);
        gost_http1_put_str(out, "\r\n");
    }
    gost_http1_put_str(out, "\r\n");
}

static const char *configured(const struct ohttp_conf *c, const char *name)
{
    uint32_t i;

    for (i = 0; i < c->header.n; i++)
        if (strcasecmp(c->header.v[i].key, name) == 0)
            return c->header.v[i].value;
    return NULL;
}

const char *ohttp_header_check(const struct gost_map *header)
{
    uint32_t i;

    if (header->n > OHTTP_FIELDS_MAX - 8)
        return "header holds more than 56 fields; remove some";
    for (i = 0; i < header->n; i++) {
        if (!gost_http1_valid_name(gost_bytes_str(header->v[i].key)))
            return "header holds a name that is not a field name; use letters, digits and '-'";
        if (!gost_http1_valid_value(gost_bytes_str(header->v[i].value)))
            return "header holds a value with a control character; remove it";
    }
    return NULL;
}

size_t ohttp_head_size(const struct ohttp_conf *c)
{
    size_t size = 512 + GOST_ADDR_TEXT + (c->host ? strlen(c->host) : 0);
    uint32_t i;

    for (i = 0; i < c->header.n; i++)
        size += strlen(c->header.v[i].key) + strlen(c->header.v[i].value) + 4;
    return size;
}

void ohttp_put_request(struct gost_http1_out *out, const struct ohttp_conf *c, const char *host)
{
    const char *agent = configured(c, "User-Agent"), *own = configured(c, "Host");
    uint8_t raw[16], key[25];
    struct list list;

    gost_random(raw, sizeof raw);
    EVP_EncodeBlock(key, raw, (int)sizeof raw);
    list.n = 0;
    add_map(&list, &c->header);
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
    struct list list;

    memcpy(text, accept, OHTTP_ACCEPT);
    text[OHTTP_ACCEPT] = 0;
    put_date(date, sizeof date, now);
    list.n = 0;
    add_map(&list, &c->header);
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
