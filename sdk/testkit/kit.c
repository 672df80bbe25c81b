/* kit.c - takes a plugin into the test kit. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "kit_internal.h"

struct gost_kit *kit_adopt(struct ge_plugin *p, char *why, size_t n)
{
    struct gost_kit *kit = calloc(1, sizeof *kit);

    snprintf(why, n, "out of memory");
    if (!kit)
        return NULL;
    kit->plugin = p;
    if (kit_watch(kit) != GOST_OK) {
        gost_kit_free(kit);
        return NULL;
    }
    *p->object->host = &kit->host;
    return kit;
}

struct gost_kit *gost_kit_new(const struct gost_plugin *object, char *why, size_t n)
{
    struct ge_plugin *p = calloc(1, sizeof *p);
    struct gost_kit *kit;

    snprintf(why, n, "out of memory");
    if (!p || ge_plugin_check(p, object, NULL, why, n) != GOST_OK) {
        free(p);
        return NULL;
    }
    kit = kit_adopt(p, why, n);
    if (!kit) {
        free(p);
        return NULL;
    }
    kit->owned = 1;
    if (object->init && object->init() < 0) {
        snprintf(why, n, "its init() refused");
        gost_kit_free(kit);
        return NULL;
    }
    return kit;
}

void gost_kit_free(struct gost_kit *kit)
{
    uint32_t i;

    if (!kit)
        return;
    *kit->plugin->object->host = ge_host_table();
    for (i = 0; kit->ops && i < kit->plugin->n_components; i++) {
        if (kit->ops[i] && kit->watched[i].kind == GOST_KIND_LAYER)
            free((void *)((struct gost_layer_ops *)kit->ops[i])->session);
        free(kit->ops[i]);
    }
    if (kit->owned) {
        for (i = 0; i < kit->plugin->n_components; i++)
            free((void *)kit->plugin->components[i].options);
        free(kit->plugin->components);
        free(kit->plugin);
    }
    free(kit->ops);
    free(kit->watched);
    free(kit);
}

const char *gost_kit_unable(struct gost_kit *kit, const struct gost_script *script)
{
    const struct gost_component *c =
        kit_component(kit, script->kind, script->component, strlen(script->component));

    if (!c)
        return "";
    switch (script->kind) {
    case GOST_KIND_HANDLER:
        return ((const struct gost_handler_ops *)c->ops)->accepts == GOST_SESSION
                   ? "the kit has no session for port 0"
                   : "";
    case GOST_KIND_CONNECTOR:
        return ((const struct gost_connector_ops *)c->ops)->accepts == GOST_SESSION
                   ? "the kit has no session for port 0"
                   : "";
    case GOST_KIND_LAYER:
        return ((const struct gost_layer_ops *)c->ops)->below == GOST_SESSION
                   ? "the kit has no session below a layer"
                   : "";
    case GOST_KIND_INSPECTOR:
        return "";
    default:
        return "only handlers, connectors, layers and inspectors are played";
    }
}
