"""Scores, each compared with a loop over plain Python numbers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lstm_bench.statistics._metrics import (
    METRICS,
    accuracy,
    compute_metrics,
    decode_outputs,
    is_correct,
    sequence_accuracy,
    solved_epoch,
)

UNIT = st.floats(0, 1, width=32)


def test_categorical_outputs_are_decoded_to_the_largest_also_for_sigmoids():
    # Sigmoid outputs need not sum to one, and may all be above or all below one half.
    outputs = np.array([[0.9, 0.95, 0.7], [0.1, 0.05, 0.02]])
    assert decode_outputs(outputs, "categorical").tolist() == [1, 0]


def test_binary_outputs_are_rounded_and_half_is_rounded_up():
    assert decode_outputs(np.array([[0.49, 0.5, 0.51]]), "binary").tolist() == [[0, 1, 1]]


def test_regression_outputs_are_decoded_unchanged():
    outputs = np.array([[0.25, -3.0]])
    assert (decode_outputs(outputs, "regression") == outputs).all()


@given(arrays(np.float32, (4, 3, 5), elements=UNIT), st.integers(0, 4))
def test_categorical_is_correct_where_the_first_largest_output_is_the_target(outputs, target):
    targets = np.zeros((4, 3, 5), np.float32)
    targets[..., target] = 1
    expected = [[list(row).index(max(row)) == target for row in sample] for sample in outputs]
    assert is_correct(outputs, targets, "categorical").tolist() == expected


@given(
    arrays(np.float32, (6, 2), elements=UNIT), arrays(np.int8, (6, 2), elements=st.integers(0, 1))
)
def test_binary_is_correct_where_every_value_rounds_to_its_target(outputs, targets):
    expected = [
        all((value >= 0.5) == (target == 1) for value, target in zip(out, want, strict=True))
        for out, want in zip(outputs, targets, strict=True)
    ]
    assert is_correct(outputs, targets.astype(float), "binary").tolist() == expected


def test_regression_is_correct_within_the_tolerance_in_every_value():
    outputs = np.array([[1.0, 2.0], [1.125, 2.0], [1.0, 2.25], [0.75, 1.75]])
    targets = np.array([1.0, 2.0])
    assert is_correct(outputs, targets, "regression", 0.125).tolist() == [True, True, False, False]
    assert is_correct(outputs, targets, "regression", 0.25).tolist() == [True, True, True, True]


@pytest.mark.parametrize("kind", ["categorical", "binary", "regression"])
def test_an_output_that_is_not_a_number_is_never_correct(kind):
    outputs = np.array([[math.nan, 1.0], [0.0, math.nan], [math.nan, math.nan]])
    targets = np.array([[0.0, 1.0]] * 3)
    assert not is_correct(outputs, targets, kind, tolerance=1.0).any()


@pytest.mark.parametrize("kind", ["categorical", "binary", "regression"])
def test_an_infinite_output_is_never_correct(kind):
    outputs = np.array([[0.0, math.inf], [-math.inf, 1.0]])
    assert not is_correct(outputs, np.array([[0.0, 1.0]] * 2), kind, tolerance=1.0).any()


@given(
    arrays(np.bool_, (3, 7)),
    arrays(np.bool_, 7).filter(lambda scored: scored.any()),
    arrays(np.int64, 7, elements=st.integers(0, 3)),
)
def test_accuracies_count_scored_steps_and_whole_sequences(correct, scored, sequence):
    for row, steps, whole in zip(
        correct,
        accuracy(correct, scored),
        sequence_accuracy(correct, scored, sequence),
        strict=True,
    ):
        counted = [bool(row[m]) for m in range(7) if scored[m]]
        assert math.isclose(steps, sum(counted) / len(counted))
        names = {int(sequence[m]) for m in range(7) if scored[m]}
        solved = [all(row[m] for m in range(7) if scored[m] and sequence[m] == n) for n in names]
        assert math.isclose(whole, sum(solved) / len(solved))


@given(st.lists(st.booleans(), max_size=12))
def test_the_solved_epoch_is_the_first_from_which_the_curve_stays_solved(curve):
    stays = [epoch for epoch in range(1, len(curve) + 1) if all(curve[epoch - 1 :])]
    assert solved_epoch(np.array(curve, bool)) == (min(stays) if stays else None)


def test_classification_metrics_follow_their_definitions():
    targets = np.array([0, 0, 0, 1, 2, 2])
    predicted = np.array([0, 0, 1, 1, 2, 0])
    outputs = np.full((6, 3), 0.2)
    outputs[np.arange(6), predicted] = 0.6
    metrics = compute_metrics(outputs, np.eye(3)[targets], "categorical")
    assert metrics["balanced_accuracy"] == pytest.approx((2 / 3 + 1 + 1 / 2) / 3)
    # For each class 2 tp / (2 tp + fp + fn).
    assert metrics["macro_f1"] == pytest.approx((4 / 6 + 2 / 3 + 2 / 3) / 3)
    log_loss = 4 * -np.log(0.6) + 2 * -np.log(0.2)
    assert metrics["cross_entropy"] == pytest.approx(log_loss / 6)
    # Gorodkin (2004): covariance of the confusion matrix over the geometric mean of the variances.
    c, s, p, t = 4, 6, np.array([3, 2, 1]), np.array([3, 1, 2])
    expected = (c * s - p @ t) / np.sqrt((s**2 - p @ p) * (s**2 - t @ t))
    assert metrics["matthews"] == pytest.approx(expected)


def test_binary_metrics_pool_all_outputs():
    outputs = np.array([[0.9, 0.2], [0.4, 0.6]])
    targets = np.array([[1.0, 0.0], [1.0, 1.0]])
    metrics = compute_metrics(outputs, targets, "binary")
    assert metrics["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    expected = -np.log([0.9, 0.8, 0.4, 0.6]).mean()
    assert metrics["cross_entropy"] == pytest.approx(expected)


def test_regression_metrics_follow_their_definitions():
    outputs, targets = np.array([[1.0], [3.0], [2.0]]), np.array([[0.0], [3.0], [6.0]])
    metrics = compute_metrics(outputs, targets, "regression")
    assert metrics == pytest.approx(
        {"mse": 17 / 3, "rmse": np.sqrt(17 / 3), "mae": 5 / 3, "max_error": 4.0, "r2": 1 - 17 / 18}
    )


@pytest.mark.parametrize("kind", METRICS)
def test_the_metrics_of_a_diverged_network_are_nan(kind):
    outputs = np.array([[np.nan, 0.5], [0.5, 0.5]])
    metrics = compute_metrics(outputs, np.eye(2), kind)
    assert set(metrics) == set(METRICS[kind]) and all(np.isnan(value) for value in metrics.values())
