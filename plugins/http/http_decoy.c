/* http_decoy.c - a failed login: 407, or an answer that does not look like a proxy's. */
/* SPDX-License-Identifier: MIT */
#include "http.h"

/* End with the bare 503 that gost gives when a decoy is not to be had. */
int http_decoy_503(struct gost_io *io, const struct http_conf *conf)
{
    http_reply(io, conf, 1, 503, 0);
    return gost_fail(io, GOST_EAUTH, "login failed, and the probeResist decoy '%s' cannot be shown",
                     conf->probe_resist);
}

static int refuse_407(struct gost_io *io, const struct http_conf *conf,
                      const struct gost_http1_head *head)
{
    struct gost_bytes pc = gost_http1_get(head, "proxy-connection");
    struct gost_http1_out out;

    if (gost_http1_out_new(&out, 256 + strlen(conf->realm)) == GOST_OK) {
        http_put_407(&out, conf, gost_http1_is(pc, "keep-alive"));
        gost_http1_out_send(io, &out);
    }
    return gost_fail(io, GOST_EAUTH, "the client gave no or wrong credentials");
}

static int show_code(struct gost_io *io, const struct http_conf *conf)
{
    struct gost_http1_out out;

    if (gost_http1_out_new(&out, 256) == GOST_OK) {
        http_put_decoy_code(&out, conf->decoy_code);
        gost_http1_out_send(io, &out);
    }
    return gost_fail(io, GOST_EAUTH, "the client gave no or wrong credentials; decoy shown");
}

int http_auth_failed(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                     const struct gost_event *ev)
{
    struct gost_http1_head head;
    int r = gost_http1_again(&s->x, io, &head);

    if (r != GOST_OK)
        return r;
    if (conf->decoy == GOST_DECOY_OFF || gost_decoy_knocked(conf->knock, http_request_host(&head)))
        return refuse_407(io, conf, &head);
    s->phase = HTTP_DECOY;
    gost_phase(io, "the probeResist decoy");
    switch (conf->decoy) {
    case GOST_DECOY_CODE:
        return show_code(io, conf);
    case GOST_DECOY_FILE:
        r = gost_file_read(io, HTTP_TAG_FILE, gost_bytes_str(conf->decoy_value),
                           GOST_DECOY_FILE_MAX);
        break;
    case GOST_DECOY_WEB:
    case GOST_DECOY_HOST:
        gost_set_deadline(io, gost_now() + GOST_DECOY_TIMEOUT);
        r = gost_decoy_dial(io, HTTP_TAG_DECOY_DIAL, HTTP_UPSTREAM, &conf->decoy_addr);
        break;
    default:
        return http_decoy_503(io, conf);
    }
    return r == GOST_OK ? GOST_AGAIN : r;
}

static int show_file(struct gost_io *io, const struct gost_result_file *file)
{
    struct gost_http1_out out;

    if (gost_http1_out_new(&out, 256) == GOST_OK) {
        http_put_decoy_file(&out, file->data.n);
        gost_http1_out_send(io, &out);
        gost_send(io, file->data.p, file->data.n);
    }
    return gost_fail(io, GOST_EAUTH, "the client gave no or wrong credentials; decoy shown");
}

/* WEB: fetch the page; the response is passed on as that of any other request. */
static int fetch_page(struct http_state *s, const struct http_conf *conf, struct gost_io *io)
{
    struct gost_http1_how how;
    struct gost_http1_out out;
    int r = gost_http1_out_new(&out, 256 + conf->decoy_authority.n + conf->decoy_path.n);

    if (r != GOST_OK)
        return http_decoy_503(io, conf);
    gost_http1_put_str(&out, "GET ");
    if (conf->decoy_path.n == 0 || conf->decoy_path.p[0] != '/')
        gost_http1_put_str(&out, "/");
    gost_http1_put(&out, conf->decoy_path);
    gost_http1_put_str(&out, " HTTP/1.1\r\n");
    gost_http1_put_field(&out, gost_bytes_str("Host"), conf->decoy_authority);
    gost_http1_put_str(&out, "User-Agent: Go-http-client/1.1\r\nConnection: close\r\n\r\n");
    gost_http1_out_send(gost_port(io, HTTP_UPSTREAM), &out);
    s->x.single = 1;
    s->connected = 1;
    s->x.is_head = 0;
    s->x.upgrade[0] = 0;
    memset(&s->x.up, 0, sizeof s->x.up);
    how = http_how(s, conf);
    s->phase = HTTP_EXCHANGE;
    gost_http1_begin(&s->x, &how, io);
    gost_set_deadline(io, gost_now() + GOST_DECOY_TIMEOUT);
    return http_exchange(s, conf, io);
}

/* HOST: show the request to a web server and let the two talk. */
static int show_host(struct http_state *s, const struct http_conf *conf, struct gost_io *io)
{
    struct gost_http1_head head;
    struct http_target target;
    struct gost_http1_out out;
    int r = gost_http1_again(&s->x, io, &head);

    if (r != GOST_OK)
        return r;
    if (http_target_parse(&target, &head) != GOST_OK) { /* origin form: as it is */
        memset(&target, 0, sizeof target);
        target.authority = gost_http1_get(&head, "host");
        target.path = head.target;
    }
    if (gost_http1_out_new(&out, 256 + head.length + 4 * (size_t)head.n_fields +
                                     2 * target.authority.n) != GOST_OK)
        return http_decoy_503(io, conf);
    http_put_request(&out, &head, &target, s->x.upgrade[0] ? GOST_HTTP1_PUT_UPGRADE : 0);
    gost_http1_out_send(gost_port(io, HTTP_UPSTREAM), &out);
    gost_consume(io, s->x.head_n);
    gost_set_deadline(io, 0);
    s->phase = HTTP_TUNNEL;
    r = gost_relay(io, HTTP_CLIENT, HTTP_UPSTREAM, conf->idle_timeout);
    return r == GOST_OK ? GOST_AGAIN : r;
}

static int start_tls(const struct http_conf *conf, struct gost_io *io)
{
    int r = gost_start_tls(io, HTTP_TAG_DECOY_TLS, HTTP_UPSTREAM, &conf->decoy_addr);

    return r == GOST_OK ? GOST_AGAIN : r;
}

int http_decoy_result(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    if (ev->status != GOST_OK)
        return http_decoy_503(io, conf);
    switch (ev->tag) {
    case HTTP_TAG_FILE:
        return show_file(io, ev->result);
    case HTTP_TAG_DECOY_DIAL:
        if (conf->decoy == GOST_DECOY_HOST)
            return show_host(s, conf, io);
        return conf->decoy_tls ? start_tls(conf, io) : fetch_page(s, conf, io);
    default:
        return fetch_page(s, conf, io);
    }
}

int http_decoy_prepare(struct http_conf *conf, struct gost_prepare *p)
{
    struct gost_decoy d;
    int r = gost_decoy_parse(&d, conf->probe_resist, p);

    if (r != GOST_OK)
        return r;
    if (d.kind == GOST_DECOY_CODE && !d.code)
        d.kind = GOST_DECOY_UNKNOWN; /* 503, as gost answers */
    conf->decoy = d.kind;
    conf->decoy_code = d.code;
    conf->decoy_tls = d.tls;
    conf->decoy_value = d.value;
    conf->decoy_authority = d.authority;
    conf->decoy_path = d.path;
    conf->decoy_addr = d.addr;
    return GOST_OK;
}
