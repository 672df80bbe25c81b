/* io_listen.c - listening sockets of services and of flows (BIND). */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io_internal.h"
#include "log.h"
#include "memory.h"
#include "sockaddr.h"

#define BURST     64 /* accepts per wake-up */
#define FDS_SPARE 32 /* kept for dials, files and the log when accepting */
#define PAUSE_MS  200

struct gh_listener {
    uv_poll_t poll;
    uv_timer_t timer;
    struct gh_listener_conf conf;
    struct gh_listener *next, **prev;
    struct gost_addr local;
    struct gh_assoc_table *assoc;
    struct gh_keyed *keyed;
    int fd, stream, paused, started, handles;
};

static struct gh_listener *listeners;

static const struct gost_transport_ops *ops_of(const struct gh_listener *l)
{
    return l->conf.transport->ops;
}

struct handed {
    struct gh_listener_conf conf; /* as at the time of the accept */
    struct gh_accepted a;
};

static void on_handed(struct gh_worker *w, void *arg)
{
    struct handed *h = arg;

    atomic_fetch_sub_explicit(&gh_net_fds, 1, memory_order_relaxed); /* its stack counts it */
    h->conf.accept(h->conf.arg, &h->a);
    gh_worker_flow_end(w); /* it is counted as a flow now, or refused */
    free(h);
}

static void on_poll(uv_poll_t *p, int status, int events);

static void on_resume(uv_timer_t *t)
{
    struct gh_listener *l = t->data;

    if (!l->started || !l->paused)
        return;
    l->paused = 0;
    uv_poll_start(&l->poll, UV_READABLE, on_poll);
}

static void pause_accepting(struct gh_listener *l, const char *why)
{
    if (!l->paused)
        gh_log(GOST_LOG_WARN, "service %s: accepting pauses: %s", l->conf.name, why);
    l->paused = 1;
    uv_poll_stop(&l->poll);
    uv_timer_start(&l->timer, on_resume, PAUSE_MS, 0);
}

int gh_net_over_budget(void)
{
    return gh_memory_is_high() || (size_t)atomic_load_explicit(&gh_net_fds, memory_order_relaxed) +
                                          FDS_SPARE + 8 * gh_net_conf.workers + 16 >=
                                      gh_net_conf.max_fds;
}

static void hand_over(struct gh_listener *l, int fd, const struct sockaddr_storage *from,
                      socklen_t n)
{
    struct handed *h = calloc(1, sizeof *h);
    struct gost_socket s = {
        .size = sizeof s, .fd = fd, .role = GOST_SERVER, .network = GOST_NET_TCP};

    if (!h) {
        close(fd);
        return;
    }
    h->conf = l->conf;
    h->a.fd = fd;
    gost_sockaddr_get(&h->a.remote, from, n);
    h->a.local = l->local;
    s.addr = &l->conf.addr;
    s.local = &h->a.local;
    s.remote = &h->a.remote;
    s.original = &h->a.original;
    if (ops_of(l)->accepted && ops_of(l)->accepted(l->conf.conf, &s) != GOST_OK) {
        close(fd);
        free(h);
        return;
    }
    h->a.worker = gh_worker_least();
    /* Until it is there: a burst is spread, and it counts against the budget. */
    gh_worker_flow_begin(h->a.worker);
    atomic_fetch_add_explicit(&gh_net_fds, 1, memory_order_relaxed);
    gh_worker_post(h->a.worker, on_handed, h);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
    struct gh_listener *l = p->data;
    int i;

    for (i = 0; i < BURST; i++) {
        struct sockaddr_storage from;
        socklen_t n = sizeof from;
        int fd, err;

        if (gh_net_over_budget()) {
            pause_accepting(l, gh_memory_is_high()
                                   ? "memory is above --memory-high"
                                   : "the descriptor budget is used up (raise ulimit -n)");
            return;
        }
        fd = accept4(l->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            hand_over(l, fd, &from, n);
            continue;
        }
        err = errno; /* the log below changes it */
        if (err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM)
            pause_accepting(l, gh_errno_text(err));
        if (err != EINTR && err != ECONNABORTED)
            return;
    }
}

void gh_listeners_resume(void)
{
    /* A paused listener looks again by itself every PAUSE_MS: cheaper than crossing threads per
     * close. */
}

static int open_socket(struct gh_listener *l, char *error, size_t size)
{
    struct gost_socket s = {.size = sizeof s,
                            .fd = -1,
                            .role = GOST_SERVER,
                            .addr = &l->conf.addr,
                            .local = &l->local,
                            .network = l->stream ? GOST_NET_TCP : GOST_NET_UDP};
    char where[GOST_ADDR_TEXT];
    int r;

    if (l->conf.inherited_fd >= 0) {
        struct sockaddr_storage ss;
        socklen_t n = sizeof ss;

        l->fd = l->conf.inherited_fd;
        if (getsockname(l->fd, (struct sockaddr *)&ss, &n) == 0)
            gost_sockaddr_get(&l->local, &ss, n);
        return GOST_OK;
    }
    r = ops_of(l)->listen(l->conf.conf, &s);
    if (r == GOST_OK) {
        l->fd = s.fd;
        return GOST_OK;
    }
    gost_addr_format(&l->conf.addr, where, sizeof where);
    if (l->conf.addr.family == GOST_AF_NONE)
        snprintf(where, sizeof where, ":%u", l->conf.addr.port);
    if (r == -EADDRINUSE)
        snprintf(error, size,
                 "cannot listen on %s: address already in use; choose another port or stop the "
                 "program that has it "
                 "(ss -ln%cp 'sport = :%u')",
                 where, l->stream ? 't' : 'u', l->conf.addr.port);
    else if (r == -EACCES && l->conf.addr.port && l->conf.addr.port < 1024)
        snprintf(
            error, size,
            "cannot listen on %s: permission denied; ports below 1024 need CAP_NET_BIND_SERVICE",
            where);
    else if ((r == -EPERM || r == -EACCES) && (ops_of(l)->flags & GOST_TRANSPORT_FIRST_ONLY))
        snprintf(
            error, size,
            "cannot listen on %s: raw sockets need CAP_NET_RAW: run it as root, or give it the "
            "capability (setcap cap_net_raw+ep gost-host, or AmbientCapabilities=CAP_NET_RAW "
            "in its unit)",
            where);
    else
        snprintf(error, size, "cannot listen on %s: %s", where,
                 r > -1000 ? gh_errno_text(-r) : "the transport refused");
    return r > -1000 ? gh_errno_code(-r) : r;
}

int gh_listener_open(const struct gh_listener_conf *conf, struct gh_listener **ret_listener,
                     char *error, size_t error_size)
{
    const struct gost_transport_ops *ops = conf->transport->ops;
    struct gh_listener *l = calloc(1, sizeof *l);
    int r;

    if (!l) {
        snprintf(error, error_size, "out of memory");
        return GOST_ENOMEM;
    }
    l->conf = *conf;
    l->fd = -1;
    l->stream = !(ops->type & GOST_DATAGRAM);
    if (!ops->listen) {
        snprintf(error, error_size, "%s cannot listen", conf->transport->name);
        free(l);
        return GOST_EUNSUPPORTED;
    }
    r = open_socket(l, error, error_size);
    if (r != GOST_OK) {
        free(l);
        return r;
    }
    l->next = listeners;
    if (l->next)
        l->next->prev = &l->next;
    listeners = l;
    l->prev = &listeners;
    *ret_listener = l;
    return GOST_OK;
}

int gh_listener_start(struct gh_listener *l)
{
    static unsigned turn;

    if (l->started)
        return GOST_OK;
    l->started = 1;
    if (!l->stream && l->conf.layer) {
        l->keyed = gh_keyed_open(&l->conf, l->fd, gh_worker_get(turn++ % gh_worker_count()));
        return l->keyed ? GOST_OK : GOST_ENOMEM;
    }
    if (!l->stream) {
        l->assoc = gh_assoc_open(&l->conf, l->fd, gh_worker_get(turn++ % gh_worker_count()));
        return l->assoc ? GOST_OK : GOST_ENOMEM;
    }
    if (uv_poll_init(gh_main_loop(), &l->poll, l->fd) || uv_timer_init(gh_main_loop(), &l->timer))
        return GOST_ENOMEM;
    l->handles = 2;
    l->poll.data = l->timer.data = l;
    return uv_poll_start(&l->poll, UV_READABLE, on_poll) ? GOST_EINTERNAL : GOST_OK;
}

void gh_listener_retarget(struct gh_listener *l, void (*accept)(void *arg, struct gh_accepted *a),
                          void *arg, const void *layer_conf)
{
    l->conf.accept = accept;
    l->conf.arg = arg;
    l->conf.layer_conf = layer_conf;
    if (l->keyed)
        gh_keyed_retarget(l->keyed, accept, arg, layer_conf);
    if (l->assoc)
        gh_assoc_retarget(l->assoc, accept, arg);
}

static void on_closed(uv_handle_t *h)
{
    struct gh_listener *l = h->data;

    if (--l->handles == 0)
        free(l);
}

void gh_listener_close(struct gh_listener *l)
{
    struct gost_socket s = {
        .size = sizeof s, .fd = l->fd, .role = GOST_SERVER, .addr = &l->conf.addr};

    *l->prev = l->next;
    if (l->next)
        l->next->prev = l->prev;
    if (ops_of(l)->unlisten)
        ops_of(l)->unlisten(l->conf.conf, &s);
    if (l->assoc)
        gh_assoc_close(l->assoc); /* closes the descriptor on its worker */
    if (l->keyed)
        gh_keyed_close(l->keyed); /* so does this */
    if (l->handles) {
        l->started = 0;
        uv_poll_stop(&l->poll);
        close(l->fd);
        uv_close((uv_handle_t *)&l->poll, on_closed);
        uv_close((uv_handle_t *)&l->timer, on_closed);
        return;
    }
    if (!l->assoc && !l->keyed)
        close(l->fd);
    free(l);
}

void gh_listener_local(const struct gh_listener *l, struct gost_addr *ret_addr)
{
    *ret_addr = l->local;
}

int gh_listener_fd(const struct gh_listener *l)
{
    return l->fd;
}

/* ---- a flow's own listening socket ---- */

struct gh_bind {
    struct gh_poll poll;
    struct gh_worker *w;
    struct ge_flow *flow;
    void (*done)(void *arg, int status, struct ge_stack *stack, const struct gost_addr *peer);
    void *arg;
    char *path; /* of a Unix socket, removed at the end; NULL: none */
    int fd;
};

static int bind_path(const struct gost_addr *addr, int *ret_fd, struct gost_addr *ret_local)
{
    struct sockaddr_storage ss;
    socklen_t n = gost_sockaddr_put(&ss, addr);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r = 0;

    if (fd < 0)
        return errno;
    if (!n)
        r = ENAMETOOLONG;
    else if (bind(fd, (struct sockaddr *)&ss, n) < 0 || listen(fd, 128) < 0)
        r = errno;
    if (r) {
        close(fd);
        return r;
    }
    *ret_fd = fd;
    *ret_local = *addr;
    return 0;
}

static int bind_socket(const struct gost_addr *addr, uint16_t min, uint16_t max, int *ret_fd,
                       struct gost_addr *ret_local)
{
    struct gost_addr at;
    struct gost_socket s = {.size = sizeof s,
                            .fd = -1,
                            .role = GOST_SERVER,
                            .network = GOST_NET_TCP,
                            .addr = addr,
                            .local = ret_local};
    unsigned span = min && max >= min && !addr->port ? (unsigned)(max - min) + 1 : 1, i;
    unsigned start = (unsigned)(uv_hrtime() >> 10);
    int fd, r = EADDRINUSE, one = 1;

    for (i = 0; i < span && i < 64 && r == EADDRINUSE; i++) {
        r = -gost_inet_socket(SOCK_STREAM, 0, &s, &fd, &at);
        if (r)
            return r;
        if (span > 1)
            at.port = (uint16_t)(min + (start + i) % span);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        r = -gost_inet_bind(fd, &at, &s);
        if (!r && listen(fd, 128) < 0)
            r = errno;
        if (r)
            close(fd);
    }
    if (!r)
        *ret_fd = fd;
    return r;
}

static struct gh_bind *bind_of(struct gh_poll *p)
{
    return (struct gh_bind *)((char *)p - offsetof(struct gh_bind, poll));
}

static void on_bind_poll(struct gh_poll *p, unsigned events)
{
    struct gh_bind *b = bind_of(p);
    struct sockaddr_storage from;
    struct gost_addr peer = {0};
    struct ge_flow *flow = b->flow;
    socklen_t n = sizeof from;
    struct ge_stack *stack = NULL;
    int fd = -1, r = GOST_ELIMIT;

    if (events & GH_POLL_FAILED)
        errno = ENOMEM;
    else
        fd = accept4(b->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
        return;
    gh_poll_want(b->w, p, 0); /* without descriptors it would be woken for ever */
    b->flow = NULL;
    if (fd >= 0) {
        gost_sockaddr_get(&peer, &from, n);
        stack = gh_sock_adopt(b->w, flow, fd);
        r = stack ? GOST_OK : GOST_ENOMEM;
    }
    b->done(b->arg, r, stack, &peer);
    ge_flow_unref(flow);
}

int gh_bind_open(struct gh_worker *w, const struct gost_addr *addr, uint16_t port_min,
                 uint16_t port_max, struct gh_bind **ret_bind, struct gost_addr *ret_local,
                 char *error, size_t error_size)
{
    struct gh_bind *b = calloc(1, sizeof *b);
    char where[GOST_ADDR_TEXT];
    int is_path = addr->family == GOST_AF_UNIX, r = ENOMEM;

    if (b && (!is_path || (b->path = strdup(addr->name))))
        r = is_path ? bind_path(addr, &b->fd, ret_local)
                    : bind_socket(addr, port_min, port_max, &b->fd, ret_local);
    if (r) {
        if (b)
            free(b->path);
        free(b);
        gost_addr_format(addr, where, sizeof where);
        snprintf(error, error_size, "cannot listen on %s: %s", where, gh_errno_text(r));
        return gh_errno_code(r);
    }
    gh_poll_init(&b->poll, b->fd, on_bind_poll);
    b->w = w;
    atomic_fetch_add_explicit(&gh_net_fds, 1, memory_order_relaxed);
    *ret_bind = b;
    return GOST_OK;
}

void gh_bind_accept(struct gh_bind *b, struct ge_flow *flow,
                    void (*done)(void *arg, int status, struct ge_stack *stack,
                                 const struct gost_addr *peer),
                    void *arg)
{
    b->flow = ge_flow_ref(flow);
    b->done = done;
    b->arg = arg;
    gh_poll_want(b->w, &b->poll, GH_POLL_IN);
}

static void on_bind_gone(struct gh_poll *p)
{
    free(bind_of(p));
}

void gh_bind_close(struct gh_bind *b)
{
    ge_flow_unref(b->flow);
    gh_poll_close(b->w, &b->poll, on_bind_gone);
    close(b->fd);
    if (b->path)
        unlink(b->path);
    free(b->path);
    atomic_fetch_sub_explicit(&gh_net_fds, 1, memory_order_relaxed);
}
