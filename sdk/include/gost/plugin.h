/* plugin.h - the one exported object of a plugin, and the note that names its components. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_PLUGIN_H
#define GOST_PLUGIN_H

#include <gost/host.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GOST_MAGIC 0x54534f47u /* "GOST" in memory on a little-endian machine */

/*
 * A plugin exports exactly one object, gost_plugin_v1. The host reads it without running code.
 */
struct gost_plugin {
    uint32_t magic, size;
    uint16_t header_minor, need_minor; /* headers built with; oldest host it works on */
    uint32_t component_size;           /* sizeof(struct gost_component) at the plugin's build */
    const char *name, *version, *license, *summary;
    const struct gost_component *components;
    uint32_t n_components;
    uint32_t opt_size;                 /* sizeof(struct gost_opt) at the plugin's build */
    const struct gost_host **host;     /* the loader stores its table here first of all */
    int (*init)(void);                 /* [main] once after loading; NULL: none. Negative: refuse */
    /* [worker] Once per worker, before any of the plugin's instances there; NULL: none. What it
     * gives is gost_worker_data() from then on. Negative: logged, the data is NULL. */
    int (*worker_init)(void **ret_worker);
    void (*worker_fini)(void *worker); /* [worker] After all instances there; NULL: nothing */
};

/* Define before including to run on hosts older than these headers. */
#ifndef GOST_NEED_MINOR
#define GOST_NEED_MINOR GOST_ABI_MINOR
#endif

/*
 * The ELF note: what is inside, readable without loading. `text` lists "kind:name" words
 * separated by
 * blanks, aliases as words of their own: "handler:socks5 handler:socks connector:socks5". Kinds:
 * transport layer listener dialer handler connector inspector source index remote. A stack with
 * both
 * roles is written once as listener and once as dialer. The loader compares it with the table and
 * refuses a file where they differ.
 */
#define GOST_NOTE_TYPE 1
#define GOST_NOTE(text)                                                                            \
    static const struct {                                                                          \
        uint32_t namesz, descsz, type;                                                             \
        char name[8];                                                                              \
        char desc[(sizeof(text) + 3) & ~(size_t)3];                                                \
    } gost_note_ __attribute__((used, section(".note.gost"), aligned(4))) = {                     \
        5, (sizeof(text) + 3) & ~(size_t)3, GOST_NOTE_TYPE, "GOST", text}

/* Once per plugin, in one file, after its component table (an array, not a pointer). */
#define GOST_PLUGIN_FULL(name, version, license, summary, components, note, init, winit, wfini)    \
    GOST_NOTE(note);                                                                               \
    const struct gost_host *gost_host_;                                                            \
    extern GOST_PUBLIC const struct gost_plugin gost_plugin_v1;                                    \
    const struct gost_plugin gost_plugin_v1 = {                                                    \
        GOST_MAGIC, (uint32_t)sizeof(struct gost_plugin), GOST_ABI_MINOR, GOST_NEED_MINOR,         \
        (uint32_t)sizeof(struct gost_component), name, version, license, summary, components,      \
        (uint32_t)(sizeof(components) / sizeof((components)[0])),                                  \
        (uint32_t)sizeof(struct gost_opt), &gost_host_, init, winit, wfini}

#define GOST_PLUGIN(name, version, license, summary, components, note)                             \
    GOST_PLUGIN_FULL(name, version, license, summary, components, note, NULL, NULL, NULL)

#ifdef __cplusplus
}
#endif
#endif
