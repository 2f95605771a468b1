"""The pictures of a page that every sweep may have: scores, memory spans and learning curves."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from lstm_bench.analysis import Family, Findings
from lstm_bench.report import _tables as tables
from lstm_bench.report import _text_tables as text_tables
from lstm_bench.report import _wording as wording
from lstm_bench.report._memory_span_figure import memory_span_figure
from lstm_bench.report._sections import Picture
from lstm_bench.results import (
    BACKGROUND,
    GRID_COLOR,
    MAX_CURVES,
    TEXT_COLOR,
    Row,
    accuracy_figure,
    curves_figure,
    score_strip,
    score_title,
)
from lstm_bench.safety import printable_line

MAX_TRIALS = 20
"""The accuracy figure shows this many recipes of the search."""
MAX_DETAILS = 80
"""Up to this many fixed and confirmed recipes, each has its learning curve and its steps."""


def page_pictures(findings: Findings) -> list[Picture]:
    """Returns the pictures in the order of the page; an empty list without results."""
    if not (findings.unselected or findings.searched):
        return []
    return [
        _accuracy(findings),
        *_memory_spans(findings.families),
        *_learning_curves(findings),
    ]


def _accuracy(findings: Findings) -> Picture:
    """Returns the scores of all fixed and confirmed recipes, and of the best of the search."""
    unselected, searched = findings.unselected, findings.searched[:MAX_TRIALS]
    rows = [*unselected, *searched]
    below = ", below the line" if unselected else ""
    chosen = (
        f"Recipes of the search{below}: the best {len(searched)} of {len(findings.searched)}, best "
        "first, chosen by the seeds that score them. "
    )
    title = f"{tables.ranking_measure(rows).capitalize()} by recipe"
    caption = (
        f"{title}, n = {wording.seed_counts(rows)} per recipe, one dot per seed; dots with equal "
        f"or similar values are spread vertically. {chosen if searched else ''}There is no "
        "interval if all seeds agree, or if there are too few."
    )
    strips = [
        score_strip(row.outcome, wording.recipe_label(row), row.published_accuracy) for row in rows
    ]
    figure = accuracy_figure(strips, score_title(rows[0].outcome), len(searched))
    return Picture("accuracy", figure, title, caption)


def _memory_spans(families: Sequence[Family]) -> list[Picture]:
    """Returns the solve rate along each axis, with at most `MAX_CURVES` families per figure."""
    by_axis: dict[str, list[Family]] = {}
    for family in families:
        by_axis.setdefault(family.axis, []).append(family)
    parts = [
        (axis, on_axis[start : start + MAX_CURVES])
        for axis, on_axis in by_axis.items()
        for start in range(0, len(on_axis), MAX_CURVES)
    ]
    pictures = []
    for number, (axis, part) in enumerate(parts, 1):
        lines = [
            (printable_line(f"{family.id}: {text_tables.shared_name(family)}"), family.rates())
            for family in part
        ]
        figure = memory_span_figure(wording.heading(axis).capitalize(), lines)
        rows = [row for family in part for row in family.rows]
        title = f"Solve rate against {wording.heading(axis)}"
        caption = (
            f"{title}, n = {wording.seed_counts(rows)} per point, with Wilson's 95 % "
            "intervals. The memory span is where the solve rate falls to 50 %. Points at one value "
            "stand a little apart, so that all are visible."
        )
        stem = "horizon" if len(parts) == 1 else f"horizon-{number}"
        pictures.append(Picture(stem, figure, title, caption))
    return pictures


def _learning_curves(findings: Findings) -> list[Picture]:
    """Returns the learning curves of fixed and confirmed recipes, or else of the best trials."""
    rows = findings.unselected[:MAX_DETAILS] or findings.searched[:MAX_CURVES]
    rows = tuple(row for row in rows if len(row.outcome.curves))
    pictures = []
    for number, start in enumerate(range(0, len(rows), MAX_CURVES), 1):
        part = rows[start : start + MAX_CURVES]
        frames = [row.outcome.learning_curve() for row in part]
        figure = curves_figure(frames, [wording.recipe_label(row) for row in part])
        stem = "curves" if len(rows) <= MAX_CURVES else f"curves-{number}"
        pictures.append(Picture(stem, figure, "Learning curves", _curve_caption(part, frames)))
    return pictures


def _curve_caption(rows: Sequence[Row], frames: Sequence[pd.DataFrame]) -> str:
    ids = ", ".join(printable_line(row.id) for row in rows)
    caption = (
        f"Learning curves of {ids}: mean over n = {wording.seed_counts(rows)}, band from the "
        "lowest to the highest seed. Accuracy is measured by an evaluation after the epoch, loss "
        "during it."
    )
    if any(frame["loss_mean"].isna().any() for frame in frames):
        caption += " A line ends where the loss of a seed is no longer finite."
    return caption


def inline_svg(picture: Picture) -> Markup:
    """Returns the SVG element of a picture, in the colours of the page.

    Its ids start with the stem of the picture, because several pictures share one document.
    """
    text = picture.svg.decode()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'\bid="', f'id="{picture.stem}-', text)
    text = re.sub(r'href="#', f'href="#{picture.stem}-', text)
    text = text.replace("url(#", f"url(#{picture.stem}-")
    variables = {
        TEXT_COLOR: "currentColor",
        GRID_COLOR: "var(--rule)",
        BACKGROUND: "var(--paper)",
    }
    for color, variable in variables.items():
        text = text.replace(color, variable)
    label = Markup.escape(picture.alt)
    return Markup(text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1))
