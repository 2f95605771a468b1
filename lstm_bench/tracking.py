"""Runs in MLflow: one experiment a sweep, a parent run for the sweep, a child for each recipe.

A child holds the complete Outcome, so reports are rebuilt, and interrupted sweeps taken up again,
from the store alone. Which rows a sweep has, and in which order, is the parent's `sweep.json`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import lstm_bench
from lstm_bench.errors import StoreError, unknown
from lstm_bench.paired import Comparison
from lstm_bench.provenance import provenance
from lstm_bench.results import Outcome, Refusal, Role, Row, SweepResult, read, write
from lstm_bench.sweep import Sweep
from lstm_bench.verdicts import Claim

CURVE_STEPS = 100
"""Points of a learning curve that MLflow gets; the Outcome keeps more."""


@dataclass(frozen=True)
class Listed:
    """A row of a sweep as the parent run lists it: its recipe by digest, and its words."""

    id: str
    digest: str
    published: str = ""
    published_accuracy: float | None = None
    note: str = ""
    trial: int | None = None
    claim: Claim | None = None
    family: str = ""
    axis: str = ""
    value: Any = None
    role: Role = "fixed"
    of: str = ""

    def row(self, outcome: Outcome) -> Row:
        """Returns the row with its outcome."""
        words = {key: value for key, value in vars(self).items() if key != "digest"}
        return Row(outcome=outcome, **words)


class Store:
    """An MLflow tracking store at any tracking URI; the embedded SQLite file by default."""

    def __init__(self, uri: str, artifacts: Path, create: bool = True) -> None:
        """`artifacts` is where runs of a database keep their files; a server has its own place.

        Raises `StoreError` where the store cannot be used, or is not there and not to be made.
        """
        path = Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None
        if path is not None and not path.exists() and not create:
            raise StoreError(f"store: there is no file {path}; run `lstm-bench sweep` first")
        # Read when MLflow is imported: its usage telemetry is on otherwise.
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
        os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
        self.uri = uri
        self._artifacts = None if uri.startswith("http") else artifacts.resolve().as_uri()
        with self._usable():
            from mlflow import MlflowClient

            _quiet()
            if path is not None and not path.exists():
                _new_database(path, str(self._artifacts))
            # MLflow caches connections by name: a relative one would outlive its working folder.
            self.client = MlflowClient(tracking_uri=f"sqlite:///{path.resolve()}" if path else uri)
            self.client.search_experiments(max_results=1)

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        """Turns whatever a store that cannot be used raises into one readable message."""
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, SQLAlchemyError, OSError) as error:
            reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else repr(error)
            raise StoreError(
                f"store: {self.uri} cannot be used ({reason}); give another one with --store, "
                "e.g. sqlite:///mlflow.db in a folder that can be written"
            ) from error

    def names(self) -> list[str]:
        """Returns the names of the sweeps that have a report to be made, oldest first."""
        with self._usable():
            experiments = self.client.search_experiments(order_by=["creation_time ASC"])
            return [e.name for e in experiments if self._parents(e.experiment_id)]

    def begin(self, sweep: Sweep, engine: str, again: bool = False) -> Session:
        """Returns the session of `sweep`: the one it had, taken up again, unless `again`.

        Another engine, other seeds or another version of this package make it another session.
        """
        seeds = f"{sweep.first_seed}+{sweep.seeds}"
        key = f"{sweep.digest} seeds {seeds} engine {engine} version {lstm_bench.__version__}"
        with self._usable():
            experiment = self._experiment(sweep.name)
            parents = [] if again else self._parents(experiment)
            known = next((p for p in parents if p.data.tags.get("sweep_key") == key), None)
            if known is not None:
                self.client.set_tag(known.info.run_id, "taken_up", str(int(1000 * time.time())))
                self.client.update_run(known.info.run_id, status="RUNNING")
                return Session(self, experiment, known.info.run_id, sweep)
            tags = {
                "sweep_key": key,
                "kind": "sweep",
                "mlflow.note.content": f"**{sweep.title}**\n\n{sweep.about}".strip(),
                **_source(provenance()),
            }
            run = self.client.create_run(experiment, run_name=sweep.name, tags=tags)
            return Session(self, experiment, run.info.run_id, sweep)

    def load(self, name: str) -> SweepResult:
        """Returns the newest results of the sweep `name`; raises `StoreError` if there are none."""
        with self._usable():
            experiment = self.client.get_experiment_by_name(name)
            parents = self._parents(experiment.experiment_id) if experiment else []
            if experiment is None or not parents:
                raise StoreError(f"report: {unknown('finished sweep', name, self.names())}")
            parent = parents[0]
            with tempfile.TemporaryDirectory() as folder:
                listing = self._file(parent.info.run_id, "sweep.json", Path(folder))
            facts = json.loads(listing.decode())
            children = self._children(experiment.experiment_id, parent.info.run_id)
        rows, asked = [Listed(**row) for row in facts.pop("rows")], facts.pop("asked")
        found = {row.digest: children[row.digest] for row in rows if row.digest in children}
        outcomes = {}
        for digest, run in found.items():
            with contextlib.suppress(StoreError):  # a damaged outcome is one still to be made
                outcomes[digest] = self.outcome(run)
        done = tuple(row.row(outcomes[row.digest]) for row in rows if row.digest in outcomes)
        asked_for = facts.pop("comparisons", {})  # stores of earlier versions have none
        comparisons = {name: Comparison(**each) for name, each in asked_for.items()}
        refused = tuple(Refusal(**each) for each in facts.pop("refused", ()))
        return SweepResult(
            **{**facts, "metrics": tuple(facts.get("metrics", ()))},
            rows=done,
            unfinished=asked - len(done),
            comparisons=comparisons,
            refused=refused,
        )

    def ids(self, name: str) -> dict[str, str]:
        """Returns the finished rows of the newest sweep `name`: id -> run id."""
        with self._usable():
            experiment = self.client.get_experiment_by_name(name)
            parents = self._parents(experiment.experiment_id) if experiment else []
            if experiment is None or not parents:
                raise StoreError(f"store: {unknown('finished sweep', name, self.names())}")
            run_id = parents[0].info.run_id
            with tempfile.TemporaryDirectory() as folder:
                rows = json.loads(self._file(run_id, "sweep.json", Path(folder)))["rows"]
            found = self._children(experiment.experiment_id, run_id)
        return {row["id"]: found[row["digest"]] for row in rows if row["digest"] in found}

    def digests(self) -> dict[str, str]:
        """Returns every recipe that has finished in any sweep: digest -> its newest run's id."""
        with self._usable():
            experiments = [e.experiment_id for e in self.client.search_experiments()]
            return self._found(experiments, "tags.kind = 'recipe'")

    def outcome(self, run_id: str) -> Outcome:
        """Returns the outcome that a child run holds."""
        with self._usable(), tempfile.TemporaryDirectory() as folder:
            path = self.client.download_artifacts(run_id, "outcome", folder)
            return read(Path(path))

    def _experiment(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        known = self.client.get_experiment_by_name(name)
        if known is not None and known.lifecycle_stage == "active":
            if self._artifacts and not known.artifact_location.startswith(self._artifacts):
                raise StoreError(
                    f"store: the files of {name!r} must lie in {self._artifacts}, but do not "
                    "(was the folder moved?); put it back, or start a new store with --store"
                )
            return str(known.experiment_id)
        if known is not None:
            raise StoreError(
                f"store: experiment {name!r} was deleted in MLflow; restore it there "
                "(`mlflow experiments restore`), or use another store"
            )
        place = f"{self._artifacts}/{urllib.parse.quote(name)}" if self._artifacts else None
        try:
            return str(self.client.create_experiment(name, artifact_location=place))
        except MlflowException:
            if self.client.get_experiment_by_name(name) is None:
                raise
            return self._experiment(name)  # another process was quicker

    def _parents(self, experiment: str) -> list[Any]:
        """Returns the sweeps' runs, the one last begun or taken up first."""
        runs = self.client.search_runs(
            [experiment],
            filter_string="tags.kind = 'sweep'",
            order_by=["attributes.start_time DESC"],
        )
        return sorted(
            runs,
            key=lambda run: max(run.info.start_time, int(run.data.tags.get("taken_up", 0))),
            reverse=True,
        )

    def _children(self, experiment: str, parent: str) -> dict[str, str]:
        """Returns the finished children of a sweep's run: digest -> run id."""
        return self._found([experiment], f"tags.`mlflow.parentRunId` = '{parent}'")

    def _found(self, experiments: Sequence[str], query: str) -> dict[str, str]:
        found: dict[str, str] = {}
        token = None
        query += " and attributes.status = 'FINISHED'"
        while True:
            page = self.client.search_runs(
                list(experiments), query, max_results=1000, page_token=token or None
            )
            for run in page:  # newest first
                found.setdefault(run.data.tags["digest"], run.info.run_id)
            token = page.token
            if not token:
                return found

    def _file(self, run_id: str, name: str, folder: Path) -> bytes:
        return Path(self.client.download_artifacts(run_id, name, str(folder))).read_bytes()


class Session:
    """A sweep's run in the store while the sweep goes on."""

    def __init__(self, store: Store, experiment: str, run_id: str, sweep: Sweep) -> None:
        self.store = store
        self.run_id = run_id
        self._experiment = experiment
        self._sweep = sweep
        self._known = store._children(experiment, run_id)

    def finished(self, digest: str) -> Outcome | None:
        """Returns the outcome of a recipe that this sweep has already run, or None.

        One that cannot be read counts as not run.
        """
        run_id = self._known.get(digest)
        with contextlib.suppress(StoreError):
            return self.store.outcome(run_id) if run_id else None
        return None

    def log(self, label: str, outcome: Outcome) -> None:
        """Writes one recipe's child run. It counts as finished only once all of it is there."""
        client = self.store.client
        with self.store._usable():
            tags = {
                "mlflow.parentRunId": self.run_id,
                "kind": "recipe",
                "digest": outcome.digest,
                "recipe": outcome.name,
                "engine": outcome.engine,
                "seeds": ", ".join(map(str, outcome.seeds["seed"])),
                **_source(outcome.provenance),
            }
            name = f"{label} · {outcome.name}"
            spent = outcome.compile_seconds + outcome.train_seconds
            began = int(1000 * (time.time() - spent))
            run = client.create_run(self._experiment, began, tags, name[:250])
            run_id = run.info.run_id
            params, metrics = _params(outcome), _metrics(outcome)
            client.log_batch(run_id, metrics=metrics, params=params)
            with tempfile.TemporaryDirectory() as folder:
                write(outcome, Path(folder) / "outcome")
                client.log_artifacts(run_id, str(Path(folder) / "outcome"), "outcome")
            client.set_terminated(run_id, "FINISHED")
        self._known[outcome.digest] = run_id

    def list(
        self,
        rows: Sequence[Listed],
        search: Mapping[str, Any] | None,
        asked: int,
        origin: Mapping[str, str],
    ) -> None:
        """Writes which rows the sweep has so far, of how many asked for, and its search."""
        document = {
            "name": self._sweep.name,
            "title": self._sweep.title,
            "about": self._sweep.about,
            "search": search,
            "comparisons": {name: vars(c) for name, c in self._sweep.comparisons.items()},
            "refused": [{"id": key, **dict(each)} for key, each in self._sweep.refused.items()],
            "metrics": self._sweep.metrics,
            "rows": [vars(row) for row in rows],
            "asked": asked,
            "provenance": origin,
        }
        with self.store._usable():
            self.store.client.log_dict(self.run_id, document, "sweep.json")

    def attach(self, folder: Path) -> None:
        """Copies a report into the sweep's run."""
        with self.store._usable():
            self.store.client.log_artifacts(self.run_id, str(folder), "report")

    def end(self, result: SweepResult, finished: bool) -> None:
        """Closes the sweep's run: its size, its best recipe, and whether it came to its end."""
        client = self.store.client
        status = "FINISHED" if finished else "KILLED"
        with self.store._usable():
            client.log_metric(self.run_id, "recipes", float(len(result.rows)))
            if result.best is not None:
                best = result.best.outcome
                client.log_metric(self.run_id, "best_accuracy", best.accuracy.mean)
                client.log_metric(self.run_id, "best_solve_rate", best.solve_rate.rate)
                client.set_tag(self.run_id, "best", f"{result.best.id} · {best.name}")
            client.set_terminated(self.run_id, status)


def _new_database(path: Path, artifacts: str) -> None:
    """Makes MLflow's tables in a file beside `path` and then gives it that name, all at once.

    Making them takes seconds: a process that is killed meanwhile leaves no half-made store, and of
    two that begin together one finds the other's.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        draft = Path(folder) / path.name
        untyped: Any = SqlAlchemyStore
        made = untyped(f"sqlite:///{draft}", artifacts)
        made.engine.dispose()
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)


def _source(origin: Mapping[str, str]) -> dict[str, str]:
    """Returns `origin` as tags, with those that MLflow has columns for under its own names too."""
    return {
        "mlflow.source.name": origin["command"],
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": origin["revision"],
        **origin,
    }


def _params(outcome: Outcome) -> list[Any]:
    from mlflow.entities import Param

    return [Param(key, str(value)) for key, value in outcome.settings.items()]


def _metrics(outcome: Outcome) -> list[Any]:
    """Returns the aggregates, the value of each seed as a step, and the thinned mean curve."""
    from mlflow.entities import Metric

    accuracy, rate = outcome.accuracy, outcome.solve_rate
    single = {
        "accuracy": accuracy.mean,
        "accuracy_std": accuracy.std,
        "accuracy_low": accuracy.low,
        "accuracy_high": accuracy.high,
        "solve_rate": rate.rate,
        "solve_rate_low": rate.low,
        "solve_rate_high": rate.high,
        "solved_seeds": rate.k,
        "epochs_to_solve": outcome.epochs_to_solve,
        "parameters": outcome.parameters,
        "updates": outcome.updates,
        "multiply_adds": outcome.multiply_adds,
        "train_seconds": outcome.train_seconds,
        "compile_seconds": outcome.compile_seconds,
    }
    points = [(key, value, 0) for key, value in single.items()]
    for _, row in outcome.seeds.iterrows():
        for key in ("accuracy", "loss", "solved"):
            points.append((f"by_seed/{key}", float(row[key]), int(row["seed"])))
    mean = outcome.curves.groupby("epoch")[["loss", "accuracy"]].mean()
    chosen = np.unique(np.linspace(0, len(mean) - 1, min(len(mean), CURVE_STEPS)).astype(int))
    for epoch, row in mean.iloc[chosen].iterrows():
        points += [(f"curve/{key}", float(row[key]), int(str(epoch))) for key in mean.columns]
    finite = [(k, float(v), s) for k, v, s in points if v is not None and np.isfinite(v)]
    return [Metric(key, value, 0, step) for key, value, step in finite]


def _quiet() -> None:
    """Keeps MLflow's and its database migrations' progress messages off the terminal."""
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
