/* decoy.c - probe resistance: what a failed login sees in place of 407. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include <gost/host.h>

#include "decoy.h"
#include "http1_client.h"

static uint32_t type_of(const char *text, size_t n)
{
    static const char *const types[] = {"code", "web", "host", "file"};
    uint32_t i;

    for (i = 0; i < 4; i++)
        if (strlen(types[i]) == n && memcmp(types[i], text, n) == 0)
            return GOST_DECOY_CODE + i;
    return GOST_DECOY_UNKNOWN;
}

static uint32_t code_of(const char *value)
{
    char *end;
    long code = strtol(value, &end, 10);

    return *end || end == value || code < 100 || code > 999 ? 0 : (uint32_t)code;
}

/* An http or https URL; without a scheme it is http. */
static int set_page(struct gost_decoy *d)
{
    size_t n = strcspn(d->value, "/?#");
    int has_scheme = n > 0 && d->value[n - 1] == ':' && strncmp(d->value + n, "//", 2) == 0;
    struct gost_bytes text = gost_bytes_str(d->value);
    struct gost_url url;
    int r = has_scheme ? gost_url_parse(&url, text) : gost_url_parse_rest(&url, text, 0);

    if (r != GOST_OK || url.user.p) /* credentials would hide the host from readers */
        return GOST_EPROTO;
    d->tls = (uint32_t)url.tls;
    d->authority = url.authority;
    d->path = url.target;
    d->addr = url.addr;
    return GOST_OK;
}

int gost_decoy_parse(struct gost_decoy *ret_decoy, const char *text, struct gost_prepare *p)
{
    struct gost_decoy d;
    const char *colon = text ? strchr(text, ':') : NULL;
    int r = GOST_OK;

    memset(&d, 0, sizeof d);
    d.value = colon ? colon + 1 : "";
    if (text && text[0])
        d.kind = type_of(text, colon ? (size_t)(colon - text) : strlen(text));
    if (d.kind == GOST_DECOY_CODE)
        d.code = code_of(d.value);
    else if (d.kind == GOST_DECOY_WEB)
        r = set_page(&d);
    else if (d.kind == GOST_DECOY_HOST)
        r = gost_addr_parse(&d.addr, d.value, strlen(d.value), 80);
    if (r != GOST_OK || ((d.kind == GOST_DECOY_WEB || d.kind == GOST_DECOY_HOST) &&
                         (d.addr.family == GOST_AF_NONE || d.addr.port == 0))) {
        snprintf(p->error, p->error_size, "probeResist '%s' names no address; write %s", text,
                 d.kind == GOST_DECOY_WEB ? "web:http://host/path" : "host:name:port");
        return GOST_EPROTO;
    }
    *ret_decoy = d;
    return GOST_OK;
}

int gost_decoy_dial(struct gost_io *io, uint32_t tag, uint32_t port, const struct gost_addr *addr)
{
    struct gost_act_dial a;

    gost_act_init(&a, sizeof a, GOST_ACT_DIAL, tag, port);
    a.network = GOST_NET_TCP;
    a.flags = GOST_DIAL_DIRECT | GOST_DIAL_NO_POLICY;
    a.addr = *addr;
    a.timeout_ns = GOST_DECOY_TIMEOUT;
    return gost_act(io, &a.head);
}

int gost_decoy_knocked(const char *list, struct gost_bytes host)
{
    char word[256];
    const char *end;
    size_t n;

    if (!list || host.n == 0 || host.n >= sizeof word)
        return 0;
    memcpy(word, host.p, host.n);
    word[host.n] = 0;
    for (;; list = end + 1) {
        while (*list == ' ')
            list++;
        end = list + strcspn(list, ",");
        n = (size_t)(end - list);
        while (n > 0 && list[n - 1] == ' ')
            n--;
        if (gost_http1_is(gost_bytes(list, n), word))
            return 1;
        if (!*end)
            return 0;
    }
}
