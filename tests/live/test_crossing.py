#!/usr/bin/env python3
# test_crossing.py - what is per worker, what lives on one, and visits across workers, live.
# SPDX-License-Identifier: MIT
# timeout: 120
"""Builds crossing.c and serves its handlers with three workers."""

import os
import re
import shlex
import socket
import subprocess

from harness import PATIENCE, WORK, Host, Tap, free_port, pattern, read_all, recv_exact, until

tap = Tap()
HERE = os.path.dirname(os.path.abspath(__file__))
SDK = os.path.join(HERE, "..", "..", "sdk", "include")
WORKERS = 3
served_by_each = 0


def build():
    out = os.path.join(WORK, "crossing.so")
    argv = shlex.split(os.environ.get("CC") or "cc")
    argv += ["-std=c11", "-shared", "-fPIC", "-fvisibility=hidden", "-O1", "-I" + SDK]
    r = subprocess.run(
        argv + ["-o", out, os.path.join(HERE, "crossing.c")], capture_output=True, text=True
    )
    return r.returncode == 0 or r.stderr


def connect(port):
    s = socket.create_connection(("127.0.0.1", port), PATIENCE)
    return s


def line(s):
    """A word and two numbers."""
    text = b""
    while not text.endswith(b"\n"):
        text += recv_exact(s, 1)
    word, a, b = text.split()
    return word.decode(), int(a), int(b)


def each():
    """Many at a time, and again: which worker takes a connection is up to the kernel."""
    global served_by_each
    seen = {}
    for _ in range(100):
        all = [connect(ports["each"]) for _ in range(10)]
        for s in all:
            _, worker, served = line(s)
            s.close()
            seen.setdefault(worker, []).append(served)
            served_by_each += 1
        if len(seen) > 1:
            break
    for worker, counts in seen.items():
        if not worker or sorted(counts) != list(range(1, len(counts) + 1)):
            return "worker %d counts %s" % (worker, counts)
    return len(seen) > 1 or "one worker served all"


def lone():
    """All at once, so that they come from several workers."""
    all = [connect(ports["lone"]) for _ in range(20)]
    first = [line(s) for s in all]
    data = pattern(100000)
    for s in all:
        s.sendall(data)
        if recv_exact(s, len(data)) != data:
            return "the echo differs"
        s.close()
    if len({worker for _, worker, _ in first}) != 1:
        return "more than one worker: %s" % first
    return sorted(n for _, _, n in first) == list(range(1, 21)) or first


def visits():
    owner = connect(ports["offer"])
    _, home, _ = line(owner)
    across = 0
    for _ in range(30):
        all = [connect(ports["visit"]) for _ in range(12)]
        for s in all:
            _, mine, _ = line(s)
            word, theirs, source = line(s)
            if (word, theirs, source) != ("visited", home, s.getsockname()[1]):
                return "%s %d %d, not of worker %d" % (word, theirs, source, home)
            across += mine != home
            data = pattern(200000, across)
            s.sendall(data)
            if recv_exact(s, len(data)) != data:
                return "the echo differs"
            s.shutdown(socket.SHUT_WR)
            if read_all(s):
                return "more than the echo"
            s.close()
        if across:
            break
    owner.close()
    return across > 0 or "no visitor came from another worker"


def nobody():
    """The owner of the last test is gone, and soon its offer with it."""

    def visit():
        s = connect(ports["visit"])
        line(s)
        word, status, _ = line(s)
        s.close()
        return word, status

    want = ("nobody", -1007)  # others: visits that met its end
    got = until(visit, want)
    return got == want or "%s" % (got,)


def ended(host):
    status = host.stop()
    fini = re.findall(r"^fini (\d+) (\d+)$", host.text(), re.M)
    ids = sorted(int(i) for i, _ in fini)
    served = sum(int(n) for _, n in fini)
    return (status, ids, served) == (0, [1, 2, 3], served_by_each) or "%s %s" % (status, fini)


if not tap.case("the plugin is built", build):
    tap.done()
ports = {name: free_port() for name in ("each", "lone", "offer", "visit")}
args = ["--plugin-dir", WORK, "--plugin-dir", os.environ.get("GOST_PLUGIN_DIR", "")]
for name, port in ports.items():
    args += ["-L", "%s://127.0.0.1:%d" % (name, port)]
host = Host(*args, ports=ports.values(), workers=WORKERS)
tap.case("each worker has its own", each)
tap.case("a handler that lives on one worker", lone)
tap.case("visits of an endpoint, also across workers", visits)
tap.case("an offer ends with its task", nobody)
tap.case("what is per worker ends with it", ended, host)
tap.done()
