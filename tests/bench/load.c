/* load.c - the load generator's command line.
 * SPDX-License-Identifier: MIT
 */
#include "load.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

static const char usage[] =
    "usage: load target\n"
    "       load bulk|rr|conn|idle|udp --via forward|socks5|http --proxy IP:PORT --target IP:PORT\n"
    "            [--flows N] [--secs S] [--size BYTES] [--up] [--bytes N] [--max N]\n"
    "            [--window N] [--flood]\n"
    "A client says \"ready\", waits for the line \"go\", and answers with one line of JSON.\n";

static struct sockaddr_in parse_address(const char *text)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    char ip[64];
    unsigned port;
    char rest;

    if (sscanf(text, "%63[0-9.]:%u%c", ip, &port, &rest) != 2 || port == 0 || port > 65535 ||
        inet_pton(AF_INET, ip, &a.sin_addr) != 1)
        load_die("\"%s\" is not an address such as 127.0.0.1:1080", text);
    a.sin_port = htons((uint16_t)port);
    return a;
}

static enum load_via parse_via(const char *text)
{
    if (strcmp(text, "forward") == 0)
        return LOAD_VIA_FORWARD;
    if (strcmp(text, "socks5") == 0)
        return LOAD_VIA_SOCKS5;
    if (strcmp(text, "http") == 0)
        return LOAD_VIA_HTTP;
    load_die("--via %s: forward, socks5 or http", text);
}

static uint64_t parse_number(const char *name, const char *text, uint64_t max)
{
    char *end;
    unsigned long long v = strtoull(text, &end, 10);

    if (end == text || *end != '\0' || v == 0 || v > max)
        load_die("--%s %s: a number from 1 to %llu", name, text, (unsigned long long)max);
    return v;
}

static double parse_secs(const char *text)
{
    char *end;
    double v = strtod(text, &end);

    if (end == text || *end != '\0' || !(v > 0) || v > 600)
        load_die("--secs %s: more than 0, at most 600", text);
    return v;
}

static const struct option long_options[] = {
    {"via", required_argument, NULL, 'v'},    {"proxy", required_argument, NULL, 'p'},
    {"target", required_argument, NULL, 't'}, {"flows", required_argument, NULL, 'f'},
    {"secs", required_argument, NULL, 's'},   {"size", required_argument, NULL, 'z'},
    {"bytes", required_argument, NULL, 'b'},  {"max", required_argument, NULL, 'm'},
    {"window", required_argument, NULL, 'w'}, {"up", no_argument, NULL, 'u'},
    {"flood", no_argument, NULL, 'F'},        {NULL, 0, NULL, 0},
};

static void parse_option(struct load_options *o, int c)
{
    switch (c) {
    case 'v':
        o->via = parse_via(optarg);
        break;
    case 'p':
        o->proxy = parse_address(optarg);
        break;
    case 't':
        o->target = parse_address(optarg);
        break;
    case 'f':
        o->flows = (unsigned)parse_number("flows", optarg, 100000);
        break;
    case 's':
        o->secs = parse_secs(optarg);
        break;
    case 'z':
        o->size = (unsigned)parse_number("size", optarg, 65536);
        break;
    case 'b':
        o->bytes = parse_number("bytes", optarg, UINT64_C(1) << 40) & ~UINT64_C(7);
        break;
    case 'm':
        o->max = parse_number("max", optarg, 1000000);
        break;
    case 'w':
        o->window = (unsigned)parse_number("window", optarg, LOAD_BATCH);
        break;
    case 'u':
        o->up = true;
        break;
    case 'F':
        o->flood = true;
        break;
    default:
        fputs(usage, stderr);
        exit(2);
    }
}

static const struct mode {
    const char *name;
    int (*run)(const struct load_options *o);
} modes[] = {
    {"bulk", load_run_bulk}, {"rr", load_run_rr},   {"conn", load_run_conn},
    {"idle", load_run_idle}, {"udp", load_run_udp},
};

int main(int argc, char **argv)
{
    struct load_options o = {
        .flows = 1, .window = 8, .size = 64, .secs = 1, .bytes = 1 << 20, .max = 10000};
    int c;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        parse_option(&o, c);
    if (optind + 1 != argc) {
        fputs(usage, stderr);
        return 2;
    }
    if (strcmp(argv[optind], "target") == 0)
        return load_run_target();
    if (o.proxy.sin_port == 0 || o.target.sin_port == 0)
        load_die("--proxy and --target are needed");
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(argv[optind], modes[i].name) == 0)
            return modes[i].run(&o);
    fputs(usage, stderr);
    return 2;
}
