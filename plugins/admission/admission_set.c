/* admission_set.c - addresses and networks as sorted ranges. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "admission.h"
#include "policy_text.h"

struct admission_set {
    struct gost_ip_set ips;
};

struct admission_set *admission_new(void)
{
    return calloc(1, sizeof(struct admission_set));
}

int admission_add(struct admission_set *s, struct gost_bytes line,
                  int (*resolve)(const char *name, struct gost_addr *ret_addr))
{
    struct gost_addr a;
    const uint8_t *slash;
    size_t host;
    int bits, full;

    line = gost_line_trim(line);
    if (!line.n)
        return GOST_OK;
    slash = memchr(line.p, '/', line.n);
    host = slash ? (size_t)(slash - line.p) : line.n;
    if (gost_addr_set_host(&a, (const char *)line.p, host, 0) != GOST_OK)
        return GOST_EPROTO;
    full = a.family == GOST_AF_IP4 ? 32 : 128;
    if (slash) {
        bits = gost_ip_bits(gost_bytes(slash + 1, line.n - host - 1));
        if (!gost_addr_is_ip(&a) || bits < 0 || bits > full)
            return GOST_EPROTO;
        return gost_ip_set_add_net(&s->ips, &a, (unsigned)bits);
    }
    if (!gost_addr_is_ip(&a) &&
        (a.family != GOST_AF_NAME || resolve(a.name, &a) != 0 || !gost_addr_is_ip(&a)))
        return GOST_ERESOLVE;
    return gost_ip_set_add_net(&s->ips, &a, a.family == GOST_AF_IP4 ? 32 : 128);
}

void admission_sort(struct admission_set *s)
{
    gost_ip_set_sort(&s->ips);
}

int admission_match(const struct admission_set *s, const struct gost_addr *addr)
{
    return gost_ip_set_match(&s->ips, addr);
}

void admission_free(struct admission_set *s)
{
    if (s)
        gost_ip_set_free(&s->ips);
    free(s);
}
