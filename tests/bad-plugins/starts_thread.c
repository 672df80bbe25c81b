/* starts_thread.c - starts a thread when it is loaded. */
/* SPDX-License-Identifier: MIT */
#define PROBE_INIT probe_init
#include <pthread.h>
#include <unistd.h>

static int probe_init(void);
#include "common.h"

static void *sleeper(void *arg)
{
    for (;;)
        pause();
    return arg;
}

static int probe_init(void)
{
    pthread_t thread;

    return pthread_create(&thread, NULL, sleeper, NULL) == 0 ? 0 : -1; /* the defect */
}
