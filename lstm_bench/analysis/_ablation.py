"""Effects of single settings: ablations of the best recipe, and switches in random recipes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lstm_bench.analysis._comparisons import (
    COLUMNS,
    Comparison,
    with_verdict,
    without_verdict,
)
from lstm_bench.analysis._history import objective
from lstm_bench.analysis._stretch_differences import counting_steps, counting_steps_of_contexts
from lstm_bench.results import Row, SweepData, counted, measure_bounds
from lstm_bench.statistics import (
    DEFAULT_MARGIN,
    FIRST_LEVEL,
    ComparisonQuestion,
    Difference,
    DifferenceVerdict,
    Measure,
    difference_verdict,
    fewest_to_be_real,
    paired_mean_difference,
    paired_rate_difference,
    verdict_proviso,
)


@dataclass(frozen=True)
class Ablation:
    """A confirmed recipe with one setting set back to the reference's, compared with that recipe.

    `axis` is that setting. It is empty for the reference recipe, with every setting set back.
    """

    row: Row
    base: Row
    axis: str
    value: Any
    rate: Comparison
    score: Comparison
    rate_first: bool = False  # whether the solve rate is the objective of the search

    @property
    def name(self) -> str:
        """What was set back: `epochs back to 250`."""
        change = f"{self.axis.replace('_', ' ')} back to {plain_setting(self.value)}"
        return change if self.axis else "everything back to the tutorial"

    @property
    def verdict(self) -> DifferenceVerdict:
        """That on the objective of the search: the other measure is of the same seeds."""
        return self.in_order[0].verdict

    @property
    def in_order(self) -> tuple[Comparison, Comparison]:
        """Both comparisons, that on the objective of the search first."""
        return (self.rate, self.score) if self.rate_first else (self.score, self.rate)

    def with_verdicts(
        self, p_holm: Sequence[float], corrected_for: int, levels: tuple[float, float]
    ) -> Ablation:
        """Returns the ablation with the corrected p values of `in_order`, and the verdicts."""
        pairs = zip(self.in_order, p_holm, strict=True)
        first, second = (with_verdict(part, p, corrected_for, levels) for part, p in pairs)
        rate, score = (first, second) if self.rate_first else (second, first)
        return replace(self, rate=rate, score=score)

    @property
    def is_conditional(self) -> bool:
        """Whether its verdict rests on a condition: see `Comparison.rests_on`."""
        return bool(self.in_order[0].rests_on)

    @property
    def sentence(self) -> str:
        """The change of the solve rate and of the score, with their verdicts."""
        clauses = f"{_difference_clause(self.rate)}; {_difference_clause(self.score)}"
        return f"{self.name}: {clauses} ({counted(self.rate.n, 'seed')})."

    def records(self) -> list[dict[str, Any]]:
        """Returns one flat row for each of the two measures."""
        facts = {
            "id": self.row.id,
            "of": self.base.id,
            "name": self.name,
            "setting": self.axis,
            "value": self.value,
        }
        names = ("measure", "seeds", "difference", "std", "low", "high", "p", "p_holm", "verdict")
        rows = []
        for comparison in (self.rate, self.score):
            record = comparison.record()
            rows.append(facts | {name: record[name] for name in (*names, "more_seeds", "rests_on")})
        return rows

    def document(self) -> dict[str, Any]:
        """Returns what JSON documents say of it."""
        names = ("seeds", "difference", "ci95", "p", "p_holm", "verdict")
        rate, score = (
            {name: comparison.document()[name] for name in names}
            for comparison in (self.rate, self.score)
        )
        return {
            "of": self.base.id,
            "setting": self.axis or None,
            "value": self.value,
            "solve_rate": rate,
            self.score.question.measure: score,
            "verdict": self.verdict,
            "sentence": self.sentence,
        }


def ablations(result: SweepData) -> tuple[Ablation, ...]:
    """Returns the ablations of a sweep in the order of its rows, without verdicts.

    Solve rates are compared by `exact_mcnemar`, scores by mean differences. The score is the
    objective of the search, or the accuracy where that objective is the solve rate.
    """
    finalists = {row.id for row in result.having("confirmed")}
    bases = {row.id: row for row in result.having("ablation") if row.of in finalists}
    sequences: Measure = "sequence_accuracy"
    score: Measure = sequences if objective(result) == sequences else "accuracy"

    def compare(row: Row, measure: Measure) -> Comparison:
        question = ComparisonQuestion(row.id, row.of, measure)
        return without_verdict(row.of, question, difference(row, bases[row.of], measure))

    return tuple(
        Ablation(
            row,
            bases[row.of],
            row.axis,
            row.value,
            compare(row, "solve_rate"),
            compare(row, score),
            objective(result) == "solve_rate",
        )
        for row in result.having("ablation")
        if row.of in bases
    )


def difference(of: Row, to: Row, measure: Measure) -> Difference:
    """Returns the difference between two rows over the seeds that both have."""
    first, second = _paired_values(of, to, measure)
    if measure == "solve_rate":
        estimate = paired_rate_difference(first > 0, second > 0)
    else:
        estimate = paired_mean_difference(first, second)
    shared = sorted(set(of.outcome.seeds["seed"]) & set(to.outcome.seeds["seed"]))
    return counting_steps(estimate, of, to, measure, (shared, shared))


def _paired_values(of: Row, to: Row, measure: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns the values of both rows on the seeds that both have, in the order of the seeds."""
    columns = [
        row.outcome.seeds.set_index("seed")[COLUMNS.get(measure, measure)] for row in (of, to)
    ]
    seeds = sorted(set(columns[0].index) & set(columns[1].index))
    return columns[0].loc[seeds].to_numpy(float), columns[1].loc[seeds].to_numpy(float)


def _difference_clause(comparison: Comparison) -> str:
    """Returns `solved 12 points less often (95 % interval -20.0 to -3.1), real`."""
    estimate, measure = comparison.estimate, comparison.question.measure
    name = "accuracy" if measure == "accuracy" else "share of whole sequences"
    if estimate is None or estimate.n == 0:
        return "no seeds in common yet"
    if math.isnan(estimate.difference):
        return f"no {name} on some seed, which diverged"
    size, above = points(abs(estimate.difference)), estimate.difference > 0
    if measure == "solve_rate":
        what = "a skill above 0" if estimate.step_error else "solved"
        change = f"{what} {size} {'more' if above else 'less'} often"
        change = change if estimate.difference else f"{what} as often"
    else:
        change = f"{name} {size} {'higher' if above else 'lower'}"
        change = change if estimate.difference else f"the same {name}"
    verdict: str = comparison.verdict
    verdict = f"{verdict}, {comparison.rests_on}" if comparison.rests_on else verdict
    if math.isnan(estimate.low) or (estimate.constant and measure != "solve_rate"):
        return f"{change}, {verdict}"
    ends = f"{100 * estimate.low:+.1f} to {100 * estimate.high:+.1f}"
    return f"{change} (95 % interval {ends}), {verdict}"


def points(size: float) -> str:
    """Returns a difference of shares in percentage points: `12 points`."""
    text = f"{100 * size:.1f}".removesuffix(".0")
    if text == "0" and size > 0:
        text = "less than 0.1"
    return f"{text} {'point' if text == '1' else 'points'}"


@dataclass(frozen=True)
class Effect:
    """The effect of a switch: `value` minus `reference`, over the recipes that ran with both."""

    axis: str
    value: Any
    reference: Any
    contexts: tuple[str, ...]  # ids of the rows of those recipes
    differences: tuple[float, ...]  # one per context: the mean over the seeds that both share
    seeds: tuple[int, ...]  # one per context: the number of those seeds
    estimate: Difference  # over contexts
    p_holm: float = math.nan
    verdict: DifferenceVerdict = "cannot tell yet"
    corrected_for: int = 0  # the number of verdicts that p was corrected for
    level: float = FIRST_LEVEL  # that the corrected p value was judged at

    @property
    def name(self) -> str:
        """The switch with both values: `framing window against pairs`."""
        value, reference = plain_setting(self.value), plain_setting(self.reference)
        return f"{self.axis.replace('_', ' ')} {value} against {reference}"

    @property
    def rests_on(self) -> str:
        """Which rare recipes, not among the contexts, would undo the verdict; may be empty."""
        proviso = verdict_proviso(self.estimate, self.verdict, DEFAULT_MARGIN)
        return proviso.sentence("recipe") if proviso else ""

    @property
    def conclusion(self) -> str:
        """The verdict, with the condition that it rests on, or why there can be none."""
        needed = fewest_to_be_real(self.corrected_for, self.level) if self.corrected_for else 0
        if self.verdict == "cannot tell yet" and self.estimate.n < needed:
            return (
                f"{self.verdict}: as one of {self.corrected_for} verdicts it takes {needed} "
                f"recipes, and there are {self.estimate.n}"
            )
        return f"{self.verdict}, {self.rests_on}" if self.rests_on else self.verdict

    def with_verdict(
        self, p_holm: float, corrected_for: int = 0, level: float = FIRST_LEVEL
    ) -> Effect:
        """Returns the effect with its corrected p value, and the verdict that follows from it."""
        verdict = difference_verdict(self.estimate, p_holm, DEFAULT_MARGIN, level)
        return replace(
            self, p_holm=p_holm, verdict=verdict, corrected_for=corrected_for, level=level
        )

    def record(self) -> dict[str, Any]:
        """Returns the effect as one flat row."""
        return {
            "setting": self.axis,
            "value": self.value,
            "against": self.reference,
            "contexts": self.estimate.n,
            "fewest_seeds": min(self.seeds),
            "most_seeds": max(self.seeds),
            "difference": self.estimate.difference,
            "std": self.estimate.std,
            "low": self.estimate.low,
            "high": self.estimate.high,
            "p": self.estimate.p,
            "p_holm": self.p_holm,
            "verdict": self.verdict,
            "rests_on": self.rests_on,
        }

    def document(self) -> dict[str, Any]:
        """Returns what JSON documents say of it."""
        record = self.record()
        seeds = [record.pop("fewest_seeds"), record.pop("most_seeds")]
        return record | {"seeds": seeds, "ci95": [record.pop("low"), record.pop("high")]}


def effects(result: SweepData) -> tuple[Effect, ...]:
    """Returns the effect of each value of each switch on the search's score, without verdicts.

    Within a context (the recipe of a random trial) all values of a switch run on the same seeds,
    the value of that recipe included, so any value can be compared with any other. A switch that is
    on or off is reported as on minus off. For a switch with several values, each is compared with
    the value that most contexts have; of equally frequent values, with the first in the space.
    Contexts in which one of the two values is missing are left out. Over contexts: mean, Student's
    t interval, sign-flip test.
    """
    trials = {row.id: row for row in result.having("effect") if not row.axis}
    measure = objective(result)
    low, high = measure_bounds(measure)
    axes: dict[str, dict[str, dict[Any, Row]]] = {}  # axis -> context -> value -> row
    for row in result.having("effect"):
        context = trials.get(row.of)
        if context is None:
            continue
        setting = context.outcome.settings.get(row.axis)
        first = {} if setting is None else {setting: context}
        axes.setdefault(row.axis, {}).setdefault(row.of, first).setdefault(row.value, row)
    estimated = []
    for axis, contexts in axes.items():
        values = _values_in_order(axis, contexts, result)
        reference = _reference_value(axis, contexts, trials, values)
        for value in values:
            parts = _differences(contexts, value, reference, measure)
            if value != reference and parts:
                ids, differences, seeds = zip(*parts, strict=True)
                zeros = [0.0] * len(parts)
                bounds = (low - high, high - low)
                estimate = paired_mean_difference(list(differences), zeros, bounds)
                rows = [(contexts[i][value], contexts[i][reference]) for i in ids]
                estimate = counting_steps_of_contexts(estimate, rows, measure)
                estimated.append(Effect(axis, value, reference, ids, differences, seeds, estimate))
    return tuple(estimated)


def _values_in_order(
    axis: str, contexts: Mapping[str, Mapping[Any, Row]], result: SweepData
) -> list[Any]:
    """Returns the values that were run: in the order of the space, others after them."""
    seen = dict.fromkeys(value for by_value in contexts.values() for value in by_value)
    space = (result.search or {}).get("space", {}).get(axis)
    listed = [value for value in space if value in seen] if isinstance(space, list | tuple) else []
    return listed + [value for value in seen if value not in listed]


def _reference_value(
    axis: str,
    contexts: Mapping[str, Mapping[Any, Row]],
    trials: Mapping[str, Row],
    values: Sequence[Any],
) -> Any:
    """Returns the value that the others are compared with: off, or that of most contexts.

    Of equally frequent values, the first of `values`.
    """
    if all(isinstance(value, bool) for value in values):
        return False
    counts = Counter(trials[context].outcome.settings.get(axis) for context in contexts)
    return max(values, key=lambda value: (counts[value], -values.index(value)))


def _differences(
    contexts: Mapping[str, Mapping[Any, Row]], value: Any, reference: Any, measure: str
) -> list[tuple[str, float, int]]:
    """Returns for each context: its id, the mean difference over shared seeds, their number."""
    parts = []
    for context, by_value in contexts.items():
        if value in by_value and reference in by_value:
            first, second = _paired_values(by_value[value], by_value[reference], measure)
            if len(first):
                mean = float(np.round((first - second).mean(), 12))
                parts.append((context, mean, len(first)))
    return parts


def plain_setting(value: Any) -> str:
    """Returns a setting's value as it is written in a sweep file."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
