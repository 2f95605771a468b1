"""The published trials of a recipe: their success rate and their speed.

::

    T1: {stop: rule, published_success: [20, 20], published_sequences: 31390}

20 of 20 trials succeeded, after 31,390 training sequences on average. `[null, 20]` means 20 trials,
of which an unknown number succeeded; the mean is then taken as the mean of all 20.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from lstm_bench.safety import WholeNumber, checked_link

MAX_TRIALS = 10_000
"""The most published trials, which is also the most seeds of a sweep."""


def _pair(value: Any) -> Any:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("must be [succeeded, trials], e.g. [20, 20]")
    return tuple(value)


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


def _check_success(success: tuple[int | None, int]) -> tuple[int | None, int]:
    succeeded, trials = success
    if succeeded is not None and succeeded > trials:
        raise ValueError("must be [succeeded, trials] with at most as many successes as trials")
    return success


_Succeeded = Annotated[WholeNumber, Field(ge=0, le=MAX_TRIALS)]
_Trials = Annotated[WholeNumber, Field(ge=1, le=MAX_TRIALS)]

PublishedSuccess = Annotated[
    tuple[_Succeeded | None, _Trials], BeforeValidator(_pair), AfterValidator(_check_success)
]
"""The number of successful trials, if it was published, and the number of trials."""

PublishedSequences = Annotated[
    float, Field(gt=0, le=2**53, allow_inf_nan=False), BeforeValidator(_number)
]
"""The mean number of training sequences that the successful trials took."""


Link = Annotated[str, AfterValidator(checked_link)]
"""The address of the page where something was published; empty if there is none."""


def check_published_trials(success: tuple[int | None, int] | None, sequences: float | None) -> None:
    """Raises ValueError for a mean number of sequences without a number of trials."""
    if sequences is None:
        if success is not None and success[0] is None:
            raise ValueError(
                "published_success without the number that succeeded needs published_sequences; "
                "give one of them, e.g. published_success: [20, 20]"
            )
        return
    rule = "published_sequences is a mean over the trials that succeeded"
    if success is None:
        raise ValueError(f"{rule}; give their number too, as published_success: [20, 20]")
    if success[0] == 0:
        raise ValueError(f"{rule}, but none did; remove it")
