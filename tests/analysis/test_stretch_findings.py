"""What a page says of recipes on a file when no recipe has any skill, in simulations.

The errors of the baseline and of every seed are exchangeable, up to a seed's own part, so the true
skill is 0 and two recipes are equally good; but all seeds are scored on the same steps.
"""

import dataclasses
import math
import re

import numpy as np
import pandas as pd
import pytest
from outcome_builder import build_outcome
from scipy import stats

from lstm_bench.analysis._ablation import effects
from lstm_bench.analysis._baselines import baseline_results
from lstm_bench.analysis._comparisons import compare_outcomes, sweep_comparisons
from lstm_bench.analysis._finalists import FrontPoint, simplest_of
from lstm_bench.analysis._findings import sweep_findings
from lstm_bench.errors import UserError
from lstm_bench.report._answer import summarize
from lstm_bench.results import Row, SweepData, measure_mean
from lstm_bench.statistics import ComparisonQuestion, skill_score
from lstm_bench.statistics import _paired as paired

MEASURES = ("accuracy", "skill", "solve_rate")
"""How two recipes are compared."""


def autoregressive(rng, count, steps, correlation):
    """Returns standard normal series (count, steps) whose neighbours are correlated."""
    series = rng.standard_normal((count, steps))
    for t in range(1, steps):
        series[:, t] *= math.sqrt(1 - correlation**2)
        series[:, t] += correlation * series[:, t - 1]
    return series


def no_skill(rng, recipes, seeds, steps, correlation, spread):
    """Returns the outcomes of equally good recipes, all as good as their baseline."""
    series = autoregressive(rng, recipes + 2, steps, correlation)
    difficulty = np.exp(0.5 * series[0])
    expected = series[0]
    baseline = difficulty * np.abs(1 + 0.5 * series[1])
    outcomes = []
    for number in range(recipes):
        own = 1 + spread * rng.standard_normal((seeds, 1))
        errors = difficulty * np.abs(1 + 0.5 * series[2 + number]) * own
        errors = np.abs(errors + 0.1 * difficulty * rng.standard_normal((seeds, steps)))
        columns = {
            "seed": np.repeat(range(seeds), steps),
            "sequence": 0,
            "step": np.tile(range(steps), seeds),
            "moment": np.tile(range(steps), seeds),
            "expected": np.tile(expected, seeds),
            "predicted": (expected + errors).ravel(),
            "correct": (errors < np.median(baseline)).ravel(),
            "naive: last value": np.tile(expected + baseline, seeds),
        }
        skill = np.array([skill_score(e, baseline.mean()) for e in errors.mean(1)])
        table = pd.DataFrame(columns)
        accuracy = table.groupby("seed")["correct"].mean().to_numpy()
        outcomes.append(
            build_outcome(
                accuracy,
                columns={"skill": skill, "solved": skill > 0, "mae": errors.mean(1)},
                predictions=table,
                digest=f"{number:012}",
            )
        )
    return outcomes


def reports(count, seeds, steps, correlation, spread, seed=0):
    """Returns how many of `count` reports are right or wrong, for each promise."""
    rng = np.random.default_rng(seed)
    counts = dict.fromkeys(("covered", "without", "solves", *MEASURES), 0)
    for _ in range(count):
        first, second = no_skill(rng, 2, seeds, steps, correlation, spread)
        mean = measure_mean(first, "skill")
        counts["without"] += math.isnan(mean.low)
        counts["covered"] += mean.low <= 0 <= mean.high
        row = Row("confirm-1", first, role="confirmed", of="trial-1")
        data = SweepData("file", "", "", (row,), None, {})
        point = FrontPoint(row, first.cost, first.solve_rate, True)
        counts["solves"] += simplest_of([point], baselines=baseline_results(data)).point is not None
        for measure in MEASURES:
            counts[measure] += compare_outcomes(first, second, measure).verdict == "real"
    return counts


def at_most(wrong, total, rate=0.05):
    """Returns whether `wrong` of `total` is consistent with an error rate of at most `rate`."""
    return stats.binom.sf(wrong - 1, total, rate) > 0.01


def test_without_skill_a_page_claims_nothing(monkeypatch):
    monkeypatch.setattr(paired, "RESAMPLES", 199)
    counts = reports(12, 16, 60, 0.3, 0.02)
    assert counts["without"] == 0
    assert counts["covered"] >= 9  # of 12 at 93 %: fewer in 1 of 100 samples
    assert all(at_most(counts[name], 12) for name in ("solves", *MEASURES))


def with_baseline(outcome, name, factor):
    """Returns an outcome whose skills are measured against a baseline of its own."""
    table = outcome.predictions
    errors = factor * (table["naive: last value"] - table["expected"])
    table = table.assign(**{f"naive: {name}": table["expected"] + errors})
    own = [skill_score(e, float(errors.mean())) for e in outcome.seeds["mae"]]
    seeds = outcome.seeds.assign(skill=own, solved=np.array(own) > 0)
    return dataclasses.replace(outcome, predictions=table, seeds=seeds)


@pytest.mark.parametrize("measure", ["skill", "solve_rate"])
def test_skills_against_different_baselines_are_not_compared(measure):
    """A recipe with further inputs may have the smaller error, and the smaller skill."""
    past, known = no_skill(np.random.default_rng(4), 2, 12, 40, 0.3, 0.02)
    known = with_baseline(known, "linear, 6 rows", 0.5)
    with pytest.raises(UserError) as error:
        compare_outcomes(known, past, measure)
    assert "must be measured against one baseline" in str(error.value)
    assert re.search(r"is linear, 6 rows \(mean error \S+\), .* is last value", str(error.value))
    assert compare_outcomes(known, past, "accuracy").estimate is not None

    question = ComparisonQuestion("known", "past", measure)
    rows = Row("known", known), Row("past", past)
    data = SweepData("file", "", "", rows, None, {}, comparisons={"inputs": question})
    (comparison,) = sweep_comparisons(data)
    assert comparison.estimate is None and comparison.verdict == "cannot tell yet"
    assert "must be measured against one baseline" in comparison.sentence
    assert comparison.sentence.endswith("compare their accuracy: cannot tell yet.")


def test_the_first_sentences_say_what_a_skill_is_measured_against():
    """Gain and skill may have different signs: the best baseline may be one recipe's alone."""
    (outcome,) = no_skill(np.random.default_rng(4), 1, 12, 40, 0.3, 0.02)
    findings = sweep_findings(SweepData("f", "", "", (Row("A", outcome),), None, {}))
    assert any("Its skill is " in part for part in summarize(findings).sentences)
    table = outcome.predictions
    window = table["expected"] + 0.9 * (table["naive: last value"] - table["expected"])
    table = table.assign(**{"naive: linear, 7 rows": window})
    outcome = dataclasses.replace(outcome, predictions=table)
    findings = sweep_findings(SweepData("f", "", "", (Row("A", outcome),), None, {}))
    (skill,) = (part for part in summarize(findings).sentences if "Its skill" in part)
    assert "Its skill, against the best baseline that all windows share (last value, " in skill


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seeds", "steps", "correlation", "spread"),
    [(10, 60, 0.0, 0.05), (30, 60, 0.5, 0.02), (16, 105, 0.8, 0.05), (30, 300, 0.5, 0.05),
     (30, 1000, 0.3, 0.01)],
)  # fmt: skip
def test_without_skill_many_pages_claim_nothing(seeds, steps, correlation, spread, monkeypatch):
    monkeypatch.setattr(paired, "RESAMPLES", 499)
    total = 600
    counts = reports(total, seeds, steps, correlation, spread, seed=seeds)
    shares = {name: f"{count / total:.1%}" for name, count in counts.items()}
    print(f"{seeds} seeds, {steps} steps, correlation {correlation}: {shares}")
    assert stats.binom.cdf(counts["covered"], total, 0.93) > 0.01
    assert all(at_most(counts[name], total) for name in ("solves", *MEASURES))


def test_a_recipe_with_skill_solves_the_file():
    rng = np.random.default_rng(3)
    (outcome,) = no_skill(rng, 1, 20, 200, 0.3, 0.02)
    table = outcome.predictions.assign(
        predicted=lambda t: t["expected"] + 0.5 * (t["predicted"] - t["expected"])
    )
    base = (table["naive: last value"] - table["expected"]).mean()
    errors = (table["predicted"] - table["expected"]).groupby(table["seed"]).mean()
    skill = [skill_score(error, base) for error in errors]
    good = build_outcome(
        outcome.seeds["accuracy"],
        columns={"skill": skill, "solved": True, "mae": errors.to_numpy()},
        predictions=table,
    )
    row = Row("confirm-1", good, role="confirmed", of="trial-1")
    results = baseline_results(SweepData("file", "", "", (row,), None, {}))
    point = FrontPoint(row, good.cost, good.solve_rate, True)
    assert results[0].verdict == "better"
    assert simplest_of([point], baselines=results).point is point
    assert good.solve_rate.k == 20 and good.solve_rate.low > 0.8
    assert measure_mean(good, "skill").low > 0


@pytest.mark.parametrize("steps", [12, 200])
def test_equal_solve_rates_on_one_stretch_are_not_called_equal(steps):
    """That no seed differs says nothing of other steps."""
    words = set()
    for seed in range(12):
        pair = no_skill(np.random.default_rng(seed), 2, 30, steps, 0.5, 0.0)
        comparison = compare_outcomes(*pair, "solve_rate")
        if comparison.difference == 0:
            words.add(comparison.verdict)
            assert comparison.more_seeds is None
    assert words == {"cannot tell yet"}


def test_too_few_steps_give_no_interval_and_say_so():
    (outcome,) = no_skill(np.random.default_rng(0), 1, 5, 12, 0.0, 0.05)
    mean = measure_mean(outcome, "skill")
    assert math.isnan(mean.low) and "steps" in mean.why
    assert math.isnan(outcome.solve_rate.low)
    comparison = compare_outcomes(outcome, no_skill(np.random.default_rng(1), 1, 5, 12, 0, 0.05)[0])
    assert comparison.verdict == "cannot tell yet"


def test_steps_that_too_few_seeds_cannot_replace_are_asked_for():
    first, second = no_skill(np.random.default_rng(5), 2, 10, 60, 0.5, 0.001)
    comparison = compare_outcomes(first, second)
    assert comparison.verdict == "cannot tell yet"
    assert comparison.more_seeds is None and "it takes more steps" in comparison.sentence
    assert "olved" not in compare_outcomes(first, second, "solve_rate").sentence


def test_effects_of_switches_count_the_stretch_as_well():
    rng = np.random.default_rng(8)
    real = {"stretch": 0, "seeds": 0}
    for _ in range(8):
        on, off = no_skill(rng, 2, 4, 60, 0.3, 0.01)
        on, off = (
            dataclasses.replace(outcome, settings={"task": "csv", "stateful": value})
            for outcome, value in ((on, True), (off, False))
        )
        rows = []
        for number in range(12):  # twelve recipes that forecast all but the same
            rows += [
                Row(f"c{number}", off, role="effect"),
                Row(f"e{number}", on, role="effect", of=f"c{number}", axis="stateful", value=True),
            ]
        search = {"objective": "skill", "space": {"stateful": [True, False]}}
        (effect,) = effects(SweepData("file", "", "", tuple(rows), search, {}))
        by_context = (on.seeds["skill"] - off.seeds["skill"]).mean()
        assert effect.estimate.difference == pytest.approx(by_context)
        real["stretch"] += effect.estimate.p <= 0.05
        real["seeds"] += effect.estimate.std < 1e-9  # without steps all would be certain
    assert real["seeds"] == 8
    assert real["stretch"] <= 2  # of 8 at 5 %: more in 6 of 1000 samples
