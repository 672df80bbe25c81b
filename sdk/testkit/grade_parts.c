/* grade_parts.c - judges what is no step machine: policy indexes, stacks and transports. */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../helpers/sockaddr.h"
#include "kit_internal.h"

#define INDEX_LIVES 64u
#define LINES_MAX   24u
#define LINE_BYTES  40u

static int same_error(int r)
{
    return r <= GOST_EPROTO && r >= GOST_EINUSE;
}

/* The component's configuration with its defaults and some value for what is required. NULL: why is
 * filled. */
static struct ge_conf *some_conf(const struct gost_component *c, uint32_t role,
                                 struct gost_script **ret_script, char *why, size_t n)
{
    struct gost_script *s = kit_script_for(c, c->kind, role);
    struct ge_conf *conf = NULL;

    if (!s || ge_conf_new(&conf, c, role, c->name, s->kv, s->n_kv, NULL, NULL)) {
        snprintf(why, n, "its options are refused");
        gost_script_free(s);
        return NULL;
    }
    *ret_script = s;
    return conf;
}

/* ---- policy indexes ---- */

/* What a line of policy data often has, then anything. */
static void some_line(char *p, size_t n, unsigned seed)
{
    static const char *const words[] = {"127.0.0.1",
                                        "10.0.0.0/8",
                                        "::1",
                                        "fe80::/10",
                                        "*.example.com",
                                        ".example.com",
                                        "example.com",
                                        "user",
                                        "secret",
                                        " ",
                                        "\t",
                                        "#",
                                        ":443",
                                        "1-65535",
                                        "$",
                                        "$$",
                                        "100MB",
                                        "192.0.2.1-192.0.2.9",
                                        "https://",
                                        "\xff",
                                        "%",
                                        "[",
                                        "]",
                                        "0",
                                        "=",
                                        ","};
    uint64_t x = seed * 0x9e3779b97f4a7c15ull + 1;
    size_t used = 0;

    while (used + 1 < n && (x >> 60 || used == 0)) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        used +=
            (size_t)snprintf(p + used, n - used, "%s", words[x % (sizeof words / sizeof words[0])]);
    }
    p[n - 1] = 0;
}

static void ask(const struct gost_index_ops *ops, const void *index, unsigned seed)
{
    struct gost_q_auth auth = {sizeof auth, 0, {NULL, 0}, {NULL, 0}, NULL};
    struct gost_q_target target = {sizeof target, GOST_NET_TCP, NULL, NULL, {NULL, 0}};
    struct gost_q_name name = {sizeof name, GOST_NET_TCP, {NULL, 0}};
    struct gost_q_rate rate = {sizeof rate, 0, NULL, {NULL, 0}, {NULL, 0}};
    struct gost_addr addr;
    char text[LINE_BYTES];
    union {
        uint32_t size;
        uint64_t room[1024]; /* larger than any answer of policy.h */
    } answer;

    some_line(text, sizeof text, seed);
    memset(&addr, 0, sizeof addr);
    (void)gost_addr_parse(&addr, text, strlen(text), 0);
    memset(&answer, 0, sizeof answer);
    answer.size = sizeof answer;
    switch (ops->policy) {
    case GOST_POLICY_AUTHER:
        auth.user = auth.secret = gost_bytes_str(text);
        auth.client = &addr;
        (void)ops->query(index, &auth, &answer);
        break;
    case GOST_POLICY_ADMISSION:
    case GOST_POLICY_BYPASS:
        target.addr = target.client = &addr;
        (void)ops->query(index, &target, &answer);
        break;
    case GOST_POLICY_HOSTS:
    case GOST_POLICY_INGRESS:
    case GOST_POLICY_ROUTER:
    case GOST_POLICY_SD:
        name.name = gost_bytes_str(text);
        (void)ops->query(index, &name, &answer);
        break;
    case GOST_POLICY_LIMITER:
    case GOST_POLICY_CLIMITER:
    case GOST_POLICY_RLIMITER:
        rate.client = &addr;
        rate.user = rate.service = gost_bytes_str(text);
        (void)ops->query(index, &rate, &answer);
        break;
    default:
        break; /* its question is not in policy.h */
    }
}

/* Builds it from so many lines, asks, and lets go. */
static void index_life(const struct gost_index_ops *ops, const void *conf, unsigned seed, char *why,
                       size_t n)
{
    char text[LINES_MAX][LINE_BYTES], error[300] = "";
    struct gost_line lines[LINES_MAX];
    unsigned i, count = seed % (LINES_MAX + 1);
    void *index = NULL;
    int r;

    memset(lines, 0, sizeof lines);
    for (i = 0; i < count; i++) {
        some_line(text[i], LINE_BYTES, seed * 64 + i);
        lines[i].text = gost_bytes_str(text[i]);
        lines[i].file = "list.txt";
        lines[i].line = i + 1;
    }
    r = ops->build(&index, conf, lines, count, error, sizeof error);
    if (r == GOST_OK && !index)
        snprintf(why, n, "build() gives GOST_OK but no index");
    else if (r != GOST_OK && !same_error(r))
        snprintf(why, n, "build() returned %d, which is no error of base.h", r);
    else if (r != GOST_OK && r != GOST_ENOMEM && !*error)
        snprintf(why, n, "build() failed with %d and no sentence in error", r);
    if (r != GOST_OK || !index)
        return;
    for (i = 0; i < 8; i++)
        ask(ops, index, seed * 8 + i);
    ops->destroy(index);
}

void kit_grade_index(struct kit_grade *g, const struct gost_component *c)
{
    const struct gost_index_ops *ops = c->ops;
    char name[200], leak[200], why[400] = "";
    struct gost_script *s = NULL;
    struct ge_conf *conf;
    struct kit_growth m;
    unsigned seed;

    memset(&m, 0, sizeof m);
    snprintf(name, sizeof name, "index %s: builds and answers with any lines", c->name);
    snprintf(leak, sizeof leak, "index %s: its end frees everything", c->name);
    g->begin(g, name);
    conf = some_conf(c, GOST_SERVER, &s, why, sizeof why);
    while (conf && kit_growth_wanted(&m) && !*why) {
        for (seed = 0; seed < INDEX_LIVES && !*why; seed++)
            index_life(ops, ge_conf_data(conf), seed, why, sizeof why);
        kit_growth_pass(&m);
    }
    g->result(g, name, *why ? why : NULL, 0);
    if (!*why)
        kit_growth_tell(g, leak, &m);
    ge_conf_free(conf);
    gost_script_free(s);
}

/* ---- stacks are data ---- */

/* One word of a list; *p moves behind it. 0: it is not as it should be. */
static int name_word(const char **p, const char *more)
{
    const char *from = *p;

    while (isalnum((unsigned char)**p) || (**p && strchr(more, **p)))
        ++*p;
    return *p > from;
}

/* A transport, then layers; "tls!insecure" is left out by an option. */
static const char *bad_layers(const char *p)
{
    const char *from = p;

    if (!p)
        return "it names no transport";
    while (name_word(&p, "_-.")) {
        if (*p == '!' && memchr(from, '/', (size_t)(p - from)) && (++p, !name_word(&p, "_-.")))
            break;
        if (!*p)
            return NULL;
        if (*p++ != '/')
            break;
    }
    return "its layers are not names separated by '/': \"tcp/tls/ws\"";
}

/* "key=value key=value", in renames with '<' or '>' before the key. */
static const char *bad_pairs(const char *p, int renames, const char *why)
{
    while (p && *(p += strspn(p, " "))) {
        const char *value;

        if (renames && (*p == '<' || *p == '>'))
            p++;
        if (!name_word(&p, "_-.") || *p++ != '=')
            return why;
        value = p;
        p += strcspn(p, " ");
        if (renames && (!name_word(&value, "_-.") || value != p))
            return why;
    }
    return NULL;
}

void kit_grade_stack(struct kit_grade *g, const struct gost_component *c)
{
    const struct gost_stack_ops *ops = c->ops;
    char name[200];
    const char *why;

    snprintf(name, sizeof name, "stack %s: its data is well formed", c->name);
    g->begin(g, name);
    why = bad_layers(ops->layers);
    if (!why && (!ops->roles || (ops->roles & ~(uint32_t)(GOST_SERVER | GOST_CLIENT))))
        why = "its roles are not bits of enum gost_role";
    if (!why)
        why = bad_pairs(ops->renames, 1, "its renames are not \"[<>]key=layer.key ...\"");
    if (!why)
        why = bad_pairs(ops->defaults, 0, "its defaults are not \"key=value ...\"");
    g->result(g, name, why, 0);
}

/* ---- transports make descriptors ---- */

struct trial {
    const struct gost_transport_ops *ops;
    const void *conf;
    struct gost_addr addr;
    char *why;
    size_t n;
};

/* 1: it is a descriptor as transport.h wants it. */
static int good_fd(const struct trial *t, int fd, const char *call)
{
    int fl = fcntl(fd, F_GETFL), fdfl = fcntl(fd, F_GETFD);

    if (fl < 0 || fdfl < 0)
        snprintf(t->why, t->n, "%s() gave %d, which is no open descriptor", call, fd);
    else if (!(fl & O_NONBLOCK))
        snprintf(t->why, t->n, "the descriptor of %s() is not non-blocking", call);
    else if (!(fdfl & FD_CLOEXEC))
        snprintf(t->why, t->n, "the descriptor of %s() is not close-on-exec", call);
    return !*t->why;
}

/* GOST_OK or GOST_AGAIN, else a negative errno or an error of base.h: those are answers too. */
static int good_result(const struct trial *t, int r, const char *call)
{
    if (r == GOST_OK || r == GOST_AGAIN || same_error(r) || (r < 0 && r > -200))
        return 1;
    snprintf(t->why, t->n, "%s() returned %d, which is no errno and no error of base.h", call, r);
    return 0;
}

static struct gost_socket new_socket(const struct trial *t, uint32_t role, struct gost_addr *local)
{
    struct gost_socket s;

    memset(&s, 0, sizeof s);
    memset(local, 0, sizeof *local);
    s.size = sizeof s;
    s.fd = -1;
    s.role = role;
    s.network = t->ops->flags & GOST_TRANSPORT_PATH ? GOST_NET_UNIX
                : t->ops->type == GOST_DATAGRAM     ? GOST_NET_UDP
                                                    : GOST_NET_TCP;
    s.addr = &t->addr;
    s.local = local;
    return s;
}

/* The other end of what was listened at: dial, and tell it about both descriptors. */
static void meet(struct trial *t, int listener)
{
    struct gost_addr local, theirs;
    struct gost_socket s = new_socket(t, GOST_CLIENT, &local), a;
    struct pollfd p = {listener, POLLIN, 0};
    int r = t->ops->dial(t->conf, &s);

    if (!good_result(t, r, "dial") || r < 0)
        return;
    if (good_fd(t, s.fd, "dial") && t->ops->connected)
        (void)good_result(t, t->ops->connected(t->conf, &s), "connected");
    if (!*t->why && t->ops->type == GOST_STREAM && poll(&p, 1, 2000) == 1) {
        a = new_socket(t, GOST_SERVER, &theirs);
        a.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (a.fd >= 0 && t->ops->accepted)
            (void)good_result(t, t->ops->accepted(t->conf, &a), "accepted");
        if (a.fd >= 0)
            close(a.fd);
    }
    close(s.fd);
}

static void try_transport(struct trial *t)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    struct gost_addr local;
    struct gost_socket s = new_socket(t, GOST_SERVER, &local);
    int r;

    if (!t->ops->listen)
        return;
    r = t->ops->listen(t->conf, &s);
    if (!good_result(t, r, "listen") || r < 0)
        return;
    if (good_fd(t, s.fd, "listen")) {
        if (!(t->ops->flags & GOST_TRANSPORT_PATH) &&
            getsockname(s.fd, (struct sockaddr *)&ss, &len) == 0)
            gost_sockaddr_get(&t->addr, &ss, len);
        if (t->ops->dial)
            meet(t, s.fd);
    }
    if (t->ops->unlisten)
        t->ops->unlisten(t->conf, &s);
    close(s.fd);
}

void kit_grade_transport(struct kit_grade *g, const struct gost_component *c)
{
    char name[200], why[300] = "", dir[32], path[64];
    struct gost_script *s = NULL, *sc = NULL;
    struct trial t = {.ops = c->ops, .why = why, .n = sizeof why};
    struct ge_conf *conf, *client;

    snprintf(name, sizeof name, "transport %s: makes descriptors that a host can use", c->name);
    g->begin(g, name);
    conf = some_conf(c, GOST_SERVER, &s, why, sizeof why);
    client = conf ? some_conf(c, GOST_CLIENT, &sc, why, sizeof why) : NULL;
    snprintf(dir, sizeof dir, "/tmp/gost-kit-%ld", (long)getpid());
    if (client && mkdir(dir, 0700) < 0) {
        snprintf(why, sizeof why, "%s cannot be made for its sockets: %s", dir, strerror(errno));
    } else if (client) {
        snprintf(path, sizeof path, "%s/socket", dir);
        if (t.ops->flags & GOST_TRANSPORT_PATH)
            (void)gost_addr_set_path(&t.addr, path, strlen(path));
        else
            (void)gost_addr_parse(&t.addr, "127.0.0.1:0", 11, 0);
        t.conf = ge_conf_data(conf);
        try_transport(&t);
        if (access(path, F_OK) == 0) {
            unlink(path);
            if (!*why && t.ops->unlisten)
                snprintf(why, sizeof why, "unlisten() leaves the socket's file");
        }
        rmdir(dir);
    }
    g->result(g, name, *why ? why : NULL, 0);
    ge_conf_free(conf);
    ge_conf_free(client);
    gost_script_free(s);
    gost_script_free(sc);
}
