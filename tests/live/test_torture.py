#!/usr/bin/env python3
# test_torture.py - sessions whose far side is killed, stopped, cut off or stuck, again and again.
# SPDX-License-Identifier: MIT
# timeout: 300
"""One test for all session layers. Whatever happened to the path: once it is back, the next request
succeeds within 2 s, nothing leaks, and no request reaches its target twice.

Without arguments one round. --rounds N makes N; names of layers select them. Paths are cut in a
network namespace of the test's own."""

import os
import subprocess
import sys

IN_NAMESPACE = "GOST_TEST_NAMESPACE" in os.environ
for flags in () if IN_NAMESPACE else ("-rn", "-n"):  # in a chroot root has only the second
    try:
        able = subprocess.run(["unshare", flags, "true"], capture_output=True).returncode == 0
    except OSError:
        break
    if able:
        os.environ["GOST_TEST_NAMESPACE"] = "1"
        os.execvp("unshare", ["unshare", flags, sys.executable, "-B"] + sys.argv)

import collections
import hashlib
import random
import signal
import socket
import statistics
import struct
import threading
import time

from harness import Host, Tap, connect_via, free_port, pattern, recv_exact, run, serve
from streams import Targets, at_once

SANITIZED = bool(os.environ.get("GOST_SANITIZERS"))  # their memory keeps what was freed
WITHIN = 2.0  # s: until a request is through, from the moment the path is back
TRIES = 3  # a machine with other work may be late now and then; what is late each time is a defect
# Of each layer: the query that gives it windows, without which one stuck stream stops all.
LAYERS = {
    "mtcp": "",
    "mtls": "?mux.version=2",
    "mws": "?mux.version=2",
    "h2": "",
    "grpc": "",
    "quic": "",
    "kcp": "?kcp.smuxver=2",
}
ROUNDS = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else 1
CHOSEN = [name for name in LAYERS if name in sys.argv] or list(LAYERS)
tap = Tap()
TARGETS = Targets()


# ---- requests that are counted --------------------------------------------------------------

seen = collections.Counter()
_last = 0
_lock = threading.Lock()


def answer_counted(s):
    """An id, two lengths and so many bytes come; their digest and so many bytes go back."""
    ident, n, want = struct.unpack(">QII", recv_exact(s, 16))
    with _lock:
        seen[ident] += 1
    digest = hashlib.sha256(recv_exact(s, n)).digest()
    s.sendall(digest + pattern(want, 5))


def swallow_counted(s):
    """An id comes, and nothing goes back until the client ends."""
    ident = struct.unpack(">Q", recv_exact(s, 8))[0]
    with _lock:
        seen[ident] += 1
    s.recv(1)


def patiently(fn):
    """Clients that are cut off are no news."""

    def target(s):
        try:
            fn(s)
        except RuntimeError:
            pass

    return target


COUNTED, SWALLOWED = serve(patiently(answer_counted)), serve(patiently(swallow_counted))


def new_id():
    global _last
    with _lock:
        _last += 1
        return _last


def ask(entry, n, want, seconds):
    """One request. True, or an exception."""
    data = pattern(n, 3)
    s = connect_via("socks5", entry, "127.0.0.1", COUNTED, seconds)
    try:
        s.sendall(struct.pack(">QII", new_id(), n, want) + data)
        got = recv_exact(s, 32 + want)
    finally:
        s.close()
    if got != hashlib.sha256(data).digest() + pattern(want, 5):
        raise RuntimeError("other bytes came back")
    return True


# ---- the path -------------------------------------------------------------------------------


def nft(*words):
    r = run(["nft", " ".join(words)])
    if r.returncode:
        raise RuntimeError("nft: " + r.stderr.decode())


def can_cut():
    """Makes the table of the ports that are cut off. True, or why not."""
    if not IN_NAMESPACE:
        return "no network namespace may be made"
    run(["ip", "link", "set", "lo", "up"])
    try:
        nft("add table inet torture")
        nft("add set inet torture dead { type inet_service; }")
        nft("add chain inet torture in { type filter hook input priority 0; }")
        for end in ("dport", "sport"):
            nft("add rule inet torture in meta l4proto { tcp, udp } th %s @dead drop" % end)
    except (OSError, RuntimeError) as e:
        return str(e).splitlines()[0]
    return True


class World:
    """A client with a SOCKS5 entry, a server at the far end of a session layer, and load."""

    def __init__(self, layer, workers=2, query=""):
        self.layer, self.workers, self.query = layer, workers, query
        self.port, self.entry = free_port(), free_port()
        url = "relay+%s://127.0.0.1:%d%s" % (layer, self.port, query)
        url += ("&" if query else "?") + "carrier.idle=5s"
        self.packets = layer in ("quic", "kcp")
        listen = "socks5://127.0.0.1:%d" % self.entry
        self.server = self.start_server()
        self.client = Host("-D", "-L", listen, "-F", url, ports=[self.entry], workers=workers)
        self.loading, self.done, self.failed = [], 0, 0

    def start_server(self):
        url = "relay+%s://127.0.0.1:%d%s" % (self.layer, self.port, self.query)
        ports = [] if self.packets else [self.port]
        return Host("-L", url, ports=ports, workers=self.workers)

    def load(self, on):
        if on:
            self.running = True
            self.loading = [threading.Thread(target=self.one_load, args=(i,)) for i in range(4)]
            for t in self.loading:
                t.start()
            return
        self.running = False
        for t in self.loading:
            t.join()

    def one_load(self, seed):
        chance = random.Random(seed)
        while self.running:
            try:
                ask(self.entry, chance.randrange(1, 100000), chance.randrange(100000), 3)
                self.done += 1
            except (OSError, RuntimeError):
                self.failed += 1
                time.sleep(0.05)
            time.sleep(0.01)

    # What happens to the far side. Each returns when the path is back.

    def kill(self):
        self.server.proc.kill()
        self.server.proc.wait()
        # No kernel tells of a death over packets: it is seen while it lasts, or by silence.
        time.sleep(1 if self.packets else random.choice((0, 1)))
        self.server = self.start_server()

    def stop(self):
        self.server.proc.send_signal(signal.SIGSTOP)
        time.sleep(3)
        self.server.proc.send_signal(signal.SIGCONT)

    def cut(self):
        nft("add element inet torture dead { %d }" % self.port)
        time.sleep(6)
        nft("delete element inet torture dead { %d }" % self.port)

    def next_request(self, what):
        """Measured from now, when the path is back."""
        begun = time.monotonic()
        error = None
        while time.monotonic() < begun + 15:
            try:
                ask(self.entry, 1000, 1000, 15)
                break
            except (OSError, RuntimeError) as e:
                error = error or "%r after %.2f s" % (e, time.monotonic() - begun)
        took = time.monotonic() - begun
        text = "%s: %.2f s" % (what, took)
        print("# %s %s%s" % (self.layer, text, " (first: %s)" % error if error else ""), flush=True)
        return took <= WITHIN and error is None or "%s, first: %s" % (text, error)

    def size(self):
        hosts = (self.client, self.server)
        return sum(h.fds() for h in hosts), sum(h.rss_kib() for h in hosts)

    def end(self):
        ends = [self.client.stop(), self.server.stop()]
        return ends == [0, 0] or "%s\n%s" % (ends, self.client.text()[-4000:])


def settled(world, fds, rss):
    """Whether descriptors and memory go back to what they were."""
    end = time.monotonic() + 40
    while time.monotonic() < end:
        now = world.size()
        if now[0] <= fds + 4:
            break
        time.sleep(0.2)
    print("# %s: descriptors %d > %d, KiB %d > %d" % (world.layer, fds, now[0], rss, now[1]))
    flat = SANITIZED or now[1] <= rss * 1.3 + 8192
    return now[0] <= fds + 4 and flat or "%s, at first %s" % (now, (fds, rss))


# ---- one layer's life -----------------------------------------------------------------------


def torture(layer, cuttable, out):
    """Runs in a thread of its own: the other layers suffer at the same time."""
    w = World(layer)
    events = ["kill", "stop"] + (["cut"] if cuttable is True else [])
    ask(w.entry, 1000, 1000, 10)
    w.load(True)
    time.sleep(1)
    for i in range(ROUNDS):
        for name in events:
            for _ in range(TRIES):
                getattr(w, name)()
                good = w.next_request(name)
                time.sleep(1)
                if good is True:
                    break
            out.append((layer, "after a %s, round %d" % (name, i + 1), good))
            if i == 0 and name == "kill":
                w.load(False)
                warm = w.size()
                w.load(True)
    w.load(False)
    out.append((layer, "nothing leaks", settled(w, *warm)))
    asked = w.done > 50 or "%d requests, %d failed" % (w.done, w.failed)
    out.append((layer, "requests went through all the time", asked))
    out.append((layer, "requests that were under way arrive once", executed_once(w)))
    out.append((layer, "all ended well", w.end()))


def executed_once(w):
    """The far side dies after the target has got the requests: they are not sent again."""
    idents = [new_id() for _ in range(10)]
    open_ = []
    for ident in idents:
        s = connect_via("socks5", w.entry, "127.0.0.1", SWALLOWED, 10)
        s.sendall(struct.pack(">Q", ident))
        open_.append(s)
    end = time.monotonic() + 10
    while not all(seen[i] for i in idents) and time.monotonic() < end:
        time.sleep(0.02)
    before = [seen[i] for i in idents]
    time.sleep(1.2 if w.packets else 0)
    w.server.proc.kill()
    w.server.proc.wait()
    w.server = w.start_server()
    after = w.next_request("kill with requests under way")
    time.sleep(0.5)
    counts = [seen[i] for i in idents]
    for s in open_:
        s.close()
    return (before == counts == [1] * 10 and after) or "%s then %s" % (before, counts)


def all_layers():
    cuttable = can_cut()
    results = {layer: [] for layer in CHOSEN}

    def one(i):
        torture(CHOSEN[i], cuttable, results[CHOSEN[i]])
        return True

    threads = at_once(len(CHOSEN), one, 300 * ROUNDS)
    for rows in results.values():
        for layer, name, good in rows:
            tap.ok(good is True, "%s: %s" % (layer, name), good)
    tap.ok(threads is True, "every layer lived to the end", threads)
    if cuttable is not True:
        tap.skip("paths that are cut", cuttable)
    twice = [i for i, n in seen.items() if n > 1]
    tap.ok(not twice, "of %d requests none reached its target twice" % len(seen), str(twice))


# ---- stuck readers --------------------------------------------------------------------------


def fetch_rate(w, n):
    s = connect_via("socks5", w.entry, "127.0.0.1", TARGETS.give, 30)
    begun, got = time.monotonic(), 0
    s.sendall(struct.pack(">Q", n))
    while True:
        b = s.recv(1 << 20)
        if not b:
            break
        got += len(b)
    s.close()
    if got != n:
        raise RuntimeError("%d of %d bytes" % (got, n))
    return n / (time.monotonic() - begun)


def stuck_streams(w):
    """One whose client reads nothing, and one whose target reads nothing."""
    reader = connect_via("socks5", w.entry, "127.0.0.1", TARGETS.give, 10)
    reader.sendall(struct.pack(">Q", 1 << 30))
    writer = connect_via("socks5", w.entry, "127.0.0.1", SWALLOWED, 10)
    writer.sendall(struct.pack(">Q", new_id()))
    writer.setblocking(False)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        try:
            writer.send(pattern(65536))
        except BlockingIOError:
            time.sleep(0.02)
    return [reader, writer]


def beside(layer):
    """Each rate beside stuck streams against the mean of the lone ones just before and after it, so
    that the machine's mood hits both alike; the median of these ratios counts."""
    w = World(layer, 1, LAYERS[layer])
    rate = fetch_rate(w, 8 << 20)  # wakes all that is new
    size = min(max(int(rate * 0.5), 8 << 20), 256 << 20)  # half a second: less is noise
    alone, ratios = [fetch_rate(w, size)], []
    while len(ratios) < 3 or (statistics.median(ratios) < 0.8 and len(ratios) < 15):
        held = stuck_streams(w)
        other = fetch_rate(w, size)
        for s in held:
            s.close()
        alone.append(fetch_rate(w, size))
        ratios.append(2 * other / (alone[-2] + alone[-1]))
    ratio = statistics.median(ratios)
    lone = statistics.median(alone)
    print("# %s: %.0f MB/s alone, %.2f of it beside" % (layer, lone / 1e6, ratio), flush=True)
    ended = w.end()
    return ended is True and ratio >= 0.8 or "%s of the lone rate; %s" % (ratios, ended)


all_layers()
for layer_ in CHOSEN:
    tap.case("%s: a stream beside stuck ones keeps its rate" % layer_, beside, layer_)
tap.done()
