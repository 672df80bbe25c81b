/* log.c - the log: GOST's levels and line shapes, as text or JSON. */
/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "conf_number.h"
#include "conf_text.h"
#include "engine.h"

static const char *const levels[] = {"trace", "debug", "info", "warning", "error", "fatal"};

/* Written by [main] only; a line that is written meanwhile goes to one of both places. */
static struct {
    _Atomic int fd;
    _Atomic bool json;
    char *path; /* NULL: no file */
} out = {.fd = STDERR_FILENO, .json = true};

static int parse_level(const char *text)
{
    for (int i = 0; i < (int)(sizeof levels / sizeof levels[0]); i++)
        if (strcmp(text, levels[i]) == 0)
            return i;
    return strcmp(text, "warn") == 0 ? GOST_LOG_WARN : GOST_LOG_INFO;
}

static void make_parents(const char *path)
{
    char *copy = strdup(path);

    for (char *p = copy != NULL ? strchr(copy + 1, '/') : NULL; p != NULL; p = strchr(p + 1, '/')) {
        *p = '\0';
        (void)mkdir(copy, 0755); /* open() says what is wrong */
        *p = '/';
    }
    free(copy);
}

static int open_file(const char *path)
{
    make_parents(path);
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

/* Workers may be writing to the old file: it keeps its number and becomes the new output. */
static void use(int fd, char *path)
{
    int old = atomic_load(&out.fd);

    if (out.path != NULL && dup3(fd, old, O_CLOEXEC) == old) {
        if (fd > STDERR_FILENO)
            close(fd);
        fd = old;
    }
    atomic_store(&out.fd, fd);
    free(out.path);
    out.path = path;
}

int gh_log_configure(const struct gh_value *log, char *error, size_t error_size)
{
    const char *output = gh_str(log, "output", "stderr");
    int fd = STDERR_FILENO, level;
    char *path = NULL;

    if (strcmp(output, "stdout") == 0) {
        fd = STDOUT_FILENO;
    } else if (strcmp(output, "none") == 0 || strcmp(output, "null") == 0) {
        path = strdup("/dev/null");
        fd = open_file("/dev/null");
    } else if (strcmp(output, "stderr") != 0) {
        path = strdup(output);
        fd = path != NULL ? open_file(path) : -1;
        if (fd < 0) {
            snprintf(error, error_size, "the log file \"%s\" cannot be opened: %s", output,
                     strerror(errno));
            free(path);
            return -1;
        }
    }
    use(fd, path);
    atomic_store(&out.json, strcmp(gh_str(log, "format", "json"), "text") != 0);
    level = parse_level(gh_str(log, "level", "info"));
    if (level != ge_log_level())
        ge_set_log_level(level);
    if (gh_get(log, "rotation") != NULL)
        gh_log(GOST_LOG_WARN, "log.rotation is not available: rename the file and send SIGHUP, "
                              "which opens it anew");
    return 0;
}

int gh_log_fd(void)
{
    return atomic_load_explicit(&out.fd, memory_order_relaxed);
}

void gh_log_reopen(void)
{
    int fd, current = atomic_load(&out.fd);

    if (out.path == NULL)
        return;
    fd = open_file(out.path);
    if (fd < 0) {
        gh_log(GOST_LOG_ERROR, "the log file \"%s\" cannot be opened again: %s", out.path,
               strerror(errno));
        return;
    }
    if (dup3(fd, current, O_CLOEXEC) != current)
        gh_log(GOST_LOG_ERROR, "the log file \"%s\" was not changed: %s", out.path,
               strerror(errno));
    close(fd);
}

bool gh_log_on(int level)
{
    return level >= ge_log_level();
}

/* ---- a line ---- */

static void put_field(struct gh_line *line, const char *key, bool number, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void vput_field(struct gh_line *line, const char *key, bool number, const char *fmt,
                       va_list args) __attribute__((format(printf, 4, 0)));

static void vput_field(struct gh_line *line, const char *key, bool number, const char *fmt,
                       va_list args)
{
    size_t room = sizeof line->buffer - line->used;
    int n;

    if (line->count == GH_LINE_FIELDS || room < 2)
        return;
    n = vsnprintf(line->buffer + line->used, room, fmt, args);
    if (n < 0)
        return;
    line->field[line->count].key = key;
    line->field[line->count].text = line->buffer + line->used;
    line->field[line->count].number = number;
    line->count++;
    line->used += (size_t)n < room ? (size_t)n + 1 : room;
}

static void put_field(struct gh_line *line, const char *key, bool number, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vput_field(line, key, number, fmt, args);
    va_end(args);
}

void gh_line_start(struct gh_line *line, int level, const char *fmt, ...)
{
    va_list args;

    line->level = level;
    line->count = 0;
    line->used = 0;
    va_start(args, fmt);
    vput_field(line, "msg", false, fmt, args);
    va_end(args);
}

void gh_line_str(struct gh_line *line, const char *key, const char *text)
{
    if (text != NULL)
        put_field(line, key, false, "%s", text);
}

void gh_line_int(struct gh_line *line, const char *key, uint64_t value)
{
    put_field(line, key, true, "%" PRIu64, value);
}

void gh_line_duration(struct gh_line *line, const char *key, uint64_t ns)
{
    char text[GH_NUMBER_MAX];

    if (atomic_load_explicit(&out.json, memory_order_relaxed))
        gh_line_int(line, key, ns);
    else
        put_field(line, key, false, "%s", gh_format_duration((int64_t)ns, text));
}

void gh_line_addr(struct gh_line *line, const char *key, const struct gost_addr *addr)
{
    char text[GOST_ADDR_TEXT];

    if (addr->family == GOST_AF_NONE)
        return;
    gost_addr_format(addr, text, sizeof text);
    gh_line_str(line, key, text);
}

/* ---- writing ---- */

/* Appends with JSON's escapes, which serve the text form too. */
static void put_escaped(struct gh_text *to, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            gh_text_printf(to, "\\%c", c);
        else if (c == '\n')
            gh_text_str(to, "\\n");
        else if (c == '\t')
            gh_text_str(to, "\\t");
        else if (c < 0x20 || c == 0x7f)
            gh_text_printf(to, "\\u%04x", c);
        else
            gh_text_char(to, (char)c);
    }
}

static void put_quoted(struct gh_text *to, const char *text)
{
    gh_text_char(to, '"');
    put_escaped(to, text);
    gh_text_char(to, '"');
}

/* Whether the text form needs no quotes around it. */
static bool is_plain(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-._/@^+";

    return text[strspn(text, plain)] == '\0';
}

static void sort_fields(struct gh_line *line)
{
    for (unsigned i = 1; i < line->count; i++)
        for (unsigned j = i; j > 0 && strcmp(line->field[j - 1].key, line->field[j].key) > 0; j--) {
            typeof(line->field[0]) swap = line->field[j];

            line->field[j] = line->field[j - 1];
            line->field[j - 1] = swap;
        }
}

static void add_time(struct gh_line *line, bool json)
{
    struct timespec now;
    struct tm tm;
    char date[48], zone[32] = "Z";
    long off;

    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &tm);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    off = tm.tm_gmtoff / 60;
    if (off != 0)
        snprintf(zone, sizeof zone, "%c%02ld:%02ld", off < 0 ? '-' : '+', labs(off) / 60,
                 labs(off) % 60);
    if (json)
        put_field(line, "time", false, "%s.%03ld%s", date, now.tv_nsec / 1000000, zone);
    else
        put_field(line, "time", false, "%s%s", date, zone);
}

static void form_json(struct gh_text *to, struct gh_line *line)
{
    put_field(line, "level", false, "%s", levels[line->level]);
    sort_fields(line);
    for (unsigned i = 0; i < line->count; i++) {
        gh_text_char(to, i == 0 ? '{' : ',');
        put_quoted(to, line->field[i].key);
        gh_text_char(to, ':');
        if (line->field[i].number)
            gh_text_str(to, line->field[i].text);
        else
            put_quoted(to, line->field[i].text);
    }
    gh_text_str(to, "}\n");
}

static const char *take(const struct gh_line *line, const char *key)
{
    for (unsigned i = 0; i < line->count; i++)
        if (strcmp(line->field[i].key, key) == 0)
            return line->field[i].text;
    return "";
}

static void form_text(struct gh_text *to, struct gh_line *line)
{
    gh_text_printf(to, "time=\"%s\" level=%s msg=\"", take(line, "time"), levels[line->level]);
    put_escaped(to, take(line, "msg"));
    gh_text_char(to, '"');
    sort_fields(line);
    for (unsigned i = 0; i < line->count; i++) {
        const char *key = line->field[i].key;

        if (strcmp(key, "time") == 0 || strcmp(key, "msg") == 0)
            continue;
        gh_text_printf(to, " %s=", key);
        if (is_plain(line->field[i].text))
            gh_text_str(to, line->field[i].text);
        else
            put_quoted(to, line->field[i].text);
    }
    gh_text_char(to, '\n');
}

void gh_line_end(struct gh_line *line)
{
    struct gh_text text = {0};
    bool json = atomic_load_explicit(&out.json, memory_order_relaxed);
    int fd = atomic_load_explicit(&out.fd, memory_order_relaxed);

    if (fd < 0 || !gh_log_on(line->level))
        return;
    add_time(line, json);
    if (json)
        form_json(&text, line);
    else
        form_text(&text, line);
    /* There is nowhere to report that the log cannot be written. */
    if (!text.failed && write(fd, text.data, text.len) < 0)
        errno = 0;
    gh_text_free(&text);
}

void gh_log(int level, const char *fmt, ...)
{
    struct gh_line line;
    va_list args;

    if (!gh_log_on(level))
        return;
    line.level = level;
    line.count = 0;
    line.used = 0;
    va_start(args, fmt);
    vput_field(&line, "msg", false, fmt, args);
    va_end(args);
    gh_line_end(&line);
}
