"""The first sentence of a report: it answers the title, and nothing on the page contradicts it."""

from __future__ import annotations

import dataclasses
import math
import re
from types import SimpleNamespace
from typing import Any

import pytest
from outcome_builder import build_outcome
from report_cases import EDGES, FIXED, SEARCHED, a_family, a_result, an_outcome, baseline_rows
from report_seen import rendered, text_of

from lstm_bench.analysis import sweep_findings
from lstm_bench.report import _text_tables as text_tables
from lstm_bench.report import terminal_table
from lstm_bench.report._answer import MAX_POINTS, summarize
from lstm_bench.report._description import description, task_sentences
from lstm_bench.report._memory_span_figure import MAX_LABEL, label_lines, predicted_spans_note
from lstm_bench.report._pictures import family_labels
from lstm_bench.report._summary import best_finalist
from lstm_bench.report._tables import several_are_right
from lstm_bench.results import Row
from lstm_bench.statistics import ComparisonQuestion


def answer(name: str) -> str:
    return summarize(sweep_findings(EDGES[name])).answer


def test_every_kind_of_sweep_has_an_answer_of_its_own() -> None:
    assert answer("families").startswith("Of 2 published results that can be tested, 1 is")
    assert answer("two axes").startswith("Half of the seeds still solve the task at a lag of ")
    assert answer("searched").startswith("The simplest recipe that solves the task is confirmed-3")
    assert answer("fixed only") == (
        "All 2 published results that can be tested are reproduced (A2, A3): our seeds contradict "
        "none of them."
    )
    assert answer("search only").startswith("The best recipe is trial-1 (lstm(8) pairs), chosen by")
    assert "Interquartile mean of the score across 5 tasks, 4 seeds each" in answer("across tasks")
    expected = "A1 (lstm(20) pairs) is better than the best baseline: mean error "
    assert answer("baselines").startswith(expected)
    assert answer("baselines of symbols").startswith("A1 (lstm(20) pairs) is better than the best")
    assert answer("nothing finished") == "No recipe has a result yet."


def test_the_one_question_of_a_sweep_is_answered_first() -> None:
    one, two = ({"A": ComparisonQuestion("A3", "A2")}, {"B": ComparisonQuestion("A2", "A3")})
    for questions, first in ((one, "A3 is "), (one | two, "All 2 published results")):
        result = dataclasses.replace(EDGES["fixed only"], comparisons=questions)
        found = summarize(sweep_findings(result))
        assert found.answer.startswith(first)
        assert any(text.startswith("All 2 published results") for text in found.sentences)
        assert ("1 comparison" in " ".join(found.points)) is False


def test_recipes_of_a_file_are_scored_on_the_same_steps() -> None:
    for name, same in (("baselines", True), ("fixed only", False)):
        page = text_of(name)[0]
        assert ("of a file are scored on the same steps" in page) is same
        assert ("different framings are therefore of different steps" in page) is not same


def test_memory_spans_are_listed_from_the_longest_to_the_shortest() -> None:
    """Halves by hand: G is solved at all values, F falls from 6 to 2 of 6 between 8 and 16."""
    families = (*a_family("F", 6, 6, 2, 0), *a_family("G", 6, 6, 6, 6), *a_family("S", 1, 0))
    found = summarize(sweep_findings(a_result(*families)))
    assert found.answer == (
        "Half of the seeds still solve the task at a lag of at least 32 (G), 13 (F) and less than "
        "4 (S)."
    )
    assert not any("best recipe" in sentence for sentence in found.sentences)
    same = (*a_family("F", 6, 6, 6), *a_family("G", 6, 6, 6))
    assert "at a lag of at least 16 (F, G)." in summarize(sweep_findings(a_result(*same))).answer


def test_of_many_memory_spans_the_answer_has_both_ends_and_what_they_are() -> None:
    families = [*a_family("F", 6, 6, 2, 0), *a_family("G", 6, 6, 6, 6), *a_family("S", 1, 0)]
    families += a_family("T", 6, 1, 0)  # half of 6 seeds between 4 and 8: 4 * 2^(3 / 5) = 6.06
    settings = {"task": "memory", "network": "gru", "units": 20, "framing": "whole"}
    described = [
        dataclasses.replace(row, outcome=dataclasses.replace(row.outcome, settings=settings))
        if row.family == "G"
        else dataclasses.replace(row, note="with a <note>")
        for row in families
    ]
    found = summarize(sweep_findings(a_result(*described)))
    assert found.answer == (
        "All 6 seeds solve the task at every lag tested (up to 32) with the best of 4 "
        "families of recipes, a GRU of 20 units that reads whole sequences (G); half of them still "
        "solve it at no lag tested (from 4 on) with the worst, S (lstm(20), pairs)."
    )
    assert "F has a memory span of 13 (" in found.points[1]
    assert found.points[1].endswith("): with a <note>.")
    listed = (
        "All memory spans (lag), longest first: at least 32 (G), 13 (F), 6.1 (T) and less than 4"
    )
    order = "The order of spans is not established where their intervals overlap."
    assert found.points[3] == f"{listed} (S). {order}"


def test_lines_of_one_network_and_framing_say_what_tells_them_apart() -> None:
    def family(name: str, rate: float, *more: str) -> list[Row]:
        rows = a_family(name, 6, 6)
        parts = ", ".join([f"learning rate {rate}", *more])
        return [
            dataclasses.replace(
                row,
                outcome=dataclasses.replace(row.outcome, name=f"{row.outcome.name}, {parts}"),
            )
            for row in rows
        ]

    rows = [*family("A", 0.01), *family("B", 0.03, "forget bias 3"), *family("C", 0.01, "decay d")]
    assert family_labels(sweep_findings(a_result(*rows)).families) == {
        "A": "A: lstm(20), pairs",
        "B": "B: lstm(20), pairs, forget bias 3",
        "C": "C: lstm(20), pairs, decay d",
    }
    rows = [*family("A", 0.01), *family("B", 0.03), *family("C", 0.01, "decay d")]
    labels = family_labels(sweep_findings(a_result(*rows)).families)
    assert labels["A"] == "A: lstm(20), pairs, learning rate 0.01"
    assert labels["B"] == "B: lstm(20), pairs, learning rate 0.03"
    assert labels["C"] == "C: lstm(20), pairs, decay d"


@pytest.mark.parametrize(
    ("label", "lines"),
    [
        ("whole: lstm(20), whole", ["whole: lstm(20), whole"]),
        (
            "chrono_weighted: lstm(20), whole, forget bias chrono, recall weight 10",
            ["chrono_weighted: lstm(20), whole,", "forget bias chrono, recall weight 10"],
        ),
        ("x" * 50 + ", whole", ["x" * 43 + "…", "whole"]),
        (
            "x" * 30 + ", " + "y" * 30 + ", " + "z" * 30,
            ["x" * 30 + ",", "y" * 30 + ", " + "z" * 11 + "…"],
        ),
    ],
)
def test_a_long_label_has_two_lines(label: str, lines: list[str]) -> None:
    assert label_lines(label).split("\n") == lines
    assert max(map(len, lines)) <= MAX_LABEL


def test_one_solve_rate_has_one_interval_in_the_first_sentences() -> None:
    """Wilson's of 20 of 20 is [83.9, 100]; that for both finalists at once is wider."""
    findings = sweep_findings(EDGES["searched by solve rate"])
    found = summarize(findings)
    assert "20 of 20 fresh seeds solve it (95 % Wilson interval [83.9, 100.0] %)." in found.answer
    points = " ".join(found.points)
    assert (
        "the best of 2 finalists is confirmed-3 (lstm(20) pairs), with solve rate 100.0 %" in points
    )
    assert "interval" not in points
    assert [text for text in found.details if "solve rate" in text] == []
    assert "solve rate 100.0 % (95 % interval [" in " ".join(best_finalist(findings))


def test_equally_good_recipes_are_counted_and_the_simplest_is_named() -> None:
    rows = (Row(f"X{k}", an_outcome(f"{k:012}", (4, 4, 4), parameters=9 - k)) for k in range(3))
    text = summarize(sweep_findings(a_result(*rows))).answer
    assert text.startswith(
        "3 recipes score the same and highest; the simplest of them, by parameters times weight "
        "updates, is X2 (lstm(20) pairs): accuracy 100.0 % ("
    )


@pytest.mark.long
@pytest.mark.parametrize("name", EDGES)
def test_a_page_has_one_answer_and_a_few_points(name: str) -> None:
    found = summarize(sweep_findings(EDGES[name]))
    assert found.answer.endswith(".") and len(found.points) <= MAX_POINTS
    assert len(set(found.sentences)) == len(found.sentences)
    page, markdown, _ = text_of(name)
    assert found.answer.split(" (")[0] in page.replace("\u00a0", " ").replace("−", "-")
    assert markdown.split("\n\n")[1].startswith("**")
    assert not re.search(r"\b(True|False|None(?! of))\b", " ".join(found.sentences))


def test_a_forecast_that_is_not_known_to_be_better_is_nowhere_called_solved() -> None:
    worse = a_result(baseline_rows(True)[1])
    found = summarize(sweep_findings(worse))
    assert "is worse than the best baseline" in found.answer
    for sentence in found.sentences:
        assert "solve" not in sentence
    table = text_tables.fixed(sweep_findings(worse))
    assert "Seeds with skill > 0" in table.titles and "Solved" not in table.titles
    for sentence in str(terminal_table(worse).caption).splitlines():
        assert "solve" not in sentence


def test_sources_are_linked_at_published_figures_and_escaped() -> None:
    from lstm_bench.report import _page as page

    address = "https://example.org/a(b)?c=1&d=%22"
    row = dataclasses.replace(FIXED[1], source="Ann (1997) <b>", url=address)
    files = page.render(a_result(row, FIXED[0], source="the tutorial"))
    html, markdown = files["index.html"].decode(), files["report.md"].decode()
    assert (
        'href="https://example.org/a(b)?c=1&amp;d=%22" rel="noreferrer">Ann (1997) &lt;b&gt;'
        in html
    )
    assert "[Ann (1997) &lt;b>](https://example.org/a%28b%29?c=1&d=%22)" in markdown
    table = text_tables.published(sweep_findings(a_result(row, FIXED[0])).reproductions, SEARCHED)
    assert [line[-1] for line in table.rows] == ["Ann (1997) <b>", "–"]
    assert "Source: the tutorial" in markdown


def test_figures_are_as_wide_as_a_page_or_a_column_of_a_paper() -> None:
    """7 and 3.35 inches are 504 and 241.2 points; the fonts are in the PDF files."""
    files = rendered("families")
    for name, width in (("horizon.pdf", b"504"), ("horizon-column.pdf", b"241.2")):
        content = files[f"figures/{name}"]
        assert b"/MediaBox [ 0 0 " + width in content
        assert b"/FontFile2" in content
    sizes = re.findall(r"font-size: ([\d.]+)px", files["figures/horizon.svg"].decode())
    assert {float(size) for size in sizes} <= {7.5, 8.0}
    assert "figures/accuracy-column.pdf" not in files


def test_marks_of_figures_say_what_they_are() -> None:
    html = rendered("fixed only")["index.html"].decode()
    assert html.count("<title>seed ") == 9
    assert "<title>seed 1: 75.0 %</title>" in html
    spans = rendered("two axes")["index.html"].decode()
    assert "<title>F, lag 4: 6 of 6 seeds solve it</title>" in spans
    assert "<title>F, lag 8: 2 of 6 seeds solve it</title>" in spans


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"network": "gru", "units": 19, "framing": "whole"},
            "a GRU of 19 units that reads whole sequences",
        ),
        (
            {"network": "lstm", "units": 4, "framing": "chunks", "chunk": 5, "bidirectional": True},
            "a bidirectional LSTM of 4 units that reads pieces of 5 steps",
        ),
        ({"network": "lstm", "units": 4, "framing": "window", "window": None}, ""),
        ({"network": "nets:build", "units": 4, "framing": "whole"}, ""),
        ({"network": "lstm", "units": 4, "framing": "of my own"}, ""),
        ({}, ""),
    ],
)
def test_what_a_recipe_is_in_words_where_its_parts_are_known(
    settings: dict[str, Any], words: str
) -> None:
    assert description(settings) == words


def test_tasks_are_described_with_the_values_that_all_rows_share() -> None:
    def a_row(name: str, **settings: Any) -> Row:
        return Row(name, build_outcome([1.0], settings=settings))

    rows = [a_row("A", task="echo", delay=3), a_row("B", task="memory", lag=5)]
    (text,) = task_sentences([*rows, a_row("C", task="memory", lag=9), a_row("D", task="mine")])
    assert text.startswith("Tasks. echo: Repeat the symbol of 3 steps ago, at every step")
    assert "memory: Predict the next symbol; the last one repeats the first, “lag” steps" in text
    assert "mine" not in text
    assert task_sentences([a_row("D", task="mine")]) == []


def test_results_that_cannot_be_tested_are_counted_and_named() -> None:
    rows = [Row("A", build_outcome([1.0] * 20), claim="solved")]
    rows += [Row(name, build_outcome([1.0] * 20), published="in words") for name in ("B", "C")]
    found = summarize(sweep_findings(a_result(*rows)))
    assert "2 further published results name neither a figure nor a claim: B, C." in found.points
    (alone,) = [t for t in found.sentences if t.startswith("The published result")]
    assert alone == "The published result that can be tested is reproduced (A)."


def test_a_symbol_that_was_not_the_next_one_may_be_right() -> None:
    """As in the Reber grammar; numbers that are near enough are right for another reason."""
    steps = [(0, 0, 0, "B", "T", "P", True), (0, 0, 1, "T", "X", "X", True)]
    symbols = build_outcome([1.0], columns={"balanced_accuracy": [1.0]}, predictions=steps)
    assert several_are_right(symbols)
    next_ones = build_outcome([1.0], columns={"balanced_accuracy": [1.0]}, predictions=steps[1:])
    assert not several_are_right(next_ones)
    assert not several_are_right(build_outcome([1.0], predictions=steps))  # no symbols


def test_a_caption_counts_the_predicted_spans_that_hold() -> None:
    def a_family_of(bias: float, low: float, high: float) -> Any:
        # After t steps a cell has kept sigmoid(b)^t: 1e-5 at t = ln(1e-5) / ln(sigmoid(b)).
        predicted = math.log(1e-5) / math.log(1 / (1 + math.exp(-bias)))
        span = SimpleNamespace(low=low, high=high)
        return SimpleNamespace(span=span, predicted=predicted)

    families = [
        a_family_of(1.0, 32, 64),  # 37
        a_family_of(3.0, 32, 64),  # 237
        a_family_of(5.0, 1024, math.inf),  # 1715, beyond the axis
        a_family_of(1.0, math.nan, math.nan),
        SimpleNamespace(span=None, predicted=None),
    ]
    assert "for 2 of 3 families" in predicted_spans_note(families)
    assert predicted_spans_note(families[-1:]) == ""


def test_one_result_that_cannot_be_tested_is_singular() -> None:
    rows = [Row("A", build_outcome([1.0] * 20), claim="solved")]
    rows.append(Row("B", build_outcome([1.0] * 20), published="in words"))
    found = summarize(sweep_findings(a_result(*rows)))
    assert "1 further published result names neither a figure nor a claim: B." in found.points
