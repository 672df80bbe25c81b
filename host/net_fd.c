/* net_fd.c - the budget of descriptors: how many are used, who waits for some. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "net_private.h"

static atomic_size_t used, budget;
static atomic_uint waiting;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards waiters */
static struct gh_fd_waiter *waiters;

void gh_fd_budget(size_t max_fds)
{
    struct rlimit lim;

    if (max_fds == 0) {
        max_fds = 1024;
        if (getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur != RLIM_INFINITY)
            max_fds = lim.rlim_cur;
    }
    atomic_store(&budget, max_fds);
}

size_t gh_fd_max(void)
{
    return atomic_load_explicit(&budget, memory_order_relaxed);
}

/* What is kept for dialing out, files and loops: a twelfth, 16 at least. */
static size_t ceiling(void)
{
    size_t max = gh_fd_max(), keep = max / 12 < 16 ? 16 : max / 12;

    return max > 2 * keep ? max - keep : max / 2;
}

int gh_fd_short(void)
{
    return atomic_load_explicit(&used, memory_order_relaxed) >= ceiling();
}

void gh_fd_opened(unsigned n)
{
    atomic_fetch_add_explicit(&used, n, memory_order_relaxed);
}

static void tell_waiters(void)
{
    struct gh_fd_waiter *list, *next;

    pthread_mutex_lock(&lock);
    list = waiters;
    waiters = NULL;
    atomic_store(&waiting, 0);
    for (; list; list = next) { /* under the lock: gh_fd_unwait() then means "not called any more" */
        next = list->next;
        list->queued = 0;
        list->fn(list);
    }
    pthread_mutex_unlock(&lock);
}

void gh_fd_closed(unsigned n)
{
    size_t left = atomic_fetch_sub(&used, n) - n;
    size_t low = ceiling();

    /* A little slack, so that accepting does not stop and go with each connection. */
    low -= low / 16;
    if (atomic_load(&waiting) && left <= low)
        tell_waiters();
}

void gh_fd_close(int fd)
{
    int saved = errno;

    close(fd);
    gh_fd_closed(1);
    errno = saved;
}

void gh_fd_wait(struct gh_fd_waiter *waiter)
{
    pthread_mutex_lock(&lock);
    if (!waiter->queued) {
        waiter->queued = 1;
        waiter->next = waiters;
        waiters = waiter;
        atomic_fetch_add(&waiting, 1);
    }
    pthread_mutex_unlock(&lock);
}

void gh_fd_unwait(struct gh_fd_waiter *waiter)
{
    struct gh_fd_waiter **at;

    pthread_mutex_lock(&lock);
    for (at = &waiters; *at; at = &(*at)->next) {
        if (*at == waiter) {
            *at = waiter->next;
            waiter->queued = 0;
            atomic_fetch_sub(&waiting, 1);
            break;
        }
    }
    pthread_mutex_unlock(&lock);
}
