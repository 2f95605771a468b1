"""The state of a running sweep: how far it is, its rows so far, and what failed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lstm_bench.execution._gathering import RecipeRunner, Request
from lstm_bench.provenance import provenance
from lstm_bench.results import Failed, NotRun, Outcome, SweepData, measure_mean
from lstm_bench.safety import print_plain
from lstm_bench.search import SearchStudy, planned_contexts
from lstm_bench.sweeps import Sweep
from lstm_bench.tracking import Session, SweepRow, result_from_listing, sweep_listing


@dataclass
class SweepProgress:
    """How far a sweep has come; `changed` is called after every step of it."""

    total: int = 0  # recipes expected so far
    done: int = 0
    reused: int = 0  # of those done, the ones for which nothing had to be run
    stage: str = ""
    failed: list[str] = field(default_factory=list)
    runs_page: str = ""  # the part after # of the address of MLflow's page with its runs
    measure: str = "accuracy"  # by which `best` is chosen: the objective of a search
    best: Outcome | None = None
    best_id: str = ""
    changed: Callable[[SweepProgress], None] = lambda _: None
    notice: Callable[[str], None] = print_plain
    """Called with a message for the user about anything unusual, such as a damaged file."""
    unsaved: dict[str, str] = field(default_factory=dict)
    """Recipes whose network could not be saved: id -> reason."""

    def begin_stage(self, stage: str, recipes: int = 0) -> None:
        """Begins a stage, which adds `recipes` to the expected total."""
        self.stage = stage
        self.total += recipes
        self.changed(self)

    def count(
        self, id_: str, outcome: Outcome | None, reused: bool = False, failure: str = ""
    ) -> None:
        """Counts one recipe that is done: its outcome, or the failure if it has none."""
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
        """The mean of the measure for the best recipe; NaN if unmeasured, or without a recipe."""
        return measure_mean(self.best, self.measure).mean if self.best else math.nan

    def _rank(self, outcome: Outcome | None) -> tuple[Any, ...]:
        """Returns a key that sorts the best outcome first."""
        if outcome is None:
            return (math.inf, math.inf)
        mean = measure_mean(outcome, self.measure).mean
        return (math.inf if math.isnan(mean) else -mean, *outcome.rank())


class SweepLog:
    """The rows of a sweep in order, and what failed; `write` puts them into the store."""

    def __init__(
        self,
        sweep: Sweep,
        session: Session,
        runner: RecipeRunner,
        progress: SweepProgress,
        study: SearchStudy | None,
    ) -> None:
        self.sweep = sweep
        self.progress = progress
        progress.measure = sweep.search.objective if sweep.search else progress.measure
        self.rows: list[SweepRow] = []
        self.not_run: list[NotRun] = []
        self.analysis: dict[str, Any] = {}
        self._session = session
        self._runner = runner
        self._study = study
        self._failed: dict[str, Failed] = {}
        self._provenance = provenance()

    def add_failure(self, request: Request, reason: str) -> None:
        """Records that a recipe failed, on all or on some of its seeds."""
        self._failed[request.id] = Failed(request.id, request.recipe.name, reason)

    def count(self, request: Request, reused: bool, reason: str = "") -> None:
        """Counts a recipe that is done; one with a `reason` has failed."""
        outcome = self._runner.outcome(request)
        reason = reason or ("" if outcome else self._runner.failure(request))
        if reason:
            failure = f"{request.id} ({request.recipe.name}): {reason}"
            self.progress.count(request.id, None, failure=failure)
        else:
            self.progress.count(request.id, outcome, reused)

    def write(self, last: bool = False) -> None:
        """Writes the rows so far into the store.

        While there are fewer rows than the store has from an earlier session, nothing is written,
        unless it is the `last` time: a sweep that is killed must not have fewer rows than before.
        """
        if last or len(self.rows) >= self._session.listed_rows:
            self._session.write(self._document())

    def result(self, stored: bool = False) -> SweepData:
        """Returns the results so far; with `stored`, only those that are in the store."""
        outcomes = self._runner.outcomes
        if stored:
            unsaved = self._runner.unsaved
            outcomes = {key: outcomes[key] for key in outcomes.keys() - unsaved.keys()}
            self.progress.unsaved = {
                row.id: unsaved[row.key] for row in self.rows if row.key in unsaved
            }
        document = {**self._document(), "rows": self.rows}
        return result_from_listing(document, outcomes, self.sweep.tasks)

    def _document(self) -> dict[str, Any]:
        """Returns the contents of `sweep.json`."""
        search = self._study.document if self._study else None
        if search is not None:  # as planned, where the file leaves it open
            search.setdefault("contexts", self.analysis.get("contexts", planned_contexts(None, 1)))
        failed, total = list(self._failed.values()), self.progress.total
        return sweep_listing(
            self.sweep,
            self.rows,
            failed,
            total,
            search,
            self.analysis,
            self._provenance,
            self.not_run,
            self._session.looks,
            self._session.planned_seeds,
        )
