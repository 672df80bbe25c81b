# stats.py - medians, spreads, ratios within rounds, and aims.
# SPDX-License-Identifier: MIT
import fnmatch
import statistics


class Spread:
    """The median of some values, with the least and the greatest of them."""

    def __init__(self, values):
        self.values = list(values)
        self.median = statistics.median(self.values)
        self.low = min(self.values)
        self.high = max(self.values)

    def as_dict(self):
        return {"median": self.median, "min": self.low, "max": self.high, "n": len(self.values)}


def pair_ratios(base, peer):
    """Ratios base/peer of the rounds that have both. `base` and `peer` map round to value."""
    both = sorted(set(base) & set(peer))
    ratios = [base[r] / peer[r] for r in both if peer[r] > 0]
    return Spread(ratios) if ratios else None


def judge(spread, aim):
    """True when the whole interval meets the aim; an interval that crosses it has missed."""
    if "at_least" in aim and spread.low < aim["at_least"]:
        return False
    if "at_most" in aim and spread.high > aim["at_most"]:
        return False
    return True


def find_aim(aims, figure, peer=None):
    """The first aim whose patterns fit, or None."""
    for aim in aims:
        if not fnmatch.fnmatchcase(figure, aim["figure"]):
            continue
        if peer is None or fnmatch.fnmatchcase(peer, aim.get("peer", "*")):
            return aim
    return None


def check_aims(aims):
    """Raises ValueError on a table that cannot be what its writer meant."""
    for section in aims:
        if section not in ("ratios", "values"):
            raise ValueError(f'"{section}": the sections are "ratios" and "values"')
        for aim in aims[section]:
            extra = set(aim) - {"figure", "peer", "at_least", "at_most"}
            if extra:
                raise ValueError(f"{aim}: unknown key {', '.join(sorted(extra))}")
            if "figure" not in aim or not ("at_least" in aim or "at_most" in aim):
                raise ValueError(f'{aim}: needs "figure", and "at_least" or "at_most"')
