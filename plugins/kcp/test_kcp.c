/* test_kcp - ciphers, error correction, compression and windows of kcp, and two ends together. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "../../sdk/testkit/test_tap.h"
#include "kcp.h"

static size_t unhex(const char *text, uint8_t *out)
{
    size_t n = 0;
    unsigned v;

    while (sscanf(text, " %2x", &v) == 1) {
        out[n++] = (uint8_t)v;
        while (*text == ' ')
            text++;
        text += 2;
    }
    return n;
}

/* ---- ciphers: one packet of the Go library for each ---- */

static const char plain[] =
    "000102030405060708090a0b0c0d0e0f edbfaef8 00000000 f100 1f00 44332211 51 00 2000 01000000 "
    "00000000 00000000 05000000 68656c6c6f";

static const struct {
    const char *name, *wire;
} vectors[] = {
    {"aes", "06109a684c0510b38efa5ecbc9ff9cdf392e7009a963342dbfdcac28875d79778084a7b8bcb85a557341c8"
            "3e58cda28898a68ddc6b357ca5a6"},
    {"aes-128", "bc7bda97ef1a699800918b941a2f20f1ff43bdf4446d881ba77f1256fa6ea7bb9e08cd5bf0775e0bb8"
                "f13bb391b5bd0b9c67854720e0383446"},
    {"aes-192", "75be6fca67a70cc4851b01f433f738a6ee213c5b6a3ef21005174b1a7f59f413662fd632be503af57e"
                "5e268487f205f2f7188ba3fbf9ae0399"},
    {"sm4", "95b8b8167371fcffcb275aacf82dce63331bf78430697ba5960dc1464f36b9d2fb28c6e25e676ac82706a1"
            "8b96560c9dc2138edfec651d211b"},
    {"tea", "f03a97e43ea22ba95688ac74ad6e54f8867c13093c9968f2ff2dc56fe9551a8f3a8d3fad5cc6d3c6a7f9d1"
            "a747d4393f2d96ae6c2c211d29b0"},
    {"xtea", "222e7aafe0f6ca60fefd2e0b7e4100b2d3f6db3c023b185cfafb0f646d4690ae84a35b509d079a24f09eb"
             "c72c4692510fded6e91f74950b6b0"},
    {"blowfish", "307eda16a5d8c8ac3f2f13dc4dc048532c688e8e3e7fdccaf62fa34346531c249fce37f2d3b71ad58"
                 "72e80fe4beb223c2c7a69b3d003846f58"},
    {"twofish", "3887d3bba85da8687f8ac5782bf6502bfa1f16c6aa737472671c82322a65e6d07f4de1c60d73bc7e16"
                "eeb50a4f35bcd77360a2a9f7d911c342"},
    {"cast5", "c09b6a4dbc3d87fff16b0aa8c74af609fed0b8b77860676cc6498f624b1812c708dc2b599ac45598691a"
              "4eedd7fb0693beae712f87eb7982d1"},
    {"3des", "4ed2c4d1d0e504c813b394e5c8301b3bbccf4e52e16bd185ed2d9dd4743955c4f61b3a8e3b8e7a529e406"
             "a7510fc2063a211cd1eb28e6bacd3"},
    {"salsa20", "0001020304050607aeb3a1894a955fdd942fdbe608dc932ba9007c83846f7e627ac33190ef2598509e"
                "d798b76775257ed69181c8bfc5708176"},
    {"xor", "513d53e28cf98989a3344a0dcb3a5a6ceb6060211c0932125c09cfabe7971be25d5883712faeed56dff221"
            "4277b2f79794299032d55ac52815"},
    {"none",
     "000102030405060708090a0b0c0d0e0fedbfaef800000000f1001f00443322115100200001000000000000"
     "00000000000500000068656c6c6f"},
};

static void test_ciphers(void)
{
    uint8_t pass[KCP_PASS], want[64], packet[64], clear[64];
    size_t i, n = unhex(plain, clear);
    char name[80];
    int known;

    ok(kcp_pass(NULL, 0, pass) == GOST_OK && pass[0] == 0xb2 && pass[31] == 0xcd, "an empty key");
    for (i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        enum kcp_cipher cipher = kcp_cipher_find(vectors[i].name, &known);
        struct kcp_crypt *c = kcp_crypt_new(cipher, pass);

        unhex(vectors[i].wire, want);
        memcpy(packet, clear, n);
        memset(packet + KCP_NONCE, 0, 4);
        if (c)
            kcp_crypt_seal(c, packet, n);
        snprintf(name, sizeof name, "%s seals as kcp-go does", vectors[i].name);
        ok(c && known && memcmp(packet, want, n) == 0, name);
        snprintf(name, sizeof name, "%s opens it", vectors[i].name);
        ok(c && kcp_crypt_open(c, want, n) == GOST_OK && memcmp(want, clear, n) == 0, name);
        memcpy(packet, clear, n);
        packet[40] ^= 1;
        snprintf(name, sizeof name, "%s refuses another packet", vectors[i].name);
        ok(c && kcp_crypt_open(c, packet, n) == GOST_EPROTO, name);
        kcp_crypt_free(c);
    }
    (void)kcp_cipher_find("rot13", &known);
    ok(!known, "an unknown name is told");
}

/* ---- error correction ---- */

static uint8_t fec_seen[64][16];
static unsigned n_fec_seen, n_recovered;

static int fec_got(void *arg, const uint8_t *p, size_t n, int regular)
{
    memcpy(fec_seen[n_fec_seen++ % 64], p, n < 16 ? n : 16);
    n_recovered += !regular;
    return GOST_OK;
}

static void test_fec(void)
{
    static const char *const parity[] = {"0a000000f200 0d00450000", "0b000000f200 6800f20000",
                                         "0c000000f200 1b00120000"};
    struct kcp_fec_enc *e = kcp_fec_enc_new(10, 3);
    struct kcp_fec_dec *d = kcp_fec_dec_new(10, 3);
    uint8_t data[10][16], out[KCP_FEC_SHARD + KCP_FEC_HEAD], want[16], sent[3][16];
    size_t i, n, size[10];
    int good = 1, full = 0;

    for (i = 0; i < 10; i++) {
        memset(data[i], 0, sizeof data[i]);
        data[i][8] = (uint8_t)(i + 1);
        size[i] = 8 + 1 + i % 3;
        full = kcp_fec_data(e, data[i], size[i]);
        good &= full == (i == 9);
    }
    ok(good && memcmp(data[1], "\1\0\0\0\xf1\0\4\0\2", 9) == 0, "headers of data packets");
    for (i = 0; i < 3; i++) {
        n = kcp_fec_parity(e, out);
        good &= n == unhex(parity[i], want) && memcmp(out, want, n) == 0;
        memcpy(sent[i], out, n);
    }
    ok(good && kcp_fec_parity(e, out) == 0, "parity as the Go library makes it");
    for (i = 0; i < 10; i++)
        if (i != 2 && i != 5 && i != 9)
            (void)kcp_fec_input(d, data[i], size[i], 1, fec_got, NULL);
    for (i = 0; i < 3; i++)
        (void)kcp_fec_input(d, sent[i], 11, 1, fec_got, NULL);
    ok(n_fec_seen == 10 && n_recovered == 3 && fec_seen[7][0] == 3 && fec_seen[8][0] == 6 &&
           fec_seen[9][0] == 10,
       "three lost packets are computed");
    kcp_fec_enc_free(e);
    kcp_fec_dec_free(d);
}

/* What a decoder of `mine` data packets, in groups of 3 parity ones, recovers of two losses in the
 * sixth group of a peer that sends `data` and `parity` of them. */
static unsigned recovered(unsigned mine, unsigned data, unsigned parity)
{
    struct kcp_fec_enc *e = kcp_fec_enc_new(data, parity);
    struct kcp_fec_dec *d = kcp_fec_dec_new(mine, 3);
    uint8_t p[64], out[KCP_FEC_SHARD + KCP_FEC_HEAD];
    unsigned group, i, before = 0;
    size_t n;

    n_recovered = 0;
    for (group = 0; group < 6; group++) {
        before = n_recovered;
        for (i = 0; i < data; i++) {
            int full;

            memset(p, (int)i, sizeof p);
            full = kcp_fec_data(e, p, 40);
            if (group < 5 || i > 1)
                (void)kcp_fec_input(d, p, 40, 1, fec_got, NULL);
            while (full && (n = kcp_fec_parity(e, out)) > 0)
                (void)kcp_fec_input(d, out, n, 1, fec_got, NULL);
        }
    }
    kcp_fec_enc_free(e);
    kcp_fec_dec_free(d);
    return n_recovered - before;
}

static void test_geometry(void)
{
    ok(recovered(10, 4, 2) == 2, "the peer's own geometry is learned");
    ok(recovered(10, 61, 3) == 2, "up to 64 packets");
    ok(recovered(10, 62, 3) == 0, "one of more packets, which costs much, is not");
    ok(recovered(62, 62, 3) == 2, "but if it is configured");
}

/* ---- compression ---- */

static uint8_t *text;
static size_t n_text;

static void text_got(void *arg, const uint8_t *p, size_t n)
{
    memcpy(text + n_text, p, n);
    n_text += n;
}

static void test_snappy(void)
{
    uint8_t *in = malloc(100000), *out = malloc(2 * KCP_SNAPPY_ROOM);
    struct kcp_snappy s;
    size_t i, n, split;
    uint32_t noise = 1;
    int began = 0, good;

    text = malloc(200000);
    for (i = 0; i < 100000; i++) {
        noise = noise * 1103515245u + 12345u;
        in[i] = (uint8_t)(i < 60000 ? i % 7 : noise >> 20);
    }
    n = kcp_snappy_put(out, in, 60000, &began);
    ok(n < 10000 && memcmp(out, "\xff\6\0\0sNaPpY\0", 11) == 0, "what repeats is compressed");
    n += kcp_snappy_put(out + n, in + 60000, 40000, &began);
    ok(n > 40000, "noise is left plain");
    for (split = 1; split < n; split = split * 7 + 1) {
        memset(&s, 0, sizeof s);
        n_text = 0;
        good = 1;
        for (i = 0; i < n; i += split)
            good &= kcp_snappy_input(&s, out + i, n - i < split ? n - i : split, text_got, NULL) ==
                    GOST_OK;
        good &= n_text == 100000 && memcmp(text, in, n_text) == 0;
        kcp_snappy_free(&s);
        if (!good)
            break;
    }
    ok(good, "and comes back in pieces of any size");
    memset(&s, 0, sizeof s);
    ok(kcp_snappy_input(&s, out + 10, 100, text_got, NULL) == GOST_EPROTO ||
           kcp_snappy_input(&s, out + 110, n - 110, text_got, NULL) == GOST_EPROTO,
       "an identifier must come first");
    kcp_snappy_free(&s);
    memset(&s, 0, sizeof s);
    out[16] ^= 1;
    ok(kcp_snappy_input(&s, out, n, text_got, NULL) == GOST_EPROTO, "a bad checksum is refused");
    kcp_snappy_free(&s);
    free(in);
    free(out);
    free(text);
}

/* ---- two ends over a network that loses and reorders ---- */

struct wire {
    uint8_t p[4096][KCP_MTU_MAX];
    size_t n[4096];
    uint32_t due[4096];
    unsigned at, end, sent, lost;
    uint32_t seed, now, delay, loss; /* loss: of 1000 */
};

static void wire_emit(void *arg, const uint8_t *p, size_t n)
{
    struct wire *w = arg;
    unsigned i = w->end % 4096;

    w->sent++;
    w->seed = w->seed * 1103515245u + 12345u;
    if (w->seed / 65536 % 1000 < w->loss) {
        w->lost++;
        return;
    }
    memcpy(w->p[i], p, n);
    w->n[i] = n;
    w->due[i] = w->now + w->delay;
    w->end++;
}

static void arrive(struct wire *w, struct kcp_arq *to)
{
    while (w->at != w->end && (int32_t)(w->now - w->due[w->at % 4096]) >= 0) {
        (void)kcp_arq_input(to, w->p[w->at % 4096], w->n[w->at % 4096], w->now, 1);
        w->at++;
    }
}

static void test_arq(uint32_t loss, uint32_t delay, const struct kcp_arq_conf *conf,
                     const char *name)
{
    struct kcp_arq *a = kcp_arq_new(conf), *b = kcp_arq_new(conf);
    struct wire *up = calloc(1, sizeof *up), *down = calloc(1, sizeof *down);
    size_t total = 1000000, sent = 0, seen = 0, i, room;
    uint8_t chunk[KCP_MTU_MAX];
    struct gost_bytes got;
    uint32_t now;
    int good = 1;

    kcp_arq_set_conv(a, 0x11223344);
    up->loss = down->loss = loss;
    up->delay = down->delay = delay;
    up->seed = 1;
    down->seed = 2;
    for (now = 1; now < 3000000 && seen < total && good; now += 1) {
        up->now = down->now = now;
        arrive(up, b);
        arrive(down, a);
        while ((got = kcp_arq_read(b)).p) {
            for (i = 0; i < got.n; i++)
                good &= got.p[i] == (uint8_t)((seen + i) * 31 >> 3);
            seen += got.n;
            kcp_arq_read_done(b);
        }
        while (sent < total && (room = kcp_arq_room(a)) > 0) {
            room = room < total - sent ? room : total - sent;
            for (i = 0; i < room; i++)
                chunk[i] = (uint8_t)((sent + i) * 31 >> 3);
            good &= kcp_arq_push(a, chunk, room) == GOST_OK;
            sent += room;
        }
        if (now % conf->interval == 0 || kcp_arq_acks(b)) {
            kcp_arq_flush(a, now, wire_emit, up);
            kcp_arq_flush(b, now, wire_emit, down);
        }
    }
    ok(good && seen == total, name);
    if (seen != total)
        printf("# %zu of %zu bytes after %u ms, %u packets of which %u lost\n", seen, total, now,
               up->sent, up->lost);
    kcp_arq_free(a);
    kcp_arq_free(b);
    free(up);
    free(down);
}

static void test_hostile(void)
{
    struct kcp_arq_conf conf = {1372, 32, 32, 10, 2, 1, 1};
    struct kcp_arq *a = kcp_arq_new(&conf);
    uint8_t seg[KCP_HEAD + 4];
    int r;

    memset(seg, 0, sizeof seg);
    kcp_put32(seg, 7);
    seg[4] = KCP_PUSH;
    kcp_put16(seg + 6, 32);
    kcp_put32(seg + 12, 1000); /* far beyond the window */
    kcp_put32(seg + 16, 5);    /* acknowledges what was never sent */
    kcp_put32(seg + 20, 4);
    ok(kcp_arq_input(a, seg, sizeof seg, 1, 1) == GOST_OK && !kcp_arq_read(a).p,
       "a segment beyond the window is dropped");
    kcp_put32(seg + 20, 5);
    ok(kcp_arq_input(a, seg, sizeof seg, 1, 1) == GOST_EPROTO, "a length beyond the packet");
    kcp_put32(seg + 20, 4);
    kcp_put32(seg + 12, 0);
    seg[4] = 99;
    ok(kcp_arq_input(a, seg, sizeof seg, 1, 1) == GOST_EPROTO, "an unknown command");
    seg[4] = KCP_PUSH;
    kcp_put32(seg, 8);
    ok(kcp_arq_input(a, seg, sizeof seg, 1, 1) == GOST_ECLOSED, "a client that began anew");
    kcp_put32(seg + 12, 3);
    r = kcp_arq_input(a, seg, sizeof seg, 1, 1);
    ok(r == GOST_EPROTO, "another conversation");
    kcp_arq_free(a);
}

int main(void)
{
    static const struct kcp_arq_conf fast = {1372, 256, 256, 10, 2, 1, 1};
    static const struct kcp_arq_conf plain_conf = {1372, 32, 32, 10, 0, 0, 0};
    static const struct kcp_arq_conf small = {100, 4, 3, 20, 2, 0, 1};

    if (kcp_crypt_init() != GOST_OK)
        return 1;
    test_ciphers();
    test_fec();
    test_geometry();
    test_snappy();
    test_arq(0, 5, &fast, "a megabyte, no loss");
    test_arq(10, 30, &fast, "a megabyte, 1 % loss");
    test_arq(200, 10, &fast, "a megabyte, 20 % loss");
    test_arq(50, 10, &plain_conf, "a megabyte with a congestion window, 5 % loss");
    test_arq(20, 3, &small, "a megabyte through tiny windows");
    test_hostile();
    return test_end();
}
