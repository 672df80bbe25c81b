#!/usr/bin/env python3
# test_quic.py - quic as listener and dialer: sizes, many streams, half-close, a moving client.
# SPDX-License-Identifier: MIT
# timeout: 600
import os
import random
import select
import signal
import socket
import struct
import threading
import time

from harness import (
    Host,
    KEPT_KIB,
    PATIENCE,
    Tap,
    WORK,
    answer_after_end,
    ask,
    certificate,
    connect_via,
    free_port,
    pattern,
    read_all,
    recv_exact,
    serve,
    until,
)
from streams import ANSWER, Targets, at_once, down, half_close, socks, up_until_end

tap = Tap()
END = serve(answer_after_end(ANSWER))
TARGETS = Targets()
ECHO = TARGETS.echo
GIVE = TARGETS.give


def download(entry, n):
    return down(entry, TARGETS.give, n)


def upload(entry, n):
    return up_until_end(entry, TARGETS.until_end, n)


def many_streams(port, n):
    def one(i):
        s = connect_via("socks5", port, "127.0.0.1", ECHO)
        s.settimeout(PATIENCE)
        data = pattern(20000, i)
        for _ in range(5):
            s.sendall(data)
            if recv_exact(s, len(data)) != data:
                return "stream %d: other bytes" % i
        s.shutdown(socket.SHUT_WR)
        return read_all(s) == b"" or "stream %d: more bytes" % i

    return at_once(n, one)


def pair(scheme, workers, server_query="", client_query=""):
    """A server, and a client with a SOCKS5 entry: (server, client, entry port, server's port)."""
    p, entry = free_port(), free_port()
    s = Host("-L", "%s://127.0.0.1:%d%s" % (scheme, p, server_query), udp=[p], workers=workers)
    c = Host(
        "-L",
        "socks5://127.0.0.1:%d?udp=true" % entry,
        "-F",
        "%s://127.0.0.1:%d%s" % (scheme, p, client_query),
        ports=[entry],
        workers=workers,
    )
    return s, c, entry, p


def stop(s, c, note):
    tap.ok(c.stop() == 0 and s.stop() == 0, "both end cleanly " + note, s.text() + c.text())


def sizes(scheme, workers):
    s, c, entry, _ = pair(scheme, workers)
    note = "through %s with %d workers" % (scheme, workers)
    for n in (0, 1, 65536, 4 << 20):
        tap.case("%d bytes down %s" % (n, note), download, entry, n)
        tap.case("%d bytes up %s" % (n, note), upload, entry, n)
    tap.case("half-close " + note, half_close, socks(entry), END)
    tap.case("50 streams at once " + note, many_streams, entry, 50)
    # the peer allows 100 streams in one connection: the others go to a second one
    tap.case("150 streams at once " + note, many_streams, entry, 150)
    tap.case("100 targets that close at once " + note, closing_targets, entry)
    stop(s, c, note)


def closing_targets(entry):
    return at_once(100, lambda i: download(entry, 3000 + i))


# ---- a client behind an address translation that forgets -----------------------------------


class Nat:
    """Passes datagrams on from a port of its own, until move() gives it another one. It loses
    one in `loss`, and swaps one in `loss` with its successor, if that is not 0."""

    def __init__(self, target, loss=0):
        self.target, self.loss = ("127.0.0.1", target), loss
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        self.front.bind(("127.0.0.1", 0))
        self.port = self.front.getsockname()[1]
        self.peer, self.back, self.ports, self.held = None, None, set(), None
        self.chance = random.Random(1)
        self.move()
        threading.Thread(target=self.run, daemon=True).start()

    def move(self):
        old = self.back
        back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        back.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        back.bind(("127.0.0.1", 0))
        self.ports.add(back.getsockname()[1])
        self.back = back
        if old:
            old.close()

    def passes(self, send, data, to):
        if self.loss and self.chance.randrange(self.loss) == 0:
            return
        if self.loss and self.held is None and self.chance.randrange(self.loss) == 0:
            self.held = (send, data, to)
            return
        send.sendto(data, to)
        if self.held:
            (send, data, to), self.held = self.held, None
            send.sendto(data, to)

    def run(self):
        while True:
            back = self.back
            try:
                ready = select.select([self.front, back], [], [], 0.05)[0]
                if self.front in ready:
                    data, self.peer = self.front.recvfrom(65536)
                    self.passes(back, data, self.target)
                if back in ready:
                    data, _ = back.recvfrom(65536)
                    self.passes(self.front, data, self.peer)
            except (OSError, ValueError):
                continue


def behind_nat(workers, loss=0, query=""):
    p, entry = free_port(), free_port()
    s = Host("-L", "relay+quic://127.0.0.1:%d%s" % (p, query), udp=[p], workers=workers)
    nat = Nat(p, loss)
    c = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        "relay+quic://127.0.0.1:%d" % nat.port,
        ports=[entry],
        workers=workers,
    )
    return s, c, entry, nat


def moving(workers):
    s, c, entry, nat = behind_nat(workers)
    note = "with %d workers" % workers

    def fn():
        t = connect_via("socks5", entry, "127.0.0.1", ECHO)
        t.settimeout(PATIENCE)
        for i in range(8):
            data = pattern(50000, i)
            t.sendall(data)
            if recv_exact(t, len(data)) != data:
                return "other bytes after move %d" % i
            nat.move()
        t.close()
        return len(nat.ports) == 9 or "the client did not move"

    tap.case("a client that changes its port goes on " + note, fn)
    tap.ok('level":"warning' not in s.text(), "and it is one connection " + note, s.text())
    stop(s, c, note)


def lossy():
    s, c, entry, _ = behind_nat(2, 50)
    tap.case("4 MiB down although packets are lost and swapped", download, entry, 4 << 20)
    tap.case("1 MiB up although packets are lost and swapped", upload, entry, 1 << 20)
    stop(s, c, "after losses")


# ---- options -----------------------------------------------------------------------------------


def one_echo(entry):
    s = connect_via("socks5", entry, "127.0.0.1", ECHO)
    s.settimeout(PATIENCE)
    s.sendall(b"hello")
    return recv_exact(s, 5) == b"hello"


def works(name, server_query, client_query, workers=2):
    s, c, entry, _ = pair("relay+quic", workers, server_query, client_query)
    tap.case(name, one_echo, entry)
    tap.case("4 MiB down: " + name, download, entry, 4 << 20)
    stop(s, c, name)


def fails(name, server_query, client_query, words):
    s, c, entry, _ = pair("relay+quic", 1, server_query, client_query)

    def fn():
        try:
            one_echo(entry)
        except (RuntimeError, OSError):
            return until(lambda: all(w in c.text() + s.text() for w in words)) or c.text()
        return "it worked"

    tap.case(name, fn)
    stop(s, c, name)


def options():
    key = "0123456789abcdef"
    works("every client proves its address", "?quic.retry=true", "")
    works("cipherKey", "?cipherKey=" + key, "?cipherKey=" + key)
    works("cipherKey and retry", "?quic.retry=true&cipherKey=" + key * 2, "?cipherKey=" + key * 2)
    cert, pem = certificate("localhost")
    own = "?certFile=%s&keyFile=%s" % (cert, pem)
    works("a certificate that is verified", own, "?secure=true&caFile=%s" % cert)
    works("by the name that is given", own, "?secure=true&caFile=%s&serverName=localhost" % cert)
    fails(
        "a certificate for another name is refused",
        own,
        "?secure=true&caFile=%s&serverName=other.example" % cert,
        ["certificate", "other.example"],
    )
    fails("a self-signed one with secure is refused", "", "?secure=true", ["certificate"])
    fails(
        "another cipherKey is no server",
        "?cipherKey=" + key,
        "?cipherKey=fedcba9876543210&handshakeTimeout=1s",
        ["did not finish the QUIC handshake in time"],
    )


# ---- ends --------------------------------------------------------------------------------------


def ends():
    s, c, entry, p = pair("relay+quic", 2, "", "")
    tap.case("before the server ends", one_echo, entry)
    s.stop()
    s = Host("-L", "relay+quic://127.0.0.1:%d" % p, udp=[p], workers=2)

    def again():
        return until(lambda: one_echo(entry)) or c.text()

    tap.case("a server that was stopped and started is found again", again)
    s.proc.send_signal(signal.SIGKILL)
    s.proc.wait()
    s = Host("-L", "relay+quic://127.0.0.1:%d" % p, udp=[p], workers=2)
    tap.case("one that was killed too: it resets what it does not know", again)
    stop(s, c, "after restarts")
    p = free_port()
    a = Host("-L", "relay+quic://127.0.0.1:%d" % p, udp=[p], workers=2)
    b = Host("-L", "relay+quic://127.0.0.1:%d" % p, workers=2)
    b.proc.wait(PATIENCE)
    tap.ok("address already in use" in b.text(), "a second server is told the address is in use")
    tap.ok(a.stop() == 0, "the first one ends cleanly", a.text())


def reload():
    """A changed service takes the descriptor over; connections that live go on."""
    p, entry = free_port(), free_port()
    conf = os.path.join(WORK, "quic.yml")
    text = (
        "services:\n- name: q\n  addr: 127.0.0.1:%d\n  handler: {type: relay, metadata: {%%s}}\n"
        "  listener: {type: quic, metadata: {%%s}}\n" % p
    )

    def write(handler, listener):
        with open(conf, "w") as f:
            f.write(text % (handler, listener))

    def again(count, word):
        s.proc.send_signal(signal.SIGHUP)
        return until(lambda: s.text().count(word) > count)

    write("nodelay: true", "")
    s = Host("-C", conf, "-D", udp=[p], workers=2)
    c = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        "relay+quic://127.0.0.1:%d" % p,
        ports=[entry],
        workers=2,
    )
    t = connect_via("socks5", entry, "127.0.0.1", ECHO)
    t.settimeout(PATIENCE)

    def lives():
        t.sendall(b"still here")
        return recv_exact(t, 10) == b"still here"

    tap.case("a stream before the reload", lives)
    write("nodelay: false", "")
    tap.ok(again(0, "1 changed"), "the handler is changed by a reload", s.text())
    tap.case("the stream goes on", lives)
    tap.case("the connection takes new streams", one_echo, entry)
    t.close()
    write("nodelay: false", "maxStreams: 50")
    tap.ok(again(1, "1 changed"), "the listener is changed, too", s.text())

    def found():
        return until(lambda: one_echo(entry)) or c.text() + s.text()

    tap.case("a new connection is made", found)
    stop(s, c, "after reloads")


def slow_reader():
    """What a client does not read waits at the target, not in memory."""
    s, c, entry, _ = pair("relay+quic", 2)
    one_echo(entry)
    before = s.rss_kib() + c.rss_kib()
    socks = [connect_via("socks5", entry, "127.0.0.1", GIVE) for _ in range(4)]
    for t in socks:
        t.sendall(struct.pack(">Q", 200 << 20))
    time.sleep(3)
    grown = s.rss_kib() + c.rss_kib() - before
    tap.ok(grown < 100000 + 2 * KEPT_KIB, "800 MB that nobody reads take %d KiB" % grown)
    tap.case("others are served meanwhile", one_echo, entry)
    for t in socks:
        t.close()
    tap.case("and afterwards", download, entry, 1 << 20)
    stop(s, c, "after slow readers")


def version_negotiation():
    p = free_port()
    h = Host("-L", "relay+quic://127.0.0.1:%d" % p, udp=[p], workers=2)
    dcid, scid = b"\1\2\3\4\5\6\7\x08", b"\x09\x0a\x0b"
    packet = b"\xc0\x1a\x2a\x3a\x4a" + b"\x08" + dcid + b"\x03" + scid

    def answer(data):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            return ask(s, ("127.0.0.1", p), data, set())

    def fn():
        r = answer(packet + bytes(1200 - len(packet)))
        if not r:
            return "no answer"
        head = b"\0\0\0\0\x03" + scid + b"\x08" + dcid
        return bool(r[0] & 0x80 and r[1 : 1 + len(head)] == head and b"\0\0\0\1" in r[17:]) or r

    tap.case("an unknown version is answered with those we know", fn)

    def small():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(0.5)
        s.sendto(packet + bytes(100), ("127.0.0.1", p))
        try:
            return repr(s.recv(2048))
        except socket.timeout:
            return True

    tap.case("a small packet is not", small)

    def stray():
        r = answer(b"\x40" + os.urandom(99))
        return bool(r) and (r[0] & 0xC0) == 0x40 and len(r) < 100 or r

    tap.case("a packet of an unknown connection is answered with a shorter reset", stray)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for n in (0, 1, 5, 30, 1200, 1500):
        s.sendto(os.urandom(n), ("127.0.0.1", p))
    tap.ok(h.alive() and h.stop() == 0, "noise hurts nobody", h.text())


# ---- more than one hop -------------------------------------------------------------------------


def hops():
    for first, query in (("relay", ""), ("socks5", "?udp=true"), ("relay+quic", "")):
        p, q, entry = free_port(), free_port(), free_port()
        kind = {"udp" if "quic" in first else "ports": [p]}
        one = Host("-L", "%s://127.0.0.1:%d%s" % (first, p, query), workers=2, **kind)
        two = Host("-L", "http+quic://127.0.0.1:%d" % q, udp=[q], workers=2)
        c = Host(
            "-L",
            "socks5://127.0.0.1:%d" % entry,
            "-F",
            "%s://127.0.0.1:%d" % (first, p),
            "-F",
            "http+quic://127.0.0.1:%d" % q,
            ports=[entry],
            workers=2,
        )
        note = "quic as the second hop after " + first
        tap.case(note, one_echo, entry)
        tap.case("1 MiB down: " + note, download, entry, 1 << 20)
        tap.ok(
            c.stop() == 0 and one.stop() == 0 and two.stop() == 0,
            "ends cleanly: " + note,
            c.text() + one.text() + two.text(),
        )

    c = Host("-L", "http://127.0.0.1:0", "-F", "socks4://127.0.0.1:1", "-F", "quic://127.0.0.1:2")
    c.proc.wait(PATIENCE)
    tap.ok(
        "needs datagrams" in c.text() and "hop-0/node-0" in c.text() and "hop-1" in c.text(),
        "quic after a hop that carries no datagrams is refused, naming both",
        c.text(),
    )


for scheme_, workers_ in (
    ("relay+quic", 1),
    ("relay+quic", 2),
    ("socks5+quic", 1),
    ("socks5+quic", 2),
    ("http+quic", 2),
):
    sizes(scheme_, workers_)
s_, c_, entry_, _ = pair("relay+quic", 2)
tap.case("100 MB down", download, entry_, 100000000)
tap.case("100 MB up", upload, entry_, 100000000)
stop(s_, c_, "after 100 MB")
moving(1)
moving(2)
lossy()
options()
ends()
reload()
slow_reader()
version_negotiation()
hops()
tap.done()
