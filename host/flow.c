/* flow.c - the host's record of one connection, association or stream of a session. */
/* SPDX-License-Identifier: MIT */
#include "flow.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action.h"
#include "carrier.h"
#include "errand.h"
#include "gather.h"
#include "host.h"
#include "join.h"
#include "log.h"
#include "plugin.h"
#include "route.h"
#include "single.h"

enum { WORKERS_MAX = 256 };

/* Each is touched by its worker only. */
static struct gh_flow *lists[WORKERS_MAX];
static _Atomic unsigned live;
static _Atomic uint64_t last_id;

unsigned gh_flows_count(void)
{
    return atomic_load(&live);
}

/* ---- making ---- */

struct gh_flow *gh_flow_new(struct gh_worker *w, struct gh_service *service)
{
    struct gh_flow **list = &lists[gh_worker_index(w)];
    struct gh_flow *f = calloc(1, sizeof *f);

    if (f == NULL)
        return NULL;
    gh_plugins_catch_up();
    f->ge = ge_flow_new(gh_worker_engine(w));
    if (f->ge == NULL) {
        free(f);
        return NULL;
    }
    f->worker = w;
    f->service = gh_service_ref(service);
    f->begun = ge_now(gh_worker_engine(w));
    f->agent.flow = f;
    f->agent.set = service->handler_set;
    f->ge->ctx = f;
    f->ge->service = service->of;
    f->ge->id = atomic_fetch_add(&last_id, 1) + 1;
    f->ge->network = service->listener.bottom == GOST_DATAGRAM ? GOST_NET_UDP : GOST_NET_TCP;
    f->next = *list;
    f->prev = list;
    if (f->next != NULL)
        f->next->prev = &f->next;
    *list = f;
    if (service->internal)
        return f;
    gh_worker_flow_begin(w);
    atomic_fetch_add(&live, 1);
    atomic_fetch_add_explicit(&service->total, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&service->live, 1, memory_order_relaxed);
    return f;
}

static char *copy(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

struct gh_flow *gh_flow_child(struct gh_flow *parent, bool tied)
{
    struct gh_flow *f = gh_flow_new(parent->worker, parent->service);

    if (f == NULL)
        return NULL;
    f->ge->source = parent->ge->source;
    f->ge->destination = parent->ge->destination;
    f->ge->original = parent->ge->original;
    f->ge->remote = parent->ge->remote;
    f->ge->local = parent->ge->local;
    f->ge->secure = parent->ge->secure;
    f->ge->alpn = copy(parent->ge->alpn);
    f->ge->server_name = copy(parent->ge->server_name);
    f->ge->user = copy(parent->ge->user);
    f->tied = tied;
    f->parent = parent;
    f->sibling = parent->children;
    f->sibling_prev = &parent->children;
    if (f->sibling != NULL)
        f->sibling->sibling_prev = &f->sibling;
    parent->children = f;
    return f;
}

static void leave_parent(struct gh_flow *f)
{
    if (f->parent == NULL)
        return;
    *f->sibling_prev = f->sibling;
    if (f->sibling != NULL)
        f->sibling->sibling_prev = f->sibling_prev;
    f->parent = NULL;
}

/* ---- the line at the end ---- */

static void set_text(char **text, const char *value)
{
    char *fresh = value != NULL && *value != '\0' ? strdup(value) : NULL;

    if (fresh == NULL)
        return;
    free(*text);
    *text = fresh;
}

void gh_flow_note_target(struct gh_flow *f, const struct gost_addr *target,
                         const struct gh_path *path)
{
    char text[1024];

    gost_addr_format(target, text, sizeof text);
    set_text(&f->target, text);
    set_text(&f->route, gh_path_text(path, text, sizeof text));
}

void gh_flow_note_failure(struct gh_flow *f, const char *text)
{
    set_text(&f->reason, text);
}

/* What every line about a flow says. */
static void put_context(struct gh_line *line, const struct gh_flow *f)
{
    char sid[24];

    snprintf(sid, sizeof sid, "%016" PRIx64, f->ge->id);
    gh_line_str(line, "sid", sid);
    gh_line_str(line, "kind", "handler");
    gh_line_str(line, "service", f->service->name);
    gh_line_str(line, "listener", f->service->listener.type);
    gh_line_str(line, "handler", f->service->handler_type);
    gh_line_addr(line, "client", &f->ge->source);
}

static bool is_quiet_end(int status)
{
    return status == 0 || status == GOST_ECLOSED || status == GOST_ECANCELLED;
}

static void put_reason(struct gh_line *line, const struct gh_flow *f)
{
    const struct ge_flow *ge = f->ge;
    /* What a route says of its failure names its own phase. */
    bool phase =
        ge->phase != NULL && ge->error != NULL && strstr(ge->error, ", while waiting for ") == NULL;
    char text[700];

    if (ge->status == 0 || ge->error == NULL) {
        gh_line_str(line, "error", f->reason);
        return;
    }
    snprintf(text, sizeof text, "%s%s%.520s%s%s", ge->component, *ge->component ? ": " : "",
             ge->error, phase ? ", while waiting for " : "", phase ? ge->phase : "");
    gh_line_str(line, "error", text);
}

static void log_end(const struct gh_flow *f)
{
    int level = is_quiet_end(f->ge->status) && f->reason == NULL ? GOST_LOG_INFO : GOST_LOG_WARN;
    char client[GOST_ADDR_TEXT], local[GOST_ADDR_TEXT];
    struct gh_line line;

    if (f->is_session || f->is_bridged)
        level = level == GOST_LOG_INFO ? GOST_LOG_DEBUG : level;
    if (!gh_log_on(level))
        return;
    gost_addr_format(&f->ge->source, client, sizeof client);
    gost_addr_format(&f->ge->local, local, sizeof local);
    gh_line_start(&line, level, "%s >< %s", client, f->target != NULL ? f->target : local);
    put_context(&line, f);
    gh_line_addr(&line, "remote", &f->ge->remote);
    gh_line_addr(&line, "local", &f->ge->local);
    gh_line_str(&line, "network", gh_service_network(f->service));
    gh_line_str(&line, "host", f->target);
    gh_line_str(&line, "route", f->route);
    gh_line_str(&line, "user", f->ge->user);
    gh_line_str(&line, "proto", f->ge->sniffed_protocol);
    gh_line_str(&line, "sniffedHost", f->ge->sniffed_host);
    gh_line_int(&line, "inputBytes", f->ge->rx);
    gh_line_int(&line, "outputBytes", f->ge->tx);
    if (f->ge->rx_spliced != 0)
        gh_line_int(&line, "inputSpliced", f->ge->rx_spliced);
    if (f->ge->tx_spliced != 0)
        gh_line_int(&line, "outputSpliced", f->ge->tx_spliced);
    gh_line_duration(&line, "duration", ge_now(gh_worker_engine(f->worker)) - f->begun);
    put_reason(&line, f);
    gh_line_end(&line);
}

void gh_flow_log(void *ctx, struct ge_flow *flow, int level, const char *text)
{
    struct gh_line line;

    if (!gh_log_on(level))
        return;
    gh_line_start(&line, level, "%s", text);
    if (flow != NULL && flow->ctx != NULL)
        put_context(&line, flow->ctx);
    gh_line_end(&line);
}

/* A session and what only passes a flow on to another worker are no connections of their own. */
static void end_record(struct gh_flow *f)
{
    log_end(f);
    if (!f->is_session && !f->is_bridged)
        gh_record_flow(f);
}

void gh_flow_note_upstream(struct gh_flow *f, const struct gost_addr *local,
                           const struct gost_addr *remote)
{
    char text[GOST_ADDR_TEXT];

    if (!gh_records(f, GH_RECORD_HANDLER))
        return;
    if (local->family != GOST_AF_NONE) {
        gost_addr_format(local, text, sizeof text);
        set_text(&f->upstream_local, text);
    }
    if (remote->family != GOST_AF_NONE) {
        gost_addr_format(remote, text, sizeof text);
        set_text(&f->upstream_remote, text);
    }
}

/* ---- ending ---- */

static void count_bytes(struct gh_flow *f)
{
    struct gh_service *s = f->service;

    atomic_fetch_add_explicit(&s->rx, f->ge->rx - f->counted_rx, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->tx, f->ge->tx - f->counted_tx, memory_order_relaxed);
    f->counted_rx = f->ge->rx;
    f->counted_tx = f->ge->tx;
}

void gh_flows_sample(struct gh_worker *w)
{
    for (struct gh_flow *f = lists[gh_worker_index(w)]; f != NULL; f = f->next)
        count_bytes(f);
}

static void release(struct gh_flow *f)
{
    struct gh_service *s = f->service;

    leave_parent(f);
    *f->prev = f->next;
    if (f->next != NULL)
        f->next->prev = f->prev;
    count_bytes(f);
    if (!is_quiet_end(f->ge->status))
        atomic_fetch_add_explicit(&s->failed, 1, memory_order_relaxed);
    if (!s->internal) {
        atomic_fetch_sub_explicit(&s->live, 1, memory_order_relaxed);
        atomic_fetch_sub(&live, 1);
        gh_worker_flow_end(f->worker);
    }
    memset(f->ge->limit, 0, sizeof f->ge->limit);
    gh_limits_release(&f->limits);
    f->ge->ctx = NULL;
    f->ge->service = ""; /* stacks that still flush may outlive the service */
    ge_flow_unref(f->ge);
    gh_service_unref(s);
    free(f->target);
    free(f->route);
    free(f->reason);
    free(f->upstream_local);
    free(f->upstream_remote);
    free(f);
}

static void end_children(struct gh_flow *f)
{
    struct gh_flow *child = f->children;

    while (child != NULL) {
        struct gh_flow *next = child->sibling;

        if (child->tied) {
            /* A child's end changes nothing of its siblings but the links. */
            gh_flow_end(child, 0, NULL);
        } else {
            leave_parent(child);
        }
        child = next;
    }
}

void gh_flow_end(struct gh_flow *f, int status, const char *why)
{
    struct ge_stack *stack = f->stack;
    struct ge_task *task = f->agent.task;

    if (status != 0)
        ge_flow_fail(f->ge, status, "", "%s", why);
    ge_timer_stop(f->ge->worker, &f->timer);
    f->stack = NULL;
    f->agent.task = NULL;
    if (task != NULL)
        ge_task_cancel(task, f->ge->status);
    gh_agent_fini(&f->agent);
    gh_gather_lost(f->agent.gather);
    end_children(f);
    if (stack != NULL)
        ge_stack_free(stack, 0);
    while (f->n_kept > 0)
        ge_stack_free(f->kept[--f->n_kept], 0);
    if (f->errand != NULL)
        gh_errand_lost(f->errand);
    else if (!f->service->internal)
        end_record(f);
    release(f);
}

void gh_flow_keep(struct gh_flow *f, struct ge_stack *stack)
{
    const unsigned room = sizeof f->kept / sizeof f->kept[0];

    if (f->n_kept == room) {
        ge_stack_free(f->kept[0], 0);
        memmove(&f->kept[0], &f->kept[1], (room - 1) * sizeof f->kept[0]);
        f->n_kept--;
    }
    f->kept[f->n_kept++] = stack;
}

void gh_flows_end(struct gh_worker *w, bool gently)
{
    struct gh_flow *f = lists[gh_worker_index(w)];

    while (f != NULL && gently) {
        if (f->agent.task != NULL && f->errand == NULL)
            ge_task_event_cancel(f->agent.task);
        else if (f->is_session && f->stack != NULL)
            ge_session_drain(f->stack);
        f = f->next;
    }
    while (!gently && (f = lists[gh_worker_index(w)]) != NULL)
        gh_flow_end(f, GOST_ECANCELLED, "the program ends");
    if (!gently) {
        gh_joins_end(w);
        gh_carriers_end(w);
    }
}

/* When it moved something last. */
static uint64_t last_activity(const struct gh_flow *f)
{
    uint64_t moved = f->agent.task != NULL ? ge_task_last_activity(f->agent.task) : 0;

    return moved > f->begun ? moved : f->begun;
}

static struct gh_flow *most_idle(struct gh_worker *w, uint64_t before)
{
    struct gh_flow *found = NULL;
    uint64_t oldest = before, at;

    for (struct gh_flow *f = lists[gh_worker_index(w)]; f != NULL; f = f->next) {
        at = last_activity(f);
        if (f->children == NULL && !f->agent.listens && at < oldest) {
            oldest = at;
            found = f;
        }
    }
    return found;
}

void gh_flows_shed(struct gh_worker *w, unsigned share)
{
    uint64_t before = ge_now(gh_worker_engine(w)) - GH_IDLE_S * GOST_S;
    unsigned n = 0;
    struct gh_flow *f;

    for (f = lists[gh_worker_index(w)]; f != NULL; f = f->next)
        n++;
    for (n = (n + share - 1) / share; n > 0 && (f = most_idle(w, before)) != NULL; n--)
        gh_flow_end(f, GOST_ENOMEM, "ended while idle: memory is above --memory-max");
}

/* ---- the handler ---- */

static void handled(struct ge_task *task, void *ctx, int status)
{
    struct gh_agent *agent = ctx;

    agent->task = NULL; /* the engine frees it */
    gh_flow_end(agent->flow, status, "failed");
}

bool gh_flow_handle(struct gh_flow *f, struct ge_stack *stack, const struct gost_component *handler,
                    const void *conf, struct gost_bytes arg)
{
    const struct gost_handler_ops *ops = handler->ops;
    uint32_t accepts = ops->accepts ? ops->accepts : GOST_STREAM;
    struct ge_task_spec spec = {.component = handler,
                                .conf = conf,
                                .flow = f->ge,
                                .ctx = &f->agent,
                                .arg = arg,
                                .done = handled};

    if (gh_single_is_elsewhere(f, handler))
        return gh_single_send(f, stack, handler, conf, arg);
    if (!(accepts & ge_stack_top_type(stack))) {
        ge_stack_free(stack, 0);
        gh_flow_end(f, GOST_EUNSUPPORTED, "the handler does not serve what the listener gives");
        return false;
    }
    if (ge_stack_top_type(stack) == GOST_DATAGRAM)
        f->ge->network = GOST_NET_UDP;
    else
        f->ge->network = f->ge->local.family == GOST_AF_UNIX ? GOST_NET_UNIX : GOST_NET_TCP;
    f->agent.task = ge_task_new(&spec, stack);
    if (f->agent.task != NULL)
        return true;
    ge_stack_free(stack, 1);
    gh_flow_end(f, GOST_ENOMEM, "out of memory");
    return false;
}

struct ge_layer_choice gh_flow_find_layer(void *ctx, struct ge_task *task, struct gost_bytes name,
                                          uint32_t role)
{
    struct gh_agent *agent = ge_task_ctx(task);
    struct ge_layer_choice choice = {NULL, NULL};
    char text[128], why[512] = "";
    const struct gost_component *c;

    snprintf(text, sizeof text, "%.*s", (int)(name.n < 100 ? name.n : 100), (const char *)name.p);
    gh_plugins_catch_up();
    c = gh_component_loaded(GOST_KIND_LAYER, text, name.n);
    if (c == NULL)
        c = gh_find_component(GOST_KIND_LAYER, text, why, sizeof why);
    if (c != NULL)
        c = gh_confset_layer(agent->set, c);
    if (c != NULL &&
        gh_confset_get(agent->set, c, role, NULL, NULL, &choice.conf, why, sizeof why) == 0)
        choice.component = c;
    else
        gh_flow_log(ctx, ge_task_flow(task), GOST_LOG_ERROR, why);
    return choice;
}

/* ---- the listener's layers ---- */

static bool admitted(const struct gh_flow *f)
{
    struct gost_q_target q = {.size = sizeof q,
                              .network = f->ge->network,
                              .addr = &f->ge->source,
                              .client = &f->ge->source};

    return gh_policy_admit(&f->service->admissions, &q);
}

/* A handler is to begin: this is a request, and the client is known. NULL, or why not. */
static const char *over_limits(struct gh_flow *f, const struct ge_stack *stack)
{
    const struct gh_service *s = f->service;

    if (!gh_limits_request(s->rlimiter, &f->ge->source, ge_now(f->ge->worker)))
        return "the client makes too many requests";
    if (!gh_limits_attach(&f->limits, s->limiter, s->limiter_scope, f->ge,
                          ge_stack_top_type(stack) == GOST_DATAGRAM))
        return "no memory for the client's limits";
    return NULL;
}

static void handle_stack(struct gh_flow *f, struct ge_stack *stack)
{
    const char *why;

    if (f->ge->source_changed && !admitted(f)) {
        ge_stack_free(stack, 0);
        gh_flow_end(f, GOST_EADMISSION, "the client is not admitted");
        return;
    }
    f->ge->source_changed = 0;
    why = over_limits(f, stack);
    if (why != NULL) {
        ge_stack_free(stack, 0);
        gh_flow_end(f, GOST_ELIMIT, why);
        return;
    }
    (void)gh_flow_handle(f, stack, f->service->handler, f->service->handler_conf, f->service->arg);
}

/* An exchange of a listener whose layer gathers is no connection of its own. */
static void exchange_or_stream(struct gh_flow *f, struct ge_stack *stack)
{
    const struct gh_stack_part *part = gh_stackdef_gather(&f->service->listener);

    if (part == NULL) {
        handle_stack(f, stack);
        return;
    }
    f->is_bridged = true;
    (void)gh_flow_handle(f, stack, gh_layer_gather(part->component)->server, part->conf,
                         gost_bytes(NULL, 0));
}

static void is_ready(struct gh_flow *f, struct ge_stack *stack, int status,
                     void (*next)(struct gh_flow *f, struct ge_stack *stack))
{
    ge_timer_stop(f->ge->worker, &f->timer);
    if (status != 0) {
        gh_flow_end(f, status, "the handshake on a stream failed");
        return;
    }
    f->stack = NULL;
    next(f, stack);
}

static void stream_ready(struct ge_stack *stack, void *arg, int status)
{
    is_ready(arg, stack, status, exchange_or_stream);
}

static void gathered_ready(struct ge_stack *stack, void *arg, int status)
{
    is_ready(arg, stack, status, handle_stack);
}

static struct gh_flow *flow_of_timer(struct ge_timer *t)
{
    return (struct gh_flow *)((char *)t - offsetof(struct gh_flow, timer));
}

static void handshake_late(struct ge_timer *t)
{
    struct gh_flow *f = flow_of_timer(t);

    ge_flow_fail(f->ge, GOST_ETIMEDOUT, ge_stack_layer_name(f->stack),
                 "the handshake was not finished within %d s", GH_HANDSHAKE_S);
    gh_flow_end(f, 0, NULL);
}

/* Pushes a section of the listener's layers and waits until they are ready. */
static void push_layers(struct gh_flow *f, struct ge_stack *stack, enum gh_stack_section section,
                        void (*ready)(struct ge_stack *s, void *arg, int status))
{
    int r = gh_stackdef_push(&f->service->listener, section, stack, GOST_SERVER, NULL,
                             gost_bytes(NULL, 0), NULL);

    f->stack = stack;
    if (r != GOST_OK) {
        gh_flow_end(f, r, "the listener's layers could not be put together");
        return;
    }
    f->timer.fire = handshake_late;
    ge_timer_start(f->ge->worker, &f->timer, ge_now(f->ge->worker) + GH_HANDSHAKE_S * GOST_S);
    ge_stack_on_ready(stack, ready, f);
}

static void on_stream(struct ge_stack *session, void *arg, struct ge_stack *stack)
{
    struct gh_flow *f = gh_flow_child(arg, false);

    if (f == NULL) {
        ge_stack_free(stack, 1);
        return;
    }
    ge_stack_set_flow(stack, f->ge);
    if (gh_stackdef_count(&f->service->listener, GH_STREAMS) == 0)
        exchange_or_stream(f, stack);
    else
        push_layers(f, stack, GH_STREAMS, stream_ready);
}

void gh_flow_serve(struct gh_flow *f, struct ge_stack *stack)
{
    if (gh_stackdef_count(&f->service->listener, GH_GATHERED) == 0)
        handle_stack(f, stack);
    else
        push_layers(f, stack, GH_GATHERED, gathered_ready);
}

/* What failed is in the flow; its streams were told the same. */
static void session_ended(struct ge_stack *session, void *arg, int status)
{
    struct gh_flow *f = arg;

    f->stack = NULL;
    ge_stack_linger(session);
    gh_flow_end(f, status, "the session failed");
}

static void carrier_ready(struct ge_stack *stack, void *arg, int status)
{
    struct gh_flow *f = arg;
    const struct gost_handler_ops *ops = f->service->handler->ops;

    ge_timer_stop(f->ge->worker, &f->timer);
    if (status != 0) {
        gh_flow_end(f, status, "the handshake failed");
        return;
    }
    if (!gh_stackdef_has_session(&f->service->listener) || (ops->accepts & GOST_SESSION)) {
        f->stack = NULL;
        handle_stack(f, stack);
        return;
    }
    f->is_session = true;
    ge_session_on_stream(stack, on_stream, f);
    ge_session_on_end(stack, session_ended, f);
}

void gh_flow_start(struct gh_flow *f, struct ge_stack *stack)
{
    gh_record_host(f, GH_RECORD_CLIENT, &f->ge->source);
    if (!admitted(f)) {
        ge_stack_free(stack, 0);
        gh_flow_end(f, GOST_EADMISSION, "the client is not admitted");
    } else if (f->service->listener.bottom == GOST_STREAM &&
               !gh_limits_connect(&f->limits, f->service->climiter, &f->ge->source)) {
        ge_stack_free(stack, 0);
        gh_flow_end(f, GOST_ELIMIT, "the client has too many connections");
    } else if (gh_stackdef_count(&f->service->listener, GH_CARRIER) == 0) {
        handle_stack(f, stack);
    } else {
        push_layers(f, stack, GH_CARRIER, carrier_ready);
    }
}
