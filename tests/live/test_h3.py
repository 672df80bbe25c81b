#!/usr/bin/env python3
# test_h3.py - HTTP/3: proxies on it, MASQUE with streams and datagrams, two hops, ends.
# SPDX-License-Identifier: MIT
# timeout: 600
import socket
import threading

import streams
from harness import Host, Tap, free_port, pattern, udp_echo
from streams import at_once, down, echoed, udp_asked, udp_client, up_until_end

tap = Tap()
T = streams.Targets()
ECHO = udp_echo(lambda b: b"<" + b)
LARGEST = 1200
TOO_LARGE = 4000
PAUSE = threading.Event()


def connections(entry, note):
    for n in (0, 1, 65536, 4 << 20):
        tap.case("%d bytes down %s" % (n, note), down, entry, T.give, n)
        tap.case("%d bytes up %s" % (n, note), up_until_end, entry, T.until_end, n)
    tap.case("half-close " + note, streams.answer_after_our_end, entry, T.ignore_end)
    tap.case("a target that closes at once " + note, streams.banner, entry, T.say)

    def one(i):
        return echoed(entry, T.echo, pattern(60000 + i, i), 60)

    tap.case("50 streams at once " + note, at_once, 50, one)
    tap.case("150 streams at once " + note, at_once, 150, one)


def datagrams(port, note):
    s = udp_client(port)

    def sizes():
        for n in (1, 2, 63, 64, 500, 1000, LARGEST):
            r = udp_asked(s, pattern(n, n))
            if r is not True:
                return r
        return True

    def too_large():
        s.send(pattern(TOO_LARGE, 1))
        return udp_asked(s, b"behind a large one")

    def one(i):
        c = udp_client(port)
        for k in range(5):
            r = udp_asked(c, b"%d %d" % (i, k))
            if r is not True:
                return r
        return True

    tap.case("datagrams of 1 to %d bytes %s" % (LARGEST, note), sizes)
    tap.case("a larger one is dropped, and hurts no other " + note, too_large)
    tap.case("30 udp clients at once " + note, at_once, 30, one)


def ended(note, *hosts):
    status = [h.stop() for h in hosts]
    tap.ok(
        status == [0] * len(hosts),
        "all end cleanly " + note,
        "%r\n" % status + "".join(h.text()[-4000:] for h in hosts),
    )


def masque(workers, login="", listener="", dialer=""):
    p, entry, fwd = free_port(), free_port(), free_port(socket.SOCK_DGRAM)
    note = "through masque with %d workers%s" % (workers, " and a login" if login else "")
    s = Host("-L", "masque+http3://%s127.0.0.1:%d%s" % (login, p, listener), workers=workers)
    c = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-L",
        "udp://127.0.0.1:%d/127.0.0.1:%d?keepalive=true" % (fwd, ECHO),
        "-F",
        "masque+h3-masque://%s127.0.0.1:%d%s" % (login, p, dialer),
        ports=[entry],
        workers=workers,
    )
    connections(entry, note)
    datagrams(fwd, note)
    ended(note, c, s)


def http2_on_h3():
    p, entry = free_port(), free_port()
    s = Host("-L", "http2+quic+h3://127.0.0.1:%d" % p, workers=2)
    c = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        "http2+quic+h3://127.0.0.1:%d" % p,
        ports=[entry],
        workers=2,
    )
    connections(entry, "through http2 on h3")
    ended("through http2 on h3", c, s)


def second_hop():
    """HTTP/3 inside what another proxy gives: its packets go through the first hop."""
    first, last, entry = free_port(), free_port(), free_port()
    fwd = free_port(socket.SOCK_DGRAM)
    a = Host("-L", "socks5://127.0.0.1:%d?udp=true" % first, ports=[first], workers=2)
    b = Host("-L", "masque+http3://127.0.0.1:%d" % last, workers=2)
    c = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-L",
        "udp://127.0.0.1:%d/127.0.0.1:%d?keepalive=true" % (fwd, ECHO),
        "-F",
        "socks5://127.0.0.1:%d?udp=true" % first,
        "-F",
        "masque+h3-masque://127.0.0.1:%d" % last,
        ports=[entry],
        workers=2,
    )
    note = "as a second hop"
    tap.case("4 MiB down " + note, down, entry, T.give, 4 << 20)
    tap.case("1 MiB up " + note, up_until_end, entry, T.until_end, 1 << 20)
    tap.case("an echo " + note, echoed, entry, T.echo, pattern(5000, 5))
    s = udp_client(fwd)
    tap.case("a datagram " + note, udp_asked, s, pattern(500, 2))
    ended(note, c, b, a)


def refusals():
    p, entry, fwd = free_port(), free_port(), free_port(socket.SOCK_DGRAM)
    s = Host("-L", "masque+http3://user:pass@127.0.0.1:%d?enableDatagrams=false" % p)
    c = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        "masque+h3-masque://user:wrong@127.0.0.1:%d" % p,
        ports=[entry],
    )
    d = Host(
        "-L",
        "udp://127.0.0.1:%d/127.0.0.1:%d" % (fwd, ECHO),
        "-F",
        "masque+h3-masque://user:pass@127.0.0.1:%d" % p,
    )

    def login():
        try:
            echoed(entry, T.echo, b"x")
        except (RuntimeError, OSError):
            return "407" in c.text() or c.text()
        return "it worked"

    def no_datagrams():
        u = udp_client(fwd)
        u.settimeout(0.2)
        for _ in range(100):
            try:
                u.send(b"x")
                u.recv(100)
                return "it worked"
            except OSError:
                if "use http3, with enableDatagrams" in s.text():
                    return True
            PAUSE.wait(0.1)
        return s.text() + d.text()

    tap.case("a wrong login is 407", login)
    tap.case("without datagrams there is no udp, and the reason is told", no_datagrams)
    ended("after refusals", c, d, s)


def restart():
    p, entry = free_port(), free_port()
    s = Host("-L", "masque+http3://127.0.0.1:%d" % p)
    c = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        "masque+h3-masque://127.0.0.1:%d" % p,
        ports=[entry],
    )
    tap.case("before the server ends", echoed, entry, T.echo, b"hello")
    s.stop()
    s = Host("-L", "masque+http3://127.0.0.1:%d" % p)

    def again():
        last = None
        for _ in range(40):
            try:
                return echoed(entry, T.echo, b"hello")
            except (RuntimeError, OSError) as e:
                last = e
                PAUSE.wait(0.2)
        return repr(last) + c.text()

    tap.case("a server that was stopped and started is found again", again)
    ended("after a restart", c, s)


masque(1)
masque(2, "user:pass@")
masque(2, "", "?maxStreams=20", "")
http2_on_h3()
second_hop()
refusals()
restart()
tap.done()
