/* plugin_driver.c - lets test_plugins ask the registry of plugins. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../host/plugin.h"

/* What the registry wants of the engine; no component runs here. */
const struct gost_host *ge_host_table(void);
extern _Thread_local const char *volatile ge_running_component, *volatile ge_running_phase;
extern _Thread_local uint32_t volatile ge_running_kind; /* of the component */

_Thread_local uint32_t volatile ge_running_kind;
_Thread_local const char *volatile ge_running_component, *volatile ge_running_phase;

const struct gost_host *ge_host_table(void)
{
    static const struct gost_host table = {.size = sizeof table};

    return &table;
}

static const char *const kinds[] = {"", "transport", "layer", "stack", "handler", "connector"};

static void warn(void *arg, const char *text)
{
    printf("warning: %s\n", text);
}

static enum gost_kind kind_of(const char *word)
{
    unsigned i;

    for (i = 1; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i], word) == 0)
            return (enum gost_kind)i;
    }
    return (enum gost_kind)0;
}

static void find(const char *kind, const char *name)
{
    char why[600];
    const struct gost_component *c = gh_component(kind_of(kind), name, why, sizeof why);

    if (c)
        printf("found %s in %s\n", c->name, gh_component_plugin(c));
    else
        printf("not found: %s\n", why);
}

/* plugin_driver DIRECTORY... -- COMMAND [ARGUMENT...] ... */
int main(int argc, char **argv)
{
    const char *dirs[16], *close;
    char why[600];
    unsigned n = 0;
    int i;

    for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        dirs[n++] = argv[i];
    printf("scanned %d\n", gh_plugins_scan(dirs, n, warn, NULL));
    for (i++; i < argc; i++) {
        if (strcmp(argv[i], "list") == 0) {
            gh_print_list(stdout, 0);
        } else if (strcmp(argv[i], "json") == 0) {
            gh_print_list(stdout, 1);
        } else if (strcmp(argv[i], "describe") == 0) {
            if (gh_print_describe(stdout, argv[++i], 1, why, sizeof why) != GOST_OK)
                printf("refused: %s\n", why);
        } else if (strcmp(argv[i], "rescan") == 0) {
            printf("scanned %d\n", gh_plugins_scan(dirs, n, warn, NULL));
        } else if (strcmp(argv[i], "wait") == 0) {
            printf("waiting\n");
            fflush(stdout);
            (void)getchar();
        } else if (strcmp(argv[i], "crash") == 0) {
            fflush(stdout);
            gh_crash_install(NULL);
            abort();
        } else if (i + 2 < argc && strcmp(argv[i], "known") == 0) {
            printf("known %d\n", gh_component_known(kind_of(argv[i + 1]), argv[i + 2]));
            i += 2;
        } else if (i + 2 < argc && strcmp(argv[i], "suggest") == 0) {
            close = gh_component_suggest(kind_of(argv[i + 1]), argv[i + 2]);
            printf("suggest %s\n", close ? close : "nothing");
            i += 2;
        } else if (i + 2 < argc && strcmp(argv[i], "find") == 0) {
            find(argv[i + 1], argv[i + 2]);
            i += 2;
        }
    }
    return 0;
}
