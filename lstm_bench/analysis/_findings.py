"""What a sweep's rows say together: verdicts on published results, differences, and horizons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lstm_bench.results import Row, SweepResult
from lstm_bench.statistics import (
    ALPHA,
    MOST_SEEDS,
    Comparison,
    Difference,
    DifferenceWord,
    MemorySpan,
    Spread,
    Verdict,
    difference_word,
    epochs_difference,
    holm,
    memory_span,
    paired_mean_difference,
    paired_rate_difference,
    seeds_needed,
    spread,
    unpaired_mean_difference,
    unpaired_rate_difference,
    verdict,
    within_margin,
)

POINTS = 100
"""Differences of accuracies and rates are told in percentage points."""


@dataclass(frozen=True)
class ReproductionResult:
    """A row about which something was published: its figure among our seeds, and the verdict."""

    row: Row
    spread: Spread | None  # None without a figure, or where every seed diverged
    verdict: Verdict | None  # None where the words alone cannot be judged


@dataclass(frozen=True)
class ComparisonResult:
    """A comparison that a sweep asked for, and its answer; `found` is None without both results."""

    name: str
    asked: Comparison
    found: Difference | None
    corrected: float  # p value after Holm's correction over the sweep's comparisons
    word: DifferenceWord
    more: int | None  # seeds that would about settle it
    among: int  # comparisons that were corrected for

    @property
    def sentence(self) -> str:
        """Direction, difference with interval, and verdict, in one sentence."""
        return f"{self.told}: {self.said}."

    @property
    def told(self) -> str:
        """Direction and size of the difference, with its interval."""
        return _told(self)

    @property
    def said(self) -> str:
        """The verdict, and what a reader must know beside it."""
        return f"{self.word}{_because(self)}"


@dataclass(frozen=True)
class Family:
    """Rows that differ in one number alone, `axis`, in its order, and how far they get."""

    id: str
    axis: str
    rows: tuple[Row, ...]
    horizon: MemorySpan

    @property
    def half(self) -> str:
        """Where the solve rate falls to one half, in words where the axis does not reach it.

        `> 1024`: still above one half at the last value. `< 4`: below it from the first on.
        """
        return axis_value(self.horizon, self.horizon.half)

    @property
    def interval(self) -> str:
        """The 95 % interval of `half`; empty where there is none."""
        ends = self.horizon.low, self.horizon.high
        if math.isnan(self.horizon.half) or any(map(math.isnan, ends)):
            return ""
        low, high = (axis_value(self.horizon, end) for end in ends)
        values = self.horizon.values
        if ends[0] >= values[-1] or ends[1] <= values[0]:  # all of it lies beyond the axis
            return high if ends[0] >= values[-1] else low
        return f"[{low}, {high}]"


def axis_value(found: MemorySpan, value: float) -> str:
    """Returns a point of an axis as text; beyond its ends, on which side it lies."""
    if math.isnan(value):
        return "does not fall"
    if math.isinf(value):
        sign, end = (">", found.values[-1]) if value > 0 else ("<", found.values[0])
        return f"{sign} {end:,g}"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def verdicts(result: SweepResult) -> list[ReproductionResult]:
    """Returns a verdict for each fixed row about which something was published, in order."""
    judged = []
    for row in result.fixed:
        if not (row.published or row.claim or row.published_accuracy is not None):
            continue
        seeds = row.outcome.seeds
        # A network that diverged answers nothing right, which is not an accuracy like another.
        values = seeds["accuracy"].where(np.isfinite(seeds["loss"])).to_numpy(float)
        figure, solved = row.published_accuracy, row.outcome.seeds["solved"].to_numpy(bool)
        placed = None
        if figure is not None and np.isfinite(values).any():
            placed = spread(figure, values)
        judged.append(ReproductionResult(row, placed, verdict(row.claim, figure, values, solved)))
    return judged


def comparisons(result: SweepResult) -> list[ComparisonResult]:
    """Returns the answers to the comparisons that the sweep asks for, in its order."""
    rows = {row.id: row for row in result.fixed}
    found = {
        name: _difference(rows[asked.of], rows[asked.to], asked)
        for name, asked in result.comparisons.items()
        if asked.of in rows and asked.to in rows
    }
    return together(
        [unsettled(name, asked, found.get(name)) for name, asked in result.comparisons.items()]
    )


def unsettled(name: str, asked: Comparison, found: Difference | None) -> ComparisonResult:
    """Returns a comparison before it is corrected `together` with others."""
    return ComparisonResult(name, asked, found, math.nan, "cannot tell yet", None, 0)


def together(compared: Sequence[ComparisonResult]) -> list[ComparisonResult]:
    """Returns comparisons with their verdicts, corrected by Holm's method for one another."""
    levels = holm([each.found.p if each.found else math.nan for each in compared])
    among = sum(not math.isnan(level) for level in levels)
    return [settled(each, level, among) for each, level in zip(compared, levels, strict=True)]


def settled(each: ComparisonResult, level: float, among: int) -> ComparisonResult:
    """Returns `each` with its p value corrected to `level`, as one of `among`: so, its verdict."""
    if each.found is None:
        return replace(each, among=among)
    margin, rate = each.asked.negligible, each.asked.measure == "solve_rate"
    word, more = difference_word(each.found, level, margin), None
    if word == "cannot tell yet":
        more = seeds_needed(each.found, margin, max(among, 1), rate)
    return replace(each, corrected=level, word=word, more=more, among=among)


def _difference(of: Row, to: Row, asked: Comparison) -> Difference:
    """Returns the difference over the seeds that both rows have; over all, where they share none.

    A measure is told by a column of the seeds' tables.
    """
    columns = {"solve_rate": "solved", "epochs_to_solve": "solved_epoch"}
    column = columns.get(asked.measure, asked.measure)
    found = [row.outcome.seeds.set_index("seed")[column].sort_index() for row in (of, to)]
    shared = found[0].index.intersection(found[1].index)
    if len(shared):
        found = [values.loc[shared] for values in found]
    first, second = found
    if column == "solved_epoch":
        last = _last_epoch(of), _last_epoch(to)
        return epochs_difference(first.to_list(), second.to_list(), last, shared=len(shared) > 0)
    if column == "solved":
        rates = paired_rate_difference if len(shared) else unpaired_rate_difference
        return rates(first.to_numpy(bool), second.to_numpy(bool))
    means = paired_mean_difference if len(shared) else unpaired_mean_difference
    return means(first.to_numpy(float), second.to_numpy(float))


def _last_epoch(row: Row) -> float:
    """Returns how long a seed that never solved it was watched."""
    last = row.outcome.settings.get("epochs")
    latest = float(row.outcome.seeds["solved_epoch"].max())  # NaN where none did
    return float(last) if isinstance(last, int) else 1.0 if math.isnan(latest) else latest


def families(result: SweepResult) -> list[Family]:
    """Returns the families over a number, with at least two values that have a result."""
    members: dict[str, list[Row]] = {}
    for row in result.fixed:
        number = isinstance(row.value, int | float) and not isinstance(row.value, bool)
        if row.family and number:
            members.setdefault(row.family, []).append(row)
    found = []
    for family, rows in members.items():
        rows.sort(key=lambda row: float(row.value))
        if len(rows) < 2:
            continue
        columns = [row.outcome.seeds.set_index("seed")["solved"] for row in rows]
        solved = pd.concat(columns, axis=1, join="inner").to_numpy(bool)  # (seeds, values)
        if len(solved):
            reach = memory_span([float(row.value) for row in rows], solved)
            found.append(Family(family, rows[0].axis, tuple(rows), reach))
    return found


def comparisons_document(
    result: SweepResult, compared: Sequence[ComparisonResult] | None = None
) -> dict[str, Any]:
    """Returns what was found as plain JSON values, under the keys that have any.

    `compared` are the comparisons, where they were corrected for others beside them.
    """
    judged, reached = verdicts(result), families(result)
    compared = comparisons(result) if compared is None else compared
    parts = {
        "verdicts": {each.row.id: _judged(each) for each in judged},
        "comparisons": {each.name: _compared(each) for each in compared},
        "horizon": {each.id: _reached(each) for each in reached},
    }
    return {key: part for key, part in parts.items() if part}


def _judged(each: ReproductionResult) -> dict[str, Any]:
    row, placed, said = each.row, each.spread, each.verdict
    return {
        "published": row.published,
        "claim": row.claim,
        "accuracy": row.published_accuracy,
        "spread": [placed.low, placed.high] if placed else None,
        "inside": placed.place == "inside" if placed else None,
        "p": placed.p if placed else None,
        "verdict": said.word if said else None,
        "why": said.why if said else None,
    }


def _compared(each: ComparisonResult) -> dict[str, Any]:
    found = each.found
    return {
        **vars(each.asked),
        "margin": each.asked.negligible,
        "seeds": found.n if found else 0,
        "different_seeds": found.others if found else None,
        "difference": _finite(found.difference) if found else None,
        "median_epochs": [*map(_finite, found.epochs)] if found and found.epochs else None,
        "ci95": [_finite(found.low), _finite(found.high)] if found else None,
        "p": _finite(found.p) if found else None,
        "p_holm": _finite(each.corrected),
        "verdict": each.word,
        "more_seeds": each.more,
        "sentence": each.sentence,
    }


def _reached(each: Family) -> dict[str, Any]:
    found = each.horizon
    return {
        "axis": each.axis,
        "seeds": found.n,
        "values": list(found.values),
        "solve_rates": list(found.rates),
        "half": _finite(found.half),
        "ci95": [_finite(found.low), _finite(found.high)],
        "says": each.half,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _told(each: ComparisonResult) -> str:
    """Returns the direction and the size of a difference, without its verdict."""
    of, to, found = each.asked.of, each.asked.to, each.found
    measure = each.asked.measure.replace("_", " ")
    if found is None or found.fewest == 0:
        return f"{of} and {to} have no seeds in common yet"
    if found.epochs is not None:
        return _sooner(each, found)
    if math.isnan(found.difference):
        return f"{of} or {to} has no {measure} on some seed, which diverged"
    if found.differing == 0 and measure == "solve rate":
        same = "by the same seeds" if found.others is None else "equally often"
        return f"{of} and {to} are solved {same}{_span(each)}"
    if found.differing == 0:
        return f"{of} and {to} have the same {measure} on {'all ' * (found.n > 1)}{_seeds(found)}"
    size, above = _amount(abs(found.difference), each.asked), found.difference > 0
    if found.difference == 0:
        how = f"{of} and {to} are equal on average in {measure}"
    elif measure == "solve rate":
        how = f"{of} is solved {'more' if above else 'less'} often than {to}, by {size}"
    else:
        how = f"{of} is {'higher' if above else 'lower'} than {to} in {measure}, by {size}"
    if found.constant and measure != "solve rate":
        return f"{how} on each of {_seeds(found)}"
    return f"{how}{_span(each)}"


def _sooner(each: ComparisonResult, found: Difference) -> str:
    """Returns which of two is solved sooner, and by when half of the seeds have solved each."""
    of, to = each.asked.of, each.asked.to
    assert found.epochs is not None
    if found.never:
        return f"{of} and {to} are never solved ({_seeds(found)})"
    if found.ahead == 0:
        how = f"{of} and {to} are solved as soon as one another"
    else:
        how = f"{of} is solved {'sooner' if found.ahead > 0 else 'later'} than {to}"
    medians = ["more than half never" if math.isinf(m) else f"{m:,g}" for m in found.epochs]
    return f"{how} (median epochs {medians[0]} against {medians[1]}, {_seeds(found)})"


def _seeds(found: Difference) -> str:
    """Returns how many seeds a difference is from, and that they are not the same where so."""
    if found.others is not None:
        return f"{found.n} and {found.others} different seeds"
    return f"{found.n} seeds" if found.n > 1 else "the one seed"


def _span(each: ComparisonResult) -> str:
    found = each.found
    assert found is not None
    if math.isnan(found.low):
        few = "one seed" if found.others is None and found.n == 1 else ""
        few = few or (_seeds(found) if found.others is not None else "")
        return f" on {few}" if few else ""
    ends = " to ".join(_signed(end, each.asked) for end in (found.low, found.high))
    return f" (95 % interval {ends}, {_seeds(found)})"


def _because(each: ComparisonResult) -> str:
    """Returns what a reader must know beside the verdict's word."""
    found, margin = each.found, each.asked.negligible
    if found is None or math.isnan(found.p):
        return ""
    if each.word == "real":
        small = within_margin(found, margin)
        return f", though less than {_amount(margin or 0, each.asked)}" if small else ""
    if each.word == "not real":
        if found.differing == 0:
            return ""
        return f", it is less than {_amount(margin or 0, each.asked)} either way"
    said = ""
    if found.p <= ALPHA < each.corrected:
        said = f", as one of {each.among} comparisons"
    if each.more is None:
        return said
    if each.more >= MOST_SEEDS:
        return f"{said}; it would take more than {each.more:,} further seeds"
    return f"{said}; about {each.more:,} more {'seed' if each.more == 1 else 'seeds'} would do"


def _amount(size: float, asked: Comparison) -> str:
    if asked.measure == "loss":
        return f"{size:.3g}"
    text = f"{POINTS * size:.1f}"
    text = "less than 0.1" if text == "0.0" and size > 0 else text.removesuffix(".0")
    return f"{text} {'point' if text == '1' else 'points'}"


def _signed(value: float, asked: Comparison) -> str:
    if asked.measure == "loss":
        return f"{value:+.3g}"
    return f"{POINTS * value:+.1f}".replace("-0.0", "0.0").replace("+0.0", "0.0")


def words_of(judged: Sequence[ReproductionResult]) -> dict[str, str]:
    """Returns the verdicts' words by row id; rows without one are left out."""
    return {each.row.id: each.verdict.word for each in judged if each.verdict is not None}
