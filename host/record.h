/* record.h - recorders: what a service hands to them, and its records of connections. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_RECORD_H
#define GH_RECORD_H

#include "policy.h"

struct gh_flow;

#define GH_RECORD_CLIENT     "recorder.service.client.address"
#define GH_RECORD_DIAL       "recorder.service.router.dial.address"
#define GH_RECORD_DIAL_ERROR "recorder.service.router.dial.address.error"
#define GH_RECORD_HANDLER    "recorder.service.handler"

/* The recorders of a service. As in GOST only the first entry of each kind of record counts. */
struct gh_recordings {
    struct gh_recording {
        const char *what, *name; /* *borrowed* */
    } * v;                       /* *owned* */
    unsigned n;
};

bool gh_recordings_read(struct gh_recordings *ret, const struct gh_value *service,
                        struct gh_conf_errors *errs);

/* Whether the flow's service records this. [any] */
bool gh_records(const struct gh_flow *f, const char *what);

/* Hands data to the recorder bound to `what`, if there is one. [worker] */
void gh_record(struct gh_flow *f, const char *what, struct gost_bytes data);

/* The host of an address, as GOST records it. */
void gh_record_host(struct gh_flow *f, const char *what, const struct gost_addr *addr);

/* The flow ends: its record in JSON. */
void gh_record_flow(struct gh_flow *f);

#endif
