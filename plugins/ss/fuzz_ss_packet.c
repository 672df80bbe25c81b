/* fuzz_ss_packet.c - datagrams: foreign ones, and authentic ones with any body. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "ss_packet.h"
#include "test_methods.h"

#define PSK "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t fixed_now(void)
{
    return GOST_S;
}

static void counted_random(void *p, size_t n)
{
    static uint8_t next;

    while (n--)
        ((uint8_t *)p)[n] = next++;
}

static const volatile int32_t level = GOST_LOG_FATAL;
static const struct gost_host host = {.size = sizeof host,
                                      .log_level = &level,
                                      .now = fixed_now,
                                      .unix_time = fixed_now,
                                      .random = counted_random};
const struct gost_host *gost_host_ = &host;

static struct ss_conf conf[3];
static uint8_t buf[SS_PACKET_MAX + SS_VARIABLE_MAX], sealed[SS_PACKET_MAX + SS_VARIABLE_MAX];

static void prepare(struct ss_conf *c, const char *method, const char *password)
{
    char error[256];
    struct gost_prepare p = {sizeof p, GOST_SERVER, "fuzz", error, sizeof error};

    c->method = method_index(method);
    c->password = gost_bytes_str(password);
    if (ss_prepare(c, &p) != GOST_OK)
        abort();
}

static void try_open(const struct ss_conf *c, int server, struct gost_bytes in)
{
    struct ss_packet s;
    struct gost_addr addr;
    struct gost_bytes payload;
    const char *why = NULL;
    int r;

    memset(&s, 0, sizeof s);
    s.arg.keys = c->made;
    s.key = ss_keys_own(c->made);
    r = ss_packet_open(&s, server, in, buf, &addr, &payload, &why);
    if (r != GOST_OK && !why)
        abort();
    if (r == GOST_OK && (payload.p < buf || payload.p + payload.n > buf + in.n))
        abort();
}

/* A packet whose separate header and body are the fuzzer's, sealed as a client would. */
static void authentic(const uint8_t *data, size_t size)
{
    const struct ss_keys *k = conf[1].made;
    uint8_t key[SS_KEY_MAX];

    if (size < 16 || size > 60000)
        return;
    if (ss_subkey(k->method, k->key[0].psk, gost_bytes(data, SS_SESSION_ID), key) != GOST_OK ||
        ss_block(k->method, k->key[0].psk, data, sealed, 1) != GOST_OK ||
        ss_seal_once(k->method, key, data + 4, sealed + 16, gost_bytes(data + 16, size - 16)) !=
            GOST_OK)
        abort();
    try_open(&conf[1], 1, gost_bytes(sealed, size + SS_TAG));
    try_open(&conf[1], 0, gost_bytes(sealed, size + SS_TAG));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gost_bytes in = gost_bytes(data, size);
    int i;

    if (!conf[0].made) {
        prepare(&conf[0], "none", "");
        prepare(&conf[1], "2022-blake3-aes-256-gcm", PSK);
        prepare(&conf[2], "2022-blake3-chacha20-poly1305", PSK);
    }
    for (i = 0; i < 3; i++) {
        try_open(&conf[i], 1, in);
        try_open(&conf[i], 0, in);
    }
    authentic(data, size);
    return 0;
}
