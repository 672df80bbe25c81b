/* sniff.c - inspector sniff: protocol and host of what a client sends first. */
/* SPDX-License-Identifier: MIT */
#include <gost/http1.h>
#include <gost/plugin.h>

#include "sniff.h"

struct sniff_conf {
    uint64_t timeout; /* ns; 0: none */
    uint32_t fallback;
};

struct sniff_state {
    size_t scanned; /* of an HTTP head, without its end */
};

static void tell(struct gost_io *io, enum sniff_protocol protocol, const char *host)
{
    struct gost_sniffed found;

    memset(&found, 0, sizeof found);
    found.size = (uint32_t)sizeof found;
    found.protocol = gost_bytes_str(sniff_protocol_name(protocol));
    found.host = gost_bytes_str(host);
    gost_set_sniffed(io, &found);
}

/* Parsed once, when its end is there. */
static int sniff_http(struct sniff_state *s, struct gost_bytes in, size_t *ret_need, char *host)
{
    int is_h2 = memcmp(in.p, "PRI *", 5) == 0;

    if (!is_h2 && !gost_http1_find_end(in, &s->scanned)) {
        *ret_need = in.n + 1;
        return GOST_AGAIN;
    }
    return sniff_http_host(in, ret_need, host);
}

static int sniff_inspect(void *state, const void *conf_, struct gost_io *io)
{
    const struct sniff_conf *conf = conf_;
    struct sniff_state *s = state;
    size_t n = gost_rx_len(io), need = 5;
    enum sniff_protocol protocol = SNIFF_UNKNOWN;
    char host[SNIFF_HOST_MAX] = "";
    struct gost_bytes in;
    int r;

    n = n < SNIFF_LIMIT ? n : SNIFF_LIMIT;
    in = gost_bytes(n ? gost_peek(io, n) : NULL, n);
    gost_phase(io, "the client's first bytes");
    r = in.p ? sniff_detect(in, &protocol) : GOST_AGAIN;
    if (r == GOST_OK && protocol == SNIFF_TLS)
        r = sniff_tls_host(in, &need, host);
    else if (r == GOST_OK && protocol == SNIFF_HTTP)
        r = sniff_http(s, in, &need, host);
    if (r == GOST_AGAIN) {
        /* What is recognised must be whole before it passes, or its host could be kept back. */
        if (protocol != SNIFF_UNKNOWN && !conf->fallback)
            tell(io, protocol, "");
        gost_want(io, need);
        return GOST_AGAIN;
    }
    if (r < 0 && !conf->fallback)
        return gost_fail(io, r, "the client's first bytes look like %s and are malformed",
                         sniff_protocol_name(protocol));
    tell(io, protocol, r == GOST_OK ? host : "");
    return GOST_OK;
}

static uint64_t sniff_timeout(const void *conf)
{
    return ((const struct sniff_conf *)conf)->timeout;
}

static const struct gost_inspector_ops sniff_ops = {
    .size = sizeof(struct gost_inspector_ops),
    .limit = SNIFF_LIMIT,
    .inspect = sniff_inspect,
    .timeout = sniff_timeout,
};

static const struct gost_opt options[] = {
    GOST_OPT_DURATION(struct sniff_conf, timeout, "sniffing.timeout", "0", 0, 86400000,
                      GOST_OPT_SERVER, "Wait no longer for the client's first bytes; 0: no limit"),
    GOST_OPT_BOOL(struct sniff_conf, fallback, "sniffing.fallback", "false", GOST_OPT_SERVER,
                  "Let a malformed or unfinished first message pass instead of closing"),
    GOST_OPT_LAST,
};

static const struct gost_component components[] = {
    {
        .kind = GOST_KIND_INSPECTOR,
        .name = "sniff",
        .summary = "TLS server names, HTTP hosts; SSH and Redis by name",
        .ops = &sniff_ops,
        .options = options,
        .conf_size = sizeof(struct sniff_conf),
        .state_size = sizeof(struct sniff_state),
    },
};

GOST_PLUGIN("sniff", "1.0", "MIT", "finds out what a client speaks and which host it asks for",
            components, "inspector:sniff");
