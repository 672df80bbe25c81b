/* net_world.h - peers in processes of their own, transports, handlers and a small control side. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_NET_WORLD_H
#define TEST_NET_WORLD_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../host/net.h"
#include "sockaddr.h"

#define CROWD    200
#define PATIENCE 20000 /* ms until a test gives up; no test passes by waiting */

/* Shared by the processes that run the phases of the test one after the other. */
static struct tally {
    int count, failures;
} * tally;

static void ok(int good, const char *name)
{
    tally->count++;
    tally->failures += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", tally->count, name);
    fflush(stdout);
}

/* ---- plain sockets of the test itself ---- */

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in a;
    socklen_t n = sizeof a;

    return getsockname(fd, (struct sockaddr *)&a, &n) == 0 ? ntohs(a.sin_port) : 0;
}

static int plain_socket(int type)
{
    struct timeval patience = {PATIENCE / 1000, 0};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

static int plain_listen(int type, int backlog)
{
    struct sockaddr_in a = loopback(0);
    int fd = plain_socket(type);

    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
        (type == SOCK_STREAM && listen(fd, backlog) < 0))
        return -1;
    return fd;
}

static int plain_connect(uint16_t port, int type)
{
    struct sockaddr_in a = loopback(port);
    int fd = plain_socket(type);

    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    close(fd);
    return -1;
}

static int write_all(int fd, const void *p, size_t n)
{
    const char *at = p;

    while (n > 0) {
        ssize_t r = send(fd, at, n, MSG_NOSIGNAL);

        if (r <= 0)
            return 0;
        at += r;
        n -= (size_t)r;
    }
    return 1;
}

static int read_all(int fd, void *p, size_t n)
{
    char *at = p;

    while (n > 0) {
        ssize_t r = read(fd, at, n);

        if (r <= 0)
            return 0;
        at += r;
        n -= (size_t)r;
    }
    return 1;
}

/* ---- a process of its own that echoes, streams and datagrams ---- */

static void echo_stream(int ep, int fd)
{
    static char buf[65536];
    ssize_t n = read(fd, buf, sizeof buf);

    if (n > 0 && write_all(fd, buf, (size_t)n))
        return;
    if (n == 0)
        shutdown(fd, SHUT_WR);
    epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL);
    close(fd);
}

static void echo_process(int tcp, int udp)
{
    static char buf[65536];
    int ep = epoll_create1(0);
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = tcp}, got;

    epoll_ctl(ep, EPOLL_CTL_ADD, tcp, &ev);
    ev.data.fd = udp;
    epoll_ctl(ep, EPOLL_CTL_ADD, udp, &ev);
    while (epoll_wait(ep, &got, 1, -1) == 1 || errno == EINTR) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;

        if (got.data.fd == tcp) {
            ev.data.fd = accept(tcp, NULL, NULL);
            if (ev.data.fd >= 0)
                epoll_ctl(ep, EPOLL_CTL_ADD, ev.data.fd, &ev);
        } else if (got.data.fd == udp) {
            ssize_t n = recvfrom(udp, buf, sizeof buf, 0, (struct sockaddr *)&from, &len);

            if (n >= 0)
                sendto(udp, buf, (size_t)n, 0, (struct sockaddr *)&from, len);
        } else {
            echo_stream(ep, got.data.fd);
        }
    }
    _exit(1);
}

/* A process that opens a crowd of connections at once, and then is served one by one. */
static void crowd_process(int control)
{
    static int fd[CROWD];
    uint16_t port;

    while (read(control, &port, sizeof port) == sizeof port) {
        uint32_t i, served = 0;
        char c = 'x';

        for (i = 0; i < CROWD; i++) {
            fd[i] = plain_connect(port, SOCK_STREAM);
            if (fd[i] >= 0)
                write_all(fd[i], &c, 1);
        }
        for (i = 0; i < CROWD; i++) {
            served += fd[i] >= 0 && read_all(fd[i], &c, 1);
            close(fd[i]);
        }
        if (write(control, &served, sizeof served) != sizeof served)
            break;
    }
    _exit(0);
}

static uint16_t echo_port, echo_udp_port;
static pid_t echo_pid, crowd_pid;
static int crowd;

static void start_processes(void)
{
    int tcp = plain_listen(SOCK_STREAM, 4096), udp = plain_listen(SOCK_DGRAM, 0), pair[2];

    echo_port = port_of(tcp);
    echo_udp_port = port_of(udp);
    echo_pid = fork();
    if (echo_pid == 0)
        echo_process(tcp, udp);
    close(tcp);
    close(udp);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        exit(1);
    crowd_pid = fork();
    if (crowd_pid == 0) {
        close(pair[0]);
        crowd_process(pair[1]);
    }
    close(pair[1]);
    crowd = pair[0];
}

/* ---- transports, as plugins have them ---- */

static int t_listen_type(int type, struct gost_socket *s)
{
    struct gost_addr addr;
    int fd, one = 1, r = gost_inet_socket(type, 0, s, &fd, &addr);

    if (r < 0)
        return r;
    if (type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    r = gost_inet_bind(fd, &addr, s);
    if (r == 0 && type == SOCK_STREAM && listen(fd, 4096) < 0)
        r = -errno;
    s->fd = fd;
    if (r < 0)
        close(fd);
    return r;
}

static int tcp_listen(const void *conf, struct gost_socket *s)
{
    return t_listen_type(SOCK_STREAM, s);
}

static int udp_listen(const void *conf, struct gost_socket *s)
{
    return t_listen_type(SOCK_DGRAM, s);
}

static atomic_int dials;

static int t_dial_type(int type, struct gost_socket *s)
{
    struct sockaddr_storage ss;
    struct gost_addr addr;
    int fd, r = gost_inet_socket(type, 0, s, &fd, &addr);

    atomic_fetch_add(&dials, 1);
    if (r < 0)
        return r;
    s->fd = fd;
    if (connect(fd, (struct sockaddr *)&ss, gost_sockaddr_put(&ss, &addr)) == 0)
        return GOST_OK;
    if (errno == EINPROGRESS)
        return GOST_AGAIN;
    r = -errno;
    close(fd);
    return r;
}

static int tcp_dial(const void *conf, struct gost_socket *s)
{
    return t_dial_type(SOCK_STREAM, s);
}

static int udp_dial(const void *conf, struct gost_socket *s)
{
    return t_dial_type(SOCK_DGRAM, s);
}

static const struct gost_transport_ops tcp_ops = {sizeof tcp_ops, GOST_STREAM, tcp_listen, tcp_dial,
                                                  NULL,           NULL,        NULL,       0};
static const struct gost_transport_ops udp_ops = {
    sizeof udp_ops, GOST_DATAGRAM, udp_listen, udp_dial, NULL, NULL, NULL, 0};
static const struct gost_component tcp = {
    GOST_KIND_TRANSPORT, 0, "tcp", NULL, "t", &tcp_ops, NULL, 0, 0, NULL, NULL};
static const struct gost_component udp = {
    GOST_KIND_TRANSPORT, 0, "udp", NULL, "t", &udp_ops, NULL, 0, 0, NULL, NULL};

/* ---- handlers ---- */

static struct gost_addr ip4(uint16_t port)
{
    static const uint8_t ip[4] = {127, 0, 0, 1};
    struct gost_addr a;

    gost_addr_set_ip(&a, ip, 4, port);
    return a;
}

/* Dials, then relays. */
static int relay_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    struct gost_addr target = ip4(0);

    if (ev->type == GOST_EV_START)
        return gost_dial(io, 1, 1, GOST_NET_TCP, &target) ? GOST_EINTERNAL : GOST_AGAIN;
    if (ev->type != GOST_EV_RESULT)
        return GOST_AGAIN;
    if (ev->status)
        return ev->status;
    gost_relay(io, 0, 1, 0);
    return GOST_AGAIN;
}

static const struct gost_handler_ops relay_ops = {sizeof relay_ops, 0, relay_step, NULL};
static const struct gost_component relay = {
    GOST_KIND_HANDLER, 0, "relay", NULL, "t", &relay_ops, NULL, 0, 0, NULL, NULL};

/* Sends packets back. */
static int packets_step(void *state, const void *conf, struct gost_io *io,
                        const struct gost_event *ev)
{
    struct gost_packet p;

    if (ev->type == GOST_EV_EOF)
        return GOST_OK;
    while (gost_packet_recv(io, &p) == GOST_OK)
        gost_packet_put(io, p.data, NULL);
    return GOST_AGAIN;
}

static const struct gost_handler_ops packets_ops = {sizeof packets_ops, GOST_DATAGRAM, packets_step,
                                                    NULL};
static const struct gost_component packets = {
    GOST_KIND_HANDLER, 0, "packets", NULL, "t", &packets_ops, NULL, 0, 0, NULL, NULL};

/* Sends packets to the echo process by its name, and what comes back to the client. */
static int named_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    struct gost_io *out = gost_port(io, 1);
    struct gost_packet p;
    struct gost_addr name;

    if (ev->type == GOST_EV_START)
        return gost_associate(io, 1, 1) ? GOST_EINTERNAL : GOST_AGAIN;
    if (ev->type == GOST_EV_RESULT && ev->status)
        return ev->status;
    if (ev->type == GOST_EV_EOF && ev->port == 0)
        return GOST_OK;
    if (!out)
        return GOST_AGAIN;
    gost_addr_set_host(&name, "localhost", 9, echo_udp_port);
    while (gost_packet_recv(io, &p) == GOST_OK)
        gost_packet_put(out, p.data, &name);
    while (gost_packet_recv(out, &p) == GOST_OK)
        gost_packet_put(io, p.data, NULL);
    return GOST_AGAIN;
}

static const struct gost_handler_ops named_ops = {sizeof named_ops, GOST_DATAGRAM, named_step,
                                                  NULL};
static const struct gost_component named = {
    GOST_KIND_HANDLER, 0, "named", NULL, "t", &named_ops, NULL, 0, 0, NULL, NULL};

/* Relays packets to one peer. */
static int forward_step(void *state, const void *conf, struct gost_io *io,
                        const struct gost_event *ev)
{
    if (ev->type == GOST_EV_START)
        return gost_associate(io, 1, 1) ? GOST_EINTERNAL : GOST_AGAIN;
    if (ev->type == GOST_EV_RESULT && ev->status)
        return ev->status;
    if (ev->type == GOST_EV_RESULT)
        gost_relay(io, 0, 1, 0);
    return GOST_AGAIN;
}

static const struct gost_handler_ops forward_ops = {sizeof forward_ops, GOST_DATAGRAM, forward_step,
                                                    NULL};
static const struct gost_component forward = {
    GOST_KIND_HANDLER, 0, "forward", NULL, "t", &forward_ops, NULL, 0, 0, NULL, NULL};

/* ---- a small control side ---- */

/* What a listener of the test does with what it accepts. */
struct service {
    const struct gost_component *handler;
    struct gost_addr targets[2];
    unsigned n_targets;
};

struct tflow {
    struct gh_worker *w;
    struct ge_flow *ge;
    const struct service *service;
    struct gh_dial *dial;
    struct ge_task *task;
    uint32_t tag, port;
};

static atomic_int live, most, made, dial_status; /* most: that lived at once */
static char dial_text[400];
static pthread_mutex_t text_lock = PTHREAD_MUTEX_INITIALIZER;

static void task_done(struct ge_task *t, void *ctx, int status)
{
    struct tflow *f = ctx;

    ge_flow_unref(f->ge);
    gh_worker_flow_end(f->w);
    atomic_fetch_sub(&live, 1);
    free(f);
}

static void dialed(void *arg, int status, const char *text, struct ge_stack *stack,
                   const struct gost_addr *local, const struct gost_addr *remote)
{
    struct tflow *f = arg;

    f->dial = NULL;
    atomic_store(&dial_status, status);
    pthread_mutex_lock(&text_lock);
    snprintf(dial_text, sizeof dial_text, "%s", text ? text : "");
    pthread_mutex_unlock(&text_lock);
    if (status == 0)
        ge_port_open(f->task, f->port, stack);
    ge_result(f->task, GOST_ACT_DIAL, f->tag, status, text, NULL, 0);
}

static void e_act(void *ctx, struct ge_task *t, const struct gost_action *a)
{
    struct tflow *f = ge_task_ctx(t);
    struct ge_stack *stack;
    char text[300];
    int r;

    f->task = t;
    if (a->kind == GOST_ACT_ASSOCIATE) {
        r = gh_sock_packets(f->w, f->ge, NULL, f->service->n_targets ? f->service->targets : NULL,
                            0, 0, NULL, &stack, NULL, text, sizeof text);
        if (r == 0)
            ge_port_open(t, a->port, stack);
        ge_result(t, a->kind, a->tag, r, text, NULL, 0);
        return;
    }
    f->tag = a->tag;
    f->port = a->port;
    f->dial = gh_sock_dial(f->w, f->ge, &tcp, NULL, GOST_NET_TCP, f->service->targets,
                           f->service->n_targets, NULL,
                           ge_now(gh_worker_engine(f->w)) + 15 * GOST_S, dialed, f);
}

static void e_cancel(void *ctx, struct ge_task *t)
{
    struct tflow *f = ge_task_ctx(t);

    if (f->dial)
        gh_sock_dial_cancel(f->dial);
    f->dial = NULL;
}

static void e_log(void *ctx, struct ge_flow *flow, int level, const char *text)
{
}

static void serve(const struct service *service, struct gh_worker *w, struct ge_stack *packets_of,
                  int fd)
{
    struct tflow *f = calloc(1, sizeof *f);
    struct ge_task_spec spec = {.component = service->handler, .ctx = f, .done = task_done};
    struct ge_stack *stack;
    int now, peak;

    f->w = w;
    f->service = service;
    f->ge = ge_flow_new(gh_worker_engine(w));
    spec.flow = f->ge;
    gh_worker_flow_begin(w);
    now = atomic_fetch_add(&live, 1) + 1;
    atomic_fetch_add(&made, 1);
    for (peak = atomic_load(&most); now > peak;)
        if (atomic_compare_exchange_weak(&most, &peak, now))
            break;
    if (packets_of)
        ge_stack_set_flow(packets_of, f->ge);
    stack = packets_of ? packets_of : gh_sock_adopt(w, f->ge, fd);
    f->task = ge_task_new(&spec, stack);
}

static void accepted(void *arg, struct gh_accepted *a)
{
    serve(arg, a->worker, a->packets, a->fd);
}

static const struct ge_embed embed = {.act = e_act, .cancel = e_cancel, .log = e_log};

/* ---- what belongs to the main thread is done there, while the test runs on another ---- */

struct errand {
    void (*fn)(void *arg);
    void *arg;
    sem_t done;
};

static void run_errand(void *arg)
{
    struct errand *e = arg;

    e->fn(e->arg);
    sem_post(&e->done);
}

static void on_main(void (*fn)(void *arg), void *arg)
{
    struct errand e = {.fn = fn, .arg = arg};

    sem_init(&e.done, 0, 0);
    gh_main_post(run_errand, &e);
    while (sem_wait(&e.done) < 0)
        ;
    sem_destroy(&e.done);
}

struct opening {
    struct gh_listener_conf conf;
    struct gh_listener *l;
    struct gost_addr local;
    char error[300];
    int status;
};

static void open_here(void *arg)
{
    struct opening *o = arg;

    o->status = gh_listener_open(&o->conf, &o->l, o->error, sizeof o->error);
    if (o->status != GOST_OK)
        return;
    gh_listener_local(o->l, &o->local);
    gh_listener_start(o->l);
}

static void close_here(void *arg)
{
    gh_listener_close(arg);
}

static void stop_here(void *arg)
{
    gh_net_stop();
}

static void close_listener(struct gh_listener *l)
{
    on_main(close_here, l);
}

static void quit_here(void *arg)
{
    gh_main_quit();
}

static void *run_phase(void *arg)
{
    void (*phase)(void) = *(void (**)(void))arg;

    phase();
    on_main(quit_here, NULL);
    return NULL;
}

/* One phase in a process of its own: workers and the main loop begin and end with it. */
static void in_process(void (*phase)(void), size_t max_fds, const struct gh_main_ops *ops)
{
    struct gh_net_conf conf = {.workers = 2, .max_fds = max_fds, .embed = &embed};
    pthread_t thread;
    pid_t pid = fork();
    int status = 1;

    if (pid == 0) {
        gost_host_ = ge_host_table();
        if (gh_net_start(&conf) != GOST_OK)
            exit(2);
        pthread_create(&thread, NULL, run_phase, &phase);
        gh_main_run(ops);
        pthread_join(thread, NULL);
        if (gh_worker_count() > 0)
            gh_net_stop();
        exit(0);
    }
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        printf("# the process ended with status %d\n", status);
        ok(0, "a phase of the test ends by itself");
    }
}

static struct gh_listener *open_listener(const struct gost_component *transport, uint16_t port,
                                         struct service *service, int keepalive, uint16_t *ret_port)
{
    struct opening o = {.conf = {.transport = transport,
                                 .addr = ip4(port),
                                 .name = "test",
                                 .inherited_fd = -1,
                                 .keepalive = keepalive,
                                 .ttl_ns = GOST_S,
                                 .accept = accepted,
                                 .arg = service}};

    on_main(open_here, &o);
    if (o.status != GOST_OK) {
        printf("# %s\n", o.error);
        return NULL;
    }
    *ret_port = o.local.port;
    return o.l;
}

static int wait_for(atomic_int *v, int value)
{
    int i;

    for (i = 0; i < PATIENCE && atomic_load(v) != value; i++)
        usleep(1000);
    return atomic_load(v) == value;
}

#endif
