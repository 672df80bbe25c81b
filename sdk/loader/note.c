/* note.c - the note that names a plugin's components, found and read word by word. */
/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <stdio.h>

#include "loader.h"

static const struct {
    const char *word;
    uint32_t kind, role;
} kinds[] = {
    {"transport", GOST_KIND_TRANSPORT, 0},
    {"layer", GOST_KIND_LAYER, 0},
    {"listener", GOST_KIND_STACK, GOST_SERVER},
    {"dialer", GOST_KIND_STACK, GOST_CLIENT},
    {"handler", GOST_KIND_HANDLER, 0},
    {"connector", GOST_KIND_CONNECTOR, 0},
    {"inspector", GOST_KIND_INSPECTOR, 0},
    {"source", GOST_KIND_SOURCE, 0},
    {"index", GOST_KIND_INDEX, 0},
    {"remote", GOST_KIND_REMOTE, 0},
};

#define N_KINDS (sizeof kinds / sizeof kinds[0])

const char *ge_kind_word(uint32_t kind, uint32_t role)
{
    size_t i;

    for (i = 0; i < N_KINDS; i++) {
        if (kinds[i].kind == kind && (!kinds[i].role || kinds[i].role == role))
            return kinds[i].word;
    }
    return kind == GOST_KIND_STACK ? "stack" : "component of an unknown kind";
}

/* Letters, digits and what names are joined with. */
static int is_name(const char *p, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z') ||
              (p[i] >= '0' && p[i] <= '9') || strchr("._-+/", p[i])))
            return 0;
    }
    return n > 0 && n < 64;
}

int ge_note_next(const char **text, struct ge_note_word *ret_word)
{
    const char *p = *text + strspn(*text, " "), *colon;
    size_t n = strcspn(p, " "), i;

    if (n == 0)
        return GOST_END;
    colon = memchr(p, ':', n);
    if (!colon)
        return GOST_EPROTO;
    for (i = 0; i < N_KINDS; i++) {
        if (strlen(kinds[i].word) == (size_t)(colon - p) &&
            memcmp(kinds[i].word, p, (size_t)(colon - p)) == 0)
            break;
    }
    if (i == N_KINDS || !is_name(colon + 1, n - (size_t)(colon + 1 - p)))
        return GOST_EPROTO;
    ret_word->kind = kinds[i].kind;
    ret_word->role = kinds[i].role;
    ret_word->name = colon + 1;
    ret_word->n = n - (size_t)(colon + 1 - p);
    *text = p + n;
    return GOST_OK;
}

/* Every word of a note's text has the right form. */
static int is_sound(const char *text)
{
    struct ge_note_word word;
    int r;

    while ((r = ge_note_next(&text, &word)) == GOST_OK)
        ;
    return r == GOST_END;
}

/* Looks for our note within one segment. GOST_OK, GOST_AGAIN: not here, GOST_EPROTO: damaged. Notes
 * of other makers may be laid out in another way: what does not fit ends the search here. */
static int search(const struct ge_elf *e, uint64_t at, uint64_t size, char buf[GE_NOTE_MAX])
{
    uint64_t end = at + size;

    while (end - at >= 12) {
        uint32_t head[3]; /* length of the name, length of the content, type */
        uint64_t name_room, rest_room;
        char name[8] = "";

        if (e->file->read(e->file, at, head, sizeof head))
            return GOST_AGAIN;
        at += 12;
        name_room = ((uint64_t)head[0] + 3) & ~(uint64_t)3;
        rest_room = ((uint64_t)head[1] + 3) & ~(uint64_t)3;
        if (name_room > end - at || rest_room > end - at - name_room)
            return GOST_AGAIN;
        if (head[0] == 5 && head[2] == GOST_NOTE_TYPE &&
            e->file->read(e->file, at, name, 5) == GOST_OK && memcmp(name, "GOST", 5) == 0) {
            if (head[1] >= GE_NOTE_MAX || e->file->read(e->file, at + name_room, buf, head[1]))
                return GOST_EPROTO;
            buf[head[1]] = 0;
            return is_sound(buf) ? GOST_OK : GOST_EPROTO;
        }
        at += name_room + rest_room;
    }
    return GOST_AGAIN;
}

int ge_note_read(const struct ge_elf *e, char buf[GE_NOTE_MAX], char *why, size_t n)
{
    struct ge_elf_part part;
    uint32_t i;
    int r;

    for (i = 0; i < e->phnum; i++) {
        if (ge_elf_program(e, i, &part)) {
            snprintf(why, n,
                     "is a damaged shared object: its program headers lie outside of the file");
            return GOST_EPROTO;
        }
        if (part.type != PT_NOTE || part.offset > e->file->size ||
            part.size > e->file->size - part.offset)
            continue;
        r = search(e, part.offset, part.size, buf);
        if (r == GOST_OK)
            return GOST_OK;
        if (r != GOST_AGAIN) {
            snprintf(why, n, "has a damaged GOST note: build the plugin again");
            return GOST_EPROTO;
        }
    }
    snprintf(
        why, n,
        "is no plugin: it has no GOST note (GOST_PLUGIN() makes it; strip must keep .note.gost)");
    return GOST_EPROTO;
}
