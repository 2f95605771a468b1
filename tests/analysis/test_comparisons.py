"""`compare_outcomes`, held to SciPy and to formulas worked out here."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from outcome_builder import build_outcome
from scipy import stats

from lstm_bench.analysis import compare_outcomes
from lstm_bench.errors import UserError
from lstm_bench.results import to_json
from lstm_bench.statistics._exact_mcnemar import exact_mcnemar

FIRST = np.array([0.61, 0.74, 0.58, 0.93, 0.70, 0.81])
SECOND = np.array([0.55, 0.60, 0.63, 0.72, 0.66, 0.59])


def an_outcome(accuracy, seeds=None, settings=(), **columns):
    """Returns an outcome with one accuracy per seed; a seed with 1 has solved the task."""
    scores = np.asarray(accuracy, float)
    columns = {
        "loss": 1 - scores,
        "sequence_accuracy": scores / 2,
        "solved_epoch": np.where(scores == 1, 10.0, np.nan),
        **columns,
    }
    settings = {"task": "memory", "units": 20, "epochs": 30, **dict(settings)}
    return build_outcome(scores, seeds, columns, settings=settings)


def solved(k, n, seeds=None):
    return an_outcome([1.0] * k + [0.5] * (n - k), seeds)


def test_recipes_are_labelled_by_the_settings_in_which_they_differ():
    few = an_outcome(FIRST, settings={"units": 5})
    many = an_outcome(SECOND, settings={"units": 80, "dropout": 0.1})
    question = compare_outcomes(few, many).question
    assert (question.of, question.to) == ("units=5", "units=80 dropout=0.1")
    # Without a setting of its own, a recipe has no label, and then neither has the other.
    question = compare_outcomes(an_outcome(FIRST), an_outcome(SECOND, settings={"lag": 3})).question
    assert (question.of, question.to) == ("the first recipe", "the second recipe")


@pytest.mark.parametrize("value", ["x" * 60, "y" * 10_000])
def test_long_labels_and_equal_settings_give_neutral_names(value):
    long = an_outcome(FIRST, settings={"name": value})
    for pair in ((long, an_outcome(SECOND, settings={"name": "z"})), (long, long)):
        question = compare_outcomes(*pair).question
        assert (question.of, question.to) == ("the first recipe", "the second recipe")


def test_shared_seeds_are_compared_in_pairs():
    # The rows of the second outcome are in another order: pairs are made by seed.
    order = [3, 0, 5, 1, 4, 2]
    comparison = compare_outcomes(an_outcome(FIRST), an_outcome(SECOND[order], seeds=order))
    differences = FIRST - SECOND
    test = stats.ttest_rel(FIRST, SECOND)
    signs = np.array(list(itertools.product([1, -1], repeat=len(differences))))
    means = np.abs((signs * differences).mean(axis=1))
    sign_flip = (means >= abs(differences.mean()) - 1e-12).mean()
    assert comparison.difference == pytest.approx(differences.mean())
    assert comparison.interval == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert comparison.p == pytest.approx(max(test.pvalue, sign_flip))
    assert comparison.p_holm == comparison.p  # nothing else is compared
    assert (comparison.n, comparison.corrected_for) == (6, 1)


def test_only_shared_seeds_count():
    comparison = compare_outcomes(an_outcome(FIRST), an_outcome(SECOND, seeds=range(2, 8)))
    test = stats.ttest_rel(FIRST[2:], SECOND[:4])
    assert comparison.n == 4
    assert comparison.interval == pytest.approx(tuple(test.confidence_interval(0.95)))


def test_without_shared_seeds_the_means_are_compared_by_welch_and_by_permutation():
    second = SECOND[:5]
    comparison = compare_outcomes(an_outcome(FIRST), an_outcome(second, seeds=range(50, 55)))
    welch = stats.ttest_ind(FIRST, second, equal_var=False)
    pooled, total = np.concatenate([FIRST, second]), FIRST.sum() + second.sum()
    sums = np.array([sum(part) for part in itertools.combinations(pooled, len(FIRST))])
    splits = sums / len(FIRST) - (total - sums) / len(second)
    observed = FIRST.mean() - second.mean()
    # SciPy doubles the smaller tail.
    tails = (splits >= observed - 1e-12).mean(), (splits <= observed + 1e-12).mean()
    assert comparison.difference == pytest.approx(observed)
    assert comparison.interval == pytest.approx(tuple(welch.confidence_interval(0.95)))
    assert comparison.p == pytest.approx(max(welch.pvalue, min(1, 2 * min(tails))))
    assert "6 and 5 different seeds" in comparison.sentence
    assert comparison.record()["different_seeds"] == 5


def test_solve_rates_of_shared_seeds_are_compared_by_the_unconditional_test():
    first = an_outcome([1.0] * 9 + [0.5])
    second = an_outcome([1.0] * 3 + [0.5] * 6 + [1.0])
    comparison = compare_outcomes(first, second, "solve_rate")
    assert comparison.difference == pytest.approx(0.9 - 0.4)
    assert comparison.p < stats.binomtest(6, 7).pvalue  # 6 seeds against 1: McNemar's own test
    assert comparison.p == exact_mcnemar(6, 1, 10)


def test_solve_rates_of_different_seeds_are_compared_by_boschloo_and_newcombe():
    comparison = compare_outcomes(solved(9, 10), solved(4, 12, range(90, 102)), "solve_rate")
    wilson = [stats.binomtest(k, n).proportion_ci(method="wilson") for k, n in ((9, 10), (4, 12))]
    low = 0.9 - 1 / 3 - math.hypot(0.9 - wilson[0].low, wilson[1].high - 1 / 3)
    high = 0.9 - 1 / 3 + math.hypot(wilson[0].high - 0.9, 1 / 3 - wilson[1].low)
    assert comparison.interval == pytest.approx((low, high))
    assert comparison.p == pytest.approx(stats.boschloo_exact([[9, 4], [1, 8]]).pvalue)


def test_the_margin_decides_what_counts_as_no_difference():
    first = np.tile(FIRST, 5)
    close = first + 0.004 * np.tile([1, -1], 15) + 0.001
    low, high = stats.ttest_rel(close, first).confidence_interval(0.95)
    assert -0.02 < low < 0 < high < 0.02
    pair = an_outcome(close), an_outcome(first)
    few = an_outcome(close[:28]), an_outcome(first[:28])
    assert compare_outcomes(*few).verdict == "cannot tell yet"  # a rare failure may not be seen
    assert compare_outcomes(*pair).verdict == "not real"
    assert "less than 2 points either way" in compare_outcomes(*pair).sentence
    assert compare_outcomes(*pair, margin=max(-low, high) * 1.01).verdict == "not real"
    narrow = compare_outcomes(*pair, margin=max(-low, high) * 0.99)
    assert narrow.verdict == "cannot tell yet" and narrow.more_seeds >= 1
    assert compare_outcomes(*pair, "loss").verdict == "cannot tell yet"  # which has no margin


def test_skill_is_compared_where_both_have_it():
    skills = an_outcome(FIRST, skill=FIRST), an_outcome(FIRST, skill=[s - 0.5 for s in FIRST])
    comparison = compare_outcomes(*skills, "skill")
    assert comparison.difference == pytest.approx(0.5)
    assert "higher than the second recipe in skill, by 50 points" in comparison.sentence
    with pytest.raises(UserError, match="skill takes a task with baselines"):
        compare_outcomes(skills[0], an_outcome(FIRST), "skill")


@pytest.mark.parametrize("measure", ["mae", "curves", "", "Accuracy"])
def test_a_measure_that_was_not_recorded_is_a_user_error(measure):
    with_it = an_outcome(FIRST, **{measure: 0.5})
    for pair in ((an_outcome(FIRST), an_outcome(SECOND)), (with_it, an_outcome(SECOND))):
        with pytest.raises(UserError, match=rf"^measure: .*but got '{measure}'$"):
            compare_outcomes(*pair, measure)


MEASURES = ("accuracy", "sequence_accuracy", "solve_rate", "loss", "epochs_to_solve")
PAIRS = {
    "paired": (an_outcome(FIRST), an_outcome(SECOND)),
    "unpaired": (an_outcome(FIRST), an_outcome(SECOND, seeds=range(90, 96))),
    "equal": (an_outcome(FIRST), an_outcome(FIRST)),
    "one seed": (an_outcome([1.0]), an_outcome([0.5])),
    "no seeds": (an_outcome([]), an_outcome(SECOND)),
    "diverged": (an_outcome([np.nan, 0.5]), an_outcome([0.5, 0.5])),
    "hostile": (
        an_outcome(FIRST, settings={"<b>": "<i>"}),
        an_outcome(SECOND, settings={"<b>": "</td>"}),
    ),
}


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("name", PAIRS)
def test_every_comparison_can_be_shown(name, measure):
    comparison = compare_outcomes(*PAIRS[name], measure)
    assert repr(comparison) == f"Comparison({comparison.sentence})"
    assert len(repr(comparison)) < 2000
    html = comparison._repr_html_()
    assert comparison.verdict in html and "nan" not in html
    assert not any(tag in html for tag in ("<b>", "<i>", "</td></td>"))
    to_json(comparison.document())
    if measure == "epochs_to_solve":
        with pytest.raises(UserError, match="plot: a difference needs an interval, but epochs"):
            comparison.plot()
    else:
        assert isinstance(comparison.plot(), Figure)


def test_a_long_sentence_is_cut_in_the_repr():
    comparison = compare_outcomes(an_outcome(FIRST), an_outcome(SECOND))
    question = replace(comparison.question, of="m" * 10_000)
    assert len(repr(replace(comparison, question=question))) < 2000


@pytest.mark.parametrize(
    ("measure", "scale", "label"),
    [
        ("accuracy", 100, "Difference in accuracy, percentage points"),
        ("solve_rate", 100, "Difference in solve rate, percentage points"),
        ("loss", 1, "Difference in loss"),
    ],
)
def test_the_plot_shows_difference_and_interval_in_the_unit_of_its_axis(measure, scale, label):
    comparison = compare_outcomes(
        an_outcome([1.0, 0.7, 1.0, 0.9, 1.0]), an_outcome([0.6, 0.7, 0.4, 1.0, 0.5]), measure
    )
    (axes,) = comparison.plot().axes
    assert axes.get_xlabel() == label
    _, interval, dot = axes.get_lines()  # the first one marks 0
    assert list(interval.get_xdata()) == pytest.approx([scale * end for end in comparison.interval])
    assert list(dot.get_xdata()) == pytest.approx([scale * comparison.difference])
    assert interval.get_xdata()[0] < dot.get_xdata()[0] < interval.get_xdata()[1]
