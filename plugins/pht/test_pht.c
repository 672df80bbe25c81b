/* test_pht.c - lines, tokens, queries; what the recordings hold is read as it was meant. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_capture.h"
#include "pht.h"

static uint8_t plain[65536];

/* Decodes a text in pieces of `step` bytes. -1: refused; else how many, in *ret_lines lines. */
static int decode(const char *text, size_t n, size_t step, int *ret_lines)
{
    struct pht_decoder d = {0};
    size_t got, out = 0, at = 0;
    int used, line, lines = 0;

    while (at < n) {
        size_t k = n - at < step ? n - at : step;

        used = pht_decode(&d, gost_bytes(text + at, k), plain + out, &got, &line);
        if (used <= 0)
            return -1;
        at += (size_t)used;
        out += got;
        lines += line;
    }
    *ret_lines = lines;
    return (int)out;
}

static int gives(const char *text, const char *want, int want_lines)
{
    size_t step, n = strlen(text);
    int lines, good = 1;

    for (step = 1; step <= n; step++) {
        int r = decode(text, n, step, &lines);

        good &=
            r == (int)strlen(want) && memcmp(plain, want, strlen(want)) == 0 && lines == want_lines;
    }
    return good;
}

static int refused(const char *text)
{
    int lines;

    return decode(text, strlen(text), strlen(text), &lines) < 0 &&
           decode(text, strlen(text), 1, &lines) < 0;
}

static void lines(void)
{
    char text[64];

    ok(gives("QUJD\n", "ABC", 1), "a line");
    ok(gives("QUI=\nQQ==\r\n\nQUJD\n", "ABAABC", 4), "lines with padding, CR, and an empty one");
    ok(gives("QUJDRA==", "ABCD", 0), "a line that is not over");
    ok(refused("!!!\n") && refused("QQ=\n") && refused("Q\n"), "no base64");
    ok(refused("QQ==QQ==\n") && refused("=QQQ\n") && refused("Q===\n"), "padding in the middle");
    ok(refused("QR==\n") && refused("QUJ=\n"), "bits that mean nothing");
    ok(pht_line(text, gost_bytes_str("ABC")) == 5 && !memcmp(text, "QUJD\n", 5), "our line");
    ok(pht_line_size(0) == 1 && pht_line_size(1) == 5 && pht_line_size(32768) == 43693,
       "lengths of lines");
}

static int token_is(const char *query, const char *want)
{
    return gost_bytes_eq(pht_query_token(gost_bytes_str(query)), gost_bytes_str(want));
}

static void tokens(void)
{
    static const uint8_t random[12] = {0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 1};
    char t[PHT_TOKEN + 1] = "";

    ok(token_is("token=abc-_9", "abc-_9") && token_is("x=1&token=b&token=c", "b"), "a query");
    ok(token_is("", "") && token_is("token=", "") && token_is("tokens=a", "") &&
           token_is("token=a%20b", "") && token_is("token=a@b", ""),
       "queries without a token that could be one");
    ok(pht_answer_token(gost_bytes_str("token=dc1uiglqmd2skdmt3asg\n")).n == 20,
       "the answer to authorize");
    pht_token(t, random);
    ok(strlen(t) == 20 && strspn(t, "0123456789abcdefghijklmnopqrstuv") == 20 &&
           pht_is_token(gost_bytes_str(t)) && t[19] == 'g',
       "a token of ours has the digits of theirs");
}

/* The bodies of recorded pushes and answers. */
static void recorded(void)
{
    static const char *const files[] = {"pht-relay", "head-pht-relay", "phts-relay",
                                        "head-phts-relay"};
    static struct record r;
    char path[200];
    size_t i;
    int good = 1, n, k;

    for (i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "plugins/pht/captures/%s.txt", files[i]);
        for (k = 0, n = 0; k < 4 && n == 0; k++) {
            const char *body;
            int l;

            load_record(&r, path, '>', k);
            body = r.n ? memmem(r.p, r.n, "\r\n\r\n", 4) : NULL;
            if (body && r.n > 4 && !memcmp(r.p, "POST", 4))
                n = decode(body + 4, r.n - (size_t)((const uint8_t *)body + 4 - r.p), 7, &l);
        }
        good &= n == 25 && memcmp(plain + 14, "ping-client", 11) == 0;
    }
    ok(good, "recorded pushes");
}

int main(void)
{
    lines();
    tokens();
    recorded();
    return test_end();
}
