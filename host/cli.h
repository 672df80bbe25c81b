/* cli.h - the command line. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_CLI_H
#define GH_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A repeatable option: *borrowed* pointers into argv, in order. */
struct gh_cli_list {
    const char **items;
    size_t count;
};

/* What the process is asked to do. */
enum gh_cli_mode {
    GH_CLI_RUN,      /* serve */
    GH_CLI_HELP,     /* -h: usage on standard error, exit 0 */
    GH_CLI_VERSION,  /* -V, --version: one line on standard output, exit 0 */
    GH_CLI_OUTPUT,   /* -O: print the configuration, exit 0 */
    GH_CLI_CHECK,    /* --check: validate, exit 0 or 1 */
    GH_CLI_EXPLAIN,  /* --explain ADDRESS */
    GH_CLI_DESCRIBE, /* --describe [COMPONENT] */
    GH_CLI_LIST,     /* --list */
    GH_CLI_MAN       /* --man */
};

/* All strings are *borrowed* from argv; only the lists are owned. */
struct gh_cli {
    enum gh_cli_mode mode;
    struct gh_cli_list services;    /* -L */
    struct gh_cli_list nodes;       /* -F */
    struct gh_cli_list configs;     /* -C */
    struct gh_cli_list plugin_dirs; /* --plugin-dir */
    const char *output;             /* -O value, NULL if not given or empty */
    const char *api;                /* -api value, NULL if not given or empty */
    const char *metrics;            /* -metrics value, likewise */
    const char *confdir;            /* --confdir */
    const char *explain;            /* --explain ADDRESS */
    const char *from;               /* --from CLIENT */
    const char *describe;           /* --describe COMPONENT; NULL: all of them */
    int64_t reload_ns;              /* -R; 0: off */
    int64_t drain_ns;               /* --drain; 0: end at once */
    uint64_t memory_high;           /* --memory-high in bytes; 0: none */
    uint64_t memory_max;            /* --memory-max in bytes; 0: none */
    unsigned workers;               /* --workers; default: the number of cores, at most 256 */
    bool debug;                     /* -D */
    bool trace;                     /* -DD */
    bool strict;                    /* --strict: unknown keys are errors */
    bool json;                      /* --json */
    bool compat_gost;               /* --compat=gost */
};

enum gh_cli_arg {
    GH_ARG_NONE,     /* a switch: -x, -x=false */
    GH_ARG_REQUIRED, /* -x value, -x=value */
    GH_ARG_OPTIONAL  /* -x, -x=value, or -x value when the value does not begin with '-' */
};

/* One row of the option table, from which usage text and manual page are made. */
struct gh_cli_option {
    const char *name; /* without dashes */
    enum gh_cli_arg arg;
    const char *value; /* the name of the argument: "ADDR"; NULL for switches */
    const char *help;  /* one line */
};

/* The option table; `*ret_count` rows. Static. */
const struct gh_cli_option *gh_cli_options(size_t *ret_count);

/* The outcome of gh_cli_parse(). */
enum {
    GH_CLI_OK = 0,
    GH_CLI_USAGE = -2 /* a wrong flag: message and usage are already on `err`; exit with 2 */
};

/* Parses the command line as Go's flag package does: one or two dashes, "=" or the next argument,
 * ends at "--" or at the first argument that is no flag. `*ret_cli` is set in every case and must
 * be given to gh_cli_free(). [main] */
int gh_cli_parse(int argc, char **argv, struct gh_cli *ret_cli, FILE *err);

void gh_cli_free(struct gh_cli *cli);

/* Prints the usage text made from the option table. */
void gh_cli_usage(FILE *to);

/* Prints "gost-host VERSION (...)" and a newline. */
void gh_cli_version(FILE *to, const char *version);

#endif
