"""Every recipe of a space once, in an order drawn from the search's seed."""

from __future__ import annotations

import bisect
import itertools
from typing import Any

from lstm_bench.errors import Fault, RecipeError
from lstm_bench.recipes import Recipe
from lstm_bench.search._space import Space
from lstm_bench.seeds import stream
from lstm_bench.sweeps import Range

MOST_RECIPES = 1_000_000
"""Recipes of a grid; more than this is refused, for its order could not be drawn in a moment."""


class Grid:
    """The legal combinations of a space, each with every value of the free settings that apply.

    They are counted, and not built before they are asked for. The order depends on the space and
    the seed alone, so that a longer search begins as a shorter one does.
    """

    def __init__(self, space: Space, seed: int) -> None:
        """Raises `RecipeError` where a part is continuous, or the grid is enormous."""
        faults = [
            Fault(f"search.space.{key}", "a grid tries every value, but got a range of floats; "
                  "give choices, or take another sampler")
            for key, part in space.parts.items()
            if isinstance(part, Range) and part.float_ is not None
        ]  # fmt: skip
        if faults:
            raise RecipeError(faults)
        self._space = space
        self._ends = list(itertools.accumulate(map(int, space.sizes)))
        if len(self) > MOST_RECIPES:
            rule = f"a grid has at most {MOST_RECIPES:,} recipes, but got {len(self):,}"
            raise RecipeError([Fault("search.space", f"{rule}; offer fewer values")])
        self._order = stream(seed, "search").permutation(len(self))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, number: int) -> Recipe:
        """Returns the recipe at a place in the order."""
        place = int(self._order[number])
        which = bisect.bisect(self._ends, place)
        rest = place - (self._ends[which - 1] if which else 0)
        chosen: dict[str, Any] = dict(self._space.legal[which])
        for key in self._space.open(chosen):
            values = self._space.values(key)
            rest, at = divmod(rest, len(values))
            chosen[key] = values[at]
        return self._space.build(chosen)
