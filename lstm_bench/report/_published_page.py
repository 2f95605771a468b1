"""The parts of a report about published trials, and about recipes that were not run."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lstm_bench.analysis import PublishedTrials, Reproduction
from lstm_bench.report import _wording as wording
from lstm_bench.report._text_tables import TextTable
from lstm_bench.results import NotRun
from lstm_bench.safety import printable_line
from lstm_bench.statistics import MIN_SUCCESSES, RATE_MARGIN, RATIO_MARGIN

TITLE = "Published trials: success rates and training sequences"
CAPTION = (
    "How many of the published trials and of our seeds succeeded, n = {} each, and the mean number "
    "of training sequences of those that did. Differences in percentage points."
)
READING = (
    "Success rate: it is not reproduced if the rates differ at the 5 % level, by Boschloo's exact "
    "test. It is reproduced if they do not, and Newcombe's 95 % interval of the difference "
    f"excludes more than {100 * RATE_MARGIN:g} points. A seed that diverged has not succeeded.",
    "Training sequences: only the mean of the published trials is known. If they spread as our "
    "successful seeds do, a smoothed bootstrap of the logarithms tells how far two such means "
    "differ by chance. The number is not reproduced if they differ at the 5 % level; it is "
    "reproduced if they do not, and the 95 % interval of their ratio excludes a factor of "
    f"{RATIO_MARGIN:g}. Fewer than {MIN_SUCCESSES} successful seeds cannot tell.",
)
NOT_RUN_CAPTION = (
    "Recipes that take hours: they are run with --full alone, and so were left out here."
)
HINT = "not run: takes hours; run with --full"


def trials_table(reproductions: Sequence[Reproduction]) -> TextTable | None:
    """Returns the published trials with ours and both verdicts; None without any."""
    judged = [item for item in reproductions if item.trials is not None]
    if not judged:
        return None
    worded = any(item.row.published and not item.has_result for item in judged)
    counted = any(item.trials and item.trials.published_sequences for item in judged)
    titles = [
        *("Recipe", *["Published"] * worded, "Solved, published", "Solved, ours"),
        *("Difference, 95 %", "Verdict on the rate"),
        *(["Sequences, published", "Sequences, ours", "Ratio, 95 %"] * counted),
        *(["Verdict on sequences"] * counted),
        "Why",
    ]
    text = {"Recipe", "Published", "Verdict on the rate", "Verdict on sequences", "Why"}
    cells = [_trials_cells(item, worded, counted) for item in judged]
    return TextTable(tuple(titles), tuple(title not in text for title in titles), tuple(cells))


def _trials_cells(item: Reproduction, worded: bool, counted: bool) -> tuple[str, ...]:
    trials, row = item.trials, item.row
    assert trials is not None
    success, verdict = trials.success, trials.sequences_verdict
    words = printable_line(row.published) if row.published and not item.has_result else wording.NONE
    difference = wording.signed_points(success.difference)
    interval = wording.points_interval(success.low, success.high)
    reasons = [trials.success_verdict.reason, *([verdict.reason] if verdict else [])]
    return (
        printable_line(row.id),
        *[words] * worded,
        f"{success.published_k}/{success.published_n}",
        f"{success.k}/{success.n}",
        f"{difference} {interval}",
        trials.success_verdict.word,
        *(_sequences_cells(trials) if counted else ()),
        " ".join(reasons),
    )


def _sequences_cells(trials: PublishedTrials) -> tuple[str, ...]:
    published, ratio, verdict = (
        trials.published_sequences,
        trials.sequences,
        trials.sequences_verdict,
    )
    ours = compared = wording.NONE
    if ratio is not None and ratio.n:
        interval = "" if math.isnan(ratio.low) else f" [{ratio.low:.2f}, {ratio.high:.2f}]"
        ours, compared = wording.whole_number(ratio.mean), f"{ratio.ratio:.2f}{interval}"
    return (
        wording.NONE if published is None else wording.whole_number(published),
        ours,
        compared,
        verdict.word if verdict else wording.NONE,
    )


def not_run_table(recipes: Sequence[NotRun]) -> TextTable | None:
    """Returns the recipes that were not run, with what was published about them."""
    if not recipes:
        return None
    cells = [
        (printable_line(recipe.id), printable_line(recipe.name), published_figures(recipe), HINT)
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
        parts.append("{}/{} solved".format(*recipe.published_success))
    if recipe.published_sequences is not None:
        parts.append(f"{wording.whole_number(recipe.published_sequences)} sequences")
    return "; ".join(parts) or wording.NONE
