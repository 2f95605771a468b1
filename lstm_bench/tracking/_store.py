"""The MLflow tracking store: finds and reads the runs of sweeps.

Each sweep name has one experiment. Each sweep has a run in it, with a child run for each outcome.
"""

from __future__ import annotations

import contextlib
import itertools
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_bench.errors import DamagedError, StoreError, unknown
from lstm_bench.recipes import BUILT_IN_TASKS, TaskRegistry
from lstm_bench.results import Outcome, SweepData, read_limited, read_outcome
from lstm_bench.safety import (
    mask_address,
    path_component,
    print_plain,
    report_folder_name,
    split_report_name,
    temporary_folder,
)
from lstm_bench.tracking import _connection as connection
from lstm_bench.tracking import _listing as listing
from lstm_bench.tracking._listing import SweepRow
from lstm_bench.tracking._moved_folder import adopt_moved_runs, current_folder
from lstm_bench.tracking._patience import Patience, patient_client
from lstm_bench.tracking._store_errors import StoreErrors

if TYPE_CHECKING:
    from mlflow import MlflowClient

IN_MEMORY_URIS = ("sqlite://", "sqlite:///", "sqlite:///:memory:")
"""Addresses of databases in memory, which are lost when the process ends."""


def _overrides_as_text(overrides: Sequence[str]) -> str:
    """Returns the overrides of sweeps as text.

    >>> _overrides_as_text(["", "seeds=5"])
    'no overrides, seeds=5'
    """
    return ", ".join(words or "no overrides" for words in overrides[:5])


WHOLE_SWEEP, OVERRIDDEN_SWEEP = SWEEP_KINDS = ("sweep", "sweep with overrides")
"""The tag `kind` of the run of a sweep: as its file has it, or with overrides."""


class Store:
    """An MLflow tracking store at any tracking URI; the embedded SQLite file by default."""

    def __init__(
        self,
        uri: str,
        artifacts: Path,
        create: bool = True,
        waiting: Callable[[str], None] | None = None,
        wait: float = 0.0,
    ) -> None:
        """`artifacts` is the folder for the files of runs in a database; a server has its own.

        `waiting` is called with a sentence if the store takes longer than 5 s to answer;
        by default the sentence is printed to standard error. Raises `StoreError` if the store
        cannot be used or does not answer, and without `create` if its file does not exist. If a
        server or a database stops answering later, requests are repeated for `wait` seconds; after
        that, every request raises `StoreLostError`.
        """
        if uri in IN_MEMORY_URIS:
            raise StoreError(
                f"store: must be kept on disk, but {uri} is a database in memory; name a file, "
                "e.g. sqlite:///mlflow.db"
            )
        path = Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None
        if path is not None and not path.exists() and not create:
            shown = mask_address(uri).removeprefix("sqlite:///")
            raise StoreError(f"store: there is no file {shown}; run `lstm-bench sweep` first")
        if path is not None and set("%?") & set(str(path.absolute())):
            raise StoreError(  # in an address they begin an escape sequence or the options
                "store: the path of a SQLite file must hold no % and no ?, but that of "
                f"{mask_address(uri)} does; use a folder of another name, or another file "
                "(--store)"
            )
        self.uri = mask_address(uri)
        self.remote = uri.startswith("http")
        self._path = path
        self._waiting = waiting or print_plain
        patience = Patience(0.0 if path is not None else wait)
        self._errors = StoreErrors(self.uri, uri, self._waiting, patience)
        with self.errors_reported(silent=True):
            self._artifact_folder = artifacts.resolve()
            self._artifact_uri = None if self.remote else self._artifact_folder.as_uri()
            connection.prepare_mlflow(path, str(self._artifact_uri))
        with self.errors_reported():
            filled = connection.check_database(uri, path)
            if not filled and not create:
                raise StoreError(f"store: {self.uri} holds no runs; run `lstm-bench sweep` first")
            self._adopt_moved_runs()
        with self.errors_reported(silent=True):  # creating missing tables takes long
            self.client: MlflowClient = connection.open_client(uri, path)
        if path is None:
            self.client = patient_client(self.client, patience)
        self._errors.opened = True

    def _adopt_moved_runs(self) -> None:
        """Takes over the runs of a SQLite file whose folder was moved or copied, with notice."""
        moved = adopt_moved_runs(self._path, self._artifact_folder) if self._path else None
        if moved is not None:
            self._waiting(
                f"store: {self.uri} was moved or copied: its runs have their files in "
                f"{self._artifact_folder} now, no longer in {moved}"
            )

    def errors_reported(self, silent: bool = False) -> AbstractContextManager[None]:
        """Raises any error of the store as one readable message: see `StoreErrors.reported`."""
        return self._errors.reported(silent)

    @property
    def is_lost(self) -> bool:
        """Whether the store has stopped answering, and gets no more requests."""
        return self._errors.lost

    @property
    def is_file(self) -> bool:
        """Whether the store is a SQLite file, which processes of one machine share."""
        return self._path is not None

    def check_answering(self) -> None:
        """Raises `StoreLostError` if a request, of any thread, has had no answer for too long."""
        self._errors.check_answering()

    def sweep_names(self) -> list[str]:
        """Returns the names of the sweeps that have a run, oldest first."""
        return list(dict.fromkeys(name for name, overrides in self.reports() if not overrides))

    def reports(self) -> list[tuple[str, str]]:
        """Returns every sweep that has a run, oldest first, as its name and its overrides."""
        with self.errors_reported():
            experiments = self.client.search_experiments(order_by=["creation_time ASC"])
            return [
                (experiment.name, overrides)
                for experiment in experiments
                for overrides in self._overrides(experiment.experiment_id)
            ]

    def _overrides(self, experiment: str) -> list[str]:
        """Returns the overrides of the sweeps in an experiment, first "" for the whole sweep."""
        whole = [""] if self.sweep_runs(experiment) else []
        runs = self.sweep_runs(experiment, OVERRIDDEN_SWEEP)
        return whole + sorted({run.data.tags.get("overrides", "") for run in runs})

    def load(
        self, name: str, overrides: str = "", tasks: TaskRegistry = BUILT_IN_TASKS
    ) -> SweepData:
        """Returns the newest results of the sweep `name`; raises `StoreError` if there are none.

        `overrides` are those that the sweep was run with. A damaged outcome counts as not finished.
        """
        with self.errors_reported():
            name, overrides = self._sweep_and_overrides(name, overrides)
            content, children, relatives = self._newest(name, overrides)
        needed: dict[str, set[int]] = {}
        for row in content["rows"]:
            needed.setdefault(row.key, set()).update(row.seeds)
        outcomes: dict[str, Outcome] = {}
        for key, seeds in needed.items():
            # Those of relatives only where the sweep's own run lacks seeds.
            for run_id in dict.fromkeys(runs[key] for runs in (children, relatives) if key in runs):
                with contextlib.suppress(DamagedError):
                    outcome = self.load_outcome(run_id)
                    if key not in outcomes or len(outcome.seeds) > len(outcomes[key].seeds):
                        outcomes[key] = outcome
                    if seeds <= set(outcome.seeds["seed"]):
                        break
        # The name is that of the experiment, whatever the file says.
        facts = {**content, "name": name, "overrides": overrides}
        return listing.result_from_listing(facts, outcomes, tasks)

    def run_ids(self, name: str) -> dict[str, str]:
        """Returns the runs of the finished rows of the newest sweep `name`: row id -> run id."""
        return {row.id: run_id for row, run_id in self.finished_rows(name)}

    def finished_rows(self, name: str) -> list[tuple[SweepRow, str]]:
        """Returns the finished rows of the newest sweep `name`, each with the id of its run."""
        with self.errors_reported():
            content, children, relatives = self._newest(*self._sweep_and_overrides(name))
        runs = relatives | children
        return [(row, runs[row.key]) for row in content["rows"] if row.key in runs]

    def _sweep_and_overrides(self, name: str, overrides: str = "") -> tuple[str, str]:
        """Returns a sweep and its overrides, where `name` may be that of a report with overrides.

        A sweep of exactly this name comes first: names of sweeps may hold any character.
        """
        if overrides or self.client.get_experiment_by_name(name) is not None:
            return name, overrides
        return split_report_name(name)

    def _newest(
        self, name: str, overrides: str
    ) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
        """Returns the listing of the sweep's newest run, its children, and those of relatives."""
        experiment = self.client.get_experiment_by_name(name)
        kind = OVERRIDDEN_SWEEP if overrides else WHOLE_SWEEP
        runs = self.sweep_runs(experiment.experiment_id, kind) if experiment else []
        runs = [run for run in runs if run.data.tags.get("overrides", "") == overrides]
        if experiment is None or not runs:
            shown = f"{name} {overrides}".rstrip()
            others = self._overrides(experiment.experiment_id) if experiment else []
            if others:
                example = report_folder_name(name, others[-1])
                raise StoreError(
                    f"store: {name!r} has been run with {_overrides_as_text(others)}, but there is "
                    f"no result of {shown!r}; run that, or name one that there is, as {example!r}"
                )
            raise StoreError(f"store: {unknown('finished sweep', shown, self.sweep_names())}")
        run_id = runs[0].info.run_id
        place = experiment.experiment_id
        children = self.finished_children(place, run_id)
        return self.read_listing(run_id), children, self.related_children(place, run_id)

    def read_listing(self, run_id: str) -> dict[str, Any]:
        """Returns the content of the `sweep.json` of a sweep's run: see `parse_listing`.

        Raises `DamagedError` if the file is missing, too large or not valid.
        """
        with self.errors_reported(), self._artifact(run_id, listing.LISTING_FILE) as path:
            try:
                text = read_limited(path, listing.MAX_LISTING_BYTES)
            except (OSError, ValueError) as error:
                raise DamagedError(
                    f"store: {self.uri} lists a run whose {listing.LISTING_FILE} is not where its "
                    "files were kept, or was never written; run the sweep again, or restore that "
                    "folder"
                ) from error
            return listing.parse_listing(text)

    def run_ids_by_digest(self) -> dict[str, str]:
        """Returns the runs of all recipes that have finished in any sweep: digest -> run id."""
        with self.errors_reported():
            experiments = [e.experiment_id for e in self.client.search_experiments()]
            return self._run_ids_by_key(experiments, "tags.kind = 'recipe'")

    def load_outcome(self, run_id: str) -> Outcome:
        """Returns the outcome that a child run holds."""
        with self.errors_reported(), self._artifact(run_id, "outcome") as path:
            return read_outcome(path)

    @contextlib.contextmanager
    def _artifact(self, run_id: str, name: str) -> Iterator[Path]:
        """Yields the path of an artifact of a run; from a server it is downloaded first."""
        if not self.remote:
            folder = connection.local_path(self.client.get_run(run_id).info.artifact_uri)
            if folder is not None:
                yield current_folder(folder, run_id, self._artifact_folder, self._path) / name
                return
        with temporary_folder() as folder:
            try:
                path = Path(self.client.download_artifacts(run_id, name, str(folder)))
            except Exception as error:  # MLflow raises various errors for a missing artifact
                if connection.is_unreachable(error):
                    raise
                raise DamagedError(f"store: {self.uri} has no {name} of run {run_id}") from error
            yield path

    def ensure_experiment(self, name: str) -> str:
        """Returns the id of the experiment of the sweep `name`; creates it if it is missing."""
        from mlflow.exceptions import MlflowException

        existing = self.client.get_experiment_by_name(name)
        if existing is not None and existing.lifecycle_stage == "active":
            self.check_artifact_folder(name, existing.artifact_location)
            return str(existing.experiment_id)
        if existing is not None:
            raise StoreError(
                f"store: experiment {name!r} was deleted in MLflow; restore it there "
                "(`mlflow experiments restore`), or use another store"
            )
        folder = urllib.parse.quote(path_component(name))
        location = f"{self._artifact_uri}/{folder}" if self._artifact_uri else None
        try:
            return str(self.client.create_experiment(name, artifact_location=location))
        except MlflowException:
            if self.client.get_experiment_by_name(name) is None:
                raise
            return self.ensure_experiment(name)  # another process has created it meanwhile

    def check_artifact_folder(self, name: str, uri: str) -> None:
        """Raises `StoreError` if `uri`, for files of the sweep `name`, is outside the folder.

        A database from somebody else may name any folder of this machine.
        """
        folder = None if self.remote else connection.local_path(uri)
        if folder is not None and not folder.resolve().is_relative_to(self._artifact_folder):
            raise StoreError(
                f"store: the files of {name!r} must lie in {self._artifact_uri}, but do not "
                "(was the folder moved?); move it back, or start a new store with --store"
            )

    def remove_unfinished_uploads(self, experiment: str) -> None:
        """Deletes the incomplete copies that a killed process left among an experiment's files.

        The caller must hold the lock of the sweep.
        """
        location = self.client.get_experiment(experiment).artifact_location
        folder = None if self.remote else connection.local_path(location)
        for path in folder.rglob(".artifact.uploading.*") if folder else ():
            path.unlink(missing_ok=True)

    def sweep_runs(self, experiment: str, kind: str = WHOLE_SWEEP) -> list[Any]:
        """Returns the runs of sweeps in an experiment, the last started or resumed one first."""
        runs = self.client.search_runs(
            [experiment],
            filter_string=f"tags.kind = '{kind}'",
            order_by=["attributes.start_time DESC"],
        )
        return sorted(
            runs,
            key=lambda run: max(run.info.start_time, int(run.data.tags.get("taken_up", 0))),
            reverse=True,
        )

    def finished_children(self, experiment: str, parent: str) -> dict[str, str]:
        """Returns the finished children of a sweep's run: `SweepRow.key` -> run id."""
        return self._run_ids_by_key([experiment], f"tags.`mlflow.parentRunId` = '{parent}'")

    def related_children(self, experiment: str, run_id: str) -> dict[str, str]:
        """Returns the finished children of a sweep's run and of its relatives: key -> run id.

        Relatives are the same sweep by the same engine and version, whole and with overrides.
        """
        tags = self.client.get_run(run_id).data.tags
        whole, overridden = (
            [run.info.run_id for run in self.sweep_runs(experiment, kind)
             if run.data.tags.get("sweep_key") == tags.get("sweep_key")]
            for kind in SWEEP_KINDS
        )  # fmt: skip
        # Of whole sweeps the newest alone: earlier ones were run anew.
        parents = [run_id] if tags.get("kind") == WHOLE_SWEEP else [run_id, *whole[:1]]
        parents = list(dict.fromkeys([*parents, *overridden]))
        queries = [f"tags.`mlflow.parentRunId` = '{parent}'" for parent in parents]
        return self._run_ids_by_key([experiment], *queries)

    def _run_ids_by_key(self, experiments: Sequence[str], *queries: str) -> dict[str, str]:
        """Returns the finished runs that `queries` find: outcome key -> run id.

        Among several runs with one key, it takes the one with the most seeds, or the newest of
        those with equally many.
        """
        runs: dict[str, tuple[int, str]] = {}  # key -> (number of seeds, run id)
        finished = "attributes.status = 'FINISHED'"
        for run in itertools.chain.from_iterable(
            self.search_runs(experiments, f"{query} and {finished}") for query in queries
        ):
            tags = run.data.tags  # runs of earlier versions have no tag `outcome`
            key, count = tags.get("outcome", tags["digest"]), int(tags.get("seed_count", 0))
            if key not in runs or count > runs[key][0]:
                runs[key] = count, run.info.run_id
        return {key: run_id for key, (_, run_id) in runs.items()}

    def search_runs(self, experiments: Sequence[str], query: str) -> Iterator[Any]:
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
