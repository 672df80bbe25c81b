#!/usr/bin/env python3
# test_failing.py - every n-th allocation fails under live traffic: flows die, the program does not.
# SPDX-License-Identifier: MIT
# timeout: 300
import mmap
import os
import shlex
import socket
import struct
import subprocess
import time

from harness import (
    PATIENCE,
    WORK,
    Host,
    Tap,
    ask,
    connect_via,
    echo,
    free_port,
    pattern,
    recv_exact,
    serve,
    socks5_open,
    udp_echo,
)

tap = Tap()
TOP = os.environ.get("TOP_SRCDIR", os.path.join(os.path.dirname(__file__), "../.."))
ECHO = serve(echo)
UDP = udp_echo()
DATA = pattern(40000)
SHORT = 10  # seconds for a flow that may well come to nothing

if os.environ.get("GOST_SANITIZERS"):
    tap.skip("failing allocations", "a sanitizer has an allocator of its own")
    tap.done()

LIBRARY = os.path.join(WORK, "failing.so")
r = subprocess.run(
    shlex.split(os.environ.get("CC", "cc"))
    + ["-std=gnu11", "-O1", "-fPIC", "-shared", "-o", LIBRARY]
    + [os.path.join(TOP, "tests/data/failing/malloc.c"), "-ldl"],
    capture_output=True,
)
if not tap.ok(r.returncode == 0, "the allocator is built", r.stderr.decode()):
    tap.done()


KINDS = ("socks5", "http", "socks4", "auto", "forward", "chain", "udp")


class Failing:
    """The file through which the allocator is told."""

    def __init__(self):
        path = os.path.join(WORK, "failing.mem")
        with open(path, "wb") as f:
            f.write(bytes(4096))
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), 4096)
        self.env = {"LD_PRELOAD": LIBRARY, "FAILING_FILE": path}

    def every(self, n):
        self.map[0:4] = struct.pack("=I", n)

    def only(self, k):
        self.map[8:12] = struct.pack("=I", k)

    def left(self):
        return struct.unpack("=I", self.map[8:12])[0]

    def count(self):
        return struct.unpack("=I", self.map[4:8])[0]


def services():
    """{kind: port}, and the arguments: entries, and an exit that some go through."""
    ports = {k: free_port() for k in ("socks5", "http", "socks4", "auto", "forward", "chain")}
    ports["tls"] = free_port()
    args = []
    for k in ("socks5", "http", "socks4", "auto"):
        more = "&udp=true" if k == "socks5" else ""
        args += ["-L", "%s://127.0.0.1:%d?sniffing=true%s" % (k, ports[k], more)]
    args += ["-L", "tcp://127.0.0.1:%d/127.0.0.1:%d" % (ports["forward"], ECHO)]
    args += ["-L", "relay+tls://127.0.0.1:%d" % ports["tls"]]
    chain = ["-L", "socks5://127.0.0.1:%d" % ports["chain"]]
    chain += ["-F", "relay+tls://127.0.0.1:%d" % ports["tls"]]
    return ports, args, chain


def once(kind, port, seconds):
    client = {"auto": "socks5", "chain": "socks5"}.get(kind, kind)
    s = connect_via(client, port, "127.0.0.1", ECHO, seconds)
    try:
        s.sendall(DATA)
        s.shutdown(socket.SHUT_WR)
        return recv_exact(s, len(DATA)) == DATA
    finally:
        s.close()


def udp_once(port, seconds):
    control, rep, bound = socks5_open(port, 3, "0.0.0.0", 0, timeout=seconds)
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        data = b"\0\0\0\1\x7f\0\0\1" + struct.pack(">H", UDP) + b"ping"
        if rep != 0:
            return False
        if seconds == PATIENCE:
            return ask(u, ("127.0.0.1", bound[1]), data, set()).endswith(b"ping")
        u.settimeout(0.5)
        for _ in range(2):  # a datagram may be lost for want of memory
            u.sendto(data, ("127.0.0.1", bound[1]))
            try:
                return u.recv(100).endswith(b"ping")
            except socket.timeout:
                pass
        return False
    finally:
        u.close()
        control.close()


def traffic(ports, rounds, seconds=PATIENCE):
    """How many worked, of how many."""
    good = tried = 0
    for _ in range(rounds):
        for kind in KINDS:
            tried += 1
            good += flow(kind, ports, seconds)
    return good, tried


def settled(hosts):
    """Descriptors, when they have stopped to change."""
    last = None
    for _ in range(100):
        now = sum(h.fds() for h in hosts)
        if now == last:
            return now
        last = now
        time.sleep(0.3)
    return last


def flow(kind, ports, seconds=PATIENCE):
    try:
        if kind == "udp":
            return udp_once(ports["socks5"], seconds)
        return once(kind, ports[kind], seconds)
    except (OSError, RuntimeError):
        return False


def sweep(failing, kind, ports, hosts, title):
    """Each allocation of one flow fails once: the first, the second, ... until none is left."""
    died = 0
    for k in range(1, 3000):
        failing.only(k)
        good = flow(kind, ports, SHORT)
        over = failing.left() > 0
        failing.only(0)
        died += not good
        if not all(h.alive() for h in hosts):
            note = "\n".join(h.text()[-1500:] for h in hosts)
            return tap.ok(False, "%s%s: allocation %d" % (title, kind, k), note)
        if over:
            break
    good = flow(kind, ports)
    tap.ok(
        over and good and died,
        "%s%s: each of %d allocations failed once, %d flows died" % (title, kind, k - 1, died),
    )


def play(workers):
    failing = Failing()
    ports, args, chain = services()
    listening = [p for k, p in ports.items() if k != "chain"]
    far = Host(*args, ports=listening, workers=workers, env=failing.env)
    near = Host(*chain, ports=[ports["chain"]], workers=workers, env=failing.env)
    hosts = [far, near]
    title = "%d workers, " % workers
    good, tried = traffic(ports, 2)
    tap.ok(good == tried, title + "all works while nothing fails", "%d of %d" % (good, tried))
    before = settled(hosts)
    total = failing.count()
    for kind in KINDS:
        sweep(failing, kind, ports, hosts, title)
    total = failing.count() - total
    if not all(h.alive() for h in hosts):
        return
    for n in (997, 211, 101, 53, 29, 17, 11, 7, 5, 3, 2):
        had = failing.count()
        failing.every(n)
        good, tried = traffic(ports, 3, SHORT)
        failing.every(0)
        total += failing.count() - had
        alive = far.alive() and near.alive()
        tap.ok(
            alive and failing.count() > had,
            "%severy %d. fails: %d failed, %d of %d flows worked"
            % (title, n, failing.count() - had, good, tried),
            far.text()[-1500:] + near.text()[-1500:],
        )
        if not alive:
            return
        good, tried = traffic(ports, 1)
        tap.ok(good == tried, "%sthen all works again" % title, "%d of %d" % (good, tried))
    tap.ok(total > 300, "%s%d allocations failed" % (title, total))
    after = settled(hosts)
    tap.ok(
        after <= before + 20,
        "%sdescriptors are given back: %d before, %d after" % (title, before, after),
    )
    tap.ok(far.stop() == 0 and near.stop() == 0, title + "a clean end", far.text()[-1500:])


play(1)
play(2)
tap.done()
