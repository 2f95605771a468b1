"""Recipes marked as `full`: left out, run with `full`, and kept afterwards."""

import json

import pytest

import lstm_bench as lb
from lstm_bench.errors import DamagedError
from lstm_bench.tracking import _listing as listing

SWEEP = """
title: Some take hours
task: memory
seeds: 2
epochs: 3
recipes:
  A: {units: 3, stop_after_solved: 1, published_success: [20, 20], published_sequences: 31390}
  B: {units: 4, full: true, published: slow, published_success: [9, 10], published_sequences: 5.5}
comparisons: {B against A: {of: B, to: A}}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hours.yaml").write_text(SWEEP)
    return tmp_path


def run(**options):
    return lb.sweep("hours.yaml", progress=False, **options)


def report(folder):
    return (folder / "reports" / "hours" / "report.md").read_text()


@pytest.mark.long
def test_a_recipe_that_takes_hours_is_run_with_full_alone(folder, command):
    short = run()
    assert list(short) == ["A"] and [recipe.id for recipe in short.data.not_run] == ["B"]
    assert short.data.unfinished == 0 and lb.load("hours") == short
    assert "1 recipe was not run (B): it takes long; run with --full." in report(folder)
    assert "slow; 9/10 solved; 6 sequences" in report(folder)
    assert lb.load("hours").document()["not_run"] == short.document()["not_run"]
    (stored,) = folder.rglob("sweep.json")
    # the same run of the same sweep, with one row more
    whole = run(full=True)
    assert list(whole) == ["A", "B"] and not whole.data.not_run and lb.load("hours") == whole
    assert list(folder.rglob("sweep.json")) == [stored]
    assert "not run" not in report(folder)
    assert whole.data.rows[1].published_sequences == 5.5
    # without `full` again: what is known stays
    code, out, _ = command("sweep", "hours.yaml", "--json")
    document = json.loads(out)
    assert code == 0 and list(document["recipes"]) == ["A", "B"] and "not_run" not in document
    # another number of seeds is not known, so it is left out again
    more = run(overrides={"seeds": 3})
    assert list(more) == ["A"] and [recipe.id for recipe in more.data.not_run] == ["B"]
    assert list(lb.load("hours")) == ["A", "B"]
    anew = run(again=True)
    assert list(anew) == ["A"]


@pytest.mark.long
def test_the_estimate_counts_what_is_run(folder, command):
    for words, count in (((), 1), (("--full",), 2)):
        _, out, _ = command("sweep", "hours.yaml", "--dry-run", "--json", *words)
        assert json.loads(out)["stages"][0]["recipes"] == [count, count]


def test_a_sweep_of_nothing_else_says_so(folder, command):
    (folder / "hours.yaml").write_text(SWEEP.replace("units: 3,", "units: 3, full: true,"))
    code, out, err = command("sweep", "hours.yaml")
    assert code == 0 and "failed" not in err
    assert "2 recipes were not run (A, B): they take long; run with --full." in " ".join(
        out.split()
    )
    assert "2 recipes were not run" in report(folder)


def test_a_listing_has_published_trials_only_where_there_are_some():
    plain = listing.SweepRow("A", "0" * 12)
    assert not {"published_success", "published_sequences"} & plain.document().keys()
    rows = [plain, listing.SweepRow("B", "1" * 12, published_success=(9, 10))]
    assert rows[1].document()["published_success"] == (9, 10)


@pytest.mark.long
def test_a_damaged_listing_is_refused(folder):
    run()
    (path,) = folder.rglob("sweep.json")
    whole = json.loads(path.read_text())
    assert listing.parse_listing(path.read_bytes())["not_run"][0]["published_success"] == (9, 10)
    for place in ("rows", "not_run"):
        (row,) = whole[place]
        kept = {key: value for key, value in row.items() if not key.startswith("published_s")}
        for wrong in (
            {"published_success": [9, 3]},
            {"published_success": [1]},
            {"published_sequences": 3.0},
            {"published_success": [2, 3], "published_sequences": -1.0},
        ):
            damaged = json.dumps(whole | {place: [kept | wrong]}).encode()
            with pytest.raises(DamagedError, match="is not whole"):
                listing.parse_listing(damaged)
