/* plugin_note.c - looks at a plugin file from outside: its identity and its note. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../sdk/loader/loader.h"
#include "plugin.h"

static int read_note(int fd, char note[GE_NOTE_MAX], char *why, size_t n)
{
    struct ge_file file = ge_file_fd(fd);
    struct ge_elf elf;
    int r = ge_elf_open(&elf, &file, why, n);

    if (r == GOST_OK)
        r = ge_note_read(&elf, note, why, n);
    if (r == GOST_OK && elf.foreign) {
        snprintf(why, n,
                 "was built for another machine (%d bits, ELF machine %u): install the build "
                 "for this one",
                 elf.wide ? 64 : 32, elf.machine);
        r = GOST_EPROTO;
    }
    return r;
}

int gh_plugin_file_read(struct gh_plugin_file *f, const char *path, char *why, size_t n)
{
    char *note = calloc(1, GE_NOTE_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r = GOST_EPROTO;
    struct stat st;

    if (!note)
        snprintf(why, n, "cannot be read: out of memory");
    else if (fd < 0 || fstat(fd, &st) < 0)
        snprintf(why, n, "cannot be read: %s", strerror(errno));
    else
        r = read_note(fd, note, why, n);
    if (r == GOST_OK) {
        f->device = st.st_dev;
        f->inode = st.st_ino;
        f->size = (uint64_t)st.st_size;
        f->changed_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
        f->path = strdup(path);
        f->note = strdup(note);
        if (!f->path || !f->note) {
            snprintf(why, n, "cannot be read: out of memory");
            r = GOST_ENOMEM;
        }
    }
    if (fd >= 0)
        close(fd);
    free(note);
    return r;
}

void gh_plugin_file_free(struct gh_plugin_file *f)
{
    free(f->path);
    free(f->note);
    free(f->broken);
    free(f);
}
