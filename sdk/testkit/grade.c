/* grade.c - runs components in every way a host may, and judges what they do. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "../engine/options.h"
#include "kit_internal.h"

#define POSITIONS_MAX  400u /* more bytes than these are cut or ended at in steps */
#define LIVES          48u  /* inputs without a transcript */
#define LIFE_BYTES     96u
#define TO_THE_END     (1u << 30) /* end_after that never cuts: outputs are not compared */
#define STEPS_PER_BYTE 8u
#define MANY           32u /* lives of one pass at least: a small leak stands out of the noise */

/* One play, as a check of its own. Returns whether it passed. */
static int check_play(struct kit_grade *g, struct gost_kit *kit, const struct gost_script *s,
                      const char *name, const struct gost_how *how, struct gost_outcome *o)
{
    g->begin(g, name);
    if (gost_kit_play(kit, s, how, o) == GOST_OK) {
        g->result(g, name, NULL, 0);
        return 1;
    }
    g->result(g, name, o->why, 0);
    return 0;
}

static struct gost_how how_split(size_t split)
{
    struct gost_how how;

    memset(&how, 0, sizeof how);
    how.split = split;
    return how;
}

/* Does it behave the same whatever stands in memory that is not its own? */
static void check_memory(struct kit_grade *g, struct gost_kit *kit, const struct gost_script *s,
                         const char *title)
{
    static const size_t splits[] = {0, 1, 3};
    char over[200], kept[200];
    const char *over_why = NULL, *kept_why = NULL;
    size_t i;

    snprintf(over, sizeof over, "%s: nothing is read beyond the bytes that were received", title);
    snprintf(kept, sizeof kept, "%s: no view is kept from one step to the next", title);
    g->begin(g, over);
    for (i = 0; i < 3; i++) {
        struct gost_how how = how_split(splits[i]);
        struct gost_outcome a, b, c;

        how.tail = how.old = 0xa5;
        (void)gost_kit_play(kit, s, &how, &a);
        how.tail = 0x16;
        (void)gost_kit_play(kit, s, &how, &b);
        how.tail = 0xa5;
        how.old = 0x16;
        (void)gost_kit_play(kit, s, &how, &c);
        if (a.trace != b.trace)
            over_why = "what it does depends on bytes behind those it was given: check lengths "
                       "before reading";
        if (a.trace != c.trace)
            kept_why =
                "what it does depends on memory it has consumed: copy what the next step needs";
    }
    g->result(g, over, over_why, 0);
    g->begin(g, kept);
    g->result(g, kept, kept_why, 0);
}

static size_t stride_for(size_t positions)
{
    return positions > POSITIONS_MAX ? positions / POSITIONS_MAX + 1 : 1;
}

/* The input ends at each byte: it must not spin, and what fails must say why. */
static void check_ends(struct kit_grade *g, struct gost_kit *kit, const struct gost_script *s,
                       const char *title, size_t bytes)
{
    char name[200], why[700] = "";
    struct gost_how how = how_split(0);
    struct gost_outcome o;
    size_t at;

    snprintf(name, sizeof name, "%s: the input may end at each byte", title);
    g->begin(g, name);
    for (at = 0; at <= bytes && !*why; at += stride_for(bytes)) {
        how.end_after = at + 1;
        if (gost_kit_play(kit, s, &how, &o) != GOST_OK)
            snprintf(why, sizeof why, "after %zu bytes: %s", at, o.why);
    }
    g->result(g, name, *why ? why : NULL, 0);
}

/* One pass over all places to stop at. */
static void stop_everywhere(struct gost_kit *kit, const struct gost_script *s, size_t feeds,
                            char *why, size_t n)
{
    struct gost_how how = how_split(1);
    struct gost_outcome o;
    size_t at;

    for (at = 1; at <= feeds && !*why; at += stride_for(feeds)) {
        how.stop_after = at;
        if (gost_kit_play(kit, s, &how, &o) != GOST_OK)
            snprintf(why, n, "after %zu bytes: %s", at, o.why);
    }
}

static void check_stops(struct kit_grade *g, struct gost_kit *kit, const struct gost_script *s,
                        const char *title, size_t feeds)
{
    char name[200], leak[200], why[700] = "";
    struct kit_growth m;
    size_t i;

    memset(&m, 0, sizeof m);
    snprintf(name, sizeof name, "%s: it may be destroyed after each byte", title);
    snprintf(leak, sizeof leak, "%s: destroying it frees everything", title);
    g->begin(g, name);
    while (kit_growth_wanted(&m) && !*why) {
        for (i = 0; i < MANY && !*why; i += feeds + 1)
            stop_everywhere(kit, s, feeds, why, sizeof why);
        kit_growth_pass(&m);
    }
    g->result(g, name, *why ? why : NULL, 0);
    if (!*why)
        kit_growth_tell(g, leak, &m);
}

/* Silence at any point: whoever waits must not be woken all the time. */
static void check_silence(struct kit_grade *g, struct gost_kit *kit, const struct gost_script *s,
                          const char *title, size_t feeds)
{
    char name[200], why[700] = "";
    struct gost_how how = how_split(1);
    struct gost_outcome o;

    snprintf(name, sizeof name, "%s: waiting costs nothing", title);
    g->begin(g, name);
    how.silence_ms = 2000;
    for (how.stop_after = 1; how.stop_after <= feeds && !*why;
         how.stop_after += stride_for(feeds)) {
        if (gost_kit_play(kit, s, &how, &o) != GOST_OK)
            snprintf(why, sizeof why, "after %zu bytes: %s", how.stop_after, o.why);
    }
    g->result(g, name, *why ? why : NULL, 0);
}

static void check_allocs(struct kit_grade *g, struct gost_kit *kit, const struct gost_script *s,
                         const char *title, size_t allocs)
{
    char name[200], why[700] = "";
    struct gost_how how = how_split(0);
    struct gost_outcome o;

    if (!allocs)
        return;
    snprintf(name, sizeof name, "%s: each gost_alloc() may fail", title);
    g->begin(g, name);
    for (how.deny_alloc = 1; how.deny_alloc <= allocs && !*why; how.deny_alloc++) {
        if (gost_kit_play(kit, s, &how, &o) != GOST_OK)
            snprintf(why, sizeof why, "number %zu: %s", how.deny_alloc, o.why);
    }
    g->result(g, name, *why ? why : NULL, 0);
}

static void check_steps(struct kit_grade *g, const char *title, const struct gost_outcome *o)
{
    char name[200], why[200] = "";

    snprintf(name, sizeof name, "%s: the number of steps grows with the bytes, not faster", title);
    g->begin(g, name);
    if (o->steps > STEPS_PER_BYTE * o->bytes + 64)
        snprintf(why, sizeof why, "%zu steps for %zu bytes that came one by one", o->steps,
                 o->bytes);
    g->result(g, name, *why ? why : NULL, 0);
}

void kit_grade_script(struct kit_grade *g, struct gost_kit *kit, const struct gost_script *s)
{
    static const size_t splits[] = {1, 2, 3, 7};
    struct gost_how how = how_split(0);
    struct gost_outcome o, bytewise;
    const char *unable = gost_kit_unable(kit, s);
    char name[200];
    size_t i;
    int good;

    snprintf(name, sizeof name, "%s: as written", s->name);
    if (*unable) {
        g->result(g, name, unable, 1);
        return;
    }
    good = check_play(g, kit, s, name, &how, &o);
    check_memory(g, kit, s, s->name);
    for (i = 0; good && i < sizeof splits / sizeof splits[0]; i++) {
        how = how_split(splits[i]);
        snprintf(name, sizeof name, "%s: fed in pieces of %zu", s->name, splits[i]);
        if (check_play(g, kit, s, name, &how, i ? &o : &bytewise) && i == 0)
            check_steps(g, s->name, &bytewise);
    }
    if (good) {
        how = how_split(0);
        how.drain = 1;
        snprintf(name, sizeof name, "%s: output taken byte by byte", s->name);
        (void)check_play(g, kit, s, name, &how, &o);
    }
    check_ends(g, kit, s, s->name, o.bytes);
    check_stops(g, kit, s, s->name, o.bytes);
    check_silence(g, kit, s, s->name, o.bytes);
    check_allocs(g, kit, s, s->name, o.allocs);
}

/* ---- without a transcript ---- */

static const char *some_value(const struct gost_opt *o, char buf[64])
{
    size_t n = o->min > 0 && o->min < 60 ? (size_t)o->min : 1;

    switch (o->type) {
    case GOST_OPT_T_BOOL:
        return "true";
    case GOST_OPT_T_INT:
    case GOST_OPT_T_SIZE:
        snprintf(buf, 64, "%lld", (long long)(o->min > 0 ? o->min : 1));
        return buf;
    case GOST_OPT_T_DURATION:
        snprintf(buf, 64, "%lldms", (long long)(o->min > 0 ? o->min : 1));
        return buf;
    case GOST_OPT_T_ENUM:
        snprintf(buf, 64, "%.*s", (int)strcspn(o->choices, " "), o->choices);
        return buf;
    case GOST_OPT_T_ADDRESS:
        return "127.0.0.1:1";
    case GOST_OPT_T_FILE:
        return "/dev/null";
    case GOST_OPT_T_MAP:
        return "a=b";
    default:
        memset(buf, 'x', n);
        buf[n] = 0;
        return buf;
    }
}

struct gost_script *kit_script_for(const struct gost_component *c, uint32_t kind, uint32_t role)
{
    const struct gost_opt *o = c->options;
    char text[4096], why[200], value[64], key[128];
    size_t n;

    n = (size_t)snprintf(text, sizeof text, "target example.com:443\n%s %s %s",
                         ge_kind_word(kind, 0), c->name, role == GOST_CLIENT ? "client" : "server");
    for (; o && o->type && n < sizeof text - 300; o++) {
        if (o->flags & GOST_OPT_REQUIRED)
            n += (size_t)snprintf(text + n, sizeof text - n, " %s=%s",
                                  ge_opt_name(o, key, sizeof key), some_value(o, value));
    }
    return gost_script_parse(text, c->name, why, sizeof why);
}

/* Bytes that are often the right ones at the beginning of a protocol, then anything. */
static void some_bytes(uint8_t *p, size_t n, unsigned seed)
{
    static const uint8_t likely[] = {0,   1,   2,   3,   4,    5,    16,   'G',
                                     'E', 'T', ' ', '/', '\r', '\n', 0x80, 0xff};
    uint64_t x = seed * 0x9e3779b97f4a7c15ull + 1;
    size_t i;

    for (i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        p[i] = x & 0x100 ? likely[x & 15] : (uint8_t)(x >> 16);
    }
}

#define MANY_STREAMS   1u
#define EXCHANGE_BELOW 2u

static unsigned parts_of(const struct gost_component *c)
{
    const struct gost_layer_ops *layer = c->ops;
    const struct gost_handler_ops *handler = c->ops;
    uint32_t below = GOST_STREAM, above = GOST_STREAM;

    if (c->kind == GOST_KIND_LAYER) {
        below = layer->below;
        above = layer->above;
    } else if (c->kind == GOST_KIND_HANDLER) {
        below = handler->accepts;
    }
    return (above & (GOST_SESSION | GOST_EXCHANGE) ? MANY_STREAMS : 0) |
           (below == GOST_EXCHANGE ? EXCHANGE_BELOW : 0);
}

static const char *const some_head[] = {
    "head CONNECT https example.com:443 \nuser-agent: test\n\n",
    "head 200\ncontent-type: text/plain\n\n",
};

/* All lives of one component once. */
static void live(struct gost_kit *kit, struct gost_script *s, unsigned parts, char *why, size_t n)
{
    uint8_t bytes[LIFE_BYTES], mask[LIFE_BYTES];
    struct kit_item it, open, down, head;
    struct gost_outcome o;
    unsigned seed;

    memset(&it, 0, sizeof it);
    it.data = bytes;
    it.mask = mask;
    it.type = s->role == GOST_CLIENT ? KIT_SERVER : KIT_CLIENT;
    open = down = head = it;
    open.type = KIT_OPEN;
    open.next = &down;
    down.type = KIT_DOWN;
    down.n = LIFE_BYTES;
    head.data = (uint8_t *)some_head[s->role == GOST_CLIENT];
    head.n = strlen(some_head[s->role == GOST_CLIENT]);
    for (seed = 0; seed < LIVES && !*why; seed++) {
        struct gost_how how = how_split(seed % 3 ? 0 : 1);

        it.n = seed ? 1 + seed * 2 % LIFE_BYTES : 0;
        some_bytes(bytes, it.n, seed);
        s->items = it.n ? &it : NULL;
        s->echo = seed & 1;
        down.next = s->items;
        if (parts & MANY_STREAMS && seed % 4 < 2)
            s->items = &open;
        head.next = s->items;
        if (parts & EXCHANGE_BELOW && seed % 4 != 3)
            s->items = &head;
        how.end_after = TO_THE_END;
        how.drain = seed % 5 ? 0 : 1;
        if (gost_kit_play(kit, s, &how, &o) != GOST_OK)
            snprintf(why, n, "with %zu bytes of anything (number %u): %s", it.n, seed, o.why);
    }
    s->items = NULL;
}

static void grade_part(struct kit_grade *g, const struct gost_component *c)
{
    if (c->kind == GOST_KIND_INDEX)
        kit_grade_index(g, c);
    else if (c->kind == GOST_KIND_STACK)
        kit_grade_stack(g, c);
    else
        kit_grade_transport(g, c);
}

void kit_grade_life(struct kit_grade *g, struct gost_kit *kit, const struct gost_component *c)
{
    uint32_t role = c->kind == GOST_KIND_CONNECTOR ? GOST_CLIENT : GOST_SERVER;
    struct gost_script *s = kit_script_for(c, c->kind, role);
    char name[200], leak[200], why[700] = "";
    struct kit_growth m;

    memset(&m, 0, sizeof m);
    if (c->kind == GOST_KIND_INDEX || c->kind == GOST_KIND_STACK ||
        c->kind == GOST_KIND_TRANSPORT) {
        gost_script_free(s);
        grade_part(g, c);
        return;
    }
    if (c->kind == GOST_KIND_SOURCE || c->kind == GOST_KIND_REMOTE) {
        gost_script_free(s); /* no client's input gets there: there is nothing to judge */
        return;
    }
    snprintf(name, sizeof name, "%s %s: lives and dies with any input", ge_kind_word(c->kind, 0),
             c->name);
    snprintf(leak, sizeof leak, "%s %s: its end frees everything", ge_kind_word(c->kind, 0),
             c->name);
    g->begin(g, name);
    if (!s || *gost_kit_unable(kit, s)) {
        g->result(g, name, s ? gost_kit_unable(kit, s) : "no memory", 1);
        gost_script_free(s);
        return;
    }
    while (kit_growth_wanted(&m) && !*why) {
        live(kit, s, parts_of(c), why, sizeof why);
        kit_growth_pass(&m);
    }
    if (strncmp(why, "with 0 bytes", 12) == 0 && strstr(why, "options are refused")) {
        g->result(g, name, "it needs options that only a transcript can give", 1);
    } else {
        g->result(g, name, *why ? why : NULL, 0);
        if (!*why)
            kit_growth_tell(g, leak, &m);
    }
    gost_script_free(s);
}
