"""Published trials of a row beside its seeds."""

import numpy as np
import pytest
from outcome_builder import build_outcome

from lstm_bench.analysis._findings import sweep_findings
from lstm_bench.analysis._reproduction import figures_by_chance
from lstm_bench.report._tables import published as published_table
from lstm_bench.results import NotRun, Row, SweepData

SOLVED = [1.0] * 18 + [0.5] * 2
COUNTS = [*np.linspace(900, 1100, 18), np.nan, np.nan]


def findings_of(*rows, **more):
    return sweep_findings(SweepData("s", "", "", rows, None, {}, **more))


def a_row(id_="A", columns=None, settings=None, **published):
    given = {"sequences": COUNTS} if columns is None else columns
    fields = {"settings": {"task": "memory", **settings}} if settings else {}
    return Row(id_, build_outcome(SOLVED, columns=given, **fields), **published)


def test_both_verdicts_are_of_the_rows_own_seeds():
    row = a_row(published_success=(18, 20), published_sequences=2000.0)
    (item,) = findings_of(row).reproductions
    assert item.verdict is None and item.rank is None and not item.has_result
    document = item.document()
    assert document["success"]["ours"] == [18, 20]
    assert document["success"]["verdict"] == "reproduced"
    assert document["sequences"]["mean"] == pytest.approx(1000)
    assert document["sequences"]["n"] == 18
    assert document["sequences"]["ratio"] == pytest.approx(0.5)
    assert document["sequences"]["verdict"] == "not reproduced"


def test_seeds_that_were_not_counted_cannot_tell():
    row = a_row(columns={}, published_success=(20, 20), published_sequences=2000.0)
    (item,) = findings_of(row).reproductions
    sequences = item.document()["sequences"]
    assert (sequences["verdict"], sequences["mean"]) == ("cannot tell", None)
    assert "set stop or stop_after_solved" in sequences["why"]


def test_whole_epochs_are_said_to_be_upper_limits():
    published = {"published_success": (20, 20), "published_sequences": 1000.0}
    by_rule = a_row(settings={"stop": "rule"}, **published)
    by_epochs = a_row(settings={"stop_after_solved": 2}, **published)
    for row, said in ((by_rule, False), (by_epochs, True)):
        (item,) = findings_of(row).reproductions
        assert ("upper limits" in item.document()["sequences"]["why"]) == said


def test_where_it_was_not_published_how_many_succeeded_no_rate_is_judged():
    unknown = a_row(published_success=(None, 20), published_sequences=1000.0)
    known = a_row(published_success=(20, 20), published_sequences=1000.0)
    (item,) = findings_of(unknown).reproductions
    (other,) = findings_of(known).reproductions
    assert "success" not in item.document() and "success" in other.document()
    sequences = item.document()["sequences"]
    assert sequences["why"].startswith(other.document()["sequences"]["why"])
    assert "How many trials succeeded was not published" in sequences["why"]
    assert (item.record()["published_solved"], item.record()["published_trials"]) == (None, 20)


def test_too_few_successes_are_held_against_those_that_the_published_mean_makes_sure():
    published = {"published_success": (None, 20), "published_sequences": 31_000.0}

    def judged(**of_recipe):
        given = {"task": "memory", "stop": "rule", **of_recipe}
        columns = {"sequences": [np.nan] * 30}
        outcome = build_outcome([0.5] * 30, columns=columns, settings=given)
        return findings_of(Row("A", outcome, **published)).reproductions[0]

    item = judged(epochs=300, train=1000)
    assert item.trials.sequences_verdict.word == "not reproduced"
    assert "within 300,000 sequences, but 18 or more of 20" in item.trials.sequences_verdict.reason
    assert judged().trials.sequences_verdict.word == "cannot tell"  # not known what ours had


def test_a_rate_alone_has_no_verdict_on_sequences():
    (item,) = findings_of(a_row(published_success=(20, 20))).reproductions
    assert "sequences" not in item.document() and item.trials.sequences_verdict is None


def test_the_table_has_further_columns_only_with_published_trials():
    plain = findings_of(a_row(published="all right", claim="solved")).reproductions
    columns = list(published_table(plain))
    assert columns[-5] == "why" and "success" not in plain[0].document()
    both = findings_of(
        a_row(published="all right", claim="solved"),
        a_row("B", published_success=(20, 20), published_sequences=2000.0),
    ).reproductions
    table = published_table(both)
    assert list(table)[: len(columns)] == columns
    assert list(table)[len(columns)] == "published_solved" and list(table)[-1] == "sequences_why"
    assert table["published_trials"].tolist()[1] == 20 and table["published_trials"].isna()[0]


def test_recipes_that_were_not_run_are_in_the_document_alone():
    left_out = NotRun("F", "lstm(4)", published_success=(10, 10), published_sequences=853_000.0)
    document = findings_of(a_row(), not_run=(left_out,)).document()
    (entry,) = document["not_run"]
    assert entry["why"] == "takes long; run with --full"
    assert entry["published_success"] == [10, 10] and entry["published_sequences"] == 853_000
    assert "not_run" not in findings_of(a_row()).document()
    assert list(document["recipes"]) == ["A"]


def test_a_figure_has_a_verdict_of_its_own_and_one_as_one_of_all_figures():
    accuracy = np.linspace(0.5, 0.6, 60)
    outcomes = [build_outcome(accuracy, columns={}) for _ in range(3)]
    rows = [
        Row(name, outcome, published="", published_accuracy=figure)
        for name, outcome, figure in zip("ABC", outcomes, (0.5511, 0.5009, 0.9), strict=True)
    ]
    findings = findings_of(*rows)
    words = [(item.verdict.word, item.familywise) for item in findings.reproductions]
    # The figure of B lies between the first and the second of 60 seeds, that of C above all: both
    # have 2 / 61 <= p <= 4 / 61; Holm takes three times that of C, 6 / 61.
    assert words == [
        ("reproduced", "reproduced"),
        ("not reproduced", "cannot tell"),
        ("not reproduced", "not reproduced"),
    ]
    # With 61 / 20 = 3.05 of 60 seeds on either side: 0.5 + 2.05 * 0.1 / 59 = 0.5035.
    assert findings.reproductions[1].verdict.reason == "Prediction interval (90 %): 50.3 to 59.7 %."
    record = findings.reproductions[2].record()
    assert list(record)[-4:] == [
        "further_low",
        "further_high",
        "rank_p_holm",
        "familywise_verdict",
    ]
    assert record["rank_p_holm"] == pytest.approx(6 / 61)
    sentence = figures_by_chance(findings.reproductions)
    assert sentence.startswith(
        "3 of the published results are figures with enough seeds to be rejected. If each came "
        "from a run like ours, chance alone would make 0.3 of them "
    )
    share = "2 are (2.8 % of such pages have as many or more, if they are independent)"
    assert f"{share}; as one of 3 figures, 1 of" in sentence
    assert figures_by_chance(findings.reproductions[:1]) == ""
