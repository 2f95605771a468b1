"""Where a sweep's runs are found and read."""

from __future__ import annotations

import contextlib
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_bench.errors import DamagedError, LstmBenchError, StoreError, unknown
from lstm_bench.results import Outcome, SweepResult, checked_content, read_outcome
from lstm_bench.safety import mask_address, path_component, print_plain, temporary_folder
from lstm_bench.tracking import _connection as connection
from lstm_bench.tracking import _listing as listing

if TYPE_CHECKING:
    from mlflow import MlflowClient

WORD_AFTER = 5.0
"""Seconds in which a store has not answered, from which on that is said."""

FORGETFUL = ("sqlite://", "sqlite:///", "sqlite:///:memory:")
"""What SQLAlchemy calls a database that ends with the process."""


class Store:
    """An MLflow tracking store at any tracking URI; the embedded SQLite file by default."""

    def __init__(
        self,
        uri: str,
        artifacts: Path,
        create: bool = True,
        waiting: Callable[[str], None] | None = None,
    ) -> None:
        """`artifacts` is where runs of a database keep their files; a server has its own place.

        `waiting` is called with a sentence where the store takes longer than `WORD_AFTER` to
        answer; by default the sentence goes to standard error. Raises `StoreError` where the store
        cannot be used, does not answer, or is not there and not to be made.
        """
        if uri in FORGETFUL:
            raise StoreError(
                f"store: it must be kept, but {uri} is a database in memory; name a file, e.g. "
                "sqlite:///mlflow.db"
            )
        path = Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None
        if path is not None and not path.exists() and not create:
            shown = mask_address(uri).removeprefix("sqlite:///")
            raise StoreError(f"store: there is no file {shown}; run `lstm-bench sweep` first")
        if path is not None and set("%?") & set(str(path.absolute())):
            raise StoreError(  # they would begin a character's number, or options of the address
                "store: the path of a SQLite file must hold no % and no ?, but that of "
                f"{mask_address(uri)} does; use a folder of another name, or another file "
                "(--store)"
            )
        self.uri = mask_address(uri)
        self.remote = uri.startswith("http")
        self._address = uri
        self._asking = 0  # calls of `usable` within one another
        self._waited = threading.Event()  # whether the outermost of them has been waited for
        self._lost: str | None = None  # what is said of a store that no longer answers
        self._waiting = waiting or print_plain
        with self.usable(silent=True):
            self._place = artifacts.resolve()
            self._artifacts = None if self.remote else self._place.as_uri()
            connection.prepare(path, str(self._artifacts))
        with self.usable():
            connection.check(uri, path)
        with self.usable(silent=True):  # makes its tables, where there are none: that takes long
            self.client: MlflowClient = connection.opened(uri, path)

    @contextlib.contextmanager
    def usable(self, silent: bool = False) -> Iterator[None]:
        """Turns whatever a store that cannot be used raises into one readable message.

        Says so where it takes long, unless `silent`. A store that was waited for in vain is not
        asked again: each time would take minutes.
        """
        if self._lost is not None:
            raise StoreError(self._lost)
        word = threading.Timer(WORD_AFTER, self._wait)
        word.daemon = True
        if not self._asking:
            self._waited.clear()
        if not silent and not self._asking:
            word.start()
        self._asking += 1
        try:
            yield
        except LstmBenchError:
            raise
        except Exception as error:  # a damaged database makes MLflow raise anything
            start = "start its server, or " if self.remote else ""
            start = "install that, or " if isinstance(error, ImportError) else start
            reason = connection.reason(error, self._address)
            message = (
                f"store: {self.uri} cannot be used ({reason}); {start}give another one with "
                "--store, e.g. sqlite:///new.db in a folder that can be written"
            )
            lost = self._waited.is_set() and connection.is_unreachable(error)
            self._lost = message if lost else None
            raise StoreError(message) from error
        finally:
            self._asking -= 1
            word.cancel()

    def _wait(self) -> None:
        self._waited.set()
        self._waiting(f"waiting for the store {self.uri}, for {WORD_AFTER:.0f} s so far")

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
            with contextlib.suppress(DamagedError):  # it is one still to be made
                outcomes[key] = self.outcome(children[key])
        return listing.result_of_record({**facts, "name": name}, outcomes)  # whatever the file says

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
        """Returns the `sweep.json` of a sweep's run; raises `DamagedError` if it is not whole."""
        with self.usable(), self._file(run_id, listing.FILE) as path:
            try:
                text = checked_content(path, listing.MOST_TEXT)
            except (OSError, ValueError) as error:
                raise DamagedError(
                    f"store: {self.uri} knows of a run whose {listing.FILE} is not where its files "
                    "were kept, or was never written; run the sweep again, or put that folder back"
                ) from error
            return listing.parsed(text)

    def digests(self) -> dict[str, str]:
        """Returns every recipe that has finished in any sweep: digest -> its newest run's id."""
        with self.usable():
            experiments = [e.experiment_id for e in self.client.search_experiments()]
            return self._found(experiments, "tags.kind = 'recipe'")

    def outcome(self, run_id: str) -> Outcome:
        """Returns the outcome that a child run holds."""
        with self.usable(), self._file(run_id, "outcome") as path:
            return read_outcome(path)

    @contextlib.contextmanager
    def _file(self, run_id: str, name: str) -> Iterator[Path]:
        """Yields where an artifact of a run lies: in its place, or fetched from a server."""
        if not self.remote:
            folder = connection.local_path(self.client.get_run(run_id).info.artifact_uri)
            if folder is not None:
                yield folder / name
                return
        with temporary_folder() as folder:
            try:
                path = Path(self.client.download_artifacts(run_id, name, str(folder)))
            except Exception as error:  # MLflow has no one exception for what is not there
                if connection.is_unreachable(error):
                    raise
                raise DamagedError(f"store: {self.uri} has no {name} of run {run_id}") from error
            yield path

    def experiment(self, name: str) -> str:
        """Returns the id of the experiment of the sweep `name`, which is made if need be."""
        from mlflow.exceptions import MlflowException

        known = self.client.get_experiment_by_name(name)
        if known is not None and known.lifecycle_stage == "active":
            self.check_place(name, known.artifact_location)
            return str(known.experiment_id)
        if known is not None:
            raise StoreError(
                f"store: experiment {name!r} was deleted in MLflow; restore it there "
                "(`mlflow experiments restore`), or use another store"
            )
        own = urllib.parse.quote(path_component(name))
        place = f"{self._artifacts}/{own}" if self._artifacts else None
        try:
            return str(self.client.create_experiment(name, artifact_location=place))
        except MlflowException:
            if self.client.get_experiment_by_name(name) is None:
                raise
            return self.experiment(name)  # another process was quicker

    def check_place(self, name: str, uri: str) -> None:
        """Raises `StoreError` where files of the sweep `name` at `uri` would lie elsewhere.

        A database of somebody else's may name any folder of this machine.
        """
        folder = None if self.remote else connection.local_path(uri)
        if folder is not None and not folder.resolve().is_relative_to(self._place):
            raise StoreError(
                f"store: the files of {name!r} must lie in {self._artifacts}, but do not "
                "(was the folder moved?); put it back, or start a new store with --store"
            )

    def remove_unfinished_uploads(self, experiment: str) -> None:
        """Deletes what MLflow was copying into the files of an experiment when it was killed.

        To be called by a process that has the sweep for itself.
        """
        location = self.client.get_experiment(experiment).artifact_location
        folder = None if self.remote else connection.local_path(location)
        for path in folder.rglob(".artifact.uploading.*") if folder else ():
            path.unlink(missing_ok=True)

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
