/* load_pattern.c - the bytes that are sent, and their verification.
 * SPDX-License-Identifier: MIT
 *
 * Word i of a stream is seed + i * STEP: it depends on the whole position, so a lost, doubled,
 * swapped or foreign piece shows, and both loops below are one vector addition per word. A
 * stream of unknown length ends with the complement of the word that would be next.
 */
#include "load.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define STEP UINT64_C(0x9e3779b97f4a7c15)
#define OUT_BYTES 65536
#define IN_BYTES 131072
#define TURN_BYTES (512 * 1024) /* per wake-up, so that flows share fairly */
#define CHECK_BYTES 4096

static uint64_t word_at(uint64_t seed, uint64_t index)
{
    return seed + index * STEP;
}

static void fill_words(uint64_t *dst, size_t n, uint64_t seed, uint64_t first)
{
    uint64_t v = word_at(seed, first);

    for (size_t i = 0; i < n; i++) {
        dst[i] = v;
        v += STEP;
    }
}

/* How many of the first words are right. */
static size_t match_words(const uint64_t *src, size_t n, uint64_t seed, uint64_t first)
{
    uint64_t v = word_at(seed, first);
    uint64_t diff = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        diff |= src[i] ^ v;
        v += STEP;
    }
    if (diff == 0)
        return n;
    v = word_at(seed, first);
    for (i = 0; i < n && src[i] == v; i++)
        v += STEP;
    return i;
}

/* Writes `len` bytes from byte `off` of the stream; `cap` is the room at `dst`. */
void load_fill(void *dst, size_t cap, uint64_t seed, uint64_t off, size_t len)
{
    _Alignas(16) uint64_t words[CHECK_BYTES / 8 + 2];
    uint8_t *p = dst;

    if (len > cap)
        load_die("pattern of %zu bytes for a room of %zu", len, cap);
    while (len > 0) {
        size_t skip = off % 8;
        size_t n = len < CHECK_BYTES ? len : CHECK_BYTES;

        fill_words(words, (skip + n + 7) / 8, seed, off / 8);
        memcpy(p, (const uint8_t *)words + skip, n);
        p += n;
        off += n;
        len -= n;
    }
}

bool load_check(const void *src, uint64_t seed, uint64_t off, size_t len)
{
    uint8_t expected[CHECK_BYTES];
    const uint8_t *p = src;

    while (len > 0) {
        size_t n = len < CHECK_BYTES ? len : CHECK_BYTES;

        load_fill(expected, sizeof(expected), seed, off, n);
        if (memcmp(p, expected, n) != 0)
            return false;
        p += n;
        off += n;
        len -= n;
    }
    return true;
}

void load_out_finish(struct load_out *out)
{
    if (out->end == LOAD_ENDLESS)
        out->end = (out->off + 7) & ~UINT64_C(7);
}

/* Puts the next bytes into `words` (the first `skip` of them are already sent). */
static size_t prepare(const struct load_out *out, uint64_t *words, size_t *ret_skip)
{
    uint64_t stop = out->end == LOAD_ENDLESS ? LOAD_ENDLESS : out->end + (out->mark ? 8 : 0);
    size_t skip = out->off % 8;
    size_t len = OUT_BYTES - skip;
    uint64_t first = out->off / 8;

    if (stop - out->off < len)
        len = (size_t)(stop - out->off);
    fill_words(words, (skip + len + 7) / 8, out->seed, first);
    if (out->mark && stop != LOAD_ENDLESS && out->off + len > out->end)
        words[out->end / 8 - first] ^= UINT64_MAX;
    *ret_skip = skip;
    return len;
}

enum load_step load_out_send(struct load_out *out, int fd)
{
    static _Alignas(64) uint64_t words[OUT_BYTES / 8];
    size_t sent = 0;

    while (sent < TURN_BYTES) {
        size_t skip;
        size_t len = prepare(out, words, &skip);
        ssize_t n;

        if (len == 0)
            return LOAD_DONE;
        n = send(fd, (const uint8_t *)words + skip, len, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? LOAD_AGAIN : LOAD_EOF;
        out->off += (uint64_t)n;
        sent += (size_t)n;
        if ((size_t)n < len)
            return LOAD_AGAIN;
    }
    return LOAD_AGAIN;
}

/* Verifies `len` bytes at `words`, where the carried bytes already stand first. */
static enum load_step digest(struct load_in *in, const uint64_t *words, size_t len)
{
    size_t n = len / 8;
    size_t good = match_words(words, n, in->seed, in->word);

    in->word += good;
    in->carried = (unsigned)(len % 8);
    if (good == n) {
        memcpy(in->carry, words + n, in->carried);
        return LOAD_AGAIN;
    }
    if (words[good] == ~word_at(in->seed, in->word) && good + 1 == n && in->carried == 0)
        return LOAD_DONE;
    return LOAD_BAD;
}

enum load_step load_in_recv(struct load_in *in, int fd)
{
    static _Alignas(64) uint64_t words[IN_BYTES / 8];
    size_t got = 0;

    while (got < TURN_BYTES) {
        enum load_step step;
        ssize_t n;

        memcpy(words, in->carry, in->carried);
        n = recv(fd, (uint8_t *)words + in->carried, IN_BYTES - in->carried, 0);
        if (n == 0)
            return LOAD_EOF;
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? LOAD_AGAIN : LOAD_EOF;
        got += (size_t)n;
        step = digest(in, words, in->carried + (size_t)n);
        if (step != LOAD_AGAIN)
            return step;
    }
    return LOAD_AGAIN;
}
