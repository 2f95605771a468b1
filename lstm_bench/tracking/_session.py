"""A sweep's run in the store while the sweep goes on."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lstm_bench.errors import DamagedError, SweepError
from lstm_bench.provenance import VERSION, provenance
from lstm_bench.results import Failed, Outcome, SweepResult, write_outcome
from lstm_bench.safety import disk_errors_reported, escape_markdown, temporary_folder
from lstm_bench.sweeps import Sweep
from lstm_bench.tracking import _listing as listing
from lstm_bench.tracking import _logging as logged
from lstm_bench.tracking._listing import SeedRole, outcome_key
from lstm_bench.tracking._store import Store


def begin_session(store: Store, sweep: Sweep, engine: str, again: bool = False) -> Session:
    """Returns the session of `sweep`: the one it had, taken up again, unless `again`.

    Another engine or another version of this package make it another session. Raises `SweepError`
    where its search has become another one since.
    """
    key = f"{sweep.name} engine {engine} version {VERSION}"
    with store.usable():
        experiment = store.experiment(sweep.name)
        store.remove_unfinished_uploads(experiment)
        parents = [] if again else store.parents(experiment)
        known = next((p for p in parents if p.data.tags.get("sweep_key") == key), None)
        if known is not None:
            store.check_place(sweep.name, known.info.artifact_uri)
            _check(store, known.info.run_id, sweep)
            store.client.set_tag(known.info.run_id, "taken_up", str(_now()))
            store.client.update_run(known.info.run_id, status="RUNNING")
            ended = known.info.end_time
            run_id = known.info.run_id
            session = Session(store, experiment, run_id, sweep, taken_up=True, ended=ended)
            with contextlib.suppress(DamagedError):
                session.listed = len(store.listed(session.run_id)["rows"])
            return session
        tags = {
            "sweep_key": key,
            "kind": "sweep",
            "mlflow.note.content": _note(sweep),
            **logged.source(provenance()),
        }
        run = store.client.create_run(experiment, run_name=sweep.name, tags=tags)
        return Session(store, experiment, run.info.run_id, sweep)


def _note(sweep: Sweep) -> str:
    """Returns what MLflow shows of a sweep, in Markdown: its title, and what it is about."""
    return f"**{escape_markdown(sweep.title)}**\n\n{escape_markdown(sweep.about)}".strip()


def _check(store: Store, run_id: str, sweep: Sweep) -> None:
    """Raises `SweepError` if the search of a run was another than that of `sweep`."""
    try:
        before = store.listed(run_id).get("definition")
    except DamagedError:  # it was killed before, or while, it was written
        return
    now = listing.definition(sweep)
    found = listing.changed(sweep, before, now) if before and now else []
    if found:
        lines = "\n".join(f"  {line}" for line in found)
        data = listing.data_file(sweep)
        other = f"copy {data} to another name" if data else f"give {sweep.name}.yaml another name"
        raise SweepError(
            f"{sweep.name}: a search that has begun must stay the search it is, but\n{lines}\n"
            f"  put it back, start afresh with --again, or {other}, which makes another sweep; "
            "more trials and more seeds may be asked for at any time"
        )


class Session:
    """A sweep's run in the store while the sweep goes on."""

    def __init__(
        self,
        store: Store,
        experiment: str,
        run_id: str,
        sweep: Sweep,
        taken_up: bool = False,
        ended: int | None = None,
    ) -> None:
        """`taken_up` says that the sweep had begun before, `ended` when, if it did not crash."""
        self.store = store
        self.taken_up = taken_up
        self.listed = 0  # rows that the store lists from an earlier session
        self._ended = ended
        self._began = _now()
        self._added = False  # whether this session has logged a recipe
        self.run_id = run_id
        self._experiment = experiment
        self._sweep = sweep
        self._known = store.children(experiment, run_id)
        self._broken = self._left_over()

    def _left_over(self) -> dict[str, str]:
        """Returns why recipes failed, by key; and closes runs that a kill left open."""
        query = f"tags.`mlflow.parentRunId` = '{self.run_id}' and attributes.status != 'FINISHED'"
        broken: dict[str, str] = {}
        for run in self.store.search([self._experiment], query):
            if run.info.status == "FAILED":
                broken.setdefault(run.data.tags["outcome"], run.data.tags["reason"])
            elif run.info.status == "RUNNING":
                self.store.client.set_terminated(run.info.run_id, "KILLED")
        return broken

    def finished(self, key: str) -> Outcome | None:
        """Returns the outcome that this sweep has already under a `Listed.key`, or None.

        One that cannot be read counts as not run.
        """
        run_id = self._known.get(key)
        if run_id is None:
            return None
        try:
            return self.store.outcome(run_id)
        except DamagedError:
            return None

    def failure(self, key: str) -> str | None:
        """Returns why a recipe failed when this sweep ran it before, or None."""
        return self._broken.get(key)

    def log(self, label: str, outcome: Outcome, kind: SeedRole = "search") -> None:
        """Writes one recipe's child run, in place of the one it had.

        It counts as finished only once all of it is there.
        """
        client = self.store.client
        self._added = True
        key = outcome_key(outcome.digest, kind)
        with self.store.usable():
            spent = outcome.compile_seconds + outcome.train_seconds
            tags = self._tags(key, outcome.name, outcome.engine, outcome.provenance)
            tags |= {
                "kind": "recipe" if kind == "search" else f"recipe on {kind} seeds",
                "digest": outcome.digest,
                "seeds": logged.seeds(outcome),
                "seed_count": str(len(outcome.seeds)),
            }
            if not np.isfinite(outcome.seeds["loss"]).any():
                tags["kind"] = "recipe that diverged"
            began = int(1000 * (time.time() - spent))
            name = f"{label} · {outcome.name}"
            run = client.create_run(self._experiment, began, tags, name[:250])
            run_id = run.info.run_id
            params, metrics = logged.params(outcome), logged.metrics(outcome)
            client.log_batch(run_id, metrics=metrics, params=params)
            with temporary_folder() as folder:
                with disk_errors_reported():
                    write_outcome(outcome, folder)
                client.log_artifacts(run_id, str(folder), "outcome")
            client.set_terminated(run_id, "FINISHED")
            if key in self._known:
                client.delete_run(self._known[key])
        self._known[key] = run_id

    def fail(self, key: str, failed: Failed, engine: str) -> None:
        """Writes that a recipe came to no score, and why."""
        client = self.store.client
        self._added = True
        with self.store.usable():
            tags = self._tags(key, failed.name, engine, provenance())
            tags |= {"kind": "failure", "reason": failed.reason[:4000]}
            name = f"{failed.id} · {failed.name}"
            run = client.create_run(self._experiment, tags=tags, run_name=name[:250])
            client.set_terminated(run.info.run_id, "FAILED")
        self._broken[key] = failed.reason

    def _tags(
        self, key: str, recipe: str, engine: str, origin: Mapping[str, str]
    ) -> dict[str, str]:
        own = {"mlflow.parentRunId": self.run_id, "outcome": key, "recipe": recipe}
        return own | {"engine": engine, **logged.source(origin)}

    def write(self, document: Mapping[str, Any]) -> None:
        """Writes `sweep.json`: see `listing.document`."""
        with self.store.usable(), temporary_folder() as folder:
            path = folder / listing.FILE
            with disk_errors_reported():
                path.write_text(json.dumps(document, indent=1, default=str), encoding="utf-8")
            self.store.client.log_artifact(self.run_id, str(path))

    def attach(self, folder: Path, names: Iterable[str]) -> None:
        """Copies a report, the files `names` below `folder`, into the sweep's run."""
        with self.store.usable(), temporary_folder() as copied:
            with disk_errors_reported():
                for name in names:
                    (copied / name).parent.mkdir(exist_ok=True)
                    shutil.copyfile(folder / name, copied / name)
            self.store.client.log_artifacts(self.run_id, str(copied), "report")

    def end(self, result: SweepResult, finished: bool) -> None:
        """Closes the sweep's run: its size, its best recipe, and whether it came to its end.

        What the store shows as its duration is the time that its sessions took, not what lay
        between them, nor that of a session that found everything there.
        """
        client = self.store.client
        ended = _now()
        if self._ended is not None:
            ended = self._ended + (ended - self._began if self._added else 0)
        status = "FINISHED" if finished else "KILLED"
        with self.store.usable():
            client.log_metric(self.run_id, "recipes", float(len(result.rows)))
            if result.best is not None:
                best = result.best.outcome
                client.log_metric(self.run_id, "best_accuracy", best.accuracy.mean)
                if best.score == "skill":
                    client.log_metric(self.run_id, "best_skill", best.seeds["skill"].mean())
                client.log_metric(self.run_id, "best_solve_rate", best.solve_rate.rate)
                client.set_tag(self.run_id, "best", f"{result.best.id} · {best.name}")
            client.set_terminated(self.run_id, status, ended)


def _now() -> int:
    """Returns the time in milliseconds, as MLflow keeps it."""
    return int(1000 * time.time())
