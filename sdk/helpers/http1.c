/* http1.c - HTTP/1 heads: finding the end, strict parsing, questions about fields. */
/* SPDX-License-Identifier: MIT */
#include <gost/http1.h>

#include "http1.h"

/* tchar of RFC 9110 section 5.6.2. */
static int is_token_char(uint8_t c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return 1;
    return c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

int gost_http1_valid_name(struct gost_bytes name)
{
    size_t i;

    for (i = 0; i < name.n; i++)
        if (!is_token_char(name.p[i]))
            return 0;
    return name.n > 0;
}

int gost_http1_valid_value(struct gost_bytes value)
{
    size_t i;

    for (i = 0; i < value.n; i++)
        if ((value.p[i] < 0x20 && value.p[i] != '\t') || value.p[i] == 0x7f)
            return 0;
    return 1;
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

int gost_http1_is(struct gost_bytes a, const char *text)
{
    size_t i;

    for (i = 0; i < a.n; i++)
        if (text[i] == 0 || lower(a.p[i]) != lower((unsigned char)text[i]))
            return 0;
    return text[a.n] == 0;
}

struct gost_bytes gost_http1_trim(struct gost_bytes b)
{
    while (b.n > 0 && (b.p[0] == ' ' || b.p[0] == '\t')) {
        b.p++;
        b.n--;
    }
    while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\t'))
        b.n--;
    return b;
}

/* An empty line ends at lf: also one of lone LFs, so that the parser sees and refuses it. */
static int empty_line(const uint8_t *start, const uint8_t *lf)
{
    if (lf - start >= 1 && lf[-1] == '\n')
        return 1;
    return lf - start >= 2 && lf[-1] == '\r' && lf[-2] == '\n';
}

size_t gost_http1_find_end(struct gost_bytes in, size_t *scanned)
{
    size_t at = *scanned;
    const uint8_t *lf;

    while (at < in.n && (lf = memchr(in.p + at, '\n', in.n - at)) != NULL) {
        at = (size_t)(lf - in.p) + 1;
        if (empty_line(in.p, lf))
            return at;
    }
    *scanned = in.n;
    return 0;
}

/* Take one line that ends in CR LF from *in. 0: there is none, or it holds a lone CR or LF. */
static int take_line(struct gost_bytes *in, struct gost_bytes *ret_line)
{
    const uint8_t *lf = in->n ? memchr(in->p, '\n', in->n) : NULL;
    size_t n;

    if (!lf || lf == in->p || lf[-1] != '\r')
        return 0;
    n = (size_t)(lf - in->p) - 1;
    if (n > 0 && memchr(in->p, '\r', n))
        return 0;
    *ret_line = gost_bytes(in->p, n);
    in->p = lf + 1;
    in->n -= n + 2;
    return 1;
}

/* "HTTP/1.0" or "HTTP/1.1" at p: the minor number, or -1. */
static int version(const uint8_t *p)
{
    if (memcmp(p, "HTTP/1.", 7) != 0 || (p[7] != '0' && p[7] != '1'))
        return -1;
    return p[7] - '0';
}

static const char *parse_request_line(struct gost_http1_head *h, struct gost_bytes line)
{
    const uint8_t *sp = line.n ? memchr(line.p, ' ', line.n) : NULL;
    size_t i, used;
    int minor;

    if (!sp)
        return "the request line has no blank";
    h->method = gost_bytes(line.p, (size_t)(sp - line.p));
    if (!gost_http1_valid_name(h->method))
        return "the method is not a token";
    used = h->method.n + 1;
    if (line.n < used + 9 || line.p[line.n - 9] != ' ')
        return "the request line has no version";
    minor = version(line.p + line.n - 8);
    if (minor < 0)
        return "the version is not HTTP/1.0 or HTTP/1.1";
    h->minor = (uint32_t)minor;
    h->target = gost_bytes(sp + 1, line.n - used - 9);
    for (i = 0; i < h->target.n; i++)
        if (h->target.p[i] <= ' ' || h->target.p[i] == 0x7f)
            return "the request target holds a blank or a control byte";
    if (h->target.n == 0 && !gost_http1_is(h->method, "CONNECT"))
        return "the request target is empty";
    return NULL;
}

static const char *parse_status_line(struct gost_http1_head *h, struct gost_bytes line)
{
    const uint8_t *p = line.p;
    int minor, i;

    if (line.n < 12 || (minor = version(p)) < 0 || p[8] != ' ')
        return "the status line does not start with HTTP/1.0 or HTTP/1.1";
    h->minor = (uint32_t)minor;
    for (i = 9; i < 12; i++) {
        if (p[i] < '0' || p[i] > '9')
            return "the status is not three digits";
        h->status = h->status * 10 + (uint32_t)(p[i] - '0');
    }
    if (h->status < 100 || (line.n > 12 && p[12] != ' '))
        return "the status is not three digits";
    if (line.n > 13)
        h->reason = gost_bytes(p + 13, line.n - 13);
    if (!gost_http1_valid_value(h->reason))
        return "the reason holds a control byte";
    return NULL;
}

static const char *parse_field(struct gost_http1_head *h, struct gost_bytes line)
{
    struct gost_field *f = &h->field[h->n_fields];
    const uint8_t *colon;

    if (line.p[0] == ' ' || line.p[0] == '\t')
        return "a field is folded over two lines";
    colon = memchr(line.p, ':', line.n);
    if (!colon)
        return "a field has no colon";
    f->name = gost_bytes(line.p, (size_t)(colon - line.p));
    f->value = gost_http1_trim(gost_bytes(colon + 1, line.n - f->name.n - 1));
    if (!gost_http1_valid_name(f->name))
        return "a field name is not a token";
    if (!gost_http1_valid_value(f->value))
        return "a field value holds a control byte";
    h->n_fields++;
    return NULL;
}

/* Everything behind the first line. */
static int parse_fields(struct gost_http1_head *h, struct gost_bytes in, const char **why)
{
    struct gost_bytes line;

    while ((*why = "a line does not end in CR LF", take_line(&in, &line))) {
        if (line.n == 0)
            return GOST_OK;
        *why = "the head has too many fields";
        if (h->n_fields == GOST_HTTP1_FIELDS_MAX)
            return GOST_ETOOBIG;
        *why = parse_field(h, line);
        if (*why)
            return GOST_EPROTO;
    }
    return GOST_EPROTO;
}

/* What each kind of head brings. */
struct kind {
    const char *(*first_line)(struct gost_http1_head *h, struct gost_bytes line);
    int leading_empty; /* one empty line before it is tolerated (RFC 9112 section 2.2) */
};

/* The first bytes, as soon as they are there: what is not HTTP at all is refused at once. */
static int parse_start(struct gost_http1_head *h, struct gost_bytes *in, const struct kind *kind,
                       const char **why)
{
    struct gost_bytes line;

    *why = "it does not start like an HTTP/1 message";
    if (in->n == 0)
        return GOST_AGAIN;
    if (!is_token_char(in->p[0]))
        return GOST_EPROTO;
    if (!memchr(in->p, '\n', in->n))
        return GOST_AGAIN;
    *why = "the first line does not end in CR LF";
    if (!take_line(in, &line))
        return GOST_EPROTO;
    *why = kind->first_line(h, line);
    return *why ? GOST_EPROTO : GOST_OK;
}

static int parse(struct gost_http1_head *h, struct gost_bytes in, const char **why,
                 const struct kind *kind)
{
    size_t scanned = 0, skip, n;
    const char *unused;
    int r;

    memset(h, 0, offsetof(struct gost_http1_head, field));
    why = why ? why : &unused;
    if (in.n == 0 || (kind->leading_empty && in.n == 1 && in.p[0] == '\r'))
        return GOST_AGAIN;
    skip = kind->leading_empty && in.n >= 2 && memcmp(in.p, "\r\n", 2) == 0 ? 2 : 0;
    in = gost_bytes(in.p + skip, in.n - skip);
    n = gost_http1_find_end(in, &scanned);
    if (n)
        in.n = n;
    r = parse_start(h, &in, kind, why);
    if (r < 0)
        return r;
    if (n == 0 && skip + scanned < GOST_HTTP1_HEAD_MAX)
        return GOST_AGAIN;
    *why = "the head is longer than 61440 bytes";
    if (n == 0 || skip + n > GOST_HTTP1_HEAD_MAX)
        return GOST_ETOOBIG;
    h->length = (uint32_t)(n + skip);
    return parse_fields(h, in, why);
}

static const struct kind request = {parse_request_line, 1};
static const struct kind response = {parse_status_line, 0};

int gost_http1_parse_request(struct gost_http1_head *ret_head, struct gost_bytes in,
                             const char **ret_why)
{
    return parse(ret_head, in, ret_why, &request);
}

int gost_http1_parse_response(struct gost_http1_head *ret_head, struct gost_bytes in,
                              const char **ret_why)
{
    return parse(ret_head, in, ret_why, &response);
}

struct gost_bytes gost_http1_get(const struct gost_http1_head *head, const char *name)
{
    uint32_t i;

    for (i = 0; i < head->n_fields; i++)
        if (gost_http1_is(head->field[i].name, name))
            return head->field[i].value;
    return gost_bytes(NULL, 0);
}

/* 1: the comma-separated list holds a word that is equal to token (any case). */
static int list_has(struct gost_bytes list, struct gost_bytes token)
{
    struct gost_bytes word;
    const uint8_t *comma;
    size_t i;

    for (;;) {
        comma = list.n ? memchr(list.p, ',', list.n) : NULL;
        word = gost_http1_trim(gost_bytes(list.p, comma ? (size_t)(comma - list.p) : list.n));
        if (word.n == token.n) {
            for (i = 0; i < word.n && lower(word.p[i]) == lower(token.p[i]); i++)
                ;
            if (i == word.n)
                return 1;
        }
        if (!comma)
            return 0;
        list.n -= (size_t)(comma - list.p) + 1;
        list.p = comma + 1;
    }
}

static int any_list_has(const struct gost_http1_head *head, const char *name,
                        struct gost_bytes token)
{
    uint32_t i;

    for (i = 0; i < head->n_fields; i++)
        if (gost_http1_is(head->field[i].name, name) && list_has(head->field[i].value, token))
            return 1;
    return 0;
}

int gost_http1_has_token(const struct gost_http1_head *head, const char *name, const char *token)
{
    return any_list_has(head, name, gost_bytes_str(token));
}

int gost_http1_persistent(const struct gost_http1_head *head)
{
    if (gost_http1_has_token(head, "connection", "close"))
        return 0;
    return head->minor == 1 || gost_http1_has_token(head, "connection", "keep-alive");
}

static int is_one_of(struct gost_bytes name, const char *const *names)
{
    for (; *names; names++)
        if (gost_http1_is(name, *names))
            return 1;
    return 0;
}

int gost_http1_hop_by_hop(const struct gost_http1_head *head, uint32_t i)
{
    static const char *const hop[] = {"connection", "keep-alive", "proxy-connection", "te",
                                      "upgrade",    NULL};
    static const char *const never[] = {"host", "content-length", "transfer-encoding", NULL};
    struct gost_bytes name = head->field[i].name;

    if (is_one_of(name, hop))
        return 1;
    return !is_one_of(name, never) && any_list_has(head, "connection", name);
}
