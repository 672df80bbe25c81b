#!/usr/bin/env python3
# test_sniffing.py - what a client sends first, looked at by every handler that can.
# SPDX-License-Identifier: MIT
# timeout: 180
import os
import re
import socket
import ssl
import time

from harness import (
    PATIENCE,
    WORK,
    Host,
    Tap,
    connect_via,
    echo,
    free_port,
    http_target,
    read_all,
    recv_exact,
    run,
    serve,
    until,
)

tap = Tap()
BODY = b"the page"
WEB = http_target(BODY)
ECHO = serve(echo)
BANNER = b"220 ready\r\n"


def hello(name):
    """The ClientHello of a real client."""
    out = ssl.MemoryBIO()
    context = ssl.create_default_context()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def banner(s):
    s.sendall(BANNER)
    echo(s)


SERVER_FIRST = serve(banner)


def closed(s):
    """The proxy closed without a byte."""
    s.settimeout(PATIENCE)
    try:
        return s.recv(100) == b""
    except ConnectionResetError:
        return True


def get(host):
    return b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % host


def ends(host, count):
    """The lines at the ends of `count` connections."""

    def lines():
        return [line for line in host.text().splitlines() if " >< " in line]

    if not until(lambda: len(lines()) >= count):
        raise RuntimeError("only %d lines:\n%s" % (len(lines()), host.text()))
    return lines()


HANDLERS = {
    "socks5": "socks5://127.0.0.1:%d?sniffing=true&bypass=bad.test",
    "socks4": "socks4://127.0.0.1:%d?sniffing=true&bypass=bad.test",
    "http": "http://127.0.0.1:%d?sniffing=true&bypass=bad.test",
    "auto": "auto://127.0.0.1:%d?sniffing=true&sniffing.timeout=10s&bypass=bad.test",
}


def proxies(workers):
    ports = {k: free_port() for k in HANDLERS}
    args = [a for k, p in ports.items() for a in ("-L", HANDLERS[k] % p)]
    h = Host(*args, ports=ports.values(), workers=workers)
    tap.ok("knows no option" not in h.text(), "no option is unknown", h.text())
    for kind, port in ports.items():
        client = {"auto": "socks5"}.get(kind, kind)

        def way(target, client=client, port=port):
            return connect_via(client, port, "127.0.0.1", target)

        def http():
            s = way(WEB)
            s.sendall(get(b"good.test"))
            return read_all(s).endswith(BODY)

        def http_forbidden():
            s = way(WEB)
            s.sendall(get(b"bad.test:8080"))
            return closed(s)

        def tls():
            s, data = way(ECHO), hello("good.test")
            s.sendall(data)
            return recv_exact(s, len(data)) == data

        def tls_forbidden():
            s, data = way(ECHO), hello("bad.test")
            for i in range(0, len(data), 100):
                s.sendall(data[i : i + 100])
                time.sleep(0.001)
            return closed(s)

        def malformed():
            s = way(ECHO)
            s.sendall(b"GET / HTTP/1.1\r\n bad\r\n\r\n")
            return closed(s)

        def unfinished():
            s = way(ECHO)
            s.sendall(b"GET / HTTP/1.1\r\nHost: ba")
            s.shutdown(socket.SHUT_WR)
            return closed(s)

        def too_long():
            s = way(ECHO)
            s.sendall(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 6000)
            return closed(s)

        def other():
            s = way(ECHO)
            s.sendall(b"hello there")
            return recv_exact(s, 11) == b"hello there"

        def short():
            s = way(ECHO)
            s.sendall(b"hi")
            s.shutdown(socket.SHUT_WR)
            return read_all(s) == b"hi"

        def server_first():
            s = way(SERVER_FIRST)
            return recv_exact(s, len(BANNER)) == BANNER

        for fn in (
            http,
            http_forbidden,
            tls,
            tls_forbidden,
            malformed,
            unfinished,
            too_long,
            other,
            short,
            server_first,
        ):
            tap.case("%s: %s" % (kind, fn.__name__.replace("_", " ")), fn)
    text = "\n".join(ends(h, len(ports) * 10))
    tap.ok(
        text.count('"sniffedHost":"good.test:443"') == len(ports),
        "the log has the server name",
        text,
    )
    tap.ok(text.count('"proto":"http"') >= len(ports), "and the protocol", text)
    tap.ok("bypass forbids bad.test:443" in text, "and why a host is refused", text)
    tap.ok(h.stop() == 0, "a clean end", h.text())


def relay():
    far, near = free_port(), free_port()
    h = Host(
        "-L",
        "relay://127.0.0.1:%d?sniffing=true&bypass=bad.test" % far,
        ports=[far],
    )
    n = Host("-L", "socks5://127.0.0.1:%d" % near, "-F", "relay://127.0.0.1:%d" % far, ports=[near])

    def ask(name):
        s = connect_via("socks5", near, "127.0.0.1", WEB)
        s.sendall(get(name))
        return s

    tap.case("relay: http", lambda: read_all(ask(b"good.test")).endswith(BODY))
    tap.case("relay: http forbidden", lambda: closed(ask(b"bad.test")))
    tap.ok(h.stop() == 0 and n.stop() == 0, "relay: a clean end", h.text())


FORWARD = """
services:
- name: f
  addr: 127.0.0.1:%(port)d
  handler:
    type: tcp
    metadata:
      sniffing: true
      sniffing.timeout: 300ms
  listener:
    type: tcp
  forwarder:
    nodes:
    - {name: web, addr: "127.0.0.1:%(web)d", filter: {host: web.test}}
    - {name: tls, addr: "127.0.0.1:%(echo)d", filter: {protocol: tls}}
    - {name: ssh, addr: "127.0.0.1:%(banner)d", filter: {protocol: ssh}}
"""

OWN_HOST = """
services:
- name: f
  addr: 127.0.0.1:%(port)d
  handler: {type: tcp, metadata: {sniffing: true}}
  listener: {type: tcp}
  forwarder:
    nodes:
    - {name: any}
"""


def forward(name, text, **kw):
    port = free_port()
    path = os.path.join(WORK, name + ".yml")
    with open(path, "w") as f:
        f.write(text % dict(kw, port=port))
    h = Host("-C", path, ports=[port])
    return h, lambda: connect_via("forward", port, "", 0)


def forwards():
    h, way = forward("targets", FORWARD, web=WEB, echo=ECHO, banner=SERVER_FIRST)

    def by_host():
        s = way()
        s.sendall(get(b"web.test:1234"))
        return read_all(s).endswith(BODY)

    def by_protocol():
        s, data = way(), hello("x.test")
        s.sendall(data)
        return recv_exact(s, len(data)) == data

    def ssh():
        s = way()
        s.sendall(b"SSH-2.0-test\r\n")
        return recv_exact(s, len(BANNER) + 14) == BANNER + b"SSH-2.0-test\r\n"

    def none():
        s = way()
        s.sendall(get(b"other.test"))
        return closed(s)

    def silent():
        return closed(way())

    tap.case("forward: a target by host", by_host)
    tap.case("forward: a target by protocol", by_protocol)
    tap.case("forward: a target for ssh", ssh)
    tap.case("forward: no target for others", none)
    tap.case("forward: none after the timeout", silent)
    tap.ok(h.stop() == 0, "forward: a clean end", h.text())
    h, way = forward("own", OWN_HOST)

    def own():
        s = way()
        s.sendall(get(b"127.0.0.1:%d" % WEB))
        return read_all(s).endswith(BODY)

    tap.case("forward: a target without address is the client's own", own)
    tap.ok(h.stop() == 0, "forward: a clean end", h.text())


def fallback():
    port = free_port()
    h = Host(
        "-L", "socks5://127.0.0.1:%d?sniffing=true&sniffing.fallback=true" % port, ports=[port]
    )
    s = connect_via("socks5", port, "127.0.0.1", ECHO)
    data = b"GET / HTTP/1.1\r\n bad\r\n\r\n"
    s.sendall(data)
    tap.ok(recv_exact(s, len(data)) == data, "sniffing.fallback lets the malformed pass")
    s.close()
    h.stop()


def configuration():
    def check(*args, env=None):
        return run([os.environ.get("GOST_HOST", "gost-host"), "--check", *args], env=env)

    r = check("--strict", "-L", "auto://:8080?sniffing=true&sniffing.timeout=1s&udp=true&knock=x")
    tap.ok(r.returncode == 0, "auto takes the options of what it hands over to", r.stderr.decode())
    r = check("-L", "auto://:8080?sniffing.timeot=1s")
    tap.ok(
        re.search(rb'"sniffing.timeot".*sniffing.timeout', r.stderr + r.stdout),
        "a wrong name is suggested",
        r,
    )
    r = check("-L", "auto://:8080?sniffing.timeout=soon")
    tap.ok(r.returncode != 0 and b"soon" in r.stderr + r.stdout, "a wrong value is an error", r)
    plugins = os.environ.get("GOST_PLUGIN_DIR")
    if not plugins:
        tap.skip("without the inspector", "GOST_PLUGIN_DIR is not set")
        return
    where = os.path.join(WORK, "fewer")
    os.mkdir(where)
    for name in ("tcp.so", "socks5.so"):
        os.symlink(os.path.join(plugins, name), os.path.join(where, name))
    env = dict(os.environ, GOST_PLUGIN_DIR=where)
    r = check("-L", "socks5://:1080?sniffing=true", env=env)
    tap.ok(r.returncode != 0 and b"inspector sniff" in r.stderr + r.stdout, "it must be there", r)
    r = check("-L", "socks5://:1080?sniffing=false", env=env)
    tap.ok(r.returncode == 0, "but only when it is asked for", r)


proxies(1)
proxies(2)
relay()
forwards()
fallback()
configuration()
tap.done()
