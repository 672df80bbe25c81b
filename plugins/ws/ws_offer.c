/* ws_offer.c - the extension permessage-deflate in the handshake (RFC 7692 section 7.1). */
/* SPDX-License-Identifier: MIT */
#include "ws.h"

#define EXTENSIONS "Sec-WebSocket-Extensions"

const char ws_deflate_offer[] =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

struct params {
    uint32_t server_fresh, client_fresh; /* ..._no_context_takeover */
    uint32_t server_bits, client_bits;   /* ..._max_window_bits; 0: not named */
    uint32_t client_bits_named;
    uint32_t strange; /* something that we do not know */
};

static struct gost_bytes trim(struct gost_bytes b)
{
    while (b.n > 0 && (b.p[0] == ' ' || b.p[0] == '\t'))
        b.p++, b.n--;
    while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\t'))
        b.n--;
    return b;
}

/* Cut *rest at the first `at` outside of quotes; returns what is before it. */
static struct gost_bytes cut(struct gost_bytes *rest, char at)
{
    struct gost_bytes part = *rest;
    size_t i;
    int quoted = 0;

    for (i = 0; i < rest->n; i++) {
        if (rest->p[i] == '"')
            quoted = !quoted;
        else if (rest->p[i] == '\\' && quoted)
            i++;
        else if (rest->p[i] == at && !quoted)
            break;
    }
    if (i >= rest->n) {
        *rest = gost_bytes(NULL, 0);
        return trim(part);
    }
    part.n = i;
    *rest = gost_bytes(rest->p + i + 1, rest->n - i - 1);
    return trim(part);
}

static uint32_t window_bits(struct gost_bytes value)
{
    uint32_t v = 0;
    size_t i;

    if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
        value = gost_bytes(value.p + 1, value.n - 2);
    if (value.n < 1 || value.n > 2 || value.p[0] == '0')
        return 0;
    for (i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return 0;
        v = v * 10 + (uint32_t)(value.p[i] - '0');
    }
    return v >= 8 && v <= 15 ? v : 0;
}

static void read_param(struct params *p, struct gost_bytes text)
{
    struct gost_bytes value = text, name = cut(&value, '=');
    int has_value = value.p != NULL;

    value = trim(value);
    if (gost_http1_is(name, "server_no_context_takeover") && !has_value && !p->server_fresh) {
        p->server_fresh = 1;
    } else if (gost_http1_is(name, "client_no_context_takeover") && !has_value &&
               !p->client_fresh) {
        p->client_fresh = 1;
    } else if (gost_http1_is(name, "server_max_window_bits") && !p->server_bits) {
        p->server_bits = window_bits(value);
        p->strange |= p->server_bits == 0;
    } else if (gost_http1_is(name, "client_max_window_bits") && !p->client_bits_named) {
        p->client_bits_named = 1;
        p->client_bits = has_value ? window_bits(value) : 15;
        p->strange |= p->client_bits == 0;
    } else {
        p->strange = 1;
    }
}

/* The next permessage-deflate of a field's value. 0: there is none. *ret_other counts others. */
static int next_deflate(struct gost_bytes *rest, struct params *ret_params, int *ret_other)
{
    struct gost_bytes item, name;

    while (rest->n > 0) {
        item = cut(rest, ',');
        name = cut(&item, ';');
        if (name.n == 0)
            continue;
        if (!gost_http1_is(name, "permessage-deflate")) {
            (*ret_other)++;
            continue;
        }
        memset(ret_params, 0, sizeof *ret_params);
        while (item.n > 0)
            read_param(ret_params, cut(&item, ';'));
        return 1;
    }
    return 0;
}

/* Our windows have 15 bits: an offer that asks for a smaller one is passed over. */
int ws_offer_accepts(const struct gost_http1_head *head)
{
    struct params p;
    struct gost_bytes rest;
    uint32_t i;
    int others = 0;

    for (i = 0; i < head->n_fields; i++) {
        if (!gost_http1_is(head->field[i].name, EXTENSIONS))
            continue;
        rest = head->field[i].value;
        while (next_deflate(&rest, &p, &others))
            if (!p.strange && (p.server_bits == 0 || p.server_bits == 15))
                return 1;
    }
    return 0;
}

int ws_offer_check(const struct gost_http1_head *head, int offered, int *ret_deflate)
{
    struct params p;
    struct gost_bytes rest;
    uint32_t i;
    int found = 0, others = 0;

    for (i = 0; i < head->n_fields; i++) {
        if (!gost_http1_is(head->field[i].name, EXTENSIONS))
            continue;
        rest = head->field[i].value;
        while (next_deflate(&rest, &p, &others)) {
            if (p.strange || p.client_bits_named || !p.server_fresh || !p.client_fresh)
                return GOST_EPROTO;
            found++;
        }
    }
    if (others || found > 1 || (found && !offered))
        return GOST_EPROTO;
    *ret_deflate = found;
    return GOST_OK;
}
