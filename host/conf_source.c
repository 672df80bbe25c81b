/* conf_source.c - reading one configuration source: file, standard input, inline text, URL. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_load_internal.h"
#include "conf_parse.h"
#include "conf_text.h"
#include "conf_url.h"

enum format {
    FORMAT_JSON,
    FORMAT_YAML,
    FORMAT_OTHER, /* one that GOST reads and this program does not */
    FORMAT_UNKNOWN
};

/* The format that a file name extension names, case-sensitively as in GOST. */
static enum format format_of_extension(const char *ext)
{
    static const char *const others[] = {"toml",   "properties", "props", "prop", "hcl",
                                         "tfvars", "dotenv",     "env",   "ini"};
    if (strcmp(ext, "json") == 0)
        return FORMAT_JSON;
    if (strcmp(ext, "yaml") == 0 || strcmp(ext, "yml") == 0)
        return FORMAT_YAML;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(ext, others[i]) == 0)
            return FORMAT_OTHER;
    return FORMAT_UNKNOWN;
}

/* What follows the last dot of the last part of a path. */
static const char *extension(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash != NULL ? slash : path, '.');
    return dot != NULL ? dot + 1 : "";
}

/* Parses, normalises and joins one text. */
static void take_text(struct gh_loader *l, const char *data, size_t len, enum format format,
                      enum gh_rules rules, const char *name)
{
    struct gh_source *source = gh_source_new(name);
    if (source == NULL) {
        l->errs->no_memory = true;
        return;
    }
    struct gh_value *raw = format == FORMAT_JSON ? gh_json_parse(data, len, source, l->errs)
                                                 : gh_yaml_parse(data, len, source, l->errs);
    struct gh_normalise how = {.rules = rules,
                               .strict = l->cli->strict,
                               .compat_gost = l->cli->compat_gost,
                               .errs = l->errs};
    if (raw != NULL)
        gh_merge(l, gh_conf_normalise(gh_schema_root(), raw, &how));
    gh_value_free(raw);
    gh_source_unref(source);
}

/* Reads a descriptor to its end. False: reported. */
static bool read_all(struct gh_loader *l, int fd, const char *name, struct gh_text *text)
{
    char buf[16384];
    for (;;) {
        ssize_t n = read(fd, buf, sizeof(buf));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            gh_errors_add(l->errs, GH_ERROR, name, "cannot be read: %s", strerror(errno));
            return false;
        }
        if (n == 0)
            break;
        gh_text_add(text, buf, (size_t)n);
        if (text->failed || text->len > GH_PARSE_BYTES)
            break;
    }
    explicit_bzero(buf, sizeof(buf));
    gh_text_add(text, "", 0);
    if (text->failed)
        l->errs->no_memory = true;
    return !text->failed;
}

static bool check_format(struct gh_loader *l, enum format format, const char *path)
{
    if (format == FORMAT_JSON || format == FORMAT_YAML)
        return true;
    const char *ext = extension(path);
    gh_errors_add(l->errs, GH_ERROR, path, "%s \"%.20s\" %s; use .yaml, .yml or .json",
                  *ext != '\0' ? "configuration files of type" : "the name has no extension:",
                  *ext != '\0' ? ext : path,
                  format == FORMAT_OTHER ? "are not supported" : "tells no known format");
    return false;
}

void gh_read_file(struct gh_loader *l, const char *path)
{
    enum format format = format_of_extension(extension(path));
    struct gh_text text = {0};
    struct stat st;
    if (!check_format(l, format, path))
        return;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        gh_errors_add(l->errs, GH_ERROR, path, "cannot be opened: %s", strerror(errno));
    } else if (S_ISDIR(st.st_mode)) {
        gh_errors_add(l->errs, GH_ERROR, path, "is a directory; use --confdir for one");
    } else if (read_all(l, fd, path, &text)) {
        take_text(l, text.data, text.len, format, GH_RULES_FILE, path);
    }
    if (fd >= 0)
        close(fd);
    gh_text_free(&text);
}

static void read_stdin(struct gh_loader *l)
{
    static const char name[] = "standard input";
    struct gh_text text = {0};
    if (read_all(l, STDIN_FILENO, name, &text)) {
        if (text.len == 0)
            gh_errors_add(l->errs, GH_ERROR, name,
                          "is empty; it can be read only once, and not again by a reload");
        else
            take_text(l, text.data, text.len, text.data[0] == '{' ? FORMAT_JSON : FORMAT_YAML,
                      GH_RULES_FILE, name);
    }
    gh_text_free(&text);
}

static bool is_url(const char *text)
{
    const char *host = strncasecmp(text, "http://", 7) == 0    ? text + 7
                       : strncasecmp(text, "https://", 8) == 0 ? text + 8
                                                               : NULL;
    return host != NULL && *host != '\0' && *host != '/';
}

/* The format of a fetched document: its type, else the extension of the URL's path, else YAML. */
static enum format format_of_fetched(const char *url, const char *type)
{
    static const char *const yaml_types[] = {"application/yaml", "application/x-yaml", "text/yaml",
                                             "text/x-yaml"};
    if (type != NULL && strcasecmp(type, "application/json") == 0)
        return FORMAT_JSON;
    for (size_t i = 0; type != NULL && i < 4; i++)
        if (strcasecmp(type, yaml_types[i]) == 0)
            return FORMAT_YAML;
    size_t len = strcspn(url, "?#");
    if (len >= 5 && strncmp(url + len - 5, ".json", 5) == 0)
        return FORMAT_JSON;
    return FORMAT_YAML;
}

static void read_url(struct gh_loader *l, const char *url)
{
    char *name = gh_url_redacted(url);
    char why[256] = "";
    struct gh_fetched got = {0};
    if (name == NULL) {
        l->errs->no_memory = true;
        return;
    }
    if (l->hooks->fetch == NULL)
        gh_errors_add(l->errs, GH_ERROR, name,
                      "a configuration from a URL needs the http client component; install its "
                      "plugin, or fetch the file first");
    else if (l->hooks->fetch(l->hooks->ctx, url, &got, why, sizeof(why)) != 0)
        gh_errors_add(l->errs, GH_ERROR, name, "cannot be fetched: %s", why);
    else
        take_text(l, got.data, got.len, format_of_fetched(url, got.content_type), GH_RULES_FILE,
                  name);
    if (got.data != NULL)
        explicit_bzero(got.data, got.len);
    free(got.data);
    free(got.content_type);
    free(name);
}

/* A copy without blanks around. */
static char *trim(const char *text)
{
    while (*text == ' ' || (*text >= '\t' && *text <= '\r'))
        text++;
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == ' ' || (text[len - 1] >= '\t' && text[len - 1] <= '\r')))
        len--;
    return strndup(text, len);
}

void gh_read_source(struct gh_loader *l, const char *source, size_t number)
{
    char name[32];
    char *text = trim(source);
    if (text == NULL) {
        l->errs->no_memory = true;
        return;
    }
    size_t len = strlen(text);
    if (strcmp(text, "-") == 0) {
        read_stdin(l);
    } else if (len > 1 && text[0] == '{' && text[len - 1] == '}') {
        snprintf(name, sizeof(name), "-C #%zu", number);
        take_text(l, text, len, FORMAT_JSON, GH_RULES_JSON, name);
    } else if (text[0] == '{' && access(text, F_OK) < 0) { /* its text may hold a password */
        snprintf(name, sizeof(name), "-C #%zu", number);
        gh_errors_add(l->errs, GH_ERROR, name,
                      "inline JSON must end in \"}\", and there is no file of this name");
    } else if (is_url(text)) {
        read_url(l, text);
    } else if (len > 0) {
        gh_read_file(l, text);
    }
    explicit_bzero(text, len);
    free(text);
}
