#!/usr/bin/env python3
# test_ws_peers.py - other WebSockets and simple-obfs at the other end, proxies in between.
# SPDX-License-Identifier: MIT
# timeout: 600
import asyncio
import json
import os
import shutil
import socket
import sys
import threading

import peers
import singbox
from peers import (
    ANSWER,
    Daemon,
    certificate,
    counted,
    ended_cleanly,
    half_close,
    open_work,
    round_trip,
    section,
    write,
)
from harness import (
    WORK,
    Host,
    Tap,
    answer_after_end,
    echo,
    free_port,
    need,
    pattern,
    recv_exact,
    serve,
)

# The distribution's package serves the distribution's python; it is pure enough for any other.
sys.path.append("/usr/lib/python3/dist-packages")
try:
    import websockets
except ImportError:
    websockets = None

tap = Tap()
COUNTED = serve(counted)
END = serve(answer_after_end(ANSWER))
ECHO = serve(echo)


def to(port):
    return socket.create_connection(("127.0.0.1", port), 20)


def dialer(stack, port, query="", workers=None):
    """A port of ours whose bytes travel to the given port in this stack, and the host."""
    entry = free_port()
    host = Host(
        "-L",
        "tcp://127.0.0.1:%d" % entry,
        "-F",
        "forward+%s://127.0.0.1:%d%s" % (stack, port, query),
        ports=[entry],
        workers=workers,
    )
    return entry, host


def listener(stack, target, query=""):
    """A port of ours that unwraps this stack and forwards to the target, and the host."""
    port = free_port()
    host = Host(
        "-L", "tcp+%s://127.0.0.1:%d/127.0.0.1:%d%s" % (stack, port, target, query), ports=[port]
    )
    return port, host


def echoed(port, size=3000000):
    s = to(port)
    s.settimeout(peers.SECONDS)
    data = pattern(size, 21)
    writer = threading.Thread(target=s.sendall, args=(data,), daemon=True)
    writer.start()
    got = recv_exact(s, size)
    s.close()
    return got == data or "the echo differs"


# ---- python's websockets --------------------------------------------------------------------


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def run(self, coroutine, seconds=60):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(seconds)


# Both faces of the module: up to 13 the connection itself says it, since 14 its parts do.
def asked(ws):
    """The path and the host that a client asked for."""
    if hasattr(ws, "request"):
        return ws.request.path, ws.request.headers["Host"]
    return ws.path, ws.request_headers["Host"]


def extensions(ws):
    return ws.extensions if hasattr(ws, "extensions") else ws.protocol.extensions


async def serve_echo(port, compression, seen):
    async def handler(ws, *_):
        seen["path"], seen["host"] = asked(ws)
        seen["deflate"] = bool(extensions(ws))
        try:
            async for message in ws:
                half = len(message) // 2
                await ws.send([message[:half], message[half:]])  # in two fragments
        except websockets.ConnectionClosed:
            pass
        seen["code"] = ws.close_code

    return await websockets.serve(
        handler,
        "127.0.0.1",
        port,
        compression=compression,
        max_size=None,
        ping_interval=0.1,
        ping_timeout=5,
    )


async def talk(port, compression, path="/ws"):
    """A client: text, binary, fragments, pings; the closing handshake. True, or what is wrong."""
    data = pattern(500000, 3)
    async with websockets.connect(
        "ws://127.0.0.1:%d%s" % (port, path),
        compression=compression,
        max_size=None,
        max_queue=None,  # a pong comes behind an echo that nobody has taken yet
        ping_interval=0.1,
    ) as ws:
        if bool(extensions(ws)) != bool(compression):
            return "compression %s" % extensions(ws)
        sent = b"text \xc3\xa4" + data + b"".join([data[:1], data[1:70000], b"", data[70000:]])
        await ws.send("text \u00e4")
        await ws.send(data)
        await (await ws.ping(b"are you there"))
        await ws.send([data[:1], data[1:70000], b"", data[70000:]])
        got = b""
        while len(got) < len(sent):
            got += await ws.recv()
        await ws.close(1000, "done")
        if got != sent:
            return "got %d of %d bytes" % (len(got), len(sent))
        return ws.close_code == 1000 or "close code %s" % ws.close_code


def websockets_server(loop):
    for words, compression in (("", None), ("&enableCompression=true", "deflate")):
        port, seen = free_port(), {}
        loop.run(serve_echo(port, compression, seen))
        name = "websockets server, compression %s" % compression
        entry, host = dialer(
            "ws",
            port,
            (
                "?path=/a?b&keepalive=true&ttl=1s&host=front.example" + words
                if not words
                else "?path=/a" + words
            ),
        )
        tap.case("echo, " + name, echoed, entry)
        tap.ok(seen.get("deflate") == bool(compression), "agreed, " + name, seen)
        tap.ok(seen.get("path") == ("/a" if words else "/a%3Fb"), "path, " + name, seen)
        tap.ok(
            seen.get("host") == ("front.example" if not words else "127.0.0.1:%d" % port),
            "host, " + name,
            seen,
        )
        ended_cleanly(tap, name, host)


def websockets_client(loop):
    for compression in (None, "deflate"):
        name = "websockets client, compression %s" % compression
        port, host = listener("ws", ECHO, "?enableCompression=true&path=/a/")
        tap.case("talk, " + name, lambda: loop.run(talk(port, compression, "/a/b?c")))
        ended_cleanly(tap, name, host)
    cert, key = certificate("localhost")
    port, host = listener("wss", ECHO, "?cert=%s&key=%s" % (cert, key))

    async def secure():
        import ssl

        trust = ssl.create_default_context(cafile=cert)
        async with websockets.connect("wss://localhost:%d/ws" % port, ssl=trust) as ws:
            await ws.send(b"hello")
            return await ws.recv() == b"hello"

    tap.case("wss, websockets client", lambda: loop.run(secure()))
    ended_cleanly(tap, "wss, websockets client", host)


def with_websockets():
    if not websockets:
        if os.environ.get("GOST_REQUIRE_PEERS"):
            tap.ok(False, "websockets", "python3-websockets is not installed")
        else:
            tap.skip("websockets", "python3-websockets is not installed")
        return
    loop = Loop()
    section(tap, "websockets as server", websockets_server, loop)
    section(tap, "websockets as client", websockets_client, loop)


# ---- v2ray ----------------------------------------------------------------------------------


def v2ray(binary, name, inbound, outbound):
    conf = write(
        "v2ray-%s.json" % name,
        json.dumps(
            {"log": {"loglevel": "warning"}, "inbounds": [inbound], "outbounds": [outbound]}
        ),
    )
    return Daemon(binary, "-config", conf, ports=[inbound["port"]])


def streams(path, tls=None):
    out = {"network": "ws", "wsSettings": {"path": path}}
    if tls:
        out.update(security="tls", tlsSettings=tls)
    return out


def with_v2ray():
    binary = need(tap, "v2ray", "v2ray")
    if not binary:
        return
    cert, key = certificate("v2ray.example")
    for stack, server_tls, client_tls, query in (
        ("ws", None, None, ""),
        (
            "wss",
            {"certificates": [{"certificateFile": cert, "keyFile": key}]},
            {"allowInsecure": True, "serverName": "v2ray.example"},
            "&cert=%s&key=%s" % (cert, key),
        ),
    ):
        port = free_port()
        daemon = v2ray(
            binary,
            "server",
            {
                "listen": "127.0.0.1",
                "port": port,
                "protocol": "dokodemo-door",
                "settings": {"address": "127.0.0.1", "port": COUNTED, "network": "tcp"},
                "streamSettings": streams("/v", server_tls),
            },
            {"protocol": "freedom"},
        )
        entry, host = dialer(stack, port, "?path=/v")
        tap.case("%s to v2ray" % stack, lambda: round_trip(to(entry)))
        ended_cleanly(tap, "%s to v2ray" % stack, host)
        daemon.stop()

        port, host = listener(stack, COUNTED, "?path=/v" + query)
        entry = free_port()
        daemon = v2ray(
            binary,
            "client",
            {
                "listen": "127.0.0.1",
                "port": entry,
                "protocol": "dokodemo-door",
                "settings": {"address": "127.0.0.1", "port": port, "network": "tcp"},
            },
            {"protocol": "freedom", "streamSettings": streams("/v", client_tls)},
        )
        tap.case("v2ray to %s" % stack, lambda: round_trip(to(entry)))
        ended_cleanly(tap, "v2ray to %s" % stack, host)
        daemon.stop()


# ---- simple-obfs ----------------------------------------------------------------------------


def with_simple_obfs():
    local, server = need(tap, "obfs-local", "simple-obfs"), shutil.which("obfs-server")
    if not local or not server:
        return
    for stack, kind in (("ohttp", "http"), ("otls", "tls")):
        port = free_port()
        daemon = Daemon(
            server,
            "-s",
            "127.0.0.1",
            "-p",
            port,
            "--obfs",
            kind,
            "-r",
            "127.0.0.1:%d" % COUNTED,
            ports=[port],
        )
        entry, host = dialer(stack, port, "?host=front.example")
        for size in (1, 1000, 300000):
            tap.case(
                "%s to obfs-server, %d bytes" % (stack, size), lambda: round_trip(to(entry), size)
            )
        ended_cleanly(tap, "%s to obfs-server" % stack, host)
        daemon.stop()

        port, host = listener(stack, COUNTED)
        entry = free_port()
        daemon = Daemon(
            local,
            "-s",
            "127.0.0.1",
            "-p",
            port,
            "-l",
            entry,
            "--obfs",
            kind,
            "--obfs-host",
            "front.example",
            ports=[entry],
        )
        for size in (1, 1000, 300000):
            tap.case(
                "obfs-local to %s, %d bytes" % (stack, size), lambda: round_trip(to(entry), size)
            )
        ended_cleanly(tap, "obfs-local to %s" % stack, host)
        daemon.stop()


# ---- sing-box: shadowsocks with the plugins it has built in ---------------------------------


def with_sing_box():
    """Shadowsocks of sing-box with the plugins it has built in, and ours over the same."""
    binary = singbox.program(tap)
    if not binary:
        return
    for stack, plugin, opts in (
        ("ohttp", "obfs-local", "obfs=http;obfs-host=front.example"),
        ("otls", "obfs-local", "obfs=tls;obfs-host=front.example"),
        ("ws", "v2ray-plugin", "mode=websocket;host=front.example;path=/ws;mux=0"),
    ):
        port = free_port()
        host = Host("-L", "ss+%s://aes-128-gcm:secret@127.0.0.1:%d" % (stack, port), ports=[port])
        entry = free_port()
        conf = write(
            "sing-box-%s.json" % stack,
            json.dumps(
                {
                    "log": {"level": "info"},
                    "inbounds": [
                        {
                            "type": "direct",
                            "listen": "127.0.0.1",
                            "listen_port": entry,
                            "override_address": "127.0.0.1",
                            "override_port": COUNTED,
                        }
                    ],
                    "outbounds": [
                        {
                            "type": "shadowsocks",
                            "server": "127.0.0.1",
                            "server_port": port,
                            "method": "aes-128-gcm",
                            "password": "secret",
                            "plugin": plugin,
                            "plugin_opts": opts,
                        }
                    ],
                }
            ),
        )
        daemon = Daemon(binary, "run", "-c", conf, "-D", WORK, ports=[entry])
        tap.case("sing-box with %s to %s" % (plugin, stack), lambda: round_trip(to(entry)))
        ended_cleanly(tap, "sing-box with %s to %s" % (plugin, stack), host)
        daemon.stop()


# ---- proxies between us ---------------------------------------------------------------------

NGINX = """daemon off;
master_process off;
pid {work}/nginx-ws.pid;
error_log stderr notice;
events {{ worker_connections 200; }}
http {{
    access_log off;
    client_body_temp_path {work}/ngxw-body;
    proxy_temp_path {work}/ngxw-proxy;
    fastcgi_temp_path {work}/ngxw-fastcgi;
    uwsgi_temp_path {work}/ngxw-uwsgi;
    scgi_temp_path {work}/ngxw-scgi;
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{tls} ssl;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        location /door {{
            proxy_pass http://127.0.0.1:{behind};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
            proxy_set_header X-Forwarded-For 192.0.2.77;
        }}
    }}
}}
"""

HAPROXY = """global
    log stdout format raw local0
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 60s
frontend f
    bind 127.0.0.1:{port}
    default_backend b
backend b
    server s 127.0.0.1:{behind}
"""


def with_nginx():
    binary = need(tap, "nginx", "nginx before ws")
    if not binary:
        return
    cert, key = certificate()
    plain, tls = free_port(), free_port()
    behind, server = listener("ws", COUNTED, "?path=/door&enableCompression=true")
    conf = write(
        "nginx-ws.conf",
        NGINX.format(work=open_work(), plain=plain, tls=tls, cert=cert, key=key, behind=behind),
    )
    daemon = Daemon(binary, "-c", conf, "-p", WORK, ports=[plain, tls])
    for stack, port, query in (
        ("ws", plain, ""),
        ("ws", plain, "&enableCompression=true"),
        ("wss", tls, "&keepalive=true&ttl=1s"),
    ):
        entry, host = dialer(stack, port, "?path=/door" + query)
        name = "%s%s through nginx" % (stack, query)
        tap.case(name, lambda: round_trip(to(entry)))
        tap.case(name + ", 3 MB", lambda: round_trip(to(entry), 3000000))
        ended_cleanly(tap, name, host)
    status = server.stop()
    tap.ok(
        status == 0 and "192.0.2.77" in server.text(),
        "the client that nginx names is in the log",
        server.text(),
    )
    daemon.stop()


def mux_through_nginx():
    """Many streams in one WebSocket behind nginx. When nginx ends, the carrier is gone: what is
    asked for after its restart works at first try."""
    binary = need(tap, "nginx", "nginx before mws")
    if not binary:
        return
    cert, key = certificate()
    plain, tls, entry, behind = (free_port() for _ in range(4))
    server = Host("-L", "relay+mws://127.0.0.1:%d?path=/door" % behind, ports=[behind])
    conf = write(
        "nginx-ws.conf",
        NGINX.format(work=open_work(), plain=plain, tls=tls, cert=cert, key=key, behind=behind),
    )
    host = Host(
        "-L",
        "tcp://127.0.0.1:%d/127.0.0.1:%d" % (entry, COUNTED),
        "-F",
        "relay+mwss://127.0.0.1:%d?path=/door" % tls,
        ports=[entry],
    )
    for words in ("first", "second", "third"):
        daemon = Daemon(binary, "-c", conf, "-p", WORK, ports=[plain, tls])
        for size in (1, 300000):
            tap.case(
                "mwss through the %s nginx, %d bytes" % (words, size),
                lambda: round_trip(to(entry), size),
            )
        daemon.stop()
    ended_cleanly(tap, "mwss through nginx", host, server)


def with_haproxy():
    binary = need(tap, "haproxy", "haproxy before ws")
    if not binary:
        return
    port = free_port()
    behind, server = listener("ws", END)
    conf = write("haproxy-ws.cfg", HAPROXY.format(port=port, behind=behind))
    daemon = Daemon(binary, "-f", conf, ports=[port])
    entry, host = dialer("ws", port, "?host=front.example")
    tap.case("ws through haproxy, half-close", lambda: half_close(to(entry)))
    ended_cleanly(tap, "ws through haproxy", host, server)
    daemon.stop()


for words, part in (
    ("websockets", with_websockets),
    ("v2ray", with_v2ray),
    ("simple-obfs", with_simple_obfs),
    ("sing-box", with_sing_box),
    ("nginx", with_nginx),
    ("nginx and mws", mux_through_nginx),
    ("haproxy", with_haproxy),
):
    section(tap, words, part)
tap.done()
