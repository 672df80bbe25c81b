#!/usr/bin/env python3
# test_singbox.py - sing-box as upstream and as client of ours: socks, http, tcp and udp.
# SPDX-License-Identifier: MIT
# timeout: 600
from peers import certificate, counted, datagrams, ended_cleanly, refusal, round_trip, section
from harness import Host, Tap, connect_via, free_port, serve, udp_echo
from singbox import program, sing_box

tap = Tap()
COUNTED = serve(counted)
ECHO = udp_echo()
USERS = [{"username": "user", "password": "pass"}]


def upstream(binary):
    cert, key = certificate()
    tls = {"enabled": True, "certificate_path": cert, "key_path": key}
    plain = {kind: free_port() for kind in ("socks", "http", "mixed")}
    shut = {kind: free_port() for kind in ("socks", "http")}
    secret = free_port()
    inbounds = [{"type": kind, "listen_port": port} for kind, port in plain.items()]
    inbounds += [{"type": kind, "listen_port": port, "users": USERS} for kind, port in shut.items()]
    inbounds += [{"type": "http", "listen_port": secret, "users": USERS, "tls": tls}]
    daemon = sing_box(binary, "upstream", inbounds, {"type": "direct"})
    for name, url, udp, works in (
        ("socks", "socks5://127.0.0.1:%d?relay=udp" % plain["socks"], True, True),
        (
            "socks with a password",
            "socks5://user:pass@127.0.0.1:%d?relay=udp" % shut["socks"],
            True,
            True,
        ),
        (
            "socks with a wrong password",
            "socks5://user:no@127.0.0.1:%d" % shut["socks"],
            False,
            False,
        ),
        ("socks by SOCKS4a", "socks4a://127.0.0.1:%d" % plain["socks"], False, True),
        ("mixed by SOCKS5", "socks5://127.0.0.1:%d?relay=udp" % plain["mixed"], True, True),
        ("mixed by HTTP", "http://127.0.0.1:%d" % plain["mixed"], False, True),
        ("http", "http://127.0.0.1:%d" % plain["http"], False, True),
        ("http with a password", "http://user:pass@127.0.0.1:%d" % shut["http"], False, True),
        ("http with a wrong password", "http://user:no@127.0.0.1:%d" % shut["http"], False, False),
        (
            "http with tls, verified",
            "http+tls://user:pass@127.0.0.1:%d?secure=true&caFile=%s"
            "&serverName=peer.example" % (secret, cert),
            False,
            True,
        ),
    ):
        entry = free_port()
        h = Host("-L", "socks5://127.0.0.1:%d?udp=true" % entry, "-F", url, ports=[entry])
        note = "ours > sing-box " + name
        if not works:
            tap.case(note + " is refused", lambda: refusal(entry, "127.0.0.1", COUNTED) != 0)
            ended_cleanly(tap, note, h)
            continue
        tunnel(note, entry, ["127.0.0.1", "localhost"], udp)
        ended_cleanly(tap, note, h)
    daemon.stop()


def tunnel(note, entry, hosts, udp):
    """No half-close: sing-box ends both directions of a plain TCP connection at once."""
    for host in hosts:
        tap.case(
            "%s to %s" % (note, host),
            lambda: round_trip(connect_via("socks5", entry, host, COUNTED)),
        )
    if udp:
        tap.case("UDP, " + note, lambda: datagrams(entry, ECHO, (1, 100, 1200)))


def client(binary):
    cert, key = certificate()
    names = ("socks5", "shut", "socks4", "http", "auto", "https")
    ports = {name: free_port() for name in names}
    h = Host(
        "-L",
        "socks5://127.0.0.1:%d?udp=true" % ports["socks5"],
        "-L",
        "socks5://user:pass@127.0.0.1:%d?udp=true" % ports["shut"],
        "-L",
        "socks4://127.0.0.1:%d" % ports["socks4"],
        "-L",
        "http://user:pass@127.0.0.1:%d" % ports["http"],
        "-L",
        "auto://127.0.0.1:%d" % ports["auto"],
        "-L",
        "http+tls://user:pass@127.0.0.1:%d?certFile=%s&keyFile=%s" % (ports["https"], cert, key),
        ports=ports.values(),
    )
    login = USERS[0]
    for name, at, udp, outbound in (
        ("socks5", "socks5", True, {"type": "socks", "version": "5"}),
        ("socks5 with a password", "shut", True, {"type": "socks", "version": "5", **login}),
        ("socks4", "socks4", False, {"type": "socks", "version": "4"}),
        ("socks4a", "socks4", False, {"type": "socks", "version": "4a"}),
        ("http with a password", "http", False, {"type": "http", **login}),
        ("http at auto", "auto", False, {"type": "http"}),
        (
            "https, verified",
            "https",
            False,
            {
                "type": "http",
                **login,
                "tls": {"enabled": True, "server_name": "peer.example", "certificate_path": cert},
            },
        ),
    ):
        port = free_port()
        daemon = sing_box(
            binary,
            "client",
            [{"type": "mixed", "listen_port": port}],
            dict(outbound, server="127.0.0.1", server_port=ports[at]),
        )
        hosts = ["127.0.0.1"] if name == "socks4" else ["127.0.0.1", "localhost"]
        tunnel("sing-box > ours by " + name, port, hosts, udp)
        daemon.stop()
    ended_cleanly(tap, "sing-box as client", h)


def main():
    binary = program(tap)
    if binary:
        section(tap, "sing-box as upstream", upstream, binary)
        section(tap, "sing-box as client", client, binary)


section(tap, "sing-box", main)
tap.done()
