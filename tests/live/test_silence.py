#!/usr/bin/env python3
# test_silence.py - policy peers that accept and never answer: an unrelated flow keeps its p99.
# SPDX-License-Identifier: MIT
# timeout: 300
"""One worker serves the flow and asks web, Redis and name servers that say nothing. Its slowest
hundredth of round trips, in one run side by side with a host that asks nobody, is at most twice as
slow. The machine may be busy with other tests, so the best of some rounds counts."""

import os
import socket
import threading
import time

from harness import WORK, Host, Tap, connect_via, echo, free_port, recv_exact, serve, socks_addr
from harness import until

tap = Tap()
ECHO = serve(echo)
ROUNDS, TRIPS = 20, 400


def silent_tcp(got):
    def fn(s):
        got.append(s)
        while s.recv(65536):
            pass

    return serve(fn)


def silent_udp(got):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))

    def fn():
        while True:
            got.append(s.recv(2048))

    threading.Thread(target=fn, daemon=True).start()
    return s.getsockname()[1]


def config(name, text):
    path = os.path.join(WORK, name + ".yml")
    with open(path, "w") as f:
        f.write(text)
    return path


def service(port, more):
    return """
- name: s%d
  addr: 127.0.0.1:%d
%s
  handler: {type: socks5}
  listener: {type: tcp}
""" % (
        port,
        port,
        more,
    )


def p99(flow):
    times = []
    for _ in range(TRIPS):
        start = time.perf_counter()
        flow.sendall(b"x" * 64)
        recv_exact(flow, 64)
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) * 99 // 100]


def asks(port):
    """Requests for names that nobody answers, as long as the test runs."""
    n = 0
    while True:
        n += 1
        try:
            s = socket.create_connection(("127.0.0.1", port), 10)
            s.sendall(b"\5\1\0\5\1\0" + socks_addr("n%d.invalid" % n, 80))
            s.settimeout(1)
            while s.recv(100):
                pass
        except OSError:
            pass


def main():
    web, red, dns = [], [], []
    ports = {k: free_port() for k in ("alone", "beside", "names")}
    ports.update(web=silent_tcp(web), redis=silent_tcp(red), dns=silent_udp(dns))
    alone = Host(
        "-C",
        config("alone", "services:" + service(ports["alone"], "")),
        ports=[ports["alone"]],
        workers=1,
    )
    text = (
        "services:"
        + service(ports["beside"], "  bypass: b\n  hosts: h")
        + service(ports["names"], "  resolver: r")
        + """
bypasses:
- {name: b, reload: 1s, matchers: [192.0.2.1],
   http: {url: "http://127.0.0.1:%(web)d/x", timeout: 2s}}
- {name: c, reload: 1s, redis: {addr: '127.0.0.1:%(redis)d'}, matchers: [192.0.2.1]}
hosts:
- {name: h, reload: 1s, http: {url: 'http://127.0.0.1:%(web)d/y', timeout: 2s}}
resolvers:
- {name: r, nameservers: [{addr: 'udp://127.0.0.1:%(dns)d', timeout: 3s}]}
""" % ports
    )
    names = [ports["beside"], ports["names"]]
    beside = Host("-C", config("beside", text), ports=names, workers=1)
    flows = {}
    for name in ("alone", "beside"):
        flows[name] = connect_via("socks5", ports[name], "127.0.0.1", ECHO)
        flows[name].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(8):
        threading.Thread(target=asks, args=(ports["names"],), daemon=True).start()
    tap.ok(
        until(lambda: web and red and dns), "web, Redis and name server are asked", beside.text()
    )

    def fn():
        seen = []
        for _ in range(ROUNDS):
            base, with_silence = p99(flows["alone"]), p99(flows["beside"])
            seen.append("%.0f us beside %.0f us" % (with_silence * 1e6, base * 1e6))
            if with_silence <= 2 * base:
                return True
        return "\n".join(seen)

    tap.case("a flow on the same worker keeps its p99 within twice of its own", fn)
    tap.ok(until(lambda: len(dns) >= 8), "while names were waited for", len(dns))
    tap.ended("all end well", alone, beside)


main()
tap.done()
