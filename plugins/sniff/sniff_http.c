/* sniff_http.c - the host that an HTTP/1 request is for. */
/* SPDX-License-Identifier: MIT */
#include <strings.h>

#include <gost/http1.h>

#include "sniff.h"

/* The authority of "http://host:port/path"; empty: the target has none. */
static struct gost_bytes authority_of(struct gost_bytes target)
{
    static const char *const schemes[] = {"http://", "https://"};
    size_t i, n, k;

    for (i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        n = strlen(schemes[i]);
        if (target.n <= n || strncasecmp((const char *)target.p, schemes[i], n) != 0)
            continue;
        for (k = n; k < target.n && !strchr("/?#", target.p[k]); k++)
            ;
        return gost_bytes(target.p + n, k - n);
    }
    return gost_bytes(NULL, 0);
}

int sniff_http_host(struct gost_bytes in, size_t *ret_need, char host[SNIFF_HOST_MAX])
{
    struct gost_http1_head head;
    struct gost_bytes name;
    struct gost_addr addr;
    const char *why;
    int r;

    host[0] = 0;
    if (in.n >= 5 && memcmp(in.p, "PRI *", 5) == 0)
        return GOST_OK; /* HTTP/2 in the clear: its requests come later */
    *ret_need = in.n + 1;
    r = gost_http1_parse_request(&head, in, &why);
    if (r != GOST_OK)
        return r;
    name = authority_of(head.target);
    if (name.n == 0)
        name = gost_http1_get(&head, "host");
    if (name.n == 0)
        return GOST_OK;
    if (gost_addr_parse(&addr, (const char *)name.p, name.n, 80) != GOST_OK)
        return GOST_EPROTO;
    gost_addr_format(&addr, host, SNIFF_HOST_MAX);
    return GOST_OK;
}
