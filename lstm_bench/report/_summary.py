"""The first lines of a report: what was run, what came out best, what is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from lstm_bench.analysis import ReportFacts, score
from lstm_bench.report import _baseline_page as naive_page
from lstm_bench.report import _wording as w
from lstm_bench.results import Outcome, Role, Row
from lstm_bench.statistics import SURE, Mean

IDS = 12
"""Ids that a sentence lists before it only counts."""


FURTHER: Mapping[Role, str] = {
    "confirmed": "confirm the finalists on fresh seeds",
    "ablation": "put settings back",
    "effect": "change switches alone",
    "split": "cross the seeds",
}
"""What runs are for that are neither fixed recipes nor trials."""


def summary(found: ReportFacts) -> list[str]:
    """Returns two to fifteen sentences of plain text."""
    return [sentence for part in paragraphs(found) for sentence in part]


def paragraphs(found: ReportFacts) -> list[list[str]]:
    """Returns the summary's sentences: what was run and came out, then what was searched."""
    result = found.result
    sentences = _what(found) if result.rows else ["No recipe has a result yet."]
    if found.best is not None:
        sentences.append(_best(found, found.best))
    if len(result.fixed) > 1:
        sentences.append(_fixed(result.fixed))
    sentences += _published(found) + _compared(found)
    first = naive_page.chosen(found)
    verdict = [w.printable(first.sentence)] if first else []
    told = [part for part in (verdict, sentences, _searched(found)) if part]
    if result.unfinished:
        one = result.unfinished == 1
        told[-1].append(
            f"{w.many(result.unfinished, 'recipe')} {'was' if one else 'were'} asked for and "
            f"{'has' if one else 'have'} no result yet: what follows leaves "
            f"{'it' if one else 'them'} out."
        )
    return told


def _what(found: ReportFacts) -> list[str]:
    result, trials = found.result, found.picked
    parts = [w.many(len(result.fixed), "fixed recipe")] if result.fixed else []
    parts += [f"{w.many(len(trials), 'recipe')} found by search"] if trials else []
    rows = [*result.fixed, *result.trials]
    runs = len(_runs(rows))
    each = " each" if len(rows) > 1 else ""
    first = (
        f"{' and '.join(parts)}, trained on {w.seeds_of(rows)}{each}: "
        f"{w.many(runs, 'training run')} in all."
    )
    further = [row for row in result.rows if row.role in FURTHER]
    what = [told for role, told in FURTHER.items() if result.having(role)]
    more = w.many(len(_runs(further) - _runs(rows)), "further run")
    verbs = f"{more} {_joined(what)}." if further else ""
    return [*[first] * bool(rows), *[verbs] * bool(further)]


def _runs(rows: Sequence[Row]) -> set[tuple[str, int]]:
    """Returns what was trained, recipe by seed: rows may share it."""
    return {(row.outcome.digest, seed) for row in rows for seed in row.outcome.seeds["seed"]}


def _best(found: ReportFacts, best: Row) -> str:
    measure = best.outcome.score
    mean, rate = score(best.outcome, measure), best.outcome.solve_rate
    if mean.n < 2:
        spread = "one seed, so no interval"
    elif math.isnan(mean.low):
        spread = f"the same for all {mean.n} seeds" if mean.std == 0 else ""
        few = "too few for an interval" if mean.n < SURE else ""
        few = few if spread or not few else f"{mean.n} seeds are {few}"
        spread = ", ".join(filter(None, [spread, few]))
    else:
        spread = f"95 % interval {w.span(mean.low, mean.high, ' %')}"
    head = "The best recipe is" if len(found.result.rows) > 1 else "It is"
    ties = _ties(found, best.outcome)
    chosen = ", picked on the same seeds that score it" if best.role == "trial" else ""
    return (
        f"{head} {w.printable(best.id)} ({w.printable(best.outcome.name)}{chosen}): {measure} "
        f"{w.percent(mean.mean, ' %')} ({spread}), solved by {rate.k} of {rate.n} seeds "
        f"(95 % Wilson interval {w.span(rate.low, rate.high, ' %')}){ties}."
    )


def _ties(found: ReportFacts, best: Outcome) -> str:
    """Returns a clause about the recipes that scored just as well at a higher cost."""
    rows = found.sure if found.confirmed else found.result.rows
    others = {
        row.outcome.digest
        for row in rows
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


def _published(found: ReportFacts) -> list[str]:
    words = [
        (each.row.id, each.verdict.word) for each in found.verdicts if each.verdict is not None
    ]
    if not words:
        return []
    said = _counted(words, ("reproduced", "not reproduced", "cannot tell"))
    return [f"Of {w.many(len(words), 'published result')}, {said}."]


def _compared(found: ReportFacts) -> list[str]:
    words = [(f"{each.asked.of} to {each.asked.to}", each.word) for each in found.comparisons]
    if not words:
        return []
    said = _counted(words, ("real", "not real", "cannot tell yet"))
    return [f"Of {w.many(len(words), 'comparison')}, {said}."]


def _searched(found: ReportFacts) -> list[str]:
    """Returns what a search found: what holds, what is simplest, what mattered, what it took."""
    told = _confirmed(found)
    if found.confirmed:
        told.append(w.printable(found.searched.simplest.sentence))
    told += _mattered(found)
    saved = found.searched.saved
    if saved.stopped:
        told.append(
            f"Stopping {saved.stopped} of {w.many(saved.recipes, 'searched recipe')} early saved "
            f"{w.percent(saved.share, ' %')} of the seed runs."
        )
    failed = [w.printable(each.id) for each in found.result.failed]
    if failed:
        told.append(f"{w.many(len(failed), 'recipe')} failed{_listed(failed)}.")
    return told


def _confirmed(found: ReportFacts) -> list[str]:
    told = found.searched.confirmations
    if not told.finalists:
        return []
    first, count = told.finalists[0], len(told.finalists)
    among = f"best of {count} finalists" if count > 1 else "only finalist"
    fresh = first.fresh
    before = f"; the search had scored it {w.percent(first.search.mean, ' %')}"
    said, own = [], told.winner
    if own is not None:
        said.append(
            f"The search's own winner, {w.printable(own.row.of)}, {w.lost(own.optimism)} from the "
            f"search ({w.percent(own.search.mean, ' %')}) to {w.many(own.fresh.n, 'fresh seed')}"
            f"{' and other data' if found.beside else ''} ({w.percent(own.fresh.mean, ' %')})."
        )
    said += [
        f"On {w.many(fresh.n, 'fresh seed')} the {among} is {w.printable(first.row.id)}, with "
        f"{w.measure(told.measure)} {w.percent(fresh.mean, ' %')} "
        f"({_interval(fresh, told.measure)}){before if first.trial else ''}."
    ]
    return said


def _interval(mean: Mean, measure: str) -> str:
    text = w.score_interval(mean, measure)
    return f"95 % interval {text} %" if text.startswith("[") else text


def _mattered(found: ReportFacts) -> list[str]:
    told = []
    order = ("real", "not real", "cannot tell yet")
    back = [(each.axis.replace("_", " "), each.word) for each in found.searched.ablated]
    back = [(axis, word) for axis, word in back if axis]
    if back:
        told.append(
            f"Of {w.many(len(back), 'difference')} that putting one setting back makes, "
            f"{_counted(back, order)}."
        )
    importance = found.searched.importance
    if importance is not None and importance.weights:
        first, seeds = importance.weights[0], importance.seeds
        told.append(
            f"Among {w.many(importance.trials, 'random trial')} the setting that explains the "
            f"score best is {w.printable(first.key.replace('_', ' '))}, with "
            f"{w.percent(first.fanova, ' %')} of what settings explain"
            + (f"; {w.percent(seeds.share, ' %')} of the variance is the seeds'." if seeds else ".")
        )
    switched = [(each.name, each.word) for each in found.searched.effects]
    if switched:
        told.append(
            f"Of {w.many(len(switched), 'effect')} of a switch changed alone, "
            f"{_counted(switched, order)}."
        )
    return told


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
