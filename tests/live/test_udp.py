#!/usr/bin/env python3
# test_udp.py - datagrams: forward, SOCKS5 associate, through relay and socks5 hops, dig.
# SPDX-License-Identifier: MIT
# timeout: 300
import socket
import struct
import threading

from harness import PATIENCE, Host, Tap, ask, free_port, need, pattern, run, socks5_open
from harness import socks_addr, udp_echo

tap = Tap()
ECHO = udp_echo(lambda b: b"<" + b)
SIZES = [1, 2, 100, 512, 1400, 1472, 4096, 7999]


def forward(port, name):
    def fn():
        s, seen = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), set()
        for n in SIZES:
            data = pattern(n, n)
            got = ask(s, ("127.0.0.1", port), data, seen)
            if got != b"<" + data:
                return "size %d: got %d bytes" % (n, len(got))

    tap.case(name, fn)


def associate(port, name, host="127.0.0.1"):
    def fn():
        ctl, rep, bound = socks5_open(port, 3, "0.0.0.0", 0)
        if rep:
            return "reply %d" % rep
        s, seen = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), set()
        for n in SIZES:
            data = pattern(n, n)
            got = ask(s, bound, b"\0\0\0" + socks_addr(host, ECHO) + data, seen)
            head = b"\0\0\0" + socks_addr("127.0.0.1", ECHO)
            if got != head + b"<" + data:
                return "size %d: got %r... (%d bytes)" % (n, got[:16], len(got))
        # a malformed datagram hurts nobody
        s.sendto(b"\0\0", bound)
        s.sendto(b"\0\0\0\x09abc", bound)
        got = ask(s, bound, b"\0\0\0" + socks_addr(host, ECHO) + b"again", seen)
        if not got.endswith(b"<again"):
            return "after a malformed datagram: %r" % got
        ctl.close()

    tap.case(name, fn)


def dns_server():
    """Answers every A question with 192.0.2.7."""

    def answer(q):
        end = q.index(b"\0", 12) + 5
        return (
            q[:2]
            + b"\x81\x80"
            + struct.pack(">HHHH", 1, 1, 0, 0)
            + q[12:end]
            + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4"
            + bytes([192, 0, 2, 7])
        )

    return udp_echo(answer)


for workers in (1, 2, 4):
    port, entry = free_port(socket.SOCK_DGRAM), free_port()
    h = Host(
        "-L",
        "udp://127.0.0.1:%d/127.0.0.1:%d?keepalive=true" % (port, ECHO),
        "-L",
        "socks5://127.0.0.1:%d?udp=true" % entry,
        ports=[entry],
        udp=[port],
        workers=workers,
    )
    note = " with %d workers" % workers
    forward(port, "udp forward" + note)
    associate(entry, "socks5 associate" + note)
    associate(entry, "socks5 associate to a name" + note, "localhost")

    def refused():
        # udp is off by default
        p = free_port()
        k = Host("-L", "socks5://127.0.0.1:%d" % p, ports=[p], workers=workers)
        _, rep, _ = socks5_open(p, 3, "0.0.0.0", 0)
        k.stop()
        return rep == 2 or "reply %d" % rep

    tap.case("socks5 associate refused unless udp=true" + note, refused)

    def many():
        # a hundred clients at once keep their answers apart
        socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(100)]
        for i, s in enumerate(socks):
            s.settimeout(20)
            s.sendto(b"client %d" % i, ("127.0.0.1", port))
        bad = 0
        for i, s in enumerate(socks):
            try:
                bad += s.recv(100) != b"<client %d" % i
            except socket.timeout:
                bad += 1
            s.close()
        return bad <= 2 or "%d of 100 wrong or lost" % bad

    tap.case("a hundred udp clients" + note, many)
    tap.ok(h.stop() == 0, "ends cleanly" + note, h.text())


def few_peers():
    """Of three clients where two may be, the one that was silent longest loses its association."""
    target = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    target.bind(("127.0.0.1", 0))

    def tell_port():
        while True:
            peer = target.recvfrom(100)[1]
            target.sendto(b"%d" % peer[1], peer)

    threading.Thread(target=tell_port, daemon=True).start()
    port = free_port(socket.SOCK_DGRAM)
    to = "udp://127.0.0.1:%d/127.0.0.1:%d?keepalive=true&ttl=10m&maxPeers=2"
    h = Host("-L", to % (port, target.getsockname()[1]), udp=[port])

    def source(s):
        s.sendto(b"?", ("127.0.0.1", port))
        return s.recv(100)

    clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for s in clients:
        s.settimeout(PATIENCE)
    first, second = source(clients[0]), source(clients[1])
    if source(clients[0]) != first or source(clients[1]) != second:
        return "an association is not kept"
    source(clients[2])
    if source(clients[1]) != second:
        return "the wrong one was ended"
    return source(clients[0]) != first and h.stop() == 0 or h.text()


tap.case("maxPeers ends the association that was silent longest", few_peers)

for hop, server in (
    ("relay", "relay?bind=true"),
    ("socks5", "socks5?udp=true"),
    ("relay+tls", "relay+tls?bind=true"),
    ("socks5+tls", "socks5+tls?udp=true"),
):
    name, _, query = server.partition("?")
    p, fwd, entry = free_port(), free_port(socket.SOCK_DGRAM), free_port()
    try:
        s = Host("-L", "%s://127.0.0.1:%d?%s" % (name, p, query), ports=[p])
        c = Host(
            "-L",
            "udp://127.0.0.1:%d/127.0.0.1:%d?keepalive=true" % (fwd, ECHO),
            "-L",
            "socks5://127.0.0.1:%d?udp=true" % entry,
            "-F",
            "%s://127.0.0.1:%d" % (hop, p),
            ports=[entry],
            udp=[fwd],
        )
    except RuntimeError as e:
        tap.ok(False, "start udp over " + hop, e)
        continue
    forward(fwd, "udp forward over " + hop)
    associate(entry, "socks5 associate over " + hop)
    tap.ok([c.stop(), s.stop()] == [0, 0], "end cleanly: udp over " + hop, c.text() + s.text())

dig = need(tap, "dig", "dig over the udp forward")
if dig:
    port = free_port(socket.SOCK_DGRAM)
    tcp = free_port()
    h = Host(
        "-L",
        "udp://127.0.0.1:%d/127.0.0.1:%d" % (port, dns_server()),
        "-L",
        "http://127.0.0.1:%d" % tcp,
        ports=[tcp],
        udp=[port],
    )
    r = run(
        [dig, "@127.0.0.1", "-p", str(port), "+short", "+time=20", "+tries=2", "example.org", "A"]
    )
    tap.ok(
        r.stdout.strip() == b"192.0.2.7", "dig over the udp forward", r.stdout.decode() + h.text()
    )
    h.stop()
tap.done()
