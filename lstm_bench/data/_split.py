"""Where the series of a file are split into training, validation and test rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._messages import is_or_are, list_names
from lstm_bench.errors import DataError
from lstm_bench.seeds import stream

MIN_GROUPS = 5
"""From this many series without times, whole series are held out instead of the end of each."""


def split_rows(
    split: Literal["time", "group"] | None,
    unseen: float,
    rows: Mapping[str, NDArray[np.intp]],
    times: NDArray[np.generic] | None,
    group: str | None,
) -> dict[str, tuple[int, int]]:
    """Returns the starts of the validation and the test set in the `rows` of each series.

    Both parts are a share `unseen` of the rows, or of the series if whole series are held out.
    """
    if split is None:
        split = "group" if group and times is None and len(rows) >= MIN_GROUPS else "time"
    if split == "group":
        return _split_groups(unseen, rows)
    if times is not None and len(rows) > 1:  # the same two times for all series
        ordered = np.sort(np.concatenate([times[indices] for indices in rows.values()]))
        validation, test = (ordered[_start(len(ordered), unseen, parts)] for parts in (2, 1))
        return {
            name: (int((times[i] < validation).sum()), int((times[i] < test).sum()))
            for name, i in rows.items()
        }
    return {
        name: (_start(len(indices), unseen, 2), _start(len(indices), unseen, 1))
        for name, indices in rows.items()
    }


def _split_groups(
    unseen: float, rows: Mapping[str, NDArray[np.intp]]
) -> dict[str, tuple[int, int]]:
    """Returns the starts of the parts if each part consists of whole series, drawn at random."""
    if len(rows) < 3:
        raise DataError(
            "split: 'group' holds out whole series, so there must be at least 3, but there "
            f"{is_or_are(len(rows))}; use split=time"
        )
    order = stream(0, "data").permutation(len(rows)).tolist()
    count = min(max(1, round(unseen * len(rows))), (len(rows) - 1) // 2)
    test, validation = set(order[:count]), set(order[count : 2 * count])
    starts = {}
    for number, (name, indices) in enumerate(rows.items()):
        length = len(indices)
        starts[name] = (length, length)  # all rows are training rows
        if number in validation:
            starts[name] = (0, length)
        if number in test:
            starts[name] = (0, 0)
    return starts


def origin_starts(
    ranks: Sequence[NDArray[np.integer]], test_starts: Sequence[int], origins: int, common: bool
) -> list[NDArray[np.intp]]:
    """Returns where the stretches of the test set begin and end in each series, (origins + 1,).

    `ranks` are those of the times of each series. The stretches have about equally many rows. With
    `common` times they begin at the same times in all series.

    >>> [starts.tolist() for starts in origin_starts([np.arange(10)], [4], 3, common=False)]
    [[4, 6, 8, 10]]
    """
    shares = np.arange(origins + 1) / origins
    if not common:
        return [
            np.round(start + shares * (len(rank) - start)).astype(np.intp)
            for rank, start in zip(ranks, test_starts, strict=True)
        ]
    later = [rank[start:] for rank, start in zip(ranks, test_starts, strict=True)]
    ordered = np.sort(np.concatenate(later))
    places = np.round(shares[1:-1] * len(ordered)).astype(int)
    cuts = ordered[np.minimum(places, len(ordered) - 1)]
    return [
        np.concatenate([[start], start + np.searchsorted(tail, cuts), [len(rank)]]).astype(np.intp)
        for rank, tail, start in zip(ranks, later, test_starts, strict=True)
    ]


def _start(count: int, unseen: float, parts: int) -> int:
    """Returns where the last `parts` parts of `count` rows begin, each a share `unseen` of them."""
    return max(0, count - parts * max(1, round(unseen * count)))


def fewest_steps(validation: int, test: int, length: int, horizon: int) -> int:
    """Returns the fewest steps that a sequence of a series may have, for any part and target.

    The series has `length` rows; its parts begin at `validation` and `test`. A sequence ends
    `horizon` rows before its part does, and one of changes begins a row later.

    >>> fewest_steps(30, 40, 50, horizon=1), fewest_steps(3, 3, 3, horizon=1)
    (28, 1)
    """
    ends = [end for end in (validation, test) if end > horizon]
    ends += [
        end for start, end in ((validation, test), (test, length)) if end > max(start, horizon)
    ]
    return max(0, min((end - horizon - 1 for end in ends), default=0))


def long_series(file: str, steps: Mapping[str, int], shortest: int) -> tuple[set[str], str]:
    """Returns the series whose sequences have `shortest` steps or more, and a note on the others.

    Raises `DataError` if there are none.
    """
    kept = {name for name, count in steps.items() if count >= shortest}
    if not kept:
        raise DataError(
            f"{file}: shortest={shortest} leaves out all series, as none has so many steps in each "
            "of its parts; use a smaller number"
        )
    short = [name for name in steps if name not in kept]
    note = f"series too short for {shortest} steps in each part left out: {list_names(short)}"
    return kept, note if short else ""
