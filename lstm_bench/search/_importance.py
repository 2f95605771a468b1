"""Hyperparameter importance, estimated from the trials of a search that were drawn at random.

Trials proposed by a guided sampler cluster where scores are high and tell little about the rest of
the space.
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

from lstm_bench.recipes import BUILT_IN_TASKS, TaskRegistry
from lstm_bench.statistics import explained_variances, value_groups
from lstm_bench.sweeps import Range, setting_applies

MIN_TRIALS = 8
"""The fewest distinct recipes from which importances are estimated."""

BEST_FRACTION = 0.25
"""The fraction of trials that PED-ANOVA compares with all of them."""

BINS = 4
"""Bins for a conditional range, of equal width; up to twice as many values are not binned."""

NOT_APPLICABLE = "–"
"""The category of a setting that does not apply."""


@dataclass(frozen=True)
class _Axis:
    """The values of one searched setting in n trials, as positions between `low` and `high`."""

    positions: list[float]  # (n,)
    low: float
    high: float
    categories: list[str] | None  # (n,), or None where the values are numbers


def importance(
    trials: Sequence[tuple[Mapping[str, Any], float]],
    parts: Mapping[str, Range | tuple[Any, ...]],
    seed: int = 1,
    tasks: TaskRegistry = BUILT_IN_TASKS,
) -> dict[str, Any]:
    """Returns how much each searched setting mattered, as plain JSON values.

    ``{"trials": n, "best": k, "settings": [{"key", "fanova", "ped_anova", "low", "high", "p"},
    ...]}``, the largest `fanova` first; `low`, `high` and `p` are `explained_variances`. `trials`
    are the complete settings and the score of each random trial, `parts` the space that they were
    drawn from; their task is one of `tasks`. The two importances answer different questions:

    `fanova`      Which settings move the score? The fraction of the score's variance over the whole
                  space that the setting explains alone, by a random forest: Hutter, Hoos &
                  Leyton-Brown (2014), "An Efficient Approach for Assessing Hyperparameter
                  Importance". The rest of 1 is joint effects. All values have the same weight, on
                  the scale that was searched.
    `ped_anova`   Which settings distinguish the best `k` trials (a quarter, more with ties) from
                  all? How much the distribution of the values differs between the best and all:
                  Watanabe, Bansal & Hutter (2023), "PED-ANOVA: Efficiently Quantifying
                  Hyperparameter Importance in Arbitrary Subspaces". Divided by the sum over all
                  settings.

    Where a conditional setting does not apply, it has a category of its own; the numbers of such a
    setting are categories too, one for each value or for each quarter of the range. With too few
    trials, or scores that are all the same, the result is
    ``{"trials": n, "settings": [], "why": "..."}``.
    """
    finite = [(settings, score) for settings, score in trials if math.isfinite(score)]
    scores = np.array([score for _, score in finite], float)  # (n,)
    drawn = [settings for settings, _ in finite]
    axes = {key: _axis(key, part, drawn, tasks) for key, part in parts.items()}
    axes = {key: axis for key, axis in axes.items() if len(set(axis.positions)) > 1}
    count = len(finite)
    distinct = len({tuple(axis.positions[n] for axis in axes.values()) for n in range(count)})
    why = ""
    if distinct < MIN_TRIALS:
        available = f"there {'is' if distinct == 1 else 'are'} {distinct}"
        why = f"Importances need {MIN_TRIALS} different random trials, but {available}."
    elif np.ptp(scores) == 0:
        why = f"Every random trial scores {scores[0]:.4g}, so no setting made a difference."
    if why:
        return {"trials": count, "settings": [], "why": why}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    best = _best_count(scores)
    fanova = _fanova(axes, scores, seed)
    ped_anova = _ped_anova(axes, scores, best)
    order = sorted(axes, key=lambda key: (-fanova[key], key))
    groups = [value_groups(axes[k].positions, axes[k].categories is not None) for k in order]
    alone = explained_variances(groups, scores)
    settings = [
        {"key": k, "fanova": fanova[k], "ped_anova": ped_anova[k]}
        | {"low": share.low, "high": share.high, "p": share.p}
        for k, share in zip(order, alone, strict=True)
    ]
    return {"trials": count, "best": best, "settings": settings}


def _axis(
    key: str,
    part: Range | tuple[Any, ...],
    trials: Sequence[Mapping[str, Any]],
    tasks: TaskRegistry,
) -> _Axis:
    """Returns the positions of `trials`, which are their settings, along one setting."""
    applies = [setting_applies(key, settings, tasks) for settings in trials]
    pairs = zip(trials, applies, strict=True)
    values = [settings.get(key) if applied else None for settings, applied in pairs]
    if isinstance(part, Range) and all(applies):
        scale: Callable[[float], float] = math.log if part.log else float
        half = 0.5 if part.int_ is not None else 0.0  # so that all whole numbers are equally wide
        low, high = (scale(end) for end in (part.bounds[0] - half, part.bounds[1] + half))
        return _Axis([scale(value) for value in values if value is not None], low, high, None)
    order: list[str]
    if isinstance(part, Range):
        categories, order = _binned(part, values, applies)
    else:
        flagged = zip(values, applies, strict=True)
        categories = [str(value) if applied else NOT_APPLICABLE for value, applied in flagged]
        order = [*map(str, part)]
    present = [category for category in [*order, NOT_APPLICABLE] if category in categories]
    positions = [float(present.index(category)) for category in categories]
    return _Axis(positions, -0.5, len(present) - 0.5, categories)


def _binned(
    part: Range, values: Sequence[Any], applies: Sequence[bool]
) -> tuple[list[str], list[str]]:
    """Returns the category of each value of a conditional range, and the order of the categories.

    Few distinct values are a category each; more are binned.
    """
    flagged = list(zip(values, applies, strict=True))
    distinct = sorted({value for value, applied in flagged if applied})
    if len(distinct) <= 2 * BINS:
        names = {value: str(value) for value in distinct}
    else:
        spaced = np.geomspace if part.log else np.linspace
        edges = spaced(*part.bounds, BINS + 1)[1:-1]  # (BINS - 1,)
        names = {value: f"part {1 + int(np.searchsorted(edges, value))}" for value in distinct}
    categories = [names[value] if applied else NOT_APPLICABLE for value, applied in flagged]
    return categories, list(dict.fromkeys(names.values()))


def _best_count(scores: np.ndarray) -> int:
    """Returns how many trials are the best: a quarter and what ties with it, but never all.

    >>> _best_count(np.arange(8.0)), _best_count(np.array([0, 0, 0, 0, 0, 0, 0, 1.0]))
    (2, 1)
    """
    cutoff = np.sort(scores)[-math.ceil(BEST_FRACTION * len(scores))]
    count = int((scores >= cutoff).sum())
    return count if count < len(scores) else int((scores > cutoff).sum())


def _fanova(axes: Mapping[str, _Axis], scores: np.ndarray, seed: int) -> dict[str, float]:
    """Returns the fraction of the variance that each setting explains alone.

    Categories are positions of equal width on a line, like numbers: Optuna would one-hot encode
    them, and most combinations of those columns are no category.
    """
    study = optuna.create_study(direction="maximize")
    distributions = {key: FloatDistribution(axis.low, axis.high) for key, axis in axes.items()}
    for number, score in enumerate(scores):
        positions = {key: axis.positions[number] for key, axis in axes.items()}
        study.add_trial(_frozen_trial(positions, distributions, float(score)))
    return _importances(study, FanovaImportanceEvaluator(seed=seed))


def _ped_anova(axes: Mapping[str, _Axis], scores: np.ndarray, best: int) -> dict[str, float]:
    """Returns how much the distribution of each setting differs among the `best`; sums to 1."""
    study = optuna.create_study(direction="maximize")
    distributions: dict[str, BaseDistribution] = {
        key: FloatDistribution(axis.low, axis.high)
        if axis.categories is None
        else CategoricalDistribution(sorted(set(axis.categories)))
        for key, axis in axes.items()
    }
    for number, score in enumerate(scores):
        values = {key: (axis.categories or axis.positions)[number] for key, axis in axes.items()}
        study.add_trial(_frozen_trial(values, distributions, float(score)))
    # Optuna rounds the number of the best up: half a trial less gives exactly `best`.
    quantile = (best - 0.5) / len(scores)
    divergences = _importances(study, PedAnovaImportanceEvaluator(target_quantile=quantile))
    total = sum(divergences.values())
    return {key: value / total if total else 0.0 for key, value in divergences.items()}


def _frozen_trial(
    values: Mapping[str, Any], distributions: Mapping[str, BaseDistribution], score: float
) -> optuna.trial.FrozenTrial:
    """Returns a finished Optuna trial with these parameters and this score."""
    return optuna.trial.create_trial(
        params=dict(values), distributions=dict(distributions), value=score
    )


def _importances(study: optuna.Study, evaluator: Any) -> dict[str, float]:
    """Returns the importances of the parameters of `study`, not normalised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        values = optuna.importance.get_param_importances(
            study, evaluator=evaluator, normalize=False
        )
    return {key: float(value) for key, value in values.items()}
