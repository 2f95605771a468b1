"""The names of baselines that are fitted anew at several origins."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence


def stem(name: str) -> str:
    """Returns the name of a baseline without what was chosen for it, such as a number of rows.

    >>> stem("linear, 25 rows"), stem("exponential smoothing (A,N,N)")
    ('linear', 'exponential smoothing')
    """
    return re.split(r",| \(", name)[0]


def common_names(names: Sequence[Collection[str]], where: str) -> dict[str, tuple[str, ...]]:
    """Returns the baselines that all of several lists have, with their name in each list.

    Those whose names differ after a comma or in parentheses are one, which then is called after
    its stem and `where` the choice was made.

    >>> common_names([["last value", "linear, 3 rows"], ["last value", "linear, 6 rows"]], "twice")
    {'last value': ('last value', 'last value'), 'linear, twice': ('linear, 3 rows', ...)}
    """
    by_stem = [{stem(name): name for name in listed} for listed in names]
    combined = {}
    for key in by_stem[0]:
        if all(key in listed for listed in by_stem):
            parts = tuple(listed[key] for listed in by_stem)
            combined[parts[0] if len(set(parts)) == 1 else f"{key}, {where}"] = parts
    return combined
