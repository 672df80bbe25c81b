/* main.c - the program: from the command line to the loop and back. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "action.h"
#include "cli.h"
#include "conf_emit.h"
#include "endpoint.h"
#include "errand.h"
#include "explain.h"
#include "grave.h"
#include "host.h"
#include "log.h"
#include "memory.h"
#include "pin.h"
#include "plugin.h"
#include "reload.h"
#include "running.h"
#include "sdnotify.h"
#include "shared_table.h"
#include "supervise.h"

/* What plugins may call and the host itself does. */
static const struct gost_host more = {
    .endpoint_add = gh_endpoint_add,
    .endpoint_remove = gh_endpoint_remove,
    .table_get = gh_host_table_get,
    .table_put = gh_host_table_put,
    .worker_data = gh_plugin_worker_data,
    .source_data = gh_errand_source_data,
    .question = gh_errand_question,
    .answer = gh_errand_answer,
};

const struct ge_embed gh_embed = {
    .log = gh_flow_log,
    .act = gh_action_perform,
    .cancel = gh_action_cancel,
    .bound = gh_action_bound,
    .accepted = gh_action_accepted,
    .find_layer = gh_flow_find_layer,
    .more = &more,
};

/* The state of the main loop. */
static struct {
    const struct gh_cli *cli;
    uint64_t watchdog_at, reload_at, drain_until; /* 0: not */
    unsigned ending; /* workers that have yet to end their flows */
    bool quitting, memory; /* memory: it has marks */
} loop;

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * GOST_S + (uint64_t)t.tv_nsec;
}

/* ---- without sockets ---- */

static int print_output(const struct gh_cli *cli)
{
    struct gh_conf_errors errs = {0};
    struct gh_conf *conf = gh_reload_read(&errs);
    struct gh_text out = {0};

    gh_reload_log(&errs, GOST_LOG_FATAL);
    gh_errors_free(&errs);
    if (conf == NULL)
        return 1;
    if (cli->output != NULL && strcmp(cli->output, "json") == 0)
        gh_emit_json(&out, gh_schema_root(), gh_conf_root(conf), GH_JSON_INDENT);
    else
        gh_emit_yaml(&out, gh_schema_root(), gh_conf_root(conf));
    if (!out.failed)
        fwrite(out.data, 1, out.len, stdout);
    gh_text_free(&out);
    gh_conf_unref(conf);
    return 0;
}

static int check_or_explain(const struct gh_cli *cli)
{
    struct gh_conf_errors errs = {0};
    struct gh_loaded loaded;
    int status = gh_reload_load(&loaded, &errs) == 0 ? 0 : 1;

    gh_errors_print(&errs, stderr);
    gh_errors_free(&errs);
    if (status == 0 && cli->mode == GH_CLI_EXPLAIN) {
        gh_policies_publish(loaded.policies);
        loaded.policies = NULL;
        const char *why = gh_explain(stdout, &loaded.services, cli->explain, cli->from, cli->json);

        if (why != NULL) {
            fprintf(stderr, "error: %s\n", why);
            status = 1;
        }
        gh_policies_publish(NULL);
    }
    if (status == 0)
        gh_loaded_free(&loaded);
    gh_marks_free();
    return status;
}

static int describe(const struct gh_cli *cli)
{
    char why[512] = "";

    if (gh_print_describe(stdout, cli->describe, cli->json, why, sizeof why) == GOST_OK)
        return 0;
    fprintf(stderr, "error: --describe: %s\n", why);
    return 1;
}

/* ---- ending ---- */

static void worker_ended(void *arg)
{
    if (--loop.ending == 0)
        gh_main_quit();
}

static void end_worker(struct gh_worker *w, void *arg)
{
    gh_flows_end(w, false);
    gh_main_post(worker_ended, NULL);
}

static void drain_worker(struct gh_worker *w, void *arg)
{
    gh_flows_end(w, true);
}

/* Ends all flows; the loop is left when every worker has done so. */
static void quit(void)
{
    if (loop.quitting)
        return;
    loop.quitting = true;
    gh_running_close();
    gh_policies_stop();
    loop.ending = gh_worker_count();
    for (unsigned i = 0; i < gh_worker_count(); i++)
        gh_worker_post(gh_worker_get(i), end_worker, NULL);
}

static void drain(void)
{
    loop.drain_until = now_ns() + (uint64_t)loop.cli->drain_ns;
    gh_running_close();
    for (unsigned i = 0; i < gh_worker_count(); i++)
        gh_worker_post(gh_worker_get(i), drain_worker, NULL);
    gh_log(GOST_LOG_INFO, "waiting for %u connections to end", gh_flows_count());
}

static void on_signal(int signum, void *arg)
{
    if (signum == SIGHUP) {
        if (!loop.quitting && loop.drain_until == 0)
            gh_reload(false);
        return;
    }
    gh_sd_notify("STOPPING=1");
    if (loop.cli->drain_ns > 0 && loop.drain_until == 0 && gh_flows_count() != 0)
        drain();
    else
        quit();
}

static void on_second(void *arg)
{
    uint64_t now = now_ns();

    gh_memory_tick(gh_flows_shed);
    if (loop.watchdog_at != 0 && now >= loop.watchdog_at) {
        gh_sd_notify("WATCHDOG=1");
        loop.watchdog_at = now + gh_sd_watchdog_ns();
    }
    if (loop.drain_until != 0 && (gh_flows_count() == 0 || now >= loop.drain_until))
        quit();
    else if (loop.reload_at != 0 && now >= loop.reload_at && loop.drain_until == 0) {
        gh_reload(true);
        loop.reload_at = now_ns() + (uint64_t)loop.cli->reload_ns;
    }
}

/* ---- serving ---- */

/* As Go does: many connections need many descriptors. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
            gh_log(GOST_LOG_WARN, "the limit of descriptors stays as it is: %s", strerror(errno));
    }
}

static bool open_log(const struct gh_loaded *loaded)
{
    char error[512];

    if (gh_log_configure(gh_get(gh_conf_root(loaded->conf), "log"), error, sizeof error) == 0)
        return true;
    gh_log(GOST_LOG_FATAL, "%s", error);
    return false;
}

/* Each mark has its default from the other. */
static void set_memory_marks(void)
{
    uint64_t high = loop.cli->memory_high, max = loop.cli->memory_max;

    if (high == 0)
        high = max - max / 9;
    if (max == 0)
        max = high + high / 8;
    if (max < high)
        gh_log(GOST_LOG_WARN, "--memory-max is below --memory-high: connections end before new "
                              "ones wait");
    loop.memory = high != 0;
    gh_memory_marks(high, max);
}

static bool start(struct gh_loaded *loaded)
{
    struct gh_net_conf net = {.workers = loop.cli->workers,
                              .embed = &gh_embed,
                              .begin = gh_plugins_begin,
                              .end = gh_plugins_end};
    struct gh_conf_errors errs = {0};
    bool ok;

    gh_pin_init();
    set_memory_marks();
    if (gh_net_start(&net) != GOST_OK) {
        gh_log(GOST_LOG_FATAL, "the workers cannot be started");
        gh_loaded_free(loaded);
        return false;
    }
    ok = gh_reload_apply(loaded, &errs) == 0;
    gh_reload_log(&errs, GOST_LOG_FATAL);
    gh_errors_free(&errs);
    if (ok && gh_sd_left() != 0)
        gh_log(GOST_LOG_WARN, "%u sockets passed by systemd fit no service", gh_sd_left());
    return ok;
}

static int run_loop(void)
{
    bool ticks = loop.memory || loop.cli->reload_ns > 0 || loop.cli->drain_ns > 0 ||
                 gh_sd_watchdog_ns() != 0;
    struct gh_main_ops ops = {.on_signal = on_signal, .on_second = ticks ? on_second : NULL};

    if (loop.cli->reload_ns > 0)
        loop.reload_at = now_ns() + (uint64_t)loop.cli->reload_ns;
    if (gh_sd_watchdog_ns() != 0)
        loop.watchdog_at = now_ns();
    gh_sd_notify("READY=1");
    return gh_main_run(&ops);
}

static int serve(void)
{
    struct gh_conf_errors errs = {0};
    struct gh_loaded loaded;
    bool ok = gh_reload_load(&loaded, &errs) == 0;
    int status = 1;

    if (ok && !open_log(&loaded)) {
        gh_loaded_free(&loaded);
        ok = false;
    }
    gh_reload_log(&errs, GOST_LOG_FATAL);
    gh_errors_free(&errs);
    if (ok) {
        raise_descriptors();
        signal(SIGPIPE, SIG_IGN); /* writes say so themselves */
        gh_main_hold_signals(); /* who sees us listen may signal us */
        if (start(&loaded))
            status = run_loop() == 0 ? 0 : 1;
        gh_running_close();
        gh_net_stop();
        gh_main_settle();
    }
    gh_policies_publish(NULL);
    gh_graves_clear();
    gh_marks_free();
    gh_tables_free();
    return status;
}

static int run(const struct gh_cli *cli)
{
    gh_reload_init(cli);
    switch (cli->mode) {
    case GH_CLI_HELP:
        gh_cli_usage(stderr);
        return 0;
    case GH_CLI_VERSION:
        gh_cli_version(stdout, PACKAGE_VERSION);
        return 0;
    case GH_CLI_MAN:
        gh_print_man(stdout);
        return 0;
    default:
        break;
    }
    gh_crash_install(gh_log_fd);
    gh_reload_scan();
    switch (cli->mode) {
    case GH_CLI_LIST:
        gh_print_list(stdout, cli->json);
        return 0;
    case GH_CLI_DESCRIBE:
        return describe(cli);
    case GH_CLI_OUTPUT:
        return print_output(cli);
    case GH_CLI_CHECK:
    case GH_CLI_EXPLAIN:
        return check_or_explain(cli);
    default:
        return serve();
    }
}

int main(int argc, char **argv)
{
    struct gh_cli cli;
    int status = gh_supervise(argc, argv);

    if (status >= 0)
        return status;
    ge_set_log_level(GOST_LOG_INFO);
    if (gh_cli_parse(argc, argv, &cli, stderr) != GH_CLI_OK) {
        gh_cli_free(&cli);
        return 2;
    }
    loop.cli = &cli;
    status = run(&cli);
    gh_cli_free(&cli);
    return status;
}
