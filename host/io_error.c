/* io_error.c - errno as the closed list of errors and as a few words. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "io_internal.h"

int gh_errno_code(int err)
{
    switch (err) {
    case 0:
        return GOST_OK;
    case ECONNREFUSED:
    case ENOENT:
        return GOST_EREFUSED;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case EADDRNOTAVAIL:
        return GOST_EUNREACHABLE;
    case ETIMEDOUT:
        return GOST_ETIMEDOUT;
    case ENOMEM:
    case ENOBUFS:
    case EMFILE:
    case ENFILE:
        return GOST_ENOMEM;
    case EADDRINUSE:
        return GOST_EINUSE;
    case EACCES:
    case EPERM:
        return GOST_EDENIED;
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
        return GOST_EUNSUPPORTED;
    case EMSGSIZE:
        return GOST_ETOOBIG;
    default:
        return GOST_ECLOSED;
    }
}

const char *gh_errno_text(int err)
{
    switch (err) {
    case ECONNREFUSED:
        return "connection refused";
    case ECONNRESET:
        return "connection reset by the peer";
    case EPIPE:
        return "the peer has closed the connection";
    case EMFILE:
        return "no descriptor left in this process; raise ulimit -n";
    case ENFILE:
        return "no descriptor left in the system";
    case EADDRINUSE:
        return "address already in use";
    case EADDRNOTAVAIL:
        return "the address is not one of this machine";
    case EACCES:
        return "permission denied";
    default:
        return strerrordesc_np(err) ? strerrordesc_np(err) : "unknown error";
    }
}
