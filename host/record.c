/* record.c - recorders: what a service hands to them, and who carries it there. */
/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "errand.h"
#include "log.h"
#include "policy_private.h"

enum { WAITING_MAX = 1024, RECORD_S = 30 };

/* One record on its way. */
struct parcel {
    struct gh_policy *policy; /* counted */
    unsigned worker;
    struct gost_q_record q;
    char data[];
};

/* Parcels under way, and losses that the log was not told of; each worker has its own. */
static struct {
    unsigned waiting, unsaid;
    uint64_t said_at;
} counts[256];

/* One line a second and worker: a full disk fails each record. */
static void lost(unsigned worker, const struct gh_policy *policy, const char *why)
{
    uint64_t now = uv_hrtime();

    if (counts[worker].said_at != 0 && now - counts[worker].said_at < GOST_S) {
        counts[worker].unsaid++;
        return;
    }
    if (counts[worker].unsaid != 0)
        gh_log(GOST_LOG_ERROR, "%s: a record is lost: %s; %u more were, of all recorders, before",
               gh_confset_object(policy->set), why, counts[worker].unsaid);
    else
        gh_log(GOST_LOG_ERROR, "%s: a record is lost: %s", gh_confset_object(policy->set), why);
    counts[worker].unsaid = 0;
    counts[worker].said_at = now;
}

bool gh_recordings_read(struct gh_recordings *ret, const struct gh_value *service,
                        struct gh_conf_errors *errs)
{
    const struct gh_value *list = gh_get(service, "recorders"), *entry;
    size_t pos = 0;

    ret->v = calloc(gh_count(list) + 1, sizeof *ret->v);
    ret->n = 0;
    if (ret->v == NULL) {
        errs->no_memory = true;
        return false;
    }
    while ((entry = gh_next(list, &pos)) != NULL) {
        struct gh_recording *r = &ret->v[ret->n];

        r->name = gh_str(entry, "name", NULL);
        r->what = gh_str(entry, "record", NULL);
        if (r->name != NULL && r->what != NULL)
            ret->n++;
    }
    return true;
}

static const char *recorder_of(const struct gh_flow *f, const char *what)
{
    const struct gh_recordings *r = &f->service->recordings;

    for (unsigned i = 0; i < r->n; i++)
        if (strcmp(r->v[i].what, what) == 0)
            return r->v[i].name;
    return NULL;
}

bool gh_records(const struct gh_flow *f, const char *what)
{
    return recorder_of(f, what) != NULL;
}

static void delivered(void *arg, int status, const char *text)
{
    struct parcel *p = arg;

    counts[p->worker].waiting--;
    if (status != GOST_OK && status != GOST_ECANCELLED)
        lost(p->worker, p->policy, text);
    gh_policy_unref(p->policy);
    free(p);
}

static struct parcel *pack(struct gh_policy *policy, struct gost_bytes data)
{
    struct parcel *p = malloc(sizeof *p + data.n);

    if (p == NULL)
        return NULL;
    memset(p, 0, sizeof *p);
    if (data.n != 0)
        memcpy(p->data, data.p, data.n);
    p->policy = gh_policy_ref(policy);
    p->q.size = sizeof p->q;
    p->q.data = gost_bytes(p->data, data.n);
    return p;
}

void gh_record(struct gh_flow *f, const char *what, struct gost_bytes data)
{
    const char *name = recorder_of(f, what);
    struct gh_policy *policy =
        name != NULL ? gh_policy_find(gh_policies_now(), GOST_POLICY_RECORDER, name) : NULL;
    struct gh_errand_spec spec = {.done = delivered};
    unsigned worker = gh_worker_index(f->worker);
    struct parcel *p;

    if (policy == NULL || policy->service == NULL)
        return;
    if (counts[worker].waiting >= WAITING_MAX) {
        lost(worker, policy, "too many others wait");
        return;
    }
    p = pack(policy, data);
    if (p == NULL)
        return;
    p->worker = worker;
    gh_policy_errand(policy, RECORD_S * GOST_S, &spec);
    spec.question = &p->q;
    spec.arg = p;
    counts[worker].waiting++;
    if (gh_errand_start(f->worker, &spec) == NULL)
        delivered(p, GOST_ENOMEM, "out of memory");
}

void gh_record_host(struct gh_flow *f, const char *what, const struct gost_addr *addr)
{
    char host[GOST_ADDR_TEXT];

    if (gh_records(f, what))
        gh_record(f, what, gost_bytes(host, gost_addr_host(addr, host, sizeof host)));
}
