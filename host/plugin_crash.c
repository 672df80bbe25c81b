/* plugin_crash.c - the last line of a crash names the component that was running. */
/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "plugin.h"

/* Set by the engine around every call into a plugin. */
extern _Thread_local const char *volatile ge_running_component, *volatile ge_running_phase;
extern _Thread_local uint32_t volatile ge_running_kind; /* of the component */

static const struct {
    int number;
    const char *name;
} fatal[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGILL, "SIGILL"},
    {SIGFPE, "SIGFPE"},   {SIGABRT, "SIGABRT"},
};

/* A line put together without the C library's help. */
struct line {
    char text[1024];
    size_t n;
};

static void add(struct line *l, const char *text)
{
    while (text && *text && l->n < sizeof l->text - 1)
        l->text[l->n++] = *text++;
}

static int (*log_fd)(void);

/* A component of a loaded plugin. The pointer to its name is the table's own, but components of
 * several kinds may share it. */
struct owner {
    const struct gost_component *component;
    const struct gost_plugin *plugin;
    const char *path;
};

static int find_owner(const char *name, uint32_t kind, struct owner *ret_owner)
{
    const struct gost_plugin *p;
    unsigned i;
    uint32_t k;

    for (i = 0; (p = gh_plugin_loaded(i)) != NULL; i++) {
        for (k = 0; k < p->n_components; k++) {
            const struct gost_component *c =
                (const struct gost_component *)((const uint8_t *)p->components +
                                                (size_t)k * p->component_size);

            if (c->name != name || (kind && c->kind != kind))
                continue;
            ret_owner->component = c;
            ret_owner->plugin = p;
            ret_owner->path = gh_plugin_loaded_path(i);
            return 1;
        }
    }
    return 0;
}

static const char *kind_of(const struct gost_component *c)
{
    static const char *const words[] = {"component", "transport", "layer",  "stack",  "handler",
                                        "connector", "inspector", "source", "index", "remote"};

    return words[c->kind < sizeof words / sizeof words[0] ? c->kind : 0];
}

static void describe(struct line *l, const char *component, const char *phase)
{
    struct owner o;

    if (find_owner(component, ge_running_kind, &o)) {
        add(l, " in ");
        add(l, kind_of(o.component));
        add(l, " ");
        add(l, component);
        add(l, " of plugin ");
        add(l, o.plugin->name);
        add(l, " ");
        add(l, o.plugin->version);
        add(l, " (");
        add(l, o.path);
        add(l, ")");
    } else {
        add(l, " in component ");
        add(l, component);
    }
    add(l, phase ? ", phase: " : "");
    add(l, phase);
}

static void put(int fd, const struct line *l)
{
    if (fd >= 0 && write(fd, l->text, l->n) < 0)
        return; /* nobody listens */
}

static void crash(int number)
{
    const char *component = ge_running_component;
    struct line l = {"", 0};
    int fd = log_fd ? log_fd() : -1;
    size_t i;

    add(&l, "gost-host: ");
    for (i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        add(&l, fatal[i].number == number ? fatal[i].name : "");
    if (component)
        describe(&l, component, ge_running_phase);
    else
        add(&l, " outside of any component's step");
    l.text[l.n++] = '\n';
    put(STDERR_FILENO, &l);
    if (fd > STDERR_FILENO)
        put(fd, &l);
    raise(number); /* the handler was reset: the default action follows on return */
}

void gh_crash_install(int (*where)(void))
{
    struct sigaction action;
    size_t i;

    log_fd = where;
    memset(&action, 0, sizeof action);
    action.sa_handler = crash;
    action.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    for (i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        sigaction(fatal[i].number, &action, NULL);
}
