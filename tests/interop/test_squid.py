#!/usr/bin/env python3
# test_squid.py - squid as upstream of ours, and with us as its parent.
# SPDX-License-Identifier: MIT
# timeout: 120
import hashlib
import os

from peers import (
    Daemon,
    counted,
    curl,
    ended_cleanly,
    open_work,
    refusal,
    round_trip,
    section,
    until,
    write,
)
from harness import WORK, Host, Tap, connect_via, free_port, http_target, need, pattern, run, serve

tap = Tap()
COUNTED = serve(counted)
BODY = pattern(300000)
DATA = pattern(150000, 9)
DIGEST = hashlib.sha256(DATA).hexdigest().encode()
WEB = http_target(BODY)
USER, PASSWORD = "gosttest", "s3cret:word"
HELPERS = ("/usr/lib/squid/basic_ncsa_auth", "/usr/lib64/squid/basic_ncsa_auth")


def squid(program, name, rules):
    """squid in the foreground, without a cache; (daemon, port)."""
    port = free_port()
    conf = write(
        name + ".conf",
        """http_port 127.0.0.1:%d
pid_filename none
access_log none
cache_log /dev/null
coredump_dir %s
cache deny all
cache_mem 1 MB
visible_hostname squid.example
shutdown_lifetime 0 seconds
%s
""" % (port, WORK, rules),
    )
    return Daemon(program, "-N", "-d", "1", "-n", name, "-f", conf, ports=[port]), port


def upstream(program):
    free, port = squid(program, "squidfree", "http_access allow all")
    entry, web = free_port(), free_port()
    h = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-L",
        "http://127.0.0.1:%d" % web,
        "-F",
        "http://127.0.0.1:%d" % port,
        ports=[entry, web],
    )
    for kind, at in (("socks5", entry), ("http", web)):
        for host in ("127.0.0.1", "localhost"):
            tap.case(
                "%s > squid to %s" % (kind, host),
                lambda: round_trip(connect_via(kind, at, host, COUNTED)),
            )
    tap.case(
        "curl GET, http > squid",
        lambda: curl("-x", "http://127.0.0.1:%d" % web, "http://127.0.0.1:%d/" % WEB) == BODY,
    )
    tap.case(
        "curl POST, http > squid",
        lambda: curl(
            "-x",
            "http://127.0.0.1:%d" % web,
            "--data-binary",
            "@-",
            "http://127.0.0.1:%d/" % WEB,
            data=DATA,
        )
        == DIGEST,
    )
    tap.case(
        "a closed port through squid is refused",
        lambda: refusal(entry, "127.0.0.1", free_port()) != 0,
    )
    ended_cleanly(tap, "squid as upstream", h)
    free.stop()


def upstream_password(program):
    helper = [path for path in HELPERS if os.path.exists(path)]
    if not helper:
        tap.skip("squid with a password", "squid has no basic_ncsa_auth here")
        return
    crypted = run(["openssl", "passwd", "-apr1", PASSWORD]).stdout.decode().strip()
    users = write("squid.users", "%s:%s\n" % (USER, crypted))
    shut, port = squid(
        program,
        "squidauth",
        """auth_param basic program %s %s
auth_param basic children 1
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all""" % (helper[0], users),
    )
    entry, wrong, none = free_port(), free_port(), free_port()
    hosts = [
        Host(
            "-L",
            "socks5://127.0.0.1:%d" % at,
            "-F",
            "http://%s127.0.0.1:%d" % (credentials, port),
            ports=[at],
        )
        for at, credentials in (
            (entry, "%s:%s@" % (USER, PASSWORD.replace(":", "%3A"))),
            (wrong, USER + ":wrong@"),
            (none, ""),
        )
    ]
    tap.case(
        "socks5 > squid with a password",
        lambda: round_trip(connect_via("socks5", entry, "127.0.0.1", COUNTED)),
    )
    tap.case(
        "a wrong password at squid is refused", lambda: refusal(wrong, "127.0.0.1", COUNTED) != 0
    )
    tap.case("no password at squid is refused", lambda: refusal(none, "127.0.0.1", COUNTED) != 0)
    ended_cleanly(tap, "squid with a password", *hosts)
    shut.stop()


def parent(program, name, service, peer):
    """curl > squid > ours > target; peer: options of squid's cache_peer."""
    ours = free_port()
    h = Host("-L", service % ours, ports=[ours])
    child, port = squid(
        program,
        "squidchild" + name,
        """http_access allow all
never_direct allow all
server_persistent_connections on
cache_peer 127.0.0.1 parent %d 0 no-query no-digest default %s""" % (ours, peer),
    )
    proxy = ["-x", "http://127.0.0.1:%d" % port]
    url = "http://127.0.0.1:%d/" % WEB
    note = ", squid > ours as parent" + (" with " + name if name else "")

    def check(title, want, *args, data=None):
        def fn():
            got = curl(*proxy, *args, data=data)
            return got == want or "got %d bytes %r..." % (len(got), got[:200])

        tap.case(title + note, fn)

    check("GET", BODY, url)
    check("six GETs on one connection", BODY * 6, *[url] * 6)
    check("POST", DIGEST, "--data-binary", "@-", url, data=DATA)
    check("POST in chunks", DIGEST, "-X", "POST", "-T", "-", url, data=DATA)
    check(
        "POST with Expect",
        DIGEST,
        "-H",
        "Expect: 100-continue",
        "--data-binary",
        "@-",
        url,
        data=DATA,
    )
    check("GET by CONNECT", BODY, "-p", url)
    tap.case("CONNECT" + note, lambda: round_trip(connect_via("http", port, "127.0.0.1", COUNTED)))
    tap.ok(until(lambda: "127.0.0.1:%d" % WEB in h.text()), "it went through ours" + note, h.text())
    child.stop()
    ended_cleanly(tap, "ours as parent " + name, h)


PROGRAM = need(tap, "squid", "squid")
if PROGRAM:
    open_work()
    section(tap, "squid as upstream", upstream, PROGRAM)
    section(tap, "squid with a password", upstream_password, PROGRAM)
    section(tap, "ours as parent", parent, PROGRAM, "", "http://127.0.0.1:%d", "")
    section(
        tap,
        "ours as parent with keepalive",
        parent,
        PROGRAM,
        "keepalive",
        "http://127.0.0.1:%d?keepalive=true",
        "",
    )
    section(
        tap,
        "ours as parent with password",
        parent,
        PROGRAM,
        "password",
        "http://user:pass@127.0.0.1:%d",
        "login=user:pass",
    )
tap.done()
