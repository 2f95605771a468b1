"""The trials of a search in Optuna's form: parameters, distributions, values and rungs.

A study of these trials is a copy of the results that the sweep has stored. The search itself does
not read it or depend on it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial, TrialState, create_trial
from pydantic import ValidationError

from lstm_bench.analysis import seeds_per_trial
from lstm_bench.errors import StoreError, UserError
from lstm_bench.recipes import BUILT_IN_TASKS, TaskRegistry
from lstm_bench.results import Outcome, SweepData, measure_values
from lstm_bench.search._racing import rungs
from lstm_bench.sweeps import Range, Search, setting_applies

FAILED_TRIALS = "failed_trials"
"""The key of a sweep's `analysis` that holds the settings of failed trials, by number."""


def optuna_trial(
    search: Search,
    settings: Mapping[str, Any],
    outcome: Outcome | None,
    seeds: int,
    tasks: TaskRegistry = BUILT_IN_TASKS,
    attributes: Mapping[str, Any] = {},
) -> FrozenTrial:
    """Returns a finished trial in Optuna's form, without its number.

    Stored outcomes have no time of day. So the trial ends now, and its duration is the seconds of
    training, summed over the seeds.

    `settings` are those of the recipe, whose task is one of `tasks`. A trial without an `outcome`
    has failed. With fewer than `seeds` seeds, it was stopped by the race, so its state is `PRUNED`.
    Its value is the mean of the objective over its seeds. Its intermediate values are the means
    after each rung, by the number of seeds. `attributes` are further user attributes.
    """
    distributions = _distributions(search, settings, tasks)
    ended = datetime.now()
    facts: dict[str, Any] = {
        "params": {key: settings[key] for key in distributions},
        "distributions": distributions,
        "user_attrs": dict(attributes),
    }
    if outcome is None:
        failed = create_trial(state=TrialState.FAIL, **facts)
        failed.datetime_start = failed.datetime_complete = ended
        return failed
    scores = measure_values(outcome, search.objective)  # (seeds,)
    value = float(scores.mean())
    facts["user_attrs"] |= _attributes(outcome)
    facts["values"] = [value, float(outcome.cost)] if is_multi_objective(search) else [value]
    ladder = rungs(seeds) if search.race else (seeds,)
    facts["intermediate_values"] = {
        rung: float(scores[:rung].mean()) for rung in ladder if rung <= len(scores)
    }
    stopped = len(scores) < seeds
    trial = create_trial(state=TrialState.PRUNED if stopped else TrialState.COMPLETE, **facts)
    trial.datetime_start = ended - timedelta(seconds=outcome.train_seconds)
    trial.datetime_complete = ended
    return trial


def is_multi_objective(search: Search) -> bool:
    """Returns whether a search weighs score against cost, in place of the score alone."""
    return search.sampler == "nsga2"


def study_options(search: Search) -> dict[str, Any]:
    """Returns the directions of the study of `search`, as arguments of `optuna.create_study`."""
    return {"directions": ["maximize", "minimize"] if is_multi_objective(search) else ["maximize"]}


def name_metrics(study: optuna.Study, search: Search) -> None:
    """Names the values of a study's trials: the objective and the cost."""
    names: list[str] = [search.objective]
    names += ["cost"] if is_multi_objective(search) else []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        study.set_metric_names(names)


def search_study(result: SweepData, tasks: TaskRegistry = BUILT_IN_TASKS) -> optuna.Study:
    """Returns the search of a sweep as an Optuna study in memory, from the sweep's results.

    Raises `UserError` if the sweep has no search, `StoreError` if its stored search cannot be read.
    """
    if result.search is None:
        raise UserError(f"study: {result.name} has no search; add `search` to the sweep")
    try:
        search = Search.model_validate(result.search)
    except ValidationError as error:
        raise StoreError(
            f"study: the stored search of {result.name} cannot be read ({error.error_count()} "
            "faults); run the sweep again"
        ) from error
    trials: dict[int, FrozenTrial] = {}
    seeds = seeds_per_trial(result)
    for row in result.trials:
        if row.trial is not None:
            facts = trial_attributes(row.id, row.outcome.digest, row.outcome.name)
            settings = row.outcome.settings
            trials[row.trial] = optuna_trial(search, settings, row.outcome, seeds, tasks, facts)
    failed = result.analysis.get(FAILED_TRIALS, {})
    for failure in result.failed:
        number = failure.id.removeprefix("trial-")
        if number != failure.id and number.isdecimal():
            stored = failed.get(number, {})
            facts = trial_attributes(failure.id, stored.get("digest", ""), failure.name)
            facts["reason"] = failure.reason
            settings = stored.get("settings", {})
            trials[int(number)] = optuna_trial(search, settings, None, seeds, tasks, facts)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        study_name=f"{result.name} {result.overrides}".rstrip(), **study_options(search)
    )
    name_metrics(study, search)
    study.add_trials([trials[number] for number in sorted(trials)])
    return study


def trial_attributes(id_: str, digest: str, name: str) -> dict[str, Any]:
    """Returns the user attributes that every trial has: its row, its digest and its recipe."""
    return {"id": id_, "digest": digest, "recipe": name}


def _attributes(outcome: Outcome) -> dict[str, Any]:
    """Returns the results of a trial as user attributes, without values that are not finite."""
    rate = outcome.solve_rate
    numbers = {
        "accuracy": outcome.accuracy.mean,
        "solve_rate": rate.rate,
        "solved_seeds": rate.k,
        "epochs_to_solve": outcome.epochs_to_solve,
        "parameters": outcome.parameters,
        "updates": outcome.updates,
        "train_seconds": outcome.train_seconds,
    }
    finite = {k: v for k, v in numbers.items() if v is not None and math.isfinite(v)}
    return {"seeds": sorted(outcome.seeds["seed"].tolist()), **finite}


def _distributions(
    search: Search, settings: Mapping[str, Any], tasks: TaskRegistry
) -> dict[str, BaseDistribution]:
    """Returns the distribution of each searched setting that applies and has several values.

    The distributions are those that the search file gives. A setting with a value outside has none.
    """
    distributions = {}
    for key, part in search.space.items():
        if key not in settings or not setting_applies(key, settings, tasks):
            continue
        distribution = _distribution(part)
        inside = (
            settings[key] in part
            if isinstance(part, tuple)
            else isinstance(settings[key], int | float)
            and part.bounds[0] <= settings[key] <= part.bounds[1]
        )
        if inside and not distribution.single():
            distributions[key] = distribution
    return distributions


def _distribution(part: Range | tuple[Any, ...]) -> BaseDistribution:
    """Returns a part of a search space as an Optuna distribution."""
    if not isinstance(part, Range):
        return CategoricalDistribution(part)
    if part.int_ is not None:
        return IntDistribution(*part.int_, log=part.log)
    low, high = part.bounds
    return FloatDistribution(low, high, log=part.log)
