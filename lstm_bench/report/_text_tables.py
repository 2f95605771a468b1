"""The tables of a report as text, for HTML and Markdown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from lstm_bench.analysis import Comparison, Family, Findings, Reproduction, is_stopped
from lstm_bench.provenance import processor_kind
from lstm_bench.report import _tables as tables
from lstm_bench.report import _wording as wording
from lstm_bench.report._text_table import TextTable, source_text
from lstm_bench.results import Outcome, Row, SweepData, counted, measure_mean
from lstm_bench.safety import printable_line

MAX_TRIALS = 40
MAX_STEPS = 60
MAX_ANSWERS = 4


MEASURES = (
    "Seeds",
    "{} ± sd, %",
    "95 % interval",
    "Solved",
    "Wilson 95 %",
    "Epochs to solve",
    "Parameters",
    "Updates",
    "Seconds",
)
"""The columns of every table of recipes; `{}` is the measure that ranks them."""


def measure_titles(rows: Sequence[Row]) -> list[str]:
    """Returns `MEASURES` with the name of the measure that ranks the rows.

    Where that is the skill, nothing is called solved: a skill above 0 on the steps that were scored
    is no proof of one on other data.
    """
    measure = tables.ranking_measure(rows)
    titles = [title.format(measure.capitalize()) for title in MEASURES]
    names = {"Solved": solved_title(rows), "Wilson 95 %": wording.rate_title(measure)}
    return [names.get(title, title) for title in titles]


def solved_title(rows: Sequence[Row]) -> str:
    """Returns the title of the column that counts seeds."""
    return "Seeds with skill > 0" if tables.ranking_measure(rows) == "skill" else "Solved"


def measure_cells(outcome: Outcome) -> tuple[str, ...]:
    """Returns the cells under `MEASURES`."""
    mean, rate = measure_mean(outcome, outcome.score), outcome.solve_rate
    return (
        wording.whole_number(mean.n),
        wording.mean_and_std(mean),
        wording.interval_or_reason(mean),
        wording.solved_count(rate),
        wording.percent_interval(rate.low, rate.high),
        wording.epochs_to_solve(outcome),
        wording.whole_number(outcome.parameters),
        wording.whole_number(outcome.updates),
        wording.seconds(outcome.train_seconds),
    )


def _extra_titles(accuracies: Sequence[str], metrics: Sequence[str]) -> list[str]:
    """Returns the titles of further columns: accuracies of parts of the data, and metrics."""
    titles = [f"{name.replace('_', ' ').capitalize()}, %" for name in accuracies]
    return titles + [wording.heading(name).capitalize() for name in metrics]


def _extra_cells(outcome: Outcome, accuracies: Sequence[str], metrics: Sequence[str]) -> list[str]:
    """Returns the cells under `_extra_titles`."""
    cells = [wording.percent(tables.mean_score(outcome, name)) for name in accuracies]
    return cells + [wording.metric_value(tables.mean_score(outcome, name)) for name in metrics]


def fixed(findings: Findings) -> TextTable:
    """Returns the fixed recipes in the order of the sweep file."""
    result, best = findings.result, findings.best
    rows = result.fixed
    extras = tables.partial_accuracies(rows), result.metrics
    measures = [*measure_titles(rows), *_extra_titles(*extras)]
    cells = tuple(
        (
            printable_line(row.id),
            wording.short_name(row),
            *measure_cells(row.outcome),
            *_extra_cells(row.outcome, *extras),
        )
        for row in rows
    )
    named = best is not None and not findings.families
    marks = tuple("best" if named and best and row.id == best.id else "" for row in rows)
    numeric = (False, False, *[True] * len(measures))
    return TextTable(("Recipe", "What it is", *measures), numeric, cells, marks)


def in_full(rows: Sequence[Row], result: SweepData) -> TextTable:
    """Returns the whole configuration of each row, with its note and its source."""
    columns = {
        "Recipe": [printable_line(row.id) for row in rows],
        "Configuration": [wording.full_name(row) for row in rows],
        "Note": [printable_line(row.note) for row in rows],
        "Source": [
            source_text(row.source, row.url)
            or (source_text(result.source, result.url) if row.role == "fixed" else "")
            for row in rows
        ],
    }
    columns = {title: cells for title, cells in columns.items() if any(cells)}
    titles = tuple(columns)
    cells = tuple(zip(*columns.values(), strict=True))
    return TextTable(titles, (False,) * len(titles), cells)


def refused(result: SweepData) -> TextTable:
    """Returns the configurations that are refused on purpose, and the reasons."""
    titles = ("Id", "Configuration", "Published", "Refused because")
    cells = tuple(
        tuple(
            printable_line(text)
            for text in (
                refusal.id,
                refusal.asked,
                refusal.published or wording.NONE,
                refusal.reason,
            )
        )
        for refusal in result.refused
    )
    return TextTable(titles, (False,) * 4, cells)


PUBLISHED = (
    "Recipe",
    "Published",
    "Accuracy ± sd, %",
    "95 % interval",
    "Range of seeds",
    "Published figure is",
    "Solved",
    "Wilson 95 %",
    "Verdict",
    "Why",
)


POSITIONS = {"inside": "inside the range", "below": "below the range", "above": "above the range"}
"""Where a published figure lies."""


def published(reproductions: Sequence[Reproduction], result: SweepData) -> TextTable:
    """Returns published results with ours and the verdict, one row per recipe."""
    cells, general = [], source_text(result.source, result.url)
    sources = [
        source_text(item.row.source, item.row.url) or general or wording.NONE
        for item in reproductions
    ]
    with_source = any(source != wording.NONE for source in sources)
    for reproduction, source in zip(reproductions, sources, strict=True):
        row, rank, verdict = reproduction.row, reproduction.rank, reproduction.verdict
        accuracy, rate = row.outcome.accuracy, row.outcome.solve_rate
        cells.append(
            (
                printable_line(row.id),
                _published(row),
                wording.mean_and_std(accuracy),
                wording.interval_or_reason(accuracy),
                wording.percent_interval(rank.low, rank.high) if rank else wording.NONE,
                POSITIONS[rank.position] if rank else wording.NONE,
                wording.solved_count(rate),
                wording.percent_interval(rate.low, rate.high),
                _verdict_words(reproduction),
                verdict.reason if verdict else wording.NONE,
                *[source] * with_source,
            )
        )
    numeric = (False, False, True, True, True, False, True, True, False, False, False)
    titles = (*PUBLISHED, "Source")[: len(PUBLISHED) + with_source]
    return TextTable(titles, numeric[: len(titles)], tuple(cells))


def _verdict_words(reproduction: Reproduction) -> str:
    """Returns the verdict, and that as one of all figures of the page if it is another one."""
    verdict, familywise = reproduction.verdict, reproduction.familywise
    if verdict is None:
        return wording.NONE
    if familywise in ("", verdict.word):
        return verdict.word
    return f"{verdict.word}; as one of all figures: {familywise}"


def _published(row: Row) -> str:
    """Returns the published figure and what else was published."""
    text, share = printable_line(row.published), row.published_accuracy
    if share is None:
        return text or "none"
    # The text often begins with the figure itself, which is then not repeated.
    figure = re.match(r"\s*(\d+(?:\.\d+)?) ?%", text)
    if figure and abs(float(figure[1]) - 100 * share) < 0.05:
        return text
    return wording.percent(share, " %") + (f"; {text}" if text else "")


def comparisons(comparisons: Sequence[Comparison]) -> TextTable:
    """Returns the comparisons of the sweep file: claims, differences and verdicts."""
    claimed = any(comparison.question.claim for comparison in comparisons)
    titles = ("Comparison", *["Claimed"] * claimed, "Difference", "p, Holm", "Verdict")
    cells = tuple(
        (
            printable_line(comparison.name),
            *[printable_line(comparison.question.claim) or wording.NONE] * claimed,
            printable_line(comparison.direction),
            wording.p_value(comparison.p_holm),
            comparison.conclusion,
        )
        for comparison in comparisons
    )
    return TextTable(titles, tuple(title == "p, Holm" for title in titles), cells)


def memory_spans(families: Sequence[Family]) -> TextTable:
    """Returns the memory span of each family, and its solved seeds at each value."""
    values = sorted({value for family in families for value in family.span.values})
    axes = list(dict.fromkeys(family.axis for family in families))
    axis = wording.heading(axes[0]) if len(axes) == 1 else "value"
    titles = ["Family", f"Memory span ({axis} where half solve it)", "95 % interval"]
    titles += [f"at {value:,g}" for value in values]
    cells = []
    for family in families:
        solved = {
            float(row.value): wording.solved_count(row.outcome.solve_rate) for row in family.rows
        }
        line = [printable_line(family.id), family.half, family.interval or wording.NONE]
        cells.append((*line, *(solved.get(value, wording.NONE) for value in values)))
    return TextTable(tuple(titles), (False, *[True] * (len(titles) - 1)), tuple(cells))


def trials(findings: Findings, limit: int = MAX_TRIALS) -> TextTable:
    """Returns the recipes of the search best first, at most `limit`, with the settings that vary.

    A recipe that was stopped has no rank, and `stopped` after its number of seeds.
    """
    result, rows, best = findings.result, findings.searched, findings.best
    varying = tables.shared_and_varying_settings(rows)[1]
    repeated = any(repeats for _, repeats in findings.trials)
    extras = tables.partial_accuracies(rows), result.metrics
    measures = [*measure_titles(rows), *_extra_titles(*extras)]
    cells, marks = [], []
    for rank, (row, repeats) in enumerate(findings.trials[:limit], 1):
        stopped = is_stopped(result, row)
        seeds, *other_measures = measure_cells(row.outcome)
        line = [wording.NONE if stopped else str(rank), printable_line(row.id)]
        line += [wording.setting_text(row.outcome.settings.get(key)) for key in varying]
        line += [f"{seeds}, stopped" if stopped else seeds, *other_measures]
        line += _extra_cells(row.outcome, *extras)
        line += [printable_line(", ".join(repeats)) or wording.NONE] * repeated
        cells.append(tuple(line))
        marks.append("best" if best and row.id == best.id else "")
    titles = ("Rank", "Recipe", *map(wording.heading, varying), *measures)
    numeric = (True, False, *(_is_numeric(key, rows) for key in varying), *[True] * len(measures))
    if repeated:
        titles, numeric = (*titles, "Proposed again as"), (*numeric, False)
    return TextTable(titles, numeric, tuple(cells), tuple(marks))


def _is_numeric(key: str, rows: Sequence[Row]) -> bool:
    """Returns whether a setting is a number in every row that has it."""
    values = [row.outcome.settings.get(key, 0) for row in rows]
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def settings(rows: Sequence[Row]) -> tuple[TextTable, TextTable]:
    """Returns the settings that all `rows` share, and those that differ, one row per recipe."""
    shared, varying = tables.shared_and_varying_settings(rows)
    common = {wording.heading(key): wording.setting_text(value) for key, value in shared.items()}
    cells = tuple(
        (
            printable_line(row.id),
            *(wording.setting_text(row.outcome.settings.get(key)) for key in varying),
        )
        for row in rows
    )
    titles = ("Recipe", *map(wording.heading, varying))
    return two_columns(common, "Setting"), TextTable(titles, (False,) * len(titles), cells)


def steps(frame: pd.DataFrame, dated: bool = False, limit: int | None = MAX_STEPS) -> TextTable:
    """Returns the first `limit` rows of `tables.steps`: inputs, expected values and predictions.

    `dated`: the input column holds the time of the expected value. Of real-valued predictions, the
    range over the seeds is shown.
    """
    real_valued = pd.api.types.is_float_dtype(frame["expected"])
    frame = frame if limit is None else frame.head(limit)
    cells, marks = [], []
    for step in frame.to_dict("records"):
        cells.append(
            (
                str(step["sequence"]),
                str(step["step"]),
                wording.symbol(step["input"]),
                wording.symbol(step["expected"]),
                wording.symbol(step["predicted"]),
                f"{step['right']}/{step['seeds']}",
                _range(step["answers"]) if real_valued else _counts(step["answers"]),
            )
        )
        marks.append("" if step["correct"] else "wrong")
    given = "Time" if dated else "Input"
    predictions = "Range of the seeds" if real_valued else "Predictions, seeds"
    titles = ("Sequence", "Step", given, "Expected", "Predicted", "Right in", predictions)
    numeric = (True, True, False, False, False, True, False)
    return TextTable(titles, numeric, tuple(cells), tuple(marks))


def _counts(answers: Sequence[tuple[str, int]]) -> str:
    """Returns the most frequent predictions with their counts: `B ×2, A ×1`."""
    counts = [f"{wording.symbol(answer)} ×{times}" for answer, times in answers]
    return ", ".join(counts[:MAX_ANSWERS] + ["…"] * (len(counts) > MAX_ANSWERS))


def _range(answers: Sequence[tuple[str, int]]) -> str:
    """Returns the smallest and the largest prediction."""
    values = [float(answer) for answer, _ in answers]
    if not values:
        return wording.NONE
    return f"{wording.symbol(min(values))} to {wording.symbol(max(values))}"


def search(findings: Findings) -> tuple[TextTable, TextTable]:
    """Returns the settings of the search, and its search space."""
    result = findings.result
    options = dict(result.search or {})
    space = options.pop("space", {})
    choices = space if isinstance(space, Mapping) else {"space": space}
    facts = {
        wording.heading(key): wording.choices_text(value) or wording.NONE
        for key, value in options.items()
    }
    facts = {"trials requested" if key == "trials" else key: text for key, text in facts.items()}
    facts["finished trials"] = wording.whole_number(len(result.trials))
    facts["distinct recipes"] = wording.whole_number(len(findings.trials))
    parts = {wording.heading(key): wording.choices_text(part) for key, part in choices.items()}
    return two_columns(facts, "Search"), two_columns(parts, "Setting", "Choices")


def provenance(result: SweepData) -> TextTable:
    """Returns the provenance of the results: versions, machine, command."""
    facts = {
        wording.heading(key): printable_line(value) for key, value in result.provenance.items()
    }
    engines = sorted({row.outcome.engine for row in result.rows})
    if engines:
        facts.setdefault("engine", printable_line(", ".join(engines)))
    if result.check is not None:
        facts["Check of processors"] = printable_line(result.check.sentence)
    return two_columns(facts | _machines(result), "What")


def _machines(result: SweepData) -> dict[str, str]:
    """Returns the hosts and processors of the seeds that a cluster has run, as facts.

    Says so where there are several kinds of processors: their numbers may differ in last digits.
    """
    tables = [row.outcome.seeds for row in result.rows]
    if not any("processor" in table for table in tables):
        return {}
    hosts, kinds = Counter[str](), Counter[str]()
    for table in tables:
        here = [""] * len(table)  # of seeds that no cluster has run
        hosts.update(host or "this machine" for host in table.get("host", here))
        named = table.get("processor", here)
        kinds.update(kind or processor_kind(result.provenance) for kind in named)
    facts = {"Hosts": hosts, "Kinds of processors": kinds}
    texts = {
        name: printable_line("; ".join(f"{key}: {counted(n, 'seed')}"
                                       for key, n in sorted(counts.items())))
        for name, counts in facts.items()
    }  # fmt: skip
    if len(kinds) > 1:
        texts["Kinds of processors"] += (
            " (mixed: seeds may differ in their last digits from those on one kind)"
        )
    return texts


def two_columns(facts: Mapping[str, str], first: str, second: str = "Value") -> TextTable:
    """Returns a table of names and values."""
    return TextTable((first, second), (False, False), tuple(facts.items()))
