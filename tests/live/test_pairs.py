#!/usr/bin/env python3
# test_pairs.py - curl and raw clients through every handler, connector and mix of hops.
# SPDX-License-Identifier: MIT
# timeout: 900
import hashlib
import itertools

from harness import (
    Host,
    Tap,
    answer_after_end,
    connect_via,
    free_port,
    http_target,
    need,
    pattern,
    run,
    run_input,
    serve,
)
from streams import ANSWER, half_close, url

tap = Tap()
BODY = pattern(300000)
WEB = http_target(BODY)
END = serve(answer_after_end(ANSWER))
curl = need(tap, "curl", "curl through every pair")

UPSTREAMS = [
    "http",
    "socks5",
    "socks4a",
    "relay",
    "http+tls",
    "socks5+tls",
    "relay+tls",
    "socks5+tcp",
    "relay?nodelay=true",
    "socks5?notls=true",
]


def handler_url(scheme, port):
    """The server for a connector: socks4a is served by socks4."""
    return url(scheme.replace("socks4a", "socks4"), port)


def fetch(proxy, host, name):
    def body():
        r = run([curl, "-sS", "-g", "--max-time", "30", "-x", proxy, "http://%s:%d/" % (host, WEB)])
        return (
            True
            if r.stdout == BODY
            else "curl %d: %s, %d bytes" % (r.returncode, r.stderr.decode(), len(r.stdout))
        )

    def post():
        data = pattern(150000, 9)
        r = run_input(
            [
                curl,
                "-sS",
                "-g",
                "--max-time",
                "30",
                "-x",
                proxy,
                "--data-binary",
                "@-",
                "http://%s:%d/" % (host, WEB),
            ],
            data,
        )
        return (
            True
            if r.stdout == hashlib.sha256(data).hexdigest().encode()
            else "curl %d: %s %s" % (r.returncode, r.stderr.decode(), r.stdout[:200])
        )

    tap.case("GET " + name, body)
    tap.case("POST " + name, post)


def ends(kind, port, name):
    def connect(target):
        return connect_via(kind, port, "127.0.0.1", target)

    tap.case("half-close " + name, half_close, connect, END)


def entry_tests(workers):
    ports = {k: free_port() for k in ("http", "socks5", "socks4", "auto")}
    args = []
    for k, p in ports.items():
        args += ["-L", "%s://127.0.0.1:%d" % (k, p)]
    h = Host(*args, ports=ports.values(), workers=workers)
    note = "with %d workers" % workers
    if curl:
        for host in ("127.0.0.1", "[::1]", "localhost"):
            fetch("http://127.0.0.1:%d" % ports["http"], host, "http %s %s" % (host, note))
            for scheme in ("socks5", "socks5h"):
                fetch(
                    "%s://127.0.0.1:%d" % (scheme, ports["socks5"]),
                    host,
                    "%s %s %s" % (scheme, host, note),
                )
            if host != "[::1]":
                fetch(
                    "socks4a://127.0.0.1:%d" % ports["socks4"], host, "socks4a %s %s" % (host, note)
                )
        fetch("socks4://127.0.0.1:%d" % ports["socks4"], "127.0.0.1", "socks4 " + note)
        for scheme in ("http", "socks5h", "socks4a"):
            fetch(
                "%s://127.0.0.1:%d" % (scheme, ports["auto"]),
                "localhost",
                "auto as %s %s" % (scheme, note),
            )
        r = run(
            [
                curl,
                "-sS",
                "-p",
                "--max-time",
                "30",
                "-x",
                "http://127.0.0.1:%d" % ports["http"],
                "http://127.0.0.1:%d/" % WEB,
            ]
        )
        tap.ok(r.stdout == BODY, "curl -p (CONNECT) " + note, r.stderr.decode())
    for kind in ("http", "socks5", "socks4", "socks4a"):
        ends(kind, ports[kind.replace("socks4a", "socks4")], "%s %s" % (kind, note))
    status = h.stop()
    tap.ok(status == 0, "the host ends cleanly " + note, h.text())


def hop_tests(workers, chains):
    for chain in chains:
        name = " > ".join(chain) + " with %d workers" % workers
        ports = [free_port() for _ in chain]
        entry_h, entry_s = free_port(), free_port()
        servers, args = [], []
        try:
            for scheme, p in zip(chain, ports):
                servers.append(Host("-L", handler_url(scheme, p), ports=[p], workers=workers))
                args += ["-F", url(scheme, p)]
            servers.append(
                Host(
                    "-L",
                    "http://127.0.0.1:%d" % entry_h,
                    "-L",
                    "socks5://127.0.0.1:%d" % entry_s,
                    *args,
                    ports=[entry_h, entry_s],
                    workers=workers
                )
            )
        except RuntimeError as e:
            tap.ok(False, "start " + name, e)
            continue
        if curl:
            fetch("http://127.0.0.1:%d" % entry_h, "localhost", "http, " + name)
            fetch("socks5h://127.0.0.1:%d" % entry_s, "127.0.0.1", "socks5, " + name)
        ends("socks5", entry_s, name)
        tap.ended("all ended cleanly: " + name, *servers)


entry_tests(1)
entry_tests(2)
entry_tests(4)
hop_tests(2, [[u] for u in UPSTREAMS])
hop_tests(1, [list(p) for p in itertools.permutations(["http", "socks5", "relay+tls"], 2)])
hop_tests(
    4,
    [
        ["socks5", "relay", "http"],
        ["http+tls", "socks4a", "relay"],
        ["relay", "relay", "socks5+tls"],
    ],
)
tap.done()
