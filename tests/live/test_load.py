#!/usr/bin/env python3
# test_load.py - big transfers with equal hashes, and many flows at once.
# SPDX-License-Identifier: MIT
# timeout: 600
import hashlib
import os
import resource
import socket
import threading

from harness import Host, Tap, connect_via, echo, free_port, pattern, recv_exact, serve, until

tap = Tap()
BIG = int(os.environ.get("GOST_TEST_BIG", 1 << 30))
resource.setrlimit(
    resource.RLIMIT_NOFILE, (min(20000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2
)
BLOCK = pattern(1 << 20, 11)


def download(s):
    left = BIG
    while left > 0:
        n = min(left, len(BLOCK))
        s.sendall(memoryview(BLOCK)[:n])
        left -= n
    s.shutdown(socket.SHUT_WR)
    s.recv(1)


def upload(s):
    h, n = hashlib.sha256(), 0
    while True:
        b = s.recv(1 << 18)
        if not b:
            break
        h.update(b)
        n += len(b)
    s.sendall(b"%d %s" % (n, h.hexdigest().encode()))


def want_hash():
    h, left = hashlib.sha256(), BIG
    while left > 0:
        n = min(left, len(BLOCK))
        h.update(memoryview(BLOCK)[:n])
        left -= n
    return h.hexdigest()


WANT = want_hash()
DOWN, UP, ECHO = serve(download), serve(upload), serve(echo)


def big_down(kind, port):
    s = connect_via(kind, port, "127.0.0.1", DOWN)
    h, n = hashlib.sha256(), 0
    while True:
        b = s.recv(1 << 18)
        if not b:
            break
        h.update(b)
        n += len(b)
    return (n == BIG and h.hexdigest() == WANT) or "%d of %d bytes" % (n, BIG)


def big_up(kind, port):
    s = connect_via(kind, port, "127.0.0.1", UP)
    left = BIG
    while left > 0:
        n = min(left, len(BLOCK))
        s.sendall(memoryview(BLOCK)[:n])
        left -= n
    s.shutdown(socket.SHUT_WR)
    got = b""
    while True:
        b = s.recv(4096)
        if not b:
            break
        got += b
    return got.decode() == "%d %s" % (BIG, WANT) or got.decode()


def parallel(port, flows, seed):
    bad = []

    def one(lo, hi):
        socks = []
        try:
            for i in range(lo, hi):
                s = connect_via("socks5", port, "127.0.0.1", ECHO, timeout=60)
                socks.append((i, s))
            for r in range(3):
                for i, s in socks:
                    s.sendall(b"%08d" % (i * 7 + r))
                for i, s in socks:
                    if recv_exact(s, 8) != b"%08d" % (i * 7 + r):
                        bad.append(i)
        except Exception as e:
            bad.append(repr(e))
        finally:
            for _, s in socks:
                s.close()

    ts = [
        threading.Thread(target=one, args=(k * flows // 8, (k + 1) * flows // 8)) for k in range(8)
    ]
    for t in ts:
        t.start()
    for t in ts:
        t.join()
    return not bad or str(bad[:5])


for workers in (1, 2):
    e, f, t = free_port(), free_port(), free_port()
    h = Host(
        "-L",
        "socks5://127.0.0.1:%d" % e,
        "-L",
        "tcp://127.0.0.1:%d/127.0.0.1:%d" % (f, DOWN),
        ports=[e, f],
        workers=workers,
    )
    note = " with %d workers" % workers
    tap.case("a big download over socks5" + note, big_down, "socks5", e)
    tap.case("a big upload over socks5" + note, big_up, "socks5", e)
    if workers == 2:
        tap.case("a big download over a forward" + note, big_down, "forward", f)
    before = h.fds()
    tap.case("2,000 flows at once" + note, parallel, e, 2000, workers)
    until(lambda: h.fds() <= before + 4)
    tap.ok(
        h.fds() <= before + 40,
        "descriptors are given back" + note,
        "%d before, %d after" % (before, h.fds()),
    )
    tap.ok(h.stop() == 0, "ends cleanly" + note, h.text()[-3000:])

BIG_SAVED, BIG = BIG, min(BIG, 256 << 20)
WANT = want_hash()
for scheme in ("http+tls", "relay+tls", "socks5"):
    p, e = free_port(), free_port()
    s = Host("-L", "%s://127.0.0.1:%d" % (scheme, p), ports=[p])
    c = Host("-L", "socks5://127.0.0.1:%d" % e, "-F", "%s://127.0.0.1:%d" % (scheme, p), ports=[e])
    tap.case("a big download over " + scheme, big_down, "socks5", e)
    tap.case("a big upload over " + scheme, big_up, "socks5", e)
    tap.ok([c.stop(), s.stop()] == [0, 0], "end cleanly: " + scheme, c.text() + s.text())
tap.done()
