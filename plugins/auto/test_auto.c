/* test_auto.c - the first byte of recorded connections chooses the handler. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_capture.h"
#include "auto.h"

static struct record in;

static int chosen(const char *capture, const char *handler)
{
    load_record(&in, capture, '>', 0);
    return strcmp(auto_choose(in.p[0]), handler) == 0;
}

int main(void)
{
    ok(chosen("plugins/auto/captures/socks4.txt", "socks4"), "socks4");
    ok(chosen("plugins/auto/captures/socks5.txt", "socks5"), "socks5");
    ok(chosen("plugins/auto/captures/http.txt", "http"), "http");
    ok(chosen("plugins/auto/captures/other.txt", "http"), "anything else goes to http");
    ok(chosen("plugins/sni/captures/sni-tls.txt", "sni"), "tls");
    return test_end();
}
