"""The first sentence of a report, which answers the title, and a few points below it.

Which sentence that is depends on the kind of sweep: networks compared with baselines, recipes
ranked across tasks, published results, memory spans, a search, or plain recipes.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

from lstm_bench.analysis import BaselineResult, Family, Findings, amount, signed_amount
from lstm_bench.report import _published_page as published_page
from lstm_bench.report import _summary as sentences
from lstm_bench.report import _wording as wording
from lstm_bench.report._baseline_page import headline_result
from lstm_bench.report._description import named, sentence_start
from lstm_bench.results import Row, counted, listed, measure_mean, skill_baseline
from lstm_bench.safety import printable_line

MIN_POINTS, MAX_POINTS = 3, 5
MAX_SPANS = 14
"""With more families than this, a list has those with the longest and the shortest span."""
MAX_NAMED = 3
"""As many results that were not reproduced, or spans, are in a sentence or have a point each."""


@dataclass(frozen=True)
class Summary:
    """What a reader learns first: one sentence, a few points, and everything else that is known."""

    answer: str
    points: tuple[str, ...]
    details: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it, in order."""
        return (self.answer, *self.points, *self.details)


def summarize(findings: Findings) -> Summary:
    """Returns the answer of the sweep, the points below it, and the sentences after these."""
    result = findings.result
    first, *rest = _first_sentences(findings)
    rest += sentences.not_run(result.not_run) + sentences.unfinished(result)
    points = list(dict.fromkeys(text for text in rest if text != first))
    known = {first, *points}
    if findings.confirmed:  # the answer has it in other words
        known |= {printable_line(findings.simplest.sentence), *sentences.best_finalist(findings)}
    details = [text for text in sentences.further(findings) if text not in known]
    while len(points) < MIN_POINTS and details:
        points.append(details.pop(0))
    return Summary(first, tuple(points[:MAX_POINTS]), (*points[MAX_POINTS:], *details))


def _first_sentences(findings: Findings) -> list[str]:
    """Returns the answer and the points: of the one question of a sweep, and of its kind."""
    if not findings.result.rows:
        return ["No recipe has a result yet."]
    asks_more = findings.result.search is not None or findings.ranking or findings.families
    if len(findings.comparisons) != 1 or asks_more:
        return _of_kind(findings)
    counted = sentences.comparisons(findings)[:1]  # says the same in other words
    others = [text for text in _of_kind(findings) if text not in counted]
    return [printable_line(findings.comparisons[0].sentence), *others]


def _of_kind(findings: Findings) -> list[str]:
    """Returns the answer and the points that belong to the kind of sweep."""
    if headline_result(findings) is not None:
        return _forecast(findings)
    if findings.ranking is not None:
        ranking = findings.ranking
        return [printable_line(text) for text in (ranking.sentence, *ranking.points)]
    if findings.result.search is None:
        published = _published(findings)
        if published:
            return [*published, *sentences.comparisons(findings)]
    if findings.families:
        return [*_memory_spans(findings.families), *sentences.comparisons(findings)]
    if findings.confirmed:
        return _confirmed(findings)
    return _recipes(findings)


def _forecast(findings: Findings) -> list[str]:
    """Returns the sentences about networks and baselines."""
    headline = headline_result(findings)
    assert headline is not None
    row, best = headline.row, headline.best
    skill, rate = measure_mean(row.outcome, row.outcome.score), row.outcome.solve_rate
    conclusion = {
        "better": "is better than",
        "worse": "is worse than",
        "cannot tell": "is not distinguishable from",
    }[headline.verdict]
    real = headline.real_valued
    amounts = [amount(error, real) for error in (best.network_error, best.baseline_error)]
    error = f"mean error {amounts[0]}" if real else f"{amounts[0]} wrong"
    parts = [
        f"{sentence_start(named(row))} {conclusion} the best baseline: {error}, against "
        f"{amounts[1]} of {printable_line(best.baseline)}.",
        *_gain(headline),
        # Without its interval: that of the gain is the one that the verdict rests on.
        f"Its {wording.measure_name(row.outcome.score)}{_yardstick(headline)} is "
        f"{wording.percent(skill.mean, ' %')}.",
        f"{rate.k} of {counted(rate.n, 'seed')} {'has' if rate.k == 1 else 'have'} a skill "
        f"above 0 on the {counted(best.steps, 'step')} that were scored. All seeds are "
        "scored on the same steps, so that says nothing of other data; intervals and verdicts "
        "count both kinds of chance, seeds and data.",
    ]
    if headline.verdict == "better" and findings.confirmed:
        parts.append(printable_line(findings.simplest.sentence))
    return parts + sentences.winner(findings)


def _yardstick(headline: BaselineResult) -> str:
    """Returns which baseline the skill is measured against, if that is not the best one.

    The linear model on the rows of the recipe's own window is no baseline of other recipes.
    """
    outcome = headline.row.outcome
    name, error = skill_baseline(outcome.seeds, outcome.predictions)
    if not name or name == headline.best.baseline:
        return ""
    shown = f"{printable_line(name)}, {amount(error, headline.real_valued)}"
    return f", against the best baseline that all windows share ({shown}),"


def _gain(headline: BaselineResult) -> list[str]:
    """Returns the interval that the verdict rests on."""
    best, real = headline.best, headline.real_valued
    steps = f"{counted(best.steps, 'step')} that were not trained on"
    seeds = counted(best.seeds, "seed")
    if math.isnan(best.low):
        return [f"There is no interval: too few steps, or nothing that varies ({steps}, {seeds})."]
    ends = f"{signed_amount(best.low, real)} to {signed_amount(best.high, real)}"
    text = (
        f"Its gain, the error of the baseline minus its own, is "
        f"{signed_amount(best.difference, real)} (95 % interval {ends}): the mean of {seeds} on "
        f"{steps}."
    )
    if headline.verdict != best.verdict:
        text += " The interval excludes 0 only as long as nothing else is compared."
    return [text]


def _published(findings: Findings) -> list[str]:
    """Returns how many published results are reproduced, and which are not."""
    counted = published_page.reproductions(findings) + published_page.published_trials(findings)
    failed = [
        f"{printable_line(item.row.id)}{_quoted(item.row)} is not reproduced: "
        f"{_continued(printable_line(item.verdict.reason))}"
        for item in findings.reproductions
        if item.verdict is not None and item.verdict.word == "not reproduced"
    ]
    return counted[:1] + failed[:MAX_NAMED] + counted[1:] if counted else []


def _continued(sentence: str) -> str:
    """Returns a sentence as it goes on after a colon."""
    return sentence[:1].lower() + sentence[1:]


def _quoted(row: Row) -> str:
    """Returns the published words about a row."""
    words = printable_line(row.published)
    return f" (published: {words})" if words else ""


def _memory_spans(families: Sequence[Family]) -> list[str]:
    """Returns the memory spans in one sentence, the longest first, and the ends with intervals."""
    by_axis: dict[str, list[Family]] = {}
    for family in families:
        by_axis.setdefault(family.axis, []).append(family)
    answers, points = [], []
    for axis, of_axis in by_axis.items():
        known = [family for family in of_axis if not math.isnan(family.span.half)]
        known.sort(key=lambda family: -family.span.half)
        name = wording.heading(axis)
        if known:
            answers.append(_spans(known, name))
        unknown = [printable_line(f.id) for f in of_axis if math.isnan(f.span.half)]
        if unknown:
            points.append(f"Of {listed(unknown)} the solve rate does not fall with the {name}.")
        ends = known if len(known) <= MAX_NAMED else [*known[: MAX_NAMED - 1], known[-1]]
        points += [_span_point(family) for family in ends]
        if len(known) > MAX_NAMED:
            points.append(
                f"All memory spans ({name}), longest first: {_span_list(known)}. The order of "
                "spans is not established where their intervals overlap."
            )
    if not answers:
        return points
    return [" ".join(answers), *points]


def _spans(families: Sequence[Family], axis: str) -> str:
    """Returns the answer on spans, the longest first; of many, both ends with what they are."""
    half = "Half of the seeds still solve the task"
    if len(families) <= MAX_NAMED:
        return f"{half} at a {axis} of {_span_list(families)}."
    longest, shortest = families[0], families[-1]
    best = f"with the best of {len(families)} families of recipes, {_family_name(longest)}"
    worst = f"{_reach(shortest, axis)} with the worst, {_family_name(shortest)}"
    if not longest.half.startswith("> "):
        return f"{half} {_reach(longest, axis)} {best}, and {worst}."
    fewest = min((row.outcome.solve_rate for row in longest.rows), key=lambda rate: rate.rate)
    least = "All" if fewest.k == fewest.n else f"At least {fewest.k} of"
    return (
        f"{least} {fewest.n} seeds solve the task {_reach(longest, axis)} {best}; half of them "
        f"still solve it {worst}."
    )


def _reach(family: Family, axis: str) -> str:
    """Returns how far a family remembers: `at every lag tested (up to 1,024)`."""
    half = family.half
    if half.startswith("> "):
        return f"at every {axis} tested (up to {half.removeprefix('> ')})"
    if half.startswith("< "):
        return f"at no {axis} tested (from {half.removeprefix('< ')} on)"
    return f"up to a {axis} of about {half}"


def _family_name(family: Family) -> str:
    """Returns what the recipes of a family are, with the name of the family."""
    return named(dataclasses.replace(family.rows[0], id=family.id))


def _span_list(families: Sequence[Family]) -> str:
    """Returns spans, equal ones together: `at least 1,024 (long), 79 (weighted) and 5 (b)`."""
    shown = list(families)
    if len(shown) > MAX_SPANS:
        shown = [*families[: MAX_SPANS - 2], families[-1]]
    groups: dict[str, list[str]] = {}
    for family in shown:
        groups.setdefault(family.half, []).append(printable_line(family.id))
    parts = [f"{_in_words(half)} ({', '.join(ids)})" for half, ids in groups.items()]
    rest = len(families) - len(shown)
    return listed(parts) + (f"; {rest} more lie in between" if rest else "")


def _in_words(half: str) -> str:
    """Returns a memory span in words: `> 32` -> `at least 32`, the largest value that was run."""
    for sign, word in (("> ", "at least "), ("< ", "less than ")):
        if half.startswith(sign):
            return word + half.removeprefix(sign)
    return half


def _span_point(family: Family) -> str:
    note = printable_line(family.rows[0].note)
    interval = f" (95 % interval {family.interval})" if family.interval else ""
    span = f"{printable_line(family.id)} has a memory span of {_in_words(family.half)}{interval}"
    return f"{span}: {note}." if note else f"{span}."


def _confirmed(findings: Findings) -> list[str]:
    """Returns what fresh seeds say of the finalists of a search."""
    simplest, point = findings.simplest, findings.simplest.point
    winner = sentences.winner(findings)
    if point is None:
        return [*sentences.best_finalist(findings), *winner, printable_line(simplest.why)]
    row, rate = point.row, point.rate
    also = listed([printable_line(id_) for id_ in simplest.fixed]) if simplest.fixed else ""
    interval = wording.percent_interval(rate.low, rate.high, " %")
    answer = (
        f"The simplest recipe that solves the task is {named(row)}: {rate.k} of {rate.n} fresh "
        f"seeds solve it (95 % Wilson interval {interval})."
    )
    cost = (
        f"Simplest means the lowest cost, here {row.outcome.parameters:,} parameters times "
        f"{row.outcome.updates:,} weight updates.{_smallest(row, simplest.smallest)}"
    )
    more = [f"{also} {'does' if len(simplest.fixed) == 1 else 'do'} too, at no higher cost."]
    best = sentences.best_finalist(findings, known=point.row)
    points = [*(more if also else []), *best, *winner, *published_page.reproductions(findings)]
    return [answer, cost, *points]


def _smallest(simplest: Row, smallest: Row | None) -> str:
    """Returns which recipe that solves the task has the fewest parameters, if another one has."""
    if smallest is None or smallest.outcome.parameters == simplest.outcome.parameters:
        return ""
    rate = smallest.outcome.solve_rate
    return (
        f" The smallest network that solves it is {named(smallest)}: {rate.k} of {rate.n}, "
        f"{smallest.outcome.parameters:,} parameters times {smallest.outcome.updates:,} updates."
    )


def _recipes(findings: Findings) -> list[str]:
    """Returns the best recipe, equally good ones together, and how many recipes are solved."""
    parts = [sentences.best(findings, findings.best)] if findings.best is not None else []
    fixed = findings.result.fixed
    parts += sentences.comparisons(findings)
    if len(fixed) > 1:
        parts.append(sentences.solved(fixed))
    return [*parts, *published_page.reproductions(findings)] or sentences.run_counts(findings)
