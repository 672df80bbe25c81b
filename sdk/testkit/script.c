/* script.c - a transcript from a file, and its end. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "script.h"

#define TEXT_MAX (1u << 20)

struct gost_script *gost_script_read(const char *path, char *why, size_t n)
{
    FILE *f = fopen(path, "r");
    char *text = calloc(1, TEXT_MAX + 1);
    struct gost_script *s = NULL;
    size_t got;

    snprintf(why, n, "%s: cannot be read: %s", path, f ? "out of memory" : strerror(errno));
    if (f && text) {
        got = fread(text, 1, TEXT_MAX + 1, f);
        if (got > TEXT_MAX || ferror(f)) {
            snprintf(why, n, "%s: cannot be read: too long, or %s", path, strerror(errno));
        } else {
            text[got] = 0;
            s = gost_script_parse(text, path, why, n);
        }
    }
    if (f)
        fclose(f);
    free(text);
    return s;
}

void gost_script_free(struct gost_script *s)
{
    struct kit_item *it;
    struct kit_answer *a;
    uint32_t i;

    if (!s)
        return;
    while ((it = s->items)) {
        s->items = it->next;
        free(it->data);
        free(it->mask);
        free(it);
    }
    while ((a = s->answers)) {
        s->answers = a->next;
        free(a->text);
        free(a);
    }
    for (i = 0; i < s->n_kv; i++) {
        free((char *)s->kv[i].key);
        free((char *)s->kv[i].text);
    }
    free(s->user);
    free(s->secret);
    free(s->component);
    free(s->name);
    free(s);
}
