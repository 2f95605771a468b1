"""Everything that a search found, found once; and as plain JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lstm_bench.analysis._ablation import Ablation, Effect, ablations, effects
from lstm_bench.analysis._finalists import (
    Confirmations,
    Point,
    Simplest,
    confirmations,
    front,
    simplest_of,
)
from lstm_bench.analysis._findings import ComparisonResult, comparisons, settled
from lstm_bench.analysis._history import Saved, Tried, history, saved
from lstm_bench.analysis._variance import (
    Importance,
    SeedShare,
    Split,
    importance,
    seed_share,
    split,
)
from lstm_bench.results import SweepResult
from lstm_bench.statistics import Mean, holm


@dataclass(frozen=True)
class SearchFindings:
    """What the functions of the same names found in one result."""

    history: tuple[Tried, ...]
    saved: Saved
    confirmations: Confirmations
    front: tuple[Point, ...]
    simplest: Simplest
    comparisons: tuple[ComparisonResult, ...]
    ablated: tuple[Ablation, ...]
    effects: tuple[Effect, ...]
    importance: Importance | None
    seed_share: SeedShare | None
    split: Split | None


def search_findings(result: SweepResult) -> SearchFindings:
    """Returns everything that the search of `result` found; of no search, nothing in each part.

    The p values of all comparisons, settings put back and switches are corrected together, so that
    5 % is the chance of any error among them.
    """
    points = front(result)
    compared, back, switched = _together(comparisons(result), ablations(result), effects(result))
    return SearchFindings(
        history(result),
        saved(result),
        confirmations(result),
        points,
        simplest_of(points),
        compared,
        back,
        switched,
        importance(result),
        seed_share(result),
        split(result),
    )


def _together(
    compared: Sequence[ComparisonResult], back: Sequence[Ablation], switched: Sequence[Effect]
) -> tuple[tuple[ComparisonResult, ...], tuple[Ablation, ...], tuple[Effect, ...]]:
    """Returns all of them with verdicts after Holm's correction over all of them."""
    found = [each.found for each in compared]
    found += [each.found for pair in back for each in (pair.rate, pair.score)]
    found += [each.found for each in switched]
    levels = holm([each.p if each else math.nan for each in found])
    among = sum(not math.isnan(level) for level in levels)
    level = iter(levels)
    return (
        tuple(settled(each, next(level), among) for each in compared),
        tuple(
            replace(
                each,
                rate=settled(each.rate, next(level), among),
                score=settled(each.score, next(level), among),
            )
            for each in back
        ),
        tuple(each.settled(next(level)) for each in switched),
    )


def search_document(result: SweepResult, found: SearchFindings | None = None) -> dict[str, Any]:
    """Returns what was searched and found as plain JSON values, under the keys that have any.

    `confirmation`, `front`, `simplest`, `ablation`, `importance`, `effects`, `variance`, `saved`.
    Differences and scores are shares in [0, 1]; what is not a number is None.
    """
    found = found or search_findings(result)
    finalists = found.confirmations.finalists
    parts: dict[str, Any] = {
        "confirmation": _confirmation(found.confirmations) if finalists else None,
        "front": [_point(each) for each in found.front],
        "simplest": _simplest(found.simplest) if finalists else None,
        "ablation": {each.row.id: _put_back(each) for each in found.ablated},
        "importance": _importance(found.importance) if found.importance else None,
        "effects": [_effect(each) for each in found.effects],
        "variance": _variance(found.seed_share, found.split),
        "saved": {**vars(found.saved), "share": found.saved.share} if found.saved.full else None,
    }
    return {key: _plain(part) for key, part in parts.items() if part}


def _confirmation(found: Confirmations) -> dict[str, Any]:
    return {
        "measure": found.measure,
        "optimism": {
            "mean": found.optimism,
            "winner": found.winner.optimism if found.winner else None,
        },
        "search_winner": found.winner.row.id if found.winner else None,
        "finalists": [
            {
                "id": each.row.id,
                "of": each.row.of,
                "name": each.row.outcome.name,
                "search": _mean(each.search),
                "confirmed": _mean(each.fresh),
                "optimism": each.optimism,
            }
            for each in found.finalists
        ],
    }


def _mean(mean: Mean) -> dict[str, Any]:
    return {"mean": mean.mean, "n": mean.n, "ci95": [mean.low, mean.high]}


def _point(each: Point) -> dict[str, Any]:
    rate = each.rate
    return {
        "id": each.row.id,
        "role": each.row.role,
        "parameters": each.row.outcome.parameters,
        "updates": each.row.outcome.updates,
        "cost": each.cost,
        "solve_rate": {"k": rate.k, "n": rate.n, "rate": rate.rate, "ci95": [rate.low, rate.high]},
        "front": each.best,
    }


def _simplest(found: Simplest) -> dict[str, Any]:
    point = None if found.point is None else _point(found.point)
    recipe = None if found.point is None else dict(found.point.row.outcome.settings)
    return {"bar": found.bar, "point": point, "recipe": recipe, "sentence": found.sentence}


def _put_back(each: Ablation) -> dict[str, Any]:
    return {
        "of": each.base.id,
        "setting": each.axis or None,
        "value": each.value,
        "solve_rate": _compared(each.rate),
        each.score.asked.measure: _compared(each.score),
        "verdict": each.word,
        "sentence": each.sentence,
    }


def _compared(each: ComparisonResult) -> dict[str, Any]:
    found = each.found
    assert found is not None
    return {
        "seeds": found.n,
        "difference": found.difference,
        "ci95": [found.low, found.high],
        "p": found.p,
        "p_holm": each.corrected,
        "verdict": each.word,
    }


def _importance(found: Importance) -> dict[str, Any]:
    return {
        "trials": found.trials,
        "settings": [vars(each) for each in found.weights],
        "seeds": found.seeds.share if found.seeds else None,
        "why": found.why or None,
    }


def _effect(each: Effect) -> dict[str, Any]:
    return {
        "setting": each.axis,
        "value": each.value,
        "against": each.reference,
        "contexts": each.found.n,
        "seeds": [min(each.seeds), max(each.seeds)],
        "difference": each.found.difference,
        "ci95": [each.found.low, each.found.high],
        "p": each.found.p,
        "p_holm": each.corrected,
        "verdict": each.word,
    }


def _variance(seeds: SeedShare | None, winner: Split | None) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    if seeds is not None:
        parts["random_trials"] = {**vars(seeds), "between": 1 - seeds.share}
    if winner is not None:
        parts["split"] = {"id": winner.row.id, "of": winner.row.of, "draws": winner.draws}
        parts["split"] |= {"shares": dict(winner.shares), "std": winner.std}
    return parts


def _plain(value: Any) -> Any:
    """Returns `value` in JSON's own types: NumPy's scalars unpacked, not-a-number as None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
