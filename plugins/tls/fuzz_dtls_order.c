/* fuzz_dtls_order - packets with any records: nothing out of order, nothing without a limit. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "tls.h"

/* A byte that says how long the packet is and what OpenSSL makes of it; then the packet. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dtls_order o;
    struct gost_bytes b;
    uint64_t now = GOST_S, last = 0;
    int end;

    memset(&o, 0, sizeof o);
    while (size > 0) {
        size_t n = data[0] & 0x3f;
        int what = data[0] >> 6;

        data++;
        size--;
        n = n < size ? n : size;
        dtls_order_packet(&o, data, n);
        if (what && dtls_order_record(&o, data, n, what == 2, now) == GOST_ELIMIT)
            break;
        while (what && dtls_order_next(&o, &b, &end)) {
            if (b.n > 0x3f || o.next < last)
                abort();
            dtls_order_next_done(&o, now);
        }
        if (what == 3 && dtls_order_late(&o, now += GOST_S / 4) == GOST_ELIMIT)
            break;
        last = o.adopt ? 0 : o.next;
        if (o.n_held > 256)
            abort();
        data += n;
        size -= n;
    }
    dtls_order_free(&o);
    return 0;
}
