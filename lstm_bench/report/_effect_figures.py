"""Figures of importances, variance components and effects. No statistics are computed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lstm_bench.report._search_figures import add_note
from lstm_bench.results import (
    BACKGROUND,
    DOT_COLOR,
    FONT,
    LINE_WIDTH,
    NEUTRAL_COLOR,
    SMALL_FONT,
    TEXT_COLOR,
    add_grid,
    dot_offsets,
    label_rows,
    new_figure,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@styled
def importance(frame: pd.DataFrame, seeds: float) -> Figure:
    """Returns the importances of settings by both methods, side by side.

    `seeds` is the fraction of variance that seeds cause; NaN if it is unknown.
    """
    with_seeds = bool(np.isfinite(seeds))
    names = [str(name).replace("_", " ") for name in frame["setting"]]
    figure = new_figure(1.2 + 0.24 * (len(names) + with_seeds))
    left, right = figure.subplots(1, 2, sharey=True)
    first = frame["fanova_of_all" if with_seeds else "fanova"].to_numpy(float)
    _bars(left, [*first, seeds] if with_seeds else first, DOT_COLOR)
    if with_seeds:
        left.patches[-1].set_facecolor(NEUTRAL_COLOR)
    second = frame["ped_anova"].to_numpy(float)
    _bars(right, second, DOT_COLOR)
    left.set_title("Variance explained over the whole space (fANOVA)", loc="left", fontsize=FONT)
    right.set_title("Difference of the best trials (PED-ANOVA)", loc="left", fontsize=FONT)
    of = "the variance of single runs" if with_seeds else "the variance of the means of trials"
    left.set_xlabel(f"% of {of}")
    right.set_xlabel("% of the importance of all settings")
    label_rows(left, [*names, "seeds"] if with_seeds else names)
    right.tick_params(axis="y", length=0)
    return figure


@styled
def fractions(names: Sequence[str], values: Sequence[float], title: str) -> Figure:
    """Returns fractions of a whole, one bar per name."""
    figure = new_figure(0.9 + 0.24 * len(names))
    axes = figure.subplots()
    _bars(axes, values, DOT_COLOR)
    axes.set_xlabel(title)
    label_rows(axes, names)
    return figure


def _bars(axes: Axes, values: Any, color: str) -> None:
    """Draws a horizontal bar per value, in percent, with the number at its end."""
    heights = 100 * np.asarray(values, float)
    drawn = np.where(np.isfinite(heights), heights, 0.0)
    axes.barh(range(len(heights)), drawn, height=0.62, color=color)
    for place, value in enumerate(heights):
        text = f"{value:.0f}" if np.isfinite(value) else "unknown"
        axes.annotate(
            text,
            (drawn[place], place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL_FONT,
        )
    axes.set_xlim(0, max(1.12 * float(drawn.max(initial=0)), 1.0))
    add_grid(axes, "x")


@styled
def effects(
    names: Sequence[str], frame: pd.DataFrame, dots: Sequence[np.ndarray], unit: str
) -> Figure:
    """Returns paired effects, one row per effect: a dot per context, the mean, its interval.

    `dots` are the sorted differences of each row of `frame`.
    """
    figure = new_figure(1.1 + 0.42 * len(names))
    axes = figure.subplots()
    axes.axvline(0, color=TEXT_COLOR, linewidth=0.8)
    shown = 100 * np.concatenate([*dots, frame["low"], frame["high"]])
    largest = np.abs(shown[np.isfinite(shown)]).max(initial=1.0)
    handles: list[Any] = []
    for place, (effect, values) in enumerate(zip(frame.to_dict("records"), dots, strict=True)):
        (bar,) = axes.plot(
            [100 * effect["low"], 100 * effect["high"]], [place] * 2, color=TEXT_COLOR, linewidth=6,
            alpha=0.22, solid_capstyle="butt", label="95 % interval of the mean",
        )  # fmt: skip
        (points,) = axes.plot(
            100 * values, place + dot_offsets(100 * values, largest / 50), linestyle="none",
            marker="o", markersize=4.5, color=DOT_COLOR, markeredgecolor=BACKGROUND,
            markeredgewidth=0.5, label="one recipe", zorder=3, gid=f"contexts-{place}",
        )  # fmt: skip
        (tick,) = axes.plot(
            [100 * effect["difference"]] * 2, [place - 0.36, place + 0.36], color=TEXT_COLOR,
            linewidth=LINE_WIDTH, label="mean",
        )  # fmt: skip
        handles = [points, tick, bar]
        add_note(axes, place, f"n = {effect['contexts']}\n{effect['verdict']}")
    axes.set_xlim(-1.06 * largest, 1.06 * largest)
    label_rows(axes, names)
    axes.set_xlabel(unit)
    add_grid(axes, "x")
    figure.legend(handles=handles, loc="outside upper right", ncols=3, fontsize=SMALL_FONT)
    return figure
