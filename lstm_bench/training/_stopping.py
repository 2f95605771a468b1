"""When training ends before its last epoch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstm_bench.recipes import Recipe, Samples
from lstm_bench.tasks import StoppingRule


def needed_correct(recipe: Recipe, samples: Samples) -> int:
    """Returns how many evaluated outputs must be correct for the task to count as solved.

    0 if the recipe does not end then.
    """
    if recipe.stop_after_solved is None:
        return 0
    total = int(samples.evaluated.sum())
    shares = np.arange(total + 1) / total
    return int(np.searchsorted(shares, recipe.task.bar))


class SolvedStreak:
    """Tells when a task has stayed solved for `epochs` epochs in all evaluations."""

    def __init__(self, epochs: int | None) -> None:
        self.epochs = epochs
        self.since = 0  # the epoch, from 1, from which the task is solved; 0 if it is not

    def ends(self, epoch: int, solved: bool) -> bool:
        """Returns whether training ends, after an evaluation at the end of `epoch`.

        >>> streak = SolvedStreak(2)
        >>> [streak.ends(epoch, epoch != 2) for epoch in (1, 2, 3, 4, 5)]
        [False, False, False, False, True]
        """
        self.since = (self.since or epoch) if solved else 0
        return self.epochs is not None and solved and epoch - self.since >= self.epochs


class RuleWindow:
    """Applies a `StoppingRule` to the errors of the training sequences as they come."""

    def __init__(self, rule: StoppingRule) -> None:
        self.rule = rule
        self.count = 0
        self.errors: NDArray[np.floating] = np.zeros(0)

    @classmethod
    def of(cls, recipe: Recipe) -> RuleWindow | None:
        """Returns the window of a recipe that ends by its task's rule, or None."""
        rule = recipe.task.stopping_rule if recipe.stop is not None else None
        return None if rule is None else cls(rule)

    def met_after(self, errors: NDArray[np.floating]) -> int | None:
        """Returns after how many training sequences in all the rule is met first, or None so far.

        `errors` (M,) are the largest errors of the next sequences.

        >>> window = RuleWindow(StoppingRule(sequences=3, tolerance=0.5))
        >>> window.met_after(np.array([0.9, 0.1, 0.2])), window.met_after(np.array([0.3, 0.1]))
        (None, 4)
        """
        size = self.rule.sequences
        joined = np.concatenate([self.errors, errors])
        before = self.count - len(self.errors)  # sequences that are no longer in the window
        self.count += len(errors)
        self.errors = joined[-(size - 1) :] if size > 1 else joined[:0]
        if len(joined) < size:
            return None
        windows = np.lib.stride_tricks.sliding_window_view(joined, size)
        misses = np.cumsum(np.r_[0, ~(joined < self.rule.tolerance)])
        met = misses[size:] - misses[:-size] <= self.rule.misses
        if self.rule.mean_error is not None and met.any():
            met[met] = windows[met].mean(axis=1) < self.rule.mean_error
        return before + size + int(met.argmax()) if met.any() else None


def judges_last_step(recipe: Recipe) -> bool:
    """Returns whether training ends by a rule that judges only the last step of a sequence."""
    rule = recipe.task.stopping_rule if recipe.stop is not None else None
    return rule is not None and rule.last_step


def largest_errors(
    outputs: NDArray[np.floating], samples: Samples, last_step: bool = False
) -> NDArray[np.floating]:
    """Returns the largest error of an output at a scored step of each sample, (N,).

    `outputs` are like `samples.y`. With `last_step`, only the last scored step counts. NaN outputs
    give NaN.
    """
    error = np.abs(outputs - samples.y).reshape(*samples.scored.shape, -1).max(axis=-1)
    judged = samples.scored
    if last_step:
        judged = judged & (judged[:, ::-1].cumsum(axis=-1)[:, ::-1] == 1)
    return np.asarray(np.where(judged, error, 0).max(axis=-1))
