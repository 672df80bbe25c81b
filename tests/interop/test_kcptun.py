#!/usr/bin/env python3
# test_kcptun.py - kcptun at the other end: smux over KCP, ciphers, compression, error correction.
# SPDX-License-Identifier: MIT
# timeout: 240
import threading

from peers import Daemon, counted, ended_cleanly, round_trip, section, write
from harness import Host, Tap, connect_via, free_port, need, serve

tap = Tap()
TARGET = serve(counted)
KEY = "open sesame"
PLAIN = write("plain.json", '{"datashard": 0, "parityshard": 0, "sockbuf": 4194304}')

# crypt, what kcptun is told besides, what we are told besides
CASES = (
    ("aes", (), ""),
    ("none", ("--nocomp",), "&kcp.nocomp=true"),
    ("salsa20", ("--smuxver", "2"), "&kcp.smuxver=2"),
    ("twofish", ("--mode", "fast3", "--datashard", "5", "--parityshard", "2"), "&kcp.mode=fast3"),
    ("aes-128", ("--datashard", "0", "--parityshard", "0"), "&kcp.mode=fast2&c=" + PLAIN),
    ("3des", ("--mtu", "1200"), "&kcp.mtu=900"),
    ("xtea", ("--sndwnd", "32", "--rcvwnd", "32"), ""),
)


def options(crypt, ours):
    return "kcp.key=%s&kcp.crypt=%s&kcp.sndwnd=256&kcp.rcvwnd=256%s" % (
        KEY.replace(" ", "%20"),
        crypt,
        ours,
    )


def common(crypt, theirs):
    return ("--key", KEY, "--crypt", crypt, "--quiet") + theirs


def through(port):
    """A byte, a few hundred KiB, and twenty at once, each hashed."""
    for size in (1, 300000):
        r = round_trip(connect_via("forward", port, "", 0), size)
        if r is not True:
            return r
    results = []

    def one():
        try:
            results.append(round_trip(connect_via("forward", port, "", 0), 20000))
        except Exception as error:  # a thread's failure is this test's
            results.append(error)

    threads = [threading.Thread(target=one) for _ in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    wrong = [r for r in results if r is not True]
    return True if not wrong else "%d of 20 streams: %s" % (len(wrong), wrong[0])


def theirs_dials(crypt, theirs, ours):
    mine, front = free_port(), free_port()
    host = Host(
        "-L",
        "tcp+kcp://127.0.0.1:%d/127.0.0.1:%d?%s" % (mine, TARGET, options(crypt, ours)),
        udp=(mine,),
    )
    peer = Daemon(
        "kcptun-client",
        "-l",
        "127.0.0.1:%d" % front,
        "-r",
        "127.0.0.1:%d" % mine,
        *common(crypt, theirs),
        ports=(front,)
    )
    tap.case("kcptun-client to us, %s %s" % (crypt, " ".join(theirs)), through, front)
    peer.stop()
    ended_cleanly(tap, "we end cleanly, %s" % crypt, host)


def ours_dials(crypt, theirs, ours):
    far, front = free_port(), free_port()
    peer = Daemon(
        "kcptun-server",
        "-t",
        "127.0.0.1:%d" % TARGET,
        "-l",
        "127.0.0.1:%d" % far,
        *common(crypt, theirs)
    )
    host = Host(
        "-L",
        "tcp://127.0.0.1:%d" % front,
        "-F",
        "forward+kcp://127.0.0.1:%d?%s" % (far, options(crypt, ours)),
        ports=(front,),
    )
    tap.case("we to kcptun-server, %s %s" % (crypt, " ".join(theirs)), through, front)
    peer.stop()
    ended_cleanly(tap, "we end cleanly as a client, %s" % crypt, host)


def main():
    if not need(tap, "kcptun-client", "kcptun") or not need(tap, "kcptun-server", "kcptun server"):
        tap.done()
    for case in CASES:
        section(tap, "to us, " + case[0], theirs_dials, *case)
        section(tap, "to them, " + case[0], ours_dials, *case)
    tap.done()


main()
