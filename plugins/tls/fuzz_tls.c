/* fuzz_tls.c - names, pins, ALPN lists and record headers; the first byte chooses. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "tls_names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int good)
{
    if (!good)
        abort();
}

static void fuzz_pin(const char *text)
{
    uint8_t pin[TLS_PIN_SIZE], again[TLS_PIN_SIZE];
    char form[TLS_PIN_TEXT];

    if (tls_pin_parse(text, pin) != GOST_OK)
        return;
    tls_pin_format(pin, form);
    check(tls_pin_parse(form, again) == GOST_OK && memcmp(pin, again, sizeof pin) == 0);
}

/* The text before the first zero byte is the pattern, the rest the name. */
static void fuzz_name(const char *text, size_t n)
{
    const char *zero = memchr(text, 0, n);
    const char *name = zero ? zero + 1 : text;

    if (tls_name_match(text, name) && text[0] != '*')
        check(tls_name_match(name, text) || name[0] == '*');
}

static void fuzz_alpn(const uint8_t *p, size_t n)
{
    size_t half = n / 2;
    struct gost_bytes ours = gost_bytes(p, half), theirs = gost_bytes(p + half, n - half), name;

    if (tls_alpn_select(ours, theirs, &name) == GOST_OK)
        check(name.n > 0 && name.p > ours.p && name.p + name.n <= ours.p + ours.n);
}

/* Whole or in pieces, the records end at the same places. */
static void fuzz_records(const uint8_t *p, size_t n)
{
    struct tls_records whole = {0, 0, 0}, pieces = {0, 0, 0};
    size_t at = 0, step;

    tls_records_feed(&whole, p, n);
    while (at < n) {
        step = 1 + p[at] % 7u;
        if (step > n - at)
            step = n - at;
        tls_records_feed(&pieces, p + at, step);
        at += step;
    }
    check(whole.left == pieces.left && whole.n == pieces.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size == 0)
        return 0;
    text = malloc(size);
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    switch (data[0] % 4) {
    case 0:
        fuzz_pin(text);
        break;
    case 1:
        fuzz_name(text, size - 1);
        break;
    case 2:
        fuzz_alpn(data + 1, size - 1);
        break;
    default:
        fuzz_records(data + 1, size - 1);
    }
    (void)tls_version_parse(text);
    (void)tls_suite_name(text);
    free(text);
    return 0;
}
