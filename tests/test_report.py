"""The report: what it says is what pandas and SciPy say, and it says it the same way every time."""

from __future__ import annotations

import dataclasses
import functools
import io
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy import stats

from lstm_bench import findings
from lstm_bench.errors import StoreError
from lstm_bench.paired import Comparison
from lstm_bench.report import console_table, figures, find, grids, page, tables, write_report
from lstm_bench.report import wording as w
from lstm_bench.report.folder import replace
from lstm_bench.report.found import distinct_trials
from lstm_bench.report.summary import summary
from lstm_bench.results import (
    CURVE_COLUMNS,
    PREDICTION_COLUMNS,
    TABLES,
    Failed,
    Outcome,
    Row,
    SweepResult,
)
from lstm_bench.seeds import crossed
from lstm_bench.statistics import mean_interval

VOID = {"meta", "link", "br", "img", "input", "hr"}


def an_outcome(
    digest: str = "0" * 12, right: tuple[int, ...] = (4, 3, 4), **changed: Any
) -> Outcome:
    """Returns an outcome whose seeds had `right` of four steps right, the last ones wrong."""
    count = len(right)
    seeds = pd.DataFrame(
        {
            "seed": range(count),
            "loss": np.linspace(0.1, 0.2, count),
            "accuracy": np.array(right) / 4,
            "sequence_accuracy": (np.array(right) == 4).astype(float),
            "solved": np.array(right) == 4,
            "solved_epoch": [20.0 + seed if k == 4 else np.nan for seed, k in enumerate(right)],
            "seconds": 0.5,
        }
    )
    epochs = [(seed, epoch, k) for seed, k in enumerate(right) for epoch in (1, 10, 30)]
    curves = [(seed, epoch, (seed + 1) / epoch, k / 4) for seed, epoch, k in epochs]
    asked = [(seed, step, step < k) for seed, k in enumerate(right) for step in range(4)]
    answers = [
        (seed, 0, step, "ABCD"[step], "BCDA"[step], "BCDA"[step] if fine else "no", fine)
        for seed, step, fine in asked
    ]
    facts: dict[str, Any] = {
        "settings": {"task": "memory", "units": 20, "epochs": 30, "stateful": True},
        "digest": digest,
        "name": "lstm(20) pairs",
        "engine": "keras",
        "seeds": seeds,
        "curves": pd.DataFrame(curves, columns=list(CURVE_COLUMNS)),
        "predictions": pd.DataFrame(answers, columns=list(PREDICTION_COLUMNS)),
        "parameters": 2185,
        "updates": 2000,
        "multiply_adds": 6_000_000,
        "compile_seconds": 0.3,
    }
    return Outcome(**facts | changed)


def a_trial(number: int, right: tuple[int, ...], units: int) -> Row:
    settings = {"task": "memory", "units": units, "epochs": 30, "stateful": units % 2 == 0}
    outcome = an_outcome(f"digest-{units}", right, settings=settings, name=f"lstm({units}) pairs")
    return Row(f"trial-{number}", outcome, trial=number, role="trial")


SEARCH = {
    "trials": 4,
    "sampler": "tpe",
    "objective": "accuracy",
    "seed": 1,
    "space": {"units": {"int": [4, 32], "log": True}, "stateful": [True, False]},
}
FIXED = (
    Row("A1", an_outcome("a" * 12), "all right", None, "as published"),
    Row("A2", an_outcome("b" * 12, (2, 2, 2)), "50 %", 0.5),
    Row("A3", an_outcome("c" * 12, (4, 4, 4), name="gru(20) pairs"), "", 1.0),
)
TRIALS = (
    a_trial(0, (3, 3, 3), 4),
    a_trial(1, (4, 4, 3), 8),
    a_trial(2, (3, 3, 3), 4),  # the same recipe as trial-0
)


def a_result(*rows: Row, **changed: Any) -> SweepResult:
    facts: dict[str, Any] = {
        "name": "quickstart",
        "title": "A title",
        "about": "What it is about.\n\nAnd more.",
        "rows": rows,
        "search": None,
        "provenance": {"git revision": "abc", "command": "lstm-bench sweep quickstart"},
    }
    return SweepResult(**facts | changed)


RESULT = a_result(*FIXED, *TRIALS, search=SEARCH)


class Page(HTMLParser):
    """Collects what the tests ask of a page, and fails where tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return page.render(RESULT)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_writes_every_file_and_the_same_bytes_twice(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    written = write_report(RESULT, tmp_path / "reports" / "quickstart")
    assert written == tmp_path / "reports" / "quickstart" / "index.html"
    assert contents(written.parent) == files
    tables = ("comparison", "seeds", "curves", "predictions", "published")
    names = {f"{table}.csv" for table in tables}
    names |= {"index.html", "report.md", "figures/accuracy.svg", "figures/curves.svg"}
    names |= {"history.csv", "front.csv", "figures/history.svg", "figures/front.svg"}
    assert set(files) == names
    before = {path: path.stat().st_mtime_ns for path in written.parent.rglob("*.*")}
    replace(written.parent, files)
    assert {path: path.stat().st_mtime_ns for path in written.parent.rglob("*.*")} == before


def test_stale_files_go_and_foreign_files_stay(tmp_path: Path) -> None:
    replace(tmp_path, {"index.html": b"old", "figures/curves-2.svg": b"old", "old.csv": b"old"})
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "figures" / "photo.png").write_text("mine")
    replace(tmp_path, {"index.html": b"new", "figures/accuracy.svg": b"new"})
    ours, theirs = {"index.html", "figures/accuracy.svg"}, {"notes.txt", "figures/photo.png"}
    assert set(contents(tmp_path)) == ours | theirs
    assert contents(tmp_path)["index.html"] == b"new"


def test_failure_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace(tmp_path, {"index.html": b"old"})
    before = contents(tmp_path)

    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace(tmp_path, {"index.html": b"new", "report.md": b"new"})
    assert contents(tmp_path) == before


def test_unwritable_folder_is_a_store_error(tmp_path: Path, files: dict[str, bytes]) -> None:
    (tmp_path / "taken").write_text("a file")
    for folder in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(StoreError, match=r"report: its folder must be writable.*choose"):
            replace(folder, files)
    (tmp_path / "report" / "index.html").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"index\.html is a folder"):
        replace(tmp_path / "report", files)
    assert not (tmp_path / "report" / "report.md").exists()


def test_page_parses_and_needs_nothing_else(files: dict[str, bytes]) -> None:
    seen = Page(files["index.html"].decode())
    tags = {tag for tag, _ in seen.seen}
    assert {"svg", "table", "details", "figcaption"} <= tags
    assert not tags & {"script", "link", "iframe", "img"}
    for _, attributes in seen.seen:
        for key, target in attributes.items():
            if key in {"src", "href", "xlink:href"}:
                assert target is not None
                assert target.startswith("#")
    ids = [attributes["id"] for _, attributes in seen.seen if "id" in attributes]
    assert len(ids) == len(set(ids))
    used = {a["xlink:href"] for _, a in seen.seen if a.get("xlink:href")}
    assert {str(target)[1:] for target in used} <= set(ids)


def test_comparison_csv_holds_what_scipy_computes(tmp_path: Path, files: dict[str, bytes]) -> None:
    (tmp_path / "comparison.csv").write_bytes(files["comparison.csv"])
    table = pd.read_csv(tmp_path / "comparison.csv").set_index("id")
    assert list(table.index) == [row.id for row in RESULT.rows]
    ours, values = table.loc["A1"], np.array([1.0, 0.75, 1.0])
    # Hall's interval reaches further than Student's to the side of the one low seed.
    low = mean_interval(values).low
    assert low < stats.ttest_1samp(values, 0).confidence_interval(0.95).low
    wilson = stats.binomtest(2, 3).proportion_ci(method="wilson")
    expected = [values.mean(), pd.Series(values).std(), low, 1.0]
    expected += [2, 2 / 3, wilson.low, wilson.high, 22.0, 1.5]
    keys = ["accuracy_mean", "accuracy_std", "accuracy_low", "accuracy_high", "solved"]
    keys += ["solve_rate", "solve_rate_low", "solve_rate_high", "epochs_to_solve", "seconds"]
    np.testing.assert_allclose(ours[keys].astype(float), expected, rtol=1e-9)
    assert np.isnan(table.loc["A2", "epochs_to_solve"])
    assert table.loc["trial-1", "setting_units"] == 8


def test_other_tables_hold_every_seed_and_answer() -> None:
    seeds = tables.seeds(RESULT)
    assert len(seeds) == 3 * len(RESULT.rows)
    assert list(seeds.columns[:3]) == ["id", "digest", "seed"]
    band = tables.bands(FIXED[0].outcome).set_index("epoch").loc[10]
    assert band[["loss_mean", "loss_low", "loss_high"]].tolist() == pytest.approx([0.2, 0.1, 0.3])
    assert set(tables.curves([*FIXED, *TRIALS])["id"]) == {row.id for row in RESULT.rows}
    assert len(tables.predictions(RESULT.best)) == 12


def test_steps_count_the_seeds_that_were_right() -> None:
    steps = tables.steps(FIXED[0].outcome)
    assert steps["right"].tolist() == [3, 3, 3, 2]
    assert steps["answers"].iloc[3] == (("A", 2), ("no", 1))
    other = FIXED[0].outcome.predictions.copy()
    other.loc[other["seed"] == 1, "input"] = "Z"  # seed 1 was asked something else
    steps = tables.steps(dataclasses.replace(FIXED[0].outcome, predictions=other))
    assert steps["seeds"].tolist() == [1, 1, 1, 1]  # each seed has data of its own
    twice = pd.concat([other, other], ignore_index=True)
    steps = tables.steps(dataclasses.replace(FIXED[0].outcome, predictions=twice))
    assert len(steps) == 8
    assert steps["seeds"].tolist() == [1] * 8


def test_every_seed_is_a_point(files: dict[str, bytes]) -> None:
    svg = files["figures/accuracy.svg"].decode()
    groups = svg.split('<g id="seeds-')[1:]
    assert len(groups) == 5  # three fixed recipes, two distinct searched ones
    for group in groups:
        marks = group.split('<g id="')[0]
        assert len(re.findall(r"<use ", marks)) == 3
    assert svg.count('<g id="published-') == 2
    assert "<dc:date" not in svg


def test_equal_seeds_are_spread_evenly_and_keep_their_value() -> None:
    offsets = figures.spread(np.full(10, 100.0), near=0.5)
    np.testing.assert_allclose(np.diff(offsets), np.diff(offsets)[0])
    assert offsets[0] == -offsets[-1] == pytest.approx(-figures.SPREAD)
    assert figures.spread(np.array([10.0]), near=0.5).tolist() == [0.0]
    assert not np.isnan(figures.spread(np.array([10.0, np.nan]), near=0.5)).any()


def test_labels_are_escaped() -> None:
    hostile = '<b>x</b> $a$ | _y_ & "q" \x00 \u200b'
    outcome = an_outcome(name=hostile, settings={"task": hostile, hostile: hostile, "epochs": 30})
    predictions = outcome.predictions.assign(predicted=hostile, input=" ")
    outcome = dataclasses.replace(outcome, predictions=predictions)
    row = Row(hostile, outcome, published=hostile, note=hostile)
    trial = Row("_" + hostile, outcome, trial=1, role="trial")
    result = a_result(
        row,
        trial,
        title=hostile,
        about=hostile,
        provenance={hostile: hostile},
        search={"space": {hostile: [hostile]}, hostile: hostile},
    )
    made = page.render(result)
    seen = Page(made["index.html"].decode())
    assert "b" not in {tag for tag, _ in seen.seen}
    assert '<b>x</b> $a$ | _y_ & "q"' in seen.text
    assert "␣" in seen.text
    assert "<b>" not in made["report.md"].decode()
    assert r"\_y\_" in made["report.md"].decode()
    text = Console(width=300, record=True, file=io.StringIO())
    text.print(console_table(result))
    assert "<b>x</b>" in text.export_text()


def alone(**changed: Any) -> SweepResult:
    return a_result(Row("A1", an_outcome(**changed)))


def a_family(name: str, *solved: int, axis: str = "lag") -> list[Row]:
    """Returns a row for 4, 8, 16, ..., of whose six seeds so many `solved` it."""
    rows = []
    for place, count in enumerate(solved):
        right = tuple(4 if seed < count else 2 for seed in range(6))
        parts = f"lstm(20), pairs, lag {4 * 2**place}"
        outcome = an_outcome(f"{name}-{place:08}", right, name=parts)
        own = {"family": name, "axis": axis, "value": 4 * 2**place}
        rows.append(Row(f"{name}/{4 * 2**place}", outcome, **own))
    return rows


ASKED = {
    "A1 against A2": Comparison("A1", "A2", claim="is better | <b>"),
    "by rate": Comparison("A3", "A2", "solve_rate"),
    "by loss": Comparison("A3", "A2", "loss"),
    "missing": Comparison("A3", "Z"),
}
CLAIMED = (
    dataclasses.replace(FIXED[0], claim="solved"),
    dataclasses.replace(FIXED[1], claim="never", published_accuracy=0.25),
    dataclasses.replace(FIXED[2], published="said to equal A1", published_accuracy=None),
)
FAMILIES = (*a_family("F", 6, 6, 2, 0), *a_family("G", 6, 6, 6, 6), *a_family("H", 0, 0, 6))


def changed(row: Row, *of: int, **more: Any) -> Row:
    """Returns a row with the settings of `row` and other seeds, on which `of` steps were right."""
    facts = {key: more.pop(key) for key in ("id", "role", "of", "axis", "value") if key in more}
    seeds = more.pop("seeds", range(900, 900 + len(of)))
    digest = more.pop("digest", row.outcome.digest)
    settings = {**row.outcome.settings, **more.pop("settings", {})}
    outcome = an_outcome(digest, of, **{"name": row.outcome.name, "settings": settings, **more})
    outcome = dataclasses.replace(outcome, seeds=outcome.seeds.assign(seed=list(seeds)))
    return dataclasses.replace(row, outcome=outcome, **facts)


def a_search(objective: str = "accuracy") -> SweepResult:
    """Returns a result in which every part of a search has something to tell."""
    trials = [
        a_trial(0, (3, 3, 4, 2), 4),
        a_trial(1, (4, 4, 4, 4), 9),
        a_trial(2, (2, 2), 6),  # stopped
        a_trial(3, (4, 4, 4, 3), 20),
        a_trial(4, (4, 4, 4, 3), 20),  # the same again
    ]
    one, three = trials[1], trials[3]
    finalists = [
        changed(three, *[4] * 20, id="confirmed-3", role="confirmed", of="trial-3"),
        changed(one, *[4] * 12, *[3] * 8, id="confirmed-1", role="confirmed", of="trial-1"),
    ]
    back = {"role": "ablation", "of": "confirmed-3-again"}
    ablations = [
        changed(three, *[4] * 20, id="confirmed-3-again", role="ablation", of="confirmed-3"),
        changed(three, *[2] * 20, id="back-epochs", axis="epochs", value=5, digest="e", **back),
        changed(three, *[4] * 20, id="back-units", axis="units", value=np.int64(4), **back),
        changed(three, *[4] * 19, 2, id="tutorial", digest="t", **back),
    ]
    effects = [
        dataclasses.replace(row, id=f"context-{k}", role="effect", of=row.id, trial=None)
        for k, row in enumerate(trials[:4])
    ]
    effects += [
        changed(
            row,
            2,
            k % 3 + 1,
            id=f"effect-{k}",
            role="effect",
            of=f"context-{k}",
            axis="stateful",
            value=not row.outcome.settings["stateful"],
            seeds=[0, 1],
            digest=f"effect-{k}",
        )
        for k, row in enumerate(trials[:4])
    ]
    keys = [(data, init, order) for data in range(2) for init in range(3) for order in range(2)]
    split = changed(
        three,
        *[init + 1 + (data + order) // 2 for data, init, order in keys],
        id="split",
        role="split",
        of="confirmed-3",
        seeds=[crossed(*key) for key in keys],
    )
    weights = [
        {"key": "units", "fanova": 0.75, "ped_anova": 0.5},
        {"key": "batch_size", "fanova": 0.25, "ped_anova": 0.5},
    ]
    rows = (*FIXED[:2], *trials, *finalists, *ablations, *effects, split)
    search = SEARCH | {"objective": objective, "startup": 3, "switches": ["stateful"]}
    failed = (Failed("trial-5", "lstm(6) pairs", "out of memory <b>"),)
    told = {"importance": {"trials": 3, "settings": weights}, "random": [0, 1, 2]}
    return a_result(*rows, search=search, seeds=4, failed=failed, analysis=told)


SEARCHED = a_search()


def only(*roles: str, **more: Any) -> SweepResult:
    rows = tuple(row for row in SEARCHED.rows if row.role in roles)
    return dataclasses.replace(SEARCHED, rows=rows, **more)


def diverged(result: SweepResult) -> SweepResult:
    """Returns `result` with a seed of every row whose accuracy is not a number."""
    rows = []
    for row in result.rows:
        seeds = row.outcome.seeds.copy()
        seeds.loc[0, ["accuracy", "loss"]] = np.nan
        rows.append(dataclasses.replace(row, outcome=dataclasses.replace(row.outcome, seeds=seeds)))
    return dataclasses.replace(result, rows=tuple(rows))


SEEDS, CURVES, ANSWERS = (getattr(FIXED[0].outcome, table) for table in TABLES)
NEVER = {"loss": np.nan, "solved": False, "solved_epoch": np.nan}
EDGES = {
    "fixed only": a_result(*FIXED),
    "search only": a_result(*TRIALS, search=SEARCH),
    "only duplicates": a_result(TRIALS[0], TRIALS[2]),
    "nothing finished": a_result(unfinished=3, search=SEARCH),
    "one seed": alone(right=(4,)),
    "one unsolved seed": a_result(Row("A1", an_outcome(right=(0,)), published_accuracy=0.0)),
    "unfinished": a_result(*FIXED, unfinished=2),
    "no title": a_result(*FIXED, title="", about="", provenance={}),
    "many fixed": a_result(*(Row(f"X{i}", an_outcome(f"{i:012}")) for i in range(25))),
    "many trials": a_result(*(a_trial(i, (3, 3, 4), i + 1) for i in range(45)), search=SEARCH),
    "different seeds": a_result(FIXED[0], Row("B", an_outcome("d", (4, 4, 4, 4, 4)))),
    "no predictions": alone(predictions=ANSWERS.head(0)),
    "long": alone(predictions=pd.concat([ANSWERS.assign(sequence=k) for k in range(20)])),
    "no curves": alone(curves=CURVES.head(0)),
    "diverged": alone(
        seeds=SEEDS.assign(**NEVER), curves=CURVES.assign(loss=[0.5, np.nan, np.inf] * 3)
    ),
    "claims": a_result(*CLAIMED, comparisons=ASKED),
    "families": a_result(*CLAIMED, *FAMILIES, comparisons=ASKED),
    "two axes": a_result(*a_family("F", 6, 2), *a_family("G", 6, 2, axis="units")),
    "many families": a_result(*(r for k in range(8) for r in a_family(f"F{k}", 6, k % 6))),
    "searched": SEARCHED,
    "searched by solve rate": a_search("solve_rate"),
    "search diverged": diverged(a_search("sequence_accuracy")),
    "trials only": only("trial", failed=(), analysis={}),
    "confirmed alone": only("confirmed"),
    "one trial": dataclasses.replace(SEARCHED, rows=SEARCHED.rows[2:3]),
    "nothing but failures": only("nothing"),
    "importance untold": only("trial", analysis={"importance": {"trials": 1, "why": "Too few."}}),
    "one context": dataclasses.replace(SEARCHED, rows=(*SEARCHED.trials, SEARCHED.rows[-2])),
    "all diverged": a_result(
        Row("A1", an_outcome(curves=CURVES.assign(loss=np.nan))),
        Row("A2", an_outcome("b", seeds=SEEDS.assign(accuracy=np.nan))),
    ),
}


@functools.cache
def rendered(name: str) -> dict[str, bytes]:
    return page.render(EDGES[name])


@pytest.mark.parametrize("name", EDGES)
def test_edges_render(name: str) -> None:
    made = rendered(name)
    for text in (Page(made["index.html"].decode()).text, made["report.md"].decode()):
        assert not re.search(r"\bnan\b|\bNone\b", text)
    Console(file=io.StringIO()).print(console_table(EDGES[name]))


def test_summary_says_what_was_found() -> None:
    said = " ".join(summary(find(RESULT)))
    assert "3 fixed recipes and 2 recipes found by search, trained on 3 seeds each: 15" in said
    assert "The best recipe is A3 (gru(20) pairs): accuracy 100.0 % (the same for all 3" in said
    assert "solved by 3 of 3 seeds (95 % Wilson interval [43.9, 100.0] %)" in said
    assert "1 was solved by every seed (A3), 1 by some seeds (A1) and 1 by no seed (A2)" in said
    missing = summary(find(EDGES["unfinished"]))[-1]
    assert "2 recipes were asked for and have no result yet" in missing
    assert summary(find(EDGES["nothing finished"]))[0] == "No recipe has a result yet."
    assert "picked on the same seeds that score it" in summary(find(EDGES["search only"]))[1]


def test_page_is_honest_about_limits_and_repeats(files: dict[str, bytes]) -> None:
    text = Page(files["index.html"].decode()).text
    assert "all 3 equal" in text
    assert "> 30" in text  # A2 was never solved in its 30 epochs
    assert "Proposed again as" in text
    many = rendered("many trials")
    assert "The best 40 of 45 distinct recipes" in Page(many["index.html"].decode()).text
    assert len(many["comparison.csv"].splitlines()) == 46
    assert "the first 60 of 80" in Page(rendered("long")["index.html"].decode()).text


def test_best_trials_come_first_and_once() -> None:
    found = [(row.id, repeats) for row, repeats in distinct_trials(RESULT)]
    assert found == [("trial-1", []), ("trial-0", ["trial-2"])]
    assert tables.settings(TRIALS) == (
        {"task": "memory", "epochs": 30, "stateful": True},
        ["units"],
    )


def test_unseen_accuracy_takes_a_column() -> None:
    result = alone(seeds=SEEDS.assign(unseen_accuracy=[0.5, 0.25, 0.75]))
    assert grids.fixed(find(result)).titles[-1] == "Unseen accuracy, %"
    assert grids.fixed(find(result)).rows[0][-1] == "50.0"
    assert tables.comparison(result)["unseen_accuracy_mean"].item() == 0.5


def test_wording() -> None:
    assert w.interval(mean_interval([1.0, 1.0])) == "all 2 equal, n too small"
    assert w.interval(mean_interval([1.0] * 30)) == "all 30 equal"
    assert w.interval(mean_interval([0.97, 0.98, 1.0], 0.0, 1.0)) == "n too small"
    assert w.interval(mean_interval([0.5, np.nan])) == "–"
    assert w.interval(mean_interval([1.0])) == "–"
    assert w.epochs(FIXED[1].outcome) == "> 30"
    assert w.span(0.99996, 1.0) == "[> 99.9, 100.0]"
    assert w.value({"low": 1}) == '{"low": 1}'


def test_import_is_light() -> None:
    code = (
        "import sys, lstm_bench.report; heavy = {'tensorflow', 'keras', 'optuna', 'mlflow', "
        "'matplotlib'} & set(sys.modules); sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_render_leaves_matplotlib_as_it_was() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    page.render(a_result(FIXED[0]))
    assert dict(matplotlib.rcParams) == before


def text_of(name: str) -> tuple[str, str, str]:
    """Returns what a page, its Markdown and the terminal say."""
    made = rendered(name)
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(console_table(EDGES[name]))
    page_text = Page(made["index.html"].decode()).text
    return page_text, made["report.md"].decode(), console.export_text()


def test_verdicts_comparisons_and_horizons_are_in_every_form() -> None:
    for text in text_of("families"):
        said = " ".join(text.split())
        assert "reproduced" in said
        assert "A3 is higher than A2 in accuracy" not in said
        assert "A1 is higher than A2 in accuracy, by 41.7 points" in said
        assert "A3 is solved more often than A2, by 100 points" in said
        assert "> 32" in said and "does not fall" in said
    page_text = " ".join(text_of("families")[0].split())
    assert "Of 2 published results, 1 is reproduced (A1) and 1 cannot be told (A2)." in page_text
    assert "Of 4 comparisons, 4 cannot be told yet (A1 to A2, " in page_text
    assert "2 of 3 seeds solve it: whether a single run does is a coin toss." in page_text
    assert "said to equal A1" in page_text


def test_sections_are_there_only_if_there_is_something_in_them() -> None:
    plain = rendered("many fixed")
    assert {"published.csv", "comparisons.csv", "horizon.csv"}.isdisjoint(plain)
    for text in text_of("many fixed"):
        for heading in ("Against what was published", "differences are real", "How far"):
            assert heading not in text
    assert {"published.csv", "comparisons.csv"} <= set(rendered("claims"))
    assert "rates.csv" in rendered("families")["report.md"].decode()


def test_tables_of_findings_hold_the_numbers() -> None:
    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(io.BytesIO(rendered("families")[f"{name}.csv"]))

    published = read("published").set_index("id")
    assert published.loc["A2", ["place", "verdict"]].tolist() == ["below", "cannot tell"]
    assert published.loc["A2", ["smallest", "largest"]].tolist() == [0.5, 0.5]
    compared = read("comparisons").set_index("comparison")
    t = stats.ttest_1samp(np.array([0.5, 0.25, 0.5]), 0).confidence_interval(0.95)
    assert compared.loc["A1 against A2", ["low", "high"]].tolist() == pytest.approx([*t])
    assert compared.loc["by rate", "p"] == 0.25
    assert np.isnan(compared.loc["missing", "difference"])
    reached = read("horizon").set_index("family")
    assert reached.loc["F", "half"] == pytest.approx(2 ** (3 + 3 / 4))
    assert reached.loc["G", "half"] == np.inf
    rates = read("rates")
    assert rates[rates["family"] == "F"]["solved"].tolist() == [6, 6, 2, 0]
    assert rates["seeds"].unique().tolist() == [6]


def test_every_family_is_a_line() -> None:
    svg = rendered("families")["figures/horizon.svg"].decode()
    assert len(re.findall(r'<g id="family-\d">', svg)) == 3
    for words in (">Lag<", ">Seeds that solve it, %<", ">32<", "F: lstm(20), pairs<"):
        assert words in svg
    figures_of = {name for name in rendered("two axes") if "horizon" in name}
    assert figures_of == {"figures/horizon-1.svg", "figures/horizon-2.svg", "horizon.csv"}
    assert "figures/horizon-2.svg" in rendered("many families")
    assert page.render(EDGES["families"]) == rendered("families")


def test_a_family_is_called_what_its_recipes_share() -> None:
    family = findings.families(EDGES["families"])[0]
    assert grids.shared_name(family) == "lstm(20), pairs"


SECTIONS = (
    "How the search went",
    "Does it hold on fresh seeds?",
    "The simplest recipe that solves it",
    "What mattered",
    "What failed",
)


def test_a_search_has_its_sections_in_order_and_only_where_there_is_something() -> None:
    html, markdown = page_of("searched"), rendered("searched")["report.md"].decode()
    for text, form in ((html, "<h2>{}</h2>"), (markdown, "## {}")):
        places = [text.index(form.format(title)) for title in SECTIONS]
        assert places == sorted(places)
    for title in SECTIONS:
        assert title not in text_of("fixed only")[0]
    few = text_of("trials only")[0]
    assert SECTIONS[0] in few and "no recipe was run again" in few.lower()
    assert not any(title in few for title in (SECTIONS[1], *SECTIONS[3:]))
    assert "Too few." in text_of("importance untold")[0]
    assert "What failed" in text_of("nothing but failures")[0]


def test_the_figures_of_a_search_say_what_they_show() -> None:
    def words(stem: str) -> str:
        return rendered("searched")[f"figures/{stem}.svg"].decode()

    stems = ("history", "confirmation", "front", "ablation", "importance", "effects", "variance")
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page_of("searched"))
    assert len(captions) == len(stems) + 2  # accuracy and learning curves as well
    assert [text for text in captions if "n = " not in text] == []
    for stem, texts in {
        "history": (">all seeds<", ">stopped after 2 seeds<", ">until here drawn at random<"),
        "confirmation": (
            ">in the search<",
            ">on fresh seeds<",
            "4 \u2192 20 seeds",
            ">Accuracy, %<",
        ),
        "front": (">simplest: confirmed-3<", ">bar: 80 %<", ">Seeds that solve it, %<"),
        "ablation": (">epochs back to 5<", ">Difference in accuracy, points<"),
        "importance": ("(fANOVA)<", "(PED-ANOVA)<", ">seeds<", ">batch size<"),
        "effects": (">stateful true against false<", ">n = 4<", "percentage points<"),
        "variance": (">initial weights<", ">only together<"),
    }.items():
        for text in texts:
            assert text in words(stem), (stem, text)
    assert len(re.findall("<use ", words("history").split('<g id="full"')[1].split("</g>")[0])) == 4
    assert page.render(SEARCHED) == rendered("searched")


def page_of(name: str) -> str:
    return rendered(name)["index.html"].decode()


def test_the_tables_of_a_search_hold_its_numbers() -> None:
    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(io.BytesIO(rendered("searched")[f"{name}.csv"]))

    history = read("history")
    assert history["seeds"].tolist() == [4, 4, 2, 4, 4]
    assert history["best"].tolist() == [0.75, 1, 1, 1, 1]
    finalists = read("confirmation").set_index("id")
    assert list(finalists.index) == ["confirmed-3", "confirmed-1"]
    assert finalists["optimism"].tolist() == pytest.approx([-0.0625, 0.1])
    assert finalists["search_winner"].tolist() == [False, True]
    front = read("front").set_index("id")
    assert front.index[front["simplest"]].tolist() == ["confirmed-3"]
    assert set(front.index) == {"A1", "A2", "trial-0", "confirmed-1", "confirmed-3"}
    back = read("ablation")
    worse = back[(back["setting"] == "epochs") & (back["measure"] == "solve_rate")].iloc[0]
    assert (worse["difference"], worse["verdict"], worse["seeds"]) == (-1, "real", 20)
    assert worse["p_holm"] == pytest.approx(7 * 2 * 0.5**20)  # and one effect
    importance = read("importance").set_index("setting")
    seeds = read("variance").set_index("source")["share"]
    assert importance["fanova_of_all"].sum() + seeds["seeds"] == pytest.approx(1)
    assert seeds[["data", "init", "order", "together"]].sum() == pytest.approx(1)
    effect, contexts = read("effects").iloc[0], read("contexts")
    assert effect["difference"] == pytest.approx(contexts["difference"].mean())
    assert len(contexts) == effect["contexts"] == 4
    assert read("failed").loc[0].tolist() == ["trial-5", "lstm(6) pairs", "out of memory <b>"]


def test_stopped_recipes_stand_last_and_say_so() -> None:
    grid = grids.trials(find(SEARCHED))
    seeds = grid.titles.index("Seeds")
    assert [(line[0], line[1], line[seeds]) for line in grid.rows] == [
        ("1", "trial-1", "4"),
        ("2", "trial-3", "4"),
        ("3", "trial-0", "4"),
        (w.NONE, "trial-2", "2, stopped"),
    ]


def test_confirmed_recipes_stand_above_the_trials() -> None:
    svg = rendered("searched")["figures/accuracy.svg"].decode()
    below = svg.index("picked on the very seeds that score them")
    for place, id_ in enumerate(("A1", "A2", "confirmed-3", "confirmed-1")):
        assert f'<g id="seeds-{place}"' in svg, id_
    assert '<g id="seeds-4"' not in svg and '<g id="seeds-5"' in svg
    assert below
    console = " ".join(text_of("searched")[2].split())
    assert "Claimed %" in console and "confirmed-3" in console and "trial-1 " not in console
    assert "93.8" in console  # what the search had scored confirmed-3
    assert "The simplest recipe that solves it is confirmed-3" in console
    assert "trial-5 failed: out of memory <b>" in console
    assert "4 searched recipes in the report" in console


def test_the_summary_tells_what_the_search_found() -> None:
    said = " ".join(summary(find(SEARCHED)))
    for sentence in (
        "On 20 fresh seeds the best of 2 finalists is confirmed-3, with accuracy 100.0 % (all 20 ",
        "; the search had scored it 93.8 %.",
        "The search's own winner, trial-1, lost 10.0 points from the search (100.0 %) to 20 fresh ",
        "The simplest recipe that solves it is confirmed-3 (lstm(20) pairs): solved by 20 of 20 ",
        "Of 2 differences that putting one setting back makes, 1 is real (epochs) and 1 cannot be",
        "Among 3 random trials the setting that explains the score best is units, with 75.0 % of",
        "Of 1 effect of a switch changed alone, 1 cannot be told yet (stateful true against false)",
        "Stopping 1 of 4 searched recipes early saved 12.5 % of the seed runs.",
        "1 recipe failed (trial-5).",
    ):
        assert sentence in said, sentence
    assert "picked on the same seeds" not in said
    assert "lost nothing" not in said
