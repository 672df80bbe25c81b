# procs.py - processes: starting, ending, and what they used.
# SPDX-License-Identifier: MIT
"""Every process is started here and ended here, by its id.

A process is the leader of a session of its own, so the processes it forks are found by the
session's number (or as its descendants) and belong to it.
"""
import atexit
import ctypes
import os
import resource
import signal
import subprocess
import time

CPUCLOCK_SCHED = 2
PR_SET_PDEATHSIG = 1
STOP_SECONDS = 3.0
WANTED_FILES = 65536

_libc = ctypes.CDLL(None, use_errno=True)
_running = []


class Trouble(Exception):
    """A sample that could not be taken; the text says why."""


def raise_file_limit():
    """Raises the limit of open files for us and our children. Gives the limit in force."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < WANTED_FILES and os.geteuid() == 0:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (WANTED_FILES, WANTED_FILES))
            return WANTED_FILES
        except (OSError, ValueError):
            pass
    limit = min(hard, WANTED_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


def _stat_fields(pid):
    """Fields of /proc/PID/stat from the third on, or None when the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            return f.read().rpartition(b")")[2].split()
    except OSError:
        return None


def _cpu_of(pid):
    """CPU seconds of all threads, living and ended, plus those of children it has reaped."""
    fields = _stat_fields(pid)
    try:
        own = time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)
    except OSError:
        return 0.0
    if fields is None:
        return own
    ticks = int(fields[13]) + int(fields[14])
    return own + ticks / os.sysconf("SC_CLK_TCK")


def machine_busy():
    """CPU seconds that all processors spent on anything but idling."""
    with open("/proc/stat", "rb") as f:
        v = [int(x) for x in f.readline().split()[1:9]]
    return (sum(v) - v[3] - v[4]) / os.sysconf("SC_CLK_TCK")


class Process:
    """One started program with all its processes."""

    def __init__(self, argv, log, cpus=None, stdin=None, stdout=None, cwd=None):
        def prepare():
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if cpus:
                os.sched_setaffinity(0, cpus)

        self.argv = argv
        self.log = log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(
                argv, stdin=stdin or subprocess.DEVNULL, stdout=stdout or out, stderr=out,
                cwd=cwd, preexec_fn=prepare, start_new_session=True)
        self.pid = self.popen.pid
        _running.append(self)

    def pids(self):
        """Its own id, while it lives, and those of all processes that it made."""
        parents = {}
        found = {self.pid} if self.alive() else set()
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            fields = _stat_fields(name)
            if fields is None:
                continue
            parents[int(name)] = int(fields[1])
            if int(fields[3]) == self.pid and fields[0] != b"Z":
                found.add(int(name))
        grown = True
        while grown:
            more = {p for p, parent in parents.items() if parent in found} - found
            found |= more
            grown = bool(more)
        return sorted(found)

    def cpu(self):
        return sum(_cpu_of(pid) for pid in self.pids())

    def memory(self):
        """(private bytes, resident bytes) of all its processes."""
        private = rss = 0
        for pid in self.pids():
            try:
                with open(f"/proc/{pid}/smaps_rollup", "r", encoding="ascii") as f:
                    for line in f:
                        key, _, rest = line.partition(":")
                        if key in ("Private_Clean", "Private_Dirty"):
                            private += int(rest.split()[0]) * 1024
                        elif key == "Rss":
                            rss += int(rest.split()[0]) * 1024
            except OSError as e:
                if pid == self.pid:
                    raise Trouble(f"cannot read the memory of process {pid}: {e}") from e
        return private, rss

    def alive(self):
        return self.popen.poll() is None

    def last_words(self):
        with open(self.log, "r", encoding="utf-8", errors="replace") as f:
            lines = f.read().strip().splitlines()
        return " | ".join(lines[-3:])

    def stop(self):
        pids = self.pids()
        if self.alive():
            self.popen.terminate()
        end = time.monotonic() + STOP_SECONDS
        while time.monotonic() < end and self.alive():
            time.sleep(0.005)
        for pid in pids:
            if pid != self.pid and self._still_ours(pid):
                _kill(pid)
        if self.alive():
            _kill(self.pid)
        self.popen.wait()
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe:
                pipe.close()
        if self in _running:
            _running.remove(self)

    def _still_ours(self, pid):
        fields = _stat_fields(pid)
        return fields is not None and int(fields[3]) == self.pid


def _kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def stop_all():
    for p in list(_running):
        p.stop()


atexit.register(stop_all)
