/* conf_text.h - text that grows, for the configuration's writers and messages. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONF_TEXT_H
#define GH_CONF_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialised is empty. `data` is NUL terminated once something was added. A failed allocation
 * sticks in `failed`, so that writers check once at the end. */
struct gh_text {
    char *data;
    size_t len;
    size_t room;
    bool failed;
};

void gh_text_add(struct gh_text *text, const void *data, size_t len);
void gh_text_str(struct gh_text *text, const char *str);
void gh_text_char(struct gh_text *text, char c);
void gh_text_fill(struct gh_text *text, char c, size_t count);
void gh_text_printf(struct gh_text *text, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Hands the buffer over (free() it); NULL if anything failed. The text is empty afterwards. */
char *gh_text_take(struct gh_text *text);

/* Wipes and frees. */
void gh_text_free(struct gh_text *text);

/* The text without what stands before its last '@': "***@host". Returns `buf`. */
const char *gh_hide_login(const char *text, char *buf, size_t size);

/* Decodes one UTF-8 character; its size, 0: not UTF-8. `len` is at least 1. */
unsigned gh_utf8_decode(const char *text, size_t len, uint32_t *ret_code);

#endif
