/* conf_url_lift.c - the policy objects that URL parameters make. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_number.h"
#include "conf_text.h"
#include "conf_url_internal.h"

/* A new object "bypass-3" of a section, not yet in it. */
static struct gh_value *new_object(struct gh_url_builder *b, const char *section,
                                   const char *prefix, struct gh_value *owner,
                                   const char *reference)
{
    char name[48];
    snprintf(name, sizeof(name), "%s-%zu", prefix, gh_count(gh_get(b->root, section)));
    struct gh_value *object = gh_ub_map(b);
    gh_ub_put_str(b, object, "name", name);
    gh_ub_put_str(b, owner, reference, name);
    return object;
}

static void add_object(struct gh_url_builder *b, const char *section, struct gh_value *object)
{
    gh_value_place_all(object, b->source);
    gh_ub_append(b, b->root, section, object);
}

/* Takes the next item of a comma list that is not empty. False: no more. */
static bool next_item(const char **text, const char **item, size_t *len)
{
    *text += strspn(*text, ",");
    *item = *text;
    *len = strcspn(*text, ",");
    *text += *len;
    return *len > 0;
}

/* Matchers, with "~" before them for a whitelist. */
static void put_matchers(struct gh_url_builder *b, struct gh_value *object, const char *text)
{
    const char *item;
    size_t len;
    if (*text == '~') {
        gh_ub_put(b, object, "whitelist", gh_bool_new(true));
        text++;
    }
    while (next_item(&text, &item, &len))
        gh_ub_append(b, object, "matchers", gh_string_new_len(item, len));
}

void gh_url_lift_admission(struct gh_url_builder *b, struct gh_value *params,
                           struct gh_value *owner)
{
    const char *text = gh_url_param(params, "admission");
    if (*text == '\0')
        return;
    struct gh_value *object = new_object(b, "admissions", "admission", owner, "admission");
    put_matchers(b, object, text);
    add_object(b, "admissions", object);
    gh_url_remove(params, "admission");
}

void gh_url_lift_bypass(struct gh_url_builder *b, struct gh_value *params, struct gh_value *owner)
{
    const char *text = gh_url_param(params, "bypass");
    if (*text == '\0')
        return;
    struct gh_value *object = new_object(b, "bypasses", "bypass", owner, "bypass");
    put_matchers(b, object, text);
    add_object(b, "bypasses", object);
    gh_url_remove(params, "bypass");
}

void gh_url_lift_resolver(struct gh_url_builder *b, struct gh_value *params, struct gh_value *owner,
                          bool with_prefer)
{
    const char *text = gh_url_param(params, "resolver");
    const char *prefer = with_prefer ? gh_url_param(params, "prefer") : "";
    const char *item;
    size_t len;
    if (*text == '\0')
        return;
    struct gh_value *object = new_object(b, "resolvers", "resolver", owner, "resolver");
    while (next_item(&text, &item, &len)) {
        struct gh_value *server = gh_ub_map(b);
        gh_ub_put(b, server, "addr", gh_string_new_len(item, len));
        if (*prefer != '\0')
            gh_ub_put_str(b, server, "prefer", prefer);
        gh_ub_append(b, object, "nameservers", server);
    }
    add_object(b, "resolvers", object);
    gh_url_remove(params, "resolver");
}

void gh_url_lift_hosts(struct gh_url_builder *b, struct gh_value *params, struct gh_value *owner)
{
    const char *text = gh_url_param(params, "hosts");
    const char *item;
    size_t len;
    if (*text == '\0')
        return;
    struct gh_value *object = new_object(b, "hosts", "hosts", owner, "hosts");
    while (next_item(&text, &item, &len)) {
        const char *colon = memchr(item, ':', len);
        if (colon == NULL) {
            if (!b->rules->compat_gost)
                gh_ub_error(b, "hosts: \"%.*s\" does not fit; write name:address",
                            (int)(len < 60 ? len : 60), item);
            continue;
        }
        size_t name = (size_t)(colon - item);
        struct gh_value *mapping = gh_ub_map(b);
        gh_ub_put(b, mapping, "ip", gh_string_new_len(colon + 1, len - name - 1));
        gh_ub_put(b, mapping, "hostname", gh_string_new_len(item, name));
        gh_ub_append(b, object, "mappings", mapping);
    }
    add_object(b, "hosts", object);
    gh_url_remove(params, "hosts");
}

/* Appends "KEY IN OUT". GOST leaves a missing rate out, and then takes OUT for IN. */
static void put_rates(struct gh_url_builder *b, struct gh_value *object, const char *key,
                      const char *in, const char *out)
{
    struct gh_text line = {0};
    if (*in == '\0' && *out == '\0')
        return;
    if (*in == '\0' && !b->rules->compat_gost)
        in = "0";
    gh_text_printf(&line, "%s %s %s", key, in, out);
    gh_ub_append(b, object, "limits", line.failed ? NULL : gh_string_new(line.data));
    gh_text_free(&line);
}

static void lift_bandwidth(struct gh_url_builder *b, struct gh_value *params,
                           struct gh_value *owner)
{
    const char *in = gh_url_param(params, "limiter.in");
    const char *out = gh_url_param(params, "limiter.out");
    const char *conn_in = gh_url_param(params, "limiter.conn.in");
    const char *conn_out = gh_url_param(params, "limiter.conn.out");
    if (*in == '\0' && *out == '\0' && *conn_in == '\0' && *conn_out == '\0')
        return;
    struct gh_value *object = new_object(b, "limiters", "limiter", owner, "limiter");
    put_rates(b, object, "$", in, out);
    put_rates(b, object, "$$", conn_in, conn_out);
    add_object(b, "limiters", object);
    gh_url_remove(params, "limiter.in,limiter.out,limiter.conn.in,limiter.conn.out");
}

/* A limiter with the one line "$ NUMBER". */
static void lift_number(struct gh_url_builder *b, struct gh_value *params, struct gh_value *owner,
                        const char *key, const char *section, const char *number)
{
    char line[GH_NUMBER_MAX + 4];
    struct gh_value *object = new_object(b, section, key, owner, key);
    snprintf(line, sizeof(line), "$ %s", number);
    gh_ub_append(b, object, "limits", gh_string_new(line));
    add_object(b, section, object);
    gh_url_remove(params, key);
}

void gh_url_lift_limiters(struct gh_url_builder *b, struct gh_value *params, struct gh_value *owner)
{
    char number[GH_NUMBER_MAX];
    lift_bandwidth(b, params, owner);
    int64_t connections = gh_url_param_int(b, params, "climiter");
    if (connections > 0) {
        snprintf(number, sizeof(number), "%lld", (long long)connections);
        lift_number(b, params, owner, "climiter", "climiters", number);
    }
    double requests = gh_url_param_double(b, params, "rlimiter");
    if (requests > 0)
        lift_number(b, params, owner, "rlimiter", "rlimiters",
                    gh_format_double(requests, GH_FLOAT_F, number));
}
