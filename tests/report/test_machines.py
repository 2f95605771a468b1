"""What a report says about the machines of a cluster that ran its seeds."""

import pandas as pd
import pytest
from outcome_builder import build_outcome
from report_cases import a_result

from lstm_bench.report import _tables as tables
from lstm_bench.report._text_tables import provenance
from lstm_bench.results import Row, merge_outcomes
from lstm_bench.results._storage import pack_outcome, unpack_outcome


def an_outcome(seeds, host="", processor="EPYC", digest="a" * 12):
    place = {"host": host, "processor": processor, "versions": "keras 3"} if host else {}
    return build_outcome([1.0] * len(seeds), seeds, place, digest=digest)


HERE, ONE, OTHER = an_outcome([0]), an_outcome([1, 2], "n1"), an_outcome([3], "n2", "Xeon")


def facts(*outcomes):
    rows = [Row(f"A{number}", outcome) for number, outcome in enumerate(outcomes)]
    known = {"processor": "EPYC, 8 cores"}
    return dict(provenance(a_result(*rows, provenance=known)).rows)


def test_a_page_that_mixes_kinds_of_processors_says_so():
    mixed = facts(merge_outcomes([ONE, OTHER]), HERE)
    assert mixed["Hosts"] == "n1: 2 seeds; n2: 1 seed; this machine: 1 seed"
    assert mixed["Kinds of processors"].startswith("EPYC: 3 seeds; Xeon: 1 seed (mixed: ")


def test_a_page_of_one_kind_of_processor_says_which_and_one_of_this_machine_nothing():
    assert facts(ONE, HERE)["Kinds of processors"] == "EPYC: 3 seeds"
    assert "Hosts" not in facts(HERE)


def test_where_a_seed_ran_is_stored_and_stands_in_the_last_columns():
    stored = unpack_outcome(pack_outcome(ONE))
    assert stored.seeds["host"].tolist() == ["n1", "n1"]
    both = merge_outcomes([HERE, stored])
    assert both.seeds["host"].tolist() == ["", "n1", "n1"]
    table = tables.seeds(a_result(Row("A", HERE), Row("B", ONE), Row("C", HERE)))
    assert table.columns.tolist()[-3:] == ["host", "processor", "versions"]
    assert table["host"].tolist() == ["", "n1", "n1", ""]


def test_where_a_seed_ran_is_no_difference():
    assert an_outcome([1, 2]) == ONE


def test_a_place_is_text():
    wrong = build_outcome([1.0], [0], {"host": 3.0})
    with pytest.raises(Exception, match="'host' must hold text"):
        unpack_outcome(pack_outcome(wrong))
    assert pd.api.types.is_numeric_dtype(wrong.seeds["host"])
