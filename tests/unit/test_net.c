/* test_net.c - workers, sockets, splicing, accepting, associations over loopback. */
/* SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "net_world.h"

#define MANY 1000
#define BIG  (48u << 20)

/* ---- streams ---- */

static void test_echo(uint16_t port)
{
    char buf[64] = "";
    int fd = plain_connect(port, SOCK_STREAM);

    ok(write_all(fd, "hello", 5) && read_all(fd, buf, 5) && memcmp(buf, "hello", 5) == 0,
       "bytes go through a relay and come back");
    write_all(fd, "bye", 3);
    shutdown(fd, SHUT_WR);
    ok(read_all(fd, buf, 3) && memcmp(buf, "bye", 3) == 0 && read(fd, buf, 1) == 0,
       "after our end the answer still comes, then its end");
    close(fd);
    ok(wait_for(&live, 0), "the flow is over");
}

static void test_many(uint16_t port)
{
    static int fd[MANY];
    int i, good = 0;
    char c;

    for (i = 0; i < MANY; i++)
        fd[i] = plain_connect(port, SOCK_STREAM);
    for (i = 0; i < MANY; i++) {
        c = (char)i;
        write_all(fd[i], &c, 1);
    }
    for (i = 0; i < MANY; i++)
        good += read_all(fd[i], &c, 1) && c == (char)i;
    ok(good == MANY, "1000 connections at once are served");
    ok(wait_for(&live, MANY), "all of them live");
    for (i = 0; i < MANY; i++)
        close(fd[i]);
    ok(wait_for(&live, 0), "and all of them end");
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void *big_writer(void *arg)
{
    static uint64_t block[8192];
    uint64_t seed = 88172645463325252ull;
    size_t sent, i;
    int fd = *(int *)arg;

    for (sent = 0; sent < BIG; sent += sizeof block) {
        for (i = 0; i < sizeof block / sizeof block[0]; i++)
            block[i] = next_random(&seed);
        if (!write_all(fd, block, sizeof block))
            break;
    }
    shutdown(fd, SHUT_WR);
    return NULL;
}

/* Pipes that were made larger than the kernel makes them. */
static int count_pipes(void)
{
    int fd, n = 0;

    for (fd = 0; fd < 4096; fd++)
        n += fcntl(fd, F_GETPIPE_SZ) >= 256 * 1024;
    return n;
}

static void test_big(uint16_t port)
{
    static uint64_t block[8192];
    uint64_t seed = 88172645463325252ull;
    int fd = plain_connect(port, SOCK_STREAM), pipes = count_pipes(), same = 1;
    pthread_t thread;
    size_t got, i;

    pthread_create(&thread, NULL, big_writer, &fd);
    for (got = 0; got < BIG && same; got += sizeof block) {
        same = read_all(fd, block, sizeof block);
        for (i = 0; same && i < sizeof block / sizeof block[0]; i++)
            same = block[i] == next_random(&seed);
    }
    ok(same && got == BIG, "48 MiB come back unchanged");
    ok(read_all(fd, block, 1) == 0, "and nothing after them");
    ok(count_pipes() > pipes, "they went through a pipe");
    pthread_join(thread, NULL);
    close(fd);
    ok(wait_for(&live, 0), "the bulky flow ends");
}

static void test_refused(void)
{
    struct service service = {&relay, {ip4(0)}, 1};
    int closed = plain_listen(SOCK_STREAM, 1), fd;
    char c, want[100];
    uint16_t port;
    struct gh_listener *l;

    service.targets[0] = ip4(port_of(closed));
    snprintf(want, sizeof want, "cannot connect to 127.0.0.1:%u: connection refused",
             port_of(closed));
    close(closed);
    l = open_listener(&tcp, 0, &service, 0, &port);
    fd = plain_connect(port, SOCK_STREAM);
    ok(read(fd, &c, 1) <= 0 && atomic_load(&dial_status) == GOST_EREFUSED,
       "a refused target ends the client's connection");
    pthread_mutex_lock(&text_lock);
    ok(strcmp(dial_text, want) == 0, "the sentence names the address and the reason");
    pthread_mutex_unlock(&text_lock);
    close(fd);
    wait_for(&live, 0);
    close_listener(l);
}

/* A target whose queue is full answers nothing; the second address is tried beside it. */
static void test_second_address(void)
{
    struct service service = {&relay, {ip4(0), ip4(echo_port)}, 2};
    int full = plain_listen(SOCK_STREAM, 0), fill[8], i, fd;
    struct gh_listener *l;
    uint16_t port;
    char c = 'x';

    for (i = 0; i < 8; i++) {
        struct sockaddr_in a = loopback(port_of(full));

        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fill[i], (struct sockaddr *)&a, sizeof a);
    }
    service.targets[0] = ip4(port_of(full));
    l = open_listener(&tcp, 0, &service, 0, &port);
    fd = plain_connect(port, SOCK_STREAM);
    ok(write_all(fd, &c, 1) && read_all(fd, &c, 1) && c == 'x',
       "a silent first address does not stop the second");
    close(fd);
    for (i = 0; i < 8; i++)
        close(fill[i]);
    close(full);
    wait_for(&live, 0);
    close_listener(l);
}

/* The first address refuses at once, the second is silent: there is no third to try. */
static void test_last_address(void)
{
    struct service service = {&relay, {ip4(0), ip4(0)}, 2};
    int full = plain_listen(SOCK_STREAM, 0), closed = plain_listen(SOCK_STREAM, 1), fill[8], i, fd;
    struct gh_listener *l;
    uint16_t port;

    for (i = 0; i < 8; i++) {
        struct sockaddr_in a = loopback(port_of(full));

        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fill[i], (struct sockaddr *)&a, sizeof a);
    }
    service.targets[0] = ip4(port_of(closed));
    service.targets[1] = ip4(port_of(full));
    close(closed);
    atomic_store(&dials, 0);
    l = open_listener(&tcp, 0, &service, 0, &port);
    fd = plain_connect(port, SOCK_STREAM);
    wait_for(&dials, 2);
    usleep(600000); /* longer than the next attempt would wait */
    ok(atomic_load(&dials) == 2, "two addresses are two attempts");
    close(fd);
    for (i = 0; i < 8; i++)
        close(fill[i]);
    close(full);
    close_listener(l);
}

static atomic_int dialed_type;

static void datagram_dialed(void *arg, int status, const char *text, struct ge_stack *stack,
                            const struct gost_addr *local, const struct gost_addr *remote)
{
    atomic_store(&dialed_type, stack ? (int)ge_stack_top_type(stack) : -1);
    if (stack)
        ge_stack_free(stack, 0);
}

static void dial_datagram_here(struct gh_worker *w, void *arg)
{
    struct ge_flow *flow = ge_flow_new(gh_worker_engine(w));
    struct gost_addr to = ip4(echo_udp_port);

    gh_sock_dial(w, flow, &udp, NULL, GOST_NET_UDP, &to, 1, NULL, 0, datagram_dialed, NULL);
    ge_flow_unref(flow);
}

static void test_datagram_dial(void)
{
    gh_worker_post(gh_worker_get(0), dial_datagram_here, NULL);
    ok(wait_for(&dialed_type, GOST_DATAGRAM), "a datagram transport is dialed to a packet stack");
}

static void test_in_use(void)
{
    struct service service = {&relay, {ip4(0)}, 1};
    struct opening again = {
        .conf = {.transport = &tcp, .inherited_fd = -1, .name = "again", .accept = accepted}};
    struct gh_listener *l;
    char want[200];
    uint16_t port;

    l = open_listener(&tcp, 0, &service, 0, &port);
    again.conf.addr = ip4(port);
    snprintf(want, sizeof want,
             "cannot listen on 127.0.0.1:%u: address already in use; choose another port or stop "
             "the program that has it (ss -",
             port);
    on_main(open_here, &again);
    printf("# %s\n", again.error);
    ok(again.status == GOST_EINUSE && again.l == NULL &&
           strncmp(again.error, want, strlen(want)) == 0,
       "a taken address is told with the remedy");
    close_listener(l);
    ok(plain_connect(port, SOCK_STREAM) < 0, "a closed listener accepts no more");
    l = open_listener(&tcp, port, &service, 0, &port);
    ok(l != NULL, "its port is free at once");
    if (l)
        close_listener(l);
}

/* Fill a connection whose target takes nothing, then reset it. True: the host saw it. */
static int reset_is_seen(uint16_t port, int silent)
{
    int fd = plain_connect(port, SOCK_STREAM), target = accept(silent, NULL, NULL), seen;
    struct linger hard = {1, 0};
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    static char block[65536];

    while (poll(&p, 1, 500) == 1)
        if (send(fd, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN)
            break;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
    seen = wait_for(&live, 0);
    close(target);
    return wait_for(&live, 0) && seen;
}

/* The target takes nothing, so we do not read from the client when it resets. A kernel that had to
 * drop what came beyond its buffer does not believe the reset either (RFC 5961, 3.2: its number is
 * not the expected one), so there is more than one try. */
static void test_reset(void)
{
    struct service service = {&relay, {ip4(0)}, 1};
    int silent = plain_listen(SOCK_STREAM, 4), i;
    struct gh_listener *l;
    uint16_t port;

    service.targets[0] = ip4(port_of(silent));
    l = open_listener(&tcp, 0, &service, 0, &port);
    for (i = 0; i < 3 && !reset_is_seen(port, silent); i++)
        ;
    ok(i < 3, "a reset is seen although nothing is read");
    close(silent);
    close_listener(l);
}

/* ---- descriptors run out ---- */

static void crowd_is_served(const char *name)
{
    struct service service = {&relay, {ip4(echo_port)}, 1};
    struct gh_listener *l;
    uint32_t served = 0;
    uint16_t port;

    atomic_store(&most, 0);
    l = open_listener(&tcp, 0, &service, 0, &port);
    if (write(crowd, &port, sizeof port) != sizeof port ||
        read(crowd, &served, sizeof served) != sizeof served)
        served = 0;
    printf("# %u served, %d at most at once\n", served, atomic_load(&most));
    ok(served == CROWD && atomic_load(&most) < CROWD / 2, name);
    wait_for(&live, 0);
    close_listener(l);
}

static void test_budget(void)
{
    crowd_is_served("beyond the budget of descriptors accepting waits, and all are served");
}

static int echo_self_step(void *state, const void *conf, struct gost_io *io,
                          const struct gost_event *ev)
{
    while (gost_rx_len(io) > 0 && gost_move(io, io, gost_rx_len(io)) > 0)
        ;
    return ev->type == GOST_EV_EOF || gost_rx_eof(io) ? GOST_OK : GOST_AGAIN;
}

static const struct gost_handler_ops echo_ops = {sizeof echo_ops, 0, echo_self_step, NULL};
static const struct gost_component echo = {
    GOST_KIND_HANDLER, 0, "echo", NULL, "t", &echo_ops, NULL, 0, 0, NULL, NULL};

static void test_emfile(void)
{
    struct service service = {&echo, {ip4(0)}, 0};
    struct rlimit was, lim;
    struct gh_listener *l;
    uint32_t served = 0;
    uint16_t port;
    int probe;

    atomic_store(&most, 0);
    l = open_listener(&tcp, 0, &service, 0, &port);
    probe = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(probe);
    getrlimit(RLIMIT_NOFILE, &was);
    lim = was;
    lim.rlim_cur = (rlim_t)probe + 30;
    setrlimit(RLIMIT_NOFILE, &lim);
    if (write(crowd, &port, sizeof port) != sizeof port ||
        read(crowd, &served, sizeof served) != sizeof served)
        served = 0;
    setrlimit(RLIMIT_NOFILE, &was);
    printf("# %u served, %d at most at once\n", served, atomic_load(&most));
    ok(served == CROWD && atomic_load(&most) < CROWD / 2,
       "at the process's limit accepting waits, and all are served");
    wait_for(&live, 0);
    close_listener(l);
}

/* ---- datagrams ---- */

static int exchange(int fd, size_t n, unsigned char fill)
{
    static unsigned char out[65536], in[65536];

    memset(out, fill, n);
    return send(fd, out, n, 0) == (ssize_t)n && recv(fd, in, sizeof in, 0) == (ssize_t)n &&
           memcmp(out, in, n) == 0;
}

static void test_associations(void)
{
    struct service service = {&packets, {ip4(0)}, 0};
    struct gh_listener *l;
    size_t n, good = 0;
    uint16_t port;
    int fd, before = atomic_load(&made);

    l = open_listener(&udp, 0, &service, 1, &port);
    fd = plain_connect(port, SOCK_DGRAM);
    for (n = 1; n <= 8000; n++)
        good += (size_t)exchange(fd, n, (unsigned char)n);
    ok(good == 8000, "datagrams of 1 to 8000 bytes come back whole");
    ok(exchange(fd, 60000, 1), "one of 60000 bytes too");
    ok(atomic_load(&made) == before + 1, "one peer is one association");
    ok(wait_for(&live, 0), "a silent association ends");
    ok(exchange(fd, 10, 2) && atomic_load(&made) == before + 2, "the peer may begin anew");
    close(fd);
    close_listener(l);
    ok(wait_for(&live, 0), "associations end with their listener");

    before = atomic_load(&made);
    l = open_listener(&udp, 0, &service, 0, &port);
    fd = plain_connect(port, SOCK_DGRAM);
    ok(exchange(fd, 10, 3) && exchange(fd, 11, 4) && atomic_load(&made) == before + 2,
       "without keepalive an association ends after one answer");
    close(fd);
    wait_for(&live, 0);
    close_listener(l);
}

static void test_names(void)
{
    struct service service = {&named, {ip4(0)}, 0};
    struct gh_listener *l;
    uint16_t port;
    int fd;

    l = open_listener(&udp, 0, &service, 1, &port);
    fd = plain_connect(port, SOCK_DGRAM);
    ok(exchange(fd, 100, 5) && exchange(fd, 1000, 6), "datagrams to a name reach its address");
    close(fd);
    ok(wait_for(&live, 0), "the association to a name ends");
    close_listener(l);
}

/* Nobody listens at first: the kernel reports it. Later somebody does. */
static void test_refused_datagrams(void)
{
    struct service service = {&forward, {ip4(0)}, 1};
    int target = plain_listen(SOCK_DGRAM, 0), fd, i, came = 0;
    struct sockaddr_in at = loopback(port_of(target)), from;
    struct pollfd p = {.events = POLLIN};
    socklen_t n = sizeof from;
    struct gh_listener *l;
    uint16_t port;
    char c = 'u';

    service.targets[0] = ip4(ntohs(at.sin_port));
    close(target);
    l = open_listener(&udp, 0, &service, 1, &port);
    fd = plain_connect(port, SOCK_DGRAM);
    for (i = 0; i < 3; i++) {
        send(fd, &c, 1, 0);
        usleep(20000);
    }
    target = plain_socket(SOCK_DGRAM);
    if (bind(target, (struct sockaddr *)&at, sizeof at) < 0)
        came = -1;
    p.fd = fd;
    for (i = 0; i < 8 && came == 0; i++) {
        send(fd, &c, 1, 0);
        if (recvfrom(target, &c, 1, 0, (struct sockaddr *)&from, &n) == 1)
            sendto(target, &c, 1, 0, (struct sockaddr *)&from, n);
        came = poll(&p, 1, 500) == 1;
    }
    ok(came == 1, "a target that refused datagrams is heard when it is back");
    close(fd);
    close(target);
    close_listener(l);
    ok(wait_for(&live, 0), "and the association ends");
}

/* ---- a listening socket of a flow, and lookups ---- */

static atomic_int bound_port, answers;
static struct ge_flow *bind_flow;
static struct gh_bind *binding;
static const struct service bind_service = {&echo, {{0}}, 0};

static void bind_accepted(void *arg, int status, struct ge_stack *stack,
                          const struct gost_addr *peer)
{
    struct tflow *f = calloc(1, sizeof *f);
    struct ge_task_spec spec = {.component = &echo, .flow = bind_flow, .ctx = f, .done = task_done};

    f->w = arg;
    f->service = &bind_service;
    f->ge = bind_flow;
    gh_worker_flow_begin(f->w);
    atomic_fetch_add(&live, 1);
    ge_task_new(&spec, stack);
    gh_bind_close(binding);
}

static void bind_here(struct gh_worker *w, void *arg)
{
    struct gost_addr any = ip4(0), local;
    char error[200];

    bind_flow = ge_flow_new(gh_worker_engine(w));
    if (gh_bind_open(w, &any, 0, 0, &binding, &local, error, sizeof error) != GOST_OK)
        return;
    gh_bind_accept(binding, bind_flow, bind_accepted, w);
    atomic_store(&bound_port, local.port);
}

static atomic_int bind_status;

static void bind_refused(void *arg, int status, struct ge_stack *stack,
                         const struct gost_addr *peer)
{
    atomic_store(&bind_status, stack ? 1 : status);
    gh_bind_close(binding);
    ge_flow_unref(bind_flow);
}

static void bind_starved_here(struct gh_worker *w, void *arg)
{
    struct gost_addr any = ip4(0), local;
    char error[200];

    bind_flow = ge_flow_new(gh_worker_engine(w));
    if (gh_bind_open(w, &any, 0, 0, &binding, &local, error, sizeof error) != GOST_OK)
        return;
    gh_bind_accept(binding, bind_flow, bind_refused, w);
    atomic_store(&bound_port, local.port);
}

static void looked_up(void *arg, int status, const char *text, const struct gost_addr *v,
                      unsigned n)
{
    int good = arg ? status == GOST_OK && n == 1 && v[0].port == 7 && v[0].family == GOST_AF_IP6
                   : status == GOST_ERESOLVE && strstr(text, "name.invalid") != NULL;

    atomic_fetch_add(&answers, good ? 1 : 100);
}

static void look_up_here(struct gh_worker *w, void *arg)
{
    gh_resolve(w, "::1", 7, 0, looked_up, &answers);
    gh_resolve(w, "name.invalid", 7, 0, looked_up, NULL);
    gh_resolve_cancel(gh_resolve(w, "localhost", 7, 0, looked_up, NULL));
    gh_resolve_cancel(gh_resolve(w, "127.0.0.1", 7, 0, looked_up, NULL));
}

static void test_bind(void)
{
    int fd = -1, i;
    char c = 'b';

    gh_worker_post(gh_worker_get(1), bind_here, NULL);
    for (i = 0; i < PATIENCE && !atomic_load(&bound_port); i++)
        usleep(1000);
    if (atomic_load(&bound_port))
        fd = plain_connect((uint16_t)atomic_load(&bound_port), SOCK_STREAM);
    ok(write_all(fd, &c, 1) && read_all(fd, &c, 1) && c == 'b', "a flow's own listener accepts");
    close(fd);
    wait_for(&live, 0);
    gh_worker_post(gh_worker_get(0), look_up_here, NULL);
    ok(wait_for(&answers, 2), "an address is its own answer, an unknown name an error, a cancelled "
                              "lookup nothing");
}

/* Without descriptors it says so, once, instead of being woken for ever. */
static void test_bind_starved(void)
{
    struct sockaddr_in to;
    struct rlimit was, none;
    int fd = plain_socket(SOCK_STREAM), i, r;

    atomic_store(&bound_port, 0);
    gh_worker_post(gh_worker_get(1), bind_starved_here, NULL);
    for (i = 0; i < PATIENCE && !atomic_load(&bound_port); i++)
        usleep(1000);
    getrlimit(RLIMIT_NOFILE, &was);
    none = was;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    to = loopback((uint16_t)atomic_load(&bound_port));
    r = connect(fd, (struct sockaddr *)&to, sizeof to);
    ok(r == 0 && wait_for(&bind_status, GOST_ELIMIT),
       "a flow's own listener says when descriptors are used up");
    setrlimit(RLIMIT_NOFILE, &was);
    close(fd);
}

/* ---- the main loop ---- */

static atomic_int signalled;

static void on_signal(int signum, void *arg)
{
    atomic_store(&signalled, signum);
}

static void raise_here(void *arg)
{
    kill(getpid(), SIGHUP);
}

static void from_worker(struct gh_worker *w, void *arg)
{
    gh_main_post(raise_here, NULL);
}

static void test_main_loop(void)
{
    gh_worker_post(gh_worker_get(0), from_worker, NULL);
    ok(wait_for(&signalled, SIGHUP), "a worker posts to the main loop, and a signal reaches it");
}

/* ---- the end with flows alive ---- */

static void test_stop(void)
{
    struct service service = {&relay, {ip4(echo_port)}, 1};
    struct gh_listener *l;
    int fd[20], i;
    uint16_t port;
    char c = 's';

    l = open_listener(&tcp, 0, &service, 0, &port);
    for (i = 0; i < 20; i++) {
        fd[i] = plain_connect(port, SOCK_STREAM);
        write_all(fd[i], &c, 1);
        read_all(fd[i], &c, 1);
    }
    close_listener(l);
    on_main(stop_here, NULL);
    ok(atomic_load(&live) == 0, "stopping ends what is alive");
    for (i = 0; i < 20; i++)
        close(fd[i]);
}

static void test_streams(void)
{
    struct service to_echo = {&relay, {ip4(echo_port)}, 1};
    struct gh_listener *l;
    uint16_t port;

    l = open_listener(&tcp, 0, &to_echo, 0, &port);
    test_echo(port);
    test_many(port);
    test_big(port);
    close_listener(l);
    test_refused();
    test_second_address();
    test_last_address();
    test_datagram_dial();
    test_in_use();
    test_reset();
    test_bind();
    test_bind_starved();
    test_main_loop();
    test_stop();
}

static void test_datagrams(void)
{
    test_associations();
    test_names();
    test_refused_datagrams();
}

int main(void)
{
    struct gh_main_ops ops = {on_signal, NULL, NULL};

    tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    start_processes();
    in_process(test_streams, 0, &ops);
    in_process(test_datagrams, 0, &ops);
    in_process(test_budget, 96, &ops);
    in_process(test_emfile, 100000, &ops);
    kill(echo_pid, SIGKILL);
    close(crowd);
    waitpid(echo_pid, NULL, 0);
    waitpid(crowd_pid, NULL, 0);
    printf("1..%d\n", tally->count);
    return tally->failures > 0;
}
