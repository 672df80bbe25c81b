# report.py - the samples as Markdown, JSON and SVG.
# SPDX-License-Identifier: MIT
import json
import os
import shlex

from . import svg
from .cells import FIGURES
from .stats import Spread, find_aim, judge, pair_ratios

TITLES = {
    "start": "Start-up",
    "bulk": "Bulk transfer (kind / direction / flows)",
    "rr": "Request and response, 16 flows",
    "conn": "New connections, 32 at a time",
    "udp": "Datagrams, 8 flows",
    "mem": "Memory and idle CPU",
    "stacks": "Stacks: SOCKS5, a second process, the target (CPU of both), 8 flows",
}
WHY = {True: "met", False: "missed"}


class Results:
    """All samples of a run: (figure, subject) to {round: value}."""

    def __init__(self, cells, subjects, base, aims):
        self.cells = cells
        self.subjects = subjects
        self.base = base
        self.aims = aims
        self.samples = {}
        self.failures = []
        self.setups = {}
        self.noise = []

    def add(self, cell, subject, number, values):
        for name, value in values.items():
            key = (f"{cell.id}/{name}", subject.name)
            self.samples.setdefault(key, {})[number] = value

    def spread(self, figure, name):
        values = self.samples.get((figure, name))
        return Spread(values.values()) if values else None

    def figures(self, group=None):
        """(cell, figure name, figure id) of everything measured, in order."""
        for cell in self.cells:
            if group in (None, cell.group):
                for name in cell.figures:
                    yield cell, name, f"{cell.id}/{name}"

    def ratios(self):
        """Rows of the comparison of the base with each peer."""
        rows = []
        for _, name, figure in self.figures():
            base = self.samples.get((figure, self.base))
            for s in self.subjects:
                peer = self.samples.get((figure, s.name))
                if s.name == self.base or not base or not peer:
                    continue
                ratio = pair_ratios(base, peer)
                if ratio is None:
                    continue
                aim = None
                if not s.in_process:
                    aim = find_aim(self.aims.get("ratios", []), figure, s.name)
                rows.append((figure, name, s.name, ratio, aim))
        return rows

    def absolutes(self):
        """Rows of the base's own figures that have an aim."""
        rows = []
        for _, name, figure in self.figures():
            value = self.spread(figure, self.base)
            aim = find_aim(self.aims.get("values", []), figure)
            if value and aim:
                rows.append((figure, name, value, aim))
        return rows


def spread_text(s):
    if s is None:
        return ""
    if len(s.values) == 1:
        return svg.short(s.median)
    return f"{svg.short(s.median)} ({svg.short(s.low)} to {svg.short(s.high)})"


def aim_text(aim):
    if aim is None:
        return ""
    return ", ".join(f"{word} {svg.short(aim[key])}"
                     for key, word in (("at_least", "at least"), ("at_most", "at most"))
                     if key in aim)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _group_table(results, group):
    shown = [s.name for s in results.subjects
             if any((f, s.name) in results.samples for _, _, f in results.figures(group))]
    if not shown:
        return ""
    rows = []
    for cell, name, figure in results.figures(group):
        texts = [spread_text(results.spread(figure, s)) for s in shown]
        if any(texts):
            unit, _, title = FIGURES[name]
            rows.append([cell.name, f"{title}, {unit}", *texts])
    return f"\n## {TITLES[group]}\n\n" + table(["load", "figure", *shown], rows)


def _comparison(results):
    ratios, absolutes = results.ratios(), results.absolutes()
    if not ratios and not absolutes:
        return ""
    text = (f"\n## {results.base} against each peer\n\nThe ratio is {results.base} / peer within "
            "one round; median, least and greatest of all rounds. An aim is met when the whole "
            "interval meets it.\n\n")
    rows = []
    for figure, name, peer, ratio, aim in ratios:
        better = "more" if FIGURES[name][1] > 0 else "less"
        rows.append([figure, peer, spread_text(ratio), better, aim_text(aim),
                     WHY[judge(ratio, aim)] if aim else ""])
    if rows:
        text += table(["figure", "peer", "ratio", "better is", "aim", ""], rows)
    rows = [[figure, f"{spread_text(v)} {FIGURES[name][0]}", aim_text(aim), WHY[judge(v, aim)]]
            for figure, name, v, aim in absolutes]
    if rows:
        text += "\n" + table(["figure", "value", "aim", ""], rows)
    judged = [judge(r, a) for _, _, _, r, a in ratios if a]
    judged += [judge(v, a) for _, _, v, a in absolutes]
    return text + f"\n{judged.count(True)} aims met, {judged.count(False)} missed.\n"


def _setups(results):
    text = "\n## How each was started\n\nPorts and folders are those of one sample.\n"
    for (name, kind), (commands, conf) in sorted(results.setups.items()):
        text += f"\n{name}, {kind}:\n\n```\n"
        text += "".join(f"$ {shlex.join(argv)}\n" for argv in commands) + (conf or "") + "```\n"
    return text


def markdown(results, facts):
    text = "# gost-host side by side\n\n"
    text += "".join(f"- {key}: {value}\n" for key, value in facts.items())
    text += "\nEach value is the median of the rounds, with the least and the greatest.\n"
    for group in TITLES:
        text += _group_table(results, group)
    text += _comparison(results)
    if results.failures:
        text += "\n## Samples that failed\n\n"
        text += "".join(f"- {where}: {why}\n" for where, why in results.failures)
    return text + _setups(results)


def as_json(results, facts):
    figures = {}
    for (figure, subject), values in results.samples.items():
        figures.setdefault(figure, {})[subject] = {
            **Spread(values.values()).as_dict(), "rounds": {str(r): v for r, v in values.items()},
            "unit": FIGURES[figure.rpartition("/")[2]][0]}
    ratios = [{"figure": f, "base": results.base, "peer": p, **r.as_dict(), "aim": a,
               "met": judge(r, a) if a else None} for f, _, p, r, a in results.ratios()]
    values = [{"figure": f, "subject": results.base, **v.as_dict(), "aim": a, "met": judge(v, a)}
              for f, _, v, a in results.absolutes()]
    setups = [{"subject": n, "kind": k, "commands": commands, "configuration": conf}
              for (n, k), (commands, conf) in sorted(results.setups.items())]
    return json.dumps({"facts": facts, "figures": figures, "ratios": ratios, "values": values,
                       "failures": [{"sample": w, "why": y} for w, y in results.failures],
                       "setups": setups}, indent=1) + "\n"


def plot(results):
    panels = []
    for group, title in TITLES.items():
        for name in FIGURES:
            rows = []
            for cell, figure_name, figure in results.figures(group):
                bars = [(s.name, results.spread(figure, s.name)) for s in results.subjects]
                bars = [(n, s) for n, s in bars if s]
                if figure_name == name and bars:
                    rows.append((cell.name, bars))
            if rows:
                unit, better, what = FIGURES[name]
                hint = "more is better" if better > 0 else "less is better"
                panels.append((f"{title}: {what}, {unit} ({hint})", rows))
    return svg.draw("gost-host side by side", panels, [s.name for s in results.subjects])


def write(results, facts, out):
    """Writes the three files; gives their paths."""
    os.makedirs(out, exist_ok=True)
    paths = []
    for name, text in (("results.md", markdown(results, facts)),
                       ("results.json", as_json(results, facts)),
                       ("results.svg", plot(results))):
        path = os.path.join(out, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        paths.append(path)
    return paths
