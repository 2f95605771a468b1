"""A sweep from its file to its report: recipes to the workers, outcomes to the store."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from pathlib import Path
from typing import Protocol

from lstm_bench.config import Settings
from lstm_bench.errors import StoreError
from lstm_bench.execution._checkpoint import Checkpoint, exclusive_lock
from lstm_bench.execution._estimate import Estimate, estimate
from lstm_bench.execution._gathering import RecipeRunner, Request
from lstm_bench.execution._progress import SweepProgress, SweepRecord
from lstm_bench.execution._search_loop import SearchLoop
from lstm_bench.execution._workers import WorkerPool
from lstm_bench.report import check as check_report
from lstm_bench.report import write_report, written_by_report
from lstm_bench.results import SweepResult
from lstm_bench.safety import path_component
from lstm_bench.search import SearchStudy
from lstm_bench.sweeps import Sweep
from lstm_bench.tracking import Store, SweepRow, begin_session
from lstm_bench.training import available_cores


def _probe(folder: Path) -> None:
    """Raises `StoreError` where a report could not be written: before the work, not after it.

    Leaves no folder behind: the store may be refused yet.
    """
    check_report(folder)
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StoreError(
            f"reports: {folder} must be a folder that can be written, but {error.strerror}; "
            "free the name, or set another folder as `reports` in conf/default.yaml"
        ) from error
    finally:
        for each in made:
            with contextlib.suppress(OSError):  # of another process, which has filled it
                each.rmdir()


class Watcher(Protocol):
    """Sees a sweep go by: what it will cost, before it starts, and how far it has come."""

    def weighed(self, found: Estimate) -> None:
        """Is called once, unless the sweep goes on from an earlier session."""

    def changed(self, state: SweepProgress) -> None:
        """Is called after every step."""


def estimate_sweep(sweep: Sweep, settings: Settings, engine: str = "compiled") -> Estimate:
    """Returns what `sweep` would cost, and writes nothing."""
    study = SearchStudy(sweep.search, sweep.settings) if sweep.search else None
    with WorkerPool(settings.workers or available_cores(), settings.worker_memory_mb) as pool:
        return estimate(sweep, study, pool, engine)


def run_sweep(
    sweep: Sweep,
    settings: Settings,
    engine: str = "compiled",
    again: bool = False,
    watcher: Watcher | None = None,
) -> tuple[SweepResult, Path, SweepProgress]:
    """Runs `sweep` and returns its results, the path of its report, and how it went.

    What the store already has of this sweep is not run again, unless `again`. On Ctrl-C everything
    that has finished is kept, the report is written from it, and KeyboardInterrupt goes on.
    """
    study = SearchStudy(sweep.search, sweep.settings) if sweep.search else None
    progress = SweepProgress(changed=watcher.changed) if watcher else SweepProgress()
    folder = settings.reports / path_component(sweep.name)
    _probe(folder)
    lock = settings.artifacts / f"{path_component(sweep.name)}.lock"
    waiting = functools.partial(progress.expect, "waiting for another process at this sweep")
    pool = WorkerPool(settings.workers or available_cores(), settings.worker_memory_mb)
    with contextlib.ExitStack() as open_:
        open_.enter_context(pool).prepare()
        # First, for the lock makes a folder.
        store = Store(settings.store, settings.artifacts, waiting=progress.notice)
        open_.enter_context(exclusive_lock(lock, waiting))
        session = begin_session(store, sweep, engine, again)
        ledger = Checkpoint(settings.artifacts / "seeds.db", session.run_id, progress.notice)
        gatherer = RecipeRunner(session, ledger, pool, engine, sweep.time_limit, sweep.seeds)
        book = SweepRecord(sweep, session, gatherer, progress, study)
        finished = False
        try:
            if watcher and not session.taken_up:
                watcher.weighed(estimate(sweep, study, pool, engine))
            progress.expect("recipes", len(sweep.entries) + (study.trials if study else 0))
            _fixed(sweep, gatherer, book)
            if study is not None:
                SearchLoop(sweep, study, gatherer, book).all()
            finished = True
        finally:
            result = book.result(stored=True)
            finished = finished and not progress.unsaved
            try:
                book.write(last=finished)
                if result.rows or result.failed:
                    write_report(result, folder)
                    session.attach(folder, written_by_report(folder))
            finally:
                session.end(result, finished)
                ledger.close()
    return result, folder / "index.html", progress


def _fixed(sweep: Sweep, gatherer: RecipeRunner, book: SweepRecord) -> None:
    """Runs the recipes that the sweep file names."""
    seeds = tuple(sweep.seed_list)
    needs = [Request(key, entry.recipe, seeds) for key, entry in sweep.entries.items()]
    book.rows += [_listing(sweep, need) for need in needs]
    book.write()
    gatherer.gather(needs, settle=True, retry=True, told=book.told)
    for need in needs:
        if gatherer.reason(need):
            book.fail(need, gatherer.reason(need))


def _listing(sweep: Sweep, need: Request) -> SweepRow:
    entry = sweep.entries[need.id]
    return SweepRow(
        need.id,
        need.recipe.digest,
        entry.published,
        entry.accuracy,
        entry.note,
        claim=entry.claim,
        family=entry.family,
        axis=entry.axis,
        value=entry.value,
        seeds=need.seeds,
    )
