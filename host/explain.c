/* explain.c - --explain: which way a connection would take. */
/* SPDX-License-Identifier: MIT */
#include "explain.h"

#include <string.h>
#include <time.h>

#include "conf_emit.h"
#include "route.h"

/* What is found out about one service. */
struct finding {
    const char *verdict; /* "refused", "direct", "chain" */
    const char *why;     /* NULL: nothing to say */
    char route[2048];
    const char *chain;   /* NULL: none */
    const char *short_hop, *short_why;
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * GOST_S + (uint64_t)t.tv_nsec;
}

static void find(struct gh_service *s, const struct gost_addr *addr, uint32_t network,
                 struct finding *ret)
{
    static const struct gost_addr client;
    struct gh_path path;
    struct gost_q_target q = {
        .size = sizeof q, .network = network, .addr = addr, .client = &client};
    struct gh_pick pick = {.now = now_ns(),
                           .network = network,
                           .target = addr,
                           .client = &client,
                           .user = "",
                           .hash_target = s->hash_target,
                           .peek = true};

    memset(ret, 0, sizeof *ret);
    if (gh_policy_bypass(&s->bypasses, &q)) {
        ret->verdict = "refused";
        ret->why = "the service's bypass matches";
        return;
    }
    gh_route_choose(s, &pick, &path);
    ret->verdict = path.n != 0 ? "chain" : "direct";
    ret->chain = path.chain != NULL ? path.chain->name : NULL;
    ret->short_hop = path.why_hop;
    ret->short_why = path.why_short;
    gh_path_text(&path, ret->route, sizeof ret->route);
    if (path.chain == NULL)
        ret->why = "the service has no chain";
    else if (path.chain->n_hops == 0)
        ret->why = "the chain has no hops";
}

static void print_text(FILE *to, const struct gh_service *s, const char *target,
                       const struct finding *f)
{
    fprintf(to, "%s (%s over %s at %s): ", s->name, s->handler_type, s->listener.type,
            s->addr_text);
    if (strcmp(f->verdict, "chain") == 0)
        fprintf(to, "%s > %s", f->route, target);
    else
        fprintf(to, "%s", f->verdict);
    if (f->why != NULL)
        fprintf(to, ", because %s", f->why);
    if (f->short_hop != NULL && f->short_why != NULL)
        fprintf(to, ", the route ends before %s: %s", f->short_hop, f->short_why);
    fputc('\n', to);
}

static void put(struct gh_value *map, const char *key, const char *text)
{
    if (text != NULL && *text != '\0')
        (void)gh_map_set(map, key, gh_string_new(text)); /* noticed as a missing member */
}

static struct gh_value *as_value(const struct gh_service *s, const char *target,
                                 const struct finding *f)
{
    struct gh_value *map = gh_map_new();

    if (map == NULL)
        return NULL;
    put(map, "service", s->name);
    put(map, "listener", s->listener.type);
    put(map, "handler", s->handler_type);
    put(map, "target", target);
    put(map, "verdict", f->verdict);
    put(map, "chain", f->chain);
    put(map, "route", f->route);
    put(map, "reason", f->why);
    put(map, "endsBefore", f->short_hop);
    put(map, "endsBecause", f->short_why);
    return map;
}

int gh_explain(FILE *to, const struct gh_services *services, const char *text, bool json)
{
    const char *host = strstr(text, "://");
    uint32_t network = strncmp(text, "udp", 3) == 0 ? GOST_NET_UDP : GOST_NET_TCP;
    struct gh_value *list = json ? gh_list_new() : NULL;
    struct gh_text out = {0};
    struct gost_addr addr;

    host = host != NULL ? host + 3 : text;
    if (gost_addr_parse(&addr, host, strlen(host), 0) != GOST_OK) {
        gh_value_free(list);
        return -1;
    }
    for (unsigned i = 0; i < services->n; i++) {
        struct finding f;

        find(services->v[i], &addr, network, &f);
        if (!json)
            print_text(to, services->v[i], host, &f);
        else
            (void)gh_list_append(list, as_value(services->v[i], host, &f));
    }
    if (json) {
        gh_emit_json(&out, NULL, list, GH_JSON_INDENT);
        fwrite(out.data != NULL ? out.data : "", 1, out.len, to);
    }
    gh_text_free(&out);
    gh_value_free(list);
    return 0;
}
