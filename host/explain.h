/* explain.h - --explain: which way a connection would take. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_EXPLAIN_H
#define GH_EXPLAIN_H

#include <stdio.h>

#include "confbuild.h"

/* Prints for each service what becomes of a connection to `text` ("host:port", "udp://host:port").
 * Opens nothing. 0, or -1 when the text is no address. [main] */
int gh_explain(FILE *to, const struct gh_services *services, const char *text, bool json);

#endif
