#!/usr/bin/env python3
# test_stacks.py - every stack of layers, as the way to a proxy: all sizes, ends, first bytes.
# SPDX-License-Identifier: MIT
# timeout: 600
"""Without arguments a short form. --long is the matrix: 1, 2 and 4 workers, more handlers, 100 MB.
Names of stacks as further arguments select them."""

import os
import socket
import sys

from harness import Host, Tap, ask, free_port, pattern, run, udp_echo
from streams import (
    LossyPath,
    Targets,
    answer_after_our_end,
    at_once,
    banner,
    down,
    early,
    echoed,
    proxy_that_hurries,
    up,
    up_until_end,
    url,
)

LONG = "--long" in sys.argv
WANTED = [a for a in sys.argv[1:] if not a.startswith("-")]
tap = Tap()
TARGETS = Targets()
HURRY = {kind: proxy_that_hurries(kind) for kind in ("http", "socks5")}

# A handler that is also a connector, and the listener that is also a dialer.
STACKS = [
    "relay+tcp",
    "relay+tls",
    "relay+ws",
    "relay+wss",
    "relay+mws",
    "relay+mwss",
    "relay+mtcp",
    "relay+mtls",
    "relay+h2",
    "relay+h2c",
    "relay+grpc",
    "relay+quic",
    "relay+kcp",
    "relay+ohttp",
    "relay+otls",
    "relay+pht",
    "relay+phts",
    "relay+h3",
    "relay+wt",
    "http2",
    "socks5",
    "http",
    "ss aes-128-gcm:secret",
    "ss+tls 2022-blake3-aes-128-gcm:AAECAwQFBgcICQoLDA0ODw==",
    "http2+tcp+h2",
]
# What GOST never had.
OWN = [
    "socks5+tls+ws+smux",
    "relay+ws+h2+h2tunnel",
    "http+ws+tls",
    "relay+tls+tls",
    "relay+otls+tls+ws",
    "relay+mtcp+ws",
    "relay+quic+ws",
    "socks5+wt+tls",
    "relay+kcp+tls",
    "relay+grpc+ws",
    "relay+pht+tls",
    "socks5+ws+h1+pht",
    "relay+tls+h2+pht",
    "http2+ws+h2",
    "ss+mwss chacha20-ietf-poly1305:secret",
]
# What no stack can be.
NONE = ["relay+mtls+smux", "relay+quic+smux", "relay+grpc+ws+smux"]
MATRIX_HANDLERS = ("socks5", "http")
DATAGRAM = ("quic", "kcp", "h3", "wt")


def layers(scheme):
    """The words of the stack: what is behind the handler."""
    return scheme.split()[0].split("+")[1:]


def over_packets(scheme):
    return any(word in DATAGRAM for word in layers(scheme))


def half_closes(scheme):
    """smux and pht have no half-close, and nothing on their streams can have one."""
    without = ("smux", "kcp", "mtcp", "mtls", "mws", "mwss", "pht", "phts", "h3")
    return not any(w in without for w in layers(scheme))


def entry(hops, workers):
    """A host with a SOCKS5 entry and these hops, and its port."""
    port = free_port()
    args = []
    for hop in hops:
        args += ["-F", hop]
    return Host("-L", "socks5://127.0.0.1:%d" % port, *args, ports=[port], workers=workers), port


class Way:
    """A server of one stack, and hosts that go there alone, as second hop, and on to a proxy."""

    def __init__(self, scheme, workers, second=True):
        self.hosts = []
        port, first = free_port(), free_port()
        self.server = self.add(
            Host(
                *["-L", url(scheme, port), "-L", "socks5://127.0.0.1:%d?udp=true" % first],
                ports=[first] + ([] if over_packets(scheme) else [port]),
                udp=[port] if over_packets(scheme) else [],
                workers=workers
            )
        )
        to = url(scheme, port)
        host, self.direct = entry([to], workers)
        self.client = self.add(host)
        if not second:
            return
        host, self.second = entry(["socks5://127.0.0.1:%d" % first, to], workers)
        self.add(host)
        self.hurried = {}
        for kind, proxy in HURRY.items():
            host, self.hurried[kind] = entry([to, "%s://127.0.0.1:%d" % (kind, proxy)], workers)
            self.add(host)

    def add(self, host):
        self.hosts.append(host)
        return host

    def stop(self):
        ends = [h.stop() for h in reversed(self.hosts)]
        if not any(ends):
            return True
        return str(ends) + "\n".join(h.text()[-2000:] for h in self.hosts)


def bytes_over(port, scheme, name, deep):
    for size in (1, 65536, 4 << 20):
        tap.case("%d bytes up, %s" % (size, name), up, port, TARGETS.take, size)
        tap.case("%d bytes down, %s" % (size, name), down, port, TARGETS.give, size)
    if half_closes(scheme):
        tap.case("half-close, " + name, up_until_end, port, TARGETS.until_end, 100000)
    tap.case("an answer after our end, " + name, answer_after_our_end, port, TARGETS.ignore_end)
    tap.case("bytes before the reply, " + name, early, port, TARGETS.echo)
    tap.case("a target that speaks and closes, " + name, banner, port, TARGETS.say)
    tap.case(
        "50 streams at once, " + name,
        at_once,
        50,
        lambda i: echoed(port, TARGETS.echo, pattern(20000 + i, i), 60),
    )
    tap.case(
        "20 targets that close at once, " + name,
        at_once,
        20,
        lambda i: down(port, TARGETS.give, 30000 + i),
    )
    if deep:
        tap.case("100 MB up, " + name, up, port, TARGETS.take, 100000000, 300)
        tap.case("100 MB down, " + name, down, port, TARGETS.give, 100000000, 300)


def play(scheme, workers):
    name = "%s with %d workers" % (scheme.split()[0], workers)
    try:
        way = Way(scheme, workers)
    except RuntimeError as e:
        tap.ok(False, "start " + name, e)
        return
    bytes_over(way.direct, scheme, name, LONG)
    name = "second hop " + name
    tap.case("4 MiB up, " + name, up, way.second, TARGETS.take, 4 << 20)
    tap.case("4 MiB down, " + name, down, way.second, TARGETS.give, 4 << 20)
    tap.case("speaks and closes, " + name, banner, way.second, TARGETS.say)
    for kind, port in way.hurried.items():
        tap.case(
            "bytes with the reply of a %s proxy behind %s" % (kind, scheme.split()[0]),
            at_once,
            5,
            lambda i: banner(port, TARGETS.say),
        )
    tap.case("all end well, " + name, way.stop)


# ---- paths that lose packets ----------------------------------------------------------------


def lossy(scheme, workers, forwarded, query=""):
    """2 MiB each way where one packet in a hundred is lost and each takes 30 ms; forwarded: the
    packets also go through a port forward of UDP."""
    forward = " in a UDP forward" if forwarded else ""
    name = "%s%s%s with %d workers" % (scheme, query, forward, workers)
    port, hosts = free_port(), []
    hosts.append(Host("-L", url(scheme, port) + query, udp=[port], workers=workers))
    path = LossyPath(port)
    to = path.port
    if forwarded:
        to = free_port()
        forward = "udp://127.0.0.1:%d/127.0.0.1:%d?keepalive=true&ttl=60s" % (to, path.port)
        hosts.append(Host("-L", forward, udp=[to], workers=workers))
    host, start = entry([url(scheme, to) + query], workers)
    hosts.append(host)
    if LONG:
        tap.case("2 MiB up over a bad path, " + name, up, start, TARGETS.take, 2 << 20)
        tap.case("2 MiB down over a bad path, " + name, down, start, TARGETS.give, 2 << 20)
    tap.case(
        "2 MiB both ways over a bad path, " + name,
        at_once,
        2,
        lambda i: (up, down)[i](start, (TARGETS.take, TARGETS.give)[i], 2 << 20),
    )
    tap.ok(path.lost > 10, "packets were lost, " + name, "%d of %d" % (path.lost, path.passed))
    ends = [h.stop() for h in hosts]
    path.stop()
    tap.ok(not any(ends), "all end well, " + name, "\n".join(h.text()[-3000:] for h in hosts))


def datagrams(scheme, workers):
    """A UDP port forward whose packets go over the stack."""
    name = "%s with %d workers" % (scheme, workers)
    way = Way(scheme, workers, second=False)
    port, target = free_port(), udp_echo(lambda b: b + b"!")
    hop = way.client.argv[-1]
    forward = "udp://127.0.0.1:%d/127.0.0.1:%d" % (port, target)
    way.add(Host("-L", forward, "-F", hop, udp=[port]))

    def fn():
        s, seen = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), set()
        for size in (0, 1, 100, 1200, 9000):
            data = pattern(size, size + 1)
            if ask(s, ("127.0.0.1", port), data, seen) != data + b"!":
                return "a packet of %d bytes does not come back" % size
        return True

    tap.case("datagrams over " + name, fn)
    tap.case("all end well after datagrams, " + name, way.stop)


def refused(scheme):
    """Told when the configuration is read, by either end."""
    for args in (["-L", url(scheme, 1)], ["-L", "socks5://127.0.0.1:0", "-F", url(scheme, 1)]):
        r = run([os.environ.get("GOST_HOST", "gost-host")] + args)
        text = (r.stdout + r.stderr).decode()
        if r.returncode == 0 or "sessions into the streams" not in text:
            return "status %d\n%s" % (r.returncode, text)
    return True


def wanted(scheme):
    return not WANTED or any(w in (scheme.split()[0], layers(scheme)) for w in WANTED)


def all_stacks():
    found = STACKS + OWN
    if LONG:
        for handler in MATRIX_HANDLERS:
            found = found + [
                handler + s[5:] for s in STACKS if s.startswith("relay+") and s != "relay+tcp"
            ]
    return [s for s in found if wanted(s)]


for scheme_ in NONE:
    tap.case("sessions in streams of sessions are refused: " + scheme_, refused, scheme_)
for workers_ in (1, 2, 4) if LONG else (2,):
    for scheme_ in all_stacks():
        play(scheme_, workers_)
    for scheme_, query_ in (("relay+quic", ""), ("socks5+kcp", "?kcp.mode=fast3")):
        if wanted(scheme_):
            lossy(scheme_, workers_, False, query_)
            lossy(scheme_, workers_, True, query_)
    if LONG and wanted("socks5+kcp"):
        lossy("socks5+kcp", workers_, False)
    for scheme_ in ("relay+mtls", "relay+wss", "relay+h2", "relay+grpc", "relay+kcp"):
        if wanted(scheme_):
            datagrams(scheme_, workers_)
tap.done()
