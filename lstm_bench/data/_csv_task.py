"""The task `csv`: forecast a column of the user's CSV file."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from lstm_bench.data._baselines import baseline_forecasts
from lstm_bench.data._inference import TargetKind
from lstm_bench.data._numbers import Decimal, Thousands
from lstm_bench.data._sequences import FileSequences, build_sequences
from lstm_bench.data._series import Columns, FileOptions, Missing, PreparedFile, prepare
from lstm_bench.data._table import Reading, read_table
from lstm_bench.data._wide import Wide
from lstm_bench.errors import DataError, Fault, RecipeError, unknown
from lstm_bench.statistics import Kind
from lstm_bench.tasks import Problem, Task

EXAMPLE = Path(__file__).parent / "sunspots.csv"
"""Yearly sunspot numbers, 1700 to 2008: the default file of the `csv` task."""
COLUMN_PARAMETERS = ("file", "target", "columns", "time", "group")
READING_PARAMETERS = ("target_kind", "season", "missing", "unseen", "split", "part", "shortest")
CELL_PARAMETERS = tuple(field.name for field in fields(Reading))

Floats = NDArray[np.float64]


class CsvTask(Task):
    """Forecast a column of a CSV file: its value `horizon` rows ahead, from the rows so far.

    ::

        year,sunspots
        1700,5.0
        1701,11.0
        ...            ->  the number of 1709 from those of 1700 to 1708, and so on

    The default `file` is this example. The score is computed on its last part, a share `unseen` of
    the rows. A search is scored on the part of the same size before that, so it never sees the last
    part. What is not given is inferred: the target if there is only one column, its kind (real,
    binary or symbols), the time column, the series of a file, a season. Values are scaled by the
    mean and the standard deviation of the training part. With `difference`, the target is the
    change from the latest row.

    Solved means: a smaller error than the best baseline (the last value, the value a season ago,
    the most frequent value or the median, a linear model). For real values `accuracy` is the share
    of rows forecast to within the median error of the last value in the training part.

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
    has_baselines: ClassVar[bool] = True
    search_overrides: ClassVar[Mapping[str, object]] = {"part": "validation"}
    omitted_from_name: ClassVar[frozenset[str]] = frozenset(
        [*COLUMN_PARAMETERS, *READING_PARAMETERS, *CELL_PARAMETERS]
    )
    not_searchable: ClassVar[frozenset[str]] = omitted_from_name | {"horizon"}

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
    na: Annotated[tuple[str, ...] | None, Field(strict=False), BeforeValidator(na_entries)] = None
    decimal: Decimal | None = None
    thousands: Thousands | None = None
    wide: Wide | None = None
    sheet: Annotated[str | None, Field(min_length=1)] = None
    shortest: Annotated[int | None, Field(ge=1, le=10_000)] = None

    @model_validator(mode="after")
    def _check_difference(self) -> Self:
        if self.difference and not self.horizon:
            raise ValueError(
                "difference needs a horizon of at least 1, over which the target changes, but "
                "horizon is 0; use difference=false"
            )
        return self

    @classmethod
    def class_for(cls, settings: Mapping[str, Any]) -> type[Task]:
        """Returns the class for the target's kind; raises `DataError` if the file is wrong."""
        parameters = {key: value for key, value in settings.items() if key in cls.model_fields}
        try:
            task = CsvTask(**parameters)
        except RecipeError:
            return cls  # which the caller creates, and so raises the same error
        data = task.prepared
        if data.kind != "real" and task.difference:
            raise DataError(
                f"difference needs a target of numbers, but {data.target!r} holds {data.kind}; use "
                "difference=false"
            )
        symbols = LabelCsvTask if data.inputs else SymbolCsvTask
        # `cls` may be the class for the target of another recipe, which this one is made from.
        real = CsvTask if cls.kind != CsvTask.kind or cls.symbolic else cls
        classes = {"symbols": symbols, "binary": BinaryCsvTask, "real": real}
        classes[data.kind](**parameters).problem(0)  # raises an error if there is no valid problem
        return classes[data.kind]

    @property
    def path(self) -> str:
        """The file that is read."""
        return self.file or str(EXAMPLE)

    @property
    def prepared(self) -> PreparedFile:
        """The content of the file."""
        return prepare(self._file_options)

    @property
    def _file_options(self) -> FileOptions:
        names = {field.name: field.name for field in fields(FileOptions)}
        del names["file"], names["reading"]
        names["kind"] = "target_kind"
        options = {option: getattr(self, parameter) for option, parameter in names.items()}
        return FileOptions(self.path, reading=self._reading, **options)

    @property
    def _reading(self) -> Reading:
        return Reading(**{name: getattr(self, name) for name in CELL_PARAMETERS})

    @property
    def file_sequences(self) -> FileSequences:
        """The scaled sequences of the file."""
        return _file_sequences(self, self.fingerprint)

    @property
    def fingerprint(self) -> str:
        return read_table(self.path, self._reading).digest

    def problem(self, seed: int) -> Problem:
        """Returns the sequences; they are the same for every seed."""
        return self.file_sequences.problem

    @property
    def labels(self) -> tuple[str, ...]:
        return self.prepared.labels

    @property
    def tolerance(self) -> float:  # type: ignore[override]
        """The median absolute error of the last value in the training part, scaled."""
        return self.file_sequences.tolerance

    @property
    def chance(self) -> float:
        sequences = self.problem(0).sequences
        targets = np.concatenate([s.targets[s.scored] for s in sequences])
        if self.kind != "regression":
            targets = targets.ravel()
            return float(np.unique(targets, return_counts=True)[1].max() / len(targets))
        # The best constant has the most targets within the tolerance on both sides.
        lower = np.sort(targets[:, 0])
        upper = np.searchsorted(lower, lower + 2 * self.tolerance + 1e-12, "right")
        return float((upper - np.arange(len(lower))).max() / len(lower))

    def in_units(
        self,
        sequence: NDArray[np.integer],
        step: NDArray[np.integer],
        values: NDArray[np.floating],
    ) -> NDArray[np.floating]:
        """Returns values (M, 1) at steps (M,) of sequences (M,), in the data's units."""
        if self.kind != "regression":
            return values
        data = self.file_sequences
        current = data.current[data.starts[sequence] + step] if self.difference else 0.0
        unscaled = np.asarray(values, float) * data.scale + data.shift
        return np.asarray(unscaled + np.broadcast_to(current, len(unscaled))[:, None])

    def baselines(self, lags: int | None = None) -> Mapping[str, tuple[Floats, ...]]:
        """Returns the forecasts of each baseline in the data's units, by its name.

        An array (T,) for each sequence: see `data._forecasts`. `lags` are the rows that the linear
        model uses; None lets it choose.
        """
        return _baselines(self, self.fingerprint, lags)

    def step_times(
        self, sequence: NDArray[np.integer], step: NDArray[np.integer]
    ) -> tuple[NDArray[np.object_], NDArray[np.integer]]:
        """Returns the times (M,) of the values to predict, and their ranks among all times (M,).

        A time is a text, with the name of its series if there are several.
        """
        data = self.file_sequences
        places = data.starts[sequence] + step
        return data.times[places], data.time_ranks[places]

    @property
    def generates(self) -> bool:
        return self.horizon == 1

    @property
    def preprocessing(self) -> dict[str, Any]:
        """All that is needed to forecast from another file in the same way, as plain values.

        `columns` are the fields of `Columns`. `inputs` lists name, centre and spread of each
        feature, which is (value - centre) / spread: the target, or a feature for each of its
        symbols, then the other columns. Symbols without other columns are one-hot encoded, so
        `inputs` is empty. Real outputs are (value - shift) / scale, where the value is the change
        from the latest row if `difference` is true.
        """
        sequences, data = self.file_sequences, self.prepared
        columns = {field.name: getattr(data, field.name) for field in fields(Columns)}
        reading = {key: value for key, value in vars(columns.pop("reading")).items() if value}
        columns |= {"reading": plain_values(reading)} if reading else {}
        target = [f"{data.target}={label}" for label in data.labels] or [data.target]
        names = [*(target if self.horizon else []), *data.inputs]
        numbers = zip(names, sequences.centre.tolist(), sequences.spread.tolist(), strict=True)
        return {
            "columns": plain_values(columns),
            "inputs": [] if self.symbolic else [list(feature) for feature in numbers],
            "shift": sequences.shift,
            "scale": sequences.scale,
            "difference": self.difference,
            "kind": self.kind,
            "symbolic": self.symbolic,
        }

    def summary(self) -> tuple[str, ...]:
        """Returns what was inferred from the file, one phrase for each fact."""
        return self.prepared.notes


class BinaryCsvTask(CsvTask):
    """A target of yes and no: see `CsvTask`."""

    kind: ClassVar[Kind] = "binary"


class SymbolCsvTask(CsvTask):
    """A target of symbols, forecast from itself alone: see `CsvTask`."""

    kind: ClassVar[Kind] = "categorical"
    symbolic: ClassVar[bool] = True


class LabelCsvTask(CsvTask):
    """A target of symbols, forecast also from columns of numbers: see `CsvTask`."""

    kind: ClassVar[Kind] = "categorical"


def na_entries(value: object) -> object:
    """Returns what stands for a gap as texts: from a text, a number, a list, or by column.

    >>> na_entries(-200), na_entries([-200, "x"]), na_entries({"CO": [-200, -1]})
    (('-200',), ('-200', 'x'), ('CO=-200', 'CO=-1'))
    """
    if isinstance(value, Mapping):
        entries = [(n, v if isinstance(v, list | tuple) else [v]) for n, v in value.items()]
        return tuple(f"{name}={entry}" for name, listed in entries for entry in listed)
    listed = value if isinstance(value, list | tuple) else [value]
    plain = all(isinstance(entry, str | int | float) for entry in listed)
    return tuple(map(str, listed)) if plain else value


def reading_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns settings about how the cells of a file are read, checked, as fields of `Reading`.

    Raises `RecipeError` for others, and for values that they cannot have.
    """
    known = [name for name in CELL_PARAMETERS if name != "wide"]
    for name in settings:
        if name not in known:
            raise RecipeError([Fault(name, unknown("setting", name, known))])
    task = CsvTask(**settings)
    return {name: getattr(task, name) for name in settings}


def plain_values(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a mapping with lists in place of tuples."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in mapping.items()}


@functools.lru_cache(maxsize=32)
def _file_sequences(task: CsvTask, digest: str) -> FileSequences:
    return build_sequences(task.prepared, task.kind, task.symbolic, task.difference, task.part)


@functools.lru_cache(maxsize=64)
def _baselines(task: CsvTask, digest: str, lags: int | None) -> dict[str, tuple[Floats, ...]]:
    return baseline_forecasts(task.prepared, task.file_sequences, task.kind, lags)
