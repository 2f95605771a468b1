"""The store remembers with how many seeds a sweep has been reported."""

import json

import numpy as np
import pytest
from outcome_builder import build_outcome

from lstm_bench.analysis._findings import sweep_findings
from lstm_bench.report._answer import summarize
from lstm_bench.results import Row, SweepData
from lstm_bench.statistics import ComparisonQuestion
from lstm_bench.sweeps._sweep import sweep_from_document
from lstm_bench.tracking import _listing as listing
from lstm_bench.tracking._session import begin_session
from lstm_bench.tracking._store import Store

DOCUMENT = {"task": "memory", "seeds": 30, "recipes": {"A": {"units": 4}}}


def a_sweep(*overrides, **changes):
    return sweep_from_document("mine", DOCUMENT | changes, overrides)


def reported(store, sweep):
    """Returns the content of `sweep.json` of a report of `sweep` without any outcome."""
    session = begin_session(store, sweep, "compiled")
    looks = session.looks, session.planned_seeds
    session.write(listing.sweep_listing(sweep, [], [], 0, None, {}, {}, (), *looks))
    assert session.writes.wait(60)
    return store.read_listing(session.run_id)


def test_a_report_with_other_seeds_knows_of_those_before(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "mlartifacts")
    look = reported(store, a_sweep("seeds=5"))
    assert (look["looks"], look["planned_seeds"]) == ([], 30)  # as the file says
    whole = reported(store, a_sweep())
    assert (whole["looks"], whole["planned_seeds"]) == ([5], 30)
    more = reported(store, a_sweep(seeds=90))  # the file was edited
    assert (more["looks"], more["planned_seeds"]) == ([5, 30], 30)
    again = reported(store, a_sweep(seeds=90))
    assert again["looks"] == [5, 30]
    result = listing.result_from_listing(again, {}, a_sweep().tasks)
    assert (result.looks, result.planned_seeds) == ((5, 30), 30)


def test_a_sweep_of_one_number_of_seeds_is_listed_as_before():
    document = listing.sweep_listing(a_sweep(), [], [], 0, None, {}, {}, (), (), 30)
    assert not {"looks", "planned_seeds"} & document.keys()
    parsed = listing.parse_listing(json.dumps(document, default=str).encode())
    assert (parsed["looks"], parsed["planned_seeds"]) == ([], 0)


@pytest.mark.parametrize(("looks", "planned", "word"), [((), 0, "real"), ((10,), 10, "cannot")])
def test_a_difference_after_earlier_looks_needs_stronger_evidence(looks, planned, word):
    accuracy = 0.5 + 0.1 * np.random.default_rng(3).normal(size=40)
    accuracy += 0.04 - (accuracy.mean() - 0.5)  # t = 2.5 or so: p between 0.0015 and 0.048
    rows = Row("A", build_outcome(accuracy)), Row("B", build_outcome(np.full(40, 0.5)))
    data = SweepData("s", "", "", rows, None, {}, seeds=40, looks=looks, planned_seeds=planned,
                     comparisons={"x": ComparisonQuestion("A", "B")})  # fmt: skip
    findings = sweep_findings(data)
    (comparison,) = findings.comparisons
    assert 0.0015 < comparison.p == comparison.p_holm < 0.048
    assert comparison.verdict.startswith(word)
    assert comparison.level == pytest.approx(0.0015 if looks else 0.048)
    said = "It was reported before with 10 seeds" in " ".join(summarize(findings).sentences)
    assert said == bool(looks)
    if looks:
        low, high = comparison.more_seeds_range
        assert low < comparison.more_seeds <= high
        assert f"about {low} to " in comparison.sentence
