"""The parameters of the task `csv`, and the rules between them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from lstm_bench.data._columns import Missing, TargetKind
from lstm_bench.data._numbers import Decimal, Thousands
from lstm_bench.data._parameter_schemas import GAPS, HORIZON, TARGET
from lstm_bench.data._rows import Aggregate
from lstm_bench.data._table import Reading, na_entries
from lstm_bench.data._wide import Wide
from lstm_bench.tasks import Task

MAX_ORIGINS = 20
"""The most origins at which a recipe is trained."""
COLUMN_PARAMETERS = ("file", "target", "columns", "known", "time", "group")
READING_PARAMETERS = (
    "text",
    "all_steps",
    "target_kind",
    "season",
    "missing",
    "unseen",
    "split",
    "part",
    "date_format",
    "day_first",
    "aggregate",
    "latest",
    "shortest",
    "origins",
    "origin",
    "label_per_sequence",
)
CELL_PARAMETERS = tuple(field.name for field in fields(Reading))
TABLE_PARAMETERS = (*COLUMN_PARAMETERS[1:], "target_kind", "split", "date_format", "day_first",
                    "aggregate", "shortest", *CELL_PARAMETERS)  # fmt: skip
"""Parameters that do not apply to a plain text."""
FORECAST_PARAMETERS = ("known", "all_steps", "text", "origins", "split", "latest", "season",
                       "shortest", "wide")  # fmt: skip
"""Parameters that do not apply to one label per sequence."""


class CsvParameters(Task):
    """The parameters of a file and of the forecasts from it; see `CsvTask`."""

    file: Annotated[str | None, Field(min_length=1)] = None
    target: Annotated[str | None, WithJsonSchema(TARGET)] = None
    columns: Annotated[tuple[str, ...] | None, Field(strict=False)] = None
    time: str | None = None
    group: str | None = None
    target_kind: TargetKind | None = None
    horizon: Annotated[int, Field(ge=0, le=10_000), WithJsonSchema(HORIZON)] = 1
    season: Annotated[int | None, Field(ge=2, le=100_000)] = None
    missing: Missing = "refuse"
    unseen: Annotated[float, Field(ge=0.02, le=0.4)] = 0.2
    split: Literal["time", "group"] | None = None
    latest: Annotated[int | None, Field(ge=20)] = None
    difference: bool = False
    part: Literal["validation", "test"] = "test"
    known: Annotated[tuple[str, ...] | None, Field(strict=False, min_length=1)] = None
    all_steps: Literal[True] | None = None
    text: Literal[True] | None = None
    date_format: Annotated[str | None, Field(min_length=2)] = None
    day_first: bool | None = None
    aggregate: Aggregate | None = None
    na: Annotated[
        tuple[str, ...] | None,
        Field(strict=False),
        BeforeValidator(na_entries),
        WithJsonSchema(GAPS),
    ] = None
    decimal: Decimal | None = None
    thousands: Thousands | None = None
    wide: Wide | None = None
    sheet: Annotated[str | None, Field(min_length=1)] = None
    shortest: Annotated[int | None, Field(ge=1, le=10_000)] = None
    origins: Annotated[int | None, Field(ge=1, le=MAX_ORIGINS)] = None
    origin: Annotated[int | None, Field(ge=1, le=MAX_ORIGINS)] = None
    label_per_sequence: Literal[True] | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_lists(cls, values: Any) -> Any:
        """Takes a `horizon` of 1..12 for a path of 12 steps, and a list for several targets."""
        values = dict(values) if isinstance(values, Mapping) else values
        if isinstance(values, dict) and isinstance(values.get("horizon"), str):
            steps = re.fullmatch(r"1\.\.([1-9]\d{0,4})", values["horizon"].replace(" ", ""))
            if steps is None:
                raise ValueError(
                    "horizon must be a whole number, or 1 and the number of steps of a path as in "
                    f"1..12, but is {values['horizon'][:40]!r}"
                )
            values["horizon"] = int(steps[1])
            values["all_steps"] = True if values["horizon"] > 1 else None
        if isinstance(values, dict) and values.get("origins") == 1:
            values["origins"] = None  # as if it were not given
        targets = values.get("target") if isinstance(values, dict) else None
        if isinstance(targets, list | tuple) and all(isinstance(name, str) for name in targets):
            values["target"] = ",".join(targets)
        return values

    @model_validator(mode="after")
    def _check_difference(self) -> Self:
        if self.difference and not self.horizon:
            raise ValueError(
                "difference needs a horizon of at least 1, over which the target changes, but "
                "horizon is 0; use difference=false"
            )
        given = [name for name in TABLE_PARAMETERS if getattr(self, name) is not None]
        if self.text and (given or self.file is None or self.all_steps):
            what = f"{', '.join(given)} must be left out" if given else "it is one symbol ahead"
            what = what if self.file else "file must name it"
            raise ValueError(f"text is one column, the characters of a file, so {what}")
        if self.all_steps and self.horizon < 2:
            raise ValueError(
                f"all_steps needs a horizon of at least 2 rows, but horizon is {self.horizon}; "
                "leave it out, or use horizon=1..12"
            )
        return self

    @model_validator(mode="after")
    def _check_origins(self) -> Self:
        if self.origin is not None and self.origin > (self.origins or 1):
            raise ValueError(
                f"origin is the number of one of origins, from 1 to {self.origins or 1}, but is "
                f"{self.origin}; leave it out"
            )
        if self.origins and self.split == "group":
            raise ValueError(
                "origins are stretches of time, but split=group holds out whole series; use "
                "split=time, or leave origins out"
            )
        return self

    @model_validator(mode="after")
    def _check_label(self) -> Self:
        if not self.label_per_sequence:
            return self
        given = [name for name in FORECAST_PARAMETERS if getattr(self, name)]
        given += ["difference"] * self.difference + ["horizon"] * (self.horizon > 1)
        if given:
            raise ValueError(
                "label_per_sequence labels whole sequences, and forecasts no later row, so "
                f"{', '.join(given)} must be left out"
            )
        if self.target_kind not in (None, "symbols"):
            raise ValueError(
                "label_per_sequence labels sequences with symbols, but target_kind is "
                f"{self.target_kind}; leave it out"
            )
        return self
