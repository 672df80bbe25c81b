/* tunnel_http.c - an entry point for web clients: each request goes to the tunnel of its host. */
/* SPDX-License-Identifier: MIT */
#include "tunnel_entry.h"

/* Our own answer; the connection ends. */
static int refuse(const struct tunnel_entry *e, struct gost_io *io, uint32_t status, int code,
                  const char *text)
{
    uint8_t room[128];
    struct gost_http1_out out = {room, 0, sizeof room, 0};

    gost_http1_put_status(&out, e->x.minor, status, gost_bytes(NULL, 0));
    gost_http1_put_str(&out, "Content-Length: 0\r\n\r\n");
    gost_send(io, out.p, out.n);
    return gost_fail(io, code, "%s", text);
}

/* ---- the exchange's questions ---- */

static int failed(const struct gost_http1_how *how, struct gost_io *io, int code, const char *text)
{
    return refuse(how->owner, io, 503, code, text);
}

static void leave_tunnel(struct tunnel_entry *e, struct gost_io *io)
{
    struct gost_io *up = e->connected ? gost_port(io, TUNNEL_FAR) : NULL;

    if (up)
        gost_shut(up);
    e->connected = 0;
}

static int visit(struct tunnel_entry *e, struct gost_io *io)
{
    leave_tunnel(e, io);
    e->x.reused = 0;
    e->visit.second = 0;
    e->phase = TUNNEL_ENTRY_VISIT;
    gost_set_deadline(io, 0);
    return tunnel_visit(&e->visit, io, TUNNEL_ENTRY_VISIT);
}

static int repeat(const struct gost_http1_how *how, struct gost_io *io)
{
    return visit(how->owner, io);
}

static int next(const struct gost_http1_how *how, struct gost_io *io)
{
    struct tunnel_entry *e = how->owner;

    if (!e->x.keep_upstream)
        leave_tunnel(e, io);
    e->phase = TUNNEL_ENTRY_HTTP;
    gost_http1_reset(&e->x);
    gost_phase(io, "the next request");
    return tunnel_http_intake(e, how->conf, io);
}

static struct gost_http1_how how_of(struct tunnel_entry *e, const struct tunnel_server_conf *cf)
{
    struct gost_http1_how how = {.read_timeout = cf->entry_timeout,
                                 .keepalive = cf->keepalive,
                                 .tag_up = TUNNEL_ENTRY_PUMP_UP,
                                 .tag_down = TUNNEL_ENTRY_PUMP_DOWN,
                                 .owner = e,
                                 .conf = cf,
                                 .failed = failed,
                                 .repeat = repeat,
                                 .next = next};

    return how;
}

static int go_on(struct tunnel_entry *e, const struct tunnel_server_conf *cf, struct gost_io *io)
{
    struct gost_http1_how how = how_of(e, cf);
    int r = gost_http1_go_on(&e->x, &how, io);

    if (e->x.switched)
        e->phase = TUNNEL_ENTRY_RELAYING;
    return r;
}

/* ---- a request ---- */

/* The head is still queued. Failed: it is not, or names no host. */
static int request(struct tunnel_entry *e, struct gost_io *io, struct gost_http1_head *head,
                   struct tunnel_request *req)
{
    int r = gost_http1_again(&e->x, io, head);

    if (r == GOST_OK && tunnel_request_parse(req, head) != GOST_OK)
        r = gost_fail(io, GOST_EINTERNAL, "the request changed while it was queued");
    return r;
}

static void make_sid(char sid[TUNNEL_SID])
{
    uint8_t id[12];

    gost_random(id, sizeof id);
    gost_put32(id, (uint32_t)(gost_unix_time() / GOST_S));
    tunnel_sid_text(sid, id);
}

static int send_request(struct tunnel_entry *e, const struct tunnel_server_conf *cf,
                        struct gost_io *io)
{
    struct gost_http1_how how = how_of(e, cf);
    char node[TUNNEL_UUID_TEXT], sid[TUNNEL_SID];
    struct gost_http1_head head;
    struct gost_http1_out out;
    struct tunnel_request req;
    uint8_t uuid[16];
    int r = tunnel_node(io, uuid);

    if (r == GOST_OK)
        r = request(e, io, &head, &req);
    if (r != GOST_OK)
        return r;
    r = gost_http1_out_new(&out, 512 + head.length + 4 * (size_t)head.n_fields + req.authority.n);
    if (r != GOST_OK)
        return gost_fail(io, r, "no memory for a request of %u bytes", (unsigned)head.length);
    tunnel_uuid_text(node, uuid);
    make_sid(sid);
    tunnel_request_put(&out, &head, &req, node, sid,
                       e->x.upgrade[0] ? GOST_HTTP1_PUT_UPGRADE
                       : cf->keepalive ? 0
                                       : GOST_HTTP1_PUT_CLOSE);
    e->phase = TUNNEL_ENTRY_EXCHANGE;
    r = gost_http1_send_request(&e->x, &how, io, &head, &out);
    if (e->x.switched)
        e->phase = TUNNEL_ENTRY_RELAYING;
    return r;
}

/* The stream that the last request used, if it goes the same way. */
static int usable(const struct tunnel_entry *e, struct gost_io *io, const struct tunnel_id *to,
                  const struct gost_addr *host)
{
    struct gost_io *up = e->connected ? gost_port(io, TUNNEL_FAR) : NULL;

    return up && !(e->x.ended & 1u << TUNNEL_FAR) && !gost_rx_eof(up) && !gost_rx_len(up) &&
           tunnel_id_same(&e->visit.id, to) && gost_addr_equal(&e->visit.target, host);
}

int tunnel_http_led(struct tunnel_entry *e, const struct tunnel_server_conf *cf, struct gost_io *io,
                    const struct tunnel_id *to)
{
    if (!to)
        return refuse(e, io, 502, GOST_ENOROUTE,
                      "no rule of the ingress lets the public reach this host");
    if (usable(e, io, to, &e->asked)) {
        e->x.reused = 1;
        return send_request(e, cf, io);
    }
    e->visit.id = *to;
    e->visit.target = e->asked;
    return visit(e, io);
}

int tunnel_http_visited(struct tunnel_entry *e, const struct tunnel_server_conf *cf,
                        struct gost_io *io, int status, const char *text)
{
    if (status != GOST_OK)
        return refuse(e, io, 503, status, text ? text : "no client of this tunnel is here");
    e->connected = 1;
    e->x.ended &= (uint8_t) ~(1u << TUNNEL_FAR);
    e->x.gone &= (uint8_t) ~(1u << TUNNEL_FAR);
    return send_request(e, cf, io);
}

static int on_request(struct tunnel_entry *e, const struct tunnel_server_conf *cf,
                      struct gost_io *io, const struct gost_http1_head *head)
{
    char node[TUNNEL_UUID_TEXT];
    struct tunnel_request req;
    uint8_t uuid[16];
    int r = tunnel_node(io, uuid);

    if (r != GOST_OK)
        return r;
    if (tunnel_request_parse(&req, head) != GOST_OK)
        return refuse(e, io, 400, GOST_EPROTO, "the request names no host");
    tunnel_uuid_text(node, uuid);
    if (tunnel_request_loops(head, node))
        return refuse(e, io, 503, GOST_EDENIED, "the request was here before: a loop");
    e->asked = req.addr;
    return tunnel_entry_lead(e, cf, io);
}

int tunnel_http_intake(struct tunnel_entry *e, const struct tunnel_server_conf *cf,
                       struct gost_io *io)
{
    struct gost_http1_head head;
    const char *why = NULL;
    int r;

    if (gost_rx_len(io) == 0 && (gost_rx_eof(io) || (e->x.ended & 1) || e->x.closing))
        return GOST_OK;
    gost_phase(io, "the request");
    r = gost_http1_read_head(io, &e->x.reader, 0, &head, &why);
    if (r == GOST_AGAIN && (e->x.ended & 1))
        return gost_fail(io, GOST_ECLOSED, "the client closed in the middle of a request head");
    if (r == GOST_OK)
        r = gost_http1_take_facts(&e->x, &head, &why);
    if (r < 0)
        return gost_fail(io, r, "bad request from the client: %s", why);
    return r == GOST_OK ? on_request(e, cf, io, &head) : r;
}

/* ---- events ---- */

static int on_pump(struct tunnel_entry *e, const struct tunnel_server_conf *cf, struct gost_io *io,
                   const struct gost_event *ev)
{
    struct gost_http1_how how = how_of(e, cf);
    int r = gost_http1_pumped(&e->x, &how, io, ev);

    return r == GOST_OK ? go_on(e, cf, io) : r;
}

/* The tunnel's old stream may still be ending while a new one is asked for. */
static int ends_port(struct tunnel_entry *e, struct gost_io *io, const struct gost_event *ev)
{
    uint8_t bit = (uint8_t)(1u << ev->port);

    if (ev->type == GOST_EV_CLOSED && ev->port == TUNNEL_CLIENT)
        return e->phase == TUNNEL_ENTRY_HTTP ? GOST_OK
                                             : gost_fail(io, GOST_ECLOSED, "the client went away");
    if (ev->port == TUNNEL_FAR &&
        (e->phase == TUNNEL_ENTRY_VISIT || e->phase == TUNNEL_ENTRY_INGRESS))
        return GOST_AGAIN;
    e->x.ended |= bit;
    if (ev->type == GOST_EV_CLOSED)
        e->x.gone |= bit;
    return GOST_AGAIN;
}

int tunnel_http_step(struct tunnel_entry *e, const struct tunnel_server_conf *cf,
                     struct gost_io *io, const struct gost_event *ev)
{
    int r;

    switch (ev->type) {
    case GOST_EV_RESULT:
        return on_pump(e, cf, io, ev);
    case GOST_EV_DEADLINE:
        return e->phase == TUNNEL_ENTRY_EXCHANGE && !e->x.got_head
                   ? refuse(e, io, 503, GOST_ETIMEDOUT,
                            "no response came within entrypoint.readTimeout")
                   : GOST_AGAIN;
    case GOST_EV_EOF:
    case GOST_EV_CLOSED:
        r = ends_port(e, io, ev);
        if (r != GOST_AGAIN || (ev->type == GOST_EV_CLOSED && ev->port == TUNNEL_CLIENT))
            return r;
        break;
    case GOST_EV_CANCEL:
        e->x.closing = 1;
        break;
    default:
        break;
    }
    if (e->phase == TUNNEL_ENTRY_HTTP)
        return tunnel_http_intake(e, cf, io);
    return e->phase == TUNNEL_ENTRY_EXCHANGE ? go_on(e, cf, io) : GOST_AGAIN;
}
