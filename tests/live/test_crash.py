#!/usr/bin/env python3
# test_crash.py - a plugin that crashes in a live service is named in the last line.
# SPDX-License-Identifier: MIT
# timeout: 120
import os
import shlex
import signal
import socket
import subprocess

from harness import PATIENCE, WORK, Host, Tap, echo, free_port, listening, serve, until

tap = Tap()
TOP = os.environ.get("TOP_SRCDIR", os.path.join(os.path.dirname(__file__), "../.."))
ECHO = serve(echo)

if os.environ.get("GOST_SANITIZERS"):
    tap.skip("crashing plugins", "a sanitizer handles the signals of a crash itself")
    tap.done()


def build(source, name):
    folder = os.path.join(WORK, name)
    os.mkdir(folder)
    r = subprocess.run(
        shlex.split(os.environ.get("CC", "cc"))
        + ["-std=gnu11", "-O1", "-fPIC", "-shared", "-I", os.path.join(TOP, "sdk/include")]
        + ["-o", os.path.join(folder, name + ".so"), os.path.join(TOP, source)],
        capture_output=True,
    )
    if not tap.ok(r.returncode == 0, name + " is built out of tree", r.stderr.decode()):
        tap.done()
    return folder


def few():
    """A folder with the plugins that the services need, without an inspector."""
    folder = os.path.join(WORK, "few")
    os.mkdir(folder)
    there = os.environ.get("GOST_PLUGIN_DIR", "plugins")
    for name in ("tcp.so", "socks5.so", "forward.so"):
        os.symlink(os.path.join(os.path.abspath(there), name), os.path.join(folder, name))
    return folder


CRASHING = build("tests/data/crash/crash.c", "crashing")
PROBE = build("tests/bad-plugins/crashes.c", "crashes")
FEW = few()


def last(text):
    return text.rstrip("\n").split("\n")[-1]


def live(title, args, send, signal_, words, folder=CRASHING, log_file=False):
    port = free_port()
    args = [a.replace("PORT", str(port)) for a in args]
    path = os.path.join(WORK, "log-%d.txt" % port)
    if log_file:
        args += ["-C", '{"log": {"output": "%s"}}' % path]
    h = Host("--plugin-dir", folder, "--plugin-dir", FEW, *args)
    try:
        # The listener is up, or the crash came before it.
        until(lambda: listening(port) or not h.alive())
        s = socket.create_connection(("127.0.0.1", port), PATIENCE)
        s.sendall(send)
        s.shutdown(socket.SHUT_WR)
        while s.recv(1000):
            pass
    except OSError:
        pass
    status = h.proc.wait(PATIENCE)
    tap.ok(status == -signal_, "%s: the program ends by the signal" % title, h.text())
    lines = [last(h.text())]
    if log_file:
        with open(path) as f:
            lines.append(last(f.read()))
    for line in lines:
        missing = [w for w in words if w not in line]
        tap.ok(not missing, "%s: the last line says all" % title, "%s\n%s" % (missing, line))


def crash(where, kind, phase, send=b"x", signal_=signal.SIGSEGV, name="crash", **kw):
    words = ["%s %s of plugin crashing 3.1.4" % (kind, name), "crashing.so", "phase: " + phase]
    words.append(signal.Signals(signal_).name)
    service = "crash://127.0.0.1:PORT?where=" + where
    args = kw.pop("args", ["-L", service])
    live(where, args, send, signal_, words, **kw)


SOCKS = b"\5\1\0\5\1\0\1\x7f\0\0\1" + ECHO.to_bytes(2, "big")

crash("step", "handler", "step", send=b"")
crash("greeting", "handler", "the greeting")
crash("abort", "handler", "the greeting", signal_=signal.SIGABRT)
crash("destroy", "handler", "destroy")
crash("prepare", "handler", "prepare", send=b"")
crash(
    "decode",
    "layer",
    "decode",
    name="crasher",
    args=["-L", "tcp+crasher://127.0.0.1:PORT/127.0.0.1:%d?where=decode" % ECHO],
)
crash(
    "connect",
    "connector",
    "the answer",
    args=["-L", "socks5://127.0.0.1:PORT", "-F", "crash://127.0.0.1:%d?where=connect" % ECHO],
    send=SOCKS,
)
crash(
    "inspect",
    "inspector",
    "inspect",
    name="sniff",
    args=["-L", "socks5://127.0.0.1:PORT?sniffing=true"],
    send=SOCKS + b"x",
)
crash("greeting", "handler", "the greeting", log_file=True)
crash(
    "greeting",
    "handler",
    "the greeting",
    args=["--workers", "2", "-L", "crash://127.0.0.1:PORT?where=greeting"],
)
live(
    "the handler probe",
    ["-L", "probe://127.0.0.1:PORT"],
    b"\1",
    signal.SIGSEGV,
    ["handler probe of plugin", "crashes.so", "SIGSEGV"],
    folder=PROBE,
)
tap.done()
