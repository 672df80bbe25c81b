# peers.py - what the tests against other programs share: daemons, checks of a tunnel.
# SPDX-License-Identifier: MIT
"""Comes before harness in every test: it puts the folder of the harness on the path."""

import hashlib
import os
import socket
import struct
import subprocess
import sys
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import harness  # noqa: E402
import streams  # noqa: E402
from harness import certificate, until  # noqa: E402,F401
from streams import ANSWER  # noqa: E402

SECONDS = harness.PATIENCE  # longest silence of a socket


class Daemon:
    """A peer in the foreground, ended by pid. ports and udp: what to wait for."""

    stdin = subprocess.DEVNULL

    def __init__(self, *argv, ports=(), udp=(), env=None, cwd=None):
        self.argv = [str(a) for a in argv]
        self.path = os.path.join(harness.WORK, "peer-%d.log" % len(harness._procs))
        with open(self.path, "wb") as log:
            self.proc = subprocess.Popen(
                self.argv,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=self.stdin,
                env=dict(os.environ, **(env or {})),
                cwd=cwd or harness.WORK,
            )
        harness._procs.append(self.proc)
        try:
            for port in ports:
                harness.wait_port(port, self.proc)
            for port in udp:
                harness.wait_port(port, self.proc, "udp")
        except RuntimeError as error:
            raise RuntimeError("%s\n%s\n%s" % (error, " ".join(self.argv), self.text()))

    def text(self):
        with open(self.path, errors="replace") as log:
            return log.read()

    def stop(self):
        if self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(5)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()


class Talker(Daemon):
    """A daemon that reads from us what it is to say."""

    stdin = subprocess.PIPE

    def say(self, data):
        self.proc.stdin.write(data)
        self.proc.stdin.flush()


def open_work():
    """Lets daemons that give up root read the work folder."""
    os.chmod(harness.WORK, 0o711)
    return harness.WORK


def write(name, text):
    """A configuration file in the work folder; its path."""
    path = os.path.join(harness.WORK, name)
    with open(path, "w") as out:
        out.write(text)
    return path


# ---- targets --------------------------------------------------------------------------------


def counted(s):
    """Reads a length and so many bytes, answers digest and pattern, waits for the end."""
    head = s.recv(8, socket.MSG_WAITALL)
    if len(head) < 8:
        return
    size = struct.unpack(">Q", head)[0]
    digest = hashlib.sha256()
    while size:
        piece = s.recv(min(size, 65536))
        if not piece:
            return
        digest.update(piece)
        size -= len(piece)
    s.sendall(digest.hexdigest().encode() + harness.pattern(ANSWER, 3))
    s.recv(1)


# ---- checks: True, or what is wrong ---------------------------------------------------------


def expected(data):
    return hashlib.sha256(data).hexdigest().encode() + harness.pattern(ANSWER, 3)


def compare(got, want):
    if got == want:
        return True
    return "got %d of %d bytes, %r..." % (len(got), len(want), got[:80])


def round_trip(s, size=300000):
    """To a `counted` target: for peers that do not pass a half-close on."""
    s.settimeout(SECONDS)
    data = harness.pattern(size, 7)
    s.sendall(struct.pack(">Q", size) + data)
    want = expected(data)
    got = harness.recv_exact(s, len(want))
    s.close()
    return compare(got, want)


def half_close(s, size=300000):
    """To an `answer_after_end(ANSWER)` target."""
    s.settimeout(SECONDS)
    return streams.half_close(lambda _: s, None, size)


def refusal(port, host, target):
    """The reply of a SOCKS5 server at the port to CONNECT; 0 is success."""
    s, rep, _ = harness.socks5_open(port, 1, host, target)
    s.close()
    return rep


def datagrams(port, target, sizes=(1, 100, 1400, 4000), host="127.0.0.1"):
    """Through UDP ASSOCIATE of a SOCKS5 server at the port, to an echo."""
    ctl, rep, bound = harness.socks5_open(port, 3, "0.0.0.0", 0)
    if rep:
        return "reply %d" % rep
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    seen = set()
    for size in sizes:
        data = harness.pattern(size, size)
        got = harness.ask(s, bound, b"\0\0\0" + harness.socks_addr(host, target) + data, seen)
        if not got.endswith(data) or got[:3] != b"\0\0\0":
            return "size %d: got %d bytes %r..." % (size, len(got), got[:16])
    s.close()
    ctl.close()
    return True


def echoes(port, sizes=(1, 100, 1400, 4000)):
    """Through a forward of UDP at the port, to an echo."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    seen = set()
    for size in sizes:
        data = harness.pattern(size, size)
        got = harness.ask(s, ("127.0.0.1", port), data, seen)
        if got != data:
            return "size %d: got %d bytes" % (size, len(got))
    s.close()
    return True


def http_head(s):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += harness.recv_exact(s, 1)
    return head


def curl(*args, data=None):
    """What curl prints; its status and complaint where that is an error."""
    argv = ["curl", "-sS", "-g", "--max-time", str(SECONDS)] + [str(a) for a in args]
    done = harness.run_input(argv, data) if data is not None else harness.run(argv)
    if done.returncode:
        return b"curl %d: %s" % (done.returncode, done.stderr)
    return done.stdout


def section(tap, name, fn, *args):
    """Runs a part of a test; a daemon that does not start fails it and not the rest."""
    try:
        fn(*args)
    except Exception:
        tap.ok(False, name + " runs to its end", traceback.format_exc())


def ended_cleanly(tap, name, *hosts):
    """Ends hosts under test; a sanitizer's report or a crash fails here."""
    tap.ended("ends cleanly: " + name, *hosts)
