"""Rows and data frames -> SVG. Nothing is computed here but where ink goes.

Text stays text, colours are few and named, and equal arguments give equal bytes.
"""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from lstm_bench.analysis import score
from lstm_bench.report._wording import label
from lstm_bench.results import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT, PAPER = "#1f2328", "#c9ced6", "#ffffff"
DOT, PUBLISHED = "#2f7ebc", "#d1600a"
LINES = ("#2f7ebc", "#d1600a", "#1a9a72", "#b8489a", "#a88500", "#6f6f78")
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 2)))
MARKS = ("o", "s", "^", "D", "v", "P")
CURVES_A_FIGURE = len(LINES)
LABEL_WIDTH = 56  # characters a line
WIDTH = 10.5  # inches
SPREAD = 0.36  # of a row, to each side, for seeds with equal values

RC: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "lstm-bench",
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.color": INK,
    "text.parse_math": False,  # labels may hold any character
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.unicode_minus": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "savefig.facecolor": "auto",
    "legend.frameon": False,
    "path.simplify": True,
}


def accuracy(sure: Sequence[Row], trials: Sequence[Row]) -> bytes:
    """Returns the score of every recipe as an SVG file: a dot a seed, mean, interval, published.

    `sure` stand above the line; the trials below it were picked by their own seeds.
    The dots of the row at `place` from the top, the line counted, are the group `seeds-<place>`.
    """
    rows, split = [*sure, *trials], bool(sure and trials)
    places = [*range(len(sure)), *range(len(sure) + split, len(rows) + split)]
    with canvas(WIDTH, 1.0 + _row_height(rows) * (len(rows) + split)) as (figure, saved):
        axes = figure.subplots()
        low = _lowest(rows)
        for place, row in zip(places, rows, strict=True):
            _strip(axes, place, row, 100 - low)
        if split:
            axes.axhline(len(sure) - 0.4, color=INK, linewidth=0.8)
            words = "Below: found by search, picked on the very seeds that score them"
            across = axes.get_yaxis_transform()
            axes.text(0.01, len(sure), words, transform=across, va="center", fontsize=8.5)
        axes.set_yticks(places, [lines(label(row)) for row in rows], fontsize=8.5)
        axes.set_ylim(places[-1] + 0.5, -0.5)
        axes.set_xlim(low - 0.02 * (100 - low), 100 + 0.02 * (100 - low))
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", length=0, labeltop=len(rows) > 15)
        axes.xaxis.grid(True, color=FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
        skilled = rows[0].outcome.score == "skill"
        axes.set_xlabel("Skill, %" if skilled else "Accuracy, % of scored steps")
        _key(figure, any(row.published_accuracy is not None for row in rows))
    return saved[0]


def _row_height(rows: Sequence[Row]) -> float:
    """Returns inches for a recipe: more where more seeds must stand above one another."""
    every = [row.outcome.seeds[row.outcome.score] for row in rows]
    most = max(int(each.value_counts(dropna=False).max()) for each in every)
    two_lines = any(len(label(row)) > LABEL_WIDTH for row in rows)
    return min(0.5, max(0.36 if two_lines else 0.3, 0.04 * most))


def lines(text: str) -> str:
    """Returns `text` on at most two lines, cut short where that is too little."""
    return "\n".join(textwrap.wrap(text, LABEL_WIDTH, max_lines=2, placeholder="…"))


def _lowest(rows: Sequence[Row]) -> float:
    """Returns where the axis begins: 0, or a round number if everything is far above it."""
    values = [100 * row.outcome.seeds[row.outcome.score].to_numpy(float) for row in rows]
    shown = [row.published_accuracy for row in rows if row.published_accuracy is not None]
    bounds = [score(row.outcome, row.outcome.score).low for row in rows]
    everything = np.concatenate([*values, 100 * np.array(shown), 100 * np.array(bounds), [100.0]])
    lowest = float(everything[np.isfinite(everything)].min())
    return 0.0 if 0 <= lowest < 50 else float(10 * np.floor(lowest / 10 - 0.05))


def _strip(axes: Axes, place: int, row: Row, width: float) -> None:
    """Draws one recipe at height `place`; `width` is the range of the axis, in percent."""
    values = 100 * np.sort(row.outcome.seeds[row.outcome.score].to_numpy(float))
    mean = score(row.outcome, row.outcome.score)
    if not np.isnan(mean.low):
        ends = [100 * mean.low, 100 * mean.high]
        axes.plot(ends, [place, place], color=INK, linewidth=5, alpha=0.22, solid_capstyle="butt")
    axes.plot(
        values,
        place + spread(values, width / 80),
        linestyle="none",
        marker="o",
        markersize=4,
        markerfacecolor=DOT,
        markeredgecolor=PAPER,
        markeredgewidth=0.5,
        zorder=3,
        gid=f"seeds-{place}",
    )
    tick = [place - 0.4, place + 0.4]
    axes.plot([100 * mean.mean] * 2, tick, color=INK, linewidth=1.4, gid=f"mean-{place}")
    if row.published_accuracy is not None:
        axes.plot(
            [100 * row.published_accuracy],
            [place],
            linestyle="none",
            marker="D",
            markersize=7,
            markerfacecolor="none",
            markeredgecolor=PUBLISHED,
            markeredgewidth=1.5,
            zorder=4,
            gid=f"published-{place}",
        )


def spread(values: np.ndarray, near: float) -> np.ndarray:
    """Returns an offset for each of the sorted `values`, so that no dot hides another.

    Values closer than `near` to the first of their group are spread evenly over the row.

    >>> spread(np.array([1.0, 5.0, 5.0, 5.0]), near=0.5).round(2).tolist()
    [0.0, -0.12, 0.0, 0.12]
    """
    offsets = np.zeros(len(values))
    start = 0
    for end in range(1, len(values) + 1):
        if end == len(values) or not values[end] - values[start] < near:
            size = end - start
            reach = min(SPREAD, 0.06 * size - 0.06)
            offsets[start:end] = np.linspace(-reach, reach, size) if size > 1 else 0.0
            start = end
    return offsets


def _key(figure: Figure, published: bool) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="none", marker="o", markersize=4.2, color=DOT),
        Line2D([], [], linestyle="none", marker="|", markersize=10, color=INK, markeredgewidth=1.4),
        Line2D([], [], color=INK, linewidth=5, alpha=0.22),
    ]
    words = ["one seed", "mean", "95 % interval of the mean"]
    if published:
        open_diamond = Line2D([], [], linestyle="none", marker="D", markersize=6, color=PUBLISHED)
        open_diamond.set_markerfacecolor("none")
        handles.append(open_diamond)
        words.append("published")
    figure.legend(handles, words, loc="outside upper right", ncols=4, fontsize=8.5)


def curves(recipes: Sequence[tuple[Row, pd.DataFrame]]) -> bytes:
    """Returns learning curves as an SVG file: accuracy left, loss right, mean and band.

    `recipes` are up to `CURVES_A_FIGURE` rows, each with its `tables.bands`.
    """
    with canvas(WIDTH, 3.4 + 0.2 * len(recipes)) as (figure, saved):
        panels = figure.subplots(1, 2)
        for (_, frame), color, dash in zip(recipes, LINES, DASHES, strict=False):
            for axes, measure, scale in zip(panels, ("accuracy", "loss"), (100, 1), strict=True):
                mean, low, high = (
                    scale * frame[f"{measure}_{part}"].to_numpy(float)
                    for part in ("mean", "low", "high")
                )
                epoch = frame["epoch"].to_numpy(float)
                axes.fill_between(epoch, low, high, color=color, alpha=0.16, linewidth=0)
                axes.plot(epoch, mean, color=color, linestyle=dash, linewidth=1.5)
        _scales(panels, [frame for _, frame in recipes])
        _names(figure, [row for row, _ in recipes])
    return saved[0]


def horizon(axis: str, families: Sequence[tuple[str, pd.DataFrame]]) -> bytes:
    """Returns the solve rate along `axis` as an SVG file: a line a family, with Wilson's band.

    `families` are up to `CURVES_A_FIGURE` names, each with its `tables.rates`. Earlier lines are
    wider and paler than later ones, so that lines of equal height all show.
    """
    from matplotlib.colors import to_rgba

    with canvas(WIDTH, 4.0 + 0.2 * len(families)) as (figure, saved):
        axes = figure.subplots()
        axes.axhline(50, color=INK, linewidth=0.8)
        handles = []
        styles = zip(families, LINES, DASHES, MARKS, strict=False)
        for above, ((_, frame), color, dash, mark) in zip(
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
                marker=mark,
                markersize=5 + 2.5 * above,
                markerfacecolor=PAPER,
                markeredgecolor=color,
                markeredgewidth=1.3,
                gid=f"family-{len(families) - 1 - above}",
            )
            handles.append(line)
        _values(axes, sorted({float(v) for _, frame in families for v in frame["value"]}))
        axes.set_xlabel(axis)
        axes.set_ylabel("Seeds that solve it, %")
        axes.set_ylim(-3, 103)
        axes.grid(True, color=FAINT, linewidth=0.5)
        axes.set_axisbelow(True)
        words = [f"\u200b{_cut(name, 110)}" for name, _ in families]
        figure.legend(
            handles, words, loc="outside lower left", ncols=1, fontsize=8.5, handlelength=4
        )
    return saved[0]


def _values(axes: Axes, values: Sequence[float]) -> None:
    """Puts a tick at each of `values`, logarithmically where they span a factor of 8 or more."""
    if values[0] > 0 and values[-1] >= 8 * values[0]:
        axes.set_xscale("log", base=2)
    axes.set_xticks(values, [f"{value:,g}" for value in values])
    axes.set_xticks([], minor=True)


def _scales(panels: Any, frames: Sequence[pd.DataFrame]) -> None:
    """Sets titles and limits; an axis is logarithmic where its data span too much otherwise."""
    lengths = [float(frame["epoch"].max()) for frame in frames if len(frame)]
    losses = np.concatenate([frame["loss_mean"].to_numpy(float) for frame in frames])
    losses = losses[np.isfinite(losses)]
    lows = np.concatenate([frame["loss_low"].to_numpy(float) for frame in frames])
    for axes, title in zip(panels, ("Accuracy, %", "Loss"), strict=True):
        axes.set_title(title, loc="left", fontsize=9.5)
        axes.set_xlabel("Epoch")
        axes.grid(True, color=FAINT, linewidth=0.5)
        axes.set_axisbelow(True)
        if lengths and max(lengths) >= 8 * min(lengths):
            logarithmic(axes, "x")
            axes.set_xlim(left=1)
    panels[0].set_ylim(-3, 103)
    if len(losses) and np.nanmin(lows) > 0 and losses.max() > 30 * losses.min():
        logarithmic(panels[1], "y")


def logarithmic(axes: Axes, which: Literal["x", "y"]) -> None:
    """Makes an axis logarithmic, labelled `0.01` rather than in powers."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    axes.set(**{f"{which}scale": "log"})
    axis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,g}"))
    axis.set_minor_formatter(NullFormatter())


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def _names(figure: Figure, rows: Sequence[Row]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=color, linestyle=dash, linewidth=1.5)
        for _, color, dash in zip(rows, LINES, DASHES, strict=False)
    ]
    # A leading underscore would hide the entry: matplotlib's rule, not ours.
    words = [f"\u200b{label(row, 90)}" for row in rows]
    figure.legend(handles, words, loc="outside lower left", ncols=1, fontsize=8.5)


@contextmanager
def canvas(width: float, height: float) -> Iterator[tuple[Figure, list[bytes]]]:
    """Yields a figure (inches) to draw on, and a list that holds its SVG file afterwards."""
    import matplotlib
    from matplotlib.figure import Figure

    saved: list[bytes] = []
    with matplotlib.rc_context(RC), warnings.catch_warnings():
        # Labels may hold any character; the reader's own fonts draw them, not matplotlib's.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, saved
        file = io.BytesIO()
        blank = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(file, format="svg", metadata=blank)
        saved.append(file.getvalue())
