# cells.py - what is measured: the cells, and how one sample of a cell is taken.
# SPDX-License-Identifier: MIT
"""A cell is one load on one kind of service. A sample is one subject under that load once: a
fresh target, a fresh proxy, one client. It yields named figures.
"""
import os
import tempfile
import time

from . import load
from .peers import STACKS
from .procs import Process, Trouble, machine_busy

GB = 1e9
SETTLE = 0.05  # so that closing what is left counts for its proxy

# Figure: (unit, what is better: 1 more, -1 less, title)
FIGURES = {
    "gbps": ("Gbit/s", 1, "throughput"),
    "cpu_per_gb": ("CPU s/GB", -1, "proxy CPU per GB"),
    "rate": ("req/s", 1, "requests per second"),
    "p50": ("us", -1, "median latency"),
    "p99": ("us", -1, "99th percentile latency"),
    "conns": ("conn/s", 1, "connections per second"),
    "cpu_per_conn": ("CPU us", -1, "proxy CPU per connection"),
    "private_rest": ("KiB", -1, "private memory at rest"),
    "rss_rest": ("KiB", -1, "resident memory at rest"),
    "private_pair": ("bytes", -1, "private memory per idle pair"),
    "rss_pair": ("bytes", -1, "resident memory per idle pair"),
    "idle_cpu": ("%", -1, "CPU with all pairs idle"),
    "pps": ("packets/s", 1, "datagrams delivered per second"),
    "loss": ("%", -1, "datagrams lost"),
    "cpu_per_packet": ("CPU us", -1, "proxy CPU per datagram delivered"),
    "ready": ("ms", -1, "start until the first answer"),
}


class Sizes:
    """How much is done: the full run, or the quick one."""

    def __init__(self, quick, flows, files):
        self.bulk_secs = 0.7 if quick else 3.0
        self.rr_secs = 0.5 if quick else 2.0
        self.conn_secs = 0.7 if quick else 2.0
        self.udp_secs = 0.4 if quick else 1.5
        self.rest_secs = 2.0 if quick else 10.0
        self.pairs = (100, 500) if quick else (1000, 5000)
        self.mem_rounds = 1 if quick else 3
        self.flows = flows
        self.max_conns = max_connections()
        room = int(files / 2.6) - 200  # two sockets a pair, and what proxies add
        if room < self.pairs[1]:
            print(f"bench: {files} open files allow {room} idle pairs, not {self.pairs[1]}")
            self.pairs = (room // 5, room)


def max_connections():
    """Fewer than a proxy has ports for: past that, connect() itself searches and slows down."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
        low, high = (int(x) for x in f.read().split())
    return max(1000, (high - low) // 2 - 2000)


class Cell:
    def __init__(self, group, name, kind, figures, sample, **params):
        self.group = group
        self.name = name
        self.kind = kind
        self.figures = figures
        self.sample = sample
        self.params = params

    @property
    def id(self):
        return f"{self.group}/{self.name}"


class Stage:
    """The target and one subject, running."""

    def __init__(self, bench, subject, kind):
        self.bench = bench
        self.subject = subject
        self.kind = kind
        self.proxy = None
        self.far = None  # the second process of a stack
        self.client = None
        self.target = load.Target(bench.load, bench.work, bench.load_cpus)
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    def start(self):
        udp = self.kind == "udp"
        if self.subject.in_process:
            self.port = self.target.port
            return
        self.port = load.free_port(load.socket.SOCK_DGRAM if udp else load.socket.SOCK_STREAM)
        folder = tempfile.mkdtemp(dir=self.bench.work)
        os.chmod(folder, 0o755)
        self.subject.prepare(folder)
        conf = os.path.join(folder, f"{self.port}.conf")
        text = self.subject.config(self.kind, self.port, self.target.port, folder)
        if text is not None:
            with open(conf, "w", encoding="ascii") as f:
                f.write(text)
        if self.kind in STACKS:
            argv = self.start_far(folder)
        else:
            argv = self.subject.command(self.kind, self.port, self.target.port, conf)
            self.bench.note_setup(self.subject, self.kind, [argv], text)
        begin = time.monotonic()
        self.proxy = Process(argv, os.path.join(folder, "log"), self.bench.proxy_cpus, cwd=folder)
        load.wait_answer(self.proxy, self.via(), self.port, self.target.port)
        self.ready_ms = (time.monotonic() - begin) * 1e3

    def start_far(self, folder):
        """Gives the command line of the near one."""
        far, near = self.subject.pair(self.kind, self.port, load.free_port())
        self.bench.note_setup(self.subject, self.kind, [far, near], None)
        self.far = Process(far, os.path.join(folder, "far.log"), self.bench.proxy_cpus, cwd=folder)
        return near

    def via(self):
        return "socks5" if self.kind in STACKS else self.kind

    def open_client(self, mode, extra):
        via = {"udp": "forward", "socks5-udp": "socks5"}.get(self.via(), self.via())
        self.client = load.Client(self.bench.load, self.bench.work, mode, via, self.port,
                                  self.target.port, extra, self.bench.load_cpus)
        return self.client

    def proxy_cpu(self):
        return sum(p.cpu() for p in (self.proxy, self.far) if p)

    def all_cpu(self):
        return self.proxy_cpu() + self.target.cpu() + (self.client.cpu() if self.client else 0.0)

    def stop(self):
        for p in (self.client, self.proxy, self.far, self.target):
            if p:
                p.stop()


def _loaded(stage, mode, secs, extra):
    """Runs one client. Gives (its result, proxy CPU seconds, share of the machine that others
    used meanwhile)."""
    client = stage.open_client(mode, ["--secs", secs, *extra])
    proxy, ours = stage.proxy_cpu(), stage.all_cpu()
    busy, begin = machine_busy(), time.monotonic()
    result = client.go(secs)
    time.sleep(SETTLE)
    elapsed = time.monotonic() - begin
    others = machine_busy() - busy - (stage.all_cpu() - ours)
    used = stage.proxy_cpu() - proxy
    if result.get("bad"):
        raise Trouble(f"{result['bad']} damaged datagrams")
    return result, used, max(0.0, others / (elapsed * os.cpu_count()))


def sample_bulk(stage, sizes, up, flows):
    extra = ["--flows", flows] + (["--up"] if up else [])
    r, cpu, others = _loaded(stage, "bulk", sizes.bulk_secs, extra)
    values = {"gbps": r["bytes"] * 8 / r["secs"] / 1e9}
    if stage.proxy:
        values["cpu_per_gb"] = cpu / (r["bytes"] / GB)
    return values, others


def sample_rr(stage, sizes, size):
    r, _, others = _loaded(stage, "rr", sizes.rr_secs, ["--flows", 16, "--size", size])
    return {"rate": r["requests"] / r["secs"], "p50": r["p50_us"], "p99": r["p99_us"]}, others


def sample_conn(stage, sizes):
    r, cpu, others = _loaded(stage, "conn", sizes.conn_secs,
                             ["--flows", 32, "--max", sizes.max_conns])
    if r["errors"]:
        raise Trouble(f"{r['errors']} of {r['conns'] + r['errors']} connections failed")
    values = {"conns": r["conns"] / r["secs"], "p99": r["p99_us"]}
    if stage.proxy:
        values["cpu_per_conn"] = cpu / r["conns"] * 1e6
    return values, others


def sample_udp(stage, sizes, size, flood):
    extra = ["--flows", 8, "--size", size] + (["--flood"] if flood else [])
    r, cpu, others = _loaded(stage, "udp", sizes.udp_secs, extra)
    if not r["delivered"]:
        raise Trouble(f"none of {r['sent']} datagrams arrived")
    values = {"pps": r["delivered"] / r["secs"],
              "loss": 100.0 * max(0, r["sent"] - r["delivered"]) / r["sent"]}
    if not flood:
        values["p50"] = r["p50_us"]
    if stage.proxy:
        values["cpu_per_packet"] = cpu / r["delivered"] * 1e6
    return values, others


def sample_start(stage, sizes):
    return {"ready": stage.ready_ms}, 0.0


def sample_mem(stage, sizes):
    low, high = sizes.pairs
    time.sleep(1.0)
    rest = stage.proxy.memory()
    client = stage.open_client("idle", ["--flows", high])
    client.ask(f"open {low}", 60 + low / 20)
    time.sleep(sizes.rest_secs)
    few = stage.proxy.memory()
    client.ask(f"open {high}", 60 + high / 20)
    time.sleep(sizes.rest_secs / 2)
    cpu, begin = stage.proxy_cpu(), time.monotonic()
    time.sleep(sizes.rest_secs / 2)
    idle = (stage.proxy_cpu() - cpu) / (time.monotonic() - begin)
    many = stage.proxy.memory()
    client.ask("check", 60)
    span = high - low
    return {"private_rest": rest[0] / 1024, "rss_rest": rest[1] / 1024,
            "private_pair": (many[0] - few[0]) / span, "rss_pair": (many[1] - few[1]) / span,
            "idle_cpu": idle * 100}, 0.0


def plan(groups, sizes):
    """All cells of the asked groups, in the order of the report."""
    cells = []
    streams = ("forward", "socks5", "http")
    if "start" in groups:
        cells += [Cell("start", k, k, ("ready",), sample_start) for k in streams]
    if "bulk" in groups:
        cells += [Cell("bulk", f"{k}/{'up' if up else 'down'}/{n}", k, ("gbps", "cpu_per_gb"),
                       sample_bulk, up=up, flows=n)
                  for k in streams for up in (False, True) for n in sizes.flows]
    if "rr" in groups:
        cells += [Cell("rr", f"{k}/{size}B", k, ("rate", "p50", "p99"), sample_rr, size=size)
                  for k in streams for size in (1, 1024)]
    if "conn" in groups:
        cells += [Cell("conn", k, k, ("conns", "cpu_per_conn", "p99"), sample_conn)
                  for k in streams]
    if "udp" in groups:
        names = {"udp": "forward", "socks5-udp": "socks5"}
        cells += [Cell("udp", f"{names[k]}/{'flood' if flood else 'echo'}/{size}B", k,
                       ("pps", "loss", "cpu_per_packet") + (() if flood else ("p50",)),
                       sample_udp, size=size, flood=flood)
                  for k in ("udp", "socks5-udp") for flood in (False, True)
                  for size in (64, 512, 1400)]
    if "mem" in groups:
        cells += [Cell("mem", k, k, ("private_rest", "rss_rest", "private_pair", "rss_pair",
                                     "idle_cpu"), sample_mem) for k in streams]
    if "stacks" in groups:
        cells += [Cell("stacks", f"{k}/{'up' if up else 'down'}", k, ("gbps", "cpu_per_gb"),
                       sample_bulk, up=up, flows=8) for k in STACKS for up in (False, True)]
    return cells
