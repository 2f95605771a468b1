"""What mattered in a search, told from the trials that were drawn at random.

Trials that a sampler guided crowd where scores are high and say little of the rest of the space.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator

from lstm_bench.search._conditions import applies
from lstm_bench.sweeps import Range

FEWEST = 8
"""Distinct recipes below which nothing is said."""

BEST = 0.25
"""The share of trials that PED-ANOVA sets apart from all of them."""

BINS = 4
"""Equal parts of a range that only sometimes applies; up to twice as many values are kept apart."""

NONE = "–"
"""The category of a setting that does not apply."""


@dataclass(frozen=True)
class _Setting:
    """One searched setting over n trials: where each lies on a line, and what it is called."""

    places: list[float]  # (n,)
    low: float
    high: float
    names: list[str] | None  # (n,) where the values are categories, else None


def importance(
    trials: Sequence[tuple[Mapping[str, Any], float]],
    parts: Mapping[str, Range | tuple[Any, ...]],
    seed: int = 1,
) -> dict[str, Any]:
    """Returns how much each searched setting mattered, as plain JSON values.

    ``{"trials": n, "best": k, "settings": [{"key", "fanova", "ped_anova"}, ...]}``, the largest
    `fanova` first. `trials` are the complete settings and the score of each random trial, `parts`
    the space that they were drawn from. The two answer different questions:

    `fanova`      Which settings move the score? The share of its variance over the whole space that
                  the setting explains alone, by a random forest: Hutter, Hoos & Leyton-Brown
                  (2014), "An Efficient Approach for Assessing Hyperparameter Importance". What is
                  missing from 1 is joint effects. Every value weighs alike, on the scale that it
                  was searched on.
    `ped_anova`   Which settings set the best `k` trials (a quarter, more where they tie) apart from
                  all? By how far the values among the best are distributed otherwise than all:
                  Watanabe, Bansal & Hutter (2023), "PED-ANOVA: Efficiently Quantifying
                  Hyperparameter Importance in Arbitrary Subspaces". Given as shares of their sum.

    Where a conditional setting does not apply it has a category of its own; one of numbers is
    then taken by value, or by quarters of its range. Too few trials, or scores that are all the
    same, give no settings but the reason: ``{"trials": n, "settings": [], "why": "..."}``.
    """
    found = [(settings, score) for settings, score in trials if math.isfinite(score)]
    scores = np.array([score for _, score in found], float)  # (n,)
    searched = {
        key: _setting(key, parts[key], [settings for settings, _ in found]) for key in parts
    }
    searched = {key: each for key, each in searched.items() if len(set(each.places)) > 1}
    distinct = len({tuple(e.places[n] for e in searched.values()) for n in range(len(found))})
    why = ""
    if distinct < FEWEST:
        there = f"there {'is' if distinct == 1 else 'are'} {distinct}"
        why = f"it takes {FEWEST} different random trials to tell, and {there}"
    elif np.ptp(scores) == 0:
        why = f"every random trial scores {scores[0]:.4g}, so no setting made a difference"
    if why:
        return {"trials": len(found), "settings": [], "why": why}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    best = _best(scores)
    shares = _fanova(searched, scores, seed)
    apart = _ped_anova(searched, scores, best)
    order = sorted(searched, key=lambda key: (-shares[key], key))
    settings = [{"key": k, "fanova": shares[k], "ped_anova": apart[k]} for k in order]
    return {"trials": len(found), "best": best, "settings": settings}


def _setting(
    key: str, part: Range | tuple[Any, ...], trials: Sequence[Mapping[str, Any]]
) -> _Setting:
    """Returns where `trials` lie on the line of a setting."""
    apply = [applies(key, settings) for settings in trials]
    values = [
        settings.get(key) if here else None for settings, here in zip(trials, apply, strict=True)
    ]
    if isinstance(part, Range) and all(apply):
        scale: Callable[[float], float] = math.log if part.log else float
        half = 0.5 if part.int_ is not None else 0.0  # a whole number is as wide as the others
        low, high = (scale(end) for end in (part.bounds[0] - half, part.bounds[1] + half))
        return _Setting([scale(value) for value in values if value is not None], low, high, None)
    order: list[str]
    if isinstance(part, Range):
        names, order = _binned(part, values, apply)
    else:
        names = [str(value) if here else NONE for value, here in zip(values, apply, strict=True)]
        order = [*map(str, part)]
    known = [name for name in [*order, NONE] if name in names]
    places = [float(known.index(name)) for name in names]
    return _Setting(places, -0.5, len(known) - 0.5, names)


def _binned(
    part: Range, values: Sequence[Any], apply: Sequence[bool]
) -> tuple[list[str], list[str]]:
    """Returns the category of each value of a range that does not always apply, and their order."""
    there = sorted({value for value, here in zip(values, apply, strict=True) if here})
    if len(there) <= 2 * BINS:
        names = {value: str(value) for value in there}
    else:
        spaced = np.geomspace if part.log else np.linspace
        edges = spaced(*part.bounds, BINS + 1)[1:-1]  # (BINS - 1,)
        names = {value: f"part {1 + int(np.searchsorted(edges, value))}" for value in there}
    given = [names[value] if here else NONE for value, here in zip(values, apply, strict=True)]
    return given, list(dict.fromkeys(names.values()))


def _best(scores: np.ndarray) -> int:
    """Returns how many trials are the best: a quarter and what ties with it, but never all.

    >>> _best(np.arange(8.0)), _best(np.array([0, 0, 0, 0, 0, 0, 0, 1.0]))
    (2, 1)
    """
    cutoff = np.sort(scores)[-math.ceil(BEST * len(scores))]
    count = int((scores >= cutoff).sum())
    return count if count < len(scores) else int((scores > cutoff).sum())


def _fanova(searched: Mapping[str, _Setting], scores: np.ndarray, seed: int) -> dict[str, float]:
    """Returns each setting's share of the variance.

    All settings lie on lines here, categories as places of equal width: Optuna would spread them
    over columns of zeros and ones, most combinations of which are no category.
    """
    study = optuna.create_study(direction="maximize")
    lines = {key: FloatDistribution(each.low, each.high) for key, each in searched.items()}
    for number, score in enumerate(scores):
        places = {key: each.places[number] for key, each in searched.items()}
        study.add_trial(_trial(places, lines, float(score)))
    return _told(study, FanovaImportanceEvaluator(seed=seed))


def _ped_anova(searched: Mapping[str, _Setting], scores: np.ndarray, best: int) -> dict[str, float]:
    """Returns how far each setting is distributed otherwise among the best, as shares of 1."""
    study = optuna.create_study(direction="maximize")
    known: dict[str, BaseDistribution] = {
        key: FloatDistribution(each.low, each.high)
        if each.names is None
        else CategoricalDistribution(sorted(set(each.names)))
        for key, each in searched.items()
    }
    for number, score in enumerate(scores):
        values = {key: (each.names or each.places)[number] for key, each in searched.items()}
        study.add_trial(_trial(values, known, float(score)))
    # Half a trial less, so that rounding up gives just this many.
    quantile = (best - 0.5) / len(scores)
    found = _told(study, PedAnovaImportanceEvaluator(target_quantile=quantile))
    total = sum(found.values())
    return {key: value / total if total else 0.0 for key, value in found.items()}


def _trial(
    values: Mapping[str, Any], known: Mapping[str, BaseDistribution], score: float
) -> optuna.trial.FrozenTrial:
    return optuna.trial.create_trial(params=dict(values), distributions=dict(known), value=score)


def _told(study: optuna.Study, evaluator: Any) -> dict[str, float]:
    """Returns what `evaluator` makes of `study`, unscaled, in the order of the settings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        found = optuna.importance.get_param_importances(study, evaluator=evaluator, normalize=False)
    return {key: float(value) for key, value in found.items()}
