#!/usr/bin/env python3
# test_plugins - finding, refusing, loading and replacing plugin files.
# SPDX-License-Identifier: MIT

import glob
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SDK = os.path.join(TOP, "sdk")
CC = shlex.split(os.environ.get("CC", "cc"))

count = failed = 0


def check(good, name, detail=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good:
        for line in str(detail).splitlines()[:30]:
            print("# " + line)


def compile_(target, sources, *flags):
    done = subprocess.run(CC + ["-std=gnu11", "-O0"] +
                          ["-I" + os.path.join(SDK, part)
                           for part in ("include", "engine", "helpers")] +
                          list(flags) + ["-o", target] + sources + ["-lyaml", "-lcjson", "-lm",
                                                                    "-ldl", "-lpthread"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        check(False, "%s is built" % os.path.basename(target), done.stdout)
    return done.returncode == 0


def build_driver(target):
    def in_folder(*parts):
        return sorted(glob.glob(os.path.join(TOP, *parts)))
    return compile_(target, [os.path.join(TOP, "tests", "unit", "plugin_driver.c"),
                             os.path.join(SDK, "helpers", "addr.c")] +
                    in_folder("host", "plugin_*.c") + in_folder("host", "cli.c") +
                    in_folder("host", "conf_*.c") + in_folder("sdk", "loader", "*.c") +
                    in_folder("sdk", "engine", "options*.c"))


def build_plugin(target, name="probe", summary="a probe", extra="", kind="HANDLER", note=None):
    source = target[:-3] + ".c"
    word = kind.lower()
    with open(source, "w", encoding="utf-8") as f:
        f.write("""#include <gost/plugin.h>
%s
static int step(void *s, const void *c, struct gost_io *io, const struct gost_event *ev)
{
    return GOST_OK;
}
static const struct gost_%s_ops ops = {.size = sizeof ops, %s};
static const struct gost_component all[] = {
    {.kind = GOST_KIND_%s, .name = "%s", .summary = "%s", .ops = &ops}};
GOST_PLUGIN("%s", "1", "MIT", "%s", all, "%s");
""" % (extra, word, ".step = step" if kind == "HANDLER" else ".connect = step", kind, name, summary,
            name, summary, note or "%s:%s" % (word, name)))
    done = compile_(target, [source], "-fPIC", "-fvisibility=hidden", "-shared")
    os.unlink(source)
    return done


class Driver:
    def __init__(self, path):
        self.path = path

    def __call__(self, dirs, *commands, env=None):
        done = subprocess.run([self.path] + dirs + ["--"] + list(commands), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env=env, timeout=60)
        return done.stdout


def test_good(drive, folder):
    good = os.path.join(folder, "good")
    os.mkdir(good)
    build_plugin(os.path.join(good, "alpha.so"), "alpha")
    build_plugin(os.path.join(good, "beta.so"), "beta", kind="CONNECTOR")
    said = drive([good], "list", "known", "handler", "alpha", "known", "connector", "alpha")
    check("scanned 2" in said and "warning" not in said, "two plugins are found", said)
    check("handler    alpha" in said and os.path.join(good, "beta.so") in said,
          "--list names both", said)
    check("known 1" in said and "known 0" in said, "kinds are kept apart", said)
    said = drive([good], "json")
    check([e["name"] for e in json.loads(said[said.index("["):])] == ["alpha", "beta"],
          "--list --json", said)
    said = drive([good], "describe", "handler/alpha")
    check(json.loads(said[said.index("["):])[0]["summary"] == "a probe", "--describe --json", said)
    said = drive([good], "describe", "gamma")
    check("refused: no plugin offers" in said, "--describe of nothing is refused", said)
    said = drive([good], "find", "handler", "ALPHA", "find", "handler", "alphb", "suggest",
                 "handler", "alph")
    check("found alpha in %s" % os.path.join(good, "alpha.so") in said, "a component is loaded",
          said)
    check('did you mean alpha?' in said and "--list" in said, "an unknown one gets a suggestion",
          said)
    check("suggest alpha" in said, "suggestions", said)
    return good


def test_directories(drive, good, folder):
    env = dict(os.environ, GOST_PLUGIN_DIR=os.path.join(folder, "missing") + ":" + good)
    said = drive([], "list", env=env)
    check("scanned 2" in said and "missing cannot be read" in said, "GOST_PLUGIN_DIR is a list",
          said)
    said = drive([good, good])
    check("scanned 2" in said and "warning" not in said, "a directory given twice is read once",
          said)
    second = os.path.join(folder, "second")
    os.mkdir(second)
    build_plugin(os.path.join(second, "other.so"), "alpha", "another")
    said = drive([good, second], "describe", "alpha")
    check("scanned 2" in said and "other.so offers handler:alpha, which" in said and
          "skipped" in said and
          "a probe" in said, "what is offered twice comes from the first directory", said)


def test_hostile(drive, good, folder):
    bad = os.path.join(folder, "bad")
    os.mkdir(bad)
    with open(os.path.join(good, "alpha.so"), "rb") as f:
        image = f.read()
    files = {
        "text.so": (b"INPUT(-lfoo)\n", "is no shared object"),
        "empty.so": (b"", "is empty"),
        "short.so": (image[:40], "ends within its header"),
        "class.so": (image[:4] + b"\x07" + image[5:], "ELF class"),
        "order.so": (image[:5] + bytes([3 - image[5]]) + image[6:], "byte order"),
        "machine.so": (image[:18] + b"\x08\x00" + image[20:], "another machine"),
        "object.so": (image[:16] + b"\x01\x00" + image[18:], "-shared"),
        "cut.so": (image[:300], ""),
        "note.so": (image.replace(b"handler:alpha", b"handler alpha"), "damaged GOST note"),
    }
    for name, (data, _) in files.items():
        with open(os.path.join(bad, name), "wb") as f:
            f.write(data)
    os.mkfifo(os.path.join(bad, "fifo.so"))
    os.mkdir(os.path.join(bad, "folder.so"))
    said = drive([bad, good], "list", "find", "handler", "alpha")
    for name, (_, why) in sorted(files.items()):
        line = [w for w in said.splitlines()
                if w.startswith("warning: plugin %s/%s " % (bad, name))]
        check(len(line) == 1 and why in line[0], "%s is refused: %s" % (name, why or "somehow"),
              said)
    check("fifo.so is empty or no regular file" in said and "folder.so is empty or no" in said,
          "a pipe and a folder are refused", said)
    check("scanned 2" in said and "found alpha" in said, "the others still work", said)


def test_refused(drive, folder):
    where = os.path.join(folder, "refused")
    os.mkdir(where)
    build_plugin(os.path.join(where, "newer.so"), "newer",
                 extra="#undef GOST_NEED_MINOR\n#define GOST_NEED_MINOR 99")
    build_plugin(os.path.join(where, "major.so"), "major",
                 extra="#define gost_plugin_v1 gost_plugin_v2")
    build_plugin(os.path.join(where, "none.so"), "none",
                 extra="#undef GOST_PUBLIC\n#define GOST_PUBLIC")
    build_plugin(os.path.join(where, "lies.so"), "lies", note="handler:lies handler:more")
    build_plugin(os.path.join(where, "twice.so"), "twice", note="handler:twice handler:twice")
    build_plugin(os.path.join(where, "magic.so"), "magic",
                 extra="#undef GOST_MAGIC\n#define GOST_MAGIC 1")
    build_plugin(os.path.join(where, "symbol.so"), "symbol",
                 extra="extern int nowhere(void); int (*use)(void) = nowhere;")
    said = drive([where], *[word for name in ("newer", "major", "none", "lies", "magic", "symbol")
                            for word in ("find", "handler", name)])
    for name, why in (("newer", "needs interface 1.99"), ("major", "built for interface 2"),
                      ("none", "does not export gost_plugin_v1"), ("magic", "wrong magic number"),
                      ("lies", "handler:more in its note but not in its table"),
                      ("symbol", "undefined symbol: nowhere")):
        line = [w for w in said.splitlines() if "%s.so" % name in w and "not found" in w]
        check(len(line) == 1 and why in line[0], "%s.so is refused: %s" % (name, why), said)
    check("twice.so names handler:twice twice" in said, "a note that names a component twice", said)


def test_replaced(drive, folder):
    where = os.path.join(folder, "replaced")
    os.mkdir(where)
    path, fresh = os.path.join(where, "alpha.so"), os.path.join(folder, "fresh.so")
    build_plugin(path, "alpha", "old")
    build_plugin(fresh, "alpha", "new")
    child = subprocess.Popen([drive.path, where, "--", "describe", "alpha", "wait", "rescan",
                              "describe",
                              "alpha"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    said = ""
    for line in child.stdout:
        said += line
        if line == "waiting\n":
            break
    shutil.move(fresh, path)
    said += child.communicate("\n", timeout=60)[0]
    check(said.count('"summary": "old"') == 1 and said.count('"summary": "new"') == 1,
          "a replaced file is a new plugin after the next scan", said)


def test_crash(drive, good):
    done = subprocess.run([drive.path, good, "--", "crash"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE,
                          text=True)
    check(done.returncode == -6 and "SIGABRT outside of any component's step" in done.stderr,
          "a crash tells where it was and ends as it would have", done.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "driver")
        if build_driver(path):
            drive = Driver(path)
            good = test_good(drive, folder)
            test_directories(drive, good, folder)
            test_hostile(drive, good, folder)
            test_refused(drive, folder)
            test_replaced(drive, folder)
            test_crash(drive, good)
    print("1..%d" % count)
    return 1 if failed else 0


sys.exit(main())
