#!/usr/bin/env python3
# test_hostile.py - truncated, oversized, slow and random input; descriptor exhaustion.
# SPDX-License-Identifier: MIT
# timeout: 300
import os
import random
import resource
import socket
import subprocess
import time

from harness import (
    HOST,
    Host,
    Tap,
    connect_via,
    echo,
    free_port,
    pattern,
    read_all,
    recv_exact,
    serve,
    socks5_open,
    wait_port,
)

tap = Tap()
ECHO = serve(echo)
KINDS = ["http", "socks5", "socks4", "auto", "relay", "sni", "https", "socks5+tls", "relay+tls"]
ports = {k: free_port() for k in KINDS}
args = []
for k, p in ports.items():
    args += ["-L", "%s://127.0.0.1:%d?readTimeout=2s" % (k, p)]
probe = free_port()
h = Host(
    *args, "-L", "socks5://127.0.0.1:%d" % probe, ports=list(ports.values()) + [probe], workers=2
)
rnd = random.Random(20240501)


def served():
    """Somebody else's connection works."""
    s = connect_via("socks5", probe, "127.0.0.1", ECHO)
    s.sendall(b"hello")
    good = recv_exact(s, 5) == b"hello"
    s.close()
    return good


def ends(s, seconds=25):
    """The connection ends by itself."""
    s.settimeout(seconds)
    try:
        while s.recv(65536):
            pass
    except ConnectionError:
        pass
    except socket.timeout:
        return False
    return True


def throw(port, data, shut=False):
    s = socket.create_connection(("127.0.0.1", port), 10)
    try:
        s.sendall(data)
        if shut:
            s.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    return s


for kind, port in ports.items():

    def garbage():
        socks = [throw(port, rnd.randbytes(rnd.randrange(1, 3000)), shut=True) for _ in range(20)]
        left = sum(not ends(s) for s in socks)
        return left == 0 or "%d of 20 connections were still open" % left

    tap.case("random bytes: " + kind, garbage)

    def silent():
        return ends(throw(port, b"")) or "a silent client was kept"

    if kind not in ("http", "auto"):  # gost gives these handlers no deadline for the first request
        tap.case("a silent client ends at the deadline: " + kind, silent)

    def slow():
        s = throw(port, b"")
        start = time.time()
        try:
            for b in (
                b"\5" + b"\1" * 40
                if "socks5" in kind
                else b"\1" * 40 if "relay" in kind else b"G" * 40
            ):
                s.sendall(bytes([b]))
                time.sleep(0.5)
                if time.time() - start > 20:
                    return "still served after 20 s"
        except OSError:
            pass
        return ends(s)

    if kind in ("socks5", "relay", "socks5+tls"):
        tap.case("one byte at a time does not re-arm the deadline: " + kind, slow)
    tap.ok(
        h.alive() and served(), "others are served after hostile input on " + kind, h.text()[-3000:]
    )


def oversized():
    s = throw(ports["http"], b"GET http://x/ HTTP/1.1\r\n" + b"X: " + b"a" * 4000000)
    good = ends(s)
    return good and h.rss_kib() < 200000 or "kept, or memory grew to %d KiB" % h.rss_kib()


tap.case("a head without end is refused and bounded", oversized)
tap.ok(h.alive(), "the host lives", h.text()[-3000:])
tap.ok(h.stop() == 0, "and ends cleanly", h.text()[-3000:])


def exhaustion():
    p = free_port()
    k = Host("-L", "socks5://127.0.0.1:%d" % p, ports=[], workers=1)
    resource.prlimit(k.proc.pid, resource.RLIMIT_NOFILE, (64, 64))
    k.stop()
    log = open(os.path.join(os.environ.get("TMPDIR", "/tmp"), "gost-fd-%d" % os.getpid()), "w+")
    proc = subprocess.Popen(
        [HOST, "--workers", "1", "-L", "socks5://127.0.0.1:%d" % p],
        stdout=log,
        stderr=log,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80)),
    )
    try:
        wait_port(p, proc)
        held = []
        for _ in range(200):
            try:
                s = socket.create_connection(("127.0.0.1", p), 2)
                s.settimeout(2)
                held.append(s)
            except OSError:
                break
        time.sleep(1)
        if proc.poll() is not None:
            return "the host died of descriptor exhaustion"
        for s in held:
            s.close()
        time.sleep(1)
        s = connect_via("socks5", p, "127.0.0.1", ECHO)
        s.sendall(b"back")
        return recv_exact(s, 4) == b"back"
    finally:
        proc.kill()
        proc.wait()
        os.unlink(log.name)


tap.case("descriptor exhaustion: accepting pauses and goes on", exhaustion)


def auth():
    p = free_port()
    k = Host("-L", "socks5://bob:s3cr3t-canary@127.0.0.1:%d" % p, "-D", ports=[p])
    s, rep, _ = socks5_open(p, 1, "127.0.0.1", ECHO, "bob", "wrong-canary")
    bad = rep
    s, rep, _ = socks5_open(p, 1, "127.0.0.1", ECHO, "bob", "s3cr3t-canary")
    s.sendall(b"in")
    good = rep == 0 and recv_exact(s, 2) == b"in"
    s.close()
    k.stop()
    text = k.text()
    if "canary" in text:
        return "a secret is in the log: " + text
    return bad == -1 and good or "wrong password: %s, right one: %s" % (bad, rep)


tap.case("a wrong password is refused, a right one is not, neither is logged", auth)
tap.done()
