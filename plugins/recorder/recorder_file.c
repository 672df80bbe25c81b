/* recorder_file.c - a record appended to a file. */
/* SPDX-License-Identifier: MIT */
#include "recorder.h"

static int start(const struct recorder_file_conf *cf, struct gost_io *io)
{
    const struct gost_q_record *q = recorder_question(io);
    size_t sep = cf->sep ? strlen(cf->sep) : 0;
    struct gost_act_file a;
    uint8_t *line;

    if (!q)
        return GOST_EINTERNAL;
    line = gost_alloc(io, q->data.n + sep + 1); /* one write, so that no other gets between */
    if (!line)
        return gost_fail(io, GOST_ETOOBIG, "the record is too long");
    if (q->data.n)
        memcpy(line, q->data.p, q->data.n);
    if (sep)
        memcpy(line + q->data.n, cf->sep, sep);
    gost_act_init(&a, sizeof a, GOST_ACT_FILE, 0, 0);
    a.op = GOST_FILE_APPEND;
    a.path = gost_bytes_str(cf->path);
    a.data = gost_bytes(line, q->data.n + sep);
    if (gost_act(io, &a.head) != GOST_OK)
        return gost_fail(io, GOST_ETOOBIG, "the record is too long");
    return GOST_AGAIN;
}

static int step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    if (ev->type == GOST_EV_START)
        return start(conf, io);
    if (ev->type != GOST_EV_RESULT)
        return GOST_AGAIN;
    if (ev->status != GOST_OK)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "it cannot be written");
    return GOST_OK;
}

const struct gost_remote_ops recorder_file_ops = {
    .size = sizeof recorder_file_ops, .policy = GOST_POLICY_RECORDER, .step = step};
