"""A sweep's networks beside what could be answered without one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lstm_bench.results import Row, SweepResult
from lstm_bench.statistics import (
    ALPHA,
    BaselineComparison,
    SkillWord,
    absolute_errors,
    baseline_names,
    compare_with_baseline,
    holm,
)


@dataclass(frozen=True)
class BaselineResult:
    """A recipe beside each naive answer, the one with the smallest error first."""

    row: Row
    real: bool  # whether errors are of real values, in the data's units; else shares wrong
    all: tuple[BaselineComparison, ...]
    corrected: float = math.nan  # p against the best, after Holm's correction

    @property
    def best(self) -> BaselineComparison:
        """The comparison with the naive answer that errs least, chosen with hindsight."""
        return self.all[0]

    @property
    def word(self) -> SkillWord:
        """Better or worse than the best naive answer, or that this cannot be told."""
        return self.best.word if self.corrected <= ALPHA else "cannot tell"

    @property
    def sentence(self) -> str:
        """The verdict, with what it rests on."""
        best = self.best
        verdict = {
            "better": f"is better than the best naive answer ({best.naive})",
            "worse": f"is worse than the best naive answer ({best.naive})",
            "cannot tell": f"cannot be told from the best naive answer ({best.naive})",
        }[self.word]
        said = (
            f"{self.row.id} {verdict}: on {best.steps} steps never trained on it errs by "
            f"{amount(best.network_error, self.real)} (mean of {best.seeds} seeds), that by "
            f"{amount(best.naive_error, self.real)}"
        )
        if math.isnan(best.low):
            return f"{said}; too few steps, or nothing that varies, so there is no interval."
        ends = f"{signed_amount(best.low, self.real)} to {signed_amount(best.high, self.real)}"
        said += f"; 95 % interval of what the network gains: {ends}"
        if self.word != best.word:
            return f"{said}, without 0 only as long as nothing else is compared."
        return f"{said}."


def baseline_results(result: SweepResult) -> tuple[BaselineResult, ...]:
    """Returns the fixed and the confirmed recipes that have naive answers beside them, in order.

    p values are corrected for all of them (Holm 1979).
    """
    rows = [*result.fixed, *result.having("confirmed")]
    found = [_beside(row) for row in rows if baseline_names(row.outcome.predictions)]
    levels = holm([each.best.p for each in found])
    return tuple(
        BaselineResult(each.row, each.real, each.all, level)
        for each, level in zip(found, levels, strict=True)
    )


def _beside(row: Row) -> BaselineResult:
    real = "mae" in row.outcome.seeds
    table = absolute_errors(row.outcome.predictions)
    names = baseline_names(row.outcome.predictions)
    ahead = int(row.outcome.settings.get("horizon", 1))
    found = (compare_with_baseline(table, name, ahead) for name in names)
    against = sorted(found, key=lambda each: each.naive_error)
    return BaselineResult(row, real, tuple(against))


def headline(found: Sequence[BaselineResult], best: str | None) -> BaselineResult | None:
    """Returns the one to tell first: the row `best`, else the one with the least error.

    To pick the best of several is allowed for: p values are corrected for all of them.
    """
    own = [each for each in found if each.row.id == best]
    return next(iter(own), min(found, key=lambda each: each.best.network_error, default=None))


def amount(error: float, real: bool) -> str:
    """Returns an error as text: to four digits, or as a share of wrong answers.

    >>> amount(0.123456, True), amount(0.0625, False)
    ('0.1235', '6.2 %')
    """
    return f"{error:.4g}" if real else f"{100 * error:.1f} %"


def signed_amount(difference: float, real: bool) -> str:
    """Returns a difference of errors with its sign.

    >>> signed_amount(-0.5, True), signed_amount(0.031, False)
    ('-0.5', '+3.1 %')
    """
    return f"{difference:+.3g}" if real else f"{100 * difference:+.1f} %"


def baselines_document(result: SweepResult) -> dict[str, Any]:
    """Returns what was found as plain JSON values; empty without naive answers."""
    found = {
        each.row.id: {
            "verdict": each.word,
            "sentence": each.sentence,
            "p_holm": None if math.isnan(each.corrected) else each.corrected,
            "answers": [_plain(one) for one in each.all],
        }
        for each in baseline_results(result)
    }
    return {"naive": found} if found else {}


def _plain(each: BaselineComparison) -> dict[str, Any]:
    facts = {key: None if value != value else value for key, value in vars(each).items()}
    return facts | {"skill": each.skill}
