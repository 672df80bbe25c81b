/* plugin_crash.c - the last line of a crash names the component that was running. */
/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "plugin.h"

/* Set by the engine around every call into a plugin. */
extern _Thread_local const char *volatile ge_running_component, *volatile ge_running_phase;

static const struct {
    int number;
    const char *name;
} fatal[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGILL, "SIGILL"},
    {SIGFPE, "SIGFPE"},   {SIGABRT, "SIGABRT"},
};

/* A line put together without the C library's help. */
struct line {
    char text[512];
    size_t n;
};

static void add(struct line *l, const char *text)
{
    while (text && *text && l->n < sizeof l->text - 1)
        l->text[l->n++] = *text++;
}

/* The loaded plugin that the name belongs to: the pointer is the table's own. */
static const char *plugin_of(const char *component)
{
    const struct gost_plugin *p;
    unsigned i;
    uint32_t k;

    for (i = 0; (p = gh_plugin_loaded(i)) != NULL; i++) {
        for (k = 0; k < p->n_components; k++) {
            const struct gost_component *c =
                (const struct gost_component *)((const uint8_t *)p->components +
                                                (size_t)k * p->component_size);

            if (c->name == component)
                return p->name;
        }
    }
    return NULL;
}

static void crash(int number)
{
    const char *component = ge_running_component, *phase = ge_running_phase, *plugin;
    struct line l = {"", 0};
    size_t i;

    add(&l, "gost-host: ");
    for (i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        add(&l, fatal[i].number == number ? fatal[i].name : "");
    if (component) {
        plugin = plugin_of(component);
        add(&l, " while the component ");
        add(&l, component);
        add(&l, plugin ? " of the plugin " : "");
        add(&l, plugin);
        add(&l, " was running");
        add(&l, phase ? ", waiting for " : "");
        add(&l, phase);
    } else {
        add(&l, " in the program itself, no component was running");
    }
    l.text[l.n++] = '\n';
    if (write(STDERR_FILENO, l.text, l.n) < 0)
        l.n = 0;   /* nobody listens */
    raise(number); /* the handler was reset: the default action follows on return */
}

void gh_crash_install(void)
{
    struct sigaction action;
    size_t i;

    memset(&action, 0, sizeof action);
    action.sa_handler = crash;
    action.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    for (i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        sigaction(fatal[i].number, &action, NULL);
}
