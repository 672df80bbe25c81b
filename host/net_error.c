/* net_error.c - errno values as enum gost_error and as sentences with a remedy. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "net_private.h"

struct row {
    int err, status;
    const char *text;
};

static const struct row rows[] = {
    {ECONNREFUSED, GOST_EREFUSED, "connection refused"},
    {ENOENT, GOST_EREFUSED, "no such socket file"},
    {ECONNRESET, GOST_ECLOSED, "connection reset by peer"},
    {ECONNABORTED, GOST_ECLOSED, "connection aborted"},
    {EPIPE, GOST_ECLOSED, "the peer closed the connection"},
    {ENOTCONN, GOST_ECLOSED, "not connected any more"},
    {ETIMEDOUT, GOST_ETIMEDOUT, "connection timed out"},
    {EHOSTUNREACH, GOST_EUNREACHABLE, "no route to host"},
    {ENETUNREACH, GOST_EUNREACHABLE, "network is unreachable"},
    {EHOSTDOWN, GOST_EUNREACHABLE, "host is down"},
    {ENETDOWN, GOST_EUNREACHABLE, "network is down"},
    {EADDRNOTAVAIL, GOST_EUNREACHABLE, "address not available"},
    {ENODEV, GOST_EUNREACHABLE, "no such interface"},
    {EADDRINUSE, GOST_EINUSE, "address already in use"},
    {EACCES, GOST_EDENIED, "permission denied"},
    {EPERM, GOST_EDENIED, "operation not permitted"},
    {EMFILE, GOST_ELIMIT, "too many open files in this process"},
    {ENFILE, GOST_ELIMIT, "too many open files on this machine"},
    {ENOBUFS, GOST_ENOMEM, "no buffer space in the kernel"},
    {ENOMEM, GOST_ENOMEM, "out of memory"},
    {EMSGSIZE, GOST_ETOOBIG, "message too long"},
    {EAFNOSUPPORT, GOST_EUNSUPPORTED, "address family not supported"},
    {EPROTONOSUPPORT, GOST_EUNSUPPORTED, "protocol not supported by the kernel"},
    {EOPNOTSUPP, GOST_EUNSUPPORTED, "operation not supported"},
    {EINVAL, GOST_EUNSUPPORTED, "the kernel does not accept these options"},
    {EDESTADDRREQ, GOST_EUNREACHABLE, "there is no address to connect to"},
    {ECANCELED, GOST_ECANCELLED, "cancelled"},
    {EIO, GOST_ECLOSED, "input/output error"},
};

static const struct row status_rows[] = {
    {0, GOST_EREFUSED, "refused"},         {0, GOST_EUNREACHABLE, "unreachable"},
    {0, GOST_ETIMEDOUT, "timed out"},      {0, GOST_EUNSUPPORTED, "not supported"},
    {0, GOST_ENOMEM, "out of memory"},     {0, GOST_EINUSE, "address already in use"},
    {0, GOST_EDENIED, "not permitted"},    {0, GOST_ECANCELLED, "cancelled"},
    {0, GOST_ECLOSED, "closed"},           {0, GOST_ERESOLVE, "the name has no address"},
};

static const struct row *row_of(int err)
{
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].err == err)
            return &rows[i];
    return NULL;
}

int gh_errno_status(int err)
{
    const struct row *r = row_of(err);

    return r ? r->status : GOST_EINTERNAL;
}

const char *gh_errno_text(int err)
{
    const struct row *r = row_of(err);

    return r ? r->text : "unexpected error of the system";
}

int gh_status_of(int r)
{
    return r <= GOST_EPROTO ? r : gh_errno_status(-r);
}

void gh_result_text(int r, char *buf, size_t size)
{
    size_t i;

    if (r > GOST_EPROTO) {
        if (row_of(-r))
            snprintf(buf, size, "%s", gh_errno_text(-r));
        else
            snprintf(buf, size, "%s (errno %d)", gh_errno_text(-r), -r);
        return;
    }
    for (i = 0; i < sizeof status_rows / sizeof status_rows[0]; i++)
        if (status_rows[i].status == r)
            break;
    snprintf(buf, size, "%s", i < sizeof status_rows / sizeof status_rows[0] ? status_rows[i].text
                                                                            : "failed");
}

void gh_listen_sentence(char *buf, size_t size, const struct gost_addr *addr, int datagram, int r)
{
    char place[GOST_ADDR_TEXT], why[96], remedy[256] = "";
    struct gost_addr any = *addr;

    gost_addr_format(&any, place, sizeof place);
    gh_result_text(r, why, sizeof why);
    switch (r) {
    case -EADDRINUSE:
    case GOST_EINUSE:
        if (addr->family == GOST_AF_UNIX)
            snprintf(remedy, sizeof remedy,
                     "; choose another path or stop the program that has it (ss -lxp)");
        else
            snprintf(remedy, sizeof remedy,
                     "; choose another port or stop the program that has it "
                     "(ss -l%cnp 'sport = :%u')", datagram ? 'u' : 't', addr->port);
        break;
    case -EACCES:
    case -EPERM:
        snprintf(remedy, sizeof remedy, "%s",
                 addr->family == GOST_AF_UNIX
                     ? "; the folder must be writable for this user"
                     : "; ports below 1024 need root or the capability CAP_NET_BIND_SERVICE "
                       "(AmbientCapabilities= in a systemd unit)");
        break;
    case -EADDRNOTAVAIL:
        snprintf(remedy, sizeof remedy,
                 "; no interface of this machine has that address (ip addr shows them)");
        break;
    case -EMFILE:
        snprintf(remedy, sizeof remedy, "; raise LimitNOFILE= or ulimit -n");
        break;
    default:
        break;
    }
    snprintf(buf, size, "cannot listen on %s: %s%s", place, why, remedy);
}
