#!/usr/bin/env python3
# test_tunnel.py - reverse tunnels with the host on both sides.
# SPDX-License-Identifier: MIT
# timeout: 300
"""Clients, visitors, who may reach what, and workers."""

import os
import re
import signal
import socket
import struct
import threading

from harness import PATIENCE, Tap, echo, must, pattern, recv_exact, serve, udp_echo
from sessions import talk
from tunnels import ID, OTHER, Both, connect, http, request, status_of

tap = Tap()
ECHO = serve(echo)
UDP_ECHO = udp_echo(lambda b: b"echo " + b)


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
    owner = must(
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
            mine = must(lambda: loop_of(b.server, b.port, s.getsockname()[1]))
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
        u.settimeout(PATIENCE)
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
    must(lambda: len(peers_of(b.port)) == 1)

    def lonely():
        status, s = status_of(b.port, uuid=ID)
        s.sendall(b"\0\4ping")
        return status == 0 and recv_exact(s, 11) == b"\0\x09echo ping"

    must(lonely)
    return b.stop()


def leaves_and_returns():
    b = Both()
    c = b.registered(ECHO)
    port = b.visitor()
    if not talk(port):
        return "no echo"
    c.stop()
    must(lambda: status_of(b.port, uuid=ID)[0] == 5)
    b.registered(ECHO)
    if not talk(port):
        return "no echo from the second client"
    b.server.proc.kill()
    b.server.proc.wait()
    b.start()
    must(lambda: status_of(b.port, uuid=ID)[0] == 0)
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

    must(lambda: asked(20) == {b"a", b"b"})
    alone = b.registered(names[2], query="tunnel.id=%s&tunnel.weight=255" % ID)
    must(lambda: asked(20) == {b"!"})
    alone.stop()
    must(lambda: asked(20) == {b"a", b"b"})
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


def drains():
    """A server that is to end waits for its visitors, not for its clients."""
    b = Both()
    b.server.stop()
    b.args = ["--drain", "200s"] + b.args
    b.start()
    b.registered(ECHO)
    status, s = status_of(b.port, uuid=ID)
    b.server.proc.send_signal(signal.SIGTERM)
    must(lambda: "waiting for" in b.server.text())
    s.sendall(b"ping")
    if status != 0 or recv_exact(s, 4) != b"ping":
        return "the visitor was cut off"
    s.close()
    return b.server.proc.wait(60) == 0 and b.stop()


def main():
    tap.case("twenty visitors at once", many)
    tap.case("twenty visitors at once, yamux", many, "&mux.type=yamux")
    tap.case("four workers: a visitor of another worker than the client's", crossing)
    tap.case("packets of several peers", packets)
    tap.case("clients of both networks", networks)
    tap.case("a client leaves and returns, and so does the server", leaves_and_returns)
    tap.case("weights", weights)
    tap.case("who may reach what", rights)
    tap.case("a host of another tunnel is not given", hijack)
    tap.case("the server ends with its last visitor", drains)
    tap.done()


main()
