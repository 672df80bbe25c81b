/* component.h - finding components from any thread. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_COMPONENT_H
#define GH_COMPONENT_H

#include "conf_errors.h"
#include "engine.h"

/* Reports a component that cannot be had: `unknown handler "x" (web, gost.yml:7): why`. */
void gh_report_unknown(struct gh_conf_errors *errs, const char *noun, const char *name,
                       const char *object, const struct gh_value *at, const char *why);

/* Find a component, loading its plugin. As gh_component() and gh_stack(), but [any]. */
const struct gost_component *gh_find_component(enum gost_kind kind, const char *name, char *why,
                                               size_t why_size);
const struct gost_component *gh_find_stack(const char *name, uint32_t role, char *why,
                                           size_t why_size);

/* Plugins are loaded and conf objects made by one thread at a time. */
void gh_registry_lock(void);
void gh_registry_unlock(void);

#endif
