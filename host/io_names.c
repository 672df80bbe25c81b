/* io_names.c - names to addresses, off the loop, through the system's resolver. */
/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "io_internal.h"
#include "sockaddr.h"

#define ANSWERS_MAX 16

struct gh_lookup {
    uv_getaddrinfo_t req;
    struct gost_addr literal;
    uint16_t port;
    int is_literal;
    char name[256];
    void (*done)(void *arg, int status, const char *text, const struct gost_addr *v, unsigned n);
    void *arg;
};

static void answer(struct gh_lookup *l, int status, const char *text, const struct gost_addr *v,
                   unsigned n)
{
    if (l->done)
        l->done(l->arg, status, text, v, n);
    free(l);
}

static void on_literal(struct gh_worker *w, void *arg)
{
    struct gh_lookup *l = arg;

    answer(l, GOST_OK, NULL, &l->literal, 1);
}

static void on_refused(struct gh_worker *w, void *arg)
{
    answer(arg, GOST_ERESOLVE, "the system's resolver cannot be asked", NULL, 0);
}

static void on_answer(uv_getaddrinfo_t *req, int status, struct addrinfo *res)
{
    struct gh_lookup *l = req->data;
    struct gost_addr v[ANSWERS_MAX];
    struct addrinfo *a;
    char text[400];
    unsigned n = 0;

    for (a = status == 0 ? res : NULL; a && n < ANSWERS_MAX; a = a->ai_next) {
        struct sockaddr_storage ss;

        if (a->ai_addrlen > sizeof ss)
            continue;
        memcpy(&ss, a->ai_addr, a->ai_addrlen);
        gost_sockaddr_get(&v[n], &ss, a->ai_addrlen);
        v[n].port = l->port;
        if (gost_addr_is_ip(&v[n]))
            n++;
    }
    uv_freeaddrinfo(res);
    if (n > 0) {
        answer(l, GOST_OK, NULL, v, n);
        return;
    }
    snprintf(text, sizeof text, "cannot find an address of \"%s\": %s", l->name,
             status ? uv_strerror(status) : "it has none");
    answer(l, GOST_ERESOLVE, text, NULL, 0);
}

struct gh_lookup *gh_resolve(struct gh_worker *w, const char *name, uint16_t port, int family,
                             void (*done)(void *arg, int status, const char *text,
                                          const struct gost_addr *v, unsigned n),
                             void *arg)
{
    struct gh_lookup *l = calloc(1, sizeof *l);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};

    if (!l)
        return NULL;
    l->done = done;
    l->arg = arg;
    l->port = port;
    snprintf(l->name, sizeof l->name, "%s", name);
    if (gost_addr_set_host(&l->literal, name, strlen(name), port) == GOST_OK &&
        gost_addr_is_ip(&l->literal)) {
        l->is_literal = 1;
        gh_worker_post(w, on_literal, l);
        return l;
    }
    hints.ai_family = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC;
    l->req.data = l;
    if (uv_getaddrinfo(&w->loop, &l->req, on_answer, name, NULL, &hints)) {
        l->is_literal = 1;
        gh_worker_post(w, on_refused, l);
    }
    return l;
}

void gh_resolve_cancel(struct gh_lookup *l)
{
    l->done = NULL;
    if (!l->is_literal)
        (void)uv_cancel((uv_req_t *)&l->req); /* too late is fine: nobody is told */
}
