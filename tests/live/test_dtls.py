#!/usr/bin/env python3
# test_dtls.py - dtls as listener and dialer: bytes, certificates, packets that are lost or late.
# SPDX-License-Identifier: MIT
# timeout: 300
"""DTLS sends no lost packet again, so a large transfer may end early where the kernel drops some:
then it must end, with a word about it, and what came before must be right."""

import os
import select
import socket
import threading

from harness import (
    KEPT_KIB,
    PATIENCE,
    Host,
    Tap,
    certificate,
    connect_via,
    free_port,
    pattern,
    recv_exact,
    until,
)
from streams import Targets, at_once, banner, down, echoed, up, url

tap = Tap()
TARGETS = Targets()
LOST = "was lost, and DTLS sends none again"
TRIES = 20
APPLICATION_DATA = 23  # type of a record


class Path:
    """Packets of one client to a port and back, each as `change` makes it: a list of packets."""

    def __init__(self, target, change):
        self.change = change
        self.front, self.back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in "fb")
        self.front.bind(("127.0.0.1", 0))
        self.back.connect(("127.0.0.1", target))
        self.port = self.front.getsockname()[1]
        self.peer = None
        self.data = {True: 0, False: 0}
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            for s in select.select([self.front, self.back], [], [])[0]:
                try:
                    packet, peer = s.recvfrom(65536)
                except ConnectionRefusedError:
                    continue
                up_ = s is self.front
                if up_:
                    self.peer = peer
                for p in self.change(self, up_, packet):
                    if up_:
                        self.back.send(p)
                    else:
                        self.front.sendto(p, self.peer)

    def number(self, up_, packet):
        """Which packet of the stream this is, from 1, in its direction; 0: one of a handshake."""
        if packet[0] != APPLICATION_DATA:
            return 0
        self.data[up_] += 1
        return self.data[up_]


class Ends:
    """A server and a client whose way to it may lead over a path."""

    def __init__(
        self, scheme="relay+dtls", change=None, server_query="", client_query="", workers=2
    ):
        port, self.entry = free_port(), free_port()
        self.server = Host("-L", url(scheme, port) + server_query, udp=[port], workers=workers)
        self.port = Path(port, change).port if change else port
        self.client = Host(
            "-L",
            "socks5://127.0.0.1:%d" % self.entry,
            "-F",
            url(scheme, self.port) + client_query,
            ports=[self.entry],
            workers=workers,
        )

    def text(self):
        return self.client.text() + self.server.text()

    def stop(self, name):
        tap.ended("all end well, " + name, self.client, self.server)


def in_time(fn, *args):
    """What a transfer says, or that it broke: never that other bytes came."""
    try:
        r = fn(*args)
    except (OSError, RuntimeError, EOFError) as e:
        return "it broke: %s" % e
    return r


def arrives(ends, fn, target, size):
    """One of some tries gets through whole; the others end by themselves, and say why."""
    for _ in range(TRIES):
        r = in_time(fn, ends.entry, target, size)
        if r is True:
            return True
        if not ends.client.says(LOST, 10) and not ends.server.says(LOST, 10):
            return "%s\n%s" % (r, ends.text())
    return "%d tries\n%s" % (TRIES, ends.text())


def stacks():
    for scheme in ("relay+dtls", "socks5+dtls", "http+dtls", "ss+dtls aes-128-gcm:secret"):
        name = scheme.split()[0]
        ends = Ends(scheme)
        for size in (1, 16000, 4 << 20):
            tap.case("%d bytes up, %s" % (size, name), arrives, ends, up, TARGETS.take, size)
            tap.case("%d bytes down, %s" % (size, name), arrives, ends, down, TARGETS.give, size)
        tap.case("speaks and closes, " + name, banner, ends.entry, TARGETS.say)
        tap.case(
            "20 at once, " + name,
            at_once,
            20,
            lambda i: echoed(ends.entry, TARGETS.echo, pattern(3000 + i, i)),
        )
        ends.stop(name)


def options():
    cert, key = certificate()
    own = "?certFile=%s&keyFile=%s" % (cert, key)
    trust = "?secure=true&caFile=%s" % cert
    for name, server, client in (
        ("a certificate that is verified", own, trust),
        ("by the name that is given", own, trust + "&serverName=peer.example"),
        ("a client's certificate", own + "&caFile=" + cert, own),
        ("small packets", "?mtu=300&bufferSize=100", "?dtls.mtu=256&dtls.bufferSize=50"),
    ):
        ends = Ends(server_query=server, client_query=client)
        data = pattern(5000, 3)
        tap.case(name, lambda: echoed(ends.entry, TARGETS.echo, data) or ends.text())
        ends.stop(name)
    for name, server, client, words in (
        ("another name is refused", own, trust + "&serverName=a.example", ["for peer.example"]),
        ("a self-signed one with secure is refused", "", "?secure=true", ["self-signed"]),
        ("no client's certificate", own + "&caFile=" + cert, "", ["it showed no certificate"]),
    ):
        ends = Ends(server_query=server, client_query=client)

        def fn():
            r = in_time(echoed, ends.entry, TARGETS.echo, b"hello")
            return r is not True and until(lambda: all(w in ends.text() for w in words)) or r

        tap.case(name, fn)
        ends.stop(name)
    for query, words in (("mtu=100", "dtls.mtu is 100"), ("bufferSize=x", "bufferSize")):
        h = Host("-L", "relay+dtls://127.0.0.1:0?" + query)
        status = h.proc.wait(PATIENCE)
        tap.ok(status != 0 and words in h.text(), "refused at start: " + query, h.text())


def nobody_there():
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    entry = free_port()
    h = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        "relay+dtls://127.0.0.1:%d?handshakeTimeout=1s" % silent.getsockname()[1],
        ports=[entry],
    )

    def fn():
        r = in_time(echoed, entry, TARGETS.echo, b"hello")
        return r is not True and h.says("took longer than handshakeTimeout") or h.text()

    tap.case("a silent server is told by the client", fn)
    tap.ended("which ends well", h)


# ---- paths that change what is sent ----------------------------------------------------------


def losing(wanted):
    """The 3rd packet with data of one direction never comes."""
    return lambda path, up_, p: [] if path.number(up_, p) == 3 and up_ == wanted else [p]


def swapping():
    """Every second packet with data comes after the one behind it."""
    kept = {}

    def change(path, up_, p):
        n = path.number(up_, p)
        if n == 0:
            return [p]
        if up_ in kept:
            return [p, kept.pop(up_)]
        if n % 2 == 0 and n < 20:
            kept[up_] = p
            return []
        return [p]

    return change


def twice(path, up_, p):
    return [p, p]


def damaged(path, up_, p):
    """A packet that somebody else made comes before each."""
    return [p[:-1] + bytes([p[-1] ^ 1]), p] if path.number(up_, p) else [p]


def first_lost():
    """The first packet of each kind is lost: handshakes go on."""
    seen = set()

    def change(path, up_, p):
        kind = (up_, p[0], p[13] if p[0] == 22 else 0)
        if p[0] == APPLICATION_DATA or kind in seen:
            return [p]
        seen.add(kind)
        return []

    return change


def bad_paths():
    data = pattern(60000, 5)
    for name, change in (
        ("packets change places", swapping()),
        ("packets come twice", twice),
        ("others put packets in between", damaged),
        ("packets of the handshake are lost", first_lost()),
    ):
        ends = Ends(
            change=change,
            client_query="?flightInterval=100ms",
            server_query="?flightInterval=100ms",
        )
        tap.case(name, lambda: echoed(ends.entry, TARGETS.echo, data) or ends.text())
        ends.stop(name)
    for name, wanted in (("up", True), ("down", False)):
        ends = Ends(change=losing(wanted))

        def fn():
            s = connect_via("socks5", ends.entry, "127.0.0.1", TARGETS.echo)
            s.sendall(data)
            got = b""
            try:
                while len(got) < len(data):
                    b = s.recv(65536)
                    if not b:
                        break
                    got += b
            except ConnectionResetError:
                pass
            told = (ends.server if wanted else ends.client).says(LOST)
            return len(got) < len(data) and data.startswith(got) and told or ends.text()

        tap.case("a lost packet ends the stream, without other bytes: " + name, fn)
        ends.stop("a lost packet " + name)


# ---- strangers ---------------------------------------------------------------------------------


def client_hello():
    """The first packet of a client of ours."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    s.settimeout(PATIENCE)
    entry = free_port()
    to = "relay+dtls://127.0.0.1:%d" % s.getsockname()[1]
    h = Host("-L", "socks5://127.0.0.1:%d" % entry, "-F", to, ports=[entry])
    c = socket.create_connection(("127.0.0.1", entry), PATIENCE)
    c.sendall(b"\5\1\0\5\1\0\1\x7f\0\0\1\0\x50")
    packet = s.recv(65536)
    c.close()
    h.stop()
    return packet


def strangers():
    ends = Ends(server_query="?udp.maxPeers=100000")
    hello = client_hello()
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(PATIENCE)
    to = ("127.0.0.1", ends.port)
    s.sendto(hello, to)
    answer = s.recv(65536)
    tap.ok(
        answer[0] == 22 and answer[13] == 3 and len(answer) <= len(hello),
        "the first answer is a HelloVerifyRequest, and no longer than what asked for it",
        answer.hex(),
    )
    tap.ok(answer[27] == 20, "its cookie has 20 bytes, as GOST's", answer.hex())
    before = ends.server.rss_kib()
    count = 2000
    for i in range(count):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.settimeout(PATIENCE)
        one.sendto(hello, to)
        one.recv(65536)
        one.close()
    grown = ends.server.rss_kib() - before
    each = 100 if os.environ.get("GOST_SANITIZERS") else 8
    tap.ok(grown < KEPT_KIB + count * each, "%d of them cost little" % count, "%d KiB" % grown)
    for junk in (
        b"",
        b"\x16",
        b"\x16\xfe\xfd" + bytes(10),
        hello[:40],
        os.urandom(1200),
        bytes(9000),
    ):
        s.sendto(junk, to)
    s.sendto(hello[:-5] + bytes(5), to)
    tap.case("and a client is served", lambda: echoed(ends.entry, TARGETS.echo, pattern(3000, 1)))
    live = connect_via("socks5", ends.entry, "127.0.0.1", TARGETS.echo)
    live.sendall(b"a")
    recv_exact(live, 1)
    ends.client.proc.kill()
    ends.client.proc.wait()
    other = free_port()
    h = Host(
        "-L",
        "socks5://127.0.0.1:%d" % other,
        "-F",
        "relay+dtls://127.0.0.1:%d" % ends.port,
        ports=[other],
    )
    tap.case("also after one was killed", echoed, other, TARGETS.echo, pattern(3000, 2))
    tap.ended("all end well after strangers", h, ends.server)


stacks()
options()
nobody_there()
bad_paths()
strangers()
tap.done()
