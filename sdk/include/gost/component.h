/* component.h - the kinds of components and their tables of operations. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_COMPONENT_H
#define GOST_COMPONENT_H

#include <gost/action.h>
#include <gost/io.h>
#include <gost/options.h>

#ifdef __cplusplus
extern "C" {
#endif

enum gost_kind {
    GOST_KIND_TRANSPORT = 1, /* moves bytes or packets in and out of this machine: transport.h */
    GOST_KIND_LAYER = 2,     /* turns what lies below into something else */
    GOST_KIND_STACK = 3,     /* a GOST listener or dialer name: a transport and layers, as data */
    GOST_KIND_HANDLER = 4,   /* serves an accepted stream, association, exchange or session */
    GOST_KIND_CONNECTOR = 5, /* asks the proxy at the other end for a target */
    GOST_KIND_INSPECTOR = 6, /* looks at first bytes: sniffing */
    GOST_KIND_SOURCE = 7,    /* policy data: where it comes from, policy.h */
    GOST_KIND_INDEX = 8,     /* policy data: how it is asked, policy.h */
    GOST_KIND_REMOTE = 9     /* a policy answered by somebody else, policy.h */
};

/*
 * Every operations table starts with its size. An operation that is NULL has the default written
 * beside it. `state` is state_size zeroed bytes per instance, allocated and freed by the host;
 * `conf` is the component's immutable configuration, shared by all workers.
 */

/* HANDLER [worker] */
struct gost_handler_ops {
    uint32_t size;
    uint32_t accepts; /* bits of enum gost_type port 0 may be; 0 means GOST_STREAM */
    int (*step)(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev);
    void (*destroy)(void *state); /* NULL: nothing to free. Never fails, may come in any state */
};

/*
 * CONNECTOR [worker]. connect: on START ask the peer for gost_target(io); GOST_OK: port 0 now
 * belongs to the target, bytes still queued are its first bytes. A codec is put on with an UPGRADE
 * action before GOST_OK is returned. A connector that must frame datagrams upgrades to a codec with
 * a datagram top.
 */
struct gost_connector_ops {
    uint32_t size;
    uint32_t networks; /* bits 1 << enum gost_network that connect can ask for; 0: TCP only */
    int (*connect)(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev);
    /* Ask for packets with any destination; GOST_OK: the top of port 0 (after an upgrade) or the
     * port told with gost_result_port() is a datagram port. NULL: cannot. */
    int (*associate)(void *state, const void *conf, struct gost_io *io,
                     const struct gost_event *ev);
    /* Ask the peer to listen at gost_target(io). Report with gost_bound(); then each arriving
     * stream is reported with gost_accepted(). NULL: cannot. */
    int (*bind)(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev);
    void (*destroy)(void *state);
    uint32_t accepts; /* type of port 0: GOST_STREAM (0 means that), GOST_EXCHANGE, GOST_SESSION */
    uint32_t flags;   /* GOST_CONNECTOR_* */
};

#define GOST_CONNECTOR_PASS 1u /* the target's address is ignored: port 0 is the target as it is */
/* bind for UDP gives a port of packets for each peer with gost_accepted(), instead of associate's
 * one port for all of them. */
#define GOST_CONNECTOR_BIND_PACKETS 2u

/*
 * LAYER [worker]. Port 0 is the wire, gost_app(io) the user above. The host calls handshake until
 * it returns GOST_OK, then decode when the wire has input or ended (and when the app side has room
 * again), encode when the app side has data or ended. decode and encode return GOST_AGAIN when they
 * used all they can, GOST_FULL when output is above its mark, GOST_END when the direction ended
 * (decode: after gost_shut(app)), or an error.
 *
 * decode and encode NULL: the layer is identity once the handshake is done. A layer may also say so
 * at any time with gost_identity(io). Splice is decided by this alone.
 */
struct gost_layer_ops {
    uint32_t size;
    uint32_t below, above; /* enum gost_type; 0 means GOST_STREAM */
    uint32_t flags;        /* GOST_LAYER_* */
    int (*open)(void *state, const void *conf, struct gost_io *io);      /* NULL: nothing to do */
    int (*handshake)(void *state, const void *conf, struct gost_io *io); /* NULL: ready at once */
    int (*decode)(void *state, const void *conf, struct gost_io *io);
    int (*encode)(void *state, const void *conf, struct gost_io *io);
    /* The app ended its direction and all is encoded: send the closing bytes. Default: the end is
     * passed down as it is (native). */
    int (*shut)(void *state, const void *conf, struct gost_io *io);
    int (*on_deadline)(void *state, const void *conf, struct gost_io *io); /* gost_set_deadline() */
    /* Largest payload for a lower payload of `below` bytes; NULL: the same. */
    uint32_t (*mtu)(const void *conf, uint32_t below);
    void (*destroy)(void *state);
    const struct gost_session_ops *session; /* above == GOST_SESSION or GOST_EXCHANGE */
    const struct gost_attach_ops *attach; /* below == GOST_DATAGRAM and several peers: session.h */
    const struct gost_gather_ops *gather; /* many exchanges are one stream; NULL: no */
};

#define GOST_LAYER_NO_HALF_CLOSE \
    1u                       /* ending one direction ends both, whoever does it: the host holds
                                       the end of what a flow's opener sends back until the other
                                       side ends or is silent for 10 s */
#define GOST_LAYER_SECURE 2u /* confidential and authenticated */
#define GOST_LAYER_CODEC  4u /* for UPGRADE by its own plugin only; not in a user's stack */

/*
 * A layer that makes one stream of many exchanges (pht). It stands on GOST_EXCHANGE, gives
 * GOST_STREAM and has two handlers instead of open() to shut(); their conf is the layer's.
 *
 *   server  one instance for each exchange that a listener got, its port 0. Where exchanges meet
 *           is its own affair (endpoints, shared tables, SPAWN). SPAWN with GOST_SPAWN_PAIR and
 *           GOST_SPAWN_SERVE makes a stream and gives its other end to the service's handler.
 *   client  one instance for each stream that somebody dials: port 0 is that user.
 *           gost_dial_below() opens one more exchange. The node counts as reached with the first
 *           one with GOST_DIAL_READY; ending before that is a failure of the node.
 *           gost_target() is the node.
 */
struct gost_component;
struct gost_gather_ops {
    uint32_t size;
    uint32_t reserved;
    const struct gost_component *server, *client; /* of kind HANDLER; NULL: not in that role */
};

/*
 * STACK: data only. `layers` lists a transport and layers from the bottom, separated by '/':
 * "tcp/tls/ws". A layer written as "tls!insecure" is left out when the option "insecure" is true.
 * `renames` maps option names: "keepalive=ws.keepalive ..." for the dialer side when it starts with
 * '>' and the listener side when it starts with '<'.
 */
struct gost_stack_ops {
    uint32_t size;
    uint32_t
        roles; /* bits of enum gost_role: GOST_SERVER usable as listener, GOST_CLIENT as dialer */
    const char *layers;
    const char *renames;  /* NULL: none */
    const char *defaults; /* "key=value key=value": overrides a layer's own default; NULL: none */
};

/* INSPECTOR [worker]: looks at what a client sends first. It peeks (never takes) port 0; GOST_OK:
 * decided, after gost_set_sniffed() when it recognised something. GOST_AGAIN: needs more, up to
 * `limit` bytes (0: 16384) or for as long as timeout() says. */
struct gost_inspector_ops {
    uint32_t size;
    uint32_t limit;
    int (*inspect)(void *state, const void *conf, struct gost_io *io);
    /* How long it may take by its configuration, ns; 0: for ever. NULL: for ever */
    uint64_t (*timeout)(const void *conf);
};

/* One component. */
struct gost_component {
    uint32_t kind;                  /* enum gost_kind */
    uint32_t flags;                 /* GOST_COMPONENT_* */
    const char *name;               /* "socks5" */
    const char *aliases;            /* "socks", separated by blanks; NULL: none */
    const char *summary;            /* one line */
    const void *ops;                /* the size-prefixed table of this kind */
    const struct gost_opt *options; /* ends with GOST_OPT_LAST; NULL: none */
    uint32_t conf_size;             /* of the struct the options fill; 0: none */
    uint32_t state_size;            /* of one instance */
    /* Cross-field rules and derived data (TLS context), once per conf object. [main] GOST_OK, or an
     * error with p->error filled. NULL: none */
    int (*prepare)(void *conf, struct gost_prepare *p);
    /* Free what prepare made. The host frees strings and lists itself. NULL: none */
    void (*release)(void *conf);
    /* Components that it hands connections over to, as "kind:name" separated by blanks. Their
     * options are options of its object too. "kind:name?option": only when that boolean option is
     * given as true; then it must be there. NULL: none */
    const char *uses;
};

/* HANDLER: all its instances live on one worker, and so may share what they like without locks. A
 * client of another worker comes there over a bridge: port 0 is a stream or packets as elsewhere,
 * the flow's addresses and user are the client's. Sessions and exchanges cannot be bridged. */
#define GOST_COMPONENT_SINGLE 1u

#ifdef __cplusplus
}
#endif
#endif
