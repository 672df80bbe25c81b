/* resolver_server.c - how a name server is written. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "resolver.h"

static const struct {
    const char *name;
    uint32_t scheme;
} schemes[] = {{"udp", RESOLVER_UDP},
               {"tcp", RESOLVER_TCP},
               {"tls", RESOLVER_TLS},
               {"dot", RESOLVER_TLS},
               {"https", RESOLVER_HTTPS}};

/* 0: a scheme that is none of ours. */
static int read_scheme(const char *text, size_t n, uint32_t *ret_scheme)
{
    size_t i;

    for (i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strlen(schemes[i].name) != n || memcmp(schemes[i].name, text, n) != 0)
            continue;
        *ret_scheme = schemes[i].scheme;
        return 1;
    }
    return 0;
}

int resolver_server_parse(struct resolver_server *ret_server, const char *text)
{
    const char *sep = strstr(text, "://");
    struct resolver_server s;
    size_t n;

    memset(&s, 0, sizeof s);
    if (sep && !read_scheme(text, (size_t)(sep - text), &s.scheme))
        return GOST_EPROTO;
    if (sep)
        text = sep + 3;
    n = strcspn(text, "/?#");
    if (n == 0 || n >= sizeof s.authority || strlen(text + n) + 2 > sizeof s.path ||
        gost_addr_parse(&s.addr, text, n, s.scheme == RESOLVER_HTTPS ? 443 : 53) != GOST_OK ||
        s.addr.family == GOST_AF_NONE)
        return GOST_EPROTO;
    snprintf(s.authority, sizeof s.authority, "%.*s", (int)n, text);
    snprintf(s.path, sizeof s.path, "%s%s", text[n] == '/' ? "" : "/", text + n);
    s.path[strcspn(s.path, "# \t\r\n")] = 0;
    *ret_server = s;
    return GOST_OK;
}
