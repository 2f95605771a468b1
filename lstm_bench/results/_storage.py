"""How an outcome is written and read back; whatever is read may be damaged, or a stranger's.

::

    outcome.json          all but the tables and the network
    seeds.parquet         see `results`, as of the other two tables
    curves.parquet
    predictions.parquet
    model.keras           the best seed's network, where there is one
"""

from __future__ import annotations

import dataclasses
import io
import json
import reprlib
import zipfile
import zlib
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lstm_bench.errors import DamagedError
from lstm_bench.results._outcome import TABLES, Outcome
from lstm_bench.results._stored_tables import check, from_feather, from_parquet
from lstm_bench.safety import broken_rule

MOST_TEXT = 16 * 2**20
"""Bytes that an outcome.json may have."""
MOST_NETWORK = 2**29
"""Bytes that the file of a network may have, and what is packed into it."""
DEEPEST = 64
"""Levels that JSON may be nested."""

UNREADABLE = (OSError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, MemoryError,
              RuntimeError, pa.ArrowException, zipfile.BadZipFile, zlib.error)  # fmt: skip
"""What zipfile, NumPy and Arrow raise for bytes that they cannot make sense of."""

ALIKE = {"list_type": "tuple_type", "dataclass_type": "dict_type",
         "unexpected_keyword_argument": "extra_forbidden"}  # fmt: skip
"""What pydantic calls otherwise in JSON than in Python, or in lists than in tuples."""

Count = Annotated[int, Field(ge=0)]


class _Facts(BaseModel):
    """What outcome.json must hold."""

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
    def _of_a_task(cls, settings: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(settings.get("task"), str):
            raise ValueError("task must be given, as text")
        return settings


def write_outcome(outcome: Outcome, folder: Path) -> None:
    """Writes `outcome` into `folder`, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_facts(outcome), indent=1, default=dict)
    (folder / "outcome.json").write_text(text + "\n")
    for table in TABLES:
        getattr(outcome, table).to_parquet(folder / f"{table}.parquet", index=False)
    if outcome.model:
        (folder / "model.keras").write_bytes(outcome.model)


def read_outcome(folder: Path) -> Outcome:
    """Returns the outcome that `write` left in `folder`.

    A network that is not whole counts as none. Raises `DamagedError` where anything else is
    missing, damaged, or not what an outcome is made of.
    """
    try:
        path = folder / "outcome.json"
        facts = _checked(checked_mapping(checked_content(path, MOST_TEXT), MOST_TEXT), path.name)
        tables: dict[str, Any] = {
            name: from_parquet(folder / f"{name}.parquet", name) for name in TABLES
        }
        outcome = Outcome(**facts, **tables, model=_network(folder / "model.keras"))
        check(outcome)
    except UNREADABLE as error:
        raise DamagedError(
            f"{folder.name}: not a complete outcome ({shortened(error)}); run it again"
        ) from error
    return outcome


def pack_outcome(outcome: Outcome) -> bytes:
    """Returns `outcome` with its weights as bytes, without its model: see `unpack`."""
    arrays = {f"weight_{place}": array for place, array in enumerate(outcome.weights)}
    for table in TABLES:
        file = io.BytesIO()
        getattr(outcome, table).to_feather(file, compression="uncompressed")
        arrays[table] = np.frombuffer(file.getvalue(), np.uint8)
    arrays["facts"] = np.frombuffer(json.dumps(_facts(outcome), default=dict).encode(), np.uint8)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def unpack_outcome(data: bytes) -> Outcome:
    """Returns the outcome that `pack` made `data` from; raises `DamagedError` for others."""
    try:
        if not zipfile.is_zipfile(io.BytesIO(data)):  # NumPy would take a single array as well
            raise ValueError("not an archive of arrays")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            count = sum(name.startswith("weight_") for name in arrays.files)
            weights = tuple(arrays[f"weight_{place}"] for place in range(count))
            facts = _checked(checked_mapping(arrays["facts"].tobytes(), MOST_TEXT), "facts")
            tables: dict[str, Any] = {
                name: from_feather(arrays[name].tobytes(), name) for name in TABLES
            }
        outcome = Outcome(**facts, **tables, weights=weights)
        check(outcome)
    except UNREADABLE as error:
        raise DamagedError(
            f"a packed outcome cannot be read ({shortened(error)}); run it again"
        ) from (error)
    return outcome


def _facts(outcome: Outcome) -> dict[str, Any]:
    left_out = (*TABLES, "weights", "model")
    fields = (f.name for f in dataclasses.fields(outcome) if f.name not in left_out)
    return {name: getattr(outcome, name) for name in fields}


def checked_mapping(data: bytes, most: int) -> dict[str, Any]:
    """Returns the JSON mapping in `data`.

    Raises ValueError where it is no JSON, no mapping, longer than `most` bytes, nested more than
    `DEEPEST` levels, or holds text that is not Unicode or whole numbers of more than 64 bits.
    """
    if len(data) > most:
        raise ValueError(f"must have at most {most >> 20} MB, but has {len(data) >> 20} MB")
    try:
        found = json.loads(data)
    except RecursionError:
        raise ValueError(f"must be nested at most {DEEPEST} levels deep") from None
    if not isinstance(found, dict):
        raise ValueError(f"must be a mapping of keys to values, but is {reprlib.repr(found)}")
    level: list[Any] = [found]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                below += [*each, *each.values()]
            elif isinstance(each, list):
                below += each
            elif isinstance(each, int) and abs(each) >= 2**63:
                raise ValueError(f"must have numbers of 64 bits, but has {reprlib.repr(each)}")
            elif isinstance(each, str) and not each.isascii():
                each.encode()  # half a surrogate pair can be neither printed nor written
        level = below
    if level:
        raise ValueError(f"must be nested at most {DEEPEST} levels deep")
    return found


def damaged_error(error: ValidationError) -> str:
    """Returns the first thing that is wrong: its place, the rule, and what was there."""
    first: dict[str, Any] = {**error.errors(include_url=False)[0]}
    first["type"] = ALIKE.get(first["type"], first["type"])
    place = ".".join(map(str, first["loc"]))
    got = "nothing" if first["type"] == "missing" else reprlib.repr(first["input"])[:80]
    return shortened(f"{place}: {broken_rule(first)}, but got {got}")


def shortened(said: object) -> str:
    """Returns what an error says as one line of at most 300 characters that can be printed."""
    text = " ".join(str(said).split()) or type(said).__name__
    return "".join(char if char.isprintable() else "\ufffd" for char in text)[:300]


def _checked(found: dict[str, Any], name: str) -> dict[str, Any]:
    try:
        _Facts.model_validate(found)
    except ValidationError as error:
        raise ValueError(f"{name}: {damaged_error(error)}") from error
    return found


def checked_content(path: Path, most: int) -> bytes:
    """Returns at most `most` + 1 bytes of a file; raises ValueError where it is none."""
    if not path.is_file():
        raise ValueError(f"there is no file {path.name}")
    with path.open("rb") as file:
        return file.read(most + 1)


def _network(path: Path) -> bytes:
    """Returns a `.keras` file; nothing where it is not there, or not a whole archive."""
    if not path.is_file() or path.stat().st_size > MOST_NETWORK:
        return b""
    data = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(each.file_size for each in archive.infolist())
            whole = size <= MOST_NETWORK and archive.testzip() is None
    except UNREADABLE:
        return b""
    return data if whole else b""
