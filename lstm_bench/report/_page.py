"""Every file of a report, in memory."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lstm_bench.analysis import Family, Findings, sweep_findings
from lstm_bench.report import _baseline_page as baseline_page
from lstm_bench.report import _interval_page as interval_page
from lstm_bench.report import _origin_page as origin_page
from lstm_bench.report import _output_page as output_page
from lstm_bench.report import _published_page as published_page
from lstm_bench.report import _ranking_page as ranking_page
from lstm_bench.report import _search_page as search_page
from lstm_bench.report import _search_tables as search_tables
from lstm_bench.report import _tables as tables
from lstm_bench.report import _text_tables as text_tables
from lstm_bench.report import _wording as wording
from lstm_bench.report._answer import summarize
from lstm_bench.report._description import task_sentences
from lstm_bench.report._markdown import markdown_cell, markdown_table, markdown_text
from lstm_bench.report._pictures import MAX_DETAILS, inline_svg, page_pictures
from lstm_bench.report._sections import Picture, Section
from lstm_bench.report._sections import pictures as section_pictures
from lstm_bench.report._text_table import TextTable, source_text
from lstm_bench.results import PREDICTION_COLUMNS, Row, SweepData, counted
from lstm_bench.safety import as_csv, printable_line, replace_controls
from lstm_bench.statistics import (
    DEFAULT_MARGIN,
    MIN_VERDICT_SEEDS,
    NEAR_BOUND,
    NEAR_BOUND_SEEDS,
    REJECTION_LEVEL,
)

FIXED_CAPTION = (
    "Fixed recipes, n = {} each, in the order of the sweep file. Accuracies and rates in percent; "
    "the best recipe, if all are of one task, is in bold."
)
DIFFERENT_STEPS = (
    "A framing that needs past steps scores fewer steps: a window of 3 does not score the first "
    "two. Accuracies and rates of different framings are therefore of different steps."
)
SAME_STEPS = (
    "All recipes of a file are scored on the same steps, whatever their framing, unless it needs "
    "more than 256 past rows."
)
READING = (
    "Accuracy: mean ± standard deviation over the seeds. Its 95 % interval is Student's t for the "
    "mean, corrected for skewness (Hall 1992), clipped to 0 and 100. There is none if all seeds "
    f"have the same accuracy (“all equal”), nor if fewer than {NEAR_BOUND_SEEDS} seeds are all "
    f"within {100 * NEAR_BOUND:g} points of 0 or of 100 (“n too small”): they cannot exclude that "
    "one seed in ten is very different. The Wilson interval shows how much they do exclude. Nor "
    "does any interval of a mean count a rare seed that fails as none of those that were run: of "
    "5, 10 and 30 seeds without one, up to 46, 26 and 10 seeds in 100 may.",
    "Solved: seeds that solved the task, k of n, with Wilson's 95 % score interval for the rate.",
    DIFFERENT_STEPS,
    "Epochs to solve: median over all seeds of the first epoch from which the task stayed solved; "
    "a seed that never solved it counts as later than any. “> E”: the median is later than the "
    "last epoch, E. Where an evaluation after every epoch would cost over a tenth of the "
    "training, the distances between evaluations grow with the epochs, to a twentieth of them, "
    "unless `evaluate_every` is set: so these epochs may be up to 5 % too late, and too "
    "early where a task was not solved for a while between two evaluations. With `stop=rule` it is "
    "the epoch in which the rule was met.",
    "Updates: weight updates per seed. Seconds: training of all seeds, without compiling.",
)
PUBLISHED_CAPTION = (
    "Published results and ours, n = {} each, in percent. The range is from the smallest to the "
    "largest seed."
)
READING_PUBLISHED = (
    "A published figure is one run. If that run was made like ours, it is one more draw from the "
    "same distribution. It is not reproduced if it lies outside the interval that holds a further "
    f"run with a probability of {100 * (1 - REJECTION_LEVEL):.0f} %: from the ranks of our seeds, "
    "whatever their distribution, interpolated if no two are equal. That takes at least "
    f"{MIN_VERDICT_SEEDS} seeds, and the interval is narrower than the range of all seeds, so that "
    "a figure inside the range may not be reproduced. As one of all figures: after Holm's "
    "correction, so that at most one page in ten has any such figure by chance. A figure is equal "
    "to what would be printed as it is: “84 %” to 83.5 up to 84.5 %.",
    "Why: the prediction interval is that of one further run; p is the probability that such a run "
    "has a rank as extreme. “Up to 11 % may” is the upper end of Wilson's 95 % interval of the "
    "solve rate, “as few as 89 % may” its lower end.",
    "If the source claims that its run solved the task, that no run can (“never”), or that every "
    "run does (“always”), the claim is judged by how many seeds solve it, and the figure is only "
    "shown. A source that reports a single run which failed claims nothing of other runs. Words "
    "with neither a figure nor a claim have no verdict.",
    "Reproduced means that our seeds do not contradict the published result. It does not mean that "
    "they prove it.",
)
COMPARISONS_CAPTION = (
    "Comparisons of the sweep file, seed by seed if two recipes share seeds: a seed has the same "
    "data, initial weights and order in both. Differences of accuracies and rates in percentage "
    "points."
)
READING_COMPARISONS = (
    "Real: the difference is not 0 at the 4.8 % level, after Holm's correction for all comparisons "
    "of this report. Not real: its whole 95 % interval lies within the margin, "
    f"{100 * DEFAULT_MARGIN:g} points unless the sweep file sets another, or no seed differs; "
    f"over at least {NEAR_BOUND_SEEDS} seeds, because fewer may miss what happens to every tenth. "
    "Anything else cannot be told yet; the number of further seeds is an estimate, for 80 % power, "
    "from the spread so far; its range is that of a difference one standard error off.",
    "Whoever adds seeds until there is a verdict is still wrong in at most 5 %: 4.8 % are spent by "
    "the number of seeds that was planned at first, next to nothing before, and the rest on all "
    "larger numbers. The numbers with which the sweep has been reported are remembered.",
    "Unless so many seeds in 100 come out as none did: one seed that fails badly weighs as much in "
    "a mean as many small gains, and no test sees it before it happens. The first number is the "
    "share of seeds, at 0 or 100, that would undo the verdict; the second is the largest share "
    "that so many seeds miss in 1 of 20 samples. How often a seed is higher than another one needs "
    "no such condition; its interval is that of Clopper and Pearson, with ties counted half.",
    "Means: Student's t and a sign-flip test; the larger p value counts. Rates: the exact "
    "unconditional test of two paired rates (Suissa and Shuster 1991), and Newcombe's interval for "
    "paired proportions (1998, method 10). Epochs to solve: the log-rank test; a seed that never "
    "solved the task is censored at its last epoch.",
    "Recipes without a seed in common: Welch's t and a permutation test for means; for rates "
    "Boschloo's exact test and Newcombe's interval for independent proportions.",
)
READING_MEMORY_SPANS = (
    "Memory span: where half of the seeds solve the task, by isotonic regression of the solve "
    "rate, with straight lines between the values that were run. > or <: beyond the last value, or "
    "before the first. The 95 % interval resamples the seeds; its ends are values that were run, "
    "because nothing is known between them.",
)


@functools.cache
def page_script() -> tuple[str, str]:
    """Returns the script of every page, and the digest that lets a browser run it and no other.

    It sorts and filters tables, and opens what a link leads to. The page is whole without it.
    """
    script = resources.files(__package__).joinpath("templates", "page.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest())
    return script, f"sha256-{digest.decode('ascii')}"


@dataclass(frozen=True)
class RecipeLink:
    """Where the whole configuration of a recipe is on the page, and what pointing at it shows."""

    anchor: str
    hint: str


def _recipe_links(rows: Sequence[Row]) -> dict[str, RecipeLink]:
    """Returns a link for the id of each row."""
    return {
        printable_line(row.id): RecipeLink(
            f"recipe-{number}",
            wording.full_name(row) + (f". {printable_line(row.note)}" if row.note else ""),
        )
        for number, row in enumerate(rows, 1)
    }


@dataclass(frozen=True)
class Steps:
    """The step-by-step table of one recipe."""

    row: Row
    table: TextTable
    caption: str


def render(result: SweepData, findings: Findings | None = None) -> dict[str, bytes]:
    """Returns the files of the report of `result`: path below its folder -> content."""
    findings = findings or sweep_findings(result)
    searched = search_tables.frames(findings)
    pictures, sections = page_pictures(findings), _sections(findings, searched)
    files = {
        f"figures/{name}": content
        for picture in [*pictures, *section_pictures(sections)]
        for name, content in picture.files()
    }
    frames = _frames(findings, searched)
    values = _template_values(findings, pictures) | {
        "sections": sections,
        "frames": list(frames),
        "figures": [name.removeprefix("figures/") for name in files],
        "max_predictions": tables.MAX_PREDICTIONS,
    }
    for name, frame in frames.items():
        digits = "%.6g" if name == "curves" else None  # single precision has no more
        files[f"{name}.csv"] = _encode(as_csv(frame, digits))
    for name, html in (("report.md", False), ("index.html", True)):
        text = _environment(html).get_template(f"{name}.j2").render(values)
        files[name] = _encode(replace_controls(text))
    return files


def _title(result: SweepData) -> str:
    """Returns the title of the sweep, with what was overridden in its file for this run."""
    title = result.title or result.name
    return f"{title} (with {result.overrides})" if result.overrides else title


def all_pictures(findings: Findings) -> list[Picture]:
    """Returns every picture of the report, in the order of the page."""
    sections = _sections(findings, search_tables.frames(findings))
    return [*page_pictures(findings), *section_pictures(sections)]


def _sections(findings: Findings, searched: Mapping[str, pd.DataFrame]) -> list[Section]:
    return [
        *ranking_page.sections(findings),
        *baseline_page.sections(findings),
        *interval_page.sections(findings),
        *search_page.sections(findings, searched),
    ]


def _frames(findings: Findings, searched: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Returns the tables of the CSV files by name: four that every report has, then non-empty ones.

    `predictions` are those of the best recipe; of all recipes if there is no best one.
    """
    result, families = findings.result, findings.families
    predicted = [findings.best] if findings.best else result.rows
    with_curves = [*findings.unselected, *findings.searched[: tables.MAX_TRIAL_CURVES]]
    empty = pd.DataFrame(columns=list(PREDICTION_COLUMNS))
    frames = {
        "comparison": tables.comparison(result),
        "seeds": tables.seeds(result),
        "curves": tables.curves(with_curves),
        "predictions": pd.concat(map(tables.predictions, predicted)) if predicted else empty,
    }
    further = {
        "published": tables.published(findings.reproductions),
        "comparisons": tables.comparisons(findings.comparisons),
        "refused": tables.refused(result),
        "horizon": tables.memory_spans(families),
        "naive": baseline_page.data_frame(findings.baselines),
        "outputs": output_page.data_frame(findings.baselines),
        "origins": origin_page.data_frame(findings.baselines),
        "intervals": interval_page.data_frame(findings.intervals),
        "rates": pd.concat(family.rates() for family in families) if families else empty,
        **ranking_page.data_frames(findings.ranking),
        **searched,
    }
    return frames | {name: frame for name, frame in further.items() if len(frame)}


def _encode(text: str) -> bytes:
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
    environment.filters |= {
        "inline_svg": inline_svg,
        "full_name": wording.full_name,
        "typeset": wording.typeset,
        "markdown": markdown_text,
        "markdown_cell": markdown_cell,
        "markdown_table": markdown_table,
    }
    return environment


def _template_values(findings: Findings, pictures: Sequence[Picture]) -> dict[str, Any]:
    """Returns the values that the templates show."""
    result, best = findings.result, findings.best
    fixed, searched = result.fixed, findings.searched
    search, space = text_tables.search(findings)
    shared, varying = text_tables.settings(fixed) if fixed else (None, None)
    search_shared, _ = text_tables.settings(searched) if searched else (None, None)
    reproductions, families = findings.reproductions, findings.families
    with_result = [item for item in reproductions if item.has_result]
    with_trials = [item.row for item in reproductions if item.trials is not None]
    judged_seeds = wording.seed_counts([item.row for item in with_result])
    detailed = findings.unselected if len(findings.unselected) <= MAX_DETAILS else ()
    comparisons = findings.comparisons
    script, digest = page_script()
    named = [*findings.unselected, *searched[: text_tables.MAX_TRIALS]]
    return {
        "title": printable_line(_title(result)),
        "name": printable_line(f"{result.name} {result.overrides}".rstrip()),
        "about": [
            *(printable_line(part) for part in re.split(r"\n\s*\n", result.about) if part.strip()),
            *task_sentences(result.rows),
        ],
        "summary": summarize(findings),
        "recipes": _recipe_links(named),
        "in_full": text_tables.in_full(named, result) if named else None,
        "in_full_caption": f"The configuration of {counted(len(named), 'recipe')}",
        "script": Markup(script),
        "script_digest": digest,
        "source": source_text(result.source, result.url),
        "pictures": pictures,
        "fixed": text_tables.fixed(findings) if fixed else None,
        "fixed_caption": FIXED_CAPTION.format(wording.seed_counts(fixed)),
        "published": text_tables.published(with_result, result) if with_result else None,
        "published_caption": PUBLISHED_CAPTION.format(judged_seeds),
        "reading_published": READING_PUBLISHED,
        "published_rates": published_page.rates_table(reproductions),
        "published_rates_caption": published_page.RATES_CAPTION.format(
            wording.seed_counts(with_trials)
        ),
        "reading_rates": published_page.READING_RATES,
        "published_sequences": published_page.sequences_table(reproductions),
        "published_sequences_caption": published_page.SEQUENCES_CAPTION,
        "reading_sequences": published_page.READING_SEQUENCES,
        "not_run": published_page.not_run_table(result.not_run),
        "not_run_caption": published_page.NOT_RUN_CAPTION,
        "comparisons": text_tables.comparisons(comparisons) if comparisons else None,
        "refused": text_tables.refused(result) if result.refused else None,
        "comparisons_caption": COMPARISONS_CAPTION,
        "reading_comparisons": READING_COMPARISONS,
        "memory_spans": text_tables.memory_spans(families) if families else None,
        "memory_spans_caption": _memory_spans_caption(families),
        "reading_memory_spans": READING_MEMORY_SPANS,
        "trials": text_tables.trials(findings) if searched else None,
        "trials_caption": _trials_caption(findings),
        "reading": [
            SAME_STEPS if findings.baselines and text is DIFFERENT_STEPS else text
            for text in READING
        ],
        "best": _steps(best) if best else None,
        "others": [_steps(row) for row in detailed if best is None or row.id != best.id],
        "searched": result.search is not None or bool(searched),
        "search": search,
        "space": space,
        "search_shared": search_shared,
        "settings_shared": shared,
        "settings_varying": varying if varying and len(varying.titles) > 1 else None,
        "provenance": text_tables.provenance(result),
    }


def _trials_caption(findings: Findings) -> str:
    rows = findings.searched
    shown = min(len(rows), text_tables.MAX_TRIALS)
    which = f"The best {shown} of" if shown < len(rows) else "All"
    rest = "; comparison.csv has all of them" if shown < len(rows) else ""
    stopped = ""
    if findings.savings.stopped:
        stopped = " Recipes that were stopped have fewer seeds, no rank, and come last."
    return (
        f"{which} {counted(len(rows), 'distinct recipe')}, best first, n = "
        f"{wording.seed_counts(rows)} each{rest}.{stopped} Only "
        "settings that vary have a column. Accuracies and rates in percent. The best of many is "
        "chosen by the seeds that score it: expect a somewhat lower score on fresh seeds."
    )


def _memory_spans_caption(families: Sequence[Family]) -> str:
    rows = [row for family in families for row in family.rows]
    return (
        "Memory span of each family of recipes, and the seeds that solve the task at each value, "
        f"of n = {wording.seed_counts(rows)}."
    )


def _steps(row: Row) -> Steps:
    """Returns the step-by-step table of a recipe, with its caption."""
    outcome = row.outcome
    frame = tables.steps(outcome)
    table = text_tables.steps(frame, dated=bool(outcome.data))
    shown, total = len(table.rows), len(frame)
    which = f"the first {shown} of {total:,}" if total > shown else f"all {total:,}"
    predictions = "Predictions, seeds: the predictions of these seeds, the most frequent first."
    if pd.api.types.is_float_dtype(frame["expected"]):
        predictions = "On the right: the range of their predictions."
    explanation = "Each seed has different data, so that predictions cannot be compared by step."
    if tables.same_data(outcome):
        explanation = f"Right in k/n: k of the n seeds with the same data. {predictions}"
    if tables.several_are_right(outcome):
        explanation += " Where several symbols may come next, each of them is right."
    caption = (
        f"{printable_line(row.id)}, {which} scored steps. Predicted: by seed {outcome.best_seed}, "
        f"the best of {wording.seed_counts([row])}. {explanation}"
    )
    return Steps(row, table, caption)
