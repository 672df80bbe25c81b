/* confset.c - the options of one configured object, bound to the components that read them. */
/* SPDX-License-Identifier: MIT */
#include "confset_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf_meta.h"
#include "conf_number.h"

struct gh_confset *gh_confset_new(uint32_t role, const char *object)
{
    struct gh_confset *set = calloc(1, sizeof *set);

    if (set == NULL)
        return NULL;
    set->role = role;
    set->object = strdup(object);
    if (set->object == NULL) {
        free(set);
        return NULL;
    }
    return set;
}

void gh_confset_free(struct gh_confset *set)
{
    if (set == NULL)
        return;
    for (struct made *m = set->made; m != NULL;) {
        struct made *next = m->next;

        ge_conf_free(m->conf);
        free(m);
        m = next;
    }
    for (struct block *b = set->blocks; b != NULL;) {
        struct block *next = b->next;

        explicit_bzero(b->data, b->size);
        free(b);
        b = next;
    }
    free(set->kv);
    free(set->meta);
    free(set->object);
    free(set);
}

const char *gh_confset_object(const struct gh_confset *set)
{
    return set->object;
}

/* ---- taking values over ---- */

static void *arena(struct gh_confset *set, size_t size)
{
    struct block *b = calloc(1, sizeof *b + size);

    if (b == NULL)
        return NULL;
    b->size = size;
    b->next = set->blocks;
    set->blocks = b;
    return b->data;
}

static const char *keep(struct gh_confset *set, const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = arena(set, n);

    return copy != NULL ? memcpy(copy, text, n) : NULL;
}

/* A scalar as text: borrowed from the tree, or kept here. NULL: no memory or no scalar. */
static const char *scalar(struct gh_confset *set, const struct gh_value *value)
{
    const char *kept;
    char *text;

    if (gh_text_of(value) != NULL)
        return gh_text_of(value);
    text = gh_value_text(value);
    if (text == NULL)
        return NULL;
    kept = keep(set, text);
    explicit_bzero(text, strlen(text));
    free(text);
    return kept;
}

static int fill_list(struct gh_confset *set, struct ge_kv *kv, const struct gh_value *list)
{
    const char **items = arena(set, (gh_count(list) + 1) * sizeof *items);
    const struct gh_value *item;
    size_t pos = 0;

    if (items == NULL)
        return -ENOMEM;
    while ((item = gh_next(list, &pos)) != NULL) {
        items[kv->n_list] = scalar(set, item);
        if (items[kv->n_list] != NULL)
            kv->n_list++;
    }
    kv->list = items;
    return 0;
}

static int fill_map(struct gh_confset *set, struct ge_kv *kv, const struct gh_value *map)
{
    struct gost_pair *pairs = arena(set, (gh_count(map) + 1) * sizeof *pairs);
    const struct gh_member *m;
    size_t pos = 0;

    if (pairs == NULL)
        return -ENOMEM;
    while ((m = gh_next_member(map, &pos)) != NULL) {
        const char *text = scalar(set, m->value);

        if (text != NULL) {
            pairs[kv->n_map].key = m->key;
            pairs[kv->n_map++].value = text;
        }
    }
    kv->map = pairs;
    return 0;
}

static struct ge_kv *new_kv(struct gh_confset *set, const char *key, const struct gh_value *at,
                            bool meta)
{
    char place[GH_POS_MAX];
    struct ge_kv *kv;

    if (set->n == set->room) {
        uint32_t room = set->room ? 2 * set->room : 16;
        struct ge_kv *more = realloc(set->kv, room * sizeof *more);
        bool *flags;

        if (more != NULL)
            set->kv = more;
        flags = realloc(set->meta, room * sizeof *flags);
        if (flags != NULL)
            set->meta = flags;
        if (more == NULL || flags == NULL)
            return NULL;
        set->room = room;
    }
    kv = &set->kv[set->n];
    memset(kv, 0, sizeof *kv);
    kv->key = keep(set, key);
    kv->place = keep(set, gh_pos_text(at, place));
    if (kv->key == NULL || kv->place == NULL)
        return NULL;
    set->meta[set->n++] = meta;
    return kv;
}

static int add_value(struct gh_confset *set, const char *key, const struct gh_value *value,
                     bool meta)
{
    char duration[GH_NUMBER_MAX];
    struct ge_kv *kv;

    if (value == NULL || value->type == GH_NULL)
        return 0;
    kv = new_kv(set, key, value, meta);
    if (kv == NULL)
        return -ENOMEM;
    if (gh_is_list(value))
        return fill_list(set, kv, value);
    if (gh_is_map(value))
        return fill_map(set, kv, value);
    if (!meta && value->type == GH_INT && strcmp(key, "tls.validity") == 0)
        kv->text = keep(set, gh_format_duration(value->u.i, duration));
    else
        kv->text = scalar(set, value);
    return kv->text != NULL ? 0 : -ENOMEM;
}

int gh_confset_add(struct gh_confset *set, const char *prefix, const struct gh_value *map)
{
    const struct gh_member *m;
    size_t pos = 0;
    char key[128];
    int r = 0;

    while (r == 0 && (m = gh_next_member(map, &pos)) != NULL) {
        snprintf(key, sizeof key, "%s.%s", prefix, m->key);
        if (gh_is_map(m->value))
            r = gh_confset_add(set, key, m->value);
        else
            r = add_value(set, key, m->value, false);
    }
    return r;
}

int gh_confset_add_metadata(struct gh_confset *set, const struct gh_value *map)
{
    const struct gh_member *m;
    size_t pos = 0;
    int r = 0;

    while (r == 0 && (m = gh_next_member(map, &pos)) != NULL)
        r = add_value(set, m->key, m->value, true);
    return r;
}

int gh_confset_add_value(struct gh_confset *set, const char *key, const struct gh_value *value)
{
    return add_value(set, key, value, true);
}

int gh_confset_add_text(struct gh_confset *set, const char *key, const char *text)
{
    struct ge_kv *kv = new_kv(set, key, NULL, true);

    if (kv == NULL)
        return -ENOMEM;
    kv->text = keep(set, text);
    return kv->text != NULL ? 0 : -ENOMEM;
}

/* GOST reads nothing else of the global object. */
int gh_confset_add_certificate(struct gh_confset *set, const struct gh_value *global,
                               const struct gh_value *own)
{
    static const char *const keys[] = {"certFile", "keyFile",    "caFile",
                                       "validity", "commonName", "organization"};
    const struct gh_member *m;
    size_t pos = 0;
    char key[64];
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof keys / sizeof keys[0]; i++) {
        snprintf(key, sizeof key, "tls.%s", keys[i]);
        r = add_value(set, key, gh_get(global, keys[i]), false);
    }
    while (r == 0 && (m = gh_next_member(own, &pos)) != NULL) {
        snprintf(key, sizeof key, "tls.%s", m->key);
        if (gh_is_map(m->value))
            r = gh_confset_add(set, key, m->value);
        else if (!gh_confset_has(set, key))
            r = add_value(set, key, m->value, false);
    }
    return r;
}

/* "name value more more" of one object; *owned* by the set. NULL: no memory. */
static const char *line_of(struct gh_confset *set, const char *name, const struct gh_value *item,
                           const char *value_key, const struct gh_value *more)
{
    const char *value = gh_str(item, value_key, "");
    size_t n = strlen(name) + strlen(value) + 2, at;
    const struct gh_value *v;
    size_t pos = 0;
    char *line;

    while ((v = gh_next(more, &pos)) != NULL)
        n += gh_text_of(v) != NULL ? strlen(gh_text_of(v)) + 1 : 0;
    line = arena(set, n);
    if (line == NULL)
        return NULL;
    at = (size_t)snprintf(line, n, "%s %s", name, value);
    pos = 0;
    while ((v = gh_next(more, &pos)) != NULL)
        if (gh_text_of(v) != NULL)
            at += (size_t)snprintf(line + at, n - at, " %s", gh_text_of(v));
    return line;
}

int gh_confset_add_lines(struct gh_confset *set, const char *key, const struct gh_value *list,
                         const char *name_key, const char *value_key, const char *list_key)
{
    const char **lines;
    const struct gh_value *item;
    struct ge_kv *kv;
    size_t pos = 0;

    if (gh_count(list) == 0)
        return 0;
    kv = new_kv(set, key, list, true);
    lines = arena(set, gh_count(list) * sizeof *lines);
    if (kv == NULL || lines == NULL)
        return -ENOMEM;
    while ((item = gh_next(list, &pos)) != NULL) {
        const char *name = gh_str(item, name_key, NULL);
        const char *line = NULL;

        if (name == NULL)
            continue;
        line =
            line_of(set, name, item, value_key, list_key != NULL ? gh_get(item, list_key) : NULL);
        if (line == NULL)
            return -ENOMEM;
        lines[kv->n_list++] = line;
    }
    kv->list = lines;
    return 0;
}

bool gh_confset_has(const struct gh_confset *set, const char *key)
{
    for (uint32_t i = 0; i < set->n; i++)
        if (strcasecmp(set->kv[i].key, key) == 0)
            return true;
    return false;
}

/* ---- binding ---- */

static bool has_word(const char *words, const char *word, size_t n)
{
    while (words != NULL && *words != '\0') {
        size_t len = strcspn(words, " ");

        if (len == n && strncasecmp(words, word, n) == 0)
            return true;
        words += len + (words[len] == ' ');
    }
    return false;
}

static const struct gost_opt *find_option(const struct gost_component *c, const char *key, size_t n)
{
    for (const struct gost_opt *o = c->options; o != NULL && o->type != GOST_OPT_END; o++)
        if (has_word(o->names, key, n))
            return o;
    return NULL;
}

/* The key under which component `c` knows `key`: "ws.ping" is "ping" for the layer ws. */
static const char *key_for(const struct gost_component *c, const char *key)
{
    size_t n = strlen(c->name);

    if (find_option(c, key, strlen(key)) == NULL && strncasecmp(key, c->name, n) == 0 &&
        key[n] == '.' && find_option(c, key + n + 1, strlen(key + n + 1)) != NULL)
        return key + n + 1;
    return key;
}

/* What "from=to" of the stack's renames makes of a key; `buf` holds a new one. A word may begin
 * with '<' (listener only) or '>' (dialer only). */
static const char *renamed(const char *words, uint32_t role, const char *key, char *buf,
                           size_t size)
{
    while (words != NULL && *words != '\0') {
        size_t len = strcspn(words, " ");
        const char *w = words, *equals = memchr(words, '=', len);
        bool mine = *w != (role == GOST_SERVER ? '>' : '<');

        if (*w == '<' || *w == '>')
            w++;
        if (mine && equals != NULL && strlen(key) == (size_t)(equals - w) &&
            strncasecmp(w, key, (size_t)(equals - w)) == 0) {
            snprintf(buf, size, "%.*s", (int)(words + len - equals - 1), equals + 1);
            return buf;
        }
        words += len + (words[len] == ' ');
    }
    return key;
}

bool gh_confset_true(struct gh_confset *set, const struct gh_words *words, const char *key)
{
    bool is_true = false;

    for (uint32_t i = 0; i < set->n; i++) {
        char buf[128];
        const char *name = renamed(words->renames, set->role, set->kv[i].key, buf, sizeof buf);

        if (strcasecmp(name, key) != 0)
            continue;
        set->kv[i].used = 1;
        if (set->kv[i].text == NULL || !gh_parse_bool(set->kv[i].text, &is_true))
            is_true = false; /* the component that has the option says what is wrong */
    }
    return is_true;
}

const struct gost_component *gh_confset_layer(const struct gh_confset *set,
                                              const struct gost_component *c)
{
    const struct gost_component *other;
    char why[512];

    for (const struct gost_opt *o = c->options; o != NULL && o->type != GOST_OPT_END; o++) {
        if (!(o->flags & GOST_OPT_LAYER))
            continue;
        for (uint32_t i = 0; i < set->n; i++) {
            const struct ge_kv *kv = &set->kv[i];

            if (kv->text == NULL || !has_word(o->names, kv->key, strlen(kv->key)) ||
                !has_word(o->choices, kv->text, strlen(kv->text)))
                continue;
            other = gh_find_component(GOST_KIND_LAYER, kv->text, why, sizeof why);
            return other != NULL ? other : c;
        }
    }
    return c;
}

/* Whether the user gave an option under any of its names. */
static bool given(const struct ge_kv *kv, uint32_t n, const struct gost_opt *option)
{
    for (uint32_t i = 0; i < n; i++)
        if (has_word(option->names, kv[i].key, strlen(kv[i].key)))
            return true;
    return false;
}

/* Appends the defaults of the stack that the user did not give. Texts are kept by the set. */
static uint32_t add_defaults(struct gh_confset *set, const struct gost_component *c,
                             const char *words, struct ge_kv *kv, uint32_t n)
{
    uint32_t all = n;

    while (words != NULL && *words != '\0') {
        size_t len = strcspn(words, " ");
        char pair[128];
        char *equals;

        snprintf(pair, sizeof pair, "%.*s", (int)len, words);
        equals = strchr(pair, '=');
        if (equals != NULL) {
            const struct gost_opt *option;
            const char *key;

            *equals = '\0';
            key = key_for(c, pair);
            option = find_option(c, key, strlen(key));
            if (option != NULL && !given(kv, n, option)) {
                memset(&kv[all], 0, sizeof kv[all]);
                kv[all].key = keep(set, key);
                kv[all].text = keep(set, equals + 1);
                kv[all].place = "the stack's own default";
                all += kv[all].key != NULL && kv[all].text != NULL;
            }
        }
        words += len + (words[len] == ' ');
    }
    return all;
}

static size_t count_words(const char *words)
{
    size_t n = 1;

    for (; words != NULL && *words != '\0'; words++)
        n += *words == ' ';
    return n;
}

struct report {
    struct gh_conf_errors *errs;
    char *why;
    size_t why_size;
};

static void report(void *arg, int status, const char *text)
{
    struct report *r = arg;

    if (r->errs != NULL)
        gh_errors_add(r->errs, status == GOST_OK ? GH_WARNING : GH_ERROR, "", "%s", text);
    if (status != GOST_OK)
        snprintf(r->why, r->why_size, "%s", text);
}

static int make(struct gh_confset *set, const struct gost_component *c, uint32_t role,
                const struct gh_words *words, struct report *r, struct ge_conf **ret_conf)
{
    size_t room = set->n + (words != NULL ? count_words(words->defaults) : 0) + 1;
    struct ge_kv *kv = calloc(room, sizeof *kv);
    uint32_t n = set->n;
    int rc;

    if (kv == NULL) {
        report(r, GOST_ENOMEM, "out of memory");
        return GOST_ENOMEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        char buf[128];
        const char *key = set->kv[i].key;

        kv[i] = set->kv[i];
        kv[i].used = 0;
        if (words != NULL)
            key = renamed(words->renames, role, key, buf, sizeof buf);
        key = key == buf ? keep(set, key) : key;
        kv[i].key = key_for(c, key != NULL ? key : set->kv[i].key);
    }
    if (words != NULL)
        n = add_defaults(set, c, words->defaults, kv, n);
    rc = ge_conf_new(ret_conf, c, role, set->object, kv, n, report, r);
    for (uint32_t i = 0; r->errs != NULL && i < set->n; i++)
        set->kv[i].used |= kv[i].used;
    free(kv);
    return rc;
}

static int get_locked(struct gh_confset *set, const struct gost_component *c, uint32_t role,
                      const struct gh_words *words, struct report *r, const void **ret_conf)
{
    struct made *m = set->made;
    int rc;

    while (m != NULL && (m->component != c || m->role != role))
        m = m->next;
    if (m == NULL) {
        m = calloc(1, sizeof *m);
        if (m == NULL) {
            report(r, GOST_ENOMEM, "out of memory");
            return GOST_ENOMEM;
        }
        rc = make(set, c, role, words, r, &m->conf);
        if (rc != GOST_OK) {
            free(m);
            return rc;
        }
        m->component = c;
        m->role = role;
        m->next = set->made;
        set->made = m;
    }
    *ret_conf = ge_conf_data(m->conf);
    return 0;
}

int gh_confset_get(struct gh_confset *set, const struct gost_component *c, uint32_t role,
                   const struct gh_words *words, struct gh_conf_errors *errs, const void **ret_conf,
                   char *why, size_t why_size)
{
    struct report r = {errs, why, why_size};
    int rc;

    gh_registry_lock();
    rc = get_locked(set, c, role ? role : set->role, words, &r, ret_conf);
    gh_registry_unlock();
    return rc;
}

/* ---- unknown keys ---- */

void gh_confset_claim(struct gh_confset *set, const char *keys)
{
    for (uint32_t i = 0; i < set->n; i++)
        if (has_word(keys, set->kv[i].key, strlen(set->kv[i].key)))
            set->kv[i].used = 1;
}

static bool known_in(const struct gh_confset *set, const char *key)
{
    for (uint32_t i = 0; i < set->n; i++)
        if (set->kv[i].used && strcasecmp(set->kv[i].key, key) == 0)
            return true;
    return false;
}

static void offer_names(struct gh_suggest *s, const struct gost_component *c, char *buf,
                        size_t size)
{
    for (const struct gost_opt *o = c->options; o != NULL && o->type != GOST_OPT_END; o++) {
        char name[96];

        snprintf(name, sizeof name, "%.*s", (int)strcspn(o->names, " "), o->names);
        gh_suggest_offer(s, name);
        if (s->best == name) {
            snprintf(buf, size, "%s", name);
            s->best = buf;
        }
    }
}

static void report_unknown(const struct gh_confset *set, const struct ge_kv *kv,
                           struct gh_confset *const *same, enum gh_severity severity,
                           struct gh_conf_errors *errs)
{
    struct gh_suggest s;
    char best[96], text[128];

    gh_suggest_start(&s, kv->key);
    for (const struct made *m = set->made; m != NULL; m = m->next)
        offer_names(&s, m->component, best, sizeof best);
    for (; same != NULL && *same != NULL; same++)
        for (const struct made *m = (*same)->made; m != NULL; m = m->next)
            offer_names(&s, m->component, best, sizeof best);
    gh_errors_add(errs, severity, kv->place, "%s knows no option \"%s\"%s", set->object, kv->key,
                  gh_suggest_text(&s, text, sizeof text));
}

void gh_confset_check(struct gh_confset *set, struct gh_confset *const *same_url,
                      enum gh_severity severity, struct gh_conf_errors *errs)
{
    for (uint32_t i = 0; i < set->n; i++) {
        struct gh_confset *const *other = same_url;

        if (set->kv[i].used || !set->meta[i])
            continue;
        while (other != NULL && *other != NULL && !known_in(*other, set->kv[i].key))
            other++;
        if (other != NULL && *other != NULL)
            continue;
        report_unknown(set, &set->kv[i], same_url, severity, errs);
        set->kv[i].used = 1; /* once is enough, for the sets that share it too */
    }
}
