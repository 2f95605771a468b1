"""What the network of a finished run forecasts of a file like the one that it was trained on."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_bench.errors import StoreError, UserError
from lstm_bench.framings import FRAMINGS, Framing, Substrings
from lstm_bench.metrics import answers
from lstm_bench.models import reset_states
from lstm_bench.results import Outcome
from lstm_bench.tasks import Problem, Sequence
from lstm_bench.tasks.layout import Stretch, shown_to
from lstm_bench.tasks.prepared import Columns, Series, follow

DATES = ("%Y-%m-%d", "%Y-%m", "%d.%m.%Y", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S",
         "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ")  # fmt: skip
"""How the times of a file may be written that are gone on with."""
LATEST = 24
"""Times that tell how far the next one is."""
GROUP = "\0group"  # no column of a file is called so


def forecast(outcome: Outcome, file: str) -> pd.DataFrame:
    """Returns a row for each row of `file` that something can be forecast from.

    Columns: the series' name, where there are several, and the time of the value that is forecast,
    under the file's own names (or `row`); `origin`, the time of the latest row that the network was
    shown; `predicted`, in the data's own units or symbols; and of symbols and of yes and no the
    `output` for it, its probability where the outputs are a softmax or a sigmoid. The last rows
    forecast what is not in the file yet: see `later`. Rows before the first full window have none.
    What the run's own file held is not looked at again.

    Raises `UserError` where the run is not of a file, or the file is not like it; `StoreError`
    where the run has no model.
    """
    known, settings = outcome.data, outcome.settings
    if not known:
        raise UserError(
            f"--csv: {outcome.digest} is a run of {settings['task']}, not of a file; give its "
            "symbols in place of --csv, or a run of the task csv"
        )
    chosen = FRAMINGS[str(settings["framing"])]
    framing = chosen(**{key: settings[key] for key in chosen.model_fields})
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
    """Returns the network of a run's best seed; raises `StoreError` where there is none."""
    if not outcome.model:
        raise StoreError(
            f"{outcome.digest}: this run has no model in the store; run its sweep with --again"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(outcome.model)
        try:
            return keras.models.load_model(path, compile=False)
        except (OSError, ValueError, TypeError) as error:
            raise StoreError(
                f"{outcome.digest}: its model cannot be read ({error}); run its sweep with --again"
            ) from error


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
        x = np.pad(x, ((0, 0), (0, missing) if after else (missing, 0), (0, 0)))
        reset_states(self.model)
        size = 1 if self.settings["stateful"] else min(len(x), 1024)
        outputs = np.asarray(self.model.predict(x, batch_size=size, verbose=0))
        outputs = outputs.reshape(len(x), -1, outputs.shape[-1])[:, :answered]
        return outputs.reshape(-1, outputs.shape[-1])

    def _told(self, outputs: NDArray[np.float32], latest: NDArray[np.float64]) -> dict[str, Any]:
        told = answers(outputs, self.known["kind"])
        if self.known["kind"] == "categorical":
            names = np.array(self.columns.labels, dtype=object)[told.astype(int)]
            return {"predicted": names, "output": outputs.max(axis=1)}
        if self.known["kind"] == "binary":
            return {"predicted": told[:, 0], "output": outputs[:, 0]}
        values = outputs[:, 0].astype(float) * self.known["scale"] + self.known["shift"]
        return {"predicted": values + latest if self.known["difference"] else values}
