"""The report: its numbers are those of pandas and SciPy, and equal results give equal files."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import re
import subprocess
import sys
from html import unescape as html_unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_cases import EDGES, FIXED, RESULT, SEEDS, TRIALS, a_result, alone, an_outcome
from report_seen import Page, rendered
from rich.console import Console
from scipy import stats

from lstm_bench.analysis import sweep_findings
from lstm_bench.report import _page as page
from lstm_bench.report import _tables as tables
from lstm_bench.report import _text_tables as text_tables
from lstm_bench.report import _wording as wording
from lstm_bench.report import terminal_table
from lstm_bench.results import Row
from lstm_bench.results import _figures as figures
from lstm_bench.statistics import mean_interval


def test_page_parses_and_needs_nothing_else() -> None:
    files = rendered("all sorts")
    parsed = Page(files["index.html"].decode())
    tags = {tag for tag, _ in parsed.tags}
    assert {"svg", "table", "details", "figcaption"} <= tags
    assert not tags & {"link", "iframe", "img"}
    for tag, attributes in parsed.tags:
        for key, target in attributes.items():
            if key in {"src", "href", "xlink:href"}:
                assert target is not None
                assert target.startswith("#") or (tag == "a" and target in files)
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    used = {a["xlink:href"] for _, a in parsed.tags if a.get("xlink:href")}
    used |= {a["href"] for _, a in parsed.tags if str(a.get("href", "")).startswith("#")}
    assert {str(target)[1:] for target in used} <= set(ids)


def test_no_script_but_that_of_the_page_can_run() -> None:
    """A browser runs the script whose digest the policy of the page has, and no other."""
    html = rendered("all sorts")["index.html"].decode()
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    assert f"script-src 'sha256-{digest}'" in html_unescape(policy)
    assert html_unescape(policy).startswith("default-src 'none';")
    handlers = {key for _, attributes in Page(html).tags for key in attributes if key[:2] == "on"}
    assert not handlers


def test_comparison_csv_holds_what_scipy_computes(tmp_path: Path) -> None:
    files = rendered("all sorts")
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
    band = FIXED[0].outcome.learning_curve().set_index("epoch").loc[10]
    assert band[["loss_mean", "loss_low", "loss_high"]].tolist() == pytest.approx([0.2, 0.1, 0.3])
    assert set(tables.curves([*FIXED, *TRIALS])["id"]) == {row.id for row in RESULT.rows}
    assert len(tables.predictions(RESULT.best)) == 12


def test_steps_count_the_seeds_that_were_right() -> None:
    steps = tables.steps(FIXED[0].outcome)
    assert steps["right"].tolist() == [3, 3, 3, 2]
    assert steps["answers"].iloc[3] == (("A", 2), ("no", 1))
    other = FIXED[0].outcome.predictions.copy()
    other.loc[other["seed"] == 1, "input"] = "Z"  # seed 1 has other data
    steps = tables.steps(dataclasses.replace(FIXED[0].outcome, predictions=other))
    assert steps["seeds"].tolist() == [1, 1, 1, 1]  # so that seeds cannot be compared
    twice = pd.concat([other, other], ignore_index=True)
    steps = tables.steps(dataclasses.replace(FIXED[0].outcome, predictions=twice))
    assert len(steps) == 8
    assert steps["seeds"].tolist() == [1] * 8


def test_every_seed_is_a_point() -> None:
    files = rendered("all sorts")
    svg = files["figures/accuracy.svg"].decode()
    groups = svg.split('<g id="seeds-')[1:]
    assert len(groups) == 5  # three fixed recipes, two distinct searched ones
    for group in groups:
        marks = group.split('<g id="')[0]
        assert len(re.findall(r"<use ", marks)) == 3
    assert svg.count('<g id="published-') == 2
    assert "<dc:date" not in svg


def test_equal_seeds_are_spread_evenly_and_keep_their_value() -> None:
    offsets = figures.dot_offsets(np.full(10, 100.0), near=0.5)
    np.testing.assert_allclose(np.diff(offsets), np.diff(offsets)[0])
    assert offsets[0] == -offsets[-1] == pytest.approx(-figures.SPREAD)
    assert figures.dot_offsets(np.array([10.0]), near=0.5).tolist() == [0.0]
    assert not np.isnan(figures.dot_offsets(np.array([10.0, np.nan]), near=0.5)).any()


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
    files = page.render(result)
    parsed = Page(files["index.html"].decode())
    assert "b" not in {tag for tag, _ in parsed.tags}
    assert '<b>x</b> $a$ | _y_ & "q"' in parsed.text
    assert "␣" in parsed.text
    assert "<b>" not in files["report.md"].decode()
    assert r"\_y\_" in files["report.md"].decode()
    text = Console(width=300, record=True, file=io.StringIO())
    text.print(terminal_table(result))
    assert "<b>x</b>" in text.export_text()


@pytest.mark.long
@pytest.mark.parametrize("name", EDGES)
def test_edges_render(name: str) -> None:
    files = rendered(name)
    for text in (Page(files["index.html"].decode()).text, files["report.md"].decode()):
        assert not re.search(r"\bnan\b|\bNone\b(?! of)", text)
    Console(file=io.StringIO()).print(terminal_table(EDGES[name]))


@pytest.mark.long
def test_page_is_honest_about_limits_and_repeats() -> None:
    files = rendered("all sorts")
    text = Page(files["index.html"].decode()).text
    assert "all 3 equal" in text
    assert ">\u00a030" in text  # A2 was never solved in its 30 epochs
    assert "Proposed again as" in text
    many = rendered("many trials")
    assert "The best 40 of 45 distinct recipes" in Page(many["index.html"].decode()).text
    assert len(many["comparison.csv"].splitlines()) == 46
    assert "the first 60 of 80" in Page(rendered("long")["index.html"].decode()).text


def test_unseen_accuracy_takes_a_column() -> None:
    result = alone(seeds=SEEDS.assign(unseen_accuracy=[0.5, 0.25, 0.75]))
    table = text_tables.fixed(sweep_findings(result))
    assert table.titles[-1] == "Unseen accuracy, %"
    assert table.rows[0][-1] == "50.0"
    assert tables.comparison(result)["unseen_accuracy_mean"].item() == 0.5


def test_wording() -> None:
    assert wording.interval_or_reason(mean_interval([1.0, 1.0])) == "all 2 equal, n too small"
    assert wording.interval_or_reason(mean_interval([1.0] * 30)) == "all 30 equal"
    assert wording.interval_or_reason(mean_interval([0.97, 0.98, 1.0], 0.0, 1.0)) == "n too small"
    assert wording.interval_or_reason(mean_interval([0.5, np.nan])) == "–"
    assert wording.interval_or_reason(mean_interval([1.0])) == "–"
    assert wording.epochs_to_solve(FIXED[1].outcome) == "> 30"
    assert wording.percent_interval(0.99996, 1.0) == "[> 99.9, 100.0]"
    assert wording.setting_text({"low": 1}) == '{"low": 1}'


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


@pytest.mark.long
@pytest.mark.parametrize("name", EDGES)
def test_no_column_of_a_table_is_lost_on_a_narrow_page(name: str) -> None:
    """Each table scrolls in a box of its own; rows with a verdict name their cells instead."""
    html = rendered(name)["index.html"].decode()
    boxes = re.findall(r'<div class="scroll" role="group" [^>]* tabindex="0">\s*<table', html)
    assert len(boxes) == html.count("<table")
    for table in re.findall(r"<table.*?</table>", html, re.DOTALL):
        titles = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', table)
        first = [t == "Verdict" or t.endswith(" differs") for t in titles[1:]]
        assert first == sorted(first, reverse=True)  # verdicts come before all other columns
        verdicts = [t for t in titles if t == "Verdict" or t.endswith(" differs")]
        assert table.startswith('<table class="judged">') is bool(verdicts)
        for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)[1:]:
            named = re.findall(r'data-title="(.*?)"', row)
            assert named == (titles[1:] if verdicts else [])


def test_wide_tables_are_small_in_print() -> None:
    html = rendered("searched")["index.html"].decode()
    tables = re.findall(r"<table.*?</table>", html, re.DOTALL)
    for table in tables:
        columns = table.count('scope="col"')
        assert ('class="many' in table) is (columns > 13 and 'class="judged"' not in table)
    assert any('class="many' in table for table in tables)
    style = html.split("<style>")[1].split("</style>")[0]
    printed = style.split("@media print")[1]
    assert ".many { table-layout: fixed; font-size: 5.5pt; }" in printed


@pytest.mark.long
def test_overrides_are_part_of_the_title() -> None:
    files = page.render(a_result(FIXED[0], overrides="seeds=3"))
    text = Page(files["index.html"].decode()).text
    assert "A title (with seeds=3)" in text and "lstm-bench / quickstart seeds=3" in text
    assert files["report.md"].decode().startswith(r"# A title (with seeds=3)")
