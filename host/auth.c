/* auth.c - AUTH: who asks the authers of a service, one after the other. */
/* SPDX-License-Identifier: MIT */
#include "auth.h"

#include <stdlib.h>
#include <string.h>

#include "errand.h"
#include "log.h"
#include "policy_private.h"

enum { ANSWER_S = 10 };

/* Waits for an auther that is elsewhere. */
struct gh_auth {
    struct gh_act *act;
    struct gh_errand *errand;
    struct gh_policy *policy; /* counted: the one that is asked */
    struct gost_q_auth q;     /* its texts are the action's */
    struct gost_a_auth answer;
    unsigned at; /* of the service's authers */
};

static void accept_user(struct gh_flow *f, const char *id)
{
    char *user = id[0] != '\0' ? strdup(id) : NULL;

    if (user == NULL)
        return;
    free((char *)f->ge->user);
    f->ge->user = user;
}

static struct gh_policy *auther_at(const struct gh_flow *f, unsigned at)
{
    return gh_policy_find(gh_policies_now(), GOST_POLICY_AUTHER, f->service->authers.v[at]);
}

/* ---- an auther that is elsewhere ---- */

static void ask_next(struct gh_auth *auth);

static void drop(struct gh_auth *auth)
{
    gh_errand_cancel(auth->errand);
    gh_policy_unref(auth->policy);
    free(auth);
}

void gh_auth_cancel(struct gh_auth *auth)
{
    if (auth != NULL)
        drop(auth);
}

static void finish(struct gh_auth *auth, int status, const char *id)
{
    struct gh_act *act = auth->act;

    if (status == 0)
        accept_user(act->agent->flow, id);
    act->auth = NULL;
    gh_act_result(act, status, status != 0 ? "the credentials are wrong" : NULL, NULL, 0);
    drop(auth);
}

static void answered(void *arg, const void *answer)
{
    const struct gost_a_auth *a = answer;
    struct gh_auth *auth = arg;

    memcpy(&auth->answer, a, a->size < sizeof auth->answer ? a->size : sizeof auth->answer);
    auth->answer.id[sizeof auth->answer.id - 1] = '\0';
}

/* An auther that gives no answer accepts nobody. */
static void done(void *arg, int status, const char *text)
{
    struct gh_auth *auth = arg;

    auth->errand = NULL;
    if (status != 0)
        gh_log(GOST_LOG_ERROR, "%s: it gave no answer: %s", gh_confset_object(auth->policy->set),
               text);
    if (status == 0 && auth->answer.ok) {
        finish(auth, 0, auth->answer.id);
        return;
    }
    gh_policy_unref(auth->policy);
    auth->policy = NULL;
    auth->at++;
    ask_next(auth);
}

/* 0: it is asked; else why not. */
static int ask(struct gh_auth *auth, struct gh_policy *p)
{
    struct gh_errand_spec spec = {
        .question = &auth->q, .answer = answered, .done = done, .arg = auth};

    if (p == NULL || p->service == NULL)
        return GOST_EAUTH;
    memset(&auth->answer, 0, sizeof auth->answer);
    auth->policy = gh_policy_ref(p);
    gh_policy_errand(p, ANSWER_S * GOST_S, &spec);
    auth->errand = gh_errand_start(auth->act->agent->flow->worker, &spec);
    return auth->errand != NULL ? 0 : GOST_ENOMEM;
}

static void ask_next(struct gh_auth *auth)
{
    struct gh_flow *f = auth->act->agent->flow;
    char id[256];
    int status;

    if (gh_policy_auth(&f->service->authers, NULL, &auth->q, id, &auth->at)) {
        finish(auth, 0, id);
        return;
    }
    status = auth->at < f->service->authers.n ? ask(auth, auther_at(f, auth->at)) : GOST_EAUTH;
    if (status != 0)
        finish(auth, status, NULL);
}

/* ---- the action ---- */

static void wait_for(struct gh_agent *agent, const struct gost_act_auth *a,
                     const struct gost_q_auth *q, unsigned at)
{
    struct gh_act *act = gh_act_begin(agent, &a->head);
    struct gh_auth *auth = act != NULL ? calloc(1, sizeof *auth) : NULL;
    int status;

    if (act == NULL)
        return;
    if (auth == NULL) {
        gh_act_result(act, GOST_ENOMEM, "out of memory", NULL, 0);
        return;
    }
    auth->act = act;
    auth->q = *q; /* what it points to lives until the action is answered */
    auth->at = at;
    act->auth = auth;
    status = ask(auth, auther_at(agent->flow, at));
    if (status != 0)
        finish(auth, status, NULL);
}

/* Who says nothing is known to no list; handlers ask so to learn whether credentials are needed. No
 * web service is asked about that. */
void gh_auth_start(struct gh_agent *agent, const struct gost_act_auth *a)
{
    struct gh_flow *f = agent->flow;
    struct gost_q_auth q = {.size = sizeof q,
                            .user = a->user,
                            .secret = a->secret,
                            .client = &f->ge->source,
                            .service = gost_bytes_str(f->service->name)};
    unsigned stopped = 0;
    char id[256];

    if (gh_policy_auth(&f->service->authers, f->service->own_auther, &q, id, &stopped)) {
        accept_user(f, id);
        gh_act_refuse(agent, &a->head, 0, NULL);
    } else if (stopped < f->service->authers.n && a->user.n + a->secret.n > 0) {
        wait_for(agent, a, &q, stopped);
    } else {
        gh_act_refuse(agent, &a->head, GOST_EAUTH, "the credentials are wrong");
    }
}
