"""The figures of a search: data frames -> SVG. As in `figures`, nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lstm_bench.report._figures import DOT, FAINT, INK, LINES, PAPER, WIDTH, canvas, lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BEST, BAR, QUIET = LINES[2], LINES[1], LINES[5]
LEVELS = 4
"""Numbers of seeds that a key names before it leaves some out."""


def history(frame: pd.DataFrame, measure: str, startup: int, sampler: str) -> bytes:
    """Returns the score of every trial in order as an SVG file, with the best until then.

    `startup` trials were drawn at random before `sampler` took over; 0 if all are alike.
    """
    from matplotlib.ticker import MaxNLocator

    with canvas(WIDTH, 4.2) as (figure, saved):
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
                markeredgecolor=QUIET,
                label=f"stopped after {count} seed{'' if count == 1 else 's'}",
                gid=f"stopped-{count}",
            )
            handles.append(dots)
        if len(handles) > LEVELS:
            handles = [handles[0], handles[len(handles) // 2], handles[-1]]
        (dots,) = axes.plot(
            number[~stopped],
            score[~stopped],
            linestyle="none",
            marker="o",
            markersize=7.5,
            markerfacecolor=DOT,
            markeredgecolor=PAPER,
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
            linewidth=1.6,
            label="best of those with all seeds",
        )
        if 0 < startup <= number.max():
            _from(axes, startup - 0.5, number.max(), sampler)
        _percent(axes, "y", score)
        beyond = 0.5 + 0.01 * len(number)
        axes.set_xlim(number.min() - beyond, number.max() + beyond)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("Trial, in the order of the search")
        axes.set_ylabel(f"{measure.capitalize()}, %, mean over its seeds")
        ruled(axes)
        handles = [dots, *reversed(handles), line]
        figure.legend(handles=handles, loc="outside upper right", ncols=3, fontsize=8.5)
    return saved[0]


def _from(axes: Axes, place: float, last: float, sampler: str) -> None:
    """Marks where the sampler takes over."""
    axes.axvline(place, color=INK, linewidth=0.8)
    late = place > 0.6 * last
    axes.annotate(
        "until here drawn at random" if late else f"from here on chosen by {sampler}",
        (place, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if late else 4, 3),
        textcoords="offset points",
        ha="right" if late else "left",
        va="bottom",
        fontsize=8.5,
    )


def _percent(axes: Axes, which: str, values: np.ndarray) -> None:
    """Sets an axis of percentages: from 0, or from a round number below all of the values."""
    known = values[np.isfinite(values)]
    lowest = known.min() if len(known) else 0.0
    low = float(10 * np.floor(lowest / 10 - 0.05)) if lowest < 0 or lowest >= 50 else 0.0
    reach = 0.03 * (100 - low)
    (axes.set_xlim if which == "x" else axes.set_ylim)(low - reach, 100 + reach)


def ruled(axes: Axes, axis: Any = "both") -> None:
    """Draws pale lines behind everything, at the ticks of `axis`."""
    axes.grid(True, axis=axis, color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)


def confirmation(frame: pd.DataFrame, measure: str) -> bytes:
    """Returns search score and confirmed score of every finalist as an SVG file."""
    with canvas(WIDTH, 1.3 + 0.42 * len(frame)) as (figure, saved):
        axes = figure.subplots()
        columns = ("search_score", "score", "low", "high")
        before, after, low, high = (100 * frame[name].to_numpy(float) for name in columns)
        handles: list[Any] = []
        for place, each in enumerate(frame.to_dict("records")):
            at = [place, place]
            (bar,) = axes.plot(
                [low[place], high[place]], at, color=DOT, linewidth=6, alpha=0.25,
                solid_capstyle="butt", label="its 95 % interval",
            )  # fmt: skip
            axes.plot([before[place], after[place]], at, color=INK, linewidth=0.9)
            (search,) = axes.plot(
                before[place], place, linestyle="none", marker="o", markersize=10,
                markerfacecolor=PAPER, markeredgecolor=INK, label="in the search",
                gid=f"search-{place}",
            )  # fmt: skip
            (fresh,) = axes.plot(
                after[place], place, linestyle="none", marker="o", markersize=6.5, color=DOT,
                markeredgecolor=PAPER, label="on fresh seeds", zorder=3, gid=f"fresh-{place}",
            )  # fmt: skip
            handles = [search, fresh, bar]
            many = f"{each['search_seeds']} \u2192 {each['seeds']} seeds"
            beside(axes, place, many)
        stack(axes, [f"{each['id']}  {each['name']}" for each in frame.to_dict("records")])
        _percent(axes, "x", np.concatenate([before, after, low]))
        axes.set_xlabel(f"{measure.capitalize()}, %")
        ruled(axes, "x")
        figure.legend(handles=handles, loc="outside upper right", ncols=3, fontsize=8.5)
    return saved[0]


def beside(axes: Axes, place: int, text: str) -> None:
    """Writes `text` to the right of the row at `place`."""
    axes.annotate(
        text,
        (1.0, place),
        xycoords=("axes fraction", "data"),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
    )


def stack(axes: Axes, names: Sequence[str]) -> None:
    """Names the rows of a figure, the first on top."""
    axes.set_yticks(range(len(names)), [lines(name) for name in names], fontsize=8.5)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


MARKS = {"fixed": ("s", "fixed"), "confirmed": ("o", "confirmed on fresh seeds")}
OTHER = ("^", "picked on the seeds that score it")


def front(frame: pd.DataFrame, bar: float) -> bytes:
    """Returns solve rate against cost as an SVG file, with Wilson's bars and the front's line."""
    with canvas(WIDTH, 4.8) as (figure, saved):
        axes = figure.subplots()
        names = ("cost", "solve_rate", "solve_rate_low", "solve_rate_high")
        cost, rate, low, high = (frame[name].to_numpy(float) for name in names)
        rate, low, high = 100 * rate, 100 * low, 100 * high
        best = frame["front"].to_numpy(bool)
        handles: list[Any] = []
        for role in ("fixed", "confirmed", "trial"):
            own = (frame["role"] == role).to_numpy(bool)
            if not own.any():
                continue
            mark, word = MARKS.get(role, OTHER)
            color = {"fixed": INK, "confirmed": DOT}.get(role, QUIET)
            for place in np.flatnonzero(own):
                ends = [low[place], high[place]]
                pale = 0.9 if role != "trial" else 0.6 if best[place] else 0.22
                axes.plot([cost[place]] * 2, ends, color=color, linewidth=1.1, alpha=pale)
            (dots,) = axes.plot(
                cost[own], rate[own], linestyle="none", marker=mark, markersize=6,
                markerfacecolor=PAPER if role == "trial" else color, markeredgecolor=color,
                label=word, zorder=3, gid=f"front-{role}",
            )  # fmt: skip
            handles.append(dots)
        (line,) = axes.plot(
            [*cost[best], cost.max()], [*rate[best], rate.max()], color=BEST, linewidth=1.6,
            drawstyle="steps-post",
            label="front: nothing is cheaper and solved as often", gid="front-line",
        )  # fmt: skip
        axes.axhline(100 * bar, color=BAR, linewidth=1.0, linestyle="--")
        _costs(axes, cost)
        axes.annotate(
            f"bar: {100 * bar:g} %", (1.0, 100 * bar), xycoords=("axes fraction", "data"),
            xytext=(5, 0), textcoords="offset points", va="center", fontsize=8.5, color=BAR,
        )  # fmt: skip
        for each in frame[frame["simplest"]].to_dict("records"):
            _simplest(axes, each)
        axes.set_ylim(-4, 104)
        axes.set_xlabel("Cost: parameters \u00d7 weight updates of one seed, log scale")
        axes.set_ylabel("Seeds that solve it, %")
        ruled(axes)
        figure.legend(handles=[*handles, line], loc="outside upper left", ncols=2, fontsize=8.5)
    return saved[0]


def _costs(axes: Axes, cost: np.ndarray) -> None:
    """Makes the axis of costs logarithmic, labelled `200,000`."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    few = cost.max() < 300 * cost.min()
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _simplest(axes: Axes, each: dict[Any, Any]) -> None:
    """Rings the simplest recipe, and names it on the side where there is room."""
    axes.plot(
        each["cost"], 100 * each["solve_rate"], linestyle="none", marker="o", markersize=13,
        markerfacecolor="none", markeredgecolor=BAR, markeredgewidth=1.6, zorder=4, gid="simplest",
    )  # fmt: skip
    late = axes.transLimits.transform((np.log10(each["cost"]), 0))[0] > 0.7
    axes.annotate(
        f"simplest: {each['id']}",
        (each["cost"], 100 * each["solve_rate"]),
        xytext=(-10 if late else 10, -11),
        textcoords="offset points",
        ha="right" if late else "left",
        va="center",
        fontsize=8.5,
        color=BAR,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.8},
    )
