/* conf_json.c - JSON to value trees, with the place of every value. */
/* SPDX-License-Identifier: MIT */
#include "conf_parse.h"

#include <stdlib.h>
#include <string.h>

#include "conf_number.h"
#include "conf_text.h"

enum { DUPLICATES_MAX = 100 }; /* in one object */

struct reader {
    const char *at;
    const char *end;
    const char *line_start;
    uint32_t line;
    size_t values;
    struct gh_source *source;
    struct gh_conf_errors *errs;
};

static void fail(struct reader *r, const char *message)
{
    struct gh_value at = {.source = r->source, .line = r->line};
    at.column = (uint32_t)(r->at - r->line_start) + 1;
    gh_errors_at(r->errs, GH_ERROR, &at, "not valid JSON: %s", message);
}

static void skip_blanks(struct reader *r)
{
    for (; r->at < r->end; r->at++) {
        if (*r->at == '\n') {
            r->line++;
            r->line_start = r->at + 1;
        } else if (*r->at != ' ' && *r->at != '\t' && *r->at != '\r') {
            return;
        }
    }
}

static bool next_is(struct reader *r, char c)
{
    return r->at < r->end && *r->at == c;
}

/* Four hexadecimal digits of "\u1234"; -1: something else. */
static int read_hex4(struct reader *r)
{
    int code = 0;
    if (r->end - r->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = *r->at++;
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0)
            return -1;
        code = code * 16 + d;
    }
    return code;
}

static void add_utf8(struct gh_text *text, unsigned code)
{
    if (code < 0x80) {
        gh_text_char(text, (char)code);
        return;
    }
    if (code < 0x800) {
        gh_text_char(text, (char)(0xc0 | code >> 6));
    } else {
        if (code < 0x10000) {
            gh_text_char(text, (char)(0xe0 | code >> 12));
        } else {
            gh_text_char(text, (char)(0xf0 | code >> 18));
            gh_text_char(text, (char)(0x80 | (code >> 12 & 0x3f)));
        }
        gh_text_char(text, (char)(0x80 | (code >> 6 & 0x3f)));
    }
    gh_text_char(text, (char)(0x80 | (code & 0x3f)));
}

/* Reads what follows "\u". A half of a pair without the other becomes U+FFFD. */
static bool read_unicode(struct reader *r, struct gh_text *text)
{
    int code = read_hex4(r);
    if (code < 0)
        return false;
    if (code >= 0xd800 && code < 0xdc00 && r->end - r->at >= 6 && r->at[0] == '\\' &&
        r->at[1] == 'u') {
        const char *back = r->at;
        r->at += 2;
        int low = read_hex4(r);
        if (low >= 0xdc00 && low < 0xe000) {
            add_utf8(text, 0x10000 + (((unsigned)code - 0xd800) << 10) + ((unsigned)low - 0xdc00));
            return true;
        }
        r->at = back;
    }
    add_utf8(text, code >= 0xd800 && code < 0xe000 ? 0xfffd : (unsigned)code);
    return true;
}

static bool read_escape(struct reader *r, struct gh_text *text)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (r->at == r->end)
        return false;
    char c = *r->at++;
    if (c == 'u')
        return read_unicode(r, text);
    const char *p = c != '\0' ? strchr(from, c) : NULL;
    if (p == NULL)
        return false;
    gh_text_char(text, to[p - from]);
    return true;
}

/* Adds text; bytes that are no UTF-8 become U+FFFD, as in Go. */
static void add_checked(struct gh_text *text, const char *from, size_t len)
{
    while (len > 0) {
        uint32_t code;
        size_t size = gh_utf8_decode(from, len, &code);
        gh_text_str(text, size != 0 ? "" : "\xef\xbf\xbd");
        gh_text_add(text, from, size);
        from += size != 0 ? size : 1;
        len -= size != 0 ? size : 1;
    }
}

/* Reads a string whose opening quote is next. False: reported. */
static bool read_string(struct reader *r, struct gh_text *text)
{
    r->at++;
    for (;;) {
        const char *start = r->at;
        while (r->at < r->end && *r->at != '"' && *r->at != '\\' && (unsigned char)*r->at >= 0x20)
            r->at++;
        add_checked(text, start, (size_t)(r->at - start));
        if (r->at == r->end || (unsigned char)*r->at < 0x20) {
            fail(r, r->at == r->end ? "a string has no closing quote"
                                    : "a string contains a line break or control character");
            return false;
        }
        if (*r->at++ == '"')
            break;
        if (!read_escape(r, text)) {
            fail(r, "bad escape in a string");
            return false;
        }
    }
    gh_text_add(text, "", 0);
    if (text->failed) {
        r->errs->no_memory = true;
        return false;
    }
    return true;
}

static size_t digits(struct reader *r)
{
    const char *start = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return (size_t)(r->at - start);
}

/* Moves behind a number of JSON's grammar. */
static bool scan_number(struct reader *r, bool *ret_integer)
{
    *ret_integer = true;
    if (next_is(r, '-'))
        r->at++;
    bool zero = next_is(r, '0');
    size_t count = digits(r);
    if (count == 0 || (zero && count > 1))
        return false;
    if (next_is(r, '.')) {
        r->at++;
        *ret_integer = false;
        if (digits(r) == 0)
            return false;
    }
    if (next_is(r, 'e') || next_is(r, 'E')) {
        r->at++;
        *ret_integer = false;
        if (next_is(r, '+') || next_is(r, '-'))
            r->at++;
        if (digits(r) == 0)
            return false;
    }
    return true;
}

static struct gh_value *read_number(struct reader *r)
{
    const char *start = r->at;
    bool integer;
    if (!scan_number(r, &integer)) {
        fail(r, "a value must begin here (a number, \"text\", true, false, null, { or [)");
        return NULL;
    }
    struct gh_text text = {0};
    gh_text_add(&text, start, (size_t)(r->at - start));
    struct gh_value *value = NULL;
    int64_t i;
    double d;
    if (text.failed)
        r->errs->no_memory = true;
    else if (integer && gh_parse_int(text.data, 10, &i))
        value = gh_int_new(i);
    else if (gh_parse_double(text.data, &d))
        value = gh_double_new(d);
    else
        fail(r, "a number is too large");
    if (value != NULL)
        value->flags |= GH_VALUE_JSON;
    gh_text_free(&text);
    return value;
}

static bool word_is(struct reader *r, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
        return false;
    r->at += len;
    return true;
}

static struct gh_value *read_text(struct reader *r)
{
    struct gh_text text = {0};
    struct gh_value *value = NULL;
    if (read_string(r, &text))
        value = gh_string_new_len(text.data, text.len);
    gh_text_free(&text);
    return value;
}

static struct gh_value *read_value(struct reader *r, unsigned depth);

/* Reads a comma or the closing bracket: 1 go on, 0 closed, -1 reported. */
static int read_separator(struct reader *r, char close)
{
    skip_blanks(r);
    if (next_is(r, close)) {
        r->at++;
        return 0;
    }
    if (!next_is(r, ',')) {
        fail(r,
             close == ']' ? "\",\" or \"]\" must follow here" : "\",\" or \"}\" must follow here");
        return -1;
    }
    r->at++;
    return 1;
}

static bool read_items(struct reader *r, struct gh_value *list, unsigned depth)
{
    r->at++;
    skip_blanks(r);
    if (next_is(r, ']')) {
        r->at++;
        return true;
    }
    for (;;) {
        struct gh_value *item = read_value(r, depth);
        if (item == NULL)
            return false;
        if (gh_list_append(list, item) != 0) {
            r->errs->no_memory = true;
            return false;
        }
        int more = read_separator(r, ']');
        if (more <= 0)
            return more == 0;
    }
}

/* Reads "key": value. */
static bool read_member(struct reader *r, struct gh_value *map, unsigned depth)
{
    skip_blanks(r);
    if (!next_is(r, '"')) {
        fail(r, "a key in double quotes must follow here");
        return false;
    }
    struct gh_text key = {0};
    bool ok = read_string(r, &key);
    if (ok && strlen(key.data) != key.len) {
        fail(r, "a key contains a NUL character");
        ok = false;
    }
    if (ok) {
        skip_blanks(r);
        ok = next_is(r, ':');
        if (!ok)
            fail(r, "\":\" must follow here");
    }
    if (ok) {
        r->at++;
        struct gh_value *value = read_value(r, depth);
        ok = value != NULL;
        if (ok && gh_map_append(map, key.data, value) != 0) {
            r->errs->no_memory = true;
            ok = false;
        }
    }
    gh_text_free(&key);
    return ok;
}

/* Of equal keys the last one counts, as in Go; that is hardly meant, so it is a warning. The
 * first one takes its value and the later one goes. */
static bool drop_duplicates(struct reader *r, struct gh_value *map)
{
    size_t twice;
    unsigned count = 0;
    while ((twice = gh_map_duplicate(map, false)) < map->u.map.count) {
        if (count++ == DUPLICATES_MAX) {
            fail(r, "an object has too many keys twice");
            return false;
        }
        struct gh_member later = map->u.map.members[twice];
        gh_errors_at(r->errs, GH_WARNING, later.value,
                     "the key \"%s\" appears twice in one object; the last one counts", later.key);
        map->u.map.count--;
        memmove(&map->u.map.members[twice], &map->u.map.members[twice + 1],
                (map->u.map.count - twice) * sizeof(later));
        gh_map_set(map, later.key, later.value);
        free(later.key);
    }
    return true;
}

static bool read_members(struct reader *r, struct gh_value *map, unsigned depth)
{
    r->at++;
    skip_blanks(r);
    if (next_is(r, '}')) {
        r->at++;
        return true;
    }
    for (;;) {
        if (!read_member(r, map, depth))
            return false;
        int more = read_separator(r, '}');
        if (more < 0)
            return false;
        if (more == 0)
            break;
    }
    return drop_duplicates(r, map);
}

static struct gh_value *read_container(struct reader *r, unsigned depth)
{
    if (depth >= GH_PARSE_DEPTH) {
        fail(r, "too many levels of objects and lists inside each other");
        return NULL;
    }
    bool list = *r->at == '[';
    struct gh_value *value = list ? gh_list_new() : gh_map_new();
    if (value == NULL)
        return NULL;
    if (list ? !read_items(r, value, depth + 1) : !read_members(r, value, depth + 1)) {
        gh_value_free(value);
        return NULL;
    }
    return value;
}

static struct gh_value *read_bare(struct reader *r)
{
    if (word_is(r, "true"))
        return gh_bool_new(true);
    if (word_is(r, "false"))
        return gh_bool_new(false);
    if (word_is(r, "null"))
        return gh_null();
    return read_number(r);
}

/* *Owned*; NULL: reported, or no memory. */
static struct gh_value *read_value(struct reader *r, unsigned depth)
{
    skip_blanks(r);
    uint32_t line = r->line;
    uint32_t column = (uint32_t)(r->at - r->line_start) + 1;
    if (r->at == r->end) {
        fail(r, "the text ends too early");
        return NULL;
    }
    if (r->values++ >= GH_PARSE_VALUES) {
        fail(r, "too many values");
        return NULL;
    }
    struct gh_value *value;
    if (*r->at == '{' || *r->at == '[')
        value = read_container(r, depth);
    else if (*r->at == '"')
        value = read_text(r);
    else
        value = read_bare(r);
    return gh_value_place(value, r->source, line, column);
}

struct gh_value *gh_json_parse(const char *data, size_t len, struct gh_source *source,
                               struct gh_conf_errors *errs)
{
    if (len > GH_PARSE_BYTES) {
        gh_errors_add(errs, GH_ERROR, gh_source_name(source), "larger than %d MiB",
                      GH_PARSE_BYTES / (1024 * 1024));
        return NULL;
    }
    struct reader r = {data, data + len, data, 1, 0, source, errs};
    size_t before = errs->errors;
    struct gh_value *value = read_value(&r, 0);
    if (value == NULL) {
        if (errs->errors == before)
            errs->no_memory = true;
        return NULL;
    }
    skip_blanks(&r);
    if (r.at != r.end) {
        fail(&r, "something follows the end of the value");
        gh_value_free(value);
        return NULL;
    }
    return value;
}
