/* supervise.c - several processes from one command line: "-L a -- -L b". */
/* SPDX-License-Identifier: MIT */
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* One child and its share of the arguments. */
struct child {
    char **argv; /* the array is owned, the strings are not */
    pid_t pid;   /* 0: not running */
};

static bool is_separator(const char *arg)
{
    return strcmp(arg, "--") == 0;
}

/* Whether a "--" stands between two other arguments. */
static bool applies(int argc, char **argv)
{
    for (int i = 2; i + 1 < argc; i++)
        if (is_separator(argv[i]))
            return true;
    return false;
}

/* Splits the arguments; empty groups count, they make a child without arguments. The number of
 * groups, or -1: no memory. */
static int split(int argc, char **argv, struct child *children)
{
    int count = 0;
    int from = 1;
    for (int i = 1; i <= argc; i++) {
        if (i < argc && !is_separator(argv[i]))
            continue;
        char **args = calloc((size_t)(i - from) + 2, sizeof(*args));
        if (args == NULL)
            return -1;
        args[0] = argv[0];
        memcpy(args + 1, argv + from, (size_t)(i - from) * sizeof(*args));
        children[count++].argv = args;
        from = i + 1;
    }
    return count;
}

/* Runs in the child and does not return. */
static void child_main(struct child *child, int index, const sigset_t *mask)
{
    char id[16];
    snprintf(id, sizeof(id), "%d", index);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* a supervisor that is killed leaves nothing behind */
    int null = open("/dev/null", O_RDONLY);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        if (null != STDIN_FILENO)
            close(null);
    }
    sigprocmask(SIG_SETMASK, mask, NULL);
    if (setenv("_GOST_ID", id, 1) == 0) {
        execv("/proc/self/exe", child->argv);
        execvp(child->argv[0], child->argv);
    }
    fprintf(stderr, "error: worker %d cannot start %s: %s\n", index, child->argv[0],
            strerror(errno));
    _exit(1);
}

static void forward(const struct child *children, int count, int signo)
{
    for (int i = 0; i < count; i++)
        if (children[i].pid > 0)
            kill(children[i].pid, signo);
}

/* Notes that a child ended. Whether it failed. */
static bool child_ended(struct child *children, int count, pid_t pid, int status, bool stopping)
{
    for (int i = 0; i < count; i++) {
        if (children[i].pid != pid)
            continue;
        children[i].pid = 0;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            return false;
        if (stopping && WIFSIGNALED(status))
            return false;
        if (WIFEXITED(status))
            fprintf(stderr, "error: worker %d ended with status %d; ending the others\n", i,
                    WEXITSTATUS(status));
        else
            fprintf(stderr, "error: worker %d was killed by signal %d; ending the others\n", i,
                    WTERMSIG(status));
        return true;
    }
    return false;
}

/* Reaps what has ended. Whether any of it failed. */
static bool reap(struct child *children, int count, int *running, bool stopping)
{
    bool failed = false;
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        failed |= child_ended(children, count, pid, status, stopping);
        --*running;
    }
    return failed;
}

/* Waits until all children ended, passing signals on. The exit status. */
static int watch(struct child *children, int count, const sigset_t *signals)
{
    int running = 0;
    bool stopping = false;
    int result = 0;
    for (int i = 0; i < count; i++)
        running += children[i].pid > 0;
    while (running > 0) {
        siginfo_t info;
        int signo = sigwaitinfo(signals, &info);
        if (signo < 0)
            continue;
        if (signo != SIGCHLD) {
            /* A key press at the terminal reached the children already. */
            if (info.si_code != SI_KERNEL)
                forward(children, count, signo);
            stopping |= signo != SIGHUP;
            continue;
        }
        if (reap(children, count, &running, stopping)) {
            result = 1;
            stopping = true;
            forward(children, count, SIGTERM);
        }
    }
    return result;
}

static int start(struct child *children, int count)
{
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGCHLD);
    /* Blocked before the first fork, so that no signal is lost in between. */
    sigprocmask(SIG_BLOCK, &signals, &before);
    int failed = 0;
    for (int i = 0; i < count && !failed; i++) {
        pid_t pid = fork();
        if (pid == 0)
            child_main(&children[i], i, &before);
        if (pid < 0) {
            fprintf(stderr, "error: cannot start worker %d: %s\n", i, strerror(errno));
            forward(children, count, SIGTERM);
            failed = 1;
        }
        children[i].pid = pid;
    }
    int result = watch(children, count, &signals);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return failed != 0 ? 1 : result;
}

int gh_supervise(int argc, char **argv)
{
    if (!applies(argc, argv))
        return -1;
    struct child *children = calloc((size_t)argc + 1, sizeof(*children));
    int count = children != NULL ? split(argc, argv, children) : -1;
    int result = 1;
    if (count < 0)
        fprintf(stderr, "error: out of memory\n");
    else
        result = start(children, count);
    for (int i = 0; children != NULL && children[i].argv != NULL; i++)
        free(children[i].argv);
    free(children);
    return result;
}
