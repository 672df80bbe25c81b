/* conf_emit_scalar.c - how a string is quoted in YAML output, and the order of keys. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_emit_internal.h"
#include "conf_parse.h"

enum { BASE64_LINE = 70 };

/* What stands in the way of the nicer styles. */
struct analysis {
    bool no_plain;
    bool no_single;
    bool no_block;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_break_code(uint32_t code)
{
    return code == '\n' || code == '\r' || code == 0x85 || code == 0x2028 || code == 0x2029;
}

/* Characters that need no escape. Those beyond 16 bits do, in the writer that this follows. */
static bool is_printable(uint32_t code)
{
    return code == '\n' || (code >= 0x20 && code <= 0x7e) || (code >= 0xa0 && code <= 0xd7ff) ||
           (code >= 0xe000 && code <= 0xfffd && code != 0xfeff);
}

/* Whether the character at `i` gives the text another meaning in block style. */
static bool is_indicator(const char *text, size_t len, size_t i)
{
    /* Only blanks and the end count here: line breaks forbid the plain style by themselves. */
    bool blank_after = i + 1 >= len || is_blank(text[i + 1]);
    if (text[i] == ':')
        return blank_after;
    if (i == 0 && (text[i] == '-' || text[i] == '?'))
        return blank_after;
    if (i == 0)
        return strchr("#,[]{}&*!|>'\"%@`", text[i]) != NULL && text[i] != '\0';
    return text[i] == '#' && (is_blank(text[i - 1]) || text[i - 1] == '\n');
}

static struct analysis analyse(const char *text, size_t len)
{
    struct analysis a = {0};
    bool previous_space = false, previous_break = false;
    a.no_block = len == 0;
    if (len >= 3 && (memcmp(text, "---", 3) == 0 || memcmp(text, "...", 3) == 0))
        a.no_plain = true;
    for (size_t i = 0; i < len;) {
        uint32_t code = 0;
        unsigned size = gh_utf8_decode(text + i, len - i, &code);
        bool edge = i == 0 || i + size == len;
        a.no_plain |= is_indicator(text, len, i);
        if (code == '\t')
            a.no_plain = a.no_single = true;
        else if (!is_printable(code))
            a.no_plain = a.no_single = a.no_block = true;
        if (code == ' ') {
            a.no_plain |= edge || previous_break;
            a.no_single |= previous_break;
            a.no_block |= i + size == len;
            previous_space = true;
            previous_break = false;
        } else if (is_break_code(code)) {
            a.no_plain = true;
            a.no_single |= previous_space;
            a.no_block |= previous_space;
            previous_space = false;
            previous_break = true;
        } else {
            previous_space = previous_break = false;
        }
        i += size;
    }
    return a;
}

static void write_single(struct gh_text *to, const char *text, size_t len)
{
    gh_text_char(to, '\'');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\'')
            gh_text_char(to, '\'');
        gh_text_char(to, text[i]);
    }
    gh_text_char(to, '\'');
}

static void write_escape(struct gh_text *to, uint32_t code)
{
    static const struct {
        uint32_t code;
        char letter;
    } short_forms[] = {{0, '0'},     {7, 'a'},    {8, 'b'},    {9, 't'},      {10, 'n'},
                       {11, 'v'},    {12, 'f'},   {13, 'r'},   {27, 'e'},     {'"', '"'},
                       {'\\', '\\'}, {0x85, 'N'}, {0xa0, '_'}, {0x2028, 'L'}, {0x2029, 'P'}};
    for (size_t i = 0; i < sizeof(short_forms) / sizeof(short_forms[0]); i++) {
        if (short_forms[i].code == code) {
            gh_text_printf(to, "\\%c", short_forms[i].letter);
            return;
        }
    }
    if (code <= 0xff)
        gh_text_printf(to, "\\x%02X", (unsigned)code);
    else if (code <= 0xffff)
        gh_text_printf(to, "\\u%04X", (unsigned)code);
    else
        gh_text_printf(to, "\\U%08X", (unsigned)code);
}

static void write_double(struct gh_text *to, const char *text, size_t len)
{
    gh_text_char(to, '"');
    for (size_t i = 0; i < len;) {
        uint32_t code = 0;
        unsigned size = gh_utf8_decode(text + i, len - i, &code);
        if (!is_printable(code) || is_break_code(code) || code == '"' || code == '\\')
            write_escape(to, code);
        else
            gh_text_add(to, text + i, size);
        i += size;
    }
    gh_text_char(to, '"');
}

/* "|" with its hints, then the lines at `indent` blanks. */
static void write_literal(struct gh_text *to, const char *text, size_t len, size_t indent)
{
    gh_text_char(to, '|');
    if (text[0] == ' ' || text[0] == '\n')
        gh_text_char(to, '2');
    if (text[len - 1] != '\n')
        gh_text_char(to, '-');
    else if (len == 1 || text[len - 2] == '\n')
        gh_text_char(to, '+');
    gh_text_char(to, '\n');
    while (len > 0) {
        const char *end = memchr(text, '\n', len);
        size_t line = end != NULL ? (size_t)(end - text) : len;
        if (line > 0) {
            gh_text_fill(to, ' ', indent);
            gh_text_add(to, text, line);
        }
        gh_text_char(to, '\n');
        size_t used = line + (end != NULL);
        text += used;
        len -= used;
    }
}

static bool is_utf8(const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t code;
        unsigned size = gh_utf8_decode(text + i, len - i, &code);
        if (size == 0)
            return false;
        i += size;
    }
    return true;
}

/* Bytes that are no text. */
static void write_binary(struct gh_text *to, const char *data, size_t len, size_t indent)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)data;
    bool lines = (len + 2) / 3 * 4 >= BASE64_LINE;
    size_t column = 0;
    gh_text_str(to, lines ? "!!binary |\n" : "!!binary ");
    if (lines)
        gh_text_fill(to, ' ', indent);
    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)p[i] << 16;
        bits |= have > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        bits |= have > 2 ? p[i + 2] : 0;
        for (size_t j = 0; j < 4; j++) {
            if (lines && column == BASE64_LINE) {
                gh_text_char(to, '\n');
                gh_text_fill(to, ' ', indent);
                column = 0;
            }
            gh_text_char(to, j <= have ? alphabet[bits >> (18 - 6 * j) & 63] : '=');
            column++;
        }
    }
}

void gh_yaml_string(struct gh_text *to, const char *text, size_t len, size_t indent, bool key)
{
    if (!is_utf8(text, len)) {
        write_binary(to, text, len, indent);
        return;
    }
    struct analysis a = analyse(text, len);
    bool lines = memchr(text, '\n', len) != NULL;
    if (lines && !a.no_block && !key)
        write_literal(to, text, len, indent);
    else if (lines || !gh_yaml_plain_is_string(text, len))
        write_double(to, text, len);
    else if (!a.no_plain)
        gh_text_add(to, text, len);
    else if (!a.no_single)
        write_single(to, text, len);
    else
        write_double(to, text, len);
}

/* ---- order of keys ---- */

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

/* Beyond ASCII: everything but the blocks of punctuation and symbols. */
static bool is_letter(uint32_t c)
{
    if (c < 0x80)
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (c < 0xc0)
        return c == 0xaa || c == 0xb5 || c == 0xba;
    return c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c < 0x2c00) && !(c >= 0x3000 && c < 0x3005);
}

/* A key as characters; broken bytes stand for themselves. */
struct runes {
    uint32_t *at;
    size_t count;
};

static struct runes decode_key(const char *key)
{
    size_t len = strlen(key);
    struct runes r = {calloc(len + 1, sizeof(uint32_t)), 0};
    for (size_t i = 0; r.at != NULL && i < len;) {
        uint32_t code = 0xfffd;
        unsigned size = gh_utf8_decode(key + i, len - i, &code);
        r.at[r.count++] = code;
        i += size != 0 ? size : 1;
    }
    return r;
}

/* The number that begins at `i`; moves *end behind it. Wraps as Go does. */
static uint64_t number_at(const struct runes *r, size_t i, uint64_t value, size_t *end)
{
    for (; i < r->count && is_digit(r->at[i]); i++)
        value = value * 10 + (r->at[i] - '0');
    *end = i;
    return value;
}

/* Order of two keys whose first difference is at `i` and where neither has a letter there. */
static int compare_numbers(const struct runes *a, const struct runes *b, size_t i)
{
    uint64_t lead = 0;
    if (a->at[i] == '0' || b->at[i] == '0') {
        for (size_t j = i; j > 0 && is_digit(a->at[j - 1]); j--) {
            if (a->at[j - 1] != '0') {
                lead = 1;
                break;
            }
        }
    }
    size_t end_a, end_b;
    int64_t x = (int64_t)number_at(a, i, lead, &end_a);
    int64_t y = (int64_t)number_at(b, i, lead, &end_b);
    if (x != y)
        return x < y ? -1 : 1;
    if (end_a != end_b)
        return end_a < end_b ? -1 : 1;
    return a->at[i] < b->at[i] ? -1 : 1;
}

static int compare_runes(const struct runes *a, const struct runes *b)
{
    bool digits = false;
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        uint32_t x = a->at[i], y = b->at[i];
        if (x == y) {
            digits = is_digit(x);
            continue;
        }
        bool letter_x = is_letter(x), letter_y = is_letter(y);
        if (letter_x && letter_y)
            return x < y ? -1 : 1;
        if (letter_x || letter_y)
            return (digits ? letter_x : letter_y) ? -1 : 1;
        return compare_numbers(a, b, i);
    }
    return (a->count > b->count) - (a->count < b->count);
}

int gh_yaml_key_order(const char *a, const char *b)
{
    struct runes x = decode_key(a), y = decode_key(b);
    int order = x.at != NULL && y.at != NULL ? compare_runes(&x, &y) : strcmp(a, b);
    free(x.at);
    free(y.at);
    return order;
}
