#!/usr/bin/env python3
# test_reload.py - SIGHUP under load: nothing is dropped, a bad file changes nothing.
# SPDX-License-Identifier: MIT
# timeout: 600
import os
import resource
import signal
import subprocess
import threading
import time

from harness import (
    PATIENCE,
    WORK,
    Host,
    Tap,
    connect_via,
    echo,
    free_port,
    need,
    pattern,
    recv_exact,
    serve,
    until,
)

tap = Tap()
resource.setrlimit(
    resource.RLIMIT_NOFILE, (min(20000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2
)
RELOADS = int(os.environ.get("GOST_TEST_RELOADS", 100))
BUSY = int(os.environ.get("GOST_TEST_BUSY", 200))
IDLE = int(os.environ.get("GOST_TEST_IDLE", 5000))
ECHO = serve(echo)
port, other, hop = free_port(), free_port(), free_port()
path = os.path.join(WORK, "gost.yml")


def write(text):
    with open(path + ".new", "w") as f:
        f.write(text)
    os.rename(path + ".new", path)


def config(i):
    """The changed service alternates its handler and its chain; the other never changes."""
    handler = "auto" if i % 2 else "socks5"
    chain = "      chain: up\n" if i % 3 == 0 else ""
    return """services:
  - name: changed
    addr: 127.0.0.1:%d
    handler:
      type: %s
%s    listener:
      type: tcp
  - name: same
    addr: 127.0.0.1:%d
    handler:
      type: socks5
    listener:
      type: tcp
chains:
  - name: up
    hops:
      - name: hop-0
        nodes:
          - name: node-0
            addr: 127.0.0.1:%d
            connector:
              type: socks5
            dialer:
              type: tcp
""" % (port, handler, chain, other, hop)


write(config(0))
up = Host("-L", "socks5://127.0.0.1:%d" % hop, ports=[hop], workers=1)
h = Host("-C", path, ports=[port, other], workers=2)
idle, errors, stop = [], [], threading.Event()
try:
    for i in range(IDLE):
        idle.append(connect_via("socks5", port if i % 2 else other, "127.0.0.1", ECHO))
except Exception as e:
    errors.append("idle flow %d: %r" % (len(idle), e))
tap.ok(len(idle) == IDLE, "%d idle flows are open" % IDLE, errors)


def busy(k):
    try:
        s = connect_via("socks5", port if k % 2 else other, "127.0.0.1", ECHO)
        n = 0
        while not stop.is_set():
            data = pattern(2000, k * 131 + n % 17)
            s.sendall(data)
            if recv_exact(s, len(data)) != data:
                raise RuntimeError("bytes differ")
            n += 1
            time.sleep(0.05)
        s.close()
    except Exception as e:
        errors.append("busy flow %d: %r" % (k, e))


made = [0]


def newcomers():
    while not stop.is_set():
        try:
            s = connect_via("socks5", port if made[0] % 2 else other, "127.0.0.1", ECHO)
            s.sendall(b"new")
            if recv_exact(s, 3) != b"new":
                raise RuntimeError("bytes differ")
            s.close()
            made[0] += 1
        except Exception as e:
            errors.append("new connection %d: %r" % (made[0], e))
            return


threads = [threading.Thread(target=busy, args=(k,)) for k in range(BUSY)] + [
    threading.Thread(target=newcomers)
]
for t in threads:
    t.start()
for i in range(1, RELOADS + 1):
    write(config(i))
    h.proc.send_signal(signal.SIGHUP)
    time.sleep(0.1)
time.sleep(0.5)
stop.set()
for t in threads:
    t.join(60)
tap.ok(
    not errors,
    "%d reloads: no flow and no new connection noticed" % RELOADS,
    "\n".join(errors[:10]),
)
tap.ok(made[0] > 0, "new connections kept coming (%d)" % made[0])
bad = 0
for i, s in enumerate(idle):
    try:
        s.sendall(b"still")
        bad += recv_exact(s, 5) != b"still"
    except Exception:
        bad += 1
tap.ok(bad == 0, "the idle flows are all alive", "%d are not" % bad)
before = h.text()
write("services:\n  - name: [broken\n")
h.proc.send_signal(signal.SIGHUP)
told = until(lambda: "gost.yml:" in h.text()[len(before) :])
s = connect_via("socks5", other, "127.0.0.1", ECHO)
s.sendall(b"ok")
tap.ok(recv_exact(s, 2) == b"ok", "a bad file changes nothing")
tap.ok(
    told,
    "and the log says where it is wrong",
    h.text()[len(before) :],
)
for s in idle:
    s.close()
tap.ok(h.stop() == 0, "the host ends cleanly", h.text()[-2000:])
up.stop()

# ---- a certificate that changes on disk -----------------------------------------------------
openssl = need(tap, "openssl", "certificate reload")
if openssl:

    def cert(name):
        subprocess.run(
            [
                openssl,
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-keyout",
                WORK + "/new-key.pem",
                "-out",
                WORK + "/new-cert.pem",
                "-days",
                "2",
                "-subj",
                "/CN=" + name,
            ],
            check=True,
            capture_output=True,
        )
        os.rename(WORK + "/new-key.pem", WORK + "/key.pem")
        os.rename(WORK + "/new-cert.pem", WORK + "/cert.pem")

    def shown(p):
        r = subprocess.run(
            [openssl, "s_client", "-connect", "127.0.0.1:%d" % p, "-servername", "x"],
            input=b"",
            capture_output=True,
            timeout=PATIENCE,
        )
        for line in r.stdout.decode(errors="replace").splitlines():
            if line.startswith("subject="):
                return line.replace(" ", "")
        return r.stderr.decode(errors="replace")

    cert("first.example")
    p = free_port()
    k = Host(
        "-L",
        "socks5+tls://127.0.0.1:%d?cert=%s/cert.pem&key=%s/key.pem" % (p, WORK, WORK),
        ports=[p],
    )
    tap.ok("first.example" in shown(p), "the certificate is shown", k.text())
    cert("second.example")
    k.proc.send_signal(signal.SIGHUP)
    taken = until(lambda: "second.example" in shown(p))
    tap.ok(taken, "a new certificate is taken at SIGHUP", shown(p) + k.text())
    k.stop()
tap.done()
