"""Writes and reads outcomes. Files that are read may be damaged, or come from somebody else.

::

    outcome.json          everything but the tables and the network
    seeds.parquet         for the tables see `results/_columns.py`
    curves.parquet
    predictions.parquet
    model.keras           the best seed's network, if there is one
"""

from __future__ import annotations

import dataclasses
import io
import json
import reprlib
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lstm_bench.errors import DamagedError
from lstm_bench.results._columns import TABLES
from lstm_bench.results._merging import merge_outcomes
from lstm_bench.results._outcome import Outcome
from lstm_bench.results._shared_columns import share_columns
from lstm_bench.results._stored_tables import (
    check_tables,
    read_feather_table,
    read_parquet_table,
    to_dataframe,
)
from lstm_bench.safety import broken_rule, printable_text

MAX_JSON_BYTES = 16 * 2**20
"""The largest outcome.json that is read, in bytes."""
MAX_NETWORK_BYTES = 2**29
"""The largest network file that is read, packed and unpacked, in bytes."""
MAX_DEPTH = 64
"""The deepest nesting of JSON that is read."""

READ_ERRORS = (OSError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, MemoryError,
               RuntimeError, SyntaxError, pa.ArrowException, tokenize.TokenError,
               zipfile.BadZipFile, zlib.error)  # fmt: skip
"""What zipfile, NumPy and Arrow raise for damaged bytes."""

EQUIVALENT_ERRORS = {"list_type": "tuple_type", "dataclass_type": "dict_type",
                     "unexpected_keyword_argument": "extra_forbidden"}  # fmt: skip
"""Error types of pydantic that differ only between Python and JSON: the same rule was broken."""

Count = Annotated[int, Field(ge=0)]


class _OutcomeFacts(BaseModel):
    """The contents of outcome.json: the fields of an outcome but its tables and network."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    settings: dict[str, Any]
    digest: str
    name: str
    engine: str
    parameters: Count
    updates: Count
    multiply_adds: Count
    compile_seconds: Annotated[float, Field(ge=0)]
    provenance: dict[str, str] = {}
    data: dict[str, Any] = {}

    @field_validator("settings")
    @classmethod
    def _has_a_task(cls, settings: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(settings.get("task"), str):
            raise ValueError("task must be given, as text")
        return settings


def write_outcome(outcome: Outcome, folder: Path) -> None:
    """Writes `outcome` into `folder`, which is created if necessary."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_outcome_facts(outcome), indent=1, default=dict)
    (folder / "outcome.json").write_text(text + "\n")
    for table in TABLES:
        getattr(outcome, table).to_parquet(folder / f"{table}.parquet", index=False)
    if outcome.model:
        (folder / "model.keras").write_bytes(outcome.model)


def read_outcome(folder: Path) -> Outcome:
    """Returns the outcome that `write_outcome` wrote into `folder`.

    A damaged network is left out. Raises `DamagedError` if anything else is missing, damaged or not
    part of an outcome.
    """
    try:
        path = folder / "outcome.json"
        content = read_limited(path, MAX_JSON_BYTES)
        facts = _check_facts(parse_json_mapping(content, MAX_JSON_BYTES), path.name)
        tables: dict[str, Any] = {
            name: read_parquet_table(folder / f"{name}.parquet", name) for name in TABLES
        }
        outcome = Outcome(**facts, **tables, model=_read_network(folder / "model.keras"))
        check_tables(outcome)
    except READ_ERRORS as error:
        raise DamagedError(
            f"{folder.name}: not a complete outcome ({one_line(error)}); run it again"
        ) from error
    return dataclasses.replace(outcome, predictions=share_columns(outcome.predictions))


def pack_outcome(outcome: Outcome) -> bytes:
    """Returns `outcome` as bytes, with its weights but without its model: see `unpack_outcome`."""
    arrays = {f"weight_{i}": array for i, array in enumerate(outcome.weights)}
    for table in TABLES:
        file = io.BytesIO()
        getattr(outcome, table).to_feather(file, compression="uncompressed")
        arrays[table] = np.frombuffer(file.getvalue(), np.uint8)
    facts = json.dumps(_outcome_facts(outcome), default=dict).encode()
    arrays["facts"] = np.frombuffer(facts, np.uint8)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def unpack_outcome(data: bytes) -> Outcome:
    """Returns the outcome that `pack_outcome` packed; raises `DamagedError` for other bytes."""
    return unpack_outcomes([data])


def unpack_outcomes(packed: Sequence[bytes]) -> Outcome:
    """Returns one outcome from packed ones of a recipe over different seeds, in ascending order.

    It is what `merge_outcomes` makes of them, but tables are joined and checked once, which takes a
    fraction of the time. Raises `DamagedError` for bytes that `pack_outcome` has not packed.
    """
    try:
        parts = [_read_packed(data) for data in packed]
        if len(parts) > 1 and not _have_equal_columns(parts):
            return merge_outcomes([_joined([part]) for part in parts])
        return _joined(parts)
    except READ_ERRORS as error:
        raise DamagedError(
            f"a packed outcome cannot be read ({one_line(error)}); run it again"
        ) from error


@dataclass(frozen=True)
class _Packed:
    """What a packed outcome holds: its facts, its tables with valid columns, and its weights."""

    facts: dict[str, Any]
    tables: dict[str, pa.Table]
    weights: tuple[np.ndarray, ...]


def _read_packed(data: bytes) -> _Packed:
    if not zipfile.is_zipfile(io.BytesIO(data)):  # NumPy would also read a single array
        raise ValueError("not an archive of arrays")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        count = sum(name.startswith("weight_") for name in arrays.files)
        weights = tuple(arrays[f"weight_{i}"] for i in range(count))
        content = arrays["facts"].tobytes()
        facts = _check_facts(parse_json_mapping(content, MAX_JSON_BYTES), "facts")
        tables = {name: read_feather_table(arrays[name].tobytes(), name) for name in TABLES}
    return _Packed(facts, tables, weights)


def _have_equal_columns(parts: Sequence[_Packed]) -> bool:
    """Returns whether the tables of all parts have the same columns, with the same types."""
    first = parts[0].tables
    return all(
        part.tables[name].schema.equals(table.schema)
        for name, table in first.items()
        for part in parts
    )


def _joined(parts: Sequence[_Packed]) -> Outcome:
    """Returns one outcome of parts with equal columns; raises ValueError if it is no outcome."""
    first, best = parts[0], parts[0]
    tables: dict[str, Any] = {
        name: to_dataframe(name, pa.concat_tables([part.tables[name] for part in parts]))
        for name in TABLES
    }
    if len(parts) > 1:
        assert len({part.facts["digest"] for part in parts}) == 1
        first_seeds = [pc.min(part.tables["seeds"]["seed"]).as_py() for part in parts]
        first = parts[int(np.argmin(first_seeds))]
        tables = {
            name: table.sort_values("seed", kind="stable", ignore_index=True)
            for name, table in tables.items()
        }
    spent = sum(part.facts["compile_seconds"] for part in parts)
    outcome = Outcome(**{**first.facts, "compile_seconds": spent}, **tables)
    check_tables(outcome)
    if len(parts) > 1:
        seed = outcome.best_seed
        best = next(p for p in parts if seed in p.tables["seeds"]["seed"].to_pylist())
    shared = share_columns(outcome.predictions)
    return dataclasses.replace(outcome, predictions=shared, weights=best.weights)


def _outcome_facts(outcome: Outcome) -> dict[str, Any]:
    excluded = (*TABLES, "weights", "model")
    names = (f.name for f in dataclasses.fields(outcome) if f.name not in excluded)
    return {name: getattr(outcome, name) for name in names}


def parse_json_mapping(data: bytes, max_bytes: int) -> dict[str, Any]:
    """Returns the JSON mapping in `data`.

    Raises ValueError if it is not JSON, not a mapping, longer than `max_bytes` or nested deeper
    than `MAX_DEPTH`, or has text that is not Unicode or whole numbers of more than 64 bits.
    """
    if len(data) > max_bytes:
        raise ValueError(f"must have at most {max_bytes >> 20} MB, but has {len(data) >> 20} MB")
    try:
        mapping = json.loads(data)
    except RecursionError:
        raise ValueError(f"must be nested at most {MAX_DEPTH} levels deep") from None
    if not isinstance(mapping, dict):
        raise ValueError(f"must be a mapping of keys to values, but is {reprlib.repr(mapping)}")
    level: list[Any] = [mapping]
    for _ in range(MAX_DEPTH):
        next_level: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                next_level += [*value, *value.values()]
            elif isinstance(value, list):
                next_level += value
            elif isinstance(value, int) and abs(value) >= 2**63:
                raise ValueError(f"must have numbers of 64 bits, but has {reprlib.repr(value)}")
            elif isinstance(value, str) and not value.isascii():
                value.encode()  # raises for half a surrogate pair: it cannot be printed
        level = next_level
    if level:
        raise ValueError(f"must be nested at most {MAX_DEPTH} levels deep")
    return mapping


def validation_message(error: ValidationError) -> str:
    """Returns a message about the first fault: its place, the rule, and the value."""
    fault: dict[str, Any] = {**error.errors(include_url=False)[0]}
    fault["type"] = EQUIVALENT_ERRORS.get(fault["type"], fault["type"])
    place = ".".join(map(str, fault["loc"]))
    value = "nothing" if fault["type"] == "missing" else reprlib.repr(fault["input"])[:80]
    return one_line(f"{place}: {broken_rule(fault)}, but got {value}")


def one_line(message: object) -> str:
    """Returns an error's message as one printable line of at most 300 characters."""
    text = " ".join(str(message).split()) or type(message).__name__
    return printable_text(text)[:300]


def _check_facts(facts: dict[str, Any], name: str) -> dict[str, Any]:
    """Returns `facts` if they are valid contents of outcome.json; raises ValueError otherwise."""
    try:
        _OutcomeFacts.model_validate(facts)
    except ValidationError as error:
        raise ValueError(f"{name}: {validation_message(error)}") from error
    return facts


def read_limited(path: Path, max_bytes: int) -> bytes:
    """Returns at most `max_bytes` + 1 bytes of a file; raises ValueError if there is no file."""
    if not path.is_file():
        raise ValueError(f"there is no file {path.name}")
    with path.open("rb") as file:
        return file.read(max_bytes + 1)


def _read_network(path: Path) -> bytes:
    """Returns a `.keras` file; empty if it is missing, too large or damaged."""
    if not path.is_file() or path.stat().st_size > MAX_NETWORK_BYTES:
        return b""
    data = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
            intact = size <= MAX_NETWORK_BYTES and archive.testzip() is None
    except READ_ERRORS:  # a damaged network counts as missing: its seed can be trained again
        return b""
    return data if intact else b""
