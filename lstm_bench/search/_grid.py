"""A grid: every recipe of a space once, in an order drawn from the search's seed."""

from __future__ import annotations

import bisect
import itertools
from typing import Any

from lstm_bench.errors import Fault, RecipeError
from lstm_bench.recipes import Recipe
from lstm_bench.search._space import Space
from lstm_bench.seeds import stream
from lstm_bench.sweeps import Range

MAX_RECIPES = 1_000_000
"""The most recipes of a grid. To draw the order of a larger grid would take too long."""


class Grid:
    """The legal combinations of a space, each with every value of the free settings that apply.

    Recipes are counted, but built only when they are indexed. The order depends only on the space
    and the seed, so that a longer search begins with the trials of a shorter one.
    """

    def __init__(self, space: Space, seed: int) -> None:
        """Raises `RecipeError` where a part is continuous, or the grid is too large."""
        faults = [
            Fault(f"search.space.{key}", "a grid tries every value, but got a range of floats; "
                  "give choices, or take another sampler")
            for key, part in space.parts.items()
            if isinstance(part, Range) and part.float_ is not None
        ]  # fmt: skip
        if faults:
            raise RecipeError(faults)
        self._space = space
        self._ends = list(itertools.accumulate(map(int, space.sizes)))  # one per legal combination
        if len(self) > MAX_RECIPES:
            rule = f"a grid has at most {MAX_RECIPES:,} recipes, but got {len(self):,}"
            raise RecipeError([Fault("search.space", f"{rule}; offer fewer values")])
        self._order = stream(seed, "search").permutation(len(self))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, number: int) -> Recipe:
        """Returns the recipe of trial `number`."""
        index = int(self._order[number])
        combination = bisect.bisect(self._ends, index)
        rest = index - (self._ends[combination - 1] if combination else 0)
        chosen: dict[str, Any] = dict(self._space.legal[combination])
        for key in self._space.open_parts(chosen):
            values = self._space.values(key)
            rest, place = divmod(rest, len(values))
            chosen[key] = values[place]
        return self._space.build(chosen)
