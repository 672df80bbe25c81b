/* play.c - plays a transcript: feeds what the peer sends, compares what the component sends. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

#define SILENT_STEPS 80u /* per second */

/* Outputs are compared only when the transcript is played to its end. */
static int compares(const struct kit_world *w)
{
    return !w->how.stop_after && !w->how.end_after && !w->how.deny_alloc;
}

static int stopped(const struct kit_world *w)
{
    return w->outcome->why[0] || (w->how.stop_after && w->outcome->feeds >= w->how.stop_after) ||
           (w->how.end_after && w->outcome->bytes + 1 >= w->how.end_after);
}

/* Are we the client at this port? Behind our back (ports above 0) always. */
static int is_client(const struct kit_world *w, uint32_t port)
{
    return port > 0 || w->script->role == GOST_CLIENT;
}

static void fail(struct kit_world *w, const struct kit_item *it, const char *fmt, ...)
    GOST_PRINTF(3, 4);
static void fail(struct kit_world *w, const struct kit_item *it, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    if (!compares(w))
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!w->outcome->why[0])
        w->outcome->line = it->line;
    kit_break(w, "%s:%u: %s", w->script->name, it->line, text);
}

/* A head is one piece. 0: the record does not begin with one. */
static size_t head_length(const struct kit_item *it)
{
    const uint8_t *end =
        it->n > 5 && memcmp(it->data, "head ", 5) == 0 ? memmem(it->data, it->n, "\n\n", 2) : NULL;

    return end ? (size_t)(end - it->data) + 2 : 0;
}

static void input(struct kit_world *w, const struct kit_item *it, struct kit_end *e)
{
    size_t at = 0, step;

    if (!e) {
        fail(w, it, "port %u was not opened", it->port);
        return;
    }
    do {
        step = it->n - at;
        if (w->how.split && step > w->how.split && !e->datagram)
            step = w->how.split;
        if (w->how.end_after && w->outcome->bytes + step + 1 > w->how.end_after)
            step = w->how.end_after - 1 - w->outcome->bytes;
        if (e->far && at == 0 && head_length(it))
            step = head_length(it);
        kit_feed(w, e, it->data + at, step);
        at += step;
    } while (at < it->n && !stopped(w));
}

static const char *why_ended(const struct kit_world *w)
{
    return w->flow->error ? w->flow->error : w->outcome->ended ? "it had ended" : "it still waits";
}

/* The far side sends bytes that then have to appear at `e`: behind a handler the stream on port 1,
 * above a layer and behind a connector the user. */
static void far_sends(struct kit_world *w, const struct kit_end *e, const uint8_t *p, size_t n)
{
    struct kit_end *far = w->script->kind == GOST_KIND_HANDLER ? w->port[1] : NULL;

    if (far && far != e && far->stack) {
        kit_feed(w, far, p, n);
    } else if (!far && w->users[0].task) {
        w->users[0].down = p;
        w->users[0].n_down = n;
        kit_settle(w);
    }
}

static void output(struct kit_world *w, const struct kit_item *it, struct kit_end *e)
{
    size_t i;

    if (!e) {
        fail(w, it, "port %u was not opened: %s", it->port, why_ended(w));
        return;
    }
    i = e->n_out - e->compared;
    if (w->script->relay && i < it->n && e == w->port[0])
        far_sends(w, e, it->data + i, it->n - i);
    for (i = 0; i < it->n; i++) {
        size_t at = e->compared + i;

        if (at >= e->n_out) {
            fail(w, it, "only %zu of %zu bytes were sent: %s", i, it->n, why_ended(w));
            return;
        }
        if (it->mask[i] && e->out[at] != it->data[i]) {
            fail(w, it, "byte %zu is %02x, it should be %02x", i, e->out[at], it->data[i]);
            return;
        }
    }
    e->compared += it->n;
}

static struct kit_user *user_at(struct kit_world *w, const struct kit_item *it)
{
    struct kit_user *u = &w->users[it->port];

    if (u->world)
        return u;
    fail(w, it, "there is no user number %u: %s", it->port + 1, why_ended(w));
    return NULL;
}

static void user_ends(struct kit_world *w, const struct kit_item *it)
{
    struct kit_user *u = user_at(w, it);

    if (!u)
        return;
    if (it->type == KIT_RST)
        u->down_reset = 1;
    else
        u->down_end = 1;
    u->reset_code = it->number;
    kit_settle(w);
}

static void user_sends(struct kit_world *w, const struct kit_item *it)
{
    struct kit_user *u = user_at(w, it);

    if (!u)
        return;
    u->down = it->data;
    u->n_down = it->n;
    kit_settle(w);
}

static void user_opens(struct kit_world *w, const struct kit_item *it)
{
    int r = kit_session_open(w);

    if (r != GOST_OK)
        fail(w, it, "a stream cannot be opened (%d): %s", r, why_ended(w));
    kit_settle(w);
}

static void end_of(struct kit_world *w, const struct kit_item *it)
{
    struct kit_end *e = w->port[it->port];
    int ours = it->who == (is_client(w, it->port) ? 'c' : 's');

    if (it->who == 'u') {
        user_ends(w, it);
        return;
    }
    if (ours && w->script->relay && it->type == KIT_FIN && e && !e->shut) {
        w->users[0].down_end = w->users[0].task != NULL;
        if (w->script->kind == GOST_KIND_HANDLER && w->port[1] && !w->port[1]->told_end)
            kit_end_input(w, w->port[1], 0);
        kit_settle(w);
    }
    if (!e) {
        fail(w, it, "port %u was not opened", it->port);
    } else if (!ours) {
        kit_end_input(w, e, it->type == KIT_RST ? GOST_ECLOSED : 0);
    } else if (it->type == KIT_FIN && !e->shut && e->stack) {
        fail(w, it, "it should have ended its direction of port %u: %s", it->port, why_ended(w));
    } else if (it->type == KIT_RST && e->stack) {
        fail(w, it, "it should have reset port %u: %s", it->port, why_ended(w));
    }
}

static void wait_for(struct kit_world *w, uint64_t ms)
{
    uint64_t until = w->now + ms * GOST_MS, next;

    while (!w->outcome->why[0]) {
        next = ge_timers_next(w->worker);
        if (next > until)
            break;
        w->unix_ns += next > w->now ? next - w->now : 0;
        w->now = next > w->now ? next : w->now;
        kit_settle(w);
    }
    w->unix_ns += until - w->now;
    w->now = until;
    kit_settle(w);
}

/* A component that waits may look after its timers, but not all the time. */
static void be_silent(struct kit_world *w)
{
    size_t before = w->outcome->steps, steps;

    wait_for(w, w->how.silence_ms);
    steps = w->outcome->steps - before;
    if (steps > SILENT_STEPS * w->how.silence_ms / 1000)
        kit_break(w, "spins: %zu steps in %zu ms without any input", steps, w->how.silence_ms);
}

static void check_end(struct kit_world *w, const struct kit_item *it)
{
    const struct gost_outcome *o = w->outcome;

    if (w->script->kind == GOST_KIND_LAYER && it->type == KIT_OK) {
        if (o->ended && o->status)
            fail(w, it, "it failed with %d: %s", o->status, why_ended(w));
        return;
    }
    if (!o->ended)
        fail(w, it, "it should have ended, but it still waits");
    else if (it->type == KIT_OK && o->status)
        fail(w, it, "it should have ended well, but failed with %d: %s", o->status, why_ended(w));
    else if (it->type == KIT_FAIL && !o->status)
        fail(w, it, "it should have failed, but ended well");
    else if (it->type == KIT_FAIL && it->status && it->status != o->status)
        fail(w, it, "it should have failed with %d, but did with %d: %s", it->status, o->status,
             why_ended(w));
}

static void play_item(struct kit_world *w, const struct kit_item *it)
{
    switch (it->type) {
    case KIT_CLIENT:
    case KIT_SERVER:
        if ((it->type == KIT_CLIENT) == is_client(w, it->port))
            output(w, it, w->port[it->port]);
        else
            input(w, it, w->port[it->port]);
        break;
    case KIT_UP:
        if (user_at(w, it))
            output(w, it, w->users[it->port].out);
        break;
    case KIT_DOWN:
        user_sends(w, it);
        break;
    case KIT_OPEN:
        user_opens(w, it);
        break;
    case KIT_FIN:
    case KIT_RST:
        end_of(w, it);
        break;
    case KIT_WAIT:
        wait_for(w, it->number);
        break;
    case KIT_ACCEPT:
        if (kit_accept(w, &it->addr))
            fail(w, it, "no ACCEPT is waiting");
        kit_settle(w);
        break;
    case KIT_CANCEL:
        if (w->task)
            ge_task_event_cancel(w->task);
        kit_settle(w);
        break;
    default:
        check_end(w, it);
        break;
    }
}

/* Bytes that no record of the transcript accounts for. */
static void check_rest(struct kit_world *w, const struct kit_item *last)
{
    uint32_t i;

    for (i = 0; i < (w->script->relay ? 1 : GOST_PORTS); i++) {
        const struct kit_end *e = w->port[i];

        if (e && e->n_out > e->compared)
            fail(w, last, "%zu more bytes were sent on port %u, the first is %02x",
                 e->n_out - e->compared, i, e->out[e->compared]);
    }
    for (i = 0; i < KIT_USERS && !w->script->relay; i++) {
        const struct kit_end *e = w->users[i].out;

        if (w->users[i].world && e->n_out > e->compared)
            fail(w, last, "%zu more bytes reached user number %u", e->n_out - e->compared, i + 1);
    }
}

int gost_kit_play(struct gost_kit *kit, const struct gost_script *script,
                  const struct gost_how *how, struct gost_outcome *ret_outcome)
{
    struct kit_world *w = calloc(1, sizeof *w);
    const struct kit_item *it, *last = NULL;
    uint32_t i;

    memset(ret_outcome, 0, sizeof *ret_outcome);
    if (!w)
        return GOST_ENOMEM;
    w->kit = kit;
    w->script = script;
    w->how = *how;
    w->outcome = ret_outcome;
    if (kit_world_open(w) == GOST_OK) {
        for (it = script->items; it && !stopped(w); it = it->next) {
            play_item(w, it);
            last = it;
        }
        for (i = 0; i < GOST_PORTS && how->end_after && !how->stop_after; i++) {
            if (w->port[i] && w->port[i]->stack)
                kit_end_input(w, w->port[i], 0);
        }
        if (how->silence_ms)
            be_silent(w);
        if (last)
            check_rest(w, last);
    }
    kit_world_close(w);
    free(w);
    return ret_outcome->why[0] ? GOST_EPROTO : GOST_OK;
}
