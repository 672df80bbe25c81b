/* crash.c - a plugin of a test: it crashes where the option "where" says. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <gost/plugin.h>

struct conf {
    const char *where;
};

static int is(const struct conf *conf, const char *where)
{
    return conf->where && strcmp(conf->where, where) == 0;
}

static int *volatile nowhere; /* volatile: no compiler may draw conclusions */

static void follow_null(void)
{
    *nowhere = 1;
}

static int step(void *state, const void *conf_, struct gost_io *io, const struct gost_event *ev)
{
    const struct conf *conf = conf_;

    if (is(conf, "step"))
        follow_null();
    gost_phase(io, "the greeting");
    if (is(conf, "greeting") && ev->type == GOST_EV_READABLE)
        follow_null();
    if (is(conf, "abort") && ev->type == GOST_EV_READABLE)
        abort();
    return ev->type == GOST_EV_READABLE || ev->type == GOST_EV_EOF ? GOST_OK : GOST_AGAIN;
}

static const char *volatile ending = "";

static void destroy(void *state)
{
    if (*ending)
        follow_null();
}

static int prepare(void *conf_, struct gost_prepare *p)
{
    const struct conf *conf = conf_;

    if (is(conf, "prepare"))
        follow_null();
    if (is(conf, "destroy"))
        ending = "now";
    return GOST_OK;
}

static int decode(void *state, const void *conf, struct gost_io *io)
{
    if (is(conf, "decode") && gost_rx_len(io) > 0)
        follow_null();
    gost_move(gost_app(io), io, gost_rx_len(io));
    return GOST_AGAIN;
}

static int encode(void *state, const void *conf, struct gost_io *io)
{
    gost_move(io, gost_app(io), gost_rx_len(gost_app(io)));
    return GOST_AGAIN;
}

static int connect_step(void *state, const void *conf, struct gost_io *io,
                        const struct gost_event *ev)
{
    gost_phase(io, "the answer");
    if (is(conf, "connect"))
        follow_null();
    return GOST_OK;
}

static int inspect(void *state, const void *conf, struct gost_io *io)
{
    follow_null();
    return GOST_OK;
}

static const struct gost_opt options[] = {
    GOST_OPT_STRING(struct conf, where, "where", NULL, 0, "where to crash"),
    GOST_OPT_LAST,
};

static const struct gost_handler_ops handler_ops = {
    .size = sizeof handler_ops, .step = step, .destroy = destroy};
static const struct gost_layer_ops layer_ops = {
    .size = sizeof layer_ops, .decode = decode, .encode = encode};
static const struct gost_connector_ops connector_ops = {.size = sizeof connector_ops,
                                                        .connect = connect_step};
static const struct gost_inspector_ops inspector_ops = {.size = sizeof inspector_ops,
                                                        .inspect = inspect};

#define PARTS                                                                                    \
    .summary = "crashes", .options = options, .conf_size = sizeof(struct conf), .state_size = 8, \
    .prepare = prepare

static const struct gost_component components[] = {
    {.kind = GOST_KIND_HANDLER, .name = "crash", .ops = &handler_ops, PARTS},
    {.kind = GOST_KIND_LAYER, .name = "crasher", .ops = &layer_ops, PARTS},
    {.kind = GOST_KIND_CONNECTOR, .name = "crash", .ops = &connector_ops, PARTS},
    {.kind = GOST_KIND_INSPECTOR, .name = "sniff", .ops = &inspector_ops, PARTS},
};

GOST_PLUGIN("crashing", "3.1.4", "MIT", "crashes", components,
            "handler:crash layer:crasher connector:crash inspector:sniff");
