#!/usr/bin/env python3
# test_nginx.py - nginx as a target behind our http proxy, and as stream and http proxy before us.
# SPDX-License-Identifier: MIT
# timeout: 120
import os
import socket

import peers
from peers import (
    ANSWER,
    Daemon,
    certificate,
    compare,
    counted,
    curl,
    ended_cleanly,
    half_close,
    http_head,
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
    connect_via,
    free_port,
    http_target,
    need,
    pattern,
    read_all,
    recv_exact,
    serve,
)

tap = Tap()
COUNTED = serve(counted)
END = serve(answer_after_end(ANSWER))
BODY = pattern(400000)
DATA = pattern(150000, 9)
STREAM = (
    "/usr/lib/nginx/modules/ngx_stream_module.so",
    "/usr/lib64/nginx/modules/ngx_stream_module.so",
)

CONFIG = """daemon off;
master_process off;
pid {work}/nginx.pid;
error_log stderr notice;
{module}
events {{ worker_connections 200; }}
http {{
    access_log off;
    client_body_temp_path {work}/ngx-body;
    proxy_temp_path {work}/ngx-proxy;
    fastcgi_temp_path {work}/ngx-fastcgi;
    uwsgi_temp_path {work}/ngx-uwsgi;
    scgi_temp_path {work}/ngx-scgi;
    client_max_body_size 8m;
    keepalive_timeout 60;
    server {{
        listen 127.0.0.1:{web};
        root {work}/www;
        location /chunked {{ ssi on; ssi_types *; }}
        location /count {{ return 200 "$connection_requests"; }}
        location /moved {{ return 301 http://127.0.0.1:{web}/body; }}
        location /nothing {{ return 204; }}
        location /upload {{ proxy_pass http://127.0.0.1:{digest}; proxy_http_version 1.1; }}
        location /stream {{
            proxy_pass http://127.0.0.1:{digest};
            proxy_http_version 1.1;
            proxy_request_buffering off;
        }}
    }}
    server {{
        listen 127.0.0.1:{front};
        location / {{
            proxy_pass http://127.0.0.1:{forward};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
{stream}"""
STREAMS = """stream {{
    server {{ listen 127.0.0.1:{plain}; proxy_pass 127.0.0.1:{socks}; proxy_half_close on; }}
    server {{
        listen 127.0.0.1:{header};
        proxy_pass 127.0.0.1:{socks};
        proxy_protocol on;
        proxy_half_close on;
    }}
    server {{
        listen 127.0.0.1:{tls} ssl;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        proxy_pass 127.0.0.1:{socks};
    }}
    server {{
        listen 127.0.0.1:{client};
        proxy_pass 127.0.0.1:{socks_tls};
        proxy_ssl on;
    }}
}}
"""
PORTS = {
    name: free_port()
    for name in "web front forward plain header socks tls client socks_tls".split()
}


def check(title, want, *args, data=None):
    def fn():
        return compare(curl(*args, data=data), want)

    tap.case(title, fn)


def expect_continue(proxy):
    """A client that waits for 100 before it sends the body."""
    s = socket.create_connection(("127.0.0.1", proxy), 20)
    s.sendall(
        b"POST http://127.0.0.1:%d/stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (PORTS["web"], len(DATA))
    )
    head = http_head(s)
    if b" 100 " not in head:
        return "no 100 but %r" % head
    s.sendall(DATA)
    head = http_head(s)
    if b" 200 " not in head:
        return "no 200 but %r" % head
    return read_all(s).startswith(peers.expected(DATA)[:64])


def pipelined(proxy):
    """Three requests at once on one connection of a proxy with keepalive."""
    s = socket.create_connection(("127.0.0.1", proxy), 20)
    one = b"GET http://127.0.0.1:%d/count HTTP/1.1\r\nHost: x\r\n\r\n" % PORTS["web"]
    s.sendall(one * 3)
    counts = []
    for _ in range(3):
        head = http_head(s).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        counts.append(recv_exact(s, length))
    return counts == [b"1", b"2", b"3"] or "nginx counted %r" % counts


def target(keepalive):
    web = free_port()
    h = Host("-L", "http://127.0.0.1:%d?keepalive=%s" % (web, keepalive), ports=[web])
    note = " from nginx, keepalive=" + keepalive
    proxy = ["-x", "http://127.0.0.1:%d" % web]
    url = "http://127.0.0.1:%d/" % PORTS["web"]
    check("GET" + note, BODY, *proxy, url + "body")
    check("chunked answer" + note, BODY, *proxy, url + "chunked")
    check("chunked answer for an HTTP/1.0 client" + note, BODY, *proxy, "-0", url + "chunked")
    check("a range" + note, BODY[1000:2001], *proxy, "-r", "1000-2000", url + "body")
    check("a redirect" + note, BODY, *proxy, "-L", url + "moved")
    check("204" + note, b"204", *proxy, "-w", "%{http_code}", url + "nothing")
    check(
        "HEAD" + note,
        b"%d" % len(BODY),
        *proxy,
        "-I",
        "-o",
        os.devnull,
        "-w",
        "%header{content-length}",
        url + "body"
    )
    digest = peers.expected(DATA)[:64]
    for place in ("upload", "stream"):
        check(
            "POST to /%s%s" % (place, note),
            digest,
            *proxy,
            "--data-binary",
            "@-",
            url + place,
            data=DATA
        )
        check(
            "POST in chunks to /%s%s" % (place, note),
            digest,
            *proxy,
            "-X",
            "POST",
            "-T",
            "-",
            url + place,
            data=DATA
        )
    tap.case("100-continue" + note, expect_continue, web)
    if keepalive == "true":
        check("three GETs use one connection" + note, b"123", *proxy, *[url + "count"] * 3)
        tap.case("pipelined GETs" + note, pipelined, web)
    else:
        check("three GETs use a connection each" + note, b"111", *proxy, *[url + "count"] * 3)
    ended_cleanly(tap, note, h)


def before():
    digest = PORTS["digest"]
    h = Host(
        "-L",
        "tcp://127.0.0.1:%d/127.0.0.1:%d" % (PORTS["forward"], digest),
        ports=[PORTS["forward"]],
    )
    url = "http://127.0.0.1:%d/" % PORTS["front"]
    check("GET, nginx proxy_pass > tcp forward", BODY, url)
    check(
        "POST, nginx proxy_pass > tcp forward",
        peers.expected(DATA)[:64],
        "--data-binary",
        "@-",
        url,
        data=DATA,
    )
    ended_cleanly(tap, "behind proxy_pass", h)


def streams():
    socks, secret, entry = PORTS["socks"], PORTS["socks_tls"], free_port()
    h = Host(
        "-L",
        "socks5://127.0.0.1:%d?proxyProtocol=1" % socks,
        "-L",
        "socks5+tls://127.0.0.1:%d" % secret,
        ports=[socks, secret],
    )
    c = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        "socks5+tls://127.0.0.1:%d" % PORTS["tls"],
        ports=[entry],
    )
    for name, port, half in (
        ("nginx stream > socks5", PORTS["plain"], True),
        ("nginx stream with proxy_protocol > socks5", PORTS["header"], True),
        ("nginx stream with proxy_ssl > socks5+tls", PORTS["client"], False),
        ("-F socks5+tls > nginx stream with ssl > socks5", entry, False),
    ):
        tap.case(name, lambda: round_trip(connect_via("socks5", port, "127.0.0.1", COUNTED)))
        if half:
            tap.case(
                "half-close, " + name,
                lambda: half_close(connect_via("socks5", port, "127.0.0.1", END)),
            )
    ended_cleanly(tap, "nginx stream", c, h)


def main():
    program = need(tap, "nginx", "nginx")
    if not program:
        return
    open_work()
    os.mkdir(os.path.join(WORK, "www"))
    for name in ("body", "chunked"):
        with open(os.path.join(WORK, "www", name), "wb") as out:
            out.write(BODY)
    PORTS["digest"] = http_target(BODY)
    cert, key = certificate()
    module = [path for path in STREAM if os.path.exists(path)]
    names = dict(
        PORTS, work=WORK, cert=cert, key=key, module="load_module %s;" % module[0] if module else ""
    )
    conf = write(
        "nginx.conf", CONFIG.format(stream=STREAMS.format(**names) if module else "", **names)
    )
    nginx = Daemon(program, "-e", "stderr", "-c", conf, ports=[PORTS["web"], PORTS["front"]])
    section(tap, "nginx as target", target, "false")
    section(tap, "nginx as target", target, "true")
    section(tap, "nginx before us", before)
    if module:
        section(tap, "nginx stream", streams)
    elif os.environ.get("GOST_REQUIRE_PEERS"):
        tap.ok(False, "nginx stream", "the stream module of nginx is not installed")
    else:
        tap.skip("nginx stream", "the stream module of nginx is not installed")
    nginx.stop()


section(tap, "nginx", main)
tap.done()
