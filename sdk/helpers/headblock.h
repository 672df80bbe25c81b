/* headblock.h - heads of exchanges in HTTP/2 and HTTP/3 (libgost-helpers.a, not installed). */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_HEADBLOCK_H
#define GOST_HEADBLOCK_H

#include <gost/io.h>

#define GOST_BLOCK_FIELDS 512u
#define GOST_HTTP_DATE    40

/* The fields of a header block while they come in. */
struct gost_span {
    uint32_t at, name_n, value_n; /* of the name in text; the value follows it */
};

struct gost_block {
    char *text;
    size_t n, room;
    struct gost_span *span;
    uint32_t n_span, span_room;
    uint32_t parts; /* frames of the block */
    int too_big, no_memory;
};

void gost_block_begin(struct gost_block *b);
void gost_block_add(struct gost_block *b, struct gost_bytes name, struct gost_bytes value,
                    size_t max);
void gost_block_free(struct gost_block *b);
int gost_block_head(struct gost_block *b, struct gost_head *ret_head,
                    struct gost_field **ret_fields);

void gost_http_date(char *to, uint64_t seconds);
struct gost_bytes gost_head_get(const struct gost_head *h, const char *name);
int gost_head_has(const struct gost_head *head, const char *name);
int gost_field_secret(struct gost_bytes name);

/*
 * A head as a list of fields, pseudo fields first, in the order of GOST's programs (method_first:
 * of grpc-go); `more` fields come last. GOST_OK or GOST_ENOMEM; the caller frees ret_list->v, whose
 * views are those of the arguments.
 */
struct gost_field_list {
    struct gost_field *v;
    size_t n;
};
int gost_head_list(const struct gost_head *head, int method_first, const struct gost_field *more,
                   uint32_t n_more, struct gost_field_list *ret_list);

#endif
