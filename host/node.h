/* node.h - one node: a proxy of a hop, or a target of a forwarder. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_NODE_H
#define GH_NODE_H

#include "naming.h"
#include "net.h"
#include "policy.h"
#include "selector.h"
#include "stackdef.h"

/* What building needs and shares. */
struct gh_build {
    struct gh_conf *conf;
    const struct gh_value *root;
    bool compat_gost, strict;
    struct gh_conf_errors *errs;
};

struct gh_carrier_conf;

/* Immutable. Strings are *borrowed* from the configuration unless said otherwise. */
struct gh_node {
    const struct gh_node *self; /* its own address: the opaque id that SELECT gives */
    const struct gh_value *conf;
    const char *name;
    char *label;              /* "hop-0/node-1", *owned* */
    const char *addr_text;
    struct gost_addr addr;
    uint32_t network;         /* of a target that names one; 0: none */
    struct gh_choice choice;
    int64_t priority;
    struct gh_names bypasses;
    struct gh_sockopt sockopt;
    struct gh_naming_by naming; /* of its own address */
    const char *filter_host, *filter_protocol, *filter_path; /* "" : any */
    /* proxies only */
    const struct gost_component *connector;
    const void *connector_conf;
    struct gh_confset *connector_set, *dialer_set;
    struct gh_stackdef dialer;
    int64_t proxy_protocol; /* version of the header it is sent first; 0: none */
    const struct gh_carrier_conf *carrier; /* NULL: its dialer gives no sessions */
};

/* Build a proxy node and a forward target of the hop named `hop`. NULL: `errs` says why. [main] */
struct gh_node *gh_node_build(struct gh_build *b, const struct gh_value *conf,
                              const struct gh_value *hop, const char *hop_name);
struct gh_node *gh_node_build_target(struct gh_build *b, const struct gh_value *conf,
                                     const char *owner);
void gh_node_free(struct gh_node *node);

/* Whether the node may serve this request: bypasses and filter. */
bool gh_node_accepts(const struct gh_node *node, const struct gh_pick *pick);

/* Whether bypasses match what is picked for. */
bool gh_pick_bypassed(const struct gh_names *bypasses, const struct gh_pick *pick);

/* GOST's name of a network as a number; 0: unknown. */
uint32_t gh_network_of(const char *text);

/* Whether a value came from a -L or -F URL. */
bool gh_from_url(const struct gh_value *value);

#endif
