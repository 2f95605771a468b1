"""How numbers read: pure functions from values to text."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from lstm_bench.results import Outcome, Row
from lstm_bench.safety import REPLACED
from lstm_bench.statistics import SURE, Mean, Rate

NONE = "–"
VISIBLE = {" ": "␣", "\n": "↵", "\t": "⇥", "": NONE}


def printable(value: object) -> str:
    """Returns `value` as one line of text that every file format here can hold.

    >>> printable("a\\nb\\x00")
    'a b�'
    """
    text = str(value).replace("\n", " ").replace("\t", " ")
    return "".join(char if char.isprintable() else REPLACED for char in text)


def symbol(value: object) -> str:
    """Returns a symbol of a sequence as it is printed: white space is made visible.

    >>> symbol(" "), symbol("A")
    ('␣', 'A')
    """
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return VISIBLE.get(text) or printable(text)


def percent(share: float | None, unit: str = "") -> str:
    """Returns a share in [0, 1] as a percentage; only a whole one reads as 100.

    >>> percent(0.84), percent(0.9999), percent(1.0, " %"), percent(float("nan"))
    ('84.0', '> 99.9', '100.0 %', '–')
    """
    if share is None or math.isnan(share):
        return NONE
    text = f"{100 * share:.1f}"
    if text == "100.0" and share < 1:
        text = "> 99.9"
    if text == "0.0" and share > 0:
        text = "< 0.1"
    return text + unit


def span(low: float, high: float, unit: str = "") -> str:
    """Returns an interval of shares as percentages.

    >>> span(0.7225, 1.0)
    '[72.2, 100.0]'
    """
    if math.isnan(low) or math.isnan(high):
        return NONE
    return f"[{percent(low)}, {percent(high)}]{unit}"


def accuracy(mean: Mean) -> str:
    """Returns mean and standard deviation: `84.0 ± 2.1`; without the latter for one seed."""
    return percent(mean.mean) if math.isnan(mean.std) else f"{percent(mean.mean)} ± {_points(mean)}"


def _points(mean: Mean) -> str:
    points = f"{100 * mean.std:.1f}"
    return "< 0.1" if points == "0.0" and mean.std > 0 else points


def interval(mean: Mean) -> str:
    """Returns the interval of a mean, or in words why there is none."""
    if mean.n < 2 or math.isnan(mean.mean) or not math.isnan(mean.low):
        return span(mean.low, mean.high)
    few = "n too small" if mean.n < SURE else ""
    return ", ".join(filter(None, [f"all {mean.n} equal" if mean.std == 0 else "", few]))


def score_interval(mean: Mean, measure: str) -> str:
    """Returns `interval`, or that of a rate, which has a width though all seeds agree."""
    return span(mean.low, mean.high) if measure == "solve_rate" else interval(mean)


def p_value(p: float) -> str:
    """Returns a p value to two digits: `0.04`; below a thousandth only that it is.

    >>> p_value(0.0412), p_value(1e-9), p_value(float("nan"))
    ('0.041', '< 0.001', '–')
    """
    if math.isnan(p):
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def measure(name: str) -> str:
    """Returns what an objective is called in a sentence."""
    return "share of whole sequences right" if name == "sequence_accuracy" else heading(name)


def heading(key: str) -> str:
    """Returns a setting's name as words: `batch_size` -> `batch size`."""
    return printable(key).replace("_", " ")


def signed(difference: float) -> str:
    """Returns a difference of shares in percentage points, with its sign.

    >>> signed(0.125), signed(-0.2), signed(0.0)
    ('+12.5', '−20.0', '0.0')
    """
    if math.isnan(difference):
        return NONE
    text = f"{100 * difference:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def between(low: float, high: float) -> str:
    """Returns an interval of differences in percentage points.

    >>> between(-0.2, 0.125)
    '[−20.0, +12.5]'
    """
    return NONE if math.isnan(low) or math.isnan(high) else f"[{signed(low)}, {signed(high)}]"


def lost(difference: float) -> str:
    """Returns what became of a score that fell by `difference`.

    >>> lost(0.025), lost(-0.01), lost(0.0), lost(float("nan"))
    ('lost 2.5 points', 'gained 1.0 points', 'lost nothing', 'has no score')
    """
    if math.isnan(difference):
        return "has no score"
    if abs(difference) < 0.0005:
        return "lost nothing"
    return f"{'gained' if difference < 0 else 'lost'} {100 * abs(difference):.1f} points"


def solved(rate: Rate) -> str:
    """Returns how many seeds solved it: `9/10`."""
    return f"{rate.k}/{rate.n}"


def epochs(outcome: Outcome) -> str:
    """Returns the median of the epochs to solve, or that it is later than training lasted.

    Nothing beside naive answers: then it is told after the last epoch alone whether it is solved.
    """
    if outcome.score == "skill":
        return NONE
    median = outcome.epochs_to_solve
    if median is not None:
        return f"{median:,.1f}".removesuffix(".0")
    last = outcome.settings.get("epochs")
    return f"> {last:,}" if isinstance(last, int) else "not reached"


def figure(value: float) -> str:
    """Returns a metric's value to four digits."""
    return NONE if math.isnan(value) else f"{value:.4g}"


def count(number: float) -> str:
    """Returns a whole number with its thousands set apart."""
    return f"{number:,.0f}"


def seconds(value: float) -> str:
    """Returns seconds to about two digits.

    >>> seconds(0.046), seconds(3.14), seconds(1234.5)
    ('0.046', '3.1', '1,234')
    """
    if math.isnan(value):
        return NONE
    return f"{value:.2g}" if value < 1 else f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def value(setting: Any) -> str:
    """Returns a setting's value as it is written in a sweep file; `–` where there is none."""
    if setting is None:
        return NONE
    if isinstance(setting, bool):
        return str(setting).lower()
    if isinstance(setting, float):
        return f"{setting:.3g}"
    if isinstance(setting, Mapping | list | tuple):
        return printable(json.dumps(setting, sort_keys=True, ensure_ascii=False, default=str))
    return printable(setting)


def part_of_space(part: Any) -> str:
    """Returns what a search could choose for one setting.

    >>> part_of_space({"int": [4, 32], "log": True})
    'whole numbers from 4 to 32, on a log scale'
    >>> part_of_space([True, False])
    'true, false'
    """
    if isinstance(part, Mapping):
        for key, kind in (("int", "whole numbers"), ("float", "numbers")):
            bounds = part.get(key)
            if isinstance(bounds, list | tuple) and len(bounds) == 2:
                scale = ", on a log scale" if part.get("log") else ""
                return f"{kind} from {value(bounds[0])} to {value(bounds[1])}{scale}"
    if isinstance(part, list | tuple):
        return ", ".join(map(value, part))
    return value(part)


def seeds_of(rows: Sequence[Row]) -> str:
    """Returns how many seeds `rows` have: `10 seeds`, or `4 to 10 seeds`."""
    counts = sorted({len(row.outcome.seeds) for row in rows}) or [0]
    low, high = counts[0], counts[-1]
    few = f"{low}" if low == high else f"{low} to {high}"
    return f"{few} seed{'' if few == '1' else 's'}"


def label(row: Row, width: int = 10_000) -> str:
    """Returns the id and the name of a recipe, cut to `width` characters."""
    text = printable(f"{row.id}  {row.outcome.name}")
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def many(number: int, noun: str) -> str:
    """Returns a number with its noun: `1 recipe`, `2 recipes`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
