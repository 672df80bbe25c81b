#!/usr/bin/env python3
# test_clients.py - what curl, proxychains, ncat and socat can ask of our proxies.
# SPDX-License-Identifier: MIT
# timeout: 120
import base64
import hashlib
import os
import socket

import peers
from peers import ANSWER, certificate, compare, curl, ended_cleanly, http_head, section, write
from harness import (
    Host,
    Tap,
    answer_after_end,
    free_port,
    http_target,
    need,
    pattern,
    read_all,
    recv_exact,
    run,
    run_input,
    serve,
)

tap = Tap()
END = serve(answer_after_end(ANSWER))
BODY = pattern(300000)
DATA = pattern(150000, 9)
DIGEST = hashlib.sha256(DATA).hexdigest().encode()
WEB = http_target(BODY)
URL = "http://127.0.0.1:%d/" % WEB
USER, PASSWORD = "gosttest", "s3cret:word@x"
QUOTED = "%s:s3cret%%3Aword%%40x" % USER


def check(title, want, *args, data=None):
    tap.case(title, lambda: compare(curl(*args, data=data), want))


def status(title, want, *args, data=None):
    """curl's proxy answers with this HTTP status."""
    done = curl("-o", os.devnull, "-w", "%{http_connect} %{http_code}", *args, data=data)
    tap.ok(want in done.split(), title, done.decode(errors="replace"))


# ---- curl -----------------------------------------------------------------------------------


def curl_http():
    for keepalive in ("false", "true"):
        port = free_port()
        h = Host("-L", "http://127.0.0.1:%d?keepalive=%s" % (port, keepalive), ports=[port])
        proxy = ["-x", "http://127.0.0.1:%d" % port]
        note = ", curl, keepalive=" + keepalive
        check("GET" + note, BODY, *proxy, URL)
        check("GET by CONNECT" + note, BODY, *proxy, "-p", URL)
        check("six GETs" + note, BODY * 6, *proxy, *[URL] * 6)
        check("HTTP/1.0 GET" + note, BODY, *proxy, "-0", URL)
        check("HTTP/1.0 proxy" + note, BODY, "--proxy1.0", "127.0.0.1:%d" % port, URL)
        check("CONNECT by HTTP/1.0" + note, BODY, "--proxy1.0", "127.0.0.1:%d" % port, "-p", URL)
        check("POST" + note, DIGEST, *proxy, "--data-binary", "@-", URL, data=DATA)
        check("POST in chunks" + note, DIGEST, *proxy, "-X", "POST", "-T", "-", URL, data=DATA)
        check(
            "POST with Expect" + note,
            DIGEST,
            *proxy,
            "-H",
            "Expect: 100-continue",
            "--data-binary",
            "@-",
            URL,
            data=DATA
        )
        check(
            "POST without a body" + note,
            hashlib.sha256(b"").hexdigest().encode(),
            *proxy,
            "--data-binary",
            "",
            URL
        )
        status("a closed port" + note, b"503", *proxy, "http://127.0.0.1:%d/" % free_port())
        tap.case("WebSocket upgrade" + note, websocket, port)
        ended_cleanly(tap, note, h)


def websocket(port):
    """The upgrade and the bytes after it, through forwarding and not CONNECT."""
    magic = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    def server(s):
        head = http_head(s)
        if b"upgrade: websocket" not in head.lower():
            s.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return
        key = head.lower().partition(b"sec-websocket-key: ")[2].split(b"\r\n")[0]
        at = head.lower().index(key)
        accept = base64.b64encode(hashlib.sha1(head[at : at + len(key)] + magic).digest())
        s.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\nfirst"
        )
        while True:
            data = s.recv(65536)
            if not data:
                s.sendall(b"last")
                return
            s.sendall(data)

    target = serve(server)
    key = base64.b64encode(pattern(16, 5))
    s = socket.create_connection(("127.0.0.1", port), 20)
    s.settimeout(peers.SECONDS)
    s.sendall(
        b"GET http://127.0.0.1:%d/chat HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: %s\r\n\r\n" % (target, target, key)
    )
    head = http_head(s)
    accept = base64.b64encode(hashlib.sha1(key + magic).digest())
    if b" 101 " not in head or accept not in head or b"upgrade: websocket" not in head.lower():
        return "answer %r" % head
    frame = b"\x82\x7e\xff\xff" + pattern(65535, 8)
    s.sendall(frame)
    got = recv_exact(s, 5 + len(frame))
    s.shutdown(socket.SHUT_WR)
    return compare(got + read_all(s), b"first" + frame + b"last")


def curl_auth():
    ports = {kind: free_port() for kind in ("http", "socks5", "auto", "http+tls")}
    cert, key = certificate("localhost")
    args = []
    for kind, port in ports.items():
        tls = "?certFile=%s&keyFile=%s" % (cert, key) if kind == "http+tls" else ""
        args += ["-L", "%s://%s@127.0.0.1:%d%s" % (kind, QUOTED, port, tls)]
    h = Host(*args, ports=ports.values())
    right, wrong = "%s:%s" % (USER, PASSWORD), USER + ":wrong"
    web = "http://127.0.0.1:%d" % ports["http"]
    for kind in ("http", "auto"):
        proxy = "http://127.0.0.1:%d" % ports[kind]
        check("--proxy-user, http at " + kind, BODY, "-x", proxy, "--proxy-user", right, URL)
        check("--proxy-user, CONNECT at " + kind, BODY, "-x", proxy, "-U", right, "-p", URL)
        check(
            "--proxy-anyauth, http at " + kind,
            BODY,
            "-x",
            proxy,
            "-U",
            right,
            "--proxy-anyauth",
            URL,
        )
        check(
            "--proxy-anyauth, CONNECT at " + kind,
            BODY,
            "-x",
            proxy,
            "-U",
            right,
            "--proxy-anyauth",
            "-p",
            URL,
        )
        status("a wrong --proxy-user, http at " + kind, b"407", "-x", proxy, "-U", wrong, URL)
        status("no --proxy-user, http at " + kind, b"407", "-x", proxy, URL)
    check(
        "--proxy-user with an upload",
        DIGEST,
        "-x",
        web,
        "-U",
        right,
        "--data-binary",
        "@-",
        URL,
        data=DATA,
    )
    check(
        "--proxy-anyauth with an upload",
        DIGEST,
        "-x",
        web,
        "-U",
        right,
        "--proxy-anyauth",
        "--data-binary",
        "@-",
        URL,
        data=DATA,
    )
    for kind in ("socks5", "auto"):
        for scheme in ("socks5", "socks5h"):
            proxy = "%s://127.0.0.1:%d" % (scheme, ports[kind])
            check("--proxy-user, %s at %s" % (scheme, kind), BODY, "-x", proxy, "-U", right, URL)
        tap.ok(
            b"curl 97" in curl("-x", proxy, "-U", wrong, URL),
            "a wrong --proxy-user, socks5 at " + kind,
        )
        tap.ok(b"curl 97" in curl("-x", proxy, URL), "no --proxy-user, socks5 at " + kind)
    proxy = "https://localhost:%d" % ports["http+tls"]
    for name, more in (("GET", []), ("CONNECT", ["-p"])):
        check(
            "an https proxy, verified, " + name,
            BODY,
            "-x",
            proxy,
            "--proxy-cacert",
            cert,
            "-U",
            right,
            *more,
            URL
        )
    ended_cleanly(tap, "curl with passwords", h)


# ---- proxychains ----------------------------------------------------------------------------


def proxychains(program):
    kinds = ("socks4", "socks5", "http", "auto")
    ports = {kind: free_port() for kind in kinds}
    shut = {kind: free_port() for kind in ("socks5", "http")}
    args = []
    for kind, port in ports.items():
        args += ["-L", "%s://127.0.0.1:%d" % (kind, port)]
    for kind, port in shut.items():
        args += ["-L", "%s://user:pass@127.0.0.1:%d" % (kind, port)]
    h = Host(*args, ports=list(ports.values()) + list(shut.values()))
    chains = [[(kind, ports[kind], "")] for kind in kinds[:3]]
    chains += [[(kind, ports["auto"], "")] for kind in kinds[:3]]
    chains += [[(kind, port, " user pass")] for kind, port in shut.items()]
    chains += [
        [
            ("http", ports["http"], ""),
            ("socks5", shut["socks5"], " user pass"),
            ("socks4", ports["socks4"], ""),
        ]
    ]
    for chain in chains:
        name = " > ".join(
            "%s at %s%s" % (kind, "auto" if port == ports["auto"] else kind, auth)
            for kind, port, auth in chain
        )
        conf = write(
            "proxychains.conf",
            "strict_chain\nquiet_mode\n[ProxyList]\n"
            + "".join("%s 127.0.0.1 %d%s\n" % entry for entry in chain),
        )
        before = h.text().count("127.0.0.1:%d" % WEB)
        done = run([program, "-f", conf, "curl", "-sS", "--max-time", "30", URL])
        tap.ok(done.stdout == BODY, "proxychains, " + name, done.stderr.decode())
        tap.ok(
            peers.until(lambda: h.text().count("127.0.0.1:%d" % WEB) > before),
            "it went through ours: " + name,
            h.text(),
        )
    ended_cleanly(tap, "proxychains", h)


# ---- ncat and socat -------------------------------------------------------------------------


def half_closers():
    """Both send standard input, half-close, and print what comes back."""
    ports = {kind: free_port() for kind in ("socks4", "socks5", "http", "auto")}
    shut = {kind: free_port() for kind in ("socks5", "http")}
    args = []
    for kind, port in ports.items():
        args += ["-L", "%s://127.0.0.1:%d" % (kind, port)]
    for kind, port in shut.items():
        args += ["-L", "%s://user:pass@127.0.0.1:%d" % (kind, port)]
    h = Host(*args, ports=list(ports.values()) + list(shut.values()))
    ncat, socat = need(tap, "ncat", "ncat"), need(tap, "socat", "socat")
    for kind in ("socks4", "socks5", "http"):
        for at in (kind, "auto"):
            if ncat:
                pipe(
                    "ncat, %s at %s" % (kind, at),
                    [
                        ncat,
                        "--proxy",
                        "127.0.0.1:%d" % ports[at],
                        "--proxy-type",
                        kind,
                        "127.0.0.1",
                        str(END),
                    ],
                )
            if socat and kind != "socks5":
                pipe("socat, %s at %s" % (kind, at), socat_line(socat, kind, ports[at]))
    for kind, port in shut.items():
        if ncat:
            pipe(
                "ncat with a password, " + kind,
                [
                    ncat,
                    "--proxy",
                    "127.0.0.1:%d" % port,
                    "--proxy-type",
                    kind,
                    "--proxy-auth",
                    "user:pass",
                    "127.0.0.1",
                    str(END),
                ],
            )
            done = run_input(
                [
                    ncat,
                    "--proxy",
                    "127.0.0.1:%d" % port,
                    "--proxy-type",
                    kind,
                    "--proxy-auth",
                    "user:wrong",
                    "127.0.0.1",
                    str(END),
                ],
                b"x",
            )
            tap.ok(
                done.returncode != 0 and not done.stdout,
                "ncat with a wrong password, " + kind,
                done.stderr.decode(),
            )
    if socat:
        pipe(
            "socat with a password, http",
            socat_line(socat, "http", shut["http"], ",proxyauth=user:pass"),
        )
        pipe("socat, socks4a", socat_line(socat, "socks4a", ports["socks4"]))
    ended_cleanly(tap, "ncat and socat", h)


def socat_line(socat, kind, port, more=""):
    address = {
        "socks4": "SOCKS4:127.0.0.1:127.0.0.1:%d,socksport=%d",
        "socks4a": "SOCKS4A:127.0.0.1:localhost:%d,socksport=%d",
        "http": "PROXY:127.0.0.1:127.0.0.1:%d,proxyport=%d",
    }[kind] % (END, port)
    return [socat, "-t", str(peers.SECONDS), "-", address + more]


def pipe(name, argv):
    done = run_input(argv, DATA)
    good = compare(done.stdout, peers.expected(DATA))
    tap.ok(good is True, name, "%s\n%s" % (good, done.stderr.decode(errors="replace")))


if need(tap, "curl", "curl"):
    section(tap, "curl and http", curl_http)
    section(tap, "curl with passwords", curl_auth)
    PROXYCHAINS = need(tap, "proxychains4", "proxychains")
    if PROXYCHAINS:
        section(tap, "proxychains", proxychains, PROXYCHAINS)
section(tap, "ncat and socat", half_closers)
tap.done()
