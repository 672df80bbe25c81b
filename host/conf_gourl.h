/* conf_gourl.h - URLs taken apart by the rules of Go's net/url. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CONF_GOURL_H
#define GH_CONF_GOURL_H

#include <stdbool.h>
#include <stddef.h>

/* All strings are owned, decoded unless noted, and never NULL after success. */
struct gh_gourl {
    char *scheme; /* lower case */
    char *user;
    char *password;
    char *host;  /* with port */
    char *path;  /* still escaped */
    char *query; /* still escaped, without "?" */
    bool has_user;
    bool has_password;
};

enum gh_gourl_part { GH_GOURL_PATH, GH_GOURL_HOST, GH_GOURL_USER, GH_GOURL_QUERY };

/* Parses `text`. 0; -1: `why` says what is wrong; -2: no memory. */
int gh_gourl_parse(const char *text, struct gh_gourl *ret, const char **ret_why);

/* Wipes and frees. */
void gh_gourl_free(struct gh_gourl *url);

/* The host without port and brackets: *owned*; NULL: no memory. */
char *gh_gourl_hostname(const struct gh_gourl *url);

/* Decodes %XX (and "+" in queries) of a part. *Owned*; NULL with *ret_bad: not valid; NULL without:
 * no memory. NUL characters are not valid. */
char *gh_gourl_unescape(const char *text, size_t len, enum gh_gourl_part part, bool *ret_bad);

#endif
