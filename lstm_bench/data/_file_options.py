"""The options about how to read a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lstm_bench.data._columns import Missing, TargetKind
from lstm_bench.data._rows import Aggregate
from lstm_bench.data._table import DEFAULT_READING, Reading


@dataclass(frozen=True)
class FileOptions:
    """The file, and the user's options about how to read it; what is None is inferred."""

    file: str
    target: str | None = None
    columns: tuple[str, ...] | None = None
    time: str | None = None
    group: str | None = None
    kind: TargetKind | None = None
    horizon: int = 1
    season: int | None = None
    missing: Missing = "refuse"
    unseen: float = 0.2
    split: Literal["time", "group"] | None = None
    date_format: str | None = None
    day_first: bool | None = None
    aggregate: Aggregate | None = None
    latest: int | None = None
    known: tuple[str, ...] | None = None
    all_steps: bool | None = None
    text: bool | None = None
    reading: Reading = DEFAULT_READING
    shortest: int | None = None
    label_per_sequence: bool | None = None
