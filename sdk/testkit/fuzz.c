/* fuzz.c - feeds a component with what a fuzzer makes. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "kit_internal.h"

/* The script of the component that is fuzzed: made once, of no records. */
static struct gost_script *script_of(struct gost_kit *kit, enum gost_kind kind, const char *name,
                                     const char *options)
{
    static struct gost_script *made;
    static const struct gost_kit *made_for;
    char text[2048], why[300];

    if (made && made_for == kit && made->kind == (uint32_t)kind &&
        strcmp(made->component, name) == 0)
        return made;
    gost_script_free(made);
    snprintf(text, sizeof text, "target example.com:443\n%s %s %s", ge_kind_word((uint32_t)kind, 0),
             name, options ? options : "");
    made = gost_script_parse(text, name, why, sizeof why);
    made_for = kit;
    if (!made) {
        fprintf(stderr, "fuzz: %s\n", why);
        abort();
    }
    return made;
}

/* The first byte of each piece says how long it is and where it goes. */
static void feed_all(struct kit_world *w, const uint8_t *data, size_t size)
{
    while (size > 1 && !w->outcome->why[0]) {
        size_t n = 1 + (data[0] & 63);
        struct kit_end *e = w->port[data[0] >> 6];

        data++;
        size--;
        n = n < size ? n : size;
        if (e && e->stack && !e->told_end)
            kit_feed(w, e, data, n);
        data += n;
        size -= n;
    }
}

int gost_kit_fuzz(struct gost_kit *kit, enum gost_kind kind, const char *name, const char *options,
                  const uint8_t *data, size_t size)
{
    struct kit_world *w = calloc(1, sizeof *w);
    struct gost_outcome o;
    uint32_t i;

    if (!w || size < 8) {
        free(w);
        return 0;
    }
    memset(&o, 0, sizeof o);
    w->kit = kit;
    w->script = script_of(kit, kind, name, options);
    w->outcome = &o;
    w->how.tail = 0xa5;
    w->how.old = 0x5a;
    w->dice = data;
    w->n_dice = 8;
    if (kit_world_open(w) == GOST_OK)
        feed_all(w, data + 8, size - 8);
    for (i = 0; i < GOST_PORTS; i++) {
        if (w->port[i] && w->port[i]->stack)
            kit_end_input(w, w->port[i], 0);
    }
    kit_world_close(w);
    free(w);
    if (o.why[0]) {
        fprintf(stderr, "%s: %s\n", name, o.why);
        abort();
    }
    return 0;
}
