"""The parts of a report about published results, and about recipes that were not run."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lstm_bench.analysis import Findings, Reproduction, figures_by_chance
from lstm_bench.report import _wording as wording
from lstm_bench.report._text_table import TextTable
from lstm_bench.report._verdict_counts import MAX_IDS, verdict_sentence
from lstm_bench.results import NotRun, counted
from lstm_bench.safety import printable_line
from lstm_bench.statistics import MIN_SUCCESSES, RATE_MARGIN, RATIO_MARGIN

RATES_CAPTION = (
    "How many of the published trials and of our seeds succeeded, n = {} each. Differences in "
    "percentage points."
)
READING_RATES = (
    "It is not reproduced if the rates differ at the 5 % level, by Boschloo's exact test. It is "
    "reproduced if they do not, and Newcombe's 95 % interval of the difference excludes more than "
    f"{100 * RATE_MARGIN:g} points. A seed that diverged has not succeeded.",
)
SEQUENCES_CAPTION = (
    "The mean number of training sequences of the published trials and of our seeds that succeeded."
)
READING_SEQUENCES = (
    "Only the mean of the published trials is known. If they spread as our successful seeds do, a "
    "smoothed bootstrap of the logarithms tells how far two such means differ by chance. The "
    "number is not reproduced if they differ at the 5 % level; it is reproduced if they do not, "
    f"and the 95 % interval of the ratio excludes a factor of {RATIO_MARGIN:g}. Fewer than "
    f"{MIN_SUCCESSES} successful seeds say nothing of the mean. If it was not published how many "
    "trials succeeded, the mean is taken as that of all; a known share of them then took no more "
    "sequences than each of our seeds had (Markov's inequality). The number is not reproduced if "
    "our seeds succeed more rarely than that.",
)
NOT_RUN_CAPTION = (
    "Recipes that take long: they are run with --full alone, and so were left out here."
)


def reproductions(findings: Findings) -> list[str]:
    """Returns the sentences about published results and single figures."""
    verdicts = [
        (reproduction.row.id, reproduction.verdict.word)
        for reproduction in findings.reproductions
        if reproduction.verdict is not None
    ]
    if not verdicts:
        return []
    untested = [
        printable_line(reproduction.row.id)
        for reproduction in findings.reproductions
        if reproduction.verdict is None and reproduction.has_result
    ]
    how_many = counted(len(verdicts), "published result")
    counts = _reproduced(f"{how_many} that can be tested" if untested else how_many, verdicts)
    if len(verdicts) > 1 and counts.startswith("All"):
        counts = f"{counts.removesuffix('.')}: our seeds contradict none of them."
    chance = figures_by_chance(findings.reproductions)
    return [counts, *_untested(untested), *[chance] * bool(chance)]


def _untested(ids: list[str]) -> list[str]:
    """Returns the sentence about published words that no seed can contradict."""
    if not ids:
        return []
    named_ids = f": {', '.join(ids)}" if len(ids) <= 2 * MAX_IDS else ""
    verb = "names" if len(ids) == 1 else "name"
    how_many = counted(len(ids), "further published result")
    return [f"{how_many} {verb} neither a figure nor a claim{named_ids}."]


def published_trials(findings: Findings) -> list[str]:
    """Returns the sentences about published success rates and numbers of sequences."""
    judged = [(item.row.id, item.trials) for item in findings.reproductions if item.trials]
    rates = [(i, t.success_verdict.word) for i, t in judged if t.success_verdict is not None]
    sequences = [
        (id_, trials.sequences_verdict.word) for id_, trials in judged if trials.sequences_verdict
    ]
    sentences = []
    if rates:
        sentences.append(_reproduced(counted(len(rates), "published success rate"), rates))
    if sequences:
        count = counted(len(sequences), "published number")
        sentences.append(_reproduced(f"{count} of training sequences", sequences))
    return sentences


def _reproduced(how_many: str, verdicts: Sequence[tuple[str, str]]) -> str:
    return verdict_sentence(how_many, verdicts, ("reproduced", "not reproduced", "cannot tell"))


def rates_table(reproductions: Sequence[Reproduction]) -> TextTable | None:
    """Returns published success rates with ours and the verdict; None without any."""
    cells = []
    for item in reproductions:
        success = item.trials.success if item.trials else None
        verdict = item.trials.success_verdict if item.trials else None
        if success is None or verdict is None:
            continue
        words = "" if item.has_result else printable_line(item.row.published)
        cells.append(
            (
                printable_line(item.row.id),
                words or wording.NONE,
                f"{success.published_k}/{success.published_n}",
                f"{success.k}/{success.n}",
                wording.signed_points(success.difference),
                wording.points_interval(success.low, success.high),
                verdict.word,
                verdict.reason,
            )
        )
    if not cells:
        return None
    # Mostly the table of published results has the words, or there are none.
    worded = any(line[1] != wording.NONE for line in cells)
    shown = [line if worded else (line[0], *line[2:]) for line in cells]
    titles = ["Recipe", *["Published"] * worded, "Solved, published", "Solved, ours", "Difference"]
    titles += ["95 % interval", "Verdict", "Why"]
    numeric = (False, *[False] * worded, True, True, True, True, False, False)
    return TextTable(tuple(titles), numeric, tuple(shown))


def sequences_table(reproductions: Sequence[Reproduction]) -> TextTable | None:
    """Returns published numbers of training sequences with ours and the verdict, or None."""
    cells = []
    for item in reproductions:
        verdict = item.trials.sequences_verdict if item.trials else None
        if item.trials is None or item.trials.published_sequences is None or verdict is None:
            continue
        ratio, ours, factor, interval = item.trials.sequences, wording.NONE, wording.NONE, ""
        if ratio is not None and ratio.n:
            ours, factor = wording.whole_number(ratio.mean), f"{ratio.ratio:.2f}"
            interval = "" if math.isnan(ratio.low) else f"[{ratio.low:.2f}, {ratio.high:.2f}]"
        cells.append(
            (
                printable_line(item.row.id),
                wording.whole_number(item.trials.published_sequences),
                ours,
                factor,
                interval or wording.NONE,
                verdict.word,
                verdict.reason,
            )
        )
    titles = (
        *("Recipe", "Sequences, published", "Sequences, ours", "Ours / published"),
        *("95 % interval", "Verdict", "Why"),
    )
    numeric = (False, True, True, True, True, False, False)
    return TextTable(titles, numeric, tuple(cells)) if cells else None


def not_run_table(recipes: Sequence[NotRun]) -> TextTable | None:
    """Returns the recipes that were not run, with what was published about them."""
    if not recipes:
        return None
    cells = [
        (
            printable_line(recipe.id),
            printable_line(recipe.name),
            published_figures(recipe),
            f"not run: {recipe.why}",
        )
        for recipe in recipes
    ]
    return TextTable(("Recipe", "Configuration", "Published", "State"), (False,) * 4, tuple(cells))


def published_figures(recipe: NotRun) -> str:
    """Returns all that was published about a recipe: `20/20 solved; 31,390 sequences`."""
    parts = [printable_line(recipe.published)] if recipe.published else []
    if recipe.published_accuracy is not None:
        parts.append(f"accuracy {wording.percent(recipe.published_accuracy, ' %')}")
    if recipe.claim:
        parts.append(f"claim: {recipe.claim}")
    if recipe.published_success:
        succeeded, trials = recipe.published_success
        solved = "" if succeeded is None else f"{succeeded}/"
        parts.append(f"{solved}{trials} {'trials' if succeeded is None else 'solved'}")
    if recipe.published_sequences is not None:
        parts.append(f"{wording.whole_number(recipe.published_sequences)} sequences")
    return "; ".join(parts) or wording.NONE
