"""Figures of a search, from data frames. No statistics are computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lstm_bench.results import (
    BACKGROUND,
    DOT_COLOR,
    LINE_COLORS,
    LINE_WIDTH,
    NEUTRAL_COLOR,
    SMALL_FONT,
    TEXT_COLOR,
    add_grid,
    counted,
    label_rows,
    new_figure,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BEST, BAR = LINE_COLORS[2], LINE_COLORS[1]
MAX_LEGEND_ENTRIES = 4
"""With more numbers of seeds, the legend only has the smallest, a middle and the largest one."""


@styled
def history(frame: pd.DataFrame, measure: str, startup: int, sampler: str) -> Figure:
    """Returns the score of every trial in order, with the best score until then.

    The first `startup` trials were drawn at random, the others chosen by `sampler`; 0 if there was
    no such change.
    """
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(3.2)
    axes = figure.subplots()
    number, score = frame["number"].to_numpy(float), 100 * frame["score"].to_numpy(float)
    seeds, stopped = frame["seeds"].to_numpy(int), frame["stopped"].to_numpy(bool)
    handles: list[Any] = []
    for count in sorted(set(seeds[stopped])):
        few = stopped & (seeds == count)
        size = 2 + 6 * count / seeds.max()
        (dots,) = axes.plot(
            number[few],
            score[few],
            linestyle="none",
            marker="o",
            markersize=size,
            markerfacecolor="none",
            markeredgecolor=NEUTRAL_COLOR,
            label=f"stopped after {counted(count, 'seed')}",
            gid=f"stopped-{count}",
        )
        handles.append(dots)
    if len(handles) > MAX_LEGEND_ENTRIES:
        handles = [handles[0], handles[len(handles) // 2], handles[-1]]
    (dots,) = axes.plot(
        number[~stopped],
        score[~stopped],
        linestyle="none",
        marker="o",
        markersize=5.5,
        markerfacecolor=DOT_COLOR,
        markeredgecolor=BACKGROUND,
        label="all seeds",
        zorder=3,
        gid="full",
    )
    best = 100 * frame["best"].to_numpy(float)
    (line,) = axes.step(
        number,
        best,
        where="post",
        color=BEST,
        linewidth=LINE_WIDTH,
        label="best of those with all seeds",
    )
    if 0 < startup <= number.max():
        _mark_startup(axes, startup - 0.5, number.max(), sampler)
    _set_percent_limits(axes, "y", score)
    margin = 0.5 + 0.01 * len(number)
    axes.set_xlim(number.min() - margin, number.max() + margin)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("Trial, in the order of the search")
    axes.set_ylabel(f"{measure.capitalize()}, %, mean over the seeds")
    add_grid(axes)
    handles = [dots, *reversed(handles), line]
    figure.legend(handles=handles, loc="outside upper right", ncols=3, fontsize=SMALL_FONT)
    return figure


def _mark_startup(axes: Axes, place: float, last: float, sampler: str) -> None:
    """Marks the change from random trials to those that the sampler chose."""
    axes.axvline(place, color=TEXT_COLOR, linewidth=0.8)
    late = place > 0.6 * last
    axes.annotate(
        "drawn at random until here" if late else f"chosen by {sampler} from here on",
        (place, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if late else 4, 3),
        textcoords="offset points",
        ha="right" if late else "left",
        va="bottom",
        fontsize=SMALL_FONT,
    )


def _set_percent_limits(axes: Axes, which: str, values: np.ndarray) -> None:
    """Sets the limits of an axis of percentages: from 0, or from a round number below `values`."""
    finite = values[np.isfinite(values)]
    lowest = finite.min() if len(finite) else 0.0
    low = float(10 * np.floor(lowest / 10 - 0.05)) if lowest < 0 or lowest >= 50 else 0.0
    margin = 0.03 * (100 - low)
    (axes.set_xlim if which == "x" else axes.set_ylim)(low - margin, 100 + margin)


@styled
def confirmation(frame: pd.DataFrame, measure: str) -> Figure:
    """Returns the search score and the confirmed score of every finalist."""
    figure = new_figure(1.1 + 0.34 * len(frame))
    axes = figure.subplots()
    columns = ("search_score", "score", "low", "high")
    search_score, score, low, high = (100 * frame[name].to_numpy(float) for name in columns)
    handles: list[Any] = []
    for place, finalist in enumerate(frame.to_dict("records")):
        at = [place, place]
        (bar,) = axes.plot(
            [low[place], high[place]], at, color=DOT_COLOR, linewidth=6, alpha=0.25,
            solid_capstyle="butt", label="95 % interval on fresh seeds",
        )  # fmt: skip
        axes.plot([search_score[place], score[place]], at, color=TEXT_COLOR, linewidth=0.9)
        (search,) = axes.plot(
            search_score[place], place, linestyle="none", marker="o", markersize=8,
            markerfacecolor=BACKGROUND, markeredgecolor=TEXT_COLOR, label="in the search",
            gid=f"search-{place}",
        )  # fmt: skip
        (fresh,) = axes.plot(
            score[place], place, linestyle="none", marker="o", markersize=5, color=DOT_COLOR,
            markeredgecolor=BACKGROUND, label="on fresh seeds", zorder=3, gid=f"fresh-{place}",
        )  # fmt: skip
        handles = [search, fresh, bar]
        add_note(axes, place, f"{finalist['search_seeds']} \u2192 {finalist['seeds']} seeds")
    label_rows(
        axes,
        [
            ", ".join(f"{row['id']}  {row['name']}".split(", ")[:2])
            for row in frame.to_dict("records")
        ],
    )
    _set_percent_limits(axes, "x", np.concatenate([search_score, score, low]))
    axes.set_xlabel(f"{measure.capitalize()}, %")
    add_grid(axes, "x")
    figure.legend(handles=handles, loc="outside upper right", ncols=3, fontsize=SMALL_FONT)
    return figure


def add_note(axes: Axes, place: int, text: str) -> None:
    """Writes `text` to the right of the row at `place`."""
    axes.annotate(
        text,
        (1.0, place),
        xycoords=("axes fraction", "data"),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        fontsize=SMALL_FONT,
    )


ROLES = {"fixed": ("s", "fixed"), "confirmed": ("o", "confirmed on fresh seeds")}
OTHER = ("^", "chosen by the seeds that score it")


@styled
def front(frame: pd.DataFrame, bar: float, measure: str) -> Figure:
    """Returns the solve rate, called `measure`, against the cost, with intervals and the front."""
    figure = new_figure(3.7)
    axes = figure.subplots()
    names = ("cost", "solve_rate", "solve_rate_low", "solve_rate_high")
    cost, rate, low, high = (frame[name].to_numpy(float) for name in names)
    rate, low, high = 100 * rate, 100 * low, 100 * high
    best = frame["front"].to_numpy(bool)
    handles: list[Any] = []
    for role in ("fixed", "confirmed", "trial"):
        of_role = (frame["role"] == role).to_numpy(bool)
        if not of_role.any():
            continue
        marker, label = ROLES.get(role, OTHER)
        color = {"fixed": TEXT_COLOR, "confirmed": DOT_COLOR}.get(role, NEUTRAL_COLOR)
        for row in np.flatnonzero(of_role):
            ends = [low[row], high[row]]
            opacity = 0.9 if role != "trial" else 0.6 if best[row] else 0.22
            axes.plot([cost[row]] * 2, ends, color=color, linewidth=1.1, alpha=opacity, zorder=2)
        (dots,) = axes.plot(
            cost[of_role], rate[of_role], linestyle="none", marker=marker, markersize=6,
            markerfacecolor=BACKGROUND if role == "trial" else color, markeredgecolor=color,
            label=label, zorder=3, gid=f"front-{role}",
        )  # fmt: skip
        handles.append(dots)
    (line,) = axes.plot(
        [*cost[best], cost.max()], [*rate[best], rate.max()], color=BEST, linewidth=6.0,
        drawstyle="steps-post", alpha=0.35, zorder=1.5,  # a band behind the intervals
        label="front: no cheaper recipe has as many such seeds", gid="front-line",
    )  # fmt: skip
    axes.axhline(100 * bar, color=BAR, linewidth=1.0, linestyle="--")
    _set_cost_axis(axes, cost)
    axes.annotate(
        f"bar: {100 * bar:g} %", (1.0, 100 * bar), xycoords=("axes fraction", "data"),
        xytext=(5, 0), textcoords="offset points", va="center", fontsize=SMALL_FONT, color=BAR,
    )  # fmt: skip
    for simplest in frame[frame["simplest"]].to_dict("records"):
        _mark_simplest(axes, simplest)
    axes.set_ylim(-4, 104)
    axes.set_xlabel("Cost: parameters \u00d7 weight updates of one seed, log scale")
    axes.set_ylabel(measure)
    add_grid(axes)
    figure.legend(handles=[*handles, line], loc="outside upper left", ncols=2, fontsize=SMALL_FONT)
    return figure


def _set_cost_axis(axes: Axes, cost: np.ndarray) -> None:
    """Makes the axis of costs logarithmic, with labels such as `200,000`."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    few = cost.max() < 300 * cost.min()
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _mark_simplest(axes: Axes, row: dict[Any, Any]) -> None:
    """Draws a ring around the simplest recipe, with its id on the side where there is room."""
    axes.plot(
        row["cost"], 100 * row["solve_rate"], linestyle="none", marker="o", markersize=13,
        markerfacecolor="none", markeredgecolor=BAR, markeredgewidth=1.6, zorder=4, gid="simplest",
    )  # fmt: skip
    on_the_right = axes.transLimits.transform((np.log10(row["cost"]), 0))[0] > 0.7
    axes.annotate(
        f"simplest: {row['id']}",
        (row["cost"], 100 * row["solve_rate"]),
        xytext=(-10 if on_the_right else 10, -11),
        textcoords="offset points",
        ha="right" if on_the_right else "left",
        va="center",
        fontsize=SMALL_FONT,
        color=BAR,
        bbox={"facecolor": BACKGROUND, "edgecolor": "none", "pad": 0.8},
    )
