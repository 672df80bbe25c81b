/* ss_blake3.c - BLAKE3, small and portable. */
/* SPDX-License-Identifier: MIT */
/*
 * Shadowsocks 2022 derives its keys with BLAKE3. OpenSSL has none, and the oldest distribution this
 * is built on packages it as a program and as Rust and Go sources only, so there is nothing to link
 * with. A connection hashes less than 200 bytes: no vector code is worth its lines here.
 *
 * The input is a binary tree of chunks of 1024 bytes, each a chain of blocks of 64. A subtree's
 * value is eight words; only the root, compressed with its own flag and a counter, gives output.
 */
#include "ss_blake3.h"

#define BLOCK 64u
#define CHUNK 1024u

enum flag {
    CHUNK_START = 1,
    CHUNK_END = 2,
    PARENT = 4,
    ROOT = 8,
    KEYED = 16,
    DERIVE_CONTEXT = 32,
    DERIVE_MATERIAL = 64
};

static const uint32_t iv[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                               0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* What is left to compress of a subtree: kept open, because the root gets another flag. */
struct node {
    uint32_t cv[8], block[16];
    uint64_t counter;
    uint32_t n, flags;
};

static uint32_t rotr(uint32_t v, unsigned n)
{
    return v >> n | v << (32 - n);
}

static uint32_t get_le(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void mix(uint32_t *s, unsigned a, unsigned b, unsigned c, unsigned d, uint32_t x, uint32_t y)
{
    s[a] += s[b] + x;
    s[d] = rotr(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = rotr(s[b] ^ s[c], 12);
    s[a] += s[b] + y;
    s[d] = rotr(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = rotr(s[b] ^ s[c], 7);
}

static void one_round(uint32_t s[16], const uint32_t m[16])
{
    mix(s, 0, 4, 8, 12, m[0], m[1]);
    mix(s, 1, 5, 9, 13, m[2], m[3]);
    mix(s, 2, 6, 10, 14, m[4], m[5]);
    mix(s, 3, 7, 11, 15, m[6], m[7]);
    mix(s, 0, 5, 10, 15, m[8], m[9]);
    mix(s, 1, 6, 11, 12, m[10], m[11]);
    mix(s, 2, 7, 8, 13, m[12], m[13]);
    mix(s, 3, 4, 9, 14, m[14], m[15]);
}

static void permute(uint32_t m[16])
{
    static const uint8_t order[16] = {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8};
    uint32_t old[16];
    unsigned i;

    memcpy(old, m, sizeof old);
    for (i = 0; i < 16; i++)
        m[i] = old[order[i]];
    gost_wipe(old, sizeof old);
}

/* The whole state after seven rounds; its first eight words are the chaining value. */
static void compress(const struct node *node, uint64_t counter, uint32_t flags, uint32_t s[16])
{
    uint32_t m[16];
    unsigned i;

    memcpy(m, node->block, sizeof m);
    memcpy(s, node->cv, sizeof node->cv);
    memcpy(s + 8, iv, 16);
    s[12] = (uint32_t)counter;
    s[13] = (uint32_t)(counter >> 32);
    s[14] = node->n;
    s[15] = flags;
    for (i = 0; i < 7; i++) {
        one_round(s, m);
        permute(m);
    }
    for (i = 0; i < 8; i++) {
        s[i] ^= s[i + 8];
        s[i + 8] ^= node->cv[i];
    }
    gost_wipe(m, sizeof m);
}

static void chaining_value(const struct node *node, uint32_t ret_cv[8])
{
    uint32_t s[16];

    compress(node, node->counter, node->flags, s);
    memcpy(ret_cv, s, 32);
    gost_wipe(s, sizeof s);
}

static void load_block(struct node *node, const uint8_t *p, size_t n)
{
    uint8_t block[BLOCK] = {0};
    unsigned i;

    if (n)
        memcpy(block, p, n);
    for (i = 0; i < 16; i++)
        node->block[i] = get_le(block + 4 * i);
    node->n = (uint32_t)n;
    gost_wipe(block, sizeof block);
}

static void chunk_node(struct node *node, const uint32_t key[8], uint32_t flags, uint64_t counter,
                       struct gost_bytes in)
{
    uint32_t start = CHUNK_START;

    memcpy(node->cv, key, 32);
    node->counter = counter;
    while (in.n > BLOCK) {
        load_block(node, in.p, BLOCK);
        node->flags = flags | start;
        chaining_value(node, node->cv);
        start = 0;
        in = gost_bytes(in.p + BLOCK, in.n - BLOCK);
    }
    load_block(node, in.p, in.n);
    node->flags = flags | start | CHUNK_END;
}

/* The left half of a tree is the largest power of two of chunks that leaves something right. */
static size_t left_size(size_t n)
{
    size_t left = CHUNK;

    while (left * 2 < n)
        left *= 2;
    return left;
}

static void tree_node(struct node *node, const uint32_t key[8], uint32_t flags, uint64_t counter,
                      struct gost_bytes in)
{
    struct node child;
    size_t left;

    if (in.n <= CHUNK) {
        chunk_node(node, key, flags, counter, in);
        return;
    }
    left = left_size(in.n);
    tree_node(&child, key, flags, counter, gost_bytes(in.p, left));
    chaining_value(&child, node->block);
    tree_node(&child, key, flags, counter + left / CHUNK, gost_bytes(in.p + left, in.n - left));
    chaining_value(&child, node->block + 8);
    memcpy(node->cv, key, 32);
    node->counter = 0;
    node->n = BLOCK;
    node->flags = flags | PARENT;
    gost_wipe(&child, sizeof child);
}

static void run(uint8_t *out, size_t n, const uint32_t key[8], uint32_t flags, struct gost_bytes in)
{
    struct node root;
    uint32_t s[16];
    uint64_t counter = 0;
    size_t i;

    tree_node(&root, key, flags, 0, in);
    for (i = 0; i < n; i++) {
        if (i % BLOCK == 0)
            compress(&root, counter++, root.flags | ROOT, s);
        out[i] = (uint8_t)(s[i % BLOCK / 4] >> (8 * (i % 4)));
    }
    gost_wipe(&root, sizeof root);
    gost_wipe(s, sizeof s);
}

static void load_key(uint32_t ret_key[8], const uint8_t key[SS_BLAKE3_KEY])
{
    unsigned i;

    for (i = 0; i < 8; i++)
        ret_key[i] = get_le(key + 4 * i);
}

void ss_blake3_hash(uint8_t *ret_out, size_t ret_n, struct gost_bytes in)
{
    run(ret_out, ret_n, iv, 0, in);
}

void ss_blake3_keyed(uint8_t *ret_out, size_t ret_n, const uint8_t key[SS_BLAKE3_KEY],
                     struct gost_bytes in)
{
    uint32_t words[8];

    load_key(words, key);
    run(ret_out, ret_n, words, KEYED, in);
    gost_wipe(words, sizeof words);
}

void ss_blake3_derive(uint8_t *ret_out, size_t ret_n, const char *context,
                      struct gost_bytes material)
{
    uint8_t key[SS_BLAKE3_KEY];
    uint32_t words[8];

    run(key, sizeof key, iv, DERIVE_CONTEXT, gost_bytes_str(context));
    load_key(words, key);
    run(ret_out, ret_n, words, DERIVE_MATERIAL, material);
    gost_wipe(words, sizeof words);
}
