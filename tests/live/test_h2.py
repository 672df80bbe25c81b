#!/usr/bin/env python3
# test_h2.py - HTTP/2: streams in h2, h2c and grpc, the http2 proxy, other programs at either end.
# SPDX-License-Identifier: MIT
# timeout: 600
import socket

from harness import (
    PATIENCE,
    Host,
    Tap,
    answer_after_end,
    connect_via,
    echo,
    free_port,
    pattern,
    serve,
)
from streams import ANSWER, at_once, half_close, hashed, socks, url

tap = Tap()
END = serve(answer_after_end(ANSWER))
ECHO = serve(echo)


def through(entry, size):
    return half_close(socks(entry), END, size)


def pairs(server, client, workers, big):
    name = "%s with %d workers" % (client, workers)
    port, entry = free_port(), free_port()
    behind = Host("-L", url(server, port), ports=[port], workers=workers)
    before = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        url(client, port),
        ports=[entry],
        workers=workers,
    )
    for size in (1, 65536, 4 << 20):
        tap.case("%d bytes and half-close, %s" % (size, name), through, entry, size)
    tap.case("50 at once, " + name, at_once, 50, lambda i: through(entry, 30000 + i))
    if big:
        tap.case("100 MB there and back, " + name, hashed, socks(entry), ECHO, 100 << 20)
    tap.ended("all ended cleanly: " + name, before, behind)


def second_hop(first, second, workers):
    name = "%s > %s with %d workers" % (first, second, workers)
    ports = [free_port(), free_port()]
    entry = free_port()
    servers = [
        Host("-L", url(s, p), ports=[p], workers=workers) for s, p in zip((first, second), ports)
    ]
    before = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        url(first, ports[0]),
        "-F",
        url(second, ports[1]),
        ports=[entry],
        workers=workers,
    )
    tap.case("4 MiB and half-close, " + name, through, entry, 4 << 20)
    tap.case("20 at once, " + name, at_once, 20, lambda i: through(entry, 30000 + i))
    tap.ended("all ended cleanly: " + name, before, *servers)


def restart(scheme):
    """The server goes and comes back: the next connection gets a session of its own."""
    port, entry = free_port(), free_port()
    behind = Host("-L", url(scheme, port), ports=[port])
    before = Host("-L", "socks5://127.0.0.1:%d" % entry, "-F", url(scheme, port), ports=[entry])
    tap.case("%s before its server goes" % scheme, through, entry, 1000)
    held = connect_via("socks5", entry, "127.0.0.1", ECHO)
    behind.proc.kill()
    behind.proc.wait()
    held.settimeout(PATIENCE)
    tap.case("%s: who is connected learns of it" % scheme, lambda: ends(held))
    behind = Host("-L", url(scheme, port), ports=[port])
    tap.case("%s after it came back" % scheme, through, entry, 1000)
    tap.ended("all ended cleanly: " + scheme + ", restarted", before, behind)


def ends(s):
    try:
        return s.recv(1) == b""
    except ConnectionError:
        return True


def garbage(scheme):
    """Anything at all may come; others are served meanwhile."""
    port, entry = free_port(), free_port()
    behind = Host("-L", url(scheme, port), ports=[port])
    before = Host("-L", "socks5://127.0.0.1:%d" % entry, "-F", url(scheme, port), ports=[entry])
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
    for i, data in enumerate((pattern(70000, 3), preface + pattern(70000, 4), preface, b"GET / ")):
        s = socket.create_connection(("127.0.0.1", port), PATIENCE)
        s.sendall(data)
        if i < 2:
            try:
                while s.recv(65536):
                    pass
            except ConnectionError:
                pass
        tap.case("%s serves beside garbage %d" % (scheme, i + 1), through, entry, 1000)
        s.close()
    tap.ended("all ended cleanly: " + scheme + ", garbage", before, behind)


SCHEMES = (
    "relay+h2",
    "socks5+h2c",
    "relay+h2c?path=/t",
    "relay+grpc",
    "relay+grpc?insecure=true&path=/a/b/c&keepalive=true",
    "http2",
    "http2+tcp+h2",
)
for workers in (1, 2):
    for scheme in SCHEMES:
        pairs(scheme, scheme, workers, workers == 2)
restart("relay+h2c")
restart("relay+grpc")
restart("http2")
garbage("relay+h2c")
garbage("relay+grpc?insecure=true")
pairs("socks5+h2c+tls", "socks5+h2c+tls", 2, False)
pairs("relay+tcp+h2+grpc+tls", "relay+tcp+h2+grpc+tls", 1, False)
second_hop("socks5", "relay+h2", 2)
second_hop("relay+h2c", "socks5+h2", 1)
second_hop("relay+grpc", "relay+h2c", 2)
second_hop("http+tls", "relay+grpc?grpcInsecure=true", 1)
second_hop("http2", "relay+h2", 2)
second_hop("socks5+tls", "http2", 1)
tap.done()
