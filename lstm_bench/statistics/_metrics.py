"""Pure functions from arrays of answers to scores."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.errors import UserError, unknown

Kind = Literal["categorical", "binary", "regression"]
Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]
Ints = NDArray[np.integer]


def predicted_answers(outputs: Floats, kind: Kind) -> NDArray[np.generic]:
    """Returns what the network answers, for outputs of shape (..., K).

    Categorical: the index of the largest output (also for sigmoid outputs, as the tutorials read
    them), shape (...). Binary: each output rounded to 0 or 1, shape (..., K). Regression: the
    outputs as they are.

    >>> predicted_answers(np.array([[0.1, 0.7, 0.6]]), "categorical")
    array([1])
    """
    if kind == "categorical":
        return np.asarray(outputs.argmax(axis=-1))
    if kind == "binary":
        return (outputs >= 0.5).astype(np.int64)
    return outputs


def is_correct(outputs: Floats, targets: Floats, kind: Kind, tolerance: float = 0.0) -> Bools:
    """Returns which answers are right, shape (...) for outputs and targets of shape (..., K).

    A step of a binary or regression problem is right when all its K values are: rounded alike, or
    within `tolerance` (in the data's units). NaN outputs are never right.

    >>> outputs = np.array([[0.2, 0.8], [0.9, 0.3]])
    >>> is_correct(outputs, np.array([[0.0, 1.0], [0.0, 1.0]]), "categorical")
    array([ True, False])
    """
    if kind == "regression":
        return np.asarray((np.abs(outputs - targets) <= tolerance).all(axis=-1))
    same = np.asarray(predicted_answers(outputs, kind) == predicted_answers(targets, kind))
    right = same if kind == "categorical" else same.all(axis=-1)
    return np.asarray(right & np.isfinite(outputs).all(axis=-1))


def accuracy(right: Bools, scored: Bools) -> Floats:
    """Returns the share of scored steps that are right, over the last axis: (..., M) -> (...).

    >>> accuracy(np.array([True, True, False]), np.array([True, False, True]))
    array(0.5)
    """
    return np.asarray((right & scored).sum(axis=-1) / scored.sum(axis=-1))


def sequence_accuracy(right: Bools, scored: Bools, sequence: Ints) -> Floats:
    """Returns the share of sequences whose scored steps are all right: (..., M) -> (...).

    `sequence`, shape (M,), names the sequence that each step belongs to.

    >>> right = np.array([True, True, True, False])
    >>> sequence_accuracy(right, np.ones(4, bool), np.array([0, 0, 1, 1]))
    array(0.5)
    """
    names = np.unique(sequence[scored])
    wrong = ~right & scored
    whole = np.stack([~wrong[..., sequence == name].any(axis=-1) for name in names], axis=-1)
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
"""What is measured of each kind of target, besides `accuracy`. All by scikit-learn."""


def select_metrics(names: str, kind: Kind) -> tuple[str, ...]:
    """Returns the metrics that `names` lists, with commas between them; `all` are all there are.

    Raises `UserError` where `kind` has no such metric.

    >>> select_metrics("mae, rmse", "regression")
    ('mae', 'rmse')
    """
    if names.strip() == "all":
        return METRICS[kind]
    listed = tuple(name for name in (part.strip() for part in names.split(",")) if name)
    for name in listed:
        if name not in METRICS[kind]:
            raise UserError(f"metrics: {unknown(f'{kind} metric', name, METRICS[kind])}")
    return listed


def compute_metrics(outputs: Floats, targets: Floats, kind: Kind) -> dict[str, float]:
    """Returns every metric of `METRICS[kind]` of outputs and targets of shape (M, K).

    Classification: mean recall over the classes, mean F1 over the classes, Matthews's correlation
    coefficient, and the mean negative logarithm of what the right answer was given (of sigmoid
    outputs over K classes: after they are made to sum to 1). Regression, over all K values at
    once: squared, root squared, absolute and largest error, and the share of variance explained.
    All are NaN where an output is not finite.

    >>> told = compute_metrics(np.array([[0.0], [2.0]]), np.array([[0.0], [1.0]]), "regression")
    >>> told["mse"], told["mae"], told["max_error"]
    (0.5, 0.5, 1.0)
    """
    if not np.isfinite(outputs).all():
        return dict.fromkeys(METRICS[kind], float("nan"))
    from sklearn import metrics  # takes half a second to import

    found: list[Any]
    if kind == "regression":
        y, x = targets.ravel().astype(float), outputs.ravel().astype(float)
        found = [
            metrics.mean_squared_error(y, x),
            metrics.root_mean_squared_error(y, x),
            metrics.mean_absolute_error(y, x),
            metrics.max_error(y, x),
            metrics.r2_score(y, x) if len(y) > 1 else np.nan,
        ]
    else:
        if kind == "binary":
            right = targets.ravel() >= 0.5
            outputs, y = np.stack([1 - outputs.ravel(), outputs.ravel()], 1), right.astype(int)
        else:
            y = targets.argmax(axis=-1)
        x = (outputs[:, 1] >= 0.5).astype(int) if kind == "binary" else outputs.argmax(axis=-1)
        shares = np.clip(outputs.astype(float), 1e-7, None)
        given = (shares / shares.sum(axis=1, keepdims=True))[np.arange(len(y)), y]
        recalls = [float((x[y == name] == name).mean()) for name in np.unique(y)]
        found = [
            np.mean(recalls),
            metrics.f1_score(y, x, average="macro", zero_division=0),
            metrics.matthews_corrcoef(y, x),
            -np.log(given).mean(),
        ]
    return {name: float(value) for name, value in zip(METRICS[kind], found, strict=True)}
