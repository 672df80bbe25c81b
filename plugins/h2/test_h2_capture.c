/* test_h2_capture.c - recorded streams of GOST's h2 and h2c, replayed against the layers. */
/* SPDX-License-Identifier: MIT */
#include <nghttp2/nghttp2.h>

#include "test_peer.h"

/*
 * What counts of a direction, as text: settings, the session's window, heads field by field, bodies
 * as one, ends and resets. How HPACK packs a field, where DATA is cut and when windows are given
 * back is each side's own business.
 */
struct story {
    char text[16384];
    size_t n;
    uint8_t bytes[131072]; /* frames that are not complete yet */
    size_t bytes_n;
    nghttp2_hd_inflater *hd;
    uint32_t body_of; /* the stream whose body is being told; 0: none */
    size_t body_n;
    int first;
};

static void tell(struct story *s, const char *fmt, ...) GOST_PRINTF(2, 3);
static void tell(struct story *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (s->n < sizeof s->text)
        s->n += (size_t)vsnprintf(s->text + s->n, sizeof s->text - s->n, fmt, ap);
    va_end(ap);
}

static void end_body(struct story *s)
{
    if (s->body_of && s->body_n)
        tell(s, "body %u: %zu bytes\n", (unsigned)s->body_of, s->body_n);
    s->body_of = 0;
    s->body_n = 0;
}

static void tell_head(struct story *s, uint32_t id, const uint8_t *p, size_t n)
{
    nghttp2_nv nv;
    ssize_t r;
    int flags;

    tell(s, "head %u:", (unsigned)id);
    for (;;) {
        flags = 0;
        r = nghttp2_hd_inflate_hd2(s->hd, &nv, &flags, p, n, 1);
        if (r < 0) {
            tell(s, " cannot be read");
            break;
        }
        p += r;
        n -= (size_t)r;
        if (flags & NGHTTP2_HD_INFLATE_EMIT) {
            if (nv.namelen == 4 && memcmp(nv.name, "date", 4) == 0)
                tell(s, " date");
            else
                tell(s, " %.*s=%.*s", (int)nv.namelen, (char *)nv.name, (int)nv.valuelen,
                     (char *)nv.value);
        }
        if (flags & NGHTTP2_HD_INFLATE_FINAL)
            break;
    }
    nghttp2_hd_inflate_end_headers(s->hd);
    tell(s, "\n");
}

static void tell_settings(struct story *s, const uint8_t *p, size_t n)
{
    tell(s, "settings");
    for (; n >= 6; p += 6, n -= 6)
        tell(s, " %u=%u", gost_get16(p), (unsigned)gost_get32(p + 2));
    tell(s, "\n");
}

static void tell_frame(struct story *s, const uint8_t *h, size_t n)
{
    uint32_t id = gost_get32(h + 5);
    const uint8_t *p = h + 9;

    if (h[3] == 0) {
        if (s->body_of != id)
            end_body(s);
        s->body_of = id;
        s->body_n += n;
    }
    if (h[3] == 1 || h[3] == 3 || h[3] == 7 || (h[4] & 1 && h[3] == 0))
        end_body(s);
    if (h[3] == 4 && !(h[4] & 1))
        tell_settings(s, p, n);
    if (h[3] == 8 && id == 0 && s->first++ == 0)
        tell(s, "session window +%u\n", (unsigned)gost_get32(p));
    if (h[3] == 1)
        tell_head(s, id, p, n);
    if (h[3] <= 1 && h[4] & 1)
        tell(s, "end %u\n", (unsigned)id);
    if (h[3] == 3)
        tell(s, "reset %u code %u\n", (unsigned)id, (unsigned)gost_get32(p));
}

/* More bytes of the direction; `each` sees every frame as it completes. */
static void hear(struct story *s, const uint8_t *p, size_t n,
                 void (*each)(const uint8_t *h, size_t n))
{
    size_t at = 0, len;

    if (n > sizeof s->bytes - s->bytes_n)
        n = sizeof s->bytes - s->bytes_n;
    memcpy(s->bytes + s->bytes_n, p, n);
    s->bytes_n += n;
    if (s->bytes_n >= 3 && memcmp(s->bytes, "PRI", 3) == 0)
        at = 24;
    while (at + 9 <= s->bytes_n) {
        len = (size_t)s->bytes[at] << 16 | gost_get16(s->bytes + at + 1);
        if (at + 9 + len > s->bytes_n)
            break;
        tell_frame(s, s->bytes + at, len);
        if (each)
            each(s->bytes + at, len);
        at += 9 + len;
    }
    memmove(s->bytes, s->bytes + at, s->bytes_n - at);
    s->bytes_n -= at;
}

/* ---- the streams of our side ---- */

static struct ge_conf *tunnel_conf;
static struct ge_stack *tunnel[4]; /* of streams 1, 3, 5, 7 */
static uint32_t role;

static struct ge_stack *put_tunnel(struct ge_stack *s)
{
    struct ge_layer_spec spec = {.component = find_layer("h2tunnel"), .role = role};

    spec.conf = ge_conf_data(tunnel_conf);
    spec.target.size = sizeof spec.target;
    (void)gost_addr_parse(&spec.target.addr, "127.0.0.1:18002", 15, 0);
    if (ge_stack_push(s, &spec) != GOST_OK)
        abort();
    run();
    return s;
}

static struct ge_stack **tunnel_of(uint32_t id)
{
    return &tunnel[id / 2 % 4];
}

/* What the recorded side of ours did, ours does too. */
static void imitate(const uint8_t *h, size_t n)
{
    uint32_t id = gost_get32(h + 5);
    struct ge_stack **s = tunnel_of(id);

    if (h[3] == 1 && role == GOST_CLIENT && !*s) {
        *s = put_tunnel(open_stream());
    } else if (h[3] == 0 && *s) {
        gost_send(top(*s), h + 9, n);
        if (h[4] & 1)
            gost_shut(top(*s));
    } else if (h[3] == 3 && *s && role == GOST_CLIENT) {
        let_go(*s);
        *s = NULL;
    }
    run();
}

static void serve_new(void)
{
    static int n;
    int i;

    if (side[SERVER].n_accepted == 0)
        n = 0;
    for (i = n; i < side[SERVER].n_accepted; i++)
        tunnel[i % 4] = put_tunnel(side[SERVER].accepted[i]);
    n = side[SERVER].n_accepted;
}

static void take_what_came(void)
{
    int i;

    for (i = 0; i < 4; i++)
        if (tunnel[i])
            gost_consume(top(tunnel[i]), gost_rx_len(top(tunnel[i])));
}

/* ---- replay ---- */

static uint8_t record[131072];
static size_t record_n;

/* The next record of the last connection of a file: '>' or '<'; 0: none. */
static int next_record(FILE *f)
{
    char line[512];
    unsigned v, n;
    int dir = 0;
    long at = ftell(f);
    const char *p;

    record_n = 0;
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '>' || line[0] == '<') {
            if (dir)
                break;
            dir = line[0];
        }
        if (dir && (line[0] == dir || line[0] == '+'))
            for (p = line + 2; sscanf(p, "%2x", &v) == 1 && *p > ' '; p += 2)
                record[record_n++] = (uint8_t)v;
        if (dir && sscanf(line, "* %u %x", &n, &v) == 2)
            while (n-- > 0)
                record[record_n++] = (uint8_t)v;
        at = ftell(f);
    }
    fseek(f, at, SEEK_SET);
    return dir;
}

static void compare(const char *name, const struct story *theirs, const struct story *ours)
{
    if (strcmp(theirs->text, ours->text) != 0)
        printf("# recorded:\n%s# ours:\n%s", theirs->text, ours->text);
    ok(strcmp(theirs->text, ours->text) == 0, name);
}

static void replay(const char *file, uint32_t our_role, const char *words, const char *name)
{
    static struct story theirs, ours;
    int me = our_role == GOST_CLIENT ? CLIENT : SERVER, dir;
    const char *src = getenv("TOP_SRCDIR");
    char path[300];
    FILE *f;

    snprintf(path, sizeof path, "%s/plugins/h2/captures/%s.txt", src ? src : ".", file);
    f = fopen(path, "r");
    if (!f) {
        ok(0, path);
        return;
    }
    memset(&theirs, 0, sizeof theirs);
    memset(&ours, 0, sizeof ours);
    memset(tunnel, 0, sizeof tunnel);
    (void)nghttp2_hd_inflate_new(&theirs.hd);
    (void)nghttp2_hd_inflate_new(&ours.hd);
    role = our_role;
    tunnel_conf = make_conf("h2tunnel", role, words);
    world_open(me == CLIENT ? "" : NULL, me == SERVER ? "" : NULL);
    serve_new();
    while ((dir = next_record(f))) {
        if ((dir == '>') == (me == CLIENT)) {
            hear(&theirs, record, record_n, imitate);
        } else {
            feed(me, record, record_n);
            if (me == SERVER)
                serve_new();
        }
        take_what_came();
        collect(me);
        hear(&ours, peer_out, peer_out_n, NULL);
    }
    end_body(&theirs);
    end_body(&ours);
    compare(name, &theirs, &ours);
    fclose(f);
    nghttp2_hd_inflate_del(theirs.hd);
    nghttp2_hd_inflate_del(ours.hd);
    ok(world_close(), "nothing leaks");
    ge_conf_free(tunnel_conf);
}

/* A client of HTTP/1 is answered as by GOST, byte by byte. */
static void test_http1(size_t step)
{
    struct record question, reply;
    size_t at;

    load_record(&question, "plugins/h2/captures/h2c-raw-http1.txt", '>', 0);
    load_record(&reply, "plugins/h2/captures/h2c-raw-http1.txt", '<', 0);
    world_open(NULL, "h2.http1Status=405");
    for (at = 0; at < question.n; at += step)
        feed(SERVER, question.p + at, question.n - at < step ? question.n - at : step);
    collect(SERVER);
    ok(record_is(&reply, peer_out, peer_out_n) && ge_tx_shut(side[SERVER].session),
       "a client of HTTP/1 hears 405");
    ge_tx_shut_done(side[SERVER].session);
    ge_rx_end(side[SERVER].session, 0);
    run();
    ok(side[SERVER].ready_status != 0, "and that is all");
    ok(world_close(), "nothing leaks");
}

int main(void)
{
    test_begin();
    replay("h2c-relay", GOST_SERVER, "", "a GOST client's CONNECT stream");
    replay("h2c-path", GOST_SERVER, "path=/p", "a GOST client's GET stream");
    replay("h2c-path-mismatch", GOST_SERVER, "path=/p", "a GOST client without our path");
    replay("h2c-two", GOST_SERVER, "", "two streams of a GOST client");
    replay("h2c-large", GOST_SERVER, "", "40000 bytes each way with a GOST client");
    replay("h2-relay", GOST_SERVER, "", "the same inside TLS");
    replay("h2c-relay", GOST_CLIENT, "", "a CONNECT stream to a GOST server");
    replay("h2c-path", GOST_CLIENT, "path=/p", "a GET stream to a GOST server");
    replay("h2c-two", GOST_CLIENT, "", "two streams to a GOST server");
    replay("h2c-large", GOST_CLIENT, "", "40000 bytes each way with a GOST server");
    test_http1(1000);
    test_http1(1);
    return test_finish();
}
