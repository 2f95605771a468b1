"""The Optuna storage for the trials of a search, which `optuna-dashboard` opens.

The storage is only a copy: a sweep resumes from its own store alone, and then goes through all
trials again. Trials that the storage already has are left unchanged, so none is there twice. A
study that was deleted, or does not agree with the sweep, is written again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.trial import FrozenTrial

from lstm_bench.errors import StoreError
from lstm_bench.provenance import VERSION
from lstm_bench.safety import mask_address, mask_passwords
from lstm_bench.search._optuna_trials import name_metrics, study_options
from lstm_bench.sweeps import Search

MARK = "lstm-bench"
"""The attribute that marks the studies that this package wrote."""
CONNECT_SECONDS = 10
"""The time that a database may take to answer."""
CONNECT_OPTIONS = {"sqlite": "timeout", "postgresql": "connect_timeout", "mysql": "connect_timeout"}
"""The option for this time, by the driver of the database."""
REPAIR = "set another address as `optuna` in conf/default.yaml, or null for none"


def check_separate(address: str, store: str) -> None:
    """Raises `StoreError` unless the addresses are those of two databases.

    MLflow and Optuna both keep the version of their tables in a table `alembic_version`.
    """
    if _place(address) == _place(store):
        raise StoreError(
            f"optuna: must be another database than the MLflow store, but both are "
            f"{mask_address(address)}; {REPAIR}"
        )


def _place(address: str) -> tuple[Any, ...]:
    """Returns a key that is equal for two addresses of one database."""
    try:
        url = sqlalchemy.make_url(address)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        return (address,)
    if url.get_backend_name() == "sqlite":
        return ("sqlite", Path(url.database or "").resolve())
    return (url.get_backend_name(), url.host, url.port, url.database)


class StudyStorage:
    """One study in an Optuna storage, to which the trials of a search are added in order.

    Once it is open, an error of the storage ends the writing, with a notice, but never the sweep.
    """

    def __init__(
        self,
        address: str,
        name: str,
        search: Search,
        notice: Callable[[str], None],
        attributes: Mapping[str, Any] = {},
    ) -> None:
        """Opens the storage at `address`, and creates the study `name` in it if it is missing.

        `attributes` are user attributes of the study.
        Raises `StoreError` if the storage cannot be used, holds MLflow's tables, or has a study of
        this name that this package has not written.
        """
        self.address = mask_address(address)
        self._secret, self._name, self._search, self._notice = address, name, search, notice
        self._attributes = {MARK: VERSION, **attributes}
        self._written: list[FrozenTrial] = []
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            self._storage = _open(address)
            self._study: optuna.Study | None = self._open_study()
            self._stored = self._study.get_trials(deepcopy=False)
        except StoreError:
            raise
        except Exception as error:  # the drivers of databases raise errors of many classes
            message = f"optuna: {self.address} cannot be used ({self._reason(error)}); {REPAIR}"
            raise StoreError(message) from error

    def add(self, trial: FrozenTrial) -> None:
        """Adds the next trial, unless the study has it already."""
        number = len(self._written)
        self._written.append(trial)
        if number < len(self._stored) and _is_same(self._stored[number], trial):
            return
        self._guarded(self._rewrite if number < len(self._stored) else self._append)

    def finish(self) -> None:
        """Removes the trials that the finished search does not have."""
        if len(self._stored) > len(self._written):
            self._guarded(self._rewrite)

    def _append(self) -> None:
        assert self._study is not None
        self._study.add_trial(self._written[-1])
        self._stored.append(self._written[-1])

    def _rewrite(self) -> None:
        """Writes the study again, because a storage cannot change or delete finished trials."""
        optuna.delete_study(study_name=self._name, storage=self._storage)
        self._study, self._stored = self._open_study(), []
        self._study.add_trials(self._written)
        self._stored = list(self._written)

    def _guarded(self, write: Callable[[], None]) -> None:
        if self._study is None:
            return
        try:
            write()
        except Exception as error:  # the drivers of databases raise errors of many classes
            self._study = None
            self._notice(
                f"optuna: {self.address} cannot be written ({self._reason(error)}); the sweep goes "
                "on without it, and the same command again completes the study"
            )

    def _open_study(self) -> optuna.Study:
        """Returns the study, which is created if it is missing."""
        names = optuna.get_all_study_names(self._storage)
        study = optuna.create_study(
            storage=self._storage,
            study_name=self._name,
            load_if_exists=True,
            **study_options(self._search),
        )
        if self._name in names and MARK not in study.user_attrs and study.get_trials(False):
            raise StoreError(
                f"optuna: {self.address} has a study {self._name!r} that lstm-bench has not "
                f"written, which must stay as it is; rename the sweep, or {REPAIR}"
            )
        if study.directions != optuna.create_study(**study_options(self._search)).directions:
            optuna.delete_study(study_name=self._name, storage=self._storage)
            return self._open_study()
        if MARK not in study.user_attrs:
            name_metrics(study, self._search)
        for key, value in self._attributes.items():
            if study.user_attrs.get(key) != value:
                study.set_user_attr(key, value)
        return study

    def _reason(self, error: Exception) -> str:
        lines = [line.strip() for line in str(error.__cause__ or error).splitlines()]
        reason = next((line for line in lines if line), repr(error))
        return mask_passwords(reason, [self._secret])[:300]


def _open(address: str) -> optuna.storages.BaseStorage:
    """Returns the storage at `address`, whose tables are created if they are missing."""
    url = sqlalchemy.make_url(address)
    kind = url.get_backend_name()
    if kind == "sqlite":
        if url.database in (None, "", ":memory:"):
            raise StoreError(f"optuna: must be kept on disk, but {address} is not; {REPAIR}")
        path = Path(str(url.database)).absolute()
        path.parent.mkdir(parents=True, exist_ok=True)
        url = url.set(database=str(path))  # wherever the working folder will be
    option = CONNECT_OPTIONS.get(kind)
    arguments = {"connect_args": {option: CONNECT_SECONDS}} if option else {}
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool, **arguments)
    if sqlalchemy.inspect(engine).has_table("experiments"):
        raise StoreError(
            f"optuna: must be another database than an MLflow store, but "
            f"{mask_address(address)} holds MLflow's tables; {REPAIR}"
        )
    engine.dispose()
    return optuna.storages.RDBStorage(
        url.render_as_string(hide_password=False), engine_kwargs=arguments
    )


def _is_same(stored: FrozenTrial, trial: FrozenTrial) -> bool:
    """Returns whether a stored trial equals `trial`, apart from its times."""
    keys = ("digest", "seeds")
    return (
        stored.state == trial.state
        and stored.params == trial.params
        and all(stored.user_attrs.get(key) == trial.user_attrs.get(key) for key in keys)
        and len(stored.values or ()) == len(trial.values or ())
        and all(map(math.isclose, stored.values or (), trial.values or ()))
    )
