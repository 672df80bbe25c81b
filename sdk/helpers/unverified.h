/* unverified.h - what every layer with certificates says at start of a client that checks none. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_UNVERIFIED_H
#define GOST_UNVERIFIED_H

static const char gost_unverified[] =
    "the server's certificate is not verified, anybody in between may answer for it: set "
    "secure=true, and caFile where no known authority signed it";

#endif
