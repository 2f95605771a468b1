"""What a sweep has come to, to be compared with what another one came to."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import urllib.parse
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from .sessions import Place

MEASURED = re.compile("second|compile|train_time")
"""Names of what is measured anew whenever something runs."""
UNFINISHED = re.compile(
    r"\.mlflow\.db-.*|\.partial-.*|\.artifact\.uploading\..*|.*\.tmp|.*-journal"
)
"""Names of what a session has begun to write."""

Weights = Mapping[str, Any]
"""Path in the file of weights -> array."""


@dataclass(frozen=True)
class End:
    """The report's tables, the document of --json, the networks by outcome, and what lies about."""

    tables: Mapping[str, pd.DataFrame]
    document: Any
    networks: Mapping[str, Weights | None]
    left_over: tuple[str, ...]


def end(place: Place) -> End:
    """Returns what the sweep at a place, which has just ended, has come to."""
    tables = {}
    for path in sorted((place.here / "reports" / "disturbed").glob("*.csv")):
        table = pd.read_csv(path)
        tables[path.name] = table[[name for name in table if not MEASURED.search(str(name))]]
    document = _unmeasured(json.loads(place.printed.read_bytes()))
    return End(tables, document, networks(place.here), tuple(_left_over(place)))


def same(found: End, expected: End) -> None:
    """Fails where a sweep has come to another end than one that nobody disturbed."""
    assert found.tables.keys() == expected.tables.keys()
    for name, table in expected.tables.items():
        pd.testing.assert_frame_equal(found.tables[name], table, check_exact=True, obj=name)
    assert found.document == expected.document
    assert found.networks.keys() == expected.networks.keys()
    lacking = [key for key, weights in found.networks.items() if weights is None]
    assert lacking == [], f"networks are lacking of {lacking}"
    for key, weights in expected.networks.items():
        assert weights is not None
        there = found.networks[key]
        assert there is not None and there.keys() == weights.keys(), key
        for part, values in weights.items():
            np.testing.assert_array_equal(there[part], values, f"{key}: {part}")
    more = sorted(set(found.left_over) - set(expected.left_over))
    assert more == [], f"left over: {more}"


def model_files(here: Path) -> dict[str, Path]:
    """Returns the files of networks by the outcome they belong to, there or not: read with SQL."""
    query = """select tags.value, runs.artifact_uri, runs.run_uuid from runs
        join tags on tags.run_uuid = runs.run_uuid and tags.key = 'outcome'
        where runs.status = 'FINISHED' and runs.lifecycle_stage = 'active'"""
    with sqlite3.connect(here / "mlflow.db") as database:
        rows = database.execute(query).fetchall()
    database.close()
    found = {}
    for key, uri, run_id in rows:
        path = Path(urllib.parse.unquote(urllib.parse.urlparse(uri).path))
        if not path.is_dir():  # the folder lay elsewhere when it was written
            path = next((here / "mlartifacts").rglob(run_id)) / "artifacts"
        found[key] = path / "outcome" / "model.keras"
    return found


def networks(here: Path) -> dict[str, Weights | None]:
    """Returns the weights of every finished recipe; None where its network is lacking."""
    return {key: _weights(path) for key, path in model_files(here).items()}


def _weights(path: Path) -> Weights | None:
    if not path.is_file():
        return None
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        content = archive.read("model.weights.h5")
    found: dict[str, Any] = {}

    def keep(name: str, part: Any) -> None:
        if isinstance(part, h5py.Dataset):
            found[name] = part[()]

    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(keep)
    return found


def _unmeasured(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _unmeasured(part) for k, part in value.items() if not MEASURED.search(k)}
    return [_unmeasured(part) for part in value] if isinstance(value, list) else value


def _left_over(place: Place) -> list[str]:
    """Returns what lies in the temporary folder, and what was not written to its end elsewhere."""
    found = [f"{place.temporary.name}/{path.name}" for path in place.temporary.iterdir()]
    names = (path for path in place.here.rglob("*") if UNFINISHED.fullmatch(path.name))
    return sorted([*found, *(str(path.relative_to(place.here)) for path in names)])
