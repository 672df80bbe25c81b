/* kcp_conf.c - the options of kcp, as GOST reads them. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "kcp.h"

enum { MTU_DEFAULT = 1400, MTU_MIN = 50, WND_DEFAULT = 32, INTERVAL_MIN = 10, INTERVAL_MAX = 5000 };

const struct gost_opt kcp_options[] = {
    GOST_OPT_SECRET(struct kcp_conf, key, "kcp.key", 4096, 0, "the shared password"),
    GOST_OPT_STRING(
        struct kcp_conf, crypt, "kcp.crypt", "aes", 0,
        "aes aes-128 aes-192 sm4 twofish blowfish cast5 3des tea xtea salsa20 xor none"),
    GOST_OPT_STRING(struct kcp_conf, mode, "kcp.mode", "", 0,
                    "normal, fast, fast2, fast3 or empty"),
    GOST_OPT_INT(struct kcp_conf, mtu, "kcp.mtu", "0", 0, 65535, "bytes", 0,
                 "largest UDP payload, from 50 to 1500; 0: 1400"),
    GOST_OPT_INT(struct kcp_conf, snd_wnd, "kcp.sndwnd", "0", 0, KCP_WND_MAX, "packets", 0,
                 "window for sending; 0: 32"),
    GOST_OPT_INT(struct kcp_conf, rcv_wnd, "kcp.rcvwnd", "0", 0, KCP_WND_MAX, "packets", 0,
                 "window for receiving; 0: 32"),
    GOST_OPT_INT(struct kcp_conf, interval, "kcp.interval", "0", 0, INTERVAL_MAX, "ms", 0,
                 "time between two looks at what is due; 0: 10, or the mode's"),
    GOST_OPT_BOOL(struct kcp_conf, no_comp, "kcp.nocomp", "false", 0, "no snappy compression"),
    GOST_OPT_BOOL(struct kcp_conf, tcp, "kcp.tcp tcp", "false", 0, "packets look like TCP"),
    GOST_OPT_STRING(struct kcp_conf, file, "kcp.configFile configFile c", NULL, 0,
                    "JSON file: datashard parityshard nodelay resend nc acknodelay"),
    GOST_OPT_MAP(struct kcp_conf, config, "kcp.config config", 0, "the same as a map"),
    GOST_OPT_LAST,
};

/* nodelay, interval, resend, no congestion window. */
static const struct {
    const char *name;
    uint32_t nodelay, interval, resend, no_cwnd;
} modes[] = {
    {"normal", 0, 40, 2, 1},
    {"fast", 0, 30, 2, 1},
    {"fast2", 1, 20, 2, 1},
    {"fast3", 1, 10, 2, 1},
};

static void set_mode(struct kcp_conf *c)
{
    size_t i;

    c->arq.nodelay = c->object.nodelay != 0;
    c->arq.interval = (uint32_t)c->interval;
    c->arq.resend = (uint32_t)c->object.resend;
    c->arq.no_cwnd = c->object.no_cwnd != 0;
    for (i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(modes[i].name, c->mode) != 0)
            continue;
        c->arq.nodelay = modes[i].nodelay;
        c->arq.interval = modes[i].interval;
        c->arq.resend = modes[i].resend;
        c->arq.no_cwnd = modes[i].no_cwnd;
    }
    if (c->arq.interval < INTERVAL_MIN)
        c->arq.interval = INTERVAL_MIN;
}

static int refuse(struct gost_prepare *p, const char *text)
{
    snprintf(p->error, p->error_size, "%s", text);
    return GOST_EUNSUPPORTED;
}

int kcp_prepare(void *conf, struct gost_prepare *p)
{
    struct kcp_conf *c = conf;
    uint32_t mtu =
        c->mtu >= MTU_MIN && c->mtu <= (int64_t)KCP_MTU_MAX ? (uint32_t)c->mtu : MTU_DEFAULT;
    int known, r;

    if (c->tcp)
        return refuse(p, "kcp.tcp (packets that look like TCP) is not available; remove it on both "
                         "sides");
    r = kcp_object_read(c, &c->object, p);
    if (r != GOST_OK)
        return r;
    c->cipher = kcp_cipher_find(c->crypt, &known);
    if (!known)
        return refuse(p, "kcp.crypt names no cipher: write aes, aes-128, aes-192, sm4, twofish, "
                         "blowfish, cast5, 3des, tea, xtea, salsa20, xor or none");
    set_mode(c);
    c->arq.mtu =
        mtu - KCP_CRYPT_HEAD - (c->object.data_shard && c->object.parity_shard ? KCP_FEC_HEAD : 0);
    if (c->arq.mtu <= KCP_HEAD)
        return refuse(p, "kcp.mtu leaves no room for data: write 100 or more");
    c->arq.snd_wnd = c->snd_wnd ? (uint32_t)c->snd_wnd : WND_DEFAULT;
    c->arq.rcv_wnd = c->rcv_wnd ? (uint32_t)c->rcv_wnd : WND_DEFAULT;
    if (kcp_pass(c->key.p, c->key.n, c->pass) != GOST_OK)
        return refuse(p, "the key cannot be derived: libgcrypt has no PBKDF2");
    return GOST_OK;
}

void kcp_release(void *conf)
{
    struct kcp_conf *c = conf;

    gost_wipe(c->pass, sizeof c->pass);
}
