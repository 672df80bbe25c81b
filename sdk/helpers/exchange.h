/* exchange.h - the bodies of an exchange as a stream (libgost-helpers.a, not installed). */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_EXCHANGE_H
#define GOST_EXCHANGE_H

#include <gost/component.h>

/*
 * A layer between an exchange and a stream: move what `from` has to `to`, and drop the trailers of
 * an exchange. GOST_FULL: `to` has no room; else GOST_AGAIN. [worker]
 */
int gost_exchange_pass(struct gost_io *from, struct gost_io *to);

/* A codec that does just that, both ways: an exchange below, a stream above. */
extern const struct gost_layer_ops gost_exchange_tunnel_ops;

#endif
