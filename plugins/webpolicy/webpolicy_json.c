/* webpolicy_json.c - questions as JSON, in the keys and order of GOST, and what is answered. */
/* SPDX-License-Identifier: MIT */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "webpolicy.h"

/* Letters of JSON that Go writes in another way: \n, \r, \t and quotes by a backslash, the rest by
 * number, also what HTML might read. */
static void put_string(struct gost_http1_out *out, struct gost_bytes s)
{
    char text[8];
    size_t i;

    gost_http1_put_str(out, "\"");
    for (i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        if (c == '"' || c == '\\')
            snprintf(text, sizeof text, "\\%c", c);
        else if (c == '\n' || c == '\r' || c == '\t')
            snprintf(text, sizeof text, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else if (c < 0x20 || c == '<' || c == '>' || c == '&' || c == 0x7f)
            snprintf(text, sizeof text, "\\u%04x", c);
        else
            snprintf(text, sizeof text, "%c", c);
        gost_http1_put_str(out, text);
    }
    gost_http1_put_str(out, "\"");
    gost_wipe(text, sizeof text);
}

size_t webpolicy_auth_size(const struct gost_q_auth *q)
{
    return 6 * (q->service.n + q->user.n + q->secret.n) + GOST_ADDR_TEXT + 100;
}

size_t webpolicy_auth_put(uint8_t *to, size_t size, const struct gost_q_auth *q)
{
    struct gost_http1_out out = {to, 0, size, 0};
    char client[GOST_ADDR_TEXT] = "";

    if (q->client && q->client->family != GOST_AF_NONE)
        gost_addr_format(q->client, client, sizeof client);
    gost_http1_put_str(&out, "{\"service\":");
    put_string(&out, q->service);
    gost_http1_put_str(&out, ",\"username\":");
    put_string(&out, q->user);
    gost_http1_put_str(&out, ",\"password\":");
    put_string(&out, q->secret);
    gost_http1_put_str(&out, ",\"client\":");
    put_string(&out, gost_bytes_str(client));
    gost_http1_put_str(&out, "}");
    return out.full ? 0 : out.n;
}

int webpolicy_auth_read(struct gost_bytes text, struct gost_a_auth *ret_answer)
{
    cJSON *json = text.n ? cJSON_ParseWithLength((const char *)text.p, text.n) : NULL;
    const cJSON *ok = cJSON_GetObjectItemCaseSensitive(json, "ok");
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(json, "id");
    int r = GOST_OK;

    if (!cJSON_IsObject(json) || (ok && !cJSON_IsBool(ok) && !cJSON_IsNull(ok)) ||
        (id && !cJSON_IsString(id) && !cJSON_IsNull(id)) ||
        (cJSON_IsString(id) && strlen(id->valuestring) >= sizeof ret_answer->id))
        r = GOST_EPROTO;
    if (r == GOST_OK) {
        ret_answer->ok = cJSON_IsTrue(ok) != 0;
        snprintf(ret_answer->id, sizeof ret_answer->id, "%s",
                 cJSON_IsString(id) ? id->valuestring : "");
    }
    cJSON_Delete(json);
    return r;
}
