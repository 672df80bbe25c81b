/* script.h - a parsed transcript. */
/* SPDX-License-Identifier: MIT */
#ifndef KIT_SCRIPT_H
#define KIT_SCRIPT_H

#include "../engine/engine.h"
#include "kit.h"

enum kit_item_type {
    KIT_CLIENT = 1, /* '>' bytes from client to server on a port */
    KIT_SERVER,     /* '<' the other way */
    KIT_UP,         /* bytes that reach the user above a layer or behind a connector */
    KIT_DOWN,       /* bytes that this user sends */
    KIT_FIN,        /* who: 'c' client, 's' server, 'u' the user above */
    KIT_RST,
    KIT_WAIT,   /* number: milliseconds */
    KIT_ACCEPT, /* the oldest waiting ACCEPT gets a stream; addr: its peer */
    KIT_CANCEL,
    KIT_OPEN, /* a user opens a stream of the session */
    KIT_OK,   /* the component has ended well */
    KIT_FAIL  /* ... with status; 0: any error */
};

struct kit_item {
    struct kit_item *next;
    uint32_t type;
    uint32_t port;
    unsigned line;
    int who, status;
    uint64_t number;
    uint8_t *data, *mask; /* mask: 0 where any byte will do; NULL: none */
    size_t n;
    struct gost_addr addr;
};

enum kit_answer_type { KIT_DIAL = 1, KIT_BIND, KIT_SELECT, KIT_RESOLVE, KIT_ASK, KIT_FILE };

/* An answer to an action, used once, in order, per type. */
struct kit_answer {
    struct kit_answer *next;
    uint32_t type;
    int status;
    unsigned line, used;
    struct gost_addr local, expect; /* NONE: none */
    char *text;
};

struct gost_script {
    char *name;
    uint32_t kind, role, verb, type; /* type 0: the component's own */
    char *component;
    struct ge_kv kv[64];
    uint32_t n_kv;
    struct gost_target target;
    struct gost_addr source;
    uint64_t unix_seconds;
    uint8_t random[4096];
    size_t n_random;
    char *user, *secret; /* AUTH accepts only these; NULL: everything */
    int echo;            /* users send back what they get */
    int relay;           /* the far side plays along: it sends what is missing */
    int8_t port_of[16];  /* connections of a capture; -1: not played */
    struct kit_item *items, **tail;
    struct kit_answer *answers, **answers_tail;
};

#endif
