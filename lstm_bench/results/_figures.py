"""Figures of recipes: scores, learning curves and differences.

Every function returns a matplotlib figure. No statistics are computed here. In SVG files text stays
text, and equal arguments give equal bytes.
"""

from __future__ import annotations

import functools
import io
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, ParamSpec

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")

TEXT_COLOR, GRID_COLOR, BACKGROUND = "#1f2328", "#c9ced6", "#ffffff"
DOT_COLOR, PUBLISHED_COLOR = "#2f7ebc", "#d1600a"
LINE_COLORS = ("#2f7ebc", "#d1600a", "#1a9a72", "#b8489a", "#a88500", "#6f6f78")
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P")
NEUTRAL_COLOR = LINE_COLORS[5]
MAX_CURVES = len(LINE_COLORS)
LABEL_WIDTH = 40  # characters per line
PAGE_WIDTH, COLUMN_WIDTH = 7.0, 3.35
"""Inches: a figure across the page of a paper, and in one of its two columns."""
FONT, SMALL_FONT = 8.0, 7.5
"""Points, at the widths above: a figure is printed as it is, neither enlarged nor reduced."""
LINE_WIDTH = 1.3
"""Points: of every curve, so that none seems to matter more than another."""
SPREAD = 0.36  # of a row, up and down, for seeds with equal values

RC: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "lstm-bench",
    "pdf.fonttype": 42,
    "font.family": ["DejaVu Sans"],
    "font.size": FONT,
    "text.color": TEXT_COLOR,
    "text.parse_math": False,  # labels may hold any character
    "axes.labelcolor": TEXT_COLOR,
    "axes.edgecolor": GRID_COLOR,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.unicode_minus": True,
    "xtick.color": TEXT_COLOR,
    "ytick.color": TEXT_COLOR,
    "figure.facecolor": BACKGROUND,
    "axes.facecolor": "none",
    "savefig.facecolor": "auto",
    "legend.frameon": False,
    "path.simplify": True,
}


@contextmanager
def _style() -> Iterator[None]:
    """Applies the settings of `RC`, without warnings for characters that a font lacks."""
    import matplotlib

    with matplotlib.rc_context(RC), warnings.catch_warnings():
        # Labels may hold any character; the reader's fonts draw them, not matplotlib's.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Returns a function that draws in the style of the reports: a decorator."""

    @functools.wraps(draw)
    def draw_styled(*args: P.args, **options: P.kwargs) -> Figure:
        with _style():
            return draw(*args, **options)

    return draw_styled


def new_figure(height: float, width: float = PAGE_WIDTH) -> Figure:
    """Returns an empty figure, sizes in inches, that a notebook shows as SVG without pyplot."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    # On the figure and not in a subclass, so that figures can be pickled.
    setattr(figure, "_repr_svg_", functools.partial(_svg_text, figure))  # noqa: B010
    return figure


def _svg_text(figure: Figure) -> str:
    return as_svg(figure).decode()


def as_svg(figure: Figure) -> bytes:
    """Returns a figure as an SVG file; equal figures give equal bytes."""
    file = io.BytesIO()
    no_metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with _style():
        figure.savefig(file, format="svg", metadata=no_metadata)
    return file.getvalue()


def as_pdf(figure: Figure, width: float | None = None) -> bytes:
    """Returns a figure as a PDF file, by default at its width, with the fonts that it uses.

    Equal figures give equal bytes. At another `width`, in inches, fonts and lines keep their size.
    """
    file, (before, height) = io.BytesIO(), figure.get_size_inches()
    no_metadata = {"CreationDate": None, "Creator": None, "Producer": None}
    with _style():
        if width is not None:
            figure.set_size_inches(width, height)
        figure.savefig(file, format="pdf", metadata=no_metadata)
        figure.set_size_inches(before, height)
    return file.getvalue()


class ScoreStrip(NamedTuple):
    """One recipe of an accuracy figure, scores in percent."""

    label: str
    scores: np.ndarray  # (seeds,)
    mean: float
    low: float  # of the 95 % interval of the mean; NaN if there is none
    high: float
    published: float | None = None


@styled
def accuracy_figure(strips: Sequence[ScoreStrip], title: str, searched: int = 0) -> Figure:
    """Returns the scores of recipes: a dot per seed, the mean, its interval, the published score.

    `title` labels the axis. A line is drawn above the last `searched` recipes, which were chosen by
    the seeds that score them. The dots of a recipe have the SVG id `seeds-<place>`, where `place`
    counts from the top and includes the line.
    """
    above = len(strips) - searched
    line = bool(above and searched)
    places = [*range(above), *range(above + line, len(strips) + line)]
    figure = new_figure(0.9 + _row_height(strips) * (len(strips) + line))
    axes = figure.subplots()
    low = _axis_start(strips)
    for place, strip in zip(places, strips, strict=True):
        _draw_strip(axes, place, strip, 100 - low)
    if line:
        axes.axhline(above - 0.4, color=TEXT_COLOR, linewidth=0.8)
        note = "Below: recipes of the search, chosen by the seeds that score them"
        across = axes.get_yaxis_transform()
        axes.text(0.01, above, note, transform=across, va="center", fontsize=SMALL_FONT)
    axes.set_yticks(places, [wrap_label(strip.label) for strip in strips], fontsize=SMALL_FONT)
    axes.set_ylim(places[-1] + 0.5, -0.5)
    axes.set_xlim(low - 0.02 * (100 - low), 100 + 0.02 * (100 - low))
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", length=0, labeltop=len(strips) > 15)
    axes.xaxis.grid(True, color=GRID_COLOR, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(title)
    _add_legend(figure, any(strip.published is not None for strip in strips))
    return figure


def _row_height(strips: Sequence[ScoreStrip]) -> float:
    """Returns the height of a row in inches: more if more seeds have the same score."""
    most = max(int(pd.Series(strip.scores).value_counts(dropna=False).max()) for strip in strips)
    two_lines = any(len(strip.label) > LABEL_WIDTH for strip in strips)
    return min(0.42, max(0.3 if two_lines else 0.24, 0.03 * most))


def wrap_label(text: str) -> str:
    """Returns `text` on at most two lines, shortened if it does not fit."""
    return "\n".join(textwrap.wrap(text, LABEL_WIDTH, max_lines=2, placeholder="…"))


def _axis_start(strips: Sequence[ScoreStrip]) -> float:
    """Returns the start of the axis: 0, or a round number if all values are far above 0."""
    published = [strip.published for strip in strips if strip.published is not None]
    lows = [strip.low for strip in strips]
    shown = np.concatenate([*(strip.scores for strip in strips), published, lows, [100.0]])
    lowest = float(shown[np.isfinite(shown)].min())
    return 0.0 if 0 <= lowest < 50 else float(10 * np.floor(lowest / 10 - 0.05))


def _draw_strip(axes: Axes, place: int, strip: ScoreStrip, width: float) -> None:
    """Draws one recipe at height `place`; `width` is the range of the axis, in percent."""
    values = np.sort(strip.scores)
    if not np.isnan(strip.low):
        ends = [strip.low, strip.high]
        axes.plot(
            ends, [place, place], color=TEXT_COLOR, linewidth=5, alpha=0.22, solid_capstyle="butt"
        )
    axes.plot(
        values,
        place + dot_offsets(values, width / 80),
        linestyle="none",
        marker="o",
        markersize=3.2,
        markerfacecolor=DOT_COLOR,
        markeredgecolor=BACKGROUND,
        markeredgewidth=0.3,
        zorder=3,
        gid=f"seeds-{place}",
    )
    tick = [place - 0.4, place + 0.4]
    axes.plot([strip.mean] * 2, tick, color=TEXT_COLOR, linewidth=LINE_WIDTH, gid=f"mean-{place}")
    if strip.published is not None:
        axes.plot(
            [strip.published],
            [place],
            linestyle="none",
            marker="D",
            markersize=7,
            markerfacecolor="none",
            markeredgecolor=PUBLISHED_COLOR,
            markeredgewidth=1.5,
            zorder=4,
            gid=f"published-{place}",
        )


def dot_offsets(values: np.ndarray, near: float) -> np.ndarray:
    """Returns a vertical offset for each of the sorted `values`, so that no dot hides another.

    Values closer than `near` to the first of their group are spread evenly over the row.

    >>> dot_offsets(np.array([1.0, 5.0, 5.0, 5.0]), near=0.5).round(2).tolist()
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


def _add_legend(figure: Figure, published: bool) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="none", marker="o", markersize=4.2, color=DOT_COLOR),
        Line2D(
            [],
            [],
            linestyle="none",
            marker="|",
            markersize=10,
            color=TEXT_COLOR,
            markeredgewidth=1.4,
        ),
        Line2D([], [], color=TEXT_COLOR, linewidth=5, alpha=0.22),
    ]
    labels = ["one seed", "mean", "95 % interval of the mean"]
    if published:
        open_diamond = Line2D(
            [], [], linestyle="none", marker="D", markersize=6, color=PUBLISHED_COLOR
        )
        open_diamond.set_markerfacecolor("none")
        handles.append(open_diamond)
        labels.append("published")
    figure.legend(handles, labels, loc="outside upper right", ncols=4, fontsize=SMALL_FONT)


@styled
def curves_figure(
    frames: Sequence[pd.DataFrame], labels: Sequence[str], title: str = "Accuracy, %"
) -> Figure:
    """Returns learning curves: accuracy left, loss right; mean over the seeds with a band.

    `frames` are up to `MAX_CURVES` tables of `Outcome.learning_curve`. `title` says what the
    columns of the accuracy are, where they are something else. Bands are light, and end in a thin
    line, so that several on top of one another can still be told apart.
    """
    figure = new_figure(2.5 + 0.16 * len(frames))
    panels = figure.subplots(1, 2)
    for frame, color, dash in zip(frames, LINE_COLORS, DASHES, strict=False):
        for axes, measure, scale in zip(panels, ("accuracy", "loss"), (100, 1), strict=True):
            mean, low, high = (
                scale * frame[f"{measure}_{part}"].to_numpy(float)
                for part in ("mean", "low", "high")
            )
            epoch = frame["epoch"].to_numpy(float)
            alpha = 0.16 if len(frames) == 1 else 0.06
            axes.fill_between(epoch, low, high, color=color, alpha=alpha, linewidth=0)
            if len(frames) > 1:
                for end in (low, high):
                    axes.plot(epoch, end, color=color, linewidth=0.4, alpha=0.6)
            axes.plot(epoch, mean, color=color, linestyle=dash, linewidth=LINE_WIDTH)
    _set_scales(panels, frames, title)
    _add_line_legend(figure, labels)
    return figure


def _set_scales(panels: Any, frames: Sequence[pd.DataFrame], left: str) -> None:
    """Sets titles and limits; an axis is logarithmic if its data span a large range."""
    lengths = [float(frame["epoch"].max()) for frame in frames if len(frame)]
    losses = np.concatenate([frame["loss_mean"].to_numpy(float) for frame in frames])
    losses = losses[np.isfinite(losses)]
    lows = np.concatenate([frame["loss_low"].to_numpy(float) for frame in frames])
    for axes, title in zip(panels, (left, "Loss"), strict=True):
        axes.set_title(title, loc="left", fontsize=FONT)
        axes.set_xlabel("Epoch")
        axes.grid(True, color=GRID_COLOR, linewidth=0.5)
        axes.set_axisbelow(True)
        if lengths and max(lengths) >= 8 * min(lengths):
            set_log_scale(axes, "x")
            axes.set_xlim(left=1)
    panels[0].set_ylim(-3, 103)
    if len(losses) and np.nanmin(lows) > 0 and losses.max() > 30 * losses.min():
        set_log_scale(panels[1], "y")


def set_log_scale(axes: Axes, which: Literal["x", "y"]) -> None:
    """Makes an axis logarithmic, with labels such as `0.01` instead of powers of 10."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    axes.set(**{f"{which}scale": "log"})
    axis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,g}"))
    axis.set_minor_formatter(NullFormatter())


def _add_line_legend(figure: Figure, labels: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=color, linestyle=dash, linewidth=LINE_WIDTH)
        for _, color, dash in zip(labels, LINE_COLORS, DASHES, strict=False)
    ]
    # matplotlib hides an entry that begins with an underscore; a zero-width space prevents it.
    names = [f"\u200b{shorten(text, 100)}" for text in labels]
    figure.legend(handles, names, loc="outside lower left", ncols=1, fontsize=SMALL_FONT)


def shorten(text: str, width: int) -> str:
    """Returns `text`, shortened to `width` characters."""
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


@styled
def differences_figure(names: Sequence[str], panels: Sequence[tuple[str, pd.DataFrame]]) -> Figure:
    """Returns differences with their 95 % intervals: one row per name, one panel per measure.

    A panel is an axis title and a table with one row per name: difference, low and high, in the
    unit of the axis, and verdict.
    """
    figure = new_figure(1.1 + 0.3 * len(names))
    handles: dict[str, Any] = {}
    all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (title, frame) in zip(all_axes, panels, strict=True):
        axes.axvline(0, color=TEXT_COLOR, linewidth=0.8)
        for place, row in enumerate(frame.to_dict("records")):
            real = row["verdict"] == "real"
            color = DOT_COLOR if real else NEUTRAL_COLOR
            axes.plot([row["low"], row["high"]], [place] * 2, color=color, linewidth=LINE_WIDTH)
            (dot,) = axes.plot(
                row["difference"], place, linestyle="none", marker="o", markersize=6.5,
                markerfacecolor=color if real else BACKGROUND, markeredgecolor=color, zorder=3,
                label="real" if real else "not real, or not certain yet",
            )  # fmt: skip
            handles.setdefault(dot.get_label(), dot)
        label_rows(axes, names)
        axes.set_xlabel(title)
        add_grid(axes, "x")
    figure.legend(
        handles=[*handles.values()], loc="outside upper right", ncols=2, fontsize=SMALL_FONT
    )
    return figure


def add_grid(axes: Axes, axis: Any = "both") -> None:
    """Draws pale lines at the ticks of `axis`, behind everything else."""
    axes.grid(True, axis=axis, color=GRID_COLOR, linewidth=0.5)
    axes.set_axisbelow(True)


def label_rows(axes: Axes, names: Sequence[str]) -> None:
    """Labels the rows of a figure, the first on top."""
    axes.set_yticks(range(len(names)), [wrap_label(name) for name in names], fontsize=SMALL_FONT)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
