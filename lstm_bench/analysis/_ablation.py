"""What mattered in a search: settings put back to the tutorial's, and switches changed alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lstm_bench.analysis._findings import ComparisonResult, together, unsettled
from lstm_bench.analysis._history import COLUMNS, objective
from lstm_bench.results import Row, SweepResult
from lstm_bench.statistics import (
    MARGIN,
    Comparison,
    Difference,
    DifferenceWord,
    Measure,
    difference_word,
    holm,
    paired_mean_difference,
    paired_rate_difference,
)


@dataclass(frozen=True)
class Ablation:
    """A confirmed recipe with one setting put back to the tutorial's, minus that recipe itself.

    `axis` is empty for the tutorial's own recipe: everything put back.
    """

    row: Row
    base: Row
    axis: str
    value: Any
    rate: ComparisonResult
    score: ComparisonResult

    @property
    def name(self) -> str:
        """What was put back: `epochs back to 250`."""
        back = f"{self.axis.replace('_', ' ')} back to {plain_setting(self.value)}"
        return back if self.axis else "everything back to the tutorial"

    @property
    def word(self) -> DifferenceWord:
        """`real` if the solve rate or the score differs for real, `not real` if neither does."""
        words = {self.rate.word, self.score.word}
        if "real" in words:
            return "real"
        return "not real" if words == {"not real"} else "cannot tell yet"

    @property
    def sentence(self) -> str:
        """What putting it back does to the solve rate and to the score, with the verdicts."""
        seeds = self.rate.found.n if self.rate.found else 0
        told = f"{_clause(self.rate)}; {_clause(self.score)}"
        return f"{self.name}: {told} ({seeds} seed{'' if seeds == 1 else 's'})."


def ablations(result: SweepResult) -> tuple[Ablation, ...]:
    """Returns what putting settings back changes, in the order of the rows.

    Solve rates by McNemar's exact test; scores (the search's own, or accuracy where that is the
    solve rate) by mean differences; Holm's correction over all of both.
    """
    finalists = {row.id for row in result.having("confirmed")}
    bases = {row.id: row for row in result.having("ablation") if row.of in finalists}
    rows = [row for row in result.having("ablation") if row.of in bases]
    whole: Measure = "sequence_accuracy"
    measures: tuple[Measure, Measure] = (
        "solve_rate",
        whole if objective(result) == whole else "accuracy",
    )
    asked = [Comparison(row.id, row.of, measure) for row in rows for measure in measures]
    found = [difference(row, bases[row.of], measure) for row in rows for measure in measures]
    told = together([unsettled(q.of, q, d) for q, d in zip(asked, found, strict=True)])
    return tuple(
        Ablation(row, bases[row.of], row.axis, row.value, told[2 * place], told[2 * place + 1])
        for place, row in enumerate(rows)
    )


def difference(of: Row, to: Row, measure: Measure) -> Difference:
    """Returns the difference of two rows over the seeds that both have."""
    first, second = _shared(of, to, measure)
    if measure == "solve_rate":
        return paired_rate_difference(first > 0, second > 0)
    return paired_mean_difference(first, second)


def _shared(of: Row, to: Row, measure: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns the values of both rows, seed by seed, on the seeds that both have."""
    columns = [
        row.outcome.seeds.set_index("seed")[COLUMNS.get(measure, measure)] for row in (of, to)
    ]
    seeds = sorted(set(columns[0].index) & set(columns[1].index))
    return columns[0].loc[seeds].to_numpy(float), columns[1].loc[seeds].to_numpy(float)


def _clause(each: ComparisonResult) -> str:
    """Returns `solved 12 points less often (95 % interval -20.0 to -3.1), real`."""
    found, measure = each.found, each.asked.measure
    name = "accuracy" if measure == "accuracy" else "share of whole sequences"
    if found is None or found.n == 0:
        return "no seeds in common yet"
    if math.isnan(found.difference):
        return f"no {name} on some seed, which diverged"
    size, above = points(abs(found.difference)), found.difference > 0
    if measure == "solve_rate":
        how = f"solved {size} {'more' if above else 'less'} often"
        how = how if found.difference else "solved as often"
    else:
        how = f"{name} {size} {'higher' if above else 'lower'}"
        how = how if found.difference else f"the same {name}"
    if math.isnan(found.low) or (found.constant and measure != "solve_rate"):
        return f"{how}, {each.word}"
    ends = f"{100 * found.low:+.1f} to {100 * found.high:+.1f}"
    return f"{how} (95 % interval {ends}), {each.word}"


def points(size: float) -> str:
    """Returns a difference of shares in percentage points: `12 points`."""
    text = f"{100 * size:.1f}".removesuffix(".0")
    if text == "0" and size > 0:
        text = "less than 0.1"
    return f"{text} {'point' if text == '1' else 'points'}"


@dataclass(frozen=True)
class Effect:
    """What a switch does: `value` minus `reference`, over the recipes in which both were run."""

    axis: str
    value: Any
    reference: Any
    contexts: tuple[str, ...]  # ids of their rows
    differences: tuple[float, ...]  # one a context: the mean over its shared seeds
    seeds: tuple[int, ...]  # shared ones, a context
    found: Difference  # over contexts
    corrected: float
    word: DifferenceWord

    @property
    def name(self) -> str:
        """Both sides: `framing window against pairs`."""
        value, reference = plain_setting(self.value), plain_setting(self.reference)
        return f"{self.axis.replace('_', ' ')} {value} against {reference}"

    def settled(self, level: float) -> Effect:
        """Returns the effect with its p value corrected to `level`, and so its verdict."""
        word = difference_word(self.found, level, MARGIN)
        return replace(self, corrected=level, word=word)


def effects(result: SweepResult) -> tuple[Effect, ...]:
    """Returns the effect of each switch's values on the search's score, over random recipes.

    Within one context (the recipe of a random trial) all values of a switch run on the same seeds,
    its own value among them, so any value can be set against any other. A switch that is on or off
    is told as on minus off; one with several values as each of them minus the value that most
    contexts have themselves, of equals the one that comes first in the space. Contexts where a side
    is missing drop out.
    Over contexts: mean, Student's t interval, the sign-flip test; Holm's correction over all.
    """
    trials = {row.id: row for row in result.having("effect") if not row.axis}
    measure = objective(result)
    axes: dict[str, dict[str, dict[Any, Row]]] = {}  # axis -> context -> value -> row
    for row in result.having("effect"):
        context = trials.get(row.of)
        if context is None:
            continue
        own = context.outcome.settings.get(row.axis)
        first = {} if own is None else {own: context}
        axes.setdefault(row.axis, {}).setdefault(row.of, first).setdefault(row.value, row)
    raw = []
    for axis, contexts in axes.items():
        values = _ordered(axis, contexts, result)
        reference = _reference(axis, contexts, trials, values)
        for value in values:
            if value != reference:
                raw.append(
                    (axis, value, reference, _differences(contexts, value, reference, measure))
                )
    raw = [each for each in raw if each[3]]
    found = [
        paired_mean_difference([d for _, d, _ in parts], [0.0] * len(parts)) for *_, parts in raw
    ]
    levels = holm([each.p for each in found])
    told = (
        Effect(
            axis,
            value,
            reference,
            tuple(context for context, _, _ in parts),
            tuple(d for _, d, _ in parts),
            tuple(n for _, _, n in parts),
            each,
            level,
            "cannot tell yet",
        )
        for (axis, value, reference, parts), each, level in zip(raw, found, levels, strict=True)
    )
    return tuple(each.settled(each.corrected) for each in told)


def _ordered(
    axis: str, contexts: Mapping[str, Mapping[Any, Row]], result: SweepResult
) -> list[Any]:
    """Returns the values that were run: in the order of the space, others behind."""
    seen = dict.fromkeys(value for sides in contexts.values() for value in sides)
    space = (result.search or {}).get("space", {}).get(axis)
    listed = [value for value in space if value in seen] if isinstance(space, list | tuple) else []
    return listed + [value for value in seen if value not in listed]


def _reference(
    axis: str,
    contexts: Mapping[str, Mapping[Any, Row]],
    trials: Mapping[str, Row],
    values: Sequence[Any],
) -> Any:
    """Returns what the others are told against: off, or the value that most contexts have.

    Of equally frequent ones, the first of `values`.
    """
    if all(isinstance(value, bool) for value in values):
        return False
    own = Counter(trials[context].outcome.settings.get(axis) for context in contexts)
    return max(values, key=lambda value: (own[value], -values.index(value)))


def _differences(
    contexts: Mapping[str, Mapping[Any, Row]], value: Any, reference: Any, measure: str
) -> list[tuple[str, float, int]]:
    """Returns context, mean of `value` minus `reference` over shared seeds, and their number."""
    found = []
    for context, sides in contexts.items():
        if value in sides and reference in sides:
            first, second = _shared(sides[value], sides[reference], measure)
            if len(first):
                mean = float(np.round((first - second).mean(), 12))
                found.append((context, mean, len(first)))
    return found


def plain_setting(value: Any) -> str:
    """Returns a setting's value as it is written in a sweep file."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
