/* plugin.h - the plugins this program can use: where they are, what they offer, loading them. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_PLUGIN_H
#define GH_PLUGIN_H

#include <stdio.h>

#include <gost/plugin.h>

/*
 * Look for *.so files. dirs are the directories given on the command line; with n == 0 those of
 * GOST_PLUGIN_DIR (separated by ':'), else the compiled-in one. The first file that offers a
 * component has it. A file that cannot be used is named to warn() with reason and remedy and
 * skipped. Nothing is loaded. May be called again (reload): a replaced file is a new plugin from
 * then on, components that were handed out stay valid. Returns how many files are usable, or
 * GOST_ENOMEM. [main]
 */
int gh_plugins_scan(const char *const *dirs, unsigned n, void (*warn)(void *arg, const char *text),
                    void *arg);

/* A component by kind and name or alias; its plugin is loaded when it is not yet. NULL: why is
 * filled with a sentence. Lives as long as the process. [main] */
const struct gost_component *gh_component(enum gost_kind kind, const char *name, char *why,
                                          size_t n);

/* Known by note, nothing is loaded. STACK: in any role. [main] */
int gh_component_known(enum gost_kind kind, const char *name);

/* The same for a STACK in a role: GOST_SERVER (listener) or GOST_CLIENT (dialer). [main] */
const struct gost_component *gh_stack(const char *name, uint32_t role, char *why, size_t n);
int gh_stack_known(const char *name, uint32_t role);

/* A component of a plugin that is loaded already; NULL: none. Loads nothing. [any] */
const struct gost_component *gh_component_loaded(enum gost_kind kind, const char *name, size_t n);

/* The file of a component that was handed out; "" when it was not. [any] */
const char *gh_component_plugin(const struct gost_component *c);

/* Did you mean: the most similar known name. NULL: none is similar. Valid until the next call.
 * STACK: listeners and dialers. [main] */
const char *gh_component_suggest(enum gost_kind kind, const char *name);

/* The i-th loaded plugin, for its worker_init and worker_fini; NULL: no more. [any] */
const struct gost_plugin *gh_plugin_loaded(unsigned i);
const char *gh_plugin_loaded_path(unsigned i); /* its file; NULL: no more */

/* What plugins keep per worker (worker_plugins.c). begin and end: first and last on a worker's
 * thread. catch_up: before something of a plugin is used that may have been loaded meanwhile; does
 * nothing on other threads. */
struct gh_worker;
void gh_plugins_begin(struct gh_worker *w);
void gh_plugins_end(struct gh_worker *w);
void gh_plugins_catch_up(void);
void *gh_plugin_worker_data(const struct gost_host *const *self); /* gost_worker_data() [worker] */

/* --list: every known component and the file it lives in. [main] */
void gh_print_list(FILE *to, int json);

/* --describe: `what` is "handler/socks5", "handler:socks5", "socks5" or NULL for everything. Loads
 * what it describes. GOST_OK, or an error with why filled: nothing of that name. [main] */
int gh_print_describe(FILE *to, const char *what, int json, char *why, size_t n);

/* --man: the manual page of this program. */
void gh_print_man(FILE *to);

/* On SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT the last line on standard error names the
 * component that was running with plugin, version and phase, then the default action follows.
 * `where` (may be NULL) gives the descriptor of the log, where the line goes, too. [main] */
void gh_crash_install(int (*where)(void));

/* ---- between plugin_*.c only ---- */

struct ge_plugin;

struct gh_plugin_file {
    char *path, *note;
    uint64_t device, inode, size, changed_ns; /* to see that it was replaced */
    struct ge_plugin *plugin;                 /* loaded; NULL: not yet */
    char *broken; /* why it cannot be loaded; NULL: nobody tried, or it was fine */
    int listed;   /* found by the scan under way */
};

/* Files known now, in the order of their precedence. */
struct gh_plugin_file *const *gh_plugin_files(unsigned *ret_n);

/* Loads a file unless it is loaded or known as broken. [main] */
struct ge_plugin *gh_plugin_file_load(struct gh_plugin_file *f);

/* Fills path, note and identity from the file. GOST_OK, or why is filled. */
int gh_plugin_file_read(struct gh_plugin_file *f, const char *path, char *why, size_t n);
void gh_plugin_file_free(struct gh_plugin_file *f);

#endif
