"""The terminal: what is printed there can show anything, and control nothing.

Names, notes and messages may hold text of a stranger's file, and a terminal takes commands from
text: to clear it, to rename its window, to paste. Everything for people goes through here.
"""

from __future__ import annotations

import os
import shlex
import sys
from typing import TextIO

from rich.console import (
    Console,
    ConsoleOptions,
    ConsoleRenderable,
    RenderableType,
    RenderHook,
    RenderResult,
)
from rich.measure import Measurement
from rich.segment import Segment

REPLACED = "\ufffd"
"""Stands for a character that is not printed."""


def printable_text(text: str) -> str:
    """Returns `text` without control characters, line ends aside.

    >>> printable_text("a\\x1b[2Jb\\nc")
    'a\ufffd[2Jb\\nc'
    """
    return "".join(c if c.isprintable() or c in "\n\t" else REPLACED for c in text)


def print_plain(text: str, file: TextIO | None = None) -> None:
    """Prints a message for people, on standard error unless another `file` is given."""
    print(printable_text(text), file=file or sys.stderr)


def terminal_console(stderr: bool = False) -> Console:
    """Returns a console that prints text as it is: without markup, and without control characters.

    The console's own colours and progress bars work as ever.
    """
    console = Console(stderr=stderr, markup=False, emoji=False)
    console.push_render_hook(_Visible())
    return console


def shell_line(*words: str) -> str:
    """Returns a command line to be copied into a shell, in which each word stays one word.

    >>> print(shell_line("lstm-bench", "predict", "a b", "it's", "x\\ty"))
    lstm-bench predict 'a b' 'it'"'"'s' $'x\\ty'
    """
    return " ".join(shlex.quote(word) if word.isprintable() else _escaped(word) for word in words)


def _escaped(word: str) -> str:
    r"""Returns a word as bash, zsh and ksh write one with control characters: $'\x1b[2J'."""
    encoded = "".join(
        c if c.isprintable() and c not in "\\'" else "".join(_byte(b) for b in _bytes(c))
        for c in word
    )
    return f"$'{encoded}'"


def _bytes(char: str) -> bytes:
    try:
        return os.fsencode(char)
    except UnicodeEncodeError:  # half of a character of two, of no file's name
        return char.encode("utf-8", "surrogatepass")


def _byte(number: int) -> str:
    return {9: r"\t", 10: r"\n", 39: r"\'", 92: r"\\"}.get(number, rf"\x{number:02x}")


class _Visible(RenderHook):
    """Puts everything that a console renders through `visible`, and its own controls not."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Printed(each) for each in renderables]


class _Printed:
    """A renderable whose text is printed as `visible` has it."""

    def __init__(self, shown: RenderableType) -> None:
        self._shown = shown

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._shown, options):
            plain = segment.control or segment.text.isprintable()
            yield segment if plain else Segment(printable_text(segment.text), segment.style)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._shown)
