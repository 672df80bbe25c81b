# load.py - the load generator: building it, its target, its clients, and the first answer.
# SPDX-License-Identifier: MIT
import glob
import json
import os
import select
import shlex
import socket
import struct
import subprocess
import time

from .procs import Process, Trouble

FLAGS = ["-std=gnu11", "-O3", "-Wall", "-Wextra", "-Wshadow", "-Wstrict-prototypes",
         "-Wmissing-prototypes", "-Wpointer-arith", "-Wformat=2", "-Wno-unused-parameter",
         "-Werror"]
MAGIC = 0x31646f6c74736f67
OP_HELLO = 4
ANSWER_SECONDS = 20.0


def build(source, work):
    """The path of the load generator, made by cc unless GOST_BENCH_LOAD names one."""
    given = os.environ.get("GOST_BENCH_LOAD")
    if given:
        if not os.access(given, os.X_OK):
            raise Trouble(f"GOST_BENCH_LOAD={given}: no such program")
        return os.path.abspath(given)
    out = os.path.join(work, "load")
    cc = shlex.split(os.environ.get("CC", "cc"))
    done = subprocess.run(cc + FLAGS + ["-o", out] + sorted(glob.glob(f"{source}/load*.c")),
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Trouble(f"building the load generator failed:\n{done.stderr}")
    return out


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Talker(Process):
    """The load generator with a pipe each way."""

    def __init__(self, argv, work, cpus=None):
        super().__init__(argv, os.path.join(work, "load.log"), cpus=cpus,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._rest = b""

    def tell(self, line):
        try:
            self.popen.stdin.write(line.encode() + b"\n")
            self.popen.stdin.flush()
        except BrokenPipeError:
            raise Trouble(self.last_words()) from None

    def line(self, seconds):
        end = time.monotonic() + seconds
        while b"\n" not in self._rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.popen.stdout], [], [], left)[0]:
                raise Trouble(f"the load generator said nothing for {seconds:.0f} s")
            data = os.read(self.popen.stdout.fileno(), 65536)
            if not data:
                self.popen.wait()
                raise Trouble(self.last_words())
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()


class Target(Talker):
    def __init__(self, program, work, cpus=None):
        super().__init__([program, "target"], work, cpus)
        self.port = int(self.line(10).split()[1])


class Client(Talker):
    """A client that has opened its connections and waits for go()."""

    def __init__(self, program, work, mode, via, port, target, extra, cpus=None):
        argv = [program, mode, "--via", via, "--proxy", f"127.0.0.1:{port}",
                "--target", f"127.0.0.1:{target}"] + [str(x) for x in extra]
        super().__init__(argv, work, cpus)
        self.line(60)  # "ready"

    def go(self, seconds):
        self.tell("go")
        return json.loads(self.line(seconds + 30))

    def ask(self, text, seconds):
        self.tell(text)
        return json.loads(self.line(seconds))


def _receive(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise OSError("closed")
        data += more
    return data


def _stream_answer(kind, port, target):
    with socket.create_connection(("127.0.0.1", port), timeout=2) as s:
        where = socket.inet_aton("127.0.0.1") + struct.pack(">H", target)
        if kind == "socks5":
            s.sendall(b"\5\1\0")
            if _receive(s, 2) != b"\5\0":
                raise OSError("greeting")
            s.sendall(b"\5\1\0\1" + where)
            if _receive(s, 10)[:2] != b"\5\0":
                raise OSError("reply")
        elif kind == "http":
            s.sendall(f"CONNECT 127.0.0.1:{target} HTTP/1.1\r\n"
                      f"Host: 127.0.0.1:{target}\r\n\r\n".encode())
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += _receive(s, 1)
            if head[8:12] != b" 200":
                raise OSError("reply")
        s.sendall(struct.pack("=4Q", MAGIC, OP_HELLO, 77, 0))
        return _receive(s, 32)[8:16] == struct.pack("=Q", 77)


def _datagram_answer(port):
    packet = struct.pack("=4Q", MAGIC + 32, 1, 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.1)
        s.connect(("127.0.0.1", port))
        s.send(packet)
        return s.recv(64) == packet


def _greeting_answer(port):
    with socket.create_connection(("127.0.0.1", port), timeout=2) as s:
        s.sendall(b"\5\1\0")
        return _receive(s, 2) == b"\5\0"


def wait_answer(process, kind, port, target):
    """Returns when the target has answered through the proxy."""
    end = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < end:
        if process is not None and not process.alive():
            raise Trouble(f"{process.argv[0]} ended at once: {process.last_words()}")
        try:
            if kind == "udp":
                good = _datagram_answer(port)
            elif kind == "socks5-udp":
                good = _greeting_answer(port)
            else:
                good = _stream_answer(kind, port, target)
            if good:
                return
        except OSError:
            pass
        time.sleep(0.0003)
    raise Trouble(f"no answer on port {port} for {ANSWER_SECONDS:.0f} s: {process.last_words()}")
