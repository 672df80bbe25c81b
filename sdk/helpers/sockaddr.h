/* sockaddr.h - between struct gost_addr and struct sockaddr; options every inet socket shares. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_SOCKADDR_H
#define GOST_SOCKADDR_H

#include <sys/socket.h>

#include <gost/addr.h>
#include <gost/transport.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fill ss from an IP address or a path. Returns its length; 0: a name, NONE, or a path that is too
 * long for the kernel. A path that begins with '@' is an abstract one. [any], pure */
socklen_t gost_sockaddr_put(struct sockaddr_storage *ss, const struct gost_addr *addr);

/* The other way; an unknown family gives GOST_AF_NONE. IPv4-mapped addresses become IPv4. */
void gost_sockaddr_get(struct gost_addr *ret_addr, const struct sockaddr_storage *ss, socklen_t n);

/*
 * Inet sockets. All are [any] and return 0 or a negative errno value.
 *
 * gost_inet_socket   a non-blocking, close-on-exec socket. To listen at NONE it is IPv6 for both
 *                    families, or IPv4 where the kernel has no IPv6; *ret_addr is the address to
 * use
 * gost_inet_bind     bind to *addr as gost_inet_socket left it and fill s->local
 * gost_inet_outgoing SO_MARK, then the interface: an IP address is only bound to; a name is bound
 * to
 *                    its device and to its address of the right family. A mark or device that the
 *                    kernel refuses for lack of privilege is left out, as it is without them
 * gost_inet_names    fill s->local and s->remote where they are asked for and not known yet
 */
int gost_inet_socket(int type, int protocol, const struct gost_socket *s, int *ret_fd,
                     struct gost_addr *ret_addr);
int gost_inet_bind(int fd, const struct gost_addr *addr, const struct gost_socket *s);
int gost_inet_outgoing(int fd, const struct gost_socket *s);
void gost_inet_names(const struct gost_socket *s);

#ifdef __cplusplus
}
#endif
#endif
