"""What a comparison asks: a difference, in a measure, and the margin within which it is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Measure = Literal["accuracy", "sequence_accuracy", "solve_rate", "skill", "loss", "epochs_to_solve"]

DEFAULT_MARGIN = 0.02
"""Smaller differences of accuracies and rates count as equal, unless a sweep file sets a margin."""


@dataclass(frozen=True)
class ComparisonQuestion:
    """A comparison in a sweep file: the difference of `of` from `to` in a measure."""

    __pydantic_config__: ClassVar[dict[str, object]] = {
        "extra": "forbid",
        "coerce_numbers_to_str": True,
    }

    of: str
    to: str
    measure: Measure = "accuracy"
    claim: str = ""
    margin: float | None = None

    @property
    def equivalence_margin(self) -> float | None:
        """The size up to which a difference counts as none.

        None for a loss, which has no natural scale, and for epochs to solve, which have no
        interval.
        """
        if self.measure == "epochs_to_solve":
            return None
        if self.margin is not None or self.measure == "loss":
            return self.margin
        return DEFAULT_MARGIN


def margin_fault(measure: str, margin: Any) -> str:
    """Returns what is wrong with the margin of a comparison in a measure, or nothing.

    >>> margin_fault("accuracy", 2)
    'must be a share below 1, but got 2; write 0.02 for 2 points'
    """
    if margin is None:
        return ""
    number = isinstance(margin, int | float) and not isinstance(margin, bool)
    if not number or not 0 < margin < math.inf:
        return f"must be above 0 and finite, but got {margin!r}"
    if measure == "epochs_to_solve":
        return f"epochs to solve have no margin, but got {margin!r}; leave it out"
    if measure != "loss" and margin >= 1:
        repair = f"write {margin / 100:g} for {margin:g} points"
        return f"must be a share below 1, but got {margin!r}; {repair}"
    return ""
