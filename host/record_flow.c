/* record_flow.c - the record of a connection: one JSON object, as GOST writes it. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf_text.h"
#include "flow.h"

/* ---- JSON as Go writes it ---- */

static void put_escaped(struct gh_text *t, const char *s)
{
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;

        if (c == '"' || c == '\\')
            gh_text_printf(t, "\\%c", c);
        else if (c == '\n' || c == '\r' || c == '\t')
            gh_text_printf(t, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else if (c < 0x20 || c == '<' || c == '>' || c == '&')
            gh_text_printf(t, "\\u%04x", c);
        else
            gh_text_char(t, *s);
    }
}

static void put_key(struct gh_text *t, const char *key)
{
    gh_text_printf(t, "%s\"%s\":", t->len > 1 ? "," : "", key);
}

static void put_str(struct gh_text *t, const char *key, const char *value)
{
    put_key(t, key);
    gh_text_str(t, "\"");
    put_escaped(t, value);
    gh_text_str(t, "\"");
}

static void put_if(struct gh_text *t, const char *key, const char *value)
{
    if (value != NULL && *value != '\0')
        put_str(t, key, value);
}

static void put_addr(struct gh_text *t, const char *key, const struct gost_addr *addr)
{
    char text[GOST_ADDR_TEXT] = "";

    if (addr->family != GOST_AF_NONE)
        gost_addr_format(addr, text, sizeof text);
    put_str(t, key, text);
}

static void put_int(struct gh_text *t, const char *key, uint64_t value)
{
    put_key(t, key);
    gh_text_printf(t, "%llu", (unsigned long long)value);
}

/* ---- parts ---- */

/* "name@addr > name@addr > target". Our texts name the hop before the node: GOST does not. */
static void put_route(struct gh_text *t, const struct gh_flow *f)
{
    const char *p = f->route != NULL ? f->route : "";

    if (f->target == NULL)
        return;
    put_key(t, "route");
    gh_text_str(t, "\"");
    while (*p != '\0') {
        const char *end = strstr(p, " > "), *at = strchr(p, '@'), *from = p;
        char part[600];

        if (end == NULL)
            end = p + strlen(p);
        for (const char *q = p; at != NULL && at < end && q < at; q++)
            if (*q == '/')
                from = q + 1;
        snprintf(part, sizeof part, "%.*s > ", (int)(end - from), from);
        put_escaped(t, part);
        p = *end != '\0' ? end + 3 : end;
    }
    put_escaped(t, f->target);
    gh_text_str(t, "\"");
}

/* RFC 3339 with nanoseconds, as Go prints it: no zeros at the end, Z for UTC. */
static void put_time(struct gh_text *t, uint64_t unix_ns)
{
    time_t seconds = (time_t)(unix_ns / GOST_S);
    char date[40], zone[16], fraction[16];
    struct tm tm;
    size_t n;

    localtime_r(&seconds, &tm);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    strftime(zone, sizeof zone, "%z", &tm);
    snprintf(fraction, sizeof fraction, ".%09u", (unsigned)(unix_ns % GOST_S));
    for (n = strlen(fraction); n > 0 && (fraction[n - 1] == '0' || n == 1); n--)
        fraction[n - 1] = '\0';
    put_key(t, "time");
    if (strcmp(zone, "+0000") == 0)
        gh_text_printf(t, "\"%s%sZ\"", date, fraction);
    else
        gh_text_printf(t, "\"%s%s%.3s:%s\"", date, fraction, zone, zone + 3);
}

static uint64_t wall_clock(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * GOST_S + (uint64_t)ts.tv_nsec;
}

static const char *why(const struct gh_flow *f)
{
    int status = f->ge->status;
    bool quiet = status == 0 || status == GOST_ECLOSED || status == GOST_ECANCELLED;

    return !quiet && f->ge->error != NULL ? f->ge->error : f->reason;
}

void gh_record_flow(struct gh_flow *f)
{
    uint64_t duration = ge_now(f->ge->worker) - f->begun;
    struct gh_text t = {0};
    char sid[24];

    if (!gh_records(f, GH_RECORD_HANDLER))
        return;
    snprintf(sid, sizeof sid, "%016llx", (unsigned long long)f->ge->id);
    gh_text_str(&t, "{");
    put_str(&t, "service", f->service->name);
    put_str(&t, "network", f->ge->network == GOST_NET_UDP ? "udp" : "tcp");
    put_addr(&t, "remote", &f->ge->remote);
    put_addr(&t, "local", &f->ge->local);
    put_addr(&t, "client", &f->ge->source);
    put_str(&t, "src", f->upstream_local != NULL ? f->upstream_local : "");
    put_str(&t, "dst", f->upstream_remote != NULL ? f->upstream_remote : "");
    put_str(&t, "host", f->target != NULL ? f->target : "");
    put_if(&t, "proto", f->ge->sniffed_protocol);
    put_str(&t, "clientIP", "");
    put_if(&t, "clientID", f->ge->user);
    put_route(&t, f);
    put_int(&t, "inputBytes", f->ge->rx);
    put_int(&t, "outputBytes", f->ge->tx);
    put_if(&t, "err", why(f));
    put_str(&t, "sid", sid);
    put_int(&t, "duration", duration);
    put_time(&t, wall_clock() - duration);
    gh_text_str(&t, "}");
    if (!t.failed)
        gh_record(f, GH_RECORD_HANDLER, gost_bytes(t.data, t.len));
    gh_text_free(&t);
}
