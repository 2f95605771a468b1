"""Verdicts, comparisons and memory spans in a report."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest
from report_cases import EDGES
from report_seen import rendered, text_of
from scipy import stats

from lstm_bench.analysis import sweep_findings
from lstm_bench.report import _page as page
from lstm_bench.report._answer import summarize
from lstm_bench.report._terminal_table import terminal_table


def test_summary_has_counts_best_recipe_and_what_is_missing() -> None:
    def sentences(name: str) -> str:
        return " ".join(summarize(sweep_findings(EDGES[name])).sentences)

    text = sentences("all sorts")
    assert "15 training runs: 3 fixed recipes and 2 recipes found by search, on 3 seeds" in text
    assert "The best recipe is A3 (gru(20) pairs): accuracy 100.0 % (the same for all 3" in text
    assert "solved by 3 of 3 seeds (95 % Wilson interval [43.9, 100.0] %)" in text
    assert "1 was solved by every seed (A3), 1 by some seeds (A1) and 1 by no seed (A2)" in text
    missing = "2 recipes of the sweep have no result yet and are left out below."
    assert missing in sentences("unfinished")
    assert sentences("nothing finished").startswith("No recipe has a result yet. 3 recipes of")
    assert "chosen by the same seeds that score it" in sentences("search only")


def test_verdicts_comparisons_and_memory_spans_are_in_every_form() -> None:
    for lines in text_of("families"):
        text = " ".join(lines.split())
        assert "reproduced" in text
        assert "A3 is higher than A2 in accuracy" not in text
        assert "A1 is higher than A2 in accuracy, by 41.7 points" in text
        assert "A3 is solved more often than A2, by 100 points" in text
        assert "> 32" in text and "does not fall" in text
    page_text = " ".join(text_of("families")[0].split())
    assert "Of 2 published results that can be tested, 1 is reproduced (A1) and 1" in page_text
    assert "None of 4 differences can be told yet (A1 to A2, " in page_text
    assert "2 of 3 seeds solve it: one run often does." in page_text
    assert "said to equal A1" in page_text


def test_empty_sections_are_left_out() -> None:
    headings = ("Compared with published results", "differences are real", "Memory span")
    for heading in headings:
        assert heading in text_of("families")[0] and heading in text_of("families")[1]
    assert {"published.csv", "comparisons.csv", "horizon.csv"}.isdisjoint(rendered("many fixed"))
    for text in text_of("many fixed"):
        for heading in headings:
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
    spans = read("horizon").set_index("family")
    assert spans.loc["F", "half"] == pytest.approx(2 ** (3 + 3 / 4))
    assert spans.loc["G", "half"] == np.inf
    rates = read("rates")
    assert rates[rates["family"] == "F"]["solved"].tolist() == [6, 6, 2, 0]
    assert rates["seeds"].unique().tolist() == [6]


def test_networks_are_compared_with_baselines_in_every_form() -> None:
    for name in ("baselines", "baselines of symbols"):
        page_text, markdown, terminal = (" ".join(text.split()) for text in text_of(name))
        for text in (page_text, markdown, terminal):
            assert "A1 (lstm(20) pairs) is better than the best baseline: " in text
        for text in (page_text, markdown):
            assert "Better than a baseline?" in text and "Baselines need no network" in text
    for text in text_of("fixed only"):
        assert "aseline" not in text
    assert "figures/forecast.svg" in rendered("baselines")
    assert "figures/forecast.svg" not in rendered("baselines of symbols")  # no axis for symbols
    assert "so there is no interval" in text_of("baselines on few steps")[0]


def test_the_coverage_of_forecast_intervals_is_counted_on_the_steps_never_seen() -> None:
    table = pd.read_csv(io.BytesIO(rendered("intervals")["intervals.csv"]))
    (row,) = EDGES["intervals"].rows
    steps = row.outcome.predictions
    errors = (steps["predicted"] - steps["expected"]).abs()
    parts = {
        "all": steps["step"] >= 0, "the first third": steps["step"] < 13,
        "the last third": steps["step"] >= 27,
    }  # fmt: skip
    for level, width in ((80, 0.6), (95, 0.4)):
        found = table[table["level"] == level].set_index("part")
        for part, chosen in parts.items():
            assert found.loc[part, "coverage"] == pytest.approx((errors[chosen] <= width).mean())
        assert (found["half_width"] == width).all() and (found["calibration_rows"] == 30).all()
        series = [errors[steps["sequence"] == number] <= width for number in (1, 2)]
        of_series = found[found.index.str.startswith("the series of ")]["coverage"]
        assert sorted(of_series) == pytest.approx(sorted(part.mean() for part in series))
    whole = table.iloc[1]
    assert (whole["level"], whole["verdict"]) == (95, "below")
    k = round(whole["coverage"] * 40)
    wilson = stats.binomtest(k, 40).proportion_ci(method="wilson")
    assert (whole["binomial_low"], whole["binomial_high"]) == pytest.approx(tuple(wilson))
    for text in text_of("intervals")[:2]:  # the page and the Markdown file
        words = " ".join(text.split())
        assert "Forecast intervals of confirm-1: " in words and "below nominal" in words
        assert "of 40 steps lie in its 95 % intervals" in words
    one = pd.read_csv(io.BytesIO(rendered("intervals of one level")["intervals.csv"]))
    assert set(one["level"]) == {80}
    assert "intervals.csv" not in rendered("baselines")


def test_the_table_of_baselines_holds_the_mean_errors() -> None:
    table = pd.read_csv(io.BytesIO(rendered("baselines")["naive.csv"]))
    assert table["id"].tolist() == ["A1", "A1", "A2", "A2"]
    for row, (_, rows) in zip(EDGES["baselines"].rows, table.groupby("id"), strict=True):
        predictions = row.outcome.predictions
        errors = {
            name: (predictions[f"naive: {name}"] - predictions["expected"]).abs().mean()
            for name in ("last value", "median")
        }
        network = (predictions["predicted"] - predictions["expected"]).abs().mean()
        assert rows["naive"].tolist() == sorted(errors, key=errors.__getitem__)
        assert rows["naive_error"].tolist() == pytest.approx(sorted(errors.values()))
        assert rows["network_error"].tolist() == pytest.approx([network] * 2)
        gains = [error - network for error in sorted(errors.values())]
        assert rows["difference"].tolist() == pytest.approx(gains)
        assert rows["verdict"].notna().tolist() == [True, False]  # that of the best baseline
    assert table["verdict"].dropna().tolist() == ["better", "worse"]


@pytest.mark.long
def test_every_family_is_a_line() -> None:
    svg = rendered("families")["figures/horizon.svg"].decode()
    assert len(re.findall(r'<g id="family-\d">', svg)) == 3
    for text in (">Lag<", ">Seeds that solve the task, %<", ">32<", "F: lstm(20), pairs<"):
        assert text in svg
    files = {name for name in rendered("two axes") if "horizon" in name}
    ends = (".svg", ".pdf", "-column.pdf")
    figures = {f"figures/horizon-{k}{end}" for k in (1, 2) for end in ends}
    assert files == {*figures, "horizon.csv"}
    assert "figures/horizon-2.svg" in rendered("many families")
    assert page.render(EDGES["families"]) == rendered("families")


def test_published_trials_and_recipes_that_were_not_run_are_in_every_form() -> None:
    for form in text_of("published trials")[:2]:
        text = " ".join(form.split())
        assert "Published success rates" in text and "Published numbers of training" in text
        assert "8,440" in text and "2/3" in text and "97/100" in text
        assert "2 seeds of ours solved it; it takes 5 to say." in text
        assert "No seeds of ours solved it; it takes 5 to say." in text
        assert "Recipes that were not run" in text
        assert "accuracy 50.0 %; claim: never; 10/10 solved; 853,000 sequences" in text
        assert "not run: takes long; run with --full" in text
        assert "None of 2 published numbers of training sequences can be told (A1, A2)." in text
    for form in text_of("claims")[:2]:
        assert "Published success rates" not in form and "not run" not in form
    table = pd.read_csv(io.BytesIO(rendered("published trials")["published.csv"]))
    assert table["published_solved"].tolist() == [2, 30, 97]
    assert table["sequences_mean"].tolist()[0] == 105
    assert table["sequences_verdict"].isna().tolist() == [False, False, True]


def test_the_terminal_names_recipes_that_were_not_run() -> None:
    caption = str(terminal_table(EDGES["nothing but recipes that were not run"]).caption)
    assert "2 recipes were not run (T | 1, T2): they take long; run with --full." in caption
    caption = str(terminal_table(EDGES["published trials"]).caption)
    assert "Of 3 published success rates, " in caption
