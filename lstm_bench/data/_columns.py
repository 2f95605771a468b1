"""The role of each column of a file, and the series that are read from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._rows import Aggregate
from lstm_bench.data._table import DEFAULT_READING, Reading
from lstm_bench.data._time_reading import TimeFormat

TargetKind = Literal["real", "binary", "symbols"]
Missing = Literal["refuse", "drop", "interpolate"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """The role of each column: all that is needed to read another file in the same way.

    `known` are columns whose values are known in advance, such as holidays: those of the row to be
    forecast are features. `categories` are the values of each column of text among `inputs` and
    `known`, each of which is a feature of 0 and 1.
    """

    kind: TargetKind
    target: str
    inputs: tuple[str, ...]
    labels: tuple[str, ...]  # of symbols
    time: str | None
    group: str | None
    horizon: int
    missing: Missing
    time_format: TimeFormat | None = None  # how times are written; None if that is not known
    aggregate: Aggregate | None = None
    text: bool = field(default=False, kw_only=True)  # whether the file is a plain text
    further: tuple[str, ...] = field(default=(), kw_only=True)  # targets after the first
    all_steps: bool = field(default=False, kw_only=True)  # all rows up to the horizon are forecast
    known: tuple[str, ...] = field(default=(), kw_only=True)
    categories: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), kw_only=True)
    reading: Reading = field(default=DEFAULT_READING, kw_only=True)
    label_per_sequence: bool = field(default=False, kw_only=True)  # the target is one of a series
    numbers: tuple[tuple[str, str, str], ...] = field(default=(), kw_only=True)
    """The decimal mark and the thousands separator of columns that are not written as 1234.5."""

    @classmethod
    def restored(cls, stored: Mapping[str, Any]) -> Self:
        """Returns the value of which `stored` is the `stored` mapping."""
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()
        }
        if values.get("time_format") is not None:
            times = dict(values["time_format"])
            values["time_format"] = TimeFormat(**times | {"columns": tuple(times["columns"])})
        values["numbers"] = tuple(map(tuple, values.get("numbers", ())))
        values["categories"] = tuple((n, tuple(v)) for n, v in values.get("categories", ()))
        cells: dict[str, Any] = dict(values.get("reading") or {})
        if cells.get("na") is not None:
            cells["na"] = tuple(cells["na"])
        values["reading"] = Reading(**cells)
        return cls(**values)

    @property
    def stored(self) -> dict[str, Any]:
        """The fields as plain values, without those that have a default, if they have it."""
        values = {f.name: getattr(self, f.name) for f in fields(Columns)}
        if self.time_format is not None:
            values["time_format"] = self.time_format.document()
        values["numbers"] = [list(number) for number in self.numbers]
        values["categories"] = [[name, list(texts)] for name, texts in self.categories]
        cells = {key: value for key, value in vars(values["reading"]).items() if value}
        values["reading"] = _plain(cells)
        plain = _plain(values)
        optional = ("text", "further", "all_steps", "known", "categories", "reading",
                    "label_per_sequence", "numbers")  # fmt: skip
        return {key: value for key, value in plain.items() if value or key not in optional}

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the columns that are forecast."""
        return (self.target, *self.further)

    @property
    def steps(self) -> tuple[int, ...]:
        """How many rows ahead are forecast."""
        return tuple(range(1, self.horizon + 1)) if self.all_steps else (self.horizon,)

    @property
    def outputs(self) -> tuple[tuple[int, int], ...]:
        """The outputs of a network for numbers: the place of the target, and the rows ahead."""
        return tuple((place, step) for place in range(len(self.targets)) for step in self.steps)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the outputs, such as `3` for three rows ahead; empty if there is only one.

        >>> Columns("real", "a", (), (), None, None, 2, "refuse", all_steps=True).output_names
        ('1', '2')
        """
        several, path = bool(self.further), self.all_steps
        names = [
            ", ".join([self.targets[place]] * several + [str(step)] * path)
            for place, step in self.outputs
        ]
        return tuple(names) if several or path else ()

    @property
    def input_features(self) -> tuple[str, ...]:
        """The names of the features that `inputs` become, such as `price` and `weather=rain`."""
        return self.features(self.inputs)

    @property
    def known_features(self) -> tuple[str, ...]:
        """The names of the features that `known` become in one row."""
        return self.features(self.known)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of all features other than the target, in the order of `feature_columns`.

        >>> Columns("real", "y", ("x",), (), None, None, 2, "refuse", known=("p",)).feature_names
        ('x', 'p+2')
        """
        ahead = [f"{name}+{step}" for step in self.steps_ahead for name in self.known_features]
        return (*self.input_features, *ahead)

    @property
    def steps_ahead(self) -> tuple[int, ...]:
        """The rows ahead whose known values are features: those that are forecast."""
        return self.steps if self.known else ()

    def features(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Returns the names of the features that columns become: a column of text, several."""
        texts = dict(self.categories)
        return tuple(
            feature
            for name in names
            for feature in ([f"{name}={text}" for text in texts[name]] if name in texts else [name])
        )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a mapping with lists in place of tuples."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


@dataclass(frozen=True)
class Series:
    """The n rows of one series, in the data's units.

    Rows before `validation_start` are the training set, those from there to `test_start` the
    validation set, on which a recipe is chosen, and the others the test set.
    """

    name: str
    target: Floats  # (n,): the value, 0 or 1, or the number of a symbol
    inputs: Floats  # (n, F): the other columns
    observed: NDArray[np.bool_]  # (n,): False where the target was missing
    times: NDArray[np.object_]  # (n,): the time as text, or the row
    time_ranks: NDArray[np.integer]  # (n,): the rank of the time among all times of the file
    validation_start: int
    test_start: int
    following: NDArray[np.object_]  # (horizon,): the next times; (0,) in the file of a task
    further: Floats = field(default_factory=lambda: np.empty((0, 0)), kw_only=True)
    """The targets after the first, (n, J - 1)."""
    known: Floats = field(default_factory=lambda: np.empty((0, 0)), kw_only=True)
    """Columns known in advance (n + m, K), with those of m rows that hold nothing else."""
    ahead: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, object), kw_only=True)
    """The times of these m rows, (m,), as text."""

    def __len__(self) -> int:
        return len(self.target)

    @property
    def targets(self) -> Floats:
        """All targets, (n, J)."""
        return np.column_stack([self.target, *self.further.T])


def scored_steps(
    columns: Columns, series: Series, first: int, end: int, scored_from: int
) -> NDArray[np.bool_]:
    """Returns which rows from `first` to before `end` are scored, (end - first,).

    All values to be forecast from them are known, and none is before the row `scored_from`. With
    one label a sequence it is the last row alone.
    """
    rows = np.arange(first, end)
    scored = rows + columns.steps[0] >= scored_from
    if columns.label_per_sequence:
        scored &= rows == len(series) - 1
    for step in columns.steps:
        scored &= series.observed[rows + step]
    return scored
