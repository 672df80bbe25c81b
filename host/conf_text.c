/* conf_text.c - text that grows, for the configuration's writers and messages. */
/* SPDX-License-Identifier: MIT */
#include "conf_text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Moves instead of realloc(), so that no copy of a secret stays behind. */
static bool text_grow(struct gh_text *text, size_t more)
{
    if (text->failed || more > SIZE_MAX / 4 - text->len)
        return false;
    size_t need = text->len + more + 1;
    if (need <= text->room)
        return true;
    size_t room = text->room != 0 ? text->room : 64;
    while (room < need)
        room *= 2;
    char *data = malloc(room);
    if (data == NULL)
        return false;
    if (text->data != NULL) {
        memcpy(data, text->data, text->len);
        explicit_bzero(text->data, text->len);
        free(text->data);
    }
    data[text->len] = '\0';
    text->data = data;
    text->room = room;
    return true;
}

void gh_text_add(struct gh_text *text, const void *data, size_t len)
{
    if (!text_grow(text, len)) {
        text->failed = true;
        return;
    }
    if (len != 0)
        memcpy(text->data + text->len, data, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void gh_text_str(struct gh_text *text, const char *str)
{
    gh_text_add(text, str, strlen(str));
}

void gh_text_char(struct gh_text *text, char c)
{
    gh_text_add(text, &c, 1);
}

void gh_text_fill(struct gh_text *text, char c, size_t count)
{
    if (!text_grow(text, count)) {
        text->failed = true;
        return;
    }
    memset(text->data + text->len, c, count);
    text->len += count;
    text->data[text->len] = '\0';
}

void gh_text_printf(struct gh_text *text, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (len < 0 || !text_grow(text, (size_t)len)) {
        text->failed = true;
        return;
    }
    va_start(ap, fmt);
    vsnprintf(text->data + text->len, (size_t)len + 1, fmt, ap);
    va_end(ap);
    text->len += (size_t)len;
}

char *gh_text_take(struct gh_text *text)
{
    gh_text_add(text, "", 0);
    if (text->failed) {
        gh_text_free(text);
        return NULL;
    }
    char *data = text->data;
    *text = (struct gh_text){0};
    return data;
}

void gh_text_free(struct gh_text *text)
{
    if (text->data != NULL)
        explicit_bzero(text->data, text->len);
    free(text->data);
    *text = (struct gh_text){0};
}

unsigned gh_utf8_decode(const char *text, size_t len, uint32_t *ret_code)
{
    const unsigned char *p = (const unsigned char *)text;
    unsigned size = p[0] < 0x80                   ? 1
                    : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
                    : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
                    : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                                  : 0;
    if (size == 0 || size > len)
        return 0;
    uint32_t code = size == 1 ? p[0] : p[0] & (0xffu >> (size + 1));
    for (unsigned i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3fu);
    }
    if ((size == 3 && code < 0x800) || (size == 4 && code < 0x10000) || code > 0x10ffff ||
        (code >= 0xd800 && code < 0xe000))
        return 0;
    *ret_code = code;
    return size;
}

const char *gh_hide_login(const char *text, char *buf, size_t size)
{
    const char *at = strrchr(text, '@');

    snprintf(buf, size, "%s%s", at != NULL ? "***" : "", at != NULL ? at : text);
    return buf;
}
