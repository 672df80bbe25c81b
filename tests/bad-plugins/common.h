/* common.h - a small correct plugin; each broken one defines one of its parts anew. */
/* SPDX-License-Identifier: MIT */
#ifndef BAD_COMMON_H
#define BAD_COMMON_H

#include <stdlib.h>

#include <gost/plugin.h>

/*
 * The handler "probe": the client sends N, then N bytes of a name; the answer is 'k', the name, and
 * what "suffix" says; then the flow ends. N == 0 is an error.
 */
struct probe_conf {
    const char *suffix;
    int64_t limit;
};

#ifndef PROBE_UNUSED_HANDLER /* its only component is another */
struct probe {
    int length;          /* of the name; 0: not known yet */
    char *name;          /* a copy */
    const uint8_t *view; /* only a broken plugin keeps one */
    struct gost_io *io;  /* likewise */
};

static int probe_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev);
static void probe_destroy(void *state);

#ifndef PROBE_OPTIONS
static const struct gost_opt probe_options[] = {
    GOST_OPT_STRING(struct probe_conf, suffix, "suffix", "!", 0, "what the answer ends with"),
    GOST_OPT_INT(struct probe_conf, limit, "limit maxLength", "100", 1, 200, NULL, 0,
                 "longest name"),
    GOST_OPT_LAST,
};
#endif

#ifndef PROBE_STEP
static int probe_answer(struct probe *p, const struct probe_conf *conf, struct gost_io *io)
{
    gost_send(io, "k", 1);
    gost_send(io, p->name, (size_t)p->length);
    gost_send(io, conf->suffix, strlen(conf->suffix));
    return GOST_OK;
}

static int probe_step(void *state, const void *conf_, struct gost_io *io,
                      const struct gost_event *ev)
{
    struct probe *p = state;
    const struct probe_conf *conf = conf_;
    const uint8_t *b;

    gost_phase(io, "the name");
    if (p->length == 0) {
        b = gost_take(io, 1);
        if (!b)
            return gost_rx_eof(io) ? gost_fail(io, GOST_ECLOSED, "the client sent nothing")
                                   : GOST_AGAIN;
        if (b[0] == 0 || b[0] > conf->limit)
            return gost_fail(io, GOST_EPROTO, "a name of %u bytes, from 1 to %d are allowed", b[0],
                             (int)conf->limit);
        p->length = b[0];
    }
    b = gost_take(io, (size_t)p->length);
    if (!b) {
        if (ev->type == GOST_EV_EOF)
            return gost_fail(io, GOST_ECLOSED, "the client ended within the name");
        return GOST_AGAIN;
    }
    p->name = malloc((size_t)p->length);
    if (!p->name)
        return gost_fail(io, GOST_ENOMEM, "no memory for the name");
    memcpy(p->name, b, (size_t)p->length);
    return probe_answer(p, conf, io);
}
#endif

#ifndef PROBE_DESTROY
static void probe_destroy(void *state)
{
    struct probe *p = state;

    free(p->name);
}
#endif

static const struct gost_handler_ops probe_ops = {
    .size = sizeof(struct gost_handler_ops),
    .accepts = GOST_STREAM,
    .step = probe_step,
    .destroy = probe_destroy,
};

#endif /* PROBE_UNUSED_HANDLER */

#ifndef PROBE_SUMMARY
#define PROBE_SUMMARY "answers with what it was sent"
#endif

#ifndef PROBE_COMPONENTS
#define PROBE_COMPONENTS                                                                           \
    {                                                                                              \
        .kind = GOST_KIND_HANDLER, .name = "probe", .aliases = "prober", .summary = PROBE_SUMMARY, \
        .ops = &probe_ops, .options = probe_options, .conf_size = sizeof(struct probe_conf),       \
        .state_size = sizeof(struct probe)                                                         \
    }
#endif

static const struct gost_component probe_components[] = {PROBE_COMPONENTS};

#ifndef PROBE_NOTE
#define PROBE_NOTE "handler:probe handler:prober"
#endif

#ifndef PROBE_INIT
#define PROBE_INIT NULL
#endif

GOST_PLUGIN_FULL("probe", "1.0", "MIT", "A plugin for tests", probe_components, PROBE_NOTE,
                 PROBE_INIT, NULL, NULL);

#endif
