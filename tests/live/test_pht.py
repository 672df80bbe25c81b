#!/usr/bin/env python3
# test_pht.py - the plain HTTP tunnel: recordings of both generations, scripts, many workers.
# SPDX-License-Identifier: MIT
# timeout: 300
"""A recorded token means nothing to a server that gave out another one, but it takes tokens that
clients invent: so recordings of both generations of clients are played against it as they are."""

import base64
import http.client
import os
import re
import socket
import sys
import threading
import time

from capture import Capture, Player, Ports, compare, recv_upto, wait_ready
from harness import PATIENCE, Host, Tap, connect_via, echo, free_port, pattern, recv_exact
from harness import serve

HERE = os.path.dirname(os.path.abspath(__file__))
CAPTURES = os.path.join(HERE, "..", "..", "plugins", "pht", "captures")
DATE = re.compile(rb"Date: [^\r]*\r\n")
ACCEL, CHUNKED = b"X-Accel-Buffering: no\r\n", b"Transfer-Encoding: chunked"
TOKEN = re.compile(rb"token=[0-9a-v]{20}")
# One that keeps an answer open after a heartbeat has the heartbeats of the newer build only.
SERVERS = [
    "raw-404",
    "raw-authorize",
    "raw-pull-post",
    "raw-push-get",
    "head-raw-push-bad-base64",
    "head-raw-push-unknown",
    "pht-relay",
    "pht-two",
    "pht-options",
    "head-pht-relay",
    "head-pht-two",
    "head-pht-options",
]
CLIENTS = ["pht-relay", "pht-options"]
tap = Tap()


def load(name):
    return Capture(os.path.join(CAPTURES, name + ".txt"))


def known(data):
    return TOKEN.sub(b"token=" + b"0" * 20, DATE.sub(b"Date: x\r\n", data))


class LinePorts(Ports):
    """Ports are binary in lines of base64, and only there; letters may look like one."""

    def bytes(self, data):
        head, sep, body = data.partition(b"\r\n\r\n")
        if head.startswith(b"POST") and re.fullmatch(rb"[A-Za-z0-9+/]+=*\n", body):
            line, _ = super().bytes(base64.b64decode(body))
            body = base64.b64encode(line) + b"\n"
        return re.sub(rb"\b1[89]\d{3}\b", self._text, head) + sep + body, set()

    def _text(self, m):
        return b"%d" % self.map.get(int(m[0]), int(m[0]))


def target(s):
    """The target of the recordings."""
    while True:
        b = s.recv(4096)
        if not b:
            s.sendall(b"bye-server")
            return
        s.sendall(b"pong-server")


def as_server(name):
    ports = LinePorts()
    cap = load(name)
    target_socket = socket.create_server(("127.0.0.1", ports["TARGET"]))

    def targets():
        while True:
            try:
                s, _ = target_socket.accept()
            except OSError:
                return
            threading.Thread(target=lambda: target(s), daemon=True).start()

    threading.Thread(target=targets, daemon=True).start()
    host = Host(*[a.replace("127.0.0.2", "127.0.0.1") for a in ports.args(cap.side("server"))])
    wait_ready(host, ports["SERVER"])

    def same(i, want, s):
        newer = 0 if ACCEL in want or CHUNKED not in want else len(ACCEL)
        got, why = recv_upto(s, len(want) + newer)
        if newer:  # the older build has one field less
            got = got.replace(ACCEL, b"")
        compare(known(want), set(), known(got), "record %d: %s" % (i, why))
        return want

    try:
        Player(
            ">", ports, lambda n: socket.create_connection(("127.0.0.1", ports["SERVER"])), same
        ).play([e for e in cap.events if e != ["=", "rst client"]])
    finally:
        target_socket.close()
    return host.stop() == 0 or host.text()


def as_client(name):
    ports = LinePorts()
    cap = load(name)
    listener = socket.create_server(("127.0.0.1", ports["SERVER"]))
    listener.settimeout(10)
    host = Host(*ports.args(cap.side("client")), workers=1)
    wait_ready(host, ports["CLIENT"])
    app = socket.create_connection(("127.0.0.1", ports["CLIENT"]), 10)
    app.sendall(b"ping-client")
    got = []

    def read():
        app.settimeout(10)
        got.append(recv_exact(app, len(b"pong-server")))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        Player("<", ports, lambda n: listener.accept()[0]).play(cap.events)
        reader.join(10)
    finally:
        app.close()
        listener.close()
    return got == [b"pong-server"] and host.stop() == 0 or (got, host.text())


# ---- a client that is a script -----------------------------------------------------------------


def ask(port, method, path, body=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    c.request(method, path, body)
    r = c.getresponse()
    answer = r.status, r.read()
    c.close()
    return answer


def push(port, token, data):
    return ask(port, "POST", "/push?token=" + token, base64.b64encode(data) + b"\n")


class Pull:
    """One that stays open."""

    def __init__(self, port, token):
        self.c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.c.request("GET", "/pull?token=" + token)
        self.r = self.c.getresponse()
        self.beats = 0

    def read(self, n):
        got = b""
        while len(got) < n:
            line = self.r.readline()
            if not line:
                return got
            self.beats += line == b"\n"
            got += base64.b64decode(line)
        return got

    def close(self):
        self.c.close()


def server(workers, query=""):
    port = free_port()
    to = serve(echo)
    return (
        Host(
            *["-L", "forward+pht://127.0.0.1:%d/127.0.0.1:%d%s" % (port, to, query)],
            ports=[port],
            workers=workers
        ),
        port,
    )


def token(i):
    return "script%014d" % i


def one_script(port, i):
    """Every push on a connection of its own: they come to any worker."""
    pull = Pull(port, token(i))
    sent = b""
    for k in range(10):
        data = pattern(700 * k + 1, i + k)
        if push(port, token(i), data) != (200, b""):
            return "push %d" % k
        sent += data
    got = pull.read(len(sent))
    if got != sent:
        return "%d of %d bytes" % (len(got), len(sent))
    if push(port, token(i), b"")[0] != 200 or pull.r.read() != b"":
        return "the end"
    pull.close()
    if ask(port, "GET", "/pull?token=" + token(i)) != (200, b""):
        return "a pull after the end"
    if push(port, token(i), b"late") != (200, b""):
        return "a push after the end"
    return True


def scripts(workers):
    host, port = server(workers)
    results = {}
    threads = [
        threading.Thread(target=lambda i=i: results.update({i: one_script(port, i)}))
        for i in range(24)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    bad = {i: r for i, r in results.items() if r is not True}
    return len(results) == 24 and not bad and host.stop() == 0 or (bad, host.text()[-2000:])


def heartbeat():
    host, port = server(2, "?pht.heartbeat=200ms")
    pull = Pull(port, token(1))
    beat = pull.r.readline()
    if beat != b"\n":
        return beat
    push(port, token(1), b"x")
    return pull.read(1) == b"x" and host.stop() == 0


def too_many():
    host, port = server(1, "?pht.maxTunnels=3")
    pulls = [Pull(port, token(i)) for i in range(4)]
    status = [p.r.status for p in pulls]
    ask(port, "GET", "/authorize")
    push(port, token(0), b"")
    pulls[0].r.read()
    again = Pull(port, token(9))
    return status == [200, 200, 200, 429] and again.r.status == 200 or (status, again.r.status)


def lonely():
    """Nobody pulls: the tunnel ends, and with it what it holds."""
    host, port = server(2, "?pht.timeout=300ms")
    push(port, token(1), b"x")
    end = time.time() + 20
    while time.time() < end:
        if "nobody pulls" in host.text():
            return ask(port, "GET", "/pull?token=" + token(1)) == (200, b"")
        time.sleep(0.05)
    return host.text()


def cut_pull():
    host, port = server(2)
    pull = Pull(port, token(1))
    push(port, token(1), b"x")
    pull.read(1)
    pull.r.close()
    pull.c.sock and pull.c.sock.close()
    pull.close()
    return ask(port, "GET", "/pull?token=" + token(1)) == (200, b"")


def wrong_requests():
    host, port = server(2)
    cases = [
        (("GET", "/pull"), 400),
        (("GET", "/pull?token=a%20b"), 400),
        (("PUT", "/push?token=a"), 400),
        (("GET", "/push/x"), 404),
        (("POST", "/"), 404),
    ]
    for request, want in cases:
        status, _ = ask(port, *request)
        if status != want:
            return request, status
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as s:
        s.sendall(b"\x16\x03\x01\x02\0")  # TLS, and no end of a line for a long time
        if recv_exact(s, 12) != b"HTTP/1.1 400":
            return "TLS is not refused"
    return ask(port, "PUT", "/authorize")[1].startswith(b"token=") and host.stop() == 0


def dead_node():
    """The first node is gone: the error is the node's, and the next one is taken."""
    entry, back = free_port(), free_port()
    relay = Host("-L", "relay+pht://127.0.0.1:%d" % back, ports=[back])
    client = Host(
        *["-L", "http://127.0.0.1:%d?retries=3" % entry],
        *["-F", "relay+pht://127.0.0.1:%d,127.0.0.1:%d?maxFails=1" % (free_port(), back)],
        ports=[entry]
    )
    s = connect_via("http", entry, "127.0.0.1", serve(echo))
    s.sendall(b"hello")
    got = recv_exact(s, 5)
    s.close()
    return got == b"hello" and [h.stop() for h in (client, relay)] == [0, 0]


def no_server():
    entry = free_port()
    s = serve(lambda s: (s.recv(4096), s.sendall(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")))
    client = Host(
        *["-L", "socks5://127.0.0.1:%d" % entry, "-F", "relay+pht://127.0.0.1:%d" % s],
        ports=[entry]
    )
    try:
        connect_via("socks5", entry, "127.0.0.1", 9)
        return "it connected"
    except RuntimeError:
        pass
    client.stop()
    return "answered 503 to authorize" in client.text() or client.text()


WANTED = sys.argv[1:]
for name in SERVERS:
    if not WANTED or name in WANTED:
        tap.case("%s, against us as the server" % name, as_server, name)
for name in CLIENTS:
    if not WANTED or name in WANTED:
        tap.case("%s, against us as the client" % name, as_client, name)
if not WANTED:
    for workers in (1, 2, 4):
        tap.case("24 scripts with %d workers" % workers, scripts, workers)
    tap.case("heartbeats", heartbeat)
    tap.case("no more tunnels than allowed", too_many)
    tap.case("a tunnel without a pull ends", lonely)
    tap.case("a pull that its client cuts ends the tunnel", cut_pull)
    tap.case("requests that are wrong", wrong_requests)
    tap.case("a node that is gone", dead_node)
    tap.case("a server that refuses", no_server)
tap.done()
