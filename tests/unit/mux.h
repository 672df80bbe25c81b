/* mux.h - the session layer of the test kit. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_mux.h"
