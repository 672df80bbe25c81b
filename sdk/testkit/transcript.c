/* transcript.c - reads transcripts: captured ones with headers, and those written by authors. */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "../loader/loader.h"
#include "script.h"

#define LINE_MAX_ 65536
#define DATA_MAX  (1u << 20)

/* Where the reader is. */
struct reader {
    struct gost_script *s;
    unsigned line;
    int connection;        /* of a capture; the current one */
    struct kit_item *last; /* what '+' and '*' continue; NULL: it is not played */
    char *why;
    size_t n;
};

static int refuse(struct reader *r, const char *fmt, ...) GOST_PRINTF(2, 3);
static int refuse(struct reader *r, const char *fmt, ...)
{
    int used = snprintf(r->why, r->n, "%s:%u: ", r->s->name, r->line);
    va_list ap;

    va_start(ap, fmt);
    if (used > 0 && (size_t)used < r->n)
        vsnprintf(r->why + used, r->n - (size_t)used, fmt, ap);
    va_end(ap);
    return GOST_EPROTO;
}

static const struct {
    const char *word;
    int status;
} errors[] = {
    {"ok", 0},
    {"proto", GOST_EPROTO},
    {"auth", GOST_EAUTH},
    {"denied", GOST_EDENIED},
    {"admission", GOST_EADMISSION},
    {"limit", GOST_ELIMIT},
    {"quota", GOST_EQUOTA},
    {"noroute", GOST_ENOROUTE},
    {"resolve", GOST_ERESOLVE},
    {"refused", GOST_EREFUSED},
    {"unreachable", GOST_EUNREACHABLE},
    {"timeout", GOST_ETIMEDOUT},
    {"tls", GOST_ETLS},
    {"peer", GOST_EPEER},
    {"unsupported", GOST_EUNSUPPORTED},
    {"toobig", GOST_ETOOBIG},
    {"nomem", GOST_ENOMEM},
    {"cancelled", GOST_ECANCELLED},
    {"internal", GOST_EINTERNAL},
    {"closed", GOST_ECLOSED},
    {"inuse", GOST_EINUSE},
    {NULL, 0},
};

static int find_error(const char *word, int *ret)
{
    size_t i;

    for (i = 0; errors[i].word; i++) {
        if (strcmp(errors[i].word, word) == 0) {
            *ret = errors[i].status;
            return GOST_OK;
        }
    }
    return GOST_EPROTO;
}

/* ---- data ---- */

static int add_byte(struct kit_item *it, uint8_t byte, uint8_t mask)
{
    if ((it->n & (it->n - 1)) == 0) { /* zero or a power of two: it is full */
        size_t room = it->n ? it->n * 2 : 1;
        uint8_t *data = realloc(it->data, room), *marks;

        if (!data)
            return GOST_ENOMEM;
        it->data = data;
        marks = realloc(it->mask, room);
        if (!marks)
            return GOST_ENOMEM;
        it->mask = marks;
    }
    it->data[it->n] = byte;
    it->mask[it->n++] = mask;
    return it->n > DATA_MAX ? GOST_ETOOBIG : GOST_OK;
}

static int hex_digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = tolower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One character of a quoted text, escapes of C. Returns what follows. */
static const char *quoted_char(const char *p, uint8_t *ret)
{
    static const char from[] = "nrt0\\\"", to[] = "\n\r\t\0\\\"";
    const char *at;

    if (*p != '\\') {
        *ret = (uint8_t)*p;
        return p + 1;
    }
    p++;
    if (*p == 'x' && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
        *ret = (uint8_t)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
        return p + 3;
    }
    at = *p ? strchr(from, *p) : NULL;
    *ret = at ? (uint8_t)to[at - from] : (uint8_t)*p;
    return *p ? p + 1 : p;
}

/* Hex pairs, "texts", ?? for any byte; a # begins a comment. */
static int add_data(struct reader *r, struct kit_item *it, const char *p)
{
    uint8_t byte;
    int status = GOST_OK;

    while (status == GOST_OK && *p && *p != '#') {
        if (isspace((unsigned char)*p)) {
            p++;
        } else if (*p == '"') {
            for (p++; *p && *p != '"' && status == GOST_OK;) {
                p = quoted_char(p, &byte);
                status = add_byte(it, byte, 1);
            }
            if (*p++ != '"')
                return refuse(r, "a text without its closing quote");
        } else if (p[0] == '?' && p[1] == '?') {
            status = add_byte(it, 0, 0);
            p += 2;
        } else if (hex_digit(p[0]) >= 0 && hex_digit(p[1]) >= 0) {
            status = add_byte(it, (uint8_t)(hex_digit(p[0]) << 4 | hex_digit(p[1])), 1);
            p += 2;
        } else {
            return refuse(r, "neither hex digits, \"text\" nor ?? at: %.20s", p);
        }
    }
    return status == GOST_OK ? GOST_OK : refuse(r, "the record is too long");
}

static struct kit_item *add_item(struct reader *r, uint32_t type, uint32_t port)
{
    struct kit_item *it = calloc(1, sizeof *it);

    if (!it)
        return NULL;
    it->type = type;
    it->port = port;
    it->line = r->line;
    *r->s->tail = it;
    r->s->tail = &it->next;
    return it;
}

static int record(struct reader *r, uint32_t type, int port, const char *data)
{
    if (port < 0) {
        r->last = NULL;
        return GOST_OK;
    }
    r->last = add_item(r, type, (uint32_t)port);
    return r->last ? add_data(r, r->last, data) : refuse(r, "out of memory");
}

static int run(struct reader *r, const char *p)
{
    unsigned count, value;

    if (sscanf(p, "%u %x", &count, &value) != 2 || value > 255)
        return refuse(r, "a run is: * COUNT HEX");
    while (r->last && count--) {
        if (add_byte(r->last, (uint8_t)value, 1))
            return refuse(r, "the record is too long");
    }
    return GOST_OK;
}

/* ---- words ---- */

/* Cuts the next word off *p, quotes taken away. NULL: no more. */
static char *next_word(char **p)
{
    char *from = *p, *to, *word;
    int quoted = 0;
    uint8_t byte;

    while (isspace((unsigned char)*from))
        from++;
    if (!*from || *from == '#')
        return NULL;
    word = to = from;
    while (*from && (quoted || !isspace((unsigned char)*from))) {
        if (*from == '"') {
            quoted = !quoted;
            from++;
        } else if (quoted) {
            from += quoted_char(from, &byte) - from;
            *to++ = (char)byte;
        } else {
            *to++ = *from++;
        }
    }
    *p = *from ? from + 1 : from;
    *to = 0;
    return word;
}

static int parse_addr(struct reader *r, const char *word, struct gost_addr *ret)
{
    if (!word || gost_addr_parse(ret, word, strlen(word), 0) != GOST_OK)
        return refuse(r, "an address is needed here, not %s", word ? word : "nothing");
    return GOST_OK;
}

static int add_option(struct reader *r, const char *word)
{
    struct ge_kv *kv = &r->s->kv[r->s->n_kv];
    const char *eq = strchr(word, '=');

    if (!eq || r->s->n_kv == 64)
        return refuse(r, "an option is key=value, at most 64 of them: %s", word);
    kv->key = strndup(word, (size_t)(eq - word));
    kv->text = strdup(eq + 1);
    kv->place = r->s->name;
    r->s->n_kv++;
    return kv->key && kv->text ? GOST_OK : refuse(r, "out of memory");
}

/* "handler socks5 key=value ...", "layer ws server ...": what runs. */
static int component_line(struct reader *r, uint32_t kind, char *p)
{
    char *word = next_word(&p);
    int status = GOST_OK;

    if (!word || r->s->component)
        return refuse(r, "one component by name is needed here");
    r->s->kind = kind;
    r->s->component = strdup(word);
    r->s->role = kind == GOST_KIND_CONNECTOR ? GOST_CLIENT : GOST_SERVER;
    while (status == GOST_OK && (word = next_word(&p)) != NULL) {
        if (strcmp(word, "client") == 0)
            r->s->role = GOST_CLIENT;
        else if (strcmp(word, "server") == 0)
            r->s->role = GOST_SERVER;
        else
            status = add_option(r, word);
    }
    return status;
}

static uint32_t find_kind(const char *word)
{
    uint32_t kind;

    for (kind = GOST_KIND_TRANSPORT; kind <= GOST_KIND_REMOTE; kind++) {
        if (kind != GOST_KIND_STACK && strcmp(ge_kind_word(kind, 0), word) == 0)
            return kind;
    }
    return 0;
}

static int answer_line(struct reader *r, uint32_t type, char *p)
{
    struct kit_answer *a = calloc(1, sizeof *a);
    char *word;
    int status = GOST_OK;

    if (!a)
        return refuse(r, "out of memory");
    a->type = type;
    a->line = r->line;
    *r->s->answers_tail = a;
    r->s->answers_tail = &a->next;
    while (status == GOST_OK && (word = next_word(&p)) != NULL) {
        if (strncmp(word, "local=", 6) == 0)
            status = parse_addr(r, word + 6, &a->local);
        else if (strncmp(word, "expect=", 7) == 0)
            status = parse_addr(r, word + 7, &a->expect);
        else if (strncmp(word, "text=", 5) == 0)
            a->text = strdup(word + 5);
        else if (find_error(word, &a->status))
            status = refuse(r, "an answer is ok or the word of an error, not %s", word);
    }
    return status;
}

static int target_line(struct reader *r, char *p)
{
    char *word = next_word(&p), *network;

    if (parse_addr(r, word, &r->s->target.addr))
        return GOST_EPROTO;
    network = next_word(&p);
    r->s->target.size = sizeof r->s->target;
    r->s->target.network = network && strcmp(network, "udp") == 0    ? GOST_NET_UDP
                           : network && strcmp(network, "unix") == 0 ? GOST_NET_UNIX
                                                                     : GOST_NET_TCP;
    return GOST_OK;
}

static int random_line(struct reader *r, const char *p)
{
    struct kit_item bytes;
    int status;

    memset(&bytes, 0, sizeof bytes);
    status = add_data(r, &bytes, p);
    if (status == GOST_OK && bytes.n > sizeof r->s->random - r->s->n_random)
        status = refuse(r, "too many random bytes");
    if (status == GOST_OK && bytes.n) {
        memcpy(r->s->random + r->s->n_random, bytes.data, bytes.n);
        r->s->n_random += bytes.n;
    }
    free(bytes.data);
    free(bytes.mask);
    return status;
}

/* Streams of a session are counted from 1; without a number it is the first. */
static int user_of(int port)
{
    return port > 0 ? port - 1 : 0;
}

/* "fin client", "rst server", "fin user". */
static int end_line(struct reader *r, uint32_t type, int port, char *p)
{
    char *word = next_word(&p);
    struct kit_item *it;

    if (!word || !strchr("csu", word[0]))
        return refuse(r, "who ended: client, server or user?");
    r->last = NULL;
    if (port < 0)
        return GOST_OK;
    it = add_item(r, type, (uint32_t)port);
    if (!it)
        return refuse(r, "out of memory");
    it->who = word[0];
    if (it->who == 'u')
        it->port = (uint32_t)user_of(port);
    word = next_word(&p);
    it->number = word ? strtoull(word, NULL, 10) : 0;
    return GOST_OK;
}

static int finish_line(struct reader *r, uint32_t type, char *p)
{
    struct kit_item *it;
    char *word = next_word(&p);

    if (type == KIT_OK && word && strncmp(word, "rest=", 5) == 0) {
        it = add_item(r, KIT_OK, 0);
        it = it ? add_item(r, KIT_UP, 0) : NULL;
        for (word += 5; it && *word; word++) {
            if (add_byte(it, (uint8_t)*word, 1))
                return refuse(r, "the record is too long");
        }
        return it ? GOST_OK : refuse(r, "out of memory");
    }
    it = add_item(r, type, 0);
    if (!it)
        return refuse(r, "out of memory");
    if (word && (type == KIT_OK || find_error(word, &it->status)))
        return refuse(r, "%s is no word of an error", word);
    return GOST_OK;
}

static int auth_line(struct reader *r, char *p)
{
    char *user = next_word(&p), *secret = user ? next_word(&p) : NULL;

    if (!user)
        return refuse(r, "auth needs a user and a secret");
    free(r->s->user);
    free(r->s->secret);
    r->s->user = strdup(user);
    r->s->secret = strdup(secret ? secret : "");
    return r->s->user && r->s->secret ? GOST_OK : refuse(r, "out of memory");
}

static int type_line(struct reader *r, char *p)
{
    char *word = next_word(&p);

    r->s->type = word && strcmp(word, "datagram") == 0 ? GOST_DATAGRAM : GOST_STREAM;
    return GOST_OK;
}

static int verb_line(struct reader *r, char *p)
{
    char *word = next_word(&p);

    r->s->verb = word && strcmp(word, "associate") == 0 ? GE_ASSOCIATE
                 : word && strcmp(word, "bind") == 0    ? GE_BIND
                                                        : GE_CONNECT;
    return GOST_OK;
}

static int number_item(struct reader *r, uint32_t type, char *p)
{
    struct kit_item *it = add_item(r, type, 0);
    char *word = next_word(&p);

    if (!it)
        return refuse(r, "out of memory");
    it->number = word ? strtoull(word, NULL, 10) : 0;
    if (type == KIT_ACCEPT && word)
        return parse_addr(r, word, &it->addr);
    return GOST_OK;
}

/* What a word at the beginning of a line, or the key of a header, means. GOST_AGAIN: nothing. */
static int word_line(struct reader *r, const char *word, char *rest)
{
    static const struct {
        const char *word;
        uint32_t type;
    } answers[] = {{"dial", KIT_DIAL},       {"bind", KIT_BIND}, {"select", KIT_SELECT},
                   {"resolve", KIT_RESOLVE}, {"ask", KIT_ASK},   {"file", KIT_FILE}};
    size_t i;

    for (i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        if (strcmp(word, answers[i].word) == 0)
            return answer_line(r, answers[i].type, rest);
    }
    if (find_kind(word))
        return component_line(r, find_kind(word), rest);
    if (strcmp(word, "target") == 0)
        return target_line(r, rest);
    if (strcmp(word, "random") == 0)
        return random_line(r, rest);
    if (strcmp(word, "auth") == 0)
        return auth_line(r, rest);
    if (strcmp(word, "type") == 0)
        return type_line(r, rest);
    if (strcmp(word, "verb") == 0)
        return verb_line(r, rest);
    if (strcmp(word, "relay") == 0) {
        r->s->relay = 1;
        return GOST_OK;
    }
    if (strcmp(word, "echo") == 0) {
        r->s->echo = 1;
        return GOST_OK;
    }
    if (strcmp(word, "source") == 0)
        return parse_addr(r, next_word(&rest), &r->s->source);
    if (strcmp(word, "option") == 0)
        return (word = next_word(&rest)) ? add_option(r, word) : GOST_OK;
    if (strcmp(word, "time") == 0) {
        r->s->unix_seconds = strtoull(rest, NULL, 10);
        return GOST_OK;
    }
    return GOST_AGAIN;
}

/* "# key: value" of a capture. Other keys are for people. */
static int header_line(struct reader *r, char *p)
{
    char *colon = strstr(p, ": "), *word;
    unsigned connection;
    int port;

    if (!colon || strchr(p, ' ') < colon)
        return GOST_OK;
    *colon = 0;
    colon += 2;
    if (strcmp(p, "component") == 0) {
        word = next_word(&colon);
        if (!word || !find_kind(word))
            return refuse(r, "component: KIND NAME, not %s", word ? word : "nothing");
        return component_line(r, find_kind(word), colon);
    }
    if (strcmp(p, "option") == 0)
        return (word = next_word(&colon)) ? add_option(r, word) : GOST_OK;
    if (strcmp(p, "port") == 0) {
        if (sscanf(colon, "%u %d", &connection, &port) != 2 || connection > 15 ||
            port >= GOST_PORTS)
            return refuse(r, "port: CONNECTION PORT");
        r->s->port_of[connection] = (int8_t)port;
        return GOST_OK;
    }
    port = word_line(r, p, colon);
    return port == GOST_AGAIN ? GOST_OK : port;
}

/* Events: of captures after "= ", of authors as they are. */
static int event_line(struct reader *r, char *p, int captured)
{
    char *word = next_word(&p);
    int port = captured ? r->s->port_of[r->connection & 15] : 0;
    int status;

    if (!word)
        return GOST_OK;
    if (captured && (strcmp(word, "open") == 0 || strcmp(word, "use") == 0)) {
        word = next_word(&p);
        r->connection = word ? atoi(word) & 15 : 1;
        r->last = NULL;
        return GOST_OK;
    }
    if (isdigit((unsigned char)word[0]) && !word[1] && !captured) { /* "1 fin server" */
        port = word[0] - '0';
        word = next_word(&p);
        if (!word || port >= GOST_PORTS)
            return refuse(r, "a port from 0 to 7 and an event");
    }
    if (strcmp(word, "fin") == 0)
        return end_line(r, KIT_FIN, port, p);
    if (strcmp(word, "rst") == 0)
        return end_line(r, KIT_RST, port, p);
    if (strcmp(word, "wait") == 0)
        return number_item(r, KIT_WAIT, p);
    if (strcmp(word, "accept") == 0)
        return number_item(r, KIT_ACCEPT, p);
    if (strcmp(word, "cancel") == 0)
        return number_item(r, KIT_CANCEL, p);
    if (strcmp(word, "open") == 0)
        return number_item(r, KIT_OPEN, p);
    if (strcmp(word, "up") == 0)
        return record(r, KIT_UP, user_of(port), p);
    if (strcmp(word, "down") == 0)
        return record(r, KIT_DOWN, user_of(port), p);
    if (strcmp(word, "ok") == 0)
        return finish_line(r, KIT_OK, p);
    if (strcmp(word, "fail") == 0)
        return finish_line(r, KIT_FAIL, p);
    if (captured)
        return GOST_OK; /* reads, upstream refused, ...: for people */
    status = word_line(r, word, p);
    return status == GOST_AGAIN ? refuse(r, "unknown word %s", word) : status;
}

static int one_line(struct reader *r, char *line)
{
    char *p = line;
    int port;

    while (*p == ' ' || *p == '\t')
        p++;
    switch (*p) {
    case 0:
    case ';':
        return GOST_OK;
    case '#':
        return p[1] == ' ' ? header_line(r, p + 2) : GOST_OK;
    case '=':
        return event_line(r, p + 1, 1);
    case '+':
        return r->last ? add_data(r, r->last, p + 1) : GOST_OK;
    case '*':
        return run(r, p + 1);
    case '>':
    case '<':
        return record(r, *p == '>' ? KIT_CLIENT : KIT_SERVER, r->s->port_of[r->connection & 15],
                      p + 1);
    default:
        break;
    }
    if (isdigit((unsigned char)p[0]) && (p[1] == '>' || p[1] == '<')) {
        port = p[0] - '0';
        if (port >= GOST_PORTS)
            return refuse(r, "ports are 0 to 7");
        return record(r, p[1] == '>' ? KIT_CLIENT : KIT_SERVER, port, p + 2);
    }
    return event_line(r, p, 0);
}

/* ---- whole transcripts ---- */

static int read_lines(struct reader *r, const char *text)
{
    char *line = malloc(LINE_MAX_);
    int status = line ? GOST_OK : refuse(r, "out of memory");

    while (status == GOST_OK && *text) {
        size_t n = strcspn(text, "\n");

        r->line++;
        if (n >= LINE_MAX_) {
            status = refuse(r, "the line is too long");
            break;
        }
        memcpy(line, text, n);
        line[n] = 0;
        if (n && line[n - 1] == '\r')
            line[n - 1] = 0;
        status = one_line(r, line);
        text += n + (text[n] == '\n');
    }
    free(line);
    return status;
}

struct gost_script *gost_script_parse(const char *text, const char *name, char *why, size_t n)
{
    struct gost_script *s = calloc(1, sizeof *s);
    struct reader r = {s, 0, 1, NULL, why, n};
    int status;

    snprintf(why, n, "out of memory");
    if (!s)
        return NULL;
    s->name = strdup(name);
    s->tail = &s->items;
    s->answers_tail = &s->answers;
    s->verb = GE_CONNECT;
    memset(s->port_of, -1, sizeof s->port_of);
    s->port_of[1] = 0;
    status = s->name ? read_lines(&r, text) : GOST_ENOMEM;
    if (status == GOST_OK && !s->component) {
        r.line = 1;
        status =
            refuse(&r, "names no component: \"# component: handler NAME\" or \"handler NAME\"");
    }
    if (status == GOST_OK)
        return s;
    gost_script_free(s);
    return NULL;
}
