/* explain.c - --explain: which way a connection would take. */
/* SPDX-License-Identifier: MIT */
#include "explain.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "conf_emit.h"
#include "route.h"

/* What is asked. */
struct question {
    struct gost_addr addr, client;
    uint32_t network;
    char user[256]; /* "": none */
};

/* What is found out about one service. */
struct finding {
    const char *verdict; /* "refused", "direct", "chain" */
    const char *why;     /* NULL: nothing to say */
    char target[GOST_ADDR_TEXT];
    char route[2048];
    const char *chain;   /* NULL: none */
    const char *node;    /* of the service's own targets; NULL: it has none */
    const char *short_hop, *short_why;
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * GOST_S + (uint64_t)t.tv_nsec;
}

static bool is_admitted(const struct gh_service *s, const struct question *asked)
{
    struct gost_q_target q = {.size = sizeof q,
                              .network = asked->network,
                              .addr = &asked->client,
                              .client = &asked->client};

    return gh_policy_admit(&s->admissions, &q);
}

static bool is_forbidden(const struct gh_service *s, const struct question *asked)
{
    struct gost_q_target q = {.size = sizeof q,
                              .network = asked->network,
                              .addr = &asked->addr,
                              .client = &asked->client,
                              .user = gost_bytes_str(asked->user)};

    return gh_policy_bypass(&s->bypasses, &q);
}

/* The target that a port forward chooses instead of the address asked for. */
static bool choose_target(struct gh_service *s, struct question *asked, struct finding *ret)
{
    struct gh_pick pick = {.now = now_ns(),
                           .network = asked->network,
                           .client = &asked->client,
                           .user = asked->user,
                           .peek = true};
    const struct gh_node *node = gh_hop_select(s->targets, &pick, &ret->why);

    if (node == NULL)
        return false;
    ret->node = node->name;
    if (node->addr.family != GOST_AF_NONE || node->addr.port != 0)
        asked->addr = node->addr;
    if (node->network != 0)
        asked->network = node->network;
    return true;
}

static void choose_route(struct gh_service *s, const struct question *asked, struct finding *ret)
{
    struct gh_path path;
    struct gh_pick pick = {.now = now_ns(),
                           .network = asked->network,
                           .target = &asked->addr,
                           .client = &asked->client,
                           .user = asked->user,
                           .hash_target = s->hash_target,
                           .peek = true};

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

/* In the order in which a live connection meets it. */
static void find(struct gh_service *s, struct question asked, struct finding *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->verdict = "refused";
    if (s->listener.bottom == GOST_DATAGRAM && s->targets != NULL)
        asked.network = GOST_NET_UDP;
    if (!is_admitted(s, &asked))
        ret->why = "the client is not admitted";
    else if (s->targets == NULL || choose_target(s, &asked, ret)) {
        if (is_forbidden(s, &asked))
            ret->why = "the service's bypass matches";
        else
            choose_route(s, &asked, ret);
    }
    gost_addr_format(&asked.addr, ret->target, sizeof ret->target);
}

static void print_text(FILE *to, const struct gh_service *s, const struct finding *f)
{
    fprintf(to, "%s (%s over %s at %s): ", s->name, s->handler_type, s->listener.type,
            s->addr_text);
    if (strcmp(f->verdict, "chain") == 0)
        fprintf(to, "%s > %s", f->route, f->target);
    else
        fprintf(to, "%s", f->verdict);
    if (f->node != NULL && strcmp(f->verdict, "chain") != 0)
        fprintf(to, " to its target %s", f->target);
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

static struct gh_value *as_value(const struct gh_service *s, const struct finding *f)
{
    struct gh_value *map = gh_map_new();

    if (map == NULL)
        return NULL;
    put(map, "service", s->name);
    put(map, "listener", s->listener.type);
    put(map, "handler", s->handler_type);
    put(map, "target", f->target);
    put(map, "node", f->node);
    put(map, "verdict", f->verdict);
    put(map, "chain", f->chain);
    put(map, "route", f->route);
    put(map, "reason", f->why);
    put(map, "endsBefore", f->short_hop);
    put(map, "endsBecause", f->short_why);
    return map;
}

/* "user@192.0.2.1". */
static bool read_client(struct question *asked, const char *from)
{
    const char *at = strrchr(from, '@'), *host = at != NULL ? at + 1 : from;

    if (at != NULL)
        snprintf(asked->user, sizeof asked->user, "%.*s", (int)(at - from), from);
    return gost_addr_set_host(&asked->client, host, strlen(host), 0) == GOST_OK &&
           gost_addr_is_ip(&asked->client);
}

const char *gh_explain(FILE *to, const struct gh_services *services, const char *text,
                       const char *from, bool json)
{
    static char why[400];
    const char *host = strstr(text, "://");
    struct gh_value *list = json ? gh_list_new() : NULL;
    struct gh_text out = {0};
    struct question asked = {
        .network = strncmp(text, "udp", 3) == 0 && host != NULL ? GOST_NET_UDP : GOST_NET_TCP};

    host = host != NULL ? host + 3 : text;
    why[0] = '\0';
    if (gost_addr_parse(&asked.addr, host, strlen(host), 0) != GOST_OK)
        snprintf(why, sizeof why, "--explain: \"%.200s\" is no address; write host:port", text);
    else if (!read_client(&asked, from != NULL ? from : "127.0.0.1"))
        snprintf(why, sizeof why,
                 "--from: \"%.200s\" is no client; write an IP address, or user@IP", from);
    for (unsigned i = 0; why[0] == '\0' && i < services->n; i++) {
        struct finding f;

        find(services->v[i], asked, &f);
        if (!json)
            print_text(to, services->v[i], &f);
        else
            (void)gh_list_append(list, as_value(services->v[i], &f));
    }
    if (json && why[0] == '\0') {
        gh_emit_json(&out, NULL, list, GH_JSON_INDENT);
        fwrite(out.data != NULL ? out.data : "", 1, out.len, to);
    }
    gh_text_free(&out);
    gh_value_free(list);
    return why[0] != '\0' ? why : NULL;
}
