"""Baselines for several outputs: those of each output, as if it were forecast alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._baselines import Baselines, baseline_forecasts
from lstm_bench.data._columns import Series
from lstm_bench.data._origin_baselines import common_names
from lstm_bench.data._sequences import FileSequences, Segment
from lstm_bench.data._series import PreparedFile
from lstm_bench.statistics import Kind

Floats = NDArray[np.float64]


def output_baselines(
    data: PreparedFile, sequences: FileSequences, kind: Kind, lags: int | None
) -> Baselines:
    """Returns the forecasts of each baseline by its name: an array (T, K) for each sequence.

    Baselines of different outputs whose names differ after a comma or in parentheses, as in
    `linear, 3 rows`, are one; one that some outputs do not have is left out.
    """
    forecasts: list[dict[str, tuple[Floats, ...]]] = []
    left_out: list[str] = []
    for place, step in data.outputs:
        view, segments = _single_output(data, sequences.segments, place, step)
        single = replace(sequences, segments=segments)
        single_output = baseline_forecasts(view, single, kind, lags)
        forecasts.append(single_output.forecasts)
        left_out += single_output.left_out
    combined = {}
    for name, names in common_names(forecasts, "chosen for each output").items():
        parts = [single[part] for single, part in zip(forecasts, names, strict=True)]
        combined[name] = tuple(np.column_stack(arrays) for arrays in zip(*parts, strict=True))
    return Baselines(combined, tuple(dict.fromkeys(left_out)))


def _single_output(
    data: PreparedFile, segments: tuple[Segment, ...], place: int, step: int
) -> tuple[PreparedFile, tuple[Segment, ...]]:
    """Returns the file with one target and one step, and the segments of its series."""
    targets = [data.targets[place], *(t for n, t in enumerate(data.targets) if n != place)]
    series = {id(one): _with_first_target(one, place) for one in data.series}
    view = replace(
        data,
        target=targets[0],
        further=tuple(targets[1:]),
        horizon=step,
        all_steps=False,
        series=tuple(series.values()),
    )
    return view, tuple(replace(s, series=series[id(s.series)]) for s in segments)


def _with_first_target(series: Series, place: int) -> Series:
    values = series.targets
    return replace(series, target=values[:, place], further=np.delete(values, place, axis=1))
