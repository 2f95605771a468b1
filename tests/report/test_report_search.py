"""A search in a report."""

from __future__ import annotations

import dataclasses
import io
import re

import pandas as pd
import pytest
from report_cases import RESULT, SEARCHED, TRIALS
from report_seen import page_of, rendered, text_of

from lstm_bench.analysis import sweep_findings
from lstm_bench.report import SweepResult
from lstm_bench.report import _page as page
from lstm_bench.report import _tables as tables
from lstm_bench.report import _text_tables as text_tables
from lstm_bench.report import _wording as wording
from lstm_bench.report._answer import summarize
from lstm_bench.report._summary import best_finalist


def test_best_trials_come_first_and_once() -> None:
    trials = [(row.id, repeats) for row, repeats in sweep_findings(RESULT).trials]
    assert trials == [("trial-1", []), ("trial-0", ["trial-2"])]
    assert tables.shared_and_varying_settings(TRIALS) == (
        {"task": "memory", "epochs": 30, "stateful": True},
        ["units"],
    )


SECTIONS = (
    "Search history",
    "Finalists on fresh seeds",
    "The simplest recipe that solves the task",
    "Importance of settings",
    "Failed recipes",
)


def test_a_search_has_its_sections_in_order_without_the_empty_ones() -> None:
    html, markdown = page_of("searched"), rendered("searched")["report.md"].decode()
    html = re.sub(r'<h2 id="part-\d+">', "<h2>", html)
    for text, form in ((html, "<h2>{}</h2>"), (markdown, "## {}")):
        places = [text.index(form.format(title)) for title in SECTIONS]
        assert places == sorted(places)
    for title in SECTIONS:
        assert title not in text_of("fixed only")[0]
    few = text_of("trials only")[0]
    assert SECTIONS[0] in few and "no recipe was run again" in few.lower()
    assert not any(title in few for title in (SECTIONS[1], *SECTIONS[3:]))
    assert "Too few." in text_of("importance unknown")[0]
    assert "Failed recipes" in text_of("nothing but failures")[0]


@pytest.mark.long
def test_the_figures_of_a_search_are_labelled() -> None:
    def svg(stem: str) -> str:
        return rendered("searched")[f"figures/{stem}.svg"].decode()

    stems = ("history", "confirmation", "front", "ablation", "importance", "effects", "variance")
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page_of("searched"), re.DOTALL)
    assert len(captions) == len(stems) + 2  # accuracy and learning curves as well
    assert [text for text in captions if "n = " not in text] == []
    for stem, texts in {
        "history": (">all seeds<", ">stopped after 2 seeds<", ">drawn at random until here<"),
        "confirmation": (
            ">in the search<",
            ">on fresh seeds<",
            "4 \u2192 20 seeds",
            ">Accuracy, %<",
        ),
        "front": (">simplest: confirmed-3<", ">bar: 80 %<", ">Seeds that solve the task, %<"),
        "ablation": (">epochs back to 5<", ">Difference in accuracy, points<"),
        "importance": ("(fANOVA)<", "(PED-ANOVA)<", ">seeds<", ">batch size<"),
        "effects": (">stateful true against false<", ">n = 4<", "percentage points<"),
        "variance": (">initial weights<", ">only in combination<"),
    }.items():
        for text in texts:
            assert text in svg(stem), (stem, text)
    assert len(re.findall("<use ", svg("history").split('<g id="full"')[1].split("</g>")[0])) == 4
    assert page.render(SEARCHED) == rendered("searched")


def test_the_figure_of_ablations_is_in_percentage_points() -> None:
    result = SweepResult(SEARCHED)
    rates, scores = result.plot("ablation").axes
    for axes, measure in ((rates, "rate"), (scores, "score")):
        comparisons = [getattr(ablation, measure) for ablation in result.findings.ablations]
        lines = axes.get_lines()[1:]  # the first one marks 0
        for comparison, interval, dot in zip(comparisons, lines[::2], lines[1::2], strict=True):
            ends = [100 * end for end in comparison.interval]
            assert list(interval.get_xdata()) == pytest.approx(ends, nan_ok=True)
            assert list(dot.get_xdata()) == pytest.approx([100 * comparison.difference])


def test_the_front_does_not_hide_the_intervals_of_its_recipes() -> None:
    """Where it rises at a recipe's cost, it is a pale band behind the recipe's interval."""
    (axes,) = SweepResult(SEARCHED).plot("front").axes
    lines = axes.get_lines()
    (front,) = (line for line in lines if line.get_gid() == "front-line")
    others = [line for line in lines if line is not front and len(line.get_xdata()) == 2]
    upright = [line for line in others if len({*line.get_xdata()}) == 1]
    assert {line.get_xdata()[0] for line in upright} & set(front.get_xdata())
    for interval in upright:
        assert interval.get_zorder() > front.get_zorder()
        assert interval.get_linewidth() < front.get_linewidth() / 2
    assert front.get_alpha() < 0.5


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
    # Three ablations and an effect are four questions; the score is answered before the rate.
    score = back[(back["setting"] == "epochs") & (back["measure"] != "solve_rate")].iloc[0]
    assert worse["p_holm"] == pytest.approx(4 * score["p"]) == score["p_holm"]
    importance = read("importance").set_index("setting")
    seeds = read("variance").set_index("source")["share"]
    assert importance["fanova_of_all"].sum() + seeds["seeds"] == pytest.approx(1)
    assert seeds[["data", "init", "order", "together"]].sum() == pytest.approx(1)
    effect, contexts = read("effects").iloc[0], read("contexts")
    assert effect["difference"] == pytest.approx(contexts["difference"].mean())
    assert len(contexts) == effect["contexts"] == 4
    assert read("failed").loc[0].tolist() == ["trial-5", "lstm(6) pairs", "out of memory <b>"]


def test_stopped_recipes_come_last_and_are_marked() -> None:
    table = text_tables.trials(sweep_findings(SEARCHED))
    seeds = table.titles.index("Seeds")
    assert [(line[0], line[1], line[seeds]) for line in table.rows] == [
        ("1", "trial-1", "4"),
        ("2", "trial-3", "4"),
        ("3", "trial-0", "4"),
        (wording.NONE, "trial-2", "2, stopped"),
    ]


def test_confirmed_recipes_are_above_the_trials() -> None:
    svg = rendered("searched")["figures/accuracy.svg"].decode()
    assert "chosen by the seeds that score them" in svg
    for place, id_ in enumerate(("A1", "A2", "confirmed-3", "confirmed-1")):
        assert f'<g id="seeds-{place}"' in svg, id_
    assert '<g id="seeds-4"' not in svg and '<g id="seeds-5"' in svg
    console = " ".join(text_of("searched")[2].split())
    assert "or search %" in console
    assert "confirmed-3" in console and "trial-1 " not in console
    assert "93.8" in console  # the score of confirmed-3 in the search
    assert "The simplest recipe that solves the task is confirmed-3" in console
    assert "trial-5 failed: out of memory <b>" in console
    assert "4 searched recipes in the report" in console


def test_a_setting_is_named_only_where_it_beats_chance() -> None:
    def said(p: float | None) -> str:
        settings = [{"key": "units", "fanova": 0.75, "ped_anova": 0.5, "p": p}]
        analysis = {**SEARCHED.analysis, "importance": {"trials": 30, "settings": settings}}
        changed = dataclasses.replace(SEARCHED, analysis=analysis)
        return " ".join(summarize(sweep_findings(changed)).sentences)

    assert "the setting that explains the score best is units" in said(0.05)
    assert "no setting explains the score beyond chance: the least p is 0.66, of" in said(0.66)
    assert "explains the score best" not in said(0.66) + said(None)


def test_the_setting_that_beats_chance_is_named_where_another_has_the_larger_share() -> None:
    settings = [
        {"key": "epochs", "fanova": 0.5, "ped_anova": 0.1, "p": 0.9},
        {"key": "units", "fanova": 0.3, "ped_anova": 0.5, "p": 0.01},
        {"key": "layers", "fanova": 0.2, "ped_anova": 0.4, "p": 0.001},
    ]
    analysis = {**SEARCHED.analysis, "importance": {"trials": 30, "settings": settings}}
    changed = dataclasses.replace(SEARCHED, analysis=analysis)
    text = " ".join(summarize(sweep_findings(changed)).sentences)
    assert "the setting that explains the score best is units (p 0.01). It has 30.0 %" in text


def test_the_smallest_network_is_named_where_the_cheapest_is_larger() -> None:
    """Cost is parameters times updates, so the simplest recipe may have the most parameters."""
    point = sweep_findings(SEARCHED).simplest.point
    assert point is not None
    more = point.row.outcome.updates * point.row.outcome.parameters
    smaller = dataclasses.replace(point.row.outcome, parameters=9, updates=more, digest="9" * 12)
    rows = [
        dataclasses.replace(row, outcome=smaller) if row.id == "confirmed-1" else row
        for row in SEARCHED.rows
    ]
    found = summarize(sweep_findings(dataclasses.replace(SEARCHED, rows=tuple(rows))))
    assert "is confirmed-3 (" in found.answer
    assert "The smallest network that solves it is confirmed-1 (" in found.points[0]
    assert f": 20 of 20, 9 parameters times {more:,} updates." in found.points[0]
    assert "smallest" not in " ".join(summarize(sweep_findings(SEARCHED)).sentences)


def test_the_summary_has_the_findings_of_the_search() -> None:
    text = " ".join(summarize(sweep_findings(SEARCHED)).sentences)
    for sentence in (
        "On 20 fresh seeds the best of 2 finalists is confirmed-3 (lstm(20) pairs), with "
        "accuracy 100.0 %",
        "; its score in the search was 93.8 %.",
        "The winner of the search, trial-1 (lstm(9) pairs), had accuracy 100.0 % in the search and "
        "90.0 % on 20 fresh seeds: 10.0 points lower.",
        "The simplest recipe that solves the task is confirmed-3 (lstm(20) pairs): 20 of 20 fresh "
        "seeds solve it (95 % Wilson interval [83.9, 100.0] %).",
        "Simplest means the lowest cost, here ",
        "Of 2 differences from setting one setting back to the reference, 1 is real (epochs) and "
        "1 cannot be told yet (units).",
        "Among 3 random trials the setting that explains the score best is units (p 0.01). It has "
        "75.0 % of what settings explain; alone it explains [40.0, 90.0] % of all variance",
        "The effect of a switch changed alone cannot be told yet (stateful true against false).",
        "Stopping 1 of 4 searched recipes early saved 12.5 % of the seed runs.",
        "1 recipe failed (trial-5).",
    ):
        assert sentence in text, sentence
    assert "chosen by the same seeds" not in text


def test_finalists_that_score_the_same_are_named_together() -> None:
    findings = sweep_findings(SEARCHED)
    first = findings.confirmations.finalists[0]
    equal = dataclasses.replace(findings.confirmations, finalists=(first, first, first))
    changed = dataclasses.replace(findings, confirmations=equal)
    assert best_finalist(changed) == [
        "All 3 finalists score the same on 20 fresh seeds: accuracy 100.0 % "
        "(all 20 equal, n too small)."
    ]
