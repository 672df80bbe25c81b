/* auto.h - which handler a connection's first byte stands for. */
/* SPDX-License-Identifier: MIT */
#ifndef AUTO_H
#define AUTO_H

#include <stdint.h>

/* The name of the handler. [any], pure */
const char *auto_choose(uint8_t first);

#endif
