#!/usr/bin/env python3
# test_splice.py - which flows the kernel moves: layers that say identity, inspectors, codecs.
# SPDX-License-Identifier: MIT
# timeout: 180
import json
import os
import select
import shlex
import socket
import subprocess
import threading
import time

from harness import (
    PATIENCE,
    WORK,
    Host,
    Tap,
    free_port,
    pattern,
    recv_exact,
    serve,
    socks5_open,
    until,
)

tap = Tap()
TOP = os.environ.get("TOP_SRCDIR", os.path.join(os.path.dirname(__file__), "../.."))
BULK = pattern(8 << 20)
FLIP = bytes(255 - i for i in range(256))


def build():
    """The layers, as somebody else would build them: from the headers alone."""
    folder = os.path.join(WORK, "third")
    os.mkdir(folder)
    r = subprocess.run(
        shlex.split(os.environ.get("CC", "cc"))
        + ["-std=gnu11", "-O1", "-fPIC", "-shared", "-Wall", "-Wextra", "-Wno-unused-parameter"]
        + ["-I", os.path.join(TOP, "sdk/include"), "-o", os.path.join(folder, "layers.so")]
        + [os.path.join(TOP, "tests/data/layers/layers.c")],
        capture_output=True,
    )
    if not tap.ok(r.returncode == 0, "the layers are built out of tree", r.stderr.decode()):
        tap.done()
    return folder


def bulk(s):
    """Sends the bulk, then reads to the end and answers with the count."""
    s.sendall(BULK)
    got = 0
    while True:
        b = s.recv(1 << 16)
        if not b:
            break
        got += len(b)
    s.sendall(b"%10d" % got)


TARGET = serve(bulk)
THIRD = build()
DIRS = ["--plugin-dir", THIRD, "--plugin-dir", os.environ.get("GOST_PLUGIN_DIR", "plugins")]


def last_end(host):
    """The record of the connection that carried the bulk."""

    def look():
        for line in host.text().splitlines():
            e = json.loads(line) if '"outputBytes":' in line else {}
            if min(e.get("inputBytes", 0), e.get("outputBytes", 0)) >= len(BULK):
                return e

    e = until(look)
    if not e:
        raise RuntimeError(host.text())
    return e


def exchange(s, flip=False, first=b""):
    """The bulk both ways, one after the other. True: all came through as it should."""
    send = BULK.translate(FLIP) if flip else BULK
    got = recv_exact(s, len(BULK))
    if got != send:
        return "another bulk"
    s.sendall(send)
    s.shutdown(socket.SHUT_WR)
    count = recv_exact(s, 10)
    count = count.translate(FLIP) if flip else count
    return int(count) == len(BULK) + len(first) or "%s bytes arrived" % count


def spliced(host):
    e = last_end(host)
    return e.get("inputSpliced", 0), e.get("outputSpliced", 0)


def service(title, listen, want, hello=b"", flip=False, workers=None):
    """want: whether both directions are moved by the kernel."""
    port = free_port()
    h = Host(*DIRS, "-L", listen % port, ports=[port], workers=workers)

    def run():
        s = socket.create_connection(("127.0.0.1", port), PATIENCE)
        s.sendall(hello)
        return exchange(s, flip)

    tap.case("%s: the bytes are the same" % title, run)
    got = spliced(h)
    if want:
        tap.ok(min(got) > 4 << 20, "%s: both directions are spliced" % title, h.text())
    else:
        tap.ok(got == (0, 0), "%s: no direction is spliced" % title, h.text())
    tap.ok(h.stop() == 0, "%s: a clean end" % title, h.text())


def layers():
    where = "/127.0.0.1:%d" % TARGET
    service("plain", "tcp://127.0.0.1:%d" + where, True)
    service("plain, 2 workers", "tcp://127.0.0.1:%d" + where, True, workers=2)
    service("a greeting", "tcp+greet://127.0.0.1:%d" + where, True, hello=b"GREET\n")
    service("two layers", "tcp+greet+greet://127.0.0.1:%d" + where, True, hello=b"GREET\n" * 2)
    service("a codec", "tcp+flip://127.0.0.1:%d" + where, False, flip=True)
    service(
        "a codec below a greeting",
        "tcp+flip+greet://127.0.0.1:%d" + where,
        False,
        hello=b"GREET\n".translate(FLIP),
        flip=True,
    )


def settling():
    """A layer that transforms at first and says so when it stops."""
    port = free_port()

    def lines(s):
        s.sendall(b"first\n")
        if s.recv(6, socket.MSG_WAITALL):
            bulk(s)

    target = serve(lines)
    h = Host(*DIRS, "-L", "tcp+settle://127.0.0.1:%d/127.0.0.1:%d" % (port, target), ports=[port])

    def run():
        s = socket.create_connection(("127.0.0.1", port), PATIENCE)
        if recv_exact(s, 6) != b"first\n".translate(FLIP):
            return "the first line is not flipped"
        s.sendall(b"other\n".translate(FLIP))
        return exchange(s)

    tap.case("a layer that stops transforming: the bytes are right", run)
    tap.ok(min(spliced(h)) > 4 << 20, "and then both directions are spliced", h.text())
    h.stop()


def dialed():
    """The same layer on the other side: one host dials another through it."""
    near, far = free_port(), free_port()
    f = Host(*DIRS, "-L", "relay+greet://127.0.0.1:%d?nodelay=true" % far, ports=[far])
    h = Host(
        *DIRS,
        "-L",
        "tcp://127.0.0.1:%d/127.0.0.1:%d" % (near, TARGET),
        "-F",
        "relay+greet://127.0.0.1:%d?nodelay=true" % far,
        ports=[near],
    )

    def run():
        return exchange(socket.create_connection(("127.0.0.1", near), PATIENCE))

    tap.case("a layer of a dialer: the bytes are the same", run)
    tap.ok(min(spliced(h)) > 4 << 20, "the dialing side splices both directions", h.text())
    tap.ok(min(spliced(f)) > 4 << 20, "and so does the accepting side", f.text())
    h.stop()
    f.stop()


def inspected():
    started = threading.Event()

    def target(s):
        started.set()
        bulk(s)

    port, there = free_port(), serve(target)
    h = Host("-L", "socks5://127.0.0.1:%d?sniffing=true" % port, ports=[port])
    head = b"POST / HTTP/1.1\r\nHost: a.test\r\n\r\n"

    def run():
        # The client speaks first: with its request, before the target is told anything.
        s, _, _ = socks5_open(port, 1, "127.0.0.1", there, early=head[:20])
        started.wait(PATIENCE)
        time.sleep(0.2)  # a splice that began too early would have brought the bulk by now
        if select.select([s], [], [], 0)[0]:
            return "bytes came before the inspector had decided"
        s.sendall(head[20:])
        return exchange(s, first=head)

    tap.case("an inspector: nothing moves before it has decided", run)
    e = last_end(h)
    tap.ok(e.get("sniffedHost") == "a.test:80", "it has seen the host", e)
    got = e.get("inputSpliced", 0), e.get("outputSpliced", 0)
    tap.ok(min(got) > 4 << 20, "then both directions are spliced", e)
    tap.ok(
        got[0] <= e["inputBytes"] - len(head) and got[1] <= e["outputBytes"],
        "what was looked at went another way",
        e,
    )
    h.stop()


layers()
settling()
dialed()
inspected()
tap.done()
