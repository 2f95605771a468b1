"""A sweep with overrides has a report of its own and leaves that of the whole sweep as it is."""

import json
import shutil

import pandas as pd
import pytest

import lstm_bench as lb

SWEEP = """
title: Small
task: memory
seeds: 4
epochs: 5
recipes:
  A: {units: 4}
  B: {units: 5}
comparisons:
  A against B: {of: A, to: B}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Returns the working folder, with the file of a small sweep in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SWEEP)
    return tmp_path


def files(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def table(report):
    frame = pd.read_csv(f"{report}/seeds.csv")
    return frame[[column for column in frame if "seconds" not in column]]


@pytest.mark.long
def test_a_look_leaves_the_whole_sweep_as_it_is(folder, command):
    lb.sweep("small.yaml", progress=False)
    before, loaded = files(folder / "reports" / "small"), lb.load("small")
    code, out, err = command("sweep", "small.yaml", "seeds=2")
    assert code == 0, err
    assert "2 of 2 recipes needed no new run" in out
    assert "reports/small~seeds=2/index.html" in out
    assert files(folder / "reports" / "small") == before
    assert lb.load("small") == loaded
    few, all_seeds = table("reports/small~seeds=2"), table("reports/small")
    expected = all_seeds[all_seeds["seed"] < 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(few, expected, check_exact=True)
    page = (folder / "reports" / "small~seeds=2" / "report.md").read_text()
    assert "seeds=2" in page.splitlines()[0]
    by_call = lb.load("small", {"seeds": 2})
    assert by_call["A"].seeds["seed"].tolist() == [0, 1]
    assert by_call.document()["overrides"] == "seeds=2"

    shutil.rmtree(folder / "reports")
    code, out, _ = command("report", "--json")
    reports = {"small": "small", "small seeds=2": "small~seeds=2"}
    assert json.loads(out)["reports"] == {
        name: f"reports/{place}/index.html" for name, place in reports.items()
    }
    assert files(folder / "reports" / "small").keys() == before.keys()
    pd.testing.assert_frame_equal(table("reports/small~seeds=2"), few, check_exact=True)

    # More seeds and other recipes are not part of the whole sweep either.
    before = files(folder / "reports" / "small")
    more = lb.sweep("small.yaml", ["seeds=5", "epochs=6"], progress=False)
    assert more.page.parent.name == "small~epochs=6,seeds=5"
    assert {len(more[name].seeds) for name in more} == {5}
    assert files(folder / "reports" / "small") == before
    assert lb.load("small") == loaded
    again = lb.sweep("small.yaml", ["seeds=3"], again=True, progress=False)
    assert {len(again[name].seeds) for name in again} == {3}
    assert lb.load("small") == loaded


@pytest.mark.long
def test_the_whole_sweep_takes_over_what_a_look_has_run(folder, command):
    look = lb.sweep("small.yaml", {"recipes": {"B": {"units": 7}}}, progress=False)
    assert list(look) == ["A", "B"]
    code, out, err = command("sweep", "small.yaml")
    assert code == 0, err
    assert "1 of 2 recipes needed no new run" in out  # A, which the look has run already
    code, out, _ = command("sweep", "small.yaml", "seeds=4")
    assert "2 of 2 recipes needed no new run" in out
    names = sorted(path.name for path in (folder / "reports").iterdir())
    assert lb.load(names[1]).data.overrides  # by the name of its report
    assert [name.partition("~")[0] for name in names] == ["small", "small"]


@pytest.mark.long
def test_a_sweep_may_be_called_like_a_report_with_overrides(folder):
    document = {"task": "memory", "seeds": 1, "epochs": 2, "recipes": {"A": {"units": 2}}}
    result = lb.sweep(document, name="a~b=c", progress=False)
    assert lb.load("a~b=c") == result
    assert lb.load("a~b=c").name == "a~b=c"
