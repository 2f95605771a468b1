"""The figures of what mattered: differences, importances and shares as SVG; nothing is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lstm_bench.report._figures import DOT, INK, PAPER, WIDTH, canvas, spread
from lstm_bench.report._search_figures import QUIET, beside, ruled, stack

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def differences(names: Sequence[str], panels: Sequence[tuple[str, pd.DataFrame]]) -> bytes:
    """Returns differences with their intervals as an SVG file: a row a name, a panel a measure.

    Each panel is an axis title and a frame with a row a name: difference, low, high, verdict.
    """
    with canvas(WIDTH, 1.3 + 0.34 * len(names)) as (figure, saved):
        handles: dict[str, Any] = {}
        every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, (title, frame) in zip(every, panels, strict=True):
            axes.axvline(0, color=INK, linewidth=0.8)
            for place, each in enumerate(frame.to_dict("records")):
                real = each["verdict"] == "real"
                color = DOT if real else QUIET
                ends = [100 * each["low"], 100 * each["high"]]
                axes.plot(ends, [place] * 2, color=color, linewidth=1.6)
                (dot,) = axes.plot(
                    100 * each["difference"], place, linestyle="none", marker="o", markersize=6.5,
                    markerfacecolor=color if real else PAPER, markeredgecolor=color, zorder=3,
                    label="real" if real else "not real, or cannot be told yet",
                )  # fmt: skip
                handles.setdefault(dot.get_label(), dot)
            stack(axes, names)
            axes.set_xlabel(title)
            ruled(axes, "x")
        figure.legend(handles=[*handles.values()], loc="outside upper right", ncols=2, fontsize=8.5)
    return saved[0]


def importance(frame: pd.DataFrame, seeds: float) -> bytes:
    """Returns the importances by both methods side by side as an SVG file.

    `seeds` is their share of the variance; NaN where it is not known.
    """
    known = bool(np.isfinite(seeds))
    names = [str(name).replace("_", " ") for name in frame["setting"]]
    with canvas(WIDTH, 1.5 + 0.3 * (len(names) + known)) as (figure, saved):
        left, right = figure.subplots(1, 2, sharey=True)
        first = frame["fanova_of_all" if known else "fanova"].to_numpy(float)
        _bars(left, [*first, seeds] if known else first, DOT)
        if known:
            left.patches[-1].set_facecolor(QUIET)
        second = frame["ped_anova"].to_numpy(float)
        _bars(right, second, DOT)
        left.set_title("What explains the score, good or bad? (fANOVA)", loc="left", fontsize=9.5)
        right.set_title("What sets the best trials apart? (PED-ANOVA)", loc="left", fontsize=9.5)
        of = "the variance of single runs" if known else "the variance of the trials' means"
        left.set_xlabel(f"% of {of}")
        right.set_xlabel("% of the importance of all settings")
        stack(left, [*names, "seeds"] if known else names)
        right.tick_params(axis="y", length=0)
    return saved[0]


def shares(names: Sequence[str], values: Sequence[float], title: str) -> bytes:
    """Returns shares of a whole as an SVG file, a bar each."""
    with canvas(WIDTH, 1.0 + 0.3 * len(names)) as (figure, saved):
        axes = figure.subplots()
        _bars(axes, values, DOT)
        axes.set_xlabel(title)
        stack(axes, names)
    return saved[0]


def _bars(axes: Axes, values: Any, color: str) -> None:
    """Draws a horizontal bar a value, in percent, each with its number at its end."""
    heights = 100 * np.asarray(values, float)
    drawn = np.where(np.isfinite(heights), heights, 0.0)
    axes.barh(range(len(heights)), drawn, height=0.62, color=color)
    for place, value in enumerate(heights):
        text = f"{value:.0f}" if np.isfinite(value) else "not known"
        axes.annotate(
            text,
            (drawn[place], place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
        )
    axes.set_xlim(0, max(1.12 * float(drawn.max(initial=0)), 1.0))
    ruled(axes, "x")


def effects(
    names: Sequence[str], frame: pd.DataFrame, dots: Sequence[np.ndarray], unit: str
) -> bytes:
    """Returns paired effects as an SVG file: a dot a context, mean and interval, a row an effect.

    `dots` are the sorted differences of each row of `frame`.
    """
    with canvas(WIDTH, 1.3 + 0.5 * len(names)) as (figure, saved):
        axes = figure.subplots()
        axes.axvline(0, color=INK, linewidth=0.8)
        everything = 100 * np.concatenate([*dots, frame["low"], frame["high"]])
        reach = np.abs(everything[np.isfinite(everything)]).max(initial=1.0)
        handles: list[Any] = []
        for place, (each, values) in enumerate(zip(frame.to_dict("records"), dots, strict=True)):
            (bar,) = axes.plot(
                [100 * each["low"], 100 * each["high"]], [place] * 2, color=INK, linewidth=6,
                alpha=0.22, solid_capstyle="butt", label="95 % interval of the mean",
            )  # fmt: skip
            (points,) = axes.plot(
                100 * values, place + spread(100 * values, reach / 50), linestyle="none",
                marker="o", markersize=4.5, color=DOT, markeredgecolor=PAPER, markeredgewidth=0.5,
                label="one recipe", zorder=3, gid=f"contexts-{place}",
            )  # fmt: skip
            (tick,) = axes.plot(
                [100 * each["difference"]] * 2, [place - 0.36, place + 0.36], color=INK,
                linewidth=1.4, label="mean",
            )  # fmt: skip
            handles = [points, tick, bar]
            beside(axes, place, f"n = {each['contexts']}\n{each['verdict']}")
        axes.set_xlim(-1.06 * reach, 1.06 * reach)
        stack(axes, names)
        axes.set_xlabel(unit)
        ruled(axes, "x")
        figure.legend(handles=handles, loc="outside upper right", ncols=3, fontsize=8.5)
    return saved[0]
