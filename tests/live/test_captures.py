#!/usr/bin/env python3
# test_captures.py - recorded exchanges of GOST replayed against the host, as server and as client.
# SPDX-License-Identifier: MIT
# timeout: 600
"""As server: the host runs the server's command line, the test sends what the client sent and
compares the answers. As client: the host runs the client's command line, the test answers as the
server did and compares the requests. Both play the application and the target of the recording:
`ping-client`, `pong-server`, half-close, `bye-server`. Where the host differs on purpose, the
tables DIFFERENT, AS_OLDER and ABSENT say what is expected instead and why. Recordings that map
a name with `hosts=` are played with the name localhost: this version has no such object."""

import glob
import os
import re
import socket
import struct
import tempfile
import threading
import traceback

import harness
from capture import (
    BANNER,
    BYE,
    PING,
    PONG,
    Capture,
    Differs,
    Player,
    Ports,
    Targets,
    recv_upto,
    wait_ready,
)
from harness import PATIENCE, Host, Tap, socks5_open, socks_addr, wait_port

tap = Tap()
HERE = os.path.dirname(os.path.abspath(__file__))
PLUGINS = os.path.join(HERE, "..", "..", "plugins")


# ---- where we differ, and why ---------------------------------------------------------------


def after(index, *events):
    """The recording with these events behind the one at index."""
    return lambda all: all[: index + 1] + [list(e) for e in events] + all[index + 1 :]


def longer(limit, size):
    """Datagrams and frames that GOST cuts at limit arrive whole."""

    def edit(all):
        out = []
        for kind, data in all:
            head = data.rstrip(data[-1:]) if kind != "=" else data
            if len(data) - len(head) == limit:
                if head[:2] == struct.pack(">H", limit):
                    head = struct.pack(">H", size) + head[2:]
                data = head + data[-1:] * size
            out.append([kind, data])
        return out

    return edit


def without(old, new, *more):
    """The client's records with old replaced by new."""

    def edit(all):
        pairs = ((old, new),) + more
        out = []
        for kind, data in all:
            for a, b in pairs if kind == ">" else ():
                data = data.replace(a, b)
            out.append([kind, data])
        return out

    return edit


HALF = "GOST cuts off the answer after the client's half-close here; it arrives"
WHOLE = "datagrams are not cut at 4096 bytes"
KEPT = "bytes behind a SOCKS5 request are kept; GOST loses them"
OLDER = "the reply of UDP-TUN has the form of the older build, [::] and the port"

# (capture, side) -> (reason, the events expected here)
DIFFERENT = {
    ("unix/connect-unix", "server"): (HALF, after(3, ("<", BYE))),
    ("relay/head-connect-unix", "server"): (HALF, after(3, ("<", BYE))),
    ("socks5/head-socks5-raw-pipelined", "server"): (KEPT, after(2, ("<", PONG))),
    ("socks5/socks5-raw-payload-with-request", "server"): (KEPT, after(6, ("<", PONG))),
    ("forward/udp", "client"): (WHOLE, longer(4096, 5000)),
    ("forward/udp-no-keepalive", "client"): (WHOLE, longer(4096, 5000)),
    ("socks5/head-socks5-udp-tun", "client"): (WHOLE, longer(4096, 5000)),
    ("socks5/head-socks5-udp-tun-domain", "client"): (
        "a name is resolved at the far end of the chain, GOST resolves it here",
        without(bytes.fromhex("ff017f000001"), b"\xff\3\x09localhost"),
    ),
    ("http/origin-get-keepalive", "client"): (
        "upstream connections are not shared between clients: the second client gets its own",
        lambda all: all[:5] + [["=", "fin client"], ["=", "open 2"]] + all[5:],
    ),
    ("http/origin-get-no-agent", "client"): (
        "fields of one connection are not passed on, and compression is not there",
        without(
            b"Connection: keep-alive, x-a\r\nKeep-Alive: 5\r\nTe: trailers\r\n",
            b"",
            (b"X-A: 1\r\n", b""),
            (b"Accept-Encoding: gzip\r\n", b""),
        ),
    ),
    ("proxyproto/v2-dialer-mtcp", "server"): (
        "a relay request is read at once, not its first 4 bytes alone: the window update says so",
        lambda all: [
            [k, d.replace(b"\4\0\0\0\0\0\1\0", b"\16\0\0\0\0\0\1\0")] if k == "<" else [k, d]
            for k, d in all
        ],
    ),
    ("proxyproto/v2-dialer-mtcp", "client"): (
        "the client's half-close is held back for its answer: smux would end both directions",
        without(bytes.fromhex("0201000003000000"), b""),
    ),
    ("proxyproto/v2-udp-forward", "client"): (
        "a PROXY header is sent to TCP targets only",
        lambda all: [all[0], all[2], all[4]],
    ),
    ("socks5/socks5-udp-associate", "server"): (
        "fragments are dropped, and " + WHOLE,
        lambda all: longer(4086, 6000)(no_fragment(all)),
    ),
    ("socks5/socks5-udp-associate-malformed", "server"): (
        "fragments are dropped, malformed datagrams end nothing, and " + WHOLE,
        lambda all: longer(4086, 6000)(no_fragment(survives(all))),
    ),
}


def no_fragment(all):
    """The datagram with FRAG 1 gets no answer."""
    at = next(i for i, e in enumerate(all) if e[0] == ">" and e[1][:3] == b"\0\0\1")
    return all[: at + 1] + all[at + 2 :]


def survives(all):
    """A good datagram after a malformed one is answered."""
    at = max(i for i, e in enumerate(all) if e[0] == ">")
    return after(at, ["<", all[at][1][:10] + PONG])(all)


# Server side: the recording of the older build is played where it is the one we answer like.
AS_OLDER = {
    "socks5/head-socks5-udp-tun": OLDER,
    "socks5/head-socks5-udp-tun-domain": OLDER,
}

# Their bytes hold keys, masks, dates and random numbers, or pack header fields in another way: the
# plugins' own tests and test_pht.py play them.
RANDOM = ("h2", "ohttp", "otls", "pht", "ws")

# Two recordings of one exchange, a tunnel's client and its visitor, and ids that are anybody's
# choice: test_tunnel_captures.py plays them.
TUNNEL = ("tunnel",)

# (capture, side) -> what is not there. The host must say so and not start.
ABSENT = {}

# Binds: what arrives comes in frames of a session, or from peers that no recording has. Played by
# test_remote.py; the requests that are refused are played here, as the server.
BINDS = re.compile(r"(bind-rtcp|bind-rudp|mbind-rtcp|mbind-smux2|socks5-rtcp|socks5-rudp)")
REFUSED = re.compile(r"disabled|in-use")


def is_played_elsewhere(short, side):
    if side == "client":
        return bool(BINDS.search(short)) or short == "socks5-mbind-disabled"
    return bool(BINDS.search(short)) and not REFUSED.search(short) and "rudp" not in short


def refuses_to_start(cap, side, what):
    host = Host(*Ports().args(cap.side(side)))
    status = host.proc.wait(PATIENCE)
    text = host.text()
    if status == 1 and "no plugin offers the " + what in text:
        return True
    return "status %s\n%s" % (status, text)


# ---- the host as server ---------------------------------------------------------------------

NAMES = [
    (b"\0\x13\2\0\x10\3\x0cexample.test", b"\0\x10\2\0\x0d\3\x09localhost"),
    (b"\x0cexample.test", b"\x09localhost"),
    (b"example.test", b"localhost"),
    (b"cover.test", b"localhost"),
    (b"decoy.test", b"localhost"),
]


def known_names(words, events):
    """Recordings that map a name with `hosts=` use the name that every machine has instead."""
    out = []
    for w in words:
        at = w.find("hosts=")
        if at >= 0:
            w = w[:at].rstrip("?&")
            for e in events:
                for old, new in NAMES if e[0] != "=" else ():
                    e[1] = e[1].replace(old, new)
        out.append(w)
    return out


def bind_peer(ports):
    """Answers to BIND: the peer connects once the bound port is known, and plays the target."""

    def on_record(index, want, s):
        if index != 1 or len(want) != 20:
            return None
        first, _ = recv_upto(s, 10)
        if len(first) < 10:
            return first
        bound = socket.inet_ntoa(first[4:8]), struct.unpack(">H", first[8:])[0]
        p = socket.create_connection(bound, PATIENCE)

        def run():
            recv_upto(p, len(PING))
            p.sendall(PONG)
            recv_upto(p, 1)
            p.close()

        threading.Thread(target=run, daemon=True).start()
        return first + recv_upto(s, 10)[0]

    return on_record


def udp_peers(cap, ports):
    """Peers of a remote UDP port. Their ports are in the frames, so they are chosen beforehand."""
    recorded = []
    for kind, data in cap.events:
        for at in range(len(data) - 8) if kind == "<" else ():
            if data[at : at + 6] == b"\xff\1\x7f\0\0\1":
                port = struct.unpack(">H", data[at + 6 : at + 8])[0]
                recorded += [port] if port not in recorded else []
    peers = [ports.add(p) for p in recorded]

    def run():
        wait_port(ports["BOUND"], kind="udp")
        for port in peers:
            u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            u.bind(("127.0.0.1", port))
            u.settimeout(PATIENCE)
            for data in (PING, PING + b"-2"):
                u.sendto(data, ("127.0.0.2", ports["BOUND"]))
                u.recv(4096)

    threading.Thread(target=run, daemon=True).start()


def as_server(cap, events, short):
    ports = Ports()
    cwd = tempfile.mkdtemp(dir=harness.WORK)
    with open(os.path.join(cwd, "decoy.html"), "w") as f:
        f.write("<html><body>decoy page</body></html>\n")
    words = known_names(cap.side("server"), events)
    unix = any("+unix" in w for w in words)
    chain = "HOP1" in cap.head["ports"]
    if chain:
        words = [w.replace("127.0.0.2", "127.0.0.1") for w in words]
    if "rudp" in short:
        udp_peers(cap, ports)
    targets = Targets(ports, BANNER if "server-first" in short else b"", cwd)
    host = Host(*ports.args(words), cwd=cwd)
    entry = ports["HOP1_BEHIND" if chain else "SERVER"]
    try:
        if unix:
            wait_ready(host)
        else:
            wait_ready(host, ports["SERVER"])
            wait_ready(host, entry)
        player = None

        def connect(number):
            if number == "2" and "udp" in cap.head["carrier"]:
                u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                u.connect(("127.0.0.2", struct.unpack(">H", player.got[-2:])[0]))
                return u
            s = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
            at = "127.0.0.1" if chain else "127.0.0.2"
            s.connect(os.path.join(cwd, "s.sock") if unix else (at, entry))
            return s

        player = Player(">", ports, connect, bind_peer(ports) if "-bind" in short else None)
        player.play(events)
    except Differs as e:
        raise Differs("%s\n%s\n%s" % (e, " ".join(host.argv), host.text()[-1500:]))
    finally:
        targets.close()
        status = host.stop()
    return status == 0 or "status %s\n%s" % (status, host.text())


# ---- the host as client ---------------------------------------------------------------------


class App(threading.Thread):
    """The recorded application in front of the host; `got` is what it received."""

    def __init__(self, fn):
        super().__init__(daemon=True)
        self.fn = fn
        self.got = b""
        self.error = ""
        self.start()

    def run(self):
        try:
            self.got = self.fn()
        except Exception:
            self.error = traceback.format_exc()


def stream_app(where, payload, wait_banner, answer):
    def fn():
        s = socket.socket(
            socket.AF_UNIX
            if isinstance(where, str)
            else socket.AF_INET6 if ":" in where[0] else socket.AF_INET
        )
        s.settimeout(PATIENCE)
        s.connect(where)
        got = b""
        if wait_banner is not None:
            s.settimeout(wait_banner)
            try:
                got = s.recv(len(BANNER))
            except socket.timeout:
                pass
            s.settimeout(PATIENCE)
        try:
            s.sendall(payload)
            while answer not in got:
                b = s.recv(4096)
                if not b:
                    break
                got += b
            s.shutdown(socket.SHUT_WR)
            while True:
                b = s.recv(4096)
                if not b:
                    return got
                got += b
        except ConnectionError:
            return got

    return fn


def datagram_app(port, payloads, seconds):
    def fn():
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        u.settimeout(seconds)
        got = b""
        for data in payloads:
            u.sendto(data, ("127.0.0.1", port))
            try:
                got += u.recv(65535)
            except socket.timeout:
                return got
        return got

    return fn


def associate_app(port, target_port, payloads):
    def fn():
        s, rep, bound = socks5_open(port, 3, "0.0.0.0", 0)
        if rep:
            return b""
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        u.settimeout(PATIENCE)
        got = b""
        for host, data in payloads:
            u.sendto(b"\0\0\0" + socks_addr(host, target_port) + data, bound)
            got += u.recv(65535)[10:]
        s.close()
        return got

    return fn


def http_app(entry, target_port, short):
    """The requests that went through the forward proxy when its origin side was recorded."""
    at = b"127.0.0.1:%d" % target_port
    a = (
        b"GET http://%s/a?x=1 HTTP/1.1\r\nHost: %s\r\nUser-Agent: test/1\r\nAccept: */*\r\n"
        b"Proxy-Connection: Keep-Alive\r\nX-B: 2\r\nX-A: 1\r\n\r\n" % (at, at)
    )
    b = b"GET http://%s/b HTTP/1.1\r\nHost: %s\r\nUser-Agent: test/1\r\n\r\n" % (at, at)
    lists = {
        "origin-get-default": [[a], [b]],
        "origin-get-keepalive": [[a, b], [b]],
        "origin-get-no-agent": [
            [
                b"GET http://%s/a HTTP/1.1\r\nHost: %s\r\n"
                b"Connection: keep-alive, x-a\r\nKeep-Alive: 5\r\nTe: trailers\r\n"
                b"Via: 1.1 x\r\nX-A: 1\r\n"
                b"X-Forwarded-For: 1.2.3.4\r\n\r\n" % (at, at)
            ]
        ],
        "origin-post-chunked": [
            [
                b"POST http://%s/p HTTP/1.1\r\nHost: %s\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n"
                b"b\r\nping-client\r\n0\r\n\r\n" % (at, at)
            ]
        ],
    }

    def fn():
        got = b""
        for requests in lists[short]:
            s = socket.create_connection(entry, PATIENCE)
            for r in requests:
                s.sendall(r)
                while not got.endswith(PONG) or got.count(PONG) == 0:
                    x = s.recv(4096)
                    if not x:
                        break
                    got += x
                got += b" "
            s.close()
        return got.replace(b" ", b"")

    return fn


def uncovered(hello):
    """The ClientHello as it was before the connector put another name and extension fffe in."""
    at = 5 + 4 + 34
    at += 1 + hello[at]
    at += 2 + struct.unpack(">H", hello[at : at + 2])[0]
    at += 1 + hello[at]
    start, out = at + 2, b""
    at = start
    while at < len(hello):
        kind, size = struct.unpack(">HH", hello[at : at + 4])
        body = hello[at + 4 : at + 4 + size]
        if kind == 0:
            name = b"example.test"
            body = struct.pack(">HBH", len(name) + 3, 0, len(name)) + name
        if kind != 0xFFFE:
            out += struct.pack(">HH", kind, len(body)) + body
        at += 4 + size
    fixed = hello[9 : start - 2] + struct.pack(">H", len(out)) + out
    message = b"\1" + struct.pack(">I", len(fixed))[1:] + fixed
    return hello[:3] + struct.pack(">H", len(message)) + message


def sni_payload(short, events):
    if short == "sni-tls":
        return events[1][1]
    if short == "sni-tls-host":
        return uncovered(events[1][1])
    return b"GET / HTTP/1.1\r\nHost: example.test:18080\r\nUser-Agent: t\r\n\r\n"


def datagrams(short):
    if "socks5-udp-tun" in short and "domain" not in short:
        return [PING, b"p" * 3000, b"q" * 5000, b"ping-2"]
    if short == "udp" or short.startswith("udp-no-keepalive"):
        return None
    return [PING, PING + b"-2"]


def app_for(cap, ports, short, folder, events, cwd):
    listen = cap.side("client")[1]
    records = b"".join(d for k, d in events if k == "<")
    if folder == "http" and short.startswith("origin"):
        return http_app(("127.0.0.2", ports["SERVER"]), ports["TARGET"], short)
    if listen.startswith("unix:"):
        return stream_app(os.path.join(cwd, "c.sock"), PING, None, PONG)
    if listen.startswith("socks5:"):
        three = [("localhost", b"ping-domain")] if folder == "http" else []
        two = [("127.0.0.1", PING), ("127.0.0.1", PING + b"-2")]
        return associate_app(ports["CLIENT"], ports["TARGET"], two + three)
    if listen.startswith("udp:"):
        payloads = datagrams(short)
        if payloads is None:
            payloads = {
                "forward": [PING, PING + b"-2", b"z" * 5000],
                "relay": [PING, b"p" * 3000, b"ping-2"],
                "http": [PING, PING + b"-2"],
            }[folder]
        if folder == "proxyproto":
            payloads = [PING]
        answered = re.search(PONG + b"|B{100,}", records)
        return datagram_app(ports["CLIENT"], payloads, PATIENCE if answered else 1)
    payload = sni_payload(short, events) if folder == "sni" else PING
    banner = None if "server-first" not in short else 0.3 if "off" in short else 10
    answer = PONG if PONG in records else b"\0never"
    if folder == "sni":  # the recorded client half-closed after the first line
        answer = next((d for k, d in events if k == "<"), answer)[:15]
    at = "::1" if "[::1]:CLIENT" in listen else "127.0.0.1"
    return stream_app((at, ports["CLIENT"]), payload, banner, answer)


def as_client(cap, events, short, folder):
    behind = cap.side("server") is None and folder in ("forward", "proxyproto", "http")
    ports = Ports(keep=() if behind else ("TARGET", "HOP1_BEHIND"))
    chain = "HOP1" in cap.head["ports"]
    if chain:  # the second hop's port is only text inside the first
        ports.map[18002] = 18002
    cwd = tempfile.mkdtemp(dir=harness.WORK)
    words = cap.side("client")
    unix_front, unix_back = words[1].startswith("unix:"), any("+unix" in w for w in words)
    udp = cap.head["carrier"] == "udp"
    place = ("127.0.0.1", ports["TARGET" if behind else "HOP1" if chain else "SERVER"])
    listener = socket.socket(
        socket.AF_UNIX if unix_back else socket.AF_INET,
        socket.SOCK_DGRAM if udp else socket.SOCK_STREAM,
    )
    if not unix_back:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(os.path.join(cwd, "s.sock") if unix_back else place)
    if not udp:
        listener.listen(16)
        listener.settimeout(PATIENCE)
    host = Host(*ports.args(words), cwd=cwd)
    app = None
    try:
        if unix_front:
            wait_ready(host)
        elif folder == "http" and short.startswith("origin"):
            wait_ready(host, ports["SERVER"])
        else:
            wait_ready(host, ports["CLIENT"], "udp" if words[1].startswith("udp:") else "tcp")
        app = App(app_for(cap, ports, short, folder, events, cwd))

        def connect(number):
            return Datagrams(listener) if udp else listener.accept()[0]

        player = Player("<", ports, connect)
        player.play(events)
        app.join(PATIENCE)
    except (Differs, OSError) as e:
        raise Differs(
            "%s\n%s\n%s\n%s"
            % (e, " ".join(host.argv), app.error if app else "", host.text()[-1500:])
        )
    finally:
        listener.close()
        status = host.stop()
    sent = b"".join(d for k, d in events if k == "<")
    want = b"".join(re.findall(BANNER + b"|" + PONG + b"|" + BYE + b"|B{100,}", sent))
    got = b"".join(re.findall(BANNER + b"|" + PONG + b"|" + BYE + b"|B{100,}", app.got))
    if app.error or got != want:
        return "the application got %r\nnot %r\n%s" % (app.got[:300], want[:300], app.error)
    return status == 0 or "status %s\n%s" % (status, host.text())


class Datagrams:
    """A UDP socket as Player wants it: one peer per recorded connection."""

    type = socket.SOCK_DGRAM

    def __init__(self, sock):
        self.sock = sock
        self.peer = None

    def settimeout(self, n):
        self.sock.settimeout(n)

    def recv(self, n):
        data, self.peer = self.sock.recvfrom(n)
        return data

    def sendall(self, data):
        self.sock.sendto(data, self.peer)

    def close(self):
        pass


# ---- all of them ----------------------------------------------------------------------------


def play(cap, side, short, folder):
    name = "%s/%s as %s" % (folder, short, side)
    events = [list(e) for e in cap.events]
    if (folder + "/" + short, side) in ABSENT:
        what = ABSENT[folder + "/" + short, side]
        return tap.case(name + " (absent: %s)" % what, refuses_to_start, cap, side, what)
    if side == "server" and folder + "/" + short in AS_OLDER:
        name += " (differs: %s)" % AS_OLDER[folder + "/" + short]
        cap = Capture(cap.path.replace("head-", ""))
        events = longer(4096, 5000)(cap.events)
    if (folder + "/" + short, side) in DIFFERENT:
        reason, edit = DIFFERENT[folder + "/" + short, side]
        events = edit(events)
        name += " (differs: %s)" % reason
    try:
        if side == "server":
            r = as_server(cap, events, short)
        else:
            r = as_client(cap, events, short, folder)
        tap.ok(r is True, name, r)
    except Differs as e:
        tap.ok(False, name, e)
    except Exception:
        tap.ok(False, name, traceback.format_exc())


def main():
    paths = sorted(glob.glob(os.path.join(PLUGINS, "*", "captures", "*.txt")))
    paths += sorted(glob.glob(os.path.join(HERE, "captures", "*.txt")))
    wanted = os.environ.get("CAPTURE", "")
    for path in paths:
        short = os.path.basename(path)[:-4]
        folder = os.path.basename(os.path.dirname(os.path.dirname(path)))
        newer = os.path.join(os.path.dirname(path), "head-" + short + ".txt")
        twice = short.startswith("connector-") and os.path.exists(path.replace("connector-", ""))
        if os.path.exists(newer) or twice or wanted not in folder + "/" + short:
            continue
        if folder in RANDOM + TUNNEL:
            continue
        cap = Capture(path)
        for side in ("server", "client"):
            if cap.side(side) is not None and not is_played_elsewhere(short, side):
                play(cap, side, short, "chain" if "HOP1" in cap.head["ports"] else folder)
    tap.done()


main()
