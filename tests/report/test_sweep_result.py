"""`SweepResult`, as Python users get it: a mapping, tables, findings, figures and a report."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from report_cases import (
    EDGES,
    FIXED,
    QUESTIONS,
    RESULT,
    SEARCHED,
    a_result,
    a_trial,
    an_outcome,
    diverged,
)
from report_seen import Page, rendered

from lstm_bench.analysis import Comparison, Findings, sweep_findings
from lstm_bench.errors import StoreError, UserError
from lstm_bench.report import SweepResult
from lstm_bench.results import Row

CLAIMS = a_result(*FIXED, comparisons=QUESTIONS)


# ---- A mapping from ids to outcomes


def test_a_result_is_a_mapping_from_ids_to_outcomes() -> None:
    result = SweepResult(RESULT)
    ids = ["A1", "A2", "A3", "trial-0", "trial-1", "trial-2"]
    assert list(result) == list(result.keys()) == list(dict(result)) == ids
    assert len(result) == 6 and "A1" in result and "Z" not in result
    assert result["A2"] is FIXED[1].outcome
    assert result.get("Z") is None
    assert result.name == "quickstart"
    with pytest.raises(KeyError, match=r"there is no recipe .*trial_1.*did you mean .*trial-1"):
        result["trial_1"]


def test_the_best_recipe_is_a_row_with_its_outcome() -> None:
    best = SweepResult(RESULT).best
    assert best is not None
    assert (best.id, best.outcome.name) == ("A3", "gru(20) pairs")
    assert SweepResult(SEARCHED).best.id == "confirmed-3"  # type: ignore[union-attr]
    other_task = Row("B", an_outcome("b", settings={"task": "poem"}))
    assert SweepResult(a_result(*FIXED, other_task)).best is None
    assert SweepResult(a_result()).best is None


# ---- Tables and findings


def test_to_frame_has_one_row_per_recipe() -> None:
    frame = SweepResult(RESULT).to_frame()
    assert frame["id"].tolist() == list(SweepResult(RESULT))
    assert frame["kind"].tolist() == ["fixed"] * 3 + ["trial"] * 3
    assert frame.set_index("id").loc["A1", "accuracy_mean"] == pytest.approx(np.mean([1, 0.75, 1]))
    assert frame["setting_units"].tolist() == [20, 20, 20, 4, 8, 4]
    assert frame["trial"].dtype == "Int64"
    assert len(SweepResult(a_result()).to_frame()) == 0


def test_comparisons_are_those_of_the_sweep_file() -> None:
    comparisons = SweepResult(CLAIMS).comparisons()
    assert all(isinstance(comparison, Comparison) for comparison in comparisons)
    assert [comparison.name for comparison in comparisons] == list(QUESTIONS)
    assert comparisons[1].difference == 1.0  # A3 is solved by all seeds, A2 by none
    assert SweepResult(RESULT).comparisons() == ()
    assert isinstance(comparisons[-1].plot(), Figure)  # of which one recipe has no result


def test_findings_are_computed_once() -> None:
    result = SweepResult(SEARCHED)
    assert isinstance(result.findings, Findings)
    assert result.findings is result.findings
    assert result.findings.simplest.point.row.id == "confirmed-3"  # type: ignore[union-attr]
    assert len(repr(result.findings)) < 500


def test_the_document_is_plain_json_with_the_path_of_the_report() -> None:
    page = Path("reports") / "quickstart" / "index.html"
    document = SweepResult(SEARCHED, page).document()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["report"] == str(page) and document["sweep"] == "quickstart"
    assert list(document["recipes"]) == ["A1", "A2"]
    assert document["search"]["best"] == "confirmed-3"
    assert document == sweep_findings(SEARCHED).document() | {"report": str(page)}
    assert SweepResult(SEARCHED).document()["report"] == ""


# ---- Figures and report


@pytest.mark.long
def test_plots_are_the_figures_of_the_report() -> None:
    result = SweepResult(SEARCHED)
    files = {name for name in rendered("searched") if name.endswith(".svg")}
    assert {f"figures/{kind}.svg" for kind in result.plots} == files
    for kind in result.plots:
        figure = result.plot(kind)
        assert isinstance(figure, Figure)
        assert figure._repr_svg_().encode() == rendered("searched")[f"figures/{kind}.svg"]
    assert result.plot() is result.plot("accuracy")


@pytest.mark.parametrize("kind", ["hist", "", "accuracy.svg", None, "horizon"])
def test_an_unknown_kind_is_a_user_error_that_names_the_kinds(kind: Any) -> None:
    with pytest.raises(UserError, match=r"^kind: there is no plot .*known: accuracy, curves\)"):
        SweepResult(a_result(*FIXED)).plot(kind)


def test_a_result_without_recipes_has_no_figures() -> None:
    result = SweepResult(a_result())
    assert result.plots == ()
    with pytest.raises(UserError, match="there is no plot 'accuracy', nor any other"):
        result.plot()


@pytest.mark.long
def test_report_writes_the_files_of_the_report(tmp_path: Path) -> None:
    result = SweepResult(SEARCHED)
    for folder in (tmp_path / "a" / "mine", str(tmp_path / "b")):
        page = result.report(folder)
        assert page == Path(folder) / "index.html"
        for name, content in rendered("searched").items():
            assert (Path(folder) / name).read_bytes() == content
    result.plot().axes[0].set_xlabel("changed")  # does not change the report
    assert result.report(tmp_path / "a" / "mine").read_bytes() == rendered("searched")["index.html"]
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StoreError, match="report: its folder must be writable"):
        result.report(tmp_path / "taken")


# ---- Representations


def many_rows(count: int = 1000) -> SweepResult:
    rows = [a_trial(number, (3, 3, 4), 1 + number % 50) for number in range(count)]
    return SweepResult(a_result(*rows))


@pytest.mark.long
def test_repr_is_one_short_line() -> None:
    assert repr(SweepResult(RESULT)) == "SweepResult('quickstart', 6 recipes, best 'A3')"
    assert repr(SweepResult(a_result(FIXED[0]))).endswith("1 recipe, best 'A1')")
    assert repr(SweepResult(a_result())) == "SweepResult('quickstart', 0 recipes)"
    many = many_rows()
    long = Row("x" * 10_000, an_outcome(name="y" * 10_000))
    hostile = SweepResult(a_result(long, name="z\n" * 10_000, title="t" * 10_000))
    for result in (many, hostile):
        for value in (result, result.data, result.findings):
            assert len(repr(value)) < 2000 and "\n" not in repr(value), type(value)


def test_html_shows_the_first_rows() -> None:
    html = many_rows()._repr_html_()
    assert len(html) < 20_000
    assert "980 more" in html and html.count("<tr") == 21
    Page(html)
    assert "more:" not in SweepResult(RESULT)._repr_html_()


@pytest.mark.parametrize("name", EDGES)
def test_every_result_has_both_representations(name: str) -> None:
    result = SweepResult(EDGES[name])
    assert len(repr(result)) < 2000
    Page(result._repr_html_())


def test_html_escapes_names() -> None:
    hostile = '<script>alert(1)</script> & "q"'
    row = Row(hostile, an_outcome(name=hostile))
    for title in (hostile, ""):
        html = SweepResult(a_result(row, name=hostile, title=title))._repr_html_()
        tags = {tag for tag, _ in Page(html).tags}
        assert "script" not in tags
        assert Page(html).text.count("<script>alert(1)</script> & ") == 3


# ---- Equality


def test_results_are_equal_if_their_data_are() -> None:
    result = SweepResult(SEARCHED)
    assert result == SweepResult(copy.deepcopy(SEARCHED), Path("elsewhere"))
    assert result != SweepResult(RESULT)
    assert result != SweepResult(dataclasses.replace(SEARCHED, unfinished=1))
    with_nan = SweepResult(diverged(SEARCHED))
    assert with_nan == SweepResult(copy.deepcopy(with_nan.data)) and with_nan != result


@pytest.mark.parametrize("name", EDGES)
def test_comparing_results_never_raises(name: str) -> None:
    result = SweepResult(EDGES[name])
    for other_name, other in EDGES.items():
        assert (result == SweepResult(other)) is (name == other_name)


OTHERS = [
    None, 0, "quickstart", (), {}, RESULT, FIXED[0].outcome, object(), SweepResult,
    dict(SweepResult(RESULT)), np.zeros(3), pd.DataFrame({"id": ["A1"]}),
]  # fmt: skip


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: type(other).__name__)
def test_a_result_differs_from_anything_else(other: Any) -> None:
    result = SweepResult(RESULT)
    assert (result == other) is False
    assert (result != other) is True
    if not isinstance(other, np.ndarray | pd.DataFrame):  # these compare their elements
        assert (other == result) is False
