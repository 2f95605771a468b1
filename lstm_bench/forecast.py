"""What the network of a finished run foretells of a file like the one that it was trained on."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_bench.errors import StoreError, UserError
from lstm_bench.metrics import answers
from lstm_bench.models import reset_states
from lstm_bench.recipe import Recipe, recipe
from lstm_bench.results import Outcome
from lstm_bench.tasks import Problem, Sequence
from lstm_bench.tasks.own import Csv


def forecast(outcome: Outcome, file: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Returns a row for each row of `file` that something can be foretold from; and `Csv.scaling`.

    Columns: that of the groups and that of the times, as the file has them (or `row`); `ahead`, how
    many rows later the value is due; `predicted`, in the data's own units or symbols; and of
    symbols and of yes and no the `output` for it, its probability where the outputs are a softmax
    or a sigmoid. The last rows foretell what is not in the file yet. Rows before the first full
    window have none.

    Raises `UserError` where the run is not of a file, or the file is not like it; `StoreError`
    where the run has no model.
    """
    asked = recipe(**outcome.settings)
    task = asked.task
    if not isinstance(task, Csv):
        raise UserError(
            f"--csv: {outcome.digest} is a run of {task.name}, not of a file; give its symbols in "
            "place of --csv, or a run of the task csv"
        )
    model = load(outcome)
    parts = [
        _foretold(asked, task, model, stretch, sequence)
        for stretch, sequence in task.following(file)
    ]
    known = [part for part in parts if len(part)]
    if not known:
        need = getattr(asked.framing, "window", 1) + task.difference
        raise UserError(
            f"{file}: {asked.framing.name} foretells from {need} rows on, but no series has as many"
        )
    table = pd.concat(known, ignore_index=True)
    return table if task.prepared.group else table.drop(columns="group"), task.scaling


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


def _foretold(
    asked: Recipe, task: Csv, model: keras.Model, stretch: Any, sequence: Sequence
) -> pd.DataFrame:
    """Returns the rows of one series."""
    framing, width = asked.framing, model.input_shape[1]
    if framing.count(len(sequence)) < 1:
        return pd.DataFrame()
    if framing.width(len(sequence)) > width:
        raise UserError(
            f"{framing.name} feeds the whole past in {width} time steps, but a series has "
            f"{len(sequence)} rows; give its latest {width}"
        )
    samples = framing.samples(Problem((sequence,)), task.alphabet_size, asked.encoding, 0)
    x = _padded(samples.x, width, framing.every_step)
    outputs = _asked(model, x, asked.stateful)
    outputs = outputs.reshape(len(x), -1, outputs.shape[-1])[:, : samples.step.shape[1]]
    step, first = samples.step.ravel(), outputs.reshape(-1, outputs.shape[-1])
    first = first[np.argsort(step, kind="stable")]
    step = np.sort(step)
    first, step = first[step >= 0], step[step >= 0]
    if not np.isfinite(first).all():
        raise UserError("its outputs are not finite: the network diverged in training")
    found = task.prepared
    table = pd.DataFrame(
        {
            "group": stretch.series.name,
            found.time or "row": stretch.series.when[stretch.first + step],
            "ahead": found.horizon,
        }
    )
    told = answers(first, task.kind)
    if task.kind == "regression":
        layout = task.layout
        values = first[:, 0].astype(float) * layout.scale + layout.shift
        if task.difference:
            values = values + stretch.series.target[stretch.first + step]
        return table.assign(predicted=values)
    if task.kind == "binary":
        return table.assign(predicted=told[:, 0], output=first[:, 0])
    names = np.array(task.labels, dtype=object)[told.astype(int)]
    return table.assign(predicted=names, output=first.max(axis=1))


def _padded(x: NDArray[np.float32], width: int, after: bool) -> NDArray[np.float32]:
    missing = width - x.shape[1]
    return np.pad(x, ((0, 0), (0, missing) if after else (missing, 0), (0, 0)))


def _asked(model: keras.Model, x: NDArray[np.float32], stateful: bool) -> NDArray[np.float32]:
    reset_states(model)
    size = 1 if stateful else min(len(x), 1024)
    return np.asarray(model.predict(x, batch_size=size, verbose=0))
