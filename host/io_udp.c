/* io_udp.c - datagrams in batches, with what the kernel says and lets us say about each. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "io_internal.h"
#include "sockaddr.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define CONTROL       128u /* room for the ancillary data of one datagram */
#define SEGMENTS_MAX  64u  /* the kernel's own limit of one UDP_SEGMENT call */
#define SOCKET_BUFFER (2 << 20)
#define FRAMED_MAX    2048u /* bytes of a packet that may get a frame */

static atomic_int no_segments; /* this kernel, or a device, cannot cut packets */

int gh_udp_any(const struct gost_addr *local)
{
    static const uint8_t zero[16];

    return memcmp(local->ip, zero, sizeof zero) == 0;
}

socklen_t gh_udp_sockaddr(struct sockaddr_storage *ss, const struct gost_addr *addr, int v6)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct gost_addr ip = *addr;
    uint8_t b[16];

    gost_addr_unmap(&ip);
    if (v6 && ip.family == GOST_AF_IP4) {
        memcpy(b, mapped, 12);
        memcpy(b + 12, ip.ip, 4);
        gost_addr_set_ip(&ip, b, 16, ip.port);
    }
    if (ip.family != (v6 ? GOST_AF_IP6 : GOST_AF_IP4))
        return 0;
    return gost_sockaddr_put(ss, &ip);
}

void gh_udp_details(int fd)
{
    int one = 1, size = SOCKET_BUFFER;

    /* Extra knowledge about packets: without it they still flow. Of an IPv6 socket both families
     * matter, and the calls of the other one fail harmlessly. */
    (void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &one, sizeof one);
    /* Packets of one length that follow each other come as one: half the CPU of a bulk receiver. */
    (void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one);
    /* As much as the kernel lets us: the usual size is 90 packets, gone in a millisecond. */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

void gh_udp_no_fragments(int fd)
{
    int probe = IP_PMTUDISC_PROBE, probe6 = IPV6_PMTUDISC_PROBE;

    (void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe);
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe6, sizeof probe6);
}

/* ---- receiving ---- */

static void read_control(struct gh_datagram *d, struct msghdr *h, uint16_t port)
{
    struct cmsghdr *c;
    struct in6_pktinfo i6;
    struct in_pktinfo i4;
    int v;

    for (c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
            d->p.ecn = *(uint8_t *)CMSG_DATA(c) & 3;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
            memcpy(&v, CMSG_DATA(c), sizeof v);
            d->p.ecn = (uint8_t)(v & 3);
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO && port) {
            memcpy(&i4, CMSG_DATA(c), sizeof i4);
            gost_addr_set_ip(&d->local, (const uint8_t *)&i4.ipi_addr, 4, port);
            d->p.local = &d->local;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO && port) {
            memcpy(&i6, CMSG_DATA(c), sizeof i6);
            gost_addr_set_ip(&d->local, (const uint8_t *)&i6.ipi6_addr, 16, port);
            if (IN6_IS_ADDR_LINKLOCAL(&i6.ipi6_addr))
                d->local.scope = i6.ipi6_ifindex;
            gost_addr_unmap(&d->local);
            d->p.local = &d->local;
        } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            memcpy(&v, CMSG_DATA(c), sizeof v);
            d->piece = v > 0 ? (size_t)v : d->piece;
        }
    }
}

int gh_datagram_next(struct gh_datagram *d)
{
    size_t n = d->rest.n < d->piece ? d->rest.n : d->piece;

    if (d->rest.p == NULL)
        return 0;
    d->p.data = gost_bytes(d->rest.p, n);
    d->rest = n < d->rest.n ? gost_bytes(d->rest.p + n, d->rest.n - n) : gost_bytes(NULL, 0);
    return 1;
}

/* ---- frames ---- */

void gh_frame_init(struct gh_frame *fr, const struct gost_transport_ops *ops, uint32_t role,
                   uint16_t tag)
{
    memset(fr, 0, sizeof *fr);
    if (ops->size <= offsetof(struct gost_transport_ops, wrap) || !ops->wrap)
        return;
    fr->ops = ops;
    fr->f.size = sizeof fr->f;
    fr->f.role = role;
    fr->f.tag = tag;
}

static void set_port(struct sockaddr_storage *ss, uint16_t port)
{
    if (ss->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)ss)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)ss)->sin_port = htons(port);
}

/* The packet in d's frame takes its place; none: d has no packet. */
static void unwrap(const struct gh_frame *fr, struct gh_datagram *d)
{
    uint16_t port = 0;

    if (fr->ops->unwrap(&fr->f, d->rest, &d->rest, &port) != GOST_OK) {
        d->rest = gost_bytes(NULL, 0);
        return;
    }
    d->piece = d->rest.n;
    d->addr.port = port;
    set_port(&d->from, port);
}

/* One packet at a time: frames are for transports that carry little. 1: sent or given up. */
static int send_framed(int fd, struct gh_frame *fr, const struct gh_out *o)
{
    uint8_t buf[FRAMED_MAX + GOST_FRAME_MAX];
    struct sockaddr_storage to = {0};
    size_t at = 0, n = o->p->segment ? o->p->segment : o->p->data.n;

    if (o->n) {
        to = *o->to;
        fr->f.port = ntohs(to.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&to)->sin6_port
                                                    : ((struct sockaddr_in *)&to)->sin_port);
        set_port(&to, 0); /* it is the frame's alone */
    }
    for (; at < o->p->data.n; at += n) {
        n = o->p->data.n - at < n ? o->p->data.n - at : n;
        if (n > FRAMED_MAX)
            return 1;
        if (sendto(fd, buf, fr->ops->wrap(&fr->f, gost_bytes(o->p->data.p + at, n), buf),
                   MSG_DONTWAIT | MSG_NOSIGNAL, o->n ? (struct sockaddr *)&to : NULL, o->n) < 0 &&
            errno == EAGAIN && at == 0)
            return 0;
        fr->f.count++;
    }
    return 1;
}

int gh_udp_recv(struct gh_worker *w, int fd, const struct gh_frame *fr, uint16_t port,
                struct gh_datagram *v)
{
    struct mmsghdr m[GH_RECV_BATCH];
    struct iovec iov[GH_RECV_BATCH];
    _Alignas(struct cmsghdr) uint8_t control[GH_RECV_BATCH][CONTROL];
    uint8_t *buf = gh_worker_recv_buf(w);
    int i, n;

    if (!buf)
        return 0;
    memset(m, 0, sizeof m);
    for (i = 0; i < GH_RECV_BATCH; i++) {
        iov[i].iov_base = buf + (size_t)i * GH_RECV_SIZE;
        iov[i].iov_len = GH_RECV_SIZE;
        memset(&v[i].from, 0, sizeof v[i].from); /* it is a key in tables */
        m[i].msg_hdr.msg_iov = &iov[i];
        m[i].msg_hdr.msg_iovlen = 1;
        m[i].msg_hdr.msg_name = &v[i].from;
        m[i].msg_hdr.msg_namelen = sizeof v[i].from;
        m[i].msg_hdr.msg_control = control[i];
        m[i].msg_hdr.msg_controllen = sizeof control[i];
    }
    n = recvmmsg(fd, m, GH_RECV_BATCH, MSG_DONTWAIT, NULL);
    for (i = 0; i < n; i++) {
        struct gh_datagram *d = &v[i];

        memset(&d->p, 0, sizeof d->p);
        d->p.size = sizeof d->p;
        d->rest = gost_bytes(iov[i].iov_base, m[i].msg_len);
        d->piece = m[i].msg_len;
        d->n = m[i].msg_hdr.msg_namelen;
        gost_sockaddr_get(&d->addr, &d->from, d->n);
        d->p.addr = &d->addr;
        read_control(d, &m[i].msg_hdr, port);
        if (fr->ops)
            unwrap(fr, d);
    }
    return n;
}

/* ---- sending ---- */

static void put_control(struct msghdr *h, int level, int type, const void *data, size_t n)
{
    struct cmsghdr *c = (struct cmsghdr *)((uint8_t *)h->msg_control + h->msg_controllen);

    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(n);
    memcpy(CMSG_DATA(c), data, n);
    h->msg_controllen += CMSG_SPACE(n);
}

static void put_local(struct msghdr *h, const struct gost_addr *local)
{
    if (local->family == GOST_AF_IP4) {
        struct in_pktinfo i4 = {0};

        memcpy(&i4.ipi_spec_dst, local->ip, 4);
        put_control(h, IPPROTO_IP, IP_PKTINFO, &i4, sizeof i4);
    } else if (local->family == GOST_AF_IP6) {
        struct in6_pktinfo i6 = {.ipi6_ifindex = local->scope};

        memcpy(&i6.ipi6_addr, local->ip, 16);
        put_control(h, IPPROTO_IPV6, IPV6_PKTINFO, &i6, sizeof i6);
    }
}

/* A peer of an IPv6 socket whose address is an IPv4 one in disguise takes what IPv4 takes. */
static int is_ip6(const struct gh_out *o)
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)o->to;

    return o->n && o->to->ss_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
}

static void fill(struct msghdr *h, struct iovec *iov, uint8_t *control, const struct gh_out *o)
{
    int v = o->p->ecn & 3;

    memset(h, 0, sizeof *h);
    iov->iov_base = (void *)o->p->data.p;
    iov->iov_len = o->p->data.n;
    h->msg_iov = iov;
    h->msg_iovlen = 1;
    h->msg_name = o->n ? (void *)o->to : NULL;
    h->msg_namelen = o->n;
    memset(control, 0, CONTROL);
    h->msg_control = control;
    if (o->p->local && o->n)
        put_local(h, o->p->local);
    if (v)
        put_control(h, is_ip6(o) ? IPPROTO_IPV6 : IPPROTO_IP, is_ip6(o) ? IPV6_TCLASS : IP_TOS, &v,
                    sizeof v);
    if (o->p->segment && o->p->segment < o->p->data.n)
        put_control(h, IPPROTO_UDP, UDP_SEGMENT, &o->p->segment, sizeof o->p->segment);
    if (h->msg_controllen == 0)
        h->msg_control = NULL;
}

static int send_one(int fd, const struct gh_out *o)
{
    _Alignas(struct cmsghdr) uint8_t control[CONTROL];
    struct iovec iov;
    struct msghdr h;

    fill(&h, &iov, control, o);
    return sendmsg(fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

/* One by one: after an EAGAIN the rest is lost, as it may be on any network. */
static void send_pieces(int fd, const struct gh_out *o)
{
    struct gost_packet one = *o->p;
    struct gh_out piece = {.p = &one, .to = o->to, .n = o->n};
    size_t at, n;

    one.segment = 0;
    for (at = 0; at < o->p->data.n; at += n) {
        n = o->p->data.n - at < o->p->segment ? o->p->data.n - at : o->p->segment;
        one.data = gost_bytes(o->p->data.p + at, n);
        (void)send_one(fd, &piece);
    }
}

/* The first of a batch was refused. What can be left out of it is left out; then it is lost. */
static void retry(int fd, const struct gh_out *o, int err)
{
    struct gost_packet plain = *o->p;
    struct gh_out again = {.p = &plain, .to = o->to, .n = o->n};

    if (o->p->segment && (err == EIO || err == EINVAL || err == ENOPROTOOPT)) {
        if (err != EINVAL || o->p->data.n / o->p->segment < SEGMENTS_MAX)
            atomic_store_explicit(&no_segments, 1, memory_order_relaxed);
        send_pieces(fd, o);
        return;
    }
    plain.local = NULL;
    plain.ecn = 0;
    if (err == EINVAL && (o->p->local || o->p->ecn))
        (void)send_one(fd, &again);
}

int gh_udp_send(int fd, struct gh_frame *fr, const struct gh_out *v, unsigned n)
{
    _Alignas(struct cmsghdr) uint8_t control[GH_SEND_BATCH][CONTROL];
    struct mmsghdr m[GH_SEND_BATCH];
    struct iovec iov[GH_SEND_BATCH];
    unsigned i;
    int r;

    n = n < GH_SEND_BATCH ? n : GH_SEND_BATCH;
    if (fr->ops) {
        for (i = 0; i < n && send_framed(fd, fr, &v[i]); i++)
            ;
        return i || !n ? (int)i : GH_SEND_FULL;
    }
    for (i = 0; i < n; i++) {
        if (v[i].p->segment && atomic_load_explicit(&no_segments, memory_order_relaxed))
            break;
        fill(&m[i].msg_hdr, &iov[i], control[i], &v[i]);
    }
    if (i == 0 && n > 0) {
        send_pieces(fd, &v[0]);
        return 1;
    }
    r = sendmmsg(fd, m, i, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (r >= 0)
        return r;
    if (errno == EAGAIN)
        return GH_SEND_FULL;
    if (errno == ECONNREFUSED)
        return GH_SEND_REFUSED;
    retry(fd, &v[0], errno);
    return 1;
}
