/* load_dial.c - the client's way through a forward, a SOCKS5 or an HTTP proxy.
 * SPDX-License-Identifier: MIT
 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DIAL_TIMEOUT_MS 15000
#define SOCKS5_REPLY 10 /* bytes of a reply with an IPv4 address */

int load_dial_start(struct load_dial *d, const struct load_options *o, uint8_t command)
{
    d->fd = load_tcp_socket();
    d->phase = LOAD_DIAL_CONNECT;
    d->command = command;
    d->in_len = 0;
    if (connect(d->fd, (const struct sockaddr *)&o->proxy, sizeof(o->proxy)) == 0 ||
        errno == EINPROGRESS)
        return 0;
    return -errno;
}

/* A request fits an empty socket buffer; anything else is an error. */
static enum load_step say(struct load_dial *d, const void *data, size_t len,
                          enum load_dial_phase next)
{
    d->phase = next;
    d->in_len = 0;
    return send(d->fd, data, len, MSG_NOSIGNAL) == (ssize_t)len ? LOAD_AGAIN : LOAD_EOF;
}

static enum load_step connected(struct load_dial *d, const struct load_options *o)
{
    static const uint8_t greeting[3] = {5, 1, 0};
    char text[160];
    char ip[INET_ADDRSTRLEN];
    struct sockaddr_in peer;
    socklen_t len = sizeof(peer);
    int err = 0;
    socklen_t err_len = sizeof(err);

    if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &err, &err_len) != 0 || err != 0)
        return LOAD_EOF;
    if (getpeername(d->fd, (struct sockaddr *)&peer, &len) != 0)
        return errno == ENOTCONN ? LOAD_AGAIN : LOAD_EOF;
    switch (o->via) {
    case LOAD_VIA_SOCKS5:
        return say(d, greeting, sizeof(greeting), LOAD_DIAL_GREETING);
    case LOAD_VIA_HTTP:
        inet_ntop(AF_INET, &o->target.sin_addr, ip, sizeof(ip));
        snprintf(text, sizeof(text), "CONNECT %s:%u HTTP/1.1\r\nHost: %s:%u\r\n\r\n", ip,
                 ntohs(o->target.sin_port), ip, ntohs(o->target.sin_port));
        return say(d, text, strlen(text), LOAD_DIAL_HTTP);
    case LOAD_VIA_FORWARD:
        break;
    }
    d->phase = LOAD_DIAL_OPEN;
    return LOAD_DONE;
}

static enum load_step greeted(struct load_dial *d, const struct load_options *o)
{
    uint8_t request[SOCKS5_REPLY] = {5, d->command, 0, 1};

    if (d->in_len < 2)
        return LOAD_AGAIN;
    if (d->in_len != 2 || d->in[0] != 5 || d->in[1] != 0)
        return LOAD_BAD;
    if (d->command == 1) {
        memcpy(request + 4, &o->target.sin_addr, 4);
        memcpy(request + 8, &o->target.sin_port, 2);
    }
    return say(d, request, sizeof(request), LOAD_DIAL_REPLY);
}

static enum load_step socks5_replied(struct load_dial *d)
{
    if (d->in_len < SOCKS5_REPLY)
        return LOAD_AGAIN;
    if (d->in_len != SOCKS5_REPLY || d->in[0] != 5 || d->in[1] != 0 || d->in[3] != 1)
        return LOAD_BAD;
    d->bound.sin_family = AF_INET;
    memcpy(&d->bound.sin_addr, d->in + 4, 4);
    memcpy(&d->bound.sin_port, d->in + 8, 2);
    d->phase = LOAD_DIAL_OPEN;
    return LOAD_DONE;
}

static enum load_step http_replied(struct load_dial *d)
{
    const char *in = (const char *)d->in;

    if (d->in_len < 4 || memcmp(in + d->in_len - 4, "\r\n\r\n", 4) != 0)
        return d->in_len < sizeof(d->in) ? LOAD_AGAIN : LOAD_BAD;
    if (d->in_len < 12 || memcmp(in, "HTTP/1.", 7) != 0 || memcmp(in + 8, " 200", 4) != 0)
        return LOAD_BAD;
    d->phase = LOAD_DIAL_OPEN;
    return LOAD_DONE;
}

/* Reads what is there. The target is silent until spoken to, so nothing is read too far. */
static enum load_step receive(struct load_dial *d)
{
    ssize_t n = recv(d->fd, d->in + d->in_len, sizeof(d->in) - d->in_len, 0);

    if (n == 0)
        return LOAD_EOF;
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? LOAD_AGAIN : LOAD_EOF;
    d->in_len += (size_t)n;
    return LOAD_DONE;
}

enum load_step load_dial_step(struct load_dial *d, const struct load_options *o)
{
    enum load_step step;

    if (d->phase == LOAD_DIAL_CONNECT)
        return connected(d, o);
    step = receive(d);
    if (step != LOAD_DONE)
        return step;
    switch (d->phase) {
    case LOAD_DIAL_GREETING:
        return greeted(d, o);
    case LOAD_DIAL_REPLY:
        return socks5_replied(d);
    case LOAD_DIAL_HTTP:
        return http_replied(d);
    case LOAD_DIAL_CONNECT:
    case LOAD_DIAL_OPEN:
        break;
    }
    return LOAD_DONE;
}

static void dial_wait(struct load_dial *d, const struct load_options *o, uint8_t command)
{
    enum load_step step = LOAD_AGAIN;
    int err = load_dial_start(d, o, command);

    if (err < 0)
        load_die("connecting to the proxy: %s", strerror(-err));
    while (step == LOAD_AGAIN) {
        load_wait_fd(d->fd, d->phase == LOAD_DIAL_CONNECT ? POLLOUT : POLLIN, DIAL_TIMEOUT_MS,
                     "opening a connection through the proxy");
        step = load_dial_step(d, o);
    }
    if (step == LOAD_BAD)
        load_die("the proxy refused, or did not answer as its protocol says");
    if (step != LOAD_DONE)
        load_die("the proxy closed the connection while it was being opened");
}

int load_dial_wait(const struct load_options *o)
{
    struct load_dial d;

    dial_wait(&d, o, 1);
    return d.fd;
}

int load_dial_associate(const struct load_options *o, struct sockaddr_in *ret_relay)
{
    struct load_dial d;

    dial_wait(&d, o, 3);
    *ret_relay = d.bound;
    if (d.bound.sin_addr.s_addr == INADDR_ANY)
        ret_relay->sin_addr = o->proxy.sin_addr;
    return d.fd;
}
