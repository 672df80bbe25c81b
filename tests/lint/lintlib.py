# lintlib - what the lints share: the files of the tree, C without comments, TAP.
# SPDX-License-Identifier: MIT
"""Helpers of the lints in this folder. A lint reports lists of complaints, one list a test."""

import os
import re
import sys

SRC = os.environ.get("TOP_SRCDIR") or os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("TOP_BUILDDIR") or os.getcwd()

FOLDERS = ("host", "sdk", "plugins", "conf.d", "tests", "contrib", ".ci")
TOP_FILES = ("configure.ac", "Makefile.am", "ChangeLog", "README.md", "LICENSE", ".gitignore")
DATA_FOLDERS = {"captures", "corpus", "data", "transcripts"}  # recorded bytes, not ours to style
MADE_FOLDERS = {".deps", "__pycache__", "results"}
TEXT_SUFFIXES = {".c", ".h", ".cc", ".py", ".sh", ".mk", ".in", ".md", ".yml", ".service",
                 ".socket", ".allow", ".json", ""}


def files(*suffixes, below=FOLDERS, data=False):
    """Paths relative to the source tree, of text files (with one of the suffixes, if given)."""
    found = []
    for folder in below:
        for top, folders, names in os.walk(os.path.join(SRC, folder)):
            unwanted = MADE_FOLDERS if data else MADE_FOLDERS | DATA_FOLDERS
            folders[:] = [name for name in folders if name not in unwanted]
            for name in names:
                path = os.path.join(top, name)
                suffix = os.path.splitext(name)[1]
                if suffix in (suffixes or TEXT_SUFFIXES) and os.path.isfile(path):
                    found.append(os.path.relpath(path, SRC))
    return sorted(path for path in found if not is_binary(path))


def is_binary(path):
    with open(os.path.join(SRC, path), "rb") as source:
        return b"\0" in source.read(4096)


def read(path):
    with open(os.path.join(SRC, path), encoding="utf-8", errors="replace") as source:
        return source.read()


TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def code_only(text, keep_strings=False):
    """C with comments (and strings) blanked; every line keeps its number."""
    def blank(match):
        token = match.group(0)
        if token[0] != "/":
            return token if keep_strings else '""'
        return "\n" * token.count("\n") or " "
    return TOKENS.sub(blank, text)


def numbered(text):
    return enumerate(text.split("\n"), 1)


class Tap:
    """Prints one test per list of complaints, and the plan at the end."""

    def __init__(self):
        self.count = 0
        self.failed = False

    def check(self, name, complaints):
        self.count += 1
        for complaint in complaints:
            print("# " + complaint)
        print("%sok %d - %s" % ("not " if complaints else "", self.count, name))
        self.failed = self.failed or bool(complaints)

    def skip(self, name, reason):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, name, reason))

    def done(self):
        print("1..%d" % self.count)
        sys.exit(1 if self.failed else 0)
