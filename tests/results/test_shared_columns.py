"""Equal columns of several outcomes are in memory once, and no outcome can change another."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from lstm_bench.results._shared_columns import MIN_ROWS, share_columns


def table(seed, rows=MIN_ROWS):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "step": np.arange(rows),
            "input": [f"row {i}" for i in range(rows)],
            "expected": np.linspace(0.0, 1.0, rows),
            "predicted": rng.normal(size=rows),
            "correct": rng.random(rows) < 0.5,
        }
    )


def test_equal_columns_share_their_memory_and_others_do_not():
    first, second = share_columns(table(1)), share_columns(table(2))
    pd.testing.assert_frame_equal(first, table(1))
    pd.testing.assert_frame_equal(second, table(2))
    shared = {
        name: np.shares_memory(first[name].to_numpy(), second[name].to_numpy())
        for name in ("step", "expected", "predicted", "correct")
    }
    assert shared == {"step": True, "expected": True, "predicted": False, "correct": False}


def text_buffers(table, name):
    chunks = table[name].array.__arrow_array__().chunks
    return [buffer.address for chunk in chunks for buffer in chunk.buffers() if buffer]


def test_equal_columns_of_text_share_their_memory_and_others_do_not():
    first, second = share_columns(table(1)), share_columns(table(2))
    assert text_buffers(first, "input") == text_buffers(second, "input")
    other = table(3)
    other.loc[5, "input"] = "another row"
    third = share_columns(other.copy())
    pd.testing.assert_frame_equal(third, other)
    assert text_buffers(third, "input") != text_buffers(first, "input")
    second.loc[0, "input"] = "changed"
    pd.testing.assert_frame_equal(first, table(1))


def test_a_column_of_text_keeps_nothing_else_of_the_file_that_it_was_read_from(tmp_path):
    other = table(4)
    other["input"] += " of a file"
    other.to_feather(tmp_path / "table.feather", compression="uncompressed")
    content = pa.py_buffer((tmp_path / "table.feather").read_bytes())
    read = pa.ipc.open_file(content).read_all().to_pandas()
    first, last = content.address, content.address + content.size
    assert any(first <= address < last for address in text_buffers(read, "input"))
    shared = share_columns(read)
    pd.testing.assert_frame_equal(shared, other)
    assert not any(first <= address < last for address in text_buffers(shared, "input"))


def test_no_table_changes_another_one():
    first, second = share_columns(table(1)), share_columns(table(2))
    first.loc[0, "expected"] = 7.0
    first["step"] += 1
    pd.testing.assert_frame_equal(second, table(2))
    pd.testing.assert_frame_equal(share_columns(table(3)), table(3))


@pytest.mark.parametrize("kept", [np.float32, np.int8, bool])
def test_equal_numbers_of_different_types_are_different_columns(kept):
    wide = share_columns(pd.DataFrame({"x": np.zeros(MIN_ROWS)}))
    narrow = share_columns(pd.DataFrame({"x": np.zeros(MIN_ROWS, kept)}))
    assert wide["x"].dtype == float
    assert narrow["x"].dtype == np.dtype(kept)


def test_tables_share_after_the_first_one_is_gone():
    first, second = share_columns(table(1)), share_columns(table(2))
    del first
    third = share_columns(table(3))
    assert np.shares_memory(second["expected"].to_numpy(), third["expected"].to_numpy())


def test_a_column_that_was_changed_in_place_is_not_shared():
    first = share_columns(table(1))
    first.loc[:, "expected"] = 7.0
    pd.testing.assert_frame_equal(share_columns(table(2)), table(2))


def test_a_column_is_forgotten_with_the_last_table_that_has_it():
    from lstm_bench.results import _shared_columns

    before = len(_shared_columns._tables)
    frame = share_columns(pd.DataFrame({"x": np.full(MIN_ROWS, 0.123456)}))
    assert len(_shared_columns._tables) == before + 1
    del frame
    assert len(_shared_columns._tables) == before


def test_missing_values_stay_and_are_shared_too():
    values = np.arange(float(MIN_ROWS))
    values[3] = np.nan
    frame = pd.DataFrame({"x": values})
    first, second = share_columns(frame), share_columns(frame.copy())
    pd.testing.assert_frame_equal(second, frame)
    assert np.shares_memory(first["x"].to_numpy(), second["x"].to_numpy())


@pytest.mark.parametrize(
    "labels", [range(5, MIN_ROWS + 5), np.arange(MIN_ROWS)[::-1], list("ab") * (MIN_ROWS // 2)]
)
def test_tables_with_other_row_labels_are_left_as_they_are(labels):
    default, other = table(1), table(1).set_axis(labels, axis=0)
    share_columns(default)
    assert share_columns(other) is other


def test_short_tables_are_left_as_they_are():
    frame = table(1, rows=MIN_ROWS - 1)
    assert share_columns(frame) is frame
