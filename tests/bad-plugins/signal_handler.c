/* signal_handler.c - installs a signal handler. */
/* SPDX-License-Identifier: MIT */
#define PROBE_INIT probe_init
#include <signal.h>

static int probe_init(void);
#include "common.h"

static void ignore(int number)
{
}

static int probe_init(void)
{
    return signal(SIGUSR1, ignore) == SIG_ERR ? -1 : 0; /* the defect */
}
