/* fuzz_kcp.c - segments, error correction and snappy chunks of kcp on hostile bytes. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "kcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int into_arq(void *arg, const uint8_t *p, size_t n, int regular)
{
    return kcp_arq_input(arg, p, n, 1000, regular);
}

static void nowhere(void *arg, const uint8_t *p, size_t n)
{
    if (n > KCP_SNAPPY_CHUNK + KCP_MTU_MAX)
        abort();
}

/* The rest is packets, each behind two bytes of length; the first byte says what runs. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kcp_arq_conf conf = {1372, 16, 16, 10, 2, 1, 0};
    struct kcp_arq *arq = kcp_arq_new(&conf);
    struct kcp_fec_dec *dec = kcp_fec_dec_new(3, 2);
    struct kcp_snappy snappy;
    uint32_t now = 1000;

    memset(&snappy, 0, sizeof snappy);
    if (!arq || !dec)
        abort();
    while (size > 3) {
        unsigned what = data[0] & 3;
        size_t n = kcp_get16(data + 1) % (KCP_FEC_SHARD + 8);

        data += 3;
        size -= 3;
        n = n < size ? n : size;
        if (what == 0)
            (void)kcp_arq_input(arq, data, n, now, 1);
        else if (what == 1 && kcp_fec_is(data, n))
            (void)kcp_fec_input(dec, data, n, now, into_arq, arq);
        else if (what == 2 && kcp_snappy_input(&snappy, data, n, nowhere, NULL) != GOST_OK)
            break;
        while (kcp_arq_read(arq).p)
            kcp_arq_read_done(arq);
        if (kcp_arq_room(arq))
            (void)kcp_arq_push(arq, (const uint8_t *)"x", 1);
        kcp_arq_flush(arq, now += 10, nowhere, NULL);
        data += n;
        size -= n;
    }
    kcp_snappy_free(&snappy);
    kcp_fec_dec_free(dec);
    kcp_arq_free(arq);
    return 0;
}
