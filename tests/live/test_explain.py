#!/usr/bin/env python3
# test_explain.py - what --explain says, row by row, and what the live connection then does.
# SPDX-License-Identifier: MIT
# timeout: 300
import json
import os
import socket
import subprocess

from harness import (
    HOST,
    WORK,
    Host,
    Tap,
    free_port,
    recv_exact,
    serve,
    socks5_open,
    until,
)

tap = Tap()


def say(name):
    """A target that tells who it is, after the first byte."""

    def fn(s):
        if s.recv(1):
            s.sendall(name)

    return serve(fn)


A, B = say(b"A"), say(b"B")
PROXIES = {}


def proxies():
    """Three hosts that are the nodes of all chains."""
    args = []
    for name, scheme in (
        ("p", "socks5://127.0.0.1:%d"),
        ("q", "socks5+tls://127.0.0.1:%d"),
        ("r", "http://127.0.0.1:%d"),
        ("s", "relay://127.0.0.1:%d"),
    ):
        PROXIES[name] = free_port()
        args += ["-L", scheme % PROXIES[name]]
    return Host(*args, ports=PROXIES.values())


HOPS = """
chains:
- name: one
  hops:
  - name: h0
    nodes: [%(p)s]
- name: three
  hops:
  - name: h0
    nodes: [%(p)s]
  - name: h1
    nodes: [%(q)s]
  - name: h2
    nodes: [%(r)s]
- name: fifo
  hops:
  - name: h0
    selector: {strategy: fifo}
    nodes: [%(r)s, %(p)s]
- name: round
  hops:
  - name: h0
    selector: {strategy: round}
    nodes: [%(p)s, %(r)s]
- name: rand-of-one
  hops:
  - name: h0
    selector: {strategy: rand}
    nodes: [%(p)s]
- name: rand-with-one-left
  hops:
  - name: h0
    selector: {strategy: rand}
    nodes: [%(pb)s, %(r)s]
- name: hash
  hops:
  - name: h0
    selector: {strategy: hash}
    nodes: [%(p)s, %(r)s, %(s)s]
- name: backup
  hops:
  - name: h0
    nodes: [%(pbackup)s, %(r)s]
- name: node-bypass
  hops:
  - name: h0
    nodes: [%(pb)s]
  - name: h1
    nodes: [%(r)s]
- name: hop-bypass
  hops:
  - name: h0
    nodes: [%(p)s]
  - name: h1
    bypass: targets
    nodes: [%(r)s]
- name: empty
  hops: []
bypasses:
- name: targets
  matchers: ["127.0.0.1"]
- name: others
  matchers: ["192.0.2.0/24"]
"""

ADMISSIONS = """
admissions:
- name: nobody
  whitelist: true
  matchers: ["192.0.2.1"]
"""

LISTED = subprocess.run([HOST, "--list", "--json"], capture_output=True, timeout=60, text=True)
HAVE_ADMISSION = '"name": "admission"' in LISTED.stdout


def node(key, scheme, extra=""):
    handler, _, dialer = scheme.partition("+")
    return "{name: %s, addr: '127.0.0.1:%d', connector: {type: %s}, dialer: {type: %s}%s}" % (
        key,
        PROXIES[key],
        handler,
        dialer or "tcp",
        extra,
    )


# name, handler (with chain and more), more of the service, verdict, route by node names
SERVICES = [
    ("direct", "", "", "direct", []),
    ("one", "chain: one", "", "chain", ["h0/p"]),
    ("three", "chain: three", "", "chain", ["h0/p", "h1/q", "h2/r"]),
    ("fifo", "chain: fifo", "", "chain", ["h0/r"]),
    ("round", "chain: round", "", "chain", ["h0/p"]),
    ("rand-of-one", "chain: rand-of-one", "", "chain", ["h0/p"]),
    ("rand-with-one-left", "chain: rand-with-one-left", "", "chain", ["h0/r"]),
    ("hash", "chain: hash", "", "chain", None),
    ("hash-by-target", "chain: hash, metadata: {hash: host}", "", "chain", None),
    ("backup", "chain: backup", "", "chain", ["h0/r"]),
    ("node-bypass", "chain: node-bypass", "", "direct", []),
    ("hop-bypass", "chain: hop-bypass", "", "chain", ["h0/p"]),
    ("empty", "chain: empty", "", "direct", []),
    ("ignored", "chain: one", "metadata: {ignoreChain: true}", "direct", []),
    ("denied", "chain: one", "bypass: targets", "refused", None),
    ("not-denied", "chain: one", "bypass: others", "chain", ["h0/p"]),
    (
        "group",
        "chainGroup: {selector: {strategy: fifo}, chains: [{chain: three}, {chain: one}]}",
        "",
        "chain",
        ["h0/p", "h1/q", "h2/r"],
    ),
]

if HAVE_ADMISSION:
    HOPS += ADMISSIONS
    SERVICES.append(("not-admitted", "chain: one", "admission: nobody", "refused", None))

# name, forwarder, more of the handler, verdict, route, target
FORWARDS = [
    ("to-one", "nodes: [{name: a, addr: '127.0.0.1:%(a)d'}]", "", "direct", [], "a"),
    (
        "to-fifo",
        "selector: {strategy: fifo}, nodes: [{name: b, addr: '127.0.0.1:%(b)d'},"
        " {name: a, addr: '127.0.0.1:%(a)d'}]",
        "chain: one",
        "chain",
        ["h0/p"],
        "b",
    ),
    (
        "to-hash",
        "selector: {strategy: hash}, nodes: [{name: b, addr: '127.0.0.1:%(b)d'},"
        " {name: a, addr: '127.0.0.1:%(a)d'}]",
        "chain: three",
        "chain",
        ["h0/p", "h1/q", "h2/r"],
        None,
    ),
    (
        "to-filtered",
        "nodes: [{name: b, addr: '127.0.0.1:%(b)d', filter: {host: x.test}},"
        " {name: a, addr: '127.0.0.1:%(a)d'}]",
        "",
        "direct",
        [],
        "a",
    ),
    (
        "to-nobody",
        "nodes: [{name: b, addr: '127.0.0.1:%(b)d', filter: {host: x.test}}]",
        "",
        "refused",
        None,
        None,
    ),
    (
        "to-denied",
        "nodes: [{name: a, addr: '127.0.0.1:%(a)d'}], SERVICE bypass: targets",
        "",
        "refused",
        None,
        "a",
    ),
]


def configuration():
    ports = {}
    text = "services:\n"
    for name, handler, more, _, _ in SERVICES:
        ports[name] = free_port()
        text += "- name: %s\n  addr: 127.0.0.1:%d\n" % (name, ports[name])
        text += "  handler: {type: socks5%s}\n  listener: {type: tcp}\n" % (
            ", " + handler if handler else ""
        )
        text += "  %s\n" % more if more else ""
    for name, forwarder, handler, _, _, _ in FORWARDS:
        ports[name] = free_port()
        forwarder, _, more = (forwarder % {"a": A, "b": B}).partition(", SERVICE ")
        text += "- name: %s\n  addr: 127.0.0.1:%d\n" % (name, ports[name])
        text += "  handler: {type: tcp%s}\n  listener: {type: tcp}\n" % (
            ", " + handler if handler else ""
        )
        text += "  forwarder: {%s}\n" % forwarder
        text += "  %s\n" % more if more else ""
    text += HOPS % {
        "p": node("p", "socks5"),
        "pb": node("p", "socks5", ", bypass: targets"),
        "pbackup": node("p", "socks5", ", metadata: {backup: true}"),
        "q": node("q", "socks5+tls"),
        "r": node("r", "http"),
        "s": node("s", "relay"),
    }
    path = os.path.join(WORK, "explained.yml")
    with open(path, "w") as f:
        f.write(text)
    return path, ports


def explain(path, target, *more):
    """{service: row} as JSON, and the lines of the text form."""
    rows = []
    for json_too in (["--json"], []):
        r = subprocess.run(
            [HOST, "--explain", target, "-C", path, *more, *json_too],
            capture_output=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        if r.returncode:
            raise RuntimeError(r.stdout + r.stderr)
        rows.append(r.stdout)
    return {row["service"]: row for row in json.loads(rows[0])}, {
        line.split(" ")[0]: line for line in rows[1].splitlines()
    }


def end_of(host, service):
    """The record of the only connection of a service."""

    def look():
        for line in host.text().splitlines():
            e = json.loads(line) if '"outputBytes":' in line else {}
            if e.get("service") == service:
                return e

    e = until(look)
    if not e:
        raise RuntimeError("no line of %s\n%s" % (service, host.text()))
    return e


def names(route):
    return [part.split("@")[0] for part in route.split(" > ")] if route else []


def compare(row, line, end, verdict, route, target):
    """The row against what was expected, and against the live connection's record."""
    got = row.get("route", "")
    if row["verdict"] != verdict:
        return "explained as %s" % row
    if verdict == "refused":
        if not row.get("reason") or "because" not in line or "error" not in end:
            return "%s\n%s\n%s" % (row, line, end)
        return True
    if route is not None and names(got) != route:
        return "explained as %s" % row
    if end.get("route", "") != got:
        return "explained as %s, but it took %s" % (got, end)
    if row["target"] != target or end["host"] != target:
        return "explained for %s, but it was %s" % (row["target"], end["host"])
    if got not in line or (verdict == "chain" and "> " + target not in line):
        return "the text is %s" % line
    return True


def proxied(path, ports, host):
    target = "127.0.0.1:%d" % A
    rows, lines = explain(path, target)
    for name, _, _, verdict, route in SERVICES:

        def run(name=name, verdict=verdict, route=route):
            try:
                s, rep, _ = socks5_open(ports[name], 1, "127.0.0.1", A)
            except (RuntimeError, ConnectionResetError):
                rep = -1
            if (rep == 0) == (verdict == "refused"):
                return "the reply is %d" % rep
            if rep == 0:
                s.sendall(b"x")
                if recv_exact(s, 1) != b"A":
                    return "not the target"
                s.close()
            end = end_of(host, name)
            return compare(rows[name], lines[name], end, verdict, route, target)

        tap.case("socks5: %s" % name, run)


def forwarded(path, ports, host):
    rows, lines = explain(path, "192.0.2.9:1")
    for name, _, _, verdict, route, chosen in FORWARDS:

        def run(name=name, verdict=verdict, route=route, chosen=chosen):
            s = socket.create_connection(("127.0.0.1", ports[name]), 20)
            s.sendall(b"x")
            try:
                got = s.recv(1)
            except ConnectionResetError:
                got = b""
            s.close()
            end = end_of(host, name)
            row = rows[name]
            if verdict == "refused":
                return got == b"" and compare(row, lines[name], end, verdict, route, None)
            if chosen is not None and row["node"] != chosen:
                return "explained for the target %s" % row
            if got.decode().lower() != row["node"]:
                return "explained for %s, but it was %s" % (row["node"], got)
            target = "127.0.0.1:%d" % {"a": A, "b": B}[row["node"]]
            return compare(row, lines[name], end, verdict, route, target)

        tap.case("forward: %s" % name, run)


def clients(path, ports, host):
    """Choices by client and by user are explained for the client that is named."""
    seen = set()
    for last in range(2, 12):
        client = "127.0.0.%d" % last
        rows, _ = explain(path, "127.0.0.1:%d" % A, "--from", client)
        s = socket.socket()
        s.bind((client, 0))
        s.connect(("127.0.0.1", ports["hash"]))
        s.sendall(b"\5\1\0\5\1\0\1\x7f\0\0\1" + A.to_bytes(2, "big"))
        recv_exact(s, 12)
        s.sendall(b"x")
        recv_exact(s, 1)
        s.close()

        def taken(client=client):
            for line in host.text().splitlines():
                if '"service":"hash"' in line and '"client":"%s:' % client in line:
                    return json.loads(line).get("route")

        route = until(taken)
        seen.add(route)
        if not tap.ok(route == rows["hash"]["route"], "hash: the client %s" % client, rows["hash"]):
            break
    tap.ok(len(seen) > 1, "and not all clients go the same way")
    if HAVE_ADMISSION:
        rows, _ = explain(path, "127.0.0.1:%d" % A, "--from", "192.0.2.1")
        tap.ok(rows["not-admitted"]["verdict"] == "chain", "an admitted client")
    for bad in (["--explain", "a:b:c:1"], ["--explain", "a:1", "--from", "nobody"]):
        r = subprocess.run([HOST, *bad, "-C", path], capture_output=True, timeout=60, text=True)
        tap.ok(
            r.returncode == 1 and bad[-1] in r.stderr and "write" in r.stderr,
            "refused with a remedy: %s" % " ".join(bad),
            r.stderr,
        )


far = proxies()
path, ports = configuration()
host = Host("-C", path)
until(lambda: host.text().count("listening on") >= len(ports))
proxied(path, ports, host)
forwarded(path, ports, host)
clients(path, ports, host)
tap.ok(host.stop() == 0 and far.stop() == 0, "a clean end", host.text())
tap.done()
