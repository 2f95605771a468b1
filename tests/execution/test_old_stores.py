"""A store that an earlier version wrote is resumed and reported, and every number stays.

`stores/make_store.py` says how the archive was made, and with which version.
"""

import contextlib
import json
import re
import shutil
import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from lstm_bench.recipes import recipe
from lstm_bench.results import unpack_outcome
from lstm_bench.sweeps import load_sweep
from lstm_bench.tracking import _session

ARCHIVE = Path(__file__).parent / "stores" / "version_0_1.tar.xz"
VERSION = "0.1.0"
"""The version that wrote the archive; under another one every sweep starts afresh, by design."""
ARTIFACTS = "file:///somewhere/mlartifacts"
"""Stands in the archive for the folder of artifacts: MLflow stores its absolute path."""
FINISHED = ("small", "tasks", "season")
"""The sweeps of the archive that ran to their end."""
PROSE = {"sentence", "why", "reason", "says"}
"""Text for people: its words may change, but it must be there."""
JUDGED = {"p_holm", "verdict", "more_seeds", "rank_p"}
"""Corrected p values and what follows from them: these tests have changed since, not the data."""
INTERVALS = re.compile(r"(^|_)(low|high)$|^ci95$|^interval$")
"""Intervals: those of finalists hold for all of them now, those on a file count its steps."""
IMPORTANCES = {"fanova", "ped_anova", "scaled"}
"""Columns that every session computes anew."""
TOLERANCE = 1e-9
"""Relative: the last digit of a logarithm or a quantile depends on the processor."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder that the earlier version wrote; commands run in it."""
    shutil.unpack_archive(ARCHIVE, tmp_path, filter="data")
    real = (tmp_path / "mlartifacts").as_uri()
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as database, database:
        for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri")):
            query = f"update {table} set {column} = replace({column}, ?, ?)"
            assert database.execute(query, (ARTIFACTS, real)).rowcount > 0
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_session, "VERSION", VERSION)
    return tmp_path


def tables(report):
    """Returns every table of a report by name; of prose only whether it is there."""
    frames = {path.name: pd.read_csv(path) for path in sorted(report.glob("*.csv"))}
    for frame in frames.values():
        for column in PROSE & set(frame.columns):
            frame[column] = frame[column].notna()
        intervals = {column for column in frame.columns if INTERVALS.search(column)}
        for column in JUDGED & set(frame.columns) | intervals:
            frame[column] = column
        if {"measure", "p"} <= set(frame.columns):  # solve rates have another test now
            frame.loc[frame["measure"] == "solve_rate", "p"] = -1.0
    if "naive.csv" in frames:  # on a file the steps count too, and this one has too few
        frames["comparisons.csv"]["p"] = -1.0
    return frames


def assert_same_tables(actual, expected):
    assert actual.keys() == expected.keys()
    for name, table in expected.items():
        found = actual[name]
        if len(found.columns) > len(table.columns):  # new columns come last
            found = found.iloc[:, : len(table.columns)]
        rest = [df.drop(columns=IMPORTANCES, errors="ignore") for df in (found, table)]
        pd.testing.assert_frame_equal(*rest, check_exact=True, obj=name)
        pd.testing.assert_frame_equal(found, table, rtol=TOLERANCE, atol=1e-12, obj=name)


def assert_has_values(actual, expected, place="$"):
    """Asserts that a JSON document has every value of another one; it may have further keys.

    Judged values may differ: see `JUDGED`.
    """
    leaf = place.rpartition(".")[2]
    if leaf in JUDGED or INTERVALS.search(leaf):
        return
    if leaf == "p" and ("solve_rate" in place or ".verdicts." in place):
        return
    if leaf == "p" and ".comparisons." in place and actual is None:
        return  # on a file with too few steps
    if isinstance(expected, dict):
        assert isinstance(actual, dict) and expected.keys() <= actual.keys(), place
        for key, value in expected.items():
            assert_has_values(actual[key], value, f"{place}.{key}")
    elif isinstance(expected, list):
        assert isinstance(actual, list) and len(actual) == len(expected), place
        for index, value in enumerate(expected):
            assert_has_values(actual[index], value, f"{place}[{index}]")
    elif isinstance(expected, str) and place.rpartition(".")[2] in PROSE:
        assert actual and isinstance(actual, str), place
    elif isinstance(expected, float):
        assert actual == pytest.approx(expected, rel=TOLERANCE, abs=1e-15), place
    else:
        assert actual == expected, place


def run_ids(folder):
    """Returns the runs in the store, whatever their sweep and their state."""
    with contextlib.closing(sqlite3.connect(folder / "mlflow.db")) as database:
        return {run for (run,) in database.execute("select run_uuid from runs")}


@pytest.mark.long
@pytest.mark.parametrize("name", FINISHED)
def test_a_finished_sweep_is_resumed_without_a_new_run(folder, command, name):
    """Tables and the JSON document keep their values."""
    expected, before = tables(folder / "reports" / name), run_ids(folder)
    assert {"comparison.csv", "seeds.csv", "curves.csv", "predictions.csv"} <= expected.keys()
    code, out, err = command("sweep", name, "--json")
    assert code == 0, err
    assert run_ids(folder) == before
    assert_same_tables(tables(folder / "reports" / name), expected)
    assert_has_values(
        json.loads(out), json.loads((folder / "expected" / f"{name}.json").read_text())
    )


@pytest.mark.long
def test_the_terminal_says_that_no_recipe_needs_a_new_run(folder, command):
    code, out, err = command("sweep", "season")
    assert code == 0, err
    assert "7 of 7 recipes needed no new run." in out


@pytest.mark.long
def test_overrides_take_their_outcomes_from_the_whole_sweep(folder, command):
    expected, before = tables(folder / "reports" / "tasks"), run_ids(folder)
    code, out, err = command("sweep", "tasks", "seeds=1", "--json")
    assert code == 0, err
    assert Path(json.loads(out)["report"]).parent.name == "tasks~seeds=1"
    assert len(run_ids(folder) - before) == 1  # that of the sweep itself
    first = expected["seeds.csv"].query("seed == 0").reset_index(drop=True)
    seeds = tables(folder / "reports" / "tasks~seeds=1")["seeds.csv"]
    pd.testing.assert_frame_equal(seeds, first, check_exact=True)
    assert_same_tables(tables(folder / "reports" / "tasks"), expected)


@pytest.mark.long
def test_reports_are_rebuilt_from_the_store_alone(folder, command):
    expected = {name: tables(folder / "reports" / name) for name in FINISHED}
    for part in ("reports", "sweeps", "data"):
        shutil.rmtree(folder / part)
    code, out, err = command("report", *FINISHED, "--json")
    assert code == 0, err
    assert json.loads(out) == {"reports": {name: f"reports/{name}/index.html" for name in FINISHED}}
    for name in FINISHED:
        assert_same_tables(tables(folder / "reports" / name), expected[name])


def test_recipes_keep_their_digests(folder):
    for name in FINISHED:
        fixed = tables(folder / "reports" / name)["comparison.csv"].query("kind == 'fixed'")
        entries = load_sweep(folder / "sweeps" / f"{name}.yaml").entries
        digests = dict(zip(fixed["id"], fixed["digest"], strict=True))
        assert {id_: entry.recipe.digest for id_, entry in entries.items()} == digests
        document = json.loads((folder / "expected" / f"{name}.json").read_text())
        for trial in (document["search"] or {"results": []})["results"]:
            rebuilt = recipe(**trial["recipe"])
            assert (rebuilt.digest, rebuilt.settings) == (trial["id"], trial["recipe"])


def test_a_stored_network_gives_the_same_answers(folder, command):
    code, out, err = command("predict", "small:whole/4", "3 0 1 2", "--json")
    assert code == 0, err
    expected = json.loads((folder / "expected" / "predict.json").read_text())
    actual = json.loads(out)
    outputs = [[step.pop("output") for step in d["steps"]] for d in (actual, expected)]
    assert_has_values(actual, expected)
    assert outputs[0] == pytest.approx(outputs[1], rel=1e-5)  # float32, computed anew


@pytest.mark.long
def test_a_killed_sweep_resumes_after_its_finished_seeds(folder, command):
    with contextlib.closing(sqlite3.connect(folder / "mlartifacts" / "seeds.db")) as database:
        rows = database.execute("select outcome from seeds").fetchall()
    outcomes = [unpack_outcome(data) for (data,) in rows]
    assert 3 <= len(outcomes) < 6
    code, _, err = command("sweep", "killed")
    assert code == 0, err
    seeds = tables(folder / "reports" / "killed")["seeds.csv"]
    assert seeds.groupby("id")["seed"].apply(list).to_dict() == {
        "long": [0, 1, 2, 3, 4, 5],
        "short": [0, 1, 2, 3, 4, 5],
    }
    # A seed that was run again would have taken another time.
    seconds = seeds.query("id == 'long'").set_index("seed")["seconds"]
    for outcome in outcomes:
        (row,) = outcome.seeds.itertuples()
        assert seconds[row.seed] == row.seconds
    with contextlib.closing(sqlite3.connect(folder / "mlartifacts" / "seeds.db")) as database:
        assert database.execute("select * from seeds").fetchall() == []
