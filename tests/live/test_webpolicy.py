#!/usr/bin/env python3
# test_webpolicy.py - authers of plugin.type http: yes, no, faults, silence, others undisturbed.
# SPDX-License-Identifier: MIT
# timeout: 120
import json
import socket
import tempfile

from harness import Host, Tap, echo, free_port, read_head, recv_exact, serve, socks5_open

tap = Tap()
ASKED = []
SILENT = []


def answer(s, body, status=b"200 OK"):
    s.sendall(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))


def web(s):
    """The service: what it does depends on the path."""
    came = read_head(s)
    if not came:
        return
    head, body = came
    fields = dict(
        (k.lower(), v) for k, v in (f.split(b": ", 1) for f in head.split(b"\r\n")[1:] if f)
    )
    while len(body) < int(fields[b"content-length"]):
        body += s.recv(4096)
    question = json.loads(body)
    path = head.split(b" ")[1]
    ASKED.append((path, fields, question))
    if path == b"/silent":
        SILENT.append(s)
        while s.recv(4096):
            pass
    elif path == b"/500":
        answer(s, b'{"ok":true}', b"500 No")
    elif path == b"/garbage":
        answer(s, b"<html>true</html>")
    elif path == b"/text":
        answer(s, b'{"ok":"true"}')
    elif path == b"/cut":
        s.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"ok":true}')
    elif path == b"/close":
        return
    else:
        good = question["username"] == "user" and question["password"] == 'pa"ss<'
        answer(s, json.dumps({"ok": good, "id": "client-7", "more": [1]}).encode())


WEB, ECHO = serve(web), serve(echo)


def host(services, authers, workers=2):
    """services: (handler, authers); authers: name -> plugin or users. The host and its ports."""
    ports = [free_port() for _ in services]
    conf = {
        "services": [
            {
                "name": "svc-%d" % i,
                "addr": "127.0.0.1:%d" % port,
                "handler": {"type": handler, "authers": names},
                "listener": {"type": "tcp"},
            }
            for i, (port, (handler, names)) in enumerate(zip(ports, services))
        ],
        "authers": [dict(name=name, **what) for name, what in authers.items()],
    }
    f = tempfile.NamedTemporaryFile("w", suffix=".json", delete=False)
    json.dump(conf, f)
    f.close()
    return Host("-C", f.name, ports=ports, workers=workers), ports


def plugin(path, **more):
    url = "http://127.0.0.1:%d%s" % (WEB, path)
    return {"plugin": dict({"type": "http", "addr": url}, **more)}


def users(user, password):
    return {"auths": [{"username": user, "password": password}]}


def opens(port, user="user", password='pa"ss<'):
    s, code, _ = socks5_open(port, 1, "127.0.0.1", ECHO, user, password)
    got = b""
    if code == 0:
        s.sendall(b"hello")
        got = recv_exact(s, 5)
    s.close()
    return got == b"hello"


def yes_and_no():
    h, (port, other) = host(
        [("socks5", ["a"]), ("http", ["a"])], {"a": plugin("/auth", token="tok")}
    )
    del ASKED[:]
    if not opens(port) or opens(port, password="wrong") or opens(port, "nobody"):
        return h.text()
    path, fields, question = ASKED[0]
    if fields[b"authorization"] != b"Bearer tok" or fields[b"content-type"] != b"application/json":
        return fields
    if list(question) != ["service", "username", "password", "client"]:
        return question
    if question["service"] != "svc-0" or not question["client"].startswith("127.0.0.1:"):
        return question
    if len(ASKED) != 3:
        return "asked %d times" % len(ASKED)
    s = socket.create_connection(("127.0.0.1", other), 10)
    s.sendall(
        b"CONNECT 127.0.0.1:%d HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic "
        b"dXNlcjpwYSJzczw=\r\n\r\n" % ECHO
    )
    status = s.recv(4096)
    s.close()
    return (
        b" 200 " in status.split(b"\r\n")[0]
        and h.stop() == 0
        and '"user":"client-7"' in h.text()
        and 'pa"ss' not in h.text()
        or (status, h.text())
    )


def faults():
    """Whatever is no clear yes is a no."""
    paths = ["500", "garbage", "text", "cut", "close"]
    h, ports = host(
        [("socks5", [p]) for p in paths + ["gone"]],
        dict(
            {p: plugin("/" + p) for p in paths},
            gone={"plugin": {"type": "http", "addr": "127.0.0.1:%d" % free_port()}},
        ),
    )
    let_in = [p for p, port in zip(paths + ["gone"], ports) if opens(port)]
    return not let_in and h.stop() == 0 and h.text().count("it gave no answer") == 6 or h.text()


def lists():
    """The first yes counts; one that is out of order is passed over."""
    h, ports = host(
        [("socks5", ["own", "web"]), ("socks5", ["bad", "own"]), ("socks5", ["bad", "web"])],
        {"own": users("me", "mine"), "web": plugin("/auth"), "bad": plugin("/500")},
    )
    del ASKED[:]
    if not opens(ports[0], "me", "mine") or ASKED:
        return "a user of a list is asked for elsewhere"
    good = opens(ports[0]) and opens(ports[1], "me", "mine") and opens(ports[2])
    return good and not opens(ports[1]) and h.stop() == 0 or h.text()


def silence(workers):
    """Those who wait for a server that says nothing hold up nobody else."""
    h, (port, other) = host(
        [("socks5", ["silent"]), ("socks5", ["own"])],
        {"silent": plugin("/silent", timeout="60s"), "own": users("me", "mine")},
        workers,
    )
    del SILENT[:]
    waiting = []
    for _ in range(20):
        s = socket.create_connection(("127.0.0.1", port), 10)
        s.sendall(b"\x05\x01\x02\x01\x04user\x04pass")
        waiting.append(s)
    for s in waiting:
        recv_exact(s, 2)
    good = all(opens(other, "me", "mine") for _ in range(20))
    for s in waiting:
        s.setblocking(False)
        try:
            if s.recv(1) is not None:
                return "it was answered"
        except BlockingIOError:
            pass
        s.close()
    again = all(opens(other, "me", "mine") for _ in range(5))
    return good and again and h.stop() == 0 or h.text()


def patience():
    h, (port,) = host([("socks5", ["silent"])], {"silent": plugin("/silent", timeout="300ms")})
    refused = not opens(port)
    return refused and "no answer within 300 ms" in h.text() and h.stop() == 0 or h.text()


def refused_at_start():
    for what in ({"type": "grpc", "addr": "x:1"}, {"addr": "x:1"}):
        h = Host(
            "-C",
            json.dumps({"authers": [{"name": "a", "plugin": what}]}),
        )
        if h.proc.wait(20) != 1 or "not available" not in h.text():
            return h.text()
    h = Host("-C", json.dumps({"authers": [{"name": "a", "plugin": {"type": "http"}}]}))
    return h.proc.wait(20) == 1 or h.text()


tap.case("yes, no, and what is asked", yes_and_no)
tap.case("faults are a no", faults)
tap.case("lists of authers", lists)
for n in (1, 2):
    tap.case("a server that is silent, %d workers" % n, silence, n)
tap.case("a server that is silent for too long", patience)
tap.case("what is not there is refused at start", refused_at_start)
tap.done()
