"""Comparisons of two recipes: the question, the estimated difference, and the verdict."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd

from lstm_bench.analysis._comparison_sentences import (
    POINTS,
    difference_amount,
    difference_direction,
    superiority_sentence,
)
from lstm_bench.analysis._stretch_differences import counting_steps, other_baselines
from lstm_bench.errors import UserError
from lstm_bench.results import Outcome, Row, SweepData, differences_figure, measure_bounds
from lstm_bench.safety import html_table
from lstm_bench.statistics import (
    FIRST_LEVEL,
    MAX_ADDITIONAL_SEEDS,
    ComparisonQuestion,
    Difference,
    DifferenceVerdict,
    Measure,
    difference_verdict,
    epochs_difference,
    holm_correction,
    margin_fault,
    next_level,
    paired_mean_difference,
    paired_rate_difference,
    seeds_needed,
    seeds_needed_range,
    unpaired_mean_difference,
    unpaired_rate_difference,
    verdict_proviso,
    within_margin,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = {"solve_rate": "solved", "epochs_to_solve": "solved_epoch"}
"""The column of the seeds table with a measure, if the column has another name."""

LONGEST_LABEL = 60
"""The most characters of a label made of settings. A longer one becomes `the first recipe`."""


@dataclass(frozen=True, repr=False)
class Comparison:
    """The difference of one recipe, `of`, from another, `to`, in one measure, with a verdict.

    `estimate` is None until both recipes have results.

    >>> import lstm_bench as lb
    >>> comparison = lb.compare(*(lb.run("memory", seeds=3, units=n, epochs=2) for n in (5, 6)))
    >>> comparison.n, comparison.question.of, comparison.question.to
    (3, 'units=5', 'units=6')
    """

    name: str
    question: ComparisonQuestion
    estimate: Difference | None
    p_holm: float  # p value after Holm's correction for all differences of the same sweep
    verdict: DifferenceVerdict
    more_seeds: int | None  # about how many more seeds would give a verdict
    corrected_for: int  # the number of differences that p was corrected for
    more_seeds_range: tuple[int, int] | None = None  # for a difference one standard error off
    level: float = FIRST_LEVEL  # the significance level; lower after earlier looks
    not_compared: str = ""  # why there is no estimate, if it is not for want of seeds

    @property
    def word(self) -> DifferenceVerdict:
        """The verdict: `real`, `not real` or `cannot tell yet`."""
        return self.verdict

    @property
    def difference(self) -> float:
        """The mean of `of` minus the mean of `to`, as a share in [-1, 1]; NaN without results."""
        return self.estimate.difference if self.estimate else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the difference, as (low, high); NaN if there is none."""
        return (self.estimate.low, self.estimate.high) if self.estimate else (math.nan, math.nan)

    @property
    def p(self) -> float:
        """The two-sided p value of this difference alone; see `p_holm`."""
        return self.estimate.p if self.estimate else math.nan

    @property
    def n(self) -> int:
        """The number of seeds that both recipes share; if they share none, the seeds of `of`."""
        return self.estimate.n if self.estimate else 0

    @property
    def superiority(self) -> tuple[float, float, float]:
        """The probability that `of` scores higher than `to`, with its 95 % interval.

        Both use the same seed, if they share seeds. Ties count half. NaN for epochs to solve.
        """
        superiority = self.estimate.superiority if self.estimate else None
        return (
            (superiority.probability, superiority.low, superiority.high)
            if superiority
            else (math.nan,) * 3
        )

    @property
    def rests_on(self) -> str:
        """The condition of the verdict: the rare, unseen seeds that would undo it; else empty."""
        if self.estimate is None:
            return ""
        margin = self.question.equivalence_margin
        proviso = verdict_proviso(self.estimate, self.verdict, margin)
        return proviso.sentence() if proviso else ""

    @property
    def sentence(self) -> str:
        """The direction, the difference with its interval, and the verdict, in one sentence.

        If the verdict rests on a condition, a second sentence gives the `superiority`, which
        rests on none.
        """
        text = f"{self.direction}: {self.conclusion}."
        if self.estimate is None or self.verdict != "real" or not self.rests_on:
            return text
        return f"{text} {superiority_sentence(self.question, self.estimate)}".rstrip()

    @property
    def direction(self) -> str:
        """The direction and size of the difference, with its interval."""
        return self.not_compared or difference_direction(self.question, self.estimate)

    @property
    def conclusion(self) -> str:
        """The verdict, with its qualification."""
        return f"{self.verdict}{_qualification(self)}"

    def record(self) -> dict[str, Any]:
        """Returns the comparison as one flat row, for tables and JSON documents."""
        estimate = self.estimate
        epochs = estimate.median_epochs if estimate and estimate.median_epochs else (None, None)
        return {
            "comparison": self.name,
            "of": self.question.of,
            "to": self.question.to,
            "measure": self.question.measure,
            "claim": self.question.claim,
            "seeds": estimate.n if estimate else 0,
            "different_seeds": estimate.n_to if estimate else None,
            "median_epochs_of": epochs[0],
            "median_epochs_to": epochs[1],
            "difference": estimate.difference if estimate else None,
            "std": estimate.std if estimate else None,
            "low": estimate.low if estimate else None,
            "high": estimate.high if estimate else None,
            "p": estimate.p if estimate else None,
            "p_holm": self.p_holm,
            "margin": self.question.equivalence_margin,
            "verdict": self.verdict,
            "more_seeds": self.more_seeds,
            "sentence": self.sentence,
            "rests_on": self.rests_on,
            "superiority": self.superiority[0],
            "superiority_low": self.superiority[1],
            "superiority_high": self.superiority[2],
            "level": self.level,
            "more_seeds_low": self.more_seeds_range[0] if self.more_seeds_range else None,
            "more_seeds_high": self.more_seeds_range[1] if self.more_seeds_range else None,
        }

    def document(self) -> dict[str, Any]:
        """Returns `record` for JSON documents, with the interval and the medians as lists."""
        record = self.record()
        interval = [record.pop("low"), record.pop("high")]
        medians = [record.pop("median_epochs_of"), record.pop("median_epochs_to")]
        record["median_epochs"] = None if medians == [None, None] else medians
        del record["comparison"]
        return record | {"ci95": interval if self.estimate else None}

    def plot(self) -> Figure:
        """Returns a figure of the difference with its 95 % interval.

        Raises `UserError` for epochs to solve, whose difference has no interval.
        """
        measure, scale = self.question.measure, 1 if self.question.measure == "loss" else POINTS
        if measure == "epochs_to_solve":
            raise UserError(
                "plot: a difference needs an interval, but epochs to solve have none; "
                "compare the accuracy or the solve_rate"
            )
        unit = "" if measure == "loss" else ", percentage points"
        table = pd.DataFrame([self.record()])
        table[["difference", "low", "high"]] = scale * table[["difference", "low", "high"]].astype(
            float
        )
        title = f"Difference in {measure.replace('_', ' ')}{unit}"
        return differences_figure([f"{self.question.of} − {self.question.to}"], [(title, table)])

    def __repr__(self) -> str:
        return f"Comparison({self.sentence[:1000]})"

    def _repr_html_(self) -> str:
        low, high = self.interval
        values = {
            "difference": (self.difference, f"{self.difference:+.4g}"),
            "95 % interval": (low, f"{low:+.4g} to {high:+.4g}"),
            "p": (self.p, f"{self.p:.3g}"),
        }
        rows = {key: "none" if math.isnan(value) else text for key, (value, text) in values.items()}
        rows = {"verdict": self.verdict, **rows, "seeds": str(self.n)}
        return f"<p>{html.escape(self.sentence)}</p>{html_table(rows)}"


def compare_outcomes(
    first: Outcome, second: Outcome, measure: Measure = "accuracy", margin: float | None = None
) -> Comparison:
    """Returns the difference of `first` from `second`, seed by seed if they share seeds.

    The difference is "not real" if its whole 95 % interval is within `margin` of 0 (a share; by
    default 0.02). Raises `UserError` if an outcome has no such measure, or for a wrong margin.
    """
    measures = get_args(Measure)
    if not isinstance(measure, str) or measure not in measures:
        shown = repr(measure)[:80]
        raise UserError(f"measure: must be one of {', '.join(measures)}, but got {shown}")
    if fault := margin_fault(measure, margin):
        raise UserError(f"margin: {fault}")
    tasks = [str(outcome.settings.get("task")) for outcome in (first, second)]
    if tasks[0] != tasks[1]:
        raise UserError(
            f"compare: must get outcomes of one task, but got {tasks[0]} and {tasks[1]}"
        )
    of, to = outcome_labels(first, second)
    question = ComparisonQuestion(of, to, measure, margin=margin)
    for label, one in ((of, first), (to, second)):
        if not _is_recorded(one, question):
            raise UserError(
                f"measure: both outcomes must have it, but {label} has no {measure} (skill takes "
                "a task with baselines); use accuracy"
            )
    rows = Row(of, first), Row(to, second)
    if reason := other_baselines(*rows, question):
        raise UserError(f"measure: {reason}")
    estimate = estimate_difference(*rows, question)
    return with_verdicts([without_verdict("comparison", question, estimate)])[0]


def outcome_labels(first: Outcome, second: Outcome) -> tuple[str, str]:
    """Returns labels for two outcomes, made of the settings in which they differ."""
    missing = object()
    keys = [
        key
        for key in dict.fromkeys([*first.settings, *second.settings])
        if first.settings.get(key, missing) != second.settings.get(key, missing)
    ]
    labels = [
        " ".join(f"{key}={outcome.settings[key]}" for key in keys if key in outcome.settings)
        for outcome in (first, second)
    ]
    if not all(labels) or max(map(len, labels)) > LONGEST_LABEL:
        return "the first recipe", "the second recipe"
    return labels[0], labels[1]


def _is_recorded(outcome: Outcome, question: ComparisonQuestion) -> bool:
    """Returns whether an outcome has the measure of a question; skill needs baselines."""
    return COLUMNS.get(question.measure, question.measure) in outcome.seeds


def sweep_comparisons(result: SweepData) -> list[Comparison]:
    """Returns the comparisons that a sweep file asks for, in its order, without verdicts."""
    rows = {row.id: row for row in result.fixed}
    comparisons = []
    for name, question in result.comparisons.items():
        of, to = rows.get(question.of), rows.get(question.to)
        estimate, reason = None, ""
        if of and to and all(_is_recorded(row.outcome, question) for row in (of, to)):
            reason = other_baselines(of, to, question)
            estimate = None if reason else estimate_difference(of, to, question)
        comparison = without_verdict(name, question, estimate)
        comparisons.append(replace(comparison, not_compared=reason))
    return comparisons


def without_verdict(
    name: str, question: ComparisonQuestion, estimate: Difference | None
) -> Comparison:
    """Returns a comparison without a corrected p value, so with an open verdict."""
    return Comparison(name, question, estimate, math.nan, "cannot tell yet", None, 0)


def with_verdicts(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Returns comparisons with verdicts; p values are corrected for all of them (Holm 1979)."""
    p_values = holm_correction([comparison.p for comparison in comparisons])
    count = sum(not math.isnan(p) for p in p_values)
    return [
        with_verdict(comparison, p, count, (FIRST_LEVEL, next_level(comparison.n)))
        for comparison, p in zip(comparisons, p_values, strict=True)
    ]


def with_verdict(
    comparison: Comparison, p_holm: float, corrected_for: int, levels: tuple[float, float]
) -> Comparison:
    """Returns a comparison with its corrected p value, and the verdict that follows from it.

    `levels` are the significance levels of this look, and of the next one with the advised seeds.
    """
    estimate, question = comparison.estimate, comparison.question
    if estimate is None:
        return replace(comparison, corrected_for=corrected_for)
    margin = question.equivalence_margin
    verdict, more, ends = difference_verdict(estimate, p_holm, margin, levels[0]), None, None
    if verdict == "cannot tell yet":
        more = seeds_needed(estimate, margin, max(corrected_for, 1), levels[1])
        ends = seeds_needed_range(estimate, margin, max(corrected_for, 1), levels[1])
    return replace(
        comparison,
        p_holm=p_holm,
        verdict=verdict,
        more_seeds=more,
        corrected_for=corrected_for,
        more_seeds_range=ends,
        level=levels[0],
    )


def estimate_difference(of: Row, to: Row, question: ComparisonQuestion) -> Difference:
    """Returns the difference over the shared seeds; over all seeds if the rows share none."""
    column = COLUMNS.get(question.measure, question.measure)
    values = [row.outcome.seeds.set_index("seed")[column].sort_index() for row in (of, to)]
    shared = values[0].index.intersection(values[1].index)
    if len(shared):
        values = [series.loc[shared] for series in values]
    first, second = values
    if column == "solved_epoch":
        last = _last_epoch(of), _last_epoch(to)
        return epochs_difference(first.to_list(), second.to_list(), last, shared=len(shared) > 0)
    if column == "solved":
        rates = paired_rate_difference if len(shared) else unpaired_rate_difference
        estimate = rates(first.to_numpy(bool), second.to_numpy(bool))
    else:
        means = paired_mean_difference if len(shared) else unpaired_mean_difference
        bounds = (-math.inf, math.inf) if column == "loss" else measure_bounds(column)
        estimate = means(first.to_numpy(float), second.to_numpy(float), bounds)
    seeds = list(first.index), list(second.index)
    return counting_steps(estimate, of, to, question.measure, seeds)


def _last_epoch(row: Row) -> float:
    """Returns the number of epochs for which a seed that never solved the task was trained."""
    last = row.outcome.settings.get("epochs")
    latest = float(row.outcome.seeds["solved_epoch"].max())  # NaN where no seed solved it
    return float(last) if isinstance(last, int) else 1.0 if math.isnan(latest) else latest


def _qualification(comparison: Comparison) -> str:
    """Returns what limits a verdict: the margin, the number of comparisons, the seeds needed."""
    estimate, question = comparison.estimate, comparison.question
    margin, more = question.equivalence_margin, comparison.more_seeds
    if estimate is None or math.isnan(estimate.p):
        return ""
    if comparison.verdict == "real":
        small = within_margin(estimate, margin)
        size = f", though less than {difference_amount(margin or 0, question)}" if small else ""
        return f"{size}{_condition(comparison.rests_on)}"
    if comparison.verdict == "not real":
        size = f", it is less than {difference_amount(margin or 0, question)} either way"
        size = "" if estimate.n_differing == 0 else size
        return f"{size}{_condition(comparison.rests_on)}"
    among = ""
    if estimate.p <= comparison.level < comparison.p_holm:
        among = f", as one of {comparison.corrected_for} comparisons"
    if more is None:
        needs_steps = bool(estimate.step_error) and comparison.verdict == "cannot tell yet"
        return f"{among}; more seeds would not do, it takes more steps" if needs_steps else among
    low, high = comparison.more_seeds_range or (more, more)
    if low >= MAX_ADDITIONAL_SEEDS:
        return f"{among}; it would take more than {low:,} further seeds"
    if high >= MAX_ADDITIONAL_SEEDS:
        return f"{among}; about {low:,} to more than {high:,} more seeds would do"
    count = f"{more:,}" if low == high else f"{low:,} to {high:,}"
    return f"{among}; about {count} more {'seed' if count == '1' else 'seeds'} would do"


def _condition(rests_on: str) -> str:
    return f", {rests_on}" if rests_on else ""
