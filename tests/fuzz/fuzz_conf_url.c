/* fuzz_conf_url - the URL grammar of -L and -F. One URL a line; those of -F begin with "F ". */
/* SPDX-License-Identifier: MIT */
/* covers: host/conf_url.c host/conf_gourl.c host/conf_url_params.c host/conf_url_service.c */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../host/conf_emit.h"
#include "../../host/conf_parse.h"
#include "../../host/conf_url.h"

enum { URLS_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether a port range is so large that building its services would take all the time. */
static int has_large_range(const char *text)
{
    for (const char *p = strchr(text, '-'); p != NULL; p = strchr(p + 1, '-'))
        if (strspn(p + 1, "0123456789") > 3)
            return 1;
    return 0;
}

/* What was built must be printable, and readable again. */
static void check_output(const struct gh_value *conf, struct gh_source *source)
{
    struct gh_text out = {0};
    struct gh_conf_errors errs = {0};
    gh_emit_yaml(&out, gh_schema_root(), conf);
    if (out.failed)
        abort();
    struct gh_value *again = gh_yaml_parse(out.data, out.len, source, &errs);
    /* Bytes that are no text are printed with a tag that the parser does not read. */
    if (again == NULL && strstr(out.data, "!!binary") == NULL)
        abort();
    gh_value_free(again);
    gh_text_free(&out);
    gh_emit_json(&out, gh_schema_root(), conf, GH_JSON_INDENT);
    again = gh_json_parse(out.data, out.len, source, &errs);
    if (again == NULL)
        abort();
    gh_value_free(again);
    gh_text_free(&out);
    gh_errors_free(&errs);
}

static void build(const char **services, size_t service_count, const char **nodes,
                  size_t node_count, bool compat)
{
    struct gh_url_rules rules = {.compat_gost = compat, .target_prefix = "go-1@"};
    struct gh_conf_errors errs = {0};
    struct gh_value *conf =
        gh_conf_from_urls(services, service_count, nodes, node_count, &rules, &errs);
    struct gh_source *source = gh_source_new("fuzz");
    if (conf == NULL && !gh_errors_failed(&errs))
        abort();
    if (conf != NULL)
        check_output(conf, source);
    gh_source_unref(source);
    gh_value_free(conf);
    gh_errors_free(&errs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *services[URLS_MAX], *nodes[URLS_MAX];
    size_t service_count = 0, node_count = 0;
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (!has_large_range(text)) {
        char *rest = text, *line;
        while ((line = strsep(&rest, "\n")) != NULL) {
            if (strncmp(line, "F ", 2) == 0 && node_count < URLS_MAX)
                nodes[node_count++] = line + 2;
            else if (service_count < URLS_MAX)
                services[service_count++] = line;
        }
        build(services, service_count, nodes, node_count, false);
        build(services, service_count, nodes, node_count, true);
        free(gh_url_redacted(text));
        gh_value_free(gh_conf_from_address(text, size % 2 == 0));
    }
    free(text);
    return 0;
}
