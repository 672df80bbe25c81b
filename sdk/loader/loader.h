/* loader.h - plugin files: what their notes say, and loading them. For host and test kit. */
/* SPDX-License-Identifier: MIT */
#ifndef GE_LOADER_H
#define GE_LOADER_H

#include <stdio.h>

#include <gost/plugin.h>

/* ---- ELF files, read without running them (elf.c) [any] ---- */

/* Where the bytes of a file come from. read: GOST_OK only when all n bytes could be read. */
struct ge_file {
    int (*read)(const struct ge_file *f, uint64_t offset, void *p, size_t n);
    uint64_t size;
    const void *memory; /* the bytes, for ge_file_memory() */
    int fd;             /* for ge_file_fd() */
};

struct ge_file ge_file_memory(const void *p, size_t n);
struct ge_file ge_file_fd(int fd); /* size 0 when it is no regular file */

/* The parts of an ELF file of either class, in this machine's byte order. */
struct ge_elf {
    const struct ge_file *file;
    int wide;    /* 64-bit */
    int foreign; /* another class or machine: readable, not loadable */
    uint16_t machine;
    uint64_t phoff, shoff;
    uint32_t phentsize, phnum, shentsize, shnum;
};

/* GOST_OK, or GOST_EPROTO with a sentence on what the file is instead. */
int ge_elf_open(struct ge_elf *ret_elf, const struct ge_file *file, char *why, size_t n);

struct ge_elf_part { /* a program or section header */
    uint32_t type, name;
    uint32_t link;
    uint64_t offset, size, entsize;
};
int ge_elf_program(const struct ge_elf *e, uint32_t i, struct ge_elf_part *ret_part);
int ge_elf_section(const struct ge_elf *e, uint32_t i, struct ge_elf_part *ret_part);

/* Calls each() for every symbol the file exports. GOST_OK, or GOST_EPROTO when there is no symbol
 * table or it is damaged. */
int ge_elf_exports(const struct ge_elf *e, void (*each)(void *arg, const char *name), void *arg);

/* ---- the note (note.c) [any] ---- */

#define GE_NOTE_MAX 16384 /* longest note text, final zero included */

/* The kinds a note may name. STACK components appear as listener, dialer or both. */
struct ge_note_word {
    uint32_t kind;    /* enum gost_kind */
    uint32_t role;    /* STACK: GOST_SERVER (listener) or GOST_CLIENT (dialer); else 0 */
    const char *name; /* not zero-terminated */
    size_t n;
};

/* The text of the note into buf. GOST_OK, or GOST_EPROTO with a sentence. */
int ge_note_read(const struct ge_elf *e, char buf[GE_NOTE_MAX], char *why, size_t n);

/* The next word of *text, which is moved behind it. GOST_OK, GOST_END, or GOST_EPROTO. */
int ge_note_next(const char **text, struct ge_note_word *ret_word);

/* "handler", "listener": the word of a kind (and role) in notes and messages. */
const char *ge_kind_word(uint32_t kind, uint32_t role);

/* ---- loaded plugins (load.c, table.c) [main] ---- */

struct ge_plugin {
    char *path;
    const struct gost_plugin *object; /* as the file has it: its size may be another */
    const char *name, *version, *license, *summary;
    struct gost_component *components; /* copies in this program's layout */
    uint32_t n_components;
    char note[GE_NOTE_MAX];
};

/*
 * Load a file: a private copy of it is mapped, checked, given the host's table and initialised. It
 * stays for good, also when it is refused after it was mapped. GOST_OK, or an error with a sentence
 * of reason and remedy that does not repeat the path.
 */
int ge_plugin_load(struct ge_plugin **ret_plugin, const char *path, const struct gost_host *host,
                   char *why, size_t n);

/* The checks of ge_plugin_load() on the object alone: fills everything but path. `note` is copied;
 * NULL: a plugin that is linked in, its note is not looked at. */
int ge_plugin_check(struct ge_plugin *ret_plugin, const struct gost_plugin *object,
                    const char *note, char *why, size_t n);

/* 1 when `name` is the component's name or one of its aliases. */
int ge_component_is(const struct gost_component *c, const char *name, size_t n);

/* Roles of a STACK (0 for other kinds), flags of a LAYER. */
uint32_t ge_component_roles(const struct gost_component *c);

/* ---- descriptions made from the tables (describe.c, man.c) ---- */

void ge_describe_text(FILE *to, const struct ge_plugin *p, const struct gost_component *c);
void ge_describe_json(FILE *to, const struct ge_plugin *p, const struct gost_component *c);
void ge_json_string(FILE *to, const char *text); /* NULL: null */
void ge_plugin_man(FILE *to, const struct ge_plugin *p);
void ge_plugin_snippet(FILE *to, const struct ge_plugin *p); /* YAML, every key a comment */
void ge_man_text(FILE *to, const char *text); /* escapes what roff would take for commands */

#endif
