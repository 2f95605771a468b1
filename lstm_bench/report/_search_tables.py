"""Every number of a search as data frames: shares in [0, 1], costs as counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from lstm_bench.analysis import Findings


def frames(findings: Findings) -> Mapping[str, pd.DataFrame]:
    """Returns the tables by the stem of their file; tables without rows are included."""
    ablations = [record for ablation in findings.ablations for record in ablation.records()]
    return {
        "history": pd.DataFrame([vars(trial) for trial in findings.history]),
        "confirmation": confirmation(findings),
        "front": front(findings),
        "ablation": pd.DataFrame(ablations),
        "importance": importance(findings),
        "effects": pd.DataFrame([effect.record() for effect in findings.effects]),
        "contexts": contexts(findings),
        "variance": variance(findings),
        "failed": pd.DataFrame([vars(recipe) for recipe in findings.result.failed]),
    }


def confirmation(findings: Findings) -> pd.DataFrame:
    """Returns one row per finalist, best on fresh seeds first."""
    confirmations = findings.confirmations
    records: list[dict[str, Any]] = []
    for finalist in confirmations.finalists:
        outcome, rate = finalist.row.outcome, finalist.row.outcome.solve_rate
        records.append(
            {
                "id": finalist.row.id,
                "of": finalist.row.of,
                "name": outcome.name,
                "measure": confirmations.measure,
                "search_seeds": finalist.search.n,
                "search_score": finalist.search.mean,
                "search_low": finalist.search.low,
                "search_high": finalist.search.high,
                "seeds": finalist.fresh.n,
                "score": finalist.fresh.mean,
                "low": finalist.fresh.low,
                "high": finalist.fresh.high,
                "optimism": finalist.optimism,
                "solved": rate.k,
                "solve_rate": rate.rate,
                "solve_rate_low": rate.low,
                "solve_rate_high": rate.high,
                "parameters": outcome.parameters,
                "updates": outcome.updates,
                "cost": outcome.cost,
                "search_winner": finalist is confirmations.winner,
                "corrected": confirmations.corrected if not records else math.nan,
            }
        )
    return pd.DataFrame(records)


def front(findings: Findings) -> pd.DataFrame:
    """Returns one row per recipe that has all its seeds, the cheapest first."""
    simplest = findings.simplest.point
    return pd.DataFrame(
        {
            "id": point.row.id,
            "role": point.row.role,
            "name": point.row.outcome.name,
            "parameters": point.row.outcome.parameters,
            "updates": point.row.outcome.updates,
            "cost": point.cost,
            "solved": point.rate.k,
            "seeds": point.rate.n,
            "solve_rate": point.rate.rate,
            "solve_rate_low": point.rate.low,
            "solve_rate_high": point.rate.high,
            "front": point.on_front,
            "simplest": point is simplest,
        }
        for point in findings.front
    )


def importance(findings: Findings) -> pd.DataFrame:
    """Returns one row per setting, the most important first.

    `fanova_of_all` is the share of fANOVA times the fraction of variance that seeds do not cause.
    """
    importances = findings.importance
    return pd.DataFrame(
        {
            "setting": setting.key,
            "trials": importances.trials if importances else 0,
            "fanova": setting.fanova,
            "ped_anova": setting.ped_anova,
            "fanova_of_all": setting.scaled,
            "low": setting.low,
            "high": setting.high,
            "p": setting.p,
        }
        for setting in (importances.settings if importances else ())
    )


def contexts(findings: Findings) -> pd.DataFrame:
    """Returns one row per effect and context: the difference, and its number of seeds."""
    return pd.DataFrame(
        {
            "setting": effect.axis,
            "value": effect.value,
            "against": effect.reference,
            "context": context,
            "seeds": seeds,
            "difference": difference,
        }
        for effect in findings.effects
        for context, difference, seeds in zip(
            effect.contexts, effect.differences, effect.seeds, strict=True
        )
    )


def variance(findings: Findings) -> pd.DataFrame:
    """Returns one row per source of variance: among random recipes, and within one recipe."""
    seeds, winner = findings.seed_variance, findings.winner_variance
    records: list[dict[str, Any]] = []
    if seeds is not None:
        of_seeds = seeds.fraction, seeds.low, seeds.high
        rest = 1 - seeds.fraction, 1 - seeds.high, 1 - seeds.low
        for source, (share, low, high) in (("recipes", rest), ("seeds", of_seeds)):
            records.append({"of": "random trials", "source": source, "share": share})
            records[-1] |= {"recipes": seeds.recipes, "runs": seeds.runs, "low": low, "high": high}
    if winner is not None:
        for source, share in winner.fractions.items():
            records.append({"of": winner.row.id, "source": source, "share": share})
            records[-1] |= {"recipes": 1, "runs": len(winner.row.outcome.seeds)}
            low, high = winner.intervals[source]
            records[-1] |= {"low": low, "high": high}
    return pd.DataFrame(records)
