/* blocking_transport.c - makes sockets that block. */
/* SPDX-License-Identifier: MIT */
#define PROBE_COMPONENTS                                                                          \
    {                                                                                             \
        .kind = GOST_KIND_TRANSPORT, .name = "probe", .summary = "sockets", .ops = &transport_ops \
    }
#define PROBE_NOTE "transport:probe"
#define PROBE_UNUSED_HANDLER
#include <sys/socket.h>

#include <gost/transport.h>

static int probe_listen(const void *conf, struct gost_socket *s)
{
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return listen(s->fd, 8) == 0 ? GOST_OK : GOST_EINTERNAL;
}

static const struct gost_transport_ops transport_ops = {
    .size = sizeof(struct gost_transport_ops),
    .type = GOST_STREAM,
    .listen = probe_listen,
};

#include "common.h"
