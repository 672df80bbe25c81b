/* world.h - the fake outside of one played component. */
/* SPDX-License-Identifier: MIT */
#ifndef KIT_WORLD_H
#define KIT_WORLD_H

#include "../engine/internal.h"
#include "../loader/loader.h"
#include "script.h"

struct gost_kit {
    struct ge_plugin *plugin;
    struct gost_component *watched; /* copies whose operations report to watch.c */
    void **ops;
    struct gost_host host; /* the engine's table, watched */
    int owned;             /* plugin was made by gost_kit_new() */
};

/* One end of a stack that belongs to the fake outside. */
struct kit_end {
    struct kit_end *next;
    struct kit_world *world;
    struct ge_stack *stack; /* NULL: closed */
    uint8_t *out;           /* all that was sent there */
    size_t n_out, room, compared;
    int shut, aborted, datagram, told_end;
    struct kit_user *far; /* of an exchange: who speaks there. NULL: the world moves bytes itself */
};

/* Who reads and writes above a layer, behind a connector, or at one stream of a session. */
struct kit_user {
    struct kit_world *world;  /* NULL: not in use */
    struct ge_task *task;     /* NULL: over */
    struct kit_end own, *out; /* out: where what reached it is kept */
    const uint8_t *down;      /* what it has to send */
    size_t n_down;
    uint64_t reset_code;
    int down_end, down_shut, down_reset, of_session;
};

#define KIT_USERS 16 /* streams of a session beyond these are refused */

struct kit_pending {
    struct kit_pending *next;
    struct ge_task *task;
    const struct gost_action *action; /* the engine's, until the result */
};

struct kit_layer_conf {
    struct kit_layer_conf *next;
    struct ge_conf *conf;
};

struct kit_world {
    struct gost_kit *kit;
    const struct gost_script *script;
    struct gost_how how;
    struct gost_outcome *outcome;
    struct ge_worker *worker;
    void *mine; /* what the plugin's worker_init() gave */
    struct ge_flow *flow;
    uint64_t now, unix_ns, chance;
    size_t random_at;
    struct kit_end *ends, *port[GOST_PORTS];
    struct ge_task *task;
    struct ge_stack *taken;   /* what a connector left, before users[0] has it */
    struct ge_stack *session; /* a layer with many streams; NULL: none */
    struct kit_user users[KIT_USERS];
    int echo; /* users send back what they get */
    struct kit_pending *pending, **pending_tail;
    struct ge_conf *conf;
    struct kit_layer_conf *layers;
    struct kit_value *values; /* of shared tables */
    unsigned inside, woken;   /* inside: calls of the plugin under way */
    const char *calling;      /* which operation */
    uint32_t used_answers;    /* bit per answer of the script */
    const uint8_t *dice;      /* fuzzing: what decides answers; NULL: the script */
    size_t n_dice;
};

extern struct kit_world *kit_now; /* the world whose component is running; NULL: none */

/* world.c */
void *kit_worker_data(const struct gost_host *const *self);
int kit_world_open(struct kit_world *w);   /* the component is started */
void kit_world_close(struct kit_world *w); /* everything is destroyed */
void kit_settle(struct kit_world *w);      /* run until nothing more happens at this time */
void kit_feed(struct kit_world *w, struct kit_end *e, const uint8_t *p, size_t n); /* one piece */
void kit_end_input(struct kit_world *w, struct kit_end *e, int status);
struct kit_end *kit_end_new(struct kit_world *w, uint32_t type);
void kit_end_put(struct kit_world *w, struct kit_end *e, const void *p, size_t n);
/* A rule is broken: the first sentence counts. */
void kit_break(struct kit_world *w, const char *fmt, ...) GOST_PRINTF(2, 3);
void kit_trace(struct kit_world *w, const void *p, size_t n);
const struct gost_component *kit_component(const struct gost_kit *kit, uint32_t kind,
                                           const char *name, size_t n);

/* values.c */
int kit_table_get(const char *table, struct gost_bytes key, void *ret_value, size_t value_size);
int kit_table_put(const char *table, struct gost_bytes key, const void *value, size_t value_size,
                  uint64_t ttl_ns, int only_new);
void kit_values_free(struct kit_world *w);

/* user.c */
void kit_user_start(struct kit_world *w, struct kit_user *u, struct kit_end *out,
                    struct ge_stack *s);
void kit_session_start(struct kit_world *w, struct ge_stack *s);
int kit_session_open(struct kit_world *w); /* a user opens a stream: as ge_session_open() */
void kit_users_wake(struct kit_world *w);  /* those with something to send */
void kit_users_end(struct kit_world *w);   /* their stacks go */
void kit_users_free(struct kit_world *w);  /* what they kept */

/* answer.c */
void kit_act(void *ctx, struct ge_task *task, const struct gost_action *a);
void kit_cancel(void *ctx, struct ge_task *task);
struct ge_layer_choice kit_find_layer(void *ctx, struct ge_task *task, struct gost_bytes name,
                                      uint32_t role);
int kit_answer_all(struct kit_world *w);                           /* how many were answered */
int kit_accept(struct kit_world *w, const struct gost_addr *peer); /* GOST_AGAIN: nobody waits */

/* watch.c */
int kit_watch(struct gost_kit *kit); /* fills watched, ops and host */

#endif
