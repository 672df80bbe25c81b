/* unix.h - what the sources of this plugin share. */
/* SPDX-License-Identifier: MIT */
#ifndef UNIX_PLUGIN_H
#define UNIX_PLUGIN_H

#include <gost/plugin.h>

struct unix_conf {
    const char *mode_text;
    uint32_t has_mode, mode; /* from mode_text */
};

struct unix_state {
    struct gost_addr target;
};

/* "0660" is octal, "0x1b0" hexadecimal, "432" decimal. GOST_OK or GOST_EPROTO. */
int unix_parse_mode(uint32_t *ret_mode, const char *text);

extern const struct gost_transport_ops unix_transport;
extern const struct gost_opt unix_options[];
int unix_prepare(void *conf, struct gost_prepare *p);

extern const struct gost_handler_ops unix_handler;

#endif
