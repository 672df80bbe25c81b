/* test_world.h - two HTTP/2 sessions in memory, or one and a peer that the test plays. */
/* SPDX-License-Identifier: MIT */
#ifndef H2_TEST_WORLD_H
#define H2_TEST_WORLD_H

#define EXCHANGE_LAYER "h2"
#include "../../sdk/testkit/test_exchange.h"

#endif
