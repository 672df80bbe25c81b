#!/usr/bin/env python3
# test_aioquic_wt.py - aioquic as client and server of WebTransport: streams, ends, refusals.
# SPDX-License-Identifier: MIT
# timeout: 300
import asyncio

from peers import ended_cleanly
from harness import Host, Tap, echo, free_port, pattern, serve

tap = Tap()
try:
    from aioquic.asyncio import QuicConnectionProtocol
    from aioquic.h3.connection import H3Connection
    from aioquic.h3.events import HeadersReceived, WebTransportStreamDataReceived
    from aioquic.quic.events import ProtocolNegotiated, StreamDataReceived
except ImportError:
    # No package of Debian has it: its absence is a skip even where peers are required.
    tap.skip("aioquic with WebTransport", "python has no module aioquic: pip install aioquic")
    tap.done()

import quic_peer

ECHO = serve(echo)
OLD = (b"sec-webtransport-http3-draft02", b"1")


class Client(QuicConnectionProtocol):
    """One queue of events for each stream. What a server sends on our streams has no prefix, which
    aioquic's HTTP/3 does not know: it is taken from QUIC."""

    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.h3, self.streams, self.ours = None, {}, set()

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self.h3 = H3Connection(self._quic, enable_webtransport=True)
        if isinstance(event, StreamDataReceived) and event.stream_id in self.ours:
            self.queue(event.stream_id).put_nowait(event)
            return
        for e in self.h3.handle_event(event) if self.h3 else ():
            self.queue(e.stream_id).put_nowait(e)

    def queue(self, stream):
        return self.streams.setdefault(stream, asyncio.Queue())

    async def session(self, path=b"/wt", protocol=b"webtransport"):
        """The session's id and the answer's head."""
        stream = self._quic.get_next_available_stream_id()
        head = [
            (b":method", b"CONNECT"),
            (b":protocol", protocol),
            (b":scheme", b"https"),
            (b":authority", b"gost.run"),
            (b":path", path),
            OLD,
        ]
        self.h3.send_headers(stream, head)
        self.transmit()
        e = await asyncio.wait_for(self.queue(stream).get(), 20)
        if not isinstance(e, HeadersReceived):
            raise RuntimeError(repr(e))
        return stream, dict(e.headers)

    async def body(self, stream, n=None):
        got = b""
        while n is None or len(got) < n:
            e = await asyncio.wait_for(self.queue(stream).get(), 20)
            got += e.data
            if e.end_stream:
                break
        return got

    def write(self, stream, data, end=False):
        self._quic.send_stream_data(stream, data, end)
        self.transmit()


async def exchanged(client, session, i, size):
    """Port `ECHO` behind our server: bytes come back, and our end after them."""
    s = client.h3.create_webtransport_stream(session)
    client.ours.add(s)
    data = pattern(size, i)
    client.write(s, data, True)
    return await client.body(s) == data


async def streams(client):
    session, head = await client.session()
    if head[b":status"] != b"200" or head.get(b"sec-webtransport-http3-draft") != b"draft02":
        return repr(head)
    for size in (1, 65536, 1 << 20):
        if not await exchanged(client, session, size, size):
            return "%d bytes came back changed" % size
    good = await asyncio.gather(*[exchanged(client, session, i, 20000 + i) for i in range(50)])
    return all(good) or "%d of 50" % sum(good)


async def status(want, path, protocol, client):
    _, head = await client.session(path, protocol)
    return head[b":status"] == want or repr(head)


def clients():
    p = free_port()
    h = Host("-L", "forward+wt://127.0.0.1:%d/127.0.0.1:%d" % (p, ECHO), udp=[p], workers=2)

    def case(name, fn):
        quic_peer.as_client(tap, name, p, Client, fn, max_datagram_frame_size=65536)

    case("aioquic as client: streams of a session", streams)
    for name, *args in (
        ("the name of later drafts", b"200", b"/wt", b"webtransport-h3"),
        ("another path", b"404", b"/other", b"webtransport"),
        ("another protocol", b"404", b"/wt", b"websocket"),
    ):
        case("aioquic as client: " + name, lambda c, args=args: status(*args, c))
    ended_cleanly(tap, "the server", h)


class Server(QuicConnectionProtocol):
    """Takes the session at /wt and echoes each of its streams."""

    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.h3 = None

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self.h3 = H3Connection(self._quic, enable_webtransport=True)
        for e in self.h3.handle_event(event) if self.h3 else ():
            if isinstance(e, HeadersReceived):
                head = dict(e.headers)
                good = head[b":path"] == b"/wt" and head[b":protocol"] == b"webtransport"
                good = good and OLD in e.headers
                answer = [(b":status", b"200" if good else b"403")]
                self.h3.send_headers(e.stream_id, answer, not good)
            elif isinstance(e, WebTransportStreamDataReceived):
                self._quic.send_stream_data(e.stream_id, e.data, e.stream_ended)
        self.transmit()


def servers():
    server = quic_peer.Served(Server, alpn_protocols=["h3"], max_datagram_frame_size=65536)
    entry, other = free_port(), free_port()
    to = "forward+wt://127.0.0.1:%d?secure=true&caFile=%s" % (server.port, server.cert)
    h = Host("-L", "socks5://127.0.0.1:%d" % entry, "-F", to, ports=[entry], workers=2)
    quic_peer.echo_cases(tap, entry, ", WebTransport")
    ended_cleanly(tap, "the client", h)
    bad = to + "&path=/other"
    h = Host("-L", "socks5://127.0.0.1:%d" % other, "-F", bad, ports=[other])

    def refused():
        try:
            quic_peer.through(other, 7, b"x").recv(1)
        except (RuntimeError, OSError):
            pass
        return h.says("answers 403 to WebTransport") or h.text()

    tap.case("a refusal of aioquic is told", refused)
    ended_cleanly(tap, "the refused client", h)
    server.stop()


clients()
servers()
tap.done()
