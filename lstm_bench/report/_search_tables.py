"""Every number that is shown of a search, as data frames: shares in [0, 1], costs in counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lstm_bench.analysis import Ablation, ComparisonResult, Effect, ReportFacts


def frames(found: ReportFacts) -> Mapping[str, pd.DataFrame]:
    """Returns the tables by their file's stem; those without a search, or of no row, are empty."""
    told = found.searched
    return {
        "history": history(found),
        "confirmation": confirmation(found),
        "front": front(found),
        "ablation": pd.DataFrame([record for each in told.ablated for record in _put_back(each)]),
        "importance": importance(found),
        "effects": pd.DataFrame([_effect(each) for each in told.effects]),
        "contexts": contexts(found),
        "variance": variance(found),
        "failed": pd.DataFrame([vars(each) for each in found.result.failed]),
    }


def history(found: ReportFacts) -> pd.DataFrame:
    """Returns one row a trial, in order: its score, its seeds, and the best score until then."""
    return pd.DataFrame([vars(each) for each in found.searched.history])


def confirmation(found: ReportFacts) -> pd.DataFrame:
    """Returns one row a finalist, best on fresh seeds first."""
    told = found.searched.confirmations
    records = []
    for each in told.finalists:
        outcome, rate = each.row.outcome, each.row.outcome.solve_rate
        records.append(
            {
                "id": each.row.id,
                "of": each.row.of,
                "name": outcome.name,
                "measure": told.measure,
                "search_seeds": each.search.n,
                "search_score": each.search.mean,
                "search_low": each.search.low,
                "search_high": each.search.high,
                "seeds": each.fresh.n,
                "score": each.fresh.mean,
                "low": each.fresh.low,
                "high": each.fresh.high,
                "optimism": each.optimism,
                "solved": rate.k,
                "solve_rate": rate.rate,
                "solve_rate_low": rate.low,
                "solve_rate_high": rate.high,
                "parameters": outcome.parameters,
                "updates": outcome.updates,
                "cost": outcome.cost,
                "search_winner": each is told.winner,
            }
        )
    return pd.DataFrame(records)


def front(found: ReportFacts) -> pd.DataFrame:
    """Returns one row a recipe that has all its seeds, the cheapest first."""
    simplest = found.searched.simplest.point
    return pd.DataFrame(
        {
            "id": each.row.id,
            "role": each.row.role,
            "name": each.row.outcome.name,
            "parameters": each.row.outcome.parameters,
            "updates": each.row.outcome.updates,
            "cost": each.cost,
            "solved": each.rate.k,
            "seeds": each.rate.n,
            "solve_rate": each.rate.rate,
            "solve_rate_low": each.rate.low,
            "solve_rate_high": each.rate.high,
            "front": each.best,
            "simplest": each is simplest,
        }
        for each in found.searched.front
    )


def _put_back(each: Ablation) -> list[dict[str, Any]]:
    """Returns one record a measure."""
    facts = {
        "id": each.row.id,
        "of": each.base.id,
        "name": each.name,
        "setting": each.axis,
        "value": each.value,
    }
    return [facts | _difference(measured) for measured in (each.rate, each.score)]


def _difference(each: ComparisonResult) -> dict[str, Any]:
    found = each.found
    assert found is not None
    return {
        "measure": each.asked.measure,
        "seeds": found.n,
        "difference": found.difference,
        "std": found.std,
        "low": found.low,
        "high": found.high,
        "p": found.p,
        "p_holm": each.corrected,
        "verdict": each.word,
        "more_seeds": each.more,
    }


def importance(found: ReportFacts) -> pd.DataFrame:
    """Returns one row a setting, the most important first.

    `fanova_of_all` is fANOVA's share times the part of the variance that is not the seeds'.
    """
    told = found.searched.importance
    return pd.DataFrame(
        {
            "setting": each.key,
            "trials": told.trials if told else 0,
            "fanova": each.fanova,
            "ped_anova": each.ped_anova,
            "fanova_of_all": each.scaled,
        }
        for each in (told.weights if told else ())
    )


def _effect(each: Effect) -> dict[str, Any]:
    return {
        "setting": each.axis,
        "value": each.value,
        "against": each.reference,
        "contexts": each.found.n,
        "fewest_seeds": min(each.seeds),
        "most_seeds": max(each.seeds),
        "difference": each.found.difference,
        "std": each.found.std,
        "low": each.found.low,
        "high": each.found.high,
        "p": each.found.p,
        "p_holm": each.corrected,
        "verdict": each.word,
    }


def contexts(found: ReportFacts) -> pd.DataFrame:
    """Returns one row an effect and context: the difference there, over how many seeds."""
    return pd.DataFrame(
        {
            "setting": each.axis,
            "value": each.value,
            "against": each.reference,
            "context": context,
            "seeds": seeds,
            "difference": difference,
        }
        for each in found.searched.effects
        for context, difference, seeds in zip(
            each.contexts, each.differences, each.seeds, strict=True
        )
    )


def variance(found: ReportFacts) -> pd.DataFrame:
    """Returns one row a source of variance: among random recipes, and within one."""
    seeds, winner = found.searched.seed_share, found.searched.split
    records: list[dict[str, Any]] = []
    if seeds is not None:
        for source, share in (("recipes", 1 - seeds.share), ("seeds", seeds.share)):
            records.append({"of": "random trials", "source": source, "share": share})
            records[-1] |= {"recipes": seeds.recipes, "runs": seeds.runs}
    if winner is not None:
        for source, share in winner.shares.items():
            records.append({"of": winner.row.id, "source": source, "share": share})
            records[-1] |= {"recipes": 1, "runs": len(winner.row.outcome.seeds)}
    return pd.DataFrame(records)
