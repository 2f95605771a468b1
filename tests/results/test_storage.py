"""Damaged, edited or foreign files of a store give an outcome, or one readable error."""

import copy
import dataclasses
import json
import random
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from lstm_bench.analysis._findings import sweep_findings
from lstm_bench.errors import StoreError
from lstm_bench.execution._sweep_run import run_sweep
from lstm_bench.recipes._recipe import recipe
from lstm_bench.recipes._registry import BUILT_IN_TASKS
from lstm_bench.report._answer import summarize
from lstm_bench.report._page import render
from lstm_bench.results._columns import TABLES
from lstm_bench.results._outcome import Outcome
from lstm_bench.results._storage import pack_outcome, read_outcome, unpack_outcome, write_outcome
from lstm_bench.results._sweep_data import Row, SweepData
from lstm_bench.sweeps._sweep import parse_sweep
from lstm_bench.tracking import _listing as listing
from lstm_bench.tracking._store import Store
from lstm_bench.training._run import run

SWEEP = {
    "title": "A small search",
    "task": "memory",
    "seeds": 3,
    "recipes": {
        "A1": {"epochs": 3, "published": "all", "accuracy": 1.0, "claim": "solved"},
        "F": {"epochs": 2, "units": 2, "over": {"alphabet": [4, 5]}},
    },
    "comparisons": {"x": {"of": "A1", "to": "F/4"}},
    "refused": {"R": {"stateful": True, "shuffle": "samples", "published": "no"}},
    "metrics": ["macro_f1"],
    "search": {
        "trials": 12,
        "startup": 12,
        "confirm": 2,
        "ablate": "A1",
        "switches": ["stateful"],
        "contexts": 2,
        "split": 2,
        "space": {"units": {"int": [2, 9]}, "epochs": [2, 3], "stateful": [True, False]},
    },
}
OTHERS = (None, 7, -1, 0.5, "", "x", [], [1, ["a"]], {}, {"a": 1}, True, float("nan"), 10**30)
"""Values that replace a valid one."""


@pytest.fixture(scope="module")
def outcomes():
    """The outcomes of a recipe of symbols, and of one of a file, which has baselines."""
    small = {"epochs": 2, "units": 3}
    return {name: run(recipe(name, **small), [0, 1]) for name in ("memory", "csv")}


@pytest.fixture(params=["memory", "csv"])
def folder(request, outcomes, tmp_path):
    write_outcome(outcomes[request.param], tmp_path / "outcome")
    return tmp_path / "outcome"


def assert_reportable(outcome, full=True):
    """Makes a report of an outcome, or at least all of its findings."""
    rows = (Row("A", outcome), Row("B", outcome, role="confirmed", of="A"))
    result = SweepData("s", "", "", rows, None, {})
    assert summarize(sweep_findings(result)).sentences
    assert "index.html" in (render(result) if full else {"index.html"})


def is_accepted(folder, full=False):
    """Returns whether the outcome in `folder` is read; then a report can be made of it."""
    try:
        outcome = read_outcome(folder)
    except StoreError as error:
        message = str(error)
        assert "not a complete outcome (" in message and message.endswith("run it again")
        assert message.isprintable() and len(message) < 400
        return False
    assert_reportable(outcome, full)
    return True


# ---- Outcomes


@pytest.mark.long
def test_an_outcome_is_read_exactly_as_it_was_written(folder, outcomes):
    again = read_outcome(folder)
    outcome = outcomes[again.settings["task"]]
    for other in (again, unpack_outcome(pack_outcome(outcome))):
        for table in TABLES:
            left, right = getattr(other, table), getattr(outcome, table)
            pd.testing.assert_frame_equal(left, right, check_exact=True)
        assert (other.settings, other.data) == (outcome.settings, outcome.data)
    assert again.model == outcome.model
    assert_reportable(again)


def test_every_key_of_outcome_json_may_be_missing_or_have_any_value(folder):
    path = folder / "outcome.json"
    facts = json.loads(path.read_text())
    accepted = set()
    for key in facts:
        for other in ("missing", *OTHERS):
            changed = {k: v for k, v in facts.items() if k != key}
            if other != "missing":
                changed[key] = other
            path.write_text(json.dumps(changed))
            accepted |= {(key, repr(other))} if is_accepted(folder) else set()
    assert {key for key, _ in accepted} <= {
        "digest",
        "name",
        "engine",
        "compile_seconds",
        "data",
        "provenance",
        "parameters",
        "updates",
        "multiply_adds",
    }
    missing = {key for key, other in accepted if other == "'missing'"}
    assert missing == {"provenance", "data"}  # earlier versions did not write these


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"settings": {"units": 3}}, "outcome.json: settings: task must be given, as text"),
        ({"digest": {"a": 1}}, "outcome.json: digest: must be text, but got {'a': 1}"),
        ({"updates": -3}, "outcome.json: updates: must be at least 0, but got -3"),
        ({"compile_seconds": float("inf")}, "compile_seconds: must be a finite number"),
        ({"later": 1}, "outcome.json: later: there is no such key"),
        ({"name": "\ud800"}, "surrogates not allowed"),
    ],
)
def test_the_fault_of_outcome_json_is_named(folder, changed, message):
    path = folder / "outcome.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    with pytest.raises(StoreError) as caught:
        read_outcome(folder)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "3", "{", "[" * 100_000, '{"a":' * 100_000, "\x00"])
def test_anything_but_a_mapping_is_refused(folder, text):
    (folder / "outcome.json").write_text(text)
    assert not is_accepted(folder)


def test_a_long_outcome_json_is_not_read(folder):
    (folder / "outcome.json").write_text("{" + " " * 2**24 + "}")
    with pytest.raises(StoreError, match="must have at most 16 MB"):
        read_outcome(folder)


# ---- Tables


@pytest.mark.parametrize("name", TABLES)
def test_a_file_that_is_not_a_table_is_refused(folder, name):
    path = folder / f"{name}.parquet"
    original = path.read_bytes()
    for length in (0, 3, len(original) // 2, len(original) - 1):
        path.write_bytes(original[:length])
        assert not is_accepted(folder)
    path.unlink()
    assert not is_accepted(folder)
    path.mkdir()
    assert not is_accepted(folder)


REQUIRED = {
    "seeds": ["seed", "loss", "accuracy", "sequence_accuracy", "solved", "solved_epoch", "seconds"],
    "curves": ["seed", "epoch", "loss", "accuracy"],
    "predictions": ["seed", "sequence", "step", "input", "expected", "predicted", "correct"],
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_must_have_its_columns_and_their_types(folder, name):
    path = folder / f"{name}.parquet"
    table = pd.read_parquet(path)
    symbolic = "moment" not in table
    texts = {"input", "expected", "predicted"} if symbolic else {"input"}
    for column in table:
        table.drop(columns=column).to_parquet(path)
        assert is_accepted(folder) is (column not in [*REQUIRED[name], "moment"])
        for other in ("x", {"a": 1}, pd.Timestamp("2020-01-01"), pd.NA, b"x"):
            table.assign(**{column: [other] * len(table)}).to_parquet(path)
            fits = name == "predictions" and isinstance(other, str) and column in texts
            assert is_accepted(folder) is fits, (column, other)


@pytest.mark.long
def test_the_values_of_a_table_must_be_possible(folder):
    path = folder / "seeds.parquet"
    table = pd.read_parquet(path)
    wrong = {
        "seed": [[0, 0], [-1, 0], [0, 7]],  # 7: the curves are then of a missing seed
        "accuracy": [[0.5, 1.5], [-np.inf, 0.0]],
        "solved_epoch": [[-1.0, 2.0]],
        "seconds": [[np.inf, 1.0], [np.nan, 1.0]],
        "loss": [[1e39, 0.5]],  # more than the largest single-precision number
    }
    for column, cases in wrong.items():
        for values in cases:
            table.assign(**{column: values}).to_parquet(path)
            assert not is_accepted(folder), (column, values)
    table.iloc[:0].to_parquet(path)
    assert not is_accepted(folder)
    table.assign(loss=[np.nan, np.inf], accuracy=np.nan).to_parquet(path)  # diverged
    assert is_accepted(folder, full=True)
    table.assign(another=1.5).to_parquet(path)  # a metric of a later version
    assert is_accepted(folder, full=True)


def test_a_small_file_of_a_huge_table_is_not_read(folder):
    """Millions of copies of one number take a few bytes."""
    path = folder / "curves.parquet"
    count = 20_000_000
    zeros = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int8)), pa.array([0.0]))
    columns = {key: zeros.cast(pa.float64()) for key in ("loss", "accuracy")}
    integers = pa.array(np.zeros(count, np.int64))
    parquet.write_table(pa.table({"seed": integers, "epoch": integers, **columns}), path)
    assert path.stat().st_size < 2_000_000
    with pytest.raises(StoreError, match="at most 50,000,000 cells, but has 20,000,000 rows of 4"):
        read_outcome(folder)


def test_long_texts_repeated_many_times_are_not_read(folder):
    path = folder / "predictions.parquet"
    table = pd.read_parquet(path).iloc[[0] * 200_000]
    table = pa.Table.from_pandas(table.astype({"expected": str, "predicted": str}))
    place = table.column_names.index("input")
    long = pa.DictionaryArray.from_arrays(np.zeros(200_000, np.int32), pa.array(["x" * 20_000]))
    parquet.write_table(table.set_column(place, "input", long), path, store_schema=False)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(StoreError, match="must hold at most 1024 MB, but has 38"):
        read_outcome(folder)


@pytest.mark.long
def test_files_with_a_flipped_bit_are_read_or_refused(folder):
    names = ["outcome.json", *(f"{table}.parquet" for table in TABLES)]
    rng, refused = random.Random(0), 0
    for _ in range(120):
        path = folder / rng.choice(names)
        original = path.read_bytes()
        data = bytearray(original)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        refused += not is_accepted(folder)
        path.write_bytes(original)
    assert refused > 20


# ---- The network of an outcome


def test_a_damaged_network_counts_as_none(folder):
    path = folder / "model.keras"
    original = path.read_bytes()
    flipped = bytearray(original)
    flipped[len(flipped) // 2] ^= 1  # a wrong checksum
    for data in (b"", b"no zip", original[:-30], bytes(flipped)):
        path.write_bytes(data)
        assert read_outcome(folder).model == b""
    path.unlink()
    assert read_outcome(folder).model == b""
    path.mkdir()
    assert read_outcome(folder).model == b""


@pytest.mark.long
def test_a_network_that_unpacks_to_gigabytes_counts_as_none(folder):
    with (
        zipfile.ZipFile(folder / "model.keras", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("config.json", "w") as file,
    ):
        for _ in range(600):
            file.write(bytes(2**20))
    assert read_outcome(folder).model == b""


# ---- Packed outcomes


def test_bytes_that_are_not_a_packed_outcome_are_refused(outcomes):
    data = pack_outcome(outcomes["memory"])
    rng = random.Random(0)
    for cut in [b"", b"x", b"\x93NUMPY", data[:100], data[: len(data) // 2], data[:-1]]:
        with pytest.raises(StoreError, match="packed outcome cannot be read"):
            unpack_outcome(cut)
    accepted = 0
    for _ in range(200):
        flipped = bytearray(data)
        flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        try:
            assert isinstance(unpack_outcome(bytes(flipped)), Outcome)
            accepted += 1
        except StoreError:
            continue
    assert accepted < 100  # flips that the checksums of the archive do not cover


# ---- The listing of a sweep


@pytest.fixture(scope="module")
def swept(settings):
    """Returns the `sweep.json` of a real search, and its outcomes by key."""
    run_sweep(parse_sweep("small", SWEEP), settings)
    store = Store(settings.store, settings.artifacts)
    experiment = store.client.get_experiment_by_name("small").experiment_id
    (parent,) = store.sweep_runs(experiment)
    known = store.finished_children(experiment, parent.info.run_id)
    (path,) = (settings.artifacts / "small").rglob("sweep.json")
    return json.loads(path.read_text()), {
        key: store.load_outcome(run) for key, run in known.items()
    }


def is_listing_accepted(facts, outcomes, full=False):
    """Returns whether `facts` can be read; then a report can be made of them."""
    try:
        parsed = listing.parse_listing(json.dumps(facts).encode())
    except StoreError as error:
        message = str(error)
        assert message.startswith("store: sweep.json") and message.endswith("run the sweep again")
        assert message.isprintable() and len(message) < 500
        return False
    result = listing.result_from_listing(parsed, outcomes, BUILT_IN_TASKS)
    findings = sweep_findings(result)
    assert summarize(findings).sentences
    assert "index.html" in (render(result, findings) if full else {"index.html"})
    return True


@pytest.mark.long
def test_a_real_search_fills_every_part_that_is_read(swept):
    facts, outcomes = swept
    assert facts["analysis"]["importance"]["settings"] and facts["analysis"]["random"]
    assert {row["role"] for row in facts["rows"]} == {
        "fixed", "trial", "confirmed", "ablation", "effect", "split"
    }  # fmt: skip
    assert is_listing_accepted(facts, outcomes, full=True)
    parsed = listing.parse_listing(json.dumps(facts).encode())
    result = listing.result_from_listing(parsed, outcomes, BUILT_IN_TASKS)
    assert (len(result.rows), result.unfinished) == (len(facts["rows"]), 0)


@pytest.mark.long
def test_every_key_of_sweep_json_may_be_missing_or_have_any_value(swept):
    facts, outcomes = swept
    optional = {
        key
        for key in facts
        if is_listing_accepted({k: v for k, v in facts.items() if k != key}, outcomes)
    }
    added_later = {"comparisons", "refused", "metrics", "failed", "seeds", "analysis", "definition"}
    added_later |= {"overrides"}
    assert optional == added_later  # stores of earlier versions lack these
    for key in facts:
        accepted = [
            other for other in OTHERS if is_listing_accepted({**facts, key: other}, outcomes)
        ]
        assert len(accepted) <= 3


@pytest.mark.long
@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("rows", 0, "role"), "x", "rows.0.role: must be 'fixed', 'trial', 'confirmed'"),
        (("rows", 1, "seeds"), [0, "a"], "rows.1.seeds.1: must be a whole number, but got 'a'"),
        (("rows", 0, "claim"), "maybe", "rows.0.claim: must be 'solved', 'never' or 'always'"),
        (("rows", 0, "later"), 1, "rows.0.later: there is no such key"),
        (("search", "space"), [], "search.space: must be a mapping of keys to values"),
        (("search", "objective"), "luck", "search.objective: must be 'accuracy'"),
        (("analysis", "random"), {}, "analysis.random: must be a list"),
        (("analysis", "importance", "settings", 0), 3, "analysis.importance.settings.0: "),
        (("comparisons", "x", "measure"), "luck", "comparisons.x.measure: must be 'accuracy'"),
        (("comparisons", "x", "margin"), -1.0, "x: margin must be above 0"),
        (("provenance", "\x1b[2J\n"), 3, "provenance.\ufffd[2J : must be text, but got 3"),
    ],
)
def test_the_fault_of_sweep_json_is_named(swept, place, value, message):
    facts = copy.deepcopy(swept[0])
    inner = facts
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(StoreError) as caught:
        listing.parse_listing(json.dumps(facts).encode())
    assert message in str(caught.value) and str(caught.value).isprintable()


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff\xfe", b'{"a":' * 100_000, b'{"a": "\\ud800"}'])
def test_anything_but_the_listing_of_a_sweep_is_refused(text):
    with pytest.raises(StoreError, match=r"sweep.json of the sweep's run is not whole"):
        listing.parse_listing(text)


def places(value, above=()):
    """Returns every place in nested JSON values."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    paths = [above] if above else []
    for key, part in inner:
        below = (*above, key)
        paths += places(part, below) if isinstance(part, dict | list) else [below]
    return paths


@pytest.mark.parametrize(
    "seed", [pytest.param(n, marks=pytest.mark.slow if n else pytest.mark.long) for n in range(3)]
)
def test_a_sweep_json_that_is_wrong_anywhere_is_read_or_refused(swept, seed):
    facts, outcomes = swept
    by_part = {}
    for place in places(facts):
        by_part.setdefault(place[0], []).append(place)
    rng, accepted = random.Random(seed), 0
    for number in range(60):
        changed = copy.deepcopy(facts)
        place = rng.choice(by_part[rng.choice(sorted(by_part))])
        inner = changed
        for key in place[:-1]:
            inner = inner[key]
        if rng.random() < 0.3:
            del inner[place[-1]]
        else:
            inner[place[-1]] = rng.choice(OTHERS)
        accepted += is_listing_accepted(changed, outcomes, full=number % 20 == 0)
    assert 0 < accepted < 60


@pytest.mark.long
def test_a_row_with_the_outcome_of_another_one_is_not_finished(swept):
    facts, outcomes = swept
    parsed = listing.parse_listing(json.dumps(facts).encode())
    row, other = parsed["rows"][0], parsed["rows"][3]
    mixed_up = outcomes | {row.key: outcomes[other.key]}
    mixed = listing.result_from_listing(parsed, mixed_up, BUILT_IN_TASKS)
    assert (mixed.unfinished, row.id in {shown.id for shown in mixed.rows}) == (1, False)


@pytest.mark.long
def test_too_many_crossed_seeds_are_not_crossed(swept):
    """Ten thousand seeds with no draw in common would be crossed to 10^12 runs."""
    facts, outcomes = copy.deepcopy(swept)
    row = next(row for row in facts["rows"] if row["role"] == "split")
    seeds = list(range(40))
    parsed = listing.parse_listing(json.dumps(facts).encode())
    key = next(listed.key for listed in parsed["rows"] if listed.role == "split")
    one = outcomes[key].seeds.iloc[[0] * len(seeds)].assign(seed=seeds)
    outcomes[key] = dataclasses.replace(outcomes[key], seeds=one)
    row["seeds"] = seeds
    assert is_listing_accepted(facts, outcomes)
    parsed = listing.parse_listing(json.dumps(facts).encode())
    assert not listing.result_from_listing(parsed, outcomes, BUILT_IN_TASKS).having("split")


@pytest.fixture
def edited(settings, swept, command, tmp_path, monkeypatch):
    """Returns a function that replaces the bytes of a file in the store, and runs `report`."""
    monkeypatch.chdir(tmp_path)

    def run_with(path, data):
        original = path.read_bytes()
        path.unlink()
        path.mkdir() if data is None else path.write_bytes(data)
        try:
            return command("report", "small", "--store", settings.store)
        finally:
            path.rmdir() if data is None else path.unlink()
            path.write_bytes(original)

    return run_with


def outcome_file(settings, digest, name):
    """Returns the path of a file of a stored outcome on the seeds of the sweep."""
    for path in (settings.artifacts / "small").rglob("outcome.json"):
        if json.loads(path.read_text())["digest"] == digest:
            return path.with_name(name)
    raise AssertionError(digest)


@pytest.mark.long
def test_report_leaves_out_an_outcome_that_was_edited(settings, swept, edited, tmp_path):
    digest = next(row["digest"] for row in swept[0]["rows"] if row["id"] == "F/4")
    path = outcome_file(settings, digest, "outcome.json")
    facts = json.loads(path.read_text())
    cases = [
        (path, json.dumps({**facts, "settings": {"units": 2}}).encode()),
        (path, json.dumps({**facts, "digest": {"a": 1}}).encode()),
        (path, json.dumps({**facts, "digest": "another"}).encode()),
        (path.with_name("curves.parquet"), None),
        (path.with_name("seeds.parquet"), b"half"),
    ]
    for place, data in cases:
        code, _, err = edited(place, data)
        assert (code, "Traceback" in err) == (0, False)
        (page,) = tmp_path.rglob("report.md")
        assert "1 recipe of the sweep has no result yet" in page.read_text()


@pytest.mark.long
def test_report_names_the_fault_of_a_listing_that_was_edited(settings, swept, edited):
    (path,) = (settings.artifacts / "small").rglob("sweep.json")
    facts = {key: value for key, value in swept[0].items() if key != "about"}
    code, out, err = edited(path, json.dumps(facts).encode())
    assert (code, out) == (2, "")
    assert "is not whole (about: must be given, but got nothing); run the sweep again" in err
