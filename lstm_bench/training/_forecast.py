"""Forecasts a CSV file with the network of a finished run that was trained on a similar file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lstm_bench.data import (
    Columns,
    Missing,
    Reading,
    Segment,
    Series,
    TargetKind,
    network_inputs,
    read_new_file,
)
from lstm_bench.errors import StoreError, UserError, unknown
from lstm_bench.recipes import FRAMINGS, Encoding, Framing, Substrings
from lstm_bench.results import Outcome, validation_message
from lstm_bench.statistics import Kind, decode_outputs
from lstm_bench.tasks import Problem, Sequence
from lstm_bench.training._model_file import open_network
from lstm_bench.training._models import reset_states

DATES = ("%Y-%m-%d", "%Y-%m", "%d.%m.%Y", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S",
         "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ")  # fmt: skip
"""Formats of times for which the following times can be computed."""
MAX_INPUT_NUMBERS = 200_000_000
"""Largest number of input values of one forecast: 0.8 GB."""
LATEST_TIMES = 24
"""Number of latest times from which the distance to the next one is computed."""
GROUP = "\0group"  # a name that no column of a file has


STRICT = ConfigDict(strict=True, allow_inf_nan=False, extra="forbid")
KINDS: Mapping[TargetKind, Kind] = {
    "real": "regression",
    "binary": "binary",
    "symbols": "categorical",
}


class _Reading(BaseModel):
    """`Reading` as it is stored, without what was not set."""

    model_config = STRICT

    na: Annotated[tuple[str, ...] | None, Field(strict=False)] = None
    decimal: Literal[".", ","] | None = None
    thousands: Literal[",", ".", " ", "'"] | None = None
    wide: Literal["auto", "columns", "rows"] | None = None


class _Columns(BaseModel):
    """`Columns` as they are stored."""

    model_config = STRICT

    kind: TargetKind
    target: str
    inputs: list[str]
    labels: list[str]
    time: str | None
    group: str | None
    horizon: Annotated[int, Field(ge=0, le=10_000)]
    missing: Missing
    reading: _Reading = Field(default_factory=lambda: _Reading())


class _StoredData(BaseModel):
    """The value of `CsvTask.preprocessing` as it is stored."""

    model_config = STRICT

    columns: _Columns
    inputs: list[Annotated[tuple[str, float, float], Field(strict=False)]]
    shift: float
    scale: float
    difference: bool
    kind: Kind
    symbolic: bool

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        """Raises ValueError if the fields contradict one another."""
        columns = self.columns
        if self.kind != KINDS[columns.kind] or bool(columns.labels) != (columns.kind == "symbols"):
            raise ValueError("kind and labels must match the columns")
        if self.symbolic and (columns.inputs or self.kind != "categorical" or not columns.horizon):
            raise ValueError("symbolic needs symbols that are forecast only from themselves")
        target_inputs = max(1, len(columns.labels)) if columns.horizon else 0
        count = 0 if self.symbolic else target_inputs + len(columns.inputs)
        if len(self.inputs) != count or not all(spread for _, _, spread in self.inputs):
            raise ValueError(f"there must be {count} inputs, all with a spread that is not 0")
        if self.difference and self.kind != "regression":
            raise ValueError("difference needs a target of numbers")
        return self


class _InputSettings(BaseModel):
    """The settings of a recipe that determine the inputs of its network."""

    model_config = ConfigDict(strict=True)

    framing: str
    encoding: Encoding
    stateful: bool


def forecast_file(
    outcome: Outcome, file: str, reading: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """Returns the forecasts of the outcome's best network for the series in `file`.

    The table has a row for each row of `file` from which a value can be forecast; there are none
    before the first full window. Its columns are the name of the series, if there are several; the
    time of the forecast value, under its name in the file (or `row`); `origin`, the time of the
    latest row that the network was fed; and `predicted`, in the units or symbols of the data.
    Categorical and binary targets also have `output`, which is the probability if the outputs are
    a softmax or a sigmoid. The last rows forecast values that are not yet in the file; see
    `following_times`. The file that the run was trained on is not read again.
    `file` is read as that file was; `reading` are settings such as `na` and `decimal` over those.

    Raises `UserError` if the run was not trained on a file, or if `file` does not match that file;
    `StoreError` if the run has no model, or if its stored data are damaged.
    """
    data, settings = outcome.data, outcome.settings
    if not data:
        raise UserError(
            f"--csv: {outcome.digest} is a run of {settings['task']}, not of a file; give symbols "
            "in place of --csv, or a run of the task csv"
        )
    framing = _framing(outcome)
    if isinstance(framing, Substrings):
        rule = "substrings are drawn at random, so they cannot forecast rows"
        raise UserError(f"--csv: {rule}; give a run with another framing")
    stored = data["columns"]
    as_read = Reading(**_Reading.model_validate(stored.get("reading", {})).model_dump())
    lists = {key: tuple(stored[key]) for key in ("inputs", "labels")}
    columns = Columns(**stored | lists | {"reading": as_read})
    forecaster = _Forecaster(load_network(outcome), framing, data, columns, settings)
    parts = [forecaster.forecast(series) for series in read_new_file(columns, file, reading)]
    if not any(map(len, parts)):
        need = getattr(framing, "window", 1) + data["difference"]
        raise UserError(
            f"{file}: {framing.name} needs {need} rows for a forecast, but no series has so many; "
            "give a longer file"
        )
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    if columns.group is None:
        return table.drop(columns=GROUP)
    return table.rename(columns={GROUP: columns.group})


def following_times(when: NDArray[np.object_], count: int) -> NDArray[np.object_]:
    """Returns the `count` times after `when` as text, if the latest times are evenly spaced.

    Months, quarters and years count as evenly spaced. Returns empty texts for other times.

    >>> following_times(np.array(["2001-11-01", "2001-12-01", "2002-01-01"], object), 2).tolist()
    ['2002-02-01', '2002-03-01']
    >>> following_times(np.array(["row 7", "row 8"], object), 1).tolist()
    ['row 9']
    """
    latest = [str(time) for time in when[-LATEST_TIMES:]]
    prefix = "row " if all(time.startswith("row ") for time in latest) else ""
    numbers = pd.to_numeric(pd.Series(latest).str.removeprefix(prefix), errors="coerce").to_numpy()
    steps = np.diff(numbers)
    if len(steps) and np.isfinite(numbers).all() and np.allclose(steps, steps[0]):
        ahead = numbers[-1] + steps[0] * np.arange(1, count + 1)
        return np.array([f"{prefix}{value:.12g}" for value in ahead], object)
    for date_format in DATES:
        dates = pd.to_datetime(pd.Series(latest), format=date_format, errors="coerce", exact=True)
        if dates.isna().any() or len(dates) < 3:
            continue
        if frequency := pd.DatetimeIndex(dates, freq="infer").freq:
            ahead = pd.date_range(dates.iloc[-1], periods=count + 1, freq=frequency)[1:]
            return np.array(ahead.strftime(date_format), object)
    return np.array([""] * count, object)


def load_network(outcome: Outcome) -> keras.Model:
    """Returns the network of the best seed of a run.

    Raises `StoreError` if the run has no model, or if its file is damaged or not one of this
    package.
    """
    if not outcome.model:
        raise StoreError(
            f"{outcome.digest}: this run has no model in the store; run its sweep with --again"
        )
    try:
        return open_network(outcome.model)
    except StoreError as error:
        raise StoreError(f"{outcome.digest}: {error}") from error


def _framing(outcome: Outcome) -> Framing:
    """Returns the framing of a run.

    Raises `StoreError` if the stored settings or data are damaged.
    """
    settings = outcome.settings
    try:
        _StoredData.model_validate(dict(outcome.data))
        name = _InputSettings.model_validate(dict(settings)).framing
        if name not in FRAMINGS:
            raise StoreError(_damaged_message(outcome, unknown("framing", name, FRAMINGS)))
        framing = FRAMINGS[name]
        missing = [key for key in framing.model_fields if key not in settings]
        if missing:  # a default could differ from the framing of the training
            reason = f"{missing[0]}: must be given, but got nothing"
            raise StoreError(_damaged_message(outcome, reason))
        return framing.model_validate({key: settings[key] for key in framing.model_fields})
    except ValidationError as error:
        raise StoreError(_damaged_message(outcome, validation_message(error))) from error


def _damaged_message(outcome: Outcome, reason: str) -> str:
    return (
        f"{outcome.digest}: the stored inputs of its network are damaged ({reason}); "
        "run its sweep again"
    )


@dataclass(frozen=True)
class _Forecaster:
    """A network with all that is needed to feed it the rows of a file."""

    model: keras.Model
    framing: Framing
    data: Mapping[str, Any]  # see `CsvTask.preprocessing`
    columns: Columns
    settings: Mapping[str, Any]

    def forecast(self, series: Series) -> pd.DataFrame:
        """Returns the forecasts for one series, an empty table if it is too short."""
        first, width = int(self.data["difference"]), self.model.input_shape[1]
        inputs = self._inputs(Segment(series, first, len(series)))
        targets = np.zeros(len(inputs), np.int64)  # unknown
        sequence = Sequence(inputs, targets, np.ones(len(inputs), bool))
        if self.framing.count(len(inputs)) < 1:
            return pd.DataFrame()
        if self.framing.width(len(inputs)) > width:
            raise UserError(
                f"{self.framing.name} feeds the whole past in {width} time steps, but a series has "
                f"{len(inputs)} rows; give its latest {width}"
            )
        size = max(1, len(self.columns.labels))  # target 0 must be encodable
        samples = self.framing.samples(Problem((sequence,)), size, self.settings["encoding"], 0)
        outputs = self._outputs(samples.x, width, samples.step.shape[1])
        step = samples.step.ravel()
        order = np.argsort(step, kind="stable")
        order = order[step[order] >= 0]
        outputs, step = outputs[order], step[order]
        if not np.isfinite(outputs).all():
            raise UserError("the outputs are not finite: the network diverged in training")
        rows = first + step
        predictions = self._predictions(outputs, series.target[rows])
        horizon = self.columns.horizon
        times = np.concatenate([series.times, following_times(series.times, horizon)])
        columns = {GROUP: series.name, self.columns.time or "row": times[rows + horizon]}
        return pd.DataFrame({**columns, "origin": series.times[rows], **predictions})

    def _inputs(self, stretch: Segment) -> NDArray[np.generic]:
        scaling = np.array([numbers for _, *numbers in self.data["inputs"]], float).reshape(-1, 2)
        return network_inputs(
            self.columns, stretch, self.data["symbolic"], self.data["difference"], *scaling.T
        )

    def _outputs(self, x: NDArray[np.float32], width: int, steps: int) -> NDArray[np.float32]:
        """Returns the outputs (N * steps, K) for samples (N, T, F) with `steps` outputs each."""
        missing = width - x.shape[1]
        every_step = self.framing.every_step
        network_shape = (self.model.input_shape[2], *self.model.output_shape[1:])
        values = max(1, len(self.columns.labels))
        data_shape = (x.shape[2], *[width] * every_step, values)
        if network_shape != data_shape:
            rule = f"has inputs and outputs {network_shape}, but its data need {data_shape}"
            raise StoreError(f"its network is of another run: it {rule}; run its sweep again")
        if len(x) * width * x.shape[2] > MAX_INPUT_NUMBERS:
            raise UserError(
                f"its network takes at most {MAX_INPUT_NUMBERS:,} numbers, but {len(x):,} samples "
                f"of {width:,} time steps and {x.shape[2]:,} values are more; give the latest rows"
            )
        x = np.pad(x, ((0, 0), (0, missing) if every_step else (missing, 0), (0, 0)))
        reset_states(self.model)
        size = 1 if self.settings["stateful"] else min(len(x), 1024)
        outputs = np.asarray(self.model.predict(x, batch_size=size, verbose=0))
        outputs = outputs.reshape(len(x), -1, outputs.shape[-1])[:, :steps]
        return outputs.reshape(-1, outputs.shape[-1])

    def _predictions(
        self, outputs: NDArray[np.float32], latest: NDArray[np.float64]
    ) -> dict[str, Any]:
        """Returns the columns `predicted` and `output`; `latest` are the targets fed last."""
        predicted = decode_outputs(outputs, self.data["kind"])
        if self.data["kind"] == "categorical":
            names = np.array(self.columns.labels, dtype=object)[predicted.astype(int)]
            return {"predicted": names, "output": outputs.max(axis=1)}
        if self.data["kind"] == "binary":
            return {"predicted": predicted[:, 0], "output": outputs[:, 0]}
        values = outputs[:, 0].astype(float) * self.data["scale"] + self.data["shift"]
        return {"predicted": values + latest if self.data["difference"] else values}
