# singbox.py - sing-box as a peer: the program, and processes of it.
# SPDX-License-Identifier: MIT
import json
import os
import shutil

import peers
from peers import Daemon, write
from harness import run

MODULE, VERSION = "github.com/sagernet/sing-box/cmd/sing-box", "v1.14.1"


def program(tap):
    """sing-box of this version: from the cache, or built into it. None after a skip."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = os.path.join(cache, "gost-host", "sing-box-" + VERSION)
    path = os.path.join(folder, "sing-box")
    if os.access(path, os.X_OK):
        return path
    if not shutil.which("go"):
        if os.environ.get("GOST_REQUIRE_PEERS"):
            tap.ok(False, "sing-box", "go is not installed, so it cannot be built")
        else:
            tap.skip("sing-box", "go is not installed, so it cannot be built")
        return None
    os.makedirs(folder, exist_ok=True)
    built = run(
        ["go", "install", "-tags", "with_quic,with_utls", MODULE + "@" + VERSION],
        500,
        env=dict(os.environ, GOBIN=folder),
    )
    if built.returncode:
        tap.ok(False, "sing-box is built", built.stderr.decode())
        return None
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
