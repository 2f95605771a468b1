"""Whatever a sweep is called, its files have one name, in one folder, and no other sweep has it."""

import os
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_bench.safety._names import LONGEST, path_component

NAMES = st.text(st.characters(codec=None, exclude_categories=()), max_size=150)
"""Any text, lone surrogates included."""
HOSTILE = ["", ".", "..", "/", "\\", "/../../data", "../OUTSIDE", "km/h", "C:", "C:\\x", "\0", "~",
           "CON", "nul.txt", "com1", "LPT¹.a", ".hidden", "-rf", " x", "x ", "x.", "a\nb", "\x1b[2",
           "x" * 300, "é" * 80, "\ud800", "x\u202ey", "%2e%2e", "a:b", "*?", "..."]  # fmt: skip


def one_part(name):
    """Asks the standard library of two systems, and a file system's own limits."""
    assert PurePosixPath("a", name).parts == ("a", name)
    assert PureWindowsPath("a", name).parts == ("a", name)
    assert not PureWindowsPath(name).is_reserved()
    assert name == name.strip(" .") and not name.startswith(("-", "~"))
    assert len(os.fsencode(name)) <= LONGEST
    assert not any(unicodedata.category(char)[0] in "CZ" and char != " " for char in name)
    assert not set(name) & set('/\\:*?"<>|$`')


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_one_part_of_a_path(name):
    one_part(path_component(name))


@given(NAMES)
def test_any_name_is_one_part_of_a_path(name):
    one_part(path_component(name))


@given(st.lists(NAMES, min_size=2, max_size=2, unique=True), st.sampled_from(HOSTILE))
def test_no_two_names_share_their_files(names, other):
    assert len({path_component(name) for name in {*names, other}}) == len({*names, other})


@given(NAMES)
def test_the_name_of_files_is_no_other_sweeps_name_as_it_stands(name):
    made = path_component(name)
    assert made == name or path_component(made) != made


@pytest.mark.parametrize(
    "name",
    [
        "published",
        "co2",
        "sales-Close Price",
        "größe",
        "日本語",
        "a.b_c-1",
        "my sweep (2)",
        "a+b, c",
    ],
)
def test_an_ordinary_name_stays_as_it_is(name):
    assert path_component(name) == name


def test_files_can_be_made_under_every_name(tmp_path):
    for name in HOSTILE:
        folder = tmp_path / path_component(name)
        folder.mkdir()
        assert folder.resolve().parent == tmp_path.resolve()
    assert len(list(tmp_path.iterdir())) == len(HOSTILE)
