/* observe.c - observers: what they are told of a service's state and statistics. */
/* SPDX-License-Identifier: MIT */
#include "observe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_meta.h"
#include "conf_text.h"
#include "errand.h"
#include "flow.h"
#include "log.h"
#include "policy_private.h"

enum { PERIOD_S = 5, ANSWER_S = 10 };

struct stats {
    uint64_t total, live, rx, tx, failed;
};

/* Lives on worker 0 until it is ended and nothing of it is under way. */
struct gh_observed {
    struct gh_service *service; /* counted */
    struct gh_worker *worker;
    struct ge_timer timer;
    uint64_t period; /* ns; 0: no statistics */
    bool reset, ended, failing;
    unsigned asked;     /* the worker that is being asked for its flows */
    unsigned under_way; /* messages, and a round of questions */
    struct stats told;
    char *unsent; /* statistics that were not taken; *owned* */
};

/* One message. */
struct message {
    struct gh_observed *o;
    struct gh_policy *policy; /* counted */
    bool again;               /* kept when it is not taken */
    struct gost_q_record q;
    char text[];
};

/* ---- sending ---- */

static void free_if_over(struct gh_observed *o)
{
    if (!o->ended || o->under_way != 0)
        return;
    gh_service_unref(o->service);
    free(o->unsent);
    free(o);
}

static void sent(void *arg, int status, const char *text)
{
    struct message *m = arg;
    struct gh_observed *o = m->o;

    if (status != GOST_OK && m->again && o->unsent == NULL)
        o->unsent = strdup(m->text);
    if (status != GOST_OK && status != GOST_ECANCELLED && !o->failing)
        gh_log(GOST_LOG_WARN, "%s: service %s: %s", gh_confset_object(m->policy->set),
               o->service->name, text);
    o->failing = status != GOST_OK;
    gh_policy_unref(m->policy);
    free(m);
    o->under_way--;
    free_if_over(o);
}

/* Takes `text` over; NULL: there was no memory. */
static void send_text(struct gh_observed *o, char *text, bool again)
{
    struct gh_policy *p =
        gh_policy_find(gh_policies_now(), GOST_POLICY_OBSERVER, o->service->observer);
    size_t n = text != NULL ? strlen(text) : 0;
    struct message *m =
        p != NULL && p->service != NULL && n != 0 ? malloc(sizeof *m + n + 1) : NULL;
    struct gh_errand_spec spec = {.done = sent, .arg = m};

    if (m == NULL) {
        free(text);
        return;
    }
    memset(m, 0, sizeof *m);
    memcpy(m->text, text, n + 1);
    free(text);
    m->o = o;
    m->again = again;
    m->policy = gh_policy_ref(p);
    m->q.size = sizeof m->q;
    m->q.data = gost_bytes(m->text, n);
    gh_policy_errand(p, ANSWER_S * GOST_S, &spec);
    spec.question = &m->q;
    o->under_way++;
    if (gh_errand_start(o->worker, &spec) == NULL)
        sent(m, GOST_ENOMEM, "out of memory");
}

/* ---- what is said ---- */

/* Names are words of the configuration; only what would end a JSON string is escaped. */
static void put_name(struct gh_text *t, const char *name)
{
    for (; *name != '\0'; name++) {
        if (*name == '"' || *name == '\\')
            gh_text_char(t, '\\');
        if ((unsigned char)*name >= 0x20)
            gh_text_char(t, *name);
    }
}

static void begin_event(struct gh_text *t, const struct gh_observed *o, const char *type)
{
    gh_text_str(t, "{\"events\":[{\"kind\":\"service\",\"service\":\"");
    put_name(t, o->service->name);
    gh_text_printf(t, "\",\"type\":\"%s\",\"%s\":{", type, type);
}

static void tell_state(struct gh_observed *o, const char *state)
{
    struct gh_text t = {0};

    begin_event(&t, o, "status");
    gh_text_printf(&t, "\"state\":\"%s\",\"msg\":\"service ", state);
    put_name(&t, o->service->name);
    gh_text_printf(&t, " is %s\"}}]}", state);
    send_text(o, gh_text_take(&t), false);
}

static void tell_stats(struct gh_observed *o)
{
    struct gh_service *s = o->service;
    struct stats now = {.total = atomic_load(&s->total),
                        .live = atomic_load(&s->live),
                        .rx = o->reset ? atomic_exchange(&s->rx, 0) : atomic_load(&s->rx),
                        .tx = o->reset ? atomic_exchange(&s->tx, 0) : atomic_load(&s->tx),
                        .failed = atomic_load(&s->failed)};
    struct gh_text t = {0};

    if (memcmp(&now, &o->told, sizeof now) == 0)
        return;
    o->told = now;
    if (o->reset)
        o->told.rx = o->told.tx = 0;
    begin_event(&t, o, "stats");
    gh_text_printf(&t,
                   "\"totalConns\":%llu,\"currentConns\":%llu,\"inputBytes\":%llu,"
                   "\"outputBytes\":%llu,\"totalErrs\":%llu}}]}",
                   (unsigned long long)now.total, (unsigned long long)now.live,
                   (unsigned long long)now.rx, (unsigned long long)now.tx,
                   (unsigned long long)now.failed);
    send_text(o, gh_text_take(&t), true);
}

/* ---- periods ---- */

static void arm(struct gh_observed *o)
{
    struct ge_worker *engine = gh_worker_engine(o->worker);

    ge_timer_start(engine, &o->timer, ge_now(engine) + o->period);
}

/* Each worker adds what its live flows moved; the last one hands back to the first. */
static void ask_worker(struct gh_worker *w, void *arg);

static void all_asked(struct gh_worker *w, void *arg)
{
    struct gh_observed *o = arg;

    o->under_way--;
    if (o->ended) {
        free_if_over(o);
        return;
    }
    tell_stats(o);
    arm(o);
}

static void ask_worker(struct gh_worker *w, void *arg)
{
    struct gh_observed *o = arg;
    struct gh_worker *next = gh_worker_get(++o->asked);

    gh_flows_sample(w);
    if (next != NULL)
        gh_worker_post(next, ask_worker, o);
    else
        gh_worker_post(o->worker, all_asked, o);
}

static void period_over(struct ge_timer *timer)
{
    struct gh_observed *o =
        (struct gh_observed *)((char *)timer - offsetof(struct gh_observed, timer));
    char *text = o->unsent;

    if (text != NULL) { /* as GOST: no new sample before the old one was taken */
        o->unsent = NULL;
        send_text(o, text, true);
        arm(o);
        return;
    }
    o->asked = 0;
    o->under_way++;
    gh_worker_post(o->worker, ask_worker, o);
}

/* ---- begin and end ---- */

static void begin(struct gh_worker *w, void *arg)
{
    struct gh_observed *o = arg;

    tell_state(o, "running");
    tell_state(o, "ready");
    if (o->period != 0)
        arm(o);
}

static void end(struct gh_worker *w, void *arg)
{
    struct gh_observed *o = arg;

    ge_timer_stop(gh_worker_engine(w), &o->timer);
    tell_state(o, "closed");
    o->ended = true;
    free_if_over(o);
}

struct gh_observed *gh_observe(struct gh_service *s)
{
    const struct gh_value *meta = gh_get(s->conf, "metadata");
    int64_t period =
        gh_meta_duration_ns(meta, "observer.period,observePeriod", PERIOD_S * (int64_t)GOST_S);
    struct gh_observed *o;

    if (s->observer == NULL || gh_worker_count() == 0)
        return NULL;
    o = calloc(1, sizeof *o);
    if (o == NULL)
        return NULL;
    o->service = gh_service_ref(s);
    o->worker = gh_worker_get(0);
    o->timer.fire = period_over;
    o->reset = gh_meta_bool(meta, "observer.resetTraffic", false);
    if (gh_meta_bool(meta, "enableStats", false))
        o->period = period < (int64_t)GOST_S ? GOST_S : (uint64_t)period;
    gh_worker_post(o->worker, begin, o);
    return o;
}

void gh_observe_end(struct gh_observed *o)
{
    if (o != NULL)
        gh_worker_post(o->worker, end, o);
}
