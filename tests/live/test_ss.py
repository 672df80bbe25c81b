#!/usr/bin/env python3
# test_ss.py - Shadowsocks: every method, TCP and UDP, hops, users, strangers and replays.
# SPDX-License-Identifier: MIT
# timeout: 600
import base64
import concurrent.futures
import hashlib
import json
import os
import select
import socket

from harness import (
    PATIENCE,
    Host,
    Tap,
    answer_after_end,
    ask,
    connect_via,
    free_port,
    pattern,
    read_all,
    serve,
    socks5_open,
    socks_addr,
    udp_echo,
    until,
)
from streams import ANSWER, Targets, at_once, down, echoed, greet, greeted, half_close, up
from streams import socks as socks5

tap = Tap()
K16, K32 = "AAECAwQFBgcICQoLDA0ODw==", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
ALICE, BOB = "EBESExQVFhcYGRobHB0eHw==", "ICEiIyQlJicoKSorLC0uLw=="
METHODS = {
    "aes-128-gcm": "secret",
    "aes-256-gcm": "p@ss:word/ with blanks",
    "chacha20-ietf-poly1305": "secret",
    "2022-blake3-aes-128-gcm": K16,
    "2022-blake3-aes-256-gcm": K32,
    "2022-blake3-chacha20-poly1305": K32,
    "none": "",
}
BULK = 100 << 20


def quote(text):
    return "".join(c if c.isalnum() else "%%%02X" % ord(c) for c in text)


def login(method):
    return "%s:%s" % (method, quote(METHODS[method]))


TARGETS = Targets()
ECHO = TARGETS.echo
END = serve(answer_after_end(ANSWER))
GREETING = serve(greet)
UDP = udp_echo(lambda b: b"<" + b)
SIZES = [1, 2, 100, 512, 1400, 1472, 4096, 7999]


def through_echo(entry, size, host="127.0.0.1"):
    return echoed(entry, ECHO, pattern(size, size), host=host)


def end_without_bytes(port):
    s = connect_via("socks5", port, "127.0.0.1", END)
    s.shutdown(socket.SHUT_WR)
    return read_all(s).startswith(hashlib.sha256(b"").hexdigest().encode())


def parallel(entry):
    return at_once(50, lambda i: through_echo(entry, 20000 + i))


def associate(port, host="127.0.0.1", sizes=SIZES):
    ctl, rep, bound = socks5_open(port, 3, "0.0.0.0", 0)
    if rep:
        return "reply %d" % rep
    s, seen = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), set()
    for n in sizes:
        data = pattern(n, n)
        got = ask(s, bound, b"\0\0\0" + socks_addr(host, UDP) + data, seen)
        if got != b"\0\0\0" + socks_addr("127.0.0.1", UDP) + b"<" + data:
            return "size %d: got %r... (%d bytes)" % (n, got[:16], len(got))
    s.close()
    ctl.close()
    return True


def forward(port):
    s, seen = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), set()
    for n in SIZES:
        data = pattern(n, n)
        got = ask(s, ("127.0.0.1", port), data, seen)
        if got != b"<" + data:
            return "size %d: got %d bytes" % (n, len(got))
    s.close()
    return True


def closed(name, *hosts):
    tap.ended("ends cleanly: " + name, *hosts)


def method(name, workers):
    port, entry = free_port(), free_port()
    note = "%s, %d workers" % (name, workers)
    server = Host("-L", "ss://%s@127.0.0.1:%d" % (login(name), port), ports=[port], workers=workers)
    client = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        "ss://%s@127.0.0.1:%d" % (login(name), port),
        ports=[entry],
        workers=workers,
    )
    for size in (1, 65536, 4 << 20):
        tap.case("%d bytes there and back, %s" % (size, note), through_echo, entry, size)
    tap.case("to a name, " + note, through_echo, entry, 1000, "localhost")
    tap.case("half-close, " + note, half_close, socks5(entry), END)
    tap.case("an end without a byte, " + note, end_without_bytes, entry)
    tap.case("the server speaks first, " + note, greeted, entry, GREETING)
    tap.case("50 at once, " + note, parallel, entry)
    if name in ("aes-256-gcm", "2022-blake3-aes-256-gcm"):
        tap.case("100 MB down, " + note, down, entry, TARGETS.give, BULK)
        tap.case("100 MB up, " + note, up, entry, TARGETS.take, BULK)
    closed(note, client, server)


def hops():
    a = login("aes-256-gcm")
    ports = [free_port() for _ in range(4)]
    server = Host(
        "-L",
        "ss://%s@127.0.0.1:%d" % (a, ports[0]),
        "-L",
        "ss+tls://%s@127.0.0.1:%d" % (a, ports[1]),
        "-L",
        "socks5://127.0.0.1:%d?udp=true" % ports[2],
        "-L",
        "ssu+tcp://%s@127.0.0.1:%d" % (a, ports[3]),
        ports=ports,
    )
    ss, tls = "ss://%s@127.0.0.1:%d" % (a, ports[0]), "ss+tls://%s@127.0.0.1:%d" % (a, ports[1])
    socks, ssu = "socks5://127.0.0.1:%d" % ports[2], "ssu+tcp://%s@127.0.0.1:%d" % (a, ports[3])
    for name, chain, udp in (
        ("ss+tls", [tls], False),
        ("socks5 > ss", [socks, ss], False),
        ("ss > socks5", [ss, socks], True),
        ("ss > ss+tls", [ss, tls], False),
        ("ss > ssu+tcp", [ss, ssu], None),
    ):
        entry = free_port()
        client = Host(
            "-L",
            "socks5://127.0.0.1:%d?udp=true" % entry,
            *[x for url in chain for x in ("-F", url)],
            ports=[entry],
        )
        if udp is not None:
            tap.case("4 MiB through " + name, through_echo, entry, 4 << 20)
            tap.case("half-close through " + name, half_close, socks5(entry), END)
            tap.case("the server speaks first through " + name, greeted, entry, GREETING)
        if udp is not False:
            tap.case("UDP through " + name, associate, entry)
        closed(name, client)
    closed("servers of hops", server)


def packet_hops():
    """Packets through packets, and a server that is itself behind a proxy."""
    old, new = login("aes-256-gcm"), login("2022-blake3-aes-128-gcm")
    socks, last, first, tcp = (free_port() for _ in range(4))
    far = Host(
        *("-L", "socks5://127.0.0.1:%d?udp=true" % socks),
        *("-L", "ssu://%s@127.0.0.1:%d?keepalive=true" % (old, last)),
        ports=[socks],
        udp=[last],
    )
    near = Host(
        *("-L", "ssu://%s@127.0.0.1:%d?keepalive=true" % (new, first)),
        *("-L", "ss://%s@127.0.0.1:%d" % (new, tcp)),
        *("-F", "socks5://127.0.0.1:%d" % socks),
        ports=[tcp],
        udp=[first],
    )
    to_last, to_first = "ssu://%s@127.0.0.1:%d" % (old, last), "ssu://%s@127.0.0.1:%d" % (
        new,
        first,
    )
    for name, chain in (
        ("a ssu server behind socks5", [to_first]),
        ("ssu > ssu", [to_first, to_last]),
        ("socks5 udp > ssu", ["socks5://127.0.0.1:%d?relay=udp" % socks, to_last]),
        ("socks5 tun > ssu", ["socks5://127.0.0.1:%d" % socks, to_last]),
    ):
        entry = free_port()
        client = Host(
            *("-L", "socks5://127.0.0.1:%d?udp=true" % entry),
            *[x for url in chain for x in ("-F", url)],
            ports=[entry],
        )
        tap.case("UDP through " + name, associate, entry)
        closed(name, client)
    entry = free_port()
    client = Host(
        *("-L", "socks5://127.0.0.1:%d" % entry),
        *("-F", "ss://%s@127.0.0.1:%d" % (new, tcp)),
        ports=[entry],
    )
    tap.case("a ss server behind socks5", through_echo, entry, 1 << 20)
    tap.case("half-close, a ss server behind socks5", half_close, socks5(entry), END)
    closed("servers behind servers", client, near, far)


def foreign_datagrams():
    """What strangers begin ends with its association, and costs no descriptor meanwhile."""
    port, entry = free_port(), free_port()
    server = Host(
        *("-L", "ssu://%s@127.0.0.1:%d?keepalive=true&ttl=1s" % (login("aes-128-gcm"), port)),
        *("-L", "socks5://127.0.0.1:%d" % entry),
        ports=[entry],
        udp=[port],
    )
    before = server.fds()
    socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(50)]
    for s in socks:
        s.sendto(os.urandom(100), ("127.0.0.1", port))
    seen = []

    def ends():
        seen.append(server.fds())
        return server.text().count('"handler":"ssu","inputBytes"')

    good = until(ends, 50) == 50
    most = max(seen)
    tap.ok(most <= before + 2, "strangers cost no descriptors", "%d, then %d" % (before, most))
    tap.ok(good, "and all end", server.text())
    for s in socks:
        s.close()
    closed("foreign datagrams", server)


def sniffed():
    """The bypass is asked about the name inside, too."""
    port, entry = free_port(), free_port()
    word = login("2022-blake3-aes-128-gcm")
    query = "?sniffing=true&sniffing.timeout=10s&bypass=bad.test"
    server = Host("-L", "ss://%s@127.0.0.1:%d%s" % (word, port, query), ports=[port])
    client = Host(
        *("-L", "socks5://127.0.0.1:%d" % entry),
        *("-F", "ss://%s@127.0.0.1:%d" % (word, port)),
        ports=[entry],
    )
    for host, good in (("good.test", True), ("bad.test", False)):
        s = connect_via("socks5", entry, "127.0.0.1", ECHO)
        s.settimeout(PATIENCE)
        data = b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % host.encode()
        s.sendall(data)
        try:
            got = s.recv(len(data), socket.MSG_WAITALL)
        except OSError:
            got = b""
        tap.ok(got == (data if good else b""), "a sniffed name: " + host, got)
        s.close()
    closed("sniffing", client, server)


def sip002():
    """Method and password in base64, without padding, as other programs write links."""
    port, entry = free_port(), free_port()
    word = base64.urlsafe_b64encode(b"aes-128-gcm:se:cret?").decode().rstrip("=")
    server = Host("-L", "ss://aes-128-gcm:se%%3Acret%%3F@127.0.0.1:%d" % port, ports=[port])
    client = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        "ss://%s@127.0.0.1:%d" % (word, port),
        ports=[entry],
    )
    tap.case("a SIP002 link", through_echo, entry, 1000)
    closed("SIP002", client, server)


def users():
    port, uport = free_port(), free_port()
    method = "2022-blake3-aes-128-gcm"

    def service(kind, at, listener):
        return {
            "name": kind,
            "addr": "127.0.0.1:%d" % at,
            "listener": listener,
            "handler": {
                "type": kind,
                "auth": {"username": method, "password": K16},
                "metadata": {"users": {"alice": ALICE, "bob": BOB}},
            },
        }

    conf = {
        "services": [
            service("ss", port, {"type": "tcp"}),
            service("ssu", uport, {"type": "udp", "metadata": {"keepalive": True, "ttl": "60s"}}),
        ]
    }
    server = Host("-C", json.dumps(conf), ports=[port], udp=[uport])
    for who, keys, good in (
        ("alice", [K16, ALICE], True),
        ("bob", [K16, BOB], True),
        ("a stranger", [K16, "MDEyMzQ1Njc4OTo7PD0+Pw=="], False),
        ("the server's key alone", [K16], False),
    ):
        entry, udp = free_port(), free_port()
        word = "%s:%s" % (method, quote(":".join(keys)))
        client = Host(
            "-L",
            "socks5://127.0.0.1:%d" % entry,
            "-F",
            "ss://%s@127.0.0.1:%d" % (word, port),
            ports=[entry],
        )
        packets = Host(
            "-L",
            "socks5://127.0.0.1:%d?udp=true" % udp,
            "-F",
            "ssu://%s@127.0.0.1:%d" % (word, uport),
            ports=[udp],
        )
        if good:
            tap.case("user %s over TCP" % who, through_echo, entry, 100000)
            tap.case("user %s over UDP" % who, associate, udp)
        else:
            s = connect_via("socks5", entry, "127.0.0.1", GREETING)
            s.settimeout(1)
            try:
                got = s.recv(1)
            except socket.timeout:
                got = b""
            tap.ok(got == b"", who + " gets nothing", got)
        closed(who, client, packets)
    closed("users", server)


def packets(name, workers):
    port, entry, fwd = free_port(), free_port(), free_port()
    note = "%s, %d workers" % (name, workers)
    server = Host(
        *("-L", "ssu://%s@127.0.0.1:%d?keepalive=true&ttl=60s" % (login(name), port)),
        udp=[port],
        workers=workers,
    )
    client = Host(
        "-L",
        "socks5://127.0.0.1:%d?udp=true" % entry,
        "-L",
        "udp://127.0.0.1:%d/127.0.0.1:%d?keepalive=true" % (fwd, UDP),
        "-F",
        "ssu://%s@127.0.0.1:%d" % (login(name), port),
        ports=[entry],
        udp=[fwd],
        workers=workers,
    )
    tap.case("UDP associate, " + note, associate, entry)
    tap.case("UDP associate to a name, " + note, associate, entry, "localhost", [100])
    tap.case("UDP forward, " + note, forward, fwd)

    def many():
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            bad = [
                r
                for r in pool.map(lambda i: associate(entry, sizes=[50 + i]), range(20))
                if r is not True
            ]
        return not bad or bad

    tap.case("20 associations at once, " + note, many)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for n in (0, 1, 16, 33, 50, 221, 1400):
        s.sendto(os.urandom(n), ("127.0.0.1", port))
    s.settimeout(0.5)
    try:
        got = s.recv(65535)
    except socket.timeout:
        got = None
    tap.ok(got is None or name == "none", "foreign datagrams get no answer, " + note, got)
    tap.case("and hurt nobody, " + note, associate, entry, "127.0.0.1", [77])
    closed("UDP " + note, client, server)


def one_answer():
    """Without keepalive an association ends with its first answer: the session of 2022 goes on."""
    port, entry = free_port(), free_port()
    word = login("2022-blake3-aes-128-gcm")
    server = Host("-L", "ssu://%s@127.0.0.1:%d" % (word, port), udp=[port])
    client = Host(
        "-L",
        "socks5://127.0.0.1:%d?udp=true" % entry,
        "-F",
        "ssu://%s@127.0.0.1:%d" % (word, port),
        ports=[entry],
    )
    tap.case("a session outlives its associations", associate, entry)
    closed("sessions", client, server)


def frames(stack):
    name = "aes-256-gcm"
    port, entry, fwd = free_port(), free_port(), free_port()
    server = Host("-L", "%s://%s@127.0.0.1:%d" % (stack, login(name), port), ports=[port])
    client = Host(
        "-L",
        "socks5://127.0.0.1:%d?udp=true" % entry,
        "-L",
        "udp://127.0.0.1:%d/127.0.0.1:%d?keepalive=true" % (fwd, UDP),
        "-F",
        "%s://%s@127.0.0.1:%d" % (stack, login(name), port),
        ports=[entry],
        udp=[fwd],
    )
    tap.case("UDP associate over " + stack, associate, entry)
    tap.case("UDP forward over " + stack, forward, fwd)
    closed(stack, client, server)


class Recorder:
    """Between client and server: keeps what the client sent."""

    def __init__(self, to):
        self.sent = []
        self.to = to
        self.port = serve(self.run)

    def run(self, client):
        server = socket.create_connection(("127.0.0.1", self.to))
        ends = [client, server]
        while ends:
            for s in select.select(ends, [], [])[0]:
                data = s.recv(65536)
                other = server if s is client else client
                if not data:
                    ends.remove(s)
                    other.shutdown(socket.SHUT_WR)
                    continue
                if s is client:
                    self.sent.append(data)
                other.sendall(data)


def strangers(name):
    """What a prober sees: for every length the same silence and the same end. The time to read is
    so long that a slow machine, too, has looked at the silence before it is over."""
    port, entry = free_port(), free_port()
    server = Host(
        "-L", "ss://%s@127.0.0.1:%d?readTimeout=10s" % (login(name), port), ports=[port], workers=2
    )
    recorder = Recorder(port)
    client = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        "ss://%s@127.0.0.1:%d" % (login(name), recorder.port),
        ports=[entry],
    )
    tap.case("a client is served, " + name, through_echo, entry, 1000)
    real = b"".join(recorder.sent)
    probes = {"%d random bytes" % n: os.urandom(n) for n in (1, 16, 33, 50, 221)}
    probes["a replay"] = real
    probes["the beginning of a replay"] = real[:60]
    changed = bytearray(real)
    changed[40] ^= 1
    probes["a changed replay"] = bytes(changed)
    probes["a browser"] = b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"
    socks = {}
    for what, data in probes.items():
        s = socket.create_connection(("127.0.0.1", port), PATIENCE)
        s.sendall(data)
        socks[s] = what
    tap.case("a client is served while they wait, " + name, through_echo, entry, 1000)
    ready = select.select(list(socks), [], [], 0.5)[0]
    tap.ok(not ready, "nobody is answered or cut off, " + name, [socks[s] for s in ready])
    for s in socks:
        s.sendall(b"more" * 50)
    seen = {}
    for s, what in socks.items():
        s.settimeout(PATIENCE)
        try:
            seen[what] = s.recv(1)
        except OSError as e:
            seen[what] = repr(e)
        s.close()
    tap.ok(set(seen.values()) == {b""}, "all end alike, " + name, seen)
    text = server.text()
    tap.ok("secret" not in text and K16 not in text, "no key in the log, " + name, text)
    closed("strangers, " + name, client, server)


def wrong_password():
    port, entry = free_port(), free_port()
    server = Host("-L", "ss://aes-128-gcm:right@127.0.0.1:%d?readTimeout=1s" % port, ports=[port])
    client = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        "ss://aes-128-gcm:wrong@127.0.0.1:%d" % port,
        ports=[entry],
    )
    s = connect_via("socks5", entry, "127.0.0.1", ECHO)
    s.sendall(b"hello")
    s.settimeout(PATIENCE)
    tap.ok(s.recv(10) == b"", "a wrong password ends without an answer")
    tap.ok(server.says("does not authenticate"), "the server's log says why", server.text())
    closed("wrong password", client, server)


for count in (1, 2):
    for each in METHODS:
        method(each, count)
        packets(each, count)
hops()
packet_hops()
foreign_datagrams()
sniffed()
sip002()
users()
one_answer()
for each in ("ssu+tcp", "ssu+tls"):
    frames(each)
for each in ("aes-128-gcm", "2022-blake3-aes-128-gcm"):
    strangers(each)
wrong_password()
tap.done()
