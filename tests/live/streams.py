# streams.py - targets that count and hash, clients for them, and a UDP path that loses packets.
# SPDX-License-Identifier: MIT
"""Shared by test_stacks.py and test_torture.py. Every client returns True or says what is wrong."""

import hashlib
import heapq
import random
import select
import socket
import struct
import threading
import time

from harness import connect_via, echo, pattern, read_all, recv_exact, serve, socks5_open

BLOCK = pattern(1 << 20, 7)
BANNER = b"220 the first word is the server's\r\n"


# ---- targets --------------------------------------------------------------------------------


def pieces(n):
    """n bytes, always the same ones, in views of one block."""
    while n > 0:
        yield memoryview(BLOCK)[: min(n, len(BLOCK))]
        n -= len(BLOCK)


def digest_of(n):
    h = hashlib.sha256()
    for piece in pieces(n):
        h.update(piece)
    return h.digest()


def _give(s):
    """Sends as many bytes as the first eight say, and closes at once."""
    for piece in pieces(struct.unpack(">Q", recv_exact(s, 8))[0]):
        s.sendall(piece)


def _take(s):
    """Takes as many bytes as the first eight say, and answers with their digest."""
    left = struct.unpack(">Q", recv_exact(s, 8))[0]
    h = hashlib.sha256()
    while left:
        b = s.recv(min(left, 1 << 18))
        if not b:
            return
        h.update(b)
        left -= len(b)
    s.sendall(h.digest())


def _take_until_end(s):
    """Answers with the digest of all that came before the client's end."""
    s.sendall(hashlib.sha256(read_all(s)).digest())


def _ignore_end(s):
    """Reads ten bytes, then sends in pieces whatever the other direction does."""
    recv_exact(s, 10)
    for i in range(4):
        time.sleep(0.05)
        s.sendall(pattern(200000, i))


def _say_and_close(s):
    s.sendall(BANNER)


class Targets:
    """The ports of one of each."""

    def __init__(self):
        self.echo = serve(echo)
        self.give = serve(_give)
        self.take = serve(_take)
        self.until_end = serve(_take_until_end)
        self.ignore_end = serve(_ignore_end)
        self.say = serve(_say_and_close)


def proxy_that_hurries(kind):
    """A proxy whose reply comes in one piece with the target's first bytes and their end."""

    def http(s):
        head = b""
        while b"\r\n\r\n" not in head:
            head += s.recv(4096)
        return b"HTTP/1.1 200 OK\r\n\r\n"

    def socks5(s):
        recv_exact(s, recv_exact(s, 2)[1])
        s.sendall(b"\5\0")
        recv_exact(s, 10)
        return b"\5\0\0\1\0\0\0\0\0\0"

    def fn(s):
        s.sendall({"http": http, "socks5": socks5}[kind](s) + BANNER)
        s.shutdown(socket.SHUT_WR)
        s.settimeout(10)
        read_all(s)

    return serve(fn)


# ---- clients --------------------------------------------------------------------------------


def down(entry, port, n, seconds=60):
    s = connect_via("socks5", entry, "127.0.0.1", port, seconds)
    s.sendall(struct.pack(">Q", n))
    h, got = hashlib.sha256(), 0
    while True:
        b = s.recv(1 << 18)
        if not b:
            break
        h.update(b)
        got += len(b)
    s.close()
    return h.digest() == digest_of(n) or "%d of %d bytes, or others" % (got, n)


def up(entry, port, n, seconds=60):
    s = connect_via("socks5", entry, "127.0.0.1", port, seconds)
    s.sendall(struct.pack(">Q", n))
    for piece in pieces(n):
        s.sendall(piece)
    got = recv_exact(s, 32)
    s.close()
    return got == digest_of(n) or "the target got other bytes"


def up_until_end(entry, port, n, seconds=60):
    s = connect_via("socks5", entry, "127.0.0.1", port, seconds)
    for piece in pieces(n):
        s.sendall(piece)
    s.shutdown(socket.SHUT_WR)
    got = read_all(s)
    s.close()
    return got == digest_of(n) or "the target got other bytes"


def answer_after_our_end(entry, port):
    """Our end must not cut off what the target still sends."""
    s = connect_via("socks5", entry, "127.0.0.1", port, 20)
    s.sendall(b"0123456789")
    s.shutdown(socket.SHUT_WR)
    got = read_all(s)
    s.close()
    want = b"".join(pattern(200000, i) for i in range(4))
    return got == want or "%d of %d bytes" % (len(got), len(want))


def banner(entry, port):
    """What a target says before it closes at once."""
    s = connect_via("socks5", entry, "127.0.0.1", port, 20)
    got = read_all(s)
    s.close()
    return got == BANNER or repr(got)


def early(entry, port):
    """Bytes right behind the request, before its reply."""
    data = pattern(3000, 4)
    s, rep, _ = socks5_open(entry, 1, "127.0.0.1", port, early=data)
    got = recv_exact(s, len(data))
    s.close()
    return (rep == 0 and got == data) or "reply %d" % rep


def echoed(entry, port, data, seconds=20):
    s = connect_via("socks5", entry, "127.0.0.1", port, seconds)
    try:
        s.sendall(data)
        return recv_exact(s, len(data)) == data or "other bytes"
    finally:
        s.close()


def at_once(n, fn, seconds=120):
    """fn(0) to fn(n - 1), each in a thread of its own."""
    bad = ["still under way"] * n

    def one(i):
        try:
            bad[i] = fn(i)
        except Exception as e:
            bad[i] = repr(e)

    threads = [threading.Thread(target=one, args=(i,), daemon=True) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(seconds)
    bad = [b for b in bad if b is not True]
    return not bad or "%d of %d failed: %s" % (len(bad), n, bad[:3])


# ---- a path that loses packets --------------------------------------------------------------


def udp_client(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(("127.0.0.1", port))
    s.settimeout(1)
    return s


def udp_asked(s, data, answer=None):
    """A datagram may get lost: it is sent again until its answer ("<" and it) is there."""
    want = b"<" + data if answer is None else answer
    for _ in range(40):
        try:
            s.send(data)
            while s.recv(65536) != want:
                pass
            return True
        except socket.timeout:
            continue
        except OSError:  # nobody listens yet
            time.sleep(0.2)
    return "no answer to %d bytes" % len(data)


class LossyPath:
    """Passes datagrams between clients and a port: each is lost with a chance, the others come
    after a delay, in order. The same seed gives the same chances."""

    def __init__(self, target, loss=0.01, delay=0.03, seed=1):
        self.target, self.loss, self.delay = ("127.0.0.1", target), loss, delay
        self.chance = random.Random(seed)
        self.front = self.socket()
        self.port = self.front.getsockname()[1]
        self.backs, self.peers, self.queue = {}, {}, []
        self.passed = self.lost = 0
        self.ends = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    @staticmethod
    def socket():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        s.bind(("127.0.0.1", 0))
        s.setblocking(False)
        return s

    def route(self, s, peer):
        """(socket, address) on the other side for what came from peer at s."""
        if s is not self.front:
            return self.front, self.peers[s]
        if peer not in self.backs:
            self.backs[peer] = self.socket()
            self.peers[self.backs[peer]] = peer
        return self.backs[peer], self.target

    def take(self, s):
        while True:
            try:
                data, peer = s.recvfrom(65536)
            except OSError:
                return
            to = self.route(s, peer)
            if self.chance.random() < self.loss:
                self.lost += 1
                continue
            self.passed += 1
            heapq.heappush(self.queue, (time.monotonic() + self.delay, self.passed, data, to))

    def run(self):
        while not self.ends:
            wait = self.queue[0][0] - time.monotonic() if self.queue else 0.1
            for s in select.select([self.front] + list(self.peers), [], [], max(0, wait))[0]:
                self.take(s)
            while self.queue and self.queue[0][0] <= time.monotonic():
                _, _, data, (s, to) = heapq.heappop(self.queue)
                try:
                    s.sendto(data, to)
                except OSError:
                    pass

    def stop(self):
        self.ends = True
        self.thread.join()
        for s in [self.front] + list(self.peers):
            s.close()
