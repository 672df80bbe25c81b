#!/usr/bin/env python3
# test_http2.py - other programs of HTTP/2 and gRPC at the other end of ours.
# SPDX-License-Identifier: MIT
# timeout: 600
import hashlib
import json
import os
import re
import shutil

import peers
import singbox
from peers import (
    Daemon,
    certificate,
    counted,
    curl,
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
    http_target,
    need,
    pattern,
    run,
    serve,
)

tap = Tap()
COUNTED = serve(counted)
END = serve(answer_after_end(peers.ANSWER))
BODY = pattern(300000)
WEB = http_target(BODY)
UUID = "b831381d-6324-4d53-ad4f-8cda48b30811"
FAKE = ("-H:authority: 127.0.0.1:%d" % WEB, "-H:scheme: http")


# ---- nghttp2's programs ---------------------------------------------------------------------


def nghttp(program):
    """The plain client: GET and POST through the proxy, and what a tunnel answers to a browser."""
    shut, clear, tunnel, grpc = free_port(), free_port(), free_port(), free_port()
    h = Host(
        "-L",
        "http2://127.0.0.1:%d" % shut,
        "-L",
        "http2+tcp+h2://127.0.0.1:%d" % clear,
        "-L",
        "relay+h2c://127.0.0.1:%d" % tunnel,
        "-L",
        "relay+grpc://127.0.0.1:%d?insecure=true" % grpc,
        ports=[shut, clear, tunnel, grpc],
    )
    data = pattern(150000, 9)
    path = write("upload", "")
    with open(path, "wb") as out:
        out.write(data)
    digest = hashlib.sha256(data).hexdigest().encode()
    for url in ("https://127.0.0.1:%d/a?b" % shut, "http://127.0.0.1:%d/a?b" % clear):
        get = run([program, "--no-dep", *FAKE, url])
        tap.ok(get.stdout == BODY, "nghttp: GET " + url.split(":")[0], get.stderr)
        post = run([program, "--no-dep", "-d", path, *FAKE, url])
        tap.ok(post.stdout == digest, "nghttp: POST " + url.split(":")[0], post.stderr)
    many = run([program, "--no-dep", "-m", "20", *FAKE, "http://127.0.0.1:%d/" % clear])
    tap.ok(len(many.stdout) == 20 * len(BODY), "nghttp: 20 requests at once", many.stderr)
    verbose = run([program, "-v", "--no-dep", "http://127.0.0.1:%d/" % tunnel]).stdout
    tap.ok(b":status: 405" in verbose, "nghttp: a tunnel is no web server: 405", verbose)
    verbose = run([program, "-v", "--no-dep", "http://127.0.0.1:%d/" % grpc]).stdout
    tap.ok(
        b":status: 415" in verbose and b"grpc-status: 3" in verbose,
        "nghttp: gRPC is none either: 415",
        verbose,
    )
    ended_cleanly(tap, "nghttp", h)


def h2load(program):
    clear = free_port()
    h = Host("-L", "http2+tcp+h2://127.0.0.1:%d" % clear, "--workers", "2", ports=[clear])
    for clients, streams in ((1, 1), (4, 50), (1, 200)):
        r = run(
            [
                program,
                "-n",
                "600",
                "-c",
                str(clients),
                "-m",
                str(streams),
                *FAKE,
                "http://127.0.0.1:%d/" % clear,
            ]
        )
        done = re.search(rb"(\d+) succeeded", r.stdout)
        tap.ok(
            done and int(done.group(1)) == 600,
            "h2load: %d clients with %d streams" % (clients, streams),
            r.stdout[-900:],
        )
    ended_cleanly(tap, "h2load", h)


def nghttpx(program):
    """A proxy of HTTP/2 before and behind ours: CONNECT in both directions."""
    cert, key = certificate()
    front, plain, entry = free_port(), free_port(), free_port()
    behind = Host("-L", "http://127.0.0.1:%d" % plain, ports=[plain])
    daemon = Daemon(
        program,
        "--http2-proxy",
        "-f127.0.0.1,%d" % front,
        "-b127.0.0.1,%d" % plain,
        "--no-ocsp",
        "--log-level=ERROR",
        key,
        cert,
        ports=[front],
    )
    before = Host(
        "-L", "socks5://127.0.0.1:%d" % entry, "-F", "http2://127.0.0.1:%d" % front, ports=[entry]
    )
    tap.case(
        "ours > nghttpx", lambda: round_trip(connect_via("socks5", entry, "127.0.0.1", COUNTED))
    )
    tap.case(
        "ours > nghttpx, again on the same session",
        lambda: round_trip(connect_via("socks5", entry, "localhost", COUNTED)),
    )
    ended_cleanly(tap, "ours > nghttpx", before, behind)
    daemon.stop()

    server, front = free_port(), free_port()
    h = Host("-L", "http2://127.0.0.1:%d" % server, ports=[server])
    daemon = Daemon(
        program,
        "--http2-proxy",
        "-f127.0.0.1,%d;no-tls" % front,
        "-b127.0.0.1,%d;;proto=h2;tls" % server,
        "--insecure",
        "--log-level=ERROR",
        ports=[front],
    )
    for flag in ([], ["-p"]):
        got = curl(*flag, "-x", "http://127.0.0.1:%d" % front, "http://127.0.0.1:%d/" % WEB)
        tap.ok(got == BODY, "curl %s> nghttpx > ours" % ("-p " if flag else ""), got[:200])
    ended_cleanly(tap, "nghttpx > ours", h)
    daemon.stop()


# ---- proxies in front of a tunnel -----------------------------------------------------------


def through(name, first, port, start):
    """Ours > a reverse proxy > ours."""
    server, entry = free_port(), free_port()
    scheme, _, query = first.partition("?")
    behind = Host(
        "-L", "%s://127.0.0.1:%d%s" % (scheme, server, "?" + query if query else ""), ports=[server]
    )
    daemon = start(server)
    before = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        "%s://127.0.0.1:%d%s" % (scheme, port, "?" + query if query else ""),
        ports=[entry],
    )
    for i in range(3):
        tap.case(
            "%s, %d" % (name, i + 1),
            lambda: round_trip(connect_via("socks5", entry, "127.0.0.1", COUNTED)),
        )
    tap.case(
        name + ", half-close", lambda: half_close(connect_via("socks5", entry, "127.0.0.1", END))
    )
    ended_cleanly(tap, name, before, behind)
    daemon.stop()


def nginx(program):
    port = free_port()

    def start(server):
        conf = write(
            "nginx-grpc.conf",
            """
            daemon off; worker_processes 1; pid %(w)s/nginx-grpc.pid; error_log %(w)s/nginx.log;
            events {} http { access_log off; client_body_temp_path %(w)s/b; proxy_temp_path %(w)s/p;
            fastcgi_temp_path %(w)s/f; uwsgi_temp_path %(w)s/u; scgi_temp_path %(w)s/s;
            server { listen 127.0.0.1:%(port)d http2; client_max_body_size 0;
            grpc_read_timeout 60s; location / { grpc_pass grpc://127.0.0.1:%(server)d; } } }
            """ % {"w": peers.harness.WORK, "port": port, "server": server},
        )
        return Daemon(program, "-c", conf, "-p", peers.harness.WORK, ports=[port])

    through("grpc > nginx > grpc", "relay+grpc?insecure=true", port, start)


def haproxy(program):
    port = free_port()

    def start(server):
        conf = write(
            "haproxy-h2.cfg",
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 60s
                timeout server 60s
            frontend f
                bind 127.0.0.1:%d proto h2
                default_backend b
            backend b
                server s 127.0.0.1:%d proto h2
            """.replace("\n            ", "\n") % (port, server) + "\n",
        )
        return Daemon(program, "-f", conf, ports=[port])

    through("h2c GET > haproxy > h2c", "relay+h2c?path=/t", port, start)


# ---- tunnels of others: a VLESS stream inside, which both of their ends speak ---------------


def v2ray_conf(name, inbound, outbound):
    return write(
        name,
        json.dumps(
            {"log": {"loglevel": "warning"}, "inbounds": [inbound], "outbounds": [outbound]}
        ),
    )


def v2ray_vless(port, stream):
    return {
        "protocol": "vless",
        "streamSettings": stream,
        "settings": {
            "vnext": [
                {
                    "address": "127.0.0.1",
                    "port": port,
                    "users": [{"id": UUID, "encryption": "none"}],
                }
            ]
        },
    }


def v2ray_in(port, stream):
    return {
        "protocol": "vless",
        "port": port,
        "listen": "127.0.0.1",
        "streamSettings": stream,
        "settings": {"clients": [{"id": UUID}], "decryption": "none"},
    }


def v2ray_socks(port):
    return {"protocol": "socks", "port": port, "listen": "127.0.0.1", "settings": {"udp": False}}


def v2ray(program):
    """Its h2 is a request with a path, like ours."""
    cert, key = certificate()
    plain = {"network": "tcp"}
    http = {"path": "/t", "host": ["peer.example"]}
    tls = {"serverName": "peer.example", "allowInsecure": True, "alpn": ["h2"]}
    served = {"certificates": [{"certificateFile": cert, "keyFile": key}], "alpn": ["h2"]}
    h2 = {"network": "http", "security": "tls", "httpSettings": http}

    inner, tunnel, entry = free_port(), free_port(), free_port()
    behind = Daemon(
        program,
        "-config",
        v2ray_conf("v2-1.json", v2ray_in(inner, plain), {"protocol": "freedom"}),
        ports=[inner],
    )
    h = Host(
        "-L",
        "tcp+h2://127.0.0.1:%d/127.0.0.1:%d?path=/t&certFile=%s&keyFile=%s"
        % (tunnel, inner, cert, key),
        ports=[tunnel],
    )
    before = Daemon(
        program,
        "-config",
        v2ray_conf("v2-2.json", v2ray_socks(entry), v2ray_vless(tunnel, dict(h2, tlsSettings=tls))),
        ports=[entry],
    )
    tap.case(
        "v2ray h2 > ours", lambda: round_trip(connect_via("socks5", entry, "127.0.0.1", COUNTED))
    )
    ended_cleanly(tap, "v2ray h2 > ours", h)
    before.stop()
    behind.stop()

    tunnel, inner, entry = free_port(), free_port(), free_port()
    behind = Daemon(
        program,
        "-config",
        v2ray_conf(
            "v2-3.json", v2ray_in(tunnel, dict(h2, tlsSettings=served)), {"protocol": "freedom"}
        ),
        ports=[tunnel],
    )
    h = Host(
        "-L",
        "tcp://127.0.0.1:%d/127.0.0.1:%d" % (inner, tunnel),
        "-F",
        "forward+h2://127.0.0.1:%d?path=/t&host=peer.example" % tunnel,
        ports=[inner],
    )
    before = Daemon(
        program,
        "-config",
        v2ray_conf("v2-4.json", v2ray_socks(entry), v2ray_vless(inner, plain)),
        ports=[entry],
    )
    tap.case(
        "ours > v2ray h2", lambda: round_trip(connect_via("socks5", entry, "127.0.0.1", COUNTED))
    )
    ended_cleanly(tap, "ours > v2ray h2", h)
    before.stop()
    behind.stop()


def box(program, name, inbound, outbound):
    conf = write(
        "box-%s.json" % name,
        json.dumps(
            {
                "log": {"level": "warn", "timestamp": False},
                "inbounds": [dict(inbound, tag="in", listen="127.0.0.1")],
                "outbounds": [dict(outbound, tag="out")],
            }
        ),
    )
    return Daemon(
        program, "run", "-c", conf, "-D", peers.harness.WORK, ports=[inbound["listen_port"]]
    )


def sing_box(program):
    """Its grpc is that of GOST with another path, its http a request with a path."""
    cert, key = certificate()
    gun = {"type": "grpc", "service_name": "GunService"}
    web = {"type": "http", "host": ["peer.example"], "path": "/t", "method": "GET"}
    seen = {"enabled": True, "server_name": "peer.example", "insecure": True, "alpn": ["h2"]}
    shown = {"enabled": True, "certificate_path": cert, "key_path": key, "alpn": ["h2"]}
    mine = "certFile=%s&keyFile=%s" % (cert, key)
    for name, transport, tls, listener, dialer in (
        (
            "grpc",
            gun,
            False,
            "grpc?insecure=true&path=/GunService/Tun",
            "grpc?insecure=true&path=/GunService/Tun",
        ),
        (
            "grpc with TLS",
            gun,
            True,
            "grpc?path=/GunService/Tun&" + mine,
            "grpc?path=/GunService/Tun&serverName=peer.example",
        ),
        ("http", web, True, "h2?path=/t&" + mine, "h2?path=/t&host=peer.example"),
    ):
        inner, tunnel, entry = free_port(), free_port(), free_port()
        scheme, _, query = listener.partition("?")
        behind = box(
            program,
            "1",
            {"type": "vless", "listen_port": inner, "users": [{"uuid": UUID}]},
            {"type": "direct"},
        )
        h = Host(
            "-L",
            "tcp+%s://127.0.0.1:%d/127.0.0.1:%d?%s" % (scheme, tunnel, inner, query),
            ports=[tunnel],
        )
        vless = {"type": "vless", "server": "127.0.0.1", "uuid": UUID}
        before = box(
            program,
            "2",
            {"type": "socks", "listen_port": entry},
            dict(vless, server_port=tunnel, transport=transport, **({"tls": seen} if tls else {})),
        )
        for i in range(2):
            tap.case(
                "sing-box %s > ours, %d" % (name, i + 1),
                lambda: round_trip(connect_via("socks5", entry, "127.0.0.1", COUNTED)),
            )
        ended_cleanly(tap, "sing-box %s > ours" % name, h)
        before.stop()
        behind.stop()

        inner, tunnel, entry = free_port(), free_port(), free_port()
        scheme, _, query = dialer.partition("?")
        behind = box(
            program,
            "3",
            {
                "type": "vless",
                "listen_port": tunnel,
                "users": [{"uuid": UUID}],
                "transport": transport,
                **({"tls": shown} if tls else {}),
            },
            {"type": "direct"},
        )
        h = Host(
            "-L",
            "tcp://127.0.0.1:%d/127.0.0.1:%d" % (inner, tunnel),
            "-F",
            "forward+%s://127.0.0.1:%d?%s" % (scheme, tunnel, query),
            ports=[inner],
        )
        before = box(
            program, "4", {"type": "socks", "listen_port": entry}, dict(vless, server_port=inner)
        )
        for i in range(2):
            tap.case(
                "ours > sing-box %s, %d" % (name, i + 1),
                lambda: round_trip(connect_via("socks5", entry, "127.0.0.1", COUNTED)),
            )
        ended_cleanly(tap, "ours > sing-box " + name, h)
        before.stop()
        behind.stop()


def sing_box_program():
    """One that is given or installed, whose grpc may be grpc-go's; else that of singbox.py."""
    for path in (os.environ.get("SING_BOX_BIN"), shutil.which("sing-box")):
        if path and os.access(path, os.X_OK):
            return path
    return singbox.program(tap)


for program, fn in (
    ("nghttp", nghttp),
    ("h2load", h2load),
    ("nghttpx", nghttpx),
    ("nginx", nginx),
    ("haproxy", haproxy),
    ("v2ray", v2ray),
):
    found = need(tap, program, program)
    if found:
        section(tap, program, fn, found)
found = sing_box_program()
if found:
    section(tap, "sing-box", sing_box, found)
tap.done()
