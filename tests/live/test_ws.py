#!/usr/bin/env python3
# test_ws.py - streams over WebSocket, ohttp and otls: as first and second hop, small, big, many.
# SPDX-License-Identifier: MIT
# timeout: 900
import base64
import hashlib
import os
import socket
import threading
import time

from harness import (
    PATIENCE,
    Host,
    Tap,
    answer_after_end,
    connect_via,
    free_port,
    http_target,
    need,
    pattern,
    recv_exact,
    run,
    serve,
    until,
)
from streams import (
    ANSWER,
    Targets,
    at_once,
    down,
    echoed,
    greet,
    greeted,
    half_close,
    socks,
    up,
    url,
)

tap = Tap()
BIG = 100 * 1000 * 1000
TARGETS = Targets()
ECHO = TARGETS.echo
END = serve(answer_after_end(ANSWER))
FIRST = serve(greet)
BODY = pattern(300000)
WEB = http_target(BODY)
curl = need(tap, "curl", "curl over WebSocket")

# Server and client alike: handler+stack, a login, and what the URL says.
ONE_HOP = [
    "relay+ws",
    "socks5+wss?path=/door",
    "http+ws?path=/a/&host=front.example",
    "socks5+ws?enableCompression=true",
    "relay+ws?keepalive=true&ttl=10s",
    "relay+ohttp?host=front.example",
    "relay+otls?host=front.example",
    "socks5+ohttp",
    "http+otls",
    "ss+ohttp aes-128-gcm:secret",
    "ss+ws 2022-blake3-aes-128-gcm:AAECAwQFBgcICQoLDA0ODw==",
]
TWO_HOPS = [
    ["relay+ws", "socks5+wss"],
    ["http", "relay+ws"],
    ["socks5+wss?enableCompression=true", "http+ohttp"],
    ["relay+otls", "relay+ohttp"],
]


def open_to(entry, port, seconds=60):
    s = connect_via("socks5", entry, "127.0.0.1", port, seconds)
    return s


def late_reader(entry):
    """8 MB are written before anything is read: what lies between holds back, then all comes."""
    s = open_to(entry, ECHO)
    data = pattern(8 << 20, 17)
    failed = []

    def write():
        try:
            s.sendall(data)
        except OSError as e:
            failed.append(str(e))

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    time.sleep(1.5)
    got = recv_exact(s, len(data))
    writer.join(PATIENCE)
    s.close()
    return (got == data and not failed) or "the echo differs %s" % failed


def many(entry):
    return at_once(50, lambda i: echoed(entry, ECHO, pattern(65536 + i, i)))


def big(entry):
    each = down(entry, TARGETS.give, BIG), up(entry, TARGETS.take, BIG)
    return each == (True, True) or "down %s, up %s" % each


def fetched(entry):
    r = run(
        [
            curl,
            "-sS",
            "--max-time",
            str(PATIENCE),
            "-x",
            "socks5h://127.0.0.1:%d" % entry,
            "http://localhost:%d/" % WEB,
        ]
    )
    return r.stdout == BODY or "curl %d: %s" % (r.returncode, r.stderr.decode())


def play(chain, workers, deep, halves=True):
    name = "%s with %d workers" % (" > ".join(chain), workers)
    ports = [free_port() for _ in chain]
    entry, hosts, hops = free_port(), [], []
    try:
        for scheme, port in zip(chain, ports):
            hosts.append(Host("-L", url(scheme, port), ports=[port], workers=workers))
            hops += ["-F", url(scheme, port)]
        hosts.append(
            Host("-L", "socks5://127.0.0.1:%d" % entry, *hops, ports=[entry], workers=workers)
        )
    except RuntimeError as e:
        tap.ok(False, "start " + name, e)
        return
    for size, words in ((1, "one byte"), (65536, "64 KiB"), (4 << 20, "4 MiB")):
        tap.case("%s, %s" % (words, name), echoed, entry, ECHO, pattern(size, 13))
    tap.case("8 MB echo, %s" % name, echoed, entry, ECHO, pattern(8 << 20, 13))
    tap.case("a server that speaks first, %s" % name, greeted, entry, FIRST)
    if halves:
        tap.case("half-close, %s" % name, half_close, socks(entry), END)
    if curl:
        tap.case("curl, %s" % name, fetched, entry)
    if deep:
        tap.case("8 MB before reading, %s" % name, late_reader, entry)
        tap.case("50 at once, %s" % name, many, entry)
        tap.case("100 MB each way, %s" % name, big, entry)
    tap.ended("all ended cleanly: " + name, *hosts)


def answered(s):
    """The server's side of a handshake, by hand."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += recv_exact(s, 1)
    key = next(l for l in head.split(b"\r\n") if l.startswith(b"Sec-WebSocket-Key: "))[19:]
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    s.sendall(
        b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + base64.b64encode(digest)
        + b"\r\n\r\n"
    )


def pings():
    """A dialer's `keepalive` is a ping of WebSocket, its time `ttl` or `keepalive.interval`."""
    seen = []

    def fn(s):
        answered(s)
        while len(seen) < 100:
            head = s.recv(2, socket.MSG_WAITALL)
            if len(head) < 2:
                return
            if head[0] == 0x89:
                recv_exact(s, 4)
                seen.append(1)
                s.sendall(b"\x8a\0")

    port, counts = serve(fn), []
    for query in ("ttl=1s", "keepalive.interval=1s"):
        entry = free_port()
        host = Host(
            "-L",
            "tcp://127.0.0.1:%d" % entry,
            "-F",
            "forward+ws://127.0.0.1:%d?keepalive=true&%s" % (port, query),
            ports=[entry],
        )

        def pinged(entry=entry):
            """Two seconds without an answer end a connection: a busy machine gets another."""
            del seen[:]
            with socket.create_connection(("127.0.0.1", entry), PATIENCE):
                return until(lambda: len(seen) >= 3, seconds=10)

        until(pinged)
        counts.append(len(seen))
        if host.stop() != 0:
            return host.text()
    return min(counts) >= 3 or "pings: %s" % counts


def has_layer(name):
    return name.encode() in run([os.environ.get("GOST_HOST", "gost-host"), "--list"]).stdout


def main():
    tap.case("keepalive of a dialer is a ping", pings)
    for workers in (1, 2):
        for scheme in ONE_HOP:
            play([scheme], workers, scheme in ONE_HOP[:2] + ONE_HOP[5:7])
        for chain in TWO_HOPS:
            play(chain, workers, False)
        if not has_layer("smux"):
            tap.skip("mws and mwss with %d workers" % workers, "there is no layer smux")
            continue
        play(["relay+mws"], workers, True, halves=False)
        play(["socks5+mwss"], workers, True, halves=False)
        play(["http", "relay+mwss"], workers, False, halves=False)
    tap.done()


main()
