/* load.c - maps a private copy of a plugin file and introduces it to the host. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "loader.h"

#define COPY_STEP 65536

static int refuse(char *why, size_t n, const char *fmt, ...) GOST_PRINTF(3, 4);
static int refuse(char *why, size_t n, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, n, fmt, ap);
    va_end(ap);
    return GOST_EPROTO;
}

/* What the exported names tell about the interface, before any code runs. */
struct exports {
    int ours;   /* gost_plugin_v1 is there */
    long other; /* major number of another one; -1: none */
};

static void note_export(void *arg, const char *name)
{
    struct exports *x = arg;
    char *end;
    long major;

    if (strncmp(name, "gost_plugin_v", 13) != 0)
        return;
    major = strtol(name + 13, &end, 10);
    if (end == name + 13 || *end)
        return;
    if (major == GOST_ABI_MAJOR)
        x->ours = 1;
    else
        x->other = major;
}

/* Reads everything that can be known without running the file. */
static int look(int fd, char note[GE_NOTE_MAX], char *why, size_t n)
{
    struct ge_file file = ge_file_fd(fd);
    struct exports x = {0, -1};
    struct ge_elf elf;
    int r = ge_elf_open(&elf, &file, why, n);

    if (r == GOST_OK)
        r = ge_note_read(&elf, note, why, n);
    if (r)
        return r;
    if (elf.foreign)
        return refuse(why, n,
                      "was built for another machine (ELF machine %u, %d bits): install the build "
                      "for this one",
                      elf.machine, elf.wide ? 64 : 32);
    if (ge_elf_exports(&elf, note_export, &x) || x.ours)
        return GOST_OK; /* without section headers only the linker can tell */
    if (x.other >= 0)
        return refuse(
            why, n,
            "was built for interface %ld, this program has interface %d: install the plugin and "
            "the program from the same release",
            x.other, GOST_ABI_MAJOR);
    return refuse(why, n,
                  "does not export gost_plugin_v%d: use GOST_PLUGIN() and do not hide or strip it",
                  GOST_ABI_MAJOR);
}

static int copy_all(int to, int from)
{
    char buf[COPY_STEP];
    ssize_t got, put, done;
    off_t at = 0;

    while ((got = pread(from, buf, sizeof buf, at)) > 0) {
        for (done = 0; done < got; done += put) {
            put = write(to, buf + done, (size_t)(got - done));
            if (put <= 0)
                return -errno;
        }
        at += got;
    }
    return got < 0 ? -errno : 0;
}

/* A private copy of the file. Replacing the file does not touch it, and each copy is an object of
 * its own to the linker: the descriptor stays open, so that no two copies ever share their name. */
static int private_copy(int fd, const char *path, char *why, size_t n)
{
    const char *slash = strrchr(path, '/');
    char name[200];
    int copy, r;

    snprintf(name, sizeof name, "plugin:%.180s", slash ? slash + 1 : path);
    copy = memfd_create(name, MFD_CLOEXEC);
    if (copy < 0)
        return refuse(why, n, "cannot be copied to memory: %s", strerror(errno));
    r = copy_all(copy, fd);
    if (r == 0)
        return copy;
    close(copy);
    return refuse(why, n, "cannot be copied to memory: %s", strerror(-r));
}

/* The linker's message begins with the name of the copy, which tells nobody anything. */
static const char *linker_says(void)
{
    const char *text = dlerror(), *after;

    if (!text)
        return "the dynamic linker gives no reason";
    after = strstr(text, ": ");
    return strncmp(text, "/proc/self/fd/", 14) == 0 && after ? after + 2 : text;
}

static const struct gost_plugin *map_copy(int copy, char *why, size_t n)
{
    const struct gost_plugin *object;
    char path[40], symbol[32];
    void *handle;

    snprintf(path, sizeof path, "/proc/self/fd/%d", copy);
    if (access(path, F_OK) != 0) {
        refuse(why, n, "cannot be loaded: %s is not there; mount /proc", path);
        return NULL;
    }
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        refuse(why, n, "cannot be loaded: %s", linker_says());
        return NULL;
    }
    snprintf(symbol, sizeof symbol, "gost_plugin_v%d", GOST_ABI_MAJOR);
    object = dlsym(handle, symbol);
    if (!object)
        refuse(why, n, "does not export %s: use GOST_PLUGIN() and do not hide or strip it", symbol);
    return object;
}

static int introduce(struct ge_plugin *p, const struct gost_host *host, char *why, size_t n)
{
    int r;

    *p->object->host = host;
    if (p->object->size < offsetof(struct gost_plugin, init) + sizeof p->object->init ||
        !p->object->init)
        return GOST_OK;
    r = p->object->init();
    if (r < 0)
        return refuse(why, n, "refused to start: its init() returned %d", r);
    return GOST_OK;
}

static int load_open(struct ge_plugin *p, int fd, const struct gost_host *host, char *why, size_t n)
{
    const struct gost_plugin *object;
    char *note = calloc(1, GE_NOTE_MAX);
    int copy, r = note ? look(fd, note, why, n) : GOST_ENOMEM;

    if (r == GOST_OK) {
        copy = private_copy(fd, p->path, why, n);
        object = copy >= 0 ? map_copy(copy, why, n) : NULL;
        if (copy >= 0 && !object)
            close(copy);
        r = object ? ge_plugin_check(p, object, note, why, n) : GOST_EPROTO;
    }
    free(note);
    return r ? r : introduce(p, host, why, n);
}

int ge_plugin_load(struct ge_plugin **ret_plugin, const char *path, const struct gost_host *host,
                   char *why, size_t n)
{
    struct ge_plugin *p;
    int fd, r;

    snprintf(why, n, "cannot be loaded: out of memory");
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return refuse(why, n, "cannot be read: %s", strerror(errno));
    p = calloc(1, sizeof *p);
    if (p && (p->path = strdup(path)) != NULL)
        r = load_open(p, fd, host, why, n);
    else
        r = GOST_ENOMEM;
    close(fd);
    if (r) {
        if (p) {
            free(p->path);
            free(p->components);
        }
        free(p);
        return r;
    }
    *ret_plugin = p;
    return GOST_OK;
}
