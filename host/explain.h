/* explain.h - --explain: which way a connection would take. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_EXPLAIN_H
#define GH_EXPLAIN_H

#include <stdio.h>

#include "confbuild.h"

/* Prints for each service what becomes of a connection to `text` ("host:port", "udp://host:port"),
 * made by the client `from` ("192.0.2.1", "user@192.0.2.1"; NULL: 127.0.0.1). A service with
 * targets of its own is explained for the one it would choose. Opens nothing. NULL, or why it
 * cannot. [main] */
const char *gh_explain(FILE *to, const struct gh_services *services, const char *text,
                       const char *from, bool json);

#endif
