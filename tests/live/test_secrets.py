#!/usr/bin/env python3
# test_secrets.py - no secret of a configuration or of a client is in anything that is printed.
# SPDX-License-Identifier: MIT
# timeout: 300
"""Each secret is a word of its own. All that the host prints is searched for all of them, as they
are, in hexadecimal, in base64 and as a URL writes them."""

import base64
import json
import os
import socket
import subprocess
import urllib.parse

from harness import HOST, WORK, Host, Tap, echo, free_port, serve, socks5_open, until

tap = Tap()
CANARIES = {}  # word -> what it stands for
SEEN = []  # (where, text)


def canary(what):
    word = "cAnary%03dw/%sz" % (len(CANARIES), os.urandom(4).hex())
    CANARIES[word] = what
    return word


def shapes(word):
    b = word.encode()
    yield from word.split("/")  # a part of it is too much, too
    yield b.hex()
    yield urllib.parse.quote(word, safe="")
    for shift in range(3):  # inside of a longer base64 text, at each place
        padded = base64.b64encode(b"\0" * shift + b).decode()
        yield padded[2 * shift : len(padded) // 4 * 4 - 8]


SHAPES = {}


def leaks(text):
    """What is found in the text, by name."""
    for word in CANARIES:
        if word not in SHAPES:
            SHAPES[word] = list(shapes(word))
    low = text.lower()
    return [
        "%s, as %s" % (CANARIES[word], shape)
        for word, all_shapes in SHAPES.items()
        for shape in all_shapes
        if shape in text or (shape == all_shapes[2] and shape in low)
    ]


def clean(title, text):
    """The test: nothing is in the text, and there is a text at all."""
    found = leaks(text)
    return tap.ok(not found, title, "\n".join(found) + "\n" + text[:3000])


def call(*args, data=None):
    r = subprocess.run(
        [HOST, *args], capture_output=True, timeout=60, input=data, text=isinstance(data, str)
    )
    out, err = r.stdout, r.stderr
    if isinstance(out, bytes):
        out, err = out.decode(errors="replace"), err.decode(errors="replace")
    return r.returncode, out + err


# ---- the search itself ----------------------------------------------------------------------

word = canary("the search's own")
for i, shape in enumerate(
    (
        word,
        word.encode().hex().upper(),
        urllib.parse.quote(word, safe=""),
        base64.b64encode(b"u:" + word.encode()).decode(),
        base64.b64encode(b"user:" + word.encode() + b"!").decode(),
        base64.b64encode(b"a user:" + word.encode() + b"??").decode(),
    )
):
    tap.ok(leaks("text " + shape + " text"), "the search finds form %d" % i, shape)


# ---- the secret options of every component --------------------------------------------------

DEAD = free_port()
CLOSES = serve(lambda s: s.recv(1))
ECHOES = serve(echo)  # an evil peer: what it is told comes back
PEERS = {"dead": DEAD, "closes": CLOSES, "echoes": ECHOES}


def put(conf, key, value):
    """Under auth, tls, or metadata."""
    head, _, rest = key.partition(".")
    if head in ("auth", "tls") and rest:
        conf.setdefault(head, {})[rest] = value
    else:
        conf.setdefault("metadata", {})[key] = value


def policy_object(name, values, peer):
    """Where a policy's source, or what it is told through, stands: (what the service has, the
    sections); None: nowhere."""
    address = "127.0.0.1:%d" % peer
    redis = dict(values, addr=address, key="k")
    watch = dict(values, addr="http://" + address, type="http")
    what = "recorder.service.client.address"
    return {
        "redis": ({"bypass": "x"}, {"bypasses": [{"name": "x", "redis": redis}]}),
        "redis-recorder": (
            {"recorders": [{"name": "x", "record": what}]},
            {"recorders": [{"name": "x", "redis": redis}]},
        ),
        "http-auther": (
            {"handler": {"type": "socks5", "auther": "x"}},
            {"authers": [{"name": "x", "plugin": watch}]},
        ),
        "http-observer": ({"observer": "x"}, {"observers": [{"name": "x", "plugin": watch}]}),
    }.get(name)


def listening(path):
    """The host with this configuration, over TCP or UDP."""
    h = Host("-DD", "-C", path)
    until(lambda: "listening on" in h.text() or not h.alive())
    if not h.alive():
        raise RuntimeError(h.text())
    return h


def with_component(kind, name, values, port, peer):
    """A configuration in which the component has these options; None: nothing has this kind."""
    service = {
        "name": "s",
        "addr": "127.0.0.1:%d" % port,
        "handler": {"type": "socks5"},
        "listener": {"type": "tcp"},
    }
    node = {
        "name": "n",
        "addr": "127.0.0.1:%d" % peer,
        "connector": {"type": "http"},
        "dialer": {"type": "tcp"},
    }
    places = {
        "handler": [(service["handler"], name)],
        "connector": [(node["connector"], name)],
        "listener": [(service["listener"], name)],
        "dialer": [(node["dialer"], name)],
        "layer": [(service["listener"], name), (node["dialer"], name)],
        "transport": [(service["listener"], name), (node["dialer"], name)],
        "stack": [(service["listener"], name), (node["dialer"], name)],
    }.get(kind)
    policy = policy_object(name, values, peer) if kind in ("source", "remote") else None
    if policy is not None:
        return {"services": [dict(service, **policy[0])], **policy[1]}
    if places is None:
        return None
    for conf, type_ in places:
        conf["type"] = type_
        for key, value in values.items():
            put(conf, key, value)
    service["handler"]["chain"] = "c"
    return {
        "services": [service],
        "chains": [{"name": "c", "hops": [{"name": "h", "nodes": [node]}]}],
    }


def write(name, conf):
    path = os.path.join(WORK, name + ".json")
    with open(path, "w") as f:
        json.dump(conf, f, indent=1)
    return path


def secret_options():
    _, text = call("--describe", "--json")
    for c in json.loads(text):
        found = [o for o in c["options"] if o["type"] == "secret"]
        if found:
            yield c["kind"], c["name"], found
    clean("--describe --json", text)
    clean("--describe", call("--describe")[1])


def component(kind, name, options):
    values = {o["name"]: canary("%s %s %s" % (kind, name, o["name"])) for o in options}
    title = "%s %s" % (kind, name)
    login = {"user": "u", "password": "p"} if name == "http-auther" else {}
    text = ""
    for peer, target in PEERS.items():
        port = free_port()
        conf = with_component(kind, name, values, port, target)
        if conf is None:
            tap.ok(False, title, "this test knows no place for the kind " + kind)
            return
        path = write("component", conf)
        text += call("--check", "-C", path)[1]
        text += call("--explain", "192.0.2.1:1", "-C", path)[1]
        try:
            h = listening(path)
        except RuntimeError as e:
            text += str(e)  # it refuses the value: the message counts
            continue
        for _ in range(2):
            try:
                s, _, _ = socks5_open(port, 1, "127.0.0.1", ECHOES, timeout=1, **login)
                s.sendall(b"x" * 100)
                s.settimeout(1)
                s.recv(100)
                s.close()
            except (OSError, RuntimeError):
                pass
        if peer == "dead":
            h.proc.send_signal(1)  # a reload: the configuration is compared
            until(lambda: h.text().count("as before") >= 2, seconds=10)
        h.stop()
        text += h.text()
        tap.ok(len(h.text()) > 200, "%s, %s: it logs at all" % (title, peer), h.text())
    for o in options:  # values that cannot be
        for bad in ("long", "list", "map", "sub"):
            w = canary("%s %s %s, %s" % (kind, name, o["name"], bad))
            value = {"long": w * 3000, "list": [w, w], "map": {"a": w}, "sub": {w: w}}[bad]
            conf = with_component(kind, name, dict(values, **{o["name"]: value}), 1, DEAD)
            text += call("--check", "-C", write("wrong", conf))[1]
    clean(title, text)


# ---- users and their passwords --------------------------------------------------------------


def attempts(port, users):
    """Clients of a proxy that speaks socks5 and http, with right and wrong passwords."""
    for user, password in users:
        try:
            s, _, _ = socks5_open(port, 1, "127.0.0.1", ECHOES, user, password, timeout=10)
            s.close()
        except (OSError, RuntimeError):
            pass
        login = base64.b64encode(("%s:%s" % (user, password)).encode())
        for head in (
            b"CONNECT 127.0.0.1:%d HTTP/1.1\r\nProxy-Authorization: Basic %s\r\n\r\n",
            b"GET http://127.0.0.1:%d/ HTTP/1.1\r\nProxy-Authorization: Basic %s\r\n\r\n",
            b"GET / JUNK %d\r\nProxy-Authorization: Basic %s\r\n\r\n",
        ):
            s = socket.create_connection(("127.0.0.1", port), 10)
            s.sendall(head % (ECHOES, login))
            s.shutdown(socket.SHUT_WR)
            try:
                s.recv(1000)
            except OSError:
                pass
            s.close()


def users():
    right, wrong, listed = canary("a password"), canary("a wrong password"), canary("of a list")
    port, other = free_port(), free_port()
    conf = {
        "services": [
            {
                "name": "a",
                "addr": "127.0.0.1:%d" % port,
                "handler": {"type": "auto", "auth": {"username": "u", "password": right}},
                "listener": {"type": "tcp"},
            },
            {
                "name": "b",
                "addr": "127.0.0.1:%d" % other,
                "handler": {"type": "auto", "auther": "many"},
                "listener": {"type": "tcp"},
            },
        ],
        "authers": [{"name": "many", "auths": [{"username": "v", "password": listed}]}],
    }
    path = write("users", conf)
    h = Host("-DD", "-C", path, ports=[port, other])
    attempts(port, [("u", right), ("u", wrong)])
    attempts(other, [("v", listed), ("v", wrong)])
    s = socks5_open(port, 1, "127.0.0.1", ECHOES, "u", right)[1]
    tap.ok(s == 0, "the password is right", h.text())
    h.stop()
    tap.ok('"user":"u"' in h.text() or "user=u" in h.text(), "the user is logged", h.text())
    clean("passwords of users and clients", h.text())
    conf["authers"][0]["auths"].append({"username": "v", "password": canary("a second one")})
    conf["authers"][0]["auths"].append({"username": "w", "pasword": canary("of a misspelt key")})
    conf["authers"][0]["auths"].append({"password": canary("without a user")})
    conf["authers"][0]["auths"].append(canary("as a string"))
    conf["authers"][0]["plugin"] = {"type": "http", "addr": "", "token": canary("a token")}
    conf["authers"][0]["redis"] = {"addr": "127.0.0.1:1", "password": canary("of redis")}
    path = write("users-wrong", conf)
    text = call("--check", "-C", path)[1] + call("--strict", "--check", "-C", path)[1]
    tap.ok("pasword" in text or "auths" in text or "authers" in text, "mistakes are told", text)
    clean("mistakes in lists of users", text)


# ---- URLs and broken files ------------------------------------------------------------------

URLS = (
    "socks5://u:%s@127.0.0.1:99999",
    "socks5://u:%s@127.0.0.1:8080:1",
    "sock5://u:%s@:8080",
    "socks5+tlx://u:%s@:8080",
    "socks5://u:%s@:8080?udp=perhaps",
    "socks5://u:%s@:8080?nosuch=1",
    "socks5://u:%s@:8080?readTimeout=soon",
    "socks5://u:%s@:8080?%%zz",
    "socks5://u:%s@[::1:8080",
    "socks5://u:%s@:8080?certFile=/nonexistent",
    "socks5://u:%s:more@:8080",
    "://u:%s@:8080",
    "u:%s@:8080",
    "socks5:u:%s@:8080",
    "socks5://u:%s@",
    "socks5:///u:%s@:8080",
    "socks5://u:%s@host name:8080",
)


def urls():
    text = ""
    for flag in ("-L", "-F"):
        for url in URLS:
            for quote in (True, False):
                w = canary("%s %s%s" % (flag, url, ", quoted" if quote else ""))
                w = urllib.parse.quote(w, safe="") if quote else w
                args = [flag, url % w]
                if flag == "-F":
                    args += ["-L", "socks5://:1"]
                for mode in (["--check"], ["--strict", "--check"], ["--explain", "a:1"]):
                    text += call(*args, *mode)[1]
        # an auth parameter, in base64 as GOST has it, and one that is none
        w = canary(flag + " auth=")
        both = base64.urlsafe_b64encode(("u:" + w).encode()).decode()
        for value in (both, both[:-3] + "!", w):
            text += call(flag, "socks5://:8080?auth=" + value, "--check")[1]
    for flag in ("-api", "-metrics"):
        text += call(flag, "u:%s@127.0.0.1:99999" % canary(flag), "--check")[1]
        text += call(flag, "http://u:%s@:x/%%zz" % canary(flag), "--check")[1]
    tap.ok(text.count("error") > 50, "mistakes in URLs are told", text[:2000])
    clean("URLs with mistakes", text)


BROKEN = (
    'services: [{name: a, handler: {auth: {username: u, password: "%s}}}]\n',
    "services:\n- name: a\n  handler:\n    auth:\n      password: %s\n     username: u\n",
    "services:\n- name: a\n  handler:\n    auth:\n      password: [%s\n",
    "services:\n- name: a\n  handler:\n    auth:\n      password: %s: x: y\n",
    "services:\n- name: a\n  handler:\n    auth: %s\n",
    "services:\n- name: a\n  handler:\n    auth: [%s]\n",
    "services:\n- name: a\n  handler: {type: %s}\n",
    "services:\n- name: a\n  handler:\n    auth:\n      password: &a %s\n      password: *b\n",
    "services:\n- name: a\n  handler:\n    auth:\n      password: !!int %s\n",
    '{"services": [{"name": "a", "handler": {"auth": {"password": "%s"]}}]}',
    '{"services": [{"name": "a", "handler": {"auth": {"password": "%s}}]}',
    '{"services": [{"name": "a", "handler": {"auth": {"password": "%s\\q"}}}]}',
    '{"services": [{"name": "a", "handler": {"auth": {"password" "%s"}}}]}',
    '{"services": [{"name": "a", "handler": {"auth": ["%s"]}}]}',
    '{"services": [{"name": "a", "auth": "%s"',
)
# A type is no secret; whoever writes a password there is told so.
EXEMPT = "type: %s"


def files():
    text = ""
    for i, broken in enumerate(BROKEN):
        if EXEMPT in broken:
            continue
        w = canary("the broken file %d" % i)
        body = broken % w
        path = os.path.join(WORK, "broken%d.%s" % (i, "json" if body[0] == "{" else "yml"))
        with open(path, "w") as f:
            f.write(body)
        text += call("--check", "-C", path)[1]
        text += call("--check", "-C", "-", data=body)[1]
        if body[0] == "{":
            text += call("--check", "-C", body)[1]
    tap.ok(text.count("error") > 15, "broken files are told", text)
    clean("broken files", text)


for kind, name, options in list(secret_options()):
    component(kind, name, options)
users()
urls()
files()
tap.ok(len(CANARIES) > 100, "%d secrets were looked for" % len(CANARIES))
tap.done()
