"""Printable text: no control characters are left, and visible characters stay."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_bench.safety import printable_line, printable_text, replace_controls

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
"""Any text, including lone surrogates."""
VISIBLE_TEXT = st.text(st.characters(categories=["L", "N", "P", "S"]))


@given(ANY_TEXT)
def test_no_control_character_is_left_in_text(text):
    shown = printable_text(text)
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs") or c in "\n\t" for c in shown)
    assert len(shown) == len(text)
    assert [c for c in shown if c in "\n\t"] == [c for c in text if c in "\n\t"]


@given(ANY_TEXT)
def test_a_line_has_no_control_character_at_all(text):
    line = printable_line(text)
    assert line.isprintable() and len(line) == len(text)


@given(VISIBLE_TEXT)
def test_visible_characters_stay(text):
    assert printable_text(text) == printable_line(text) == replace_controls(text) == text


def test_a_line_may_be_of_any_value():
    assert printable_line(None) == "None"
    assert printable_line(ValueError("a\tb\nc\rd")) == "a b c\ufffdd"


@given(ANY_TEXT)
def test_a_page_has_no_control_character_and_no_change_of_direction(text):
    shown = replace_controls(text)
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    for before, after in zip(text, shown, strict=True):
        control = unicodedata.category(before) == "Cc" and before not in "\n\t"
        if control or unicodedata.bidirectional(before) in turning or before in "\u200e\u200f":
            assert after == "\ufffd"
        else:
            assert after == before


@pytest.mark.parametrize("char", ["\u00a0", "\u200d", "\u00ad", "\u3000"])
def test_a_page_keeps_invisible_characters_that_do_no_harm(char):
    assert replace_controls(char) == char
    assert printable_text(char) == printable_line(char) == "\ufffd"
