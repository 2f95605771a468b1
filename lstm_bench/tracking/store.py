"""Where a sweep's runs are found and read."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lstm_bench.errors import StoreError, unknown
from lstm_bench.provenance import without_password
from lstm_bench.results import Outcome, SweepResult, read
from lstm_bench.tracking import listing

IMPATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "8"}
"""How MLflow asks a server the first time: left alone it tries one that is not there for minutes.

Once a server has answered, MLflow's own patience holds: it may restart during a sweep.
"""

FORGETFUL = ("sqlite://", "sqlite:///", "sqlite:///:memory:")
"""What SQLAlchemy calls a database that ends with the process."""


class Store:
    """An MLflow tracking store at any tracking URI; the embedded SQLite file by default."""

    def __init__(self, uri: str, artifacts: Path, create: bool = True) -> None:
        """`artifacts` is where runs of a database keep their files; a server has its own place.

        Raises `StoreError` where the store cannot be used, or is not there and not to be made.
        """
        if uri in FORGETFUL:
            raise StoreError(
                f"store: it must be kept, but {uri} is a database in memory; name a file, e.g. "
                "sqlite:///mlflow.db"
            )
        path = Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None
        if path is not None and not path.exists() and not create:
            raise StoreError(f"store: there is no file {path}; run `lstm-bench sweep` first")
        # Read when MLflow is imported: its usage telemetry is on otherwise.
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
        os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
        self.uri = without_password(uri)
        self.remote = uri.startswith("http")
        self._artifacts = None if self.remote else artifacts.resolve().as_uri()
        with self.usable():
            from mlflow import MlflowClient

            _quiet()
            if path is not None and not path.exists():
                _new_database(path, str(self._artifacts))
            # MLflow caches connections by name: a relative one would outlive its working folder.
            self.client = MlflowClient(tracking_uri=f"sqlite:///{path.resolve()}" if path else uri)
            with _first_time():
                self.client.search_experiments(max_results=1)

    @contextlib.contextmanager
    def usable(self) -> Iterator[None]:
        """Turns whatever a store that cannot be used raises into one readable message."""
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, SQLAlchemyError, OSError, ImportError) as error:
            start = "start its server, or " if self.remote else ""
            start = "install that, or " if isinstance(error, ImportError) else start
            raise StoreError(
                f"store: {self.uri} cannot be used ({_reason(error)}); {start}give another one "
                "with --store, e.g. sqlite:///new.db in a folder that can be written"
            ) from error

    def names(self) -> list[str]:
        """Returns the names of the sweeps that have a report to be made, oldest first."""
        with self.usable():
            experiments = self.client.search_experiments(order_by=["creation_time ASC"])
            return [e.name for e in experiments if self.parents(e.experiment_id)]

    def load(self, name: str) -> SweepResult:
        """Returns the newest results of the sweep `name`; raises `StoreError` if there are none."""
        with self.usable():
            facts, children = self._newest(name)
        outcomes = {}
        for key in {row.key for row in facts["rows"]} & children.keys():
            with contextlib.suppress(StoreError):  # a damaged outcome is one still to be made
                outcomes[key] = self.outcome(children[key])
        return listing.result(facts, outcomes)

    def ids(self, name: str) -> dict[str, str]:
        """Returns the finished rows of the newest sweep `name`: id -> run id."""
        with self.usable():
            facts, children = self._newest(name)
        return {row.id: children[row.key] for row in facts["rows"] if row.key in children}

    def _newest(self, name: str) -> tuple[dict[str, Any], dict[str, str]]:
        """Returns `sweep.json` of the sweep's newest run, and that run's finished children."""
        experiment = self.client.get_experiment_by_name(name)
        parents = self.parents(experiment.experiment_id) if experiment else []
        if experiment is None or not parents:
            raise StoreError(f"store: {unknown('finished sweep', name, self.names())}")
        run_id = parents[0].info.run_id
        return self.listed(run_id), self.children(experiment.experiment_id, run_id)

    def listed(self, run_id: str) -> dict[str, Any]:
        """Returns the `sweep.json` of a sweep's run; raises `StoreError` if it is not there."""
        from mlflow.exceptions import MlflowException

        with self.usable(), tempfile.TemporaryDirectory() as folder:
            try:
                path = self.client.download_artifacts(run_id, listing.FILE, folder)
            except (MlflowException, OSError) as error:
                raise StoreError(
                    f"store: {self.uri} knows of a run whose {listing.FILE} is not where its files "
                    "were kept; put that folder back, or run the sweep again"
                ) from error
            return listing.parsed(Path(path).read_bytes())

    def digests(self) -> dict[str, str]:
        """Returns every recipe that has finished in any sweep: digest -> its newest run's id."""
        with self.usable():
            experiments = [e.experiment_id for e in self.client.search_experiments()]
            return self._found(experiments, "tags.kind = 'recipe'")

    def outcome(self, run_id: str) -> Outcome:
        """Returns the outcome that a child run holds."""
        with self.usable(), tempfile.TemporaryDirectory() as folder:
            path = self.client.download_artifacts(run_id, "outcome", folder)
            return read(Path(path))

    def experiment(self, name: str) -> str:
        """Returns the id of the experiment of the sweep `name`, which is made if need be."""
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
            return self.experiment(name)  # another process was quicker

    def parents(self, experiment: str) -> list[Any]:
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

    def children(self, experiment: str, parent: str) -> dict[str, str]:
        """Returns the finished children of a sweep's run: `Listed.key` -> run id."""
        return self._found([experiment], f"tags.`mlflow.parentRunId` = '{parent}'")

    def _found(self, experiments: Sequence[str], query: str) -> dict[str, str]:
        """Returns the runs by key: of several the one with the most seeds, of these the newest."""
        found: dict[str, tuple[int, str]] = {}
        for run in self.search(experiments, f"{query} and attributes.status = 'FINISHED'"):
            tags = run.data.tags  # those of earlier versions have no outcome
            key, count = tags.get("outcome", tags["digest"]), int(tags.get("seed_count", 0))
            if key not in found or count > found[key][0]:
                found[key] = count, run.info.run_id
        return {key: run_id for key, (_, run_id) in found.items()}

    def search(self, experiments: Sequence[str], query: str) -> Iterator[Any]:
        """Yields the runs that `query` finds, newest first."""
        token = None
        while True:
            page = self.client.search_runs(
                list(experiments), query, max_results=1000, page_token=token or None
            )
            yield from page
            token = page.token
            if not token:
                return


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


def _reason(error: Exception) -> str:
    """Returns the first line that says what went wrong, not what MLflow was doing meanwhile."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith("(raised as a result of")]
    return told[0][:300] if told else repr(error)


@contextlib.contextmanager
def _first_time() -> Iterator[None]:
    """Lets MLflow give up on a server soon, where the user's environment does not say when."""
    own = {key: value for key, value in IMPATIENT.items() if key not in os.environ}
    os.environ.update(own)
    try:
        yield
    finally:
        for key in own:
            os.environ.pop(key, None)


def _quiet() -> None:
    """Keeps MLflow's messages off the terminal: what fails is raised as well, and told by us."""
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
