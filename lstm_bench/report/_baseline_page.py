"""The section of a page that compares networks with baselines, with its table and figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lstm_bench.analysis import BaselineResult, Findings, amount, headline, signed_amount
from lstm_bench.report import _origin_page as origin_page
from lstm_bench.report import _output_page as output_page
from lstm_bench.report import _wording as wording
from lstm_bench.report._sections import Block, Picture, Section
from lstm_bench.report._text_table import TextTable
from lstm_bench.results import (
    FONT,
    GRID_COLOR,
    LINE_COLORS,
    LINE_WIDTH,
    SMALL_FONT,
    TEXT_COLOR,
    counted,
    new_figure,
    styled,
)
from lstm_bench.safety import printable_line
from lstm_bench.statistics import BASELINE_PREFIX, MAX_BLOCKS, ORIGIN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_STEPS = 120
"""The figure shows this many steps of a forecast: the first ones."""

TRAINED_ONCE = (
    "Each step is forecast from the true past up to it, by a network that was trained once. Gain: "
    "the error of the best baseline minus that of the network; above 0 the network is better. Its "
    f"interval counts two kinds of chance: the seeds, and up to {MAX_BLOCKS} blocks of adjacent "
    "steps (Ibragimov and Müller 2010), because the gain would be different on other data. So do "
    "the other intervals and verdicts on this page, except those of the training loss, of epochs "
    "to solve, and of the effects of switches on solve rates and whole sequences, which count the "
    "seeds alone. The best baseline is chosen with hindsight, on these "
    "steps. p after Holm's correction for all rows of the table."
)
AT_ORIGINS = (
    "Each step is forecast from the true past up to it, by a network that was trained on the rows "
    "before its origin. Gain: the error of the best baseline minus that of the network; above 0 "
    "the network is better. Its interval counts two kinds of chance: the seeds, and the origins, "
    "each as one observation, with at least the variance that the correlation of neighbouring "
    "steps gives. The best baseline is chosen with hindsight, on these steps. p after Holm's "
    "correction for all rows of the table."
)
READING = (
    "Baselines need no network: the last value; the value one season before; the median or the "
    "most frequent value; a linear model (least squares; for symbols and for yes and no, logistic "
    "regression) of the latest rows; for numbers, exponential smoothing, a model for each "
    "series, chosen by AICc (A,A,M: additive errors, additive trend, multiplicative season; N: "
    "none, Ad: damped); and gradient boosting of trees on the rows of the linear model, for "
    "numbers on their changes where that is better on the last fifth of the training data. All are "
    "fitted to the training data of the network. Baselines and networks are scored on the same "
    "steps, which neither was fitted to.",
    TRAINED_ONCE,
    "The search was scored on the part before these steps, with networks trained on fewer rows. A "
    "finalist's score differs here because of other seeds, other data and more training data.",
    "Skill is the share by which the error of a network is below that of the best baseline: 100 % "
    "is perfect, 0 % is no better. Below 0 %, it is minus the share by which the error of the "
    "baseline is below that of the network. It is measured against the baselines that every recipe "
    "has; a linear model of a recipe's window, in the table, is not one of them. Seeds "
    "with skill > 0 are those on these steps, which other steps can change for all seeds "
    "together; the interval allows for that. Accuracy of real values is the share of "
    "steps whose forecast error is at most the median error of the last value, on the training "
    "data.",
)

LABEL_READING = (
    "Baselines need no network: the most frequent label; logistic regression; and gradient "
    "boosting of trees. Both models are fitted to summary features of each sequence: of each input "
    "its mean, standard deviation, smallest, largest and last value, and the number of rows. All "
    "are fitted to the sequences that the networks learned from, and scored on the same others.",
    "A network labels a sequence after its last row. Sequences that are scored were drawn by their "
    "place in the file, the same share of each label, and are the same for every seed; nothing "
    "else of them was seen. Gain: the error of the best baseline minus that of the network. Its "
    f"interval counts the seeds, and up to {MAX_BLOCKS} blocks of sequences in the order in which "
    "they were drawn. The best baseline is chosen with hindsight, on these sequences. p after "
    "Holm's correction for all rows of the table.",
    "The search was scored on other sequences than these, with networks trained on fewer. A "
    "finalist's score differs here because of other seeds, other data and more training data.",
    "Skill is the share by which the error of a network is below that of the best baseline. "
    "Accuracy is 100 % minus the error; chance is the share of the most frequent label.",
)


def data_frame(results: Sequence[BaselineResult]) -> pd.DataFrame:
    """Returns one row per recipe and baseline: errors, the gain, its interval and p value."""
    return pd.DataFrame([record for result in results for record in result.records()])


def sections(findings: Findings) -> list[Section]:
    """Returns the section; an empty list without baselines."""
    first = headline_result(findings)
    if first is None:
        return []
    results = findings.baselines
    steps = max(result.best.steps for result in results)
    error = (
        output_page.error_in_words(first) if first.real_valued else "share of wrong predictions."
    )
    how_many = counted(steps, first.scored.removesuffix("s"))
    caption = f"Errors on {how_many} that were not trained on: {error}"
    picture = _forecast_picture(first) if first.real_valued else None
    left_out = [f"Baseline left out: {reason}." for reason in first.baselines_left_out]
    sentences = tuple(printable_line(line) for line in (first.sentence, *left_out))
    reading: tuple[str, ...] = LABEL_READING if first.scored == "sequences" else READING
    if first.origins:
        reading = tuple(AT_ORIGINS if line == TRAINED_ONCE else line for line in reading)
    block = Block("", sentences, picture, _table(results, first), caption, reading)
    further = (*origin_page.blocks(first), *output_page.blocks(first))
    return [Section("Better than a baseline?", (block, *further))]


def headline_result(findings: Findings) -> BaselineResult | None:
    """Returns the result of the best recipe of the page; None without baselines."""
    return headline(findings.baselines, findings.best.id if findings.best else None)


def _table(results: Sequence[BaselineResult], first: BaselineResult) -> TextTable:
    """Returns recipes and baselines, the smallest error first; `first` is in bold."""
    titles = (
        "Id",
        "What it is",
        "Seeds",
        "Error",
        "Seeds with skill > 0",
        "Gain",
        "95 %",
        "p (Holm)",
        "Verdict",
    )
    numeric = (False, False, *[True] * 6, False)
    none = wording.NONE
    lines: list[tuple[float, tuple[str, ...], str]] = []  # error, cells, mark
    baselines = _recipes_by_baseline(results)
    for (name, error), ids in baselines.items():
        several = sum(other == name for other, _ in baselines) > 1
        label = f"{name}, for {', '.join(ids)}" if several else name
        cells: tuple[str, ...] = (
            printable_line(label), "baseline", none, error, *[none] * 4, "",
        )  # fmt: skip
        lines.append((_number(error), cells, ""))
    for result in results:
        best, real = result.best, result.real_valued
        ends = f"[{signed_amount(best.low, real)}, {signed_amount(best.high, real)}]"
        error = amount(best.network_error, real)
        cells = (
            printable_line(result.row.id),
            wording.short_name(result.row),
            wording.whole_number(best.seeds),
            error,
            wording.solved_count(result.row.outcome.solve_rate),
            signed_amount(best.difference, real),
            none if np.isnan(best.low) else ends.replace("-", "−"),
            wording.p_value(result.p_holm),
            result.verdict,
        )
        lines.append((_number(error), cells, "best" if result is first else ""))
    lines.sort(key=lambda line: line[0])
    rows, marks = tuple(cells for _, cells, _ in lines), tuple(mark for *_, mark in lines)
    return TextTable(titles, numeric, rows, marks)


def _number(error: str) -> float:
    """Returns the number of an `amount`."""
    return float(error.removesuffix(" %"))


def _recipes_by_baseline(results: Sequence[BaselineResult]) -> dict[tuple[str, str], list[str]]:
    """Returns the recipes that share a baseline with the same error, by its name and error."""
    groups: dict[tuple[str, str], list[str]] = {}
    for result in results:
        for comparison in result.comparisons:
            key = comparison.baseline, amount(comparison.baseline_error, result.real_valued)
            groups.setdefault(key, []).append(result.row.id)
    return groups


def _forecast_picture(result: BaselineResult) -> Picture:
    """Returns the figure of the first scored steps: true values, forecasts and baseline."""
    table = output_page.first_output(result.row.outcome.predictions)
    if ORIGIN in table:
        table = table[table[ORIGIN] == table[ORIGIN].min()]
    first_sequence = table[table["sequence"] == table["sequence"].min()]
    forecast = "predicted"
    steps = first_sequence.groupby("step", sort=True).agg(
        true=("expected", "first"), low=(forecast, "min"), mean=(forecast, "mean"),
        high=(forecast, "max"), baseline=(BASELINE_PREFIX + result.best.baseline, "first"),
        time=("input", "first"),
    ).head(MAX_STEPS)  # fmt: skip
    caption = (
        f"The first {len(steps)} scored steps: true values, the step-by-step forecasts of "
        f"{result.row.id} (mean and range over {counted(result.best.seeds, 'seed')}), and "
        f"the best baseline{output_page.shown_output(result)}. Above: the error of the baseline "
        "minus that of the mean network, cumulated; it rises where the network is better."
    )
    figure = _draw_forecast(result, steps)
    return Picture("forecast", figure, "Forecasts and true values", caption)


@styled
def _draw_forecast(result: BaselineResult, steps: pd.DataFrame) -> Figure:
    """Draws the forecasts, and below them the cumulated gain over the baseline."""
    baseline_error = np.abs(steps["baseline"] - steps["true"])
    gain = baseline_error - np.abs(steps["mean"] - steps["true"])
    places = np.arange(len(steps))
    figure = new_figure(4.0)
    below, axes = figure.subplots(2, sharex=True, height_ratios=(1.2, 3))
    color = LINE_COLORS[0]
    label = "network, all seeds"
    axes.fill_between(places, steps["low"], steps["high"], color=color, alpha=0.25, label=label)
    axes.plot(places, steps["mean"], color=color, linewidth=LINE_WIDTH, label="network, mean")
    label, color = printable_line(result.best.baseline), LINE_COLORS[1]
    axes.plot(places, steps["baseline"], color=color, linewidth=1, linestyle="--", label=label)
    axes.plot(places, steps["true"], "o", color=TEXT_COLOR, markersize=2.6, label="true value")
    axes.set_ylabel(printable_line(result.row.outcome.settings.get("target") or "value"))
    axes.legend(
        loc="upper left", fontsize=SMALL_FONT, ncols=4, frameon=False, labelcolor=TEXT_COLOR
    )
    axes.margins(x=0.01, y=0.2)
    below.axhline(0, color=GRID_COLOR, linewidth=0.8)
    below.plot(places, gain.cumsum(), color=LINE_COLORS[2], linewidth=LINE_WIDTH)
    below.set_ylabel("cumulated gain")
    title = "Error of the baseline minus error of the network"
    below.set_title(title, loc="left", fontsize=FONT)
    ticks = np.unique(np.linspace(0, len(steps) - 1, min(6, len(steps))).round().astype(int))
    axes.set_xticks(ticks, [printable_line(steps["time"].iloc[tick])[:16] for tick in ticks])
    return figure
