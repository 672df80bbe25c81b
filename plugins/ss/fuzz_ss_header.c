/* fuzz_ss_header.c - opened headers and bodies: what a holder of the key may send. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <gost/host.h>

#include "ss_header.h"
#include "ss_keys.h"

const struct gost_host *gost_host_; /* what is tried here asks nothing of the host */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int inside(struct gost_bytes part, struct gost_bytes whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gost_bytes in = gost_bytes(data, size);
    struct ss_variable v;
    struct ss_body b;
    uint8_t psk[SS_KEY_MAX];
    const char *why = NULL;
    int type, n;

    if (ss_variable_parse(&v, in) == GOST_OK &&
        (v.addr.n == 0 || !inside(v.addr, in) || !inside(v.payload, in) ||
         v.addr.n + 2 + v.payload.n > size))
        abort();
    for (type = SS_FROM_CLIENT; type <= SS_FROM_SERVER; type++) {
        if (ss_body_parse(&b, (enum ss_type)type, in) == GOST_OK &&
            (!inside(b.payload, in) || (b.session != NULL) != (type == SS_FROM_SERVER)))
            abort();
        if (size >= 9 && ss_stamp_check(data, (enum ss_type)type, 1700000000, &why) != GOST_OK &&
            !why)
            abort();
    }
    n = ss_base64(psk, sizeof psk, in);
    if (n > (int)sizeof psk)
        abort();
    return 0;
}
