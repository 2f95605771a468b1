"""A sweep from its file to its report: recipes to the workers, outcomes to the store."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lstm_bench import backend
from lstm_bench.errors import StoreError
from lstm_bench.provenance import provenance
from lstm_bench.recipe import Recipe
from lstm_bench.report import write_report
from lstm_bench.results import Outcome, Refusal, Row, SweepResult
from lstm_bench.search.study import Study, scores
from lstm_bench.settings import Settings
from lstm_bench.sweep import Sweep
from lstm_bench.tracking import Listed, Session, Store
from lstm_bench.workers import Failure, Job, Pool


@dataclass
class Progress:
    """How far a sweep has come; `changed` is called after every step of it."""

    total: int
    done: int = 0
    reused: int = 0
    failed: list[str] = field(default_factory=list)
    best: Row | None = None
    changed: Callable[[Progress], None] = lambda _: None

    def step(self, row: Row | None, reused: bool = False, failure: str = "") -> None:
        """Counts one recipe: its row, or why there is none."""
        self.done += 1
        self.reused += reused
        if failure:
            self.failed.append(failure)
        if row and (self.best is None or row.outcome.rank() < self.best.outcome.rank()):
            self.best = row
        self.changed(self)


def _probe(folder: Path) -> None:
    """Raises `StoreError` where a report could not be written: before the work, not after it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StoreError(
            f"reports: {folder} must be a folder that can be written, but {error.strerror}; "
            "free the name, or set another folder as `reports` in conf/default.yaml"
        ) from error


@dataclass(frozen=True)
class Proposal:
    """A recipe that a sweep asks for, under the name that its row will have."""

    id: str
    recipe: Recipe
    trial: int | None = None


def launch(
    sweep: Sweep,
    settings: Settings,
    engine: str = "compiled",
    again: bool = False,
    changed: Callable[[Progress], None] = lambda _: None,
) -> tuple[SweepResult, Path, Progress]:
    """Runs `sweep` and returns its results, the path of its report, and how it went.

    What the store already has of this sweep is not run again, unless `again`. On Ctrl-C everything
    that has finished is kept, the report is written from it, and KeyboardInterrupt goes on.
    """
    study = Study(sweep.search, sweep.settings) if sweep.search else None
    trials = sweep.search.trials if sweep.search else 0
    progress = Progress(len(sweep.entries) + trials, changed=changed)
    folder = settings.reports / sweep.name
    _probe(folder)
    with Pool(settings.workers or backend.cores(), settings.worker_memory_mb) as pool:
        pool.prepare()
        store = Store(settings.store, settings.artifacts)
        session = store.begin(sweep, engine, again)
        conductor = _Conductor(sweep, session, pool, engine, progress)
        finished = False
        try:
            conductor.all(study)
            finished = True
        finally:
            result = conductor.result(study)
            try:
                conductor.list(study)
                if result.rows:
                    write_report(result, folder)
                    session.attach(folder)
            finally:
                session.end(result, finished)
    return result, folder / "index.html", progress


class _Conductor:
    """Runs the recipes of one sweep, and remembers its rows in order."""

    def __init__(
        self, sweep: Sweep, session: Session, pool: Pool, engine: str, progress: Progress
    ) -> None:
        self.sweep = sweep
        self.session = session
        self.pool = pool
        self.engine = engine
        self.progress = progress
        self.listed: list[Listed] = []
        self.outcomes: dict[str, Outcome] = {}
        self.provenance = provenance()

    def list(self, study: Study | None) -> None:
        """Writes into the store which rows there are."""
        facts = study.facts if study else None
        self.session.list(self.listed, facts, self.progress.total, self.provenance)

    def all(self, study: Study | None) -> None:
        """Runs the fixed recipes, then the search batch by batch."""
        entries = self.sweep.entries
        self._run([Proposal(key, entry.recipe) for key, entry in entries.items()], None)
        if study is None:
            return
        for batch in study.batches():
            proposals = [Proposal(f"trial-{t.number}", r, t.number) for t, r in batch]
            self._run(proposals, study)
            for trial, recipe in batch:
                outcome = self.outcomes.get(recipe.digest)
                cost = outcome.parameters * outcome.updates if outcome else 0
                values = scores(outcome, study.search.objective) if outcome else None
                study.tell(trial, None if values is None else float(values.mean()), cost)

    def _run(self, proposals: Sequence[Proposal], study: Study | None) -> None:
        self.listed += [self._listing(proposal) for proposal in proposals]
        self.list(study)
        fresh: dict[str, Proposal] = {}
        for proposal in proposals:
            digest = proposal.recipe.digest
            if digest in fresh:
                continue
            known = self.outcomes.get(digest) or self.session.finished(digest)
            if known is None:
                fresh[digest] = proposal
            else:
                self.outcomes[digest] = known
                self.progress.step(self._row(proposal), reused=True)
        groups: dict[str, list[Proposal]] = {}
        for proposal in sorted(fresh.values(), key=_work, reverse=True):  # the longest first
            groups.setdefault(proposal.recipe.training, []).append(proposal)
        waiting = list(groups.values())
        seeds = tuple(self.sweep.seed_list)
        jobs = [Job(tuple(p.recipe.settings for p in group), seeds, self.engine)
                for group in waiting]  # fmt: skip
        for place, result in self.pool.run(jobs):
            for number, proposal in enumerate(waiting[place]):
                if isinstance(result, Failure):
                    failure = f"{proposal.id} ({proposal.recipe.name}): {result.reason}"
                    self.progress.step(None, failure=failure)
                    continue
                self.outcomes[proposal.recipe.digest] = result[number]
                self.session.log(proposal.id, result[number])
                self.progress.step(self._row(proposal))
        for proposal in proposals:  # the same recipe proposed twice in a batch
            if proposal not in fresh.values() and proposal.recipe.digest in fresh:
                row = self._row(proposal) if proposal.recipe.digest in self.outcomes else None
                self.progress.step(row, reused=row is not None)

    def _listing(self, proposal: Proposal) -> Listed:
        digest = proposal.recipe.digest
        if proposal.trial is not None:
            return Listed(proposal.id, digest, trial=proposal.trial, role="trial")
        entry = self.sweep.entries[proposal.id]
        return Listed(
            proposal.id,
            digest,
            entry.published,
            entry.accuracy,
            entry.note,
            claim=entry.claim,
            family=entry.family,
            axis=entry.axis,
            value=entry.value,
        )

    def _row(self, proposal: Proposal) -> Row:
        return self._listing(proposal).row(self.outcomes[proposal.recipe.digest])

    def result(self, study: Study | None) -> SweepResult:
        """Returns what there is so far."""
        done = [listed for listed in self.listed if listed.digest in self.outcomes]
        return SweepResult(
            name=self.sweep.name,
            title=self.sweep.title,
            about=self.sweep.about,
            rows=tuple(listed.row(self.outcomes[listed.digest]) for listed in done),
            search=study.facts if study else None,
            provenance=self.provenance,
            unfinished=self.progress.total - len(done),
            comparisons=self.sweep.comparisons,
            refused=tuple(Refusal(key, **dict(each)) for key, each in self.sweep.refused.items()),
            metrics=self.sweep.metrics,
        )


def _work(proposal: Proposal) -> int:
    """Returns a rough count of the steps that a recipe trains: what to start first."""
    recipe = proposal.recipe
    return recipe.epochs * recipe.schedule.samples * recipe.width
