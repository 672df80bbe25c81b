#!/usr/bin/env python3
# test_template.py - the plugin templates, built against an installed SDK, in a service.
# SPDX-License-Identifier: MIT
# timeout: 600
import os
import re
import shutil
import socket
import subprocess

from harness import WORK, Host, Tap, echo, free_port, recv_exact, serve

tap = Tap()
SRC = os.environ.get("TOP_SRCDIR", os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.environ.get("TOP_BUILDDIR", ".")
ECHO = serve(echo)
dest = os.path.join(WORK, "root")


if os.environ.get("GOST_SANITIZERS"):
    tap.skip("the templates", "a sanitized helper library links into sanitized programs only")
    tap.done()

env = {
    k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR")
}
r = subprocess.run(
    ["make", "-s", "install", "DESTDIR=" + dest],
    cwd=BUILD,
    capture_output=True,
    env=env,
    timeout=300,
)
if not tap.ok(r.returncode == 0, "make install", r.stderr.decode()):
    tap.done()
pc = [d for d, _, f in os.walk(dest) if "gost-host-sdk.pc" in f]
if not tap.ok(bool(pc), "the SDK's pkg-config file is installed"):
    tap.done()
env.update(PKG_CONFIG_PATH=pc[0], PKG_CONFIG_SYSROOT_DIR=dest)


def copy(name):
    to = os.path.join(WORK, "my-" + name)
    shutil.copytree(os.path.join(SRC, "contrib/plugin-template", name), to)
    subprocess.run(["chmod", "-R", "u+w", to])
    return to


def build(folder):
    e = dict(env, CFLAGS="-g -O1", CXXFLAGS="-g -O1")
    return subprocess.run(["make"], cwd=folder, capture_output=True, env=e, timeout=300)


def talk(folder, scheme, auth, line):
    p = free_port()
    h = Host(
        "--plugin-dir",
        folder,
        "--plugin-dir",
        os.environ.get("GOST_PLUGIN_DIR", ""),
        "-L",
        "%s://%s127.0.0.1:%d" % (scheme, auth, p),
        ports=[p],
    )
    try:
        s = socket.create_connection(("127.0.0.1", p), 10)
        s.sendall(line)
        got = recv_exact(s, 3)
        if got == b"OK\n":
            s.sendall(b"through")
            got += recv_exact(s, 7)
        return got
    except RuntimeError as e:
        return str(e).encode()
    finally:
        status = h.stop()
        if status != 0:
            print("# ended with %s: %s" % (status, h.text()[-2000:]))


hello = b"HELLO u p 127.0.0.1:%d\n" % ECHO
for name, scheme in (("c", "hello"), ("cpp", "hellocc"), ("rust", "hellors")):
    if name == "rust" and not shutil.which("cargo"):
        tap.skip("the rust template", "cargo is not installed")
        continue
    folder = copy(name)
    r = build(folder)
    if not tap.ok(
        r.returncode == 0,
        "the %s template builds out of tree" % name,
        r.stdout.decode() + r.stderr.decode(),
    ):
        continue
    tap.ok(talk(folder, scheme, "", hello) == b"OK\nthrough", "%s: a client gets through" % name)
    tap.ok(talk(folder, scheme, "u:p@", hello) == b"OK\nthrough", "%s: the right password" % name)
    tap.ok(talk(folder, scheme, "u:q@", hello) == b"NO\n", "%s: the wrong password" % name)
    tap.ok(
        talk(folder, scheme, "", b"HELLO nonsense\n") not in (b"OK\nthrough", b"NO\n"),
        "%s: a bad request" % name,
    )

# a mutated template must fail its own test
folder = os.path.join(WORK, "my-mutated")
shutil.copytree(os.path.join(SRC, "contrib/plugin-template/c"), folder)
subprocess.run(["chmod", "-R", "u+w", folder])
with open(os.path.join(folder, "hello.c")) as f:
    text = f.read()
mutated = re.sub(r"gost_consume\(io, \(size_t\)n\)", "(void)io", text)
with open(os.path.join(folder, "hello.c"), "w") as f:
    f.write(mutated)
r = build(folder)
tap.ok(
    mutated != text and r.returncode == 0 and talk(folder, "hello", "", hello) != b"OK\nthrough",
    "a template that forgets to consume its request fails",
)
tap.done()
