/* hop.h - one hop: its nodes and how one of them is chosen. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_HOP_H
#define GH_HOP_H

#include "node.h"

/* Immutable but for the selector's counter. */
struct gh_hop {
    const char *name;
    struct gh_selector selector;
    struct gh_names bypasses;
    struct gh_node **nodes;
    unsigned n_nodes;
};

/* Builds a hop of a chain or of the section hops. NULL: `errs` says why. [main] */
struct gh_hop *gh_hop_build(struct gh_build *b, const struct gh_value *conf);

/* Builds the inline nodes of a forwarder as a hop of targets. [main] */
struct gh_hop *gh_hop_build_targets(struct gh_build *b, const struct gh_value *forwarder,
                                    const char *service);
void gh_hop_free(struct gh_hop *hop);

/* The node that serves the request; NULL: none, `why` is set to a sentence. [any] */
const struct gh_node *gh_hop_select(struct gh_hop *hop, const struct gh_pick *pick,
                                    const char **why);

#endif
