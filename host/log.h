/* log.h - the log: GOST's levels and line shapes, as text or JSON. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_LOG_H
#define GH_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gost/host.h>

#include "conf_tree.h"

/* Sets output, format and level from the log section (NULL: GOST's defaults: standard error, JSON,
 * info). Called again at a reload; a file that cannot be opened changes nothing. 0 or -1 with a
 * sentence in `error`. [main] */
int gh_log_configure(const struct gh_value *log, char *error, size_t error_size);

/* The descriptor that lines go to, for the line of a crash. [any] */
int gh_log_fd(void);

/* Opens a log file anew under its name, for rotation by others. [main] */
void gh_log_reopen(void);

bool gh_log_on(int level);

/* One line without fields. [any] */
void gh_log(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

enum { GH_LINE_FIELDS = 24, GH_LINE_TEXT = 3072 };

/* A line being made, on the stack. Fields may come in any order; what does not fit is left out. */
struct gh_line {
    int level;
    unsigned count;
    size_t used;
    struct {
        const char *key; /* literal */
        const char *text; /* in `buffer` */
        bool number;      /* JSON writes it without quotes */
    } field[GH_LINE_FIELDS];
    char buffer[GH_LINE_TEXT];
};

void gh_line_start(struct gh_line *line, int level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void gh_line_str(struct gh_line *line, const char *key, const char *text); /* NULL: left out */
void gh_line_int(struct gh_line *line, const char *key, uint64_t value);
void gh_line_duration(struct gh_line *line, const char *key, uint64_t ns);
void gh_line_addr(struct gh_line *line, const char *key, const struct gost_addr *addr);
void gh_line_end(struct gh_line *line); /* writes it, in one call */

#endif
