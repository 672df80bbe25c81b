/* limiter_number.h - plain numbers of limiters. */
/* SPDX-License-Identifier: MIT */
#ifndef LIMITER_NUMBER_H
#define LIMITER_NUMBER_H

#include <gost/base.h>

/* "10", "0.5", "-1". GOST_OK or GOST_EPROTO. [any] */
int limiter_number_parse(struct gost_bytes text, double *ret_number);

#endif
