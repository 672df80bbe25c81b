#!/usr/bin/env python3
# test_ssh.py - SSH: a private sshd and the ssh client at the other end, and between two hosts.
# SPDX-License-Identifier: MIT
# timeout: 600
import getpass
import hashlib
import os
import re
import shutil
import socket
import subprocess
import time

from harness import (
    PATIENCE,
    WORK,
    KEPT_KIB,
    Host,
    Tap,
    _procs,
    answer_after_end,
    connect_via,
    echo,
    free_port,
    listening,
    need,
    pattern,
    serve,
    until,
    wait_port,
)
from streams import ANSWER, at_once, half_close, hashed, socks

tap = Tap()
END = serve(answer_after_end(ANSWER))
ECHO = serve(echo)
PASSWORD = "sekret-3"
SECRET = "pass phrase"


def path(name):
    return os.path.join(WORK, name)


def keygen(name, kind, *args, secret=""):
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", secret, "-f", path(name), *args], check=True
    )
    return path(name)


# ---- what is asked of every way ----------------------------------------------------------------


def all_of(name, connect, big=0):
    for size in (1, 65536, 4 << 20):
        tap.case("%d bytes and half-close, %s" % (size, name), half_close, connect, END, size)
    tap.case("20 at once, " + name, at_once, 20, lambda i: half_close(connect, END, 30000 + i))
    if big:
        tap.case("%d MB there and back, %s" % (big, name), hashed, connect, ECHO, big << 20)


def direct(port):
    """A forwarded port: whatever is asked for, it leads to one target."""
    return lambda _: socket.create_connection(("127.0.0.1", port), PATIENCE)


def refused(entry):
    """The connection through the chain must fail."""
    try:
        connect_via("socks5", entry, "127.0.0.1", END).close()
    except RuntimeError:
        return True
    return "it was let in"


# ---- OpenSSH's server --------------------------------------------------------------------------


class Sshd:
    """A private sshd. As root it gets a /run and an /etc/shadow of its own in a mount namespace,
    so that it takes our password; else it takes keys only."""

    def __init__(self, program, keys):
        self.port = free_port()
        self.user = getpass.getuser()
        self.password = os.getuid() == 0
        with open(path("sshd_config"), "w") as f:
            f.write(
                "Port %d\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\n"
                "StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\n"
                "PasswordAuthentication yes\nMaxStartups 100\nMaxSessions 100\nLogLevel VERBOSE\n"
                % (self.port, path("host"), keys)
            )
        argv = [program, "-D", "-e", "-f", path("sshd_config")]
        if self.password:
            self.shadow()
            inner = "mount -t tmpfs none /run && mkdir /run/sshd && mount --bind %s /etc/shadow" % (
                path("shadow")
            )
            argv = ["unshare", "-m", "sh", "-c", inner + ' && exec "$@"', "sh"] + argv
        self.log = open(path("sshd.log"), "w")
        self.proc = subprocess.Popen(
            argv, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL
        )
        _procs.append(self.proc)
        wait_port(self.port, self.proc)

    def shadow(self):
        hashed_pw = subprocess.run(
            ["openssl", "passwd", "-6", PASSWORD], check=True, capture_output=True, text=True
        ).stdout.strip()
        with open("/etc/shadow") as f:
            lines = f.read().splitlines()
        with open(path("shadow"), "w") as f:
            for line in lines:
                parts = line.split(":")
                if parts[0] == self.user:
                    parts[1] = hashed_pw
                f.write(":".join(parts) + "\n")
        os.chmod(path("shadow"), 0o600)

    def text(self):
        with open(path("sshd.log"), errors="replace") as f:
            return f.read()


def through_sshd(sshd):
    def before(login, query, workers=1):
        entry = free_port()
        node = "sshd://%s@127.0.0.1:%d%s" % (login, sshd.port, query)
        return entry, Host(
            "-L", "socks5://127.0.0.1:%d" % entry, "-F", node, ports=[entry], workers=workers
        )

    entry, host = before(sshd.user, "?privateKeyFile=" + path("ed25519"), 2)
    all_of("sshd with a key", socks(entry), 50)
    tap.case("a closed port is refused", lambda: refused_port(entry))
    tap.ended("all ended cleanly: sshd with a key", host)
    for name in ("rsa", "ecdsa"):
        query = "?privateKeyFile=%s&passphrase=%s" % (path(name), SECRET.replace(" ", "%20"))
        entry, host = before(sshd.user, query)
        tap.case(
            "an encrypted key, %s" % name,
            lambda: half_close(socks(entry), END, 1000) or sshd.text(),
        )
        tap.ended("all ended cleanly: " + name, host)
    entry, host = before(sshd.user, "?privateKeyFile=" + path("stranger"))
    tap.case("a key that is not authorized", refused, entry)
    tap.ok(host.says("let the user in"), "and the log says so", host.text())
    tap.ended("all ended cleanly: another key", host)
    entry, host = before(
        sshd.user,
        "?privateKeyFile=%s&ssh.hostKey=SHA256:AAAA" % path("ed25519"),
    )
    tap.case("a server with another host key than ssh.hostKey", refused, entry)
    tap.ended("all ended cleanly: ssh.hostKey", host)
    reused(sshd)
    if not sshd.password:
        tap.skip("the password of the system", "only root can give one to a private sshd")
        return
    entry, host = before("%s:%s" % (sshd.user, PASSWORD), "?keepalive=true")
    all_of("sshd with a password", socks(entry))
    tap.ok(PASSWORD not in host.text(), "the password is not in the log")
    tap.ended("all ended cleanly: password", host)
    entry, host = before("%s:%s" % (sshd.user, "wrong"), "")
    tap.case("a wrong password", refused, entry)
    tap.ended("all ended cleanly: a wrong password", host)


def reused(sshd):
    """A session that was silent is asked, answers in its way, and is used again."""
    entry = free_port()
    node = "sshd://%s@127.0.0.1:%d?privateKeyFile=%s" % (sshd.user, sshd.port, path("ed25519"))
    node += "&carrier.checkAfter=10ms&keepalive=true&ttl=50ms"
    host = Host("-L", "socks5://127.0.0.1:%d" % entry, "-F", node, ports=[entry], workers=1)
    before = sshd.text().count("Accepted publickey")
    for i in range(4):
        tap.case("connection %d of a session" % (i + 1), half_close, socks(entry), END, 1000)
        time.sleep(0.2)
    tap.ok(sshd.text().count("Accepted publickey") == before + 1, "all of them in one", sshd.text())
    tap.ended("all ended cleanly: one session", host)


def refused_port(entry):
    return refused_at(entry, free_port())


def refused_at(entry, port):
    try:
        connect_via("socks5", entry, "127.0.0.1", port).close()
    except RuntimeError:
        return True
    return "something answered"


# ---- OpenSSH's client --------------------------------------------------------------------------


class Client:
    """ssh with these options to our listener; ports: what to wait for."""

    def __init__(self, port, *args, key="ed25519", ports=()):
        self.log = open(path("ssh-%d.log" % free_port()), "w+")
        self.proc = subprocess.Popen(
            ssh(port, key) + ["-N", *args, "u@127.0.0.1"],
            stdout=self.log,
            stderr=self.log,
            stdin=subprocess.DEVNULL,
        )
        _procs.append(self.proc)
        try:
            for p in ports:
                wait_port(p, self.proc)
        except RuntimeError as e:
            raise RuntimeError("%s\n%s" % (e, self.text()))

    def text(self):
        with open(self.log.name, errors="replace") as f:
            return f.read()

    def stop(self):
        self.proc.terminate()
        self.proc.wait(PATIENCE)


def ssh(port, key="ed25519"):
    words = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes"]
    words += ["IdentitiesOnly=yes", "ExitOnForwardFailure=yes", "LogLevel=INFO"]
    argv = ["ssh", "-F", "none", "-p", str(port), "-i", path(key)]
    for w in words:
        argv += ["-o", w]
    return argv


def netcat(port):
    """ssh -W: what stdin gives goes to the target, its answer to stdout."""
    data = pattern(300000, 5)
    got = subprocess.run(
        ssh(port) + ["-W", "127.0.0.1:%d" % END, "u@127.0.0.1"],
        input=data,
        capture_output=True,
        timeout=2 * PATIENCE,
    ).stdout
    return got == hashlib.sha256(data).hexdigest().encode() + pattern(
        ANSWER, 3
    ) or "%d bytes" % len(got)


def is_closed(port):
    return until(lambda: not listening(port)) or "somebody still listens"


def remote_any(listener):
    """ssh -R 0: the server chooses a port and says which."""
    c = Client(listener, "-R", "0:127.0.0.1:%d" % END)
    if not until(lambda: re.search(r"Allocated port \d+\D", c.text())):
        return c.text()
    port = int(c.text().split("Allocated port ")[1].split()[0])
    r = half_close(direct(port), END, 1000)
    c.stop()
    return r


def forwarding(workers):
    name = "with %d workers" % workers
    listener = free_port()
    host = Host(
        "-L",
        "sshd://u:pw@127.0.0.1:%d?authorizedKeys=%s&privateKeyFile=%s"
        % (listener, path("authorized_keys"), path("host")),
        ports=[listener],
        workers=workers,
    )
    tap.case("ssh -W, " + name, netcat, listener)
    local, dynamic, remote, echo_port = free_port(), free_port(), free_port(), free_port()
    c = Client(
        listener,
        *("-L", "%d:127.0.0.1:%d" % (local, END), "-L", "%d:127.0.0.1:%d" % (echo_port, ECHO)),
        *("-D", str(dynamic), "-R", "%d:127.0.0.1:%d" % (remote, END)),
        ports=[local, dynamic],
    )
    wait_port(remote)
    all_of("ssh -L, " + name, direct(local))
    tap.case("50 MB there and back, ssh -L, " + name, hashed, direct(echo_port), ECHO, 50 << 20)
    all_of("ssh -D, " + name, socks(dynamic), 50)
    all_of("ssh -R, " + name, direct(remote))
    again = Client(listener, "-R", "%d:127.0.0.1:%d" % (remote, END))
    tap.ok(again.proc.wait(PATIENCE) != 0, "ssh -R of a port that is taken, " + name, again.text())
    tap.case("ssh -R 0, " + name, remote_any, listener)
    c.stop()
    tap.case("the ports of a client that left are closed, " + name, is_closed, remote)
    stranger = Client(listener, "-L", "%d:127.0.0.1:%d" % (free_port(), END), key="stranger")
    tap.ok(stranger.proc.wait(PATIENCE) != 0, "another key, " + name, stranger.text())
    shell = subprocess.run(
        ssh(listener) + ["u@127.0.0.1", "true"], capture_output=True, text=True, timeout=PATIENCE
    )
    tap.ok(shell.returncode != 0, "there is no shell, " + name, shell.stderr)
    for words in (
        ["-c", "aes128-ctr", "-m", "hmac-sha2-256"],
        ["-c", "aes256-ctr", "-m", "hmac-sha2-512-etm@openssh.com"],
        ["-c", "aes256-gcm@openssh.com", "-o", "KexAlgorithms=ecdh-sha2-nistp256"],
        ["-o", "RekeyLimit=1M"],
    ):
        p = free_port()
        c = Client(listener, "-L", "%d:127.0.0.1:%d" % (p, ECHO), *words, ports=[p])
        tap.case("%s, %s" % (" ".join(words), name), hashed, direct(p), ECHO, 8 << 20)
        c.stop()
    tap.ended("all ended cleanly: forwarding " + name, host)


def bypassed():
    """Targets that the service's bypass forbids."""
    listener = free_port()
    host = Host(
        "-L",
        "sshd://127.0.0.1:%d?bypass=127.0.0.1" % listener,
        ports=[listener],
    )
    out = subprocess.run(
        ssh(listener) + ["-W", "127.0.0.1:%d" % END, "u@127.0.0.1"],
        input=b"x",
        capture_output=True,
        timeout=2 * PATIENCE,
    )
    tap.ok(out.stdout == b"", "what the bypass forbids is not reached", out.stdout[:200])
    tap.ended("all ended cleanly: bypass", host)


# ---- between two hosts -------------------------------------------------------------------------


def between(server, client, workers, big=0):
    name = "%s > %s with %d workers" % (client, server, workers)
    port, entry = free_port(), free_port()
    behind = Host("-L", server % port, ports=[port], workers=workers)
    before = Host(
        "-L",
        "socks5://127.0.0.1:%d" % entry,
        "-F",
        client % port,
        ports=[entry],
        workers=workers,
    )
    all_of(name, socks(entry), big)
    tap.ended("all ended cleanly: " + name, before, behind)


def second_hop():
    ports = [free_port(), free_port()]
    entry = free_port()
    first = Host("-L", "sshd://u:pw@127.0.0.1:%d" % ports[0], ports=[ports[0]])
    second = Host("-L", "relay+ssh://127.0.0.1:%d" % ports[1], ports=[ports[1]])
    before = Host(
        *("-L", "socks5://127.0.0.1:%d" % entry),
        *("-F", "sshd://u:pw@127.0.0.1:%d" % ports[0], "-F", "relay+ssh://127.0.0.1:%d" % ports[1]),
        ports=[entry],
    )
    all_of("sshd > relay+ssh", socks(entry))
    tap.ended("all ended cleanly: sshd > relay+ssh", before, first, second)


def flood(s):
    """Sends without end."""
    block = pattern(1 << 16, 2)
    while True:
        s.sendall(block)


def stalled():
    """One connection whose client does not read stops no other of its session."""
    port, entry = free_port(), free_port()
    source = serve(flood)
    behind = Host("-L", "relay+ssh://127.0.0.1:%d" % port, ports=[port], workers=1)
    before = Host(
        *("-L", "socks5://127.0.0.1:%d" % entry, "-F", "relay+ssh://127.0.0.1:%d" % port),
        ports=[entry],
        workers=1,
    )
    idle = [connect_via("socks5", entry, "127.0.0.1", source) for _ in range(3)]
    time.sleep(0.5)
    tap.case("beside three that nobody reads", half_close, socks(entry), END, 4 << 20)
    grown = [h.rss_kib() for h in (before, behind)]
    for s in idle:
        s.close()
    tap.case("and after they left", half_close, socks(entry), END, 65536)
    tap.ok(all(kib < 200000 + KEPT_KIB for kib in grown), "memory stays bounded", str(grown))
    tap.ended("all ended cleanly: stalled", before, behind)


def reborn():
    """The server ends and comes back: the next connection takes a new session."""
    port, entry = free_port(), free_port()
    server = "relay+ssh://u:pw@127.0.0.1:%d" % port
    behind = Host("-L", server, ports=[port])
    before = Host("-L", "socks5://127.0.0.1:%d" % entry, "-F", server, ports=[entry])
    tap.case("a session", half_close, socks(entry), END, 1000)
    behind.stop()
    behind = Host("-L", server, ports=[port])
    tap.case("and another after the server came back", half_close, socks(entry), END, 1000)
    tap.ended("all ended cleanly: a server that came back", before, behind)


def main():
    program = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if not need(tap, "ssh-keygen", "keys"):
        tap.done()
    keygen("host", "ed25519")
    keys = [
        keygen("ed25519", "ed25519"),
        keygen("rsa", "rsa", "-b", "2048", "-a", "4", secret=SECRET),
        keygen("ecdsa", "ecdsa", "-a", "4", secret=SECRET),
    ]
    keygen("stranger", "ed25519")
    with open(path("authorized_keys"), "w") as f:
        for k in keys:
            with open(k + ".pub") as pub:
                f.write(pub.read())
    os.chmod(WORK, 0o755)
    for workers in (1, 2):
        between("relay+ssh://u:pw@127.0.0.1:%d", "relay+ssh://u:pw@127.0.0.1:%d", workers, 50)
    key = path("ed25519")
    between(
        "socks5+ssh://127.0.0.1:%d?authorizedKeys=" + path("authorized_keys"),
        "socks5+ssh://127.0.0.1:%d?privateKeyFile=" + key + "&keepalive=true&ttl=1s",
        1,
    )
    between("sshd://u:pw@127.0.0.1:%d", "sshd://u:pw@127.0.0.1:%d", 2, 50)
    second_hop()
    reborn()
    stalled()
    if need(tap, "ssh", "the ssh client"):
        for workers in (1, 2):
            forwarding(workers)
        bypassed()
    if program is None:
        need(tap, "sshd", "OpenSSH's server")
    elif os.getuid() == 0 and subprocess.run(["unshare", "-m", "true"]).returncode:
        tap.skip("OpenSSH's server", "no mount namespace can be made")
    else:
        through_sshd(Sshd(program, path("authorized_keys")))
    tap.done()


main()
