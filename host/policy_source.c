/* policy_source.c - the sources of a policy: fetched on one worker, again after each period. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errand.h"
#include "log.h"
#include "policy_private.h"

enum { FETCH_S = 30 }; /* for one fetch, where the configuration sets no time */

/* One source. All below `set` belongs to the worker. */
struct feed {
    struct gh_refresh *refresh;
    const struct gost_component *component;
    const void *conf;
    struct gh_confset *set;
    uint64_t timeout_ns;
    char place[300];
    struct gh_errand *errand;
    struct gh_lines *lines; /* the last good data; NULL: none yet */
    bool delivered;         /* in this round */
    bool failing;           /* that was said */
};

struct gh_refresh {
    struct gh_policy *policy;
    struct gh_worker *worker;
    uint64_t period; /* ns; 0: once */
    struct ge_timer timer;
    struct feed feeds[GH_FEEDS];
    unsigned n, running;
    bool started; /* [main] */
    bool stopped, changed, building, again;
};

static const char *const keys[GH_FEEDS] = {"file", "redis", "http"};
static const char *const where[GH_FEEDS] = {"path", "addr", "url"}; /* the one key each needs */

static void begin_round(struct gh_refresh *r);

/* ---- rounds ---- */

static const char *object_of(const struct gh_refresh *r)
{
    return gh_confset_object(r->policy->set);
}

static void wait_for_period(struct gh_refresh *r)
{
    struct ge_worker *engine = gh_worker_engine(r->worker);

    if (r->again)
        begin_round(r);
    else if (r->period != 0)
        ge_timer_start(engine, &r->timer, ge_now(engine) + r->period);
}

static void build(struct gh_refresh *r)
{
    struct gh_index_job *job = calloc(1, sizeof *job);

    if (job == NULL) {
        wait_for_period(r);
        return;
    }
    job->policy = gh_policy_ref(r->policy);
    job->worker = r->worker;
    job->complete = true;
    for (unsigned i = 0; i < r->n; i++) {
        struct gh_lines *lines = r->feeds[i].lines;

        if (lines == NULL)
            job->complete = false;
        else
            atomic_fetch_add(&lines->refs, 1);
        job->lines[i] = lines;
        job->place[i] = r->feeds[i].place;
    }
    r->building = true;
    gh_index_build(job);
}

void gh_refresh_built(struct gh_policy *p, int status)
{
    struct gh_refresh *r = p->refresh;

    r->building = false;
    if (!r->stopped)
        wait_for_period(r);
}

static void end_round(struct gh_refresh *r)
{
    if (r->changed || r->n == 0)
        build(r);
    else
        wait_for_period(r);
}

static void feed_data(void *arg, struct gost_bytes data)
{
    struct feed *feed = arg;
    struct gh_lines *lines = feed->lines;

    feed->delivered = true;
    if (lines != NULL && gost_bytes_eq(data, gost_bytes(lines->text, lines->n)))
        return;
    lines = gh_lines_new(data);
    if (lines == NULL) {
        feed->delivered = false;
        return;
    }
    gh_lines_unref(feed->lines);
    feed->lines = lines;
    feed->refresh->changed = true;
}

static void say(struct feed *feed, int status, const char *text)
{
    const struct gh_refresh *r = feed->refresh;

    if (status == 0 && feed->failing)
        gh_log(GOST_LOG_INFO, "%s: %s answers again", object_of(r), feed->place);
    else if (status != 0 && !feed->failing)
        gh_log(GOST_LOG_WARN, "%s: %s: %s; %s", object_of(r), feed->place, text,
               feed->lines != NULL ? "the last good data stay" : "there is no data of it yet");
    feed->failing = status != 0;
}

static void feed_done(void *arg, int status, const char *text)
{
    struct feed *feed = arg;
    struct gh_refresh *r = feed->refresh;

    feed->errand = NULL;
    if (status == 0 && !feed->delivered) {
        status = GOST_EPROTO;
        text = "it gave no data";
    }
    if (status != GOST_ECANCELLED)
        say(feed, status, text);
    if (--r->running == 0)
        end_round(r);
}

static void begin_round(struct gh_refresh *r)
{
    r->again = false;
    r->changed = false;
    r->running = r->n + 1; /* itself, so that none ends the round before all have begun */
    for (unsigned i = 0; i < r->n; i++) {
        struct feed *feed = &r->feeds[i];
        struct gh_errand_spec spec = {.service = r->policy->service,
                                      .component = feed->component,
                                      .conf = feed->conf,
                                      .set = feed->set,
                                      .timeout_ns = feed->timeout_ns,
                                      .data = feed_data,
                                      .done = feed_done,
                                      .arg = feed};

        feed->delivered = false;
        feed->errand = gh_errand_start(r->worker, &spec);
        if (feed->errand == NULL)
            feed_done(feed, GOST_ENOMEM, "out of memory");
    }
    if (--r->running == 0)
        end_round(r);
}

static void period_over(struct ge_timer *t)
{
    begin_round((struct gh_refresh *)((char *)t - offsetof(struct gh_refresh, timer)));
}

/* ---- start and stop ---- */

static void fetch(struct gh_worker *w, void *arg)
{
    struct gh_policy *p = arg;
    struct gh_refresh *r = p->refresh;

    if (!r->stopped) {
        ge_timer_stop(gh_worker_engine(w), &r->timer);
        if (r->running != 0 || r->building)
            r->again = true;
        else
            begin_round(r);
    }
    gh_policy_unref(p);
}

void gh_refresh_start(struct gh_policy *p)
{
    struct gh_refresh *r = p->refresh;
    static unsigned next;

    if (gh_worker_count() == 0)
        return;
    if (!r->started) {
        r->started = true;
        r->worker = gh_worker_get(next++ % gh_worker_count());
        gh_policy_ref(p); /* until gh_refresh_stop() */
    }
    gh_worker_post(r->worker, fetch, gh_policy_ref(p));
}

static void stop(struct gh_worker *w, void *arg)
{
    struct gh_policy *p = arg;
    struct gh_refresh *r = p->refresh;

    r->stopped = true;
    ge_timer_stop(gh_worker_engine(w), &r->timer);
    for (unsigned i = 0; i < r->n; i++) {
        gh_errand_cancel(r->feeds[i].errand);
        r->feeds[i].errand = NULL;
    }
    gh_policy_unref(p);
}

void gh_refresh_stop(struct gh_policy *p)
{
    if (!p->refresh->started)
        return;
    p->refresh->started = false;
    gh_worker_post(p->refresh->worker, stop, p);
}

void gh_refresh_free(struct gh_refresh *r)
{
    for (unsigned i = 0; r != NULL && i < r->n; i++) {
        gh_lines_unref(r->feeds[i].lines);
        gh_confset_free(r->feeds[i].set);
    }
    free(r);
}

/* ---- reading the configuration ---- */

/* Where the data comes from, for messages. */
static void name_place(struct feed *feed, const char *key, const struct gh_value *v)
{
    const char *path = gh_str(v, "path", gh_str(v, "url", gh_str(v, "addr", "")));

    if (strcmp(key, "redis") == 0)
        snprintf(feed->place, sizeof feed->place, "redis %.200s %.60s", path,
                 gh_str(v, "key", "gost"));
    else if (strcmp(key, "http") == 0) /* what follows may be a secret */
        snprintf(feed->place, sizeof feed->place, "%.*s", (int)strcspn(path, "?"), path);
    else
        snprintf(feed->place, sizeof feed->place, "%s", path);
}

/* redis: which command it takes depends on the section. */
static int add_redis_type(struct feed *feed, const struct gh_policy_section *s,
                          const struct gh_value *v, struct gh_conf_errors *errs)
{
    const char *type = gh_str(v, "type", s->redis_type);
    const char *found = strstr(s->redis_types, type);

    if (found == NULL || found[strlen(type)] != ' ') {
        gh_errors_at(errs, GH_WARNING, gh_get(v, "type"),
                     "%s: the data in redis is a %s, \"%s\" is not read", s->component,
                     s->redis_type, type);
        type = s->redis_type;
    }
    return gh_confset_add_text(feed->set, "type", type);
}

static bool fill_feed(struct feed *feed, const char *key, const struct gh_policy_section *s,
                      const struct gh_value *v, struct gh_conf_errors *errs)
{
    const struct gh_member *m;
    size_t pos = 0;
    int r = 0;

    while (r == 0 && (m = gh_next_member(v, &pos)) != NULL)
        if (strcmp(m->key, "type") != 0 && strcmp(m->key, "timeout") != 0)
            r = gh_confset_add_value(feed->set, m->key, m->value);
    if (r == 0 && strcmp(key, "redis") == 0)
        r = add_redis_type(feed, s, v, errs);
    if (r == 0 && strcmp(key, "http") == 0) /* GOST verifies certificates here */
        r = gh_confset_add_text(feed->set, "tls.secure", "true");
    errs->no_memory |= r != 0;
    return r == 0;
}

static bool add_feed(struct gh_policy *p, const char *key, const struct gh_policy_section *s,
                     const struct gh_value *v, struct gh_conf_errors *errs)
{
    struct feed *feed = &p->refresh->feeds[p->refresh->n];
    const char *object = gh_confset_object(p->set);
    int64_t timeout = gh_duration_ns(v, "timeout", 0);
    char why[512] = "";

    feed->refresh = p->refresh;
    feed->component = gh_find_component(GOST_KIND_SOURCE, key, why, sizeof why);
    if (feed->component == NULL) {
        gh_errors_at(errs, GH_ERROR, v, "%s: no plugin provides the source %s: %s", object, key,
                     why);
        return false;
    }
    feed->set = gh_confset_new(GOST_CLIENT, object);
    if (feed->set == NULL) {
        errs->no_memory = true;
        return false;
    }
    p->refresh->n++;
    feed->timeout_ns = timeout > 0 ? (uint64_t)timeout : FETCH_S * GOST_S;
    name_place(feed, key, v);
    return fill_feed(feed, key, s, v, errs) &&
           gh_confset_get(feed->set, feed->component, 0, NULL, errs, &feed->conf, why,
                          sizeof why) == 0;
}

static uint64_t read_period(const struct gh_value *object)
{
    int64_t period = gh_duration_ns(object, "reload", 0);

    if (period <= 0)
        return 0;
    return period < (int64_t)GOST_S ? GOST_S : (uint64_t)period;
}

bool gh_refresh_new(struct gh_policy *p, const struct gh_policy_section *s,
                    struct gh_conf_errors *errs)
{
    uint64_t period = read_period(p->object);
    bool ok = true, any = false;

    for (int i = 0; i < GH_FEEDS; i++)
        any = any || gh_get(p->object, keys[i]) != NULL;
    /* An admission's names are looked up again; other inline data cannot change. */
    if (!any && (period == 0 || p->kind != GOST_POLICY_ADMISSION))
        return true;
    p->refresh = calloc(1, sizeof *p->refresh);
    if (p->refresh == NULL) {
        errs->no_memory = true;
        return false;
    }
    p->refresh->policy = p;
    p->refresh->period = period;
    p->refresh->timer.fire = period_over;
    for (int i = 0; i < GH_FEEDS; i++) {
        const struct gh_value *v = gh_get(p->object, keys[i]);

        if (v != NULL && gh_str(v, where[i], NULL) == NULL) {
            gh_errors_at(errs, GH_ERROR, v, "%s: %s.%s is empty: nothing could be read",
                         gh_confset_object(p->set), keys[i], where[i]);
            ok = false;
        } else if (v != NULL) {
            ok = add_feed(p, keys[i], s, v, errs) && ok;
        }
    }
    atomic_store(&p->complete, !any);
    return ok;
}
