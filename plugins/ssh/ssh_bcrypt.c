/* ssh_bcrypt.c - bcrypt_pbkdf: Blowfish with a slow key schedule, over SHA-512. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/evp.h>

#include "ssh_bcrypt.h"

#define HASH       32u /* bytes of one round's result */
#define ROUNDS_MAX 10000u

/* Blowfish: 18 words and four boxes. They begin as the digits of pi. */
struct blowfish {
    uint32_t p[18], s[4][256];
};

/* ---- the digits of pi ---- */

#define DIGITS ((18 + 1024) * 32)
#define GUARD  64 /* bits that the sum of rounding errors does not reach */

/* to += or -= factor * arctan(1 / x), all times 2^(DIGITS + GUARD). */
static int add_arctan(BIGNUM *to, BN_ULONG factor, BN_ULONG x, int sign)
{
    BIGNUM *power = BN_new(), *term = BN_new();
    BN_ULONG k;
    int good = power && term && BN_set_bit(power, DIGITS + GUARD) && BN_mul_word(power, factor);

    if (good)
        (void)BN_div_word(power, x);
    for (k = 1; good && !BN_is_zero(power); k += 2) {
        good = BN_copy(term, power) != NULL;
        if (good)
            (void)BN_div_word(term, k);
        good = good && (sign > 0 ? BN_add(to, to, term) : BN_sub(to, to, term));
        sign = -sign;
        (void)BN_div_word(power, x * x);
    }
    BN_free(power);
    BN_free(term);
    return good;
}

/* Machin's formula: pi = 16 arctan(1/5) - 4 arctan(1/239). Only what follows the point is used. */
static int first_state(struct blowfish *ret_b)
{
    uint8_t bytes[DIGITS / 8];
    uint32_t words[DIGITS / 32];
    BIGNUM *pi = BN_new();
    size_t i;
    int good;

    good = pi && BN_set_word(pi, 0) && add_arctan(pi, 16, 5, 1) && add_arctan(pi, 4, 239, -1) &&
           BN_rshift(pi, pi, GUARD) && BN_mask_bits(pi, DIGITS) &&
           BN_bn2binpad(pi, bytes, sizeof bytes) == (int)sizeof bytes;
    BN_free(pi);
    if (!good)
        return GOST_ENOMEM;
    for (i = 0; i < DIGITS / 32; i++)
        words[i] = gost_get32(bytes + 4 * i);
    memcpy(ret_b->p, words, sizeof ret_b->p);
    memcpy(ret_b->s, words + 18, sizeof ret_b->s);
    return GOST_OK;
}

/* ---- Blowfish ---- */

static uint32_t mix(const struct blowfish *b, uint32_t x)
{
    return ((b->s[0][x >> 24] + b->s[1][x >> 16 & 255]) ^ b->s[2][x >> 8 & 255]) + b->s[3][x & 255];
}

static void encipher(const struct blowfish *b, uint32_t *left, uint32_t *right)
{
    uint32_t l = *left ^ b->p[0], r = *right;
    unsigned i;

    for (i = 1; i <= 16; i += 2) {
        r ^= mix(b, l) ^ b->p[i];
        l ^= mix(b, r) ^ b->p[i + 1];
    }
    *left = r ^ b->p[17];
    *right = l;
}

/* The next four bytes of 64 that go round and round. */
static uint32_t next_word(const uint8_t *bytes, size_t *at)
{
    uint32_t v = gost_get32(bytes + *at);

    *at = (*at + 4) % 64;
    return v;
}

/* salt NULL: none. */
static void expand(struct blowfish *b, const uint8_t *salt, const uint8_t *key)
{
    uint32_t l = 0, r = 0, *words = b->p;
    size_t at = 0, i, k;

    for (i = 0; i < 18; i++)
        b->p[i] ^= next_word(key, &at);
    at = 0;
    for (k = 0; k < 5; k++) {
        size_t n = k ? 256 : 18;

        words = k ? b->s[k - 1] : b->p;
        for (i = 0; i < n; i += 2) {
            if (salt) {
                l ^= next_word(salt, &at);
                r ^= next_word(salt, &at);
            }
            encipher(b, &l, &r);
            words[i] = l;
            words[i + 1] = r;
        }
    }
}

/* ---- bcrypt ---- */

static void bcrypt_hash(const struct blowfish *first, const uint8_t *pass, const uint8_t *salt,
                        uint8_t *out)
{
    static const char text[] = "OxychromaticBlowfishSwatDynamite";
    struct blowfish b = *first;
    uint32_t w[HASH / 4];
    unsigned i, k;

    expand(&b, salt, pass);
    for (i = 0; i < 64; i++) {
        expand(&b, NULL, salt);
        expand(&b, NULL, pass);
    }
    for (i = 0; i < HASH / 4; i++)
        w[i] = gost_get32((const uint8_t *)text + 4 * i);
    for (k = 0; k < 64; k++)
        for (i = 0; i < HASH / 4; i += 2)
            encipher(&b, &w[i], &w[i + 1]);
    for (i = 0; i < HASH; i++)
        out[i] = (uint8_t)(w[i / 4] >> 8 * (i % 4));
    gost_wipe(&b, sizeof b);
    gost_wipe(w, sizeof w);
}

static int sha512(const void *p, size_t n, uint8_t *out)
{
    return EVP_Digest(p, n, out, NULL, EVP_sha512(), NULL);
}

/* Part `count` of the key. */
static int one_part(const struct blowfish *first, const uint8_t *pass, struct gost_bytes salt,
                    uint32_t count, uint32_t rounds, uint8_t *out)
{
    uint8_t text[64 + 4], md[64], round[HASH];
    uint32_t i, k;
    int good;

    memcpy(text, salt.p, salt.n);
    gost_put32(text + salt.n, count);
    good = sha512(text, salt.n + 4, md);
    bcrypt_hash(first, pass, md, round);
    memcpy(out, round, HASH);
    for (i = 1; i < rounds && good; i++) {
        good = sha512(round, HASH, md);
        bcrypt_hash(first, pass, md, round);
        for (k = 0; k < HASH; k++)
            out[k] ^= round[k];
    }
    gost_wipe(round, sizeof round);
    return good;
}

int ssh_bcrypt_pbkdf(struct gost_bytes pass, struct gost_bytes salt, uint32_t rounds, uint8_t *out,
                     size_t n)
{
    size_t parts = (n + HASH - 1) / HASH, each, i, at;
    struct blowfish *first;
    uint8_t md[64], part[HASH];
    int r = GOST_OK;

    if (rounds == 0 || rounds > ROUNDS_MAX || salt.n == 0 || salt.n > 64 || n == 0)
        return GOST_EUNSUPPORTED;
    first = malloc(sizeof *first);
    if (!first || first_state(first) != GOST_OK || !sha512(pass.p, pass.n, md))
        r = GOST_ENOMEM;
    each = (n + parts - 1) / parts;
    for (at = 0; at < parts && r == GOST_OK; at++) {
        if (!one_part(first, md, salt, (uint32_t)at + 1, rounds, part))
            r = GOST_ENOMEM;
        for (i = 0; i < each && i * parts + at < n; i++)
            out[i * parts + at] = part[i];
    }
    gost_wipe(md, sizeof md);
    gost_wipe(part, sizeof part);
    free(first);
    return r;
}
