# singbox.py - sing-box as a peer: the program, and processes of it.
# SPDX-License-Identifier: MIT
import fcntl
import json
import os
import shutil
import subprocess

import peers
from peers import Daemon, write
from harness import run

MODULE, VERSION = "github.com/sagernet/sing-box/cmd/sing-box", "v1.14.1"
BUILD_SECONDS = 240  # its tests have 600 s


def absent(tap, why):
    """No release of Debian has it: its absence is a skip even where peers are required."""
    tap.skip("sing-box", why)


def program(tap):
    """sing-box of this version: from the cache, or built into it. None after a skip."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = os.path.join(cache, "gost-host", "sing-box-" + VERSION)
    path = os.path.join(folder, "sing-box")
    if os.access(path, os.X_OK):
        return path
    if not shutil.which("go"):
        return absent(tap, "go is not installed, so it cannot be built")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # another test builds it
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.access(path, os.X_OK):
                return path
            return absent(tap, "another test could not build it")
        return built(tap, folder, path)


def built(tap, folder, path):
    """Builds it. What a build in want of time has compiled, the next one finds in go's cache."""
    try:
        done = run(
            ["go", "install", "-tags", "with_quic,with_utls", MODULE + "@" + VERSION],
            BUILD_SECONDS,
            env=dict(os.environ, GOBIN=folder),
        )
    except subprocess.TimeoutExpired:
        return absent(tap, "go had not built it after %d s" % BUILD_SECONDS)
    if done.returncode:
        said = done.stderr.decode(errors="replace").split("\n")
        return absent(tap, "go cannot build it here: " + " ".join(said)[:300])
    return path


def sing_box(binary, name, inbounds, outbound):
    """sing-box with these inbounds, each with a port, and one outbound."""
    for inbound in inbounds:
        inbound.update(tag="%s-%d" % (inbound["type"], inbound["listen_port"]), listen="127.0.0.1")
    conf = write(
        "sing-box-%s.json" % name,
        json.dumps(
            {
                "log": {"level": "info", "timestamp": False},
                "inbounds": inbounds,
                "outbounds": [dict(outbound, tag="out")],
                "dns": {
                    "servers": [
                        {"type": "hosts", "tag": "hosts", "predefined": {"localhost": "127.0.0.1"}}
                    ]
                },
                "route": {"default_domain_resolver": "hosts"},
            }
        ),
    )
    return Daemon(
        binary,
        "run",
        "-c",
        conf,
        "-D",
        peers.harness.WORK,
        ports=[inbound["listen_port"] for inbound in inbounds],
    )
