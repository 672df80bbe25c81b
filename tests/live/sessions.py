# sessions.py - frames of smux as the peer of a host sends and reads them.
# SPDX-License-Identifier: MIT
"""Shared by test_remote.py and the tests of tunnels."""

import socket
import struct
import threading

from harness import PATIENCE, must, pattern, recv_exact

SYN, FIN, PSH, NOP, UPD = range(5)


def talk(port, data=pattern(200000)):
    """Sends data through an echo and reads it back."""
    s = must(lambda: socket.create_connection(("127.0.0.1", port), PATIENCE))
    s.settimeout(PATIENCE)
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
