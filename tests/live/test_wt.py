#!/usr/bin/env python3
# test_wt.py - WebTransport: options, servers that are none, ends. Bytes are test_stacks.py's.
# SPDX-License-Identifier: MIT
# timeout: 300
import os
import signal
import socket

from harness import WORK, Host, Tap, connect_via, free_port, pattern, recv_exact, udp_echo, until
from streams import Targets, echoed, udp_asked, udp_client

tap = Tap()
T = Targets()
UDP = udp_echo(lambda b: b"<" + b)


class Ends:
    def __init__(self, scheme, server_query="", client=None, client_query="", workers=2):
        self.port, self.entry = free_port(), free_port()
        self.scheme, self.workers = scheme, workers
        self.listen = "%s://127.0.0.1:%d%s" % (scheme, self.port, server_query)
        self.server = self.serve()
        to = "%s://127.0.0.1:%d%s" % (client or scheme, self.port, client_query)
        entry = "socks5://127.0.0.1:%d" % self.entry
        self.client = Host("-L", entry, "-F", to, ports=[self.entry], workers=workers)

    def serve(self):
        return Host("-L", self.listen, udp=[self.port], workers=self.workers)

    def text(self):
        return self.client.text() + self.server.text()

    def echo(self, n=50000):
        return echoed(self.entry, T.echo, pattern(n, n)) or self.text()

    def tries(self):
        try:
            return self.echo(5)
        except (OSError, RuntimeError, EOFError):
            return False

    def says(self, words):
        """No connection, and one of the two says why."""
        try:
            r = self.echo(5)
        except (OSError, RuntimeError, EOFError):
            return until(lambda: words in self.text()) or self.text()
        return "it worked: %s" % r

    def stop(self, name):
        tap.ended("all end well, " + name, self.client, self.server)


def works(name, *args, **kw):
    ends = Ends(*args, **kw)
    tap.case(name, ends.echo)
    ends.stop(name)


def fails(name, words, *args, **kw):
    ends = Ends(*args, **kw)
    tap.case(name, ends.says, words)
    ends.stop(name)


def options():
    works("another path", "relay+wt", "?path=/a/b", None, "?wt.path=/a/b")
    works("a host of one's own", "relay+wt", "", None, "?host=wt.example:443")
    path = os.path.join(WORK, "wt.yml")
    port, entry = free_port(), free_port()
    with open(path, "w") as f:
        f.write("""
services:
- {name: far, addr: 127.0.0.1:%d, handler: {type: relay}, listener: {type: wt}}
- {name: near, addr: 127.0.0.1:%d, handler: {type: socks5, chain: c}, listener: {type: tcp}}
chains:
- name: c
  hops:
  - name: h
    nodes:
    - name: n
      addr: 127.0.0.1:%d
      connector: {type: relay}
      dialer: {type: wt, metadata: {header: {X-Token: abc, user-agent: me}}}
""" % (port, entry, port))
    h = Host("-C", path, ports=[entry], udp=[port])
    tap.case("fields of one's own", echoed, entry, T.echo, pattern(9000, 1))
    tap.ended("all end well, fields", h)
    for query, words in (("path=wt", "it is no path"), ("path=/a?b", "it is no path")):
        h = Host("-L", "relay+wt://127.0.0.1:0?" + query.replace("?b", "%3Fb"))
        status = h.proc.wait(60)
        tap.ok(status != 0 and words in h.text(), "refused at start: " + query, h.text())


def others():
    answers = "answers 404 to WebTransport at /other"
    fails("another path is told by the client", answers, "relay+wt", "", None, "?path=/other")
    fails("a server of HTTP/3", "has no WebTransport", "http2+quic+h3", "", "relay+wt")
    fails("a server of QUIC alone", "", "relay+quic", "", "relay+wt", "?handshakeTimeout=1s")
    fails("a client of QUIC alone", "", "relay+wt", "", "relay+quic", "?handshakeTimeout=1s")


def datagrams():
    port, fwd = free_port(), free_port(socket.SOCK_DGRAM)
    server = Host("-L", "relay+wt://127.0.0.1:%d" % port, udp=[port])
    to = "relay+wt://127.0.0.1:%d" % port
    h = Host(
        "-L", "udp://127.0.0.1:%d/127.0.0.1:%d?keepalive=true" % (fwd, UDP), "-F", to, udp=[fwd]
    )
    s = udp_client(fwd)
    for n in (1, 1000, 4000):
        tap.case("a datagram of %d bytes in a stream" % n, udp_asked, s, pattern(n, n))
    tap.ended("all end well, datagrams", h, server)


def restarts():
    ends = Ends("relay+wt", workers=1)
    live = connect_via("socks5", ends.entry, "127.0.0.1", T.echo)
    live.sendall(b"a")
    recv_exact(live, 1)
    ends.server.proc.send_signal(signal.SIGTERM)
    tap.ok(ends.server.proc.wait(60) == 0, "a server with a live stream ends", ends.server.text())
    live.settimeout(60)
    try:
        tap.ok(live.recv(1) == b"", "its streams end")
    except ConnectionResetError:
        tap.ok(True, "its streams end")
    ends.server = ends.serve()
    tap.case("the client makes a new session", ends.echo)
    ends.server.proc.kill()
    ends.server.proc.wait()
    ends.server = ends.serve()
    # The first request may still go to the dead session, which then ends; the next one works.
    tap.case("also when the old server said no word", lambda: until(lambda: ends.tries()) is True)
    ends.stop("restarts")


options()
others()
datagrams()
restarts()
tap.done()
