"""The summary of a report: what was run, the best recipe, verdicts, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lstm_bench.analysis import Findings
from lstm_bench.report import _wording as wording
from lstm_bench.report._description import named
from lstm_bench.report._published_page import published_trials, reproductions
from lstm_bench.report._verdict_counts import id_list, verdict_sentence
from lstm_bench.results import NotRun, Outcome, Role, Row, SweepData, counted, listed, measure_mean
from lstm_bench.safety import printable_line
from lstm_bench.statistics import NEAR_BOUND_SEEDS, Mean, look_level

FOLLOW_UP: Mapping[Role, str] = {
    "confirmed": "finalists on fresh seeds",
    "ablation": "settings set back to the reference",
    "effect": "single switches changed",
    "split": "sources of chance, crossed",
}
"""What the runs that follow a search are of."""

DIFFERENCE_VERDICTS = ("real", "not real", "cannot tell yet")


def further(findings: Findings) -> list[str]:
    """Returns the sentences that are true of every kind of sweep: runs, recipes, search."""
    result = findings.result
    parts = run_counts(findings) if result.rows else []
    if result.fixed and len(result.fixed) > 1 and findings.ranking is None:
        parts.append(solved(result.fixed))
    parts += reproductions(findings) + published_trials(findings) + comparisons(findings)
    return parts + _search(findings)


def unfinished(result: SweepData) -> list[str]:
    """Returns the sentence about recipes without a result."""
    if not result.unfinished:
        return []
    verbs = ("has", "is") if result.unfinished == 1 else ("have", "are")
    return [
        f"{counted(result.unfinished, 'recipe')} of the sweep {verbs[0]} no result "
        f"yet and {verbs[1]} left out below."
    ]


def run_counts(findings: Findings) -> list[str]:
    """Returns one or two sentences with the numbers of recipes, seeds and runs."""
    result, trials = findings.result, findings.searched
    parts = [counted(len(result.fixed), "fixed recipe")] if result.fixed else []
    parts += [f"{counted(len(trials), 'recipe')} found by search"] if trials else []
    rows = [*result.fixed, *result.trials]
    sentences = []
    if rows:
        per_recipe = " each" if len(rows) > 1 else ""
        sentences.append(
            f"{counted(len(_training_runs(rows)), 'training run')}: {listed(parts)}, on "
            f"{wording.seed_counts(rows)}{per_recipe}."
        )
    follow_up = [row for row in result.rows if row.role in FOLLOW_UP]
    if follow_up:
        purposes = [purpose for role, purpose in FOLLOW_UP.items() if result.having(role)]
        count = len(_training_runs(follow_up) - _training_runs(rows))
        sentences.append(
            f"{counted(count, 'further run')} after the search: {'; '.join(purposes)}."
        )
    return sentences


def _training_runs(rows: Sequence[Row]) -> set[tuple[str, int]]:
    """Returns the distinct pairs of recipe and seed; rows may have some in common."""
    return {(row.outcome.digest, seed) for row in rows for seed in row.outcome.seeds["seed"]}


def best(findings: Findings, row: Row) -> str:
    """Returns the sentence about the best recipe; of equally good ones, the one of least cost."""
    measure = row.outcome.score
    mean = measure_mean(row.outcome, measure)
    chosen = ", chosen by the same seeds that score it" if row.role == "trial" else ""
    equal = _ties(findings, row.outcome)
    subject = "The recipe is"
    if equal:
        subject = (
            f"{equal + 1} recipes score the same and highest; the simplest of them, by parameters "
            "times weight updates, is"
        )
    elif len(findings.result.rows) > 1:
        subject = "The best recipe is"
    return (
        f"{subject} {named(row)}{chosen}: {wording.measure_name(measure)} "
        f"{wording.percent(mean.mean, ' %')} ({mean_interval_text(mean)}), "
        f"{wording.solved_by(row.outcome, row.outcome.solve_rate)}."
    )


def mean_interval_text(mean: Mean) -> str:
    """Returns the interval of a mean, or the reason why there is none, as part of a sentence."""
    if mean.n < 2:
        return "one seed, so no interval"
    if not math.isnan(mean.low):
        return f"95 % interval {wording.percent_interval(mean.low, mean.high, ' %')}"
    if mean.why:
        return f"{mean.why}, so no interval"
    few = mean.n < NEAR_BOUND_SEEDS
    if mean.std == 0:
        return f"the same for all {mean.n} seeds" + ", too few for an interval" * few
    return f"{mean.n} seeds are too few for an interval" if few else "no interval"


def _ties(findings: Findings, best: Outcome) -> int:
    """Returns how many other recipes have the same score, at no lower cost."""
    rows = findings.unselected if findings.confirmed else findings.result.rows
    others = {
        row.outcome.digest
        for row in rows
        if row.outcome.rank()[:2] == best.rank()[:2] and row.outcome.digest != best.digest
    }
    return len(others)


def solved(rows: Sequence[Row]) -> str:
    """Returns the sentence about how many fixed recipes are solved, or have a skill above 0."""
    rates = [(printable_line(row.id), row.outcome.solve_rate) for row in rows]
    groups = {
        "every seed": [name for name, rate in rates if rate.k == rate.n],
        "some seeds": [name for name, rate in rates if 0 < rate.k < rate.n],
        "no seed": [name for name, rate in rates if rate.k == 0 < rate.n],
    }
    skill = rows[0].outcome.score == "skill"
    word = "on" if skill else "by"
    parts = [f"{len(ids)} {word} {seeds}{id_list(ids)}" for seeds, ids in groups.items() if ids]
    first, _, rest = parts[0].partition(" ")
    verb = "has a skill above 0" if skill else "was solved"
    if first != "1":
        verb = "have a skill above 0" if skill else "were solved"
    parts[0] = f"{first} {verb} {rest}"
    return f"Of the {len(rows)} fixed recipes, {listed(parts)}."


def not_run(recipes: Sequence[NotRun]) -> list[str]:
    """Returns the sentence about the recipes that are only run with `--full`."""
    if not recipes:
        return []
    ids = id_list([printable_line(recipe.id) for recipe in recipes])
    verb, take = ("was", "takes") if len(recipes) == 1 else ("were", "take")
    pronoun = "it" if len(recipes) == 1 else "they"
    count = counted(len(recipes), "recipe")
    return [f"{count} {verb} not run{ids}: {pronoun} {take} long; run with --full."]


def comparisons(findings: Findings) -> list[str]:
    verdicts = [
        (f"{comparison.question.of} to {comparison.question.to}", comparison.verdict)
        for comparison in findings.comparisons
    ]
    if not verdicts:
        return []
    counts = verdict_sentence(counted(len(verdicts), "difference"), verdicts, DIFFERENCE_VERDICTS)
    conditions = _conditions([bool(comparison.rests_on) for comparison in findings.comparisons])
    sentences = [f"{counts}{conditions}"]
    return [*sentences, *_looks(findings.result)]


def _looks(result: SweepData) -> list[str]:
    """Returns with how many seeds the sweep was reported before, and what follows from it."""
    if not result.looks:
        return []
    level = look_level(result.seeds, result.looks, result.planned_seeds)
    looks = listed([str(look) for look in result.looks])
    return [
        f"It was reported before with {looks} seeds: so that its errors stay at 5 % over all "
        f"numbers of seeds, differences are real here at the level {100 * level:.2g} %."
    ]


def _conditions(conditional: Sequence[bool]) -> str:
    """Returns a sentence on how many verdicts rest on rare seeds; empty if none does."""
    count = sum(conditional)
    if not count:
        return ""
    which = f"{count} of these verdicts" if len(conditional) > 1 else "This verdict"
    return f" {which} could be undone by rare seeds: the table says how rare."


def _search(findings: Findings) -> list[str]:
    """Returns the sentences about a search: finalists, simplest recipe, settings, failures."""
    sentences = [*winner(findings), *best_finalist(findings)]
    if findings.confirmed and not findings.baselines:
        sentences.append(printable_line(findings.simplest.sentence))
    sentences += _settings(findings)
    savings = findings.savings
    if savings.stopped:
        sentences.append(
            f"Stopping {savings.stopped} of {counted(savings.recipes, 'searched recipe')} "
            f"early saved {wording.percent(savings.share, ' %')} of the seed runs."
        )
    failed = [printable_line(recipe.id) for recipe in findings.result.failed]
    if failed:
        sentences.append(f"{counted(len(failed), 'recipe')} failed{id_list(failed)}.")
    return sentences


def winner(findings: Findings) -> list[str]:
    """Returns the sentence about the winner of the search on fresh seeds."""
    first = findings.confirmations.winner
    if first is None:
        return []
    data = " and other data" if findings.baselines else ""
    return [
        f"The winner of the search, {named(replace(first.row, id=first.row.of))}, had "
        f"{wording.measure_name(findings.confirmations.measure)} "
        f"{wording.percent(first.search.mean, ' %')} in the search and "
        f"{wording.percent(first.fresh.mean, ' %')} on "
        f"{counted(first.fresh.n, 'fresh seed')}{data}: "
        f"{wording.score_change(first.optimism)}."
    ]


def best_finalist(findings: Findings, known: Row | None = None) -> list[str]:
    """Returns the sentence about the best finalist on fresh seeds, and those that equal it.

    Its interval holds for all finalists at once. It is left out where the interval of one recipe
    alone, `known`, is already there: two intervals of one solve rate would contradict each other.
    """
    confirmations = findings.confirmations
    if not confirmations.finalists:
        return []
    first, count = confirmations.finalists[0], len(confirmations.finalists)
    measure = wording.measure_name(confirmations.measure)
    interval = f" ({_interval(first.fresh, confirmations.measure)})"
    which = f"best of {count} finalists" if count > 1 else "only finalist"
    search = f"; its score in the search was {wording.percent(first.search.mean, ' %')}"
    equal = sum(other.fresh.mean == first.fresh.mean for other in confirmations.finalists[1:])
    if count > 1 and equal == count - 1:
        if "interval" in interval:
            interval = interval.replace(")", ", for all of them at once)")
        return [
            f"All {count} finalists score the same on "
            f"{counted(first.fresh.n, 'fresh seed')}: {measure} "
            f"{wording.percent(first.fresh.mean, ' %')}{'' if known else interval}."
        ]
    if known and (confirmations.measure == "solve_rate" or known.id == first.row.id):
        interval = ""
    ties = ""
    if equal:
        verb = "scores" if equal == 1 else "score"
        ties = f", and {counted(equal, 'other finalist')} {verb} the same"
    return [
        f"On {counted(first.fresh.n, 'fresh seed')} the {which} is "
        f"{named(first.row)}, with {measure} {wording.percent(first.fresh.mean, ' %')}{interval}"
        f"{_corrected(findings, count)}{search if first.trial else ''}{ties}."
    ]


def _corrected(findings: Findings, count: int) -> str:
    """Returns the score of the best finalist without the luck of having been chosen."""
    corrected = findings.confirmations.corrected
    if count < 2 or math.isnan(corrected):
        return ""
    return f"; corrected for being the best of {count}: {wording.percent(corrected, ' %')}"


def _interval(mean: Mean, measure: str) -> str:
    text = wording.score_interval(mean, measure)
    return f"95 % interval {text} %" if text.startswith("[") else text


def _settings(findings: Findings) -> list[str]:
    """Returns the sentences about ablations, importances and switches."""
    sentences = []
    ablations = [
        (wording.heading(ablation.axis), ablation.verdict)
        for ablation in findings.ablations
        if ablation.axis
    ]
    if ablations:
        count = f"{counted(len(ablations), 'difference')} from setting one setting back to"
        sentences.append(
            f"{verdict_sentence(f'{count} the reference', ablations, DIFFERENCE_VERDICTS)}"
            f"{_conditions([a.is_conditional for a in findings.ablations if a.axis])}"
        )
    importance = findings.importance
    if importance is not None and importance.settings:
        best, seeds = importance.best, importance.seeds
        share = ""
        if seeds is not None:
            share = (
                f" Seeds make up {wording.percent(seeds.fraction, ' %')} of the variance (95 % "
                f"interval {wording.percent_interval(seeds.low, seeds.high)} %)."
            )
        trials = counted(importance.trials, "random trial")
        if best is not None:
            sentences.append(
                f"Among {trials} the setting that explains the score best is "
                f"{wording.heading(best.key)} (p {wording.p_value(best.p)}). It has "
                f"{wording.percent(best.fanova, ' %')} of what settings explain; alone it explains "
                f"{wording.percent_interval(best.low, best.high)} % of all variance (95 % "
                f"interval).{share}"
            )
        elif not math.isnan(importance.settings[0].p):
            least = min(importance.settings, key=lambda setting: setting.p)
            p = wording.p_value(least.p)
            sentences.append(
                f"Among {trials} no setting explains the score beyond chance: the least p is "
                f"{p}, of {wording.heading(least.key)}.{share}"
            )
    effects = [(effect.name, effect.verdict) for effect in findings.effects]
    if effects:
        count = f"{counted(len(effects), 'effect')} of a switch changed alone"
        sentences.append(
            f"{verdict_sentence(count, effects, DIFFERENCE_VERDICTS)}"
            f"{_conditions([bool(effect.rests_on) for effect in findings.effects])}"
        )
    return sentences
