#!/usr/bin/env python3
# test_mux.py - sessions of many streams: every size, many streams, deaths, stalls, reloads.
# SPDX-License-Identifier: MIT
# timeout: 600
import os
import signal
import socket
import threading
import time

from harness import (
    Host,
    KEPT_KIB,
    Tap,
    PATIENCE,
    WORK,
    ask,
    connect_via,
    free_port,
    pattern,
    read_all,
    recv_exact,
    serve,
    udp_echo,
    until,
)
from streams import Targets, at_once, down, echoed, up

tap = Tap()
TARGETS = Targets()
ECHO = TARGETS.echo
GIVE = TARGETS.give


def answer_slowly(s):
    """Reads 10 bytes, then answers in pieces without looking at the other direction."""
    recv_exact(s, 10)
    for i in range(8):
        time.sleep(0.1)
        s.sendall(pattern(500000, i))


SLOW = serve(answer_slowly)


def sessions(port):
    """The local ports of established connections to a port here: one each is one session."""
    found = set()
    with open("/proc/net/tcp") as f:
        for line in f.readlines()[1:]:
            _, local, remote, state = line.split()[:4]
            if state == "01" and int(remote.split(":")[1], 16) == port:
                found.add(int(local.split(":")[1], 16))
    return found


def round_trip(port, data, timeout=PATIENCE):
    return echoed(port, ECHO, data, timeout) is True


class Pair:
    """An entry, and a server for each hop of its chain."""

    def __init__(self, hops, workers=1, extra="", server_extra=""):
        self.hops = hops
        self.ports = [free_port() for _ in hops]
        self.entry = free_port()
        self.server_extra = server_extra
        self.workers = workers
        self.servers = [self.server(i) for i in range(len(hops))]
        args = ["-L", "socks5://127.0.0.1:%d" % self.entry]
        for scheme, port in zip(hops, self.ports):
            args += ["-F", "%s://127.0.0.1:%d%s" % (scheme, port, extra)]
        self.client = Host("-D", *args, ports=[self.entry], workers=workers)

    def server(self, i):
        url = "%s://127.0.0.1:%d%s" % (self.hops[i], self.ports[i], self.server_extra)
        return Host("-L", url, ports=[self.ports[i]], workers=self.workers)

    def stop(self):
        ends = [self.client.stop()] + [s.stop() for s in self.servers]
        return ends == [0] * len(ends) or "ended with %s\n%s" % (ends, self.client.text())


# ---- bytes ----------------------------------------------------------------------------------


def sizes(p, name):
    for size in (1, 65536, 4 << 20):
        tap.case(
            "%d bytes there and back over %s" % (size, name), round_trip, p.entry, pattern(size)
        )


def fifty(p, name):
    one = lambda i: round_trip(p.entry, pattern(100000, i))
    tap.case("50 streams at once over " + name, at_once, 50, one)


def few_sessions(p):
    n = len(sessions(p.ports[0]))
    return 1 <= n <= p.workers or "%d sessions of %d workers" % (n, p.workers)


def half_close(p):
    """The answer comes although our direction has ended: its end is held back."""
    s = connect_via("socks5", p.entry, "127.0.0.1", SLOW)
    s.sendall(b"0123456789")
    s.shutdown(socket.SHUT_WR)
    want = b"".join(pattern(500000, i) for i in range(8))
    got = read_all(s)
    return got == want or "%d of %d bytes" % (len(got), len(want))


def end_arrives(p):
    """A target that ends is seen to end at once, and so is the whole stream."""
    s = connect_via("socks5", p.entry, "127.0.0.1", GIVE)
    s.settimeout(9)  # a stream whose own end is awaited takes 10 s
    s.sendall((1000).to_bytes(8, "big"))
    return len(read_all(s)) == 1000


def datagrams(p, extra=""):
    """A UDP port forward through a session of its own entry."""
    port, target = free_port(), udp_echo(lambda b: b + b"!")
    url = "%s://127.0.0.1:%d%s" % (p.hops[0], p.ports[0], extra)
    h = Host("-L", "udp://127.0.0.1:%d/127.0.0.1:%d" % (port, target), "-F", url, udp=[port])
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    good = ask(s, ("127.0.0.1", port), b"hello", set()) == b"hello!"
    return good and h.stop() == 0 or h.text()


def bytes_tests():
    for workers in (1, 2, 4):
        for hops in (
            ["relay+mtls"],
            ["socks5+mtcp"],
            ["http+mtls"],
            ["relay+mtls", "socks5+mtcp"],
        ):
            name = "%s, %d workers" % (" and ".join(hops), workers)
            p = Pair(hops, workers)
            sizes(p, name)
            fifty(p, name)
            tap.case("they share a session per worker over " + name, few_sessions, p)
            tap.case("half-close over " + name, half_close, p)
            tap.case("a target's end over " + name, end_arrives, p)
            if workers == 2 and len(hops) == 2 or hops == ["socks5+mtcp"]:
                tap.case("100 MB up over " + name, up, p.entry, TARGETS.take, 100 << 20)
                tap.case("100 MB down over " + name, down, p.entry, GIVE, 100 << 20)
            tap.case("all end well: " + name, p.stop)
    p = Pair(["relay+tcp+smux"])
    sizes(p, "a stack of the user's own")
    tap.case("datagrams", datagrams, p)
    tap.case("they end well", p.stop)
    p = Pair(["relay+mtcp"], extra="?mux.version=1", server_extra="?mux.version=1")
    sizes(p, "mtcp of version 1")
    tap.case("they end well", p.stop)


def yamux_tests():
    extra = "?mux.type=yamux"
    for hops in (["relay+mtcp"], ["socks5+mtls"], ["http+mws"], ["relay+mwss", "relay+mtcp"]):
        name = "%s with yamux" % " and ".join(hops)
        p = Pair(hops, 2, extra, extra)
        sizes(p, name)
        fifty(p, name)
        tap.case("they share a session per worker over " + name, few_sessions, p)
        tap.case("half-close over " + name, half_close, p)
        tap.case("a target's end over " + name, end_arrives, p)
        if hops == ["relay+mtcp"]:
            tap.case("100 MB up over " + name, up, p.entry, TARGETS.take, 100 << 20)
            tap.case("100 MB down over " + name, down, p.entry, GIVE, 100 << 20)
            tap.case("datagrams over " + name, datagrams, p, extra)
        tap.case("all end well: " + name, p.stop)
    p = Pair(["relay+tcp+yamux"])
    sizes(p, "yamux in a stack of the user's own")
    tap.case("they end well", p.stop)


# ---- deaths ---------------------------------------------------------------------------------


def killed(hops):
    p = Pair(hops)
    begun = time.time()
    assert round_trip(p.entry, b"before")
    before = time.time() - begun
    p.servers[0].proc.kill()
    p.servers[0].proc.wait()
    try:
        round_trip(p.entry, b"without a server", 5)
        return "a request succeeded without a server"
    except (OSError, RuntimeError):
        pass
    p.servers[0] = p.server(0)
    begun = time.time()
    good = round_trip(p.entry, b"after")
    took = time.time() - begun
    # at once, which on a slow machine takes as long as it took before
    return (good and took < 2 + 20 * before and p.stop()) or "after %.1f s\n%s" % (
        took,
        p.client.text(),
    )


def stopped():
    """The session of a stopped server is replaced once it was silent for too long, and what was
    asked meanwhile is answered when the server goes on, or ended by the keep-alive."""
    p = Pair(
        ["socks5+mtcp"],
        extra="?carrier.checkAfter=500ms&mux.keepaliveInterval=1s&mux.keepaliveTimeout=15s",
        server_extra="?mux.keepaliveInterval=1s",
    )
    assert round_trip(p.entry, b"before")
    first = sessions(p.ports[0])
    p.servers[0].proc.send_signal(signal.SIGSTOP)
    try:
        time.sleep(2)
        result = []
        t = threading.Thread(target=lambda: result.append(round_trip(p.entry, b"during")))
        t.start()
        replaced = until(lambda: sessions(p.ports[0]) - first)
    finally:
        p.servers[0].proc.send_signal(signal.SIGCONT)
    t.join()
    if not replaced or result != [True]:
        return "replaced: %s, answered: %s\n%s" % (bool(replaced), result, p.client.text())
    p.servers[0].proc.send_signal(signal.SIGSTOP)
    try:
        try:
            round_trip(p.entry, b"never answered")
            return "a stopped server answered"
        except socket.timeout:
            return "the client was not told"
        except (OSError, RuntimeError):
            pass
    finally:
        p.servers[0].proc.send_signal(signal.SIGCONT)
    return round_trip(p.entry, b"afterwards") and p.stop()


class Cutter:
    """Passes connections on; ends those of them to which the client says something more, so many
    times as it is told to."""

    def __init__(self, port):
        self.cuts = 0
        self.to = port
        self.port = serve(self.one)

    def one(self, s):
        up = socket.create_connection(("127.0.0.1", self.to))
        threading.Thread(target=self.back, args=(up, s), daemon=True).start()
        while True:
            b = s.recv(65536)
            if self.cuts and b:
                self.cuts -= 1
                up.close()
                s.close()
                return
            if not b:
                up.shutdown(socket.SHUT_WR)
                return
            up.sendall(b)

    def back(self, up, s):
        try:
            while True:
                b = up.recv(65536)
                if not b:
                    break
                s.sendall(b)
        except OSError:
            pass


def sent_again(cuts):
    """A session dies when a request is sent on it: the request goes out once more on a new one."""
    server_port, entry = free_port(), free_port()
    server = Host("-L", "socks5+mtcp://127.0.0.1:%d" % server_port, ports=[server_port])
    cutter = Cutter(server_port)
    h = Host(
        "-D",
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        "socks5+mtcp://127.0.0.1:%d" % cutter.port,
        ports=[entry],
        workers=1,
    )
    assert round_trip(entry, b"first")
    cutter.cuts = cuts
    try:
        good = round_trip(entry, b"second")
    except RuntimeError:
        good = False
    left = cutter.cuts
    cutter.cuts = 0
    after = round_trip(entry, b"third")
    ended = (h.stop(), server.stop()) == (0, 0)
    return good == (cuts == 1) and left == 0 and after and ended or h.text()


def silent_peer():
    """A peer that takes connections and never says anything: ended by the keep-alive."""
    quiet = socket.socket()
    quiet.bind(("127.0.0.1", 0))
    quiet.listen(16)
    entry = free_port()
    url = "relay+mtcp://127.0.0.1:%d?mux.keepaliveInterval=300ms&mux.keepaliveTimeout=600ms"
    h = Host(
        "-L", "socks5://127.0.0.1:%d" % entry, "-F", url % quiet.getsockname()[1], ports=[entry]
    )
    s = connect_via("socks5", entry, "127.0.0.1", ECHO)
    s.sendall(b"hello")
    try:
        ended = s.recv(1) == b""
    except ConnectionResetError:
        ended = True
    return ended and h.stop() == 0


def idle_session_ends():
    p = Pair(["relay+mtcp"], extra="?carrier.idle=300ms")
    s = connect_via("socks5", p.entry, "127.0.0.1", ECHO)
    s.sendall(b"1")
    recv_exact(s, 1)
    time.sleep(1)
    if len(sessions(p.ports[0])) != 1:
        return "it ended under its stream"
    s.sendall(b"2")
    recv_exact(s, 1)
    s.close()
    # The stream itself ends 10 s after its client's end: smux has no half-close.
    gone = until(lambda: not sessions(p.ports[0]))
    return gone and p.stop() or p.client.text()


def limited_streams():
    p = Pair(["relay+mtcp"], extra="?carrier.maxStreams=2")
    socks = [connect_via("socks5", p.entry, "127.0.0.1", ECHO) for _ in range(7)]
    for i, s in enumerate(socks):
        s.sendall(b"%d" % i)
        if recv_exact(s, 1) != b"%d" % i:
            return "stream %d" % i
    n = len(sessions(p.ports[0]))
    for s in socks:
        s.close()
    return n == 4 and p.stop() or "%d sessions for 7 streams, 2 each" % n


def limited_bytes():
    p = Pair(["relay+mtcp"], extra="?carrier.maxBytes=100KB")
    round_trip(p.entry, b"a")
    one = sessions(p.ports[0])
    round_trip(p.entry, pattern(200000))
    same = sessions(p.ports[0])
    round_trip(p.entry, b"b")
    return one == same and len(sessions(p.ports[0]) - one) == 1 and p.stop()


# ---- stalls ---------------------------------------------------------------------------------


def fetch_seconds(p, size):
    s = connect_via("socks5", p.entry, "127.0.0.1", GIVE)
    begun = time.time()
    s.sendall(size.to_bytes(8, "big"))
    n = 0
    while n < size:
        b = s.recv(1 << 20)
        if not b:
            raise RuntimeError("ended after %d bytes" % n)
        n += len(b)
    return time.time() - begun


def stuck_reader(p):
    """A stream whose reader never reads does not hold up the one beside it."""
    alone = min(fetch_seconds(p, 20 << 20) for _ in range(3))
    stuck = connect_via("socks5", p.entry, "127.0.0.1", GIVE)
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.sendall((1 << 30).to_bytes(8, "big"))
    time.sleep(1)
    before = p.client.rss_kib() + sum(s.rss_kib() for s in p.servers)
    beside = []

    def fast():
        beside.append(fetch_seconds(p, 20 << 20))
        return min(beside) < 10 * alone + 1

    good = until(fast)  # what else runs here may hold up some of them
    after = p.client.rss_kib() + sum(s.rss_kib() for s in p.servers)
    stuck.close()
    if len(sessions(p.ports[0])) != 1:
        return "they were on different sessions"
    if after - before > 16384 + (1 + len(p.servers)) * KEPT_KIB:
        return "the stuck stream grew by %d KiB" % (after - before)
    return good or "alone %.3f s, beside a stuck one %.3f s" % (alone, min(beside))


def stuck_session():
    """Version 1 has no windows: a stuck stream holds up its session, and new ones get another."""
    p = Pair(
        ["relay+mtcp"],
        extra="?mux.version=1&carrier.checkAfter=500ms",
        server_extra="?mux.version=1",
    )
    stuck = connect_via("socks5", p.entry, "127.0.0.1", GIVE)
    stuck.sendall((1 << 30).to_bytes(8, "big"))
    first = sessions(p.ports[0])
    time.sleep(2)  # more than checkAfter

    def other():
        # as long as the session is not stuck yet, it serves this one, too
        return round_trip(p.entry, pattern(100000), 10) and sessions(p.ports[0]) - first

    other = until(other)
    stuck.close()
    return bool(other) and len(other) == 1 and p.stop() or "%s are the other sessions" % other


def stuck_tests():
    tap.case("a stream that nobody reads, in a session without windows", stuck_session)
    p = Pair(["relay+mtcp"])
    tap.case("a stream beside one whose reader is stuck", stuck_reader, p)
    p.client.proc.kill()
    p.servers[0].proc.kill()


# ---- reload ---------------------------------------------------------------------------------

CONFIG = """
services:
- name: entry
  addr: 127.0.0.1:%(entry)d
  handler: {type: socks5, chain: c}
  listener: {type: tcp}
- name: other
  addr: 127.0.0.1:%(other)d
  handler: {type: socks5, chain: c%(change)s}
  listener: {type: tcp}
chains:
- name: c
  hops:
  - name: h
    nodes:
    - name: n
      addr: 127.0.0.1:%(server)d
      connector: {type: relay}
      dialer: {type: mtcp, metadata: {mux.maxFrameSize: %(frame)d}}
"""


def reload_keeps():
    ports = {k: free_port() for k in ("entry", "other", "server")}
    path = os.path.join(WORK, "mux.yml")

    def write(change, frame):
        with open(path, "w") as f:
            f.write(CONFIG % dict(ports, change=change, frame=frame))

    server = Host("-L", "relay+mtcp://127.0.0.1:%d" % ports["server"], ports=[ports["server"]])
    write("", 1000)
    h = Host("-D", "-C", path, ports=[ports["entry"], ports["other"]], workers=1)

    def reload():
        n = h.text().count("config reloaded")
        h.proc.send_signal(signal.SIGHUP)
        return until(lambda: h.text().count("config reloaded") > n)

    live = connect_via("socks5", ports["entry"], "127.0.0.1", ECHO)
    live.sendall(b"a")
    recv_exact(live, 1)
    first = sessions(ports["server"])
    write(", metadata: {notls: true}", 1000)
    if not reload() or not round_trip(ports["other"], b"b") or sessions(ports["server"]) != first:
        return "an unchanged node got another session\n" + h.text()
    write(", metadata: {notls: true}", 2000)
    if not reload() or not round_trip(ports["other"], b"c"):
        return "no answer after the second reload\n" + h.text()
    if len(sessions(ports["server"]) - first) != 1 or not first <= sessions(ports["server"]):
        return "a changed node did not get another session beside the old one"
    live.sendall(b"d")
    if recv_exact(live, 1) != b"d":
        return "the live stream was cut"
    live.close()
    if not until(lambda: not first & sessions(ports["server"])):
        return "the old session did not end after its last stream"
    return h.stop() == 0 and server.stop() == 0


# ---- wrong configurations -------------------------------------------------------------------


def refused(url, words):
    h = Host("-L", url)
    status = h.proc.wait(PATIENCE)
    return status != 0 and words in h.text() or "%s\n%s" % (status, h.text())


def mismatch(extra, server_extra, words):
    """Both sides must be told the same; the server says what differs."""
    p = Pair(["relay+mtcp"], extra=extra, server_extra=server_extra)
    s = connect_via("socks5", p.entry, "127.0.0.1", ECHO)
    s.sendall(b"x")
    try:
        ended = s.recv(1) == b""
    except ConnectionResetError:
        ended = True
    said = p.servers[0].says(words)
    return ended and said and p.stop() or p.servers[0].text()


bytes_tests()
yamux_tests()
tap.case("a server killed and started again", killed, ["relay+mtls"])
tap.case("the same with socks5+mtcp", killed, ["socks5+mtcp"])
tap.case("a stopped server", stopped)
tap.case("a request whose session dies under it is sent again", sent_again, 1)
tap.case("but only once", sent_again, 2)
tap.case("a peer that never says anything", silent_peer)
tap.case("an idle session ends, one in use does not", idle_session_ends)
tap.case("carrier.maxStreams", limited_streams)
tap.case("carrier.maxBytes", limited_bytes)
stuck_tests()
tap.case("a reload keeps sessions of unchanged nodes and drains others", reload_keeps)
tap.case("version 3 is refused", refused, "relay+mtcp://127.0.0.1:1?mux.version=3", "mux.version")
tap.case("h2mux is refused", refused, "relay+mtcp://127.0.0.1:1?mux.type=h2mux", "mux.type")
tap.case(
    "yamux with a window below the first one is refused",
    refused,
    "relay+mtcp://127.0.0.1:1?mux.type=yamux&mux.maxStreamWindow=1000",
    "mux.maxStreamWindow",
)
tap.case(
    "a timeout below the interval is refused",
    refused,
    "relay+mtcp://127.0.0.1:1?mux.keepaliveInterval=60s",
    "mux.keepaliveTimeout",
)
V1, YAMUX = "?mux.version=1", "?mux.type=yamux"
tap.case(
    "versions that differ are named by the server", mismatch, V1, "", "is no smux of version 2"
)
tap.case("so is smux at a server of yamux", mismatch, "", YAMUX, "mux.type must be the same")
tap.case("so is yamux at a server of smux", mismatch, YAMUX, "", "mux.type and mux.version")
tap.done()
