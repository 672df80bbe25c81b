#!/usr/bin/env python3
# test_ss.py - Shadowsocks of others in both directions: shadowsocks-libev, v2ray, sing-box.
# SPDX-License-Identifier: MIT
# timeout: 600
import base64
import json
import socket

from peers import (
    ANSWER,
    Daemon,
    counted,
    datagrams,
    echoes,
    ended_cleanly,
    half_close,
    round_trip,
    section,
    write,
)
from harness import (
    Host,
    Tap,
    answer_after_end,
    connect_via,
    free_port,
    need,
    serve,
    udp_echo,
)
from singbox import program, sing_box

tap = Tap()
COUNTED = serve(counted)
END = serve(answer_after_end(ANSWER))
ECHO = udp_echo()
AEAD = ("aes-128-gcm", "aes-256-gcm", "chacha20-ietf-poly1305")
SECRET = "s3cret, with blanks"
K16, K32 = "AAECAwQFBgcICQoLDA0ODw==", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
ALICE, BOB = "EBESExQVFhcYGRobHB0eHw==", "ICEiIyQlJicoKSorLC0uLw=="
NEW = {
    "2022-blake3-aes-128-gcm": K16,
    "2022-blake3-aes-256-gcm": K32,
    "2022-blake3-chacha20-poly1305": K32,
}
SIZES = (1, 100, 1200)


def word(key):
    return base64.b64encode(bytes(key)).decode()


def quote(text):
    return "".join(c if c.isalnum() else "%%%02X" % ord(c) for c in text)


def url(kind, method, password, port, query=""):
    return "%s://%s:%s@127.0.0.1:%d%s" % (kind, method, quote(password), port, query)


def ours_as_client(note, method, password, port, half=False, udp=True):
    """Through a peer's server at the port, TCP and UDP, by address and by name."""
    entry, packets = free_port(), free_port()
    h = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        url("ss", method, password, port),
        ports=[entry],
    )
    for host in ("127.0.0.1", "localhost"):
        tap.case(
            "ours > %s to %s" % (note, host),
            lambda: round_trip(connect_via("socks5", entry, host, COUNTED)),
        )
    tap.case(
        "ours > %s, 8 MB" % note,
        lambda: round_trip(connect_via("socks5", entry, "127.0.0.1", COUNTED), 8 << 20),
    )
    if half:
        tap.case(
            "half-close, ours > " + note,
            lambda: half_close(connect_via("socks5", entry, "127.0.0.1", END)),
        )
    if udp:
        u = Host(
            "-L",
            "socks5://127.0.0.1:%d?udp=true" % packets,
            "-F",
            url("ssu", method, password, port),
            ports=[packets],
        )
        tap.case("UDP, ours > " + note, lambda: datagrams(packets, ECHO, SIZES))
        ended_cleanly(tap, "UDP, ours > " + note, u)
    ended_cleanly(tap, "ours > " + note, h)


def ours_as_server(method, password):
    """ss and ssu at one port, as other programs expect it."""
    port = free_port()
    h = Host(
        "-L",
        url("ss", method, password, port),
        "-L",
        url("ssu", method, password, port, "?keepalive=true&ttl=60s"),
        ports=[port],
        udp=[port],
    )
    return h, port


def theirs_as_client(note, entry, half=False, udp=True):
    for host in ("127.0.0.1", "localhost"):
        tap.case(
            "%s > ours to %s" % (note, host),
            lambda: round_trip(connect_via("socks5", entry, host, COUNTED)),
        )
    tap.case(
        "%s > ours, 8 MB" % note,
        lambda: round_trip(connect_via("socks5", entry, "127.0.0.1", COUNTED), 8 << 20),
    )
    if half:
        tap.case(
            "half-close, %s > ours" % note,
            lambda: half_close(connect_via("socks5", entry, "127.0.0.1", END)),
        )
    if udp:
        tap.case("UDP, %s > ours" % note, lambda: datagrams(entry, ECHO, SIZES))


# ---- shadowsocks-libev ----------------------------------------------------------------------


def libev_server():
    binary = need(tap, "ss-server", "shadowsocks-libev as server")
    for method in AEAD if binary else ():
        port = free_port()
        daemon = Daemon(
            binary, "-s", "127.0.0.1", "-p", port, "-k", SECRET, "-m", method, "-u", ports=[port]
        )
        ours_as_client("ss-server, " + method, method, SECRET, port)
        daemon.stop()


def libev_client():
    local = need(tap, "ss-local", "shadowsocks-libev as client")
    tunnel = need(tap, "ss-tunnel", "ss-tunnel as client")
    for method in AEAD if local and tunnel else ():
        h, port = ours_as_server(method, SECRET)
        common = ["-s", "127.0.0.1", "-p", port, "-k", SECRET, "-m", method]
        entry, through, packets = free_port(), free_port(), free_port()
        daemon = Daemon(local, *common, "-b", "127.0.0.1", "-l", entry, "-u", ports=[entry])
        theirs_as_client("ss-local, " + method, entry)
        daemon.stop()
        daemon = Daemon(
            tunnel,
            *common,
            "-b",
            "127.0.0.1",
            "-l",
            through,
            "-L",
            "127.0.0.1:%d" % COUNTED,
            ports=[through],
        )
        tap.case(
            "ss-tunnel > ours, " + method,
            lambda: round_trip(socket.create_connection(("127.0.0.1", through))),
        )
        daemon.stop()
        daemon = Daemon(
            *(tunnel, *common, "-b", "127.0.0.1", "-l", packets, "-L", "127.0.0.1:%d" % ECHO, "-U"),
            udp=[packets],
        )
        tap.case("ss-tunnel -U > ours, " + method, lambda: echoes(packets, SIZES))
        daemon.stop()
        ended_cleanly(tap, "shadowsocks-libev as client, " + method, h)


# ---- v2ray ----------------------------------------------------------------------------------


def v2ray_conf(name, inbound, outbound):
    return write(
        "v2ray-%s.json" % name,
        json.dumps(
            {
                "log": {"loglevel": "info"},
                "inbounds": [dict(inbound, listen="127.0.0.1")],
                "outbounds": [outbound],
            }
        ),
    )


def v2ray():
    binary = need(tap, "v2ray", "v2ray")
    for method in AEAD if binary else ():
        port = free_port()
        conf = v2ray_conf(
            "server",
            {
                "port": port,
                "protocol": "shadowsocks",
                "settings": {"method": method, "password": SECRET, "network": "tcp,udp"},
            },
            {"protocol": "freedom"},
        )
        daemon = Daemon(binary, "-config", conf, ports=[port])
        ours_as_client("v2ray, " + method, method, SECRET, port)
        daemon.stop()
        h, port = ours_as_server(method, SECRET)
        entry = free_port()
        conf = v2ray_conf(
            "client",
            {"port": entry, "protocol": "socks", "settings": {"udp": True, "ip": "127.0.0.1"}},
            {
                "protocol": "shadowsocks",
                "settings": {
                    "servers": [
                        {"address": "127.0.0.1", "port": port, "method": method, "password": SECRET}
                    ]
                },
            },
        )
        daemon = Daemon(binary, "-config", conf, ports=[entry])
        theirs_as_client("v2ray, " + method, entry)
        daemon.stop()
        ended_cleanly(tap, "v2ray as client, " + method, h)


# ---- sing-box -------------------------------------------------------------------------------


def sing_server(binary):
    for method, password in list(NEW.items()) + [(m, SECRET) for m in AEAD]:
        port = free_port()
        daemon = sing_box(
            binary,
            "ss-server",
            [{"type": "shadowsocks", "listen_port": port, "method": method, "password": password}],
            {"type": "direct"},
        )
        ours_as_client("sing-box, " + method, method, password, port)
        daemon.stop()
    for method, keys in (
        ("2022-blake3-aes-128-gcm", (K16, ALICE, BOB)),
        ("2022-blake3-aes-256-gcm", (K32, word(range(32, 64)), word(range(64, 96)))),
    ):
        port = free_port()
        daemon = sing_box(
            binary,
            "ss-users",
            [
                {
                    "type": "shadowsocks",
                    "listen_port": port,
                    "method": method,
                    "password": keys[0],
                    "users": [
                        {"name": "alice", "password": keys[1]},
                        {"name": "bob", "password": keys[2]},
                    ],
                }
            ],
            {"type": "direct"},
        )
        for name, key in (("alice", keys[1]), ("bob", keys[2])):
            ours_as_client("sing-box, %s of %s" % (name, method), method, keys[0] + ":" + key, port)
        daemon.stop()


def sing_client(binary):
    for method, password in list(NEW.items()) + [(m, SECRET) for m in AEAD]:
        h, port = ours_as_server(method, password)
        entry = free_port()
        daemon = sing_box(
            binary,
            "ss-client",
            [{"type": "mixed", "listen_port": entry}],
            {
                "type": "shadowsocks",
                "server": "127.0.0.1",
                "server_port": port,
                "method": method,
                "password": password,
            },
        )
        theirs_as_client("sing-box, " + method, entry)
        daemon.stop()
        ended_cleanly(tap, "sing-box as client, " + method, h)


def sing_users(binary):
    method, port = "2022-blake3-aes-128-gcm", free_port()
    handler = {
        "auth": {"username": method, "password": K16},
        "metadata": {"users": {"alice": ALICE, "bob": BOB}},
    }
    h = Host(
        "-C",
        json.dumps(
            {
                "services": [
                    {
                        "name": "ss",
                        "addr": "127.0.0.1:%d" % port,
                        "handler": dict(handler, type="ss"),
                        "listener": {"type": "tcp"},
                    },
                    {
                        "name": "ssu",
                        "addr": "127.0.0.1:%d" % port,
                        "handler": dict(handler, type="ssu"),
                        "listener": {"type": "udp", "metadata": {"keepalive": True, "ttl": "60s"}},
                    },
                ]
            }
        ),
        ports=[port],
    )
    for name, key in (("alice", ALICE), ("bob", BOB)):
        entry = free_port()
        daemon = sing_box(
            binary,
            "ss-user",
            [{"type": "mixed", "listen_port": entry}],
            {
                "type": "shadowsocks",
                "server": "127.0.0.1",
                "server_port": port,
                "method": method,
                "password": K16 + ":" + key,
            },
        )
        theirs_as_client("sing-box as " + name, entry)
        daemon.stop()
    ended_cleanly(tap, "sing-box as client with users", h)


section(tap, "shadowsocks-libev as server", libev_server)
section(tap, "shadowsocks-libev as client", libev_client)
section(tap, "v2ray", v2ray)
BINARY = program(tap)
if BINARY:
    section(tap, "sing-box as server", sing_server, BINARY)
    section(tap, "sing-box as client", sing_client, BINARY)
    section(tap, "sing-box as client with users", sing_users, BINARY)
tap.done()
