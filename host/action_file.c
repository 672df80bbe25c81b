/* action_file.c - FILE: the main thread reads and appends, so that no worker waits for a disk. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "action.h"

enum { FILE_MAX = 64 * 1024 * 1024 }; /* also for components that name no limit */

/* The worker owns `act`, the main thread everything else until it posts the job back. */
struct gh_file_job {
    struct gh_worker *worker;
    struct gh_act *act; /* NULL: nobody wants the result any more */
    uint32_t op;
    uint64_t max;
    char *path;
    uint8_t *data;
    size_t n;
    int status;
    char text[300];
};

void gh_file_forget(struct gh_file_job *job)
{
    job->act = NULL;
}

static void job_free(struct gh_file_job *job)
{
    free(job->path);
    free(job->data);
    free(job);
}

static void job_fail(struct gh_file_job *job, int status, const char *why)
{
    job->status = status;
    snprintf(job->text, sizeof job->text, "the file \"%.200s\": %s", job->path, why);
}

static void read_all(struct gh_file_job *job, int fd, size_t size)
{
    job->data = malloc(size + 1);
    if (job->data == NULL) {
        job_fail(job, GOST_ENOMEM, "out of memory");
        return;
    }
    while (job->n < size) {
        ssize_t n = read(fd, job->data + job->n, size - job->n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            job_fail(job, GOST_EUNREACHABLE, strerror(errno));
        if (n <= 0)
            return;
        job->n += (size_t)n;
    }
}

static void job_read(struct gh_file_job *job)
{
    int fd = open(job->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        job_fail(job, GOST_EUNREACHABLE, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        job_fail(job, GOST_EUNSUPPORTED, "it is no regular file");
    else if ((uint64_t)st.st_size > job->max)
        job_fail(job, GOST_ETOOBIG, "it is larger than allowed");
    else
        read_all(job, fd, (size_t)st.st_size);
    if (fd >= 0)
        close(fd);
}

static void job_append(struct gh_file_job *job)
{
    int fd = open(job->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);

    if (fd < 0 || write(fd, job->data, job->n) != (ssize_t)job->n)
        job_fail(job, GOST_EUNREACHABLE, strerror(errno));
    if (fd >= 0)
        close(fd);
}

static void job_done(struct gh_worker *w, void *arg)
{
    struct gh_file_job *job = arg;
    struct gh_act *act = job->act;
    struct gost_result_file result = {.size = sizeof result};
    uint8_t *copy;

    if (act != NULL && job->status != 0) {
        act->file = NULL;
        gh_act_result(act, job->status, job->text, NULL, 0);
    } else if (act != NULL) {
        act->file = NULL;
        copy = job->op == GOST_FILE_READ ? gh_agent_blob(act->agent, job->n + 1) : NULL;
        if (copy != NULL) {
            memcpy(copy, job->data, job->n);
            result.data = gost_bytes(copy, job->n);
        }
        gh_act_result(act, copy == NULL && job->op == GOST_FILE_READ ? GOST_ENOMEM : 0, NULL,
                      &result, sizeof result);
    }
    job_free(job);
}

static void job_run(void *arg)
{
    struct gh_file_job *job = arg;

    if (job->op == GOST_FILE_READ)
        job_read(job);
    else
        job_append(job);
    gh_worker_post(job->worker, job_done, job);
}

void gh_act_file(struct gh_agent *agent, const struct gost_act_file *a)
{
    struct gh_file_job *job;
    struct gh_act *act;

    if (a->op != GOST_FILE_READ && a->op != GOST_FILE_APPEND) {
        gh_act_refuse(agent, &a->head, GOST_EUNSUPPORTED, "this file operation does not exist");
        return;
    }
    job = calloc(1, sizeof *job);
    if (job != NULL) {
        job->path = strndup((const char *)a->path.p, a->path.n);
        job->data = a->op == GOST_FILE_APPEND ? malloc(a->data.n + 1) : NULL;
    }
    if (job == NULL || job->path == NULL || (a->op == GOST_FILE_APPEND && job->data == NULL)) {
        if (job != NULL)
            job_free(job);
        gh_act_refuse(agent, &a->head, GOST_ENOMEM, "out of memory");
        return;
    }
    if (job->data != NULL) {
        memcpy(job->data, a->data.p, a->data.n);
        job->n = a->data.n;
    }
    job->worker = agent->flow->worker;
    job->op = a->op;
    job->max = a->max != 0 && a->max < FILE_MAX ? a->max : FILE_MAX;
    act = gh_act_begin(agent, &a->head);
    job->act = act;
    if (act == NULL) {
        job_free(job);
        return;
    }
    act->file = job;
    gh_main_post(job_run, job);
}
