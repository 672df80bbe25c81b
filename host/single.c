/* single.c - handlers whose instances all live on one worker. */
/* SPDX-License-Identifier: MIT */
#include "single.h"

#include <stdlib.h>
#include <string.h>

#include "bridge.h"
#include "join.h"

/* A client on its way. *owned* by the message. */
struct envoy {
    struct gh_bridge_end *end;
    struct gh_service *service; /* counted */
    const struct gost_component *handler;
    const void *conf; /* of the service */
    struct gost_addr source, destination, original, remote, local;
    char *user, *alpn, *server_name;
    uint32_t secure, network;
    size_t arg_n;
    uint8_t arg[];
};

/* Components of equal names are one component that was loaded again. */
static struct gh_worker *home_of(const struct gost_component *c)
{
    unsigned sum = 0;

    for (const char *p = c->name; *p != '\0'; p++)
        sum = sum * 31 + (uint8_t)*p;
    return gh_worker_get(sum % gh_worker_count());
}

bool gh_single_is_elsewhere(const struct gh_flow *f, const struct gost_component *handler)
{
    return (handler->flags & GOST_COMPONENT_SINGLE) != 0 && home_of(handler) != f->worker;
}

static char *copy(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

static struct envoy *envoy_new(const struct gh_flow *f, struct gost_bytes arg)
{
    struct envoy *e = calloc(1, sizeof *e + arg.n);

    if (e == NULL)
        return NULL;
    e->service = gh_service_ref(f->service);
    e->source = f->ge->source;
    e->destination = f->ge->destination;
    e->original = f->ge->original;
    e->remote = f->ge->remote;
    e->local = f->ge->local;
    e->user = copy(f->ge->user);
    e->alpn = copy(f->ge->alpn);
    e->server_name = copy(f->ge->server_name);
    e->secure = f->ge->secure;
    e->arg_n = arg.n;
    if (arg.n != 0)
        memcpy(e->arg, arg.p, arg.n);
    return e;
}

static void envoy_free(struct envoy *e)
{
    gh_service_unref(e->service);
    free(e->user);
    free(e->alpn);
    free(e->server_name);
    free(e);
}

static void fill(struct ge_flow *ge, struct envoy *e)
{
    ge->source = e->source;
    ge->destination = e->destination;
    ge->original = e->original;
    ge->remote = e->remote;
    ge->local = e->local;
    ge->secure = e->secure;
    ge->user = e->user;
    ge->alpn = e->alpn;
    ge->server_name = e->server_name;
    e->user = e->alpn = e->server_name = NULL;
}

static void arrived(struct gh_worker *w, void *arg)
{
    struct envoy *e = arg;
    struct gh_flow *f = gh_worker_stopping(w) ? NULL : gh_flow_new(w, e->service);
    struct ge_stack *stack = NULL;

    if (f == NULL) {
        gh_bridge_refuse(e->end, GOST_ENOMEM);
        envoy_free(e);
        return;
    }
    fill(f->ge, e);
    stack = gh_bridge_attach(e->end, f->ge);
    if (stack != NULL)
        (void)gh_flow_handle(f, stack, e->handler, e->conf, gost_bytes(e->arg, e->arg_n));
    else
        gh_flow_end(f, GOST_ENOMEM, "out of memory");
    envoy_free(e);
}

static bool fail(struct gh_flow *f, struct ge_stack *stack, int status, const char *why)
{
    ge_stack_free(stack, 0);
    gh_flow_end(f, status, why);
    return false;
}

bool gh_single_send(struct gh_flow *f, struct ge_stack *stack, const struct gost_component *handler,
                    const void *conf, struct gost_bytes arg)
{
    struct gh_worker *home = home_of(handler);
    uint32_t type = ge_stack_top_type(stack);
    struct ge_stack *near = NULL;
    struct envoy *e;

    if (type != GOST_STREAM && type != GOST_DATAGRAM)
        return fail(f, stack, GOST_EUNSUPPORTED,
                    "a handler that lives on one worker serves only streams and packets");
    e = envoy_new(f, arg);
    if (e == NULL)
        return fail(f, stack, GOST_ENOMEM, "out of memory");
    e->handler = handler;
    e->conf = conf;
    if (!gh_bridge_open(f->ge, type, home, &near, &e->end)) {
        envoy_free(e);
        return fail(f, stack, GOST_ENOMEM, "out of memory");
    }
    f->is_bridged = true;
    gh_worker_post(home, arrived, e);
    if (!gh_flow_handle(f, stack, &gh_join_component, NULL, gost_bytes(NULL, 0))) {
        ge_stack_free(near, 1);
        return false;
    }
    (void)ge_port_open(f->agent.task, 1, near);
    return true;
}
