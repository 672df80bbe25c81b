#!/usr/bin/env python3
# test_remote.py - listeners at the end of a chain: rtcp, rudp over relay and socks5, both sides.
# SPDX-License-Identifier: MIT
# timeout: 300
"""One side is the host, the other either the host too or a small peer that speaks the recorded
bytes of GOST: requests and answers are compared byte by byte, frames of smux 1 by their meaning."""

import os
import signal
import socket
import struct
import subprocess
import threading

from harness import (
    HOST,
    PATIENCE,
    WORK,
    Host,
    Tap,
    ask,
    echo,
    free_port,
    must,
    pattern,
    recv_exact,
    serve,
    udp_echo,
)
from sessions import FIN, PSH, SYN, frame, read_frame, read_stream, talk

tap = Tap()
ECHO = serve(echo)
UDP_ECHO = udp_echo(lambda b: b"echo " + b)


def ip4(port, host="127.0.0.1"):
    return b"\1" + socket.inet_aton(host) + struct.pack(">H", port)


# ---- the host on both sides -----------------------------------------------------------------


def both(scheme, server_query, client_query=""):
    entry, bound = free_port(), free_port()
    server = Host("-L", "%s://127.0.0.1:%d?%s" % (scheme, entry, server_query), ports=[entry])
    client = Host(
        "-L",
        "rtcp://127.0.0.1:%d/127.0.0.1:%d" % (bound, ECHO),
        "-F",
        "%s://127.0.0.1:%d%s" % (scheme, entry, client_query),
    )
    return server, client, entry, bound


def many(scheme, server_query, client_query=""):
    server, client, _, bound = both(scheme, server_query, client_query)
    good = []
    threads = [threading.Thread(target=lambda: good.append(talk(bound))) for _ in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(2 * PATIENCE)
    status = (client.stop(), server.stop())
    return good == [True] * 20 and status == (0, 0) or "%s %s" % (len(good), status)


def server_returns(scheme):
    """The server dies: the bind is made anew when it is back, and the service never ended."""
    server, client, entry, bound = both(scheme, "bind=true")
    first = talk(bound)
    server.proc.kill()
    server.proc.wait()
    server = Host("-L", "%s://127.0.0.1:%d?bind=true" % (scheme, entry), ports=[entry])
    again = talk(bound)
    text = client.text()
    client.stop()
    server.stop()
    return first and again and "again in" in text or text


def client_leaves(scheme):
    """The port at the far end is free when the client is gone."""
    server, client, _, bound = both(scheme, "bind=true")
    talk(bound)
    client.stop()

    def is_free():
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", bound))
            return True

    free = must(is_free)
    server.stop()
    return free


def packets(scheme):
    entry, bound = free_port(), free_port()
    server = Host("-L", "%s://127.0.0.1:%d?bind=true&udp=true" % (scheme, entry), ports=[entry])
    client = Host(
        "-L",
        "rudp://127.0.0.1:%d/127.0.0.1:%d?ttl=1s" % (bound, UDP_ECHO),
        "-F",
        "%s://127.0.0.1:%d" % (scheme, entry),
    )
    must(lambda: "at the end of the chain" in client.text())
    for peer in range(5):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            seen = set()
            for i in range(3):
                word = b"%d/%d" % (peer, i)
                if ask(u, ("127.0.0.1", bound), word, seen) != b"echo " + word:
                    return "a wrong answer"
    status = (client.stop(), server.stop())
    return status == (0, 0) or status


def without_chain():
    port = free_port()
    client = Host("-L", "rtcp://127.0.0.1:%d/127.0.0.1:%d" % (port, ECHO))
    good = talk(port)
    return client.stop() == 0 and good


def in_use(scheme):
    """A port that is taken: it is tried again until it is free."""
    entry, bound = free_port(), free_port()
    holder = socket.socket()
    holder.bind(("127.0.0.1", bound))
    holder.listen(1)
    server = Host("-L", "%s://127.0.0.1:%d?bind=true" % (scheme, entry), ports=[entry])
    client = Host(
        "-L",
        "rtcp://127.0.0.1:%d/127.0.0.1:%d" % (bound, ECHO),
        "-F",
        "%s://127.0.0.1:%d" % (scheme, entry),
    )
    must(lambda: "again in 1 s" in client.text())
    holder.close()
    must(lambda: 'at the end of the chain"' in client.text())
    good = talk(bound)
    client.stop()
    server.stop()
    return good


def paths():
    """A Unix socket at the far end."""
    entry, sock = free_port(), os.path.join(WORK, "far.sock")
    config = os.path.join(WORK, "paths.yml")
    with open(config, "w") as f:
        f.write(
            "services:\n- name: a\n  addr: %s\n  handler: {type: runix}\n"
            "  listener: {type: runix, chain: c}\n"
            "  forwarder: {nodes: [{name: t, addr: '127.0.0.1:%d'}]}\n"
            "chains:\n- name: c\n  hops:\n  - name: h\n    nodes:\n"
            "    - {name: n, addr: '127.0.0.1:%d', connector: {type: relay}}\n"
            % (sock, ECHO, entry)
        )
    server = Host("-L", "relay://127.0.0.1:%d?bind=true" % entry, ports=[entry])
    client = Host("-C", config)
    must(lambda: os.path.exists(sock))
    data = pattern(100000)
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(PATIENCE)
    s.connect(sock)
    threading.Thread(target=s.sendall, args=(data,), daemon=True).start()
    good = recv_exact(s, len(data)) == data
    s.close()
    status = client.stop()
    must(lambda: not os.path.exists(sock))
    return (good, status, server.stop()) == (True, 0, 0) or client.text()


def reload():
    """A new target needs no new bind, and live connections go on."""
    entry, bound = free_port(), free_port()
    config = os.path.join(WORK, "reload.yml")

    def write(target):
        with open(config, "w") as f:
            f.write(
                "services:\n- name: a\n  addr: 127.0.0.1:%d\n  handler: {type: rtcp}\n"
                "  listener: {type: rtcp, chain: c}\n"
                "  forwarder: {nodes: [{name: t, addr: '127.0.0.1:%d'}]}\n"
                "chains:\n- name: c\n  hops:\n  - name: h\n    nodes:\n"
                "    - {name: n, addr: '127.0.0.1:%d', connector: {type: relay}}\n"
                % (bound, target, entry)
            )

    other = serve(lambda s: s.sendall(b"other" + recv_exact(s, 1)))
    write(ECHO)
    server = Host("-L", "relay://127.0.0.1:%d?bind=true" % entry, ports=[entry])
    client = Host("-C", config)
    old = must(lambda: socket.create_connection(("127.0.0.1", bound), PATIENCE))
    old.settimeout(PATIENCE)
    old.sendall(b"1")
    recv_exact(old, 1)
    listening = 'at the end of the chain"'
    client.proc.send_signal(signal.SIGHUP)
    must(lambda: client.text().count("config reloaded") == 1)
    write(other)
    client.proc.send_signal(signal.SIGHUP)
    must(lambda: client.text().count("config reloaded") == 2)
    if client.text().count(listening) != 1:
        return "bound again\n" + client.text()
    s = socket.create_connection(("127.0.0.1", bound), PATIENCE)
    s.settimeout(PATIENCE)
    s.sendall(b"!")
    if recv_exact(s, 6) != b"other!":
        return "the old target answers"
    old.sendall(b"still here")
    good = recv_exact(old, 10) == b"still here"
    status = (client.stop(), server.stop())
    return good and status == (0, 0) or "%s %s\n%s" % (good, status, client.text())


def socks_bind():
    """BIND of a SOCKS5 client, through a chain."""
    entry, front = free_port(), free_port()
    server = Host("-L", "relay://127.0.0.1:%d?bind=true" % entry, ports=[entry])
    proxy = Host(
        *("-L", "socks5://127.0.0.1:%d?bind=true" % front),
        *("-F", "relay://127.0.0.1:%d" % entry),
        ports=[front]
    )
    s = socket.create_connection(("127.0.0.1", front), PATIENCE)
    s.settimeout(PATIENCE)
    s.sendall(b"\5\1\0\5\2\0" + ip4(0))
    if recv_exact(s, 5) != b"\5\0\5\0\0":
        return proxy.text()
    port = struct.unpack(">H", recv_exact(s, 7)[5:])[0]
    v = socket.create_connection(("127.0.0.1", port), PATIENCE)
    v.settimeout(PATIENCE)
    if recv_exact(s, 10) != socks_reply(v.getsockname()[1]):
        return "the second reply names somebody else"
    v.sendall(b"ping")
    s.sendall(b"pong")
    good = recv_exact(s, 4) + recv_exact(v, 4)
    v.close()
    s.close()
    status = (proxy.stop(), server.stop())
    return good == b"pingpong" and status == (0, 0) or "%s %s" % (good, status)


def refuses(*args):
    out = subprocess.run([HOST, "--check", *args], capture_output=True, text=True, timeout=PATIENCE)
    return out


def chain_elsewhere():
    path = os.path.join(WORK, "chain.yml")
    with open(path, "w") as f:
        f.write(
            "services:\n- name: a\n  addr: 127.0.0.1:0\n  handler: {type: auto}\n"
            "  listener: {type: tcp, chain: c}\nchains:\n- name: c\n  hops:\n  - name: h\n"
            "    nodes:\n    - {name: n, addr: '127.0.0.1:1', connector: {type: relay}}\n"
        )
    out = refuses("-C", path)
    return out.returncode == 1 and "takes no chain" in out.stderr or out.stderr


# ---- the host as server, the recorded client ------------------------------------------------


def recorded_client(scheme, query, request, reply, head):
    """request and reply take the bound port; head: what a stream begins with, by the peer's."""
    entry, bound = free_port(), free_port()
    server = Host("-L", "%s://127.0.0.1:%d?%s" % (scheme, entry, query), ports=[entry])
    s = socket.create_connection(("127.0.0.1", entry), PATIENCE)
    s.settimeout(PATIENCE)
    if scheme == "socks5":
        s.sendall(b"\5\1\0")
        recv_exact(s, 2)
    s.sendall(request(bound))
    want = reply(bound)
    got = recv_exact(s, len(want))
    if got != want:
        return "answer %s, not %s" % (got.hex(), want.hex())
    for sid in (3, 5):
        v = socket.create_connection(("127.0.0.1", bound), PATIENCE)
        v.settimeout(PATIENCE)
        begin = head(v.getsockname()[1])
        opened = read_frame(s)
        while opened[0] == FIN:
            opened = read_frame(s)
        if opened != (SYN, sid, b""):
            return "no SYN of stream %d" % sid
        got = read_stream(s, sid, len(begin))
        if got != begin:
            return "stream begins with %s, not %s" % (got.hex(), begin.hex())
        v.sendall(b"hello")
        if read_stream(s, sid, 5) != b"hello":
            return "the visitor's bytes do not arrive"
        s.sendall(frame(PSH, sid, b"world"))
        if recv_exact(v, 5) != b"world":
            return "the answer does not arrive"
        if sid == 3:
            s.sendall(frame(FIN, sid))
            v.settimeout(PATIENCE)
            if v.recv(1) != b"":
                return "the end does not arrive"
        v.close()
    s.close()
    return server.stop() == 0


# ---- the host as client, the recorded server ------------------------------------------------


def recorded_server(scheme, request, reply, head):
    bound = free_port()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(4)
    listener.settimeout(PATIENCE)
    client = Host(
        "-L",
        "rtcp://127.0.0.1:%d/127.0.0.1:%d" % (bound, ECHO),
        "-F",
        "%s://127.0.0.1:%d?notls=true" % (scheme, listener.getsockname()[1]),
    )
    s = listener.accept()[0]
    s.settimeout(PATIENCE)
    if scheme == "socks5":
        recv_exact(s, 3)
        s.sendall(b"\5\0")
    want = request(bound)
    got = recv_exact(s, len(want))
    if got != want:
        return "request %s, not %s" % (got.hex(), want.hex())
    # a visitor may be there before the client knows that it is bound
    s.sendall(reply(bound) + frame(SYN, 3) + frame(PSH, 3, head(40001) + b"ping-client"))
    if read_stream(s, 3, 11) != b"ping-client":
        return "the target's answer does not arrive"
    # heads in pieces, of several streams at once, and one that is none
    begin = head(40002)
    s.sendall(b"".join(frame(SYN, i) + frame(PSH, i, begin[:3]) for i in (5, 7, 9)))
    s.sendall(frame(SYN, 11) + frame(PSH, 11, b"nonsense, and enough of it"))
    s.sendall(b"".join(frame(PSH, i, begin[3:] + b"%d" % i) for i in (9, 7, 5)))
    seen = {}
    while len(seen) < 3:
        cmd, i, data = read_frame(s)
        if cmd == PSH:
            seen[i] = data
    s.close()
    text = client.text
    must(lambda: "127.0.0.1:40001 ><" in text())
    status = client.stop()
    return (
        seen == {5: b"5", 7: b"7", 9: b"9"} and status == 0 or "%r %s\n%s" % (seen, status, text())
    )


def relay_request(port):
    return bytes.fromhex("0102000f04000200000200 07 01".replace(" ", "")) + ip4(port)[1:]


def relay_message(port):
    return bytes.fromhex("0100000a020007") + ip4(port)


def mbind_request(port):
    return b"\5\xf2\0" + ip4(port)


def socks_reply(port):
    return b"\5\0\0" + ip4(port)


def main():
    for scheme in ("relay", "socks5"):
        case = lambda name, fn, *args: tap.case("%s: %s" % (scheme, name), fn, *args)
        case("twenty visitors at once", many, scheme, "bind=true")
        case("smux of version 2", many, scheme, "bind=true&mux.version=2", "?mux.version=2")
        case("yamux", many, scheme, "bind=true&mux.type=yamux", "?mux.type=yamux")
        case("the server dies and returns", server_returns, scheme)
        case("the client leaves", client_leaves, scheme)
        case("packets of several peers", packets, scheme)
        case("a port that is taken", in_use, scheme)
    tap.case("without a chain it listens here", without_chain)
    tap.case("a path at the far end", paths)
    tap.case("a reload", reload)
    tap.case("BIND of a handler goes through the chain", socks_bind)
    tap.case("other listeners take no chain", chain_elsewhere)
    tap.case(
        "relay as GOST's client has it",
        recorded_client,
        "relay",
        "bind=true",
        relay_request,
        relay_message,
        relay_message,
    )
    tap.case(
        "relay as GOST's server has it",
        recorded_server,
        "relay",
        relay_request,
        relay_message,
        relay_message,
    )
    tap.case(
        "socks5 as GOST's client has it",
        recorded_client,
        "socks5",
        "bind=true",
        mbind_request,
        socks_reply,
        socks_reply,
    )
    tap.case(
        "socks5 with comp",
        recorded_client,
        "socks5",
        "bind=true&comp=true",
        mbind_request,
        socks_reply,
        lambda port: b"",
    )
    tap.case(
        "socks5 as GOST's server has it",
        recorded_server,
        "socks5",
        mbind_request,
        socks_reply,
        socks_reply,
    )
    tap.done()


main()
