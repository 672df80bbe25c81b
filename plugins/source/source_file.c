/* source_file.c - policy source: a file, read whole at each fetch. */
/* SPDX-License-Identifier: MIT */
#include "source.h"

static int file_start(const struct source_file_conf *cf, struct gost_io *io)
{
    struct gost_act_file a;

    memset(&a, 0, sizeof a);
    a.head.size = (uint32_t)sizeof a;
    a.head.kind = GOST_ACT_FILE;
    a.op = GOST_FILE_READ;
    a.max = SOURCE_DATA_MAX;
    a.path = gost_bytes_str(cf->path);
    return gost_act(io, &a.head) == GOST_OK ? GOST_AGAIN : GOST_EINTERNAL;
}

static int file_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    const struct gost_result_file *r = ev->result;

    if (ev->type == GOST_EV_START)
        return file_start(conf, io);
    if (ev->type != GOST_EV_RESULT)
        return GOST_AGAIN;
    if (ev->status != GOST_OK)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the file cannot be read");
    gost_source_data(io, r->data);
    return GOST_OK;
}

const struct gost_source_ops source_file_ops = {.size = sizeof source_file_ops, .step = file_step};
