"""Findings across the rows of a sweep, and their sentences."""

import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest
from outcome_builder import build_outcome

from lstm_bench.analysis import sweep_findings
from lstm_bench.results import Row, SweepData
from lstm_bench.statistics import ComparisonQuestion


def an_outcome(accuracy, solved=None, loss=None, first=0):
    """Returns an outcome with these values, one per seed."""
    columns = {
        "loss": 0.0 if loss is None else loss,
        "sequence_accuracy": np.asarray(accuracy, float),
        "solved_epoch": np.nan,
        **({} if solved is None else {"solved": solved}),
    }
    seeds = range(first, first + len(accuracy))
    return build_outcome(accuracy, seeds, columns, settings={"task": "memory"})


def a_result(*rows, **comparisons):
    return SweepData("s", "", "", rows, None, {}, comparisons=comparisons)


def comparisons(*rows, **questions):
    return sweep_findings(a_result(*rows, **questions)).comparisons


def sentence(of, to, measure="accuracy", margin=None):
    question = ComparisonQuestion("A", "B", measure, margin=margin)
    return comparisons(Row("A", of), Row("B", to), x=question)[0].sentence


ONES, HALVES = an_outcome([1.0] * 30), an_outcome([0.5] * 30)
NOISE = np.random.default_rng(1).normal(0, 0.05, 30)
NOISY = an_outcome(0.7 + NOISE)


@pytest.mark.parametrize(
    ("of", "to", "measure", "expected"),
    [
        (ONES, HALVES, "accuracy", "A is higher than B in accuracy, by 50 points on each of "),
        (ONES, HALVES, "accuracy", "30 seeds: real."),
        (HALVES, ONES, "accuracy", "A is lower than B in accuracy, by 50 points"),
        (ONES, ONES, "accuracy", "A and B have the same accuracy on all 30 seeds: not real, "
         "unless more than 2 seeds in 100 come out as none of these 30 did (after 30, up to 10 in "
         "100 are possible)."),
        (ONES, HALVES, "solve_rate", "A is solved more often than B, by 100 points (95 % "),
        (ONES, ONES, "solve_rate", "A and B are solved by the same seeds (95 % interval -11.4 to "),
        (ONES, ONES, "solve_rate", ": not real, unless more than 2 seeds in 100 come out as none "),
        (NOISY, HALVES, "accuracy", "30 seeds): real."),
        (an_outcome(NOISE), an_outcome(NOISE[::-1]), "accuracy", "cannot tell yet; "),
        (an_outcome([1.0]), an_outcome([0.5]), "accuracy", " on one seed: cannot tell yet."),
        (an_outcome([np.nan, 1.0]), an_outcome([0.5, 0.5]), "accuracy", "which diverged: cannot"),
        (ONES, an_outcome([0.5], first=90), "accuracy", "on 30 and 1 different seeds: cannot tell"),
        (ONES, an_outcome([], first=90), "accuracy", "no seeds in common yet: cannot tell yet."),
        (NOISY, an_outcome(0.5 + NOISE, first=90), "accuracy", "30 and 30 different seeds): real."),
        (ONES, an_outcome([0.5] * 8, first=90), "solve_rate", "30 and 8 different seeds): real."),
        (ONES, an_outcome([1.0] * 8, first=90), "solve_rate", "A and B are solved equally often ("),
        (ONES, an_outcome([1.0] * 20, first=90), "accuracy",
         "have the same accuracy on all 30 and 20 different seeds: cannot tell yet; about 9 more "),
        (ONES, an_outcome([1.0] * 9, first=90), "accuracy", "seeds: cannot tell yet; about"),
        (an_outcome([1.0] * 9, loss=np.arange(9) + 1.0), an_outcome([1.0] * 9), "loss",
         "A is higher than B in loss, by 5 (95 % interval +2.89 to +7.11, 9 seeds): real, "
         "unless a rare seed comes out as none of these 9 did (after 9, up to 29 in 100 are "
         "possible). "
         "On one and "),
        (an_outcome(0.5 + NOISE / 100), HALVES, "accuracy", "not real, it is less than 2 points "),
    ],
)  # fmt: skip
def test_a_comparison_is_one_sentence(of, to, measure, expected):
    assert expected in sentence(of, to, measure)


def solved_at(epochs, last=100, first=0):
    """Returns an outcome solved at these epochs, None for never, of a recipe of `last` epochs."""
    outcome = an_outcome([0.5 if epoch is None else 1.0 for epoch in epochs], first=first)
    seeds = outcome.seeds.assign(solved_epoch=pd.Series(epochs, dtype=float))
    settings = {"task": "memory", "epochs": last}
    return dataclasses.replace(outcome, seeds=seeds, settings=settings)


EARLY, LATE = solved_at(range(10, 30)), solved_at([*range(60, 65), *[None] * 15])


@pytest.mark.parametrize(
    ("of", "to", "expected"),
    [
        (EARLY, LATE, "A is solved sooner than B (median epochs 19.5 of A; more than half of the "
         "seeds of B never solve it, 20 seeds): real."),
        (LATE, EARLY, "A is solved later than B (median epochs 19.5 of B; more than half of the "
         "seeds of A never solve it"),
        (EARLY, EARLY, "A and B are solved as soon as one another (median epochs 19.5 against 19"),
        (EARLY, EARLY, "cannot tell yet; it would take more than 1,000 further seeds."),
        (solved_at([None] * 9), solved_at([None] * 9, last=50), "A and B are never solved (9 seed"),
        (solved_at([5, 9, 11, 14]), solved_at([10, 8, 15, 20]), "cannot tell yet; about"),
        (EARLY, solved_at([90] * 12, first=50), "(median epochs 19.5 against 90, 20 and 12 differ"),
    ],
)  # fmt: skip
def test_which_is_solved_sooner_is_one_sentence(of, to, expected):
    assert expected in sentence(of, to, "epochs_to_solve")
    assert "not real" not in sentence(of, to, "epochs_to_solve", margin=1000)


def test_epochs_to_solve_are_corrected_with_the_other_comparisons():
    rows = Row("A", EARLY), Row("B", LATE)
    questions = {
        "x": ComparisonQuestion("A", "B", "epochs_to_solve"),
        "y": ComparisonQuestion("A", "B"),
    }
    epochs, accuracy = comparisons(*rows, **questions)
    assert epochs.corrected_for == accuracy.corrected_for == 2
    assert epochs.p_holm >= epochs.p
    document = sweep_findings(a_result(*rows, **questions)).document()["comparisons"]["x"]
    json.dumps(document, allow_nan=False)
    assert document["median_epochs"] == [19.5, None] and document["ci95"] == [None, None]


def test_a_real_difference_within_the_margin_says_that_it_is_small():
    of = an_outcome(0.51 + NOISE / 50)
    assert ": real, though less than 2 points, unless more than 1 seed " in sentence(of, HALVES)
    assert ": real, unless more than 1 seed " in sentence(of, HALVES, margin=0.001)


def test_a_verdict_that_rare_seeds_would_undo_says_so_and_how_often_seeds_are_higher():
    (comparison,) = comparisons(
        Row("A", an_outcome([0.9] * 10)),
        Row("B", an_outcome(0.86 + np.arange(10) / 1e4)),
        x=ComparisonQuestion("A", "B"),
    )
    # 4 points are lost if 4.4 seeds in 100 fall from 90 to 0, and 1 - 0.05^(1/10) = 26 in 100 may.
    condition = (
        "unless more than 4 seeds in 100 come out as none of these 10 did (after 10, up to 26 in "
        "100 are possible)"
    )
    beats = "On one and the same seed A is higher than B with a probability of 100 % (95 % interval"
    assert comparison.verdict == "real" and comparison.rests_on == condition
    assert f": real, {condition}. {beats} 69 to 100 %)." in comparison.sentence
    record = comparison.record()
    assert list(record)[-7:-3] == ["rests_on", "superiority", "superiority_low", "superiority_high"]
    assert record["superiority_low"] == pytest.approx(0.025 ** (1 / 10))


def test_seeds_are_paired_by_their_number_and_not_by_their_place():
    of = an_outcome(0.5 + NOISE)
    to = dataclasses.replace(of, seeds=of.seeds.sort_values("accuracy"))
    assert "the same accuracy on all 30 seeds" in sentence(of, to)
    assert "29 seeds" in sentence(an_outcome(0.5 + NOISE), an_outcome(0.9 * NOISE, first=1))


def test_more_comparisons_need_stronger_evidence():
    of = Row("A", an_outcome(0.5 + np.abs(NOISE[:6])))
    to = Row("B", an_outcome([0.5] * 6))
    alone = comparisons(of, to, x=ComparisonQuestion("A", "B"))
    assert alone[0].verdict == "real"  # all six seeds differ in this direction: p = 2 / 64
    questions = {name: ComparisonQuestion("A", "B", claim=name) for name in "xyz"}
    three = comparisons(of, to, **questions)
    assert {comparison.verdict for comparison in three} == {"cannot tell yet"}
    assert "as one of 3 comparisons" in three[0].sentence


def test_a_comparison_without_a_result_is_left_open():
    (comparison,) = comparisons(Row("A", ONES), x=ComparisonQuestion("A", "B"))
    assert comparison.sentence == "A and B have no seeds in common yet: cannot tell yet."
    assert comparison.document()["ci95"] is None and math.isnan(comparison.difference)


def test_rows_with_a_published_result_have_a_verdict():
    rows = (
        Row("A", ONES, "right", 1.0, claim="solved"),
        Row("B", HALVES, "said to equal A"),
        Row("C", ONES),
        Row("D", HALVES, published_accuracy=0.9),
        Row("E", an_outcome([np.nan] * 30), "", 0.5),
    )
    reproductions = sweep_findings(a_result(*rows)).reproductions
    words = {judged.row.id: judged.verdict and judged.verdict.word for judged in reproductions}
    assert words == {"A": "reproduced", "B": None, "D": "not reproduced", "E": "cannot tell"}


def a_family(*counts, n=30, name="F", first=4):
    return [
        Row(f"{name}/{first * 2**k}", an_outcome(np.arange(n) < count), family=name, axis="lag",
            value=first * 2**k)
        for k, count in enumerate(counts)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "half", "interval"),
    [
        ((30, 30, 0, 0), "11", "[8, 16]"),
        ((30, 30, 30, 30), "> 32", "> 32"),
        ((0, 0, 0, 0), "< 4", "< 4"),
        ((30, 29, 16, 15), "32", "[8, > 32]"),
        ((0, 10, 20, 30), "does not fall", ""),
    ],
)
def test_the_memory_span_of_a_family(counts, half, interval):
    rows = a_family(*counts)
    family = sweep_findings(a_result(*reversed(rows))).families[0]
    assert (family.id, family.axis, family.span.n) == ("F", "lag", 30)
    assert [row.value for row in family.rows] == [4, 8, 16, 32]
    assert (family.half, family.interval) == (half, interval)


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({}, 37),
        ({"forget_bias": 0.0}, 17),
        ({"forget_bias": 3.0}, 237),
        ({"forget_bias": "chrono"}, None),
        ({"network": "gru"}, None),
        ({"framing": "pairs"}, None),
    ],
)
def test_the_predicted_memory_span_is_where_the_state_has_faded(settings, steps):
    settings = {"task": "memory", "framing": "whole"} | settings
    rows = [
        dataclasses.replace(row, outcome=dataclasses.replace(row.outcome, settings=settings))
        for row in a_family(30, 0)
    ]
    predicted = sweep_findings(a_result(*rows)).families[0].predicted
    if steps is None:
        assert predicted is None
    else:  # step by step, not by logarithms
        kept = 1.0
        for _ in range(steps):
            assert kept > 1e-5
            kept *= 1 / (1 + math.exp(-settings.get("forget_bias", 1.0)))
        assert kept <= 1e-5 and steps - 1 < predicted <= steps


def test_a_forget_gate_that_is_open_from_the_start_forgets_nothing_for_long():
    settings = {"task": "memory", "framing": "whole", "forget_bias": 100.0}
    rows = [
        dataclasses.replace(row, outcome=dataclasses.replace(row.outcome, settings=settings))
        for row in a_family(30, 0)
    ]
    predicted = sweep_findings(a_result(*rows)).families[0].predicted
    assert predicted == pytest.approx(math.log(1e5) * math.exp(100))  # 1 - sigmoid(b) is exp(-b)


def test_a_family_over_words_or_with_one_result_has_no_memory_span():
    words = [Row("G/a", ONES, family="G", axis="framing", value=v) for v in ("pairs", "whole")]
    flags = [Row("H/true", ONES, family="H", axis="stateful", value=v) for v in (True, False)]
    assert sweep_findings(a_result(*words, *flags, *a_family(3))).families == ()


def test_the_document_is_plain_json_without_empty_parts():
    rows = [Row("A", ONES, "x", 1.0), Row("B", NOISY), *a_family(30, 30), *a_family(9, 0, name="G")]
    questions = {"x": ComparisonQuestion("A", "B"), "y": ComparisonQuestion("A", "Z")}
    document = sweep_findings(a_result(*rows, **questions)).document()
    json.dumps(document, allow_nan=False)
    always = ["sweep", "overrides", "recipes", "search", "unfinished", "failed"]
    assert list(document) == [*always, "verdicts", "comparisons", "horizon"]
    assert list(document["recipes"]) == ["A", "B", "F/4", "F/8", "G/4", "G/8"]
    assert document["verdicts"]["A"]["inside"] is True
    assert document["comparisons"]["x"]["verdict"] == "real"
    assert document["comparisons"]["y"]["difference"] is None
    assert document["comparisons"]["y"].keys() == document["comparisons"]["x"].keys()
    spans = document["horizon"]
    assert (spans["F"]["half"], spans["F"]["says"]) == (None, "> 8")
    assert spans["G"]["ci95"] == [None, 4.0]
    assert list(sweep_findings(a_result(Row("C", ONES))).document()) == always
    comparison = document["comparisons"]["x"]
    assert math.isclose(comparison["p_holm"], comparison["p"])
