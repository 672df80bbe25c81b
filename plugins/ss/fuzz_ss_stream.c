/* fuzz_ss_stream.c - streams from strangers and peers, in pieces that the data determines. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "../../sdk/testkit/kit.h"

#define PSK "AAECAwQFBgcICQoLDA0ODw=="

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct gost_plugin gost_plugin_v1;

/* Without a cipher everything behind the boxes is reached; with one, what comes before. */
static const struct {
    enum gost_kind kind;
    const char *name, *options;
} runs[] = {
    {GOST_KIND_HANDLER, "ss", "auth.username=none"},
    {GOST_KIND_HANDLER, "ssu", "auth.username=none"},
    {GOST_KIND_CONNECTOR, "ss", "auth.username=none"},
    {GOST_KIND_CONNECTOR, "ssu", "auth.username=none"},
    {GOST_KIND_HANDLER, "ss", "auth.username=aes-128-gcm auth.password=secret"},
    {GOST_KIND_HANDLER, "ss", "auth.username=2022-blake3-aes-128-gcm auth.password=" PSK},
    {GOST_KIND_CONNECTOR, "ss", "auth.username=2022-blake3-aes-128-gcm auth.password=" PSK},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gost_kit *kit;
    char why[256];
    size_t run;

    if (!kit)
        kit = gost_kit_new(&gost_plugin_v1, why, sizeof why);
    if (!kit) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
    if (size == 0)
        return 0;
    run = data[0] % (sizeof runs / sizeof *runs);
    return gost_kit_fuzz(kit, runs[run].kind, runs[run].name, runs[run].options, data + 1,
                         size - 1);
}
