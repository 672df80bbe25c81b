/* redis.h - commands and replies of a redis server, without the plugin around it. */
/* SPDX-License-Identifier: MIT */
#ifndef REDIS_H
#define REDIS_H

#include <gost/plugin.h>

#define REDIS_DATA_MAX (64u << 20) /* bytes of one answer */

enum redis_type { REDIS_SET, REDIS_LIST, REDIS_HASH, REDIS_STRING };
enum redis_record { REDIS_ADD, REDIS_PUSH, REDIS_COUNT }; /* set, list, sorted set */

struct redis_conf {
    struct gost_addr addr;
    int64_t db;
    const char *username;
    struct gost_bytes password;
    const char *key;
    uint32_t type; /* enum redis_type, of a recorder enum redis_record */
};

/* The commands that fetch, in one piece. *ret_text is *owned*, free() it; *ret_replies says how
 * many replies come. GOST_OK or GOST_ENOMEM. */
int redis_commands(const struct redis_conf *cf, char **ret_text, size_t *ret_n,
                   unsigned *ret_replies);

/* The same for storing one record. */
int redis_record_commands(const struct redis_conf *cf, struct gost_bytes record, char **ret_text,
                          size_t *ret_n, unsigned *ret_replies);

/* What came back so far. Zeroed: nothing. */
struct redis_answer {
    struct reader *reader; /* *owned* */
    unsigned left;         /* replies that have yet to come; the caller sets it */
    size_t seen;
    char *data; /* lines; *owned* */
    size_t n, room;
    char error[160]; /* of the server, or ours */
};

#define REDIS_NO_DATA UINT32_MAX /* type of redis_feed(): any reply but an error will do */

/* GOST_OK: complete; GOST_AGAIN: more; else an error with `error` filled. */
int redis_feed(struct redis_answer *a, uint32_t type, struct gost_bytes in);
void redis_answer_free(struct redis_answer *a);

#endif
