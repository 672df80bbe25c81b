/* sshd_addr.c - what channels say about addresses, RFC 4254 section 7. */
/* SPDX-License-Identifier: MIT */
#include "sshd.h"

static int set_host(struct gost_addr *ret_addr, struct gost_bytes host, uint32_t port)
{
    if (port > 65535)
        return GOST_EPROTO;
    if (ssh_is(host, "<nil>")) /* what GOST writes for nothing */
        host.n = 0;
    return gost_addr_set_host(ret_addr, host.n ? (const char *)host.p : "", host.n, (uint16_t)port);
}

int sshd_get_target(struct gost_bytes data, struct gost_addr *ret_addr)
{
    struct ssh_in in = ssh_in(data);
    struct gost_bytes host = ssh_get_string(&in);
    uint32_t port = ssh_get_u32(&in);

    (void)ssh_get_string(&in);
    (void)ssh_get_u32(&in);
    if (in.bad)
        return GOST_EPROTO;
    return set_host(ret_addr, host, port);
}

int sshd_get_bind(struct gost_bytes data, struct gost_addr *ret_addr)
{
    struct ssh_in in = ssh_in(data);
    struct gost_bytes host = ssh_get_string(&in);
    uint32_t port = ssh_get_u32(&in);
    struct gost_addr addr;
    int r;

    if (in.bad)
        return GOST_EPROTO;
    if (ssh_is(host, "localhost"))
        host = gost_bytes_str("127.0.0.1");
    r = set_host(&addr, ssh_is(host, "*") ? gost_bytes(NULL, 0) : host, port);
    if (r == GOST_OK && addr.family == GOST_AF_NAME)
        r = GOST_EUNSUPPORTED;
    if (r == GOST_OK)
        *ret_addr = addr;
    return r;
}

int sshd_put_target(struct ssh_out *o, uint32_t network, const struct gost_addr *addr)
{
    char host[GOST_ADDR_TEXT];
    size_t n = gost_addr_host(addr, host, sizeof host);

    if (network == GOST_NET_UNIX || addr->family == GOST_AF_UNIX) {
        ssh_put_text(o, "direct-streamlocal@openssh.com");
        ssh_put_string(o, gost_bytes(addr->name, addr->len));
        ssh_put_text(o, "");
        ssh_put_u32(o, 0);
        return GOST_OK;
    }
    if (network != GOST_NET_TCP)
        return GOST_EUNSUPPORTED;
    ssh_put_text(o, "direct-tcpip");
    ssh_put_string(o, gost_bytes(host, n));
    ssh_put_u32(o, addr->port);
    ssh_put_text(o, "0.0.0.0");
    ssh_put_u32(o, 0);
    return GOST_OK;
}

/* The address must be word for word what was asked for: clients look it up by that. */
void sshd_put_visitor(struct ssh_out *o, struct gost_bytes data, uint32_t bound_port,
                      const struct gost_addr *visitor)
{
    struct ssh_in in = ssh_in(data);
    char host[GOST_ADDR_TEXT];
    size_t n = gost_addr_host(visitor, host, sizeof host);

    ssh_put_text(o, "forwarded-tcpip");
    ssh_put_string(o, ssh_get_string(&in));
    ssh_put_u32(o, bound_port);
    ssh_put_string(o, gost_bytes(host, n));
    ssh_put_u32(o, visitor->port);
}
