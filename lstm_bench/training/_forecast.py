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
    Aggregate,
    Columns,
    Missing,
    Segment,
    Series,
    TargetKind,
    file_notes,
    forecast_end,
    network_inputs,
    read_new_file,
)
from lstm_bench.errors import StoreError, UserError, unknown
from lstm_bench.recipes import FRAMINGS, Encoding, Framing, Substrings, unchanged_network
from lstm_bench.results import Outcome, validation_message
from lstm_bench.statistics import LEVELS, Kind, decode_outputs
from lstm_bench.tasks import Problem, Sequence
from lstm_bench.training._model_file import open_network, open_own_network
from lstm_bench.training._models import reset_states

MAX_INPUT_NUMBERS = 200_000_000
"""Largest number of input values of one forecast: 0.8 GB."""
GROUP = "\0group"  # a name that no column of a file has


STRICT = ConfigDict(strict=True, allow_inf_nan=False, extra="forbid")
KINDS: Mapping[TargetKind, Kind] = {
    "real": "regression",
    "binary": "binary",
    "symbols": "categorical",
}


class _TimeFormat(BaseModel):
    """`TimeFormat` as it is stored."""

    model_config = STRICT

    columns: Annotated[list[str], Field(min_length=1)]
    kind: Literal["numbers", "epoch", "text"]
    pattern: str
    order: Literal["dmy", "mdy", "ymd"] | None
    exact: str
    zone: str
    place: str


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
    time_format: _TimeFormat | None = None
    aggregate: Aggregate | None = None
    text: bool = False
    further: list[str] = []
    all_steps: bool = False
    known: list[str] = []
    categories: list[Annotated[tuple[str, list[str]], Field(strict=False)]] = []
    reading: _Reading = Field(default_factory=lambda: _Reading())
    label_per_sequence: bool = False
    numbers: list[
        Annotated[
            tuple[str, Literal[".", ","], Literal["", ",", ".", " ", "'"]], Field(strict=False)
        ]
    ] = []


class _Intervals(BaseModel):
    """`analysis.forecast_intervals` as they are stored."""

    model_config = STRICT

    rows: Annotated[int, Field(ge=1)]
    seeds: Annotated[int, Field(ge=1)]
    half_widths: dict[Literal["80", "95"], Annotated[float, Field(ge=0)] | None]


class _StoredData(BaseModel):
    """The value of `CsvTask.preprocessing` as it is stored."""

    model_config = STRICT

    columns: _Columns
    inputs: list[Annotated[tuple[str, float, float], Field(strict=False)]]
    shift: float | list[float]
    scale: float | list[float]
    difference: bool
    kind: Kind
    symbolic: bool
    baselines_left_out: list[str] = []
    intervals: _Intervals | None = None

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        """Raises ValueError if the fields contradict one another."""
        columns = self.columns
        if self.kind != KINDS[columns.kind] or bool(columns.labels) != (columns.kind == "symbols"):
            raise ValueError("kind and labels must match the columns")
        restored = Columns.restored(columns.model_dump())
        features, outputs = len(restored.feature_names), len(restored.outputs)
        if self.symbolic and (features or self.kind != "categorical" or not columns.horizon):
            raise ValueError("symbolic needs symbols that are forecast only from themselves")
        target_inputs = max(len(restored.targets), len(columns.labels)) if columns.horizon else 0
        count = 0 if self.symbolic else target_inputs + features
        if len(self.inputs) != count or not all(spread for _, _, spread in self.inputs):
            raise ValueError(f"there must be {count} inputs, all with a spread that is not 0")
        if self.difference and self.kind != "regression":
            raise ValueError("difference needs a target of numbers")
        if outputs > 1 and self.kind != "regression":
            raise ValueError("several outputs need targets of numbers")
        if not len(np.atleast_1d(self.shift)) == len(np.atleast_1d(self.scale)) == outputs:
            raise ValueError(f"shift and scale must be of {outputs} outputs")
        if columns.label_per_sequence and (columns.kind != "symbols" or columns.horizon):
            raise ValueError("the label of a sequence is a symbol, at a horizon of 0")
        if self.intervals is not None and (outputs > 1 or self.kind != "regression"):
            raise ValueError("intervals need one target of numbers")
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
    Before it are `target`, a name, if there are several, and `ahead`, in rows, if all steps up to
    the horizon are forecast: then there is a row for each target and step. Categorical and binary
    targets also have `output`, which is the probability if the outputs are a softmax or a sigmoid.
    With one label a sequence there is a row for each sequence: its name, `predicted` and `output`.
    The last rows forecast values that are not yet in the file; their times are written like those
    of the file, and empty if its times are not evenly spaced. With columns known in advance, only
    rows are forecast whose known values are in the file. What is not forecast or not used is said
    in `attrs["notes"]`, a list of texts. One real target also has `lower_80`, `upper_80`,
    `lower_95` and `upper_95`, the ends of the forecast intervals, if the run has any: see
    `missing_intervals`. The file that the run was trained on is not read again. `file` is read as
    that file was; `reading` are settings such as `na` and `decimal` over those.

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
    columns = Columns.restored(data["columns"])
    forecaster = _Forecaster(load_network(outcome), framing, data, columns, settings)
    all_series = read_new_file(columns, file, reading)
    parts = [forecaster.forecast(series) for series in all_series]
    if not any(map(len, all_series)):
        needed = ", ".join([*columns.targets, *columns.inputs])
        raise UserError(
            f"{file}: a forecast starts from rows with a value of {needed}, but no row has "
            f"{'one' if needed == columns.target else 'them all'}; fill them in"
        )
    if not any(map(len, parts)):
        need = getattr(framing, "window", 1) + data["difference"]
        raise UserError(
            f"{file}: {framing.name} needs {need} rows for a forecast"
            + (f", and {', '.join(columns.known)} of the rows to be forecast" * bool(columns.known))
            + ", but no series has so many; give a longer file"
        )
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    if columns.group is None:
        table = table.drop(columns=GROUP)
    else:
        table = table.rename(columns={GROUP: columns.group})
    table.attrs["notes"] = file_notes(columns, file, all_series, reading)
    return table


def missing_intervals(outcome: Outcome) -> str:
    """Returns why the forecasts of a run have no intervals, or only some; else an empty text."""
    data = outcome.data
    if data.get("kind") != "regression":
        return ""
    if isinstance(data.get("shift"), list):
        return "no forecast intervals: only a network with one output has them"
    if not data.get("intervals"):
        return (
            "no forecast intervals: they are made from errors on the validation set of a search, "
            "so only its finalists have them; runs of early versions lack them"
        )
    rows, known = data["intervals"]["rows"], _half_widths(data)
    few = [level for level in LEVELS if level not in known]
    return "" if not few else (
        f"no forecast intervals of {' and '.join(f'{level} %' for level in few)}: they need errors "
        f"on more rows, but the part that the recipe was chosen on has {rows}"
    )  # fmt: skip


def _half_widths(data: Mapping[str, Any]) -> dict[int, float]:
    """Returns the half-widths of the forecast intervals that a run has, by level in percent."""
    widths = (data.get("intervals") or {}).get("half_widths", {})
    return {level: widths[str(level)] for level in LEVELS if widths.get(str(level)) is not None}


def load_network(outcome: Outcome) -> keras.Model:
    """Returns the network of the best seed of a run.

    Raises `StoreError` if the run has no model, or if its file is damaged or not one of this
    package, or if the files of a user's own network are missing or have changed.
    """
    if not outcome.model:
        raise StoreError(
            f"{outcome.digest}: this run has no model in the store; run its sweep with --again"
        )
    try:
        network = unchanged_network(outcome.settings, outcome.provenance)
        if network is not None:
            return open_own_network(outcome.model, network, outcome.settings)
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
        inputs = self._inputs(Segment(series, first, forecast_end(self.columns, series)))
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
        places, steps = np.array(self.columns.outputs).T
        predictions = self._predictions(outputs, series.targets[rows][:, places])
        if self.columns.label_per_sequence:  # after its last row
            last = {key: values[-1:] for key, values in predictions.items()}
            return pd.DataFrame({GROUP: series.name, **last})
        times = np.concatenate([series.times, series.ahead, series.following])
        which = {"target": np.array(self.columns.targets, object)[places], "ahead": steps}
        used = ["target"] * bool(self.columns.further) + ["ahead"] * self.columns.all_steps
        return pd.DataFrame({
            GROUP: series.name,
            self.columns.time or "row": times[rows[:, None] + steps].ravel(),
            "origin": np.repeat(series.times[rows], len(steps)),
            **{name: np.tile(which[name], len(rows)) for name in used},
            **predictions,
        })  # fmt: skip

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
        values = max(len(self.columns.outputs), len(self.columns.labels))
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
        """Returns the columns `predicted` and `output`, those of the outputs in turn.

        `latest` (R, K) are the targets fed last.
        """
        predicted = decode_outputs(outputs, self.data["kind"])
        if self.data["kind"] == "categorical":
            names = np.array(self.columns.labels, dtype=object)[predicted.astype(int)]
            return {"predicted": names, "output": outputs.max(axis=1)}
        if self.data["kind"] == "binary":
            return {"predicted": predicted[:, 0], "output": outputs[:, 0]}
        values = outputs.astype(float) * self.data["scale"] + self.data["shift"]
        values = values + latest if self.data["difference"] else values
        return {"predicted": values.ravel()} | {
            f"{end}_{level}": values.ravel() + sign * width
            for level, width in _half_widths(self.data).items()
            for end, sign in (("lower", -1), ("upper", 1))
        }
