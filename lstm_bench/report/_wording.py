"""Numbers and other values as text: pure functions."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from lstm_bench.results import Outcome, Row
from lstm_bench.safety import printable_line
from lstm_bench.statistics import NEAR_BOUND_SEEDS, Mean, Rate

NONE = "–"
VISIBLE = {" ": "␣", "\n": "↵", "\t": "⇥", "": NONE}


def symbol(value: object) -> str:
    """Returns a symbol of a sequence as text, with white space made visible.

    >>> symbol(" "), symbol("A")
    ('␣', 'A')
    """
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return VISIBLE.get(text) or printable_line(text)


def percent(share: float | None, unit: str = "") -> str:
    """Returns a share in [0, 1] as a percentage; `100.0` only if it is exactly 1.

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


def percent_interval(low: float, high: float, unit: str = "") -> str:
    """Returns an interval of shares as percentages.

    >>> percent_interval(0.7225, 1.0)
    '[72.2, 100.0]'
    """
    if math.isnan(low) or math.isnan(high):
        return NONE
    return f"[{percent(low)}, {percent(high)}]{unit}"


def mean_and_std(mean: Mean) -> str:
    """Returns mean and standard deviation: `84.0 ± 2.1`; of one seed only the mean."""
    return percent(mean.mean) if math.isnan(mean.std) else f"{percent(mean.mean)} ± {_std(mean)}"


def _std(mean: Mean) -> str:
    """Returns the standard deviation in percentage points."""
    points = f"{100 * mean.std:.1f}"
    return "< 0.1" if points == "0.0" and mean.std > 0 else points


def interval_or_reason(mean: Mean) -> str:
    """Returns the interval of a mean, or the reason why there is none."""
    if mean.n < 2 or math.isnan(mean.mean) or not math.isnan(mean.low):
        return percent_interval(mean.low, mean.high)
    if mean.why:
        return mean.why
    few = "n too small" if mean.n < NEAR_BOUND_SEEDS else ""
    return ", ".join(filter(None, [f"all {mean.n} equal" if mean.std == 0 else "", few]))


def score_interval(mean: Mean, measure: str) -> str:
    """Returns the interval of a score: that of a rate has a width even if all seeds agree."""
    if measure == "solve_rate":
        return percent_interval(mean.low, mean.high)
    return interval_or_reason(mean)


def p_value(p: float) -> str:
    """Returns a p value with two digits, or `< 0.001`.

    >>> p_value(0.0412), p_value(1e-9), p_value(float("nan"))
    ('0.041', '< 0.001', '–')
    """
    if math.isnan(p):
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def measure_name(name: str) -> str:
    """Returns the name of a measure in a sentence."""
    return "share of whole sequences right" if name == "sequence_accuracy" else heading(name)


def heading(key: str) -> str:
    """Returns the name of a setting as words: `batch_size` -> `batch size`."""
    return printable_line(key).replace("_", " ")


def signed_points(difference: float) -> str:
    """Returns a difference of shares in percentage points, with its sign.

    >>> signed_points(0.125), signed_points(-0.2), signed_points(0.0)
    ('+12.5', '−20.0', '0.0')
    """
    if math.isnan(difference):
        return NONE
    text = f"{100 * difference:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def points_interval(low: float, high: float) -> str:
    """Returns an interval of differences in percentage points.

    >>> points_interval(-0.2, 0.125)
    '[−20.0, +12.5]'
    """
    if math.isnan(low) or math.isnan(high):
        return NONE
    return f"[{signed_points(low)}, {signed_points(high)}]"


def score_change(difference: float) -> str:
    """Returns the change of a score that fell by `difference`, in words.

    >>> score_change(0.025), score_change(-0.01), score_change(0.0), score_change(float("nan"))
    ('2.5 points lower', '1.0 points higher', 'the same', 'not a score')
    """
    if math.isnan(difference):
        return "not a score"
    if abs(difference) < 0.0005:
        return "the same"
    return f"{100 * abs(difference):.1f} points {'higher' if difference < 0 else 'lower'}"


def solved_count(rate: Rate) -> str:
    """Returns the number of seeds that solved the task: `9/10`."""
    return f"{rate.k}/{rate.n}"


def rate_title(score: str) -> str:
    """Returns the title of a column with the intervals of these rates."""
    return "95 %, seeds and steps" if score == "skill" else "Wilson 95 %"


def solved_by(outcome: Outcome, rate: Rate) -> str:
    """Returns how many seeds solved the task, with the interval, as a part of a sentence."""
    interval = percent_interval(rate.low, rate.high, " %")
    if outcome.score != "skill":
        return f"solved by {rate.k} of {rate.n} seeds (95 % Wilson interval {interval})"
    counts = f"above 0 on these steps for {rate.k} of {rate.n} seeds"
    if math.isnan(rate.low):
        return counts
    return f"{counts} (95 % interval for other data of the kind {interval})"


def epochs_to_solve(outcome: Outcome) -> str:
    """Returns the median of the epochs to solve; `> 30` if it is later than the last epoch, 30.

    `–` where it is only known after the last epoch whether a seed solved it, as with baselines.
    """
    solved, epochs = outcome.seeds["solved"], outcome.seeds["solved_epoch"]
    if outcome.score == "skill" or (solved.any() and epochs.isna().all()):
        return NONE
    median = outcome.epochs_to_solve
    if median is not None:
        return f"{median:,.1f}".removesuffix(".0")
    last = outcome.settings.get("epochs")
    return f"> {last:,}" if isinstance(last, int) else "not reached"


def metric_value(value: float) -> str:
    """Returns the value of a metric with four digits."""
    return NONE if math.isnan(value) else f"{value:.4g}"


def whole_number(number: float) -> str:
    """Returns a whole number with commas between thousands."""
    return f"{number:,.0f}"


def seconds(value: float) -> str:
    """Returns seconds with about two digits.

    >>> seconds(0.046), seconds(3.14), seconds(1234.5)
    ('0.046', '3.1', '1,234')
    """
    if math.isnan(value):
        return NONE
    return f"{value:.2g}" if value < 1 else f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def setting_text(setting: Any) -> str:
    """Returns the value of a setting as a sweep file writes it; `–` if there is none."""
    if setting is None:
        return NONE
    if isinstance(setting, bool):
        return str(setting).lower()
    if isinstance(setting, float):
        return f"{setting:.3g}"
    if isinstance(setting, Mapping | list | tuple):
        return printable_line(json.dumps(setting, sort_keys=True, ensure_ascii=False, default=str))
    return printable_line(setting)


def choices_text(part: Any) -> str:
    """Returns the choices of a search for one setting.

    >>> choices_text({"int": [4, 32], "log": True})
    'whole numbers from 4 to 32, on a log scale'
    >>> choices_text([True, False])
    'true, false'
    """
    if isinstance(part, Mapping):
        for key, kind in (("int", "whole numbers"), ("float", "numbers")):
            bounds = part.get(key)
            if isinstance(bounds, list | tuple) and len(bounds) == 2:
                scale = ", on a log scale" if part.get("log") else ""
                return f"{kind} from {setting_text(bounds[0])} to {setting_text(bounds[1])}{scale}"
    if isinstance(part, list | tuple):
        return ", ".join(map(setting_text, part))
    return setting_text(part)


def seed_counts(rows: Sequence[Row]) -> str:
    """Returns the number of seeds per row: `10 seeds`, or `4 to 10 seeds`."""
    counts = sorted({len(row.outcome.seeds) for row in rows}) or [0]
    low, high = counts[0], counts[-1]
    number = f"{low}" if low == high else f"{low} to {high}"
    return f"{number} seed{'' if number == '1' else 's'}"


def recipe_label(row: Row) -> str:
    """Returns the id and the short name of a recipe."""
    return f"{printable_line(row.id)}  {short_name(row)}"


def full_name(row: Row) -> str:
    """Returns the whole configuration of a recipe in words; switches are `true` or `false`."""
    text = re.sub(r"(?<= )(True|False|None)(?=,|$)", lambda word: word[1].lower(), row.outcome.name)
    return printable_line(text)


def short_name(row: Row) -> str:
    """Returns network and framing of a recipe: `lstm(20), pairs`; all of a short name."""
    return ", ".join(full_name(row).split(", ")[:2])


def typeset(text: str) -> str:
    """Returns `text` with minus signs before negative numbers, and no line break before `%`.

    >>> typeset("trial-2: -0.5 to [-3 %]").replace(chr(160), "_")
    'trial-2: −0.5 to [−3_%]'
    """
    text = re.sub(r"(?<![\w)\]-])-(?=\.?\d)", "−", text)
    return re.sub(r"(?<=[<>]) (?=\d)", "\u00a0", text).replace(" %", "\u00a0%")
