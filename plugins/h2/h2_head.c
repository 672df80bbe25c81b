/* h2_head.c - heads of exchanges for nghttp2. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "h2.h"

/*
 * A head for nghttp2, in the order that the profile's own programs write; `more` fields come last.
 * GOST_OK or GOST_ENOMEM; the caller frees *ret_nv and ret_list->v.
 */
int h2_head_nv(const struct gost_head *head, uint32_t profile, const struct gost_field *more,
               uint32_t n_more, struct gost_field_list *ret_list, nghttp2_nv **ret_nv)
{
    struct gost_field_list l;
    nghttp2_nv *v;
    size_t i;

    if (gost_head_list(head, profile == H2_GRPC, more, n_more, &l) != GOST_OK)
        return GOST_ENOMEM;
    v = calloc(l.n + 1, sizeof *v);
    if (!v) {
        free(l.v);
        return GOST_ENOMEM;
    }
    for (i = 0; i < l.n; i++) { /* nghttp2 copies both */
        struct gost_bytes value = l.v[i].value;

        v[i].name = (uint8_t *)(uintptr_t)l.v[i].name.p;
        v[i].namelen = l.v[i].name.n;
        v[i].value = (uint8_t *)(uintptr_t)(value.n ? value.p : (const uint8_t *)"");
        v[i].valuelen = value.n;
        v[i].flags =
            gost_field_secret(l.v[i].name) ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
    }
    *ret_list = l;
    *ret_nv = v;
    return GOST_OK;
}
