/* fuzz_main.c - replays a corpus through a fuzz target where libFuzzer is not linked. */
/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed, unreadable;

/* A copy of exactly the file's size, so that a sanitizer sees reads behind it. */
static void replay_file(const char *path, size_t size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(size ? size : 1);

    if (f && data && size <= FILE_MAX && fread(data, 1, size, f) == size) {
        (void)LLVMFuzzerTestOneInput(data, size);
        replayed++;
    } else {
        fprintf(stderr, "%s cannot be read\n", path);
        unreadable++;
    }
    if (f)
        fclose(f);
    free(data);
}

static void replay(const char *path)
{
    struct dirent **entries = NULL;
    struct stat st;
    char below[4096];
    int i, n;

    if (stat(path, &st) < 0) {
        fprintf(stderr, "%s is not there\n", path);
        unreadable++;
        return;
    }
    if (!S_ISDIR(st.st_mode)) {
        replay_file(path, (size_t)st.st_size);
        return;
    }
    n = scandir(path, &entries, NULL, alphasort);
    for (i = 0; i < n; i++) {
        snprintf(below, sizeof below, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            replay(below);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++) {
        if (argv[i][0] != '-')
            replay(argv[i]);
    }
    printf("%u inputs replayed\n", replayed);
    return unreadable != 0;
}
