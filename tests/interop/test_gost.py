#!/usr/bin/env python3
# test_gost.py - a real gost at the other end of every protocol, in both directions.
# SPDX-License-Identifier: MIT
# timeout: 300
import os
import shutil
import socket

from peers import (
    ANSWER,
    Daemon,
    compare,
    counted,
    curl,
    datagrams,
    echoes,
    ended_cleanly,
    half_close,
    refusal,
    round_trip,
    section,
)
from harness import (
    Host,
    Tap,
    answer_after_end,
    connect_via,
    free_port,
    http_target,
    pattern,
    serve,
    udp_echo,
)

tap = Tap()
GOST = os.environ.get("GOST_BIN") or shutil.which("gost")
COUNTED = serve(counted)
END = serve(answer_after_end(ANSWER))
ECHO = udp_echo()
BODY = pattern(200000)
WEB = http_target(BODY)

# The server, the client, does it carry datagrams, does it refuse a closed port.
PAIRS = (
    ("http", "http", False, True),
    ("http+tls", "http+tls", False, True),
    ("socks5?udp=true", "socks5", True, True),
    ("socks5?udp=true", "socks5?relay=udp", True, True),
    ("socks5?udp=true&notls=true", "socks5", True, True),
    ("socks5?udp=true", "socks5?notls=true", True, True),
    ("socks5+tls?udp=true", "socks5+tls", True, True),
    ("socks4", "socks4", False, True),
    ("socks4", "socks4a", False, True),
    ("socks4", "socks4?disable4a=true", False, True),
    ("relay?bind=true", "relay", True, False),
    ("relay?bind=true&nodelay=true", "relay?nodelay=true", True, True),
    ("relay+tls?bind=true", "relay+tls", True, False),
    ("auto", "http", False, True),
    ("auto", "socks5", False, True),
    ("auto", "socks4a", False, True),
    ("socks5?proxyProtocol=1", "socks5?proxyProtocol=1", False, True),
    ("http+tls?proxyProtocol=1", "http+tls?proxyProtocol=2", False, True),
)
PASSWORDS = ("http", "socks5", "relay", "http+tls", "socks5+tls", "relay+tls")


def gost(*args, ports=()):
    return Daemon(GOST, *args, ports=ports)


def ours(*args, ports=()):
    return Host(*args, ports=ports)


def url(scheme, port, login=""):
    name, _, query = scheme.partition("?")
    return "%s://%s127.0.0.1:%d%s" % (name, login, port, "?" + query if query else "")


def ended(name, *pair):
    ended_cleanly(tap, name, *[one for one in pair if isinstance(one, Host)])
    for one in pair:
        one.stop()


def pairs(left, right, note):
    """left is the client, right the server: for each pair a chain of one hop."""
    for server, client, udp, refuses in PAIRS:
        port, entry = free_port(), free_port()
        name = "%s > %s, %s" % (client, server, note)
        behind = right("-L", url(server, port), ports=[port])
        before = left(
            "-L", "socks5://127.0.0.1:%d?udp=true" % entry, "-F", url(client, port), ports=[entry]
        )
        for host in ("127.0.0.1", "localhost"):
            tap.case(
                "%s, to %s" % (name, host),
                lambda: round_trip(connect_via("socks5", entry, host, COUNTED)),
            )
        tap.case(
            "half-close, " + name,
            lambda: half_close(connect_via("socks5", entry, "127.0.0.1", END)),
        )
        if udp:
            tap.case("UDP, " + name, lambda: datagrams(entry, ECHO))
        if refuses:
            tap.case(
                "a closed port, " + name, lambda: refusal(entry, "127.0.0.1", free_port()) != 0
            )
        ended(name, before, behind)


def passwords(left, right, note):
    for scheme in PASSWORDS:
        port, good, bad = free_port(), free_port(), free_port()
        behind = right("-L", url(scheme, port, "user:pass@"), ports=[port])
        before = left(
            "-L", "http://127.0.0.1:%d" % good, "-F", url(scheme, port, "user:pass@"), ports=[good]
        )
        wrong = left(
            "-L", "http://127.0.0.1:%d" % bad, "-F", url(scheme, port, "user:no@"), ports=[bad]
        )
        name = "%s with a password, %s" % (scheme, note)
        target = "http://localhost:%d/" % WEB
        tap.case(name, lambda: compare(curl("-x", "http://127.0.0.1:%d" % good, target), BODY))
        tap.case(
            "a wrong one is refused, " + name,
            lambda: curl("-x", "http://127.0.0.1:%d" % bad, target) != BODY,
        )
        ended(name, before, wrong, behind)


def forwards(left, right, note):
    """A port forward of TCP and UDP over a hop."""
    for scheme, query in (("relay", "?bind=true"), ("socks5", "?udp=true")):
        port, tcp, udp = free_port(), free_port(), free_port(socket.SOCK_DGRAM)
        behind = right("-L", url(scheme + query, port), ports=[port])
        before = left(
            "-L",
            "tcp://127.0.0.1:%d/127.0.0.1:%d" % (tcp, END),
            "-L",
            "udp://127.0.0.1:%d/127.0.0.1:%d?keepalive=true" % (udp, ECHO),
            "-F",
            url(scheme, port),
            ports=[tcp],
        )
        name = "forward over %s, %s" % (scheme, note)
        tap.case(
            "tcp " + name, lambda: half_close(socket.create_connection(("127.0.0.1", tcp), 20))
        )
        tap.case("udp " + name, lambda: echoes(udp))
        ended(name, before, behind)


if not GOST:
    tap.skip("a real gost", "there is none: set GOST_BIN or put it on PATH")
else:
    for client, server, words in ((ours, gost, "ours > gost"), (gost, ours, "gost > ours")):
        section(tap, "pairs " + words, pairs, client, server, words)
        section(tap, "passwords " + words, passwords, client, server, words)
        section(tap, "forwards " + words, forwards, client, server, words)
tap.done()
