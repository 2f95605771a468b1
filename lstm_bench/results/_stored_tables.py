"""Reads and checks the stored tables of an outcome: their columns, types, values and size."""

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

from lstm_bench.results._columns import (
    CURVE_COLUMNS,
    PARTIAL_ACCURACIES,
    PLACE_COLUMNS,
    PREDICTION_COLUMNS,
    SEED_COLUMNS,
)
from lstm_bench.results._outcome import Outcome
from lstm_bench.statistics import BASELINE_PREFIX, ORIGIN

MAX_CELLS = 50_000_000
"""The most cells of a table."""
MAX_BYTES = 2**30
"""The most bytes that the values of a table may take in memory, as far as the file states them."""
MAX_LOSS = float(np.finfo(np.float32).max)
"""The largest finite loss: networks are trained in single precision."""

REQUIRED_COLUMNS = {
    "seeds": SEED_COLUMNS,
    "curves": CURVE_COLUMNS,
    "predictions": PREDICTION_COLUMNS,
}
"""The columns that a table must have; it may have others."""
INTEGER_COLUMNS = {"seed", "epoch", "sequence", "step", "moment", ORIGIN}
BOOLEAN_COLUMNS = {"solved", "correct"}
FRACTION_COLUMNS = {"accuracy", "sequence_accuracy", *PARTIAL_ACCURACIES}


def read_parquet_table(path: Path, name: str) -> pd.DataFrame:
    """Returns the table `name` from a Parquet file; raises ValueError if it is not that table."""
    from pyarrow import parquet

    if not path.is_file():
        raise ValueError(f"there is no file {path.name}")
    with parquet.ParquetFile(path) as file:
        _check_columns(name, file.schema_arrow, file.metadata.num_rows)
        size, texts = _uncompressed_bytes(file.metadata), _text_columns(file.schema_arrow)
        upper_bound = size * max(1, file.metadata.num_rows)  # if every text were the longest one
        if texts and upper_bound > MAX_BYTES:
            with parquet.ParquetFile(path, read_dictionary=texts) as encoded:
                _check_text_size(encoded.read(texts))
        return to_dataframe(name, file.read())


def _uncompressed_bytes(metadata: Any) -> int:
    """Returns the size of the values of a Parquet file, each repeated text counted once.

    Raises ValueError if the table is too large.
    """
    if not 0 <= metadata.num_rows * metadata.num_columns <= MAX_CELLS:
        raise ValueError(
            f"a table must have at most {MAX_CELLS:,} cells, but has {metadata.num_rows:,} rows "
            f"of {metadata.num_columns:,}"
        )
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    columns = [group.column(i) for group in groups for i in range(group.num_columns)]
    size = sum(abs(int(column.total_uncompressed_size)) for column in columns)
    if size > MAX_BYTES:
        raise ValueError(f"a table must hold at most {MAX_BYTES >> 20} MB, but has {size >> 20}")
    return size


def _check_text_size(table: pa.Table) -> None:
    """Raises ValueError if texts that the file holds once are too large when they are repeated."""
    size = 0
    for column in table.columns:
        for chunk in column.chunks:
            lengths = pc.binary_length(chunk.dictionary).take(chunk.indices)
            size += pc.sum(lengths).as_py() or 0
    if size > MAX_BYTES:
        raise ValueError(f"a table must hold at most {MAX_BYTES >> 20} MB, but has {size >> 20}")


def read_feather_table(data: bytes, name: str) -> pa.Table:
    """Returns the table `name` from bytes in the Arrow format; raises ValueError if it is not.

    Its columns are checked, and its values in `to_dataframe`.
    """
    table = pa.ipc.open_file(pa.BufferReader(data)).read_all()
    _check_columns(name, table.schema, table.num_rows)
    return table.replace_schema_metadata(None)


def _text_columns(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if _is_text(field.type)]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_number(kind: pa.DataType) -> bool:
    floating = pa.types.is_float32(kind) or pa.types.is_float64(kind)
    return bool(floating or pa.types.is_integer(kind))


def _is_scalar(kind: pa.DataType) -> bool:
    return _is_number(kind) or pa.types.is_boolean(kind) or _is_text(kind)


def _column_rule(table: str, column: str) -> tuple[str, Callable[[pa.DataType], bool]]:
    """Returns what a column must hold, in words and as a test of its type."""
    if column in INTEGER_COLUMNS:
        return "whole numbers", pa.types.is_integer
    if column in BOOLEAN_COLUMNS:
        return "true and false", pa.types.is_boolean
    if table == "seeds" and column in PLACE_COLUMNS:
        return "text", _is_text
    if table == "predictions":
        return "numbers or text", _is_scalar
    return "numbers", _is_number


def _check_columns(table: str, schema: pa.Schema, rows: int) -> None:
    """Raises ValueError if a table lacks a column, or a column has the wrong type."""
    names = schema.names
    for column in REQUIRED_COLUMNS[table]:
        if column not in names:
            shown = reprlib.repr(names)
            raise ValueError(f"{table} must have a column {column!r}, but has {shown}")
    if len(set(names)) < len(names):
        shown = reprlib.repr(sorted(names))
        raise ValueError(f"{table} must have each column once, but has {shown}")
    for field in schema:
        words, fits = _column_rule(table, field.name)
        # A table without rows has no types to check either.
        scalar = _is_scalar(field.type) or field.type == pa.null()
        if (rows and not fits(field.type)) or not scalar:
            raise ValueError(f"{table}: {field.name!r} must hold {words}, but holds {field.type}")


def to_dataframe(name: str, table: pa.Table) -> pd.DataFrame:
    """Returns a table with valid columns as a DataFrame; raises ValueError for invalid values."""
    table.validate(full=True)  # lengths and texts, which Arrow does not check otherwise
    for column in table.column_names:
        if column in INTEGER_COLUMNS | BOOLEAN_COLUMNS and table[column].null_count:
            raise ValueError(f"{name}: {column!r} must have a value in every row, but has gaps")
    # Without the metadata of pandas about types and index, which would be trusted unchecked.
    frame: pd.DataFrame = table.replace_schema_metadata(None).to_pandas()
    return frame


def check_tables(outcome: Outcome) -> None:
    """Raises ValueError if the tables hold impossible values, or do not fit one another."""
    seeds = outcome.seeds["seed"]
    if seeds.empty or seeds.duplicated().any() or not ((seeds >= 0) & (seeds < 2**63)).all():
        raise ValueError("seeds: there must be rows of distinct seeds, from 0 on")
    for column in FRACTION_COLUMNS & set(outcome.seeds.columns):
        _check_range(outcome.seeds, column, 0.0, 1.0)
    for column in ("seconds", "solved_epoch", "sequences", "skill"):
        if column in outcome.seeds:
            _check_range(outcome.seeds, column, -1.0 if column == "skill" else 0.0, 2.0**53)
    if outcome.seeds["seconds"].isna().any():
        raise ValueError("seeds: 'seconds' must have a value in every row, but has gaps")
    for name in ("curves", "predictions"):
        if not set(getattr(outcome, name)["seed"]) <= set(seeds):
            raise ValueError(f"{name}: must be of seeds that are in the table of seeds")
    for column, high in (("epoch", 1e6), ("accuracy", 1.0), ("seen_accuracy", 1.0)):
        if column in outcome.curves and len(outcome.curves):
            _check_range(outcome.curves, column, 0.0, high)
    for table in (outcome.seeds, outcome.curves):
        losses = table["loss"].to_numpy(float)
        if (np.isfinite(losses) & (np.abs(losses) > MAX_LOSS)).any():
            raise ValueError(
                f"'loss' must be at most {MAX_LOSS:.1e}, the limit of single precision"
            )
    if len(outcome.predictions):
        _check_predictions(outcome)


def _check_predictions(outcome: Outcome) -> None:
    """Raises ValueError if types in the predictions differ, or the baselines cannot be scored."""
    table = outcome.predictions
    baselines = [column for column in table if str(column).startswith(BASELINE_PREFIX)]
    numeric = {column: pd.api.types.is_numeric_dtype(table[column]) for column in table}
    for column in ["predicted", *baselines]:
        if numeric[column] != numeric["expected"]:
            raise ValueError(f"predictions: {column!r} must have the same type as 'expected'")
    if not baselines:
        return
    horizon = outcome.settings.get("horizon", 1)
    if "moment" not in table or not isinstance(horizon, int) or not 0 <= horizon <= 10_000:
        rule = "baselines need a column 'moment', and a horizon from 0 to 10,000"
        raise ValueError(f"predictions: {rule}, but got {horizon!r}")
    if "mae" in outcome.seeds and not numeric["expected"]:
        raise ValueError("predictions: 'expected' must hold numbers, because 'mae' is of numbers")


def _check_range(table: pd.DataFrame, column: str, low: float, high: float) -> None:
    """Raises ValueError if a value is outside [low, high]; NaN is allowed."""
    values = table[column].to_numpy(float)
    if not (np.isnan(values) | ((values >= low) & (values <= high))).all():
        numbers = values[~np.isnan(values)]
        least, most = (float(end) for end in (numbers.min(), numbers.max()))
        allowed = f"{low:g} to {high:g}" if math.isfinite(high) else f"{low:g} on"
        raise ValueError(f"{column!r} must be from {allowed}, but is from {least:g} to {most:g}")
