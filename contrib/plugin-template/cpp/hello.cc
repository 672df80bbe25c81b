// hello.cc - the handler of the C template in C++17.
// SPDX-License-Identifier: MIT
#include <gost/plugin.h>

#include <cstring>
#include <string>

namespace
{

struct conf {
    const char *greeting;
    uint64_t timeout;
};

// The host allocates the state as zeroed bytes: keep it plain, or hold one pointer and free it
// in destroy().
struct session {
    std::string *line;
    struct gost_addr target;
    bool dialing;
};

int refuse(struct gost_io *io, const struct gost_event *ev)
{
    gost_send(io, "NO\n", 3);
    return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "refused");
}

// "HELLO user secret host:port" without the line's end.
int parse(session *s, struct gost_io *io)
{
    std::string &l = *s->line;
    std::size_t a = l.find(' '), b = l.find(' ', a + 1), c = l.find(' ', b + 1);

    if (l.compare(0, 6, "HELLO ") != 0 || a == std::string::npos || b == std::string::npos ||
        c == std::string::npos ||
        gost_addr_parse(&s->target, l.data() + c + 1, l.size() - c - 1, 0) != GOST_OK ||
        s->target.port == 0)
        return gost_fail(io, GOST_EPROTO, "expected \"HELLO user secret host:port\"");
    int r = gost_auth(io, 1, gost_bytes(l.data() + a + 1, b - a - 1),
                      gost_bytes(l.data() + b + 1, c - b - 1));
    gost_wipe(&l[0], l.size());
    return r != GOST_OK ? r : GOST_AGAIN;
}

int step(void *state, const void *c, struct gost_io *io, const struct gost_event *ev) noexcept
{
    auto *s = static_cast<session *>(state);
    auto *cf = static_cast<const conf *>(c);

    if (ev->type == GOST_EV_START) {
        s->line = new std::string;
        gost_set_deadline(io, gost_now() + cf->timeout);
    }
    if (ev->type == GOST_EV_DEADLINE)
        return gost_fail(io, GOST_ETIMEDOUT, "no request in time");
    if (ev->type == GOST_EV_RESULT && ev->status)
        return refuse(io, ev);
    if (ev->type == GOST_EV_RESULT && !s->dialing) {
        s->dialing = true;
        gost_dial(io, 2, 1, GOST_NET_TCP, &s->target);
        return GOST_AGAIN;
    }
    if (ev->type == GOST_EV_RESULT) {
        gost_set_deadline(io, 0);
        gost_send(io, cf->greeting, std::strlen(cf->greeting));
        gost_send(io, "\n", 1);
        gost_relay(io, 0, 1, 0);
        return GOST_AGAIN;
    }
    while (s->target.port == 0 && gost_rx_len(io) > 0) {
        char ch = static_cast<char>(*gost_take(io, 1));
        if (ch == '\n')
            return parse(s, io);
        if (s->line->size() > 512)
            return gost_fail(io, GOST_EPROTO, "the request line is too long");
        s->line->push_back(ch);
    }
    if (gost_rx_eof(io) && s->target.port == 0)
        return gost_fail(io, GOST_ECLOSED, "the client left early");
    return GOST_AGAIN;
}

void destroy(void *state) noexcept
{
    delete static_cast<session *>(state)->line;
}

const struct gost_opt options[] = {
    GOST_OPT_STRING(conf, greeting, "greeting", "OK", GOST_OPT_SERVER, "what a client is told"),
    GOST_OPT_DURATION(conf, timeout, "readTimeout", "15s", 1, 3600000, GOST_OPT_SERVER,
                      "how long the request may take"),
    GOST_OPT_LAST};
const struct gost_handler_ops ops = {sizeof ops, GOST_STREAM, step, destroy};
const struct gost_component components[] = {{GOST_KIND_HANDLER, 0, "hellocc", nullptr,
                                             "the C++ template", &ops, options, sizeof(conf),
                                             sizeof(session), nullptr, nullptr}};

} // namespace

GOST_PLUGIN("hellocc", "1.0", "MIT", "the plugin template in C++", components, "handler:hellocc");
