#!/usr/bin/env python3
# test_socks_servers.py - dante and microsocks as upstreams of ours, dante as client of ours.
# SPDX-License-Identifier: MIT
# timeout: 120
import os
import shutil

from peers import (
    ANSWER,
    Daemon,
    counted,
    datagrams,
    ended_cleanly,
    half_close,
    open_work,
    refusal,
    round_trip,
    section,
    until,
    write,
)
from harness import Host, Tap, answer_after_end, connect_via, free_port, need, run, serve, udp_echo

tap = Tap()
COUNTED = serve(counted)
END = serve(answer_after_end(ANSWER))
ECHO = udp_echo()
USER, PASSWORD = "gosttest", "s3cret, with blanks"
open_work()


def dante_conf(port, method="none", route=""):
    users = "user.privileged: root\nuser.unprivileged: nobody\n" if os.geteuid() == 0 else ""
    return write(
        "danted-%d.conf" % port,
        """logoutput: stderr
internal: 127.0.0.1 port = %d
external: lo
clientmethod: none
socksmethod: %s
%sclient pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 protocol: tcp udp
    command: bind bindreply connect udpassociate udpreply
    log: error }
%s""" % (port, method, users, route),
    )


def through(upstream, name, half):
    """A host with these -F: TCP by address and by name, from SOCKS5 and HTTP clients.

    A relay answers with the target's first bytes, so only the others can refuse.
    """
    entry, web = free_port(), free_port()
    h = Host(
        "-L",
        "socks5://127.0.0.1:%d?udp=true" % entry,
        "-L",
        "http://127.0.0.1:%d" % web,
        *[a for u in upstream for a in ("-F", u)],
        ports=[entry, web]
    )
    for host in ("127.0.0.1", "localhost"):
        tap.case(
            "socks5 > %s to %s" % (name, host),
            lambda: round_trip(connect_via("socks5", entry, host, COUNTED)),
        )
    tap.case("http > " + name, lambda: round_trip(connect_via("http", web, "127.0.0.1", COUNTED)))
    if half:
        tap.case(
            "half-close through " + name,
            lambda: half_close(connect_via("socks5", entry, "127.0.0.1", END)),
        )
    if not upstream[-1].startswith("relay"):
        tap.case(
            "a closed port through " + name + " is refused",
            lambda: refusal(entry, "127.0.0.1", free_port()) != 0,
        )
    return h, entry


def wrong_password(upstream, name):
    entry = free_port()
    h = Host("-L", "socks5://127.0.0.1:%d" % entry, "-F", upstream, ports=[entry])
    tap.case(
        "a wrong password at %s is refused" % name,
        lambda: refusal(entry, "127.0.0.1", COUNTED) != 0,
    )
    ended_cleanly(tap, "wrong password at " + name, h)


def microsocks():
    program = need(tap, "microsocks", "microsocks as upstream")
    if not program:
        return
    port, locked = free_port(), free_port()
    free = Daemon(program, "-i", "127.0.0.1", "-p", port, ports=[port])
    shut = Daemon(
        program, "-i", "127.0.0.1", "-p", locked, "-u", USER, "-P", PASSWORD, ports=[locked]
    )
    h, _ = through(["socks5://127.0.0.1:%d" % port], "microsocks", False)
    ended_cleanly(tap, "microsocks", h)
    quoted = PASSWORD.replace(" ", "%20").replace(",", "%2C")
    h, _ = through(
        ["socks5://%s:%s@127.0.0.1:%d" % (USER, quoted, locked)],
        "microsocks with a password",
        False,
    )
    ended_cleanly(tap, "microsocks with a password", h)
    h, _ = through(
        ["socks5://127.0.0.1:%d" % port, "socks5://%s:%s@127.0.0.1:%d" % (USER, quoted, locked)],
        "microsocks > microsocks",
        False,
    )
    ended_cleanly(tap, "microsocks > microsocks", h)
    wrong_password("socks5://%s:wrong@127.0.0.1:%d" % (USER, locked), "microsocks")
    wrong_password("socks5://127.0.0.1:%d" % locked, "microsocks without one")
    free.stop()
    shut.stop()


def dante_upstream(program):
    port = free_port()
    dante = Daemon(program, "-f", dante_conf(port), ports=[port])
    h, entry = through(["socks5://127.0.0.1:%d?relay=udp" % port], "dante as socks5", True)
    tap.case("UDP ASSOCIATE > dante", lambda: datagrams(entry, ECHO))
    tap.case("UDP ASSOCIATE > dante to a name", lambda: datagrams(entry, ECHO, host="localhost"))
    ended_cleanly(tap, "dante as socks5", h)
    # dante knows no names in SOCKS4, so we resolve them
    h, _ = through(["socks4://127.0.0.1:%d?disable4a=true" % port], "dante as socks4", True)
    ended_cleanly(tap, "dante as socks4", h)
    relay = free_port()
    inner = Host("-L", "relay+tls://127.0.0.1:%d" % relay, ports=[relay])
    h, _ = through(
        ["socks5://127.0.0.1:%d" % port, "relay+tls://127.0.0.1:%d" % relay],
        "dante > relay+tls",
        True,
    )
    ended_cleanly(tap, "dante > relay+tls", h, inner)
    dante.stop()


def dante_password(program):
    """dante knows the users of the system only: it gets its own /etc/passwd in a namespace."""
    name = "dante with a password"
    unshare = shutil.which("unshare")
    flags = ["-m"] if os.geteuid() == 0 else ["-rm"]
    if not unshare or run([unshare] + flags + ["true"]).returncode:
        tap.skip(name, "no mount namespaces here")
        return
    crypted = run(["openssl", "passwd", "-6", PASSWORD]).stdout.decode().strip()
    with open("/etc/passwd") as source:
        passwd = write("passwd", source.read() + "%s:x:4242:4242::/:/bin/false\n" % USER)
    shadow = write(
        "shadow", "root:*:1::::::\nnobody:*:1::::::\n%s:%s:19000::::::\n" % (USER, crypted)
    )
    port = free_port()
    script = "mount --bind %s /etc/passwd && mount --bind %s /etc/shadow && exec %s -f %s" % (
        passwd,
        shadow,
        program,
        dante_conf(port, "username"),
    )
    dante = Daemon(unshare, *flags, "sh", "-c", script, ports=[port])
    quoted = PASSWORD.replace(" ", "%20").replace(",", "%2C")
    h, _ = through(["socks5://%s:%s@127.0.0.1:%d" % (USER, quoted, port)], name, True)
    ended_cleanly(tap, name, h)
    wrong_password("socks5://%s:wrong@127.0.0.1:%d" % (USER, port), "dante")
    dante.stop()


def dante_client(program):
    """dante forwards to an upstream of ours, in the three protocols it knows."""
    for scheme, protocol in (
        ("socks5", "socks_v5"),
        ("socks4", "socks_v4"),
        ("http", "http_v1.0"),
        ("auto", "socks_v5"),
    ):
        port, ours = free_port(), free_port()
        h = Host("-L", "%s://127.0.0.1:%d" % (scheme, ours), ports=[ours])
        route = """route { from: 0.0.0.0/0 to: 0.0.0.0/0 via: 127.0.0.1 port = %d
    proxyprotocol: %s
    command: connect
    protocol: tcp
    method: none
}
""" % (ours, protocol)
        dante = Daemon(program, "-f", dante_conf(port, route=route), ports=[port])
        name = "dante as client of " + scheme
        tap.case(name, lambda: round_trip(connect_via("socks5", port, "127.0.0.1", COUNTED)))
        tap.case(
            "half-close, " + name, lambda: half_close(connect_via("socks5", port, "127.0.0.1", END))
        )
        tap.ok(
            until(lambda: "127.0.0.1:%d" % COUNTED in h.text()),
            name + " went through ours",
            h.text(),
        )
        dante.stop()
        ended_cleanly(tap, name, h)


section(tap, "microsocks", microsocks)
DANTE = need(tap, "danted", "dante")
if DANTE:
    section(tap, "dante_upstream", dante_upstream, DANTE)
    section(tap, "dante_password", dante_password, DANTE)
    section(tap, "dante_client", dante_client, DANTE)
tap.done()
