"""Checks that one seed of a recipe gives the same bits on each kind of processor."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lstm_bench.results._columns import PLACE_COLUMNS
from lstm_bench.results._outcome import Outcome


@dataclass(frozen=True)
class ProcessorCheck:
    """One seed of the recipe `recipe`, trained on each kind of processor that workers have.

    `differences` has the largest absolute difference between two kinds by what differs, such as
    "loss" or "weights", and None where it is not a number; it is empty where all bits are the same.
    `failed` says why a kind has no result. With one kind, nothing is trained.
    """

    recipe: str
    seed: int
    kinds: tuple[str, ...]
    differences: Mapping[str, float | None] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_same(self) -> bool | None:
        """Whether all kinds gave the same bits; None if there were not two to compare."""
        return not self.differences if len(self.kinds) - len(self.failed) > 1 else None

    @property
    def sentence(self) -> str:
        """The result of the check in words."""
        if not self.kinds:
            return "none was known when one seed was to be trained on each kind"
        if len(self.kinds) == 1:
            return f"{self.kinds[0]}; the workers had one kind, so nothing was compared"
        trained = f"seed {self.seed} of {self.recipe}"
        parts = [f"{kind} could not train it ({why})" for kind, why in self.failed.items()]
        if self.is_same is None:
            result = f"{trained} could not be compared"
        elif self.is_same:
            result = f"{trained} gave the same bits on " + ("the others" if parts else "each")
        else:
            by_how_much = ", ".join(map(_difference_text, self.differences.items()))
            result = f"{trained} differs between them: {by_how_much}"
        return "; ".join([", ".join(self.kinds), result, *parts])


def _difference_text(item: tuple[str, float | None]) -> str:
    """Returns what differs, and by how much; -0.0 and 0.0 differ by nothing."""
    what, by = item
    if by is None:
        return what
    return f"{what} by up to {by:.2g}" if by else f"{what} in the sign of 0"


def processor_check(
    recipe: str, seed: int, outcomes: Mapping[str, Outcome], failed: Mapping[str, str]
) -> ProcessorCheck:
    """Returns the check of a recipe from its `outcomes` by kind of processor, each of one seed.

    `failed` says by kind why there is no outcome.
    """
    differences: dict[str, float] = {}
    for first, second in itertools.combinations(outcomes.values(), 2):
        for what, by in outcome_differences(first, second):
            differences[what] = max(by, differences.get(what, 0.0))
    kinds = tuple(sorted({*outcomes, *failed}))
    numbers = {what: by if math.isfinite(by) else None for what, by in differences.items()}
    return ProcessorCheck(recipe, seed, kinds, numbers, dict(failed))


def outcome_differences(first: Outcome, second: Outcome) -> Iterator[tuple[str, float]]:
    """Yields what differs between two outcomes, to the last bit, and by how much at most.

    Seconds and places are not compared. Values that are no numbers differ by infinity.
    """
    not_compared = ["seconds", *PLACE_COLUMNS]
    tables = (
        ("", first.seeds, second.seeds),
        ("curves of ", first.curves, second.curves),
        ("predictions: ", first.predictions, second.predictions),
    )
    for prefix, table, other in tables:
        names = [name for name in {**table, **other} if name not in not_compared]
        for name in names:
            columns = [t[name].to_numpy() if name in t else np.empty(0) for t in (table, other)]
            if not _has_same_bits(*columns):
                yield f"{prefix}{name}", _largest_difference(*columns)
    weights = list(itertools.zip_longest(first.weights, second.weights, fillvalue=np.empty(0)))
    if not all(_has_same_bits(*pair) for pair in weights):
        yield "weights", max(_largest_difference(*pair) for pair in weights)


def _has_same_bits(first: np.ndarray, second: np.ndarray) -> bool:
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    if first.dtype.kind in "fiub":
        return first.tobytes() == second.tobytes()
    return bool(pd.Series(first.ravel()).equals(pd.Series(second.ravel())))


def _largest_difference(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the largest absolute difference; infinity for other shapes, and for no numbers."""
    if first.shape != second.shape or not {first.dtype.kind, second.dtype.kind} <= set("fiub"):
        return float("inf")
    one, two = first.astype(float), second.astype(float)
    same = (one == two) | (np.isnan(one) & np.isnan(two))
    difference = np.where(same, 0.0, np.abs(one - two))
    return float(np.nan_to_num(difference, nan=np.inf, posinf=np.inf).max(initial=0.0))
