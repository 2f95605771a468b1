"""The search as an Optuna study: Optuna itself reads it, and its numbers are those by hand."""

import json

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState
from outcome_builder import build_outcome

from lstm_bench.errors import StoreError, UserError
from lstm_bench.results._sweep_data import Failed, Row, SweepData
from lstm_bench.search._optuna_trials import optuna_trial, search_study
from lstm_bench.sweeps._search import Search

SEARCH = Search.model_validate(
    {
        "space": {
            "units": {"int": [2, 64], "log": True},
            "learning_rate": {"float": [0.001, 0.1], "log": True},
            "framing": ["pairs", "window"],
            "window": {"int": [1, 3]},
            "stateful": [True],
        }
    }
)
SETTINGS = {"task": "memory", "units": 8, "learning_rate": 0.01, "framing": "pairs"}
SETTINGS |= {"stateful": True}
SCORES = [1.0, 0.5, 0.75, 1.0, 0.25, 0.5]


def test_a_trial_has_the_parameters_that_apply_with_the_distributions_of_the_space():
    outcome = build_outcome(SCORES, settings=SETTINGS)
    trial = optuna_trial(SEARCH, SETTINGS, outcome, 6)
    assert trial.params == {"units": 8, "learning_rate": 0.01, "framing": "pairs"}
    assert trial.distributions == {
        "units": IntDistribution(2, 64, log=True),
        "learning_rate": FloatDistribution(0.001, 0.1, log=True),
        "framing": CategoricalDistribution(("pairs", "window")),
    }
    windowed = SETTINGS | {"framing": "window", "window": 2}
    assert optuna_trial(SEARCH, windowed, outcome, 6).params["window"] == 2


def test_values_are_means_and_rungs_are_means_of_the_first_seeds():
    outcome = build_outcome(SCORES, settings=SETTINGS)
    trial = optuna_trial(SEARCH, SETTINGS, outcome, 6)
    assert (trial.state, trial.value) == (TrialState.COMPLETE, np.mean(SCORES))
    assert trial.intermediate_values == {3: 0.75, 6: np.mean(SCORES)}
    assert trial.user_attrs["seeds"] == list(range(6))
    assert trial.user_attrs["solve_rate"] == 2 / 6
    assert trial.duration.total_seconds() == pytest.approx(6 * 0.5)  # half a second a seed
    json.dumps(trial.user_attrs, allow_nan=False)  # Optuna's databases hold JSON


def test_a_trial_that_the_race_stopped_is_pruned():
    outcome = build_outcome(SCORES[:3], settings=SETTINGS)
    trial = optuna_trial(SEARCH, SETTINGS, outcome, 10)
    assert (trial.state, trial.value) == (TrialState.PRUNED, 0.75)
    assert trial.intermediate_values == {3: 0.75}


def test_a_failed_trial_has_no_value():
    trial = optuna_trial(SEARCH, SETTINGS, None, 10, attributes={"reason": "it diverged"})
    assert (trial.state, trial.values) == (TrialState.FAIL, None)
    assert trial.params["units"] == 8
    assert trial.user_attrs == {"reason": "it diverged"}


def test_two_objectives_have_two_values():
    search = SEARCH.model_copy(update={"sampler": "nsga2"})
    outcome = build_outcome(SCORES, settings=SETTINGS, parameters=10, updates=7)
    assert optuna_trial(search, SETTINGS, outcome, 6).values == [np.mean(SCORES), 70.0]


def a_result(**fields):
    rows, analysis = [], {"failed_trials": {"1": {"digest": "f" * 12, "settings": SETTINGS}}}
    for number, scores in {0: SCORES, 2: SCORES[:3]}.items():
        settings = SETTINGS | {"units": 4 + number}
        outcome = build_outcome(scores, settings=settings, digest=f"{number:012}")
        rows.append(Row(f"trial-{number}", outcome, role="trial", trial=number))
    failed = (Failed("trial-1", "lstm(8)", "it diverged"), Failed("A1", "lstm(9)", "no"))
    defaults = {
        "name": "small", "title": "", "about": "", "rows": tuple(rows), "failed": failed,
        "search": SEARCH.model_dump(mode="json", by_alias=True, exclude_none=True),
        "provenance": {}, "unfinished": 0, "seeds": 6, "analysis": analysis,
    }  # fmt: skip
    return SweepData(**defaults | fields)


def test_a_stored_sweep_becomes_a_study():
    study = search_study(a_result())
    assert study.study_name == "small"
    assert study.metric_names == ["accuracy"]
    states = [TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED]
    assert [trial.state for trial in study.trials] == states
    assert [trial.params["units"] for trial in study.trials] == [4, 8, 6]
    assert study.trials[1].user_attrs["reason"] == "it diverged"
    assert study.best_trial.user_attrs["id"] == "trial-0"
    assert study.direction == optuna.study.StudyDirection.MAXIMIZE


def test_a_sweep_without_a_search_has_no_study():
    with pytest.raises(UserError, match="small has no search; add `search`"):
        search_study(a_result(search=None))
    with pytest.raises(StoreError, match="cannot be read"):
        search_study(a_result(search={"sampler": "guess"}))
