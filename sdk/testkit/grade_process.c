/* grade_process.c - what a plugin must not leave: threads, descriptors, signal handlers. */
/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>

#include "kit_internal.h"

static unsigned count_entries(const char *path)
{
    DIR *d = opendir(path);
    unsigned n = 0;

    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

void kit_process_look(struct kit_process *p)
{
    struct sigaction action;
    int i;

    memset(p, 0, sizeof *p);
    p->threads = count_entries("/proc/self/task");
    p->descriptors = count_entries("/proc/self/fd");
    for (i = 1; i < 64; i++) {
        if (sigaction(i, NULL, &action) == 0)
            p->handlers[i] = (void *)action.sa_sigaction;
    }
}

size_t kit_memory_in_use(void)
{
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    return mallinfo2().uordblks;
#else
    return 0;
#endif
}

void kit_grade_process(struct kit_grade *g, const struct kit_process *before,
                       unsigned more_descriptors, const char *when)
{
    struct kit_process now;
    char name[200], why[200] = "";
    int i;

    snprintf(name, sizeof name, "%s: no thread, descriptor or signal handler is left", when);
    g->begin(g, name);
    kit_process_look(&now);
    if (now.threads > before->threads)
        snprintf(why, sizeof why,
                 "it started %u threads: use the host's actions and deadlines instead",
                 now.threads - before->threads);
    else if (now.descriptors > before->descriptors + more_descriptors)
        snprintf(why, sizeof why, "it left %u descriptors open",
                 now.descriptors - before->descriptors - more_descriptors);
    for (i = 1; i < 64 && !*why; i++) {
        if (now.handlers[i] != before->handlers[i])
            snprintf(why, sizeof why, "it installed a handler for signal %d", i);
    }
    g->result(g, name, *why ? why : NULL, 0);
}
