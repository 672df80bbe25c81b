#!/usr/bin/env python3
# test_h2.py - HTTP/2: streams in h2, h2c and grpc, the http2 proxy, other programs at either end.
# SPDX-License-Identifier: MIT
# timeout: 600
import hashlib
import socket
import threading

from harness import (
    PATIENCE,
    Host,
    Tap,
    answer_after_end,
    connect_via,
    free_port,
    pattern,
    read_all,
    serve,
)

tap = Tap()
END = serve(answer_after_end(200000))


def url(scheme, port):
    name, _, query = scheme.partition("?")
    return "%s://127.0.0.1:%d%s" % (name, port, "?" + query if query else "")


def half_close(entry, size):
    """`size` bytes, our end, then the digest and an answer: both ends must come through."""
    s = connect_via("socks5", entry, "127.0.0.1", END)
    data = pattern(size, size % 97)
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    got = read_all(s)
    s.close()
    want = hashlib.sha256(data).hexdigest().encode() + pattern(200000, 3)
    return got == want or "got %d of %d bytes" % (len(got), len(want))


def echo_both_ways(s):
    """Sends back what comes while it comes."""
    while True:
        b = s.recv(65536)
        if not b:
            return
        s.sendall(b)


ECHO = serve(echo_both_ways)


def hashed(entry, total):
    """`total` bytes to an echo and back, with both directions busy at once."""
    s = connect_via("socks5", entry, "127.0.0.1", ECHO)
    block = pattern(1 << 20, 11)
    sent, got = hashlib.sha256(), hashlib.sha256()

    def send():
        for i in range(total >> 20):
            b = block[i:] + block[:i]
            sent.update(b)
            s.sendall(b)
        s.shutdown(socket.SHUT_WR)

    t = threading.Thread(target=send)
    t.start()
    n = 0
    while True:
        b = s.recv(1 << 18)
        if not b:
            break
        got.update(b)
        n += len(b)
    t.join()
    s.close()
    return sent.digest() == got.digest() or "%d of %d bytes came back" % (n, total)


def parallel(entry, n, size):
    """n connections at once; each must get its own answer."""
    errors = []

    def one(i):
        try:
            s = connect_via("socks5", entry, "127.0.0.1", END)
            data = pattern(size, 1000 + i)
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            got = read_all(s)
            s.close()
            if got != hashlib.sha256(data).hexdigest().encode() + pattern(200000, 3):
                errors.append("connection %d: %d bytes" % (i, len(got)))
        except (OSError, RuntimeError) as e:
            errors.append("connection %d: %r" % (i, e))

    threads = [threading.Thread(target=one, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return not errors or "\n".join(errors[:10])


def ended(name, *hosts):
    statuses = [h.stop() for h in hosts]
    tap.ok(
        not any(statuses),
        "all ended cleanly: " + name,
        str(statuses) + "".join(h.text()[-3000:] for h in hosts),
    )


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
        tap.case("%d bytes and half-close, %s" % (size, name), lambda: half_close(entry, size))
    tap.case("50 at once, " + name, lambda: parallel(entry, 50, 30000))
    if big:
        tap.case("100 MB there and back, " + name, lambda: hashed(entry, 100 << 20))
    ended(name, before, behind)


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
    tap.case("4 MiB and half-close, " + name, lambda: half_close(entry, 4 << 20))
    tap.case("20 at once, " + name, lambda: parallel(entry, 20, 30000))
    ended(name, before, *servers)


def restart(scheme):
    """The server goes and comes back: the next connection gets a session of its own."""
    port, entry = free_port(), free_port()
    behind = Host("-L", url(scheme, port), ports=[port])
    before = Host("-L", "socks5://127.0.0.1:%d" % entry, "-F", url(scheme, port), ports=[entry])
    tap.case("%s before its server goes" % scheme, lambda: half_close(entry, 1000))
    held = connect_via("socks5", entry, "127.0.0.1", ECHO)
    behind.proc.kill()
    behind.proc.wait()
    held.settimeout(PATIENCE)
    tap.case("%s: who is connected learns of it" % scheme, lambda: ends(held))
    behind = Host("-L", url(scheme, port), ports=[port])
    tap.case("%s after it came back" % scheme, lambda: half_close(entry, 1000))
    ended(scheme + ", restarted", before, behind)


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
        tap.case("%s serves beside garbage %d" % (scheme, i + 1), lambda: half_close(entry, 1000))
        s.close()
    ended(scheme + ", garbage", before, behind)


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
