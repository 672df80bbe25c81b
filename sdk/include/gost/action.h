/* action.h - what a component may ask of the host, and the events that tell it what happened. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_ACTION_H
#define GOST_ACTION_H

#include <gost/io.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A handler or connector is stepped with one event. It reads and writes its ports, may ask for any
 * number of actions with gost_act(), and returns GOST_AGAIN to wait, GOST_OK when it is finished,
 * or an error (through gost_fail). The host performs actions after the step has returned, in the
 * order given, copies every struct and all that it points to, and answers with one RESULT event per
 * action (RELAY without GOST_RELAY_RETURN, HANDOFF to a handler and the SHUT/ABORT calls have
 * none), carrying
 * the same tag. Tags are the component's own choice.
 *
 * Ending a flow: GOST_OK flushes all ports, half-closes them and lets the peers finish; an error
 * flushes what was sent to port 0 (an error reply), then closes. gost_abort() resets at once.
 * At every end the host calls destroy() exactly once; no call follows it.
 */
enum gost_event_type {
    GOST_EV_START = 1, /* first step; port 0 is ready */
    GOST_EV_READABLE =
        2, /* port has input (at least what the last short peek or gost_want asked) */
    GOST_EV_WRITABLE = 3, /* port is below its low mark again, after a GOST_FULL */
    GOST_EV_EOF = 4,      /* port: the peer ended its direction; queued input may remain */
    GOST_EV_CLOSED = 5,   /* port: gone in both directions; status says why (0: cleanly) */
    GOST_EV_RESULT = 6,   /* action `tag` ended: status, and result by its kind */
    GOST_EV_DEADLINE = 7, /* the time of gost_set_deadline() has come */
    GOST_EV_CANCEL = 8,   /* the flow is asked to end (drain, limits): finish soon */
    GOST_EV_REQUEST = 9   /* port, a session: its peer asks; result: struct gost_request. Answer
                             with gost_session_reply(port, tag, ...) now or later */
};

struct gost_event {
    uint32_t size;
    uint32_t type;      /* enum gost_event_type */
    uint32_t port;      /* which port it is about */
    uint32_t tag;       /* RESULT: the action's tag */
    int32_t status;     /* RESULT, CLOSED: 0 or enum gost_error */
    uint32_t kind;      /* RESULT: enum gost_action_kind */
    const char *text;   /* why it failed, one sentence without secrets; NULL when fine. borrowed */
    const void *result; /* RESULT with status 0: struct gost_result_*, or NULL. borrowed */
    uint64_t code;      /* CLOSED: the peer's own reset code; 0 when it gave none */
};

enum gost_action_kind {
    GOST_ACT_DIAL = 1,
    GOST_ACT_BIND = 2,
    GOST_ACT_ACCEPT = 3,
    GOST_ACT_ASSOCIATE = 4,
    GOST_ACT_AUTH = 5,
    GOST_ACT_ASK = 6,
    GOST_ACT_SELECT = 7,
    GOST_ACT_RESOLVE = 8,
    GOST_ACT_UPGRADE = 9,
    GOST_ACT_DOWNGRADE = 10,
    GOST_ACT_HANDOFF = 11,
    GOST_ACT_SPAWN = 12,
    GOST_ACT_STREAM_OPEN = 13,
    GOST_ACT_PUMP = 14,
    GOST_ACT_RELAY = 15,
    GOST_ACT_FILE = 16,
    GOST_ACT_RECORD = 17,
    GOST_ACT_TIE = 18,
    GOST_ACT_REQUEST = 19,
    GOST_ACT_DATAGRAMS = 20
};

/* Head of every action. New fields are only ever added at an action's end. */
struct gost_action {
    uint32_t size; /* sizeof the whole action */
    uint32_t kind; /* enum gost_action_kind */
    uint32_t tag;
    uint32_t port; /* the port it opens or works on */
};

enum gost_network {
    GOST_NET_TCP = 1,
    GOST_NET_UDP = 2,
    GOST_NET_UNIX = 3,
    GOST_NET_IP = 4,
    GOST_NET_SERIAL = 5,
    GOST_NET_ENDPOINT = 6, /* DIAL: an in-process endpoint: addr.name is "kind/key" (host.h) */
    GOST_NET_BELOW = 7 /* DIAL of a gathering client: one more exchange of what lies below */
};

/*
 * DIAL: connect `port` to addr through the service's chain. ASSOCIATE: open `port` as packets with
 * any destination through the chain (addr: a wish for the local address, or NONE). A policy
 * (bypass) is asked first; forbidden gives GOST_EDENIED.
 */
struct gost_act_dial {
    struct gost_action head;
    uint32_t network; /* enum gost_network */
    uint32_t flags;   /* GOST_DIAL_* */
    struct gost_addr addr;
    uint64_t timeout_ns;    /* 0: the service's own */
    struct gost_bytes node; /* opaque node id of a SELECT result; empty: none */
};

#define GOST_DIAL_DIRECT    1u /* not through the chain */
#define GOST_DIAL_NO_POLICY 2u /* the handler has asked the bypass itself */
#define GOST_DIAL_READY     4u /* a gathering client: with this exchange the node is reached */

struct gost_result_dial {
    uint32_t size;
    uint32_t reserved;
    struct gost_addr local; /* NONE when not known (for instance behind a chain) */
    struct gost_addr remote;
};

/*
 * BIND: listen. TCP, UNIX: `port` becomes a listening port, ACCEPT on it gives streams. UDP: `port`
 * becomes packets from anybody; only for a service's own listener it may become a listening port,
 * too, that gives packets of one peer each. Through the chain when it has a connector that can
 * bind, unless GOST_BIND_LOCAL. Result: struct gost_result_dial, local is the bound address.
 */
struct gost_act_bind {
    struct gost_action head;
    uint32_t network;
    uint32_t flags;
    struct gost_addr addr;
    uint16_t port_min, port_max; /* both > 0: pick a free port in this range when addr.port is 0 */
    uint32_t reserved;
};

#define GOST_BIND_LOCAL 1u /* here, never through the chain: a port for our own client */

/* ACCEPT: one stream of listening port `from`, or one that the peer opens on session port `from`,
 * or a visitor of the endpoint that port `from` is, becomes `port`. Result: struct
 * gost_result_dial, remote is who came. When `from` ends, its error. */
struct gost_act_accept {
    struct gost_action head;
    uint32_t from;
    uint32_t reserved;
};

/*
 * AUTH: check credentials against the handler's authers. RESULT status 0 or GOST_EAUTH. Without
 * any auther configured the answer is 0. The user id is put on the flow record.
 */
struct gost_act_auth {
    struct gost_action head;
    struct gost_bytes user, secret;
};

/* ASK a policy of the service by kind. Result: struct gost_result_verdict. BYPASS, ADMISSION: about
 * addr. INGRESS: the object named `text` about the host in addr; value is what the host leads to,
 * and holds until the next ASK. */
struct gost_act_ask {
    struct gost_action head;
    uint32_t policy; /* enum gost_policy_kind, see policy.h */
    uint32_t network;
    struct gost_addr addr;
    struct gost_bytes text; /* kind dependent */
};

struct gost_result_verdict {
    uint32_t size;
    uint32_t verdict;        /* 1: matches (bypass: refuse; admission: admitted) */
    struct gost_bytes value; /* kind dependent; empty when none */
};

/* SELECT a node of the service's forwarder (or of hop `name`). Result: struct gost_result_node.
 * GOST_EUNSUPPORTED: the service has no forwarder; GOST_ENOROUTE: it has no usable node. */
struct gost_act_select {
    struct gost_action head;
    struct gost_bytes hop;                          /* empty: the forwarder */
    struct gost_bytes protocol, host, path, method; /* attributes for matchers; may be empty */
};

struct gost_result_node {
    uint32_t size;
    uint32_t network; /* the node's own network, 0 when it names none */
    struct gost_addr addr;
    struct gost_bytes name;
    struct gost_bytes node; /* opaque id to hand to DIAL: failures then mark this node */
};

/* RESOLVE a name with the service's hosts and resolver. Result: struct gost_result_addrs. */
struct gost_act_resolve {
    struct gost_action head;
    struct gost_addr addr;
};

struct gost_result_addrs {
    uint32_t size;
    uint32_t n;
    const struct gost_addr *addrs;
};

/*
 * UPGRADE: put a layer on top of `port` (a component of kind LAYER, by name; its options come from
 * the handler's own configuration, so "tls.certFile" of the handler reaches the tls layer). The
 * RESULT comes when its handshake is over. Bytes still queued on the port become its input.
 * A codec of the same plugin is named "plugin.codec" and needs no configuration.
 * DOWNGRADE takes the top layer off again, after its closing bytes.
 */
struct gost_act_upgrade {
    struct gost_action head;
    uint32_t role; /* enum gost_role */
    uint32_t flags;
    struct gost_bytes layer;
    struct gost_bytes server_name; /* client role: the name to verify, for tls; may be empty */
    struct gost_bytes arg;         /* handed to the layer's open(); layer dependent */
};

/*
 * HANDOFF to a HANDLER: this component ends; `component` (by name) goes on with all ports and the
 * same configuration source. Bytes that were only peeked are still there.
 *
 * HANDOFF to an INSPECTOR: `port` is lent to it. It peeks; nothing is told about ports meanwhile.
 * RESULT with status 0 and struct gost_sniffed (host.h; both views empty: nothing was recognised,
 * or another port got bytes before the client sent any). The bypass has been asked about the host:
 * forbidden is GOST_EDENIED. Then go on as if nothing had been.
 */
struct gost_act_handoff {
    struct gost_action head;
    uint32_t component_kind; /* enum gost_kind */
    uint32_t reserved;
    struct gost_bytes component;
};

/* SPAWN: a child flow runs component `component` of this plugin (empty: another instance of
 * this one); our `port` becomes its port 0, and our port `second` its port 1. The child may outlive
 * us unless tied. Its source is who came, where ACCEPT gave us the port. */
struct gost_act_spawn {
    struct gost_action head;
    uint32_t flags;  /* GOST_SPAWN_* */
    uint32_t second; /* 0: only one port */
    struct gost_bytes component;
    struct gost_bytes arg; /* handed to its first step as gost_arg() */
};

#define GOST_SPAWN_TIED 1u /* ends when we end */
/* `port` is opened: it is our end of a new stream, whose other end is the child's port 0. */
#define GOST_SPAWN_PAIR 2u
/* A gathering server: the child is a client of the service; what the listener has above the
 * gathering layer is put on its port 0, then the service's handler serves it. */
#define GOST_SPAWN_SERVE 4u

/* STREAM_OPEN: `from` is a session port (UPGRADE to a layer whose top is a session makes one); a
 * new stream of it becomes `port`. GOST_ELIMIT: the peer allows no more now. A session port itself
 * has no bytes: only EV_CLOSED. gost_shut() on it drains. */
struct gost_act_stream_open {
    struct gost_action head;
    uint32_t from;
    uint32_t flags;        /* GOST_STREAM_* of session.h */
    struct gost_bytes arg; /* what the stream opens with, layer dependent: ssh has the channel's
                              type and data there; may be empty */
};

/* REQUEST: ask the peer of the session at head.port something about the session as a whole (ssh:
 * a global request, "tcpip-forward"). RESULT: status 0 and struct gost_result_request, the peer's
 * status (GOST_EPEER: it says no), or GOST_EUNSUPPORTED: this kind of session has none. */
struct gost_act_request {
    struct gost_action head;
    struct gost_bytes name, payload;
};

struct gost_result_request {
    uint32_t size;
    uint32_t reserved;
    struct gost_bytes payload; /* of the answer; may be empty */
};

/* The peer's request, with GOST_EV_REQUEST. At most 64 wait for their event; beyond, and where no
 * handler has the session as its port, the host refuses them. */
struct gost_request {
    uint32_t size;
    uint32_t reserved;
    struct gost_bytes name, payload;
};

/* DATAGRAMS: the unreliable datagrams that belong to the stream of a session, or to the session,
 * at port `from` become packets (without addresses) at head.port: they can be relayed like others.
 * They end with what they belong to. GOST_EUNSUPPORTED: it has none. */
struct gost_act_datagrams {
    struct gost_action head;
    uint32_t from;
    uint32_t flags;
};

/* PUMP: move bytes from -> to by the host's pump (splice included) until n bytes moved or EOF, then
 * RESULT with struct gost_result_pump. n == UINT64_MAX: until EOF. */
struct gost_act_pump {
    struct gost_action head; /* head.port: from */
    uint32_t to;
    uint32_t flags;
    uint64_t n;
};

struct gost_result_pump {
    uint32_t size;
    uint32_t eof; /* 1: the source ended before n bytes */
    uint64_t moved;
};

/* RELAY: both directions between head.port and `to` until both ended. The flow ends then, or with
 * GOST_RELAY_RETURN a RESULT comes. Packets and bytes must not be mixed. Between two exchanges
 * heads and trailers go along; between an exchange and a stream only the body does. A relay that
 * breaks off resets port 0 where it is a stream of a session, after what was received. */
struct gost_act_relay {
    struct gost_action head;
    uint32_t to;
    uint32_t flags;
    uint64_t idle_ns; /* end after this silence in both directions; 0: never */
};

#define GOST_RELAY_RETURN 1u

/* TIE ports: when one of the ports in the mask ends, all end and with them the flow. */
struct gost_act_tie {
    struct gost_action head;
    uint32_t mask; /* bit n: port n */
    uint32_t reserved;
};

/* FILE: read (whole, bounded) or append. Result: struct gost_result_file. */
struct gost_act_file {
    struct gost_action head;
    uint32_t op; /* GOST_FILE_* */
    uint32_t reserved;
    uint64_t max; /* READ: give GOST_ETOOBIG above this */
    struct gost_bytes path, data;
};

enum gost_file_op { GOST_FILE_READ = 1, GOST_FILE_APPEND = 2 };

struct gost_result_file {
    uint32_t size;
    uint32_t reserved;
    struct gost_bytes data;
};

/* RECORD: hand data to the recorders that the service bound to `what`. */
struct gost_act_record {
    struct gost_action head;
    struct gost_bytes what, data;
};

#ifdef __cplusplus
}
#endif
#endif
