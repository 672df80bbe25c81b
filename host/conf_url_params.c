/* conf_url_params.c - the query of -L and -F URLs, and credentials. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "conf_meta.h"
#include "conf_number.h"
#include "conf_url_internal.h"

/* Adds one "key=value" of a query. */
static void add_pair(struct gh_url_builder *b, struct gh_value *map, const char *pair, size_t len)
{
    const char *equals = memchr(pair, '=', len);
    size_t key_len = equals != NULL ? (size_t)(equals - pair) : len;
    const char *raw = equals != NULL ? equals + 1 : "";
    size_t raw_len = equals != NULL ? len - key_len - 1 : 0;
    bool bad_key, bad_value;
    char *key = gh_gourl_unescape(pair, key_len, GH_GOURL_QUERY, &bad_key);
    char *value = gh_gourl_unescape(raw, raw_len, GH_GOURL_QUERY, &bad_value);
    bool bad = bad_key || bad_value || memchr(pair, ';', len) != NULL;
    if (bad && !b->rules->compat_gost)
        gh_ub_error(b,
                    "the parameter \"%.*s\" has a \";\" or a \"%%\" that no two hexadecimal digits "
                    "follow; write ; as %%3B and %% as %%25",
                    (int)(key_len < 60 ? key_len : 60), pair);
    else if (!bad && (key == NULL || value == NULL))
        b->errs->no_memory = true;
    bool first = true;
    for (size_t i = 0; key != NULL && i < map->u.map.count && first; i++)
        first = strcmp(map->u.map.members[i].key, key) != 0;
    if (!bad && key != NULL && value != NULL && first)
        gh_ub_put_str(b, map, key, value);
    if (value != NULL)
        explicit_bzero(value, strlen(value));
    free(key);
    free(value);
}

struct gh_value *gh_url_query(struct gh_url_builder *b, const char *query)
{
    struct gh_value *map = gh_ub_map(b);
    while (map != NULL && *query != '\0') {
        size_t len = strcspn(query, "&");
        if (len > 0)
            add_pair(b, map, query, len);
        query += len + (query[len] == '&');
    }
    return map;
}

const char *gh_url_param(const struct gh_value *map, const char *aliases)
{
    const char *text = gh_text_of(gh_meta_get(map, aliases));
    return text != NULL ? text : "";
}

/* Reports a value that does not convert. GOST takes 0 for it. */
static void bad_value(struct gh_url_builder *b, const char *aliases, const char *text,
                      const char *expected)
{
    if (!b->rules->compat_gost)
        gh_ub_error(b, "%.*s=%.60s does not fit; %s", (int)strcspn(aliases, ","), aliases, text,
                    expected);
}

int64_t gh_url_param_int(struct gh_url_builder *b, const struct gh_value *map, const char *aliases)
{
    const char *text = gh_url_param(map, aliases);
    int64_t i = 0;
    if (*text != '\0' && !gh_parse_int(text, 10, &i))
        bad_value(b, aliases, text, "write a whole number");
    return i;
}

double gh_url_param_double(struct gh_url_builder *b, const struct gh_value *map,
                           const char *aliases)
{
    const char *text = gh_url_param(map, aliases);
    double d = 0;
    if (*text != '\0' && !gh_parse_double(text, &d))
        bad_value(b, aliases, text, "write a number such as 2.5");
    return d;
}

bool gh_url_param_bool(struct gh_url_builder *b, const struct gh_value *map, const char *aliases)
{
    const char *text = gh_url_param(map, aliases);
    bool on = false;
    if (*text != '\0' && !gh_parse_bool(text, &on))
        bad_value(b, aliases, text, "write true or false");
    return on;
}

int64_t gh_url_param_duration(struct gh_url_builder *b, const struct gh_value *map,
                              const char *aliases)
{
    const char *text = gh_url_param(map, aliases);
    int64_t ns = 0;
    if (*text != '\0' && !gh_parse_duration_or_seconds(text, &ns))
        bad_value(b, aliases, text, "write a duration such as 30s");
    return ns;
}

void gh_url_remove(struct gh_value *map, const char *keys)
{
    while (map != NULL && *keys != '\0') {
        char key[64];
        size_t len = strcspn(keys, ",");
        snprintf(key, sizeof(key), "%.*s", (int)len, keys);
        gh_map_delete(map, key);
        keys += len + (keys[len] == ',');
    }
}

void gh_url_move_int(struct gh_url_builder *b, struct gh_value *from, struct gh_value *to,
                     const char *key)
{
    int64_t i = gh_url_param_int(b, from, key);
    if (i <= 0)
        return;
    gh_ub_put(b, to, key, gh_int_new(i));
    gh_url_remove(from, key);
}

void gh_url_move_str(struct gh_url_builder *b, struct gh_value *from, struct gh_value *to,
                     const char *key)
{
    const char *text = gh_url_param(from, key);
    if (*text == '\0')
        return;
    gh_ub_put_str(b, to, key, text);
    gh_url_remove(from, key);
}

void gh_url_copy_str(struct gh_url_builder *b, const struct gh_value *from, const char *aliases,
                     struct gh_value *to, const char *key)
{
    const char *text = gh_url_param(from, aliases);
    if (*text != '\0')
        gh_ub_put_str(b, to, key, text);
}

/* ---- credentials ---- */

/* Decodes URL-safe text without padding, or standard text with padding. *Owned*; NULL: it is
 * neither, or it has a NUL character. */
static char *decode_base64(const char *text, bool url_safe)
{
    size_t len = strlen(text);
    if (!url_safe && len % 4 != 0)
        return NULL;
    for (int i = 0; !url_safe && i < 2 && len > 0 && text[len - 1] == '='; i++)
        len--;
    if (len % 4 == 1)
        return NULL;
    char *out = malloc(len / 4 * 3 + 3);
    size_t n = 0;
    unsigned bits = 0, have = 0;
    for (size_t i = 0; out != NULL && i < len; i++) {
        int d = gost_base64_digit((uint8_t)text[i], url_safe ? "-_" : "+/");
        if (d < 0)
            goto bad;
        bits = bits << 6 | (unsigned)d;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n] = (char)(bits >> have & 0xff);
            if (out[n++] == '\0')
                goto bad;
        }
    }
    if (out != NULL)
        out[n] = '\0';
    return out;

bad:
    free(out);
    return NULL;
}

static struct gh_value *make_auth(struct gh_url_builder *b, const char *user, size_t user_len,
                                  const char *password)
{
    struct gh_value *auth = gh_ub_map(b);
    gh_ub_put(b, auth, "username", gh_string_new_len(user, user_len));
    gh_ub_put_str(b, auth, "password", password);
    return auth;
}

/* "user:pass" in base64, split at the first colon. NULL: it is no base64. */
static struct gh_value *decode_auth(struct gh_url_builder *b, const char *text, bool need_colon)
{
    for (int url_safe = 1; url_safe >= 0; url_safe--) {
        char *plain = decode_base64(text, url_safe != 0);
        if (plain == NULL)
            continue;
        size_t len = strcspn(plain, ":");
        struct gh_value *auth = NULL;
        if (plain[len] == ':' || !need_colon)
            auth = make_auth(b, plain, len, plain[len] == ':' ? plain + len + 1 : "");
        explicit_bzero(plain, strlen(plain));
        free(plain);
        return auth;
    }
    return NULL;
}

struct gh_value *gh_url_auth(struct gh_url_builder *b, const struct gh_gourl *url,
                             struct gh_value *params)
{
    struct gh_value *auth = NULL;
    const char *text = gh_url_param(params, "auth");
    if (url->has_user) {
        /* Shadowsocks links hold method and password in base64. */
        if (strncmp(url->scheme, "ss", 2) == 0 && !url->has_password)
            auth = decode_auth(b, url->user, true);
        if (auth == NULL)
            auth = make_auth(b, url->user, strlen(url->user), url->password);
    } else if (*text != '\0') {
        auth = decode_auth(b, text, false);
        if (auth == NULL)
            gh_ub_error(b, "auth is not base64 of user:password; make it with "
                           "printf user:password | base64, and write + as %%2B");
    }
    gh_url_remove(params, "auth");
    return auth;
}

struct gh_value *gh_url_selector(struct gh_url_builder *b, struct gh_value *params)
{
    const char *strategy = gh_url_param(params, "strategy");
    int64_t max_fails = gh_url_param_int(b, params, "maxFails,max_fails");
    int64_t fail_timeout = gh_url_param_duration(b, params, "failTimeout,fail_timeout");
    if (*strategy == '\0' && max_fails <= 0 && fail_timeout <= 0)
        return NULL;
    struct gh_value *selector = gh_ub_map(b);
    gh_ub_put_str(b, selector, "strategy", *strategy != '\0' ? strategy : "round");
    gh_ub_put(b, selector, "maxFails", gh_int_new(max_fails > 0 ? max_fails : 1));
    gh_ub_put(b, selector, "failTimeout",
              gh_int_new(fail_timeout > 0 ? fail_timeout : INT64_C(30000000000)));
    gh_url_remove(params, "strategy,maxFails,max_fails,failTimeout,fail_timeout");
    return selector;
}
