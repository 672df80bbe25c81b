/* conf_gourl.c - URLs taken apart by the rules of Go's net/url. */
/* SPDX-License-Identifier: MIT */
#include "conf_gourl.h"

#include <stdlib.h>
#include <string.h>

#include "conf_text.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Whether a character may stand unescaped in a host or user name. */
static bool allowed(char c, enum gh_gourl_part part)
{
    if ((unsigned char)c >= 0x80)
        return part == GH_GOURL_HOST;
    if (alphanumeric(c) || one_of(c, "-_.~"))
        return true;
    if (part == GH_GOURL_HOST)
        return one_of(c, "!$&'()*+,;=:[]<>\"");
    return one_of(c, ":!$&'()*+,;=%@");
}

char *gh_gourl_unescape(const char *text, size_t len, enum gh_gourl_part part, bool *ret_bad)
{
    char *out = malloc(len + 1);
    size_t n = 0;
    *ret_bad = false;
    for (size_t i = 0; out != NULL && i < len; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < len ? hex_digit(text[i + 2]) : -1;
            /* In a host only bytes beyond ASCII are written so. */
            bool plain_host = part == GH_GOURL_HOST && high < 8 && strncmp(text + i, "%25", 3) != 0;
            if (high < 0 || low < 0 || (high == 0 && low == 0) || plain_host)
                *ret_bad = true;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && part == GH_GOURL_QUERY) {
            c = ' ';
        } else if (part == GH_GOURL_HOST && !allowed(c, part)) {
            *ret_bad = true;
        }
        if (*ret_bad) {
            free(out);
            return NULL;
        }
        out[n++] = c;
    }
    if (out != NULL)
        out[n] = '\0';
    return out;
}

void gh_gourl_free(struct gh_gourl *url)
{
    char *parts[] = {url->scheme, url->user, url->password, url->host, url->path, url->query};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i] != NULL)
            explicit_bzero(parts[i], strlen(parts[i]));
        free(parts[i]);
    }
    *url = (struct gh_gourl){0};
}

/* Working state: the first problem is kept. */
struct work {
    struct gh_gourl *url;
    const char *why;
    bool no_memory;
};

static void complain(struct work *w, const char *why)
{
    if (w->why == NULL)
        w->why = why;
}

static char *keep(struct work *w, const char *text, size_t len)
{
    char *copy = strndup(text, len);
    if (copy == NULL)
        w->no_memory = true;
    return copy;
}

static char *decode(struct work *w, const char *text, size_t len, enum gh_gourl_part part,
                    const char *why)
{
    bool bad;
    char *out = gh_gourl_unescape(text, len, part, &bad);
    if (bad)
        complain(w, why);
    else if (out == NULL)
        w->no_memory = true;
    return out;
}

/* Takes the scheme off; returns what follows "://". */
static const char *parse_scheme(struct work *w, const char *text)
{
    const char *end = strstr(text, "://");
    size_t len = end != NULL ? (size_t)(end - text) : 0;
    bool ok = len > 0 && !one_of(*text, "0123456789+-.");
    for (size_t i = 0; i < len; i++)
        ok = ok && (alphanumeric(text[i]) || one_of(text[i], "+-."));
    if (!ok) {
        complain(w,
                 "the scheme must be a letter followed by letters, digits, \"+\", \"-\" or \".\"");
        return NULL;
    }
    w->url->scheme = keep(w, text, len);
    for (char *p = w->url->scheme; p != NULL && *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 32);
    return end + 3;
}

static void parse_user(struct work *w, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!allowed(text[i], GH_GOURL_USER))
            complain(w, "a user name or password has a character that must be written as %XX");
    const char *colon = memchr(text, ':', len);
    size_t name = colon != NULL ? (size_t)(colon - text) : len;
    static const char bad[] = "a user name or password has a \"%\" that no two hexadecimal digits "
                              "follow; write the character % as %25";
    w->url->has_user = true;
    w->url->has_password = colon != NULL;
    w->url->user = decode(w, text, name, GH_GOURL_USER, bad);
    w->url->password =
        colon != NULL ? decode(w, colon + 1, len - name - 1, GH_GOURL_USER, bad) : keep(w, "", 0);
}

/* Whether the text is empty or ":" and digits. */
static bool valid_port(const char *text, size_t len)
{
    if (len == 0)
        return true;
    if (*text != ':')
        return false;
    for (size_t i = 1; i < len; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

static const char *find_last(const char *text, size_t len, char c)
{
    while (len > 0)
        if (text[--len] == c)
            return text + len;
    return NULL;
}

static void parse_host(struct work *w, const char *text, size_t len)
{
    const char *port = find_last(text, len, ':');
    if (len > 0 && *text == '[') {
        const char *close = memchr(text, ']', len);
        port = close != NULL ? close + 1 : NULL;
        if (close == NULL)
            complain(w, "\"]\" is missing behind an IPv6 address");
    }
    if (port != NULL && !valid_port(port, len - (size_t)(port - text)))
        complain(w, "the port must be a number");
    w->url->host =
        decode(w, text, len, GH_GOURL_HOST, "the host has a character that is not allowed");
}

/* Whether the path can stay as it was written. */
static bool path_is_valid(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!alphanumeric(text[i]) && !one_of(text[i], "-_.~$&+,/:;=@!'()*[]%"))
            return false;
    return true;
}

/* The path as Go prints it: as written if that is valid, otherwise decoded and escaped anew. */
static char *escaped_path(struct work *w, const char *text, size_t len)
{
    char *plain = decode(w, text, len, GH_GOURL_PATH,
                         "the path has a \"%\" that no two hexadecimal digits follow");
    if (plain == NULL || path_is_valid(text, len)) {
        free(plain);
        return plain != NULL ? keep(w, text, len) : NULL;
    }
    struct gh_text out = {0};
    for (const char *p = plain; *p != '\0'; p++) {
        if (alphanumeric(*p) || one_of(*p, "-_.~$&+,/:;=@"))
            gh_text_char(&out, *p);
        else
            gh_text_printf(&out, "%%%02X", (unsigned)(unsigned char)*p);
    }
    free(plain);
    char *path = gh_text_take(&out);
    if (path == NULL)
        w->no_memory = true;
    return path;
}

static void parse_rest(struct work *w, const char *text)
{
    size_t len = strcspn(text, "#");
    const char *query = memchr(text, '?', len);
    size_t before = query != NULL ? (size_t)(query - text) : len;
    size_t authority = strcspn(text, "/?#");
    if (authority > before)
        authority = before;
    const char *at = find_last(text, authority, '@');
    const char *host = at != NULL ? at + 1 : text;
    if (at != NULL) {
        parse_user(w, text, (size_t)(at - text));
    } else {
        w->url->user = keep(w, "", 0);
        w->url->password = keep(w, "", 0);
    }
    parse_host(w, host, authority - (size_t)(host - text));
    w->url->path = escaped_path(w, text + authority, before - authority);
    w->url->query = query != NULL ? keep(w, query + 1, len - before - 1) : keep(w, "", 0);
}

int gh_gourl_parse(const char *text, struct gh_gourl *ret, const char **ret_why)
{
    struct gh_gourl url = {0};
    struct work w = {.url = &url};
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            complain(&w, "control characters are not allowed; write them as %XX");
    const char *rest = parse_scheme(&w, text);
    if (rest != NULL)
        parse_rest(&w, rest);
    if (w.why == NULL && !w.no_memory) {
        *ret = url;
        return 0;
    }
    gh_gourl_free(&url);
    *ret_why = w.why;
    return w.why != NULL ? -1 : -2;
}

char *gh_gourl_hostname(const struct gh_gourl *url)
{
    const char *host = url->host;
    size_t len = strlen(host);
    const char *colon = find_last(host, len, ':');
    if (colon != NULL && valid_port(colon, len - (size_t)(colon - host)))
        len = (size_t)(colon - host);
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']')
        return strndup(host + 1, len - 2);
    return strndup(host, len);
}
