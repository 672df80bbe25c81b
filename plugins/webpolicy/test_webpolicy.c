/* test_webpolicy.c - questions and answers as GOST's plugin services have them. */
/* SPDX-License-Identifier: MIT */
#include "webpolicy.h"

#include "../../sdk/testkit/test_tap.h"

static uint8_t text[2048];

static int is_asked(const char *user, const char *secret, const char *want)
{
    struct gost_addr client;
    struct gost_q_auth q = {.size = sizeof q, .client = &client};
    size_t n;

    (void)gost_addr_parse(&client, "127.0.0.1:57134", 15, 0);
    q.user = gost_bytes_str(user);
    q.secret = gost_bytes_str(secret);
    q.service = gost_bytes_str("svc");
    if (webpolicy_auth_size(&q) > sizeof text)
        return 0;
    n = webpolicy_auth_put(text, webpolicy_auth_size(&q), &q);
    if (n == strlen(want) && memcmp(text, want, n) == 0)
        return 1;
    printf("# %.*s\n", (int)n, (const char *)text);
    return 0;
}

static int reads(const char *answer, int want, const char *id)
{
    struct gost_a_auth a = {.size = sizeof a, .ok = 7};
    int r = webpolicy_auth_read(gost_bytes_str(answer), &a);

    if (want < 0)
        return r == GOST_EPROTO && a.ok == 7;
    return r == GOST_OK && (int)a.ok == want && strcmp(a.id, id) == 0;
}

int main(void)
{
    char longer[400];

    ok(is_asked("user", "pass",
                "{\"service\":\"svc\",\"username\":\"user\",\"password\":\"pass\","
                "\"client\":\"127.0.0.1:57134\"}"),
       "a question as it was recorded");
    ok(is_asked("a\"b\\c\n\x01", "<&>\xc3\xa4",
                "{\"service\":\"svc\",\"username\":\"a\\\"b\\\\c\\n\\u0001\",\"password\":"
                "\"\\u003c\\u0026\\u003e\xc3\xa4\",\"client\":\"127.0.0.1:57134\"}"),
       "letters that JSON has in another way");
    ok(reads("{\"ok\":true,\"id\":\"client-7\"}", 1, "client-7"), "yes");
    ok(reads("{\"ok\":false,\"id\":\"client-7\"}", 0, "client-7"), "no");
    ok(reads(" {\"x\":[1,{}],\"ok\":true}", 1, "") && reads("{}", 0, ""), "no id, nothing at all");
    ok(reads("", -1, "") && reads("true", -1, "") && reads("{\"ok\":\"true\"}", -1, "") &&
           reads("{\"ok\":1}", -1, "") && reads("{\"ok\":true,\"id\":5}", -1, "") &&
           reads("{\"ok\":true", -1, ""),
       "what is no answer");
    snprintf(longer, sizeof longer, "{\"ok\":true,\"id\":\"%0300d\"}", 1);
    ok(reads(longer, -1, ""), "an id that has no room is not cut");
    return test_end();
}
