"""The errors of a recipe and of its baselines at each of several origins: a table."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from lstm_bench.analysis import BaselineResult, amount
from lstm_bench.report import _wording as wording
from lstm_bench.report._sections import Block
from lstm_bench.report._text_table import TextTable
from lstm_bench.safety import printable_line

NOTE = (
    "At each origin the recipe was trained anew, on all rows before the stretch that is scored, "
    "and the baselines were fitted anew to the same rows (rolling-origin evaluation: Tashman "
    "2000). The verdict counts each origin as one observation, the mean over its seeds and steps, "
    "in a t test (Ibragimov and Müller 2010), and the seeds too. The network that is kept is "
    "that of the last origin"
)


def data_frame(results: Sequence[BaselineResult]) -> pd.DataFrame:
    """Returns one row per recipe, origin and baseline."""
    return pd.DataFrame(
        [
            {"id": result.row.id, **record}
            for result in results
            for errors in result.origins
            for record in errors.records()
        ]
    )


def blocks(result: BaselineResult) -> list[Block]:
    """Returns the block with the errors at each origin; none if the recipe was trained once."""
    if not result.origins:
        return []
    names = list(result.origins[0].baselines)
    titles = ("Origin", "From", "To", "Steps", "Network", *map(printable_line, names), "Skill")
    numeric = (True, False, False, True, True, *[True] * len(names), True)
    cells = tuple(
        (
            str(errors.origin),
            printable_line(errors.first),
            printable_line(errors.last),
            wording.whole_number(errors.steps),
            amount(errors.error, result.real_valued),
            *(amount(errors.baselines[name], result.real_valued) for name in names),
            wording.percent(errors.skill, " %").replace("-", "−"),
        )
        for errors in result.origins
    )
    caption = f"Errors of {printable_line(result.row.id)} and of the baselines, by origin."
    table = TextTable(titles, numeric, cells, ("",) * len(cells))
    return [Block("By origin", (), None, table, caption, (f"{NOTE}.",))]
