"""Terminal output that shows any text and lets none of it control the terminal.

Names, notes and messages may contain text from an untrusted file, and a terminal executes commands
in text: to clear the screen, to rename the window, to paste. All output for people is printed
through this module.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import textwrap
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

from lstm_bench.safety._printable import printable_text


def print_plain(text: str, file: TextIO | None = None) -> None:
    """Prints a message for people, on standard error unless another `file` is given."""
    print(printable_text(text), file=file or sys.stderr)


def print_wrapped(text: str) -> None:
    """Prints a message on standard error; a terminal gets lines that break between words.

    Each line keeps its indentation. Where standard error is no terminal, lines are not broken.
    """
    lines = printable_text(text).splitlines()
    if sys.stderr.isatty():
        width = max(shutil.get_terminal_size().columns - 1, 20)
        lines = [part for line in lines for part in _wrapped(line, width)]
    print("\n".join(lines), file=sys.stderr)


def _wrapped(line: str, width: int) -> list[str]:
    indent = line[: len(line) - len(line.lstrip())]
    parts = textwrap.wrap(
        line,
        width,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return parts or [""]


def terminal_console(stderr: bool = False) -> Console:
    """Returns a console that prints text literally: no markup and no control characters.

    The console's own colours and progress bars work as usual.
    """
    console = Console(stderr=stderr, markup=False, emoji=False)
    console.push_render_hook(_PrintableHook())
    return console


def shell_line(*words: str) -> str:
    """Returns a command line to copy into a shell, in which each word stays one word.

    >>> print(shell_line("lstm-bench", "predict", "a b", "it's", "x\\ty"))
    lstm-bench predict 'a b' 'it'"'"'s' $'x\\ty'
    """
    return " ".join(shlex.quote(word) if word.isprintable() else _escaped(word) for word in words)


def _escaped(word: str) -> str:
    r"""Returns a word with control characters as bash, zsh and ksh write it: $'\x1b[2J'."""
    encoded = "".join(
        c if c.isprintable() and c not in "\\'" else "".join(map(_escaped_byte, _encoded(c)))
        for c in word
    )
    return f"$'{encoded}'"


def _encoded(char: str) -> bytes:
    try:
        return os.fsencode(char)
    except UnicodeEncodeError:  # a lone surrogate, which is in no file name
        return char.encode("utf-8", "surrogatepass")


def _escaped_byte(number: int) -> str:
    return {9: r"\t", 10: r"\n", 39: r"\'", 92: r"\\"}.get(number, rf"\x{number:02x}")


class _PrintableHook(RenderHook):
    """Makes all text that a console renders printable, but not the console's own controls."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_PrintableRenderable(renderable) for renderable in renderables]


class _PrintableRenderable:
    """A renderable whose text is printed as `printable_text`."""

    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._renderable, options):
            plain = segment.control or segment.text.isprintable()
            yield segment if plain else Segment(printable_text(segment.text), segment.style)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._renderable)
