"""File names of sweeps: any name gives one path component that no other sweep has."""

import ntpath
import os
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_bench.safety._names import MAX_BYTES, path_component

NAMES = st.text(st.characters(codec=None, exclude_categories=()), max_size=150)
"""Any text, including lone surrogates."""
HOSTILE = ["", ".", "..", "/", "\\", "/../../data", "../OUTSIDE", "km/h", "C:", "C:\\x", "\0", "~",
           "CON", "nul.txt", "com1", "LPT¹.a", ".hidden", "-rf", " x", "x ", "x.", "a\nb", "\x1b[2",
           "x" * 300, "é" * 80, "\ud800", "x\u202ey", "%2e%2e", "a:b", "*?", "..."]  # fmt: skip


def is_reserved(name):
    """Returns whether Windows keeps a name for a device; Python 3.13 has a function of its own."""
    if hasattr(ntpath, "isreserved"):
        return ntpath.isreserved(name)
    return PureWindowsPath(name).is_reserved()


def assert_one_component(name):
    """Checks a name by pathlib's rules for two systems, and by the limits of file systems."""
    assert PurePosixPath("a", name).parts == ("a", name)
    assert PureWindowsPath("a", name).parts == ("a", name)
    assert not is_reserved(name)
    assert name == name.strip(" .") and not name.startswith(("-", "~"))
    assert len(os.fsencode(name)) <= MAX_BYTES
    assert not any(unicodedata.category(char)[0] in "CZ" and char != " " for char in name)
    assert not set(name) & set('/\\:*?"<>|$`')


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_gives_one_path_component(name):
    assert_one_component(path_component(name))


@given(NAMES)
def test_any_name_gives_one_path_component(name):
    assert_one_component(path_component(name))


@given(st.lists(NAMES, min_size=2, max_size=2, unique=True), st.sampled_from(HOSTILE))
def test_no_two_names_share_their_files(names, other):
    assert len({path_component(name) for name in {*names, other}}) == len({*names, other})


@given(NAMES)
def test_a_changed_name_is_not_the_unchanged_name_of_another_sweep(name):
    component = path_component(name)
    assert component == name or path_component(component) != component


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
def test_an_ordinary_name_is_unchanged(name):
    assert path_component(name) == name


def test_every_name_can_be_a_folder(tmp_path):
    for name in HOSTILE:
        folder = tmp_path / path_component(name)
        folder.mkdir()
        assert folder.resolve().parent == tmp_path.resolve()
    assert len(list(tmp_path.iterdir())) == len(HOSTILE)
