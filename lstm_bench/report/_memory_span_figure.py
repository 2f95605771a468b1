"""The figure of memory spans: the solve rate along an axis, one line per family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from lstm_bench.results import (
    BACKGROUND,
    DASHES,
    GRID_COLOR,
    LINE_COLORS,
    MARKERS,
    TEXT_COLOR,
    new_figure,
    shorten,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@styled
def memory_span_figure(axis: str, families: Sequence[tuple[str, pd.DataFrame]]) -> Figure:
    """Returns the solve rate along `axis`: one line per family, with Wilson's band.

    `families` are up to `MAX_CURVES` names, each with the table of `Family.rates`. Earlier lines
    are wider and paler than later ones, so that equal lines are all visible.
    """
    from matplotlib.colors import to_rgba

    figure = new_figure(4.0 + 0.2 * len(families))
    axes = figure.subplots()
    axes.axhline(50, color=TEXT_COLOR, linewidth=0.8)
    handles = []
    styles = zip(families, LINE_COLORS, DASHES, MARKERS, strict=False)
    for above, ((_, frame), color, dash, marker) in zip(
        reversed(range(len(families))), styles, strict=False
    ):
        columns = ("value", "solve_rate", "solve_rate_low", "solve_rate_high")
        value, rate, low, high = (frame[column].to_numpy(float) for column in columns)
        axes.fill_between(value, 100 * low, 100 * high, color=color, alpha=0.12, linewidth=0)
        (line,) = axes.plot(
            value,
            100 * rate,
            color=to_rgba(color, 0.55 if above else 1.0),
            linestyle=dash,
            linewidth=1.5 + 1.8 * above,
            marker=marker,
            markersize=5 + 2.5 * above,
            markerfacecolor=BACKGROUND,
            markeredgecolor=color,
            markeredgewidth=1.3,
            gid=f"family-{len(families) - 1 - above}",
        )
        handles.append(line)
    _set_value_ticks(axes, sorted({float(v) for _, frame in families for v in frame["value"]}))
    axes.set_xlabel(axis)
    axes.set_ylabel("Seeds that solve the task, %")
    axes.set_ylim(-3, 103)
    axes.grid(True, color=GRID_COLOR, linewidth=0.5)
    axes.set_axisbelow(True)
    names = [f"\u200b{shorten(name, 110)}" for name, _ in families]
    figure.legend(handles, names, loc="outside lower left", ncols=1, fontsize=8.5, handlelength=4)
    return figure


def _set_value_ticks(axes: Axes, values: Sequence[float]) -> None:
    """Puts a tick at every value; the axis is logarithmic if they span a factor of 8 or more."""
    if values[0] > 0 and values[-1] >= 8 * values[0]:
        axes.set_xscale("log", base=2)
    axes.set_xticks(values, [f"{value:,g}" for value in values])
    axes.set_xticks([], minor=True)
