/* relay_request.c - a request as GOST orders its features. */
/* SPDX-License-Identifier: MIT */
#include "relay.h"

size_t relay_put_request(uint8_t buf[GOST_RELAY_REQUEST_MAX], const struct gost_relay_message *m,
                         int bind)
{
    static const uint8_t no_target[] = {2, 0, 4, 3, 0, 0, 0}; /* an empty name, port 0 */
    uint8_t *p = buf + GOST_RELAY_HEAD;

    if (!bind && m->network != GOST_RELAY_TCP)
        p = gost_relay_put_network(p, m->network);
    if (m->has_auth)
        p = gost_relay_put_auth(p, m->user, m->password);
    if (bind)
        p = gost_relay_put_network(p, m->network);
    if (m->n_addr && m->addr.family == GOST_AF_NONE && m->addr.port == 0 && !bind) {
        memcpy(p, no_target, sizeof no_target);
        p += sizeof no_target;
    } else if (m->n_addr) {
        p = gost_relay_put_addr(p, &m->addr);
    }
    return gost_relay_finish(buf, m->code, p);
}
