#!/usr/bin/env python3
# test_tls_peers.py - stunnel and openssl at the other end of our tls, in both roles.
# SPDX-License-Identifier: MIT
# timeout: 120
import json
import socket
import struct

from peers import (
    ANSWER,
    SECONDS,
    Daemon,
    Talker,
    certificate,
    compare,
    counted,
    ended_cleanly,
    expected,
    half_close,
    refusal,
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
    pattern,
    read_all,
    recv_exact,
    run,
    run_input,
    serve,
    until,
)

tap = Tap()
COUNTED = serve(counted)
END = serve(answer_after_end(ANSWER))
VERSIONS = (("1.2", "-tls1_2"), ("1.3", "-tls1_3"))


def connect(port):
    return socket.create_connection(("127.0.0.1", port), 20)


# ---- stunnel --------------------------------------------------------------------------------


def stunnel(program, cert, key):
    """One stunnel with a server and two clients, one of which shows a certificate."""
    names = ("server", "server_strict", "client", "client_cert", "socks", "ours", "ours_strict")
    ports = {name: free_port() for name in names}
    conf = write(
        "stunnel.conf",
        """foreground = yes
pid =
debug = 5
[server]
accept = 127.0.0.1:{server}
connect = 127.0.0.1:{socks}
cert = {cert}
key = {key}
[server_strict]
accept = 127.0.0.1:{server_strict}
connect = 127.0.0.1:{socks}
cert = {cert}
key = {key}
CAfile = {cert}
verifyChain = yes
[client]
client = yes
accept = 127.0.0.1:{client}
connect = 127.0.0.1:{ours}
CAfile = {cert}
verifyChain = yes
checkHost = peer.example
[client_cert]
client = yes
accept = 127.0.0.1:{client_cert}
connect = 127.0.0.1:{ours_strict}
cert = {cert}
key = {key}
""".format(cert=cert, key=key, **ports),
    )
    listening = [ports[n] for n in names if not n.startswith(("socks", "ours"))]
    socks, ours, strict = ports["socks"], ports["ours"], ports["ours_strict"]
    pair = "certFile=%s&keyFile=%s" % (cert, key)
    h = Host(
        "-L",
        "socks5://127.0.0.1:%d" % socks,
        "-L",
        "forward+tls://127.0.0.1:%d/127.0.0.1:%d?%s" % (ours, END, pair),
        "-L",
        "socks5+tls://127.0.0.1:%d?%s&caFile=%s" % (strict, pair, cert),
        ports=[socks, ours, strict],
    )
    daemon = Daemon(program, conf, ports=listening)
    stunnel_server(ports, cert, key)
    tap.case(
        "half-close, stunnel > forward+tls, verified", lambda: half_close(connect(ports["client"]))
    )
    tap.case(
        "stunnel with a certificate > socks5+tls with caFile",
        lambda: round_trip(connect_via("socks5", ports["client_cert"], "127.0.0.1", COUNTED)),
    )
    tap.case(
        "half-close, stunnel with a certificate > socks5+tls with caFile",
        lambda: half_close(connect_via("socks5", ports["client_cert"], "127.0.0.1", END)),
    )
    daemon.stop()
    ended_cleanly(tap, "stunnel", h)


def stunnel_server(ports, cert, key):
    good = "secure=true&caFile=%s&serverName=peer.example" % cert
    for name, port, query, works in (
        ("stunnel", "server", "", True),
        ("stunnel, verified", "server", good, True),
        ("stunnel, of another name", "server", good + ".org", False),
        ("stunnel, of no known authority", "server", "secure=true", False),
        (
            "stunnel that asks for a certificate",
            "server_strict",
            "certFile=%s&keyFile=%s" % (cert, key),
            True,
        ),
        ("stunnel that asks for a certificate in vain", "server_strict", "", False),
    ):
        entry = free_port()
        h = Host(
            "-L",
            "socks5://127.0.0.1:%d" % entry,
            "-F",
            "socks5+tls://127.0.0.1:%d?%s" % (ports[port], query),
            ports=[entry],
        )
        if works:
            tap.case(
                "-F socks5+tls > " + name,
                lambda: round_trip(connect_via("socks5", entry, "127.0.0.1", COUNTED)),
            )
            tap.case(
                "half-close, -F socks5+tls > " + name,
                lambda: half_close(connect_via("socks5", entry, "127.0.0.1", END)),
            )
        else:
            tap.case(
                "-F socks5+tls > %s is refused" % name,
                lambda: refusal(entry, "127.0.0.1", COUNTED) != 0,
            )
        ended_cleanly(tap, name, h)


# ---- openssl --------------------------------------------------------------------------------


def counted_then_end(s):
    """A `counted` that ends the connection itself, as s_client waits for that."""
    head = s.recv(8, socket.MSG_WAITALL)
    if len(head) == 8:
        s.sendall(expected(recv_exact(s, struct.unpack(">Q", head)[0])))


def answered(port, *args, size=100000):
    """s_client at a port before `counted_then_end`."""
    data = pattern(size, 11)
    done = run_input(
        ["openssl", "s_client", "-connect", "127.0.0.1:%d" % port, "-quiet", *args],
        struct.pack(">Q", size) + data,
    )
    good = compare(done.stdout, expected(data))
    return good if good is True else good + "\n" + done.stderr.decode(errors="replace")


def openssl_client(cert, key):
    port, strict, alpn = free_port(), free_port(), free_port()
    target = serve(counted_then_end)
    pair = "certFile=%s&keyFile=%s" % (cert, key)
    h = Host(
        "-L",
        "forward+tls://127.0.0.1:%d/127.0.0.1:%d?%s" % (port, target, pair),
        "-L",
        "forward+tls://127.0.0.1:%d/127.0.0.1:%d?%s&caFile=%s" % (strict, target, pair, cert),
        ports=[port, strict],
    )
    verify = [
        "-CAfile",
        cert,
        "-verify_return_error",
        "-verify_hostname",
        "peer.example",
        "-servername",
        "peer.example",
    ]
    for version, flag in VERSIONS:
        tap.case("s_client verifies us, TLS " + version, lambda: answered(port, flag, *verify))
        tap.case(
            "s_client with a certificate, TLS " + version,
            lambda: answered(strict, flag, "-cert", cert, "-key", key),
        )
        tap.case(
            "s_client without a certificate is refused, TLS " + version,
            lambda: answered(strict, flag) is not True,
        )
    tap.case(
        "s_client with TLS 1.1 is refused",
        lambda: answered(port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0") is not True,
    )
    for suite in ("ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES128-GCM-SHA256"):
        tap.case("s_client with " + suite, lambda: answered(port, "-tls1_2", "-cipher", suite))
    for group in ("X25519", "P-256", "P-384"):
        tap.case("s_client with the group " + group, lambda: answered(port, "-groups", group))
    tap.case("s_client sends a MiB", lambda: answered(port, size=1 << 20))
    ended_cleanly(tap, "s_client", h)
    conf = write(
        "alpn.json",
        json.dumps(
            {
                "services": [
                    {
                        "name": "alpn",
                        "addr": "127.0.0.1:%d" % alpn,
                        "handler": {"type": "forward"},
                        "listener": {
                            "type": "tls",
                            "tls": {
                                "certFile": cert,
                                "keyFile": key,
                                "options": {"alpn": ["h2", "http/1.1"]},
                            },
                        },
                        "forwarder": {"nodes": [{"name": "n", "addr": "127.0.0.1:%d" % target}]},
                    }
                ]
            }
        ),
    )
    h = Host("-C", conf, ports=[alpn])
    for offer, want in (
        ("http/1.1", b"ALPN protocol: http/1.1"),
        ("http/1.1,h2", b"ALPN protocol: h2"),
    ):
        done = run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % alpn, "-alpn", offer])
        tap.ok(want in done.stdout, "s_client offers ALPN " + offer, done.stdout.decode())
    ended_cleanly(tap, "s_client with ALPN", h)


def reversed_lines(port):
    """To s_server -rev, which sends each line back in reverse."""
    s = connect(port)
    s.settimeout(SECONDS)
    for i in range(20):
        line = pattern(700, i).hex().encode()
        s.sendall(line + b"\n")
        got = recv_exact(s, len(line) + 1)
        if got != line[::-1] + b"\n":
            return "line %d: %r..." % (i, got[:60])
    s.close()
    return True


def openssl_server(cert, key):
    pair = "certFile=%s&keyFile=%s" % (cert, key)
    good = "secure=true&caFile=%s&serverName=peer.example" % cert
    for name, args, query, works in (
        ("s_server, verified", [], good, True),
        ("s_server with TLS 1.2", ["-tls1_2"], good, True),
        ("s_server with TLS 1.3", ["-tls1_3"], good, True),
        ("s_server with another group", ["-groups", "P-384"], good, True),
        (
            "s_server with CHACHA20",
            ["-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305"],
            good,
            True,
        ),
        (
            "s_server that asks for a certificate",
            ["-Verify", "1", "-verify_return_error", "-CAfile", cert],
            pair,
            True,
        ),
        (
            "s_server that asks for one in vain",
            ["-Verify", "1", "-verify_return_error", "-CAfile", cert],
            "",
            False,
        ),
        ("s_server of another name", [], good + ".org", False),
        ("s_server of no known authority", [], "secure=true", False),
    ):
        port, entry = free_port(), free_port()
        daemon = Daemon(
            "openssl",
            "s_server",
            "-accept",
            "127.0.0.1:%d" % port,
            "-cert",
            cert,
            "-key",
            key,
            "-rev",
            "-quiet",
            *args,
            ports=[port],
        )
        h = Host(
            "-L",
            "tcp://127.0.0.1:%d/192.0.2.1:9" % entry,
            "-F",
            "forward+tls://127.0.0.1:%d?%s" % (port, query),
            ports=[entry],
        )
        if works:
            tap.case("-F forward+tls > " + name, lambda: reversed_lines(entry))
        else:
            tap.case("-F forward+tls > %s is refused" % name, lambda: ends_empty(entry))
        ended_cleanly(tap, name, h)
        daemon.stop()


# ---- openssl over packets ------------------------------------------------------------------


def echo_then_end(s):
    """Sends a length's bytes back and ends: few, as DTLS sends no lost packet again."""
    head = s.recv(8, socket.MSG_WAITALL)
    if len(head) == 8:
        s.sendall(recv_exact(s, struct.unpack(">Q", head)[0]))


def dtls_answered(port, size, *args):
    data = pattern(size, 11)
    done = run_input(
        ["openssl", "s_client", "-connect", "127.0.0.1:%d" % port, "-quiet", *args],
        struct.pack(">Q", size) + data,
    )
    return done.stdout == data or "%d bytes\n%s" % (len(done.stdout), done.stderr.decode())


def dtls_client(cert, key):
    port, strict = free_port(), free_port()
    target = serve(echo_then_end)
    pair = "certFile=%s&keyFile=%s" % (cert, key)
    h = Host(
        "-L",
        "forward+dtls://127.0.0.1:%d/127.0.0.1:%d?%s" % (port, target, pair),
        "-L",
        "forward+dtls://127.0.0.1:%d/127.0.0.1:%d?%s&caFile=%s" % (strict, target, pair, cert),
        udp=[port, strict],
    )
    dtls = ("-dtls1_2", "-CAfile", cert, "-verify_return_error", "-servername", "peer.example")
    for size in (1, 1200, 16000):
        tap.case("s_client -dtls1_2 with %d bytes" % size, dtls_answered, port, size, *dtls)
    tap.case("s_client -dtls1_2 with a small MTU", dtls_answered, port, 900, *dtls, "-mtu", "300")
    for suite in ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"):
        tap.case(
            "s_client -dtls1_2 with " + suite, dtls_answered, port, 100, *dtls, "-cipher", suite
        )
    for group in ("X25519", "P-256", "P-384"):
        name = "s_client -dtls1_2 with the group " + group
        tap.case(name, dtls_answered, port, 100, *dtls, "-groups", group)
    shown = dtls + ("-cert", cert, "-key", key)
    tap.case("s_client -dtls1_2 with a certificate", dtls_answered, strict, 100, *shown)
    tap.case(
        "s_client -dtls1_2 without one is refused",
        lambda: dtls_answered(strict, 100, *dtls) is not True,
    )
    tap.case(
        "s_client with DTLS 1.0 is refused",
        lambda: dtls_answered(port, 100, "-dtls1", "-cipher", "ALL:@SECLEVEL=0") is not True,
    )
    ended_cleanly(tap, "s_client -dtls1_2", h)


def dtls_server(cert, key):
    """s_server prints what comes and sends what it reads; -listen: it asks for a cookie."""
    for name, args, query in (
        ("s_server -dtls1_2", [], "secure=true&caFile=%s&serverName=peer.example" % cert),
        ("s_server -dtls1_2 -listen", ["-listen"], ""),
        (
            "s_server -dtls1_2 that asks for a certificate",
            ["-Verify", "1", "-verify_return_error", "-CAfile", cert],
            "certFile=%s&keyFile=%s" % (cert, key),
        ),
    ):
        port, entry = free_port(), free_port()
        server = Talker(
            *"openssl s_server -dtls1_2 -quiet -mtu 1200 -accept".split(),
            "127.0.0.1:%d" % port,
            *["-cert", cert, "-key", key, *args],
            udp=[port],
        )
        to = "forward+dtls://127.0.0.1:%d?%s" % (port, query)
        h = Host("-L", "tcp://127.0.0.1:%d/192.0.2.1:9" % entry, "-F", to, ports=[entry])

        def fn():
            s = connect(entry)
            s.settimeout(SECONDS)
            s.sendall(b"from the client\n")
            if not until(lambda: "from the client" in server.text()):
                return server.text() + h.text()
            server.say(b"from the server\n")
            got = recv_exact(s, 16)
            s.close()
            return got == b"from the server\n" or got

        tap.case("-F forward+dtls > " + name, fn)
        ended_cleanly(tap, name, h)
        server.stop()


def ends_empty(port):
    """The connection ends without an answer."""
    s = connect(port)
    s.settimeout(SECONDS)
    try:
        s.sendall(b"hello\n")
        return read_all(s) == b""
    except ConnectionError:
        return True


def main():
    if not need(tap, "openssl", "openssl"):
        return
    cert, key = certificate()
    section(tap, "s_client", openssl_client, cert, key)
    section(tap, "s_server", openssl_server, cert, key)
    section(tap, "s_client -dtls1_2", dtls_client, cert, key)
    section(tap, "s_server -dtls1_2", dtls_server, cert, key)
    program = need(tap, "stunnel", "stunnel")
    if program:
        section(tap, "stunnel", stunnel, program, cert, key)


section(tap, "tls", main)
tap.done()
