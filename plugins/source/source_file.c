/* source_file.c - policy source: a file, read whole at each fetch. */
/* SPDX-License-Identifier: MIT */
#include "source.h"

static int file_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    const struct source_file_conf *cf = conf;
    const struct gost_result_file *r = ev->result;

    if (ev->type == GOST_EV_START)
        return gost_asked(gost_file_read(io, 0, gost_bytes_str(cf->path), SOURCE_DATA_MAX));
    if (ev->type != GOST_EV_RESULT)
        return GOST_AGAIN;
    if (ev->status != GOST_OK)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the file cannot be read");
    gost_source_data(io, r->data);
    return GOST_OK;
}

const struct gost_source_ops source_file_ops = {.size = sizeof source_file_ops, .step = file_step};
