"""CSV text in which a spreadsheet executes nothing."""

import io
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_bench.safety._csv import as_csv

FORMULAS = ["=cmd|'/C calc'!A0", "+1+cmd()", "-2+3+cmd", "@SUM(A1)", "\r=x", "\n@x", "＝1+1", " =a"]


def read_back(text):
    return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, skip_blank_lines=False)


@pytest.mark.parametrize("cell", FORMULAS)
@pytest.mark.parametrize("kind", ["object", "str", "category"])
def test_a_formula_is_written_as_text(cell, kind):
    frame = pd.DataFrame({cell: pd.Series([cell, "plain"], dtype=kind), "n": [1, -2]})
    table = read_back(as_csv(frame))
    written = f"'{cell}".replace("\r", "\n")
    assert table.columns.tolist() == [written, "n"]
    assert table.iloc[:, 0].tolist() == [written, "plain"]


def test_a_carriage_return_does_not_begin_a_row():
    text = as_csv(pd.DataFrame({"x": ["a\r=cmd()", "b\r\n=cmd()"]}))
    assert read_back(text)["x"].tolist() == ["a\n=cmd()", "b\n=cmd()"]


def test_numbers_single_signs_and_missing_cells_are_unchanged():
    cells = ["-1", "+1.5", "-2e-3", "-inf", "-", "=", "+", "@", "", "a=b", None]
    frame = pd.DataFrame({"text": cells, "number": [-1.5] * len(cells)})
    assert as_csv(frame) == frame.to_csv(index=False, lineterminator="\n")


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_a_formula_after_another_separator_is_written_as_text(mark):
    """Spreadsheets of many countries split at semicolons, also inside quotation marks."""
    for formula in ("=cmd()", " =cmd()", "-2+3+cmd", "@x"):
        (written, _) = read_back(as_csv(pd.DataFrame({"x": [f"a{mark}{formula}", "end"]})))["x"]
        assert written == f"a{mark}'{formula}"
    plain = f"a{mark} -2{mark}+3.5{mark}-"
    assert read_back(as_csv(pd.DataFrame({"x": [plain, "end"]})))["x"][0] == plain


def test_columns_whose_names_become_equal_keep_their_values():
    text = as_csv(pd.DataFrame({"=a": [1], "'=a": [2]}))
    assert text == "'=a,'=a\n1,2\n"


def starts_a_formula(cell):
    """Returns whether any part that some spreadsheet would make a cell of is a formula."""
    for piece in re.split("[;\t|]", cell):
        piece = piece.strip()
        try:
            float(piece)
        except ValueError:
            if len(piece) > 1 and piece[0] in "=+-@":
                return True
    return False


@given(st.lists(st.text("=+-@ab1.\t\n';|", max_size=8), min_size=1, max_size=5))
def test_no_cell_begins_with_a_formula_and_none_is_lost(cells):
    *written, end = read_back(as_csv(pd.DataFrame({"x": [*cells, "end"]})))["x"]
    assert end == "end" and not any(map(starts_a_formula, written))
    assert [cell.replace("'", "") for cell in written] == [cell.replace("'", "") for cell in cells]


def test_the_index_is_omitted_and_floats_are_formatted():
    assert as_csv(pd.DataFrame({"a": [1 / 3]}), "%.3g") == "a\n0.333\n"
