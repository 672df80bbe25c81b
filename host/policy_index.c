/* policy_index.c - building an index off the loop and putting it in the place of the old one. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "net.h"
#include "policy_private.h"

/* ---- lines ---- */

struct gh_lines *gh_lines_new(struct gost_bytes text)
{
    struct gh_lines *lines = malloc(sizeof *lines + text.n);

    if (lines == NULL)
        return NULL;
    atomic_init(&lines->refs, 1);
    lines->n = text.n;
    if (text.n != 0)
        memcpy(lines->text, text.p, text.n);
    return lines;
}

void gh_lines_unref(struct gh_lines *lines)
{
    if (lines == NULL || atomic_fetch_sub(&lines->refs, 1) != 1)
        return;
    explicit_bzero(lines->text, lines->n); /* they may be passwords */
    free(lines);
}

static size_t count_lines(const struct gh_lines *lines)
{
    const char *p, *end;
    size_t n = 1;

    if (lines == NULL)
        return 0;
    p = lines->text;
    end = p + lines->n;
    while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        p++;
        n++;
    }
    return n;
}

static struct gost_line *split(struct gost_line *to, const struct gh_lines *lines,
                               const char *place)
{
    const char *p, *end, *nl;
    uint32_t number = 0;

    if (lines == NULL)
        return to;
    p = lines->text;
    end = p + lines->n;
    for (; p < end; p = nl + 1) {
        size_t n;

        nl = memchr(p, '\n', (size_t)(end - p));
        if (nl == NULL)
            nl = end;
        n = (size_t)(nl - p);
        if (n != 0 && p[n - 1] == '\r')
            n--;
        *to++ = (struct gost_line){.text = gost_bytes(p, n), .file = place, .line = ++number};
    }
    return to;
}

/* ---- what nobody reads any more ---- */

/* An index that was replaced. It is freed when every worker has come by: a query never lasts longer
 * than one turn of a worker's loop. */
struct retired {
    struct retired *next, **prev;
    const struct gost_index_ops *ops;
    void *index;
    unsigned worker; /* whose turn is waited for */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct retired *all_retired;

static void retired_free(struct retired *r)
{
    pthread_mutex_lock(&lock);
    *r->prev = r->next;
    if (r->next != NULL)
        r->next->prev = r->prev;
    pthread_mutex_unlock(&lock);
    if (r->ops->destroy != NULL)
        r->ops->destroy(r->index);
    free(r);
}

static void destroy_work(void *arg)
{
    retired_free(arg);
}

static void destroyed(void *arg)
{
}

/* A large index takes long to free: not on a loop. */
static void destroy_retired(void *arg)
{
    if (!gh_main_work(destroy_work, destroyed, arg))
        retired_free(arg);
}

static void came_by(struct gh_worker *w, void *arg)
{
    struct retired *r = arg;
    struct gh_worker *next = gh_worker_get(++r->worker);

    if (next != NULL)
        gh_worker_post(next, came_by, r);
    else
        gh_main_post(destroy_retired, r);
}

static void retire(const struct gost_index_ops *ops, void *index)
{
    struct retired *r;

    if (index == NULL)
        return;
    r = calloc(1, sizeof *r);
    if (r == NULL)
        return; /* rather lost than freed too early */
    r->ops = ops;
    r->index = index;
    pthread_mutex_lock(&lock);
    r->next = all_retired;
    r->prev = &all_retired;
    if (r->next != NULL)
        r->next->prev = &r->next;
    all_retired = r;
    pthread_mutex_unlock(&lock);
    gh_worker_post(gh_worker_get(0), came_by, r);
}

void gh_index_retired_free(void)
{
    while (all_retired != NULL)
        retired_free(all_retired);
}

/* ---- building ---- */

bool gh_policy_build_inline(struct gh_policy *p, struct gh_conf_errors *errs)
{
    const struct gost_index_ops *ops = p->component->ops;
    char why[512] = "";
    void *index = NULL;

    if (ops->build(&index, p->options, NULL, 0, why, sizeof why) != GOST_OK) {
        gh_errors_at(errs, GH_ERROR, p->object, "%s: %s", gh_confset_object(p->set), why);
        return false;
    }
    if (*why != '\0')
        gh_errors_at(errs, GH_WARNING, p->object, "%s: %s", gh_confset_object(p->set), why);
    atomic_store(&p->index, index);
    return true;
}

static void build(void *arg)
{
    struct gh_index_job *job = arg;
    const struct gost_index_ops *ops = job->policy->component->ops;
    struct gost_line *lines, *end;
    size_t n = 1;

    for (int i = 0; i < GH_FEEDS; i++)
        n += count_lines(job->lines[i]);
    lines = n < UINT32_MAX ? calloc(n, sizeof *lines) : NULL;
    if (lines == NULL) {
        job->status = GOST_ENOMEM;
        snprintf(job->text, sizeof job->text, "out of memory for %zu lines", n);
        return;
    }
    end = lines;
    for (int i = 0; i < GH_FEEDS; i++)
        end = split(end, job->lines[i], job->place[i]);
    job->status = ops->build(&job->index, job->policy->options, lines, (uint32_t)(end - lines),
                             job->text, sizeof job->text);
    free(lines);
}

static void job_free(struct gh_index_job *job)
{
    for (int i = 0; i < GH_FEEDS; i++)
        gh_lines_unref(job->lines[i]);
    gh_policy_unref(job->policy);
    free(job);
}

struct answer {
    struct gh_policy *policy; /* counted */
    int status;
};

static void tell(struct gh_worker *w, void *arg)
{
    struct answer *a = arg;

    gh_refresh_built(a->policy, a->status);
    gh_policy_unref(a->policy);
    free(a);
}

static void publish(void *arg)
{
    struct gh_index_job *job = arg;
    struct gh_policy *p = job->policy;
    struct answer *a = gh_worker_count() != 0 ? calloc(1, sizeof *a) : NULL;

    if (job->status != GOST_OK) {
        gh_log(GOST_LOG_ERROR, "%s: the data is not used: %s%s", gh_confset_object(p->set),
               job->text, atomic_load(&p->complete) ? "; the last good data stay" : "");
    } else {
        if (*job->text != '\0')
            gh_log(GOST_LOG_WARN, "%s: %s", gh_confset_object(p->set), job->text);
        if (gh_worker_count() != 0)
            retire(p->component->ops, atomic_exchange(&p->index, job->index));
        else
            ((const struct gost_index_ops *)p->component->ops)->destroy(job->index);
        /* its heir in a newer configuration has the same balances, and the rules for them */
        if (p->limits != NULL && gh_policy_find(gh_policies_now(), p->kind, p->name) == p)
            gh_limits_update(p, atomic_load(&p->index), p->limits);
        if (job->complete)
            atomic_store(&p->complete, true);
        gh_log(GOST_LOG_DEBUG, "%s: data loaded", gh_confset_object(p->set));
    }
    if (a != NULL) {
        a->policy = gh_policy_ref(p);
        a->status = job->status;
        gh_worker_post(job->worker, tell, a);
    }
    job_free(job);
}

static void begin(void *arg)
{
    struct gh_index_job *job = arg;

    if (gh_main_work(build, publish, job))
        return;
    job->status = GOST_ENOMEM;
    snprintf(job->text, sizeof job->text, "no thread can be had for it");
    publish(job);
}

void gh_index_build(struct gh_index_job *job)
{
    gh_main_post(begin, job);
}
