/* test_ss_exchange.c - recorded exchanges with their randomness and time, byte for byte. */
/* SPDX-License-Identifier: MIT */
#include <dirent.h>

#include "../../sdk/testkit/kit.h"
#include "../../sdk/testkit/test_capture.h"

#define FILES_MAX 256

extern const struct gost_plugin gost_plugin_v1;

static char *names[FILES_MAX];
static int n_names;

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void find_files(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *e;

    if (!dir) {
        printf("Bail out! cannot read %s: set TOP_SRCDIR to the source tree\n", folder);
        exit(1);
    }
    while ((e = readdir(dir)) && n_names < FILES_MAX)
        if (strstr(e->d_name, ".txt"))
            names[n_names++] = strdup(e->d_name);
    closedir(dir);
    qsort(names, (size_t)n_names, sizeof *names, by_name);
}

static int play(struct gost_kit *kit, const char *path, struct gost_how how)
{
    struct gost_outcome outcome;
    struct gost_script *s;
    char why[512];
    int good;

    s = gost_script_read(path, why, sizeof why);
    if (!s) {
        printf("# %s\n", why);
        return 0;
    }
    good = gost_kit_play(kit, s, &how, &outcome) == GOST_OK;
    if (!good)
        printf("# pieces of %zu: %s\n", how.split, outcome.why);
    gost_script_free(s);
    return good;
}

/* What is sealed depends on how bytes come in: files named whole- are played as they are written,
 * the others hold opened bytes only and come out alike at every split. */
static void exchange(struct gost_kit *kit, const char *folder, const char *name)
{
    static const size_t splits[] = {0, 1, 2, 3, 5, 7, 16, 17, 18, 33, 50, 100};
    char path[1024];
    int good = 1;
    size_t i;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (i = 0; i < sizeof splits / sizeof *splits; i++) {
        if (splits[i] && strncmp(name, "whole-", 6) == 0)
            break;
        good &= play(kit, path, (struct gost_how){.split = splits[i], .tail = 0xee});
    }
    ok(good, name);
}

int main(void)
{
    const char *top = getenv("TOP_SRCDIR");
    char folder[512], why[256];
    struct gost_kit *kit;
    int i;

    snprintf(folder, sizeof folder, "%s/plugins/ss/transcripts", top ? top : ".");
    find_files(folder);
    kit = gost_kit_new(&gost_plugin_v1, why, sizeof why);
    if (!kit) {
        printf("Bail out! %s\n", why);
        return 1;
    }
    for (i = 0; i < n_names; i++) {
        exchange(kit, folder, names[i]);
        free(names[i]);
    }
    gost_kit_free(kit);
    return test_end();
}
