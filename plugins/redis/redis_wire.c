/* redis_wire.c - commands and replies of a redis server; hiredis formats and reads. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include <hiredis/hiredis.h>

#include "redis.h"

/* ---- commands ---- */

/* Appends one command to the text. */
static int append(char **text, size_t *n, int argc, const char **argv, const size_t *len)
{
    char *one = NULL, *more;
    long long size = redisFormatCommandArgv(&one, argc, argv, len);

    if (size < 0)
        return GOST_ENOMEM;
    more = realloc(*text, *n + (size_t)size);
    if (more) {
        *text = more;
        memcpy(more + *n, one, (size_t)size);
        *n += (size_t)size;
    }
    gost_wipe(one, (size_t)size);
    redisFreeCommand(one);
    return more ? GOST_OK : GOST_ENOMEM;
}

static int append_auth(const struct redis_conf *cf, char **text, size_t *n)
{
    const char *argv[3] = {"AUTH", cf->username, (const char *)cf->password.p};
    size_t len[3] = {4, cf->username ? strlen(cf->username) : 0, cf->password.n};

    if (len[1] == 0) {
        argv[1] = argv[2];
        len[1] = len[2];
        return append(text, n, 2, argv, len);
    }
    return append(text, n, 3, argv, len);
}

static int append_fetch(const struct redis_conf *cf, char **text, size_t *n)
{
    static const char *const names[] = {"SMEMBERS", "LRANGE", "HGETALL", "GET"};
    const char *argv[4] = {names[cf->type], cf->key, "0", "-1"};
    size_t len[4] = {strlen(argv[0]), strlen(cf->key), 1, 2};

    return append(text, n, cf->type == REDIS_LIST ? 4 : 2, argv, len);
}

static int append_record(const struct redis_conf *cf, struct gost_bytes record, char **text,
                         size_t *n)
{
    static const char *const names[] = {"SADD", "LPUSH", "ZINCRBY"};
    const char *argv[4] = {names[cf->type], cf->key, "1", (const char *)record.p};
    size_t len[4] = {strlen(argv[0]), strlen(cf->key), 1, record.n};

    if (cf->type == REDIS_COUNT)
        return append(text, n, 4, argv, len);
    argv[2] = argv[3];
    len[2] = len[3];
    return append(text, n, 3, argv, len);
}

/* AUTH and SELECT, where they are needed. */
static int append_login(const struct redis_conf *cf, char **text, size_t *n, unsigned *replies)
{
    char db[24];
    const char *argv[2] = {"SELECT", db};
    size_t len[2] = {6, 0};
    int r = GOST_OK;

    *replies = 0;
    if (cf->password.n) {
        r = append_auth(cf, text, n);
        ++*replies;
    }
    if (r == GOST_OK && cf->db) {
        len[1] = (size_t)snprintf(db, sizeof db, "%lld", (long long)cf->db);
        r = append(text, n, 2, argv, len);
        ++*replies;
    }
    return r;
}

/* `record` NULL: fetch. */
static int commands(const struct redis_conf *cf, const struct gost_bytes *record, char **ret_text,
                    size_t *ret_n, unsigned *ret_replies)
{
    char *text = NULL;
    size_t n = 0;
    unsigned replies;
    int r = append_login(cf, &text, &n, &replies);

    if (r == GOST_OK)
        r = record ? append_record(cf, *record, &text, &n) : append_fetch(cf, &text, &n);
    if (r != GOST_OK) {
        free(text);
        return r;
    }
    *ret_text = text;
    *ret_n = n;
    *ret_replies = replies + 1;
    return GOST_OK;
}

int redis_commands(const struct redis_conf *cf, char **ret_text, size_t *ret_n,
                   unsigned *ret_replies)
{
    return commands(cf, NULL, ret_text, ret_n, ret_replies);
}

int redis_record_commands(const struct redis_conf *cf, struct gost_bytes record, char **ret_text,
                          size_t *ret_n, unsigned *ret_replies)
{
    return commands(cf, &record, ret_text, ret_n, ret_replies);
}

/* ---- replies ---- */

/* hiredis makes room for all that an array promises: more than this is not believed. */
enum { ELEMENTS_MAX = 1 << 22 };

#if HIREDIS_MAJOR >= 1
typedef size_t count_t;
#else
typedef int count_t;
#endif

/* A reader whose arrays are bounded. */
struct reader {
    redisReader *reader;
    redisReplyObjectFunctions fn;
    const redisReplyObjectFunctions *own; /* of hiredis */
};

static void *create_array(const redisReadTask *task, count_t n)
{
    const struct reader *r = task->privdata;

    return n > ELEMENTS_MAX ? NULL : r->own->createArray(task, n);
}

static struct reader *reader_new(void)
{
    struct reader *r = calloc(1, sizeof *r);

    if (r)
        r->reader = redisReaderCreate();
    if (!r || !r->reader) {
        free(r);
        return NULL;
    }
    r->own = r->reader->fn;
    r->fn = *r->own;
    r->fn.createArray = create_array;
    r->reader->fn = &r->fn;
    r->reader->privdata = r;
    return r;
}

static void reader_free(struct reader *r)
{
    if (r)
        redisReaderFree(r->reader);
    free(r);
}

static int fail(struct redis_answer *a, int code, const char *text)
{
    snprintf(a->error, sizeof a->error, "%s", text);
    return code;
}

static int put(struct redis_answer *a, const char *p, size_t n)
{
    size_t room = a->room ? a->room : 4096;
    char *more;

    while (room < a->n + n)
        room *= 2;
    if (room != a->room) {
        more = realloc(a->data, room);
        if (!more)
            return fail(a, GOST_ENOMEM, "out of memory");
        a->data = more;
        a->room = room;
    }
    if (n)
        memcpy(a->data + a->n, p, n);
    a->n += n;
    return GOST_OK;
}

/* An item with a line end in it would be two. */
static int is_line(const redisReply *r)
{
    return (r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS) &&
           !memchr(r->str, '\n', r->len);
}

static int put_items(struct redis_answer *a, const redisReply *list, size_t step)
{
    size_t i;
    int r = GOST_OK;

    for (i = 0; r == GOST_OK && i + step <= list->elements; i += step) {
        const redisReply *x = list->element[i], *y = list->element[i + step - 1];

        if (!is_line(x) || !is_line(y))
            continue;
        r = put(a, x->str, x->len);
        if (r == GOST_OK && step == 2)
            r = put(a, " ", 1);
        if (r == GOST_OK && step == 2)
            r = put(a, y->str, y->len);
        if (r == GOST_OK)
            r = put(a, "\n", 1);
    }
    return r;
}

static int last_reply(struct redis_answer *a, uint32_t type, const redisReply *reply)
{
    if (type == REDIS_NO_DATA)
        return GOST_OK;
    if (type == REDIS_STRING) {
        if (reply->type == REDIS_REPLY_NIL)
            return GOST_OK;
        if (reply->type != REDIS_REPLY_STRING)
            return fail(a, GOST_EPROTO, "the reply is no string");
        return put(a, reply->str, reply->len);
    }
    if (reply->type != REDIS_REPLY_ARRAY)
        return fail(a, GOST_EPROTO, "the reply is no array");
    return put_items(a, reply, type == REDIS_HASH ? 2 : 1);
}

static int one_reply(struct redis_answer *a, uint32_t type, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ERROR)
        return fail(a, GOST_EPEER, reply->str);
    if (--a->left > 0)
        return GOST_OK; /* of AUTH or SELECT */
    return last_reply(a, type, reply);
}

int redis_feed(struct redis_answer *a, uint32_t type, struct gost_bytes in)
{
    void *reply = NULL;
    redisReader *reader;
    int r = GOST_OK;

    if (!a->reader)
        a->reader = reader_new();
    if (!a->reader)
        return fail(a, GOST_ENOMEM, "out of memory");
    reader = a->reader->reader;
    a->seen += in.n;
    if (a->seen > REDIS_DATA_MAX)
        return fail(a, GOST_ETOOBIG, "the answer is too long");
    if (in.n && redisReaderFeed(reader, (const char *)in.p, in.n) != REDIS_OK)
        return fail(a, GOST_ENOMEM, "out of memory");
    while (a->left > 0 && r == GOST_OK) {
        if (redisReaderGetReply(reader, &reply) != REDIS_OK)
            return fail(a, GOST_EPROTO, "the answer is not the protocol of redis");
        if (!reply)
            return GOST_AGAIN;
        r = one_reply(a, type, reply);
        freeReplyObject(reply);
    }
    return r;
}

void redis_answer_free(struct redis_answer *a)
{
    reader_free(a->reader);
    if (a->data)
        gost_wipe(a->data, a->n);
    free(a->data);
    memset(a, 0, sizeof *a);
}
