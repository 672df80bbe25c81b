/* sdnotify.h - systemd: readiness, watchdog and sockets that it opened. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_SDNOTIFY_H
#define GH_SDNOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include <gost/addr.h>

/* Tells the manager a state such as "READY=1"; nothing happens without NOTIFY_SOCKET. */
void gh_sd_notify(const char *state);

/* "RELOADING=1" with the time it wants to know. */
void gh_sd_reloading(void);

/* How often "WATCHDOG=1" is due; 0: never. */
uint64_t gh_sd_watchdog_ns(void);

/* Takes the passed socket that is bound to this address: its descriptor, or -1. `stream` says which
 * kind. Each socket is given once. */
int gh_sd_take(const struct gost_addr *addr, bool stream);

/* How many passed sockets nobody took. */
unsigned gh_sd_left(void);

#endif
