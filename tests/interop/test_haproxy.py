#!/usr/bin/env python3
# test_haproxy.py - haproxy in front of us and behind us: PROXY headers v1 and v2, tcp, tls.
# SPDX-License-Identifier: MIT
# timeout: 120
import socket

import peers
from peers import (
    ANSWER,
    Daemon,
    certificate,
    counted,
    ended_cleanly,
    half_close,
    open_work,
    round_trip,
    section,
    write,
)
from harness import (
    Host,
    Tap,
    answer_after_end,
    connect_via,
    free_port,
    need,
    read_all,
    recv_exact,
    serve,
    socks_addr,
)

tap = Tap()
COUNTED = serve(counted)
END = serve(answer_after_end(ANSWER))
SEEN = "%[src]:%[src_port] %[dst_port]"
CLIENT = "127.0.0.77"  # the address that must come out at the far end

# One haproxy plays every part. {names} are ports.
CONFIG = """global
    maxconn 200
defaults
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    mode tcp
listen front1
    bind 127.0.0.1:{front1}
    server us 127.0.0.1:{us1} send-proxy
listen front2
    bind 127.0.0.1:{front2}
    server us 127.0.0.1:{us2} send-proxy-v2
listen front_tlv
    bind 127.0.0.1:{front_tlv}
    unique-id-format %[rand]-%pid
    server us 127.0.0.1:{us2} send-proxy-v2 proxy-v2-options crc32c,unique-id
listen front_tls
    bind 127.0.0.1:{front_tls}
    server us 127.0.0.1:{us_tls} send-proxy-v2 ssl verify none
listen front_end
    bind 127.0.0.1:{front_end}
    server us 127.0.0.1:{us_end} send-proxy-v2
listen front_local
    bind 127.0.0.1:{front_local}
    server us 127.0.0.1:{us_local} send-proxy-v2 check inter 200ms
frontend back
    mode http
    bind 127.0.0.1:{back} accept-proxy
    http-request return status 200 content-type text/plain lf-string "{seen}"
listen gate
    bind 127.0.0.1:{gate} accept-proxy
    log stdout format raw daemon
    log-format "%ci gate"
    server proxy 127.0.0.1:{proxy}
listen gate_tls
    bind 127.0.0.1:{gate_tls} ssl crt {pem}
    server proxy 127.0.0.1:{proxy}
"""
PORTS = {
    name: free_port()
    for name in (
        "front1 front2 front_tlv front_tls front_end front_local back gate us1 us2 us_tls us_end "
        "us_local gate_tls proxy"
    ).split()
}


def connect_from(host, port):
    return socket.create_connection(("127.0.0.1", port), 20, (host, 0))


def open_from(host, port, target):
    """A CONNECT through SOCKS5 by a client with this address."""
    s = connect_from(host, port)
    s.sendall(b"\5\1\0" + b"\5\1\0" + socks_addr("127.0.0.1", target))
    recv_exact(s, 2)
    if recv_exact(s, 10)[1]:
        raise RuntimeError("refused")
    return s


def ask(s):
    """(the client that `back` saw, the client that we were); s is closed."""
    s.settimeout(peers.SECONDS)
    mine = "%s:%d" % s.getsockname()
    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    seen = read_all(s).decode(errors="replace").rpartition("\r\n\r\n")[2]
    s.close()
    return seen, mine


def origin(front, name):
    def fn():
        seen, mine = ask(connect_from(CLIENT, PORTS[front]))
        want = "%s %d" % (mine, PORTS[front])
        return seen == want or "the far end saw %r, not %r" % (seen, want)

    tap.case(name, fn)


def in_front():
    us = {}
    for name, version in (("us1", 1), ("us2", 2), ("us_local", 1)):
        us[name] = Host(
            "-L",
            "tcp://127.0.0.1:%d/127.0.0.1:%d?proxyProtocol=1&"
            "handler.proxyProtocol=%d" % (PORTS[name], PORTS["back"], version),
            ports=[PORTS[name]],
        )
    us["us_tls"] = Host(
        "-L",
        "forward+tls://127.0.0.1:%d/127.0.0.1:%d?proxyProtocol=1&"
        "handler.proxyProtocol=2" % (PORTS["us_tls"], PORTS["back"]),
        ports=[PORTS["us_tls"]],
    )
    us["us_end"] = Host(
        "-L",
        "tcp://127.0.0.1:%d/127.0.0.1:%d?proxyProtocol=1" % (PORTS["us_end"], END),
        ports=[PORTS["us_end"]],
    )
    origin("front1", "send-proxy > proxyProtocol, handler.proxyProtocol=1 > accept-proxy")
    origin("front2", "send-proxy-v2 > proxyProtocol, handler.proxyProtocol=2 > accept-proxy")
    origin("front_tlv", "send-proxy-v2 with a checksum and a unique id > proxyProtocol")
    origin("front_tls", "send-proxy-v2 before TLS > forward+tls")
    origin("us1", "a client without a header is itself (v1)")
    origin("us2", "a client without a header is itself (v2)")
    peers.until(lambda: ask(connect_from(CLIENT, PORTS["front_local"]))[0])  # haproxy saw us up
    origin("front_local", "beside health checks, which are LOCAL")
    tap.case(
        "half-close and bytes behind send-proxy-v2",
        lambda: half_close(connect_from(CLIENT, PORTS["front_end"])),
    )
    tap.case(
        "half-close and bytes without a header",
        lambda: half_close(connect_from(CLIENT, PORTS["us_end"])),
    )
    tap.ok(all(h.alive() for h in us.values()), "all live")
    ended_cleanly(tap, "behind haproxy", *us.values())


def behind(haproxy):
    """haproxy before a proxy of ours: the node is reached with a header, or with tls."""
    proxy = Host("-L", "auto://127.0.0.1:%d" % PORTS["proxy"], ports=[PORTS["proxy"]])
    for version in (1, 2):
        for scheme in ("socks5", "http"):
            entry = free_port()
            name = "-F %s?proxyProtocol=%d > accept-proxy" % (scheme, version)
            h = Host(
                "-L",
                "socks5://127.0.0.1:%d" % entry,
                "-F",
                "%s://127.0.0.1:%d?proxyProtocol=%d" % (scheme, PORTS["gate"], version),
                ports=[entry],
            )
            before = haproxy.text().count(CLIENT + " gate")
            tap.case(name, lambda: round_trip(open_from(CLIENT, entry, COUNTED)))
            tap.case("half-close, " + name, lambda: half_close(open_from(CLIENT, entry, END)))
            tap.case(
                "the client's address, " + name,
                lambda: bool(
                    peers.until(lambda: haproxy.text().count(CLIENT + " gate") >= before + 2)
                ),
            )
            ended_cleanly(tap, name, h)
    for scheme in ("socks5+tls", "http+tls"):
        entry = free_port()
        h = Host(
            "-L",
            "socks5://127.0.0.1:%d" % entry,
            "-F",
            "%s://127.0.0.1:%d" % (scheme, PORTS["gate_tls"]),
            ports=[entry],
        )
        tap.case(
            "-F %s > bind ssl" % scheme,
            lambda: round_trip(connect_via("socks5", entry, "127.0.0.1", COUNTED)),
        )
        ended_cleanly(tap, scheme, h)
    ended_cleanly(tap, "the proxy behind haproxy", proxy)


def main():
    program = need(tap, "haproxy", "haproxy in front and behind")
    if not program:
        return
    open_work()
    cert, key = certificate()
    with open(cert) as one, open(key) as two:
        pem = write("haproxy.pem", one.read() + two.read())
    conf = write("haproxy.cfg", CONFIG.format(pem=pem, seen=SEEN, **PORTS))
    listening = [PORTS[name] for name in PORTS if not name.startswith(("us", "proxy"))]
    haproxy = Daemon(program, "-db", "-f", conf, ports=listening)
    section(tap, "haproxy in front", in_front)
    section(tap, "haproxy behind", behind, haproxy)
    haproxy.stop()


section(tap, "haproxy", main)
tap.done()
