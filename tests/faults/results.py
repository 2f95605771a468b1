"""The results of a sweep, and how to compare them with those of another run."""

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

from .sessions import SweepFolder

MEASURED = re.compile("second|compile|train_time")
"""Names of columns and keys that are measured, and differ from run to run."""
UNFINISHED = re.compile(
    r"\.mlflow\.db-.*|\.partial-.*|\.artifact\.uploading\..*|.*\.tmp|.*-journal"
)
"""Names of files that a session has not finished writing."""

Weights = Mapping[str, Any]
"""Path in the weights file -> array."""


@dataclass(frozen=True)
class Results:
    """The tables of the report, the document of --json, the networks by outcome, stray files."""

    tables: Mapping[str, pd.DataFrame]
    document: Any
    networks: Mapping[str, Weights | None]
    stray_files: tuple[str, ...]


def read_results(sweep_folder: SweepFolder) -> Results:
    """Returns the results of a sweep that has just ended."""
    tables = {}
    for path in sorted((sweep_folder.folder / "reports" / "disturbed").glob("*.csv")):
        table = pd.read_csv(path)
        tables[path.name] = table[[name for name in table if not MEASURED.search(str(name))]]
    document = _without_measurements(json.loads(sweep_folder.stdout.read_bytes()))
    stray_files = tuple(_stray_files(sweep_folder))
    return Results(tables, document, networks(sweep_folder.folder), stray_files)


def check_same(actual: Results, expected: Results) -> None:
    """Fails if the results differ from those of an undisturbed sweep."""
    assert actual.tables.keys() == expected.tables.keys()
    for name, table in expected.tables.items():
        pd.testing.assert_frame_equal(actual.tables[name], table, check_exact=True, obj=name)
    assert actual.document == expected.document
    assert actual.networks.keys() == expected.networks.keys()
    missing = [key for key, weights in actual.networks.items() if weights is None]
    assert missing == [], f"missing networks: {missing}"
    for key, weights in expected.networks.items():
        assert weights is not None
        actual_weights = actual.networks[key]
        assert actual_weights is not None and actual_weights.keys() == weights.keys(), key
        for path, values in weights.items():
            np.testing.assert_array_equal(actual_weights[path], values, f"{key}: {path}")
    stray = sorted(set(actual.stray_files) - set(expected.stray_files))
    assert stray == [], f"stray files: {stray}"


def model_files(folder: Path) -> dict[str, Path]:
    """Returns the model file of every outcome, whether it exists or not, read with SQL."""
    query = """select tags.value, runs.artifact_uri, runs.run_uuid from runs
        join tags on tags.run_uuid = runs.run_uuid and tags.key = 'outcome'
        where runs.status = 'FINISHED' and runs.lifecycle_stage = 'active'"""
    with sqlite3.connect(folder / "mlflow.db") as database:
        rows = database.execute(query).fetchall()
    database.close()
    files = {}
    for key, uri, run_id in rows:
        path = Path(urllib.parse.unquote(urllib.parse.urlparse(uri).path))
        if not path.is_dir():  # the folder was elsewhere when it was written
            path = next((folder / "mlartifacts").rglob(run_id)) / "artifacts"
        files[key] = path / "outcome" / "model.keras"
    return files


def networks(folder: Path) -> dict[str, Weights | None]:
    """Returns the weights of every finished recipe; None if its network is missing."""
    return {key: _weights(path) for key, path in model_files(folder).items()}


def _weights(path: Path) -> Weights | None:
    if not path.is_file():
        return None
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        content = archive.read("model.weights.h5")
    weights: dict[str, Any] = {}

    def add(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            weights[name] = item[()]

    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(add)
    return weights


def _without_measurements(value: Any) -> Any:
    """Returns a JSON value without the keys that are measured."""
    if isinstance(value, dict):
        return {
            k: _without_measurements(part) for k, part in value.items() if not MEASURED.search(k)
        }
    return [_without_measurements(part) for part in value] if isinstance(value, list) else value


def _stray_files(sweep_folder: SweepFolder) -> list[str]:
    """Returns the files in the temporary folder, and unfinished files elsewhere."""
    temporary, folder = sweep_folder.temporary, sweep_folder.folder
    paths = [f"{temporary.name}/{path.name}" for path in temporary.iterdir()]
    unfinished = (path for path in folder.rglob("*") if UNFINISHED.fullmatch(path.name))
    return sorted([*paths, *(str(path.relative_to(folder)) for path in unfinished)])
