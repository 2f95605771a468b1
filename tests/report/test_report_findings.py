"""Verdicts, comparisons and horizons, as a report tells them."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest
from report_cases import EDGES, RESULT
from report_seen import rendered, text_of
from scipy import stats

from lstm_bench.analysis import _findings as findings
from lstm_bench.analysis._facts import report_facts
from lstm_bench.report import _page as page
from lstm_bench.report import _text_tables as grids
from lstm_bench.report._summary import summary


def test_summary_says_what_was_found() -> None:
    said = " ".join(summary(report_facts(RESULT)))
    assert "3 fixed recipes and 2 recipes found by search, trained on 3 seeds each: 15" in said
    assert "The best recipe is A3 (gru(20) pairs): accuracy 100.0 % (the same for all 3" in said
    assert "solved by 3 of 3 seeds (95 % Wilson interval [43.9, 100.0] %)" in said
    assert "1 was solved by every seed (A3), 1 by some seeds (A1) and 1 by no seed (A2)" in said
    missing = summary(report_facts(EDGES["unfinished"]))[-1]
    assert "2 recipes were asked for and have no result yet" in missing
    assert summary(report_facts(EDGES["nothing finished"]))[0] == "No recipe has a result yet."
    assert (
        "picked on the same seeds that score it" in summary(report_facts(EDGES["search only"]))[1]
    )


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
