"""The state of a running sweep: its progress, its rows so far, and its failures."""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lstm_bench.errors import FailedFastError
from lstm_bench.execution._gathering import RecipeRunner, Request
from lstm_bench.execution._work import WorkMeter
from lstm_bench.provenance import provenance
from lstm_bench.results import Failed, NotRun, Outcome, ProcessorCheck, SweepData, measure_mean
from lstm_bench.safety import print_plain
from lstm_bench.search import SearchStudy, planned_contexts
from lstm_bench.sweeps import Sweep
from lstm_bench.tracking import Session, SweepRow, result_from_listing, sweep_listing

MAX_TEXT, MAX_SHOWN = 200, 8
"""The most characters of a text, and the most texts of a kind, that `document` holds."""


@dataclass
class SweepProgress:
    """The progress of a sweep; `changed` is called after every step."""

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
    work: WorkMeter = field(default_factory=WorkMeter)
    """The weight updates done and expected, and the time for the rest."""
    running: tuple[str, ...] = ()
    """The recipes in training, each with its seed."""
    unwritten: int = 0
    """The number of writes to the store that are waiting."""
    fail_fast: bool = False
    """Whether the first recipe that fails ends the sweep."""

    def begin_stage(self, stage: str, recipes: int = 0, trials: int = 0) -> None:
        """Begins a stage, which adds `recipes` to the expected total.

        `trials` is how many trials a search has; they are part of the total already.
        """
        self.stage = stage
        self.total += recipes
        self.work.begin_stage(stage, trials)
        self.changed(self)

    def document(self) -> dict[str, Any]:
        """Returns the progress of the sweep as plain JSON values, for `lstm-bench status`."""
        total, done, left = self.work.total, self.work.finished, self.work.seconds_left()
        best = None
        if self.best is not None and self.score == self.score:
            name = self.best.name[:MAX_TEXT]
            best = {"id": self.best_id, "name": name, self.measure: round(self.score, 6)}
        return {
            "stage": self.stage,
            "running": [text[:MAX_TEXT] for text in self.running[:MAX_SHOWN]],
            "recipes": {"done": self.done, "total": self.total},
            "seeds": {"done": round(done.runs), "total": round(total.runs)},
            "updates": {"done": round(done.updates), "total": round(total.updates)},
            "fraction": round(self.work.fraction, 4),
            "seconds_left": None if math.isinf(left) else round(left, 1),
            "failed": len(self.failed),
            "failures": [text[:MAX_TEXT] for text in self.failed[-MAX_SHOWN:]],
            "best": best,
            "host": socket.gethostname(),
            "process": os.getpid(),
            "updated": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def count(
        self, id_: str, outcome: Outcome | None, reused: bool = False, failure: str = ""
    ) -> None:
        """Counts one recipe that is done: its outcome, or the failure if it has none."""
        self.done += 1
        self.reused += reused
        if self.stage == "search":
            self.work.trial_done("search")
        if failure:
            self.failed.append(failure)
        ranked = self.stage in ("recipes", "search", "confirmation")
        if outcome and ranked and self._rank(outcome) < self._rank(self.best):
            self.best, self.best_id = outcome, id_
        self.changed(self)
        if failure and self.fail_fast:
            raise FailedFastError(f"ended with the first failure, as --fail-fast says: {failure}")

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
        self.check: ProcessorCheck | None = None
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
        known = reused and not reason and outcome is not None
        reason = reason or self._runner.failure(request)
        if reason:
            failure = f"{request.id} ({request.recipe.name}): {reason}"
            try:
                self.progress.count(request.id, None, known, failure)
            except FailedFastError:  # nobody else records it: the sweep ends here
                self.add_failure(request, reason)
                raise
        else:
            self.progress.count(request.id, outcome, reused)

    def write(self, last: bool = False) -> None:
        """Writes the rows so far into the store.

        Nothing is written while there are fewer rows than the store has from an earlier session,
        unless it is the `last` time: a killed sweep must not have fewer rows than before.
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
            self.check,
        )
