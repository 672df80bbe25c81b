/* load_packet.c - the datagrams that are sent, and their verification.
 * SPDX-License-Identifier: MIT
 */
#include "load.h"

#include <string.h>

#define SPREAD UINT64_C(0xd6e8feb86659fd93)

void load_packet_make(uint8_t *buf, unsigned size, uint64_t seed, uint64_t seq, bool echo)
{
    struct load_packet head = {LOAD_MAGIC + size, seed, seq, echo};

    memcpy(buf, &head, sizeof(head));
    load_fill(buf + sizeof(head), size - sizeof(head), seed ^ (seq * SPREAD), 0,
              size - sizeof(head));
}

bool load_packet_check(const uint8_t *buf, size_t len)
{
    struct load_packet head;

    if (len < sizeof(head))
        return false;
    memcpy(&head, buf, sizeof(head));
    if (head.magic != LOAD_MAGIC + len)
        return false;
    return load_check(buf + sizeof(head), head.seed ^ (head.seq * SPREAD), 0, len - sizeof(head));
}
