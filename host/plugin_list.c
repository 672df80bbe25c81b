/* plugin_list.c - --list, --describe and --man: what there is, from notes and option tables. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../sdk/loader/loader.h"
#include "cli.h"
#include "plugin.h"

/* ---- --list ---- */

void gh_print_list(FILE *to, int json)
{
    unsigned n, i;
    struct gh_plugin_file *const *files = gh_plugin_files(&n);
    const char *comma = "\n";
    struct ge_note_word w;
    char name[80];

    if (json)
        putc('[', to);
    for (i = 0; i < n; i++) {
        const char *text = files[i]->note;

        while (ge_note_next(&text, &w) == GOST_OK) {
            snprintf(name, sizeof name, "%.*s", (int)w.n, w.name);
            if (!json) {
                fprintf(to, "%-10s %-20s %s\n", ge_kind_word(w.kind, w.role), name, files[i]->path);
                continue;
            }
            fprintf(to, "%s{\"kind\": \"%s\", \"name\": ", comma, ge_kind_word(w.kind, w.role));
            ge_json_string(to, name);
            fputs(", \"file\": ", to);
            ge_json_string(to, files[i]->path);
            putc('}', to);
            comma = ",\n";
        }
    }
    if (json)
        fputs("\n]\n", to);
}

/* ---- --describe ---- */

/* What is asked for: a kind ("" any) and a name (NULL any). */
struct wanted {
    char kind[16];
    const char *name;
};

static struct wanted parse_wanted(const char *what)
{
    struct wanted w = {"", what};
    size_t n = what ? strcspn(what, "/:") : 0;

    if (what && what[n] && n < sizeof w.kind) {
        memcpy(w.kind, what, n);
        w.name = what + n + 1;
    }
    return w;
}

static int kind_fits(const struct gost_component *c, const char *kind)
{
    uint32_t roles = ge_component_roles(c);

    if (!*kind)
        return 1;
    if (c->kind != GOST_KIND_STACK)
        return strcasecmp(kind, ge_kind_word(c->kind, 0)) == 0;
    return strcasecmp(kind, "stack") == 0 ||
           ((roles & GOST_SERVER) && strcasecmp(kind, ge_kind_word(c->kind, GOST_SERVER)) == 0) ||
           ((roles & GOST_CLIENT) && strcasecmp(kind, ge_kind_word(c->kind, GOST_CLIENT)) == 0);
}

/* A note that cannot contain what is asked for: its file need not be loaded. */
static int note_fits(const char *note, const struct wanted *want)
{
    struct ge_note_word w;

    if (!want->name || strchr(want->name, '.'))
        return 1;
    while (ge_note_next(&note, &w) == GOST_OK) {
        if (strlen(want->name) == w.n && strncasecmp(want->name, w.name, w.n) == 0)
            return 1;
    }
    return 0;
}

static unsigned describe_plugin(FILE *to, const struct ge_plugin *p, const struct wanted *want,
                                int json, unsigned shown)
{
    uint32_t i;

    for (i = 0; i < p->n_components; i++) {
        const struct gost_component *c = &p->components[i];

        if (!kind_fits(c, want->kind) ||
            (want->name && !ge_component_is(c, want->name, strlen(want->name))))
            continue;
        if (json)
            fputs(shown ? ",\n" : "\n", to);
        else if (shown)
            putc('\n', to);
        shown++;
        if (json)
            ge_describe_json(to, p, c);
        else
            ge_describe_text(to, p, c);
    }
    return shown;
}

int gh_print_describe(FILE *to, const char *what, int json, char *why, size_t n)
{
    unsigned count, i, shown = 0;
    struct gh_plugin_file *const *files = gh_plugin_files(&count);
    struct wanted want = parse_wanted(what);
    struct ge_plugin *p;
    int r = GOST_OK;

    if (json)
        putc('[', to);
    for (i = 0; i < count; i++) {
        if (!note_fits(files[i]->note, &want))
            continue;
        p = gh_plugin_file_load(files[i]);
        if (p) {
            shown = describe_plugin(to, p, &want, json, shown);
            continue;
        }
        snprintf(why, n, "plugin %s %s", files[i]->path,
                 files[i]->broken ? files[i]->broken : "cannot be loaded");
        r = GOST_EPROTO;
    }
    if (json)
        fputs("\n]\n", to);
    if (r == GOST_OK && what && !shown) {
        snprintf(why, n, "no plugin offers a component %s: --list shows what there is", what);
        r = GOST_EPROTO;
    }
    return r;
}

/* ---- --man ---- */

static void man_options(FILE *to)
{
    size_t n, i;
    const struct gh_cli_option *o = gh_cli_options(&n);

    for (i = 0; i < n; i++) {
        fputs(".TP\n.B ", to);
        ge_man_text(to, strlen(o[i].name) > 1 ? "--" : "-");
        ge_man_text(to, o[i].name);
        if (o[i].value)
            fprintf(to, " \\fI%s\\fR", o[i].value);
        putc('\n', to);
        ge_man_text(to, o[i].help);
        putc('\n', to);
    }
}

void gh_print_man(FILE *to)
{
    unsigned n, i;
    struct gh_plugin_file *const *files = gh_plugin_files(&n);
    struct ge_note_word w;
    char word[128];

    fputs(".TH GOST-HOST 8 \"\" \"gost-host\" \"gost-host\"\n.SH NAME\ngost\\-host \\- proxies and "
          "tunnels "
          "from plugins\n.SH SYNOPSIS\n.B gost\\-host\n[\\fIoptions\\fR]\n.SH DESCRIPTION\n"
          "Serves the services given with \\-L through the nodes given with \\-F, or those of a "
          "configuration file.\nEvery protocol is a plugin.\n.SH OPTIONS\n",
          to);
    man_options(to);
    fputs(".SH COMPONENTS\n", to);
    for (i = 0; i < n; i++) {
        const char *text = files[i]->note;

        while (ge_note_next(&text, &w) == GOST_OK) {
            snprintf(word, sizeof word, "%s %.*s", ge_kind_word(w.kind, w.role), (int)w.n, w.name);
            ge_man_text(to, word);
            fputs("\n.br\n", to);
        }
    }
    fputs(".SH ENVIRONMENT\n.TP\n.B GOST_PLUGIN_DIR\nDirectories of plugins, separated by colons, "
          "when "
          "there is no \\-\\-plugin\\-dir.\n",
          to);
}
