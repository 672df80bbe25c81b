/* ws_path.c - request paths: cleaning, comparing, escaping. */
/* SPDX-License-Identifier: MIT */
#include "ws_path.h"

#include <stdio.h>

static int is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void ws_target_split(struct gost_bytes target, struct gost_bytes *ret_path,
                     struct gost_bytes *ret_query)
{
    const uint8_t *mark, *slashes, *end = target.p + target.n;

    *ret_query = gost_bytes(NULL, 0);
    mark = target.n ? memchr(target.p, '?', target.n) : NULL;
    if (mark) {
        *ret_query = gost_bytes(mark + 1, (size_t)(end - mark - 1));
        end = mark;
    }
    *ret_path = gost_bytes(target.p, (size_t)(end - target.p));
    if (ret_path->n == 0 || target.p[0] == '/')
        return;
    slashes = memmem(target.p, ret_path->n, "://", 3);
    if (!slashes)
        return;
    slashes += 3;
    mark = memchr(slashes, '/', (size_t)(end - slashes));
    *ret_path = mark ? gost_bytes(mark, (size_t)(end - mark)) : gost_bytes("/", 1);
}

size_t ws_path_clean(char *to, struct gost_bytes path)
{
    size_t n = 0, i = 0, from, len;
    int slash = path.n > 0 && path.p[path.n - 1] == '/';

    while (i < path.n) {
        while (i < path.n && path.p[i] == '/')
            i++;
        for (from = i; i < path.n && path.p[i] != '/'; i++)
            ;
        len = i - from;
        if (len == 0 || (len == 1 && path.p[from] == '.'))
            continue;
        if (len == 2 && path.p[from] == '.' && path.p[from + 1] == '.') {
            while (n > 0 && to[--n] != '/')
                ;
            continue;
        }
        to[n++] = '/';
        memcpy(to + n, path.p + from, len);
        n += len;
    }
    if (n == 0 || (slash && to[n - 1] != '/'))
        to[n++] = '/';
    to[n] = 0;
    return n;
}

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int ws_path_is(const char *own, struct gost_bytes path)
{
    size_t n = strlen(own), at = 0, i = 0;
    int c;

    for (; i < path.n; i++, at++) {
        c = path.p[i];
        if (c == '%') {
            if (path.n - i < 3 || hex(path.p[i + 1]) < 0 || hex(path.p[i + 2]) < 0)
                return 0;
            c = hex(path.p[i + 1]) << 4 | hex(path.p[i + 2]);
            i += 2;
        }
        if (at == n)
            return n > 0 && own[n - 1] == '/';
        if (c != (uint8_t)own[at])
            return 0;
    }
    return at == n;
}

size_t ws_path_escape(char *to, size_t size, const char *own)
{
    size_t n = 0;
    uint8_t c;

    for (; *own; own++) {
        c = (uint8_t)*own;
        if (size - n < 4)
            return 0;
        if (is_alnum(c) || strchr("-_.~$&+,/:;=@", c))
            to[n++] = (char)c;
        else
            n += (size_t)snprintf(to + n, 4, "%%%02X", c);
    }
    if (size == n)
        return 0;
    to[n] = 0;
    return n;
}
