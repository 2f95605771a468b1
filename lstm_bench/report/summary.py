"""The first lines of a report: what was run, what came out best, what is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lstm_bench import findings
from lstm_bench.report import wording as w
from lstm_bench.report.tables import distinct_trials, ranked
from lstm_bench.results import Outcome, Row, SweepResult
from lstm_bench.statistics import SURE

IDS = 12
"""Ids that a sentence lists before it only counts."""


def summary(result: SweepResult) -> list[str]:
    """Returns two to seven sentences of plain text."""
    sentences = [_what(result)] if result.rows else ["No recipe has a result yet."]
    if result.best is not None:
        sentences.append(_best(result, result.best))
    if len(result.fixed) > 1:
        sentences.append(_fixed(result.fixed))
    sentences += _published(result) + _compared(result)
    if result.unfinished:
        one = result.unfinished == 1
        sentences.append(
            f"{w.many(result.unfinished, 'recipe')} {'was' if one else 'were'} asked for and "
            f"{'has' if one else 'have'} no result yet: what follows leaves "
            f"{'it' if one else 'them'} out."
        )
    return sentences


def _what(result: SweepResult) -> str:
    trials = len(distinct_trials(result))
    parts = [w.many(len(result.fixed), "fixed recipe")] if result.fixed else []
    parts += [f"{w.many(trials, 'recipe')} found by search"] if trials else []
    runs = sum(len(row.outcome.seeds) for row in result.fixed)
    runs += sum(len(row.outcome.seeds) for row, _ in distinct_trials(result))
    each = " each" if len(result.rows) > 1 else ""
    return (
        f"{' and '.join(parts)}, trained on {w.seeds_of(result.rows)}{each}: "
        f"{w.many(runs, 'training run')} in all."
    )


def _best(result: SweepResult, best: Row) -> str:
    accuracy, rate = best.outcome.accuracy, best.outcome.solve_rate
    if accuracy.n < 2:
        spread = "one seed, so no interval"
    elif math.isnan(accuracy.low):
        spread = f"the same for all {accuracy.n} seeds" if accuracy.std == 0 else ""
        few = "too few for an interval" if accuracy.n < SURE else ""
        few = few if spread or not few else f"{accuracy.n} seeds are {few}"
        spread = ", ".join(filter(None, [spread, few]))
    else:
        spread = f"95 % interval {w.span(accuracy.low, accuracy.high, ' %')}"
    head = "The best recipe is" if len(result.rows) > 1 else "It is"
    ties = _ties(result, best.outcome)
    chosen = "" if best.trial is None else ", picked on the same seeds that score it"
    return (
        f"{head} {w.printable(best.id)} ({w.printable(best.outcome.name)}{chosen}): accuracy "
        f"{w.percent(accuracy.mean, ' %')} ({spread}), solved by {rate.k} of {rate.n} seeds "
        f"(95 % Wilson interval {w.span(rate.low, rate.high, ' %')}){ties}."
    )


def _ties(result: SweepResult, best: Outcome) -> str:
    """Returns a clause about the recipes that scored just as well at a higher cost."""
    others = {
        row.outcome.digest
        for row in ranked(result.rows)
        if row.outcome.rank()[:2] == best.rank()[:2] and row.outcome.digest != best.digest
    }
    if not others:
        return ""
    score = "scores" if len(others) == 1 else "score"
    return f"; {w.many(len(others), 'other recipe')} {score} the same and cost no less"


def _fixed(rows: tuple[Row, ...]) -> str:
    rates = [(w.printable(row.id), row.outcome.solve_rate) for row in rows]
    groups = {
        "every seed": [name for name, rate in rates if rate.k == rate.n],
        "some seeds": [name for name, rate in rates if 0 < rate.k < rate.n],
        "no seed": [name for name, rate in rates if rate.k == 0 < rate.n],
    }
    said = [f"{len(ids)} by {who}{_listed(ids)}" for who, ids in groups.items() if ids]
    first, _, rest = said[0].partition(" ")
    said[0] = f"{first} {'was' if first == '1' else 'were'} solved {rest}"
    return f"Of the {len(rows)} fixed recipes, {_joined(said)}."


def _published(result: SweepResult) -> list[str]:
    words = [
        (each.row.id, each.verdict.word)
        for each in findings.verdicts(result)
        if each.verdict is not None
    ]
    if not words:
        return []
    said = _counted(words, ("reproduced", "not reproduced", "cannot tell"))
    return [f"Of {w.many(len(words), 'published result')}, {said}."]


def _compared(result: SweepResult) -> list[str]:
    compared = findings.comparisons(result)
    words = [(f"{each.asked.of} to {each.asked.to}", each.word) for each in compared]
    if not words:
        return []
    said = _counted(words, ("real", "not real", "cannot tell yet"))
    return [f"Of {w.many(len(words), 'comparison')}, {said}."]


def _counted(words: Sequence[tuple[str, str]], order: Sequence[str]) -> str:
    """Returns how many things got each word, and which: `2 are real (a, b) and 1 is not real`."""
    said = []
    for word in order:
        ids = [w.printable(name) for name, own in words if own == word]
        verb = "cannot be told" if word.startswith("cannot") else f"is {word}"
        if len(ids) != 1:
            verb = verb.replace("is ", "are ", 1)
        verb += " yet" * word.endswith("yet")
        said += [f"{len(ids)} {verb}{_listed(ids)}"] if ids else []
    return _joined(said)


def _listed(ids: list[str]) -> str:
    return f" ({', '.join(ids)})" if len(ids) <= IDS else ""


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
