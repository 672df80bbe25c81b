#!/usr/bin/env python3
# test_aioquic_h3.py - aioquic as client and server of HTTP/3: CONNECT, CONNECT-UDP, answers.
# SPDX-License-Identifier: MIT
# timeout: 300
import asyncio
import socket

from peers import ended_cleanly
from harness import Host, Tap, echo, free_port, pattern, serve, udp_echo
from streams import udp_asked, udp_client

tap = Tap()
try:
    from aioquic.asyncio import QuicConnectionProtocol
    from aioquic.h3.connection import H3Connection
    from aioquic.h3.events import DataReceived, DatagramReceived, HeadersReceived
    from aioquic.quic.events import ProtocolNegotiated, StreamReset
except ImportError:
    # No package of Debian has it: its absence is a skip even where peers are required.
    tap.skip("aioquic with HTTP/3", "python has no module aioquic: pip install aioquic")
    tap.done()

import quic_peer

ECHO = serve(echo)
UDP = udp_echo(lambda b: b"<" + b)
LOGIN = (b"proxy-authorization", b"Basic dXNlcjpwYXNz")  # user:pass


# ---- aioquic as client -----------------------------------------------------------------------


class Client(QuicConnectionProtocol):
    """One queue of events for each stream."""

    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.h3, self.streams = None, {}

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self.h3 = H3Connection(self._quic, enable_webtransport=True)  # and datagrams
        if isinstance(event, StreamReset):
            self.queue(event.stream_id).put_nowait(event)
        for e in self.h3.handle_event(event) if self.h3 else ():
            self.queue(e.stream_id).put_nowait(e)

    def queue(self, stream):
        return self.streams.setdefault(stream, asyncio.Queue())

    async def event(self, stream):
        return await asyncio.wait_for(self.queue(stream).get(), 20)

    def ask(self, headers, end=False):
        stream = self._quic.get_next_available_stream_id()
        self.h3.send_headers(stream, headers, end)
        self.transmit()
        return stream

    async def answer(self, stream):
        e = await self.event(stream)
        if not isinstance(e, HeadersReceived):
            raise RuntimeError(repr(e))
        return dict(e.headers)

    def send(self, stream, data, end=False):
        self.h3.send_data(stream, data, end)
        self.transmit()

    async def body(self, stream, n=None):
        got = b""
        while n is None or len(got) < n:
            e = await self.event(stream)
            if not isinstance(e, DataReceived):
                raise RuntimeError(repr(e))
            got += e.data
            if e.stream_ended:
                break
        return got

    async def datagram(self, stream, data):
        """One may get lost: it is sent again until its answer is there."""
        for _ in range(20):
            self.h3.send_datagram(stream, data)
            self.transmit()
            try:
                e = await asyncio.wait_for(self.queue(stream).get(), 1)
            except asyncio.TimeoutError:
                continue
            if isinstance(e, DatagramReceived):
                return e.data
            raise RuntimeError(repr(e))
        raise RuntimeError("no answer to a datagram")


def as_client(name, port, fn):
    quic_peer.as_client(tap, name, port, Client, fn, max_datagram_frame_size=65536)


def connect_to(target, *more):
    return [(b":method", b"CONNECT"), (b":authority", b"127.0.0.1:%d" % target), LOGIN, *more]


def udp_to(path, *more):
    return [
        (b":method", b"CONNECT"),
        (b":protocol", b"connect-udp"),
        (b":scheme", b"https"),
        (b":authority", b"proxy.example"),
        (b":path", path),
        LOGIN,
        *more,
    ]


CAPSULES = (b"capsule-protocol", b"?1")


async def tunnel(client):
    s = client.ask(connect_to(ECHO))
    if (await client.answer(s))[b":status"] != b"200":
        return "no tunnel"
    for n in (1, 65536, 1 << 20):
        data = pattern(n, n)
        client.send(s, data)
        if await client.body(s, n) != data:
            return "%d bytes came back changed" % n
    client.send(s, b"", True)
    return await client.body(s) == b""


async def many(client):
    async def one(i):
        s = client.ask(connect_to(ECHO))
        await client.answer(s)
        data = pattern(30000, i)
        client.send(s, data, True)
        return await client.body(s) == data

    good = await asyncio.gather(*[one(i) for i in range(50)])
    return all(good) or "%d of 50" % sum(good)


async def udp(client):
    path = b"/.well-known/masque/udp/127.0.0.1/%d/" % UDP
    s = client.ask(udp_to(path, CAPSULES))
    head = await client.answer(s)
    if head[b":status"] != b"200" or head.get(b"capsule-protocol") != b"?1":
        return repr(head)
    for n in (0, 1, 1000, 1150):
        data = pattern(n, n)
        if await client.datagram(s, b"\0" + data) != b"\0<" + data:
            return "%d bytes came back changed" % n
    return True


async def status(want, headers, client):
    s = client.ask(headers, True)
    head = await client.answer(s)
    return head[b":status"] == want or repr(head)


def clients():
    p = free_port()
    h = Host("-L", "masque+http3://user:pass@127.0.0.1:%d" % p, udp=[p], workers=2)
    udp_path = b"/.well-known/masque/udp/127.0.0.1/%d/" % UDP
    get = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"a"), (b":path", b"/")]
    dead = free_port()
    answers = (
        ("a method that is not CONNECT", b"405", get),
        ("no login", b"407", [x for x in connect_to(ECHO) if x != LOGIN]),
        ("a target that refuses", b"503", connect_to(dead)),
        ("no capsule-protocol", b"400", udp_to(udp_path)),
        ("a path that is none", b"400", udp_to(b"/udp/a/1/", CAPSULES)),
        ("port 0", b"400", udp_to(b"/.well-known/masque/udp/a/0/", CAPSULES)),
    )
    as_client("CONNECT: bytes come back", p, tunnel)
    as_client("50 tunnels at once", p, many)
    as_client("CONNECT-UDP: datagrams come back", p, udp)
    for name, want, headers in answers:
        as_client(
            "%s is %s" % (name, want.decode()),
            p,
            lambda c, want=want, headers=headers: status(want, headers, c),
        )
    ended_cleanly(tap, "the server", h)


# ---- aioquic as server -----------------------------------------------------------------------


class Server(QuicConnectionProtocol):
    """A proxy that is the target itself: it echoes; port 9 is refused, for 10 it is 200 alone."""

    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.h3, self.tunnels = None, set()

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self.h3 = H3Connection(self._quic, enable_webtransport=True)
        for e in self.h3.handle_event(event) if self.h3 else ():
            if isinstance(e, HeadersReceived):
                self.begin(e.stream_id, dict(e.headers))
            elif isinstance(e, DataReceived) and e.stream_id in self.tunnels:
                self.h3.send_data(e.stream_id, e.data, e.stream_ended)
            elif isinstance(e, DatagramReceived):
                self.h3.send_datagram(e.stream_id, e.data)
        self.transmit()

    def begin(self, stream, head):
        answer = [(b":status", b"200")]
        if head[b":authority"].endswith(b":9"):
            self.h3.send_headers(stream, [(b":status", b"403")], True)
            return
        if head.get(b":protocol") == b"connect-udp":
            if head.get(b"capsule-protocol") == b"?1" and b"/10/" not in head[b":path"]:
                answer.append((b"capsule-protocol", b"?1"))
        else:
            self.tunnels.add(stream)
        self.h3.send_headers(stream, answer)


def servers():
    server = quic_peer.Served(Server, alpn_protocols=["h3"], max_datagram_frame_size=65536)
    entry = free_port()
    fwd, none = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
    h = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-L",
        "udp://127.0.0.1:%d/127.0.0.1:7?keepalive=true" % fwd,
        "-L",
        "udp://127.0.0.1:%d/127.0.0.1:10" % none,
        "-F",
        "masque+h3-masque://127.0.0.1:%d?secure=true&caFile=%s" % (server.port, server.cert),
        ports=[entry],
        workers=2,
    )

    def refused():
        try:
            quic_peer.through(entry, 9, b"x")
        except RuntimeError:
            return "with 403" in h.text() or h.text()
        return "it worked"

    def datagrams():
        s = udp_client(fwd)
        for n in (1, 2, 1000, 1150):
            r = udp_asked(s, pattern(n, n), pattern(n, n))
            if r is not True:
                return r
        return True

    def no_capsules():
        s = udp_client(none)
        s.settimeout(0.2)
        for _ in range(100):
            try:
                s.send(b"x")
                s.recv(100)
                return "it worked"
            except OSError:
                if "200 without capsule-protocol" in h.text():
                    return True
        return h.text()

    quic_peer.echo_cases(tap, entry)
    tap.case("a target that aioquic refuses", refused)
    tap.case("datagrams to aioquic", datagrams)
    tap.case("200 without capsule-protocol is no tunnel", no_capsules)
    ended_cleanly(tap, "the client", h)
    server.stop()


clients()
servers()
tap.done()
