#!/usr/bin/env python3
# test_ws.py - streams over WebSocket, ohttp and otls: as first and second hop, small, big, many.
# SPDX-License-Identifier: MIT
# timeout: 900
import base64
import concurrent.futures
import hashlib
import os
import socket
import struct
import threading
import time

from harness import (
    PATIENCE,
    Host,
    Tap,
    answer_after_end,
    connect_via,
    echo,
    free_port,
    http_target,
    need,
    pattern,
    read_all,
    recv_exact,
    run,
    serve,
    until,
)

tap = Tap()
BIG = 100 * 1000 * 1000
BLOCK = pattern(1 << 20, 11)
ECHO = serve(echo)
END = serve(answer_after_end(200000))
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


def sends(s):
    """Sends as many bytes as it is asked for, and nothing else."""
    left = struct.unpack(">Q", recv_exact(s, 8))[0]
    while left:
        piece = BLOCK[: min(left, len(BLOCK))]
        s.sendall(piece)
        left -= len(piece)


def takes(s):
    """Takes as many bytes as it is told, then gives their digest."""
    left = struct.unpack(">Q", recv_exact(s, 8))[0]
    digest = hashlib.sha256()
    while left:
        piece = s.recv(min(left, 1 << 20))
        if not piece:
            return
        digest.update(piece)
        left -= len(piece)
    s.sendall(digest.digest())


def speaks_first(s):
    s.sendall(b"220 welcome\r\n")
    s.sendall(recv_exact(s, 4))


SENDS, TAKES, FIRST = serve(sends), serve(takes), serve(speaks_first)


def url(scheme, port):
    name, _, query = scheme.partition("?")
    name, _, login = name.partition(" ")
    return "%s://%s127.0.0.1:%d%s" % (
        name,
        login + "@" if login else "",
        port,
        "?" + query if query else "",
    )


def open_to(entry, port, seconds=60):
    s = connect_via("socks5", entry, "127.0.0.1", port, seconds)
    return s


def echoed(entry, size, step=1 << 20):
    """Writes and reads at the same time, so that both directions are full."""
    s = open_to(entry, ECHO)
    data = pattern(size, 13)

    def write():
        for at in range(0, size, step):
            s.sendall(data[at : at + step])

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    got = recv_exact(s, size)
    writer.join(PATIENCE)
    s.close()
    return got == data or "the echo differs"


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
    def one(i):
        s = open_to(entry, ECHO)
        data = pattern(65536 + i, i)
        s.sendall(data)
        got = recv_exact(s, len(data))
        s.close()
        return got == data

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        return all(pool.map(one, range(50))) or "an echo differs"


def big(entry):
    s = open_to(entry, SENDS)
    s.sendall(struct.pack(">Q", BIG))
    digest, want, left = hashlib.sha256(), hashlib.sha256(), BIG
    while left:
        piece = s.recv(1 << 20)
        if not piece:
            return "%d of %d bytes are missing" % (left, BIG)
        digest.update(piece)
        left -= len(piece)
    s.close()
    for at in range(0, BIG, len(BLOCK)):
        want.update(BLOCK[: min(len(BLOCK), BIG - at)])
    down = digest.digest() == want.digest()
    s = open_to(entry, TAKES)
    s.sendall(struct.pack(">Q", BIG))
    for at in range(0, BIG, len(BLOCK)):
        s.sendall(BLOCK[: min(len(BLOCK), BIG - at)])
    up = recv_exact(s, 32) == want.digest()
    s.close()
    return (down and up) or "down %s, up %s" % (down, up)


def half_close(entry):
    s = open_to(entry, END)
    data = pattern(100000, 5)
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    got = read_all(s)
    want = hashlib.sha256(data).hexdigest().encode() + pattern(200000, 3)
    return got == want or "got %d of %d bytes" % (len(got), len(want))


def server_first(entry):
    s = open_to(entry, FIRST)
    if recv_exact(s, 13) != b"220 welcome\r\n":
        return "no greeting"
    s.sendall(b"quit")
    return recv_exact(s, 4) == b"quit"


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
        tap.case("%s, %s" % (words, name), echoed, entry, size)
    tap.case("8 MB echo, %s" % name, echoed, entry, 8 << 20)
    tap.case("a server that speaks first, %s" % name, server_first, entry)
    if halves:
        tap.case("half-close, %s" % name, half_close, entry)
    if curl:
        tap.case("curl, %s" % name, fetched, entry)
    if deep:
        tap.case("8 MB before reading, %s" % name, late_reader, entry)
        tap.case("50 at once, %s" % name, many, entry)
        tap.case("100 MB each way, %s" % name, big, entry)
    statuses = [h.stop() for h in hosts]
    tap.ok(
        not any(statuses),
        "all ended cleanly: " + name,
        "\n".join(h.text()[-2000:] for h in hosts) + str(statuses),
    )


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
