/* host.h - what all of the program shares: fixed times, and the engine's callbacks. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_HOST_H
#define GH_HOST_H

#include "engine.h"

enum {
    GH_HANDSHAKE_S = 10,   /* for the layers of an accepted connection */
    GH_DIAL_S = 15,        /* for one attempt to reach a target, all phases together */
    GH_IDLE_S = 2          /* silent for so long: may be ended for want of memory */
};

/* The callbacks of the control side. */
extern const struct ge_embed gh_embed;

#endif
