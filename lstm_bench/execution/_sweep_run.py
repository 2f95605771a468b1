"""Runs a whole sweep: sends recipes to workers, stores outcomes, writes the report."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from lstm_bench.config import Settings
from lstm_bench.errors import StoreError, UserError
from lstm_bench.execution._checkpoint import Checkpoint, file_lock
from lstm_bench.execution._closing import Closing
from lstm_bench.execution._cluster import ClusterExecutor
from lstm_bench.execution._estimate import Estimate, estimate, expected_stages
from lstm_bench.execution._executor import Executor
from lstm_bench.execution._gathering import RecipeRunner, Request
from lstm_bench.execution._processors import check_processors
from lstm_bench.execution._progress import SweepLog, SweepProgress
from lstm_bench.execution._search_loop import SearchLoop
from lstm_bench.execution._ticker import Ticker
from lstm_bench.execution._workers import WorkerPool
from lstm_bench.report import check_report_folder
from lstm_bench.results import NotRun, SweepData
from lstm_bench.safety import path_component, print_plain, report_folder_name
from lstm_bench.search import SearchStudy, StudyStorage, check_separate
from lstm_bench.sweeps import Sweep
from lstm_bench.tracking import Store, StoreLock, SweepRow, begin_session
from lstm_bench.training import available_cores


def _check_writable(folder: Path) -> None:
    """Raises `StoreError` if a report could not be written, before the work and not after it.

    Leaves no folder behind, because the store may still be refused.
    """
    check_report_folder(folder)
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
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
        for path in missing:
            with contextlib.suppress(OSError):  # another process has put something into it
                path.rmdir()


class ProgressObserver(Protocol):
    """Receives the estimated cost of a sweep before it starts, and its progress while it runs."""

    def estimated(self, estimate: Estimate) -> None:
        """Called once, unless the sweep resumes an earlier session."""

    def changed(self, state: SweepProgress) -> None:
        """Called after every step."""


def _study(sweep: Sweep) -> SearchStudy | None:
    """Returns the study of a sweep's search, if it has one."""
    return SearchStudy(sweep.search, sweep.settings, sweep.tasks) if sweep.search else None


def _study_storage(
    sweep: Sweep, settings: Settings, progress: SweepProgress
) -> StudyStorage | None:
    """Returns the storage for the trials of a search, for Optuna's tools; None without one."""
    if sweep.search is None or settings.optuna is None:
        return None
    facts = {"title": sweep.title, "task": sweep.settings["task"], "seeds": sweep.seeds}
    return StudyStorage(settings.optuna, sweep.report_name, sweep.search, progress.notice, facts)


def _executor(
    sweep: Sweep, settings: Settings, cluster: object, notice: Callable[[str], None]
) -> Executor:
    """Returns the executor of a sweep: a cluster, if one is given, or processes here.

    Raises `UserError` for a cluster without the package that it needs.
    """
    cluster = cluster if cluster is not None else settings.cluster
    if cluster is None:
        workers = settings.workers or available_cores()
        return WorkerPool(workers, settings.worker_memory_mb, sweep.tasks.sources)
    try:
        from lstm_bench.execution._dask import DaskLink
    except ModuleNotFoundError as error:
        raise UserError(
            f"cluster: needs the package distributed, but there is no {error.name}; "
            "pip install 'lstm-bench[dask]'"
        ) from error
    link = DaskLink(cluster, notice)
    return ClusterExecutor(link, sweep.tasks.sources, settings.worker_memory_mb, notice)


def estimate_sweep(
    sweep: Sweep, settings: Settings, engine: str = "compiled", cluster: object = None
) -> Estimate:
    """Returns the estimated cost of `sweep`, and writes nothing; see `run_sweep`."""
    with _executor(sweep, settings, cluster, print_plain) as pool:
        return estimate(sweep, _study(sweep), pool, engine)


def run_sweep(
    sweep: Sweep,
    settings: Settings,
    engine: str = "compiled",
    again: bool = False,
    observer: ProgressObserver | None = None,
    cluster: object = None,
    fail_fast: bool = False,
) -> tuple[SweepData, Path, SweepProgress]:
    """Runs `sweep` and returns its results, the path of its report, and its final progress.

    Results that the store has are not computed again, unless `again`. On Ctrl-C, all finished
    results are kept, the report is written from them, and KeyboardInterrupt is raised. `cluster` is
    the address of a Dask scheduler or a `distributed.Client`, by default that of `settings`;
    without one, processes of this machine run the recipes. With `fail_fast`, the first recipe that
    fails ends the sweep with `FailedFastError`. Raises `StoreLostError` if the store has not
    answered for the time that `settings` give; finished results are then in the checkpoint.
    """
    study = _study(sweep)
    progress = SweepProgress(changed=observer.changed) if observer else SweepProgress()
    progress.fail_fast = fail_fast
    folder = settings.reports / report_folder_name(sweep.name, sweep.overrides)
    _check_writable(folder)
    if sweep.search is not None and settings.optuna is not None:
        check_separate(settings.optuna, settings.store)
    lock = settings.artifacts / f"{path_component(sweep.name)}.lock"

    def waiting_for(host: str = "") -> None:
        place = f", on {host}" if host else ""
        progress.begin_stage(f"waiting for another process at this sweep{place}")

    pool = _executor(sweep, settings, cluster, progress.notice)
    with contextlib.ExitStack() as stack:
        stack.enter_context(pool).prepare()
        # Before the lock, which makes a folder: the store may be refused.
        wait = 60 * settings.store_wait
        progress.begin_stage("opening the store")
        store = Store(settings.store, settings.artifacts, waiting=progress.notice, wait=wait)
        stack.enter_context(file_lock(lock, waiting_for))
        storage = _study_storage(sweep, settings, progress)
        store_lock = None
        if not store.is_file:  # other folders and hosts may use it
            store_lock = StoreLock(store, sweep.name)
            stack.enter_context(store_lock.held(waiting_for))
        progress.begin_stage("reading the store")
        session = begin_session(store, sweep, engine, again)
        session.lock = store_lock
        progress.runs_page = session.page
        checkpoint = Checkpoint(settings.artifacts / "seeds.db", session.run_id, progress.notice)
        stack.callback(checkpoint.close)
        progress.work.workers = pool.size
        limits = (sweep.time_limit, sweep.seeds)
        runner = RecipeRunner(session, checkpoint, pool, engine, *limits, progress.work)
        log = SweepLog(sweep, session, runner, progress, study)
        pool.tick = Ticker(session, runner, progress)
        finished, interrupted = False, False
        try:
            if observer and not session.resumed:
                progress.begin_stage("estimating the time")
                expected = estimate(sweep, study, pool, engine)
                observer.estimated(expected)
                progress.work.expect(expected.stages, expected)
            else:
                progress.work.expect(expected_stages(sweep, study, engine))
            requests = _fixed_requests(sweep, runner, log)
            progress.begin_stage("recipes", len(requests) + (study.trial_count if study else 0))
            _run_fixed_recipes(sweep, requests, runner, log)
            if study is not None:
                SearchLoop(sweep, study, runner, log, storage).run()
            if sweep.check is not None:
                progress.begin_stage("check of processors")
                log.check = check_processors(sweep, log.result().rows, pool, engine)
            finished = True
            pool.release()  # a report of a long file needs as much memory as a worker
        except KeyboardInterrupt:
            interrupted = True
            pool.__exit__(None, None, None)
            raise
        finally:
            closing = Closing(log, session, progress, folder, pool.tick)
            result = closing.in_haste() if interrupted else closing.run(finished)
    return result, folder / "index.html", progress


def _fixed_requests(sweep: Sweep, runner: RecipeRunner, log: SweepLog) -> list[Request]:
    """Returns the recipes that the sweep file names and that are run; notes the others in `log`.

    A recipe that is left out still has its row if all its seeds are known from an earlier run: a
    run without `full` must not lose the results of a run with it.
    """
    seeds = tuple(sweep.seed_list)
    requests = []
    for id_, entry in sweep.entries.items():
        request = Request(id_, entry.recipe, seeds)
        if id_ not in sweep.left_out or runner.is_finished(request):
            requests.append(request)
        else:
            log.not_run.append(
                NotRun(
                    id_,
                    entry.recipe.name,
                    entry.published,
                    entry.accuracy,
                    entry.claim,
                    entry.published_success,
                    entry.published_sequences,
                )
            )
    return requests


def _run_fixed_recipes(
    sweep: Sweep, requests: Sequence[Request], runner: RecipeRunner, log: SweepLog
) -> None:
    """Runs the recipes that the sweep file names."""
    log.rows += [_sweep_row(sweep, request) for request in requests]
    log.write()
    runner.run(requests, store=True, retry=True, on_done=log.count)
    for request in requests:
        if runner.failure(request):
            log.add_failure(request, runner.failure(request))


def _sweep_row(sweep: Sweep, request: Request) -> SweepRow:
    entry = sweep.entries[request.id]
    return SweepRow(
        request.id,
        request.recipe.digest,
        entry.published,
        entry.accuracy,
        entry.note,
        claim=entry.claim,
        published_success=entry.published_success,
        published_sequences=entry.published_sequences,
        family=entry.family,
        axis=entry.axis,
        value=entry.value,
        seeds=request.seeds,
        source=entry.source,
        url=entry.url,
    )
