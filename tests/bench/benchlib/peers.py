# peers.py - gost-host and the programs it is compared with: how each is started.
# SPDX-License-Identifier: MIT
"""A subject gives, for a kind of service, a command line and the configuration file it reads.

Kinds: forward, socks5, http (CONNECT), udp (forward), socks5-udp (associate), and those of STACKS:
a SOCKS5 proxy that reaches the target through a second process of the same program.
"""
import os
import re
import shutil
import subprocess

FILES_PER_CONNECTION = 2.6  # two sockets, and haproxy's pipes for every fourth connection
SPARE_FILES = 400
STACKS = {  # kind: the URL between the two, without its port
    "relay": "relay+tcp://127.0.0.1",
    "relay+tls": "relay+tls://127.0.0.1",
    "socks5+wss": "socks5+wss://127.0.0.1",
    "relay+mtcp": "relay+mtcp://127.0.0.1",
    "relay+mwss": "relay+mwss://127.0.0.1",
    "http+h2": "http+h2://127.0.0.1",
    "http2": "http2://127.0.0.1",
    "relay+grpc": "relay+grpc://127.0.0.1",
    "relay+quic": "relay+quic://127.0.0.1",
    "relay+h3": "relay+h3://127.0.0.1",
    "masque": "masque+h3-masque://127.0.0.1",
    "relay+kcp": "relay+kcp://127.0.0.1",
    "ssh": "ssh://127.0.0.1",
    "ss": "ss://aes-128-gcm:secret@127.0.0.1",
}
LISTENERS = {"masque": "masque+http3://127.0.0.1"}  # where the far one's URL is another


class Subject:
    name = ""
    programs = ()  # looked for on PATH, /usr/sbin and /usr/local/sbin
    kinds = ()
    version_args = ("--version",)
    in_process = False  # True for the run without any proxy

    def __init__(self, files):
        self.files = files
        # What programs with a fixed limit are set to.
        self.connections = int((files - SPARE_FILES) / FILES_PER_CONNECTION)
        self.program = self.find()

    def find(self):
        path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
        for program in self.programs:
            found = shutil.which(program, path=path)
            if found:
                return found
        return None

    def version(self):
        try:
            done = subprocess.run([self.program, *self.version_args], text=True, timeout=10,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                                  stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired) as e:
            return f"unknown ({e})"
        lines = [x.strip() for x in done.stdout.splitlines() if re.search(r"\d+\.\d+", x)]
        return lines[0] if lines else "unknown"

    def config(self, kind, port, target, work):
        """The text of the configuration file, or None."""
        return None

    def command(self, kind, port, target, conf):
        raise NotImplementedError

    def pair(self, kind, port, far):
        """For the kinds of STACKS: the command lines of the far process, which listens at `far`,
        and of the near one, which listens at `port`."""
        raise NotImplementedError

    def prepare(self, work):
        """What must exist before the program starts."""


class Direct(Subject):
    """No proxy at all: what the load generator itself can do."""
    name = "direct"
    kinds = ("forward", "udp")
    in_process = True

    def find(self):
        return "(no proxy)"

    def version(self):
        return "the client and the target talk without a proxy"


class Gost(Subject):
    name = "gost"
    programs = ("gost",)
    kinds = ("forward", "socks5", "http", "udp", "socks5-udp", *STACKS)
    version_args = ("-V",)
    variable = "GOST_BIN"

    def find(self):
        given = os.environ.get(self.variable)
        if given and not os.access(given, os.X_OK):
            raise SystemExit(f"bench: {self.variable}={given}: no such program")
        return os.path.abspath(given) if given else super().find()

    def command(self, kind, port, target, conf):
        url = {
            "forward": f"tcp://127.0.0.1:{port}/127.0.0.1:{target}",
            "socks5": f"socks5://127.0.0.1:{port}",
            "http": f"http://127.0.0.1:{port}",
            "udp": f"udp://127.0.0.1:{port}/127.0.0.1:{target}?keepalive=true",
            "socks5-udp": f"socks5://127.0.0.1:{port}?udp=true",
        }[kind]
        return [self.program, "-L", url]

    def pair(self, kind, port, far):
        node = f"{STACKS[kind]}:{far}"
        return ([self.program, "-L", f"{LISTENERS.get(kind, STACKS[kind])}:{far}"],
                [self.program, "-L", f"socks5://127.0.0.1:{port}", "-F", node])


class GostHost(Gost):
    """GOST_PLUGIN_DIR reaches it through the environment."""
    name = "gost-host"
    programs = ("gost-host",)
    variable = "GOST_HOST"


class Haproxy(Subject):
    name = "haproxy"
    programs = ("haproxy",)
    kinds = ("forward",)
    version_args = ("-v",)
    splice = ""

    def config(self, kind, port, target, work):
        return (f"global\n    maxconn {self.connections}\n"
                "defaults\n    mode tcp\n    timeout connect 5s\n    timeout client 1h\n"
                f"    timeout server 1h\n{self.splice}"
                f"listen forward\n    bind 127.0.0.1:{port}\n"
                f"    server target 127.0.0.1:{target}\n")

    def command(self, kind, port, target, conf):
        return [self.program, "-db", "-f", conf]


class HaproxySplice(Haproxy):
    name = "haproxy-splice"
    splice = "    option splice-request\n    option splice-response\n"


class Nginx(Subject):
    """The stream module, as a forward for TCP and UDP."""
    name = "nginx"
    programs = ("nginx",)
    kinds = ("forward", "udp")
    version_args = ("-v",)
    modules = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules")

    def find(self):
        program = super().find()
        if program is None:
            return None
        built = subprocess.run([program, "-V"], stderr=subprocess.PIPE, text=True, check=False)
        self.module = ""
        if re.search(r"--with-stream(\s|$)", built.stderr):
            return program
        for folder in self.modules:
            path = os.path.join(folder, "ngx_stream_module.so")
            if os.path.exists(path):
                self.module = f"load_module {path};\n"
                return program
        return None

    def config(self, kind, port, target, work):
        udp = " udp reuseport" if kind == "udp" else ""
        return (f"{self.module}daemon off;\nworker_processes auto;\npid {work}/nginx.pid;\n"
                f"error_log stderr error;\nworker_rlimit_nofile {self.files};\n"
                f"events {{ worker_connections {2 * self.connections}; }}\n"
                f"stream {{ server {{ listen 127.0.0.1:{port}{udp}; "
                f"proxy_pass 127.0.0.1:{target}; proxy_timeout 1h; }} }}\n")

    def command(self, kind, port, target, conf):
        return [self.program, "-e", "stderr", "-c", conf]


class Microsocks(Subject):
    name = "microsocks"
    programs = ("microsocks",)
    kinds = ("socks5",)

    def version(self):
        return "unknown (the program does not tell)"

    def command(self, kind, port, target, conf):
        return [self.program, "-i", "127.0.0.1", "-p", str(port)]


class Hev(Subject):
    name = "hev-socks5-server"
    programs = ("hev-socks5-server",)
    kinds = ("socks5", "socks5-udp")

    def config(self, kind, port, target, work):
        workers = len(os.sched_getaffinity(0))
        return (f"main:\n  workers: {workers}\n  port: {port}\n  listen-address: '127.0.0.1'\n"
                f"misc:\n  log-level: error\n  limit-nofile: {self.files}\n")

    def command(self, kind, port, target, conf):
        return [self.program, conf]


class ThreeProxy(Subject):
    name = "3proxy"
    programs = ("3proxy",)
    kinds = ("forward", "socks5", "http", "udp", "socks5-udp")

    def config(self, kind, port, target, work):
        service = {
            "forward": f"tcppm -i127.0.0.1 {port} 127.0.0.1 {target}",
            "socks5": f"socks -i127.0.0.1 -p{port}",
            "http": f"proxy -i127.0.0.1 -p{port}",
            "udp": f"udppm -i127.0.0.1 {port} 127.0.0.1 {target}",
            "socks5-udp": f"socks -i127.0.0.1 -p{port}",
        }[kind]
        return f"log /dev/null\nmaxconn {self.connections}\nauth none\n{service}\n"

    def command(self, kind, port, target, conf):
        return [self.program, conf]


class Dante(Subject):
    name = "sockd"
    programs = ("sockd", "danted")
    kinds = ("socks5", "socks5-udp")
    version_args = ("-v",)

    def config(self, kind, port, target, work):
        where = "from: 127.0.0.0/8 to: 0.0.0.0/0"
        return (f"logoutput: {work}/sockd.log\ninternal: 127.0.0.1 port = {port}\n"
                "external: 127.0.0.1\nclientmethod: none\nsocksmethod: none\n"
                "user.privileged: root\nuser.unprivileged: nobody\n"
                f"client pass {{ {where} }}\nsocks pass {{ {where} }}\n")

    def command(self, kind, port, target, conf):
        return [self.program, "-f", conf, "-p", f"{os.path.dirname(conf)}/sockd.pid"]


class Squid(Subject):
    """CONNECT only: nothing is cached or logged."""
    name = "squid"
    programs = ("squid",)
    kinds = ("http",)

    def config(self, kind, port, target, work):
        return (f"http_port 127.0.0.1:{port}\nhttp_access allow all\ncache deny all\n"
                f"cache_mem 8 MB\naccess_log none\ncache_log {work}/squid.log\n"
                f"pid_filename none\ncoredump_dir {work}\npinger_enable off\n"
                f"max_filedescriptors {self.files}\nshutdown_lifetime 0 seconds\n"
                "visible_hostname bench.invalid\nvia off\nforwarded_for delete\n")

    def command(self, kind, port, target, conf):
        return [self.program, "-N", "-n", f"bench{port_of(conf)}", "-f", conf]

    def prepare(self, work):
        os.chmod(work, 0o777)  # it becomes another user


class SingBox(Subject):
    name = "sing-box"
    programs = ("sing-box",)
    kinds = ("forward", "socks5", "http", "udp", "socks5-udp")
    version_args = ("version",)

    def config(self, kind, port, target, work):
        listen = f'"listen": "127.0.0.1", "listen_port": {port}'
        to = f'"override_address": "127.0.0.1", "override_port": {target}'
        inbound = {
            "forward": f'"type": "direct", "network": "tcp", {listen}, {to}',
            "udp": f'"type": "direct", "network": "udp", {listen}, {to}',
            "socks5": f'"type": "socks", {listen}',
            "socks5-udp": f'"type": "socks", {listen}',
            "http": f'"type": "http", {listen}',
        }[kind]
        return ('{"log": {"disabled": true}, "inbounds": [{%s}], '
                '"outbounds": [{"type": "direct"}]}\n' % inbound)

    def command(self, kind, port, target, conf):
        return [self.program, "run", "-c", conf]


class SsLibev(Subject):
    name = "shadowsocks-libev"
    programs = ("ss-local",)
    kinds = ("ss",)
    version_args = ("-h",)

    def find(self):
        near = super().find()
        self.far = shutil.which("ss-server")
        return near if self.far else None

    def pair(self, kind, port, far):
        method = ["-m", "aes-128-gcm", "-k", "secret", "-s", "127.0.0.1", "-p", str(far)]
        return [self.far, *method], [self.program, *method, "-b", "127.0.0.1", "-l", str(port)]


def port_of(conf):
    """The number in a configuration file's name, which is the port it is about."""
    return re.search(r"(\d+)\.conf$", conf).group(1)


ALL = (GostHost, Gost, Haproxy, HaproxySplice, Nginx, Microsocks, Hev, ThreeProxy, Dante, Squid,
       SingBox, SsLibev, Direct)


def available(wanted, files):
    """(subjects found, names not found). `wanted` is a list of names, or None for all; `files`
    is how many files one process may open."""
    known = {c.name: c for c in ALL}
    unknown = [n for n in wanted or [] if n not in known]
    if unknown:
        raise SystemExit(f"bench: --peers {','.join(unknown)}: the peers are "
                         + ", ".join(known))
    made = [c(files) for c in ALL if not wanted or c.name in wanted or c is GostHost]
    return ([s for s in made if s.program], [s.name for s in made if not s.program])
