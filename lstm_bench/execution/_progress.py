"""What a sweep has come to so far: its rows, what failed, and how far it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lstm_bench.analysis import score
from lstm_bench.execution._gathering import RecipeRunner, Request
from lstm_bench.provenance import provenance
from lstm_bench.results import Failed, Outcome, SweepResult
from lstm_bench.safety import print_plain
from lstm_bench.search import SearchStudy
from lstm_bench.sweeps import Sweep
from lstm_bench.tracking import Session, SweepRow, result_of_record, sweep_record


@dataclass
class SweepProgress:
    """How far a sweep has come; `changed` is called after every step of it."""

    total: int = 0
    done: int = 0
    reused: int = 0
    stage: str = ""
    failed: list[str] = field(default_factory=list)
    measure: str = "accuracy"  # what a search goes by
    best: Outcome | None = None
    best_id: str = ""
    changed: Callable[[SweepProgress], None] = lambda _: None
    notice: Callable[[str], None] = print_plain
    """Is called with a sentence about what has happened besides, and must be known."""
    unsaved: dict[str, str] = field(default_factory=dict)
    """Recipes whose network could not be kept, by id, and why."""

    def expect(self, stage: str, recipes: int = 0) -> None:
        """Begins a stage, of so many recipes more than were expected so far."""
        self.stage = stage
        self.total += recipes
        self.changed(self)

    def step(
        self, id_: str, outcome: Outcome | None, reused: bool = False, failure: str = ""
    ) -> None:
        """Counts one recipe: its outcome, or why there is none."""
        self.done += 1
        self.reused += reused
        if failure:
            self.failed.append(failure)
        ranked = self.stage in ("recipes", "search", "confirmation")
        if outcome and ranked and self._rank(outcome) < self._rank(self.best):
            self.best, self.best_id = outcome, id_
        self.changed(self)

    @property
    def score(self) -> float:
        """What the best has scored, by the measure; NaN where it was not measured, or without."""
        return score(self.best, self.measure).mean if self.best else math.nan

    def _rank(self, outcome: Outcome | None) -> tuple[Any, ...]:
        if outcome is None:
            return (math.inf, math.inf)
        mean = score(outcome, self.measure).mean
        return (math.inf if math.isnan(mean) else -mean, *outcome.rank())


class SweepRecord:
    """The rows of a sweep in order, and what failed; `write` puts them into the store."""

    def __init__(
        self,
        sweep: Sweep,
        session: Session,
        gatherer: RecipeRunner,
        progress: SweepProgress,
        study: SearchStudy | None,
    ) -> None:
        self.sweep = sweep
        self.progress = progress
        progress.measure = sweep.search.objective if sweep.search else progress.measure
        self.rows: list[SweepRow] = []
        self.analysis: dict[str, Any] = {}
        self._session = session
        self._gatherer = gatherer
        self._study = study
        self._failed: dict[str, Failed] = {}
        self._provenance = provenance()

    def fail(self, need: Request, reason: str) -> None:
        """Writes down that a recipe has failed, wholly or on some of its seeds."""
        self._failed[need.id] = Failed(need.id, need.recipe.name, reason)

    def told(self, need: Request, reused: bool, reason: str = "") -> None:
        """Counts a recipe that is done; one with a `reason` has failed."""
        outcome = self._gatherer.outcome(need)
        reason = reason or ("" if outcome else self._gatherer.reason(need))
        if reason:
            told = f"{need.id} ({need.recipe.name}): {reason}"
            self.progress.step(need.id, None, failure=told)
        else:
            self.progress.step(need.id, outcome, reused)

    def write(self, last: bool = False) -> None:
        """Writes into the store which rows there are.

        Not while there are fewer of them than the store lists from an earlier session, unless these
        are the `last`: a kill must not leave less than there was.
        """
        if last or len(self.rows) >= self._session.listed:
            self._session.write(self._document())

    def result(self, stored: bool = False) -> SweepResult:
        """Returns what there is so far; what has come into the store, if only that is asked for."""
        outcomes = self._gatherer.outcomes
        if stored:
            unsaved = self._gatherer.unsaved
            outcomes = {key: outcomes[key] for key in outcomes.keys() - unsaved.keys()}
            self.progress.unsaved = {
                row.id: unsaved[row.key] for row in self.rows if row.key in unsaved
            }
        return result_of_record({**self._document(), "rows": self.rows}, outcomes)

    def _document(self) -> dict[str, Any]:
        facts = self._study.facts if self._study else None
        failed, asked = list(self._failed.values()), self.progress.total
        return sweep_record(
            self.sweep, self.rows, failed, asked, facts, self.analysis, self._provenance
        )
