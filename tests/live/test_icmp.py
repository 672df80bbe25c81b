#!/usr/bin/env python3
# test_icmp.py - icmp and icmp6 as listener and dialer: QUIC in echo messages of raw sockets.
# SPDX-License-Identifier: MIT
# timeout: 300
import os
import random
import socket
import struct

from harness import HOST, PATIENCE, Host, Tap, connect_via, free_port, pattern, recv_exact, run
from harness import until
from streams import Targets, at_once, banner, down, echoed, up, up_until_end

tap = Tap()
TARGETS = Targets()


def raw(family, protocol):
    """A raw socket; None where this process may have none."""
    try:
        return socket.socket(family, socket.SOCK_RAW, protocol)
    except PermissionError:
        return None


def own_address():
    """An address of the loopback that no other test has: a raw socket sees all that comes to it."""
    return "127.%d.%d.%d" % tuple(random.SystemRandom().randrange(1, 255) for _ in range(3))


def server(scheme, address):
    h = Host("-L", "%s://%s" % (scheme, address), workers=2)
    if not h.says("listening on"):
        raise RuntimeError(h.text())
    return h


def client(scheme, address, port, query=""):
    entry = free_port()
    to = "%s://%s:%d%s" % (scheme, address, port, query)
    return Host("-L", "socks5://127.0.0.1:%d" % entry, "-F", to, ports=[entry], workers=2), entry


def carries(scheme, address):
    s = server(scheme, address)
    c, entry = client(scheme, address, 12345)
    for size in (1, 65536, 4 << 20):
        tap.case("%d bytes up, %s" % (size, scheme), up, entry, TARGETS.take, size)
        tap.case("%d bytes down, %s" % (size, scheme), down, entry, TARGETS.give, size)
    tap.case("speaks and closes, " + scheme, banner, entry, TARGETS.say)
    tap.case("half-close, " + scheme, up_until_end, entry, TARGETS.until_end, 100000)
    tap.case(
        "50 streams at once, " + scheme,
        at_once,
        50,
        lambda i: echoed(entry, TARGETS.echo, pattern(20000 + i, i), 60),
    )
    tap.ok(
        ":12345" in s.text() or s.stop() == 0, "the id is the client's port, " + scheme, s.text()
    )
    tap.ended("all end well, " + scheme, c, s)


def clients(address):
    """Two of one machine, one of which has an id of its own choice; one is killed."""
    s = server("relay+icmp", address)
    a, first = client("relay+icmp", address, 4711)
    b, second = client("relay+icmp", address, 0)
    data = pattern(100000, 2)
    tap.case("a client with an id", echoed, first, TARGETS.echo, data)
    tap.case("and one without, beside it", echoed, second, TARGETS.echo, data)
    live = connect_via("socks5", second, "127.0.0.1", TARGETS.echo)
    live.sendall(b"a")
    recv_exact(live, 1)
    a.proc.kill()
    a.proc.wait()
    a, first = client("relay+icmp", address, 4711)
    tap.case("a client that was killed comes back with its id", echoed, first, TARGETS.echo, data)
    live.sendall(b"b")
    tap.ok(recv_exact(live, 1) == b"b", "the other one is not disturbed")
    live.close()
    junk(address)
    tap.case("messages that are none of ours disturb nobody", echoed, first, TARGETS.echo, data)
    tap.ended("all end well, two clients", a, b, s)


def junk(address):
    s = raw(socket.AF_INET, socket.IPPROTO_ICMP)

    def send(kind, ident, body):
        s.sendto(struct.pack(">BBHHH", kind, 0, 0, ident, 1) + body, (address, 0))

    head = struct.pack(">4sHHH", b"GOST", 0, 0, 1000)
    for body in (b"", b"GOST", head, head + b"x", head + os.urandom(1000), os.urandom(1400)):
        send(8, 4711, body)
        send(0, 4711, body)
        send(8, 0, body)
    s.close()


def other_stacks(address):
    for scheme in ("http+icmp", "socks5+icmp+ws", "relay+icmp+kcp"):
        refuse = scheme.endswith("kcp")
        h = Host("-L", "%s://%s" % (scheme, address))
        if refuse:
            status = h.proc.wait(PATIENCE)
            tap.ok(status != 0, "a stack that cannot be is refused: " + scheme, h.text())
            continue
        if not h.says("listening on"):
            tap.ok(False, scheme, h.text())
            continue
        c, entry = client(scheme, address, 99)
        tap.case("through " + scheme, echoed, entry, TARGETS.echo, pattern(50000, 3))
        tap.ended("all end well, " + scheme, c, h)


def without_privilege():
    """The capability is taken away: both roles say at start what is missing."""
    for args in (
        ["-L", "relay+icmp://127.0.0.1"],
        ["-L", "socks5://127.0.0.1:0", "-F", "relay+icmp://192.0.2.1:7"],
    ):
        less = ["setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw"]
        r = run(less + [HOST] + args)
        text = (r.stdout + r.stderr).decode()
        tap.ok(
            r.returncode == 1 and "CAP_NET_RAW" in text and "setcap" in text,
            "without CAP_NET_RAW: " + " ".join(args),
            text,
        )


def nobody_there():
    c, entry = client("relay+icmp", own_address(), 5, "?handshakeTimeout=1s")

    def fn():
        try:
            echoed(entry, TARGETS.echo, b"hello")
        except (OSError, RuntimeError, EOFError):
            return until(lambda: "QUIC handshake" in c.text()) or c.text()
        return "it worked"

    tap.case("where nobody answers but the kernel, the client says so", fn)
    tap.ended("and ends well", c)


def main():
    if not raw(socket.AF_INET, socket.IPPROTO_ICMP):
        tap.skip("icmp", "this process may open no raw socket: run it as root")
        return
    carries("relay+icmp", own_address())
    six = raw(socket.AF_INET6, socket.IPPROTO_ICMPV6)
    try:
        six.bind(("::1", 0))
        carries("relay+icmp6", "[::1]")
    except OSError as e:
        tap.skip("icmp6", "this machine has no IPv6: %s" % e)
    six.close()
    clients(own_address())
    other_stacks(own_address())
    nobody_there()
    without_privilege()


main()
tap.done()
