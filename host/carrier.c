/* carrier.c - the pool of multiplexed sessions to nodes: one pool per worker. */
/* SPDX-License-Identifier: MIT */
#include "carrier.h"

#include <stdlib.h>
#include <string.h>

#include "carrier_private.h"
#include "host.h"
#include "log.h"

enum {
    WORKERS_MAX = 256,
    DOUBTFUL_MAX = 3 /* sessions that are passed over before one of them is used all the same */
};

/* A request is to be through 2 s after its path is, whatever the session went through before. */
#define DOUBT    (500 * GOST_MS) /* for an answer to the first request after a silence */
#define PATIENCE GOST_S          /* for a session that is being dialed or asked */
#define SILENCE  GOST_S          /* no kernel tells that a peer over packets has died */

/* Each is touched by its worker only. */
static struct gh_carrier *pools[WORKERS_MAX];
static _Atomic uint64_t last_id;

static const struct gost_opt options[] = {
    GOST_OPT_INT(struct gh_carrier_conf, max_streams, "carrier.maxStreams", "0", 0, 1000000, NULL,
                 GOST_OPT_CLIENT, "streams of one session at once; 0: as many as it allows"),
    GOST_OPT_DURATION(struct gh_carrier_conf, max_age, "carrier.maxAge", "0", 0, 31536000000,
                      GOST_OPT_CLIENT, "age at which a session gets no more streams; 0: any"),
    GOST_OPT_SIZE(struct gh_carrier_conf, max_bytes, "carrier.maxBytes", "0", 0, 0, GOST_OPT_CLIENT,
                  "traffic after which a session gets no more streams; 0: any"),
    GOST_OPT_DURATION(struct gh_carrier_conf, idle, "carrier.idle", "300s", 0, 31536000000,
                      GOST_OPT_CLIENT, "a session without streams ends after this; 0: never"),
    GOST_OPT_DURATION(struct gh_carrier_conf, check_after, "carrier.checkAfter", "5s", 1, 86400000,
                      GOST_OPT_CLIENT,
                      "silence after which a session is asked for a sign of life before it is "
                      "used; three times that replaces one that cannot be asked"),
    GOST_OPT_DURATION(struct gh_carrier_conf, check_timeout, "carrier.checkTimeout", "3s", 1,
                      86400000, GOST_OPT_CLIENT, "how long the answer to that may take"),
    GOST_OPT_LAST,
};

const struct gost_component gh_carrier_component = {
    .kind = GOST_KIND_STACK,
    .name = "carrier",
    .summary = "how sessions to a node are used",
    .options = options,
    .conf_size = sizeof(struct gh_carrier_conf),
};

struct gh_carrier **gh_carrier_pool(struct gh_worker *w)
{
    return &pools[gh_worker_index(w)];
}

static const struct gh_carrier_conf *conf_of(const struct gh_carrier *c)
{
    return c->node[c->n - 1]->carrier;
}

static const char *label_of(const struct gh_carrier *c)
{
    return c->node[c->n - 1]->label;
}

static bool is_of(const struct gh_carrier *c, const struct gh_node *const *node, unsigned n)
{
    if (c->unwanted || c->state == CARRIER_DRAINING || c->n != n)
        return false;
    for (unsigned i = n; i-- > 0;)
        if (!gh_carrier_same_node(c->node[i], node[i], i + 1 == n))
            return false;
    return true;
}

/* ---- waiting ---- */

void gh_carrier_unwait(struct gh_carrier_wait *wait)
{
    if (wait->prev == NULL)
        return;
    *wait->prev = wait->next;
    if (wait->next != NULL)
        wait->next->prev = wait->prev;
    wait->prev = NULL;
}

/* At the end: who came first is served first. */
static void add_wait(struct gh_carrier *c, struct gh_carrier_wait *wait)
{
    struct gh_carrier_wait **at = &c->waiting;

    while (*at != NULL)
        at = &(*at)->next;
    wait->next = NULL;
    wait->prev = at;
    *at = wait;
}

/* Those who look again may wait again, for this one too: only who waits now is told. The list is
 * taken over, for each of them may also be gone by what another one does. */
static void wake_all(struct gh_carrier *c)
{
    struct gh_carrier_wait *list = c->waiting, *wait;

    c->waiting = NULL;
    if (list != NULL)
        list->prev = &list;
    while ((wait = list) != NULL) {
        gh_carrier_unwait(wait);
        wait->go(wait->arg);
    }
}

static void impatient(struct ge_timer *t)
{
    wake_all((struct gh_carrier *)((char *)t - offsetof(struct gh_carrier, impatience)));
}

static bool is_late(const struct gh_carrier *c)
{
    return ge_now(gh_worker_engine(c->worker)) >= c->since + PATIENCE;
}

/* For a while: who is woken because nothing happened dials another one beside it. */
static void wait_for(struct gh_carrier *c, struct gh_carrier_wait *wait)
{
    c->impatience.fire = impatient;
    ge_timer_start(gh_worker_engine(c->worker), &c->impatience, c->since + PATIENCE);
    add_wait(c, wait);
}

/* ---- life ---- */

struct gh_carrier *gh_carrier_begin(struct gh_worker *w, struct gh_service *service,
                                    const struct gh_path *path, unsigned n)
{
    struct gh_carrier **pool = gh_carrier_pool(w);
    struct gh_carrier *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->ge = ge_flow_new(gh_worker_engine(w));
    if (c->ge == NULL) {
        free(c);
        return NULL;
    }
    c->id = atomic_fetch_add(&last_id, 1) + 1;
    c->worker = w;
    c->service = gh_service_ref(service);
    c->n = n;
    c->full_at = SIZE_MAX;
    c->since = ge_now(gh_worker_engine(w));
    memcpy(c->node, path->node, n * sizeof c->node[0]);
    c->next = *pool;
    c->prev = pool;
    if (c->next != NULL)
        c->next->prev = &c->next;
    *pool = c;
    return c;
}

/* Out of the pool and gone. Who waits looks again, and finds it no more. */
static void carrier_free(struct gh_carrier *c, bool gently)
{
    ge_timer_stop(gh_worker_engine(c->worker), &c->timer);
    ge_timer_stop(gh_worker_engine(c->worker), &c->impatience);
    *c->prev = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    wake_all(c);
    if (c->session != NULL && gently)
        ge_stack_linger(c->session);
    else if (c->session != NULL)
        ge_stack_free(c->session, 0);
    ge_flow_unref(c->ge);
    gh_service_unref(c->service); /* frees its options some time later, as lingering needs */
    free(c);
}

void gh_carrier_failed(struct gh_carrier *c)
{
    carrier_free(c, false);
}

void gh_carrier_drain(struct gh_carrier *c, const char *why)
{
    if (c->session == NULL || c->state == CARRIER_DRAINING)
        return;
    gh_log(GOST_LOG_DEBUG, "the session to %s gets no more streams: %s", label_of(c), why);
    c->state = CARRIER_DRAINING;
    ge_timer_stop(gh_worker_engine(c->worker), &c->timer);
    ge_session_drain(c->session);
    wake_all(c);
}

/* ---- what its session tells ---- */

static void session_ended(struct ge_stack *session, void *arg, int status)
{
    struct gh_carrier *c = arg;

    gh_log(GOST_LOG_DEBUG, "the session to %s ended%s%s", label_of(c),
           c->ge->error != NULL ? ": " : "", c->ge->error != NULL ? c->ge->error : "");
    carrier_free(c, true);
}

/* One timer for all: the end of its age and of its idleness, and the time to doubt it. */
static void arm(struct gh_carrier *c)
{
    struct ge_worker *engine = gh_worker_engine(c->worker);
    const struct gh_carrier_conf *conf = conf_of(c);
    uint64_t at = conf->max_age != 0 ? c->begun + conf->max_age : UINT64_MAX;

    if (conf->idle != 0 && ge_session_streams(c->session) == 0 && c->idle_since + conf->idle < at)
        at = c->idle_since + conf->idle;
    if (c->state == CARRIER_READY && c->opened + DOUBT > ge_now(engine) && c->opened + DOUBT < at &&
        ge_session_served(c->session) <= c->opened)
        at = c->opened + DOUBT;
    if (at != UINT64_MAX)
        ge_timer_start(engine, &c->timer, at);
    else
        ge_timer_stop(engine, &c->timer);
}

/* GOST_OK: it was asked for a sign of life, and ends if it gives none in time. */
static int ask(struct gh_carrier *c)
{
    int r = ge_session_ping(c->session, conf_of(c)->check_timeout);

    if (r == GOST_OK) {
        c->state = CARRIER_CHECKING;
        c->since = ge_now(gh_worker_engine(c->worker));
    }
    return r;
}

static void due(struct ge_timer *t)
{
    struct gh_carrier *c = (struct gh_carrier *)((char *)t - offsetof(struct gh_carrier, timer));
    uint64_t now = ge_now(gh_worker_engine(c->worker));
    const struct gh_carrier_conf *conf = conf_of(c);

    if (conf->max_age != 0 && now >= c->begun + conf->max_age)
        gh_carrier_drain(c, "it is older than carrier.maxAge");
    else if (conf->idle != 0 && ge_session_streams(c->session) == 0 &&
             now >= c->idle_since + conf->idle)
        gh_carrier_drain(c, "nobody used it for carrier.idle");
    /* Who opened a stream may be all alone: no other request would come and look. */
    if (c->state == CARRIER_READY && c->opened != 0 && now >= c->opened + DOUBT &&
        ge_session_served(c->session) <= c->opened)
        (void)ask(c);
    if (c->state != CARRIER_DRAINING)
        arm(c);
}

static void session_changed(struct ge_stack *session, void *arg, unsigned what)
{
    struct gh_carrier *c = arg;

    if (c->state == CARRIER_DRAINING)
        return;
    if (what & GE_SESSION_EMPTY) {
        c->idle_since = ge_now(gh_worker_engine(c->worker));
        arm(c);
    }
    if ((what & GE_SESSION_ALIVE) && c->state == CARRIER_CHECKING) {
        c->state = CARRIER_READY;
        wake_all(c);
    }
}

/* ---- use ---- */

uint64_t gh_carrier_id(const struct gh_carrier *c)
{
    return c->id;
}

static bool is_full(const struct gh_carrier *c)
{
    size_t n = ge_session_streams(c->session);
    int64_t max = conf_of(c)->max_streams;

    if (ge_session_stuck(c->session) >= conf_of(c)->check_after)
        return true; /* a stream that nobody reads may hold up all of them */
    return n >= c->full_at || (max != 0 && n >= (size_t)max);
}

/* Nothing came since a stream was opened some time ago. */
static bool is_doubtful(const struct gh_carrier *c)
{
    return c->asked != 0 && ge_session_heard(c->session) <= c->asked &&
           ge_now(gh_worker_engine(c->worker)) >= c->asked + DOUBT;
}

/* A session that was silent for long, or does not answer, may have died unnoticed. */
static void check(struct gh_carrier *c)
{
    const struct gh_carrier_conf *conf = conf_of(c);
    uint64_t silent = ge_now(gh_worker_engine(c->worker)) - ge_session_heard(c->session);
    bool packets = c->node[c->n - 1]->dialer.bottom == GOST_DATAGRAM;
    uint64_t after = packets && conf->check_after > SILENCE ? SILENCE : conf->check_after;
    int r;

    if (silent < after && !is_doubtful(c))
        return;
    r = ask(c);
    if (r == GOST_OK)
        return;
    if (r != GOST_EUNSUPPORTED)
        gh_carrier_drain(c, "it cannot be asked for a sign of life");
    else if (silent >= (packets ? after : 3 * after))
        gh_carrier_drain(c, "it was silent for too long");
}

/* Brings the state up to date before it is used. */
static void refresh(struct gh_carrier *c)
{
    uint64_t max_bytes = conf_of(c)->max_bytes;

    if (c->state != CARRIER_READY)
        return;
    if (ge_session_draining(c->session))
        gh_carrier_drain(c, "its peer wants no more");
    else if (max_bytes != 0 && ge_session_bytes(c->session) >= max_bytes)
        gh_carrier_drain(c, "it carried carrier.maxBytes");
    else if (ge_session_refused(c->session))
        gh_carrier_drain(c, "nobody is at its peer's port");
    else
        check(c);
}

enum gh_carrier_state gh_carrier_find(struct gh_worker *w, const struct gh_path *path, unsigned n,
                                      struct gh_carrier **ret_carrier, struct gh_carrier_wait *wait)
{
    struct gh_carrier *pending = NULL, *doubtful = NULL; /* the youngest of each */
    unsigned n_doubtful = 0;

    for (struct gh_carrier *c = *gh_carrier_pool(w), *next; c != NULL; c = next) {
        next = c->next;
        if (!is_of(c, path->node, n))
            continue;
        refresh(c);
        if (c->state == CARRIER_DIALING || c->state == CARRIER_CHECKING) {
            if (!is_late(c) && (pending == NULL || c->since > pending->since))
                pending = c;
        } else if (c->state == CARRIER_READY && !is_full(c)) {
            if (!is_doubtful(c)) {
                *ret_carrier = c;
                return GH_CARRIER_READY;
            }
            doubtful = doubtful != NULL ? doubtful : c;
            n_doubtful++;
        }
    }
    if (pending != NULL) {
        wait_for(pending, wait);
        return GH_CARRIER_WAIT;
    }
    if (n_doubtful < DOUBTFUL_MAX)
        return GH_CARRIER_NONE;
    *ret_carrier = doubtful;
    return GH_CARRIER_READY;
}

/* Whether another one has room: it came while this one was being dialed for too long. */
static bool is_spare(const struct gh_carrier *c)
{
    for (const struct gh_carrier *o = *gh_carrier_pool(c->worker); o != NULL; o = o->next)
        if (o != c && o->state == CARRIER_READY && is_of(o, c->node, c->n) && !is_full(o) &&
            !is_doubtful(o))
            return true;
    return false;
}

int gh_carrier_open(struct gh_carrier *c, struct ge_flow *flow, struct ge_stack **ret_stream)
{
    size_t before = ge_session_streams(c->session);
    int r = ge_session_open(c->session, flow, 0, ret_stream);

    if (r == GOST_FULL)
        c->full_at = before; /* until it has fewer */
    else if (r != GOST_OK)
        gh_carrier_drain(c, "it gives no stream");
    else
        c->full_at = SIZE_MAX;
    if (r == GOST_OK)
        flow->secure = c->ge->secure;
    if (r == GOST_OK && (c->asked == 0 || ge_session_heard(c->session) > c->asked))
        c->asked = ge_now(gh_worker_engine(c->worker));
    if (r == GOST_OK && (c->opened == 0 || ge_session_served(c->session) > c->opened)) {
        c->opened = ge_now(gh_worker_engine(c->worker));
        arm(c);
    }
    return r;
}

int gh_carrier_ready(struct gh_carrier *c, struct ge_stack *session, struct ge_flow *flow,
                     struct ge_stack **ret_stream)
{
    int r;

    c->session = session;
    c->state = CARRIER_READY;
    c->begun = c->idle_since = ge_now(gh_worker_engine(c->worker));
    c->timer.fire = due;
    ge_stack_set_flow(session, c->ge);
    ge_session_on_change(session, session_changed, c);
    ge_session_on_end(session, session_ended, c);
    arm(c);
    r = gh_carrier_open(c, flow, ret_stream);
    if (c->unwanted)
        gh_carrier_drain(c, "the configuration changed");
    else if (is_spare(c))
        gh_carrier_drain(c, "there is another one by now");
    else
        wake_all(c);
    return r;
}

static struct gh_carrier *by_id(struct gh_worker *w, uint64_t id)
{
    struct gh_carrier *c = id != 0 ? *gh_carrier_pool(w) : NULL;

    while (c != NULL && c->id != id)
        c = c->next;
    return c;
}

bool gh_carrier_usable(struct gh_worker *w, uint64_t id)
{
    const struct gh_carrier *c = by_id(w, id);

    return c != NULL && c->session != NULL && c->state != CARRIER_DRAINING &&
           !ge_session_draining(c->session);
}

void gh_carrier_suspect(struct gh_worker *w, uint64_t id, uint64_t since)
{
    struct gh_carrier *c = by_id(w, id);

    if (c != NULL && c->session != NULL && ge_session_heard(c->session) <= since)
        gh_carrier_drain(c, "nothing came back on it");
}

void gh_carriers_end(struct gh_worker *w)
{
    while (*gh_carrier_pool(w) != NULL)
        carrier_free(*gh_carrier_pool(w), false);
}
