"""`plain_json`: any value becomes one that `json` can write, without NaN."""

import dataclasses
import datetime
import json
import math
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lstm_bench.results import plain_json, to_json


@dataclasses.dataclass(frozen=True)
class Pair:
    first: Any
    second: Any = ()


@dataclasses.dataclass(slots=True)
class Slotted:
    value: Any


NUMPY_SCALARS = arrays.scalar_dtypes().flatmap(
    lambda dtype: arrays.arrays(dtype, 1).map(lambda array: array[0])
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(max_size=9),
    st.dates(),
    st.sampled_from([pd.NA, pd.NaT, pd.Timestamp(0), np.ma.masked, Path("a/b.csv"), Ellipsis]),
    NUMPY_SCALARS,
    arrays.arrays(st.sampled_from([np.float32, np.int8, bool, "U3", "M8[ns]", object]), (2, 2)),
)
KEYS = st.one_of(st.text(), st.integers(), st.none(), st.floats(), st.tuples(st.integers()))
VALUES = st.recursive(
    SCALARS,
    lambda parts: st.one_of(
        st.lists(parts, max_size=4),
        st.tuples(parts, parts),
        st.dictionaries(KEYS, parts, max_size=4),
        st.dictionaries(KEYS, parts, max_size=4).map(MappingProxyType),
        st.builds(Pair, parts, parts),
        st.builds(Slotted, parts),
    ),
    max_leaves=12,
)


@given(VALUES)
def test_any_value_can_be_written_as_json_without_nan(value):
    plain = plain_json(value)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain_json(plain) == plain  # what is plain stays as it is
    assert json.loads(to_json(value)) == plain


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
    max_leaves=12,
))  # fmt: skip
def test_plain_values_do_not_change(value):
    plain = plain_json(value)
    assert plain == value
    assert json.dumps(plain) == json.dumps(value)  # 1, 1.0 and true are not the same


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array([[1.0, np.nan], [np.inf, 2.0]]), [[1.0, None], [None, 2.0]]),
        (np.array(3), 3),
        (pd.Series([1.5, None]), [1.5, None]),
        (pd.array([1, None], dtype="Int64")[1], None),
        (math.nan, None),
        (-math.inf, None),
        (np.float64("nan"), None),
        (np.float32("inf"), None),
        (pd.NA, None),
        (pd.NaT, None),
        ((1, (2,)), [1, [2]]),
        ({1: 2, None: 3, (4,): 5}, {"1": 2, "None": 3, "(4,)": 5}),
        (Pair(np.int8(1), Pair(math.nan)), {"first": 1, "second": {"first": None, "second": []}}),
        (Slotted(Path("a/b")), {"value": "a/b"}),
        (PurePosixPath("x"), "x"),
        (datetime.date(2024, 2, 29), "2024-02-29"),
        (Pair, str(Pair)),  # the class, not one of its values
    ],
)
def test_values_become_what_json_has(value, plain):
    result = plain_json(value)
    assert result == plain and type(result) is type(plain)


def test_a_document_is_text_with_an_indent():
    assert to_json({"a": [1, math.nan]}) == '{\n "a": [\n  1,\n  null\n ]\n}'
