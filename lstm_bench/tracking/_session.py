"""Sessions, which write a sweep's run to the store while the sweep is running."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lstm_bench.errors import DamagedError, SweepError
from lstm_bench.provenance import VERSION, provenance
from lstm_bench.results import Failed, Outcome, SweepData
from lstm_bench.safety import disk_errors_reported, escape_markdown, temporary_folder
from lstm_bench.sweeps import Sweep
from lstm_bench.tracking._definition import data_file, describe_changes, search_definition
from lstm_bench.tracking._listing import LISTING_FILE, SeedRole, outcome_key
from lstm_bench.tracking._logging import (
    log_outcome,
    seeds_tag,
    source_tags,
    sweep_note,
    training_times,
)
from lstm_bench.tracking._network import delete_networks
from lstm_bench.tracking._runs_view import TAG, runs_page, view_key, view_tag
from lstm_bench.tracking._store import OVERRIDDEN_SWEEP, WHOLE_SWEEP, Store
from lstm_bench.tracking._store_lock import StoreLock
from lstm_bench.tracking._sweep_states import PROGRESS_TAG
from lstm_bench.tracking._write_queue import WriteQueue


def begin_session(store: Store, sweep: Sweep, engine: str, again: bool = False) -> Session:
    """Returns a session for `sweep`; it resumes the newest run of the sweep unless `again`.

    A run by another engine or another version of this package is not resumed. A sweep with
    overrides has a separate run. This run takes outcomes from the run of the whole sweep, and the
    other way round. Raises `SweepError` if the run had another search than `sweep`.
    """
    key = f"{sweep.name} engine {engine} version {VERSION}"
    kind = OVERRIDDEN_SWEEP if sweep.overrides else WHOLE_SWEEP
    with store.errors_reported():
        experiment = store.ensure_experiment(sweep.name)
        store.remove_unfinished_uploads(experiment)
        runs = [] if again else store.sweep_runs(experiment, kind)
        run = next((run for run in runs if _is_of(run, key, sweep.overrides)), None)
        if run is not None:
            run_id, ended = run.info.run_id, run.info.end_time
            store.check_artifact_folder(sweep.name, run.info.artifact_uri)
            _check_definition(store, run_id, sweep)
            store.client.set_tag(run_id, "taken_up", str(_now()))
            store.client.update_run(run_id, status="RUNNING")
            session = Session(store, experiment, run_id, resumed=True, ended=ended)
            with contextlib.suppress(DamagedError):
                session.listed_rows = len(store.read_listing(run_id)["rows"])
            session.read_looks(sweep, key)
            return session
        tags = {
            "sweep_key": key,
            "kind": kind,
            "overrides": sweep.overrides,
            "mlflow.note.content": _note(sweep),
            **source_tags(provenance()),
        }
        run = store.client.create_run(experiment, run_name=sweep.report_name, tags=tags)
        session = Session(store, experiment, run.info.run_id, fresh=again)
        session.read_looks(sweep, key)
        return session


def _is_of(run: Any, key: str, overrides: str) -> bool:
    """Returns whether a run is of the sweep with this key and with the same overrides."""
    tags = run.data.tags
    return bool(tags.get("sweep_key") == key and tags.get("overrides", "") == overrides)


def _note(sweep: Sweep) -> str:
    """Returns the description that MLflow shows, in Markdown: the sweep's `title` and `about`."""
    return f"**{escape_markdown(sweep.title)}**\n\n{escape_markdown(sweep.about)}".strip()


def _check_definition(store: Store, run_id: str, sweep: Sweep) -> None:
    """Raises `SweepError` if a run had another search than `sweep`."""
    try:
        before = store.read_listing(run_id).get("definition")
    except DamagedError:  # the process was killed before or while it wrote the listing
        return
    now = search_definition(sweep)
    changes = describe_changes(sweep, before, now) if before and now else []
    if changes:
        lines = "\n".join(f"  {line}" for line in changes)
        data = data_file(sweep)
        other = f"copy {data} to another name" if data else f"give {sweep.name}.yaml another name"
        raise SweepError(
            f"{sweep.name}: a search that has begun must stay the same, but\n{lines}\n"
            f"  undo that, start again with --again, or {other}, which makes another sweep; the "
            "numbers of trials and of seeds may change at any time"
        )


class Session:
    """Writes one sweep's run to the store, with a child run for each outcome.

    A thread writes, in the order of the calls. So the sweep does not wait for a store that is slow
    or unreachable for a while: see `writes`.
    """

    def __init__(
        self,
        store: Store,
        experiment: str,
        run_id: str,
        resumed: bool = False,
        ended: int | None = None,
        fresh: bool = False,
    ) -> None:
        """With `resumed`, the run is from an earlier session; with `fresh`, nothing is reused.

        `ended` is when that session ended, in milliseconds; None if it was killed.
        """
        self.store = store
        self.lock: StoreLock | None = None
        """The lock of the sweep, if it is in the store: `show` gives its signs of life."""
        self.writes = WriteQueue(store.check_answering)
        """The caller must poll it, and wait for it at the end."""
        self.resumed = resumed
        self.listed_rows = 0  # rows in the listing of an earlier session
        self.looks: tuple[int, ...] = ()  # other numbers of seeds that it was reported with
        self.planned_seeds = 0
        self._ended = ended
        self._began = _now()
        self._added = False  # whether this session has logged a recipe
        self.run_id = run_id
        self._experiment = experiment
        finished = store.finished_children(experiment, run_id)  # outcome key -> run id
        self._finished = set(finished.values())
        self._children = finished if fresh else store.related_children(experiment, run_id)
        self._failures = self._read_failures()

    @property
    def page(self) -> str:
        """The part after `#` of the address of MLflow's page with the runs of the sweep."""
        return runs_page(self._experiment, self.run_id)

    def read_looks(self, sweep: Sweep, key: str) -> None:
        """Reads the numbers of seeds with which `sweep`, with this key, was reported and planned.

        Runs with overrides count too: somebody who has seen a report may run more seeds because of
        it.
        """
        kinds = (WHOLE_SWEEP, OVERRIDDEN_SWEEP)
        runs = [run for kind in kinds for run in self.store.sweep_runs(self._experiment, kind)]
        runs = [run for run in runs if run.data.tags.get("sweep_key") == key]
        looks, planned = set[int](), 0
        for run in sorted(runs, key=lambda run: int(run.info.start_time)):
            with contextlib.suppress(DamagedError):
                listing = self.store.read_listing(run.info.run_id)
                looks |= {listing["seeds"], *listing["looks"]}
                whole = run.data.tags.get("kind") == WHOLE_SWEEP
                planned = planned or listing["planned_seeds"] or (listing["seeds"] if whole else 0)
        self.looks = tuple(sorted(looks - {0, sweep.seeds}))
        self.planned_seeds = planned or sweep.planned_seeds or sweep.seeds

    def _read_failures(self) -> dict[str, str]:
        """Returns why recipes failed, by outcome key.

        Also marks child runs as killed that a killed process left running.
        """
        query = f"tags.`mlflow.parentRunId` = '{self.run_id}' and attributes.status != 'FINISHED'"
        failures: dict[str, str] = {}
        for run in self.store.search_runs([self._experiment], query):
            if run.info.status == "FAILED":
                failures.setdefault(run.data.tags["outcome"], run.data.tags["reason"])
            elif run.info.status == "RUNNING":
                self.store.client.set_terminated(run.info.run_id, "KILLED")
        return failures

    def finished(self, key: str) -> Outcome | None:
        """Returns the outcome that the sweep already has under a `SweepRow.key`, or None.

        A damaged outcome counts as not run.
        """
        run_id = self._children.get(key)
        if run_id is None:
            return None
        try:
            return self.store.load_outcome(run_id)
        except DamagedError:
            return None

    def failure(self, key: str) -> str | None:
        """Returns why a recipe failed when this sweep ran it before, or None."""
        return self._failures.get(key)

    def log(
        self,
        label: str,
        outcome: Outcome,
        kind: SeedRole = "search",
        done: Callable[[], None] = lambda: None,
    ) -> None:
        """Writes an outcome as a child run, in place of an earlier one with the same key.

        The run counts as finished only after everything has been written; `done` is called then.
        """
        self.writes.put(partial(self._log, label, outcome, kind), done)

    def _log(self, label: str, outcome: Outcome, kind: SeedRole) -> None:
        client = self.store.client
        self._added = True
        key = outcome_key(outcome.digest, kind)
        with self.store.errors_reported():
            tags = self._tags(key, outcome.name, outcome.engine, outcome.provenance)
            tags |= {
                "kind": "recipe" if kind == "search" else f"recipe on {kind} seeds",
                "digest": outcome.digest,
                "seeds": seeds_tag(outcome),
                "seed_count": str(len(outcome.seeds)),
            }
            if not np.isfinite(outcome.seeds["loss"]).any():
                tags["kind"] = "recipe that diverged"
            began, ended = training_times(outcome)
            run = client.create_run(self._experiment, began, tags, label[:250])
            run_id = run.info.run_id
            log_outcome(client, self._experiment, run_id, outcome, ended)
            if self._children.get(key) in self._finished:
                delete_networks(client, self._experiment, self._children[key])
                client.delete_run(self._children[key])
        self._children[key] = run_id
        self._finished.add(run_id)

    def fail(self, key: str, failed: Failed, engine: str) -> None:
        """Writes the failure of a recipe as a child run."""
        self._failures[key] = failed.reason
        self.writes.put(partial(self._fail, key, failed, engine))

    def _fail(self, key: str, failed: Failed, engine: str) -> None:
        client = self.store.client
        self._added = True
        with self.store.errors_reported():
            tags = self._tags(key, failed.name, engine, provenance())
            tags |= {"kind": "failure", "reason": failed.reason[:4000]}
            tags["mlflow.note.content"] = escape_markdown(f"{failed.name}: {failed.reason[:4000]}")
            run = client.create_run(self._experiment, tags=tags, run_name=failed.id[:250])
            client.set_terminated(run.info.run_id, "FAILED")

    def _tags(
        self, key: str, recipe: str, engine: str, provenance: Mapping[str, str]
    ) -> dict[str, str]:
        """Returns the tags that all child runs have."""
        tags = {"mlflow.parentRunId": self.run_id, "outcome": key, "recipe": recipe}
        return tags | {"engine": engine, **source_tags(provenance)}

    def write(self, listing: Mapping[str, Any]) -> None:
        """Writes the sweep's listing, `sweep.json`: see `sweep_listing`."""
        text = json.dumps(listing, indent=1, default=str)
        self.writes.put(partial(self._write, text))

    def show(self, progress: Mapping[str, Any], done: Callable[[], None] = lambda: None) -> None:
        """Writes the progress of the sweep, for others: see `sweep_states`."""
        self.writes.put(partial(self._show, json.dumps(progress)), done)

    def _show(self, text: str) -> None:
        with self.store.errors_reported():
            self.store.client.set_tag(self.run_id, PROGRESS_TAG, text)
        if self.lock is not None:
            self.lock.beat()

    def _write(self, text: str) -> None:
        with self.store.errors_reported(), temporary_folder() as folder:
            path = folder / LISTING_FILE
            with disk_errors_reported():
                path.write_text(text, encoding="utf-8")
            self.store.client.log_artifact(self.run_id, str(path))

    def attach(self, folder: Path, names: Iterable[str]) -> None:
        """Copies a report, the files `names` in `folder`, into the sweep's run."""
        self.writes.put(partial(self._attach, folder, list(names)))

    def _attach(self, folder: Path, names: Iterable[str]) -> None:
        with self.store.errors_reported(), temporary_folder() as copy:
            with disk_errors_reported():
                for name in names:
                    (copy / name).parent.mkdir(exist_ok=True)
                    shutil.copyfile(folder / name, copy / name)
            self.store.client.log_artifacts(self.run_id, str(copy), "report")

    def end(self, result: SweepData, finished: bool) -> None:
        """Closes the sweep's run, with the number of recipes, the best one, and its status.

        The end time is set so that the duration of the run is the sum of the sessions: without the
        time between them, and without sessions that had nothing to run.
        """
        self.writes.put(partial(self._end, result, finished))

    def _end(self, result: SweepData, finished: bool) -> None:
        client = self.store.client
        ended = _now()
        if self._ended is not None:
            ended = self._ended + (ended - self._began if self._added else 0)
        status = "FINISHED" if finished else "KILLED"
        with self.store.errors_reported():
            client.log_metric(self.run_id, "recipes", float(len(result.rows)))
            if result.best is not None:
                best = result.best.outcome
                client.log_metric(self.run_id, "best_accuracy", best.accuracy.mean)
                if best.score == "skill":
                    client.log_metric(self.run_id, "best_skill", best.seeds["skill"].mean())
                client.log_metric(self.run_id, "best_solve_rate", best.solve_rate.rate)
                client.set_tag(self.run_id, "best", f"{result.best.id} · {best.name}")
            self._describe(result)
            client.set_terminated(self.run_id, status, ended)

    def _describe(self, result: SweepData) -> None:
        """Writes the results as the description of the sweep's run and of its experiment."""
        note = sweep_note(result)
        self.store.client.set_tag(self.run_id, "mlflow.note.content", note)
        skill = any("skill" in row.outcome.seeds for row in result.rows)
        metrics: tuple[str, ...] = ("skill", "mae") if skill else ("accuracy",)
        metrics += ("solve_rate", "parameters", "train_seconds")
        tag = TAG + view_key(self.run_id)
        value = view_tag(self.run_id, metrics)
        self.store.client.set_experiment_tag(self._experiment, tag, value)
        if not result.overrides:
            self.store.client.set_experiment_tag(self._experiment, "mlflow.note.content", note)


def _now() -> int:
    """Returns the time in milliseconds since the epoch, as MLflow stores it."""
    return int(1000 * time.time())
