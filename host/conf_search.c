/* conf_search.c - conf.d directories and the places where GOST looks for its file. */
/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_load_internal.h"

static int is_conf_file(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    if (entry->d_name[0] == '.' || dot == NULL)
        return 0;
    return strcmp(dot, ".yml") == 0 || strcmp(dot, ".yaml") == 0 || strcmp(dot, ".json") == 0;
}

/* By bytes, so that the order is the same in every locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

size_t gh_read_dir(struct gh_loader *l, const char *dir, bool required)
{
    struct dirent **entries = NULL;
    int count = scandir(dir, &entries, is_conf_file, by_bytes);
    if (count < 0) {
        if (required || errno != ENOENT)
            gh_errors_add(l->errs, GH_ERROR, dir, "cannot be read: %s", strerror(errno));
        return 0;
    }
    if (count == 0 && required)
        gh_errors_add(l->errs, GH_WARNING, dir, "has no *.yml, *.yaml or *.json file");
    for (int i = 0; i < count; i++) {
        char path[4096];
        int len = snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
        if (len > 0 && (size_t)len < sizeof(path))
            gh_read_file(l, path);
        else
            gh_errors_add(l->errs, GH_ERROR, dir, "the path of %s is too long", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return (size_t)count;
}

size_t gh_count_dir(const char *dir)
{
    struct dirent **entries = NULL;
    int count = scandir(dir, &entries, is_conf_file, by_bytes);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return count > 0 ? (size_t)count : 0;
}

bool gh_read_default(struct gh_loader *l)
{
    static const char *const exts[] = {"json", "toml", "yaml",   "yml",    "properties", "props",
                                       "prop", "hcl",  "tfvars", "dotenv", "env",        "ini"};
    const char *home = gh_loader_env(l, "HOME");
    char path[4096];
    for (int place = 0; place < 3; place++) {
        for (size_t i = 0; i < sizeof(exts) / sizeof(exts[0]); i++) {
            int len = place == 0   ? snprintf(path, sizeof(path), "/etc/gost/gost.%s", exts[i])
                      : place == 1 ? snprintf(path, sizeof(path), "%s/.gost/gost.%s",
                                              home != NULL ? home : "", exts[i])
                                   : snprintf(path, sizeof(path), "./gost.%s", exts[i]);
            if (len > 0 && (size_t)len < sizeof(path) && access(path, F_OK) == 0) {
                gh_read_file(l, path);
                return true;
            }
        }
    }
    return false;
}
