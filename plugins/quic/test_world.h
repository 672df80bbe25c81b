/* test_world.h - a client's and a server's quic layer in memory, with the network in our hands. */
/* SPDX-License-Identifier: MIT */
#ifndef QUIC_TEST_WORLD_H
#define QUIC_TEST_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include "../../sdk/engine/engine.h"
#include "quic.h"

extern const struct gost_plugin gost_plugin_v1;

static uint64_t world_clock = 1000 * GOST_S;
static uint32_t world_chance = 1;
static struct ge_worker *world;

static uint64_t world_now(void *ctx)
{
    return world_clock;
}

/* Different each time, the same in each run. */
static void world_random(void *ctx, void *p, size_t n)
{
    uint8_t *to = p;

    for (; n > 0; n--) {
        world_chance = world_chance * 1664525u + 1013904223u;
        *to++ = (uint8_t)(world_chance >> 24);
    }
}

static void world_log(void *ctx, struct ge_flow *flow, int level, const char *text)
{
}

static void world_act(void *ctx, struct ge_task *task, const struct gost_action *a)
{
}

static void world_wake(void *ctx)
{
}

static const struct ge_embed world_embed = {
    .now = world_now,
    .unix_time = world_now,
    .random = world_random,
    .log = world_log,
    .act = world_act,
    .wake = world_wake,
};

static void world_begin(void)
{
    *gost_plugin_v1.host = ge_host_table();
    world = ge_worker_new(&world_embed, NULL);
    if (!world || gost_plugin_v1.init() != GOST_OK)
        abort();
}

/* Options as "key value" pairs, NULL at the end. NULL: refused, text says why. */
static char world_text[400];

static void world_report(void *arg, int status, const char *text)
{
    snprintf(world_text, sizeof world_text, "%s", text);
}

static struct ge_conf *world_conf(uint32_t role, const char *const *options)
{
    struct ge_kv kv[8] = {{NULL, NULL, NULL, 0, NULL, 0, NULL, 0}};
    struct ge_conf *conf = NULL;
    uint32_t n = 0;

    for (; options && options[2 * n]; n++) {
        kv[n].key = options[2 * n];
        kv[n].text = options[2 * n + 1];
        kv[n].place = "here";
    }
    world_text[0] = 0;
    if (ge_conf_new(&conf, &gost_plugin_v1.components[0], role, "test", kv, n, world_report,
                    NULL) != GOST_OK)
        return NULL;
    return conf;
}

#endif
