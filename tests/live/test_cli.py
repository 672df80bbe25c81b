#!/usr/bin/env python3
# test_cli.py - what a person at the command line sees: errors, --check, --list, --explain.
# SPDX-License-Identifier: MIT
# timeout: 120
import json
import os
import socket
import subprocess

from harness import HOST, WORK, Host, Tap, free_port, run

tap = Tap()


def call(*args, **kw):
    r = run([HOST] + list(args), timeout=30, **kw)
    return r.returncode, r.stdout.decode(errors="replace"), r.stderr.decode(errors="replace")


code, out, err = call("-V")
tap.ok(code == 0 and out.startswith("gost-host "), "-V", out + err)
code, out, err = call("--list")
tap.ok(
    code == 0 and "socks5" in out and ".so" in out, "--list says where components live", out + err
)
code, out, err = call("--describe", "socks5")
tap.ok(code == 0 and "readTimeout" in out and "15s" in out, "--describe socks5", out + err)
code, out, err = call("--describe", "socks5", "--json")
try:
    tap.ok(code == 0 and json.loads(out) is not None, "--describe --json is JSON")
except ValueError as e:
    tap.ok(False, "--describe --json is JSON", str(e) + out)
code, out, err = call("-L", "socks5://:1080?udp=true", "-O", "yaml")
tap.ok(code == 0 and "type: socks5" in out, "-O yaml", out + err)
code, out, err = call("-x")
tap.ok(code == 2, "an unknown flag exits with 2", out + err)
code, out, err = call("-L", "nosuch://127.0.0.1:%d" % free_port())
tap.ok(code == 1 and "nosuch" in err, "an unknown scheme is named", out + err)
code, out, err = call("--strict", "-L", "socks5://127.0.0.1:%d?udpp=true" % free_port())
tap.ok(
    code == 1 and "udpp" in err and "udp" in err,
    "--strict: an unknown key is an error with a suggestion",
    out + err,
)
code, out, err = call("--check", "-L", "socks5://127.0.0.1:1080?readTimeout=soon")
tap.ok(
    code == 1 and "readTimeout" in err and "soon" in err,
    "a bad value is named with its key",
    out + err,
)
code, out, err = call("--check", "-L", "socks5://127.0.0.1:1080")
tap.ok(code == 0, "--check of a good configuration", out + err)
path = os.path.join(WORK, "bad.yml")
with open(path, "w") as f:
    f.write(
        "services:\n- name: a\n  addr: 127.0.0.1:1080\n  handler:\n    type: socks5\n"
        "    chain: nowhere\n  listener:\n    type: tcp\n"
    )
code, out, err = call("--check", "-C", path)
tap.ok(
    code == 1 and "nowhere" in err and "bad.yml:6" in err,
    "an unknown chain is named with file and line",
    out + err,
)
busy = socket.socket()
busy.bind(("127.0.0.1", 0))
busy.listen(1)
code, out, err = call("-L", "socks5://127.0.0.1:%d" % busy.getsockname()[1])
tap.ok(
    code == 1 and "in use" in err and str(busy.getsockname()[1]) in err,
    "an address in use",
    out + err,
)
code, out, err = call(
    "--explain", "example.org:443", "-L", "socks5://127.0.0.1:1080", "-F", "http://192.0.2.1:8080"
)
tap.ok(code == 0 and "192.0.2.1:8080" in out, "--explain names the route", out + err)
a, b = free_port(), free_port()
h = Host("-L", "socks5://127.0.0.1:%d" % a, "--", "-L", "http://127.0.0.1:%d" % b, ports=[a, b])
tap.ok(h.stop() == 0, "two groups split by -- both serve and end together", h.text())
env = dict(os.environ, GOST_PLUGIN_DIR=WORK)
r = subprocess.run(
    [HOST, "-L", "socks5://127.0.0.1:%d" % free_port()],
    capture_output=True,
    timeout=30,
    env=env,
    stdin=subprocess.DEVNULL,
)
tap.ok(
    r.returncode == 1 and b"socks5" in r.stderr and WORK.encode() in r.stderr,
    "a missing plugin is named with the folders searched",
    r.stderr.decode(),
)
with open(os.path.join(WORK, "junk.so"), "wb") as f:
    f.write(b"\x7fELF" + os.urandom(500))
p = free_port()
h = Host(
    "--plugin-dir",
    WORK,
    "--plugin-dir",
    os.environ.get("GOST_PLUGIN_DIR", ""),
    "-L",
    "socks5://127.0.0.1:%d" % p,
    ports=[p],
)
tap.ok("junk.so" in h.text(), "a file that is no plugin is named and skipped", h.text())
tap.ok(h.stop() == 0, "and the host serves and ends cleanly")
for name, text, want in (
    (
        "tls",
        "tls: {certFile: /nonexistent.pem, keyFile: /nonexistent.key}\nservices:\n"
        "- {name: a, addr: ':0', handler: {type: socks5}, listener: {type: tls}}\n",
        "/nonexistent.pem",
    ),
):
    path = os.path.join(WORK, name + ".yml")
    with open(path, "w") as f:
        f.write(text)
    code, out, err = call("--check", "-C", path)
    tap.ok(code == 1 and want in err, "the section %s of the top level is read" % name, out + err)
port = free_port()
path = os.path.join(WORK, "rotation.yml")
with open(path, "w") as f:
    f.write("log: {rotation: {maxSize: 1}}\n")
h = Host("-C", path, "-L", "socks5://127.0.0.1:%d" % port, ports=[port])
tap.ok(
    "log.rotation" in h.text() and "SIGHUP" in h.text(), "log.rotation is warned about", h.text()
)
h.stop()
for dialer, query, told in (
    ("tls", "", 1),
    ("mwss", "", 1),
    ("quic", "", 1),
    ("dtls", "", 1),
    ("tls", "?secure=true", 0),
    ("quic", "?secure=true", 0),
    ("tcp", "", 0),
):
    node = "relay+%s://127.0.0.1:1%s" % (dialer, query)
    code, out, err = call("--check", "-L", "socks5://127.0.0.1:0", "-F", node)
    name = "a certificate that nobody verifies is told once: " if told else "nothing is told of: "
    good = code == 0 and (out + err).count("is not verified") == told
    good = good and (not told or "-F #1: node hop-0/node-0, dialer " + dialer in out + err)
    tap.ok(good, name + node, out + err)


def ends_at_once():
    port = free_port()
    return Host("-L", "socks5://127.0.0.1:%d" % port, ports=[port]).stop()


ends = [ends_at_once() for _ in range(30)]
tap.ok(not any(ends), "who sees the host listen may end it: that is no crash", ends)
tap.done()
