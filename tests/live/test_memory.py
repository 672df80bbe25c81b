#!/usr/bin/env python3
# test_memory.py - above one mark of memory new connections wait, above another idle ones end.
# SPDX-License-Identifier: MIT
# timeout: 180
import json
import os
import socket

from harness import HOST, PATIENCE, Host, Tap, echo, free_port, recv_exact, run, serve, until

tap = Tap()
ECHO = serve(echo)
MB = 1 << 20

if os.environ.get("GOST_SANITIZERS"):
    tap.skip("marks of memory", "a sanitizer keeps freed memory and counts its own")
    tap.done()


def used(h):
    """Anonymous memory of the host."""
    with open("/proc/%d/statm" % h.proc.pid) as f:
        words = f.read().split()
    return (int(words[1]) - int(words[2])) * os.sysconf("SC_PAGESIZE")


def answers(s, seconds=PATIENCE):
    s.sendall(b"x")
    s.settimeout(seconds)
    try:
        return recv_exact(s, 1) == b"x"
    except (socket.timeout, RuntimeError, ConnectionResetError):
        return False


def open_many(port, count):
    return [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(count)]


def fill(sockets):
    """Each sends the beginning of a head, which the host has to keep."""
    for s in sockets:
        try:
            s.sendall(b"GET http://a/ HTTP/1.1\r\n" + b"X: yyyyyyyyyyyyyyyyyyy\r\n" * 1500)
        except ConnectionError:
            pass


def ended(h):
    """Clients of the connections that were shed, in order."""
    lines = [json.loads(x) for x in h.text().splitlines() if '"outputBytes":' in x]
    return [x["client"] for x in lines if "--memory-max" in x.get("error", "")]


def start(high, top, *services, workers=1):
    h = Host(
        "--memory-high",
        "%d" % high,
        "--memory-max",
        "%d" % top,
        *services,
        workers=workers,
    )
    until(lambda: h.text().count("listening on") == len(services) // 2)
    return h


def base():
    """What the program needs with nothing to do."""
    port = free_port()
    h = start(1000 * MB, 1000 * MB, "-L", "tcp://127.0.0.1:%d/127.0.0.1:%d" % (port, ECHO))
    n = used(h)
    h.stop()
    return n


def accepting(rest):
    port, other = free_port(), free_port()
    h = start(
        rest + 12 * MB,
        rest + 500 * MB,
        "-L",
        "tcp://127.0.0.1:%d/127.0.0.1:%d" % (port, ECHO),
        "-L",
        "http://127.0.0.1:%d" % other,
    )
    early = socket.create_connection(("127.0.0.1", port), PATIENCE)
    tap.ok(answers(early), "below the mark a connection works")
    many = open_many(other, 400)
    until(lambda: h.fds() > 400)
    fill(many)
    tap.ok(
        until(lambda: "new connections wait" in h.text()),
        "above the first mark the log says so: %d MB" % (used(h) // MB),
        h.text()[-2000:],
    )
    late = socket.create_connection(("127.0.0.1", port), PATIENCE)  # the kernel takes it
    tap.ok(not answers(late, 1.5), "and a new connection waits")
    tap.ok("accepting pauses: memory" in h.text(), "which is told, too", h.text()[-2000:])
    tap.ok(answers(early), "one that is there goes on")
    tap.ok(h.alive() and not ended(h), "none was ended")
    for s in many:
        s.close()
    late.settimeout(PATIENCE)
    tap.ok(recv_exact(late, 1) == b"x", "when memory is free again, the one that waited works")
    tap.ok(
        until(lambda: "accepted again" in h.text()),
        "and the log says that, too",
        h.text()[-2000:],
    )
    tap.ok(h.stop() == 0, "a clean end", h.text()[-2000:])


def shedding(rest, workers):
    port, other = free_port(), free_port()
    h = start(
        rest + 10 * MB,
        rest + 14 * MB,
        "-L",
        "tcp://127.0.0.1:%d/127.0.0.1:%d" % (port, ECHO),
        "-L",
        "http://127.0.0.1:%d" % other,
        workers=workers,
    )
    idle = open_many(port, 40)
    for s in idle:
        if not answers(s):
            return tap.ok(False, "an idle connection worked before", h.text()[-2000:])
    names = ["127.0.0.1:%d" % s.getsockname()[1] for s in idle]
    busy = socket.create_connection(("127.0.0.1", port), PATIENCE)
    many = open_many(other, 400)
    until(lambda: h.fds() > 2 * 40 + 400)  # all are accepted: later ones would have to wait
    answers(busy)
    fill(many)
    title = "%d workers: " % workers

    def some():
        answers(busy)
        return len(ended(h)) >= 20

    tap.ok(until(some), title + "idle connections end", h.text()[-2000:])
    order = [names.index(c) for c in ended(h)[:20] if c in names]
    tap.ok(len(order) >= 15, title + "the oldest of all first", ended(h)[:20])
    if workers == 1:
        tap.ok(order == sorted(order), "in the order in which they were silent", order)
    tap.ok(answers(busy), title + "one that is not idle lives", h.text()[-2000:])
    tap.ok(
        until(lambda: answers(busy) and used(h) < rest + 14 * MB),
        title + "until memory is below the mark: %d MB" % (used(h) // MB),
    )
    tap.ok(h.stop() == 0, title + "a clean end", h.text()[-2000:])


def options():
    text = run([HOST, "--man"]).stdout.decode()
    tap.ok("memory\\-high" in text and "memory\\-max" in text, "both options are in the manual")
    for bad in ("much", "0", "-1", "10"):
        r = run([HOST, "--memory-high", bad, "-L", ":0"])
        tap.ok(r.returncode != 0 and b"200MB" in r.stderr, "--memory-high %s is refused" % bad, r)
    port = free_port()
    h = Host("--memory-high", "500MB", "-L", "tcp://127.0.0.1:%d" % port, ports=[port])
    tap.ok(h.stop() == 0, "one mark alone will do", h.text())


rest = base()
tap.ok(0 < rest < 100 * MB, "the program by itself needs %.1f MB" % (rest / MB))
accepting(rest)
shedding(rest, 1)
shedding(rest, 2)
options()
tap.done()
