/* conf_types.c - the component names GOST itself registers. */
/* SPDX-License-Identifier: MIT */
#include "conf_types.h"

#include <stddef.h>
#include <string.h>

static const char *const handlers[] = {
    "api",     "auto",   "dns",   "file",     "forward", "http",    "http2",  "http3", "masque",
    "metrics", "red",    "redir", "redirect", "redu",    "relay",   "router", "rtcp",  "rudp",
    "runix",   "serial", "sni",   "socks",    "socks4",  "socks4a", "socks5", "ss",    "sshd",
    "ssu",     "tap",    "tcp",   "tun",      "tungo",   "tunnel",  "udp",    "unix",  NULL};

static const char *const listeners[] = {
    "dns",   "dtls",   "ftcp", "grpc", "h2",    "h2c",      "h3",   "http2", "http3",
    "icmp",  "icmp6",  "kcp",  "mtcp", "mtls",  "mws",      "mwss", "ohttp", "otls",
    "pht",   "phts",   "quic", "red",  "redir", "redirect", "redu", "rtcp",  "rudp",
    "runix", "serial", "ssh",  "sshd", "stdio", "tap",      "tcp",  "tls",   "tun",
    "tungo", "udp",    "unix", "ws",   "wss",   "wt",       NULL};

static const char *const connectors[] = {"direct", "forward", "http", "http2", "masque", "relay",
                                         "router", "serial",  "sni",  "socks", "socks4", "socks4a",
                                         "socks5", "ss",      "sshd", "ssu",   "tcp",    "tunnel",
                                         "unix",   "virtual", NULL};

static const char *const dialers[] = {
    "direct", "dtls", "ftcp",  "grpc", "h2",      "h2c",    "h3",  "h3-masque", "http2",
    "http3",  "icmp", "icmp6", "kcp",  "mtcp",    "mtls",   "mws", "mwss",      "ohttp",
    "ohttps", "otls", "pht",   "phts", "quic",    "serial", "ssh", "sshd",      "tcp",
    "tls",    "udp",  "unix",  "utls", "virtual", "wss",    "ws",  "wt",        NULL};

static const char *const layers[] = {NULL};

const char *gh_kind_name(enum gh_kind kind)
{
    static const char *const names[GH_KIND_COUNT] = {"handler", "listener", "connector", "dialer",
                                                     "layer"};
    return kind < GH_KIND_COUNT ? names[kind] : "component";
}

const char *const *gh_gost_names(enum gh_kind kind)
{
    static const char *const *const tables[GH_KIND_COUNT] = {handlers, listeners, connectors,
                                                             dialers, layers};
    return kind < GH_KIND_COUNT ? tables[kind] : layers;
}

bool gh_gost_knows(enum gh_kind kind, const char *name)
{
    for (const char *const *p = gh_gost_names(kind); *p != NULL; p++)
        if (strcmp(*p, name) == 0)
            return true;
    return false;
}
