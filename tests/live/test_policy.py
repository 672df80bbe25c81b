# test_policy.py - policies in a running host: sources, reloads, silent peers, names, limits.
# SPDX-License-Identifier: MIT

import http.server
import os
import signal
import socket
import subprocess
import threading
import time

import harness as h

tap = h.Tap()
ECHO = h.serve(h.echo)
PATIENCE = 20  # seconds until a state that must come is missing


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


def until(fn, want=True):
    """fn() becomes `want` in the end; returns what it was last."""
    end = time.time() + PATIENCE
    while True:
        got = fn()
        if got == want or time.time() > end:
            return got
        time.sleep(0.05)


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
    ("what cannot work is refused at the start", bad_configurations),
):
    tap.case(name, fn)
if h.need(tap, "redis-server", "data from redis: hash and set, login, outage"):
    tap.case("data from redis: hash and set, login, outage", redis_source)

tap.done()
