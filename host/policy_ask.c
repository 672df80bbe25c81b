/* policy_ask.c - what the host asks its policies. */
/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "policy_private.h"

/* The index of this moment. It stays until this worker's loop has turned. */
static const void *index_of(const struct gh_policy *p)
{
    return atomic_load_explicit(&p->index, memory_order_acquire);
}

static bool is_complete(const struct gh_policy *p)
{
    return atomic_load_explicit(&p->complete, memory_order_acquire);
}

/* ---- authers ---- */

static bool ask_auther(const struct gh_policy *p, const struct gost_q_auth *q, char id[256])
{
    const struct gost_index_ops *ops = p->component->ops;
    struct gost_a_auth a = {.size = sizeof a};

    if (gh_policy_is_remote(p)) /* gh_auth_start() asks it */
        return false;
    if (ops->query(index_of(p), q, &a) != GOST_OK || !a.ok)
        return false;
    memcpy(id, a.id, sizeof a.id);
    id[sizeof a.id - 1] = '\0';
    return true;
}

bool gh_policy_auth(const struct gh_names *names, const struct gh_policy *own,
                    const struct gost_q_auth *q, char id[256], unsigned *ret_stopped)
{
    const struct gh_policies *all = gh_policies_now();

    id[0] = '\0';
    if (names->n == 0) {
        *ret_stopped = 0;
        return own == NULL || ask_auther(own, q, id);
    }
    for (; *ret_stopped < names->n; ++*ret_stopped) {
        const struct gh_policy *p =
            gh_policy_find(all, GOST_POLICY_AUTHER, names->v[*ret_stopped]);

        if (p != NULL && gh_policy_is_remote(p))
            return false;
        if (p == NULL ? all != NULL && all->compat_gost : ask_auther(p, q, id))
            return true;
    }
    return false;
}

/* ---- admissions and bypasses ---- */

static struct gost_a_verdict ask_target(const struct gh_policy *p, const struct gost_q_target *q,
                                        bool *ret_ok)
{
    const struct gost_index_ops *ops = p->component->ops;
    struct gost_a_verdict a = {.size = sizeof a};

    *ret_ok = ops->query(index_of(p), q, &a) == GOST_OK;
    return a;
}

/* A black list whose data never came admits nobody: it would let in whom it is to keep out. */
bool gh_policy_admit(const struct gh_names *names, const struct gost_q_target *q)
{
    const struct gh_policies *all = gh_policies_now();

    for (unsigned i = 0; i < names->n; i++) {
        const struct gh_policy *p = gh_policy_find(all, GOST_POLICY_ADMISSION, names->v[i]);
        struct gost_a_verdict a;
        bool ok;

        if (p == NULL)
            return false;
        a = ask_target(p, q, &ok);
        if (!ok || !a.match || (!(a.flags & GOST_VERDICT_WHITELIST) && !is_complete(p)))
            return false;
    }
    return true;
}

bool gh_policy_ingress(const char *name, const struct gost_addr *host, struct gost_a_value *ret)
{
    const struct gh_policy *p = gh_policy_find(gh_policies_now(), GOST_POLICY_INGRESS, name);
    char text[GOST_ADDR_TEXT];
    struct gost_q_name q = {.size = sizeof q};

    if (p == NULL)
        return false;
    ret->size = sizeof *ret;
    ret->n = 0;
    q.name = gost_bytes(text, gost_addr_host(host, text, sizeof text));
    return ((const struct gost_index_ops *)p->component->ops)->query(index_of(p), &q, ret) ==
               GOST_OK &&
           ret->n != 0;
}

/* White lists bypass only together; one black list is enough. A white list whose data never came
 * bypasses all that it is asked about. So does one that is not there: the configuration names none
 * such, but a service may accept before the policies of its configuration are published. */
bool gh_policy_bypass(const struct gh_names *names, const struct gost_q_target *q)
{
    const struct gh_policies *all = gh_policies_now();
    unsigned white = 0, white_matches = 0;

    for (unsigned i = 0; i < names->n; i++) {
        const struct gh_policy *p = gh_policy_find(all, GOST_POLICY_BYPASS, names->v[i]);
        struct gost_a_verdict a;
        bool ok;

        if (p == NULL && all != NULL && all->compat_gost)
            continue;
        if (p == NULL)
            return true;
        a = ask_target(p, q, &ok);
        if (!ok || (a.match && !(a.flags & GOST_VERDICT_WHITELIST)))
            return true;
        if (a.flags & GOST_VERDICT_WHITELIST) {
            white++;
            white_matches += a.match || ((a.flags & GOST_VERDICT_EMPTY) && !is_complete(p));
        }
    }
    return white != 0 && white == white_matches;
}
