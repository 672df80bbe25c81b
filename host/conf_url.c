/* conf_url.c - the URL grammar of -L and -F: schemes, and the whole. */
/* SPDX-License-Identifier: MIT */
#include "conf_url.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf_number.h"
#include "conf_text.h"
#include "conf_url_internal.h"

void gh_ub_put(struct gh_url_builder *b, struct gh_value *map, const char *key,
               struct gh_value *value)
{
    if (map == NULL || value == NULL) {
        gh_value_free(value);
        b->errs->no_memory = true;
        return;
    }
    if (gh_map_set(map, key, value) != 0)
        b->errs->no_memory = true;
}

void gh_ub_put_str(struct gh_url_builder *b, struct gh_value *map, const char *key,
                   const char *text)
{
    gh_ub_put(b, map, key, gh_string_new(text));
}

void gh_ub_append(struct gh_url_builder *b, struct gh_value *map, const char *key,
                  struct gh_value *value)
{
    struct gh_value *list = gh_get_mutable(map, key);
    if (list == NULL && map != NULL) {
        list = gh_list_new();
        gh_ub_put(b, map, key, list);
        list = gh_get_mutable(map, key);
    }
    if (list == NULL) {
        gh_value_free(value);
        b->errs->no_memory = true;
    } else if (gh_list_append(list, value) != 0) {
        b->errs->no_memory = true;
    }
}

struct gh_value *gh_ub_map(struct gh_url_builder *b)
{
    struct gh_value *map = gh_map_new();
    if (map == NULL)
        b->errs->no_memory = true;
    return map;
}

__attribute__((format(printf, 3, 0))) static void
report(struct gh_url_builder *b, enum gh_severity severity, const char *fmt, va_list ap)
{
    char text[512];
    vsnprintf(text, sizeof(text), fmt, ap);
    gh_errors_add(b->errs, severity, gh_source_name(b->source), "%s", text);
}

void gh_ub_error(struct gh_url_builder *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(b, GH_ERROR, fmt, ap);
    va_end(ap);
}

void gh_ub_warning(struct gh_url_builder *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(b, GH_WARNING, fmt, ap);
    va_end(ap);
}

char *gh_url_complete(const char *text)
{
    struct gh_text out = {0};
    while (*text == ' ' || (*text >= '\t' && *text <= '\r'))
        text++;
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == ' ' || (text[len - 1] >= '\t' && text[len - 1] <= '\r')))
        len--;
    if (len > 0 && (*text == ':' || strstr(text, "://") == NULL))
        gh_text_str(&out, "auto://");
    gh_text_add(&out, text, len);
    return gh_text_take(&out);
}

bool gh_url_stray_login(const char *full)
{
    const char *authority = strstr(full, "://");
    size_t n;

    if (authority == NULL)
        return false;
    authority += 3;
    n = strcspn(authority, "/?#");
    return memchr(authority, '@', n) == NULL && strchr(authority + n, '@') != NULL;
}

/* ---- schemes ---- */

static bool is_known(struct gh_url_builder *b, enum gh_kind kind, const char *name)
{
    return gh_gost_knows(kind, name) ||
           (b->rules->known != NULL && b->rules->known(b->rules->ctx, kind, name) != 0);
}

static bool is_known_anywhere(struct gh_url_builder *b, const char *name)
{
    for (int kind = 0; kind < GH_KIND_COUNT; kind++)
        if (is_known(b, (enum gh_kind)kind, name))
            return true;
    return false;
}

static void report_scheme(struct gh_url_builder *b, const char *part, enum gh_kind first,
                          enum gh_kind second)
{
    struct gh_suggest suggest;
    char hint[80];
    gh_suggest_start(&suggest, part);
    enum gh_kind kinds[] = {first, second};
    for (size_t i = 0; i < 2; i++)
        for (const char *const *name = gh_gost_names(kinds[i]); *name != NULL; name++)
            gh_suggest_offer(&suggest, *name);
    if (strcmp(part, "https") == 0)
        snprintf(hint, sizeof(hint), " (write http+...: https alone is short for http+tls)");
    else
        gh_suggest_text(&suggest, hint, sizeof(hint));
    gh_ub_error(
        b,
        "\"%.60s\" is no %s and no %s that is installed%s; correct the scheme or install the "
        "plugin that has it",
        part, gh_kind_name(first), gh_kind_name(second), hint);
}

/* Splits the scheme at "+". The number of parts; those beyond `max` are only counted. */
static size_t split_scheme(const char *scheme, char parts[][64], size_t max)
{
    size_t count = 0;
    for (;;) {
        size_t len = strcspn(scheme, "+");
        if (count < max)
            snprintf(parts[count], 64, "%.*s", (int)(len < 63 ? len : 63), scheme);
        count++;
        if (scheme[len] == '\0')
            return count;
        scheme += len + 1;
    }
}

/* The state of deciding one scheme. */
struct decision {
    struct gh_url_builder *b;
    enum gh_kind first_kind;
    enum gh_kind second_kind;
    bool has_first;
    bool has_second;
    struct gh_url_types *out;
};

static void take_second(struct decision *d, const char *name)
{
    snprintf(d->out->second, sizeof(d->out->second), "%s", name);
    d->has_second = true;
}

/* One part of the scheme where GOST knows none: an error, unless it is known in another role. */
static bool default_is_right(struct decision *d, const char *part, bool sure)
{
    if (d->b->rules->compat_gost)
        return true;
    if (!is_known_anywhere(d->b, part)) {
        report_scheme(d->b, part, d->first_kind, d->second_kind);
        return false;
    }
    if (!sure)
        gh_ub_warning(d->b,
                      "\"%.60s\" does not do the part it has in this scheme; the default is used",
                      part);
    return true;
}

static bool decide_first(struct decision *d, const char *part, bool only)
{
    if (is_known(d->b, d->first_kind, part)) {
        snprintf(d->out->first, sizeof(d->out->first), "%.63s", part);
        d->has_first = true;
        return true;
    }
    return default_is_right(d, part, only);
}

static bool decide_second(struct decision *d, const char *part, bool only)
{
    if (is_known(d->b, d->second_kind, part) || is_known(d->b, GH_KIND_LAYER, part)) {
        take_second(d, part);
        return true;
    }
    return default_is_right(d, part, only);
}

/* Three parts or more: a component and the stack it speaks through. GOST takes two defaults. */
static bool decide_stack(struct decision *d, const char *scheme, char parts[][64], size_t count)
{
    if (d->b->rules->compat_gost)
        return true;
    bool ok = true;
    bool with_first = is_known(d->b, d->first_kind, parts[0]);
    for (size_t i = 0; i < count && i < 8; i++) {
        /* Without anybody to ask, only GOST's names are known, and layers are none of them. */
        if ((i > 0 && d->b->rules->known == NULL) || is_known_anywhere(d->b, parts[i]))
            continue;
        report_scheme(d->b, parts[i], d->first_kind, d->second_kind);
        ok = false;
    }
    if (with_first) {
        snprintf(d->out->first, sizeof(d->out->first), "%.63s", parts[0]);
        d->has_first = true;
        scheme = strchr(scheme, '+') + 1;
    }
    take_second(d, scheme);
    return ok;
}

bool gh_url_types(struct gh_url_builder *b, const char *scheme, bool service,
                  struct gh_url_types *ret)
{
    char parts[8][64];
    struct decision d = {.b = b,
                         .first_kind = service ? GH_KIND_HANDLER : GH_KIND_CONNECTOR,
                         .second_kind = service ? GH_KIND_LISTENER : GH_KIND_DIALER,
                         .out = ret};
    if (strcmp(scheme, "https") == 0)
        scheme = "http+tls";
    if (strlen(scheme) >= sizeof(ret->second)) {
        gh_ub_error(b, "the scheme is too long");
        return false;
    }
    *ret = (struct gh_url_types){0};
    size_t count = split_scheme(scheme, parts, 8);
    for (size_t i = 0; i < count && i < 8; i++)
        ret->is_path |= strcmp(parts[i], "unix") == 0 || strcmp(parts[i], "runix") == 0 ||
                        strcmp(parts[i], "serial") == 0;
    bool ok;
    if (count == 1) {
        ok = decide_first(&d, parts[0], true);
        ok = ok && decide_second(&d, parts[0], true);
    } else if (count == 2) {
        ok = decide_first(&d, parts[0], false);
        ok = decide_second(&d, parts[1], false) && ok;
    } else {
        ok = decide_stack(&d, scheme, parts, count);
    }
    if (!d.has_first)
        snprintf(ret->first, sizeof(ret->first), "%s", service ? "auto" : "http");
    if (!d.has_second)
        snprintf(ret->second, sizeof(ret->second), "%s",
                 strcmp(ret->first, "ssu") == 0 ? "udp" : "tcp");
    return ok;
}

/* ---- the whole ---- */

static void start_source(struct gh_url_builder *b, const char *flag, size_t number)
{
    char name[32];
    snprintf(name, sizeof(name), "%s #%zu", flag, number);
    b->source = gh_source_new(name);
    if (b->source == NULL)
        b->errs->no_memory = true;
}

static void end_source(struct gh_url_builder *b)
{
    gh_source_unref(b->source);
    b->source = NULL;
}

static void add_chain(struct gh_url_builder *b, const char *const *nodes, size_t count)
{
    struct gh_value *chain = gh_ub_map(b);
    gh_ub_put_str(b, chain, "name", "chain-0");
    for (size_t i = 0; i < count; i++) {
        start_source(b, "-F", i + 1);
        gh_url_add_node(b, nodes[i], i, chain);
        end_source(b);
    }
    if (chain != NULL)
        gh_ub_append(b, b->root, "chains", chain);
}

struct gh_value *gh_conf_from_urls(const char *const *services, size_t service_count,
                                   const char *const *nodes, size_t node_count,
                                   const struct gh_url_rules *rules, struct gh_conf_errors *errs)
{
    struct gh_url_builder b = {.rules = rules, .errs = errs};
    size_t before = errs->errors;
    b.root = gh_ub_map(&b);
    if (node_count > 0)
        add_chain(&b, nodes, node_count);
    for (size_t i = 0; i < service_count; i++) {
        start_source(&b, "-L", i + 1);
        gh_url_add_service(&b, services[i], node_count > 0);
        end_source(&b);
    }
    if (errs->errors != before || errs->no_memory) {
        gh_value_free(b.root);
        return NULL;
    }
    return b.root;
}

/* ---- addresses of the API and of metrics ---- */

static struct gh_value *raw_address(const char *text)
{
    struct gh_value *map = gh_map_new();
    if (map != NULL && gh_map_set(map, "addr", gh_string_new(text)) != 0) {
        gh_value_free(map);
        return NULL;
    }
    return map;
}

static void put_address(struct gh_url_builder *b, struct gh_value *map, const struct gh_gourl *url)
{
    if (strcmp(url->scheme, "unix") == 0 && *url->host == '\0') {
        /* GOST loses the path here and listens on a random port. */
        struct gh_text addr = {0};
        gh_text_printf(&addr, "unix://%s", url->path);
        gh_ub_put_str(b, map, "addr", addr.data != NULL ? addr.data : "");
        gh_text_free(&addr);
    } else {
        gh_ub_put_str(b, map, "addr", url->host);
    }
}

struct gh_value *gh_conf_from_address(const char *text, bool metrics)
{
    struct gh_conf_errors errs = {0};
    struct gh_url_rules rules = {.compat_gost = true};
    struct gh_url_builder b = {.rules = &rules, .errs = &errs};
    struct gh_gourl url;
    const char *why;
    char *full = gh_url_complete(text);
    if (full == NULL)
        return NULL;
    int rc = gh_gourl_parse(full, &url, &why);
    explicit_bzero(full, strlen(full));
    free(full);
    if (rc != 0)
        return rc == -2 ? NULL : raw_address(text);
    struct gh_value *map = gh_ub_map(&b);
    struct gh_value *params = gh_url_query(&b, url.query);
    put_address(&b, map, &url);
    if (metrics) {
        gh_url_copy_str(&b, params, "path", map, "path");
    } else {
        gh_url_copy_str(&b, params, "pathPrefix", map, "pathPrefix");
        if (gh_url_param_bool(&b, params, "accesslog"))
            gh_ub_put(&b, map, "accesslog", gh_bool_new(true));
    }
    if (url.has_user) {
        struct gh_value *auth = gh_ub_map(&b);
        gh_ub_put_str(&b, auth, "username", url.user);
        gh_ub_put_str(&b, auth, "password", url.password);
        gh_ub_put(&b, map, "auth", auth);
    }
    gh_value_free(params);
    gh_gourl_free(&url);
    bool failed = errs.no_memory;
    gh_errors_free(&errs);
    if (failed) {
        gh_value_free(map);
        return NULL;
    }
    return map;
}

/* ---- messages without secrets ---- */

/* Whether the value of a query parameter is hidden. */
static bool is_secret(const char *key, size_t len)
{
    static const char *const ends[] = {"auth", "key", "password", "passphrase", "secret", "token"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t n = strlen(ends[i]);
        if (len >= n && strncasecmp(key + len - n, ends[i], n) == 0)
            return true;
    }
    return false;
}

char *gh_url_redacted(const char *url)
{
    struct gh_text out = {0};
    const char *start = strstr(url, "://");
    start = start != NULL ? start + 3 : url;
    /* A password may hold "/" or "?" by mistake: hide up to the last "@". */
    const char *at = strrchr(start, '@');
    gh_text_add(&out, url, (size_t)(start - url));
    if (at != NULL) {
        gh_text_str(&out, "***");
        start = at;
    }
    while (*start != '\0') {
        size_t len = strcspn(start, "?&");
        const char *equals = memchr(start, '=', len);
        if (equals != NULL && is_secret(start, (size_t)(equals - start))) {
            gh_text_add(&out, start, (size_t)(equals - start) + 1);
            gh_text_str(&out, "***");
        } else {
            gh_text_add(&out, start, len);
        }
        start += len;
        if (*start != '\0')
            gh_text_char(&out, *start++);
    }
    return gh_text_take(&out);
}
