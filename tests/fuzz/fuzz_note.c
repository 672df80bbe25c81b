/* fuzz_note - plugin files that nobody has vouched for: headers, note and exported names. */
/* SPDX-License-Identifier: MIT */
/* covers: sdk/loader/elf.c sdk/loader/note.c */
#include <stdlib.h>

#include "../../sdk/loader/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *arg, const char *name)
{
    *(size_t *)arg += strlen(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ge_file file = ge_file_memory(data, size);
    struct ge_note_word word;
    struct ge_elf elf;
    char why[200] = "", *note = malloc(GE_NOTE_MAX);
    const char *text = note;
    size_t total = 0;

    if (note && ge_elf_open(&elf, &file, why, sizeof why) == GOST_OK) {
        ge_elf_exports(&elf, count, &total);
        if (ge_note_read(&elf, note, why, sizeof why) == GOST_OK) {
            while (ge_note_next(&text, &word) == GOST_OK)
                total += word.n;
            if (*text && text[strspn(text, " ")])
                abort(); /* ge_note_read() takes sound notes only */
        } else if (!why[0]) {
            abort(); /* refused without a reason */
        }
    }
    free(note);
    return 0;
}
