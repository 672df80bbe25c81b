/* plugin_check.c - gost-plugin-check: judges a plugin file, alone and with transcripts. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit_internal.h"

static unsigned seconds_max = 120; /* for one group of checks */

static const char usage[] =
    "usage: gost-plugin-check [--json] [--seconds N] FILE.so [TRANSCRIPT...]\n"
    "       gost-plugin-check --man FILE.so\n"
    "       gost-plugin-check --conf-snippet FILE.so\n"
    "Checks a plugin of gost-host and plays transcripts in every way a host may. Prints TAP, or "
    "JSON.\n"
    "Exit status: 0 all is well, 1 something is not, 2 it was called wrongly.\n";

/* ---- results, in the parent ---- */

struct report {
    int json;
    unsigned count, failed;
};

static void show(struct report *r, const char *check, const char *why, int skip)
{
    int good = skip || !why;

    r->count++;
    r->failed += !good;
    if (r->json) {
        printf("%s\n    {\"name\": ", r->count > 1 ? "," : "");
        ge_json_string(stdout, check);
        printf(", \"ok\": %s, \"skipped\": %s, \"why\": ", good ? "true" : "false",
               skip ? "true" : "false");
        ge_json_string(stdout, why);
        putchar('}');
    } else if (skip) {
        printf("ok %u - %s # SKIP %s\n", r->count, check, why);
    } else {
        printf("%sok %u - %s\n", good ? "" : "not ", r->count, check);
        if (why)
            printf("# %s\n", why);
    }
    fflush(stdout);
}

static void direct_begin(struct kit_grade *g, const char *check)
{
    (void)check; /* the parent runs nothing that could crash */
}

static void direct_result(struct kit_grade *g, const char *check, const char *why, int skip)
{
    show(g->arg, check, why, skip);
}

/* ---- results of a child come through a pipe, one line each: kind, check, why ---- */

static void put_line(FILE *to, const char *kind, const char *check, const char *why)
{
    fprintf(to, "%s\t%s\t", kind, check);
    for (; why && *why; why++)
        putc(*why == '\n' || *why == '\t' ? ' ' : *why, to);
    putc('\n', to);
    fflush(to);
}

static void child_begin(struct kit_grade *g, const char *check)
{
    put_line(g->arg, "begin", check, NULL);
}

static void child_result(struct kit_grade *g, const char *check, const char *why, int skip)
{
    put_line(g->arg, skip ? "skip" : why ? "bad" : "good", check, why);
}

/* What one child does. */
struct job {
    const char *path;
    const char *script; /* NULL: none */
    int tables;         /* the tables, else the life of component number `component` */
    uint32_t component;
    FILE *out;
};

static void grade_part(struct kit_grade *g, const struct job *job, struct ge_plugin *p,
                       const struct kit_process *before)
{
    char why[700];
    struct gost_kit *kit = kit_adopt(p, why, sizeof why);
    struct gost_script *s = NULL;

    if (kit && job->script) {
        s = gost_script_read(job->script, why, sizeof why);
        if (s)
            kit_grade_script(g, kit, s);
        else
            g->result(g, job->script, why, 0);
    } else if (kit) {
        kit_grade_life(g, kit, &p->components[job->component]);
    } else {
        g->result(g, "test kit", why, 0);
    }
    kit_grade_process(g, before, 1, job->script ? job->script : p->components[job->component].name);
    gost_script_free(s);
    gost_kit_free(kit);
}

/* Loaded for good: plugins are never unloaded, and a leak checker must see that they are held. */
static struct ge_plugin *volatile loaded;

static int run_child(const struct job *job)
{
    static const char name[] = "loads";
    struct kit_grade g = {child_begin, child_result, job->out};
    struct kit_process before;
    struct ge_plugin *p = NULL;
    char why[700];

    alarm(seconds_max);
    kit_process_look(&before);
    g.begin(&g, name);
    if (ge_plugin_load(&p, job->path, ge_host_table(), why, sizeof why) != GOST_OK) {
        g.result(&g, name, why, 0);
        return 1;
    }
    loaded = p;
    if (!job->tables) {
        grade_part(&g, job, p, &before);
        return 0;
    }
    g.result(&g, name, NULL, 0);
    kit_grade_process(&g, &before, 1, "loading");
    kit_grade_tables(&g, p);
    fprintf(job->out, "parts\t%u\t\n", p->n_components);
    return 0;
}

/* Reads what the child says. Returns the number of components it reported. */
static unsigned follow(struct report *r, FILE *from, char last[256])
{
    char line[2048], *check, *why;
    unsigned parts = 0;

    last[0] = 0;
    while (fgets(line, sizeof line, from)) {
        check = strchr(line, '\t');
        why = check ? strchr(check + 1, '\t') : NULL;
        if (!why)
            continue;
        *check++ = 0;
        *why++ = 0;
        why[strcspn(why, "\n")] = 0;
        if (strcmp(line, "begin") == 0) {
            snprintf(last, 256, "%s", check);
            continue;
        }
        last[0] = 0;
        if (strcmp(line, "parts") == 0)
            parts = (unsigned)atoi(check);
        else
            show(r, check, strcmp(line, "good") == 0 ? NULL : why, strcmp(line, "skip") == 0);
    }
    return parts;
}

/* A group of checks in a process of its own, because the plugin may crash or hang. */
static unsigned run_job(struct report *r, struct job *job)
{
    char last[256], why[300];
    int ends[2], status = 0;
    unsigned parts;
    FILE *from;
    pid_t pid;

    fflush(stdout);
    if (pipe(ends) < 0 || (pid = fork()) < 0) {
        show(r, "a process for the checks", strerror(errno), 0);
        return 0;
    }
    if (pid == 0) {
        close(ends[0]);
        job->out = fdopen(ends[1], "w");
        exit(job->out ? run_child(job) : 1);
    }
    close(ends[1]);
    from = fdopen(ends[0], "r");
    parts = from ? follow(r, from, last) : 0;
    if (from)
        fclose(from);
    if (waitpid(pid, &status, 0) < 0)
        return parts;
    if (WIFSIGNALED(status)) {
        if (WTERMSIG(status) == SIGALRM)
            snprintf(why, sizeof why, "it hangs: the checks were not over after %u s", seconds_max);
        else
            snprintf(why, sizeof why, "it crashed with signal %d", WTERMSIG(status));
        show(r, *last ? last : job->path, why, 0);
    } else if (WEXITSTATUS(status) > 1 || *last) {
        snprintf(why, sizeof why, "the process ended with status %d: what it wrote says why",
                 WEXITSTATUS(status));
        show(r, *last ? last : job->path, why, 0);
    }
    return parts;
}

/* ---- modes ---- */

static int check(const char *path, char **scripts, int n, int json)
{
    struct report r = {json, 0, 0};
    struct kit_grade g = {direct_begin, direct_result, &r};
    struct job job;
    unsigned parts, i;

    if (json) {
        printf("{\"file\": ");
        ge_json_string(stdout, path);
        printf(", \"checks\": [");
    }
    kit_grade_file(&g, path);
    memset(&job, 0, sizeof job);
    job.path = path;
    job.tables = 1;
    parts = run_job(&r, &job);
    job.tables = 0;
    for (i = 0; i < parts; i++) {
        job.component = i;
        (void)run_job(&r, &job);
    }
    for (i = 0; parts && i < (unsigned)n; i++) {
        job.script = scripts[i];
        (void)run_job(&r, &job);
    }
    if (json)
        printf("\n], \"passed\": %u, \"failed\": %u}\n", r.count - r.failed, r.failed);
    else
        printf("1..%u\n", r.count);
    return r.failed != 0;
}

static int document(const char *path, void (*print)(FILE *to, const struct ge_plugin *p))
{
    struct ge_plugin *p = NULL;
    char why[700];

    if (ge_plugin_load(&p, path, ge_host_table(), why, sizeof why) != GOST_OK) {
        fprintf(stderr, "gost-plugin-check: %s %s\n", path, why);
        return 1;
    }
    loaded = p;
    print(stdout, p);
    return fflush(stdout) != 0;
}

/* What malloc() keeps aside for a thread counts as in use: memory that was freed looks like a leak
 * until that cache is full. It can only be switched off before a program starts. */
static void without_thread_cache(char **argv)
{
    static const char name[] = "GLIBC_TUNABLES";

    if (getenv(name))
        return;
    setenv(name, "glibc.malloc.tcache_count=0", 1);
    execv("/proc/self/exe", argv); /* else as it is */
}

int main(int argc, char **argv)
{
    int json = 0, at = 1;
    void (*print)(FILE * to, const struct ge_plugin *p) = NULL;

    if (at < argc && strcmp(argv[at], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (at < argc && strcmp(argv[at], "--json") == 0)
        json = at++;
    else if (at < argc && strcmp(argv[at], "--man") == 0)
        print = ge_plugin_man;
    else if (at < argc && strcmp(argv[at], "--conf-snippet") == 0)
        print = ge_plugin_snippet;
    at += print != NULL;
    if (at + 1 < argc && strcmp(argv[at], "--seconds") == 0) {
        seconds_max = (unsigned)atoi(argv[at + 1]);
        at += 2;
    }
    if (at >= argc || argv[at][0] == '-' || (print && at + 1 != argc)) {
        fputs(usage, stderr);
        return 2;
    }
    if (print)
        return document(argv[at], print);
    without_thread_cache(argv);
    return check(argv[at], argv + at + 1, argc - at - 1, json);
}
