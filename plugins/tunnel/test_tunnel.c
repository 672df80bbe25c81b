/* test_tunnel.c - ids, names, rules, requests and heads, against recorded exchanges. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_capture.h"
#include "tunnel_entry.h"

#define CAPTURES "plugins/tunnel/captures/"
#define UUID     "4d21094e-b74c-4916-86c1-d9fa36ea677b"

static void chance(void *p, size_t n)
{
    memset(p, 0xff, n);
}

static const struct gost_host services = {.size = sizeof services, .random = chance};
const struct gost_host *gost_host_ = &services;

/* ---- ids ---- */

static void test_ids(void)
{
    char text[TUNNEL_UUID_TEXT], name[TUNNEL_NAME];
    struct tunnel_id id, other;
    uint8_t uuid[16];

    ok(tunnel_id_parse(&id, gost_bytes_str(UUID)) == GOST_OK && id.b[0] == 0x4d &&
           id.b[15] == 0x7b && id.b[TUNNEL_FLAGS] == 0,
       "a tunnel's id");
    tunnel_uuid_text(text, id.b);
    ok(strcmp(text, UUID) == 0, "there and back");
    ok(tunnel_id_parse(&other, gost_bytes_str("$" UUID)) == GOST_OK &&
           other.b[TUNNEL_FLAGS] == TUNNEL_PRIVATE && tunnel_id_same(&id, &other),
       "a private one");
    ok(tunnel_id_parse(&other, gost_bytes_str("")) == GOST_EPROTO &&
           tunnel_id_parse(&other, gost_bytes_str("$")) == GOST_EPROTO &&
           tunnel_id_parse(&other, gost_bytes_str(UUID "0")) == GOST_EPROTO &&
           tunnel_id_parse(&other, gost_bytes_str("4d21094eb74c491686c1d9fa36ea677b0000")) ==
               GOST_EPROTO &&
           tunnel_id_parse(&other, gost_bytes_str("4d21094e-b74c-4916-86c1-d9fa36ea677g")) ==
               GOST_EPROTO,
       "what is none");
    (void)tunnel_name(name, &id);
    ok(strcmp(name, "a6265c6d9847a4be") == 0, "the name of a tunnel without a host");
    tunnel_uuid_random(uuid);
    ok(uuid[6] >> 4 == 4 && uuid[8] >> 6 == 2, "a random UUID says that it is one");
}

/* ---- rules ---- */

static int leads(const struct tunnel_rules *r, const char *host, const char *endpoint)
{
    struct gost_bytes b = tunnel_rules_find(r, gost_bytes_str(host));

    return gost_bytes_eq(b, gost_bytes_str(endpoint));
}

static void test_rules(void)
{
    static const char *const lines[] = {"a.example  one",
                                        "*.example.org two # a remark",
                                        ".net\tthree",
                                        "*b.example four more",
                                        "a.example five",
                                        "# nothing",
                                        "",
                                        "Case.example six"};
    struct tunnel_rules *r = tunnel_rules_new();
    size_t i;

    ok(leads(r, "a.example", ""), "no rules at all");
    for (i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (tunnel_rules_add_line(r, gost_bytes_str(lines[i])) != GOST_OK)
            ok(0, lines[i]);
    ok(tunnel_rules_add_line(r, gost_bytes_str("lonely")) == GOST_EPROTO, "a host without more");
    tunnel_rules_sort(r);
    ok(leads(r, "a.example", "five"), "the last rule of a host holds");
    ok(leads(r, "x.example.org", "two") && leads(r, "y.x.example.org", "two") &&
           leads(r, "example.org", "two") && leads(r, "xexample.org", ""),
       "a star in front: the name and all below it");
    ok(leads(r, "a.net", "three") && leads(r, "net", "three"), "a dot in front is the same");
    ok(leads(r, "b.example", "four") && leads(r, "x.b.example", ""), "a star without a dot goes");
    ok(leads(r, "case.example", "") && leads(r, "Case.example", "six"), "case counts, as in GOST");
    ok(leads(r, "", "") && leads(r, "..", ""), "odd names");
    tunnel_rules_free(r);
}

/* ---- requests ---- */

static int parse(struct gost_relay_message *m, const struct record *r)
{
    memset(m, 0, sizeof *m);
    m->code = r->p[1];
    return gost_relay_features(m, gost_bytes(r->p + GOST_RELAY_HEAD, r->n - GOST_RELAY_HEAD));
}

/* Written again from what was read. */
static int rewritten(const char *path)
{
    uint8_t buf[GOST_RELAY_REQUEST_MAX], *p = buf + GOST_RELAY_HEAD;
    struct gost_relay_message m;
    struct record r;

    load_record(&r, path, '>', 0);
    if (parse(&m, &r) != GOST_OK || !m.has_id || m.n_addr != 2)
        return 0;
    if (m.has_network)
        p = gost_relay_put_network(p, m.network);
    if (m.has_auth)
        p = gost_relay_put_auth(p, m.user, m.password);
    p = gost_relay_put_addr(p, &m.addr);
    p = gost_relay_put_addr(p, &m.second);
    p = gost_relay_put_id(p, m.id);
    return record_is(&r, buf, gost_relay_finish(buf, m.code, p));
}

static void test_requests(void)
{
    struct gost_relay_message m;
    struct tunnel_id id;
    struct record r;

    ok(rewritten(CAPTURES "head-bind-auth.txt"), "a client with credentials");
    ok(rewritten(CAPTURES "head-bind-no-host.txt"), "a client that asks for no host");
    ok(rewritten(CAPTURES "bind-weight.txt"), "a client with a weight");
    ok(rewritten(CAPTURES "connect.txt"), "a client that asks for a host");
    ok(rewritten(CAPTURES "connect-visitor.txt"), "a visitor");
    ok(rewritten(CAPTURES "udp.txt") && rewritten(CAPTURES "udp-visitor.txt"), "both for UDP");
    load_record(&r, CAPTURES "bind-no-host.txt", '>', 0);
    ok(parse(&m, &r) == GOST_OK && m.second.family == GOST_AF_NONE && m.second.port == 0,
       "an empty name, as older builds send it");
    load_record(&r, CAPTURES "bind-weight.txt", '<', 0);
    ok(parse(&m, &r) == GOST_OK && m.has_id && m.id[TUNNEL_WEIGHT] == 5 && m.n_addr == 1,
       "the answer to a client with a weight");
    memcpy(id.b, m.id, sizeof m.id);
    ok(!tunnel_id_none(&id), "it has an id of its own");
}

/* ---- heads ---- */

static void test_parse(void)
{
    static const char absolute[] = "GET http://a.example:8080/x?y=1 HTTP/1.1\r\nHost: b\r\n\r\n",
                      query[] = "GET http://a.example?y=1 HTTP/1.1\r\n\r\n",
                      none[] = "GET / HTTP/1.1\r\n\r\n",
                      login[] = "GET / HTTP/1.1\r\nHost: u@a.example\r\n\r\n";
    struct gost_http1_head head;
    struct tunnel_request req;

    (void)gost_http1_parse_request(&head, gost_bytes(absolute, sizeof absolute - 1), NULL);
    ok(tunnel_request_parse(&req, &head) == GOST_OK && req.addr.port == 8080 &&
           strcmp(req.addr.name, "a.example") == 0 &&
           gost_bytes_eq(req.path, gost_bytes_str("/x?y=1")),
       "a request with a whole URL");
    (void)gost_http1_parse_request(&head, gost_bytes(query, sizeof query - 1), NULL);
    ok(tunnel_request_parse(&req, &head) == GOST_OK && req.addr.port == 80 &&
           gost_bytes_eq(req.path, gost_bytes_str("?y=1")),
       "a URL without a path");
    (void)gost_http1_parse_request(&head, gost_bytes(none, sizeof none - 1), NULL);
    ok(tunnel_request_parse(&req, &head) == GOST_EPROTO, "no host");
    (void)gost_http1_parse_request(&head, gost_bytes(login, sizeof login - 1), NULL);
    ok(tunnel_request_parse(&req, &head) == GOST_EPROTO, "a host with a login");
}

/* The text of a document's section, with its line ends as on the wire. */
static size_t load_document(char *to, size_t size, const char *path)
{
    const char *top = getenv("TOP_SRCDIR");
    char line[512], name[512];
    size_t n = 0;
    FILE *f;
    int on = 0;

    snprintf(name, sizeof name, "%s/%s", top ? top : ".", path);
    f = fopen(name, "r");
    while (f && fgets(line, sizeof line, f)) {
        if (on)
            n += (size_t)snprintf(to + n, size - n, "%.*s\r\n", (int)strcspn(line, "\r\n"), line);
        on |= strncmp(line, "---", 3) == 0;
    }
    if (f)
        fclose(f);
    return n;
}

/* What follows "name: " in the text; *owned* by the static buffer of the caller. */
static void field(char *to, size_t size, const char *text, const char *name)
{
    const char *at = strstr(text, name);

    snprintf(to, size, "%.*s", at ? (int)strcspn(at + strlen(name), "\r") : 0,
             at ? at + strlen(name) : "");
}

static int passed_on(const char *request, const char *document)
{
    char want[2000], node[64], sid[64];
    uint8_t room[2000];
    struct gost_http1_out out = {room, 0, sizeof room, 0};
    struct gost_http1_head head;
    struct tunnel_request req;
    struct record r = {{0}, 0};
    size_t n = load_document(want, sizeof want, document);

    field(node, sizeof node, want, "Gost-Forwarded-Node: ");
    field(sid, sizeof sid, want, "Gost-Sid: ");
    if (gost_http1_parse_request(&head, gost_bytes_str(request), NULL) != GOST_OK ||
        tunnel_request_parse(&req, &head) != GOST_OK)
        return 0;
    tunnel_request_put(&out, &head, &req, node, sid, GOST_HTTP1_PUT_CLOSE);
    memcpy(r.p, want, n);
    r.n = n;
    return record_is(&r, out.p, out.n);
}

static int loops(const char *fields, const char *node)
{
    struct gost_http1_head head;
    char text[300];

    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
    return gost_http1_parse_request(&head, gost_bytes_str(text), NULL) == GOST_OK &&
           tunnel_request_loops(&head, node);
}

static void test_heads(void)
{
    static const uint8_t id[12] = {0x4d, 0x88, 0xe1, 0x5b, 0x60, 0xf4,
                                   0x86, 0xe4, 0x28, 0x41, 0x2d, 0xc9};
    char sid[TUNNEL_SID];

    ok(passed_on("GET /a HTTP/1.1\r\nHost: srv.test\r\nUser-Agent: t\r\n"
                 "X-Forwarded-For: 1.2.3.4\r\n\r\n",
                 CAPTURES "entry-http-origin.txt"),
       "a request as it reached the origin");
    ok(passed_on("GET /a HTTP/1.1\r\nHost: srv.test\r\nGost-Forwarded-Node: x\r\n\r\n",
                 CAPTURES "entry-http-loop-origin.txt"),
       "one that went through another node");
    ok(loops("Gost-Forwarded-Node: " UUID "\r\n", UUID) &&
           loops("A: b\r\ngost-forwarded-node: x, " UUID "\r\n", UUID),
       "one that went through this node");
    ok(!loops("Gost-Forwarded-Node: x\r\n", UUID) && !loops("Gost-Sid: " UUID "\r\n", UUID) &&
           !loops("Gost-Forwarded-Node:\r\n", UUID),
       "ones that did not");
    tunnel_sid_text(sid, id);
    ok(strcmp(sid, "9m4e2mr0ui3e8a215n4g") == 0, "a session's id as text");
}

int main(void)
{
    test_ids();
    test_rules();
    test_requests();
    test_parse();
    test_heads();
    return test_end();
}
