/* session.h - layers whose top is many streams (smux, h2, quic, ssh), and datagram attachment. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_SESSION_H
#define GOST_SESSION_H

#include <gost/io.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A session layer has one port per stream. From the layer's side such a port works like GOST_APP:
 * gost_send(stream) delivers upwards, gost_peek(stream) sees what the user wants sent. The layer
 * keeps its own pointer with gost_set_data(stream) and finds ports again with gost_stream_port().
 *
 *   peer opens   decode:  s = gost_stream_new(io, id, flags)   the host makes a child flow (server)
 *                         or completes a bind (client)
 *   we open      session->open(): the layer picks the id and sends its opening bytes
 *                         gost_stream_new gives NULL at the limit, while draining and without
 *                         memory: refuse the stream to the peer, the session goes on
 *   data up      decode:  gost_send(s, ...) or gost_move(s, io, n); the host calls
 *                         session->credit() as the user consumes. The layer holds the peer to its
 *                         window; without windows it asks gost_tx_room(s) first and returns
 *                         GOST_FULL, which stops all streams until the user has read. It may
 *                         return GOST_FULL for a limit of its own, too: decode is called again
 *                         after each credit()
 *   data down    encode:  while (gost_tx_room(io) && (s = gost_stream_next(io)))
 *                                 { peek s, frame it, consume, look at gost_rx_eof(s) }
 *                         gost_stream_next is fair (round robin within a priority) and gives only
 *                         streams with data or an end to send and credit left: the layer says with
 *                         gost_stream_set_credit() how much the peer lets it send from now on, and
 *                         the host takes off what the layer consumes. A stream that the layer left
 *                         as it was is not given again before the next encode. encode follows
 *                         every decode, so a window of the whole session needs no other wake-up
 *   half-close   gost_shut(s): the peer ended. gost_rx_eof(s): the user ended and all is consumed;
 *                         the end is given by gost_stream_next once, alone or with the last bytes.
 *                         GOST_LAYER_NO_HALF_CLOSE holds for each stream
 *   reset        gost_stream_reset(s, code): the peer reset or stopped; what it sent before is
 *                         still read, then the user's EV_CLOSED has the code. session->reset(): the
 *                         user reset
 *   stop         gost_stream_stop(s, code): the peer wants no more of our bytes but goes on sending
 *                (STOP_SENDING, RST_STREAM with NO_ERROR after a whole response). What the user
 *                sends from now on is dropped, stream_next does not give s any more; the other
 *                direction is as it was. The layer ends its own half on the wire. If the user then
 *                lets go of s before the peer ended, session->reset() says so
 *   opening      what a stream opens with besides its kind (ssh: channel type and data) is
 *                gost_stream_arg(s): in open() what our user gave; decode sets it with
 *                gost_stream_set_arg(s, bytes) right after gost_stream_new(), for the user to read
 *                on its port. A layer that waits for the peer's consent gives no credit until then
 *   requests     ours: session->request(tag), later gost_session_reply(io, tag, ...). The peer's:
 *                gost_session_request(io, tag, name, payload), later session->reply(tag, ...), for
 *                each of them; tag is the layer's own choice. Where the protocol answers in order
 *                the layer keeps the order
 *   datagrams    received: gost_session_datagram(io, s or NULL, data): GOST_OK, GOST_FULL or
 *                GOST_END: dropped, nobody reads fast enough or at all. Sent: session->datagram()
 *   session end  gost_session_goaway(io): the peer wants no new streams; the pool drains this
 *                         carrier. An error of any call, or the end of the wire, ends the session:
 *                         all streams are told the same error
 *
 * decode, encode and on_deadline come from the host's loop; the calls of struct gost_session_ops
 * come there too, or at once when a user opens or lets go of a stream, never from inside another
 * call of the same layer. They may write to the wire.
 *
 * Exchanges (above == GOST_EXCHANGE): gost_head_send(s) delivers a head upwards, gost_head_recv(s)
 * takes the head the user sent. Heads keep their place among the bytes: trailers come after the
 * body, and gost_rx_eof() is 1 only when they are taken too. The flag GOST_STREAM_EXCHANGE is
 * implied. At most 32 heads wait on a port; more are GOST_ELIMIT. A server session's request
 * becomes a child flow with a handler that accepts GOST_EXCHANGE. Each request is a flow of its
 * own, so each may go to its own upstream.
 */

/*
 * A layer on top of a session (below == GOST_SESSION) has the streams below as ports, which work
 * like a task's: gost_rx() has what the peer sent, gost_send() sends, gost_shut() ends our half.
 *
 *   news         decode: while ((s = gost_wire_next(io))): s is new (gost_data(s) is NULL), has
 *                input, ended (gost_rx_eof), was reset or stopped (gost_wire_state), or has room
 *                again after gost_tx_room(s) was 0. Input that is left is no news before there is
 *                more of it. Streams of the peer may be one-way ones
 *   open         gost_wire_open(io, flags)
 *   let go       gost_wire_leave(s) or gost_wire_reset(s, code), of every stream once; at the
 *                session's end the host does it
 *   datagrams    of the session: gost_packet_recv(io), gost_wire_datagram(io, data)
 *   end          gost_wire_end(io, code) in shut(), or before an error is returned: the peer is
 *                told that code
 *
 * It may be a session itself: its ports are then of both kinds.
 */
#define GOST_WIRE_RESET   1u /* the peer reset the stream, or the session ended */
#define GOST_WIRE_STOPPED 2u /* the peer wants no more of it; its own half goes on */

/* Flags of a stream. */
#define GOST_STREAM_ONEWAY   1u /* only the opener sends */
#define GOST_STREAM_EXCHANGE 2u /* carries heads */
#define GOST_STREAM_URGENT   4u /* served before streams without it */

struct gost_session_ops {
    uint32_t size;
    uint32_t flags; /* GOST_SESSION_* */
    /* Open a stream for the local user; s is its port, the layer answers with *ret_id. GOST_FULL:
     * the peer allows no more streams now (the pool opens another carrier). Not GOST_OK: there is
     * no stream, closed() will not come. An error through gost_fail() ends the session. */
    int (*open)(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                uint32_t stream_flags, uint64_t *ret_id);
    /* The user consumed n more bytes of s, or let go of them unread: give the peer window. The sum
     * of n is all that was delivered to s. NULL: no flow control. */
    int (*credit)(void *state, const void *conf, struct gost_io *io, struct gost_io *s, size_t n);
    /* The user gave up sending (reset) and reading (stop) on s, with an application code (0: none
     * given). closed() follows. Not called when both directions ended cleanly or the peer reset. */
    int (*reset)(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                 uint64_t code);
    /* s is gone for good: forget it. Once for every stream, also at the session's end, before
     * destroy(). */
    void (*closed)(void *state, const void *conf, struct gost_io *io, struct gost_io *s);
    /* Ask the peer for a sign of life; gost_session_alive(io) answers. NULL: cannot. */
    int (*ping)(void *state, const void *conf, struct gost_io *io);
    /* Tell the peer to open no more streams. NULL: the host just closes when the last one ends.
     * Then the layer's shut() is called, or the wire is ended as it is. */
    int (*goaway)(void *state, const void *conf, struct gost_io *io);
    /* Send a session request (ssh global request, tcpip-forward). Answered by gost_session_reply().
     * NULL: GOST_EUNSUPPORTED. */
    int (*request)(void *state, const void *conf, struct gost_io *io, struct gost_bytes name,
                   struct gost_bytes payload, uint32_t tag);
    /* Send an unreliable datagram that belongs to s (or to the session: s NULL). */
    int (*datagram)(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                    struct gost_bytes data);
    /* Answer the peer's request `tag`: 0, or an error (no). In the order the user answered. NULL:
     * the peer has no requests. */
    int (*reply)(void *state, const void *conf, struct gost_io *io, uint32_t tag, int status,
                 struct gost_bytes payload);
    /* 0: the peer takes no datagrams of s (or of the session: s NULL); then nobody gets a port of
     * them. NULL: it takes them. */
    int (*datagrams)(void *state, const void *conf, struct gost_io *io, struct gost_io *s);
};

#define GOST_SESSION_DATAGRAMS 1u /* has datagrams */
#define GOST_SESSION_ONEWAY    2u /* has one-way streams */
#define GOST_SESSION_RESET     4u /* can reset one stream alone */

/*
 * How a layer on datagrams attaches to a socket that many peers share.
 *   GOST_ATTACH_PEER    one instance per source address
 *   GOST_ATTACH_KEY     one instance per key in the packet (QUIC connection id, KCP conv)
 *   GOST_ATTACH_SOCKET  one instance for all
 * route() is pure, runs before any state exists, on any thread, and must not fail. It sees one
 * packet with addr, and local where it is known.
 *
 * A key belongs to one instance at a time, on one worker; the host hands it every packet with that
 * key, from whatever address (packet.addr says which; an answer goes there when the layer passes it
 * on). A packet whose key nobody has makes a new instance when the key is `fresh`, with that key.
 * Else route() is asked again with GOST_PACKET_STRAY: a stateless answer or GOST_ROUTE_DROP. The
 * instance registers further keys, which it chose itself, with gost_key_add(). All its keys are
 * forgotten when it ends.
 *
 * GOST_PACKET_BUSY says that many instances of this listener have proven nothing yet (no packet
 * came with a key of their own choice, or after their handshake): prefer a stateless answer that
 * makes the peer prove its address. gost_now(), gost_unix_time() and gost_random() may be called.
 */
enum gost_attach { GOST_ATTACH_PEER = 1, GOST_ATTACH_KEY = 2, GOST_ATTACH_SOCKET = 3 };

enum gost_route_verdict {
    GOST_ROUTE_KEY = 1,    /* ret_key names the instance */
    GOST_ROUTE_ANSWER = 2, /* send reply[0..n): at most three times the packet's size */
    GOST_ROUTE_DROP = 3
};

struct gost_route_key {
    uint8_t n;     /* bytes used */
    uint8_t fresh; /* 1: may create a new instance */
    uint8_t k[22];
};

struct gost_attach_ops {
    uint32_t size;
    uint32_t attach; /* enum gost_attach */
    int (*route)(const void *conf, const struct gost_packet *pkt, struct gost_route_key *ret_key,
                 uint8_t *reply, size_t *ret_reply_n /* in: room; out: length */);
};

#ifdef __cplusplus
}
#endif
#endif
