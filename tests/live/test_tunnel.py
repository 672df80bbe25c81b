#!/usr/bin/env python3
# test_tunnel.py - reverse tunnels: recorded exchanges, both sides, entry points, workers.
# SPDX-License-Identifier: MIT
# timeout: 600
"""Recordings of GOST are played against the host as server and as client: requests, answers and
heads of streams byte by byte (but for ids and ports that are anybody's choice), frames of the
session by their meaning. Then the host is on both sides."""

import glob
import hashlib
import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import urllib.request

from capture import Capture, Ports, Targets, compare, recv_upto, wait_ready
from harness import HOST, WORK, Host, Tap, echo, free_port, http_target, need, pattern
from harness import recv_exact, serve, udp_echo, wait_port
from sessions import FIN, PSH, SYN, frame, read_frame, read_stream, until

tap = Tap()
HERE = os.path.dirname(os.path.abspath(__file__))
PLUGINS = os.path.join(HERE, "..", "..", "plugins")
ID = "4d21094e-b74c-4916-86c1-d9fa36ea677b"
OTHER = "5d21094e-b74c-4916-86c1-d9fa36ea677c"
ENTRY, VISITED = 18070, 18003  # ports of recordings that capture.py does not know
HERE_NOW = "a client of the tunnel"  # the server's word for it
ECHO = serve(echo)
UDP_ECHO = udp_echo(lambda b: b"echo " + b)


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


def connect(port, host="127.0.0.1"):
    s = until(lambda: socket.create_connection((host, port), 5))
    s.settimeout(20)
    return s


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
            self.listener.settimeout(20)
            self.host = Host(*words)

    def server(self):
        return connect(self.ports["SERVER"], "127.0.0.2")

    def accept(self):
        s = self.listener.accept()[0]
        s.settimeout(20)
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
    until(lambda: HERE_NOW in r.host.text())  # visitors before that are refused
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
    app.settimeout(20)
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


# ---- the host on both sides -----------------------------------------------------------------


class Both:
    """A tunnel server and its clients, all of them the host."""

    def __init__(self, query="tunnel=srv.test:" + ID, workers=None, config=None):
        self.port, self.entry = free_port(), free_port()
        self.hosts = []
        if config:
            path = os.path.join(WORK, "tunnel-%d.yml" % self.port)
            self.config = path
            self.write(config)
            args = ["-C", path]
        else:
            args = [
                "-L",
                "tunnel://127.0.0.1:%d?entrypoint=127.0.0.1:%d&%s" % (self.port, self.entry, query),
            ]
        self.args, self.workers = args, workers
        self.start()

    def write(self, config):
        with open(self.config, "w") as f:
            f.write(config.replace("PORT", str(self.port)).replace("ENTRY", str(self.entry)))

    def start(self):
        self.server = Host(*self.args, ports=[self.port], workers=self.workers)

    def client(self, target, listen="rtcp://srv.test:80", query="tunnel.id=" + ID, login=""):
        c = Host(
            "-L",
            "%s/127.0.0.1:%d" % (listen, target),
            "-F",
            "tunnel://%s127.0.0.1:%d?%s" % (login, self.port, query),
        )
        self.hosts.append(c)
        return c

    def registered(self, *args, **kw):
        before = self.server.text().count(HERE_NOW)
        c = self.client(*args, **kw)
        until(lambda: self.server.text().count(HERE_NOW) > before)
        return c

    def visitor(self, host="srv.test:80", query="tunnel.id=" + ID, scheme="tcp", more=""):
        port = free_port()
        v = Host(
            "-L",
            "%s://127.0.0.1:%d/%s%s" % (scheme, port, host, more),
            "-F",
            "tunnel://127.0.0.1:%d?%s" % (self.port, query),
            ports=[] if scheme == "udp" else [port],
        )
        if scheme == "udp":
            wait_ready(v, port, "udp")
        self.hosts.append(v)
        return port

    def stop(self):
        status = [h.stop() for h in self.hosts + [self.server]]
        return all(s == 0 for s in status) or "%s\n%s" % (status, self.server.text()[-3000:])


def talk(port, data=pattern(200000)):
    s = connect(port)
    threading.Thread(target=s.sendall, args=(data,), daemon=True).start()
    got = recv_exact(s, len(data))
    s.close()
    return got == data


def request(uuid, host=b"srv.test", port=80, command=1, flags=0, weight=0):
    """A request as GOST's clients send it."""
    body = b"\2\0\7\1\x7f\0\0\1\x9c\x40"
    body += b"\2" + struct.pack(">H", len(host) + 4) + b"\3" + bytes([len(host)]) + host
    body += struct.pack(">H", port)
    body += b"\3\0\x14" + bytes.fromhex(uuid.replace("-", "")) + bytes([flags, 0, 0, weight])
    return b"\1" + bytes([command]) + struct.pack(">H", len(body)) + body


def status_of(port, **kw):
    """The answer's status to a visitor, and the connection."""
    s = connect(port)
    s.sendall(request(**kw))
    return recv_exact(s, 4)[1], s


def many(mux=""):
    b = Both("tunnel=srv.test:%s%s" % (ID, mux), workers=2)
    b.registered(ECHO, query="tunnel.id=" + ID + mux)
    port, good = b.visitor(), []
    threads = [threading.Thread(target=lambda: good.append(talk(port))) for _ in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    return good == [True] * 20 and b.stop() or "%d of 20" % len(good)


def loop_of(host, local, remote):
    """Which of the host's event loops watches the connection: its epoll descriptor. None: none."""
    with open("/proc/net/tcp") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    inode = [
        r[9] for r in rows if r[1].endswith(":%04X" % local) and r[2].endswith(":%04X" % remote)
    ]
    folder = "/proc/%d" % host.proc.pid
    for fd in os.listdir(folder + "/fd"):
        try:
            if not inode or os.readlink(folder + "/fd/" + fd) != "socket:[%s]" % inode[0]:
                continue
        except OSError:
            continue
        for e in os.listdir(folder + "/fdinfo"):
            with open(folder + "/fdinfo/" + e) as f:
                if re.search(r"^tfd:\s+%s\b" % fd, f.read(), re.M):
                    return e
    return None


def peers_of(port):
    """Remote ports of the established connections to a port."""
    with open("/proc/net/tcp") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return [
        int(r[2].split(":")[1], 16) for r in rows if r[1].endswith(":%04X" % port) and r[3] == "01"
    ]


def crossing():
    """Owner and visitor on different workers, and data both ways."""
    b = Both(workers=4)
    b.registered(ECHO)
    owner = until(
        lambda: (
            [p for p in peers_of(b.port) if loop_of(b.server, b.port, p)]
            if len(peers_of(b.port)) == 1
            else None
        )
    )
    home = loop_of(b.server, b.port, owner[0])
    across, data = 0, pattern(300000, 5)
    for _ in range(20):
        visitors = []
        for _ in range(8):
            status, s = status_of(b.port, uuid=ID)
            if status != 0:
                return "status %d" % status
            visitors.append(s)
        for s in visitors:
            mine = until(lambda: loop_of(b.server, b.port, s.getsockname()[1]))
            across += mine != home
            threading.Thread(target=s.sendall, args=(data,), daemon=True).start()
            if recv_exact(s, len(data)) != data:
                return "the echo differs"
            s.close()
        if across:
            break
    return across > 0 and b.stop() or "no visitor came from another worker than the owner's"


def packets():
    b = Both()
    b.registered(UDP_ECHO, "rudp://srv.test:53")
    port = b.visitor("srv.test:53", scheme="udp", more="?keepalive=true&ttl=30s")
    peers = []
    for peer in range(4):
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        u.settimeout(20)
        u.connect(("127.0.0.1", port))
        peers.append(u)
    for i in range(3):
        for peer, u in enumerate(peers):
            word = b"%d/%d" % (peer, i) * (1 + 300 * i)
            u.send(word)
            if u.recv(10000) != b"echo " + word:
                return "another answer"
    return b.stop()


def networks():
    """Clients of both networks: each visitor gets one of its own; a lonely one serves both."""
    b = Both()
    tcp = b.registered(ECHO)
    b.registered(UDP_ECHO, "rudp://srv.test:53")
    if not all(talk(port, b"x" * 100) for port in [b.visitor()] * 5):
        return "a stream went to the packets' client"
    tcp.stop()
    until(lambda: len(peers_of(b.port)) == 1)

    def lonely():
        status, s = status_of(b.port, uuid=ID)
        s.sendall(b"\0\4ping")
        return status == 0 and recv_exact(s, 11) == b"\0\x09echo ping"

    until(lonely)
    return b.stop()


def leaves_and_returns():
    b = Both()
    c = b.registered(ECHO)
    port = b.visitor()
    if not talk(port):
        return "no echo"
    c.stop()
    until(lambda: status_of(b.port, uuid=ID)[0] == 5)
    b.registered(ECHO)
    if not talk(port):
        return "no echo from the second client"
    b.server.proc.kill()
    b.server.proc.wait()
    b.start()
    until(lambda: status_of(b.port, uuid=ID)[0] == 0)
    return talk(port) and b.stop()


def weights():
    """255 takes all of them; when it leaves the others do."""
    b = Both()
    names = [serve(lambda s, n=n: s.sendall(n)) for n in (b"a", b"b", b"!")]
    b.registered(names[0])
    b.registered(names[1], query="tunnel.id=%s&tunnel.weight=3" % ID)

    def asked(n):
        out = set()
        for _ in range(n):
            status, s = status_of(b.port, uuid=ID)
            out.add(recv_exact(s, 1) if status == 0 else status)
            s.close()
        return out

    until(lambda: asked(20) == {b"a", b"b"})
    alone = b.registered(names[2], query="tunnel.id=%s&tunnel.weight=255" % ID)
    until(lambda: asked(20) == {b"!"})
    alone.stop()
    until(lambda: asked(20) == {b"a", b"b"})
    return b.stop()


def rights():
    """Private tunnels, visitors with the entry's id, direct."""
    b = Both("tunnel=srv.test:%s,.priv.test:$%s&entrypoint.id=%s" % (ID, OTHER, OTHER[:-1] + "d"))
    public = OTHER[:-1] + "d"
    b.registered(ECHO)
    b.registered(ECHO, "rtcp://x.priv.test:80", "tunnel.id=" + OTHER)
    asked = [
        (dict(uuid=ID), 0),
        (dict(uuid=OTHER), 6),
        (dict(uuid=OTHER, host=b"x.priv.test"), 0),
        (dict(uuid=ID, host=b"x.priv.test"), 6),
        (dict(uuid=public), 0),
        (dict(uuid=public, host=b"x.priv.test"), 6),
        (dict(uuid=public, host=b"none.test"), 7),
        (dict(uuid=ID, host=b"none.test"), 6),
    ]
    got = [status_of(b.port, **kw)[0] for kw, _ in asked]
    if got != [want for _, want in asked]:
        return "%s" % got
    if http(b.entry, b"x.priv.test")[0] != b"502":
        return "a private tunnel answers the public"
    d = Both("tunnel.direct=true")
    d.registered(ECHO)
    if status_of(d.port, uuid=ID, host=b"any.test")[0] != 0:
        return "not direct"
    if status_of(d.port, uuid=OTHER, host=b"any.test")[0] != 5:
        return "a tunnel without clients"
    return b.stop() is True and d.stop()


def hijack():
    """A client that asks for a host of another tunnel gets the name of its own."""
    b = Both()
    s = connect(b.port)
    s.sendall(request(OTHER, command=2))
    got = recv_exact(s, 4)
    body = recv_exact(s, struct.unpack(">H", got[2:])[0])
    s.close()
    return got[1] == 0 and body[:5] == b"\2\0\x14\3\x10" and b"srv.test" not in body and b.stop()


# ---- entry points ---------------------------------------------------------------------------


def http(port, host, target=b"/", more=b"", body=b"", s=None):
    """(status, head, body) of one request."""
    s = s or connect(port)
    s.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + more + b"\r\n" + body)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += recv_exact(s, 1)
    n = int((re.search(rb"(?i)content-length: (\d+)", head) or [0, 0])[1])
    return head.split(b" ")[1], head, recv_exact(s, n)


def web():
    b, body = Both(), pattern(300000, 3)
    target = http_target(body)
    b.registered(target)
    s = connect(b.entry)
    for _ in range(3):  # one connection
        if http(b.entry, b"srv.test", s=s)[2] != body:
            return "another body"
    url = "http://127.0.0.1:%d/" % b.entry
    for data in (pattern(200000, 9), iter([b"ab", pattern(100000, 4), b"c"])):
        chunks = data if isinstance(data, bytes) else list(data)
        whole = data if isinstance(data, bytes) else b"".join(chunks)
        r = urllib.request.Request(
            url,
            data=data if isinstance(data, bytes) else iter(chunks),
            headers={"Host": "srv.test"},
        )
        import hashlib

        with urllib.request.urlopen(r, timeout=20) as answer:
            if answer.read() != hashlib.sha256(whole).hexdigest().encode():
                return "another digest"
    if http(b.entry, b"none.test")[0] != b"502":
        return "an unknown host"
    return b.stop()


def told():
    """An origin that answers with the head it got, then echoes; and how many it served."""
    count = []

    def fn(s):
        count.append(1)
        text = b""
        while True:
            while b"\r\n\r\n" not in text:
                more = s.recv(4096)
                if not more:
                    return
                text += more
            head, _, text = text.partition(b"\r\n\r\n")
            if b"Upgrade: echo" in head:
                s.sendall(
                    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                    b"Upgrade: echo\r\n\r\n"
                )
                return echo(s)
            s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(head), head))

    return serve(fn), count


def loops():
    """Our own id in the way is a loop; another's is replaced."""
    b = Both()
    b.registered(told()[0])
    seen = http(b.entry, b"srv.test", more=b"Gost-Forwarded-Node: other\r\nGost-Sid: mine\r\n")[2]
    node = re.search(rb"Gost-Forwarded-Node: (\S+)", seen)[1]
    if b"other" in seen or b"Gost-Sid: mine" not in seen or b"Connection: close" not in seen:
        return "%r" % seen
    again = http(b.entry, b"srv.test", more=b"Gost-Forwarded-Node: " + node + b"\r\n")[0]
    return again == b"503" and b.stop() or "%r" % again


def keepalive():
    port, count = told()
    b = Both("tunnel=srv.test:%s,b.test:%s&entrypoint.keepalive=true" % (ID, ID))
    b.registered(port)
    s = connect(b.entry)
    for _ in range(4):
        if b"Connection" in http(b.entry, b"srv.test", s=s)[2]:
            return "the origin is asked to close"
    if len(count) != 1:
        return "%d connections to the origin" % len(count)
    http(b.entry, b"b.test", s=s)  # another host: another stream
    return len(count) == 2 and b.stop() or "%d connections" % len(count)


def upgrade():
    b = Both()
    b.registered(told()[0])
    s = connect(b.entry)
    status = http(b.entry, b"srv.test", more=b"Connection: Upgrade\r\nUpgrade: echo\r\n", s=s)[0]
    s.sendall(b"ping")
    return status == b"101" and recv_exact(s, 4) == b"ping" and b.stop()


def hello():
    """A ClientHello for example.test."""
    for path in glob.glob(os.path.join(PLUGINS, "sni", "captures", "*tls*.txt")):
        for kind, data in Capture(path).events:
            if kind == ">" and data[:1] == b"\x16" and b"example.test" in data:
                return data
    raise RuntimeError("no recorded hello")


def tls():
    b = Both("tunnel=example.test:%s" % ID)
    b.registered(ECHO, "rtcp://example.test:443")
    data = hello() + pattern(1000)
    s = connect(b.entry)
    for i in range(0, 40):  # byte by byte at first
        s.sendall(data[i : i + 1])
    s.sendall(data[40:])
    if recv_exact(s, len(data)) != data:
        return "the hello does not arrive as it was"
    s.close()
    s = connect(b.entry)
    s.sendall(data.replace(b"example.test", b"example.none"))
    return s.recv(1) == b"" and b.stop()


def redirected():
    """What another server sends on: a request at the entry point."""
    b = Both()
    b.registered(ECHO)
    status, s = status_of(b.entry, uuid=ID, host=b"any.test")
    s.sendall(b"ping")
    if status != 0 or recv_exact(s, 4) != b"ping":
        return "status %d" % status
    if status_of(b.entry, uuid=OTHER)[0] != 5:
        return "a tunnel without clients"
    none = status_of(b.entry, uuid="0" * 8 + "-0000-0000-0000-" + "0" * 12)[0]
    return none == 1 and b.stop() or "status %d" % none


def silent_at_entry():
    b = Both("tunnel=srv.test:%s&entrypoint.readTimeout=1s" % ID)
    s = connect(b.entry)
    if s.recv(1) != b"":
        return "it says something"
    b.registered(serve(lambda s: s.recv(65536) and threading.Event().wait(30)))
    status = http(b.entry, b"srv.test")[0]
    return status == b"503" and b.stop() or "%r" % status


def proxy_protocol():
    b = Both("tunnel=srv.test:%s&entrypoint.proxyProtocol=1" % ID)
    c = b.registered(told()[0])
    s = connect(b.entry)
    s.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.8 5555 80\r\n")
    status = http(b.entry, b"srv.test", s=s)[0]
    until(lambda: "192.0.2.7:5555" in c.text())
    return status == b"200" and b.stop()


# ---- ingresses ------------------------------------------------------------------------------

CONFIG = """services:
- name: t
  addr: 127.0.0.1:PORT
  handler:
    type: tunnel
    metadata:
      ingress: main
      entrypoint: 127.0.0.1:ENTRY
      entrypoints:
      - {addr: '127.0.0.1:%(second)d', ingress: second}
  listener: {type: tcp}
ingresses:
- name: main
  reload: 1s
  rules: [{hostname: '*.test', endpoint: '%(id)s'}]
  %(source)s
- name: second
  rules: [{hostname: only.second, endpoint: '%(id)s'}]
"""


def objects():
    """Rules of the configuration and of a file that changes; an entry point with its own."""
    path, second = os.path.join(WORK, "rules.txt"), free_port()
    with open(path, "w") as f:
        f.write("# nothing yet\n\nlonely\n")
    values = {"second": second, "id": ID, "source": "file: {path: '%s'}" % path}
    b = Both(config=CONFIG % values)
    b.registered(told()[0])
    wait_port(second)

    def statuses():
        return [
            http(port, host)[0]
            for port in (b.entry, second)
            for host in (b"srv.test", b"file.example", b"only.second")
        ]

    before = until(lambda: statuses() == [b"200", b"502", b"502", b"502", b"502", b"200"])
    with open(path, "w") as f:
        f.write("file.example %s\n" % ID)
    until(lambda: http(b.entry, b"file.example")[0] == b"200")
    return before and b.stop()


def from_web():
    rules = b".web.example %s # one\n" % ID.encode()
    b = Both(
        config=CONFIG
        % {
            "second": free_port(),
            "id": OTHER,
            "source": "http: {url: 'http://127.0.0.1:%d/'}" % http_target(rules),
        }
    )
    b.registered(told()[0], "rtcp://a.web.example:80")
    until(lambda: http(b.entry, b"a.web.example")[0] == b"200")
    return b.stop()


def from_redis():
    port = free_port()
    proc = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", WORK],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_port(port, proc)
        s = connect(port)
        s.sendall(b"HSET rules redis.example %s\r\n" % ID.encode())
        recv_exact(s, 4)
        source = "redis: {addr: '127.0.0.1:%d', key: rules}" % port
        b = Both(config=CONFIG % {"second": free_port(), "id": OTHER, "source": source})
        b.registered(told()[0], "rtcp://redis.example:80")
        until(lambda: http(b.entry, b"redis.example")[0] == b"200")
        return b.stop()
    finally:
        proc.terminate()
        proc.wait(20)


def reloads():
    """Sessions live through a reload, also where the service changed; entry points come and go."""
    text = CONFIG % {"second": free_port(), "id": ID, "source": ""}
    b = Both(config=text)
    b.registered(told()[0])
    live = connect(b.entry)
    if http(b.entry, b"srv.test", s=live)[0] != b"200":
        return "no answer"
    for n, config in enumerate(
        (text, text.replace("ingress: main", "ingress: main\n      " "entrypoint.keepalive: true"))
    ):
        b.write(config)
        b.server.proc.send_signal(signal.SIGHUP)
        until(lambda: b.server.text().count("config reloaded") == n + 1)
        if http(b.entry, b"srv.test")[0] != b"200" or http(0, b"srv.test", s=live)[0] != b"200":
            return "no answer after reload %d" % (n + 1)
    b.write(re.sub(r" *entrypoint[^s].*\n", "", text))
    b.server.proc.send_signal(signal.SIGHUP)
    until(lambda: b.server.text().count("config reloaded") == 3)

    def closed():
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", b.entry)) != 0

    until(closed)
    return status_of(b.port, uuid=ID)[0] == 0 and b.stop()


def mistakes():
    for query, want in (
        ("tunnel=srv.test:123", "write HOST:UUID"),
        ("entrypoint.id=x", "is no UUID"),
        ("entrypoint=nonsense:port", "no address to listen at"),
    ):
        out = subprocess.run(
            [HOST, "--check", "-L", "tunnel://127.0.0.1:0?" + query],
            capture_output=True,
            text=True,
            timeout=30,
        )
        if out.returncode != 1 or want not in out.stderr:
            return "%s: %d %s" % (query, out.returncode, out.stderr)
    return True


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
    tap.case("twenty visitors at once", many)
    tap.case("twenty visitors at once, yamux", many, "&mux.type=yamux")
    tap.case("four workers: a visitor of another worker than the client's", crossing)
    tap.case("packets of several peers", packets)
    tap.case("clients of both networks", networks)
    tap.case("a client leaves and returns, and so does the server", leaves_and_returns)
    tap.case("weights", weights)
    tap.case("who may reach what", rights)
    tap.case("a host of another tunnel is not given", hijack)
    tap.case("entry point: web requests", web)
    tap.case("entry point: a loop", loops)
    tap.case("entry point: keepalive", keepalive)
    tap.case("entry point: an upgrade", upgrade)
    tap.case("entry point: TLS by the name it asks for", tls)
    tap.case("entry point: a request of another server", redirected)
    tap.case("entry point: silence", silent_at_entry)
    tap.case("entry point: PROXY protocol", proxy_protocol)
    tap.case("an ingress with a file, and entry points of a list", objects)
    tap.case("an ingress from a web server", from_web)
    if need(tap, "redis-server", "an ingress from redis"):
        tap.case("an ingress from redis", from_redis)
    tap.case("reloads", reloads)
    tap.case("mistakes are named", mistakes)
    tap.done()


main()
