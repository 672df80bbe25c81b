/* webpolicy.h - policies that a web service decides: GOST's plugins of type http. */
/* SPDX-License-Identifier: MIT */
#ifndef WEBPOLICY_H
#define WEBPOLICY_H

#include <gost/plugin.h>

#include "http1_post.h"

struct webpolicy_conf {
    const char *url;
    struct gost_bytes token;
};

struct webpolicy {
    struct gost_post post;
    uint8_t *body; /* of the instance's arena; wiped when it ends */
    size_t body_n;
};

/* ---- webpolicy_json.c: pure ---- */

/* Room that the text of a question takes at most. */
size_t webpolicy_auth_size(const struct gost_q_auth *q);
/* {"service":...,"username":...,"password":...,"client":...}; its length. */
size_t webpolicy_auth_put(uint8_t *to, size_t size, const struct gost_q_auth *q);
/* {"ok":bool,"id":"..."}: GOST_OK, or GOST_EPROTO: it is no such object. id: cut nowhere, an id
 * that is longer than its room is GOST_EPROTO, too. */
int webpolicy_auth_read(struct gost_bytes text, struct gost_a_auth *ret_answer);

#endif
