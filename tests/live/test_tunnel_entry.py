#!/usr/bin/env python3
# test_tunnel_entry.py - entry points of tunnel servers, ingresses, reloads, mistakes.
# SPDX-License-Identifier: MIT
# timeout: 300
"""The public comes with HTTP or TLS; rules come from the configuration, files, the web, redis."""

import glob
import hashlib
import os
import re
import signal
import socket
import subprocess
import threading
import urllib.request

from capture import Capture
from harness import HOST, WORK, Tap, echo, free_port, http_target, must, need
from harness import pattern, read_head, recv_exact, serve, wait_port
from tunnels import ID, OTHER, PLUGINS, Both, connect, http, status_of

tap = Tap()
ECHO = serve(echo)


def web():
    b, body = Both(), pattern(300000, 3)
    target = http_target(body)
    b.registered(target)
    s = connect(b.entry)
    for _ in range(3):  # one connection
        if http(b.entry, b"srv.test", s=s)[2] != body:
            return "another body"
    url = "http://127.0.0.1:%d/" % b.entry
    for data in (pattern(200000, 9), iter([b"ab", pattern(100000, 4), b"c"])):
        chunks = data if isinstance(data, bytes) else list(data)
        whole = data if isinstance(data, bytes) else b"".join(chunks)
        r = urllib.request.Request(
            url,
            data=data if isinstance(data, bytes) else iter(chunks),
            headers={"Host": "srv.test"},
        )
        import hashlib

        with urllib.request.urlopen(r, timeout=20) as answer:
            if answer.read() != hashlib.sha256(whole).hexdigest().encode():
                return "another digest"
    if http(b.entry, b"none.test")[0] != b"502":
        return "an unknown host"
    return b.stop()


def told():
    """An origin that answers with the head it got, then echoes; and how many it served."""
    count = []

    def fn(s):
        count.append(1)
        text = b""
        while True:
            came = read_head(s, text)
            if not came:
                return
            head, text = came
            if b"Upgrade: echo" in head:
                s.sendall(
                    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                    b"Upgrade: echo\r\n\r\n"
                )
                return echo(s)
            s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(head), head))

    return serve(fn), count


def loops():
    """Our own id in the way is a loop; another's is replaced."""
    b = Both()
    b.registered(told()[0])
    seen = http(b.entry, b"srv.test", more=b"Gost-Forwarded-Node: other\r\nGost-Sid: mine\r\n")[2]
    node = re.search(rb"Gost-Forwarded-Node: (\S+)", seen)[1]
    if b"other" in seen or b"Gost-Sid: mine" not in seen or b"Connection: close" not in seen:
        return "%r" % seen
    again = http(b.entry, b"srv.test", more=b"Gost-Forwarded-Node: " + node + b"\r\n")[0]
    return again == b"503" and b.stop() or "%r" % again


def keepalive():
    port, count = told()
    b = Both("tunnel=srv.test:%s,b.test:%s&entrypoint.keepalive=true" % (ID, ID))
    b.registered(port)
    s = connect(b.entry)
    for _ in range(4):
        if b"Connection" in http(b.entry, b"srv.test", s=s)[2]:
            return "the origin is asked to close"
    if len(count) != 1:
        return "%d connections to the origin" % len(count)
    http(b.entry, b"b.test", s=s)  # another host: another stream
    return len(count) == 2 and b.stop() or "%d connections" % len(count)


def upgrade():
    b = Both()
    b.registered(told()[0])
    s = connect(b.entry)
    status = http(b.entry, b"srv.test", more=b"Connection: Upgrade\r\nUpgrade: echo\r\n", s=s)[0]
    s.sendall(b"ping")
    return status == b"101" and recv_exact(s, 4) == b"ping" and b.stop()


def hello():
    """A ClientHello for example.test."""
    for path in glob.glob(os.path.join(PLUGINS, "sni", "captures", "*tls*.txt")):
        for kind, data in Capture(path).events:
            if kind == ">" and data[:1] == b"\x16" and b"example.test" in data:
                return data
    raise RuntimeError("no recorded hello")


def tls():
    b = Both("tunnel=example.test:%s" % ID)
    b.registered(ECHO, "rtcp://example.test:443")
    data = hello() + pattern(1000)
    s = connect(b.entry)
    for i in range(0, 40):  # byte by byte at first
        s.sendall(data[i : i + 1])
    s.sendall(data[40:])
    if recv_exact(s, len(data)) != data:
        return "the hello does not arrive as it was"
    s.close()
    s = connect(b.entry)
    s.sendall(data.replace(b"example.test", b"example.none"))
    return s.recv(1) == b"" and b.stop()


def redirected():
    """What another server sends on: a request at the entry point."""
    b = Both()
    b.registered(ECHO)
    status, s = status_of(b.entry, uuid=ID, host=b"any.test")
    s.sendall(b"ping")
    if status != 0 or recv_exact(s, 4) != b"ping":
        return "status %d" % status
    if status_of(b.entry, uuid=OTHER)[0] != 5:
        return "a tunnel without clients"
    none = status_of(b.entry, uuid="0" * 8 + "-0000-0000-0000-" + "0" * 12)[0]
    return none == 1 and b.stop() or "status %d" % none


def silent_at_entry():
    b = Both("tunnel=srv.test:%s&entrypoint.readTimeout=1s" % ID)
    s = connect(b.entry)
    if s.recv(1) != b"":
        return "it says something"
    b.registered(serve(lambda s: s.recv(65536) and threading.Event().wait(30)))
    status = http(b.entry, b"srv.test")[0]
    return status == b"503" and b.stop() or "%r" % status


def proxy_protocol():
    b = Both("tunnel=srv.test:%s&entrypoint.proxyProtocol=1" % ID)
    c = b.registered(told()[0])
    s = connect(b.entry)
    s.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.8 5555 80\r\n")
    status = http(b.entry, b"srv.test", s=s)[0]
    must(lambda: "192.0.2.7:5555" in c.text())
    return status == b"200" and b.stop()


# ---- ingresses ------------------------------------------------------------------------------

CONFIG = """services:
- name: t
  addr: 127.0.0.1:PORT
  handler:
    type: tunnel
    metadata:
      ingress: main
      entrypoint: 127.0.0.1:ENTRY
      entrypoints:
      - {addr: '127.0.0.1:%(second)d', ingress: second}
  listener: {type: tcp}
ingresses:
- name: main
  reload: 1s
  rules: [{hostname: '*.test', endpoint: '%(id)s'}]
  %(source)s
- name: second
  rules: [{hostname: only.second, endpoint: '%(id)s'}]
"""


def objects():
    """Rules of the configuration and of a file that changes; an entry point with its own."""
    path, second = os.path.join(WORK, "rules.txt"), free_port()
    with open(path, "w") as f:
        f.write("# nothing yet\n\nlonely\n")
    values = {"second": second, "id": ID, "source": "file: {path: '%s'}" % path}
    b = Both(config=CONFIG % values)
    b.registered(told()[0])
    wait_port(second)

    def statuses():
        return [
            http(port, host)[0]
            for port in (b.entry, second)
            for host in (b"srv.test", b"file.example", b"only.second")
        ]

    before = must(lambda: statuses() == [b"200", b"502", b"502", b"502", b"502", b"200"])
    with open(path, "w") as f:
        f.write("file.example %s\n" % ID)
    must(lambda: http(b.entry, b"file.example")[0] == b"200")
    return before and b.stop()


def from_web():
    rules = b".web.example %s # one\n" % ID.encode()
    b = Both(
        config=CONFIG
        % {
            "second": free_port(),
            "id": OTHER,
            "source": "http: {url: 'http://127.0.0.1:%d/'}" % http_target(rules),
        }
    )
    b.registered(told()[0], "rtcp://a.web.example:80")
    must(lambda: http(b.entry, b"a.web.example")[0] == b"200")
    return b.stop()


def from_redis():
    port = free_port()
    proc = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", WORK],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_port(port, proc)
        s = connect(port)
        s.sendall(b"HSET rules redis.example %s\r\n" % ID.encode())
        recv_exact(s, 4)
        source = "redis: {addr: '127.0.0.1:%d', key: rules}" % port
        b = Both(config=CONFIG % {"second": free_port(), "id": OTHER, "source": source})
        b.registered(told()[0], "rtcp://redis.example:80")
        must(lambda: http(b.entry, b"redis.example")[0] == b"200")
        return b.stop()
    finally:
        proc.terminate()
        proc.wait(20)


def reloads():
    """Sessions live through a reload, also where the service changed; entry points come and go."""
    text = CONFIG % {"second": free_port(), "id": ID, "source": ""}
    b = Both(config=text)
    b.registered(told()[0])
    live = connect(b.entry)
    if http(b.entry, b"srv.test", s=live)[0] != b"200":
        return "no answer"
    for n, config in enumerate(
        (text, text.replace("ingress: main", "ingress: main\n      " "entrypoint.keepalive: true"))
    ):
        b.write(config)
        b.server.proc.send_signal(signal.SIGHUP)
        must(lambda: b.server.text().count("config reloaded") == n + 1)
        if http(b.entry, b"srv.test")[0] != b"200" or http(0, b"srv.test", s=live)[0] != b"200":
            return "no answer after reload %d" % (n + 1)
    b.write(re.sub(r" *entrypoint[^s].*\n", "", text))
    b.server.proc.send_signal(signal.SIGHUP)
    must(lambda: b.server.text().count("config reloaded") == 3)

    def closed():
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", b.entry)) != 0

    must(closed)
    return status_of(b.port, uuid=ID)[0] == 0 and b.stop()


def mistakes():
    for query, want in (
        ("tunnel=srv.test:123", "write HOST:UUID"),
        ("entrypoint.id=x", "is no UUID"),
        ("entrypoint=nonsense:port", "no address to listen at"),
        ("ingress=nobody", 'there is no "nobody" among the ingresses'),
    ):
        out = subprocess.run(
            [HOST, "--check", "-L", "tunnel://127.0.0.1:0?" + query],
            capture_output=True,
            text=True,
            timeout=30,
        )
        if out.returncode != 1 or want not in out.stderr:
            return "%s: %d %s" % (query, out.returncode, out.stderr)
    return True


def main():
    tap.case("entry point: web requests", web)
    tap.case("entry point: a loop", loops)
    tap.case("entry point: keepalive", keepalive)
    tap.case("entry point: an upgrade", upgrade)
    tap.case("entry point: TLS by the name it asks for", tls)
    tap.case("entry point: a request of another server", redirected)
    tap.case("entry point: silence", silent_at_entry)
    tap.case("entry point: PROXY protocol", proxy_protocol)
    tap.case("an ingress with a file, and entry points of a list", objects)
    tap.case("an ingress from a web server", from_web)
    if need(tap, "redis-server", "an ingress from redis"):
        tap.case("an ingress from redis", from_redis)
    tap.case("reloads", reloads)
    tap.case("mistakes are named", mistakes)
    tap.done()


main()
