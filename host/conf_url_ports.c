/* conf_url_ports.c - addresses with port ranges. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_number.h"
#include "conf_text.h"
#include "conf_url_internal.h"

enum { PORT_MAX = 65535 };

/* An address taken apart as Go's net.SplitHostPort does. */
struct host_port {
    const char *host;
    size_t host_len; /* without brackets */
    bool brackets;
    const char *port;
};

/* False: it has no port, or too many colons. */
static bool split_host_port(const char *addr, struct host_port *ret)
{
    const char *colon = strrchr(addr, ':');
    if (colon == NULL)
        return false;
    ret->port = colon + 1;
    ret->brackets = *addr == '[';
    if (ret->brackets) {
        const char *close = strchr(addr, ']');
        if (close == NULL || close + 1 != colon)
            return false;
        ret->host = addr + 1;
        ret->host_len = (size_t)(close - addr) - 1;
        return memchr(ret->host, '[', ret->host_len) == NULL;
    }
    ret->host = addr;
    ret->host_len = (size_t)(colon - addr);
    return memchr(addr, ':', ret->host_len) == NULL && strpbrk(addr, "[]") == NULL;
}

/* Reads "80" or "80-90". False: neither. */
static bool parse_range(const char *text, int64_t *ret_min, int64_t *ret_max)
{
    char part[16];
    size_t dash = strcspn(text, "-");
    if (text[dash] == '\0') {
        if (!gh_parse_int(text, 10, ret_min))
            return false;
        *ret_max = *ret_min;
        return *ret_min >= 0 && *ret_min <= PORT_MAX;
    }
    if (dash >= sizeof(part) || strlen(text + dash + 1) >= sizeof(part))
        return false;
    memcpy(part, text, dash);
    part[dash] = '\0';
    return gh_parse_int(part, 10, ret_min) && gh_parse_int(text + dash + 1, 10, ret_max) &&
           *ret_min >= 0 && *ret_max >= 0;
}

static struct gh_value *join(const struct host_port *at, int64_t port)
{
    struct gh_text addr = {0};
    bool brackets = memchr(at->host, ':', at->host_len) != NULL;
    gh_text_printf(&addr, "%s%.*s%s:%lld", brackets ? "[" : "", (int)at->host_len, at->host,
                   brackets ? "]" : "", (long long)port);
    struct gh_value *value = addr.failed ? NULL : gh_string_new_len(addr.data, addr.len);
    gh_text_free(&addr);
    return value;
}

static struct gh_value *single(struct gh_url_builder *b, const char *addr)
{
    struct gh_value *list = gh_list_new();
    if (list == NULL || gh_list_append(list, gh_string_new(addr)) != 0)
        b->errs->no_memory = true;
    return list;
}

/* Says what is wrong with a port. With --compat it becomes what GOST makes of it. */
static bool bad_port(struct gh_url_builder *b, const char *addr, const char *port, bool target)
{
    char shown[100];

    if (b->rules->compat_gost)
        return false;
    if (b->stray_login && !target) {
        gh_ub_error(b, "the address has no valid port; in a user name or password write / as %%2F, "
                       "? as %%3F and # as %%23");
        return true;
    }
    if (strchr(addr, '@') != NULL) {
        gh_ub_error(b, "the %s \"%.80s\" must be host:port", target ? "target" : "address",
                    gh_hide_login(addr, shown, sizeof shown));
        return true;
    }
    gh_ub_error(b,
                "\"%.20s\" is no port of the %s \"%.80s\"; write a number from 0 to 65535 or a "
                "range such as 8000-8010",
                port, target ? "target" : "address", addr);
    return true;
}

struct gh_value *gh_url_ports(struct gh_url_builder *b, const char *addr, bool target)
{
    struct host_port at;
    int64_t min = 0, max = 0;
    if (!split_host_port(addr, &at)) {
        if (*addr != '\0' && !target && b->stray_login && bad_port(b, addr, "", false))
            return NULL;
        return single(b, addr);
    }
    bool valid = parse_range(at.port, &min, &max);
    if (!valid || min > max || max > PORT_MAX) {
        if (bad_port(b, addr, at.port, target))
            return NULL;
        if (valid && min > max)
            return single(b, addr);
        if (!valid)
            min = max = 0;
        max = max > PORT_MAX ? PORT_MAX : max;
        min = min > max ? max : min;
    }
    struct gh_value *list = gh_list_new();
    for (int64_t port = min; list != NULL && port <= max; port++)
        if (gh_list_append(list, join(&at, port)) != 0)
            b->errs->no_memory = true;
    if (list == NULL)
        b->errs->no_memory = true;
    return list;
}
