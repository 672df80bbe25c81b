# quic_peer.py - aioquic as client and server of the host: what its tests have in common.
# SPDX-License-Identifier: MIT
import asyncio
import socket
import ssl
import threading

from aioquic.asyncio import connect as quic_connect
from aioquic.asyncio import serve as quic_serve
from aioquic.quic.configuration import QuicConfiguration

from peers import certificate
from harness import connect_via, free_port, pattern, read_all


def as_client(tap, name, port, protocol, fn, **kw):
    """A case: fn(client) with a connection to the port; kw is configuration."""
    kw.setdefault("alpn_protocols", ["h3"])

    async def go():
        c = QuicConfiguration(
            is_client=True, verify_mode=ssl.CERT_NONE, server_name="gost.run", **kw
        )
        async with quic_connect(
            "127.0.0.1", port, configuration=c, create_protocol=protocol
        ) as client:
            return await fn(client)

    tap.case(name, lambda: asyncio.run(asyncio.wait_for(go(), 60)))


class Served:
    """A server of aioquic in a thread of its own; kw is configuration."""

    def __init__(self, protocol, retry=False, **kw):
        self.cert, self.key = certificate()
        self.port, self.done = free_port(), threading.Event()
        ready = threading.Event()
        args = (protocol, retry, ready, kw)
        threading.Thread(target=self.run, args=args, daemon=True).start()
        ready.wait(20)

    def run(self, protocol, retry, ready, kw):
        async def go():
            c = QuicConfiguration(is_client=False, **kw)
            c.load_cert_chain(self.cert, self.key)
            await quic_serve(
                "127.0.0.1", self.port, configuration=c, create_protocol=protocol, retry=retry
            )
            ready.set()
            await asyncio.get_running_loop().run_in_executor(None, self.done.wait)

        asyncio.run(go())

    def stop(self):
        self.done.set()


def through(entry, target, data, end=True):
    s = connect_via("socks5", entry, "127.0.0.1", target)
    s.settimeout(20)
    s.sendall(data)
    if end:
        s.shutdown(socket.SHUT_WR)
    return s


def echo_cases(tap, entry, note=""):
    """Port 7 of the server behind the entry echoes."""

    def echoed():
        for n in (1, 65536, 4 << 20):
            data = pattern(n, n)
            if read_all(through(entry, 7, data)) != data:
                return "%d bytes came back changed" % n

    def parallel():
        socks = [through(entry, 7, pattern(20000, i)) for i in range(50)]
        return all(read_all(s) == pattern(20000, i) for i, s in enumerate(socks))

    tap.case("aioquic echoes" + note, echoed)
    tap.case("50 streams to aioquic" + note, parallel)
