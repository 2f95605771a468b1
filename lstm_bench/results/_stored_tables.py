"""The tables of an outcome that are read: what they may take, and what must be in them."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstm_bench.results._outcome import CURVE_COLUMNS, PREDICTION_COLUMNS, SEED_COLUMNS, Outcome
from lstm_bench.statistics import BASELINE_PREFIX

MOST_CELLS = 50_000_000
"""Cells that a table may have."""
MOST_BYTES = 2**30
"""Bytes that the values of a table may take in memory, as far as the file announces them."""
LARGEST = float(np.finfo(np.float32).max)
"""The largest loss that is a number: networks are trained in single precision."""

NEEDED = {"seeds": SEED_COLUMNS, "curves": CURVE_COLUMNS, "predictions": PREDICTION_COLUMNS}
"""The columns that a table must have; it may have others."""
WHOLE = {"seed", "epoch", "sequence", "step", "moment"}
FLAGS = {"solved", "correct"}
SHARES = {"accuracy", "sequence_accuracy", "seen_accuracy", "unseen_accuracy"}
ANSWERS = {"expected", "predicted"}


def from_parquet(path: Path, name: str) -> pd.DataFrame:
    """Returns the table `name` from a Parquet file; raises ValueError where it is another."""
    from pyarrow import parquet

    if not path.is_file():
        raise ValueError(f"there is no file {path.name}")
    with parquet.ParquetFile(path) as file:
        _check_columns(name, file.schema_arrow, file.metadata.num_rows)
        size, texts = _announced(file.metadata), _texts(file.schema_arrow)
        repeated = size * max(1, file.metadata.num_rows)  # if every text were the longest one
        if texts and repeated > MOST_BYTES:
            with parquet.ParquetFile(path, read_dictionary=texts) as packed:
                _check_texts(packed.read(texts))
        return _frame(name, file.read())


def _announced(metadata: Any) -> int:
    """Returns how many bytes the values of a Parquet file take before texts are repeated."""
    if not 0 <= metadata.num_rows * metadata.num_columns <= MOST_CELLS:
        raise ValueError(
            f"a table must have at most {MOST_CELLS:,} cells, but has {metadata.num_rows:,} rows "
            f"of {metadata.num_columns:,}"
        )
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    columns = [each.column(place) for each in groups for place in range(each.num_columns)]
    size = sum(abs(int(each.total_uncompressed_size)) for each in columns)
    if size > MOST_BYTES:
        raise ValueError(f"a table must hold at most {MOST_BYTES >> 20} MB, but has {size >> 20}")
    return size


def _check_texts(table: pa.Table) -> None:
    """Raises ValueError where texts that a file holds once would be too long, repeated."""
    size = 0
    for column in table.columns:
        for chunk in column.chunks:
            lengths = pc.binary_length(chunk.dictionary).take(chunk.indices)
            size += pc.sum(lengths).as_py() or 0
    if size > MOST_BYTES:
        raise ValueError(f"a table must hold at most {MOST_BYTES >> 20} MB, but has {size >> 20}")


def from_feather(data: bytes, name: str) -> pd.DataFrame:
    """Returns the table `name` from bytes in Arrow's format; raises ValueError for another."""
    table = pa.ipc.open_file(pa.BufferReader(data)).read_all()
    _check_columns(name, table.schema, table.num_rows)
    return _frame(name, table)


def _texts(schema: pa.Schema) -> list[str]:
    return [each.name for each in schema if _is_text(each.type)]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_number(kind: pa.DataType) -> bool:
    floating = pa.types.is_float32(kind) or pa.types.is_float64(kind)
    return bool(floating or pa.types.is_integer(kind))


def _is_plain(kind: pa.DataType) -> bool:
    return _is_number(kind) or pa.types.is_boolean(kind) or _is_text(kind)


def _kind(table: str, column: str) -> tuple[str, Callable[[pa.DataType], bool]]:
    """Returns what a column must hold, in words and as a test of its type."""
    if column in WHOLE:
        return "whole numbers", pa.types.is_integer
    if column in FLAGS:
        return "true and false", pa.types.is_boolean
    if table == "predictions":
        return "numbers or text", _is_plain
    return "numbers", _is_number


def _check_columns(table: str, schema: pa.Schema, rows: int) -> None:
    """Raises ValueError where a table lacks a column, or one has another kind of values."""
    names = schema.names
    for column in NEEDED[table]:
        if column not in names:
            raise ValueError(f"{table} must have a column {column!r}, but has {_some(names)}")
    if len(set(names)) < len(names):
        raise ValueError(f"{table} must have each column once, but has {_some(sorted(names))}")
    for each in schema:
        words, fits = _kind(table, each.name)
        # A table of no rows has no kinds either.
        if (rows and not fits(each.type)) or not (_is_plain(each.type) or each.type == pa.null()):
            raise ValueError(f"{table}: {each.name!r} must hold {words}, but holds {each.type}")


def _some(names: list[str]) -> str:
    return reprlib.repr(names)


def _frame(name: str, table: pa.Table) -> pd.DataFrame:
    """Returns a table whose columns are known to be right; raises ValueError for its values."""
    table.validate(full=True)  # lengths and texts, which Arrow otherwise believes
    for column in table.column_names:
        if column in WHOLE | FLAGS and table[column].null_count:
            raise ValueError(f"{name}: {column!r} must have a value in every row, but has gaps")
    # What pandas once noted about types and index is left out: it would be believed.
    frame: pd.DataFrame = table.replace_schema_metadata(None).to_pandas()
    return frame


def check(outcome: Outcome) -> None:
    """Raises ValueError where the tables hold what no run gives, or do not fit one another."""
    seeds = outcome.seeds["seed"]
    if seeds.empty or seeds.duplicated().any() or not ((seeds >= 0) & (seeds < 2**63)).all():
        raise ValueError("seeds: there must be rows of distinct seeds, from 0 on")
    for column in SHARES & set(outcome.seeds.columns):
        _within(outcome.seeds, column, 0.0, 1.0)
    for column in ("seconds", "solved_epoch", "skill"):
        if column in outcome.seeds:
            _within(outcome.seeds, column, -1.0 if column == "skill" else 0.0, 2.0**53)
    if outcome.seeds["seconds"].isna().any():
        raise ValueError("seeds: 'seconds' must have a value in every row, but has gaps")
    for name in ("curves", "predictions"):
        if not set(getattr(outcome, name)["seed"]) <= set(seeds):
            raise ValueError(f"{name}: must be of seeds that are in the table of seeds")
    for column, most in (("epoch", 1e6), ("accuracy", 1.0), ("seen_accuracy", 1.0)):
        if column in outcome.curves and len(outcome.curves):
            _within(outcome.curves, column, 0.0, most)
    for table in (outcome.seeds, outcome.curves):
        losses = table["loss"].to_numpy(float)
        if (np.isfinite(losses) & (np.abs(losses) > LARGEST)).any():
            raise ValueError(f"'loss' must be at most {LARGEST:.1e}, as of single precision")
    if len(outcome.predictions):
        _check_answers(outcome)


def _check_answers(outcome: Outcome) -> None:
    table = outcome.predictions
    naive = [column for column in table if str(column).startswith(BASELINE_PREFIX)]
    numeric = {column: pd.api.types.is_numeric_dtype(table[column]) for column in table}
    real = numeric["expected"]
    for column in ["predicted", *naive]:
        if numeric[column] != real:
            raise ValueError(f"predictions: {column!r} must be of the kind of 'expected'")
    if not naive:
        return
    ahead = outcome.settings.get("horizon", 1)
    if "moment" not in table or not isinstance(ahead, int) or not 0 <= ahead <= 10_000:
        rule = "naive answers need moments, and a horizon from 0 to 10,000"
        raise ValueError(f"predictions: {rule}, but got {ahead!r}")
    if "mae" in outcome.seeds and not real:
        raise ValueError("predictions: 'expected' must hold numbers, where errors are of numbers")


def _within(table: pd.DataFrame, column: str, low: float, high: float) -> None:
    """Raises ValueError where a value is outside of [low, high]; NaN is no value."""
    values = table[column].to_numpy(float)
    if not (np.isnan(values) | ((values >= low) & (values <= high))).all():
        worst = values[~np.isnan(values)]
        least, most = (float(end) for end in (worst.min(), worst.max()))
        ends = f"{low:g} to {high:g}" if math.isfinite(high) else f"{low:g} on"
        raise ValueError(f"{column!r} must be from {ends}, but is from {least:g} to {most:g}")
