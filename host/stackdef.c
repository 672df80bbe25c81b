/* stackdef.c - what a listener or dialer type stands for: a transport and layers, configured. */
/* SPDX-License-Identifier: MIT */
#include "stackdef.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

/* One type while it is taken apart. */
struct builder {
    struct gh_stackdef *def;
    const char *type;
    const char *noun;
    uint32_t role;
    struct gh_confset *set;
    const struct gh_value *at;
    struct gh_conf_errors *errs;
    struct gh_words words;
};

uint32_t gh_layer_below(const struct gost_component *layer)
{
    const struct gost_layer_ops *ops = layer->ops;

    return ops->below ? ops->below : GOST_STREAM;
}

uint32_t gh_layer_above(const struct gost_component *layer)
{
    const struct gost_layer_ops *ops = layer->ops;

    return ops->above ? ops->above : GOST_STREAM;
}

const char *gh_type_text(uint32_t type)
{
    switch (type) {
    case GOST_STREAM:
        return "a stream";
    case GOST_DATAGRAM:
        return "datagrams";
    case GOST_SESSION:
        return "a session of many streams";
    case GOST_EXCHANGE:
        return "exchanges";
    case GOST_DEVICE:
        return "a device";
    default:
        return "nothing";
    }
}

static int configure(struct builder *b, const struct gost_component *c, const void **ret_conf)
{
    char why[512];

    if (gh_confset_get(b->set, c, 0, &b->words, b->errs, ret_conf, why, sizeof why) != 0)
        return -1;
    return 0;
}

static int set_transport(struct builder *b, const struct gost_component *c)
{
    const struct gost_transport_ops *ops = c->ops;

    b->def->transport.component = c;
    b->def->bottom = b->def->top = ops->type;
    return configure(b, c, &b->def->transport.conf);
}

static bool is_session(uint32_t type)
{
    return (type & (GOST_SESSION | GOST_EXCHANGE)) != 0;
}

/* A session gives streams: a layer on top of it stands on each of them. */
static bool fits(uint32_t below, uint32_t on)
{
    return (below & on) != 0 || (on == GOST_SESSION && (below & GOST_STREAM) != 0);
}

int gh_stackdef_add(struct gh_stackdef *def, const struct gost_component *layer, const void *conf,
                    bool first)
{
    unsigned at = first ? 0 : def->n_layers;

    if (def->n_layers == GH_STACK_LAYERS)
        return -1;
    memmove(&def->layer[at + 1], &def->layer[at], (def->n_layers - at) * sizeof def->layer[0]);
    def->layer[at].component = layer;
    def->layer[at].conf = conf;
    /* All layers behind the last session stand on its streams. */
    if (first || (def->n_carrier == def->n_layers &&
                  (!is_session(def->top) || (gh_layer_below(layer) & def->top & GOST_SESSION))))
        def->n_carrier++;
    def->n_layers++;
    if (first && def->gather != 0)
        def->gather++;
    else if (gh_layer_gather(layer) != NULL)
        def->gather = def->n_layers;
    if (!first)
        def->top = gh_layer_above(layer);
    return 0;
}

/* A layer that makes one stream of many exchanges stands once in a stack. */
static bool gathers(const struct builder *b, const struct gost_component *c)
{
    const struct gost_gather_ops *ops = gh_layer_gather(c);
    const char *why = NULL;

    if (ops == NULL)
        return true;
    if (b->def->gather != 0)
        why = "stands above another one of its kind; leave one out";
    else if ((b->role == GOST_SERVER ? ops->server : ops->client) == NULL)
        why = b->role == GOST_SERVER ? "is for dialers only" : "is for listeners only";
    if (why != NULL)
        gh_errors_at(b->errs, GH_ERROR, b->at, "%s: the layer \"%s\" of \"%s\" %s",
                     gh_confset_object(b->set), c->name, b->type, why);
    return why == NULL;
}

static int add_layer(struct builder *b, const struct gost_component *named)
{
    const struct gost_component *c = gh_confset_layer(b->set, named);
    const void *conf = NULL;

    if (!fits(gh_layer_below(c), b->def->top)) {
        gh_errors_at(b->errs, GH_ERROR, b->at,
                     "%s: the layer \"%s\" of \"%s\" needs %s below, not %s",
                     gh_confset_object(b->set), c->name, b->type, gh_type_text(gh_layer_below(c)),
                     gh_type_text(b->def->top));
        return -1;
    }
    if (is_session(gh_layer_above(c)) && gh_stackdef_has_session(b->def) &&
        (gh_layer_below(c) & GOST_SESSION) == 0) {
        gh_errors_at(b->errs, GH_ERROR, b->at,
                     "%s: the layer \"%s\" of \"%s\" would put sessions into the streams of "
                     "\"%s\": a stack has one such layer; leave one out",
                     gh_confset_object(b->set), c->name, b->type,
                     b->def->layer[b->def->n_carrier - 1].component->name);
        return -1;
    }
    if (!gathers(b, c) || configure(b, c, &conf) != 0)
        return -1;
    if (gh_stackdef_add(b->def, c, conf, false) != 0) {
        gh_errors_at(b->errs, GH_ERROR, b->at, "%s: \"%s\" has more than %d layers",
                     gh_confset_object(b->set), b->type, GH_STACK_LAYERS);
        return -1;
    }
    return 0;
}

static int missing(const struct builder *b, const char *part, const char *why)
{
    gh_report_unknown(b->errs, b->noun, part, gh_confset_object(b->set), b->at, why);
    return -1;
}

static int add_named_layer(struct builder *b, const char *name)
{
    char why[512] = "";
    const struct gost_component *c = gh_find_component(GOST_KIND_LAYER, name, why, sizeof why);

    return c != NULL ? add_layer(b, c) : missing(b, name, why);
}

static int set_named_transport(struct builder *b, const char *name)
{
    char why[512] = "";
    const struct gost_component *c = gh_find_component(GOST_KIND_TRANSPORT, name, why, sizeof why);

    return c != NULL ? set_transport(b, c) : missing(b, name, why);
}

/* "tls!insecure": tls, unless the option "insecure" is true. */
static bool is_left_out(struct builder *b, char *part)
{
    char *mark = strchr(part, '!');

    if (mark == NULL)
        return false;
    *mark = '\0';
    return gh_confset_true(b->set, &b->words, mark + 1);
}

/* "tcp/tls/ws" of a stack component. */
static int expand(struct builder *b, const struct gost_stack_ops *ops)
{
    char text[256], *next = text, *part;
    bool first = true;
    int r = 0;

    snprintf(text, sizeof text, "%s", ops->layers);
    b->words.renames = ops->renames;
    b->words.defaults = ops->defaults;
    while (r == 0 && (part = strsep(&next, "/")) != NULL) {
        if (is_left_out(b, part))
            continue;
        r = first ? set_named_transport(b, part) : add_named_layer(b, part);
        first = false;
    }
    return r;
}

/* A layer or transport that stands first and is no named stack: it gets the plain transport of its
 * type. */
static int begin_without_stack(struct builder *b, const char *part, const char *why_stack)
{
    char why[512];
    const struct gost_component *c;

    if (gh_component_known(GOST_KIND_TRANSPORT, part))
        return set_named_transport(b, part);
    if (!gh_component_known(GOST_KIND_LAYER, part))
        return missing(b, part, why_stack);
    c = gh_find_component(GOST_KIND_LAYER, part, why, sizeof why);
    if (c == NULL)
        return missing(b, part, why);
    if (set_named_transport(b, gh_layer_below(c) & GOST_STREAM ? "tcp" : "udp") != 0)
        return -1;
    return add_layer(b, c);
}

static int begin(struct builder *b, const char *part)
{
    char why[512] = "";
    const struct gost_component *stack = gh_find_stack(part, b->role, why, sizeof why);

    return stack != NULL ? expand(b, stack->ops) : begin_without_stack(b, part, why);
}

int gh_stackdef_build(struct gh_stackdef *ret_def, const char *type, uint32_t role,
                      struct gh_confset *set, const struct gh_value *at, const char *noun,
                      struct gh_conf_errors *errs)
{
    struct gh_stackdef def = {.type = type};
    struct builder b = {
        .def = &def, .type = type, .noun = noun, .role = role, .set = set, .at = at, .errs = errs};
    char text[256], *next = text, *part;
    bool first = true;
    int r = 0;

    snprintf(text, sizeof text, "%s", type);
    while (r == 0 && (part = strsep(&next, "+")) != NULL) {
        r = first ? begin(&b, part) : add_named_layer(&b, part);
        first = false;
    }
    if (r == 0)
        *ret_def = def;
    return r;
}

bool gh_stackdef_has_session(const struct gh_stackdef *def)
{
    return def->n_carrier != 0 &&
           is_session(gh_layer_above(def->layer[def->n_carrier - 1].component));
}

const struct gost_component *gh_stackdef_keyed(const struct gh_stackdef *def, const void **ret_conf)
{
    const struct gost_layer_ops *ops = def->n_layers ? def->layer[0].component->ops : NULL;

    if (ops == NULL || def->bottom != GOST_DATAGRAM ||
        ops->size < offsetof(struct gost_layer_ops, attach) + sizeof ops->attach ||
        ops->attach == NULL || ops->attach->attach != GOST_ATTACH_KEY)
        return NULL;
    *ret_conf = def->layer[0].conf;
    return def->layer[0].component;
}

const struct gost_gather_ops *gh_layer_gather(const struct gost_component *layer)
{
    const struct gost_layer_ops *ops = layer->ops;

    return ops->size >= offsetof(struct gost_layer_ops, gather) + sizeof ops->gather ? ops->gather
                                                                                     : NULL;
}

const struct gh_stack_part *gh_stackdef_gather(const struct gh_stackdef *def)
{
    return def->gather != 0 ? &def->layer[def->gather - 1] : NULL;
}

/* Where the section begins; its end is *ret_end. */
static unsigned section_of(const struct gh_stackdef *def, enum gh_stack_section section,
                           unsigned *ret_end)
{
    unsigned streams_end = def->gather != 0 ? def->gather - 1 : def->n_layers;

    *ret_end = section == GH_CARRIER   ? def->n_carrier
               : section == GH_STREAMS ? streams_end
                                       : def->n_layers;
    if (section == GH_GATHERED)
        return def->gather != 0 ? def->gather : def->n_layers;
    return section == GH_CARRIER ? 0 : def->n_carrier;
}

unsigned gh_stackdef_count(const struct gh_stackdef *def, enum gh_stack_section section)
{
    unsigned end, from = section_of(def, section, &end);

    return end - from;
}

int gh_stackdef_push(const struct gh_stackdef *def, enum gh_stack_section section,
                     struct ge_stack *stack, uint32_t role, const struct gost_target *target,
                     struct gost_bytes server_name, const char *node)
{
    unsigned end, from = section_of(def, section, &end);

    for (unsigned i = from; i < end; i++) {
        struct ge_layer_spec spec = {.component = def->layer[i].component,
                                     .conf = def->layer[i].conf,
                                     .role = role,
                                     .server_name = server_name,
                                     .node = node};
        int r;

        if (target != NULL)
            spec.target = *target;
        r = ge_stack_push(stack, &spec);
        if (r != GOST_OK)
            return r;
    }
    return GOST_OK;
}
