"""Everything that a report tells of a result, found once and handed to whoever lays it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_bench.analysis import _findings as findings
from lstm_bench.analysis import _search as searched
from lstm_bench.analysis._baselines import BaselineResult, baseline_results
from lstm_bench.analysis._findings import ComparisonResult, Family, ReproductionResult
from lstm_bench.analysis._history import distinct, is_stopped
from lstm_bench.analysis._search import SearchFindings
from lstm_bench.results import Row, SweepResult


@dataclass(frozen=True)
class ReportFacts:
    """A result with all that was found in it."""

    result: SweepResult
    best: Row | None
    trials: tuple[tuple[Row, list[str]], ...]  # see `distinct_trials`
    verdicts: tuple[ReproductionResult, ...]
    families: tuple[Family, ...]
    searched: SearchFindings
    beside: tuple[BaselineResult, ...]

    @property
    def comparisons(self) -> tuple[ComparisonResult, ...]:
        """The comparisons that the sweep asks for, corrected together with all others."""
        return self.searched.comparisons

    @property
    def confirmed(self) -> tuple[Row, ...]:
        """The finalists, best on fresh seeds first."""
        return tuple(each.row for each in self.searched.confirmations.finalists)

    @property
    def sure(self) -> tuple[Row, ...]:
        """The recipes that were not picked by the seeds that score them: fixed, then confirmed."""
        return (*self.result.fixed, *self.confirmed)

    @property
    def picked(self) -> tuple[Row, ...]:
        """The searched recipes, best first, those that were stopped last."""
        return tuple(row for row, _ in self.trials)


def report_facts(result: SweepResult) -> ReportFacts:
    """Returns `result` with all that is to be told of it; nothing of it is computed again later."""
    return ReportFacts(
        result,
        result.best,
        tuple(distinct_trials(result)),
        tuple(findings.verdicts(result)),
        tuple(findings.families(result)),
        searched.search_findings(result),
        baseline_results(result),
    )


def ranked(rows: Sequence[Row]) -> list[Row]:
    """Returns `rows` best first; of equals, the one that came first."""
    return sorted(
        rows, key=lambda row: [np.nan_to_num(key, nan=1) for key in row.outcome.rank()[:3]]
    )


def distinct_trials(result: SweepResult) -> list[tuple[Row, list[str]]]:
    """Returns each searched recipe once, best first, with the ids of the trials that repeat it.

    Those that were stopped stand behind those that had all of their seeds.
    """
    repeats = {row.id: others for row, others in distinct(result.trials)}
    rows = ranked([row for row in result.trials if row.id in repeats])
    rows.sort(key=lambda row: is_stopped(result, row))
    return [(row, repeats[row.id]) for row in rows]
