/* cli.c - the command line. */
/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "conf_errors.h"
#include "conf_number.h"

enum { WORKERS_MAX = 256, MEMORY_LEAST = 1024 * 1024 };

/* What an option does with its value; order and meaning as in the table. */
enum option_id {
    OPT_SERVICE,
    OPT_NODE,
    OPT_CONFIG,
    OPT_OUTPUT,
    OPT_API,
    OPT_METRICS,
    OPT_RELOAD,
    OPT_DEBUG,
    OPT_TRACE,
    OPT_CONFDIR,
    OPT_PLUGIN_DIR,
    OPT_WORKERS,
    OPT_DRAIN,
    OPT_MEMORY_HIGH,
    OPT_MEMORY_MAX,
    OPT_STRICT,
    OPT_COMPAT,
    OPT_CHECK,
    OPT_EXPLAIN,
    OPT_FROM,
    OPT_DESCRIBE,
    OPT_LIST,
    OPT_JSON,
    OPT_MAN,
    OPT_VERSION,
    OPT_VERSION_LONG,
    OPT_HELP,
    OPT_HELP_LONG,
    OPT_COUNT
};

static const struct gh_cli_option options[OPT_COUNT] = {
    [OPT_SERVICE] = {"L", GH_ARG_REQUIRED, "URL", "one service; may be repeated"},
    [OPT_NODE] = {"F", GH_ARG_REQUIRED, "URL", "one hop of the chain, in order; may be repeated"},
    [OPT_CONFIG] =
        {"C", GH_ARG_REQUIRED, "SOURCE",
         "configuration: file, URL, {inline JSON} or - (standard input); may be repeated"},
    [OPT_OUTPUT] = {"O", GH_ARG_REQUIRED, "FORMAT",
                    "print the configuration as yaml or json and exit"},
    [OPT_API] = {"api", GH_ARG_REQUIRED, "ADDR", "serve the admin API at this address"},
    [OPT_METRICS] = {"metrics", GH_ARG_REQUIRED, "ADDR", "serve metrics at this address"},
    [OPT_RELOAD] = {"R", GH_ARG_REQUIRED, "DURATION",
                    "reload periodically (for instance 30s or 1m)"},
    [OPT_DEBUG] = {"D", GH_ARG_NONE, NULL, "log at level debug"},
    [OPT_TRACE] = {"DD", GH_ARG_NONE, NULL, "log at level trace"},
    [OPT_CONFDIR] =
        {"confdir", GH_ARG_REQUIRED, "DIR",
         "read all *.yml, *.yaml and *.json of this directory, in the order of their names"},
    [OPT_PLUGIN_DIR] = {"plugin-dir", GH_ARG_REQUIRED, "DIR",
                        "look for plugins here; may be repeated"},
    [OPT_WORKERS] = {"workers", GH_ARG_REQUIRED, "N",
                     "number of threads that serve (default: the number of cores)"},
    [OPT_DRAIN] = {"drain", GH_ARG_REQUIRED, "DURATION",
                   "at the end wait this long for live connections"},
    [OPT_MEMORY_HIGH] = {"memory-high", GH_ARG_REQUIRED, "SIZE",
                         "let new connections wait above this much memory (for instance 200MB)"},
    [OPT_MEMORY_MAX] =
        {"memory-max", GH_ARG_REQUIRED, "SIZE",
         "end idle connections, the oldest first, above this much (default: 1/8 above the other)"},
    [OPT_STRICT] = {"strict", GH_ARG_NONE, NULL, "treat unknown keys as errors"},
    [OPT_COMPAT] = {"compat", GH_ARG_REQUIRED, "gost",
                    "accept what gost accepts by accident, with a warning"},
    [OPT_CHECK] = {"check", GH_ARG_NONE, NULL, "validate the configuration and exit"},
    [OPT_EXPLAIN] = {"explain", GH_ARG_REQUIRED, "ADDRESS",
                     "tell which way a connection to this address would take, and exit"},
    [OPT_FROM] = {"from", GH_ARG_REQUIRED, "CLIENT",
                  "whose connection --explain is about: IP or user@IP (default: 127.0.0.1)"},
    [OPT_DESCRIBE] = {"describe", GH_ARG_OPTIONAL, "COMPONENT",
                      "describe a component and its options, or all of them, and exit"},
    [OPT_LIST] = {"list", GH_ARG_NONE, NULL, "list the plugins and their components, and exit"},
    [OPT_JSON] = {"json", GH_ARG_NONE, NULL, "print --explain, --describe and --list as JSON"},
    [OPT_MAN] = {"man", GH_ARG_NONE, NULL, "print the manual page and exit"},
    [OPT_VERSION] = {"V", GH_ARG_NONE, NULL, "print the version and exit"},
    [OPT_VERSION_LONG] = {"version", GH_ARG_NONE, NULL, "print the version and exit"},
    [OPT_HELP] = {"h", GH_ARG_NONE, NULL, "print this text and exit"},
    [OPT_HELP_LONG] = {"help", GH_ARG_NONE, NULL, "print this text and exit"},
};

struct parser {
    struct gh_cli *cli;
    FILE *err;
    bool version; /* what was asked for, by precedence below */
    bool check;
    bool list;
    bool man;
    bool describe;
    bool help;
};

const struct gh_cli_option *gh_cli_options(size_t *ret_count)
{
    *ret_count = OPT_COUNT;
    return options;
}

void gh_cli_usage(FILE *to)
{
    fprintf(to, "Usage of gost-host:\n");
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const struct gh_cli_option *o = &options[i];
        const char *dash = strlen(o->name) > 2 ? "--" : "-";
        if (o->arg == GH_ARG_NONE)
            fprintf(to, "  %s%s\n", dash, o->name);
        else if (o->arg == GH_ARG_OPTIONAL)
            fprintf(to, "  %s%s [%s]\n", dash, o->name, o->value);
        else
            fprintf(to, "  %s%s %s\n", dash, o->name, o->value);
        fprintf(to, "        %s\n", o->help);
    }
    fprintf(to, "Several command lines, separated by \" -- \", are run as one process each.\n");
}

void gh_cli_version(FILE *to, const char *version)
{
#if defined(__x86_64__)
    const char *arch = "amd64";
#elif defined(__aarch64__)
    const char *arch = "arm64";
#elif defined(__i386__)
    const char *arch = "386";
#elif defined(__arm__)
    const char *arch = "arm";
#elif defined(__riscv)
    const char *arch = "riscv64";
#else
    const char *arch = "unknown";
#endif
    fprintf(to, "gost-host %s (C11 linux/%s)\n", version, arch);
}

static bool list_add(struct gh_cli_list *list, const char *item)
{
    const char **items = reallocarray(list->items, list->count + 1, sizeof(*items));
    if (items == NULL)
        return false;
    list->items = items;
    items[list->count++] = item;
    return true;
}

static const char *or_null(const char *value)
{
    return *value != '\0' ? value : NULL;
}

/* Sets a switch. False: `value` is no truth value. */
static bool apply_switch(struct parser *p, enum option_id id, bool on)
{
    bool *target = NULL;
    switch (id) {
    case OPT_DEBUG:
        target = &p->cli->debug;
        break;
    case OPT_TRACE:
        target = &p->cli->trace;
        break;
    case OPT_STRICT:
        target = &p->cli->strict;
        break;
    case OPT_JSON:
        target = &p->cli->json;
        break;
    case OPT_CHECK:
        target = &p->check;
        break;
    case OPT_LIST:
        target = &p->list;
        break;
    case OPT_MAN:
        target = &p->man;
        break;
    case OPT_VERSION:
    case OPT_VERSION_LONG:
        target = &p->version;
        break;
    case OPT_HELP:
    case OPT_HELP_LONG:
        target = &p->help;
        break;
    default:
        return false;
    }
    *target = on;
    return true;
}

static bool parse_workers(struct gh_cli *cli, const char *value)
{
    int64_t n;
    if (!gh_parse_int(value, 10, &n) || n < 1 || n > WORKERS_MAX)
        return false;
    cli->workers = (unsigned)n;
    return true;
}

#define MEMORY_REMEDY "write a size of at least 1MB, such as 200MB"

/* A number of bytes, or of KB, MB or GB. */
static bool parse_memory(const char *text, uint64_t *ret_bytes)
{
    static const char *const units[] = {"", "KB", "MB", "GB"};
    char number[16];
    size_t n = strspn(text, "0123456789"), unit = 0;
    int64_t value;

    snprintf(number, sizeof number, "%.*s", (int)n, text);
    while (unit < sizeof units / sizeof units[0] && strcasecmp(units[unit], text + n) != 0)
        unit++;
    if (n == 0 || n > 12 || unit == sizeof units / sizeof units[0] ||
        !gh_parse_int(number, 10, &value))
        return false;
    *ret_bytes = (uint64_t)value << (10 * unit);
    return *ret_bytes >= MEMORY_LEAST;
}

/* Takes a value over. NULL: done; otherwise what is wrong with it. */
static const char *apply_value(struct parser *p, enum option_id id, const char *value)
{
    struct gh_cli *cli = p->cli;
    bool ok = true;
    switch (id) {
    case OPT_SERVICE:
        ok = list_add(&cli->services, value);
        break;
    case OPT_NODE:
        ok = list_add(&cli->nodes, value);
        break;
    case OPT_CONFIG:
        ok = list_add(&cli->configs, value);
        break;
    case OPT_PLUGIN_DIR:
        ok = list_add(&cli->plugin_dirs, value);
        break;
    case OPT_OUTPUT:
        cli->output = or_null(value);
        break;
    case OPT_API:
        cli->api = or_null(value);
        break;
    case OPT_METRICS:
        cli->metrics = or_null(value);
        break;
    case OPT_CONFDIR:
        cli->confdir = or_null(value);
        break;
    case OPT_EXPLAIN:
        cli->explain = value;
        break;
    case OPT_FROM:
        cli->from = value;
        break;
    case OPT_DESCRIBE:
        cli->describe = or_null(value);
        break;
    case OPT_RELOAD:
        return gh_parse_duration(value, &cli->reload_ns) ? NULL
                                                         : "write a duration such as 30s or 1m";
    case OPT_DRAIN:
        if (!gh_parse_duration(value, &cli->drain_ns) || cli->drain_ns < 0)
            return "write a duration such as 30s or 1m";
        return NULL;
    case OPT_MEMORY_HIGH:
        return parse_memory(value, &cli->memory_high) ? NULL : MEMORY_REMEDY;
    case OPT_MEMORY_MAX:
        return parse_memory(value, &cli->memory_max) ? NULL : MEMORY_REMEDY;
    case OPT_WORKERS:
        return parse_workers(cli, value) ? NULL : "write a number from 1 to 256";
    case OPT_COMPAT:
        cli->compat_gost = strcmp(value, "gost") == 0;
        return cli->compat_gost ? NULL : "the only value is gost";
    default:
        break;
    }
    return ok ? NULL : "out of memory";
}

/* The option of that name, -1: none. */
static int find_option(const char *name, size_t len)
{
    for (int i = 0; i < OPT_COUNT; i++)
        if (strlen(options[i].name) == len && memcmp(options[i].name, name, len) == 0)
            return i;
    return -1;
}

static int usage_error(struct parser *p, const char *fmt, const char *a, const char *b,
                       const char *why)
{
    fprintf(p->err, "%s", fmt);
    if (a != NULL)
        fprintf(p->err, " \"%s\" for flag", a);
    fprintf(p->err, "%s%s%s\n", a != NULL ? " -" : " -", b, why != NULL ? why : "");
    gh_cli_usage(p->err);
    return GH_CLI_USAGE;
}

static int unknown_option(struct parser *p, const char *name)
{
    struct gh_suggest suggest;
    char hint[64];
    gh_suggest_start(&suggest, name);
    for (size_t i = 0; i < OPT_COUNT && strlen(name) > 2; i++)
        gh_suggest_offer(&suggest, options[i].name);
    return usage_error(p, "flag provided but not defined:", NULL, name,
                       gh_suggest_text(&suggest, hint, sizeof(hint)));
}

/* Parses the option at argv[*at] and moves *at behind it and its value. */
static int parse_option(struct parser *p, int argc, char **argv, int *at)
{
    const char *arg = argv[(*at)++];
    const char *name = arg + (arg[1] == '-' ? 2 : 1);
    size_t len = strcspn(name, "=");
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    if (len == 0 || *name == '-') {
        fprintf(p->err, "bad flag syntax: %s\n", arg);
        gh_cli_usage(p->err);
        return GH_CLI_USAGE;
    }
    int id = find_option(name, len);
    if (id < 0)
        return unknown_option(p, name);
    const struct gh_cli_option *option = &options[id];
    if (option->arg == GH_ARG_NONE) {
        bool on = true;
        if (value != NULL && !gh_parse_bool(value, &on))
            return usage_error(p, "invalid boolean value", value, option->name,
                               ": write true or false");
        apply_switch(p, (enum option_id)id, on);
        return GH_CLI_OK;
    }
    p->describe |= id == OPT_DESCRIBE;
    bool take = option->arg == GH_ARG_REQUIRED || (*at < argc && argv[*at][0] != '-');
    if (value == NULL && *at < argc && take)
        value = argv[(*at)++];
    if (value == NULL && option->arg == GH_ARG_OPTIONAL)
        return GH_CLI_OK;
    if (value == NULL)
        return usage_error(p, "flag needs an argument:", NULL, option->name, NULL);
    const char *why = apply_value(p, (enum option_id)id, value);
    if (why == NULL)
        return GH_CLI_OK;
    char text[80];
    snprintf(text, sizeof(text), ": %s", why);
    return usage_error(p, "invalid value", value, option->name, text);
}

static enum gh_cli_mode choose_mode(const struct parser *p)
{
    if (p->version)
        return GH_CLI_VERSION;
    if (p->man)
        return GH_CLI_MAN;
    if (p->list)
        return GH_CLI_LIST;
    if (p->describe)
        return GH_CLI_DESCRIBE;
    if (p->cli->output != NULL)
        return GH_CLI_OUTPUT;
    if (p->check)
        return GH_CLI_CHECK;
    return p->cli->explain != NULL ? GH_CLI_EXPLAIN : GH_CLI_RUN;
}

static unsigned default_workers(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (unsigned)cores;
}

int gh_cli_parse(int argc, char **argv, struct gh_cli *ret_cli, FILE *err)
{
    struct parser p = {.cli = ret_cli, .err = err};
    *ret_cli = (struct gh_cli){.workers = default_workers()};
    int at = 1;
    while (at < argc && argv[at][0] == '-' && argv[at][1] != '\0' && strcmp(argv[at], "--") != 0) {
        int rc = parse_option(&p, argc, argv, &at);
        if (rc != GH_CLI_OK)
            return rc;
        if (p.help) {
            ret_cli->mode = GH_CLI_HELP;
            return GH_CLI_OK;
        }
    }
    if (at < argc && argv[at][0] != '-')
        fprintf(err, "warning: \"%s\" and everything after it is ignored: it is no flag\n",
                argv[at]);
    ret_cli->mode = choose_mode(&p);
    return GH_CLI_OK;
}

void gh_cli_free(struct gh_cli *cli)
{
    free(cli->services.items);
    free(cli->nodes.items);
    free(cli->configs.items);
    free(cli->plugin_dirs.items);
    *cli = (struct gh_cli){0};
}
