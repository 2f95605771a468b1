"""The figure of memory spans: the solve rate along an axis, one line per family."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lstm_bench.analysis import KEPT, Family
from lstm_bench.results import (
    DASHES,
    GRID_COLOR,
    LINE_COLORS,
    LINE_WIDTH,
    MARKERS,
    SMALL_FONT,
    TEXT_COLOR,
    new_figure,
    shorten,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_LABEL = 44
"""Characters of a line of a label: as many as one column of a page has room for."""
MAX_LINES = 2
PREDICTED_SPANS = (
    f" Open triangles: the lag after which an untrained cell has kept {KEPT:.5f} of its state, "
    "sigmoid(forget bias)^lag, where that is on the axis. If it were what limits the memory span, "
    "both would agree; the interval of the span holds it for {} of {} families."
)


@styled
def memory_span_figure(
    axis: str,
    families: Sequence[tuple[str, pd.DataFrame]],
    predicted: Sequence[float | None] = (),
) -> Figure:
    """Returns the solve rate along `axis`: one line per family, with Wilson's intervals as bars.

    `families` are up to `MAX_CURVES` names, each with the table of `Family.rates`. Points of
    different families at one value stand a little apart, so that all bars are visible. A triangle
    at one half marks the span that was `predicted` for a family, where it lies on the axis.
    """
    names = [f"\u200b{label_lines(name)}" for name, _ in families]
    figure = new_figure(2.6 + 0.16 * sum(name.count("\n") + 1 for name in names))
    axes = figure.subplots()
    axes.axhline(50, color=TEXT_COLOR, linewidth=0.8)
    values = sorted({float(value) for _, frame in families for value in frame["value"]})
    handles = []
    styles = zip(families, LINE_COLORS, DASHES, MARKERS, strict=False)
    for number, ((_, frame), color, dash, marker) in enumerate(styles):
        columns = ("value", "solve_rate", "solve_rate_low", "solve_rate_high")
        value, rate, low, high = (frame[column].to_numpy(float) for column in columns)
        shift = number - (len(families) - 1) / 2
        x = value * 2 ** (0.055 * shift) if _is_logarithmic(values) else value
        bars = axes.errorbar(
            x,
            100 * rate,
            yerr=100 * np.maximum(0, [rate - low, high - rate]),
            color=color,
            linestyle=dash,
            linewidth=LINE_WIDTH,
            elinewidth=0.8,
            marker=marker,
            markersize=3.5,
        )
        bars.lines[0].set_gid(f"family-{number}")
        handles.append(bars.lines[0])
    for lag, color in zip(predicted, LINE_COLORS, strict=False):
        if lag is not None and values[0] <= lag <= values[-1]:
            axes.plot(lag, 50, marker="v", markersize=7, markerfacecolor="none", color=color)
    _set_value_ticks(axes, values)
    axes.set_xlabel(axis)
    axes.set_ylabel("Seeds that solve the task, %")
    axes.set_ylim(-3, 103)
    axes.grid(True, color=GRID_COLOR, linewidth=0.5)
    axes.set_axisbelow(True)
    figure.legend(
        handles, names, loc="outside lower left", ncols=1, fontsize=SMALL_FONT, handlelength=4
    )
    return figure


def predicted_spans_note(families: Sequence[Family]) -> str:
    """Returns what the predicted memory spans are, and for how many families they hold."""
    known = [
        (family.span, family.predicted)
        for family in families
        if family.predicted is not None and not math.isnan(family.span.low)
    ]
    held = sum(span.low <= predicted <= span.high for span, predicted in known)
    return PREDICTED_SPANS.format(held, len(known)) if known else ""


def label_lines(label: str) -> str:
    """Returns a label in at most `MAX_LINES` lines, which end after a comma where there is one."""
    lines = [""]
    for part in label.split(", "):
        longer = f"{lines[-1]}, {part}" if lines[-1] else part
        if len(longer) < MAX_LABEL or not lines[-1]:
            lines[-1] = longer
        else:
            lines[-1] += ","
            lines.append(part)
    rest = ", ".join(line.removesuffix(",") for line in lines[MAX_LINES - 1 :])
    lines = [*lines[: MAX_LINES - 1], *[rest] * (len(lines) >= MAX_LINES)]
    return "\n".join(shorten(line, MAX_LABEL) for line in lines)


def _set_value_ticks(axes: Axes, values: Sequence[float]) -> None:
    """Puts a tick at every value."""
    if _is_logarithmic(values):
        axes.set_xscale("log", base=2)
    axes.set_xticks(values, [f"{value:,g}" for value in values])
    axes.set_xticks([], minor=True)


def _is_logarithmic(values: Sequence[float]) -> bool:
    """Returns whether an axis with these values is logarithmic: they span a factor of 8 or more."""
    return values[0] > 0 and values[-1] >= 8 * values[0]
