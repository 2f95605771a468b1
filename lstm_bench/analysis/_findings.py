"""Everything that is reported of a sweep, computed once.

The page, Markdown, tables, JSON documents and Python all read the records that `sweep_findings`
returns, so that they cannot disagree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_bench.analysis._ablation import Ablation, Effect, ablations, effects
from lstm_bench.analysis._baselines import BaselineResult, baseline_results
from lstm_bench.analysis._comparisons import Comparison, sweep_comparisons, with_verdict
from lstm_bench.analysis._families import Family, families
from lstm_bench.analysis._finalists import (
    Confirmations,
    FrontPoint,
    SimplestRecipe,
    confirmations,
    front,
    simplest_of,
)
from lstm_bench.analysis._history import (
    StoppingSavings,
    TrialScore,
    distinct_recipes,
    history,
    is_stopped,
    stopping_savings,
)
from lstm_bench.analysis._intervals import IntervalResult, interval_results
from lstm_bench.analysis._ranking import Ranking, ranking
from lstm_bench.analysis._reproduction import Reproduction, reproductions
from lstm_bench.analysis._variance import (
    SeedVariance,
    SettingImportances,
    WinnerVariance,
    seed_variance,
    setting_importances,
    winner_variance,
)
from lstm_bench.results import Row, SweepData, plain_json
from lstm_bench.statistics import holm_chains, look_level, next_level


@dataclass(frozen=True, repr=False)
class Findings:
    """Everything that is reported of a sweep; parts that it lacks are empty or None."""

    result: SweepData
    best: Row | None
    trials: tuple[tuple[Row, list[str]], ...]  # see `distinct_trials`
    reproductions: tuple[Reproduction, ...]
    comparisons: tuple[Comparison, ...]
    families: tuple[Family, ...]
    baselines: tuple[BaselineResult, ...]
    intervals: tuple[IntervalResult, ...]  # of the forecasts of real values
    history: tuple[TrialScore, ...]
    savings: StoppingSavings
    confirmations: Confirmations
    front: tuple[FrontPoint, ...]
    simplest: SimplestRecipe
    ablations: tuple[Ablation, ...]
    effects: tuple[Effect, ...]
    importance: SettingImportances | None
    seed_variance: SeedVariance | None
    winner_variance: WinnerVariance | None
    ranking: Ranking | None  # of a sweep over several tasks

    @property
    def confirmed(self) -> tuple[Row, ...]:
        """The finalists, best on fresh seeds first."""
        return tuple(finalist.row for finalist in self.confirmations.finalists)

    @property
    def unselected(self) -> tuple[Row, ...]:
        """The recipes not chosen by the seeds that score them: fixed ones, then confirmed ones."""
        return (*self.result.fixed, *self.confirmed)

    @property
    def searched(self) -> tuple[Row, ...]:
        """The distinct recipes of the search, best first; those that were stopped come last."""
        return tuple(row for row, _ in self.trials)

    def document(self) -> dict[str, Any]:
        """Returns everything as plain JSON values; parts that are empty have no key.

        Differences, rates and scores are shares in [0, 1]; NaN becomes None.
        """
        return dict(plain_json(_sweep_document(self.result) | _findings_document(self)))

    def __repr__(self) -> str:
        parts = ("reproductions", "comparisons", "families", "baselines", "ablations", "effects")
        counts = [f"{len(getattr(self, part))} {part}" for part in parts if getattr(self, part)]
        best = f", best {self.best.id[:80]!r}" if self.best else ""
        return f"Findings({self.result.name[:80]!r}{best}{', ' * bool(counts)}{', '.join(counts)})"


def sweep_findings(result: SweepData) -> Findings:
    """Returns everything that is reported of a sweep.

    The p values of all comparisons, ablations and effects are corrected together, so that the
    chance of any error among them is 5 %.
    """
    points, baselines = front(result), baseline_results(result)
    comparisons, all_ablations, all_effects = _with_verdicts(
        result, sweep_comparisons(result), ablations(result), effects(result)
    )
    return Findings(
        result=result,
        best=result.best,
        trials=tuple(distinct_trials(result)),
        reproductions=tuple(reproductions(result)),
        comparisons=comparisons,
        families=tuple(families(result)),
        baselines=baselines,
        intervals=interval_results(result),
        history=history(result),
        savings=stopping_savings(result),
        confirmations=confirmations(result),
        front=points,
        simplest=simplest_of(points, baselines=baselines),
        ablations=all_ablations,
        effects=all_effects,
        importance=setting_importances(result),
        seed_variance=seed_variance(result),
        winner_variance=winner_variance(result),
        ranking=ranking(result),
    )


def _with_verdicts(
    result: SweepData,
    comparisons: Sequence[Comparison],
    ablations: Sequence[Ablation],
    effects: Sequence[Effect],
) -> tuple[tuple[Comparison, ...], tuple[Ablation, ...], tuple[Effect, ...]]:
    """Returns the same with verdicts, after Holm's correction over all questions.

    The two measures of an ablation are of the same seeds, so they are one question: the second is
    judged where the first is real. The level counts all numbers of seeds with which the sweep has
    been reported: see `look_level`.
    """
    chains = [[comparison.p] for comparison in comparisons]
    chains += [[part.p for part in ablation.in_order] for ablation in ablations]
    chains += [[effect.estimate.p] for effect in effects]
    corrected = holm_chains(chains)
    level = look_level(result.seeds, result.looks, result.planned_seeds)
    levels = level, next_level(result.seeds, result.planned_seeds)
    count = sum(not all(map(math.isnan, chain)) for chain in chains)
    chain = iter(corrected)
    return (
        tuple(
            with_verdict(comparison, next(chain)[0], count, levels) for comparison in comparisons
        ),
        tuple(ablation.with_verdicts(next(chain), count, levels) for ablation in ablations),
        tuple(effect.with_verdict(next(chain)[0], count, level) for effect in effects),
    )


def distinct_trials(result: SweepData) -> list[tuple[Row, list[str]]]:
    """Returns the distinct recipes of the search, with the ids of the trials that repeat them.

    Best first; those that were stopped come after those that ran all their seeds.
    """
    repeats = {row.id: others for row, others in distinct_recipes(result.trials)}
    rows = [row for row in result.trials if row.id in repeats]
    rows.sort(key=lambda row: [np.nan_to_num(key, nan=1) for key in row.outcome.rank()[:3]])
    rows.sort(key=lambda row: is_stopped(result, row))
    return [(row, repeats[row.id]) for row in rows]


def _sweep_document(result: SweepData) -> dict[str, Any]:
    """Returns the recipes of a sweep, and the trials of its search."""
    search = None
    if result.search is not None:
        trials = [
            {"trial": row.trial, "recipe": row.outcome.settings, "id": row.outcome.digest}
            | row.outcome.summary()
            for row in result.trials
        ]
        best = min(
            result.having("confirmed") or result.trials,
            key=lambda row: (-len(row.outcome.seeds), row.outcome.rank()),
            default=None,
        )
        search = {**result.search, "best": best.id if best else None, "results": trials}
    not_run = [vars(recipe) | {"why": recipe.why} for recipe in result.not_run]
    check = None
    if result.check is not None:
        facts = {"same": result.check.is_same, "sentence": result.check.sentence}
        check = vars(result.check) | facts
    return {
        "sweep": result.name,
        "overrides": result.overrides,
        "recipes": {row.id: row.outcome.summary() for row in result.fixed},
        "search": search,
        "unfinished": result.unfinished,
        "failed": [vars(failed) for failed in result.failed],
    } | {key: part for key, part in (("not_run", not_run), ("check", check)) if part}


def _findings_document(findings: Findings) -> dict[str, Any]:
    """Returns the findings under the keys of JSON documents; empty parts are left out."""
    finalists, savings = findings.confirmations.finalists, findings.savings
    importance = findings.importance
    parts: dict[str, Any] = {
        "verdicts": {item.row.id: item.document() for item in findings.reproductions},
        "comparisons": {item.name: item.document() for item in findings.comparisons},
        "horizon": {family.id: family.document() for family in findings.families},
        "confirmation": findings.confirmations.document() if finalists else None,
        "front": [point.document() for point in findings.front],
        "simplest": findings.simplest.document() if finalists else None,
        "ablation": {item.row.id: item.document() for item in findings.ablations},
        "importance": importance.document() if importance else None,
        "effects": [effect.document() for effect in findings.effects],
        "variance": _variance_document(findings.seed_variance, findings.winner_variance),
        "saved": savings.document() if savings.full_runs else None,
        "ranking": findings.ranking.document() if findings.ranking else None,
        "naive": {item.row.id: item.document() for item in findings.baselines},
        "intervals": {item.row.id: item.records() for item in findings.intervals},
    }
    return {key: part for key, part in parts.items() if part}


def _variance_document(
    seeds: SeedVariance | None, winner: WinnerVariance | None
) -> dict[str, dict[str, Any]]:
    parts = {"random_trials": seeds, "split": winner}
    return {key: part.document() for key, part in parts.items() if part is not None}
