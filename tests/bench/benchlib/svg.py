# svg.py - a small writer of bar charts.
# SPDX-License-Identifier: MIT
from xml.sax.saxutils import escape

COLOURS = ("#1b6ca8", "#d1495b", "#edae49", "#66a182", "#8d5a97", "#2e4057", "#b56576",
           "#6d9dc5", "#7f7f7f", "#c08552", "#3d8b6e")
WIDTH = 900
LABEL = 190
VALUE = 190
BAR = 12
GAP = 10


def short(value):
    """A number with three significant digits and no needless zeros."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    if size >= 0.995:
        return f"{value:.2f}"
    return f"{value:.3g}"


class Drawing:
    def __init__(self):
        self.parts = []
        self.y = 20

    def text(self, x, y, words, size=11, anchor="start", weight="normal"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" '
                          f'text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>')

    def rect(self, x, y, w, h, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" '
                          f'fill="{colour}"/>')

    def whisker(self, x1, x2, y):
        self.parts.append(f'<path d="M{x1:.1f} {y - 3:.1f}v6m0 -3H{x2:.1f}m0 -3v6" '
                          'stroke="#222" stroke-width="1" fill="none"/>')

    def finish(self):
        height = self.y + 20
        return ('<?xml version="1.0" encoding="UTF-8"?>\n'
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
                f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" fill="#222">\n'
                f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n'
                + "\n".join(self.parts) + "\n</svg>\n")


def _legend(d, subjects, colours):
    x = 10
    for name in subjects:
        if x > WIDTH - 140:
            x, d.y = 10, d.y + 16
        d.rect(x, d.y - 9, 10, 10, colours[name])
        d.text(x + 14, d.y, name)
        x += 30 + 7 * len(name)
    d.y += 24


def _panel(d, title, rows, colours):
    """`rows` is a list of (label, [(subject, spread)])."""
    top = max(s.high for _, bars in rows for _, s in bars)
    scale = (WIDTH - LABEL - VALUE) / top if top > 0 else 0
    d.text(10, d.y, title, size=14, weight="bold")
    d.y += 14
    for label, bars in rows:
        d.text(LABEL - 8, d.y + BAR - 2, label, anchor="end")
        for subject, s in bars:
            d.rect(LABEL, d.y, max(0.5, s.median * scale), BAR - 2, colours[subject])
            if s.high > s.low and scale:
                d.whisker(LABEL + max(0, s.low) * scale, LABEL + s.high * scale,
                          d.y + (BAR - 2) / 2)
            d.text(LABEL + max(0, s.high) * scale + 6, d.y + BAR - 3,
                   f"{short(s.median)}  {subject}", size=10)
            d.y += BAR
        d.y += GAP
    d.y += 14


def draw(heading, panels, subjects):
    """`panels` is a list of (title, rows); gives the text of the SVG file."""
    d = Drawing()
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(subjects)}
    d.text(10, d.y, heading, size=16, weight="bold")
    d.y += 24
    _legend(d, subjects, colours)
    for title, rows in panels:
        _panel(d, title, rows, colours)
    return d.finish()
