/* fuzz_conf_yaml - YAML to a configuration and back. */
/* SPDX-License-Identifier: MIT */
/* covers: host/conf_yaml.c host/conf_tree.c host/conf_schema.c host/conf_emit.c
 * host/conf_emit_scalar.c */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../host/conf_emit.h"
#include "../../host/conf_parse.h"
#include "../../host/conf_schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads a text into a checked configuration. NULL: it was refused, and something says why. */
static struct gh_value *read_conf(const char *data, size_t size, enum gh_rules rules)
{
    struct gh_conf_errors errs = {0};
    struct gh_source *source = gh_source_new("fuzz");
    struct gh_normalise how = {.rules = rules, .errs = &errs};
    struct gh_value *raw = gh_yaml_parse(data, size, source, &errs);
    struct gh_value *conf = raw != NULL ? gh_conf_normalise(gh_schema_root(), raw, &how) : NULL;
    if (conf == NULL && !gh_errors_failed(&errs))
        abort();
    if (conf != NULL)
        gh_conf_check(conf, size % 2 == 0, &errs);
    gh_value_free(raw);
    gh_source_unref(source);
    gh_errors_free(&errs);
    return conf;
}

static struct gh_text print(const struct gh_value *conf)
{
    struct gh_text out = {0};
    gh_emit_yaml(&out, gh_schema_root(), conf);
    if (out.failed)
        abort();
    return out;
}

/* Reads what was printed, which must be possible, and prints it again. Takes `text` over. */
static struct gh_text print_again(struct gh_text text)
{
    struct gh_value *again = read_conf(text.data, text.len, GH_RULES_FILE);
    if (again == NULL)
        abort();
    struct gh_text out = print(again);
    gh_value_free(again);
    gh_text_free(&text);
    return out;
}

/* Printing and reading must come to rest. The first round may still lose empty objects. */
static void check_again(const struct gh_value *conf)
{
    struct gh_text once = print_again(print(conf));
    struct gh_text copy = {0};
    gh_text_add(&copy, once.data, once.len);
    struct gh_text twice = print_again(copy);
    if (once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0)
        abort();
    gh_text_free(&once);
    gh_text_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gh_value *conf = read_conf((const char *)data, size, GH_RULES_FILE);
    if (conf != NULL)
        check_again(conf);
    gh_value_free(conf);
    return 0;
}
