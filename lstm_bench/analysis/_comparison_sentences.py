"""Differences of two recipes in words: direction, size, interval and seeds, without a verdict."""

from __future__ import annotations

import math

from lstm_bench.statistics import ComparisonQuestion, Difference

POINTS = 100
"""Differences of accuracies and rates are printed in percentage points."""


def difference_direction(question: ComparisonQuestion, estimate: Difference | None) -> str:
    """Returns the direction and the size of a difference, without its verdict."""
    of, to, measure = question.of, question.to, question.measure.replace("_", " ")
    if estimate is None or estimate.min_seeds == 0:
        return f"{of} and {to} have no seeds in common yet"
    if estimate.median_epochs is not None:
        return _time_direction(question, estimate)
    if math.isnan(estimate.difference):
        return f"{of} or {to} has no {measure} on some seed, which diverged"
    if estimate.n_differing == 0 and measure == "solve rate":
        same = "by the same seeds" if estimate.n_to is None else "equally often"
        solved = "have a skill above 0" if estimate.step_error else "are solved"
        same = same.replace("by ", "for ") if estimate.step_error else same
        return f"{of} and {to} {solved} {same}{_interval_and_seeds(question, estimate)}"
    if estimate.n_differing == 0:
        seeds = f"{'all ' * (estimate.n > 1)}{_seed_counts(estimate)}"
        return f"{of} and {to} have the same {measure} on {seeds}"
    size, above = difference_amount(abs(estimate.difference), question), estimate.difference > 0
    if estimate.difference == 0:
        text = f"{of} and {to} are equal on average in {measure}"
    elif measure == "solve rate":
        solved = "has a skill above 0" if estimate.step_error else "is solved"
        text = f"{of} {solved} {'more' if above else 'less'} often than {to}, by {size}"
    else:
        text = f"{of} is {'higher' if above else 'lower'} than {to} in {measure}, by {size}"
    if estimate.constant and measure != "solve rate":
        return f"{text} on each of {_seed_counts(estimate)}"
    return f"{text}{_interval_and_seeds(question, estimate)}"


def _time_direction(question: ComparisonQuestion, estimate: Difference) -> str:
    """Returns which of two recipes is solved sooner, and the median epochs of both."""
    of, to = question.of, question.to
    assert estimate.median_epochs is not None
    if estimate.never_solved:
        return f"{of} and {to} are never solved ({_seed_counts(estimate)})"
    if estimate.excess_solved == 0:
        text = f"{of} and {to} are solved as soon as one another"
    else:
        text = f"{of} is solved {'sooner' if estimate.excess_solved > 0 else 'later'} than {to}"
    medians = [f"{m:,g}" for m in estimate.median_epochs if not math.isinf(m)]
    if len(medians) == 2:
        epochs = f"median epochs {medians[0]} against {medians[1]}"
    elif medians:
        first_solves = not math.isinf(estimate.median_epochs[0])
        solves, fails = (of, to) if first_solves else (to, of)
        never = f"more than half of the seeds of {fails} never solve it"
        epochs = f"median epochs {medians[0]} of {solves}; {never}"
    else:
        epochs = "more than half of the seeds of either never solve it"
    return f"{text} ({epochs}, {_seed_counts(estimate)})"


def _seed_counts(estimate: Difference) -> str:
    """Returns the number of seeds of a difference: of both recipes if they share none."""
    if estimate.n_to is not None:
        return f"{estimate.n} and {estimate.n_to} different seeds"
    return f"{estimate.n} seeds" if estimate.n > 1 else "the one seed"


def _interval_and_seeds(question: ComparisonQuestion, estimate: Difference) -> str:
    """Returns the interval and the number of seeds, in brackets."""
    if math.isnan(estimate.low):
        few = "one seed" if estimate.n_to is None and estimate.n == 1 else ""
        few = few or (_seed_counts(estimate) if estimate.n_to is not None else "")
        return f" on {few}" if few else ""
    ends = " to ".join(_signed(end, question) for end in (estimate.low, estimate.high))
    return f" (95 % interval {ends}, {_seed_counts(estimate)})"


def superiority_sentence(question: ComparisonQuestion, estimate: Difference) -> str:
    """Returns how often a seed is higher, on the same seed or on any two; empty if unknown."""
    superiority = estimate.superiority
    if superiority is None:
        return ""
    on = "On one and the same seed" if estimate.n_to is None else "On any two seeds"
    share, low, high = (
        f"{POINTS * value:.0f}"
        for value in (superiority.probability, superiority.low, superiority.high)
    )
    return (
        f"{on} {question.of} is higher than {question.to} with a probability of {share} % "
        f"(95 % interval {low} to {high} %)."
    )


def difference_amount(size: float, question: ComparisonQuestion) -> str:
    """Returns the size of a difference with its unit: `12 points`."""
    if question.measure == "loss":
        return f"{size:.3g}"
    text = f"{POINTS * size:.1f}"
    text = "less than 0.1" if text == "0.0" and size > 0 else text.removesuffix(".0")
    return f"{text} {'point' if text == '1' else 'points'}"


def _signed(value: float, question: ComparisonQuestion) -> str:
    if question.measure == "loss":
        return f"{value:+.3g}"
    return f"{POINTS * value:+.1f}".replace("-0.0", "0.0").replace("+0.0", "0.0")
