/* stackdef.h - what a listener or dialer type stands for: a transport and layers, configured. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_STACKDEF_H
#define GH_STACKDEF_H

#include "confset.h"

struct gh_stack_part {
    const struct gost_component *component;
    const void *conf; /* *borrowed* from the confset */
};

enum { GH_STACK_LAYERS = 12 };

/* Immutable after it was built. */
struct gh_stackdef {
    const char *type; /* as written; *borrowed* from the configuration */
    struct gh_stack_part transport;
    struct gh_stack_part layer[GH_STACK_LAYERS];
    unsigned n_layers;
    unsigned n_carrier;   /* layers up to the one that gives a session; the others stand on each of
                             its streams. n_layers when there is none */
    unsigned gather; /* 1 + the index of a layer that makes one stream of many exchanges; 0: none.
                        What stands on it stands on that stream */
    uint32_t bottom, top; /* enum gost_type; top: of the last layer, also a session */
};

/* Builds "tls", "wss" or "tls+ws": the first part names a stack (or a layer or transport), the
 * others name layers. Checks that each layer fits on what lies below. 0, or -1 with everything in
 * `errs`. `at` is where the type stands; `noun` is "listener" or "dialer". [main] */
int gh_stackdef_build(struct gh_stackdef *ret_def, const char *type, uint32_t role,
                      struct gh_confset *set, const struct gh_value *at, const char *noun,
                      struct gh_conf_errors *errs);

/* Puts one more layer on, or (below the others) as the first one. 0 or -1. [main] */
int gh_stackdef_add(struct gh_stackdef *def, const struct gost_component *layer, const void *conf,
                    bool first);

enum gh_stack_section {
    GH_CARRIER, /* the first n_carrier layers */
    GH_STREAMS, /* the others, as far as each stands on one stream of a session */
    GH_GATHERED /* those above the gathering layer */
};

/* Whether the carrier gives streams of a session instead of being the whole stack. */
bool gh_stackdef_has_session(const struct gh_stackdef *def);

/* The gathering layer, or NULL. */
const struct gh_stack_part *gh_stackdef_gather(const struct gh_stackdef *def);
/* Its handlers. */
const struct gost_gather_ops *gh_layer_gather(const struct gost_component *layer);

/* How many layers a section has. */
unsigned gh_stackdef_count(const struct gh_stackdef *def, enum gh_stack_section section);

/* Pushes the layers of a section on a stack. Engine's result. [worker] */
int gh_stackdef_push(const struct gh_stackdef *def, enum gh_stack_section section,
                     struct ge_stack *stack, uint32_t role,
                     const struct gost_target *target, struct gost_bytes server_name,
                     const char *node);

/* The first layer, if it attaches by key to a socket that all its instances share; else NULL. */
const struct gost_component *gh_stackdef_keyed(const struct gh_stackdef *def,
                                               const void **ret_conf);

/* The type a layer stands on and gives. */
uint32_t gh_layer_below(const struct gost_component *layer);
uint32_t gh_layer_above(const struct gost_component *layer);
const char *gh_type_text(uint32_t type);

#endif
