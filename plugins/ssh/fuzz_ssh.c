/* fuzz_ssh.c - any bytes as files of keys, as a peer before its keys, as messages behind them. */
/* SPDX-License-Identifier: MIT */
#include "test_world.h"

#include "sshd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void files(struct gost_bytes text)
{
    struct ssh_out keys = {0}, again = {0};
    struct ssh_in in;
    const char *why = NULL;
    struct gost_addr addr;
    EVP_PKEY *key;

    ssh_read_authorized(text, &keys);
    for (in = ssh_in(ssh_out_bytes(&keys)); in.n && !in.bad;) {
        struct gost_bytes blob = ssh_get_string(&in);

        if (!ssh_is_authorized(ssh_out_bytes(&keys), blob))
            abort();
        key = ssh_get_public(blob);
        if (key && ssh_put_public(&again, key) != GOST_OK)
            abort();
        EVP_PKEY_free(key);
    }
    key = ssh_read_private(text, NULL, &why);
    if (!key && !why)
        abort();
    EVP_PKEY_free(key);
    EVP_PKEY_free(ssh_get_public(text));
    (void)sshd_get_target(text, &addr);
    (void)sshd_get_bind(text, &addr);
    ssh_out_free(&again);
    ssh_out_free(&keys);
}

/* Messages: a length byte, then so many bytes. */
static void messages(const uint8_t *data, size_t size, uint32_t role)
{
    struct ge_stack *wire, *own = NULL;
    struct ssh_out m = {0};
    struct side s;
    size_t n;

    bare_open(&s, role, "", &wire);
    if (role == GOST_CLIENT)
        own = open_stream(&s, "\0\0\0\001x", 5);
    for (; size > 1 && !s.ended; data += n, size -= n) {
        n = data[0] < size - 1 ? data[0] : size - 1;
        data++;
        size--;
        m.n = 0;
        ssh_put(&m, data, n);
        if (m.n)
            put_packet(wire, &m);
        side_use(&s, n ? data[n - 1] : 0);
        while (take_packet(wire).n)
            continue;
    }
    ssh_out_free(&m);
    if (own)
        ge_stack_free(own, 0);
    side_close(&s);
    ge_stack_free(wire, 0);
}

/* A peer that nobody knows yet. */
static void stranger(struct gost_bytes bytes, uint32_t role)
{
    struct ge_stack *wire;
    struct side s;

    memset(&s, 0, sizeof s);
    s.flow = ge_flow_new(worker);
    ge_stack_pair(s.flow, GOST_STREAM, &s.session, &wire);
    side_push(&s, &gost_plugin_v1.components[0], 0, role, "");
    run();
    gost_send(ge_stack_io(wire), bytes.p, bytes.n);
    run();
    side_close(&s);
    ge_stack_free(wire, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gost_bytes rest = gost_bytes(data + 1, size - 1);

    if (size < 2 || size > 65536)
        return 0;
    world_begin();
    switch (data[0] % 5) {
    case 0:
        files(rest);
        break;
    case 1:
    case 2:
        messages(rest.p, rest.n, data[0] % 5 == 1 ? GOST_SERVER : GOST_CLIENT);
        break;
    default:
        stranger(rest, data[0] % 5 == 3 ? GOST_SERVER : GOST_CLIENT);
    }
    if (!world_end())
        abort();
    return 0;
}
