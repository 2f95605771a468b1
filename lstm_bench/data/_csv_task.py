"""The task `csv`: forecast a column of the user's CSV file."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._baselines import (
    FITTED_BASELINES,
    Baselines,
    baseline_forecasts,
    baseline_seconds,
)
from lstm_bench.data._csv_parameters import (
    CELL_PARAMETERS,
    COLUMN_PARAMETERS,
    READING_PARAMETERS,
    CsvParameters,
)
from lstm_bench.data._file_digest import count_rows, file_digest
from lstm_bench.data._file_options import FileOptions
from lstm_bench.data._label_baselines import label_baselines
from lstm_bench.data._labelled import read_labelled
from lstm_bench.data._origin_baselines import common_names
from lstm_bench.data._output_baselines import output_baselines
from lstm_bench.data._sequences import FileSequences, build_sequences
from lstm_bench.data._series import PreparedFile, prepare
from lstm_bench.data._table import Reading
from lstm_bench.data._text_baselines import text_baselines
from lstm_bench.data._text_file import CHARACTER, POSITION
from lstm_bench.errors import DataError, Fault, RecipeError, unknown
from lstm_bench.statistics import Kind
from lstm_bench.tasks import Problem, Task

EXAMPLE = Path(__file__).parent / "sunspots.csv"
"""Yearly sunspot numbers, 1700 to 2008: the default file of the `csv` task."""

Floats = NDArray[np.float64]


class CsvTask(CsvParameters):
    """Forecast a column of a CSV file: its value `horizon` rows ahead, from the rows so far.

    ::

        year,sunspots
        1700,5.0
        1701,11.0
        ...            ->  the number of 1709 from those of 1700 to 1708, and so on

    The default `file` is this example. The score is computed on the last rows, the share `unseen`,
    which are the test set. A search is scored on the validation set, the same number of rows before
    them, so it never sees the test set. Parameters that are not given are inferred: the target if
    there is only one column, its kind (real, binary or symbols), the time column, the series of a
    file, a season. Values are scaled by the mean and the standard deviation of the training set.
    With `difference`, the target is the change from the latest row. `latest` is the number of last
    rows to use of a long file.

    With `known`, values of columns in the row to be forecast are inputs. A `horizon` of 1..12 makes
    each of the next 12 rows an output. `target` may be several columns of numbers, as in a,b.

    With `text`, the file is a plain text, and the symbol to forecast is its next character. With
    `label_per_sequence`, the target is one label for all rows of a `group`, predicted after its
    last row. The training, validation and test sets then consist of whole groups.

    Solved means a smaller error than the best baseline: the last value, the value a season ago, the
    most frequent value or the median, a linear model, exponential smoothing, or gradient boosting.
    For real values, `accuracy` is the share of rows whose error is at most the median error of the
    last value in the training set.

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
    not_searchable: ClassVar[frozenset[str]] = frozenset(
        [*COLUMN_PARAMETERS, *READING_PARAMETERS, *CELL_PARAMETERS, "horizon"]
    )
    omitted_from_name: ClassVar[frozenset[str]] = not_searchable - {
        "columns", "known", "latest", "origins", "horizon", "all_steps",
    }  # fmt: skip

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
        symbols: type[CsvTask] = LabelCsvTask if data.feature_names else SymbolCsvTask
        if data.label_per_sequence:
            symbols = SequenceLabelCsvTask
        # `cls` may be the class for the target of another recipe, which this one is made from.
        real = CsvTask if cls.kind != CsvTask.kind or cls.symbolic else cls
        kinds: dict[str, type[CsvTask]]
        kinds = {"symbols": symbols, "binary": BinaryCsvTask, "real": real}
        valid = kinds[data.kind](**parameters)
        for origin in valid.retrained_at or ({"origin": valid.origin},):
            valid.at(origin).problem(0)  # raises an error if there is no valid problem
        return kinds[data.kind]

    @property
    def retrained_at(self) -> tuple[Mapping[str, object], ...]:
        if not self.origins or self.origin is not None or self.part == "validation":
            return ()
        return tuple({"origin": number} for number in range(1, self.origins + 1))

    def at(self, origin: Mapping[str, object]) -> Self:
        """Returns the task at one of `retrained_at`."""
        return self.model_copy(update=dict(origin))

    @property
    def path(self) -> str:
        """The file that is read."""
        return self.file or str(EXAMPLE)

    @property
    def prepared(self) -> PreparedFile:
        """The content of the file."""
        return prepare(self._file_options, read_labelled if self.label_per_sequence else None)

    @property
    def _file_options(self) -> FileOptions:
        names = {field.name: field.name for field in fields(FileOptions)}
        del names["file"], names["reading"]
        names["kind"] = "target_kind"
        options = {option: getattr(self, parameter) for option, parameter in names.items()}
        if self.label_per_sequence:
            options |= {"horizon": 0, "kind": "symbols"}
        if self.text:
            options |= {"target": CHARACTER, "time": POSITION, "columns": (), "kind": "symbols"}
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
        return file_digest(self.path, bool(self.text))

    @property
    def row_count(self) -> int:
        """The number of rows of the file, or of characters of a plain text."""
        return count_rows(self.path, bool(self.text), self._reading)

    def problem(self, seed: int) -> Problem:
        """Returns the sequences; they are the same for every seed."""
        return self.file_sequences.problem

    @property
    def labels(self) -> tuple[str, ...]:
        return self.prepared.labels

    @property
    def tolerance(self) -> float:  # type: ignore[override]
        """The median absolute error of the last value in the training set, scaled."""
        return self.file_sequences.tolerance

    @property
    def chance(self) -> float:
        sequences = self.problem(0).sequences
        targets = np.concatenate([s.targets[s.scored] for s in sequences])
        if self.kind != "regression":
            targets = targets.ravel()
            return float(np.unique(targets, return_counts=True)[1].max() / len(targets))
        # The best constant has the most targets within the tolerance on both sides.
        width, within = 2 * self.tolerance + 1e-12, np.ones(len(targets), bool)
        for values in targets.T:
            lower = np.sort(values)
            counts = np.searchsorted(lower, lower + width, "right") - np.arange(len(lower))
            least = lower[counts.argmax()]
            within &= (values >= least) & (values <= least + width)
        return float(within.sum() / len(targets))

    def in_units(
        self,
        sequence: NDArray[np.integer],
        step: NDArray[np.integer],
        values: NDArray[np.floating],
    ) -> NDArray[np.floating]:
        """Returns values (M, K) at steps (M,) of sequences (M,), in the data's units."""
        if self.kind != "regression":
            return values
        data = self.file_sequences
        current = data.current[data.starts[sequence] + step] if self.difference else 0.0
        unscaled = np.asarray(values, float) * data.scale + data.shift
        return np.asarray(unscaled + current)

    def baselines(self, lags: int | None = None) -> Mapping[str, tuple[Floats, ...]]:
        """Returns the forecasts of each baseline in the data's units, by its name.

        An array (T,) for each sequence: see `data._baselines`. `lags` are the rows that the linear
        model uses; None lets it choose, and adds exponential smoothing and gradient boosting. At
        several origins, those have one name although each may choose otherwise.
        """
        forecasts = _baselines(self, self.fingerprint, lags).forecasts
        if lags is not None:
            return forecasts
        return {name: forecasts[here] for name, here in self.baseline_names.items()}

    @property
    def baseline_names(self) -> Mapping[str, str]:
        """The names of `baselines` over all origins, each with its name at this one."""
        origins = self.model_copy(update={"origin": None}).retrained_at
        if not origins:
            return {name: name for name in _baselines(self, self.fingerprint, None).forecasts}
        tasks = [self.at(origin) for origin in origins]
        listed = [_baselines(task, self.fingerprint, None).forecasts for task in tasks]
        names = common_names(listed, "chosen at each origin")
        return {name: at_origins[(self.origin or 0) - 1] for name, at_origins in names.items()}

    def step_times(
        self, sequence: NDArray[np.integer], step: NDArray[np.integer]
    ) -> tuple[NDArray[np.object_], NDArray[np.integer]]:
        """Returns the times (M,) of the values to predict, and their ranks among all (M,).

        A time is a text, with the name of its series if there are several. If there are several
        `outputs`, the times are (M, K), and the ranks those of the first step ahead.
        """
        data = self.file_sequences
        places = data.starts[sequence] + step
        times = data.times[places]
        return times if self.output_names else times[:, 0], data.time_ranks[places]

    @property
    def output_names(self) -> tuple[str, ...]:
        return self.prepared.output_names

    @property
    def output_units(self) -> tuple[float, ...]:
        """The standard deviation of each target in the training set, if there are several."""
        data = self.prepared
        if not data.further:
            return ()
        train = self.file_sequences.segments[: len(self.problem(0).train)]
        values = np.concatenate([s.series.targets[: s.end + data.horizon] for s in train])
        return tuple(float(values[:, place].std()) or 1.0 for place, _ in data.outputs)

    @property
    def generates(self) -> bool:
        return self.prepared.horizon == 1 and not self.output_names

    @property
    def preprocessing(self) -> dict[str, Any]:
        """All that is needed to forecast from another file in the same way, as plain values.

        `columns` is `Columns.stored`. `inputs` lists name, centre and spread of each
        feature, which is (value - centre) / spread: the target, or a feature for each of its
        symbols, then the other columns. Symbols without other columns are one-hot encoded, so
        `inputs` is empty. Real outputs are (value - shift) / scale, where the value is the change
        from the latest row if `difference` is true; `shift` and `scale` are lists if there are
        several outputs: for each target, those of all steps. `baselines_left_out`, if there are
        any, are the baselines that could not be fitted, each with its reason.
        """
        sequences, data = self.file_sequences, self.prepared
        target = [f"{data.target}={label}" for label in data.labels] or list(data.targets)
        names = [*(target if data.horizon else []), *data.feature_names]
        here = self.model_copy(update={"origin": None})
        tasks = [here.model_copy(update=dict(part)) for part in here.retrained_at] or [self]
        left_out = dict.fromkeys(
            reason for task in tasks for reason in _baselines(task, task.fingerprint, None).left_out
        )
        numbers = zip(names, sequences.centre.tolist(), sequences.spread.tolist(), strict=True)
        return {
            "columns": data.stored,
            "inputs": [] if self.symbolic else [list(feature) for feature in numbers],
            "shift": sequences.shift.tolist() if self.output_names else float(sequences.shift[0]),
            "scale": sequences.scale.tolist() if self.output_names else float(sequences.scale[0]),
            "difference": self.difference,
            "kind": self.kind,
            "symbolic": self.symbolic,
        } | ({"baselines_left_out": list(left_out)} if left_out else {})

    @property
    def preparation_seconds(self) -> float:
        if self.text or self.label_per_sequence:
            return 0.0
        train = self.problem(0).train
        features = train[0].inputs.shape[-1] if train[0].inputs.ndim > 1 else 1
        seconds = baseline_seconds(sum(map(len, train)), features, self.prepared.season)
        return seconds * max(1, len(self.output_names)) * max(1, len(self.retrained_at))

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


class SequenceLabelCsvTask(CsvTask):
    """One label a sequence, from the columns of its rows: see `CsvTask`."""

    kind: ClassVar[Kind] = "categorical"
    autoregressive: ClassVar[bool] = False
    defaults: ClassVar[Mapping[str, object]] = {
        "framing": "whole",
        "units": 16,
        "epochs": 100,
        "batch_size": 16,
        "shuffle": "samples",
        "learning_rate": 0.01,
    }


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


@functools.lru_cache(maxsize=64)
def _file_sequences(task: CsvTask, digest: str) -> FileSequences:
    data, count = task.prepared, task.origins or 1
    if count > 1 and any(s.test_start in (0, len(s)) for s in data.series) and not data.time:
        raise DataError(
            "origins are stretches of time, but whole series are held out of this file, because it "
            "has no times; use split=time, or leave origins out"
        )
    origin = (task.origin or count, count)
    return build_sequences(data, task.kind, task.symbolic, task.difference, task.part, origin)


def _baselines(task: CsvTask, digest: str, lags: int | None) -> Baselines:
    return FITTED_BASELINES.get((task, digest, lags), lambda: _fitted(task, digest, lags))


def _fitted(task: CsvTask, digest: str, lags: int | None) -> Baselines:
    if task.difference:  # which has the same baselines, from its second row on
        plain = task.model_copy(update={"difference": False})
        changes, values = task.file_sequences.segments, plain.file_sequences.segments
        if [(id(s.series), s.end) for s in changes] == [(id(s.series), s.end) for s in values]:
            later = [s.first - plain.first for s, plain in zip(changes, values, strict=True)]
            return _baselines(plain, digest, lags).from_steps(later)
    if task.text:
        return Baselines(text_baselines(task.prepared, task.file_sequences), ())
    if task.label_per_sequence:  # a window of rows has no baseline of its own
        if lags is not None:
            return Baselines({}, ())
        return label_baselines(task.prepared, task.file_sequences)
    forecasts = output_baselines if task.output_names else baseline_forecasts
    return forecasts(task.prepared, task.file_sequences, task.kind, lags)
