"""Recipes compared with baselines: predictions that need no network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lstm_bench.analysis._origin_errors import OriginErrors, origin_errors
from lstm_bench.analysis._output_errors import OutputErrors, output_errors
from lstm_bench.results import Row, SweepData
from lstm_bench.statistics import (
    ALPHA,
    BaselineComparison,
    SkillVerdict,
    absolute_errors,
    baseline_names,
    compare_with_baseline,
    holm_correction,
)


@dataclass(frozen=True)
class BaselineResult:
    """A recipe compared with each baseline, the one with the smallest error first."""

    row: Row
    real_valued: bool  # True: errors are in the data's units; False: they are shares of wrong steps
    comparisons: tuple[BaselineComparison, ...]
    p_holm: float = math.nan  # against the best baseline, after Holm's correction
    outputs: tuple[OutputErrors, ...] = ()  # if the recipe forecasts several values at a time
    origins: tuple[OriginErrors, ...] = ()  # if it was trained anew at several origins
    labels_sequences: bool = False  # whether each sequence has one label

    @property
    def best(self) -> BaselineComparison:
        """The comparison with the baseline of the smallest error, chosen with hindsight."""
        return self.comparisons[0]

    @property
    def verdict(self) -> SkillVerdict:
        """Whether the recipe is better or worse than the best baseline, or neither is certain."""
        return self.best.verdict if self.p_holm <= ALPHA else "cannot tell"

    @property
    def baselines_left_out(self) -> tuple[str, ...]:
        """The baselines that could not be fitted to the recipe's file, each with its reason."""
        stored = self.row.outcome.data.get("baselines_left_out")
        return tuple(map(str, stored)) if isinstance(stored, list) else ()

    @property
    def scored(self) -> str:
        """What the errors are of: steps, or whole sequences if each has one label."""
        return "sequences" if self.labels_sequences else "steps"

    @property
    def sentence(self) -> str:
        """The verdict, with the errors and the interval that it rests on."""
        best, real = self.best, self.real_valued
        conclusion = {
            "better": f"is better than the best baseline ({best.baseline})",
            "worse": f"is worse than the best baseline ({best.baseline})",
            "cannot tell": f"cannot be distinguished from the best baseline ({best.baseline})",
        }[self.verdict]
        where = f", after {len(self.origins)} origins" if self.origins else ""
        text = (
            f"{self.row.id} {conclusion}: on {best.steps} {self.scored} that were not trained on"
            f"{where}, its error is {amount(best.network_error, real)} (mean of {best.seeds} "
            f"seeds), the baseline's {amount(best.baseline_error, real)}"
        )
        if math.isnan(best.low):
            return (
                f"{text}; too few {self.scored}, or nothing that varies, so there is no interval."
            )
        ends = f"{signed_amount(best.low, real)} to {signed_amount(best.high, real)}"
        text += f"; 95 % interval of the gain over the baseline: {ends}"
        if self.verdict != best.verdict:
            return f"{text}, which excludes 0 only as long as nothing else is compared."
        return f"{text}."

    def records(self) -> list[dict[str, Any]]:
        """Returns one flat row per baseline; that of the best baseline has the verdict."""
        verdict = {"p_holm": self.p_holm, "verdict": self.verdict}
        return [
            {"id": self.row.id, "name": self.row.outcome.name, **_record(comparison)}
            | (verdict if comparison is self.best else {})
            for comparison in self.comparisons
        ]

    def document(self) -> dict[str, Any]:
        """Returns what JSON documents say of it."""
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "p_holm": self.p_holm,
            "answers": [_record(comparison) for comparison in self.comparisons],
        } | {
            name: [record for errors in parts for record in _records(errors)]
            for name, parts in (("outputs", self.outputs), ("origins", self.origins))
            if parts
        }


def _records(errors: OutputErrors | OriginErrors) -> list[dict[str, Any]]:
    return [errors.record()] if isinstance(errors, OutputErrors) else errors.records()


def _record(comparison: BaselineComparison) -> dict[str, Any]:
    """Returns a comparison with one baseline under the column names that readers rely on."""
    return {
        "naive": comparison.baseline,
        "seeds": comparison.seeds,
        "steps": comparison.steps,
        "network_error": comparison.network_error,
        "naive_error": comparison.baseline_error,
        "difference": comparison.difference,
        "low": comparison.low,
        "high": comparison.high,
        "p": comparison.p,
        "skill": comparison.skill,
    }


def baseline_results(data: SweepData) -> tuple[BaselineResult, ...]:
    """Returns a result for each fixed and confirmed recipe whose task has baselines, in order.

    p values are corrected for all of them (Holm 1979).
    """
    rows = [*data.fixed, *data.having("confirmed")]
    results = [_baseline_result(row) for row in rows if baseline_names(row.outcome.predictions)]
    p_values = holm_correction([result.best.p for result in results])
    return tuple(replace(result, p_holm=p) for result, p in zip(results, p_values, strict=True))


def _baseline_result(row: Row) -> BaselineResult:
    real_valued = "mae" in row.outcome.seeds
    errors = absolute_errors(row.outcome.predictions)
    names = baseline_names(row.outcome.predictions)
    forecast_horizon = int(row.outcome.settings.get("horizon", 1))
    comparisons = (compare_with_baseline(errors, name, forecast_horizon) for name in names)
    by_error = sorted(comparisons, key=lambda comparison: comparison.baseline_error)
    table = row.outcome.predictions
    outputs, origins = output_errors(table), origin_errors(table)
    return BaselineResult(
        row,
        real_valued,
        tuple(by_error),
        outputs=outputs,
        origins=origins,
        labels_sequences=bool(row.outcome.settings.get("label_per_sequence")),
    )


def headline(results: Sequence[BaselineResult], best: str | None) -> BaselineResult | None:
    """Returns the result to show first: that of the row `best`, or else that of least error.

    The p values allow for this choice: they are corrected for all results.
    """
    of_best = [result for result in results if result.row.id == best]
    least = min(results, key=lambda result: result.best.network_error, default=None)
    return of_best[0] if of_best else least


def amount(error: float, real_valued: bool) -> str:
    """Returns an error as text: four digits, or the percentage of wrong steps.

    >>> amount(0.123456, True), amount(0.0625, False)
    ('0.1235', '6.2 %')
    """
    return f"{error:.4g}" if real_valued else f"{100 * error:.1f} %"


def signed_amount(difference: float, real_valued: bool) -> str:
    """Returns a difference of errors with its sign.

    >>> signed_amount(-0.5, True), signed_amount(0.031, False)
    ('-0.5', '+3.1 %')
    """
    return f"{difference:+.3g}" if real_valued else f"{100 * difference:+.1f} %"
