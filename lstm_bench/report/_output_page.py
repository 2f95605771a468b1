"""The errors of each output of a network that forecasts several values: a table and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lstm_bench.analysis import BaselineResult, OutputErrors
from lstm_bench.report import _wording as wording
from lstm_bench.report._sections import Block, Picture
from lstm_bench.report._text_table import TextTable
from lstm_bench.results import LINE_COLORS, TEXT_COLOR, new_figure, styled
from lstm_bench.safety import printable_line
from lstm_bench.statistics import OUTPUT, OUTPUT_UNIT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOTE = (
    "Errors are in the units of the data, over all seeds and scored steps; the baseline is the one "
    "with the smallest mean absolute error for that output, chosen with hindsight. The verdict is "
    "on the mean error of all outputs of a step"
)


def error_in_words(result: BaselineResult) -> str:
    """Returns what the error of a recipe for numbers is."""
    if OUTPUT_UNIT in result.row.outcome.predictions:
        return "mean absolute error, in standard deviations of each target."
    mean = " over all steps of a path" if result.outputs else ""
    return f"mean absolute error{mean}, in the unit of the data."


def first_output(predictions: pd.DataFrame) -> pd.DataFrame:
    """Returns the predictions of the first output, if there are several."""
    if OUTPUT not in predictions or predictions.empty:
        return predictions
    first: pd.DataFrame = predictions[predictions[OUTPUT] == predictions[OUTPUT].iloc[0]]
    return first


def shown_output(result: BaselineResult) -> str:
    """Returns which output `first_output` is, or ""."""
    if not result.outputs:
        return ""
    name = printable_line(result.outputs[0].output)
    return f", of the output {name} of {len(result.outputs)}"


def data_frame(results: Sequence[BaselineResult]) -> pd.DataFrame:
    """Returns one row per recipe and output."""
    return pd.DataFrame(
        [
            {"id": result.row.id, **errors.record()}
            for result in results
            for errors in result.outputs
        ]
    )


def blocks(result: BaselineResult) -> list[Block]:
    """Returns the block with the errors of each output of a recipe; none if it has only one."""
    if not result.outputs:
        return []
    by_step = all(errors.output.isdecimal() for errors in result.outputs)
    what = "Rows ahead" if by_step else "Output"
    titles = (what, "MAE", "RMSE", "Best baseline", "Its MAE", "Its RMSE", "Skill")
    numeric = (by_step, True, True, False, True, True, True)
    cells = tuple(_cells(errors) for errors in result.outputs)
    caption = f"Errors of {printable_line(result.row.id)} by {what.lower()}."
    picture = _picture(result) if by_step else None
    divided = "." if by_step else ", each divided by the standard deviation of its target."
    heading = "By step" if by_step else "By output"
    table = TextTable(titles, numeric, cells, ("",) * len(cells))
    return [Block(heading, (), picture, table, caption, (NOTE + divided,))]


def _cells(errors: OutputErrors) -> tuple[str, ...]:
    return (
        printable_line(errors.output),
        f"{errors.mae:.4g}",
        f"{errors.rmse:.4g}",
        printable_line(errors.baseline),
        f"{errors.baseline_mae:.4g}",
        f"{errors.baseline_rmse:.4g}",
        wording.percent(errors.skill, " %").replace("-", "−"),
    )


def _picture(result: BaselineResult) -> Picture:
    caption = (
        f"The mean absolute error of {printable_line(result.row.id)} and of the best baseline of "
        "each step, by the number of rows ahead."
    )
    return Picture("steps-ahead", _draw(result.outputs), "Errors by rows ahead", caption)


@styled
def _draw(outputs: tuple[OutputErrors, ...]) -> Figure:
    steps = [int(errors.output) for errors in outputs]
    figure = new_figure(3.0)
    axes = figure.subplots()
    errors = [e.mae if np.isfinite(e.mae) else np.nan for e in outputs]
    axes.plot(steps, errors, "o-", markersize=3, color=LINE_COLORS[0], label="network")
    baselines = [e.baseline_mae for e in outputs]
    label = "best baseline of each step"
    axes.plot(steps, baselines, "o--", markersize=3, color=LINE_COLORS[1], label=label)
    axes.set_xlabel("rows ahead")
    axes.set_ylabel("mean absolute error")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8, frameon=False, labelcolor=TEXT_COLOR)
    return figure
