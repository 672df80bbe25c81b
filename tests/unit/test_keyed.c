/* test_keyed.c - a layer that attaches by key, on two workers, with a client that moves. */
/* SPDX-License-Identifier: MIT */
#pragma GCC diagnostic ignored "-Wunused-function" /* of the world it needs the half */
#include "net_world.h"

#include "../../host/siphash.h"

#define KEY   4u
#define PEERS 40

/*
 * The layer. A packet is a letter and a key; further bytes are a command's.
 *   N  makes an instance with that key          A  is answered without one, R with too much
 *   K  belongs to an instance                   anything else is dropped
 * An instance answers each packet with a report; then it obeys the letter after the key:
 *   T  take the key that follows   F  forget its own key   L  take keys until it is refused
 *   E  end
 */
struct keyed_state {
    uint8_t own[KEY];
    uint32_t id, packets;
};

struct report {
    uint32_t id, worker, packets;
    int32_t result;
    uint8_t own[KEY];
};

static atomic_uint last_id, routed_busy;

static int keyed_route(const void *conf, const struct gost_packet *p, struct gost_route_key *key,
                       uint8_t *reply, size_t *n)
{
    size_t answer = p->data.n * 2;

    if (p->flags & GOST_PACKET_BUSY)
        atomic_fetch_add(&routed_busy, 1);
    if (p->data.n < 1 + KEY || !p->addr)
        return GOST_ROUTE_DROP;
    if (p->data.p[0] == 'A' || p->data.p[0] == 'R' || (p->flags & GOST_PACKET_STRAY)) {
        if (p->data.p[0] == 'R')
            answer = p->data.n * 3 + 1; /* the host has to refuse it */
        memset(reply, p->flags & GOST_PACKET_STRAY ? 's' : 'a', answer < *n ? answer : *n);
        *n = answer;
        return GOST_ROUTE_ANSWER;
    }
    if (p->data.p[0] != 'N' && p->data.p[0] != 'K')
        return GOST_ROUTE_DROP;
    key->fresh = p->data.p[0] == 'N';
    key->n = KEY;
    memcpy(key->k, p->data.p + 1, KEY);
    return GOST_ROUTE_KEY;
}

static int keyed_open(void *state, const void *conf, struct gost_io *io)
{
    struct keyed_state *s = state;

    s->id = atomic_fetch_add(&last_id, 1) + 1;
    gost_random(s->own, KEY);
    return gost_key_add(io, gost_bytes(s->own, KEY));
}

static int obey(struct keyed_state *s, struct gost_io *io, struct gost_bytes v, int32_t *ret_result)
{
    uint8_t key[KEY] = {0};
    uint32_t n;

    *ret_result = 0;
    switch (v.n > 1 + KEY ? v.p[1 + KEY] : 0) {
    case 'T':
        *ret_result = gost_key_add(io, gost_bytes(v.p + 2 + KEY, v.n - 2 - KEY));
        return GOST_AGAIN;
    case 'F':
        gost_key_remove(io, gost_bytes(s->own, KEY));
        return GOST_AGAIN;
    case 'L':
        for (n = 0; *ret_result == 0 && n < 1000; n++) {
            gost_put32(key, 0xffff0000u + (s->id << 8) + n);
            *ret_result = gost_key_add(io, gost_bytes(key, KEY));
        }
        *ret_result = *ret_result == GOST_ELIMIT ? (int32_t)n : -1;
        return GOST_AGAIN;
    case 'E':
        return GOST_ECLOSED;
    default:
        return GOST_AGAIN;
    }
}

static int keyed_decode(void *state, const void *conf, struct gost_io *io)
{
    struct keyed_state *s = state;
    struct gost_packet p;
    int r = GOST_AGAIN;

    while (r >= 0 && gost_packet_recv(io, &p) == GOST_OK) {
        struct report report = {.id = s->id, .packets = ++s->packets};
        struct gost_addr to = *p.addr;

        memcpy(report.own, s->own, KEY);
        report.worker = gh_worker_index(gh_worker_current());
        r = obey(s, io, p.data, &report.result);
        gost_packet_put(io, gost_bytes(&report, sizeof report), &to);
    }
    return r;
}

static const struct gost_attach_ops keyed_attach = {sizeof keyed_attach, GOST_ATTACH_KEY,
                                                    keyed_route};
static const struct gost_layer_ops keyed_ops = {.size = sizeof keyed_ops,
                                                .below = GOST_DATAGRAM,
                                                .above = GOST_DATAGRAM,
                                                .open = keyed_open,
                                                .decode = keyed_decode,
                                                .attach = &keyed_attach};
static const struct gost_component keyed = {.kind = GOST_KIND_LAYER,
                                            .name = "keyed",
                                            .summary = "t",
                                            .ops = &keyed_ops,
                                            .state_size = sizeof(struct keyed_state)};

/* Ends when its client does. */
static int quiet_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    return ev->type == GOST_EV_EOF || ev->type == GOST_EV_CLOSED ? GOST_OK : GOST_AGAIN;
}

static const struct gost_handler_ops quiet_ops = {sizeof quiet_ops, GOST_DATAGRAM, quiet_step,
                                                  NULL};
static const struct gost_component quiet = {
    GOST_KIND_HANDLER, 0, "quiet", NULL, "t", &quiet_ops, NULL, 0, 0, NULL, NULL};

/* ---- the test's side ---- */

static void keyed_accepted(void *arg, struct gh_accepted *a)
{
    struct ge_layer_spec spec = {.component = &keyed, .role = GOST_SERVER};

    if (!arg) {
        ge_stack_free(a->packets, 0); /* a service that refuses everybody */
        return;
    }
    ge_stack_push(a->packets, &spec);
    serve(arg, a->worker, a->packets, -1);
}

static struct gh_listener *listen_keyed(struct gost_addr addr, struct service *service,
                                        unsigned max, uint16_t *ret_port)
{
    struct opening o = {.conf = {.transport = &udp,
                                 .addr = addr,
                                 .name = "keyed",
                                 .inherited_fd = -1,
                                 .max_peers = max,
                                 .layer = &keyed,
                                 .accept = keyed_accepted,
                                 .arg = service}};

    on_main(open_here, &o);
    *ret_port = o.local.port;
    return o.status == GOST_OK ? o.l : NULL;
}

static size_t packet(uint8_t *buf, char letter, uint32_t key, const void *more, size_t n)
{
    buf[0] = (uint8_t)letter;
    gost_put32(buf + 1, key);
    if (n)
        memcpy(buf + 1 + KEY, more, n);
    return 1 + KEY + n;
}

/* Send, and wait for the report. 1: it came. */
static int ask(int fd, char letter, uint32_t key, const char *command, size_t n, struct report *ret)
{
    uint8_t buf[64];

    n = packet(buf, letter, key, command, n);
    return send(fd, buf, n, 0) == (ssize_t)n && recv(fd, ret, sizeof *ret, 0) == sizeof *ret;
}

static uint32_t own_of(const struct report *r)
{
    return gost_get32(r->own);
}

static int answered(int fd, char letter, uint32_t key, size_t size, char fill)
{
    uint8_t buf[64];
    size_t n = packet(buf, letter, key, NULL, 0);

    return send(fd, buf, n, 0) == (ssize_t)n && recv(fd, buf, sizeof buf, 0) == (ssize_t)size &&
           buf[0] == fill && buf[size - 1] == fill;
}

static struct report first[PEERS];

static void test_owners(uint16_t port)
{
    int fd = plain_connect(port, SOCK_DGRAM), i, good = 0, moved = 0, on[2] = {0, 0};
    struct report r;

    for (i = 0; i < PEERS; i++)
        good += ask(fd, 'N', 1000u + (unsigned)i, NULL, 0, &first[i]);
    ok(good == PEERS && atomic_load(&last_id) == PEERS, "each fresh key makes an instance");
    for (i = 0; i < PEERS; i++)
        on[first[i].worker & 1]++;
    ok(on[0] >= PEERS / 4 && on[1] >= PEERS / 4, "they are spread over both workers");
    for (i = 0, good = 0; i < PEERS; i++)
        good += ask(fd, 'N', 1000u + (unsigned)i, NULL, 0, &r) && r.id == first[i].id;
    ok(good == PEERS, "the same key again is the same instance");
    for (i = 0; i < PEERS; i++) {
        int other = plain_connect(port, SOCK_DGRAM); /* the client has another port now */

        moved += ask(other, 'K', own_of(&first[i]), NULL, 0, &r) && r.id == first[i].id &&
                 r.worker == first[i].worker && r.packets == 3;
        close(other);
    }
    ok(moved == PEERS, "a client that changed its port reaches its instance, on its worker");
    close(fd);
}

static void test_burst(uint16_t port)
{
    int fd = plain_connect(port, SOCK_DGRAM), i, good = 0;
    uint8_t buf[64];
    struct report r;
    size_t n;

    for (i = 0; i < 20 * PEERS; i++) {
        n = packet(buf, 'K', own_of(&first[i % PEERS]), NULL, 0);
        if (send(fd, buf, n, 0) != (ssize_t)n)
            break;
        if (i % PEERS != PEERS - 1)
            continue;
        for (int k = 0; k < PEERS && recv(fd, &r, sizeof r, 0) == sizeof r; k++)
            good++;
    }
    ok(good == 20 * PEERS, "packets of the other worker's instances are handed over, none is lost");
    close(fd);
}

static void test_answers(uint16_t port)
{
    int fd = plain_connect(port, SOCK_DGRAM);

    ok(answered(fd, 'A', 5, 2 * (1 + KEY), 'a'), "a stateless answer comes back");
    ok(answered(fd, 'K', 77, 2 * (1 + KEY), 's'), "a key nobody has is a stray");
    (void)!write(fd, "R....", 5);
    (void)!write(fd, "X....", 5);
    ok(answered(fd, 'A', 6, 2 * (1 + KEY), 'a'),
       "an answer of more than three times the packet is not sent, nor one to a dropped packet");
    close(fd);
}

static void test_keys(uint16_t port)
{
    int fd = plain_connect(port, SOCK_DGRAM);
    struct report r;
    char take[1 + KEY] = "T";

    memcpy(take + 1, first[1].own, KEY);
    ok(ask(fd, 'K', own_of(&first[0]), take, sizeof take, &r) && r.result == GOST_EINUSE,
       "a key of another instance cannot be taken");
    memcpy(take + 1, first[0].own, KEY);
    ok(ask(fd, 'K', own_of(&first[0]), take, sizeof take, &r) && r.result == GOST_OK,
       "one's own may be given again");
    ok(ask(fd, 'K', own_of(&first[2]), "L", 1, &r) && r.result == 32 - 2 + 1,
       "an instance has at most 32 keys");
    ok(ask(fd, 'K', 1000, "F", 1, &r) && answered(fd, 'K', own_of(&first[0]), 10, 's'),
       "a key that was removed leads nowhere");
    ok(ask(fd, 'K', 1000, NULL, 0, &r) && r.id == first[0].id, "the others still do");
    ok(ask(fd, 'K', 1001, "E", 1, &r) && wait_for(&live, PEERS - 1), "an instance ends");
    ok(answered(fd, 'K', 1001, 10, 's') && answered(fd, 'K', own_of(&first[1]), 10, 's'),
       "and with it all its keys");
    ok(ask(fd, 'N', 1001, NULL, 0, &r) && r.id == PEERS + 1, "its key may make another one");
    close(fd);
}

static sem_t released, caught_up;

static void stand_still(struct gh_worker *w, void *arg)
{
    while (sem_wait(&released) < 0)
        ;
}

static void has_caught_up(struct gh_worker *w, void *arg)
{
    sem_post(&caught_up);
}

/* A fresh key for the worker that stands still: it is lost, and then nobody's. 0: the other worker
 * had it. -1: nobody answers. */
static int fresh_is_lost(int fd, uint32_t key)
{
    uint8_t buf[64];
    struct report r;
    ssize_t n;

    (void)!send(fd, buf, packet(buf, 'N', key, NULL, 0), 0);
    (void)!send(fd, buf, packet(buf, 'K', key, NULL, 0), 0);
    n = recv(fd, buf, sizeof buf, 0);
    if (n == sizeof r)
        (void)!recv(fd, &r, sizeof r, 0);
    return n < 0 ? -1 : n == 2 * (1 + KEY) && buf[0] == 's';
}

/* The reader is the first worker, as this is the first listener. */
static void test_overrun(uint16_t port)
{
    int fd = plain_connect(port, SOCK_DGRAM), full = plain_connect(port, SOCK_DGRAM), i, at = 3,
        lost = 0;
    uint8_t buf[64];
    struct report r;

    while (at < PEERS - 1 && first[at].worker == 0)
        at++;
    sem_init(&released, 0, 0);
    sem_init(&caught_up, 0, 0);
    gh_worker_post(gh_worker_get(1), stand_still, NULL);
    for (i = 0; i < 4200; i++) { /* more than may be on their way */
        (void)!send(full, buf, packet(buf, 'K', own_of(&first[at]), NULL, 0), 0);
        if (i % 32 == 0 && !answered(fd, 'A', 5, 2 * (1 + KEY), 'a'))
            break;
    }
    for (i = 0; i < 2 * PEERS && lost == 0; i++)
        lost = fresh_is_lost(fd, 9000 + (uint32_t)i);
    ok(lost == 1, "a fresh key that cannot be handed over leaves nothing behind");
    gh_worker_post(gh_worker_get(1), has_caught_up, NULL);
    sem_post(&released);
    while (sem_wait(&caught_up) < 0)
        ;
    close(full);
    ok(ask(fd, 'K', own_of(&first[at]), NULL, 0, &r) && r.id == first[at].id,
       "the keys of instances stay");
    close(fd);
}

static void test_caps(void)
{
    struct service service = {&quiet, {ip4(0)}, 0};
    struct gh_listener *l;
    struct report r;
    uint16_t port;
    uint8_t buf[64];
    int fd, i;

    l = listen_keyed(ip4(0), &service, 3, &port);
    fd = plain_connect(port, SOCK_DGRAM);
    for (i = 0; i < 3; i++)
        (void)ask(fd, 'N', (uint32_t)i, NULL, 0, &r);
    (void)!send(fd, buf, packet(buf, 'N', 3, NULL, 0), 0);
    ok(ask(fd, 'N', 2, NULL, 0, &r) && atomic_load(&live) == 3,
       "a full table makes no more instances, those it has live");
    close(fd);
    close_listener(l);
    wait_for(&live, 0);

    l = listen_keyed(ip4(0), NULL, 0, &port);
    fd = plain_connect(port, SOCK_DGRAM);
    (void)!send(fd, buf, packet(buf, 'N', 3, NULL, 0), 0);
    for (i = 0; i < 100 && !answered(fd, 'K', 3, 10, 's'); i++)
        ;
    ok(i < 100, "a service that refuses leaves no key behind");
    close(fd);
    close_listener(l);

    atomic_store(&routed_busy, 0);
    l = listen_keyed(ip4(0), &service, 0, &port);
    fd = plain_connect(port, SOCK_DGRAM);
    for (i = 0; i < 200; i++)
        (void)ask(fd, 'N', (uint32_t)i, NULL, 0, &r);
    ok(atomic_load(&routed_busy) > 0, "many unproven instances make the listener busy");
    for (i = 0; i < 200; i++)
        if (ask(fd, 'N', (uint32_t)i, NULL, 0, &r))
            (void)ask(fd, 'K', own_of(&r), NULL, 0, &r);
    atomic_store(&routed_busy, 0);
    (void)ask(fd, 'N', 0, NULL, 0, &r);
    ok(atomic_load(&routed_busy) == 0, "a packet with a key of their own proves them");
    close(fd);
    close_listener(l);
    wait_for(&live, 0);
}

/* A socket for any address answers from the one that was asked. */
static void test_local(void)
{
    struct service service = {&quiet, {ip4(0)}, 0};
    struct sockaddr_in to;
    struct gost_addr any = {0};
    struct gh_listener *l;
    struct report r;
    uint16_t port;
    int fd, i, good = 0;

    l = listen_keyed(any, &service, 0, &port);
    for (i = 2; i < 6; i++) {
        to = loopback(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + (uint32_t)i);
        fd = plain_socket(SOCK_DGRAM);
        /* connected: what comes from another address does not arrive */
        if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
            good += ask(fd, 'N', (uint32_t)i, NULL, 0, &r);
        close(fd);
    }
    ok(good == 4, "answers come from the address that was asked");
    close_listener(l);
    ok(wait_for(&live, 0), "instances end with their listener");
}

static void test_keyed(void)
{
    struct service service = {&quiet, {ip4(0)}, 0};
    struct gh_listener *l;
    uint16_t port;

    l = listen_keyed(ip4(0), &service, 0, &port);
    test_owners(port);
    test_burst(port);
    test_answers(port);
    test_keys(port);
    test_overrun(port);
    close_listener(l);
    ok(wait_for(&live, 0), "all instances end with their listener");
    test_caps();
    test_local();
}

static void test_siphash(void)
{
    uint8_t key[16], text[15];
    int i;

    for (i = 0; i < 16; i++)
        key[i] = (uint8_t)i;
    memcpy(text, key, sizeof text);
    ok(gh_siphash(key, text, sizeof text) == 0xa129ca6149be45e5u,
       "SipHash-2-4 gives what its paper says");
    key[0] = 1;
    ok(gh_siphash(key, text, sizeof text) != 0xa129ca6149be45e5u, "and something else otherwise");
}

int main(void)
{
    struct gh_main_ops ops = {NULL, NULL, NULL};

    tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    test_siphash();
    in_process(test_keyed, 0, &ops);
    printf("1..%d\n", tally->count);
    return tally->failures > 0;
}
