"""Optuna's samplers by name, created anew for every trial from the search's seed and its number.

`random`  every setting drawn from its part; such trials are representative of the whole space
`qmc`     the same, more evenly spread: a scrambled Sobol sequence (Sobol 1967, Owen 1998)
`tpe`     after a random start, tree-structured Parzen estimators (Bergstra et al. 2011)
`nsga2`   after a random start, evolution towards both score and cost (Deb et al. 2002)

A grid needs no sampler: see `Grid`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIISampler, QMCSampler, RandomSampler, TPESampler

from lstm_bench.search._space import Space
from lstm_bench.seeds import integer_seed
from lstm_bench.sweeps import Search


class SobolSampler(QMCSampler):
    """Optuna's `QMCSampler` over a space given beforehand, instead of that of the first trial.

    A setting that does not apply in a trial still keeps its dimension of the sequence.
    """

    def __init__(
        self, space: Mapping[str, BaseDistribution], seed: int, independent_seed: int
    ) -> None:
        """`seed`, the same for all trials, scrambles the sequence.

        Parameters that are not in `space` are drawn at random from `independent_seed`.
        """
        super().__init__(
            scramble=True,
            seed=seed,
            independent_sampler=RandomSampler(seed=independent_seed),
            warn_independent_sampling=False,
        )
        self._space = dict(space)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._space


def build_sampler(search: Search, space: Space, number: int) -> BaseSampler:
    """Returns the sampler for trial `number`."""
    seed = integer_seed(search.seed, "search", number)
    if search.sampler == "qmc":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return SobolSampler(space.distributions, integer_seed(search.seed, "search"), seed)
    if search.sampler == "nsga2":
        # The first generation is drawn at random; all generations have the same size.
        return NSGAIISampler(population_size=max(2, search.startup), seed=seed)
    if search.sampler == "tpe" and number >= search.startup:
        return TPESampler(seed=seed, n_startup_trials=1)
    return RandomSampler(seed=seed)
