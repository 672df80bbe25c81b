/* man.c - the manual page and the commented configuration of a plugin, from its tables. */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>

#include "../engine/options.h"
#include "loader.h"

/* ---- manual page ---- */

void ge_man_text(FILE *to, const char *text)
{
    int line_start = 1;

    for (; text && *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", to);
        line_start = *text == '\n';
        if (*text == '\\')
            fputs("\\e", to);
        else if (*text == '-')
            fputs("\\-", to);
        else
            putc(*text, to);
    }
}

static void man_option(FILE *to, const struct gost_opt *o)
{
    const char *aliases = o->names + strcspn(o->names, " ");
    char name[128], range[80];

    fputs(".TP\n.B ", to);
    ge_man_text(to, ge_opt_name(o, name, sizeof name));
    fprintf(to, "\n%s", ge_opt_type_name(o->type));
    if (o->choices) {
        fputs(", one of ", to);
        ge_man_text(to, o->choices);
    }
    ge_opt_range(o, range, sizeof range);
    if (*range)
        fprintf(to, ", %s", range);
    if (o->def) {
        fputs(", default ", to);
        ge_man_text(to, *o->def ? o->def : "empty");
    }
    if (o->flags & GOST_OPT_REQUIRED)
        fputs(", required", to);
    fputs(".\n", to);
    ge_man_text(to, o->summary ? o->summary : "");
    fputs(".\n", to);
    if (*aliases) {
        fputs("Also called", to);
        ge_man_text(to, aliases);
        fputs(".\n", to);
    }
}

static void man_component(FILE *to, const struct gost_component *c)
{
    uint32_t roles = ge_component_roles(c);
    const struct gost_opt *o = c->options;

    fprintf(to, ".SH %s", roles == (GOST_SERVER | GOST_CLIENT) ? "LISTENER AND DIALER " : "");
    if (roles != (GOST_SERVER | GOST_CLIENT)) {
        const char *word = ge_kind_word(c->kind, roles);

        for (; *word; word++)
            putc(toupper((unsigned char)*word), to);
        putc(' ', to);
    }
    ge_man_text(to, c->name);
    putc('\n', to);
    ge_man_text(to, c->summary ? c->summary : "");
    fputs(".\n", to);
    if (c->aliases) {
        fputs(".PP\nAlso called ", to);
        ge_man_text(to, c->aliases);
        fputs(".\n", to);
    }
    if (c->kind == GOST_KIND_STACK)
        fprintf(to, ".PP\nA stack of the layers %s; their options apply.\n",
                ((const struct gost_stack_ops *)c->ops)->layers);
    for (; o && o->type; o++)
        man_option(to, o);
}

void ge_plugin_man(FILE *to, const struct ge_plugin *p)
{
    uint32_t i;

    fprintf(to, ".TH GOST-%s 7 \"\" \"%s %s\" \"gost-host\"\n.SH NAME\ngost\\-", p->name, p->name,
            p->version);
    ge_man_text(to, p->name);
    fputs(" \\- ", to);
    ge_man_text(to, p->summary);
    putc('\n', to);
    for (i = 0; i < p->n_components; i++)
        man_component(to, &p->components[i]);
    fputs(".SH LICENSE\n", to);
    ge_man_text(to, p->license);
    fputs("\n.SH SEE ALSO\n.BR gost\\-host (8)\n", to);
}

/* ---- configuration ---- */

/* Where a key stands: below auth or tls, or in the metadata. Returns the part behind that. */
static const char *place_of(const char *name, const char **ret_place)
{
    static const char *const fixed[] = {"auth.", "tls.options.", "tls."};
    size_t i;

    for (i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        size_t n = strlen(fixed[i]);

        if (strncmp(name, fixed[i], n) == 0) {
            *ret_place = fixed[i];
            return name + n;
        }
    }
    *ret_place = "";
    return name;
}

static void snippet_value(FILE *to, const struct gost_opt *o)
{
    switch (o->type) {
    case GOST_OPT_T_LIST:
        fprintf(to, "[%s]", o->def ? o->def : "");
        break;
    case GOST_OPT_T_MAP:
        fputs("{}", to);
        break;
    case GOST_OPT_T_ENUM:
    case GOST_OPT_T_STRING:
    case GOST_OPT_T_SECRET:
    case GOST_OPT_T_FILE:
    case GOST_OPT_T_ADDRESS:
        ge_json_string(to, o->def ? o->def : "");
        break;
    case GOST_OPT_T_BOOL:
        fputs(o->def ? o->def : "false", to);
        break;
    default:
        fputs(o->def ? o->def : "0", to);
        break;
    }
}

static void snippet_option(FILE *to, const struct gost_opt *o, const char *key, int indent)
{
    char range[80];

    fprintf(to, "##%*s%s", indent, "", o->summary ? o->summary : "");
    ge_opt_range(o, range, sizeof range);
    fprintf(to, " (%s", ge_opt_type_name(o->type));
    if (o->choices)
        fprintf(to, ": %s", o->choices);
    if (*range)
        fprintf(to, ", %s", range);
    fprintf(to, "%s)\n#%*s%s: ", o->flags & GOST_OPT_REQUIRED ? ", required" : "", indent, "", key);
    snippet_value(to, o);
    putc('\n', to);
}

/* All options of one place under one heading. Returns how many there were. */
static int snippet_place(FILE *to, const struct gost_component *c, const char *place,
                         const char *heading, int indent, uint32_t role)
{
    const struct gost_opt *o;
    const char *its, *key;
    char name[128];
    int count = 0;

    for (o = c->options; o && o->type; o++) {
        uint32_t only = o->flags & (GOST_OPT_SERVER | GOST_OPT_CLIENT);

        key = place_of(ge_opt_name(o, name, sizeof name), &its);
        if (strcmp(its, place) != 0 || (o->flags & GOST_OPT_OLD))
            continue;
        if (only && !(only & (role == GOST_SERVER ? GOST_OPT_SERVER : GOST_OPT_CLIENT)))
            continue;
        if (count++ == 0)
            fprintf(to, "#%*s%s:\n", indent, "", heading);
        snippet_option(to, o, key, indent + 2);
    }
    return count;
}

static void snippet_object(FILE *to, const struct gost_component *c, const char *word, int indent,
                           uint32_t role)
{
    fprintf(to, "#%*s%s:\n#%*stype: %s\n", indent, "", word, indent + 2, "", c->name);
    snippet_place(to, c, "auth.", "auth", indent + 2, role);
    if (snippet_place(to, c, "tls.", "tls", indent + 2, role))
        snippet_place(to, c, "tls.options.", "options", indent + 4, role);
    snippet_place(to, c, "", "metadata", indent + 2, role);
}

static void snippet_service(FILE *to, const struct gost_component *c, const char *word)
{
    fprintf(to, "#services:\n#  - name: %s-service\n#    addr: \":8080\"\n", c->name);
    snippet_object(to, c, word, 4, GOST_SERVER);
}

static void snippet_node(FILE *to, const struct gost_component *c, const char *word)
{
    fprintf(to,
            "#chains:\n#  - name: %s-chain\n#    hops:\n#      - name: hop-0\n#        nodes:\n",
            c->name);
    fprintf(to, "#          - name: node-0\n#            addr: \"example.com:8080\"\n");
    snippet_object(to, c, word, 12, GOST_CLIENT);
}

static void snippet_component(FILE *to, const struct gost_component *c)
{
    uint32_t roles = ge_component_roles(c);

    fprintf(to, "\n## %s %s - %s\n",
            c->kind == GOST_KIND_STACK ? "stack" : ge_kind_word(c->kind, 0), c->name,
            c->summary ? c->summary : "");
    if (c->kind == GOST_KIND_TRANSPORT || c->kind == GOST_KIND_LAYER) {
        if (!c->options || !c->options->type)
            return;
        fprintf(to, "## (of every listener and dialer whose stack contains %s)\n", c->name);
        roles = GOST_SERVER | GOST_CLIENT;
    }
    if (c->kind == GOST_KIND_HANDLER)
        snippet_service(to, c, "handler");
    else if (c->kind == GOST_KIND_CONNECTOR)
        snippet_node(to, c, "connector");
    if (roles & GOST_SERVER)
        snippet_service(to, c, "listener");
    if (roles & GOST_CLIENT)
        snippet_node(to, c, "dialer");
}

void ge_plugin_snippet(FILE *to, const struct ge_plugin *p)
{
    uint32_t i;

    fprintf(to, "## %s %s - %s\n", p->name, p->version, p->summary);
    fputs("## Lines with one # are configuration: take the # away. All values are the defaults.\n",
          to);
    for (i = 0; i < p->n_components; i++) {
        if (!strchr(p->components[i].name, '.'))
            snippet_component(to, &p->components[i]);
    }
}
