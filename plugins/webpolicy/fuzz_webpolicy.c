/* fuzz_webpolicy.c - any answer is read or refused; any credentials become JSON that is read. */
/* SPDX-License-Identifier: MIT */
#include <cjson/cJSON.h>
#include <stdlib.h>

#include "webpolicy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gost_a_auth a = {.size = sizeof a};
    struct gost_q_auth q = {.size = sizeof q};
    uint8_t text[8192];
    cJSON *json;
    size_t n;

    if (size > 1024)
        return 0;
    if (webpolicy_auth_read(gost_bytes(data, size), &a) == GOST_OK && strlen(a.id) >= sizeof a.id)
        abort();
    q.user = gost_bytes(data, size / 2);
    q.secret = gost_bytes(data + size / 2, size - size / 2);
    n = webpolicy_auth_put(text, sizeof text, &q);
    json = n ? cJSON_ParseWithLength((const char *)text, n) : NULL;
    if (!json || n > webpolicy_auth_size(&q))
        abort();
    cJSON_Delete(json);
    return 0;
}
