#!/usr/bin/env python3
# test_aioquic.py - aioquic as client and server of quic: streams, resets, moves, keys, Retry.
# SPDX-License-Identifier: MIT
# timeout: 300
import asyncio
import hashlib
import socket

from peers import ended_cleanly
from harness import Host, Tap, echo, free_port, pattern, read_all, recv_exact, serve

tap = Tap()
try:
    from aioquic.asyncio import QuicConnectionProtocol
    from aioquic.quic import events
except ImportError:
    # No package of Debian has it: its absence is a skip even where peers are required.
    tap.skip("aioquic", "python has no module aioquic: pip install aioquic")
    tap.done()

import quic_peer
from quic_peer import through

ECHO = serve(echo)


def digest_then_close(s):
    """All that comes until the end, then its digest and the end."""
    s.sendall(hashlib.sha256(read_all(s)).hexdigest().encode())


DIGEST = serve(digest_then_close)
WAITS = serve(lambda s: s.recv(1 << 16) and read_all(s))


# ---- aioquic as client -----------------------------------------------------------------------


class Client(QuicConnectionProtocol):
    """One queue of events for each stream; and what ended the connection."""

    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.streams, self.alpn, self.end = {}, None, None

    def quic_event_received(self, event):
        if isinstance(event, events.HandshakeCompleted):
            self.alpn = event.alpn_protocol
        if isinstance(event, events.ConnectionTerminated):
            self.end = event
            for queue in self.streams.values():
                queue.put_nowait(None)
        if hasattr(event, "stream_id"):
            self.streams.setdefault(event.stream_id, asyncio.Queue()).put_nowait(event)

    def open(self):
        stream = self._quic.get_next_available_stream_id()
        self.streams[stream] = asyncio.Queue()
        return stream

    def send(self, stream, data, end=False):
        self._quic.send_stream_data(stream, data, end)
        self.transmit()

    async def read(self, stream, n=None):
        """n bytes, or all until the end."""
        got = b""
        while n is None or len(got) < n:
            event = await asyncio.wait_for(self.streams[stream].get(), 20)
            if event is None:
                raise RuntimeError("the connection ended: %r" % self.end)
            if isinstance(event, events.StreamDataReceived):
                got += event.data
                if event.end_stream:
                    break
            elif isinstance(event, events.StreamReset):
                raise RuntimeError("reset with code %d" % event.error_code)
        return got

    async def tunnel(self, port):
        """A stream to the port through the HTTP proxy at the other end."""
        stream = self.open()
        self.send(stream, b"CONNECT 127.0.0.1:%d HTTP/1.1\r\nHost: x\r\n\r\n" % port)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += await self.read(stream, 1)
        if b" 200 " not in head:
            raise RuntimeError(head)
        return stream


def as_client(name, port, fn, **kw):
    quic_peer.as_client(tap, name, port, Client, fn, **kw)


async def echoes(client):
    stream = await client.tunnel(ECHO)
    for n in (1, 65536, 1 << 20):
        data = pattern(n, n)
        client.send(stream, data)
        if await client.read(stream, n) != data:
            return "%d bytes came back changed" % n
    client.send(stream, b"", True)
    return await client.read(stream) == b""


async def many(client):
    async def one(i):
        stream = await client.tunnel(ECHO)
        data = pattern(30000, i)
        client.send(stream, data, True)
        return await client.read(stream) == data

    good = await asyncio.gather(*[one(i) for i in range(80)])
    return all(good) or "%d of 80" % sum(good)


async def in_turn(client):
    # more than the limit, but not at once: each end gives room for the next
    for i in range(250):
        stream = await client.tunnel(DIGEST)
        client.send(stream, b"%d" % i, True)
        if await client.read(stream) != hashlib.sha256(b"%d" % i).hexdigest().encode():
            return "stream %d" % i


async def half_closed(client):
    stream = await client.tunnel(DIGEST)
    data = pattern(4 << 20, 3)
    client.send(stream, data, True)
    return await client.read(stream) == hashlib.sha256(data).hexdigest().encode()


async def moves(client):
    stream = await client.tunnel(ECHO)
    for i in range(4):
        data = pattern(20000, i)
        client.send(stream, data)
        if await client.read(stream, len(data)) != data:
            return "after move %d" % i
        old = client._transport
        loop = asyncio.get_running_loop()
        fresh, _ = await loop.create_datagram_endpoint(
            lambda: Forward(client), local_addr=("::ffff:127.0.0.1", 0)
        )
        client._transport = fresh
        client._quic.change_connection_id()
        old.close()
        client.transmit()


class Forward(asyncio.DatagramProtocol):
    def __init__(self, client):
        self.client = client

    def datagram_received(self, data, addr):
        self.client.datagram_received(data, addr)


async def new_keys(client):
    stream = await client.tunnel(ECHO)
    for i in range(3):
        data = pattern(5000, i)
        client.send(stream, data)
        if await client.read(stream, len(data)) != data:
            return "after update %d" % i
        client._quic.request_key_update()
    return True


async def resets(client):
    stream = await client.tunnel(ECHO)
    client._quic.reset_stream(stream, 7)
    client.transmit()
    try:
        await client.read(stream)
    except RuntimeError:
        pass
    return await echoes(client)


async def stops(client):
    stream = await client.tunnel(ECHO)
    client.send(stream, b"x")
    await client.read(stream, 1)
    client._quic.stop_stream(stream, 9)
    client.transmit()
    client.send(stream, pattern(300000), True)
    event = None
    while not isinstance(event, events.StreamReset):
        event = await asyncio.wait_for(client.streams[stream].get(), 20)
    if event.error_code != 9:
        return "the reset has the code %d" % event.error_code
    return await echoes(client)


async def one_way(client):
    stream = client._quic.get_next_available_stream_id(is_unidirectional=True)
    client.streams[stream] = asyncio.Queue()
    client.send(stream, b"nobody reads this")
    event = await asyncio.wait_for(client.streams[stream].get(), 20)
    return isinstance(event, events.StopSendingReceived) and await echoes(client)


async def pings(client):
    await asyncio.wait_for(client.ping(), 20)


async def protocol(want, client):
    await pings(client)
    return client.alpn == want or client.alpn


def clients():
    for workers in (1, 2):
        p = free_port()
        h = Host("-L", "http+quic://127.0.0.1:%d" % p, udp=[p], workers=workers)
        note = " with %d workers" % workers
        as_client("bytes come back" + note, p, echoes)
        as_client("80 streams at once" + note, p, many)
        as_client("250 streams one after the other" + note, p, in_turn)
        as_client("half-close after 4 MiB" + note, p, half_closed)
        as_client("the client moves to other ports" + note, p, moves)
        as_client("the client wants new keys" + note, p, new_keys)
        as_client("RESET_STREAM ends one stream alone" + note, p, resets)
        as_client("STOP_SENDING is answered with its code" + note, p, stops)
        as_client("one-way streams are refused one by one" + note, p, one_way)
        as_client("PING" + note, p, pings)
        as_client(
            "h3 is preferred" + note,
            p,
            lambda c: protocol("h3", c),
            alpn_protocols=["quic/v1", "h3"],
        )
        as_client(
            "quic/v1 will do" + note,
            p,
            lambda c: protocol("quic/v1", c),
            alpn_protocols=["quic/v1"],
        )
        as_client("small packets" + note, p, echoes, max_datagram_size=1200)
        ended_cleanly(tap, "the server" + note, h)
    p = free_port()
    h = Host("-L", "http+quic://127.0.0.1:%d?quic.retry=true" % p, udp=[p], workers=2)
    as_client("after Retry", p, echoes)
    ended_cleanly(tap, "the server with Retry", h)


# ---- aioquic as server -----------------------------------------------------------------------


class Server(QuicConnectionProtocol):
    """An HTTP proxy that is the target itself: port 7 echoes, 9 resets, 13 stops, 80 says a lot
    and ends at once."""

    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.heads, self.targets = {}, {}

    def begin(self, stream, head, rest):
        port = int(head.split()[1].rsplit(b":", 1)[1])
        self.targets[stream] = port
        self._quic.send_stream_data(stream, b"HTTP/1.1 200 OK\r\n\r\n")
        if port == 13:
            self._quic.stop_stream(stream, 5)
            self._quic.send_stream_data(stream, b"said", True)
        elif port == 80:
            self._quic.send_stream_data(stream, pattern(1 << 20, 8), True)
        return rest

    def quic_event_received(self, event):
        if not isinstance(event, events.StreamDataReceived):
            return
        stream, data = event.stream_id, event.data
        if stream not in self.targets:
            data = self.heads.get(stream, b"") + data
            self.heads[stream] = data
            head, end, rest = data.partition(b"\r\n\r\n")
            if not end:
                return
            data = self.begin(stream, head, rest)
        if self.targets[stream] == 9 and data:
            self._quic.reset_stream(stream, 5)
        if self.targets[stream] == 7:
            self._quic.send_stream_data(stream, data, event.end_stream)
        self.transmit()


def servers(retry):
    server = quic_peer.Served(Server, retry, alpn_protocols=["quic/v1"])
    entry = free_port()
    note = " (a server with Retry)" if retry else ""
    h = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        "http+quic://127.0.0.1:%d?secure=true&caFile=%s" % (server.port, server.cert),
        ports=[entry],
        workers=2,
    )

    def at_once():
        return read_all(through(entry, 80, b"", False)) == pattern(1 << 20, 8)

    def reset():
        s = through(entry, 9, b"x", False)
        try:
            got = read_all(s)
        except ConnectionResetError:
            return True
        return got == b"" or got

    def stopped():
        s = through(entry, 13, b"x", False)
        got = recv_exact(s, 4)
        s.sendall(pattern(200000))
        s.shutdown(socket.SHUT_WR)
        return got == b"said" and read_all(s) == b""

    quic_peer.echo_cases(tap, entry, note)
    tap.case("what a target says before it ends at once" + note, at_once)
    tap.case("RESET_STREAM from aioquic" + note, reset)
    tap.case("STOP_SENDING from aioquic: the other direction goes on" + note, stopped)
    ended_cleanly(tap, "the client" + note, h)
    server.stop()


clients()
servers(False)
servers(True)
tap.done()
