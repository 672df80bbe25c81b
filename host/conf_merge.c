/* conf_merge.c - joining configurations. */
/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "conf_load_internal.h"

void gh_merge(struct gh_loader *l, struct gh_value *from)
{
    if (!gh_is_map(from)) {
        gh_value_free(from);
        return;
    }
    for (size_t i = 0; i < from->u.map.count; i++) {
        struct gh_member *m = &from->u.map.members[i];
        struct gh_value *have = gh_get_mutable(l->root, m->key);
        int rc;
        if (gh_is_list(have) && gh_is_list(m->value)) {
            rc = gh_list_move(have, m->value);
        } else {
            struct gh_value *value = m->value;
            m->value = NULL;
            rc = gh_map_set(l->root, m->key, value);
        }
        if (rc != 0)
            l->errs->no_memory = true;
    }
    gh_value_free(from);
}

void gh_merge_set(struct gh_loader *l, const char *section, const char *key, const char *text,
                  const char *source)
{
    struct gh_source *place = gh_source_new(source);
    struct gh_value *object = gh_get_mutable(l->root, section);
    int rc = place != NULL ? 0 : -1;
    if (rc == 0 && !gh_is_map(object)) {
        rc = gh_map_set(l->root, section, gh_value_place(gh_map_new(), place, 0, 0));
        object = gh_get_mutable(l->root, section);
    }
    if (rc == 0 && object != NULL)
        rc = gh_map_set(object, key, gh_value_place(gh_string_new(text), place, 0, 0));
    if (rc != 0)
        l->errs->no_memory = true;
    gh_source_unref(place);
}
