"""Terminal output: any text is shown, and none of it controls the terminal."""

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

from lstm_bench.execution._progress_bar import SweepBar
from lstm_bench.safety._terminal import shell_line, terminal_console

ESCAPES = "\x1b]0;PWNED\x07\x1b[2J\x9b31m\x00\u202e"
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


def harmless(text):
    return not any(unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\t" for c in text)


def printed(*renderables):
    console = terminal_console()
    console.file = io.StringIO()
    for renderable in renderables:
        console.print(renderable)
    return console.file.getvalue()


def test_no_output_of_a_console_controls_the_terminal():
    table = Table(title=f"title{ESCAPES}", caption=ESCAPES)
    table.add_column(f"column{ESCAPES}")
    table.add_row(f"cell{ESCAPES}")
    table.add_row(Text(f"text{ESCAPES}"))
    output = printed(f"line{ESCAPES}", Text(ESCAPES), table, {"key": ESCAPES})
    assert harmless(output)
    assert all(word in output for word in ("title", "column", "cell", "text", "line"))


def test_markup_is_printed_literally():
    assert printed("[red]a[/red] [/] [link=x]").strip() == "[red]a[/red] [/] [link=x]"


def test_a_progress_bar_shows_a_name_without_controls(capsys):
    with SweepBar(f"x{ESCAPES}", quiet=False) as bar:
        bar._progress.console.print(f"failed: {ESCAPES}")
    assert harmless(capsys.readouterr().err)


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_a_shell_line_is_split_into_its_words(words):
    line = shell_line(*words)
    assert harmless(line)
    if all(word.isprintable() for word in words):
        assert shlex.split(line) == words


def test_a_file_name_that_is_not_text_is_read_by_a_shell(tmp_path):
    path = os.fsencode(tmp_path) + b"/a\xff'b.csv"
    Path(os.fsdecode(path)).write_text("content")
    line = shell_line("cat", os.fsdecode(path))
    assert (
        subprocess.run(["bash", "-c", line], capture_output=True, check=True).stdout == b"content"
    )


@pytest.mark.parametrize(
    "word", [ESCAPES.replace("\0", ""), "a'b\n\\", "$(touch x)", "`x`\x1b", "é\x7f'"]
)
def test_bash_reads_a_word_unchanged(word):
    run = subprocess.run(
        ["bash", "-c", f"printf '%s' {shell_line(word)}"], capture_output=True, check=True,
        env={"LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert run.stdout.decode() == word
