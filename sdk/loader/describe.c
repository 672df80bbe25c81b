/* describe.c - a component for people and for programs, from its tables. */
/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "../engine/options.h"
#include "loader.h"

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static const char *role_of(const struct gost_opt *o)
{
    switch (o->flags & (GOST_OPT_SERVER | GOST_OPT_CLIENT)) {
    case GOST_OPT_SERVER:
        return "server";
    case GOST_OPT_CLIENT:
        return "client";
    default:
        return "";
    }
}

static const char *aliases_of(const struct gost_opt *o)
{
    const char *p = o->names + strcspn(o->names, " ");

    return p + strspn(p, " ");
}

/* ---- text ---- */

static void option_text(FILE *to, const struct gost_opt *o)
{
    char name[128], range[80];

    fprintf(to, "    %-28s %s", ge_opt_name(o, name, sizeof name), ge_opt_type_name(o->type));
    if (o->choices)
        fprintf(to, " (%s)", o->choices);
    ge_opt_range(o, range, sizeof range);
    if (*range)
        fprintf(to, ", %s", range);
    if (o->def)
        fprintf(to, ", default %s", *o->def ? o->def : "empty");
    if (o->flags & GOST_OPT_REQUIRED)
        fprintf(to, ", required");
    if (*role_of(o))
        fprintf(to, ", %s only", role_of(o));
    if (o->flags & GOST_OPT_WATCH)
        fprintf(to, ", watched");
    fprintf(to, "\n    %-28s %s%s\n", "", o->flags & GOST_OPT_OLD ? "old: " : "",
            or_empty(o->summary));
    if (*aliases_of(o))
        fprintf(to, "    %-28s also called %s\n", "", aliases_of(o));
}

void ge_describe_text(FILE *to, const struct ge_plugin *p, const struct gost_component *c)
{
    uint32_t roles = ge_component_roles(c);
    const struct gost_opt *o = c->options;

    fprintf(to, "%s/%s", ge_kind_word(c->kind, roles & GOST_SERVER), c->name);
    if (roles == (GOST_SERVER | GOST_CLIENT))
        fprintf(to, ", %s/%s", ge_kind_word(c->kind, GOST_CLIENT), c->name);
    fprintf(to, " - %s\n", or_empty(c->summary));
    if (c->aliases)
        fprintf(to, "  also called: %s\n", c->aliases);
    if (c->uses)
        fprintf(to, "  takes the options of: %s\n", c->uses);
    if (c->kind == GOST_KIND_STACK)
        fprintf(to, "  layers: %s\n", ((const struct gost_stack_ops *)c->ops)->layers);
    fprintf(to, "  plugin: %s %s (%s), %s\n", p->name, p->version, p->license,
            p->path ? p->path : "");
    if (o && o->type)
        fprintf(to, "  options:\n");
    for (; o && o->type; o++)
        option_text(to, o);
}

/* ---- JSON ---- */

void ge_json_string(FILE *to, const char *text)
{
    if (!text) {
        fputs("null", to);
        return;
    }
    putc('"', to);
    for (; *text; text++) {
        unsigned char ch = (unsigned char)*text;

        if (ch == '"' || ch == '\\')
            fprintf(to, "\\%c", ch);
        else if (ch < 32)
            fprintf(to, "\\u%04x", ch);
        else
            putc(ch, to);
    }
    putc('"', to);
}

/* Blank separated words as an array. */
static void json_words(FILE *to, const char *words)
{
    const char *p = or_empty(words), *comma = "";
    char word[256];

    putc('[', to);
    for (p += strspn(p, " "); *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");

        snprintf(word, sizeof word, "%.*s", (int)n, p);
        fputs(comma, to);
        ge_json_string(to, word);
        comma = ", ";
        p += n;
    }
    putc(']', to);
}

static void json_member(FILE *to, const char *key, const char *text)
{
    fprintf(to, "\"%s\": ", key);
    ge_json_string(to, text);
    fputs(", ", to);
}

static void option_json(FILE *to, const struct gost_opt *o)
{
    char name[128];

    putc('{', to);
    json_member(to, "name", ge_opt_name(o, name, sizeof name));
    fputs("\"aliases\": ", to);
    json_words(to, aliases_of(o));
    fputs(", ", to);
    json_member(to, "type", ge_opt_type_name(o->type));
    json_member(to, "default", o->def);
    if (o->choices) {
        fputs("\"choices\": ", to);
        json_words(to, o->choices);
        fputs(", ", to);
    }
    if (o->min || o->max)
        fprintf(to, "\"min\": %" PRId64 ", \"max\": %" PRId64 ", ", o->min, o->max);
    if (o->unit)
        json_member(to, "unit", o->unit);
    if (*role_of(o))
        json_member(to, "role", role_of(o));
    fprintf(to, "\"required\": %s, \"old\": %s, \"watched\": %s, \"summary\": ",
            o->flags & GOST_OPT_REQUIRED ? "true" : "false",
            o->flags & GOST_OPT_OLD ? "true" : "false",
            o->flags & GOST_OPT_WATCH ? "true" : "false");
    ge_json_string(to, or_empty(o->summary));
    putc('}', to);
}

void ge_describe_json(FILE *to, const struct ge_plugin *p, const struct gost_component *c)
{
    uint32_t roles = ge_component_roles(c);
    const struct gost_opt *o = c->options;
    const char *comma = "";

    putc('{', to);
    json_member(to, "kind", c->kind == GOST_KIND_STACK ? "stack" : ge_kind_word(c->kind, 0));
    json_member(to, "name", c->name);
    fputs("\"aliases\": ", to);
    json_words(to, c->aliases);
    fputs(", ", to);
    json_member(to, "summary", or_empty(c->summary));
    if (c->kind == GOST_KIND_STACK) {
        fputs("\"roles\": ", to);
        json_words(to, roles == GOST_SERVER   ? "listener"
                       : roles == GOST_CLIENT ? "dialer"
                                              : "listener dialer");
        fputs(", ", to);
        json_member(to, "layers", ((const struct gost_stack_ops *)c->ops)->layers);
    }
    fputs("\"uses\": ", to);
    json_words(to, c->uses);
    fputs(", ", to);
    json_member(to, "plugin", p->name);
    json_member(to, "version", p->version);
    json_member(to, "license", p->license);
    json_member(to, "file", p->path);
    fputs("\"options\": [", to);
    for (; o && o->type; o++, comma = ", ") {
        fputs(comma, to);
        option_json(to, o);
    }
    fputs("]}", to);
}
