/* conf_errors.c - what a configuration pass found wrong, all of it, with places. */
/* SPDX-License-Identifier: MIT */
#include "conf_errors.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conf_text.h"

enum { ERRORS_MAX = 200, WORD_MAX = 63 };

static void errors_push(struct gh_conf_errors *errs, enum gh_severity severity, char *position,
                        char *message)
{
    if (position == NULL || message == NULL)
        goto no_memory;
    if (errs->count == errs->room) {
        size_t room = errs->room != 0 ? errs->room * 2 : 8;
        struct gh_conf_error *items = reallocarray(errs->items, room, sizeof(*items));
        if (items == NULL)
            goto no_memory;
        errs->items = items;
        errs->room = room;
    }
    errs->items[errs->count++] = (struct gh_conf_error){severity, position, message};
    return;

no_memory:
    errs->no_memory = true;
    free(position);
    free(message);
}

/* The text of a finding, *owned*; NULL: no memory. */
__attribute__((format(printf, 1, 0))) static char *format_message(const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    char *message = len >= 0 ? malloc((size_t)len + 1) : NULL;
    if (message != NULL)
        vsnprintf(message, (size_t)len + 1, fmt, again);
    va_end(again);
    return message;
}

__attribute__((format(printf, 4, 0))) static void errors_vadd(struct gh_conf_errors *errs,
                                                              enum gh_severity severity,
                                                              const char *position, const char *fmt,
                                                              va_list ap)
{
    if (severity == GH_ERROR)
        errs->errors++;
    if (errs->count >= ERRORS_MAX) {
        errs->dropped++;
        return;
    }
    errors_push(errs, severity, strdup(position != NULL ? position : ""), format_message(fmt, ap));
}

void gh_errors_at(struct gh_conf_errors *errs, enum gh_severity severity, const struct gh_value *at,
                  const char *fmt, ...)
{
    char position[GH_POS_MAX];
    va_list ap;
    va_start(ap, fmt);
    errors_vadd(errs, severity, gh_pos_text(at, position), fmt, ap);
    va_end(ap);
}

void gh_errors_add(struct gh_conf_errors *errs, enum gh_severity severity, const char *position,
                   const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    errors_vadd(errs, severity, position, fmt, ap);
    va_end(ap);
}

void gh_errors_move(struct gh_conf_errors *to, struct gh_conf_errors *from)
{
    for (size_t i = 0; i < from->count; i++)
        errors_push(to, from->items[i].severity, from->items[i].position, from->items[i].message);
    to->errors += from->errors;
    to->dropped += from->dropped;
    to->no_memory |= from->no_memory;
    free(from->items);
    *from = (struct gh_conf_errors){0};
}

bool gh_errors_failed(const struct gh_conf_errors *errs)
{
    return errs->errors != 0 || errs->no_memory;
}

void gh_errors_print(const struct gh_conf_errors *errs, FILE *to)
{
    for (size_t i = 0; i < errs->count; i++) {
        const struct gh_conf_error *e = &errs->items[i];
        fprintf(to, "%s: %s%s%s\n", e->severity == GH_ERROR ? "error" : "warning", e->position,
                *e->position != '\0' ? ": " : "", e->message);
    }
    if (errs->dropped != 0)
        fprintf(to, "and %zu more\n", errs->dropped);
    if (errs->no_memory)
        fprintf(to, "error: out of memory\n");
}

void gh_errors_free(struct gh_conf_errors *errs)
{
    for (size_t i = 0; i < errs->count; i++) {
        free(errs->items[i].position);
        free(errs->items[i].message);
    }
    free(errs->items);
    *errs = (struct gh_conf_errors){0};
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Edits between two short words; swapping two neighbours counts as one. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
    unsigned rows[3][WORD_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++)
        last[j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            bool same = lower(a[i - 1]) == lower(b[j - 1]);
            unsigned best = last[j - 1] + !same;
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]) && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
        unsigned *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[m];
}

void gh_suggest_start(struct gh_suggest *s, const char *wanted)
{
    size_t len = strlen(wanted);
    *s = (struct gh_suggest){.wanted = wanted};
    /* A third of the word may be wrong, and at most three letters. */
    s->distance = (unsigned)(len / 3 < 3 ? len / 3 : 3) + 1;
}

void gh_suggest_offer(struct gh_suggest *s, const char *candidate)
{
    size_t n = strlen(s->wanted), m = strlen(candidate);
    if (n > WORD_MAX || m > WORD_MAX)
        return;
    unsigned d = distance(s->wanted, n, candidate, m);
    if (d < s->distance) {
        s->distance = d;
        s->best = candidate;
    }
}

const char *gh_suggest_text(const struct gh_suggest *s, char *buf, size_t size)
{
    buf[0] = '\0';
    if (s->best != NULL)
        snprintf(buf, size, " (did you mean \"%s\"?)", s->best);
    return buf;
}
