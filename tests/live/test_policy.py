# test_policy.py - policies in a running host: sources, reloads, silent peers, names, limits.
# SPDX-License-Identifier: MIT

import http.server
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time

import harness as h
from harness import PATIENCE, until

tap = h.Tap()
ECHO = h.serve(h.echo)


# ---- helpers --------------------------------------------------------------------------------


def path(name, text=None):
    p = os.path.join(h.WORK, name)
    if text is not None:
        with open(p + ".new", "w") as f:
            f.write(text)
        os.rename(p + ".new", p)
    return p


def host(name, text, *ports, **kw):
    return h.Host("-C", path(name + ".yml", text), ports=ports, **kw)


def service(port, more="", handler="type: socks5"):
    return """
services:
- name: s
  addr: 127.0.0.1:%d
%s
  handler: {%s}
  listener: {type: tcp}
""" % (
        port,
        "\n".join("  " + line for line in more.splitlines()),
        handler,
    )


def reply(port, target=("127.0.0.1", ECHO), **kw):
    """The SOCKS5 reply, -1 for wrong credentials, -2 for a closed connection."""
    try:
        s, rep, _ = h.socks5_open(port, 1, target[0], target[1], **kw)
        s.close()
        return rep
    except (RuntimeError, OSError):
        return -2


def becomes(port, want, **kw):
    got = until(lambda: reply(port, **kw), want)
    return got == want or "the reply stays %r instead of %r" % (got, want)


class Web:
    """A web server whose body, status and location can change."""

    def __init__(self):
        self.body, self.status, self.location, self.n = b"", 200, None, 0
        web = self

        class H(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                web.n += 1
                if web.location and self.path == "/":
                    self.send_response(302)
                    self.send_header("Location", web.location)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(web.status)
                self.send_header("Content-Length", str(len(web.body)))
                self.end_headers()
                self.wfile.write(web.body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Redis:
    def __init__(self, *args):
        self.port = h.free_port()
        self.proc = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
            + ["--dir", h.WORK, *args],
            stdout=subprocess.DEVNULL,
        )
        h._procs.append(self.proc)
        h.wait_port(self.port, self.proc)

    def cmd(self, *words):
        with socket.create_connection(("127.0.0.1", self.port), 10) as s:
            for line in words:
                parts = line.split(" ")
                s.sendall(b"*%d\r\n" % len(parts))
                for p in parts:
                    s.sendall(b"$%d\r\n%s\r\n" % (len(p), p.encode()))
                if s.recv(4096).startswith(b"-"):
                    raise RuntimeError(line)


def silent():
    """Accepts and never answers. Returns the port and the list of connections."""
    got = []

    def fn(s):
        got.append(s)
        while s.recv(65536):
            pass

    return h.serve(fn), got


# ---- sources --------------------------------------------------------------------------------


def bypass_file():
    f, port = path("blocked", "# nobody\n10.0.0.0/8\n"), h.free_port()
    text = service(port, "bypass: b") + "bypasses:\n- {name: b, reload: 1s, file: {path: %s}}\n" % f
    b = host("bypass", text, port)
    assert becomes(port, 0) is True
    path("blocked", "10.0.0.0/8\n127.0.0.1\n")
    assert becomes(port, 2) is True
    os.unlink(f)
    until(lambda: "last good data stay" in b.text())
    assert b.text().count("last good data stay") == 1, b.text()
    assert reply(port) == 2
    path("blocked", "10.0.0.0/33\n192.0.2.0/24\n")
    assert becomes(port, 0) is True
    assert "the first is %s:1" % f in b.text()
    assert "answers again" in b.text()
    return b.stop() == 0


def bypass_whitelist_without_data():
    port = h.free_port()
    text = service(port, "bypass: b") + (
        "bypasses:\n- {name: b, whitelist: true, reload: 1s, file: {path: %s}}\n" % path("later")
    )
    b = host("white", text, port)
    assert becomes(port, 2) is True, "a white list without its data lets all through"
    path("later", "127.0.0.0/8\n")
    assert becomes(port, 0) is True
    return b.stop() == 0


def auther_file():
    f, port = path("users", "# users\nbob  s p#ace\n"), h.free_port()
    text = service(port, "", "type: socks5, auther: a") + (
        "authers:\n- {name: a, reload: 1s, auths: [{username: eve, password: x}], "
        "file: {path: %s}}\n" % f
    )
    b = host("auther", text, port, workers=2)
    assert becomes(port, 0, user="bob", password="s p#ace") is True
    assert reply(port, user="bob", password="wrong") == -1
    assert reply(port, user="eve", password="x") == 0
    path("users", "eve y\n")
    assert becomes(port, -1, user="bob", password="s p#ace") is True
    assert reply(port, user="eve", password="x") == -1, "the file does not win over inline users"
    assert reply(port, user="eve", password="y") == 0
    return b.stop() == 0


def auther_closed():
    port = h.free_port()
    text = service(port, "", "type: socks5, auther: a") + (
        "authers:\n- {name: a, reload: 1s, file: {path: %s}}\n" % path("nowhere")
    )
    b = host("closed", text, port)
    until(lambda: "no data of it yet" in b.text())
    assert reply(port, user="bob", password="x") == -1
    path("nowhere", "bob x\n")
    assert becomes(port, 0, user="bob", password="x") is True
    return b.stop() == 0


def admission_file():
    f, port = path("clients"), h.free_port()
    text = service(port, "admission: a") + (
        "admissions:\n- {name: a, reload: 1s, file: {path: %s}}\n" % f
    )
    b = host("admission", text, port)
    until(lambda: "no data of it yet" in b.text())
    assert reply(port) == -2, "a black list without its data admits"
    path("clients", "192.0.2.0/24\n")
    assert becomes(port, 0) is True
    path("clients", "127.0.0.0/8\n")
    assert becomes(port, -2) is True
    return b.stop() == 0


def admission_inline():
    for white, pattern, want in (
        ("false", "127.0.0.1", -2),
        ("false", "192.0.2.1", 0),
        ("true", "localhost", 0),
        ("true", "192.0.2.1", -2),
    ):
        port = h.free_port()
        text = service(port, "admission: a") + (
            "admissions:\n- {name: a, whitelist: %s, matchers: ['%s']}\n" % (white, pattern)
        )
        b = host("inline", text, port)
        assert reply(port) == want, (white, pattern)
        assert b.stop() == 0
    return True


def http_source():
    web, port = Web(), h.free_port()
    web.body = b"10.0.0.0/8\n"
    text = service(port, "bypass: b") + (
        "bypasses:\n- {name: b, reload: 1s, http: {url: 'http://127.0.0.1:%d/'}}\n" % web.port
    )
    b = host("http", text, port)
    until(lambda: web.n > 0)
    assert reply(port) == 0
    web.body = b"127.0.0.1\n"
    assert becomes(port, 2) is True
    web.status, web.body = 500, b""
    until(lambda: "answered with status 500" in b.text())
    assert reply(port) == 2, "an error of the server emptied the list"
    web.status, web.body, web.location = 200, b"192.0.2.1\n", "/moved"
    assert becomes(port, 0) is True
    web.server.shutdown()
    web.server.server_close()
    return b.stop() == 0


def redis_source():
    r, port = Redis("--requirepass", "pw"), h.free_port()
    r.cmd("AUTH pw", "SELECT 3", "SADD blocked 127.0.0.1", "HSET users bob secret")
    text = service(port, "bypass: b", "type: socks5, auther: a") + ("""
bypasses:
- {name: b, reload: 1s, redis: {addr: '127.0.0.1:%d', db: 3, password: pw, key: blocked}}
authers:
- {name: a, reload: 1s, redis: {addr: '127.0.0.1:%d', db: 3, password: pw, key: users}}
""" % (r.port, r.port))
    b = host("redis", text, port, workers=2)
    assert becomes(port, 2, user="bob", password="secret") is True
    assert reply(port, user="bob", password="other") == -1
    r.cmd("AUTH pw", "SELECT 3", "SREM blocked 127.0.0.1")
    assert becomes(port, 0, user="bob", password="secret") is True
    r.proc.kill()
    r.proc.wait()
    until(lambda: b.text().count("last good data stay") == 2)
    assert reply(port, user="bob", password="secret") == 0
    assert "secret" not in b.text() and "pw" not in b.text()
    return b.stop() == 0


def silent_sources():
    """Peers that accept and never answer, beside a flow that must not notice, on one worker."""
    (web, web_got), (red, red_got), port = silent(), silent(), h.free_port()
    text = service(port, "bypass: b") + ("""
bypasses:
- {name: b, reload: 1s, matchers: [192.0.2.1],
   http: {url: 'http://127.0.0.1:%d/x', timeout: 2s}, redis: {addr: '127.0.0.1:%d'}}
- {name: c, reload: 1s, http: {url: 'http://127.0.0.1:%d/x'}}
""" % (web, red, web))
    b = host("silent", text, port, workers=1)
    until(lambda: len(web_got) >= 2 and len(red_got) >= 1)
    s = h.connect_via("socks5", port, "127.0.0.1", ECHO)
    s.settimeout(PATIENCE)
    data = h.pattern(1 << 20)
    threading.Thread(target=s.sendall, args=(data,), daemon=True).start()
    assert h.recv_exact(s, len(data)) == data
    assert reply(port) == 0 and reply(port, ("192.0.2.1", 1)) == 2
    until(lambda: "no answer within 2000 ms" in b.text())
    assert "no answer within 2000 ms" in b.text(), b.text()
    assert reply(port) == 0
    return b.stop() == 0


def reload_keeps_data():
    """A reload that leaves a policy as it was keeps its data though its source is gone."""
    f, port = path("kept", "127.0.0.1\n"), h.free_port()
    text = service(port, "bypass: b") + "bypasses:\n- {name: b, file: {path: %s}}\n" % f
    b = host("keep", text, port)
    assert becomes(port, 2) is True
    os.unlink(f)
    path("keep.yml", text + "- {name: other, matchers: [10.0.0.1]}\n")
    b.proc.send_signal(signal.SIGHUP)
    until(lambda: "config reloaded" in b.text())
    until(lambda: "last good data stay" in b.text())
    assert reply(port) == 2
    path("kept", "10.0.0.1\n")  # no period: the signal fetches again
    b.proc.send_signal(signal.SIGHUP)
    assert becomes(port, 0) is True
    return b.stop() == 0


def bad_configurations():
    for section, text, message in (
        ("bypasses", "{name: b, http: {url: 'gopher://x'}}", "write http://host:port/path"),
        ("bypasses", "{name: b, file: {path: ''}}", "path"),
        ("bypasses", "{name: b, plugin: {addr: 'x:1'}}", "plugin service"),
        ("admissions", "{name: a, matchers: ['10.0.0.0/40']}", "no pattern of clients"),
    ):
        p = path("bad.yml", service(h.free_port()) + "%s:\n- %s\n" % (section, text))
        r = h.run([h.HOST, "--check", "-C", p])
        assert r.returncode == 1 and message.encode() in r.stderr, (text, r.stderr)
    return True


# ---- names ----------------------------------------------------------------------------------


class Dns:
    """A name server over UDP and TCP: {name: [addresses]}; "?" for a type: NXDOMAIN."""

    def __init__(self, names, ttl=300, answer=True, truncate=False):
        self.names, self.ttl, self.answer, self.truncate = names, ttl, answer, truncate
        self.asked, self.dropped = [], 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", h.free_port()))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def tcp(self, wrap=lambda s: s):
        def fn(s):
            s = wrap(s)
            n = int.from_bytes(h.recv_exact(s, 2), "big")
            r = self.reply(h.recv_exact(s, n), "tcp")
            s.sendall(len(r).to_bytes(2, "big") + r)
            s.recv(1)

        return h.serve(fn)

    def reply(self, q, how):
        labels, at = [], 12
        while q[at]:
            labels.append(q[at + 1 : at + 1 + q[at]].decode())
            at += 1 + q[at]
        name, kind = ".".join(labels), q[at + 2]
        self.asked.append((how, name, kind))
        question = q[12 : at + 5]
        if name not in self.names:
            return q[:2] + b"\x81\x83\0\1\0\0\0\0\0\0" + question
        if how == "udp" and self.truncate:
            return q[:2] + b"\x83\x80\0\1\0\0\0\0\0\0" + question
        records = b""
        n = 0
        for a in self.names[name]:
            six = ":" in a
            if six != (kind == 28):
                continue
            data = socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, a)
            records += b"\xc0\x0c\0" + bytes([kind]) + b"\0\1" + self.ttl.to_bytes(4, "big")
            records += len(data).to_bytes(2, "big") + data
            n += 1
        return q[:2] + b"\x81\x80\0\1\0" + bytes([n]) + b"\0\0\0\0" + question + records

    def run(self):
        while True:
            q, a = self.sock.recvfrom(4096)
            if not self.answer:
                self.dropped += 1
                continue
            self.sock.sendto(self.reply(q, "udp"), a)


def hosts_policy():
    port = h.free_port()
    text = service(port, "hosts: x") + (
        "hosts:\n- name: x\n  reload: 1s\n  file: {path: %s}\n  mappings:\n"
        "  - {ip: 127.0.0.1, hostname: a.invalid, aliases: [b.invalid]}\n"
        "  - {ip: 127.0.0.1, hostname: .c.invalid}\n"
        % path("hosts", "127.0.0.1 d.invalid e.invalid\n")
    )
    b = host("hosts", text, port)
    for name in ("a.invalid", "b.invalid", "c.invalid", "x.y.c.invalid"):
        assert reply(port, (name, ECHO)) == 0, name
    got = until(lambda: reply(port, ("e.invalid", ECHO)), 0)
    assert got == 0 and reply(port, ("d.invalid", ECHO)) == 0
    assert reply(port, ("f.invalid", ECHO)) not in (0, -2)
    assert until(lambda: '"host":"x.y.c.invalid:' in b.text()), b.text()
    return b.stop() == 0


def resolver_udp():
    dead, dns = Dns({}, answer=False), Dns({"ok.invalid": ["127.0.0.1"], "six.invalid": ["::1"]})
    port = h.free_port()
    text = service(port, "resolver: r") + (
        "resolvers:\n- name: r\n  nameservers:\n  - {addr: 'udp://127.0.0.1:%d', timeout: 600ms}\n"
        "  - {addr: '127.0.0.1:%d'}\n" % (dead.port, dns.port)
    )
    b = host("udp", text, port, workers=1)
    six = h.serve(h.echo, "::1")
    assert reply(port, ("ok.invalid", ECHO)) == 0
    assert dead.dropped == 3, "not asked again within the timeout: %d" % dead.dropped
    assert reply(port, ("OK.invalid.", ECHO)) == 0
    assert dns.asked == [("udp", "ok.invalid", 1)], "the cache was not used: %r" % dns.asked
    assert reply(port, ("six.invalid", six)) == 0
    assert dns.asked[1:] == [("udp", "six.invalid", 1), ("udp", "six.invalid", 28)]
    assert reply(port, ("none.invalid", ECHO)) == 3
    assert until(lambda: "the name does not exist" in b.text())
    return b.stop() == 0


def resolver_single_flight():
    dns, port = Dns({"ok.invalid": ["127.0.0.1"]}), h.free_port()
    text = service(port, "resolver: r") + (
        "resolvers:\n- {name: r, nameservers: [{addr: '127.0.0.1:%d', ttl: -1s}]}\n" % dns.port
    )
    b = host("flight", text, port, workers=1)
    dns.answer = False
    got = []
    threads = [
        threading.Thread(target=lambda: got.append(reply(port, ("ok.invalid", ECHO))))
        for _ in range(20)
    ]
    for t in threads:
        t.start()
    until(lambda: dns.dropped > 0)
    dns.answer = True
    for t in threads:
        t.join()
    assert got == [0] * 20, got
    n = len(dns.asked)
    assert n < 20, "%d questions for 20 clients" % n
    assert reply(port, ("ok.invalid", ECHO)) == 0
    assert len(dns.asked) == n + 1, "a negative ttl keeps nothing"
    return b.stop() == 0


def resolver_truncated_and_tcp():
    names = {"ok.invalid": ["127.0.0.1"]}
    cut, port = Dns(names, truncate=True), h.free_port()
    tcp = cut.tcp()
    # The same port must answer over TCP: a second server on the port of the first.
    listener = socket.create_server(("127.0.0.1", cut.port))

    def serve():
        while True:
            s, _ = listener.accept()
            n = int.from_bytes(h.recv_exact(s, 2), "big")
            r = cut.reply(h.recv_exact(s, n), "tcp")
            s.sendall(len(r).to_bytes(2, "big") + r)

    threading.Thread(target=serve, daemon=True).start()
    for addr in ("udp://127.0.0.1:%d" % cut.port, "tcp://127.0.0.1:%d" % tcp):
        cut.asked.clear()
        port = h.free_port()
        b = host(
            "tcp",
            service(port, "resolver: r")
            + "resolvers:\n- {name: r, nameservers: [{addr: '%s', only: ipv4}]}\n" % addr,
            port,
        )
        assert reply(port, ("ok.invalid", ECHO)) == 0, addr
        assert cut.asked[-1] == ("tcp", "ok.invalid", 1)
        assert b.stop() == 0
    return True


def certificate():
    cert, key = path("c.pem"), path("k.pem")
    r = h.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost".split()
        + ["-keyout", key, "-out", cert]
    )
    assert r.returncode == 0, r.stderr
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(cert, key)
    return ctx, cert


def resolver_tls_and_https():
    ctx, cert = certificate()
    dns = Dns({"ok.invalid": ["127.0.0.1"]})
    tls = dns.tcp(lambda s: ctx.wrap_socket(s, server_side=True))

    class H(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_POST(self):
            assert self.headers["Content-Type"] == "application/dns-message"
            r = dns.reply(self.rfile.read(int(self.headers["Content-Length"])), self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(r)))
            self.end_headers()
            self.wfile.write(r)

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
    web.socket = ctx.wrap_socket(web.socket, server_side=True)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    doh = "https://localhost:%d/dns-query" % web.server_address[1]
    for addr, trust, want in (
        ("tls://127.0.0.1:%d" % tls, "/dev/null", 0),  # GOST does not verify here
        (doh, cert, 0),
        (doh, "/dev/null", 3),
    ):
        port = h.free_port()
        b = host(
            "tls",
            service(port, "resolver: r")
            + "resolvers:\n- {name: r, nameservers: [{addr: '%s'}]}\n" % addr,
            port,
            env={"SSL_CERT_FILE": trust},
        )
        got = reply(port, ("ok.invalid", ECHO))
        assert got == want, (addr, got, b.text())
        assert b.stop() == 0
    assert ("/dns-query", "ok.invalid", 1) in dns.asked
    return True


def node_names():
    """Nodes by name: the hop's hosts and a node's resolver, which is asked through a chain."""
    dns = Dns({"second.invalid": ["127.0.0.1"]})
    p1, p2, port = h.free_port(), h.free_port(), h.free_port()
    tcp = dns.tcp()
    text = service(port, "", "type: socks5, chain: c") + ("""
- {name: p1, addr: 127.0.0.1:%d, handler: {type: socks5}, listener: {type: tcp}}
- {name: p2, addr: 127.0.0.1:%d, handler: {type: socks5}, listener: {type: tcp}}
chains:
- name: c
  hops:
  - {name: h1, hosts: x, nodes: [{name: n1, addr: 'first.invalid:%d',
     connector: {type: socks5}, dialer: {type: tcp}}]}
  - {name: h2, nodes: [{name: n2, addr: 'second.invalid:%d', resolver: r,
     connector: {type: socks5}, dialer: {type: tcp}}]}
- name: out
  hops:
  - {name: h3, nodes: [{name: n3, addr: '127.0.0.1:%d',
     connector: {type: socks5}, dialer: {type: tcp}}]}
hosts:
- {name: x, mappings: [{ip: 127.0.0.1, hostname: first.invalid}]}
resolvers:
- {name: r, nameservers: [{addr: 'tcp://127.0.0.1:%d', chain: out}]}
""" % (p1, p2, p1, p2, p1, tcp))
    b = host("nodes", text, port, p1, p2)
    assert reply(port) == 0, b.text()
    assert dns.asked == [("tcp", "second.invalid", 1)], dns.asked
    return b.stop() == 0


def resolver_left_alone():
    """Clients that leave while their name is asked for, and an end of the host meanwhile."""
    dead, port = Dns({}, answer=False), h.free_port()
    text = service(port, "resolver: r") + (
        "resolvers:\n- {name: r, nameservers: [{addr: '127.0.0.1:%d', timeout: 60s}]}\n" % dead.port
    )
    b = host("left", text, port, workers=2)

    def ask(name):
        s = socket.create_connection(("127.0.0.1", port), 10)
        s.sendall(b"\5\1\0")
        h.recv_exact(s, 2)
        s.sendall(b"\5\1\0" + h.socks_addr(name, 80))
        return s

    for i in range(6):
        s = ask("name%d.invalid" % (i % 2))
        until(lambda: dead.dropped > 0)
        s.close()
    stay = [ask("name%d.invalid" % i) for i in range(4)]
    until(lambda: dead.dropped >= 4)
    path("left.yml", text.replace("60s", "50s"))
    b.proc.send_signal(signal.SIGHUP)  # the old resolver is still asking
    until(lambda: "config reloaded" in b.text())
    status = b.stop()
    for s in stay:
        s.close()
    return status == 0


# ---- limits ---------------------------------------------------------------------------------


def source(n):
    """A target that sends n bytes at once."""
    data = h.pattern(n)

    def fn(s):
        s.sendall(data)

    return h.serve(fn)


def sink():
    """A target that reads to the end and answers with the length."""
    return h.serve(lambda s: s.sendall(b"%d" % len(h.read_all(s))))


def drain(s):
    n = 0
    while True:
        b = s.recv(1 << 20)
        if not b:
            return n
        n += len(b)


def limiter_rates():
    """What passed is never more than burst + rate * time; every byte passes."""
    size, rate = 3 << 20, 1 << 20
    down, up = source(size), sink()
    for rule, directions in (
        ("$ 0 1MB", "down"),
        ("$$ 1MB 1MB", "both"),
        ("127.0.0.1 1MB", "up"),
        ("127.0.0.0/8 0 1MB", "down"),
    ):
        port = h.free_port()
        text = service(port, "limiter: l") + "limiters:\n- {name: l, limits: ['%s']}\n" % rule
        b = host("rate", text, port, workers=1)
        if directions != "up":
            t = time.monotonic()
            s = h.connect_via("socks5", port, "127.0.0.1", down)
            assert drain(s) == size
            assert size <= rate + rate * (time.monotonic() - t) + (256 << 10), rule
        if directions != "down":
            t = time.monotonic()
            s = h.connect_via("socks5", port, "127.0.0.1", up)
            s.sendall(h.pattern(size))
            s.shutdown(socket.SHUT_WR)
            assert h.read_all(s) == b"%d" % size
            assert size <= rate + rate * (time.monotonic() - t) + (256 << 10), rule
        assert b.stop() == 0
    return True


def limiter_shared():
    """Four connections on two workers share one balance; another service has its own."""
    size, rate = 1 << 20, 1 << 20
    down, port, other = source(size), h.free_port(), h.free_port()
    text = (
        service(port, "limiter: l")
        + "- {name: o, addr: 127.0.0.1:%d, handler: {type: socks5}, listener: {type: tcp}}\n"
        % other
        + "limiters:\n- {name: l, limits: ['$ 0 1MB']}\n"
    )
    b = host("shared", text, port, other, workers=2)
    got = []
    t = time.monotonic()
    threads = [
        threading.Thread(
            target=lambda: got.append(drain(h.connect_via("socks5", port, "127.0.0.1", down)))
        )
        for _ in range(4)
    ]
    for x in threads:
        x.start()
    assert drain(h.connect_via("socks5", other, "127.0.0.1", down)) == size
    for x in threads:
        x.join()
    assert got == [size] * 4, got
    assert 4 * size <= rate + rate * (time.monotonic() - t) + 2 * (256 << 10)
    return b.stop() == 0


def limiter_changes():
    """A connection that would need an hour gets through when its limit is lifted."""
    size = 4 << 20
    down, port = source(size), h.free_port()
    text = service(port, "limiter: l") + (
        "limiters:\n- {name: l, reload: 1s, file: {path: %s}}\n" % path("rates", "$ 0 1KB\n")
    )
    b = host("change", text, port)
    for _ in range(50):  # until the file was read
        s, n, end = h.connect_via("socks5", port, "127.0.0.1", down), 0, time.time() + 1
        while n < size and time.time() < end:
            n += len(s.recv(1 << 20))
        if n < 65536:
            break
    assert 0 < n < 65536, "nothing was limited"
    path("rates", "# no more\n")
    s.settimeout(PATIENCE)
    assert n + drain(s) == size
    return b.stop() == 0


def climiter():
    port = h.free_port()
    text = service(port, "climiter: c") + "climiters:\n- {name: c, limits: ['$$ 2']}\n"
    b = host("crowd", text, port)

    def connected():
        try:
            return h.connect_via("socks5", port, "127.0.0.1", ECHO)
        except OSError:
            return None

    pair = []
    until(lambda: pair.append(connected()) or len([s for s in pair if s]) == 2)
    a, c = (s for s in pair if s)
    assert reply(port) == -2 and reply(port) == -2
    assert until(lambda: "too many connections" in b.text())
    a.close()
    assert until(lambda: reply(port), 0) == 0, "a connection that ended still counts"
    path("crowd.yml", text.replace("$$ 2", "$$ 1"))
    b.proc.send_signal(signal.SIGHUP)
    until(lambda: "config reloaded" in b.text())
    assert until(lambda: reply(port), -2) == -2, "a reload forgot the open connection"
    c.close()
    assert until(lambda: reply(port), 0) == 0
    return b.stop() == 0


def rlimiter():
    port, other = h.free_port(), h.free_port()
    text = service(port, "rlimiter: r") + (
        "- {name: o, addr: 127.0.0.1:%d, handler: {type: socks5}, listener: {type: tcp}}\n"
        "rlimiters:\n- {name: r, limits: ['$$ 0.0001', '127.0.0.9 100']}\n" % other
    )
    b = h.Host("-C", path("pace.yml", text), ports=[other])
    assert reply(port) == 0
    assert reply(port) == -2 and reply(port) == -2
    assert until(lambda: "too many requests" in b.text())
    assert reply(other) == 0
    return b.stop() == 0


def url_policies():
    """The same from a command line."""
    port, down, size = h.free_port(), source(1 << 20), 1 << 20
    b = h.Host(
        "-L",
        "socks5://127.0.0.1:%d?hosts=a.invalid:127.0.0.1&limiter.out=512KB&climiter=9"
        "&admission=~127.0.0.1&bypass=192.0.2.0/24" % port,
        ports=[port],
    )
    until(lambda: reply(port, ("192.0.2.1", 1)), 2)
    assert reply(port, ("192.0.2.1", 1)) == 2
    t = time.monotonic()
    s = until(lambda: reply(port, ("a.invalid", ECHO)), 0)
    assert s == 0
    s = h.connect_via("socks5", port, "a.invalid", down)
    assert drain(s) == size
    assert size <= (512 << 10) * (1 + time.monotonic() - t) + (256 << 10)
    return b.stop() == 0


# ---- recorders ------------------------------------------------------------------------------


class Sink:
    """Takes what recorders bring: whole connections over TCP, bodies over HTTP."""

    def __init__(self):
        self.tcp, self.http, sink = [], [], self
        self.tcp_port = h.serve(lambda s: self.tcp.append(h.read_all(s)))

        class H(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.http.append((self.headers["Content-Type"], self.headers["X-Key"], body))
                self.send_response(204)
                self.end_headers()

        web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
        threading.Thread(target=web.serve_forever, daemon=True).start()
        self.http_port = web.server_address[1]


def recorders():
    port, sink, dead = h.free_port(), Sink(), h.free_port()
    log = path("records")
    text = """
services:
- name: s
  addr: 127.0.0.1:%d
  handler: {type: socks5, auth: {username: bob, password: pw}}
  listener: {type: tcp}
  recorders:
  - {name: f, record: recorder.service.handler}
  - {name: t, record: recorder.service.client.address}
  - {name: w, record: recorder.service.router.dial.address}
  - {name: e, record: recorder.service.router.dial.address.error}
  - {name: t, record: recorder.service.handler}
recorders:
- {name: f, file: {path: %s, sep: "\\n"}}
- {name: t, tcp: {addr: '127.0.0.1:%d'}}
- {name: w, http: {url: 'http://127.0.0.1:%d/r', header: {X-Key: k}}}
- {name: e, file: {path: %s, sep: ";"}}
""" % (
        port,
        log,
        sink.tcp_port,
        sink.http_port,
        path("errors"),
    )
    b = host("record", text)
    assert until(lambda: reply(port, user="bob", password="pw"), 0) == 0
    s, rep, _ = h.socks5_open(port, 1, "127.0.0.1", ECHO, user="bob", password="pw")
    s.sendall(b"x" * 1000)
    assert h.recv_exact(s, 1000) == b"x" * 1000
    s.close()
    got = reply(port, ("127.0.0.1", dead), user="bob", password="pw")
    assert got not in (0, -1, -2), got

    def lines():
        with open(log) as f:
            return [json.loads(line) for line in f.read().splitlines()]

    until(lambda: len([r for r in lines() if r["host"]]) == 3)
    # which of two connections ends first is up to the host
    (full,) = [r for r in lines() if r["inputBytes"] > 1000]
    (failed,) = [r for r in lines() if r["host"] and "err" in r]
    assert (
        list(full)
        == (
            "service network remote local client src dst host clientIP clientID route inputBytes "
            "outputBytes sid duration time"
        ).split()
    ), list(full)
    assert full["dst"] == full["host"] == full["route"] == "127.0.0.1:%d" % ECHO
    assert full["clientID"] == "bob" and full["client"].startswith("127.0.0.1:")
    assert full["inputBytes"] > 1000 and full["duration"] > 0
    assert failed["dst"] == "" and "refused" in failed["err"], failed
    until(lambda: len(sink.http) == 3)
    assert sink.http[0] == ("application/json", "k", b"127.0.0.1"), sink.http
    assert until(lambda: b"127.0.0.1" in sink.tcp)
    assert until(lambda: open(path("errors")).read() == "127.0.0.1;")
    return b.stop() == 0


def recorder_redis_and_dead():
    r, port, dead = Redis(), h.free_port(), h.free_port()
    text = service(
        port,
        "recorders:\n- {name: r, record: recorder.service.router.dial.address}\n"
        "- {name: d, record: recorder.service.client.address}",
    ) + (
        "recorders:\n- {name: r, redis: {addr: '127.0.0.1:%d', key: k, type: sset}}\n"
        "- {name: d, tcp: {addr: '127.0.0.1:%d'}}\n" % (r.port, dead)
    )
    b = host("redisrec", text, port)
    assert reply(port) == 0 and reply(port) == 0

    def score():
        with socket.create_connection(("127.0.0.1", r.port), 10) as s:
            s.sendall(b"ZSCORE k 127.0.0.1\r\n")
            return s.recv(100)

    assert until(score, b"$1\r\n2\r\n") == b"$1\r\n2\r\n"
    assert until(lambda: "a record is lost" in b.text())
    return b.stop() == 0


def observer():
    """States and statistics of a service; an observer that refuses gets the same again."""
    got, refuse = [], []

    class H(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            ok = not refuse
            if ok:
                got.extend(body["events"])
            else:
                refuse.append(body["events"])
            data = json.dumps({"ok": ok}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    port = h.free_port()
    text = service(port, "observer: o\nmetadata: {enableStats: true, observer.period: 1s}") + (
        "observers:\n- {name: o, plugin: {type: http, addr: 'http://127.0.0.1:%d/o'}}\n"
        % web.server_address[1]
    )
    b = host("observe", text, port, workers=2)

    def states():
        return [e["status"]["state"] for e in got if e["type"] == "status"]

    def stats():
        return [e["stats"] for e in got if e["type"] == "stats"]

    assert until(lambda: sorted(states()), ["ready", "running"]) == ["ready", "running"]
    s = h.connect_via("socks5", port, "127.0.0.1", ECHO)
    s.sendall(b"x" * 5000)
    h.recv_exact(s, 5000)
    live = lambda: bool(stats()) and stats()[-1]["inputBytes"] >= 5000
    assert until(live), "a live connection's bytes are not told: %r" % stats()
    assert stats()[-1]["currentConns"] >= 1 and stats()[-1]["outputBytes"] >= 5000
    refuse.append(None)
    s.close()
    until(lambda: len(refuse) >= 3)
    first, again = refuse[1:3]
    assert first == again, "what was refused is not sent again"
    refuse.clear()
    assert until(lambda: stats()[-1]["currentConns"], 0) == 0
    path("observe.yml", text.replace("name: s\n", "name: t\n"))
    b.proc.send_signal(signal.SIGHUP)
    assert until(lambda: "closed" in states())
    return b.stop() == 0


for name, fn in (
    ("a bypass from a file that changes, vanishes and is malformed", bypass_file),
    ("a white list without its data bypasses all", bypass_whitelist_without_data),
    ("users from a file, on two workers", auther_file),
    ("an auther without its data rejects everybody", auther_closed),
    ("an admission from a file; closed before its data came", admission_file),
    ("inline admissions, black and white", admission_inline),
    ("data from a web server: changes, errors, redirects", http_source),
    ("sources that accept and never answer disturb nobody", silent_sources),
    ("a reload keeps the data of an unchanged policy and fetches again", reload_keeps_data),
    ("hosts: aliases, domains, a file", hosts_policy),
    ("a resolver over UDP: dead server, cache, both families, no such name", resolver_udp),
    (
        "many clients share one question; nothing is kept with a negative ttl",
        resolver_single_flight,
    ),
    ("truncated replies are asked for over TCP; a server over TCP", resolver_truncated_and_tcp),
    ("name servers over TLS and HTTPS", resolver_tls_and_https),
    ("addresses of nodes by hosts and by a resolver through a chain", node_names),
    ("clients that leave while their name is asked for", resolver_left_alone),
    ("rates of bytes: all, each, an address, a network", limiter_rates),
    ("one rate for connections on two workers", limiter_shared),
    ("a rate that is lifted frees a live connection", limiter_changes),
    ("connections at once, across a reload", climiter),
    ("requests per second", rlimiter),
    ("policies of a command line", url_policies),
    ("records into a file, over TCP and HTTP", recorders),
    ("an observer: states, live statistics, refusals", observer),
    ("what cannot work is refused at the start", bad_configurations),
):
    tap.case(name, fn)
if h.need(tap, "redis-server", "data from redis: hash and set, login, outage"):
    tap.case("data from redis: hash and set, login, outage", redis_source)
if h.need(tap, "redis-server", "records to redis; a recorder that is gone harms nobody"):
    tap.case("records to redis; a recorder that is gone harms nobody", recorder_redis_and_dead)

tap.done()
