# harness.py - what live tests share: the host under test, targets, small clients, TAP.
# SPDX-License-Identifier: MIT
"""Python 3 standard library only. Everything runs on loopback and is ended by pid."""

import atexit
import hashlib
import os
import random
import shutil
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

# It guesses where the memory of a plugin's threads is, and may guess wrong (LeakSanitizer crashes).
os.environ["ASAN_OPTIONS"] = "intercept_tls_get_addr=0:" + os.environ.get("ASAN_OPTIONS", "")
HOST = os.environ.get("GOST_HOST", "gost-host")
# So much larger may a process be: the address sanitizer keeps what was freed (quarantine_size_mb).
KEPT_KIB = 256 << 10 if "address" in os.environ.get("GOST_SANITIZERS", "") else 0
PATIENCE = 60  # seconds until what must come is missing: a slow and busy machine gets there, too
WORK = tempfile.mkdtemp(prefix="gost-live-")
_procs = []


def _cleanup():
    for p in _procs:
        if p.poll() is None:
            p.kill()
            p.wait()
    shutil.rmtree(WORK, ignore_errors=True)


atexit.register(_cleanup)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


# ---- TAP ------------------------------------------------------------------------------------


class Tap:
    def __init__(self):
        self.n = 0
        self.bad = 0

    def ok(self, good, name, note=""):
        self.n += 1
        if not good:
            self.bad += 1
        print(("ok %d - %s" if good else "not ok %d - %s") % (self.n, name), flush=True)
        if not good and note:
            for line in str(note).splitlines()[-40:]:
                print("# " + line, flush=True)
        return good

    def skip(self, name, why):
        self.n += 1
        print("ok %d - %s # SKIP %s" % (self.n, name, why), flush=True)

    def case(self, name, fn, *args):
        """Runs fn; an exception is a failed test with its trace."""
        try:
            r = fn(*args)
            return self.ok(r is None or r is True, name, "" if r is None or r is True else r)
        except Exception:
            return self.ok(False, name, traceback.format_exc())

    def ended(self, name, *hosts):
        """Ends hosts; a crash or a sanitizer's report fails here."""
        statuses = [h.stop() for h in hosts]
        text = "\n".join(h.text()[-3000:] for h in hosts)
        return self.ok(not any(statuses), name, "%s\n%s" % (statuses, text))

    def done(self):
        print("1..%d" % self.n, flush=True)
        sys.exit(1 if self.bad else 0)


def need(tap, program, name):
    """The path of a peer program, or None after a skip (a failure where peers are required)."""
    path = shutil.which(program)
    if path:
        return path
    if os.environ.get("GOST_REQUIRE_PEERS"):
        tap.ok(False, name, program + " is not installed")
    else:
        tap.skip(name, program + " is not installed")
    return None


# ---- ports and processes --------------------------------------------------------------------

_given = {}  # port: the name in the kernel that keeps it from other tests


def claim(port):
    """The port is ours until we end, whichever tests run beside us."""
    s = socket.socket(socket.AF_UNIX)
    try:
        s.bind("\0gost-live-port-%d" % port)
    except OSError:
        s.close()
        return False
    _given[port] = s
    return True


def free_port(kind=socket.SOCK_STREAM):
    """A port nobody has, for TCP and UDP alike. From below the kernel's own range, so that no
    outgoing connection of a test that runs beside takes it in between."""
    del kind
    while True:
        port = random.randrange(20000, 32000)
        if port in _given or not claim(port):
            continue
        try:
            for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::")):
                for k in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    with socket.socket(family, k) as s:
                        s.bind((host, port))
        except OSError:
            _given.pop(port).close()
            continue
        return port


def until(what, want=None, seconds=PATIENCE):
    """Looks until what() is true, or equals `want`; what it gave last. An error of a connection
    says that it is not so yet."""
    end = time.monotonic() + seconds
    while True:
        try:
            value = what()
        except (OSError, RuntimeError):
            value = None
        if (value if want is None else value == want) or time.monotonic() > end:
            return value
        time.sleep(0.02)


def must(what, seconds=PATIENCE):
    """The same for what the rest of a test stands on."""
    value = until(what, seconds=seconds)
    if not value:
        raise RuntimeError("it did not become so within %d s" % seconds)
    return value


def listening(port, kind="tcp"):
    """Whether somebody here has the port, seen without a connection: it would be served."""
    key = ":%04X" % port
    for name in (kind, kind + "6"):
        with open("/proc/net/" + name) as f:
            for line in f.readlines()[1:]:
                words = line.split()
                if words[1].endswith(key) and (kind == "udp" or words[3] == "0A"):
                    return True
    return False


def wait_port(port, proc=None, kind="tcp", seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not listening(port, kind):
        if proc is not None and proc.poll() is not None:
            raise RuntimeError("process ended early with status %s" % proc.returncode)
        if time.monotonic() > end:
            raise RuntimeError("nobody listens on %s port %d" % (kind, port))
        time.sleep(0.02)


class Host:
    """gost-host with the given arguments; ports and udp: what to wait for."""

    def __init__(self, *args, ports=(), udp=(), workers=None, env=None, cwd=None):
        self.log = tempfile.NamedTemporaryFile(dir=WORK, suffix=".log", delete=False)
        argv = [HOST] + (["--workers", str(workers)] if workers else []) + list(args)
        self.argv = argv
        self.proc = subprocess.Popen(
            argv,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=dict(os.environ, **(env or {})),
            cwd=cwd,
        )
        _procs.append(self.proc)
        try:
            for kind, wanted in (("tcp", ports), ("udp", udp)):
                for p in wanted:
                    wait_port(p, self.proc, kind)
        except RuntimeError as e:
            raise RuntimeError("%s\n%s\n%s" % (e, " ".join(argv), self.text()))

    def text(self):
        with open(self.log.name, errors="replace") as f:
            return f.read()

    def alive(self):
        return self.proc.poll() is None

    def says(self, words, seconds=PATIENCE):
        """Whether the log has these words, now or in a while."""
        return until(lambda: words in self.text(), seconds=seconds)

    def stop(self, seconds=PATIENCE):
        """SIGTERM; the exit status. A sanitizer's report makes it non-zero."""
        if self.alive():
            self.proc.send_signal(signal.SIGTERM)
        try:
            return self.proc.wait(seconds)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
            return "did not end within %d s of SIGTERM" % seconds

    def rss_kib(self):
        with open("/proc/%d/status" % self.proc.pid) as f:
            for line in f:
                if line.startswith("VmRSS"):
                    return int(line.split()[1])

    def fds(self):
        return len(os.listdir("/proc/%d/fd" % self.proc.pid))


# ---- targets --------------------------------------------------------------------------------


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024


def serve(fn, host="127.0.0.1"):
    """A TCP server: fn(socket) per connection. Returns the port."""

    class H(socketserver.BaseRequestHandler):
        def handle(self):
            try:
                fn(self.request)
            except OSError:
                pass

    cls = _Server
    if ":" in host:

        class V6(_Server):
            address_family = socket.AF_INET6

        cls = V6
    s = cls((host, 0), H)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    return s.server_address[1]


def read_all(s):
    parts = []
    while True:
        b = s.recv(65536)
        if not b:
            return b"".join(parts)
        parts.append(b)


def read_head(s, early=b""):
    """The head of an HTTP message, and what came behind it; None: it ended before."""
    while b"\r\n\r\n" not in early:
        b = s.recv(4096)
        if not b:
            return None
        early += b
    head, _, rest = early.partition(b"\r\n\r\n")
    return head, rest


def echo(s):
    while True:
        b = s.recv(65536)
        if not b:
            return
        s.sendall(b)


def pattern(n, seed=1):
    """n bytes that do not repeat soon, made quickly."""
    block = b"".join(hashlib.sha256(b"%d/%d" % (seed, i)).digest() for i in range(2048))
    return (block * (n // len(block) + 1))[:n]


def answer_after_end(size):
    """Reads until the client half-closes, then answers with a digest and `size` bytes."""

    def fn(s):
        got = read_all(s)
        time.sleep(0.05)
        s.sendall(hashlib.sha256(got).hexdigest().encode() + pattern(size, 3))
        s.shutdown(socket.SHUT_WR)
        s.recv(1)

    return fn


def http_target(body):
    """A plain HTTP/1.1 server: GET gives body, POST gives the digest of what came."""
    import http.server

    class H(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            if "chunked" in self.headers.get("Transfer-Encoding", ""):
                data = b""
                while True:
                    n = int(self.rfile.readline().split(b";")[0], 16)
                    data += self.rfile.read(n)
                    self.rfile.readline()
                    if n == 0:
                        break
            else:
                data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            digest = hashlib.sha256(data).hexdigest().encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(digest)))
            self.end_headers()
            self.wfile.write(digest)

    class S(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6
        daemon_threads = True
        request_queue_size = 1024

        def server_bind(self):
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            super().server_bind()

    s = S(("::", 0), H)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    return s.server_address[1]


def udp_echo(transform=lambda b: b):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))

    def run():
        while True:
            try:
                b, a = s.recvfrom(65535)
                s.sendto(transform(b), a)
            except OSError:
                return

    threading.Thread(target=run, daemon=True).start()
    return s.getsockname()[1]


# ---- clients --------------------------------------------------------------------------------


def ask(s, to, data, seen, seconds=PATIENCE):
    """Sends a datagram until one comes back, and once more every three seconds: it may be lost.
    `seen` keeps the answers of this socket, since one to what was sent twice may come late."""
    end = time.monotonic() + seconds
    s.settimeout(3)
    while time.monotonic() < end:
        s.sendto(data, to)
        try:
            got = s.recv(65535)
            while got in seen:
                got = s.recv(65535)
        except OSError:
            continue
        seen.add(got)
        return got
    return b""


def recv_exact(s, n):
    b = b""
    while len(b) < n:
        k = s.recv(n - len(b))
        if not k:
            raise RuntimeError("the connection ended after %d of %d bytes" % (len(b), n))
        b += k
    return b


def socks_addr(host, port):
    try:
        return b"\1" + socket.inet_aton(host) + struct.pack(">H", port)
    except OSError:
        pass
    try:
        return b"\4" + socket.inet_pton(socket.AF_INET6, host) + struct.pack(">H", port)
    except OSError:
        return b"\3" + bytes([len(host)]) + host.encode() + struct.pack(">H", port)


def read_socks_addr(s):
    t = recv_exact(s, 1)[0]
    if t == 1:
        host = socket.inet_ntoa(recv_exact(s, 4))
    elif t == 4:
        host = socket.inet_ntop(socket.AF_INET6, recv_exact(s, 16))
    else:
        host = recv_exact(s, recv_exact(s, 1)[0]).decode()
    return host, struct.unpack(">H", recv_exact(s, 2))[0]


def socks5_open(port, cmd, host, target_port, user=None, password="", early=b"", timeout=PATIENCE):
    """A SOCKS5 client: (socket, reply code, bound address)."""
    s = socket.create_connection(("127.0.0.1", port), timeout)
    s.sendall(b"\5\1\2" if user is not None else b"\5\1\0")
    if recv_exact(s, 2)[1] == 2:
        u, p = user.encode(), password.encode()
        s.sendall(b"\1" + bytes([len(u)]) + u + bytes([len(p)]) + p)
        if recv_exact(s, 2)[1] != 0:
            return s, -1, None
    s.sendall(b"\5" + bytes([cmd]) + b"\0" + socks_addr(host, target_port) + early)
    rep = recv_exact(s, 3)[1]
    return s, rep, read_socks_addr(s)


def connect_via(kind, port, host, target_port, timeout=PATIENCE):
    """A socket to the target through a proxy of this kind."""
    if kind == "socks5":
        s, rep, _ = socks5_open(port, 1, host, target_port, timeout=timeout)
        if rep:
            raise RuntimeError("socks5 reply %d" % rep)
        return s
    s = socket.create_connection(("127.0.0.1", port), timeout)
    if kind == "http":
        name = "[%s]" % host if ":" in host else host
        s.sendall(
            (
                "CONNECT %s:%d HTTP/1.1\r\nHost: %s:%d\r\n\r\n"
                % (name, target_port, name, target_port)
            ).encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += recv_exact(s, 1)
        if b" 200 " not in head.splitlines()[0] + b" ":
            raise RuntimeError(head.decode(errors="replace"))
    elif kind in ("socks4", "socks4a"):
        if kind == "socks4":
            s.sendall(b"\4\1" + struct.pack(">H", target_port) + socket.inet_aton(host) + b"\0")
        else:
            s.sendall(
                b"\4\1" + struct.pack(">H", target_port) + b"\0\0\0\1\0" + host.encode() + b"\0"
            )
        if recv_exact(s, 8)[1] != 90:
            raise RuntimeError("socks4 refused")
    elif kind != "forward":
        raise RuntimeError("no client for " + kind)
    return s


def run(argv, timeout=60, **kw):
    return subprocess.run(
        argv, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL, **kw
    )


def run_input(argv, data, timeout=60):
    return subprocess.run(argv, capture_output=True, timeout=timeout, input=data)


def certificate(name="peer.example"):
    """A self-signed certificate and its key, made by openssl: (cert, key)."""
    cert = os.path.join(WORK, name + ".crt")
    key = os.path.join(WORK, name + ".key")
    made = run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=" + name,
            "-addext",
            "subjectAltName=DNS:%s,IP:127.0.0.1" % name,
            "-keyout",
            key,
            "-out",
            cert,
        ]
    )
    if made.returncode:
        raise RuntimeError(made.stderr.decode())
    os.chmod(key, 0o644)
    return cert, key
