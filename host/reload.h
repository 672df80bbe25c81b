/* reload.h - loading a configuration and making it the one that runs. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_RELOAD_H
#define GH_RELOAD_H

#include "confbuild.h"

/* Everything a load gives; nothing of it runs yet. */
struct gh_loaded {
    struct gh_conf *conf;
    struct gh_policies *policies;
    struct gh_services services;
};

/* What the command line says; given once, before everything else here. *Borrowed*. [main] */
void gh_reload_init(const struct gh_cli *cli);

/* Looks for plugins; problems become warnings in the log. [main] */
void gh_reload_scan(void);

/* Reads the configuration only. NULL: `errs` says why. [main] */
struct gh_conf *gh_reload_read(struct gh_conf_errors *errs);

/* Reads and builds. 0 or -1: `errs` says why. [main] */
int gh_reload_load(struct gh_loaded *ret, struct gh_conf_errors *errs);
void gh_loaded_free(struct gh_loaded *loaded);

/* Makes it run: policies, then services. Takes the content over. 0, or -1 and nothing changed. */
int gh_reload_apply(struct gh_loaded *loaded, struct gh_conf_errors *errs);

/* Loads again and applies; everything is said in the log. `periodic`: by -R. [main] */
void gh_reload(bool periodic);

/* Writes findings to the log. */
void gh_reload_log(const struct gh_conf_errors *errs, int error_level);

#endif
