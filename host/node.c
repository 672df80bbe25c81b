/* node.c - one node: a proxy of a hop, or a target of a forwarder. */
/* SPDX-License-Identifier: MIT */
#include "node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "carrier.h"
#include "conf_meta.h"
#include "conf_text.h"

#define NODE_KEYS                                                                                  \
    "interface so_mark netns proxyProtocol weight backup maxFails max_fails failTimeout "         \
    "fail_timeout network"

uint32_t gh_network_of(const char *text)
{
    if (strncmp(text, "tcp", 3) == 0)
        return GOST_NET_TCP;
    if (strncmp(text, "udp", 3) == 0)
        return GOST_NET_UDP;
    if (strncmp(text, "unix", 4) == 0)
        return GOST_NET_UNIX;
    if (strncmp(text, "ip", 2) == 0)
        return GOST_NET_IP;
    return strcmp(text, "serial") == 0 ? GOST_NET_SERIAL : 0;
}

bool gh_from_url(const struct gh_value *value)
{
    char pos[GH_POS_MAX];

    return strncmp(gh_pos_text(value, pos), "-L", 2) == 0 || strncmp(pos, "-F", 2) == 0;
}

void gh_node_free(struct gh_node *node)
{
    if (node == NULL)
        return;
    gh_confset_free(node->connector_set);
    gh_confset_free(node->dialer_set);
    gh_names_free(&node->bypasses);
    free(node->label);
    free(node);
}

/* ---- building ---- */

/* A key of the node's metadata, else of the hop's. */
static const struct gh_value *inherited(const struct gh_value *node, const struct gh_value *hop,
                                        const char *keys)
{
    const struct gh_value *own = gh_meta_get(gh_get(node, "metadata"), keys);

    return own != NULL ? gh_get(node, "metadata") : gh_get(hop, "metadata");
}

static void read_choice(struct gh_node *n, const struct gh_value *conf)
{
    const struct gh_value *meta = gh_get(conf, "metadata");
    int64_t weight = gh_meta_int(meta, "weight", 1);
    int64_t fails = gh_meta_int(meta, "maxFails,max_fails", 0);
    int64_t timeout = gh_meta_duration_ns(meta, "failTimeout,fail_timeout", 0);

    n->choice.weight = weight > 0 && weight < INT32_MAX ? (uint32_t)weight : 1;
    n->choice.backup = gh_meta_bool(meta, "backup", false);
    n->choice.max_fails = fails > 0 && fails < INT32_MAX ? (uint32_t)fails : 0;
    n->choice.fail_timeout = timeout > 0 ? (uint64_t)timeout : 0;
}

static void read_filter(struct gh_node *n, const struct gh_value *conf)
{
    const struct gh_value *filter = gh_get(conf, "filter");

    n->filter_host = gh_str(filter != NULL ? filter : conf, "host", "");
    n->filter_protocol = gh_str(filter != NULL ? filter : conf, "protocol", "");
    n->filter_path = gh_str(filter != NULL ? filter : conf, "path", "");
    if (*n->filter_host == '*')
        n->filter_host++;
}

static bool refuse_absent(struct gh_build *b, const struct gh_node *n, const struct gh_value *conf)
{
    static const struct {
        const char *path, *what;
    } absent[] = {{"matcher.rule", "routing rules"}, {"probe", "probes"}};
    bool refused = false;

    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        const struct gh_value *v = gh_path(conf, absent[i].path);

        if (v == NULL)
            continue;
        gh_errors_at(b->errs, GH_ERROR, v,
                     "node %s: %s are not available in this version; remove \"%s\"", n->label,
                     absent[i].what, absent[i].path);
        refused = true;
    }
    return refused;
}

static bool read_addr(struct gh_build *b, struct gh_node *n, const struct gh_value *conf,
                      bool is_path)
{
    char shown[300];
    int r;

    n->addr_text = gh_str(conf, "addr", "");
    if (*n->addr_text == '\0')
        return true;
    if (is_path)
        r = gost_addr_set_path(&n->addr, n->addr_text, strlen(n->addr_text));
    else
        r = gost_addr_parse(&n->addr, n->addr_text, strlen(n->addr_text), 0);
    if (r == GOST_OK)
        return true;
    gh_errors_at(b->errs, GH_ERROR, gh_get(conf, "addr"),
                 "node %s: \"%s\" is no address; write host:port", n->label,
                 gh_hide_login(n->addr_text, shown, sizeof shown));
    return false;
}

/* What proxies and targets have in common. */
static struct gh_node *begin(struct gh_build *b, const struct gh_value *conf, const char *owner)
{
    struct gh_node *n = calloc(1, sizeof *n);
    char key[640];

    if (n != NULL) {
        n->self = n;
        n->conf = conf;
        n->name = gh_str(conf, "name", "");
        if (asprintf(&n->label, "%s/%s", owner, n->name) < 0)
            n->label = NULL;
    }
    if (n == NULL || n->label == NULL ||
        gh_names_read(&n->bypasses, conf, "bypass", "bypasses") != 0) {
        b->errs->no_memory = true;
        gh_node_free(n);
        return NULL;
    }
    read_choice(n, conf);
    read_filter(n, conf);
    n->network = gh_network_of(gh_str(conf, "network", ""));
    snprintf(key, sizeof key, "%.300s@%.300s", n->label, gh_str(conf, "addr", ""));
    n->choice.mark = gh_mark_get(key);
    return n;
}

static struct gh_confset *make_set(struct gh_build *b, const struct gh_node *n, const char *noun,
                                   const char *type, const struct gh_value *conf)
{
    char object[400];
    struct gh_confset *set;

    snprintf(object, sizeof object, "node %s, %s %s", n->label, noun, type);
    set = gh_confset_new(GOST_CLIENT, object);
    if (set == NULL || gh_confset_add(set, "auth", gh_get(conf, "auth")) != 0 ||
        gh_confset_add(set, "tls", gh_get(conf, "tls")) != 0 ||
        gh_confset_add_metadata(set, gh_get(conf, "metadata")) != 0)
        b->errs->no_memory = true;
    return set;
}

static bool build_connector(struct gh_build *b, struct gh_node *n, const struct gh_value *conf)
{
    const struct gh_value *c = gh_get(conf, "connector");
    const char *type = gh_str(c, "type", "http");
    char why[512] = "";

    n->connector_set = make_set(b, n, "connector", type, c);
    if (n->connector_set == NULL)
        return false;
    n->connector = gh_find_component(GOST_KIND_CONNECTOR, type, why, sizeof why);
    if (n->connector == NULL) {
        gh_report_unknown(b->errs, "connector", type, n->label, c != NULL ? c : conf, why);
        return false;
    }
    return gh_confset_get(n->connector_set, n->connector, 0, NULL, b->errs, &n->connector_conf, why,
                          sizeof why) == 0 &&
           gh_confset_add_used(n->connector_set, n->connector, b->errs);
}

static bool build_dialer(struct gh_build *b, struct gh_node *n, const struct gh_value *conf)
{
    const struct gh_value *d = gh_get(conf, "dialer");
    const char *type = gh_str(d, "type", "tcp");
    const void *carrier;
    char why[512] = "";

    n->dialer_set = make_set(b, n, "dialer", type, d);
    if (n->dialer_set == NULL ||
        gh_stackdef_build(&n->dialer, type, GOST_CLIENT, n->dialer_set, d != NULL ? d : conf,
                          "dialer", b->errs) != 0)
        return false;
    if (!gh_stackdef_has_session(&n->dialer))
        return true;
    if (gh_confset_get(n->dialer_set, &gh_carrier_component, 0, NULL, b->errs, &carrier, why,
                       sizeof why) != 0)
        return false;
    n->carrier = carrier;
    return true;
}

static bool connector_fits(struct gh_build *b, const struct gh_node *n, const struct gh_value *conf)
{
    const struct gost_connector_ops *ops = n->connector->ops;
    uint32_t accepts = ops->accepts ? ops->accepts : GOST_STREAM;

    if ((accepts & n->dialer.top) != 0 ||
        (n->dialer.top == GOST_SESSION && (accepts & (GOST_STREAM | GOST_EXCHANGE)) != 0))
        return true;
    gh_errors_at(b->errs, GH_ERROR, conf,
                 "node %s: the connector %s needs %s, the dialer %s gives %s", n->label,
                 n->connector->name, gh_type_text(accepts & -accepts), n->dialer.type,
                 gh_type_text(n->dialer.top));
    return false;
}

/* A key of the URL went to both scopes: it is unknown only if neither component knows it. */
static void check_keys(struct gh_build *b, const struct gh_node *n, const struct gh_value *conf)
{
    struct gh_confset *sets[] = {n->connector_set, n->dialer_set, NULL};
    enum gh_severity severity = b->strict ? GH_ERROR : GH_WARNING;
    bool url = gh_from_url(conf);

    for (int i = 0; i < 2; i++) {
        if (url)
            gh_confset_claim(sets[i], NODE_KEYS);
        gh_confset_check(sets[i], url ? sets : NULL, severity, b->errs);
    }
}

static bool read_sockopt(struct gh_build *b, struct gh_node *n, const struct gh_value *conf,
                         const struct gh_value *hop)
{
    int64_t mark = gh_meta_int(inherited(conf, hop, "so_mark"), "so_mark", 0);

    n->sockopt.interface_name =
        gh_meta_str(inherited(conf, hop, "interface"), "interface", NULL);
    n->sockopt.mark = mark > 0 && mark <= UINT32_MAX ? (uint32_t)mark : 0;
    if (gh_meta_get(inherited(conf, hop, "netns"), "netns") == NULL)
        return true;
    gh_errors_at(b->errs, GH_ERROR, conf,
                 "node %s: network namespaces are not available in this version", n->label);
    return false;
}

/* proxyProtocol of the node: a header before everything else, written by the layer of that name. */
static bool add_proxy_protocol(struct gh_build *b, struct gh_node *n, const struct gh_value *conf,
                               const struct gh_value *hop)
{
    char why[512] = "";
    const void *layer_conf = NULL;
    const struct gh_value *meta = inherited(conf, hop, "proxyProtocol");
    const struct gost_component *layer;

    n->proxy_protocol = gh_meta_int(meta, "proxyProtocol", 0);
    if (n->proxy_protocol <= 0)
        return true;
    layer = gh_find_component(GOST_KIND_LAYER, "proxyproto", why, sizeof why);
    if (layer != NULL && !gh_confset_has(n->dialer_set, "proxyProtocol") &&
        gh_confset_add_value(n->dialer_set, "proxyProtocol",
                             gh_meta_get(meta, "proxyProtocol")) != 0)
        b->errs->no_memory = true;
    if (layer != NULL && gh_confset_get(n->dialer_set, layer, 0, NULL, b->errs, &layer_conf, why,
                                        sizeof why) == 0 &&
        gh_stackdef_add(&n->dialer, layer, layer_conf, true) == 0)
        return true;
    gh_errors_at(b->errs, GH_ERROR, conf, "node %s: proxyProtocol: %s", n->label, why);
    return false;
}

struct gh_node *gh_node_build(struct gh_build *b, const struct gh_value *conf,
                              const struct gh_value *hop, const char *hop_name)
{
    struct gh_node *n = begin(b, conf, hop_name);
    bool ok;

    if (n == NULL)
        return NULL;
    ok = !refuse_absent(b, n, conf);
    ok = build_connector(b, n, conf) && ok;
    ok = build_dialer(b, n, conf) && ok;
    if (ok) {
        const struct gost_transport_ops *t = n->dialer.transport.component->ops;

        ok = read_addr(b, n, conf, (t->flags & GOST_TRANSPORT_PATH) != 0);
        ok = connector_fits(b, n, conf) && ok;
        ok = read_sockopt(b, n, conf, hop) && ok;
        n->naming.hosts = gh_str(conf, "hosts", gh_str(hop, "hosts", NULL));
        n->naming.resolver = gh_str(conf, "resolver", gh_str(hop, "resolver", NULL));
        ok = add_proxy_protocol(b, n, conf, hop) && ok;
        check_keys(b, n, conf);
    }
    if (ok)
        return n;
    gh_node_free(n);
    return NULL;
}

struct gh_node *gh_node_build_target(struct gh_build *b, const struct gh_value *conf,
                                     const char *owner)
{
    struct gh_node *n = begin(b, conf, owner);
    const char *addr = gh_str(conf, "addr", "");
    bool is_path = n != NULL && n->network == GOST_NET_UNIX;

    if (n == NULL)
        return NULL;
    if (strncmp(addr, "unix://", 7) == 0)
        n->network = GOST_NET_UNIX;
    if (!refuse_absent(b, n, conf) && read_addr(b, n, conf, is_path || *addr == '/')) {
        if (n->network == GOST_NET_UNIX && n->addr.family != GOST_AF_UNIX)
            (void)gost_addr_set_path(&n->addr, addr + 7, strlen(addr + 7));
        return n;
    }
    gh_node_free(n);
    return NULL;
}

/* ---- asking ---- */

bool gh_pick_bypassed(const struct gh_names *bypasses, const struct gh_pick *pick)
{
    struct gost_q_target q = {.size = sizeof q,
                              .network = pick->network,
                              .addr = pick->target,
                              .client = pick->client,
                              .user = gost_bytes_str(pick->user)};

    return bypasses->n != 0 && pick->target != NULL && gh_policy_bypass(bypasses, &q);
}

/* GOST compares the filter's host as text; ".a.com" matches what ends with "a.com". */
static bool host_matches(const char *filter, struct gost_bytes host)
{
    size_t n = strlen(filter);

    if (host.n != 0 && memchr(host.p, ':', host.n) != NULL && host.p[0] != '[')
        host.n = (size_t)((const uint8_t *)memchr(host.p, ':', host.n) - host.p);
    if (gost_bytes_eq(host, gost_bytes(filter, n)))
        return true;
    return *filter == '.' && host.n >= n - 1 &&
           memcmp(host.p + host.n - (n - 1), filter + 1, n - 1) == 0;
}

bool gh_node_accepts(const struct gh_node *node, const struct gh_pick *pick)
{
    size_t n = strlen(node->filter_path);

    if (gh_pick_bypassed(&node->bypasses, pick))
        return false;
    if (*node->filter_host != '\0' && !host_matches(node->filter_host, pick->host))
        return false;
    if (*node->filter_protocol != '\0' &&
        !gost_bytes_eq(pick->protocol, gost_bytes_str(node->filter_protocol)))
        return false;
    return n == 0 || (pick->path.n >= n && memcmp(pick->path.p, node->filter_path, n) == 0);
}
