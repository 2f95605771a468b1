"""Scores of a network's outputs: accuracies, solved epochs and scikit-learn's metrics."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.errors import UserError, unknown

Kind = Literal["categorical", "binary", "regression"]
Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]
Ints = NDArray[np.integer]


def decode_outputs(outputs: Floats, kind: Kind) -> NDArray[np.generic]:
    """Returns the predicted classes or values of network outputs of shape (..., K).

    Categorical: the index of the largest output (also for sigmoid outputs, as the tutorials read
    them), shape (...). Binary: each output rounded to 0 or 1, shape (..., K). Regression: the
    outputs unchanged.

    >>> decode_outputs(np.array([[0.1, 0.7, 0.6]]), "categorical")
    array([1])
    """
    if kind == "categorical":
        return np.asarray(outputs.argmax(axis=-1))
    if kind == "binary":
        return (outputs >= 0.5).astype(np.int64)
    return outputs


def is_correct(
    outputs: Floats,
    targets: Floats,
    kind: Kind,
    tolerance: float = 0.0,
    possible: Bools | None = None,
) -> Bools:
    """Returns which predictions are correct, shape (...) for outputs and targets (..., K).

    A step of a binary or regression problem is correct if all its K values are: equal after
    rounding, or within `tolerance` (in the data's units). NaN outputs are never correct. With
    `possible` (..., K) a step is correct if the possible symbols have the largest outputs: see
    `is_among_possible`.

    >>> outputs = np.array([[0.2, 0.8], [0.9, 0.3]])
    >>> is_correct(outputs, np.array([[0.0, 1.0], [0.0, 1.0]]), "categorical")
    array([ True, False])
    """
    if possible is not None:
        return is_among_possible(outputs, possible)
    if kind == "regression":
        return np.asarray((np.abs(outputs - targets) <= tolerance).all(axis=-1))
    equal = np.asarray(decode_outputs(outputs, kind) == decode_outputs(targets, kind))
    correct = equal if kind == "categorical" else equal.all(axis=-1)
    return np.asarray(correct & np.isfinite(outputs).all(axis=-1))


def is_among_possible(outputs: Floats, possible: Bools) -> Bools:
    """Returns where each possible symbol has a larger output than every other one, shape (...).

    `outputs` and `possible` have shape (..., K). NaN outputs are never correct. The criterion of
    Hochreiter & Schmidhuber (1997), section 5.1.

    >>> outputs = np.array([[0.9, 0.4, 0.1], [0.9, 0.1, 0.4]])
    >>> is_among_possible(outputs, np.array([[True, True, False], [True, True, False]]))
    array([ True, False])
    """
    lowest = np.where(possible, outputs, np.inf).min(axis=-1)
    highest = np.where(possible, -np.inf, outputs).max(axis=-1)
    return np.asarray((lowest > highest) & np.isfinite(outputs).all(axis=-1))


def accuracy(correct: Bools, scored: Bools) -> Floats:
    """Returns the fraction of scored steps that are correct, over the last axis: (..., M) -> (...).

    >>> accuracy(np.array([True, True, False]), np.array([True, False, True]))
    array(0.5)
    """
    return np.asarray((correct & scored).sum(axis=-1) / scored.sum(axis=-1))


def sequence_accuracy(correct: Bools, scored: Bools, sequence: Ints) -> Floats:
    """Returns the fraction of sequences whose scored steps are all correct: (..., M) -> (...).

    `sequence`, shape (M,), is the number of the sequence that each step belongs to.

    >>> correct = np.array([True, True, True, False])
    >>> sequence_accuracy(correct, np.ones(4, bool), np.array([0, 0, 1, 1]))
    array(0.5)
    """
    numbers = np.unique(sequence[scored])
    wrong = ~correct & scored
    whole = np.stack([~wrong[..., sequence == number].any(axis=-1) for number in numbers], axis=-1)
    return np.asarray(whole.mean(axis=-1))


def solved_epoch(solved: Bools) -> int | None:
    """Returns the first epoch (from 1) from which the curve `solved`, shape (E,), stays True.

    >>> solved_epoch(np.array([False, True, False, True, True]))
    4
    >>> solved_epoch(np.array([True, False])) is None
    True
    """
    if len(solved) == 0 or not solved[-1]:
        return None
    unsolved = np.flatnonzero(~solved)
    return int(unsolved[-1]) + 2 if len(unsolved) else 1


METRICS: dict[Kind, tuple[str, ...]] = {
    "categorical": ("balanced_accuracy", "macro_f1", "matthews", "cross_entropy"),
    "binary": ("balanced_accuracy", "macro_f1", "matthews", "cross_entropy"),
    "regression": ("mse", "rmse", "mae", "max_error", "r2"),
}
"""The metrics of each kind of target, in addition to `accuracy`, as scikit-learn defines them."""


def select_metrics(names: str, kind: Kind) -> tuple[str, ...]:
    """Returns the metrics in the comma-separated list `names`; `all` selects every metric.

    Raises `UserError` if `kind` has no metric of that name.

    >>> select_metrics("mae, rmse", "regression")
    ('mae', 'rmse')
    """
    if names.strip() == "all":
        return METRICS[kind]
    selected = tuple(name for name in (part.strip() for part in names.split(",")) if name)
    for name in selected:
        if name not in METRICS[kind]:
            raise UserError(f"metrics: {unknown(f'{kind} metric', name, METRICS[kind])}")
    return selected


def compute_metrics(outputs: Floats, targets: Floats, kind: Kind) -> dict[str, float]:
    """Returns every metric of `METRICS[kind]` by name, for outputs and targets of shape (M, K).

    Classification: mean recall over the classes, mean F1 over the classes, Matthews correlation
    coefficient, and the mean negative log probability of the correct class (sigmoid outputs over K
    classes are first scaled to sum to 1). Regression, over all K values together: mean squared,
    root mean squared, mean absolute and largest error, and the fraction of variance explained. All
    are NaN if an output is not finite.

    >>> metrics = compute_metrics(np.array([[0.0], [2.0]]), np.array([[0.0], [1.0]]), "regression")
    >>> metrics["mse"], metrics["mae"], metrics["max_error"]
    (0.5, 0.5, 1.0)
    """
    if not np.isfinite(outputs).all():
        return dict.fromkeys(METRICS[kind], float("nan"))
    from sklearn import metrics  # takes half a second to import

    values: list[Any]
    if kind == "regression":
        y, x = targets.ravel().astype(float), outputs.ravel().astype(float)
        values = [
            metrics.mean_squared_error(y, x),
            metrics.root_mean_squared_error(y, x),
            metrics.mean_absolute_error(y, x),
            metrics.max_error(y, x),
            metrics.r2_score(y, x) if len(y) > 1 else np.nan,
        ]
    else:
        if kind == "binary":
            positive = targets.ravel() >= 0.5
            outputs, y = np.stack([1 - outputs.ravel(), outputs.ravel()], 1), positive.astype(int)
        else:
            y = targets.argmax(axis=-1)
        x = (outputs[:, 1] >= 0.5).astype(int) if kind == "binary" else outputs.argmax(axis=-1)
        clipped = np.clip(outputs.astype(float), 1e-7, None)
        of_target = (clipped / clipped.sum(axis=1, keepdims=True))[np.arange(len(y)), y]
        recalls = [float((x[y == label] == label).mean()) for label in np.unique(y)]
        values = [
            np.mean(recalls),
            metrics.f1_score(y, x, average="macro", zero_division=0),
            # scikit-learn returns 0 for a single class too, but warns of it.
            metrics.matthews_corrcoef(y, x) if len(np.union1d(y, x)) > 1 else 0.0,
            -np.log(of_target).mean(),
        ]
    return {name: float(value) for name, value in zip(METRICS[kind], values, strict=True)}
