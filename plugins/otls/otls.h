/* otls.h - what the files of the otls plugin share. */
/* SPDX-License-Identifier: MIT */
#ifndef OTLS_H
#define OTLS_H

#include <gost/host.h>

#include "otls_wire.h"

struct otls_conf {
    const char *host;
};

/* One connection. */
struct otls_state {
    uint8_t client;
    uint8_t sent;        /* our hello went out */
    uint8_t started;     /* server: the first data went out, in a handshake record */
    uint8_t hellos;      /* client: records of the server before its data that were read */
    uint32_t left;       /* bytes of the record being read that are still to come */
    uint8_t id[OTLS_ID]; /* server: the session id to echo */
};

extern const struct gost_layer_ops otls_layer_ops;

#endif
