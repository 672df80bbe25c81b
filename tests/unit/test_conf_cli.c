/* test_conf_cli - recorded command lines and what they must print. */
/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../host/cli.h"
#include "../../host/conf_emit.h"
#include "../../host/conf_load.h"

enum { ARGS_MAX = 32 };

/* How a recorded case is judged where the plain comparison does not apply. */
enum judgement {
    SAME,    /* same standard output, same exit status, and a message when that is not 0 */
    COMPAT,  /* the same, with --compat=gost */
    LATER,   /* the configuration is fine; what fails or runs comes later */
    REFUSED, /* gost goes on, this program refuses, and --compat=gost loads it */
    LOADED,  /* gost refuses, this program loads it */
    VERSION  /* prints its own name */
};

static const struct {
    const char *name;
    enum judgement judgement;
    const char *why;
} special[] = {
    {"three-parts", COMPAT, NULL},
    {"unknown-schemes", COMPAT, NULL},
    {"error-address-in-use", LATER, "the address is bound later"},
    {"error-handler-unknown", LATER, "plugins are looked up later"},
    {"error-listener-unknown", LATER, "plugins are looked up later"},
    {"error-mux-bad-version", LATER, "options of components are checked later"},
    {"error-ss-bad-method", LATER, "options of components are checked later"},
    {"error-ss-no-auth", LATER, "options of components are checked later"},
    {"error-tls-bad-file", LATER, "certificates are read later"},
    {"signal-sighup", LATER, "it runs"},
    {"signal-sigint", LATER, "it runs"},
    {"signal-sigterm", LATER, "it runs"},
    {"error-bad-port", REFUSED, NULL},
    {"selector", LOADED, NULL},
    {"error-version", VERSION, NULL},
};

/* One recorded case. Strings point into `text`. */
struct record {
    char *text;
    char *argv[ARGS_MAX];
    int argc;
    char *env[8];
    int env_count;
    const char *exit_status;
    char *out;
    char *in;
};

static int tests, failures;

static void result(bool ok, const char *name, const char *note)
{
    printf("%sok %d - %s%s%s\n", ok ? "" : "not ", ++tests, name, note != NULL ? ": " : "",
           note != NULL ? note : "");
    failures += !ok;
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    char *text = NULL;
    if (f == NULL || fstat(fileno(f), &st) != 0 || (text = malloc((size_t)st.st_size + 1)) == NULL)
        abort();
    size_t n = fread(text, 1, (size_t)st.st_size, f);
    text[n] = '\0';
    fclose(f);
    return text;
}

/* A section ends with one empty line when another one follows. */
static void end_section(char *start, char *end, bool more)
{
    if (start == NULL)
        return;
    *end = '\0';
    size_t len = strlen(start);
    if (more && len > 0 && start[len - 1] == '\n')
        start[len - 1] = '\0';
}

static void parse_sections(struct record *r, char *p)
{
    char *current = NULL;
    while (p != NULL && *p != '\0') {
        char *end = strchr(p, '\n');
        if (strncmp(p, "--- ", 4) == 0) {
            char *body = end != NULL ? end + 1 : p + strlen(p);
            if (strncmp(p, "--- stdout", 10) == 0)
                r->out = body;
            else if (strncmp(p, "--- stdin", 9) == 0)
                r->in = body;
            end_section(current, p, true);
            current = body;
        }
        p = end != NULL ? end + 1 : NULL;
    }
}

static void parse_record(struct record *r, char *text)
{
    static char program[] = "gost-host", none[] = "";
    *r = (struct record){.text = text, .exit_status = "", .out = none};
    r->argv[r->argc++] = program;
    char *p = text;
    while (strncmp(p, "# ", 2) == 0) {
        char *end = strchr(p, '\n');
        if (end == NULL)
            return;
        *end = '\0';
        if (strncmp(p, "# arg: ", 7) == 0 && r->argc < ARGS_MAX - 2)
            r->argv[r->argc++] = p + 7;
        else if (strncmp(p, "# env: ", 7) == 0 && r->env_count < 8)
            r->env[r->env_count++] = p + 7;
        else if (strncmp(p, "# exit: ", 8) == 0)
            r->exit_status = p + 8;
        p = end + 1;
    }
    parse_sections(r, p);
}

static int print_conf(const struct gh_cli *cli, const struct gh_conf *conf)
{
    struct gh_text text = {0};
    if (strcmp(cli->output, "json") == 0)
        gh_emit_json(&text, gh_schema_root(), gh_conf_root(conf), GH_JSON_INDENT);
    else
        gh_emit_yaml(&text, gh_schema_root(), gh_conf_root(conf));
    if (text.failed)
        return 1;
    fwrite(text.data, 1, text.len, stdout);
    gh_text_free(&text);
    return 0;
}

/* The configuration front as the program has it. */
static int front(int argc, char **argv)
{
    struct gh_cli cli;
    struct gh_conf *conf = NULL;
    struct gh_conf_errors errs = {0};
    int status = 0;
    if (gh_cli_parse(argc, argv, &cli, stderr) != GH_CLI_OK) {
        status = 2;
    } else if (cli.mode == GH_CLI_HELP) {
        gh_cli_usage(stderr);
    } else if (cli.mode == GH_CLI_VERSION) {
        gh_cli_version(stdout, "0.1");
    } else {
        if (gh_conf_load(&cli, NULL, &conf, &errs) != 0)
            status = 1;
        else if (cli.mode == GH_CLI_OUTPUT)
            status = print_conf(&cli, conf);
        gh_errors_print(&errs, stderr);
    }
    gh_errors_free(&errs);
    gh_conf_unref(conf);
    gh_cli_free(&cli);
    return status;
}

static void redirect(const char *path, int flags, int to)
{
    int fd = open(path, flags, 0600);
    if (fd < 0 || dup2(fd, to) < 0)
        _exit(99);
    close(fd);
}

/* Runs the front in a child, in the scratch directory. The exit status. */
static int run(struct record *r, bool compat)
{
    static char flag[] = "--compat=gost";
    FILE *in = fopen("stdin", "wb");
    if (in == NULL)
        abort();
    if (r->in != NULL)
        fputs(r->in, in);
    fclose(in);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        redirect("stdin", O_RDONLY, 0);
        redirect("stdout", O_WRONLY | O_CREAT | O_TRUNC, 1);
        redirect("stderr", O_WRONLY | O_CREAT | O_TRUNC, 2);
        for (int i = 0; i < r->env_count; i++)
            putenv(r->env[i]);
        char *argv[ARGS_MAX + 1];
        int argc = 0;
        argv[argc++] = r->argv[0];
        if (compat)
            argv[argc++] = flag;
        for (int i = 1; i < r->argc; i++)
            argv[argc++] = r->argv[i];
        argv[argc] = NULL;
        int status = front(argc, argv);
        exit(status);
    }
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static enum judgement judgement_of(const char *name, const char **ret_why)
{
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        if (strcmp(special[i].name, name) == 0) {
            *ret_why = special[i].why;
            return special[i].judgement;
        }
    }
    *ret_why = NULL;
    return SAME;
}

static void check_same(struct record *r, const char *name, bool compat)
{
    char note[64];
    int status = run(r, compat);
    char *out = read_file("stdout");
    char *err = read_file("stderr");
    char expected[16];
    snprintf(expected, sizeof(expected), "%d", status);
    /* A record without text keeps the empty line of an empty section. */
    const char *want = strcmp(r->out, "\n") == 0 ? "" : r->out;
    bool same = strcmp(out, want) == 0;
    bool status_same = strcmp(expected, r->exit_status) == 0;
    bool told = status == 0 || *err != '\0';
    snprintf(note, sizeof(note), "exit %d instead of %s", status, r->exit_status);
    result(same && status_same && told, name,
           !status_same ? note
           : !same      ? "other output"
           : !told      ? "no message"
                        : NULL);
    if (!same)
        printf("# got:\n%s# standard error:\n%s", out, err);
    free(out);
    free(err);
}

static void check(const char *dir, const char *file)
{
    char path[4608], name[128];
    const char *why;
    snprintf(path, sizeof(path), "%.4090s/%.255s", dir, file);
    snprintf(name, sizeof(name), "%.*s", (int)(strlen(file) - 4), file);
    struct record r;
    parse_record(&r, read_file(path));
    switch (judgement_of(name, &why)) {
    case SAME:
        check_same(&r, name, false);
        break;
    case COMPAT:
        check_same(&r, name, true);
        snprintf(path, sizeof(path), "%s is refused without --compat=gost", name);
        result(run(&r, false) == 1, path, NULL);
        break;
    case LATER:
        snprintf(path, sizeof(path), "%s loads (%s)", name, why);
        result(run(&r, false) == 0, path, NULL);
        break;
    case REFUSED:
        snprintf(path, sizeof(path), "%s is refused, and loads with --compat=gost", name);
        result(run(&r, false) == 1 && run(&r, true) == 0, path, NULL);
        break;
    case LOADED:
        snprintf(path, sizeof(path), "%s loads", name);
        result(run(&r, false) == 0, path, NULL);
        break;
    case VERSION: {
        int status = run(&r, false);
        char *out = read_file("stdout");
        result(status == 0 && strncmp(out, "gost-host 0.1 (", 15) == 0, name, NULL);
        free(out);
        break;
    }
    }
    free(r.text);
}

static int is_record(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 4 && strcmp(entry->d_name + len - 4, ".txt") == 0;
}

int main(int argc, char **argv)
{
    const char *srcdir = getenv("TOP_SRCDIR");
    char dir[4096], real[4097], scratch[] = P_tmpdir "/test-conf-cli.XXXXXX";
    snprintf(dir, sizeof(dir), "%s/tests/data/cli", srcdir != NULL ? srcdir : ".");
    if (realpath(argc > 1 ? argv[1] : dir, real) == NULL || mkdtemp(scratch) == NULL ||
        chdir(scratch) != 0) {
        printf("Bail out! %s: %s\n", dir, strerror(errno));
        return 1;
    }
    static const char *const cleared[] = {"GOST_LOGGER_LEVEL", "GOST_API", "GOST_METRICS",
                                          "GOST_PROFILING", "_GOST_ID"};
    for (size_t i = 0; i < sizeof(cleared) / sizeof(cleared[0]); i++)
        unsetenv(cleared[i]);
    setenv("HOME", scratch, 1);
    struct dirent **entries = NULL;
    int count = scandir(real, &entries, is_record, alphasort);
    for (int i = 0; i < count; i++) {
        check(real, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    unlink("stdin");
    unlink("stdout");
    unlink("stderr");
    if (chdir("/") != 0 || rmdir(scratch) != 0)
        failures++;
    result(count > 50, "there are records", NULL);
    printf("1..%d\n", tests);
    return failures != 0;
}
