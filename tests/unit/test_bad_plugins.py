#!/usr/bin/env python3
# test_bad_plugins - gost-plugin-check refuses each broken plugin for its own reason.
# SPDX-License-Identifier: MIT

import os
import re
import shlex
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(TOP, "tests", "bad-plugins")
TRANSCRIPTS = [os.path.join(FOLDER, name) for name in ("probe.tr", "probe-zero.tr")]

# What fails and why, as the tool writes it. The first must be there, for this reason.
REASONS = {
    "alias_clash": ("share a name", "two options called end"),
    "bad_default": ("defaults parse", '"1000".*from 1 to 200'),
    "bad_stack": ("its data is well formed", "separated by"),
    "blocking_transport": ("makes descriptors that a host can use", "is not non-blocking"),
    "crashes": ("lives and dies with any input", "crashed with signal"),
    "error_without_text": ("lives and dies with any input", "without a text"),
    "extra_symbol": ("nothing else", "probe_helper"),
    "hangs": ("lives and dies with any input", "hangs"),
    "index_leaks": ("its end frees everything", "bytes more"),
    "keeps_view": ("no view is kept", "memory it has consumed"),
    "leaks": ("destroying it frees everything", "bytes more"),
    "named_twice": ("loads", "names handler:probe twice"),
    "newer_minor": ("loads", "needs interface 1.60000.*install a newer"),
    "no_summary": ("summary of one line", "handler probe has none"),
    "not_split": ("fed in pieces of 1", "probe.tr:4"),
    "opens_descriptor": ("loading: no thread", "1 descriptors open"),
    "over_read": ("nothing is read beyond", "check lengths"),
    "sends_after_ok": ("lives and dies with any input", "outside of a step"),
    "signal_handler": ("loading: no thread", "handler for signal"),
    "spins": ("waiting costs nothing", "spins"),
    "starts_thread": ("loading: no thread", "1 threads"),
    "stream_leaks": ("its end frees everything", "bytes more"),
    "wrong_note": ("loads", "connector:probe in its note but not in its table"),
    "wrong_width": ("loads", "binds the option suffix"),
}

count = failed = 0


def check(good, name, detail=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good:
        for line in detail.splitlines()[:20]:
            print("# " + line)


def build(name, folder):
    compiler = shlex.split(os.environ.get("CC", "cc"))
    target = os.path.join(folder, name + ".so")
    done = subprocess.run(
        compiler + ["-std=gnu11", "-O1", "-fPIC", "-fvisibility=hidden", "-shared", "-I",
                    os.path.join(TOP, "sdk", "include"), "-o", target,
                    os.path.join(FOLDER, name + ".c"), "-lpthread"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return target if done.returncode == 0 else None, done.stdout


def grade(tool, path, seconds):
    done = subprocess.run([tool, "--seconds", str(seconds), path] + TRANSCRIPTS,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    failures = re.findall(r"^not ok \d+ - (.*)\n# (.*)$", done.stdout, re.MULTILINE)
    return done.returncode, failures, done.stdout


def one_bad(tool, folder, name):
    path, said = build(name, folder)
    if not path:
        check(False, "%s is built" % name, said)
        return
    title, why = REASONS[name]
    status, failures, said = grade(tool, path, 3 if name == "hangs" else 120)
    found = any(title in check_ and re.search(why, text) for check_, text in failures)
    check(status == 1 and found, "%s fails: %s" % (name, title), said)


def main():
    tool = os.environ.get("GOST_PLUGIN_CHECK")
    if not tool or not os.access(tool, os.X_OK):
        print("1..0 # SKIP GOST_PLUGIN_CHECK names no program: run this with make check")
        return 0
    if os.environ.get("GOST_SANITIZERS"):
        print("1..0 # SKIP a sanitizer ends a broken plugin before it can be judged")
        return 0
    sources = sorted(f[:-2] for f in os.listdir(FOLDER) if f.endswith(".c"))
    check(sources == sorted(list(REASONS) + ["good"]), "every broken plugin has its reason here",
          " ".join(sources))
    with tempfile.TemporaryDirectory() as folder:
        path, said = build("good", folder)
        if path:
            status, failures, said = grade(tool, path, 120)
            check(status == 0 and not failures, "the good plugin passes", said)
        else:
            check(False, "the good plugin is built", said)
        for name in sorted(REASONS):
            one_bad(tool, folder, name)
    print("1..%d" % count)
    return 1 if failed else 0


sys.exit(main())
