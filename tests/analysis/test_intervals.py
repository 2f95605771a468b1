"""Forecast intervals from the errors of a trial, and runs that have none."""

import dataclasses

import numpy as np
import pandas as pd
from outcome_builder import build_outcome

from lstm_bench.analysis._intervals import forecast_intervals, interval_results
from lstm_bench.results import Row, SweepData
from lstm_bench.training._forecast import missing_intervals


def a_trial(errors):
    """Returns the outcome of a trial with these errors (seeds, rows)."""
    seed, moment = np.indices(errors.shape).reshape(2, -1)
    table = pd.DataFrame({"seed": seed, "sequence": 1, "step": moment, "input": "row 2"})
    table = table.assign(expected=5.0, predicted=5.0 + errors.ravel(), correct=True, moment=moment)
    outcome = build_outcome(np.ones(len(errors)), settings={"task": "csv"})
    return dataclasses.replace(outcome, seeds=outcome.seeds.assign(mae=1.0), predictions=table)


def test_the_half_widths_are_quantiles_of_the_errors_of_all_seeds():
    errors = np.random.default_rng(1).normal(size=(3, 39))
    intervals = forecast_intervals(a_trial(errors))
    pooled = np.sort(np.abs(errors), axis=None)
    assert (intervals["rows"], intervals["seeds"]) == (39, 3)
    found = [intervals["half_widths"][level] for level in ("80", "95")]
    np.testing.assert_allclose(found, [pooled[3 * 32 - 1], pooled[3 * 38 - 1]])


def test_too_few_rows_or_a_diverged_seed_give_no_half_width():
    errors = np.random.default_rng(2).normal(size=(2, 18))
    assert forecast_intervals(a_trial(errors))["half_widths"]["95"] is None
    errors[0] = np.nan
    assert forecast_intervals(a_trial(errors))["half_widths"] == {"80": None, "95": None}
    symbols = build_outcome(np.ones(2), settings={"task": "memory"})
    assert forecast_intervals(symbols) == {}


def test_runs_without_intervals_say_why_and_are_not_measured():
    outcome = dataclasses.replace(a_trial(np.ones((2, 30))), data={"kind": "regression"})
    assert missing_intervals(outcome).startswith("no forecast intervals: they are made from")
    few = {"rows": 12, "seeds": 2, "half_widths": {"80": 1.0, "95": None}}
    some = dataclasses.replace(outcome, data={"kind": "regression", "intervals": few})
    assert missing_intervals(some).startswith("no forecast intervals of 95 %: they need errors on")
    assert missing_intervals(dataclasses.replace(outcome, data={"kind": "binary"})) == ""
    for data in ({}, {"intervals": 3}, {"intervals": {"rows": 2, "half_widths": {"80": "x"}}}):
        row = Row("confirm-1", dataclasses.replace(outcome, data=data), role="confirmed")
        assert interval_results(SweepData("x", "", "", (row,), None, {})) == ()
