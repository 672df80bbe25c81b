# capture.py - recorded exchanges: reading them, moving their ports, playing one side of them.
# SPDX-License-Identifier: MIT
"""A capture is a text file of records; plugins/*/captures hold them. The first character of a line
is its kind: `#` header, `>` bytes of the client, `<` bytes of the server, `+` and `* N HH` more of
the same record, `=` an event."""

import os
import re
import shlex
import socket
import struct
import threading

from harness import PATIENCE, echo, must, read_head, wait_port

# Ports that mean something in the bytes. Ports above 32767 are the kernel's choice and are never
# compared.
NAMED = {
    "CLIENT": 18001,
    "SERVER": 18002,
    "HOP1": 18010,
    "HOP1_BEHIND": 18011,
    "TARGET": 18080,
    "DECOY": 18090,
    "NOBODY": 18099,
    "BIND0": 19000,
    "BIND1": 19001,
    "BIND2": 19002,
    "BOUND": 19100,
}
WAIT = PATIENCE

# A port behind a loopback or unspecified address, above 32767.
BOUND_PORT = re.compile(rb"(?=(?:\x7f\0\0[\x01\x02]|\0\0\0\0|\0{15}\x01)([\x80-\xff][\0-\xff]))")

# What the recorded application and its target say.
PING, PONG, BYE, BANNER = b"ping-client", b"pong-server", b"bye-server", b"banner-server\r\n"
DATE = b"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"


class Differs(Exception):
    """What came is not what was recorded."""


class Capture:
    def __init__(self, path):
        self.path = path
        self.head = {}
        self.events = []  # [kind, bytes or words]
        with open(path) as f:
            for line in f:
                self._line(line[0], line[2:].rstrip("\n"))
        self._end_at_tls()

    def _line(self, kind, rest):
        if kind == "#":
            key, _, value = rest.partition(": ")
            self.head[key] = value
        elif kind in "<>":
            self.events.append([kind, bytes.fromhex(rest)])
        elif kind == "+":
            self.events[-1][1] += bytes.fromhex(rest)
        elif kind == "*":
            n, value = rest.split()
            self.events[-1][1] += bytes([int(value, 16)]) * int(n)
        elif kind == "=" and not rest.startswith("reads"):
            self.events.append(["=", rest])

    def _end_at_tls(self):
        """A TLS session inside the exchange cannot be replayed; what is before it can."""
        if self.head["layers"].endswith("tls"):
            for i, (kind, data) in enumerate(self.events):
                if kind == ">" and data[:2] == b"\x16\x03":
                    del self.events[i:]
                    self.head["clear"] = "only"
                    return

    def side(self, key):
        """The arguments of gost-host for "client" or "server", or None where a script played it."""
        words = shlex.split(self.head[key])
        return words[1:] if words[0] == "gost" else None


class Ports:
    """The ports of one replay: recorded number -> number used now. All have five digits."""

    def __init__(self, keep=()):
        self.map = {}
        for name, number in NAMED.items():
            self.map[number] = number if name in keep else self._new()

    next = 10000 + os.getpid() * 97 % 10000

    @classmethod
    def _new(cls):
        """A port below those the kernel gives out, so that nobody gets it in the meantime."""
        while True:
            cls.next = cls.next + 1 if cls.next < 19999 else 10000
            try:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    with socket.socket(socket.AF_INET, kind) as s:
                        s.bind(("", cls.next))
                return cls.next
            except OSError:
                continue

    def __getitem__(self, name):
        return self.map[NAMED[name]]

    def add(self, number):
        self.map[number] = self._new()
        return self.map[number]

    def args(self, words):
        text = "\0".join(words)
        for name in sorted(NAMED, key=len, reverse=True):
            text = re.sub(r"(?<=[:])%s\b" % name, str(NAMED[name]), text)
        text = re.sub(r"\b1[89]\d{3}\b", lambda m: str(self.map.get(int(m[0]), m[0])), text)
        return text.split("\0")

    def bytes(self, data):
        """The record with today's ports, and the set of offsets that are not compared."""
        free = set()
        for m in BOUND_PORT.finditer(data):
            if struct.unpack(">H", m.group(1))[0] not in self.map:
                free.update(range(m.start(1), m.end(1)))
        for m in re.finditer(rb"PROXY TCP\d \S+ \S+ (\d{5}) ", data):
            free.update(range(*m.span(1)))
        out = bytearray(data)
        for old, new in self.map.items():
            binary = struct.pack(">H", old), struct.pack(">H", new)
            for a, b in (binary, (b"%d" % old, b"%d" % new)):
                at = data.find(a)
                while at >= 0:
                    if at not in free:
                        out[at : at + len(b)] = b
                    at = data.find(a, at + 1)
        return bytes(out), free


# ---- comparing ------------------------------------------------------------------------------

HEAD = re.compile(rb"(HTTP/1\.\d \d{3}|[A-Z]+ \S* HTTP/1\.\d\r\n)")


def canonical(data):
    """An HTTP head with its fields sorted: one keeps their order, the other sorts them."""
    if not HEAD.match(data):
        return data
    head, sep, body = data.partition(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")
    return b"\r\n".join([first] + sorted(fields)) + sep + body


def compare(want, free, got, where):
    w, g = bytearray(want), bytearray(got)
    if len(w) == len(g):
        # SOCKS5 CONNECT: the older build names no bound address, the newer one does
        for m in re.finditer(rb"(?s)\x05\0\0\x01\0{6}", want):
            if re.match(rb"(?s)\x05\0\0\x01\x7f\0\0\x01..", got[m.start() :]):
                free = free | set(range(m.start() + 4, m.end()))
        for i in free:
            w[i] = g[i] = 0
    if canonical(bytes(w)) != canonical(bytes(g)):
        raise Differs(
            "%s\nexpected %s\nactual   %s\n%r\n%r"
            % (where, want.hex(), got.hex(), want[:400], got[:400])
        )


# ---- playing --------------------------------------------------------------------------------


def wait_ready(host, port=None, kind="tcp"):
    """Waits for the listener without connecting: a connection would be part of the exchange.
    A unix socket (no port) exists before it listens, so there the log tells."""
    try:
        if port:
            wait_port(port, host.proc, kind)
        else:
            must(lambda: "listening on" in host.text() or not host.alive())
    except RuntimeError as e:
        raise RuntimeError("%s\n%s\n%s" % (e, " ".join(host.argv), host.text()))


def recv_upto(s, n):
    """n bytes, or what came before the end, a reset or silence; and why it stopped."""
    got = b""
    s.settimeout(WAIT)
    while len(got) < n:
        try:
            b = s.recv(n - len(got))
        except socket.timeout:
            return got, "silence"
        except OSError as e:
            return got, e.strerror
        if not b:
            return got, "end of stream"
        got += b
    return got, ""


def expect_end(s, where):
    got, why = recv_upto(s, 1)
    if got:
        s.settimeout(0.3)
        try:
            got += s.recv(4096)
        except OSError:
            pass
        raise Differs("%s: an end was expected\nactual   %s\n%r" % (where, got.hex(), got))
    if why == "silence":
        raise Differs("%s: an end was expected, the connection stays open" % where)


def tolerate(fn, *args):
    """A write to a connection that the other side ended may fail; the next read tells."""
    try:
        fn(*args)
    except OSError:
        pass


class Player:
    """Plays one end of a capture: sends the records of `mine`, compares those of the other end."""

    def __init__(self, mine, ports, connect, on_record=None):
        self.mine = mine
        self.other = "<" if mine == ">" else ">"
        self.names = ("client", "server") if mine == ">" else ("server", "client")
        self.ports = ports
        self.connect = connect  # connect(number) -> socket (a UDP socket must be connected)
        # on_record(index of the other end's record, bytes wanted, socket) -> bytes, or None
        self.on_record = on_record
        self.socks = {}
        self.ended = set()
        self.seen = 0
        self.got = b""  # the last record of the other end

    def play(self, events):
        now = None
        try:
            for i, (kind, data) in enumerate(events):
                where = "event %d (%s)" % (i, kind)
                if kind == "=":
                    now = self._event(data, now, where)
                elif kind == self.mine:
                    tolerate(self.socks[now].sendall, self.ports.bytes(data)[0])
                else:
                    self._record(self.socks[now], data, where)
        finally:
            for s in self.socks.values():
                s.close()

    def _record(self, s, data, where):
        want, free = self.ports.bytes(data)
        got = self.on_record(self.seen, want, s) if self.on_record else None
        self.seen += 1
        why = ""
        if got is None and s.type == socket.SOCK_DGRAM:
            s.settimeout(WAIT)
            try:
                got = s.recv(65535)
            except OSError as e:
                got, why = b"", str(e)
        elif got is None:
            got, why = recv_upto(s, len(want))
        self.got = got
        compare(want, free, got, where + (": " + why if why else ""))

    def _event(self, text, now, where):
        word, _, arg = text.partition(" ")
        if word == "open":
            now = arg.split()[0]
            self.socks[now] = self.connect(now)
        elif word == "use":
            now = arg
        elif word == "wait":
            pass
        elif word == "rst":
            if arg == self.names[0]:
                reset = struct.pack("ii", 1, 0)
                self.socks[now].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                self.socks[now].close()
            else:
                expect_end(self.socks[now], where + " " + text)
        elif arg == self.names[0]:
            tolerate(self.socks[now].shutdown, socket.SHUT_WR)
        else:
            expect_end(self.socks[now], where + " " + text)
        return now


# ---- the target of a server -----------------------------------------------------------------


def http_answer(s, head, early):
    """The origin server of the recordings. False when it closes."""
    first = head.split(b"\r\n")[0].split(b" ")
    path = first[1]
    close = b"connection: close" in head.lower()
    tail = (b"Connection: close\r\n" if close else b"") + b"\r\n"
    if path.startswith(b"/204"):
        s.sendall(b"HTTP/1.1 204 No Content\r\n" + tail)
    elif path.startswith(b"/chunk"):
        s.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
            b"Transfer-Encoding: chunked\r\n" + tail + b"b\r\nhello world\r\n0\r\n\r\n"
        )
    elif path.startswith(b"/close"):
        s.sendall(b"HTTP/1.1 200 OK\r\nX-B: 2\r\nX-A: 1\r\nConnection: close\r\n\r\nuntil-close")
        return False
    elif path.startswith(b"/ws"):
        s.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\n"
            b"Sec-Websocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        )
        echo(s)
        return False
    elif path == b"/":
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n" + PONG)
        return True
    else:
        if first[0] == b"POST":
            while PING not in early or (b"chunked" in head.lower() and b"0\r\n\r\n" not in early):
                early += s.recv(4096)
        s.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nServer: origin\r\n"
            + DATE
            + b"Content-Length: 11\r\n"
            + tail
            + PONG
        )
    return not close


def http_origin(s, early):
    while True:
        came = read_head(s, early)
        if not came or not http_answer(s, *came):
            return
        early = b""


def target(banner):
    def fn(s):
        s.settimeout(WAIT)
        if banner:
            s.sendall(BANNER)
        while True:
            b = s.recv(65536)
            if b.split(b" ")[0] in (b"GET", b"POST"):
                return http_origin(s, b)
            if not b:
                return s.sendall(BYE)
            s.sendall(PONG * b.count(PING))

    return fn


def decoy(s):
    s.recv(4096)
    s.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Decoy: yes\r\n"
        b"Content-Length: 6\r\n\r\ndecoy\n"
    )


def datagram_answer(b):
    return PONG if b.startswith(b"ping") else b"B" * len(b)


class Targets:
    """What the recorded server could reach: TCP on both loopbacks, UDP, a unix socket, a decoy."""

    def __init__(self, ports, banner, cwd):
        self.socks = []
        self.stop = False
        for host in ("127.0.0.1", "::1"):
            self._tcp(host, ports["TARGET"], target(banner))
        self._tcp("127.0.0.1", ports["DECOY"], decoy)
        self._tcp(os.path.join(cwd, "t.sock"), None, target(banner))
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        u.bind(("127.0.0.1", ports["TARGET"]))
        self.socks.append(u)
        threading.Thread(target=self._udp, args=(u,), daemon=True).start()

    def _tcp(self, host, port, fn):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        if port is None:
            family = socket.AF_UNIX
        s = socket.socket(family)
        if port is not None:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(host if port is None else (host, port))
        s.listen(16)
        self.socks.append(s)
        threading.Thread(target=self._accept, args=(s, fn), daemon=True).start()

    def _accept(self, s, fn):
        while True:
            try:
                c, _ = s.accept()
            except OSError:
                return
            if self.stop:
                return
            threading.Thread(target=self._one, args=(c, fn), daemon=True).start()

    @staticmethod
    def _one(c, fn):
        try:
            with c:
                fn(c)
        except OSError:
            pass

    def _udp(self, u):
        while True:
            try:
                b, a = u.recvfrom(65535)
                if self.stop:
                    return
                u.sendto(datagram_answer(b), a)
            except OSError:
                return

    def close(self):
        self.stop = True
        for s in self.socks:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()
