"""What is printed shows anything and controls nothing."""

import io
import os
import shlex
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from lstm_bench.cli._show import SweepBar
from lstm_bench.safety._terminal import printable_text, shell_line, terminal_console

ESCAPES = "\x1b]0;PWNED\x07\x1b[2J\x9b31m\x00\u202e"
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


def harmless(text):
    return not any(unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\t" for c in text)


@given(st.text())
def test_no_control_character_is_left(text):
    shown = printable_text(text)
    assert harmless(shown)
    assert len(shown) == len(text)


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_what_can_be_seen_stays(text):
    assert printable_text(text) == text


def printed(*things):
    console = terminal_console()
    console.file = io.StringIO()
    for thing in things:
        console.print(thing)
    return console.file.getvalue()


def test_nothing_that_a_console_prints_controls_the_terminal():
    table = Table(title=f"title{ESCAPES}", caption=ESCAPES)
    table.add_column(f"column{ESCAPES}")
    table.add_row(f"cell{ESCAPES}")
    table.add_row(Text(f"text{ESCAPES}"))
    found = printed(f"line{ESCAPES}", Text(ESCAPES), table, {"key": ESCAPES})
    assert harmless(found)
    assert all(word in found for word in ("title", "column", "cell", "text", "line"))


def test_what_looks_like_markup_is_text():
    assert printed("[red]a[/red] [/] [link=x]").strip() == "[red]a[/red] [/] [link=x]"


def test_a_bar_shows_a_name_and_no_more(capsys):
    with SweepBar(f"x{ESCAPES}", quiet=False) as bar:
        bar._progress.console.print(f"failed: {ESCAPES}")
    assert harmless(capsys.readouterr().err)


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_a_line_for_the_shell_is_the_words_it_was_made_of(words):
    line = shell_line(*words)
    assert harmless(line)
    if all(word.isprintable() for word in words):
        assert shlex.split(line) == words


def test_a_file_whose_name_is_no_text_is_named_in_a_shell(tmp_path):
    path = os.fsencode(tmp_path) + b"/a\xff'b.csv"
    Path(os.fsdecode(path)).write_text("found")
    line = shell_line("cat", os.fsdecode(path))
    assert subprocess.run(["bash", "-c", line], capture_output=True, check=True).stdout == b"found"


@pytest.mark.parametrize(
    "word", [ESCAPES.replace("\0", ""), "a'b\n\\", "$(touch x)", "`x`\x1b", "é\x7f'"]
)
def test_bash_reads_the_words_back(word):
    run = subprocess.run(
        ["bash", "-c", f"printf '%s' {shell_line(word)}"], capture_output=True, check=True,
        env={"LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert run.stdout.decode() == word
