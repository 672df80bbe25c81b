/* options_parse.c - texts of a configuration into typed values, after GOST's conversions. */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "options.h"

#define SHOWN_MAX 64 /* characters of a wrong value that a message repeats */

/* ---- messages ---- */

/* `text` in quotes, short, without control characters. Returns buf. */
static const char *shown(const char *text, char buf[SHOWN_MAX + 8])
{
    size_t n = 0;

    buf[n++] = '"';
    for (; *text && n < SHOWN_MAX + 1; text++)
        buf[n++] = (unsigned char)*text < 32 || *text == 127 ? '?' : *text;
    buf[n++] = '"';
    strcpy(buf + n, *text ? "..." : "");
    return buf;
}

/* A duration for people: the largest unit that leaves no rest. */
static void show_ms(char *buf, size_t n, int64_t ms)
{
    if (ms && ms % 3600000 == 0)
        snprintf(buf, n, "%" PRId64 "h", ms / 3600000);
    else if (ms && ms % 60000 == 0)
        snprintf(buf, n, "%" PRId64 "m", ms / 60000);
    else if (ms % 1000 == 0)
        snprintf(buf, n, "%" PRId64 "s", ms / 1000);
    else
        snprintf(buf, n, "%" PRId64 "ms", ms);
}

const char *ge_opt_range(const struct gost_opt *o, char *buf, size_t n)
{
    char low[32], high[32];

    buf[0] = 0;
    if (o->min == 0 && o->max == 0)
        return buf;
    if (o->type == GOST_OPT_T_DURATION) {
        show_ms(low, sizeof low, o->min);
        show_ms(high, sizeof high, o->max);
    } else {
        snprintf(low, sizeof low, "%" PRId64, o->min);
        snprintf(high, sizeof high, "%" PRId64, o->max);
    }
    if (o->max < o->min)
        snprintf(buf, n, "at least %s", low);
    else
        snprintf(buf, n, "from %s to %s", low, high);
    return buf;
}

/* "is "x": it must be HOW[, RANGE]". The value of a secret is not shown. */
static int refuse(const struct gost_opt *o, const char *text, const char *how, char *why, size_t n)
{
    char value[SHOWN_MAX + 8], range[80];

    ge_opt_range(o, range, sizeof range);
    if (!*text)
        snprintf(why, n, "is empty: it must be %s%s%s, or leave the key out", how,
                 *range ? ", " : "", range);
    else
        snprintf(why, n, "is %s: it must be %s%s%s", shown(text, value), how, *range ? ", " : "",
                 range);
    return GOST_EPROTO;
}

static const char *what_is(const struct gost_opt *o)
{
    switch (o->type) {
    case GOST_OPT_T_BOOL:
        return "true or false";
    case GOST_OPT_T_INT:
        return "a whole decimal number";
    case GOST_OPT_T_SIZE:
        return "a size such as 4096, 64KB or 1.5MB";
    case GOST_OPT_T_DURATION:
        return "a duration such as 500ms, 10s or 1m30s, or a whole number of seconds";
    case GOST_OPT_T_FLOAT:
        return "a number such as 0.5 or 10";
    case GOST_OPT_T_ADDRESS:
        return "an address such as example.com:443, 192.0.2.1:53 or [2001:db8::1]:53";
    default:
        return "one text";
    }
}

/* ---- one function per shape of value ---- */

static int in_range(const struct gost_opt *o, int negative, uint64_t v, uint64_t unit)
{
    int64_t s = negative ? -(int64_t)v : 0;

    if (o->min == 0 && o->max == 0)
        return 1;
    if (negative)
        return s >= o->min && (o->max < o->min || s <= o->max);
    if (o->min > 0 && v / unit < (uint64_t)o->min)
        return 0;
    if (o->max < o->min)
        return 1;
    if (o->max < 0)
        return 0;
    return v / unit < (uint64_t)o->max || (v / unit == (uint64_t)o->max && v % unit == 0);
}

static int store_number(const struct gost_opt *o, const char *text, void *field, char *why,
                        size_t n)
{
    int64_t i = 0;
    uint64_t u = 0;
    double d = 0;
    uint32_t b = 0;
    int r = GOST_EPROTO, fits = 1;

    switch (o->type) {
    case GOST_OPT_T_BOOL:
        r = ge_opt_bool(text, &b);
        if (r && ge_opt_int(text, &i) == GOST_OK) {
            b = i != 0;
            r = GOST_OK;
        }
        break;
    case GOST_OPT_T_INT:
        r = ge_opt_int(text, &i);
        fits = in_range(o, i < 0, i < 0 ? 0 - (uint64_t)i : (uint64_t)i, 1);
        break;
    case GOST_OPT_T_SIZE:
        r = ge_parse_size(text, &u);
        fits = in_range(o, 0, u, 1);
        break;
    case GOST_OPT_T_DURATION:
        r = ge_parse_duration(text, &u);
        fits = in_range(o, 0, u, 1000000);
        break;
    default:
        r = ge_opt_float(text, &d);
        break;
    }
    if (r || !fits)
        return refuse(o, text, what_is(o), why, n);
    if (o->type == GOST_OPT_T_BOOL)
        memcpy(field, &b, sizeof b);
    else if (o->type == GOST_OPT_T_INT)
        memcpy(field, &i, sizeof i);
    else if (o->type == GOST_OPT_T_FLOAT)
        memcpy(field, &d, sizeof d);
    else
        memcpy(field, &u, sizeof u);
    return GOST_OK;
}

static int store_enum(const struct gost_opt *o, const char *text, void *field, char *why, size_t n)
{
    const char *p = o->choices ? o->choices : "";
    size_t len, want = strlen(text);
    char how[512], value[SHOWN_MAX + 8];
    uint32_t i = 0;

    for (p += strspn(p, " "); *p; p += len + strspn(p + len, " "), i++) {
        len = strcspn(p, " ");
        if (len == want && strncasecmp(p, text, len) == 0) {
            memcpy(field, &i, sizeof i);
            return GOST_OK;
        }
    }
    snprintf(how, sizeof how, "one of: %s", o->choices ? o->choices : "");
    snprintf(why, n, "is %s: it must be %s", shown(text, value), how);
    return GOST_EPROTO;
}

/* A file that can be read. An empty path is no file. */
static int check_file(const char *path, char *why, size_t n)
{
    struct stat st;
    char value[SHOWN_MAX + 8];
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY), e = errno, directory = 0;

    if (fd >= 0) {
        directory = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
        close(fd);
        if (!directory)
            return GOST_OK;
        e = EISDIR;
    }
    snprintf(why, n, "names the file %s, which cannot be read: %s; correct the path%s",
             shown(path, value), strerror(e),
             e == EACCES ? " or let the user that runs this program read it" : "");
    return GOST_EPROTO;
}

static int check_length(const struct gost_opt *o, const char *text, char *why, size_t n)
{
    char range[80];

    if (in_range(o, 0, strlen(text), 1))
        return GOST_OK;
    snprintf(why, n, "is %zu bytes long: the allowed length is %s", strlen(text),
             ge_opt_range(o, range, sizeof range));
    return GOST_EPROTO;
}

static int store_text(struct ge_opt_arena *a, const struct gost_opt *o, const char *text,
                      void *field, char *why, size_t n)
{
    struct gost_bytes secret;
    const char *copy;
    size_t len = strlen(text);
    int r = GOST_OK;

    if (o->type != GOST_OPT_T_FILE)
        r = check_length(o, text, why, n);
    else if (*text)
        r = check_file(text, why, n);
    if (r)
        return r;
    copy = ge_opt_copy(a, text, len);
    if (!copy)
        return GOST_ENOMEM;
    if (o->type == GOST_OPT_T_FILE && !*text)
        copy = NULL;
    if (o->type == GOST_OPT_T_SECRET) {
        secret = gost_bytes(copy, len);
        memcpy(field, &secret, sizeof secret);
    } else {
        memcpy(field, &copy, sizeof copy);
    }
    return GOST_OK;
}

static int store_address(const struct gost_opt *o, const char *text, void *field, char *why,
                         size_t n)
{
    struct gost_addr addr;

    memset(&addr, 0, sizeof addr);
    if (*text && gost_addr_parse(&addr, text, strlen(text), 0) != GOST_OK)
        return refuse(o, text, what_is(o), why, n);
    memcpy(field, &addr, sizeof addr);
    return GOST_OK;
}

/* ---- lists and maps ---- */

/* The next comma separated part of *p without blanks around it. Returns 0 at the end. */
static int next_part(const char **p, struct gost_bytes *ret)
{
    const char *s = *p, *end;

    if (!*s)
        return 0;
    end = s + strcspn(s, ",");
    *p = end + (*end == ',');
    while (s < end && isspace((unsigned char)*s))
        s++;
    while (end > s && isspace((unsigned char)end[-1]))
        end--;
    *ret = gost_bytes(s, (size_t)(end - s));
    return 1;
}

static uint32_t count_parts(const char *text)
{
    uint32_t n = 0;
    struct gost_bytes part;

    while (next_part(&text, &part))
        n += part.n > 0;
    return n;
}

static int store_list(struct ge_opt_arena *a, const struct ge_kv *kv, void *field)
{
    uint32_t n = kv->text ? count_parts(kv->text) : kv->n_list, i = 0;
    const char **v = ge_opt_alloc(a, (n + 1) * sizeof *v), *p = kv->text;
    struct gost_list list = {v, n};
    struct gost_bytes part;

    if (!v)
        return GOST_ENOMEM;
    while (p && i < n && next_part(&p, &part)) {
        if (part.n && !(v[i++] = ge_opt_copy(a, (const char *)part.p, part.n)))
            return GOST_ENOMEM;
    }
    for (; !p && i < n; i++) {
        v[i] = ge_opt_copy(a, kv->list[i], strlen(kv->list[i]));
        if (!v[i])
            return GOST_ENOMEM;
    }
    memcpy(field, &list, sizeof list);
    return GOST_OK;
}

static int copy_pair(struct ge_opt_arena *a, struct gost_pair *to, const char *key, size_t key_n,
                     const char *value, size_t value_n)
{
    to->key = ge_opt_copy(a, key, key_n);
    to->value = ge_opt_copy(a, value, value_n);
    return to->key && to->value ? GOST_OK : GOST_ENOMEM;
}

/* A map from pairs, or from "key=value,key=value" where only a text can be given (URLs). */
static int store_map(struct ge_opt_arena *a, const struct gost_opt *o, const struct ge_kv *kv,
                     void *field, char *why, size_t n)
{
    uint32_t count = kv->text ? count_parts(kv->text) : kv->n_map, i = 0;
    struct gost_pair *v = ge_opt_alloc(a, (count + 1) * sizeof *v);
    struct gost_map map = {v, count};
    const char *p = kv->text;
    struct gost_bytes part;
    int r = v ? GOST_OK : GOST_ENOMEM;

    while (!r && p && i < count && next_part(&p, &part)) {
        const char *s = (const char *)part.p, *eq = part.n ? memchr(s, '=', part.n) : NULL;

        if (!part.n)
            continue;
        if (!eq)
            return refuse(o, kv->text, "a map, or text of the form key=value,key=value", why, n);
        r = copy_pair(a, &v[i++], s, (size_t)(eq - s), eq + 1, part.n - (size_t)(eq + 1 - s));
    }
    for (; !r && !p && i < count; i++)
        r = copy_pair(a, &v[i], kv->map[i].key, strlen(kv->map[i].key), kv->map[i].value,
                      strlen(kv->map[i].value));
    if (!r)
        memcpy(field, &map, sizeof map);
    return r;
}

/* ---- dispatch ---- */

static const struct {
    const char *name;
    size_t width;
} types[] = {
    [GOST_OPT_T_STRING] = {"text", sizeof(const char *)},
    [GOST_OPT_T_BOOL] = {"bool", sizeof(uint32_t)},
    [GOST_OPT_T_INT] = {"int", sizeof(int64_t)},
    [GOST_OPT_T_SIZE] = {"size", sizeof(uint64_t)},
    [GOST_OPT_T_DURATION] = {"duration", sizeof(uint64_t)},
    [GOST_OPT_T_FLOAT] = {"number", sizeof(double)},
    [GOST_OPT_T_ENUM] = {"choice", sizeof(uint32_t)},
    [GOST_OPT_T_LIST] = {"list", sizeof(struct gost_list)},
    [GOST_OPT_T_MAP] = {"map", sizeof(struct gost_map)},
    [GOST_OPT_T_ADDRESS] = {"address", sizeof(struct gost_addr)},
    [GOST_OPT_T_SECRET] = {"secret", sizeof(struct gost_bytes)},
    [GOST_OPT_T_FILE] = {"file", sizeof(const char *)},
};

size_t ge_opt_width(uint32_t type)
{
    return type < sizeof types / sizeof types[0] ? types[type].width : 0;
}

const char *ge_opt_type_name(uint32_t type)
{
    return ge_opt_width(type) ? types[type].name : "unknown";
}

int ge_opt_store(struct ge_opt_arena *a, const struct gost_opt *o, const struct ge_kv *kv,
                 void *field, char *why, size_t n)
{
    if (kv->text == NULL && !(kv->n_list && o->type == GOST_OPT_T_LIST) &&
        !(kv->n_map && o->type == GOST_OPT_T_MAP) &&
        (kv->list || kv->map || kv->n_list || kv->n_map)) {
        if ((o->type == GOST_OPT_T_LIST && !kv->map) || (o->type == GOST_OPT_T_MAP && !kv->list))
            return GOST_OK; /* an empty list or map */
        snprintf(why, n, "is a %s: it must be %s", kv->map ? "map" : "list",
                 o->type == GOST_OPT_T_LIST   ? "a list, or text separated by commas"
                 : o->type == GOST_OPT_T_MAP  ? "a map of keys and values"
                 : o->type == GOST_OPT_T_ENUM ? "one word"
                                              : what_is(o));
        return GOST_EPROTO;
    }
    if (kv->text == NULL && kv->n_list == 0 && kv->n_map == 0)
        return refuse(o, "", o->type == GOST_OPT_T_LIST ? "a list" : what_is(o), why, n);
    switch (o->type) {
    case GOST_OPT_T_STRING:
    case GOST_OPT_T_SECRET:
    case GOST_OPT_T_FILE:
        return store_text(a, o, kv->text, field, why, n);
    case GOST_OPT_T_ENUM:
        return store_enum(o, kv->text, field, why, n);
    case GOST_OPT_T_ADDRESS:
        return store_address(o, kv->text, field, why, n);
    case GOST_OPT_T_LIST:
        return store_list(a, kv, field);
    case GOST_OPT_T_MAP:
        return store_map(a, o, kv, field, why, n);
    default:
        return store_number(o, kv->text, field, why, n);
    }
}

int ge_opt_check_default(const struct gost_opt *o, char *why, size_t n)
{
    union {
        struct gost_addr addr;
        struct gost_list list;
        struct gost_map map;
        double number;
    } field;
    struct ge_opt_arena arena = {NULL};
    struct ge_kv kv;
    int r;

    if (!o->def)
        return GOST_OK;
    memset(&kv, 0, sizeof kv);
    kv.text = o->def;
    r = ge_opt_store(&arena, o, &kv, &field, why, n);
    ge_opt_arena_free(&arena);
    return r;
}
