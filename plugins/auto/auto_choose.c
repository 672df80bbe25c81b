/* auto_choose.c - which handler a connection's first byte stands for. */
/* SPDX-License-Identifier: MIT */
#include "auto.h"

const char *auto_choose(uint8_t first)
{
    switch (first) {
    case 0x04:
        return "socks4";
    case 0x05:
        return "socks5";
    case 0x16: /* a TLS handshake record */
        return "sni";
    default:
        return "http";
    }
}
