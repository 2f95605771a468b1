"""Families of recipes that differ in one number, and the memory span of each family."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lstm_bench.results import Row, SweepData
from lstm_bench.statistics import MemorySpan, memory_span

KEPT = 1e-5
"""A cell that keeps less than this share of its state gives hardly any gradient for it."""


@dataclass(frozen=True)
class Family:
    """Rows that differ only in the number `axis`, in ascending order, and their memory span."""

    id: str
    axis: str
    rows: tuple[Row, ...]
    span: MemorySpan

    @property
    def half(self) -> str:
        """The memory span, the value at which the solve rate falls to one half, as text.

        `> 1024`: still above one half at the last value. `< 4`: below it from the first on.
        """
        return axis_value(self.span, self.span.half)

    @property
    def interval(self) -> str:
        """The 95 % interval of `half`; empty where there is none."""
        ends = self.span.low, self.span.high
        if math.isnan(self.span.half) or any(map(math.isnan, ends)):
            return ""
        low, high = (axis_value(self.span, end) for end in ends)
        values = self.span.values
        if ends[0] >= values[-1] or ends[1] <= values[0]:  # all of it lies beyond the axis
            return high if ends[0] >= values[-1] else low
        return f"[{low}, {high}]"

    @property
    def predicted(self) -> float | None:
        """The lag at which an untrained cell has forgotten all but `KEPT`; None if it is unknown.

        A forget gate starts at sigmoid(b), b its bias: after t steps a cell keeps sigmoid(b)^t.
        It is known for LSTMs over whole sequences whose forget bias is one number.
        """
        settings = self.rows[0].outcome.settings
        kind = self.axis, settings.get("network", "lstm"), settings.get("framing")
        bias = settings.get("forget_bias")
        if kind != ("lag", "lstm", "whole") or isinstance(bias, str):
            return None
        lost = math.log1p(math.exp(-(1.0 if bias is None else bias)))  # -log sigmoid(b); Keras: 1
        return -math.log(KEPT) / lost

    def record(self) -> dict[str, Any]:
        """Returns the memory span with its interval as one flat row."""
        return {
            "family": self.id,
            "axis": self.axis,
            "seeds": self.span.n,
            "first": self.span.values[0],
            "last": self.span.values[-1],
            "half": self.span.half,
            "low": self.span.low,
            "high": self.span.high,
        }

    def document(self) -> dict[str, Any]:
        """Returns what JSON documents say of it."""
        return {
            "axis": self.axis,
            "seeds": self.span.n,
            "values": list(self.span.values),
            "solve_rates": list(self.span.rates),
            "half": self.span.half,
            "ci95": [self.span.low, self.span.high],
            "says": self.half,
        }

    def rates(self) -> pd.DataFrame:
        """Returns one row per value of the axis: solved seeds, Wilson's interval, fitted rate.

        The counts are over the seeds of each row, the fitted curve over those that all rows share.
        """
        rates = [row.outcome.solve_rate for row in self.rows]
        return pd.DataFrame(
            {
                "family": self.id,
                "axis": self.axis,
                "value": self.span.values,
                "id": [row.id for row in self.rows],
                "solved": [rate.k for rate in rates],
                "seeds": [rate.n for rate in rates],
                "solve_rate": [rate.rate for rate in rates],
                "solve_rate_low": [rate.low for rate in rates],
                "solve_rate_high": [rate.high for rate in rates],
                "fitted": self.span.fitted,
            }
        )


def axis_value(span: MemorySpan, value: float) -> str:
    """Returns a point of an axis as text, with `>` or `<` where it lies beyond an end."""
    if math.isnan(value):
        return "does not fall"
    if math.isinf(value):
        sign, end = (">", span.values[-1]) if value > 0 else ("<", span.values[0])
        return f"{sign} {end:,g}"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def families(result: SweepData) -> list[Family]:
    """Returns the families of a sweep over a number, with a result at two values or more."""
    members: dict[str, list[Row]] = {}
    for row in result.fixed:
        is_number = isinstance(row.value, int | float) and not isinstance(row.value, bool)
        if row.family and is_number:
            members.setdefault(row.family, []).append(row)
    complete = []
    for name, rows in members.items():
        rows.sort(key=lambda row: float(row.value))
        if len(rows) < 2:
            continue
        columns = [row.outcome.seeds.set_index("seed")["solved"] for row in rows]
        solved = pd.concat(columns, axis=1, join="inner").to_numpy(bool)  # (seeds, values)
        if len(solved):
            span = memory_span([float(row.value) for row in rows], solved)
            complete.append(Family(name, rows[0].axis, tuple(rows), span))
    return complete
