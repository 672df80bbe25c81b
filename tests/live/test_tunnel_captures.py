#!/usr/bin/env python3
# test_tunnel_captures.py - exchanges of GOST's reverse tunnels, the host on either side.
# SPDX-License-Identifier: MIT
# timeout: 300
"""Requests, answers and heads of streams are compared byte by byte (but for ids and ports that are
anybody's choice), frames of the session by their meaning."""

import os
import re
import socket
import struct
import tempfile

from capture import Capture, Ports, Targets, compare, recv_upto, wait_ready
from harness import PATIENCE, WORK, Host, Tap, must, recv_exact
from sessions import FIN, PSH, SYN, frame, read_frame, read_stream
from tunnels import HERE_NOW, PLUGINS, connect

tap = Tap()
ENTRY, VISITED = 18070, 18003  # ports of recordings that capture.py does not know


def capture(name):
    return Capture(os.path.join(PLUGINS, "tunnel", "captures", name + ".txt"))


def records(cap, kind, connection="1"):
    now, out = "1", []
    for k, data in cap.events:
        if k == "=" and data.split()[0] in ("open", "use"):
            now = data.split()[1]
        if k == kind and now == connection:
            out.append(data)
    return out


# ---- recorded: the host as server -----------------------------------------------------------


class Recorded:
    """The host with the command line of a recording; for the server its target, too."""

    def __init__(self, name, side):
        self.cap = capture(name)
        self.ports = Ports()
        self.entry, self.visited = self.ports.add(ENTRY), self.ports.add(VISITED)
        words = self.ports.args(self.cap.side(side))
        self.targets = None
        if side == "server":
            self.host = Host(*words)
            wait_ready(self.host, self.ports["SERVER"])
        else:
            self.targets = Targets(self.ports, b"", tempfile.mkdtemp(dir=WORK))
            at = self.visited if "18003" in " ".join(self.cap.side(side)) else self.ports["SERVER"]
            self.listener = socket.create_server(("127.0.0.1", at))
            self.listener.settimeout(PATIENCE)
            self.host = Host(*words)

    def server(self):
        return connect(self.ports["SERVER"], "127.0.0.2")

    def accept(self):
        s = self.listener.accept()[0]
        s.settimeout(PATIENCE)
        return s

    def expect(self, s, want, blank=()):
        """The record, but for these ranges and what Ports leaves free."""
        want, free = self.ports.bytes(want)
        free = free.union(*[range(a, b) for a, b in blank])
        got, why = recv_upto(s, len(want))
        compare(want, free, got, why)
        return got

    def send(self, s, data):
        s.sendall(self.ports.bytes(data)[0])

    def done(self, *socks):
        for s in socks:
            s.close()
        if self.targets:
            self.targets.close()
            self.listener.close()
        status = self.host.stop()
        return status == 0 or "status %s\n%s" % (status, self.host.text())


def refused(name):
    r = Recorded(name, "server")
    for connection in sorted(
        {d.split()[1] for k, d in r.cap.events if k == "=" and d[:4] == "open"}
    ):
        entry = name.startswith("entry")
        if entry:
            wait_ready(r.host, r.entry)
        s = connect(r.entry, "127.0.0.2") if entry else r.server()
        for data in records(r.cap, ">", connection):
            r.send(s, data)
        for data in records(r.cap, "<", connection):
            r.expect(s, data)
        if s.recv(1):
            return "more than the recorded answer"
        s.close()
    return r.done()


def id_at(answer):
    """Where the client's own UUID is in an answer to a registration."""
    at = answer.index(b"\3\0\x14") + 3
    return at, at + 16


def registered(r):
    """The recorded client: its request, and the answer as it was recorded."""
    s = r.server()
    r.send(s, records(r.cap, ">")[0])
    want = records(r.cap, "<")[0]
    n = 4 + struct.unpack(">H", want[2:4])[0]
    r.expect(s, want[:n], [id_at(want)])
    must(lambda: HERE_NOW in r.host.text())  # visitors before that are refused
    return s, want[n:]


def answered(name):
    r = Recorded(name, "server")
    s, _ = registered(r)
    return r.done(s)


def stream_head(source, port, host=b"srv.test"):
    """What a stream to a client begins with."""
    body = b"\2\0\7\1" + socket.inet_aton("127.0.0.1") + struct.pack(">H", source)
    body += b"\2" + struct.pack(">H", len(host) + 4) + b"\3" + bytes([len(host)]) + host
    body += struct.pack(">H", port)
    return b"\1\0" + struct.pack(">H", len(body)) + body


def open_stream(s, sid, version):
    opened = read_frame(s, version)
    while opened[0] == FIN:
        opened = read_frame(s, version)
    if opened != (SYN, sid, b""):
        raise RuntimeError("no SYN of stream %d: %r" % (sid, opened))


def stream_bytes(s, sid, version, enough):
    """Payload of one stream until enough(what came)."""
    got = b""
    while not enough(got):
        cmd, i, data = read_frame(s, version)
        if cmd == PSH and i == sid:
            got += data
    return got


def payload(frames, version):
    """The payload of all frames of a record."""
    out = b""
    while frames:
        v, cmd, n, _ = struct.unpack("<BBHI", frames[:8])
        if v != version:
            raise RuntimeError("the recording is of version %d" % v)
        out += frames[8 : 8 + n] if cmd == PSH else b""
        frames = frames[8 + n :]
    return out


SECRET = re.compile(rb"(Gost-(?:Forwarded-Node|Sid): )[^\r]*")


def web_entry(name, version):
    """A web client at the entry point, seen by the recorded tunnel client."""
    r = Recorded(name, "server")
    s, rest = registered(r)
    rest += b"".join(records(r.cap, "<")[1:])
    want = payload(
        (
            rest[: rest.index(bytes([version, FIN, 0, 0, 3]))]
            if version == 1
            else rest[: rest.index(b"\r\n\r\n") + 4]
        ),
        version,
    )
    web = connect(r.entry)
    web.sendall(b"GET /a HTTP/1.1\r\nHost: srv.test\r\nUser-Agent: t\r\n\r\n")
    open_stream(s, 3, version)
    got = stream_bytes(s, 3, version, lambda b: b.endswith(b"\r\n\r\n"))
    head = stream_head(web.getsockname()[1], 80)
    if got[: len(head)] != head or want[4:8] != head[4:8] or want[14 : len(head)] != head[14:]:
        return "the stream begins with %s" % got[: len(head)].hex()
    if SECRET.sub(rb"\1", got[len(head) :]) != SECRET.sub(rb"\1", want[len(head) :]):
        return "%r\nnot %r" % (got[len(head) :], want[len(head) :])
    if not re.search(rb"Node: [0-9a-f-]{36}\r\nGost-Sid: [0-9a-v]{20}\r\n", got):
        return "ids of another form: %r" % got
    answer = payload(
        (
            b"".join(records(r.cap, ">")[-2:])[:-8]
            if version == 1
            else next(x for x in records(r.cap, ">") if b"HTTP/1.1 200" in x)
        ),
        version,
    )
    s.sendall(frame(PSH, 3, answer, version))
    if recv_exact(web, len(answer)) != answer:
        return "another answer"
    return r.done(web, s)


def visited(kind):
    """A recorded visitor and the recorded client it reaches; `kind`: connect or udp."""
    r = Recorded(kind, "server")
    s, _ = registered(r)
    v, seen = r.server(), capture(kind + "-visitor")
    up, down = records(seen, ">"), records(seen, "<")
    r.send(v, up[0])
    r.expect(v, down[0])
    head = stream_head(
        struct.unpack(">H", up[0][up[0].index(b"\x7f\0\0\1") + 4 :][:2])[0],
        53 if kind == "udp" else 80,
    )
    open_stream(s, 3, 2)
    if read_stream(s, 3, len(head), 2) != head:
        return "the stream begins with something else"
    for said, answer in zip(up[1:], down[1:]):
        v.sendall(said)
        if read_stream(s, 3, len(said), 2) != said:
            return "the visitor's bytes do not arrive"
        s.sendall(frame(PSH, 3, answer, 2))
        r.expect(v, answer)
    return r.done(v, s)


# ---- recorded: the host as client -----------------------------------------------------------


def visits(name):
    """The recorded server's answers to a visitor of ours."""
    r = Recorded(name, "client")
    udp = name.startswith("udp")
    wait_ready(r.host, r.ports["CLIENT"], "udp" if udp else "tcp")
    app = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
    app.settimeout(PATIENCE)
    app.connect(("127.0.0.1", r.ports["CLIENT"]))
    up, down = records(r.cap, ">"), records(r.cap, "<")
    if udp:
        app.send(up[1][2:])
    s = r.accept()
    r.expect(s, up[0])
    s.sendall(down[0])
    if down[0][1] != 0:  # refused
        got = app.recv(1)
        return got == b"" and r.done(s, app) or "bytes after a refusal"
    for i, (said, answer) in enumerate(zip(up[1:], down[1:])):
        if not udp:
            app.sendall(said)
        elif i > 0:
            app.send(said[2:])
        r.expect(s, said)
        s.sendall(answer)
        if recv_upto(app, len(answer) - 2 * udp)[0] != answer[2 * udp :]:
            return "the answer does not arrive"
    return r.done(s, app)


def registers(name, version=2):
    """The request of ours, and a stream of the recorded server to the target."""
    r = Recorded(name, "client")
    s = r.accept()
    r.expect(s, records(r.cap, ">")[0])
    answer = records(r.cap, "<")[0]
    n = 4 + struct.unpack(">H", answer[2:4])[0]
    s.sendall(answer[:n])
    udp = name == "udp"
    ask = b"\0\x0bping-client" if udp else b"ping-client"
    reply = b"\0\x0bpong-server" if udp else b"pong-server"
    for sid in (3, 5):
        head = stream_head(40000 + sid, 80)
        s.sendall(frame(SYN, sid, b"", version) + frame(PSH, sid, head[:9], version))
        s.sendall(frame(PSH, sid, head[9:] + ask, version))
        if read_stream(s, sid, len(reply), version) != reply:
            return "the target's answer does not arrive"
        s.sendall(frame(FIN, sid, b"", version))
    # one that begins with nonsense, and another one after it
    s.sendall(frame(SYN, 7, b"", version) + frame(PSH, 7, b"nonsense, and enough", version))
    s.sendall(frame(SYN, 9, b"", version) + frame(PSH, 9, stream_head(40009, 80) + ask, version))
    good = read_stream(s, 9, len(reply), version) == reply
    return good and r.done(s) or "no stream after a bad one"


def asks(name):
    r = Recorded(name, "client")
    s = r.accept()
    r.expect(s, records(r.cap, ">")[0])
    return r.done(s)


def main():
    for name in (
        "raw-no-tunnel-id",
        "raw-unknown-command",
        "raw-connect-no-client",
        "connect-unknown-host",
        "connect-wrong-id",
        "bind-auth-wrong",
        "entry-http-no-client",
        "entry-http-unknown-host",
    ):
        tap.case("recorded, as server: " + name, refused, name)
    for name in (
        "bind-auth",
        "head-bind-auth",
        "bind-no-host",
        "head-bind-no-host",
        "bind-weight",
        "udp",
    ):
        tap.case("recorded, as server: %s is answered" % name, answered, name)
    tap.case("recorded, as server: bind-http-entry", web_entry, "bind-http-entry", 2)
    tap.case("recorded, as server: bind-smux1", web_entry, "bind-smux1", 1)
    tap.case("recorded, as server: connect and its visitor", visited, "connect")
    tap.case("recorded, as server: udp and its visitor", visited, "udp")
    for name in ("connect-visitor", "connect-unknown-host", "connect-wrong-id", "udp-visitor"):
        tap.case("recorded, as client: " + name, visits, name)
    for name in ("head-bind-auth", "head-bind-no-host", "bind-weight"):
        tap.case("recorded, as client: %s asks" % name, asks, name)
    tap.case("recorded, as client: bind-http-entry", registers, "bind-http-entry")
    tap.case("recorded, as client: bind-smux1", registers, "bind-smux1", 1)
    tap.case("recorded, as client: udp", registers, "udp")
    tap.done()


main()
