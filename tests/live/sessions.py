# sessions.py - frames of smux as the peer of a host sends and reads them, and waiting.
# SPDX-License-Identifier: MIT
"""Shared by test_remote.py and the tests of tunnels."""

import socket
import struct
import threading
import time

from harness import pattern, recv_exact

SYN, FIN, PSH, NOP, UPD = range(5)


def until(fn, seconds=20):
    """What fn gives once it is true; the last exception otherwise."""
    end = time.time() + seconds
    while True:
        try:
            r = fn()
            if r:
                return r
        except (OSError, RuntimeError):
            if time.time() > end:
                raise
        if time.time() > end:
            raise RuntimeError("it did not become so")
        time.sleep(0.05)


def talk(port, data=pattern(200000)):
    """Sends data through an echo and reads it back."""
    s = until(lambda: socket.create_connection(("127.0.0.1", port), 5))
    s.settimeout(15)
    threading.Thread(target=s.sendall, args=(data,), daemon=True).start()
    got = recv_exact(s, len(data))
    s.close()
    return got == data


def frame(cmd, sid, data=b"", version=1):
    return struct.pack("<BBHI", version, cmd, len(data), sid) + data


def read_frame(s, version=1):
    """The next frame that is no keep-alive or window update: (command, stream, payload)."""
    while True:
        got, cmd, n, sid = struct.unpack("<BBHI", recv_exact(s, 8))
        data = recv_exact(s, n)
        if got != version:
            raise RuntimeError("version %d" % got)
        if cmd not in (NOP, UPD):
            return cmd, sid, data


def read_stream(s, sid, n, version=1):
    """The next n bytes of one stream; frames of others are passed over."""
    got = b""
    while len(got) < n:
        cmd, i, data = read_frame(s, version)
        if cmd == PSH and i == sid:
            got += data
    return got
