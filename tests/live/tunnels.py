# tunnels.py - servers and clients of reverse tunnels, and what visitors send.
# SPDX-License-Identifier: MIT
"""Shared by test_tunnel.py, test_tunnel_captures.py and test_tunnel_entry.py."""

import os
import re
import socket
import struct

from capture import wait_ready
from harness import PATIENCE, WORK, Host, free_port, must, recv_exact

ID = "4d21094e-b74c-4916-86c1-d9fa36ea677b"
OTHER = "5d21094e-b74c-4916-86c1-d9fa36ea677c"
HERE_NOW = "a client of the tunnel"  # the server's word for it
PLUGINS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "plugins")


def connect(port, host="127.0.0.1"):
    s = must(lambda: socket.create_connection((host, port), PATIENCE))
    s.settimeout(PATIENCE)
    return s


class Both:
    """A tunnel server and its clients, all of them the host."""

    def __init__(self, query="tunnel=srv.test:" + ID, workers=None, config=None):
        self.port, self.entry = free_port(), free_port()
        self.hosts = []
        if config:
            path = os.path.join(WORK, "tunnel-%d.yml" % self.port)
            self.config = path
            self.write(config)
            args = ["-C", path]
        else:
            args = [
                "-L",
                "tunnel://127.0.0.1:%d?entrypoint=127.0.0.1:%d&%s" % (self.port, self.entry, query),
            ]
        self.args, self.workers = args, workers
        self.start()

    def write(self, config):
        with open(self.config, "w") as f:
            f.write(config.replace("PORT", str(self.port)).replace("ENTRY", str(self.entry)))

    def start(self):
        self.server = Host(*self.args, ports=[self.port], workers=self.workers)

    def client(self, target, listen="rtcp://srv.test:80", query="tunnel.id=" + ID, login=""):
        c = Host(
            "-L",
            "%s/127.0.0.1:%d" % (listen, target),
            "-F",
            "tunnel://%s127.0.0.1:%d?%s" % (login, self.port, query),
        )
        self.hosts.append(c)
        return c

    def registered(self, *args, **kw):
        before = self.server.text().count(HERE_NOW)
        c = self.client(*args, **kw)
        must(lambda: self.server.text().count(HERE_NOW) > before)
        return c

    def visitor(self, host="srv.test:80", query="tunnel.id=" + ID, scheme="tcp", more=""):
        port = free_port()
        v = Host(
            "-L",
            "%s://127.0.0.1:%d/%s%s" % (scheme, port, host, more),
            "-F",
            "tunnel://127.0.0.1:%d?%s" % (self.port, query),
            ports=[] if scheme == "udp" else [port],
        )
        if scheme == "udp":
            wait_ready(v, port, "udp")
        self.hosts.append(v)
        return port

    def stop(self):
        status = [h.stop() for h in self.hosts + [self.server]]
        return all(s == 0 for s in status) or "%s\n%s" % (status, self.server.text()[-3000:])


def request(uuid, host=b"srv.test", port=80, command=1, flags=0, weight=0):
    """A request as GOST's clients send it."""
    body = b"\2\0\7\1\x7f\0\0\1\x9c\x40"
    body += b"\2" + struct.pack(">H", len(host) + 4) + b"\3" + bytes([len(host)]) + host
    body += struct.pack(">H", port)
    body += b"\3\0\x14" + bytes.fromhex(uuid.replace("-", "")) + bytes([flags, 0, 0, weight])
    return b"\1" + bytes([command]) + struct.pack(">H", len(body)) + body


def status_of(port, **kw):
    """The answer's status to a visitor, and the connection."""
    s = connect(port)
    s.sendall(request(**kw))
    return recv_exact(s, 4)[1], s


def http(port, host, target=b"/", more=b"", body=b"", s=None):
    """(status, head, body) of one request."""
    s = s or connect(port)
    s.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + more + b"\r\n" + body)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += recv_exact(s, 1)
    n = int((re.search(rb"(?i)content-length: (\d+)", head) or [0, 0])[1])
    return head.split(b" ")[1], head, recv_exact(s, n)
