"""A result -> every file of its report, in memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from tabulate import tabulate

from lstm_bench.analysis import Family, ReportFacts, report_facts
from lstm_bench.report import _baseline_page as naive_page
from lstm_bench.report import _figures as figures
from lstm_bench.report import _search_page as search_page
from lstm_bench.report import _search_tables as search_tables
from lstm_bench.report import _tables as tables
from lstm_bench.report import _text_tables as grids
from lstm_bench.report import _wording as w
from lstm_bench.report._sections import Picture
from lstm_bench.report._sections import pictures as pictures_of
from lstm_bench.report._summary import paragraphs
from lstm_bench.report._text_tables import Grid
from lstm_bench.results import PREDICTION_COLUMNS, Row, SweepResult
from lstm_bench.safety import REPLACED, as_csv, escape_markdown
from lstm_bench.statistics import EDGE, ENOUGH, MARGIN, SURE, TOLERANCE

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that no page shows: controls, and those that turn the direction of what follows."""
TRIALS_DRAWN = 20
DETAILS_SHOWN = 80
"""Fixed recipes up to which each shows its own steps and curves."""

FIXED_CAPTION = (
    "Fixed recipes, n = {} each, in the order of the sweep file. Accuracies and rates in percent; "
    "the best recipe, where all are of one task, is in bold."
)
READING = (
    "Accuracy: mean ± standard deviation over the seeds; its 95 % interval is Student's t for the "
    "mean, corrected for skewness (Hall 1992), clipped to 0 and 100. There is none where every "
    f"seed has this very accuracy (“all equal”), nor where fewer than {SURE} seeds are all "
    f"within {100 * EDGE:g} points of 0 or of 100 (“n too small”): they cannot tell whether a seed "
    "in ten is quite another. The Wilson interval says how much they do tell.",
    "Solved: seeds that solved the task, k of n, with Wilson's 95 % score interval for the rate.",
    "A framing that needs a past scores fewer steps: a window of 3 asks nothing about the first "
    "two. Accuracies and rates of different framings are then of different questions.",
    "Epochs to solve: median over all seeds of the first epoch from which the task stayed solved; "
    "a seed that never solved it counts as later than any. “> E”: the median is later than the "
    "last epoch, E.",
    "Updates: weight updates a seed. Seconds: training, summed over the seeds, without compiling.",
)
PUBLISHED_CAPTION = (
    "What was published beside n = {} each. Percent; the spread is from the smallest to the "
    "largest seed."
)
READING_PUBLISHED = (
    "A published figure is one run. If that run was made as ours are, it is one more draw from the "
    "same distribution: it is not reproduced where it lies outside all of our seeds and those are "
    f"at least {ENOUGH}, so that a run like ours would do so at most one time in ten. "
    f"Printed figures are rounded: {100 * TOLERANCE:g} points count as equal.",
    "Where the source claims that its run solved the task, that no run can, or that every run "
    "does, the claim is judged by how many seeds solve it, and the figure is shown beside it.",
)
COMPARISONS_CAPTION = (
    "Rows that are compared with one another, seed by seed where they share seeds: a seed has the "
    "same data, initial weights and order in both. Differences of accuracies and rates in "
    "percentage points."
)
READING_COMPARISONS = (
    "Real: the difference is not 0 at the 5 % level, after Holm's correction for all comparisons "
    "of this report. Not real: its whole 95 % interval lies within the margin, "
    f"{100 * MARGIN:g} points unless the sweep says otherwise. Anything else cannot be told "
    "yet; the seeds that would do are an estimate, for 80 % power, from the spread seen so far.",
    "Means: Student's t and a sign-flip test, of which the less certain one counts. Rates: "
    "McNemar's exact test, and Newcombe's interval for paired proportions (1998, method 10). "
    "Epochs to solve: the log-rank test; a seed that never solved it is censored at its last one.",
    "Rows without a seed in common: Welch's t and a permutation test for means, and for rates "
    "Boschloo's exact test and Newcombe's interval for independent proportions.",
)
READING_HORIZON = (
    "Where half solve it: isotonic regression of the solve rate, straight lines between the values "
    "tried. > or <: beyond the last value tried, or before the first. The 95 % interval resamples "
    "the seeds; its ends are values tried, because nothing is known between them.",
)


@dataclass(frozen=True)
class Steps:
    """The step-by-step table of one recipe."""

    row: Row
    grid: Grid
    caption: str


def render(result: SweepResult, found: ReportFacts | None = None) -> dict[str, bytes]:
    """Returns the files of the report of `result`: path below its folder -> content."""
    found = found or report_facts(result)
    searched = search_tables.frames(found)
    sections = [*naive_page.sections(found), *search_page.sections(found, searched)]
    pictures = _pictures(found)
    every = [*pictures, *pictures_of(sections)]
    files = {f"figures/{picture.stem}.svg": picture.svg for picture in every}
    shown = [found.best] if found.best else result.rows
    none = pd.DataFrame(columns=list(PREDICTION_COLUMNS))
    drawn = [*found.sure, *found.picked[: tables.CURVES_OF_TRIALS]]
    frames = {
        "comparison": tables.comparison(result),
        "seeds": tables.seeds(result),
        "curves": tables.curves(drawn),
        "predictions": pd.concat(map(tables.predictions, shown)) if shown else none,
    }
    further = {
        "published": tables.published(found.verdicts),
        "comparisons": tables.comparisons(found.comparisons),
        "refused": tables.refused(result),
        "horizon": tables.horizon(found.families),
        "naive": naive_page.frame(found.beside),
        "rates": pd.concat(map(tables.rates, found.families)) if found.families else none,
        **searched,
    }
    frames |= {name: frame for name, frame in further.items() if len(frame)}
    facts = _facts(found, pictures)
    facts |= {"sections": sections, "frames": list(frames), "answers_kept": tables.ANSWERS_KEPT}
    for name, frame in frames.items():
        digits = "%.6g" if name == "curves" else None  # single precision has no more
        files[f"{name}.csv"] = _encoded(as_csv(frame, digits))
    for name, html in (("report.md", False), ("index.html", True)):
        text = _environment(html).get_template(f"{name}.j2").render(facts)
        files[name] = _encoded(CONTROL.sub(REPLACED, text))
    return files


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", errors="replace")


def _environment(html: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("lstm_bench.report"),
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"inline": inline, "whole": whole, "md": escape_markdown, "pipes": pipes}
    return environment


def _facts(found: ReportFacts, pictures: Sequence[Picture]) -> dict[str, Any]:
    """Returns what the templates show."""
    result, best = found.result, found.best
    fixed, picked = result.fixed, found.picked
    search, space = grids.search(found)
    shared, varying = grids.settings(fixed) if fixed else (None, None)
    searched, _ = grids.settings(picked) if picked else (None, None)
    judged, compared, reached = found.verdicts, found.comparisons, found.families
    each = found.sure if len(found.sure) <= DETAILS_SHOWN else ()
    return {
        "title": w.printable(result.title or result.name),
        "name": w.printable(result.name),
        "about": [w.printable(part) for part in re.split(r"\n\s*\n", result.about) if part.strip()],
        "summary": paragraphs(found),
        "pictures": pictures,
        "fixed": grids.fixed(found) if fixed else None,
        "remarks": [(w.printable(row.id), w.printable(row.note)) for row in fixed if row.note],
        "fixed_caption": FIXED_CAPTION.format(w.seeds_of(fixed)),
        "published": grids.published(judged) if judged else None,
        "published_caption": PUBLISHED_CAPTION.format(w.seeds_of([each.row for each in judged])),
        "reading_published": READING_PUBLISHED,
        "comparisons": grids.comparisons(compared) if compared else None,
        "refused": grids.refused(result) if result.refused else None,
        "comparisons_caption": COMPARISONS_CAPTION,
        "reading_comparisons": READING_COMPARISONS,
        "horizon": grids.horizon(reached) if reached else None,
        "horizon_caption": _horizon_caption(reached),
        "reading_horizon": READING_HORIZON,
        "trials": grids.trials(found) if picked else None,
        "trials_caption": _trials_caption(found),
        "reading": READING,
        "best": _steps(best) if best else None,
        "others": [_steps(row) for row in each if best is None or row.id != best.id],
        "searched": result.search is not None or bool(picked),
        "search": search,
        "space": space,
        "search_shared": searched,
        "settings_shared": shared,
        "settings_varying": varying if varying and len(varying.titles) > 1 else None,
        "provenance": grids.provenance(result),
    }


def _trials_caption(found: ReportFacts) -> str:
    rows, some = found.picked, found.searched.saved.stopped
    shown = min(len(rows), grids.TRIALS_SHOWN)
    which = f"The best {shown} of" if shown < len(rows) else "All"
    rest = "; comparison.csv has all of them" if shown < len(rows) else ""
    stopped = " Those that were stopped have fewer seeds, no rank, and stand last." if some else ""
    return (
        f"{which} {w.many(len(rows), 'distinct recipe')}, best first, n = {w.seeds_of(rows)} "
        f"each{rest}.{stopped} Only settings that vary have a column. Accuracies and rates in "
        "percent. The best of many is chosen by the very seeds that score it: expect a little less "
        "from it on fresh seeds."
    )


def _pictures(found: ReportFacts) -> list[Picture]:
    """Returns the accuracy figure and the learning curves; none if there is no result."""
    if not (found.sure or found.picked):
        return []
    sure, drawn = found.sure, found.picked[:TRIALS_DRAWN]
    below = ", below the line" if sure else ""
    best_of = (
        f"Searched recipes{below}: the best {len(drawn)} of {len(found.picked)}, best first, "
        "picked on the very seeds that score them. "
    )
    title = f"{tables.ranking([*sure, *drawn]).capitalize()} by recipe"
    caption = (
        f"{title}, n = {w.seeds_of([*sure, *drawn])} a recipe, each seed a dot; dots "
        f"with equal or near values are spread vertically. {best_of if drawn else ''}"
        "Where all seeds agree, or are too few, there is no interval."
    )
    svg = figures.accuracy(sure, drawn)
    pictures = [Picture("accuracy", svg, title, caption)]
    pictures += _horizon_pictures(found.families)
    size = figures.CURVES_A_FIGURE
    most = sure[:DETAILS_SHOWN] or found.picked[:size]
    chosen = [row for row in most if len(row.outcome.curves)]
    for number, start in enumerate(range(0, len(chosen), size), 1):
        part = [(row, tables.bands(row.outcome)) for row in chosen[start : start + size]]
        stem = "curves" if len(chosen) <= size else f"curves-{number}"
        pictures.append(
            Picture(stem, figures.curves(part), "Learning curves", _curve_caption(part))
        )
    return pictures


def _horizon_pictures(reached: Sequence[Family]) -> list[Picture]:
    """Returns the solve rate along each axis, so many families a figure."""
    pictures = []
    axes: dict[str, list[Family]] = {}
    for family in reached:
        axes.setdefault(family.axis, []).append(family)
    size = figures.CURVES_A_FIGURE
    parts = [
        (axis, families[start : start + size])
        for axis, families in axes.items()
        for start in range(0, len(families), size)
    ]
    for number, (axis, families) in enumerate(parts, 1):
        named = [(f"{family.id}: {grids.shared_name(family)}", family) for family in families]
        svg = figures.horizon(
            w.heading(axis).capitalize(),
            [(w.printable(name), tables.rates(family)) for name, family in named],
        )
        rows = [row for family in families for row in family.rows]
        caption = (
            f"Solve rate against {w.heading(axis)}, n = {w.seeds_of(rows)} a point, with "
            "Wilson's 95 % band. The line at 50 % is where half of the seeds are left. "
            "Earlier families are drawn wider and paler, so that equal lines all show."
        )
        stem = "horizon" if len(parts) == 1 else f"horizon-{number}"
        pictures.append(Picture(stem, svg, f"Solve rate against {w.heading(axis)}", caption))
    return pictures


def _horizon_caption(reached: Sequence[Family]) -> str:
    rows = [row for family in reached for row in family.rows]
    return f"Seeds that solve it at each value, of n = {w.seeds_of(rows)}, and where half do."


def _curve_caption(part: Sequence[tuple[Row, pd.DataFrame]]) -> str:
    rows = [row for row, _ in part]
    ids = ", ".join(w.printable(row.id) for row in rows)
    broken = any(frame["loss_mean"].isna().any() for _, frame in part)
    return (
        f"Learning curves of {ids}: mean over n = {w.seeds_of(rows)}, band from the lowest to the "
        "highest seed. Accuracy is measured by an evaluation after the epoch, loss during it."
        + (" A line breaks off where a seed's loss is no longer finite." if broken else "")
    )


ANSWERS = "Answers: what those seeds said, the most frequent first."


def _steps(row: Row) -> Steps:
    outcome = row.outcome
    frame = tables.steps(outcome)
    total, grid = len(frame), grids.steps(frame, dated=bool(outcome.data))
    some = (
        f"the first {len(grid.rows)} of {total:,}" if total > len(grid.rows) else f"all {total:,}"
    )
    real = pd.api.types.is_float_dtype(frame["expected"])
    answered = (
        "Right in k/n: k of the n seeds that were asked this same question. "
        f"{'On the right, how far their answers lie apart.' if real else ANSWERS}"
        if tables.asked_alike(outcome)
        else "Each seed has data of its own: what other seeds answered is not to be compared."
    )
    return Steps(
        row,
        grid,
        f"{w.printable(row.id)}, {some} scored steps. Predicted: by seed {outcome.best_seed}, the "
        f"best of {w.seeds_of([row])}. {answered}",
    )


def inline(picture: Picture) -> Markup:
    """Returns an SVG file as an element of a page, in the page's own colours.

    Ids become the picture's own, because several pictures share one document.
    """
    text = picture.svg.decode()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'\bid="', f'id="{picture.stem}-', text)
    text = re.sub(r'href="#', f'href="#{picture.stem}-', text)
    text = text.replace("url(#", f"url(#{picture.stem}-")
    colours = {figures.INK: "currentColor", figures.FAINT: "var(--rule)"}
    for colour, own in (colours | {figures.PAPER: "var(--paper)"}).items():
        text = text.replace(colour, own)
    label = Markup.escape(picture.alt)
    return Markup(text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1))


def whole(text: str) -> str:
    """Returns `text` with numbers that no line break parts from their percent signs."""
    return text.replace(" %", "\u00a0%")


def pipes(grid: Grid) -> str:
    """Returns a grid as a Markdown table; best rows are bold, wrong ones end in a cross."""
    rows = []
    for place, cells in enumerate(grid.rows):
        line = [escape_markdown(cell) for cell in cells]
        if grid.mark(place) == "best":
            line[0] = f"**{line[0]}**"
        if grid.mark(place) == "wrong":
            line[4] += " ✗"
        rows.append(line)
    align = ["right" if number else "left" for number in grid.numeric]
    titles = [escape_markdown(title) for title in grid.titles]
    return tabulate(rows, titles, tablefmt="pipe", colalign=align, disable_numparse=True)
