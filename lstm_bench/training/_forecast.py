"""What the network of a finished run forecasts of a file like the one that it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lstm_bench.data import Columns, Missing, Series, Stretch, TargetKind, follow, shown_to
from lstm_bench.errors import StoreError, UserError, unknown
from lstm_bench.recipes import FRAMINGS, Encoding, Framing, Substrings
from lstm_bench.results import Outcome, damaged_error
from lstm_bench.statistics import Kind, predicted_answers
from lstm_bench.tasks import Problem, Sequence
from lstm_bench.training._model_file import opened
from lstm_bench.training._models import reset_states

DATES = ("%Y-%m-%d", "%Y-%m", "%d.%m.%Y", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S",
         "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ")  # fmt: skip
"""How the times of a file may be written that are gone on with."""
LARGEST = 200_000_000
"""Numbers that a network is shown at one time: 0.8 GB."""
LATEST = 24
"""Times that tell how far the next one is."""
GROUP = "\0group"  # no column of a file is called so


STRICT = ConfigDict(strict=True, allow_inf_nan=False, extra="forbid")
KINDS: Mapping[TargetKind, Kind] = {
    "real": "regression",
    "binary": "binary",
    "symbols": "categorical",
}


class _Columns(BaseModel):
    """`Columns`, as the store has them."""

    model_config = STRICT

    kind: TargetKind
    target: str
    inputs: list[str]
    labels: list[str]
    time: str | None
    group: str | None
    horizon: Annotated[int, Field(ge=0, le=10_000)]
    missing: Missing


class _Known(BaseModel):
    """What `Csv.known` gives, as the store has it."""

    model_config = STRICT

    columns: _Columns
    inputs: list[Annotated[tuple[str, float, float], Field(strict=False)]]
    shift: float
    scale: float
    difference: bool
    kind: Kind
    symbolic: bool

    @model_validator(mode="after")
    def _of_one_another(self) -> Self:
        """Refuses facts that no file gives together."""
        columns = self.columns
        if self.kind != KINDS[columns.kind] or bool(columns.labels) != (columns.kind == "symbols"):
            raise ValueError("kind and labels must be those of the columns")
        if self.symbolic and (columns.inputs or self.kind != "categorical" or not columns.horizon):
            raise ValueError("symbolic must be symbols that are forecast from themselves alone")
        own = max(1, len(columns.labels)) if columns.horizon else 0
        fed = 0 if self.symbolic else own + len(columns.inputs)
        if len(self.inputs) != fed or not all(spread for _, _, spread in self.inputs):
            raise ValueError(f"inputs must be {fed}, each with a spread that is not 0")
        if self.difference and self.kind != "regression":
            raise ValueError("difference must be of numbers")
        return self


class _Asked(BaseModel):
    """The settings of a recipe that say how a network is fed."""

    model_config = ConfigDict(strict=True)

    framing: str
    encoding: Encoding
    stateful: bool


def forecast_file(outcome: Outcome, file: str) -> pd.DataFrame:
    """Returns a row for each row of `file` that something can be forecast from.

    Columns: the series' name, where there are several, and the time of the value that is forecast,
    under the file's own names (or `row`); `origin`, the time of the latest row that the network was
    shown; `predicted`, in the data's own units or symbols; and of symbols and of yes and no the
    `output` for it, its probability where the outputs are a softmax or a sigmoid. The last rows
    forecast what is not in the file yet: see `later`. Rows before the first full window have none.
    What the run's own file held is not looked at again.

    Raises `UserError` where the run is not of a file, or the file is not like it; `StoreError`
    where the run has no model, or what the store says of it is damaged.
    """
    known, settings = outcome.data, outcome.settings
    if not known:
        raise UserError(
            f"--csv: {outcome.digest} is a run of {settings['task']}, not of a file; give its "
            "symbols in place of --csv, or a run of the task csv"
        )
    framing = _framing(outcome)
    if isinstance(framing, Substrings):
        rule = "substrings are drawn at random, so they forecast no row"
        raise UserError(f"--csv: {rule}; give a run with another framing")
    kept = known["columns"]
    columns = Columns(**kept | {key: tuple(kept[key]) for key in ("inputs", "labels")})
    asker = _Asker(load(outcome), framing, known, columns, settings)
    parts = [asker.forecast(series) for series in follow(columns, file)]
    if not any(map(len, parts)):
        need = getattr(framing, "window", 1) + known["difference"]
        raise UserError(
            f"{file}: {framing.name} forecasts from {need} rows on, but no series has as many"
        )
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    if columns.group is None:
        return table.drop(columns=GROUP)
    return table.rename(columns={GROUP: columns.group})


def later(when: NDArray[np.object_], count: int) -> NDArray[np.object_]:
    """Returns the `count` times that follow, as text, where the latest ones are evenly spaced.

    Months, quarters and years count as even. Empty texts where it cannot be said.

    >>> later(np.array(["2001-11-01", "2001-12-01", "2002-01-01"], object), 2).tolist()
    ['2002-02-01', '2002-03-01']
    >>> later(np.array(["row 7", "row 8"], object), 1).tolist()
    ['row 9']
    """
    latest = [str(each) for each in when[-LATEST:]]
    front = "row " if all(each.startswith("row ") for each in latest) else ""
    numbers = pd.to_numeric(pd.Series(latest).str.removeprefix(front), errors="coerce").to_numpy()
    steps = np.diff(numbers)
    if len(steps) and np.isfinite(numbers).all() and np.allclose(steps, steps[0]):
        ahead = numbers[-1] + steps[0] * np.arange(1, count + 1)
        return np.array([f"{front}{value:.12g}" for value in ahead], object)
    for written in DATES:
        dates = pd.to_datetime(pd.Series(latest), format=written, errors="coerce", exact=True)
        if dates.isna().any() or len(dates) < 3:
            continue
        if even := pd.DatetimeIndex(dates, freq="infer").freq:
            ahead = pd.date_range(dates.iloc[-1], periods=count + 1, freq=even)[1:]
            return np.array(ahead.strftime(written), object)
    return np.array([""] * count, object)


def load(outcome: Outcome) -> keras.Model:
    """Returns the network of a run's best seed.

    Raises `StoreError` where there is none, or where its file is damaged or not one of ours.
    """
    if not outcome.model:
        raise StoreError(
            f"{outcome.digest}: this run has no model in the store; run its sweep with --again"
        )
    try:
        return opened(outcome.model)
    except StoreError as error:
        raise StoreError(f"{outcome.digest}: {error}") from error


def _framing(outcome: Outcome) -> Framing:
    """Returns how the network was fed; raises `StoreError` where that, or the data, is damaged."""
    settings = outcome.settings
    try:
        _Known.model_validate(dict(outcome.data))
        asked = _Asked.model_validate(dict(settings))
        if asked.framing not in FRAMINGS:
            raise StoreError(_damaged(outcome, unknown("framing", asked.framing, FRAMINGS)))
        chosen = FRAMINGS[asked.framing]
        lacking = [key for key in chosen.model_fields if key not in settings]
        if lacking:  # a default would be another framing than the one that it learnt with
            raise StoreError(_damaged(outcome, f"{lacking[0]}: must be given, but got nothing"))
        return chosen.model_validate({key: settings[key] for key in chosen.model_fields})
    except ValidationError as error:
        raise StoreError(_damaged(outcome, damaged_error(error))) from error


def _damaged(outcome: Outcome, reason: str) -> str:
    return f"{outcome.digest}: what its network was fed is damaged ({reason}); run its sweep again"


@dataclass(frozen=True)
class _Asker:
    """A network, and how the rows of a file are put to it."""

    model: keras.Model
    framing: Framing
    known: Mapping[str, Any]  # see `Csv.known`
    columns: Columns
    settings: Mapping[str, Any]

    def forecast(self, series: Series) -> pd.DataFrame:
        """Returns the rows of one series; none where it is too short."""
        first, width = int(self.known["difference"]), self.model.input_shape[1]
        shown = self._shown(Stretch(series, first, len(series)))
        due = np.zeros(len(shown), np.int64)
        sequence = Sequence(shown, due, np.ones(len(shown), bool))
        if self.framing.count(len(shown)) < 1:
            return pd.DataFrame()
        if self.framing.width(len(shown)) > width:
            raise UserError(
                f"{self.framing.name} feeds the whole past in {width} time steps, but a series has "
                f"{len(shown)} rows; give its latest {width}"
            )
        size = max(1, len(self.columns.labels))  # what is due is not known, but 0 must have a place
        samples = self.framing.samples(Problem((sequence,)), size, self.settings["encoding"], 0)
        outputs = self._outputs(samples.x, width, samples.step.shape[1])
        step = samples.step.ravel()
        order = np.argsort(step, kind="stable")
        order = order[step[order] >= 0]
        outputs, step = outputs[order], step[order]
        if not np.isfinite(outputs).all():
            raise UserError("its outputs are not finite: the network diverged in training")
        rows = first + step
        told = self._told(outputs, series.target[rows])
        ahead = self.columns.horizon
        due = np.concatenate([series.when, later(series.when, ahead)])[rows + ahead]
        place = {GROUP: series.name, self.columns.time or "row": due}
        return pd.DataFrame({**place, "origin": series.when[rows], **told})

    def _shown(self, stretch: Stretch) -> NDArray[np.generic]:
        numbers = np.array([each[1:] for each in self.known["inputs"]], float).reshape(-1, 2)
        return shown_to(
            self.columns, stretch, self.known["symbolic"], self.known["difference"], *numbers.T
        )

    def _outputs(self, x: NDArray[np.float32], width: int, answered: int) -> NDArray[np.float32]:
        """Returns what the network puts out for samples (N, T, F): (N * answered, K)."""
        missing = width - x.shape[1]
        after = self.framing.every_step
        own = (self.model.input_shape[2], *self.model.output_shape[1:])
        answered_with = max(1, len(self.columns.labels))
        asked = (x.shape[2], *[width] * after, answered_with)
        if own != asked:
            rule = f"takes and gives {own} where its data ask for {asked}"
            raise StoreError(f"its network is of another run: it {rule}; run its sweep again")
        if len(x) * width * x.shape[2] > LARGEST:
            raise UserError(
                f"its network must be shown at most {LARGEST:,} numbers, but {len(x):,} samples of "
                f"{width:,} time steps and {x.shape[2]:,} values are more; give the latest rows"
            )
        x = np.pad(x, ((0, 0), (0, missing) if after else (missing, 0), (0, 0)))
        reset_states(self.model)
        size = 1 if self.settings["stateful"] else min(len(x), 1024)
        outputs = np.asarray(self.model.predict(x, batch_size=size, verbose=0))
        outputs = outputs.reshape(len(x), -1, outputs.shape[-1])[:, :answered]
        return outputs.reshape(-1, outputs.shape[-1])

    def _told(self, outputs: NDArray[np.float32], latest: NDArray[np.float64]) -> dict[str, Any]:
        told = predicted_answers(outputs, self.known["kind"])
        if self.known["kind"] == "categorical":
            names = np.array(self.columns.labels, dtype=object)[told.astype(int)]
            return {"predicted": names, "output": outputs.max(axis=1)}
        if self.known["kind"] == "binary":
            return {"predicted": told[:, 0], "output": outputs[:, 0]}
        values = outputs[:, 0].astype(float) * self.known["scale"] + self.known["shift"]
        return {"predicted": values + latest if self.known["difference"] else values}
