"""Optuna's samplers by name, made anew for every trial from the search's seed and its number.

`random`  every setting drawn from its part: what is told from these is told of the whole space
`qmc`     the same, more evenly spread: a scrambled Sobol sequence (Sobol 1967, Owen 1998)
`tpe`     after a random start, tree-structured Parzen estimators (Bergstra et al. 2011)
`nsga2`   after a random start, evolution towards both score and cost (Deb et al. 2002)

A grid asks no sampler: see `grid`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIISampler, QMCSampler, RandomSampler, TPESampler

from lstm_bench.search._space import Space
from lstm_bench.seeds import integer
from lstm_bench.sweeps import Search


class Sobol(QMCSampler):
    """Optuna's sequence over a space that is known beforehand, instead of that of a first trial.

    A setting that a trial has no use for keeps its place in the sequence.
    """

    def __init__(self, space: Mapping[str, BaseDistribution], seed: int, own: int) -> None:
        """One `seed` for all trials scrambles the sequence; `own` draws what it does not have."""
        super().__init__(
            scramble=True,
            seed=seed,
            independent_sampler=RandomSampler(seed=own),
            warn_independent_sampling=False,
        )
        self._space = dict(space)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._space


def sampler(search: Search, space: Space, number: int) -> BaseSampler:
    """Returns the sampler that draws trial `number`."""
    seed = integer(search.seed, "search", number)
    if search.sampler == "qmc":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return Sobol(space.distributions, integer(search.seed, "search"), seed)
    if search.sampler == "nsga2":
        # Its first generation is drawn at random, and is as large as all later ones.
        return NSGAIISampler(population_size=max(2, search.startup), seed=seed)
    if search.sampler == "tpe" and number >= search.startup:
        return TPESampler(seed=seed, n_startup_trials=1)
    return RandomSampler(seed=seed)
