/* test_plugin.h - for tests: the components of the plugin under test, and their options. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_PLUGIN_H
#define TEST_PLUGIN_H

#include "test_embed.h"

extern const struct gost_plugin gost_plugin_v1;

/* NULL: the plugin has none. */
static inline const struct gost_component *component_of(uint32_t kind, struct gost_bytes name)
{
    uint32_t i;

    for (i = 0; i < gost_plugin_v1.n_components; i++)
        if (gost_plugin_v1.components[i].kind == kind &&
            gost_bytes_eq(name, gost_bytes_str(gost_plugin_v1.components[i].name)))
            return &gost_plugin_v1.components[i];
    return NULL;
}

/* For an embedder whose tasks upgrade with layers of the plugin; without options. */
static inline struct ge_layer_choice embed_find_layer(void *ctx, struct ge_task *task,
                                                      struct gost_bytes name, uint32_t role)
{
    struct ge_layer_choice c = {component_of(GOST_KIND_LAYER, name), NULL};

    return c;
}

static char conf_error[512]; /* what was wrong with the last words; empty: nothing */

static inline void conf_report(void *arg, int status, const char *text)
{
    snprintf(conf_error, sizeof conf_error, "%s", text);
}

/* "key=value key=value"; header=NAME:VALUE is a map of one. NULL: refused. */
static inline struct ge_conf *conf_of(const struct gost_component *c, uint32_t role,
                                      const char *words)
{
    char text[512], *next = text, *word;
    struct gost_pair header = {NULL, NULL};
    struct ge_conf *conf = NULL;
    struct ge_kv kv[16];
    uint32_t n = 0;

    memset(kv, 0, sizeof kv);
    snprintf(text, sizeof text, "%s", words);
    while ((word = strsep(&next, " ")) && *word) {
        kv[n].key = strsep(&word, "=");
        kv[n].place = "test";
        if (strcmp(kv[n].key, "header") == 0) {
            header.key = strsep(&word, ":");
            header.value = word;
            kv[n].map = &header;
            kv[n].n_map = 1;
        } else {
            kv[n].text = word;
        }
        n++;
    }
    conf_error[0] = 0;
    (void)ge_conf_new(&conf, c, role, "test", kv, n, conf_report, NULL);
    if (!conf)
        printf("# %s\n", conf_error);
    return conf;
}

#endif
