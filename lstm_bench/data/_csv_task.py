"""`csv`: the user's own sequences, from a column of a CSV file."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from lstm_bench.data._baselines import unaided
from lstm_bench.data._inference import TargetKind
from lstm_bench.data._sequences import Layout, lay_out
from lstm_bench.data._series import Asked, Columns, Missing, Prepared, prepare
from lstm_bench.data._table import DataError, read
from lstm_bench.statistics import Kind
from lstm_bench.tasks import Problem, Task

EXAMPLE = Path(__file__).parent / "sunspots.csv"
"""Yearly sunspot numbers, 1700 to 2008: the file of a `csv` task that names none."""
COLUMNS = ("file", "target", "columns", "time", "group")
READING = ("target_kind", "season", "missing", "unseen", "split", "part")
"""Parameters that say which data, and how they are read: no part of a recipe's name."""

Floats = NDArray[np.float64]


class CsvTask(Task):
    """Forecast a column of a CSV file: its value `horizon` rows on, from the rows so far.

    ::

        year,sunspots
        1700,5.0
        1701,11.0
        ...            ->  the number of 1709 from those of 1700 to 1708, and so on

    Without `file` it is that one. Its last part, a share `unseen`, is what the score is of; a
    search is scored on a part of the same size before it, and so never sees the last one. What is
    not said is found out: the target where there is but one column, its kind (real, binary or
    symbols), the time, series in one file, a season. Values are scaled by the mean and standard
    deviation of what is learnt from. `difference` asks for the change since the latest row.

    Solved means: with a smaller error than the best answer that needs no network (the last value,
    that of a season ago, the most frequent or middle one, a linear model). `accuracy` of real
    values is the share of rows forecast to within the error that the last value makes half of the
    time, in what is learnt from.

    >>> problem = CsvTask().problem(seed=0)
    >>> len(problem.train[0]), int(problem.unseen[0].scored.sum())
    (246, 62)
    >>> CsvTask().prepared.season
    11
    """

    name: ClassVar[str] = "csv"
    kind: ClassVar[Kind] = "regression"
    symbolic: ClassVar[bool] = False
    source: ClassVar[str] = "your own; without a file, yearly sunspot numbers (NOAA)"
    defaults: ClassVar[Mapping[str, object]] = {
        "framing": "window",
        "window": 6,
        "units": 16,
        "epochs": 200,
        "batch_size": "all",
        "learning_rate": 0.01,
    }
    has_naive: ClassVar[bool] = True
    in_search: ClassVar[Mapping[str, object]] = {"part": "validation"}
    unnamed: ClassVar[frozenset[str]] = frozenset([*COLUMNS, *READING])
    asking: ClassVar[frozenset[str]] = unnamed | {"horizon"}

    file: Annotated[str | None, Field(min_length=1)] = None
    target: str | None = None
    columns: Annotated[tuple[str, ...] | None, Field(strict=False)] = None
    time: str | None = None
    group: str | None = None
    target_kind: TargetKind | None = None
    horizon: Annotated[int, Field(ge=0, le=10_000)] = 1
    season: Annotated[int | None, Field(ge=2, le=100_000)] = None
    missing: Missing = "refuse"
    unseen: Annotated[float, Field(ge=0.02, le=0.4)] = 0.2
    split: Literal["time", "group"] | None = None
    difference: bool = False
    part: Literal["validation", "test"] = "test"

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.difference and not self.horizon:
            raise ValueError(
                "difference asks for a change over the horizon, but horizon is 0; "
                "use difference=false"
            )
        return self

    @classmethod
    def suited(cls, settings: Mapping[str, Any]) -> type[Task]:
        """Returns the class for the target's kind; raises `DataError` where the file is wrong."""
        own = {key: value for key, value in settings.items() if key in cls.model_fields}
        try:
            asked = CsvTask(**own)
        except ValidationError:
            return cls  # who asks will find out the same
        found = asked.prepared
        if found.kind != "real" and asked.difference:
            raise DataError(
                f"{found.target!r} holds {found.kind}, of which there is no difference; use "
                "difference=false"
            )
        symbols = Labels if found.inputs else Symbols
        kinds = {"symbols": symbols, "binary": Binary, "real": cls}
        kinds[found.kind](**own).problem(0)  # or says what is wrong with it
        return kinds[found.kind]

    @property
    def path(self) -> str:
        """The file that is read."""
        return self.file or str(EXAMPLE)

    @property
    def prepared(self) -> Prepared:
        """What is in the file."""
        return prepare(self._asked)

    @property
    def _asked(self) -> Asked:
        own = {field.name: field.name for field in fields(Asked) if field.name != "file"}
        own["kind"] = "target_kind"
        return Asked(self.path, **{key: getattr(self, name) for key, name in own.items()})

    @property
    def layout(self) -> Layout:
        """The file as sequences, scaled."""
        return _layout(self, read(self.path).digest)

    @property
    def fingerprint(self) -> str:
        return read(self.path).digest

    def problem(self, seed: int) -> Problem:
        """Returns the sequences; they are the same for every seed."""
        return self.layout.problem

    @property
    def labels(self) -> tuple[str, ...]:
        return self.prepared.labels

    @property
    def tolerance(self) -> float:  # type: ignore[override]
        """Half of the last values err by less than this, in the part to learn from; scaled."""
        return self.layout.tolerance

    @property
    def chance(self) -> float:
        every = self.problem(0).sequences
        due = np.concatenate([s.targets[s.scored] for s in every])
        if self.kind != "regression":
            due = due.ravel()
            return float(np.unique(due, return_counts=True)[1].max() / len(due))
        ends = np.sort(due[:, 0])
        upper = np.searchsorted(ends, ends + 2 * self.tolerance + 1e-12, "right")
        return float((upper - np.arange(len(ends))).max() / len(ends))

    def in_units(
        self,
        sequence: NDArray[np.integer],
        step: NDArray[np.integer],
        values: NDArray[np.floating],
    ) -> NDArray[np.floating]:
        """Returns values (M, 1) that answer steps (M,) of sequences (M,) in the data's units."""
        if self.kind != "regression":
            return values
        layout = self.layout
        back = layout.latest[layout.starts[sequence] + step] if self.difference else 0.0
        told = np.asarray(values, float) * layout.scale + layout.shift
        return np.asarray(told + np.broadcast_to(back, len(told))[:, None])

    def naive(self, lags: int | None = None) -> Mapping[str, tuple[Floats, ...]]:
        """Returns what could be answered without a network, in the data's units.

        By name, an array (T,) for each sequence: see `tasks.naive`. `lags` are the rows that the
        linear model looks at.
        """
        return _naive(self, read(self.path).digest, lags)

    def moments(
        self, sequence: NDArray[np.integer], step: NDArray[np.integer]
    ) -> tuple[NDArray[np.object_], NDArray[np.integer]]:
        """Returns the times (M,) of the rows whose value is forecast, with their series' names.

        And the places (M,) of these times among all of the file.
        """
        places = self.layout.starts[sequence] + step
        return self.layout.when[places], self.layout.moment[places]

    @property
    def generates(self) -> bool:
        return self.horizon == 1

    @property
    def known(self) -> dict[str, Any]:
        """What another file needs to be asked about in the same way, as plain values.

        `columns` as in `Columns`; `inputs` are (value - centre) / spread, a feature each: of the
        target, then of the other columns. A target of symbols has one feature a symbol beside
        other columns; alone, symbols go in one-hot as they are. What comes out of real values is
        (value - shift) / scale, where `difference` of the change since the latest row.
        """
        layout, found = self.layout, self.prepared
        columns = {field.name: getattr(found, field.name) for field in fields(Columns)}
        own = [f"{found.target}={label}" for label in found.labels] or [found.target]
        names = [*(own if self.horizon else []), *found.inputs]
        numbers = zip(names, layout.centre.tolist(), layout.spread.tolist(), strict=True)
        return {
            "columns": {k: list(v) if isinstance(v, tuple) else v for k, v in columns.items()},
            "inputs": [] if self.symbolic else [list(each) for each in numbers],
            "shift": layout.shift,
            "scale": layout.scale,
            "difference": self.difference,
            "kind": self.kind,
            "symbolic": self.symbolic,
        }

    def summary(self) -> tuple[str, ...]:
        """Returns what was found out about the file, a sentence each."""
        return self.prepared.notes


class Binary(CsvTask):
    """A column of yes and no: see `Csv`."""

    kind: ClassVar[Kind] = "binary"


class Symbols(CsvTask):
    """A column of symbols, forecast from itself alone: see `Csv`."""

    kind: ClassVar[Kind] = "categorical"
    symbolic: ClassVar[bool] = True


class Labels(CsvTask):
    """A column of symbols, forecast from columns of numbers too: see `Csv`."""

    kind: ClassVar[Kind] = "categorical"


@functools.lru_cache(maxsize=32)
def _layout(task: CsvTask, digest: str) -> Layout:
    return lay_out(task.prepared, task.kind, task.symbolic, task.difference, task.part)


@functools.lru_cache(maxsize=64)
def _naive(task: CsvTask, digest: str, lags: int | None) -> dict[str, tuple[Floats, ...]]:
    return unaided(task.prepared, task.layout, task.kind, lags)
